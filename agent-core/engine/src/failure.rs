//! Why an item is not as it is wanted.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// An operation that did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What went wrong, for people.
    pub message: String,
    /// Whether trying again may help.
    pub retriable: bool,
    /// Whether the operation may have had an effect all the same. The engine then looks before it does anything
    /// else with the item. Failed updates and deletions are always looked at.
    pub uncertain: bool,
}

impl Failure {
    /// A failure that trying again may cure, and after which nothing has changed.
    pub fn new(message: impl fmt::Display) -> Self {
        Self { message: message.to_string(), retriable: true, uncertain: false }
    }

    /// Trying again does not help.
    #[must_use]
    pub fn permanent(self) -> Self {
        Self { retriable: false, ..self }
    }

    /// What became of the operation is not known.
    #[must_use]
    pub fn uncertain(self) -> Self {
        Self { uncertain: true, ..self }
    }

    pub(crate) fn timed_out(after: Duration) -> Self {
        Self::new(format!("timed out: no outcome within {after:?}")).uncertain()
    }
}

/// A value that its descriptor rejects: which fields, and why.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Invalid {
    /// Path of a field (`vxlan.dst_address`) and what is wrong with it.
    pub fields: Vec<(String, String)>,
}

impl Invalid {
    /// One bad field.
    pub fn field(path: impl Into<String>, reason: impl fmt::Display) -> Self {
        Self::default().and(path, reason)
    }

    /// One bad field, unless this holds.
    ///
    /// # Errors
    ///
    /// When it does not hold.
    pub fn unless(holds: bool, path: impl Into<String>, reason: impl fmt::Display) -> Result<(), Self> {
        if holds { Ok(()) } else { Err(Self::field(path, reason)) }
    }

    /// And another one.
    #[must_use]
    pub fn and(mut self, path: impl Into<String>, reason: impl fmt::Display) -> Self {
        self.fields.push((path.into(), reason.to_string()));
        self
    }

    /// Ok without bad fields.
    pub fn check(self) -> Result<(), Self> {
        if self.fields.is_empty() { Ok(()) } else { Err(self) }
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (path, reason)) in self.fields.iter().enumerate() {
            let comma = if i == 0 { "" } else { "; " };
            write!(f, "{comma}{path}: {reason}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Invalid {}
