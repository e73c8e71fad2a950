//! What this agent made, beyond its life.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::Key;

/// An item is made for a source, or is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ownership {
    /// The item.
    pub key: Key,
    /// The source that wants it; `None`: it was deleted.
    pub source: Option<String>,
}

/// Records which items this agent made, so that its next run knows them from those of others.
///
/// The engine appends before it creates and after it has deleted, so a crash in between leaves a record of an item
/// that may not be there, and never an item without a record.
pub trait Journal: Send {
    /// All records of items that are not gone: key and source.
    fn load(&mut self) -> Result<Vec<(Key, String)>, Box<dyn Error + Send + Sync>>;

    /// Appends records. When it returns they have to survive a crash.
    fn append(&mut self, records: &[Ownership]) -> Result<(), Box<dyn Error + Send + Sync>>;
}

/// A journal that lasts as long as the process, or as its clones: for tests, and for agents whose southbound does not
/// outlive them.
#[derive(Clone, Debug, Default)]
pub struct MemoryJournal(Arc<Mutex<BTreeMap<Key, String>>>);

impl MemoryJournal {
    /// What is recorded now.
    pub fn content(&self) -> BTreeMap<Key, String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Journal for MemoryJournal {
    fn load(&mut self) -> Result<Vec<(Key, String)>, Box<dyn Error + Send + Sync>> {
        Ok(self.content().into_iter().collect())
    }

    fn append(&mut self, records: &[Ownership]) -> Result<(), Box<dyn Error + Send + Sync>> {
        let mut content = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for record in records {
            match &record.source {
                Some(source) => content.insert(record.key.clone(), source.clone()),
                None => content.remove(&record.key),
            };
        }
        Ok(())
    }
}

/// Records nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoJournal;

impl Journal for NoJournal {
    fn load(&mut self) -> Result<Vec<(Key, String)>, Box<dyn Error + Send + Sync>> {
        Ok(Vec::new())
    }

    fn append(&mut self, _: &[Ownership]) -> Result<(), Box<dyn Error + Send + Sync>> {
        Ok(())
    }
}
