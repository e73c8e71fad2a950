//! Small definitions for tests, and where the real ones are.

#![allow(dead_code)] // every test file uses some of it

use std::path::{Path, PathBuf};

use serde_json::Value;
use vpp_schema::{Api, Group, ReadError, Source};

/// One file's JSON as a source; `name` is the module.
pub(crate) fn source(name: &str, json: &Value) -> Source {
    Source {
        name: name.to_owned(),
        group: Group::Core,
        origin: format!("{name}.api.json"),
        text: json.to_string(),
    }
}

/// Reads files given as module and JSON.
pub(crate) fn read(files: &[(&str, Value)]) -> Result<Api, ReadError> {
    let sources: Vec<Source> = files.iter().map(|(name, json)| source(name, json)).collect();
    Api::from_sources(&sources)
}

/// Reads one file.
pub(crate) fn read_one(json: Value) -> Api {
    read(&[("test", json)]).unwrap_or_else(|error| panic!("{error}"))
}

/// The module that owns a type of this name; several, where several do.
pub(crate) fn owners<'a>(api: &'a Api, name: &str) -> Vec<&'a str> {
    let types = api.types.iter().filter(|ty| ty.name == name);
    types.map(|ty| api.module(ty.module).name.as_str()).collect()
}

/// The API without what pins leave out.
pub(crate) fn without_comments(mut api: Api) -> Api {
    for ty in &mut api.types {
        ty.comment = None;
    }
    for message in &mut api.messages {
        message.comment = None;
    }
    let sets = api.modules.iter_mut().flat_map(|module| &mut module.counters);
    for counter in sets.flat_map(|set| &mut set.elements) {
        counter.description = None;
    }
    api
}

/// VPP's own files of the releases at hand: release and folder. Empty where they are not beside the repository.
pub(crate) fn releases() -> Vec<(String, PathBuf)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vpp-api");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        skipped(&folder);
        return Vec::new();
    };
    let mut releases: Vec<(String, PathBuf)> = entries
        .map(|entry| entry.expect("a listed folder"))
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path()))
        .collect();
    releases.sort();
    releases
}

#[allow(clippy::print_stderr)] // a test says what it leaves out
fn skipped(folder: &Path) {
    eprintln!("skipped: VPP's own files, there is no folder {}", folder.display());
}

/// The pins of 26.06.
pub(crate) fn pinned() -> Api {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../api-json/26.06");
    vpp_schema::pins::read(&folder).unwrap_or_else(|error| panic!("{error}"))
}

/// All pinned releases, the oldest first.
pub(crate) fn all_pinned() -> Vec<Api> {
    pinned_by_release().into_iter().map(|(_, api)| api).collect()
}

/// All pinned releases with their names, the oldest first.
pub(crate) fn pinned_by_release() -> Vec<(String, Api)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../api-json");
    let entries =
        std::fs::read_dir(&folder).expect("the pins").map(|entry| entry.expect("a listed folder").path());
    let mut folders: Vec<PathBuf> =
        entries.filter(|path| path.join(vpp_schema::pins::SOURCE_FILE).exists()).collect();
    folders.sort();
    let read = |folder: &PathBuf| {
        let release = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        (release, vpp_schema::pins::read(folder).unwrap_or_else(|error| panic!("{error}")))
    };
    folders.iter().map(read).collect()
}
