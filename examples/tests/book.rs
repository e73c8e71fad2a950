//! Holds the book (`docs/book`) against the programs that it shows, and its links against what is there.
//!
//! A code block behind `<!-- code: FILE#ANCHOR -->` is what stands in the file between `ANCHOR: name` and
//! `ANCHOR_END: name`; behind `<!-- code: FILE -->`, all of it. With `VPPKIT_BOOK=write` the test writes it there instead.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/book/src")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The pages of the book by the name of their file.
fn pages() -> Vec<(String, String)> {
    let entries = fs::read_dir(folder()).expect("the book is there");
    let paths = entries.map(|entry| entry.expect("a listed file").path());
    let mut pages: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|ending| ending == "md"))
        .map(|path| (path.file_name().expect("a file").to_string_lossy().into_owned(), read(&path)))
        .collect();
    pages.sort();
    pages
}

/// Where links of a page lead, outside of its code.
fn links(page: &str) -> Vec<&str> {
    let mut is_code = false;
    let mut links = Vec::new();
    for line in page.lines() {
        is_code ^= line.starts_with("```");
        if !is_code {
            links.extend(line.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(to, _)| to));
        }
    }
    links
}

#[test]
fn links_lead_somewhere() {
    let mut count = 0;
    for (name, page) in pages() {
        for link in links(&page).into_iter().filter(|link| !link.starts_with("https://")) {
            let path = link.split('#').next().unwrap_or_default();
            assert!(folder().join(path).exists(), "{name}: there is no {link}");
            count += 1;
        }
    }
    assert!(count > 5, "only {count} links");
}

#[test]
fn every_chapter_is_in_the_summary() {
    let summary = read(&folder().join("SUMMARY.md"));
    let mut listed = links(&summary);
    let count = listed.len();
    listed.sort_unstable();
    listed.dedup();
    assert_eq!(listed.len(), count, "a chapter is listed twice");
    let chapters: Vec<_> =
        pages().into_iter().map(|(name, _)| name).filter(|name| name != "SUMMARY.md").collect();
    assert_eq!(listed, chapters);
}

/// What a program has between an anchor's marks.
fn snippet(program: &str, anchor: &str) -> Option<String> {
    let is_mark = |line: &str, mark: &str| {
        line.trim_start().trim_start_matches(['/', '#']).trim() == format!("{mark}: {anchor}")
    };
    let mut lines = program.lines().skip_while(|line| !is_mark(line, "ANCHOR"));
    lines.next()?;
    let text: Vec<_> = lines.take_while(|line| !is_mark(line, "ANCHOR_END")).collect();
    Some(text.join("\n").trim().to_owned())
}

/// A page with the code that it should show, and which file and anchor each block is of.
fn with_code(page: &str) -> (String, Vec<(String, String)>) {
    let (mut text, mut used) = (String::new(), Vec::new());
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        text.push_str(line);
        text.push('\n');
        let Some(source) = line.strip_prefix("<!-- code: ").and_then(|rest| rest.strip_suffix(" -->")) else {
            continue;
        };
        let (file, anchor) = source.split_once('#').unwrap_or((source, ""));
        let program = read(&folder().join(file));
        let code = if anchor.is_empty() { Some(program) } else { snippet(&program, anchor) };
        let code = code.unwrap_or_else(|| panic!("{file} has no anchor {anchor}"));
        let code = code.trim();
        assert!(!code.is_empty(), "{source} is empty");
        let fence = lines.next().filter(|line| line.starts_with("```")).expect("a block behind its source");
        lines.by_ref().find(|line| *line == "```").expect("the block ends");
        text.push_str(&format!("{fence}\n{code}\n```\n"));
        used.push((file.to_owned(), anchor.to_owned()));
    }
    (text, used)
}

#[test]
fn code_is_that_of_the_programs() {
    let is_writing = std::env::var_os("VPPKIT_BOOK").is_some_and(|value| value == "write");
    for (name, page) in pages() {
        let (should, _) = with_code(&page);
        if is_writing {
            fs::write(folder().join(&name), should).expect("the page is written");
        } else {
            assert!(should == page, "{name} shows other code than its programs; VPPKIT_BOOK=write mends it");
        }
    }
}

#[test]
fn the_ten_tasks_are_side_by_side() {
    for name in ["from-govpp.md", "from-vpp-papi.md"] {
        let (_, used) = with_code(&read(&folder().join(name)));
        let anchors = |is_ours: bool| -> Vec<&str> {
            let of = used.iter().filter(|(file, _)| file.ends_with("ten_tasks.rs") == is_ours);
            of.map(|(_, anchor)| anchor.as_str()).collect()
        };
        assert_eq!(anchors(true), anchors(false), "{name}");
        let distinct: BTreeSet<_> = anchors(true).into_iter().collect();
        assert_eq!(distinct.len(), 11, "{name}: ten tasks, and what they use");
    }
}
