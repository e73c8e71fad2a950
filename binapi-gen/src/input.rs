//! Where definitions come from.

use std::fs;
use std::path::{Path, PathBuf};

use vpp_schema::{Api, Group, ReadError, Source, SourceOptions};

use crate::build_script;
use crate::error::GenerateError;

/// The endings of the two kinds of files.
const JSON: &str = ".api.json";
const LANGUAGE: &str = ".api";

/// What a builder was given to read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Inputs {
    pub(crate) paths: Vec<PathBuf>,
    pub(crate) language: SourceOptions,
    pub(crate) api: Option<Box<Api>>,
}

impl Inputs {
    /// Tells cargo, in a build script.
    pub(crate) fn announce(&self) {
        self.paths.iter().chain(&self.language.include).for_each(|path| build_script::depends_on(path));
    }

    /// How the source is called: the names of the files.
    pub(crate) fn label(&self) -> Option<String> {
        let is_file = |path: &PathBuf| path.is_file();
        if self.api.is_some() || self.paths.is_empty() || !self.paths.iter().all(is_file) {
            return None;
        }
        let names = self.paths.iter().filter_map(|path| path.file_name());
        Some(names.map(|name| name.to_string_lossy()).collect::<Vec<_>>().join(", "))
    }

    /// Reads everything. What `.api` files import and no folder has is looked for in `known`.
    pub(crate) fn read(self, known: &[&Api]) -> Result<Api, GenerateError> {
        if let Some(api) = self.api {
            return Ok(*api);
        }
        let Some(first) = self.paths.first() else { return Err(GenerateError::NoInput) };
        let is_language = is_language(first);
        if let Some(other) = self.paths.iter().find(|path| self::is_language(path) != is_language) {
            let [first, other] = [first, other].map(Clone::clone);
            return Err(GenerateError::MixedInputs { first, other });
        }
        if is_language {
            let mut options = self.language;
            let mut known: Vec<Source> = known.iter().flat_map(|api| api.import_texts()).collect();
            // The first that has a module counts.
            known.reverse();
            options.known.extend(known);
            return Ok(Api::read_api_sources(&self.paths, &options)?);
        }
        match &self.paths[..] {
            [folder] if !folder.is_file() => Ok(Api::read_dir(folder)?),
            paths => {
                let mut sources = Vec::new();
                for path in paths {
                    if path.is_file() {
                        sources.push(source(path)?);
                    } else {
                        sources.extend(Api::read_dir(path)?.to_pins());
                    }
                }
                Ok(Api::from_sources(&sources)?)
            }
        }
    }
}

/// Whether a path is an `.api` file, or a folder with such and none of JSON.
fn is_language(path: &Path) -> bool {
    if path.is_file() {
        return path.to_string_lossy().ends_with(LANGUAGE);
    }
    !holds(path, JSON, 4) && holds(path, LANGUAGE, 16)
}

/// Whether a folder, or one so far below it, has a file of this ending.
fn holds(folder: &Path, ending: &str, depth: usize) -> bool {
    let Ok(entries) = fs::read_dir(folder) else { return false };
    let mut folders = Vec::new();
    for entry in entries.flatten() {
        let is_folder = entry.file_type().is_ok_and(|ty| ty.is_dir());
        if is_folder {
            folders.push(entry.path());
        } else if entry.file_name().to_string_lossy().ends_with(ending) {
            return true;
        }
    }
    depth > 0 && folders.iter().any(|folder| holds(folder, ending, depth - 1))
}

fn source(path: &Path) -> Result<Source, GenerateError> {
    let text =
        fs::read_to_string(path).map_err(|source| ReadError::File { path: path.to_owned(), source })?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = name.strip_suffix(JSON).or_else(|| name.strip_suffix(".json")).unwrap_or(&name);
    Ok(Source { name: name.to_owned(), group: Group::Other, origin: path.display().to_string(), text })
}
