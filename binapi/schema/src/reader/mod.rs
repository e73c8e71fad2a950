//! Reader of `*.api.json`.

mod assemble;
mod check;
mod facts;
mod file;
mod identity;
mod json;
mod ownership;
mod running;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::error::ReadError;
use crate::model::{Api, Group};

/// One definition file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The module: `ip_types`.
    pub name: String,
    /// Which folder of an installed VPP holds it.
    pub group: Group,
    /// How errors call it: the path.
    pub origin: String,
    /// The JSON.
    pub text: String,
}

/// How far below the named folder definitions are looked for.
const FOLDER_DEPTH: usize = 3;

impl Api {
    /// Reads the `*.api.json` of a folder and of the folders below it (`core`, `plugins`), as VPP installs them.
    ///
    /// # Errors
    ///
    /// When the folder or a file cannot be read, when there is none, and as [`Api::from_sources`].
    pub fn read_dir(dir: &Path) -> Result<Self, ReadError> {
        Self::read_files(dir, ENDING, FOLDER_DEPTH)
    }

    pub(crate) fn read_files(dir: &Path, ending: &str, depth: usize) -> Result<Self, ReadError> {
        let mut files = Vec::new();
        list(dir, ending, depth, &mut files)?;
        if files.is_empty() {
            return Err(ReadError::NoDefinitions { path: dir.to_owned() });
        }
        files.sort();
        let sources = files.iter().map(|path| source(path, ending)).collect::<Result<Vec<_>, _>>()?;
        Self::from_sources(&sources)
    }

    /// Reads definitions: VPP's own files, or pins.
    ///
    /// # Errors
    ///
    /// When a text is not JSON, not an API definition, or does not fit the others.
    pub fn from_sources(sources: &[Source]) -> Result<Self, ReadError> {
        let mut files = Vec::with_capacity(sources.len());
        for source in sources {
            let root = parse_json(&source.text, &source.origin)?;
            match &root {
                Value::Array(modules) => files.extend(running::modules(modules, &source.origin, None)?),
                root => files.push(file::parse(root, &source.name, source.group, &source.origin)?),
            }
        }
        assemble::assemble(files)
    }

    /// Reads definitions that are JSON already: of each the name, group, origin, and its object.
    pub(crate) fn from_values<'a>(
        modules: impl IntoIterator<Item = (&'a str, Group, &'a str, &'a Value)>,
    ) -> Result<Self, ReadError> {
        let files = modules
            .into_iter()
            .map(|(name, group, origin, root)| file::parse(root, name, group, origin))
            .collect::<Result<_, _>>()?;
        assemble::assemble(files)
    }
}

fn parse_json(text: &str, origin: &str) -> Result<Value, ReadError> {
    serde_json::from_str(text)
        .map_err(|error| ReadError::NotJson { origin: origin.to_owned(), problem: error.to_string() })
}

const ENDING: &str = ".api.json";

fn list(dir: &Path, ending: &str, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), ReadError> {
    let failed = |source: io::Error| ReadError::Folder { path: dir.to_owned(), source };
    for entry in fs::read_dir(dir).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            if depth > 0 {
                list(&path, ending, depth - 1, files)?;
            }
        } else if path.file_name().is_some_and(|name| name.to_string_lossy().ends_with(ending)) {
            files.push(path);
        }
    }
    Ok(())
}

fn source(path: &Path, ending: &str) -> Result<Source, ReadError> {
    let text =
        fs::read_to_string(path).map_err(|source| ReadError::File { path: path.to_owned(), source })?;
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    let folder = path.parent().and_then(Path::file_name);
    let group = match folder.and_then(|name| name.to_str()) {
        Some("core") => Group::Core,
        Some("plugins") => Group::Plugins,
        _ => Group::Other,
    };
    Ok(Source {
        name: file.strip_suffix(ending).unwrap_or(&file).to_owned(),
        group,
        origin: path.display().to_string(),
        text,
    })
}
