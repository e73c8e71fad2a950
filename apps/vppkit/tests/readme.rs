//! The examples of `README.md` and of the book, run as they stand.
#![allow(clippy::unwrap_used)]

mod program;

use std::path::Path;
use std::process::Command;

use vpp_sim::Sim;

/// A line of an example and what it should print.
struct Example<'a> {
    command: &'a str,
    output: String,
}

/// The lines of all `console` blocks.
fn examples(page: &str) -> Vec<Example<'_>> {
    let mut examples: Vec<Example<'_>> = Vec::new();
    let mut is_console = false;
    for line in page.lines() {
        if line.starts_with("```") {
            is_console = line == "```console";
        } else if let Some(command) = line.strip_prefix("$ ").filter(|_| is_console) {
            examples.push(Example { command, output: String::new() });
        } else if is_console {
            let example = examples.last_mut().expect("a block begins with a command");
            example.output += line;
            example.output.push('\n');
        }
    }
    examples
}

fn page(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// Runs each example on a stand-in that no other page has changed.
fn check(path: &str, at_least: usize) {
    let sim = Sim::release("26.06").start_blocking().unwrap();
    let page = page(path);
    let examples = examples(&page);
    assert!(examples.len() >= at_least, "only {} examples", examples.len());
    let program = Path::new(env!("CARGO_BIN_EXE_vppkit"));
    let path = format!("{}:{}", program.parent().unwrap().display(), std::env::var("PATH").unwrap());
    for Example { command, output } in examples {
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("{{ {command}; }} 2>&1")]).env("PATH", &path);
        shell.env("VPP_API_SOCKET", sim.socket()).env_remove("RUST_LOG").env_remove("CLICOLOR_FORCE");
        let got = shell.output().unwrap();
        assert_eq!(String::from_utf8_lossy(&got.stdout), output, "$ {command}");
    }
}

#[test]
fn the_page_prints_what_it_says() {
    check("README.md", 10);
}

#[test]
fn the_book_prints_what_it_says() {
    check("../../docs/book/src/pins-and-versions.md", 4);
}

/// The table of churn, which a reader sees as a table and not as what a program printed.
#[test]
fn the_book_has_the_table_of_releases() {
    let page = page("../../docs/book/src/churn.md");
    let (_, rest) = page.split_once("<!-- output: vppkit releases --markdown -->\n\n").unwrap();
    let (table, _) = rest.split_once("\n<!-- end of output -->").unwrap();
    assert_eq!(program::vppkit(&["releases", "--markdown"]).ok(), table);
}
