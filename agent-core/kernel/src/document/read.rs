//! Files into trees.

use std::path::Path;
use std::sync::Arc;

use super::{ConfigError, Lists, Node, Origin};

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

/// As [`parse`], of documents that are tables of long lists: what is made of their values ([`Node::lists`]) is kept in place of
/// them. So where the format allows it, no tree of the whole is ever made, and long lists are read by several threads.
///
/// What comes out, also a panic of `make`, is as if one thread had read from the beginning. But what is made may be thrown
/// away and made again, and something may be made of what turns out to be in no list.
///
/// ```
/// # use vpp_agent_kernel::document::{Format, Node, parse_lists};
/// let text = r#"{ "users": [ { "name": "ada" },
///                           { "name": "alan" } ] }"#;
/// let places = |_section: &str| |value: &Node| value.origin.to_string();
/// let documents = parse_lists("users.json", text, Format::Json, places)?;
/// assert_eq!(documents[0].made, [[["users.json:1", "users.json:2"]]]);
/// # Ok::<_, vpp_agent_kernel::document::ConfigError>(())
/// ```
///
/// # Errors
/// As [`parse`].
pub fn parse_lists<T: Send, M: Fn(&Node) -> T + Sync>(
    name: &str,
    text: &str,
    format: Format,
    make: impl Fn(&str) -> M,
) -> Result<Vec<Lists<T>>, ConfigError> {
    let documents = match format {
        #[cfg(feature = "yaml")]
        Format::Yaml => match super::plain::lists(&name.into(), text, &make) {
            Some(document) => return Ok(vec![document]),
            None => super::yaml::parsed(&name.into(), text)?,
        },
        format => parse(name, text, format)?,
    };
    let with_lists = |node| Lists::of(node, Vec::new(), &make);
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
pub fn load_lists<T: Send, M: Fn(&Node) -> T + Sync>(
    path: &Path,
    make: impl Fn(&str) -> M,
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
