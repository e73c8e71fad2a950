//! A journal in memory.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foldhash::HashMap;

use super::{BoxError, Fact, Journal, Remembered, Wanted};
use crate::{Key, Retry};

#[derive(Debug, Default)]
struct Content {
    sources: Vec<Arc<str>>,
    kept: BTreeSet<Arc<str>>,
    owned: HashMap<Key, Arc<str>>,
    /// Values as they were recorded.
    wanted: HashMap<(Arc<str>, Key), (String, Option<Retry>)>,
    numbered: u64,
}

impl Content {
    fn know(&mut self, source: &Arc<str>) -> Arc<str> {
        if !self.sources.contains(source) {
            self.sources.push(source.clone());
        }
        source.clone()
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

    /// What is recorded now, by source and key.
    pub fn remembered(&self) -> Remembered {
        let content = self.content();
        let mut owned: Vec<(Key, String)> =
            content.owned.iter().map(|(key, source)| (key.clone(), source.to_string())).collect();
        owned.sort_unstable();
        let mut wanted: Vec<_> = content.wanted.iter().collect();
        wanted.sort_unstable_by_key(|(of, _)| *of);
        let wanted = wanted.into_iter().map(|((source, key), (value, retry))| Wanted {
            source: source.to_string(),
            key: key.clone(),
            // It was seen that it is JSON.
            value: serde_json::from_str(value).unwrap_or_default(),
            retry: *retry,
        });
        Remembered {
            sources: content.sources.iter().map(ToString::to_string).collect(),
            kept: content.kept.iter().map(ToString::to_string).collect(),
            owned,
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
                    // Parsed when it is asked for.
                    serde_json::from_str::<serde::de::IgnoredAny>(value)?;
                    let source = content.know(source);
                    content.wanted.insert((source, key.clone()), (value.clone(), *retry));
                }
                Fact::Unwanted { source, key } => {
                    content.wanted.remove(&(source.clone(), key.clone()));
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
