//! A journal in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{BoxError, Fact, Journal, Remembered, Wanted};
use crate::{Key, Retry};

#[derive(Debug, Default)]
struct Content {
    sources: Vec<String>,
    kept: BTreeSet<String>,
    owned: BTreeMap<Key, String>,
    wanted: BTreeMap<(String, Key), (serde_json::Value, Option<Retry>)>,
    numbered: u64,
}

impl Content {
    fn know(&mut self, source: &str) -> String {
        if !self.sources.iter().any(|known| known == source) {
            self.sources.push(source.to_owned());
        }
        source.to_owned()
    }
}

/// A journal that lasts as long as the process, or as its clones: for tests, and for agents whose southbound does not
/// outlive them.
#[derive(Clone, Debug, Default)]
pub struct MemoryJournal(Arc<Mutex<Content>>);

impl MemoryJournal {
    fn content(&self) -> MutexGuard<'_, Content> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is recorded now.
    pub fn remembered(&self) -> Remembered {
        let content = self.content();
        let wanted = content.wanted.iter().map(|((source, key), (value, retry))| Wanted {
            source: source.clone(),
            key: key.clone(),
            value: value.clone(),
            retry: *retry,
        });
        Remembered {
            sources: content.sources.clone(),
            kept: content.kept.iter().cloned().collect(),
            owned: content.owned.iter().map(|(key, source)| (key.clone(), source.clone())).collect(),
            wanted: wanted.collect(),
            numbered: content.numbered,
        }
    }
}

impl Journal for MemoryJournal {
    fn load(&mut self) -> Result<Remembered, BoxError> {
        Ok(self.remembered())
    }

    fn append(&mut self, facts: &[Fact]) -> Result<(), BoxError> {
        let mut content = self.content();
        for fact in facts {
            match fact {
                Fact::Owned { key, source } => {
                    let source = content.know(source);
                    content.owned.insert(key.clone(), source);
                }
                Fact::Gone { key } => {
                    content.owned.remove(key);
                }
                Fact::Wanted { source, key, value, retry } => {
                    let value = serde_json::from_str(value)?;
                    let source = content.know(source);
                    content.wanted.insert((source, key.clone()), (value, *retry));
                }
                Fact::Unwanted { source, key } => {
                    content.wanted.remove(&(source.to_string(), key.clone()));
                }
                Fact::Kept { source } => {
                    let source = content.know(source);
                    content.kept.insert(source);
                }
                Fact::Numbered { below } => content.numbered = *below,
            }
        }
        Ok(())
    }
}
