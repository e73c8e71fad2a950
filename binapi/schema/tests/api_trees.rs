//! Whole trees of VPP's sources against what VPP's own tool made of them.
//!
//! `VPP_SRC` names the trees: `26.06=/path/to/vpp`, several of them with `:` between. Without a release a tree is only
//! read. The JSON of a release is where the other tests have it.

mod definitions;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use definitions::{releases, without_comments};
use serde_json::Value;
use vpp_schema::{Api, ApiFile, Numbering, SourceOptions};

struct Tree {
    release: Option<String>,
    path: PathBuf,
}

/// The trees at hand.
#[allow(clippy::print_stderr)] // a test says what it leaves out
fn trees(test: &str) -> Vec<Tree> {
    let Ok(trees) = std::env::var("VPP_SRC") else {
        eprintln!("skipped: {test}, since VPP_SRC names no tree of VPP's sources");
        return Vec::new();
    };
    let tree = |tree: &str| match tree.split_once('=') {
        Some((release, path)) => Tree { release: Some(release.to_owned()), path: path.into() },
        None => Tree { release: None, path: tree.into() },
    };
    trees.split(':').map(tree).collect()
}

/// The files of a folder and those below.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.expect("a listed file").path();
        if path.is_dir() && !path.is_symlink() {
            found.extend(files(&path, ending));
        } else if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The JSON of a release by module, and its folder.
fn json_of(release: &str) -> (PathBuf, HashMap<String, Value>) {
    let folder = releases().into_iter().find(|(known, _)| known == release);
    let (_, folder) = folder.unwrap_or_else(|| panic!("there is no JSON of {release}"));
    let modules = files(&folder, ".api.json").into_iter().map(|path| {
        let text = std::fs::read_to_string(&path).expect("a file");
        let name = path.file_name().expect("a file").to_string_lossy().replace(".api.json", "");
        (name, serde_json::from_str(&text).expect("JSON"))
    });
    let modules = modules.collect();
    (folder, modules)
}

fn module_of(path: &Path) -> String {
    path.file_stem().expect("a file").to_string_lossy().into_owned()
}

#[allow(clippy::print_stdout)] // figures, for who asks with --nocapture
#[test]
fn every_tree_reads() {
    for Tree { path, .. } in trees("every_tree_reads") {
        let start = Instant::now();
        let api = Api::read_api_sources(std::slice::from_ref(&path), &SourceOptions::default())
            .unwrap_or_else(|error| panic!("{error}"));
        println!(
            "{}: {} modules, {} messages, {} types in {:?}",
            path.display(),
            api.modules.len(),
            api.messages.len(),
            api.types.len(),
            start.elapsed()
        );
    }
}

/// Those beside `src`, too, which VPP no longer builds.
#[test]
fn every_file_of_a_tree_reads() {
    for Tree { path, .. } in trees("every_file_of_a_tree_reads") {
        let include =
            vec![path.join("src"), path.join("extras/deprecated"), path.join("extras/deprecated/vnet")];
        let options = SourceOptions { include, ..SourceOptions::default() };
        for file in files(&path, ".api") {
            ApiFile::read(&file, &options).unwrap_or_else(|error| panic!("{error}"));
        }
    }
}

#[allow(clippy::print_stdout)]
#[test]
fn every_file_is_what_vpps_tool_makes_of_it() {
    for Tree { release, path } in trees("every_file_is_what_vpps_tool_makes_of_it") {
        let Some(release) = release else { continue };
        let (folder, mut expected) = json_of(&release);
        // Before, a comment was given to the next definition however far it was.
        let has_comments = release.as_str() >= "26.06";
        let mut sources = files(&path.join("src"), ".api");
        sources.retain(|file| expected.contains_key(&module_of(file)));
        let messages = |json: &Value| json["messages"].as_array().map_or(0, Vec::len);
        let mut count = 0;
        for file in &sources {
            let name = module_of(file);
            let read =
                ApiFile::read(file, &SourceOptions::default()).unwrap_or_else(|error| panic!("{error}"));
            let mut json = read.json;
            let mut expected = expected.remove(&name).expect("each once");
            if expected.get("module").is_none() {
                json.as_object_mut().expect("an object").remove("module");
            }
            if !has_comments {
                drop_comments(&mut json);
                drop_comments(&mut expected);
            }
            count += messages(&json);
            // The JSON before 21.10 leaves out what is empty.
            if release.as_str() < "21.10" {
                assert_eq!(crcs(&json), crcs(&expected), "{release}, {name}");
                continue;
            }
            for (key, expected) in expected.as_object().expect("an object") {
                assert_eq!(json.get(key), Some(expected), "{release}, {name}, {key}");
            }
            assert!(json == expected, "{release}, {name}: a key more");
        }
        assert!(expected.is_empty(), "{release}: no source of {:?}", expected.keys());

        let mut read = Api::read_api_sources(&sources, &SourceOptions::default()).expect("read before");
        let mut from_json = Api::read_dir(&folder).unwrap_or_else(|error| panic!("{error}"));
        if !has_comments {
            (read, from_json) = (without_comments(read), without_comments(from_json));
        }
        if release.as_str() < "21.10" {
            // The JSON tells no options of messages.
            read.messages.iter_mut().for_each(|message| message.options.clear());
        }
        for (read, from_json) in read.modules.iter().zip(&from_json.modules) {
            assert_eq!(read, from_json, "{release}");
        }
        assert!(read == from_json, "{release}");
        println!("{release}: {} files, {count} messages", sources.len());
    }
}

/// The CRC of a file, then those of its messages.
fn crcs(json: &Value) -> Vec<(&Value, &Value)> {
    let messages = json["messages"].as_array().expect("a list").iter().map(|message| {
        let parts = message.as_array().expect("a list");
        (&parts[0], &parts[parts.len() - 1]["crc"])
    });
    std::iter::once((&Value::Null, &json["vl_api_version"])).chain(messages).collect()
}

fn drop_comments(json: &mut Value) {
    for key in ["types", "messages"] {
        for item in json[key].as_array_mut().expect("a list") {
            let parts = item.as_array_mut().expect("a list");
            if let Some(Value::Object(trailer)) = parts.last_mut() {
                trailer.remove("comment");
                if trailer.is_empty() {
                    parts.pop();
                }
            }
        }
    }
}

/// 22.02 numbered from 1, 22.06 from 0.
#[test]
fn the_tree_tells_how_it_numbers() {
    for Tree { release, path } in trees("the_tree_tells_how_it_numbers") {
        let Some(release) = release else { continue };
        let numbering = if release.as_str() >= "22.06" { Numbering::FromZero } else { Numbering::FromOne };
        let roots = [path];
        let told = SourceOptions { numbering: Some(numbering), ..SourceOptions::default() };
        let read = |options| Api::read_api_sources(&roots, options).unwrap_or_else(|error| panic!("{error}"));
        assert!(read(&told) == read(&SourceOptions::default()), "{release}");
    }
}
