//! Configuration: a file with a section for each plugin, overridden by the environment and the command line.

mod overrides;
mod print;

use std::path::PathBuf;

pub(crate) use self::overrides::{apply, environment_prefix, section_of, strangers};
pub(crate) use self::print::print;
use crate::document::{self, ConfigError, Format, Node, Value};

/// Where an agent's configuration comes from. Later sources override earlier ones: file, environment, arguments.
///
/// [`Agent::builder(..).main()`](crate::Builder::main) takes it from the process; tests make their own.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    pub(crate) source: Option<Source>,
    pub(crate) variables: Vec<(String, String)>,
    pub(crate) arguments: Vec<String>,
}

#[derive(Debug, Clone)]
pub(crate) enum Source {
    File(PathBuf),
    Text(Format, String),
}

impl Settings {
    /// Nothing: every plugin has its defaults.
    pub fn none() -> Self {
        Self::default()
    }

    /// A file: `.toml`, `.json`, or with feature `yaml` also `.yaml` and `.yml`.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self { source: Some(Source::File(path.into())), ..Self::default() }
    }

    /// What a TOML file would hold.
    pub fn toml(text: impl Into<String>) -> Self {
        Self { source: Some(Source::Text(Format::Toml, text.into())), ..Self::default() }
    }

    /// What a YAML file would hold.
    #[cfg(feature = "yaml")]
    pub fn yaml(text: impl Into<String>) -> Self {
        Self { source: Some(Source::Text(Format::Yaml, text.into())), ..Self::default() }
    }

    /// Environment variables; those count whose names begin with the agent's name in capitals and two underscores:
    /// `EDGE_ROUTER__VPP__SOCKET` is `socket` in section `vpp` of agent `edge-router`.
    #[must_use]
    pub fn variables(mut self, variables: impl IntoIterator<Item = (String, String)>) -> Self {
        self.variables.extend(variables);
        self
    }

    /// What stands behind `--set`: `vpp.socket=/run/vpp/api.sock`.
    #[must_use]
    pub fn set(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }
}

/// The tree of a source; a table.
pub(crate) fn read(source: &Source) -> Result<Node, ConfigError> {
    let documents = match source {
        Source::Text(format, text) => document::parse("configuration", text, *format),
        Source::File(path) => document::load(path),
    }?;
    let fail = |node: Node, reason| Err(ConfigError::new(node.origin, "", reason));
    let mut documents = documents.into_iter();
    let Some(node) = documents.next() else { return Ok(Node::table(document::Origin::Nowhere)) };
    if let Some(second) = documents.next() {
        return fail(second, "a configuration is one document, and here begins another".to_owned());
    }
    match &node.value {
        Value::Table(_) => Ok(node),
        Value::Null => Ok(Node::table(node.origin)),
        other => {
            let kind = other.kind();
            fail(node, format!("a configuration is a table with a section for each plugin; this is {kind}"))
        }
    }
}
