//! What is wrong with documents.

use std::fmt;

use super::Origin;

/// What is wrong at one place of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConfigError {
    /// The file and line, variable or argument.
    pub origin: Origin,
    /// The field: `vpp.socket`, `routes[3].prefix`. Empty for a document as a whole.
    pub field: String,
    /// What is wrong, and where that helps, what would be right.
    pub reason: String,
}

impl ConfigError {
    /// This is wrong there.
    pub fn new(origin: Origin, field: impl Into<String>, reason: impl fmt::Display) -> Self {
        Self { origin, field: field.into(), reason: reason.to_string() }
    }

    /// The field is one in this: `routes`, `[3]`.
    #[must_use]
    pub fn within(self, outer: impl fmt::Display) -> Self {
        let dot = if self.field.is_empty() || self.field.starts_with('[') { "" } else { "." };
        Self { field: format!("{outer}{dot}{}", self.field), ..self }
    }
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

impl std::error::Error for ConfigError {}

/// All that is wrong, a line for each; never empty. Of a configuration at most one error for each plugin, of documents at
/// most one for each item.
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

impl From<ConfigError> for ConfigErrors {
    fn from(error: ConfigError) -> Self {
        Self(vec![error])
    }
}
