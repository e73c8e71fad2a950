//! A configuration as a tree in which each value knows where it was written.

use std::fmt;
use std::sync::Arc;

/// Where a value was written.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// A line of the file, counted from 1.
    File {
        /// The file as it was named.
        file: Arc<str>,
        /// The line.
        line: usize,
    },
    /// An environment variable.
    Variable(Arc<str>),
    /// The text behind `--set`.
    Argument(Arc<str>),
    /// Nowhere: it is missing, or it is about the configuration as a whole.
    Nowhere,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { file, line } => write!(f, "{file}:{line}"),
            Self::Variable(name) => write!(f, "environment variable {name}"),
            Self::Argument(text) => write!(f, "--set {text}"),
            Self::Nowhere => f.write_str("nowhere"),
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) origin: Origin,
    pub(crate) value: Value,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Signed(i64),
    Unsigned(u64),
    Float(f64),
    String(String),
    /// From the environment or the command line: what it is depends on who reads it.
    Text(String),
    List(Vec<Node>),
    Table(Vec<Entry>),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) origin: Origin,
    pub(crate) node: Node,
}

impl Node {
    pub(crate) fn table(origin: Origin) -> Self {
        Self { origin, value: Value::Table(Vec::new()) }
    }

    /// What a text is to whoever takes any value: what TOML makes of it, or else the text.
    pub(crate) fn of_text(text: &str, origin: &Origin) -> Self {
        super::read::toml_value(text, origin)
            .unwrap_or_else(|| Self { origin: origin.clone(), value: Value::String(text.to_owned()) })
    }
}

impl Value {
    /// What it is, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "a truth value",
            Self::Signed(_) | Self::Unsigned(_) => "an integer",
            Self::Float(_) => "a number",
            Self::String(_) | Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
        }
    }
}
