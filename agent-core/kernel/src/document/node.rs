//! A document as a tree in which each value knows where it was written.

use std::fmt;
use std::sync::Arc;

use serde_json::Value as Json;

/// Where a value was written.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// A line of a file, counted from 1.
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
    /// Nowhere: it is missing, came without a document, or is about a document as a whole.
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

/// A value of a document, and where it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Where it was written. A table is where its name is.
    pub origin: Origin,
    /// What was written.
    pub value: Value,
}

/// What was written.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing: `~`, `null`, or a name with nothing behind it.
    Null,
    /// A truth value.
    Bool(bool),
    /// An integer.
    Signed(i64),
    /// An integer that is too large for a signed one.
    Unsigned(u64),
    /// A number.
    Float(f64),
    /// A text.
    String(String),
    /// From the environment or the command line: what it is depends on who reads it.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// A table, in the order in which it was written. No name is in it twice.
    Table(Vec<Entry>),
}

/// A value of a table, and its name.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its name.
    pub key: Arc<str>,
    /// Where the name was written.
    pub origin: Origin,
    /// The value.
    pub node: Node,
}

impl Node {
    pub(crate) fn table(origin: Origin) -> Self {
        Self { origin, value: Value::Table(Vec::new()) }
    }

    /// What a text is to whoever takes any value: what TOML makes of it, or else the text.
    pub(crate) fn of_text(text: &str, origin: &Origin) -> Self {
        super::toml_value(text, origin)
            .unwrap_or_else(|| Self { origin: origin.clone(), value: Value::String(text.to_owned()) })
    }

    /// The same from JSON that was in no document.
    pub fn from_json(json: &Json) -> Self {
        let value = match json {
            Json::Null => Value::Null,
            Json::Bool(value) => Value::Bool(*value),
            Json::Number(number) => match (number.as_i64(), number.as_u64()) {
                (Some(value), _) => Value::Signed(value),
                (_, Some(value)) => Value::Unsigned(value),
                _ => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
            },
            Json::String(text) => Value::String(text.clone()),
            Json::Array(items) => Value::List(items.iter().map(Self::from_json).collect()),
            Json::Object(entries) => Value::Table(
                entries
                    .iter()
                    .map(|(key, value)| Entry {
                        key: key.as_str().into(),
                        origin: Origin::Nowhere,
                        node: Self::from_json(value),
                    })
                    .collect(),
            ),
        };
        Self { origin: Origin::Nowhere, value }
    }

    /// The entries, if it is a table.
    pub fn entries(&self) -> Option<&[Entry]> {
        match &self.value {
            Value::Table(entries) => Some(entries),
            _ => None,
        }
    }

    /// The value of this name in a table.
    pub fn get(&self, name: &str) -> Option<&Self> {
        self.entries()?.iter().find(|entry| &*entry.key == name).map(|entry| &entry.node)
    }

    /// The value at a path (`vxlan.peers[2].address`), or the innermost around it that is there.
    pub fn nearest(&self, path: &str) -> &Self {
        let mut node = self;
        for step in path.split(['.', '[']).filter(|step| !step.is_empty()) {
            let index = step.strip_suffix(']').and_then(|index| index.parse::<usize>().ok());
            let inner = match (&node.value, index) {
                (Value::List(items), Some(index)) => items.get(index),
                (Value::Table(_), _) => node.get(step),
                _ => None,
            };
            let Some(inner) = inner else { break };
            node = inner;
        }
        node
    }
}

impl Value {
    /// What it is, for messages: `a list`, `a table`.
    pub fn kind(&self) -> &'static str {
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
