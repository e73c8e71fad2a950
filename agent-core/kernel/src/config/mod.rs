//! Configuration: a file with a section for each plugin, overridden by the environment and the command line.

mod deserialize;
mod node;
mod overrides;
mod print;
mod read;
mod schema;

use std::fmt;
use std::path::PathBuf;

pub(crate) use self::deserialize::section;
pub(crate) use self::node::Node;
pub use self::node::Origin;
pub(crate) use self::overrides::{apply, environment_prefix, section_of, strangers};
pub(crate) use self::print::print;
pub(crate) use self::read::{Format, read};
pub(crate) use self::schema::{schema, section as section_schema};

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

    /// A file: `.toml`, or with feature `yaml` also `.yaml`, `.yml` and `.json`.
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

/// What is wrong at one place of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConfigError {
    /// The file and line, variable or argument.
    pub origin: Origin,
    /// The field: `vpp.socket`, `routes.static[3].prefix`. Empty for a file as a whole.
    pub field: String,
    /// What is wrong, and where that helps, what would be right.
    pub reason: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.origin != Origin::Nowhere {
            write!(f, "{}: ", self.origin)?;
        }
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        f.write_str(&self.reason)
    }
}

/// All that is wrong with a configuration, at most one error for each plugin; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigErrors(pub Vec<ConfigError>);

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, error) in self.0.iter().enumerate() {
            write!(f, "{}{error}", if n == 0 { "" } else { "\n" })?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}

/// What was probably meant, and what there is.
fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>, what: &str) -> String {
    let mut known: Vec<_> = known.collect();
    known.sort_unstable();
    let close = known.iter().map(|other| (strsim::jaro_winkler(name, other), *other));
    let close = close.filter(|(nearness, _)| *nearness > 0.8).max_by(|a, b| a.0.total_cmp(&b.0));
    match close {
        Some((_, other)) => format!("; did you mean `{other}`?"),
        None if known.is_empty() => format!("; there are no {what}"),
        None => format!(
            "; {what} are {}",
            known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
        ),
    }
}

/// Names are the same when they differ in nothing but case, dashes and underscores.
fn is_same(one: &str, other: &str) -> bool {
    let plain = |name: &str| -> String {
        name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
    };
    plain(one) == plain(other)
}
