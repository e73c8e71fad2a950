//! A table while it is read: names once in memory, and none twice in a table.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::{ConfigError, Entry, Node, Origin, Value};

/// Up to this many entries are looked through one by one.
const FEW: usize = 16;

/// The names of a document, each once.
#[derive(Default)]
pub(super) struct Names {
    /// The first ones; most documents have no others.
    few: Vec<Arc<str>>,
    more: HashSet<Arc<str>>,
}

impl Names {
    pub(super) fn get(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.few.iter().find(|known| &***known == name).or_else(|| self.more.get(name)) {
            return Arc::clone(known);
        }
        let name: Arc<str> = name.into();
        if self.few.len() < FEW {
            self.few.push(Arc::clone(&name));
        } else {
            self.more.insert(Arc::clone(&name));
        }
        name
    }
}

#[derive(Default)]
pub(super) struct Table {
    entries: Vec<Entry>,
    /// Places of the entries, of a table that has many.
    places: HashMap<Arc<str>, usize>,
}

impl Table {
    #[cfg(feature = "yaml")]
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn find(&self, key: &str) -> Option<&Entry> {
        if self.entries.len() <= FEW {
            return self.entries.iter().find(|entry| &*entry.key == key);
        }
        self.places.get(key).map(|&at| &self.entries[at])
    }

    /// Adds an entry. A table as its value is where its name is.
    pub(super) fn add(&mut self, key: Arc<str>, origin: Origin, mut node: Node) -> Result<(), ConfigError> {
        if let Some(first) = self.find(&key) {
            let reason = format!("this name is given already at {}", first.origin);
            return Err(ConfigError::new(origin, &*key, reason));
        }
        if matches!(node.value, Value::Table(_)) {
            node.origin = origin.clone();
        }
        self.entries.push(Entry { key, origin, node });
        if self.entries.len() == FEW + 1 {
            let place = |(at, entry): (usize, &Entry)| (Arc::clone(&entry.key), at);
            self.places = self.entries.iter().enumerate().map(place).collect();
        } else if let (true, Some(last)) = (self.entries.len() > FEW, self.entries.last()) {
            self.places.insert(Arc::clone(&last.key), self.entries.len() - 1);
        }
        Ok(())
    }

    pub(super) fn value(self) -> Value {
        Value::Table(self.entries)
    }
}
