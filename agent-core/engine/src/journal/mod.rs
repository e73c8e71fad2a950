//! What outlives the process: which items this agent made, and what those sources want that cannot say it again.

mod memory;
#[cfg(feature = "redb")]
mod redb;

use std::error::Error;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Key, Retry};

pub use self::memory::MemoryJournal;
#[cfg(feature = "redb")]
pub use self::redb::{JournalError, RedbJournal};

/// What a journal is told. A later fact about the same item, or the same source and item, takes the place of an
/// earlier one.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// The item is there, or about to be, and was made for this source.
    Owned {
        /// The item.
        key: Key,
        /// The source.
        source: Arc<str>,
    },
    /// The item is not there any more.
    Gone {
        /// The item.
        key: Key,
    },
    /// The source wants the item so.
    Wanted {
        /// The source.
        source: Arc<str>,
        /// The item.
        key: Key,
        /// The value as JSON.
        value: String,
        /// Whether what fails is tried again.
        retry: Option<Retry>,
    },
    /// The source does not want the item any more.
    Unwanted {
        /// The source.
        source: Arc<str>,
        /// The item.
        key: Key,
    },
    /// From now on what is recorded as wanted by this source is all that it wants.
    Kept {
        /// The source.
        source: Arc<str>,
    },
    /// Transactions have numbers below this one, or will have: another run begins with it.
    Numbered {
        /// The number.
        below: u64,
    },
}

/// What the facts of earlier runs come to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Remembered {
    /// Names of sources in the order in which they were first told: of two with the same priority the first has
    /// precedence, in this run as in the one before.
    pub sources: Vec<String>,
    /// Sources of which all that they want is in `wanted`.
    pub kept: Vec<String>,
    /// Items that were made, and for which source.
    pub owned: Vec<(Key, String)>,
    /// What was wanted.
    pub wanted: Vec<Wanted>,
    /// Numbers of transactions, and so revisions of items, are below this one.
    #[serde(default)]
    pub numbered: u64,
}

/// So many numbers of transactions are recorded ahead.
pub(crate) const NUMBERS: u64 = 10_000;

impl Remembered {
    /// The run that has read this gives numbers below this one, which it has recorded before the first.
    pub(crate) const fn reserved(&self) -> u64 {
        self.numbered.saturating_add(NUMBERS)
    }
}

/// An item that a source wanted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Wanted {
    /// The source.
    pub source: String,
    /// The item.
    pub key: Key,
    /// The value.
    pub value: serde_json::Value,
    /// Whether what fails is tried again.
    pub retry: Option<Retry>,
}

/// Any error of a journal.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// Records which items this agent made, so that its next run knows them from those of others, and what the sources
/// want that are [kept](crate::Settings::keep).
///
/// What the engine does after a fact waits until that is recorded. So a crash leaves a record of an item that may not
/// be there, but never an item without a record; and no report was given of a change that is forgotten.
///
/// Its methods may block: they run on threads made for that, one call at a time.
pub trait Journal: Send + 'static {
    /// What earlier runs recorded. Called once, before anything is appended.
    fn load(&mut self) -> Result<Remembered, BoxError>;

    /// Appends facts: after a crash either all of them are recorded or none, and when it returns they are. Facts that
    /// an error has kept from being recorded are given again with the next ones.
    fn append(&mut self, facts: &[Fact]) -> Result<(), BoxError>;
}
