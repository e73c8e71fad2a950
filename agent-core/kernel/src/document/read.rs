//! Files into trees.

use std::path::Path;
use std::sync::Arc;

use super::{ConfigError, Node, Origin};

/// How a document is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// TOML.
    Toml,
    /// JSON.
    Json,
    /// YAML 1.2, its core schema: `yes` and `on` are texts.
    #[cfg(feature = "yaml")]
    Yaml,
}

impl Format {
    /// By the ending of a file's name.
    pub fn of(name: &str) -> Option<Self> {
        match name.rsplit_once('.').map(|(_, ending)| ending) {
            Some("toml") => Some(Self::Toml),
            Some("json") => Some(Self::Json),
            #[cfg(feature = "yaml")]
            Some("yaml" | "yml") => Some(Self::Yaml),
            _ => None,
        }
    }
}

/// The documents of a text: one of TOML and JSON, any number of YAML. One with nothing in it is [`Null`](super::Value::Null).
///
/// # Errors
/// What is not of this format, and a name that is given twice: the first such place.
pub fn parse(name: &str, text: &str, format: Format) -> Result<Vec<Node>, ConfigError> {
    let file: Arc<str> = name.into();
    match format {
        Format::Toml => super::toml::document(&file, text).map(|node| vec![node]),
        Format::Json => super::json::document(&file, text).map(|node| vec![node]),
        #[cfg(feature = "yaml")]
        Format::Yaml => super::yaml::documents(&file, text),
    }
}

/// The documents of a file; its name tells its format.
///
/// # Errors
/// As [`parse`]; and a file that cannot be read, or whose name tells nothing.
pub fn load(path: &Path) -> Result<Vec<Node>, ConfigError> {
    let name = path.to_string_lossy();
    let fail = |reason| ConfigError::new(Origin::Nowhere, "", reason);
    let Some(format) = Format::of(&name) else {
        let names = if cfg!(feature = "yaml") { ".toml, .json, .yaml or .yml" } else { ".toml or .json" };
        return Err(fail(format!("{name}: what a document is written in is told by its name: {names}")));
    };
    let text = std::fs::read_to_string(path);
    parse(&name, &text.map_err(|error| fail(format!("cannot read {name}: {error}")))?, format)
}

/// Lines of a text by offset.
pub(super) struct Lines {
    file: Arc<str>,
    starts: Vec<usize>,
}

impl Lines {
    pub(super) fn new(file: &Arc<str>, text: &str) -> Self {
        let starts = text.match_indices('\n').map(|(at, _)| at + 1).collect();
        Self { file: Arc::clone(file), starts }
    }

    pub(super) fn at(&self, offset: usize) -> Origin {
        self.line(1 + self.starts.partition_point(|start| *start <= offset))
    }

    pub(super) fn line(&self, line: usize) -> Origin {
        Origin::File { file: Arc::clone(&self.file), line }
    }
}
