//! Files into trees.

use std::path::Path;
use std::sync::Arc;

use super::{ConfigError, Node, Origin, Value};

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

/// A document, and what was made of the values in the lists of its table.
#[derive(Debug, Clone, PartialEq)]
pub struct Lists<T> {
    /// The document. The lists in its table may be empty here.
    pub node: Node,
    /// As [`Node::lists`].
    pub made: Vec<Vec<T>>,
}

impl Node {
    /// For each entry of a table what is made of the values of the list that it is, which has this name; nothing of others.
    pub fn lists<T>(&self, make: &mut dyn FnMut(&str, &Self) -> T) -> Vec<Vec<T>> {
        let mut made = Vec::new();
        self.more_lists(&mut made, make);
        made
    }

    /// Where something was made while the table was read, those values are not in it any more.
    pub(super) fn more_lists<T>(&self, made: &mut Vec<Vec<T>>, make: &mut dyn FnMut(&str, &Self) -> T) {
        let entries = self.entries().unwrap_or_default();
        made.resize_with(entries.len(), Vec::new);
        for (entry, made) in entries.iter().zip(made) {
            if let Value::List(items) = &entry.node.value {
                made.extend(items.iter().map(|node| make(&entry.key, node)));
            }
        }
    }
}

/// As [`parse`], of documents that are tables of long lists: `make` is told the name of a list and a value of it, and what it
/// makes is kept in place of that value. So where the format allows it, no tree of the whole is ever made.
///
/// What is made of a text may be thrown away and made again.
///
/// # Errors
/// As [`parse`].
pub fn parse_lists<T>(
    name: &str,
    text: &str,
    format: Format,
    make: &mut dyn FnMut(&str, &Node) -> T,
) -> Result<Vec<Lists<T>>, ConfigError> {
    let documents = match format {
        #[cfg(feature = "yaml")]
        Format::Yaml => match super::plain::lists(&name.into(), text, make) {
            Some(document) => return Ok(vec![document]),
            None => super::yaml::parsed(&name.into(), text)?,
        },
        format => parse(name, text, format)?,
    };
    let with_lists = |node: Node| Lists { made: node.lists(make), node };
    Ok(documents.into_iter().map(with_lists).collect())
}

/// The documents of a file; its name tells its format.
///
/// # Errors
/// As [`parse`]; and a file that cannot be read, or whose name tells nothing.
pub fn load(path: &Path) -> Result<Vec<Node>, ConfigError> {
    let (name, text, format) = open(path)?;
    parse(&name, &text, format)
}

/// As [`load`], of documents that are tables of long lists: see [`parse_lists`].
///
/// # Errors
/// As [`load`].
pub fn load_lists<T>(
    path: &Path,
    make: &mut dyn FnMut(&str, &Node) -> T,
) -> Result<Vec<Lists<T>>, ConfigError> {
    let (name, text, format) = open(path)?;
    parse_lists(&name, &text, format, make)
}

fn open(path: &Path) -> Result<(String, String, Format), ConfigError> {
    let name = path.to_string_lossy();
    let fail = |reason| ConfigError::new(Origin::Nowhere, "", reason);
    let Some(format) = Format::of(&name) else {
        let names = if cfg!(feature = "yaml") { ".toml, .json, .yaml or .yml" } else { ".toml or .json" };
        return Err(fail(format!("{name}: what a document is written in is told by its name: {names}")));
    };
    let text = std::fs::read_to_string(path);
    let text = text.map_err(|error| fail(format!("cannot read {name}: {error}")))?;
    Ok((name.into_owned(), text, format))
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
