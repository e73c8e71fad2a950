//! All items of the graph, by their place in it.

use std::hash::BuildHasher;
use std::ops::{Index, IndexMut};
use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use super::ids::Id;
use super::node::Node;
use crate::Key;

/// Items in one part.
const PART: usize = 64;

/// Items in parts of a fixed size, which planners share until one of them changes something in it. So a planner that looks
/// ahead costs what it looks at.
#[derive(Clone, Default)]
pub(super) struct Nodes {
    parts: Vec<Part>,
    len: usize,
}

#[derive(Clone)]
enum Part {
    Own(Vec<Node>),
    /// Perhaps no more: then whoever changes something owns it again.
    Shared(Arc<Vec<Node>>),
}

impl Part {
    fn get(&self) -> &[Node] {
        match self {
            Self::Own(nodes) => nodes,
            Self::Shared(nodes) => nodes,
        }
    }

    #[inline]
    fn get_mut(&mut self) -> &mut Vec<Node> {
        match self {
            Self::Own(nodes) => nodes,
            Self::Shared(_) => self.own(),
        }
    }

    #[cold]
    fn own(&mut self) -> &mut Vec<Node> {
        if let Self::Shared(nodes) = self {
            let nodes = std::mem::take(nodes);
            *self = Self::Own(Arc::unwrap_or_clone(nodes));
        }
        match self {
            Self::Own(nodes) => nodes,
            Self::Shared(nodes) => Arc::make_mut(nodes),
        }
    }
}

impl Nodes {
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) fn get_mut(&mut self, at: usize) -> Option<&mut Node> {
        self.parts.get_mut(at / PART)?.get_mut().get_mut(at % PART)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Node> {
        self.parts.iter().flat_map(|part| part.get())
    }

    pub(super) fn push(&mut self, node: Node) {
        if self.len.is_multiple_of(PART) {
            self.parts.push(Part::Own(Vec::with_capacity(PART)));
        }
        if let Some(part) = self.parts.last_mut() {
            part.get_mut().push(node);
            self.len += 1;
        }
    }

    /// The same items for another planner.
    pub(super) fn share(&mut self) -> Self {
        for part in &mut self.parts {
            if let Part::Own(nodes) = part {
                *part = Part::Shared(Arc::new(std::mem::take(nodes)));
            }
        }
        self.clone()
    }
}

impl Index<usize> for Nodes {
    type Output = Node;

    fn index(&self, at: usize) -> &Node {
        &self.parts[at / PART].get()[at % PART]
    }
}

impl IndexMut<usize> for Nodes {
    fn index_mut(&mut self, at: usize) -> &mut Node {
        &mut self.parts[at / PART].get_mut()[at % PART]
    }
}

/// Parts of the places of items.
const PLACES: usize = 64;

/// The places of items by the hashes of their keys, in parts that are shared as those of [`Nodes`] are. The keys are in the items.
#[derive(Clone)]
pub(super) struct Places {
    hasher: RandomState,
    parts: [Arc<HashTable<(u64, Id)>>; PLACES],
}

impl Default for Places {
    fn default() -> Self {
        Self { hasher: RandomState::default(), parts: std::array::from_fn(|_| Arc::default()) }
    }
}

/// The bits of which a table makes least.
const fn part(hash: u64) -> usize {
    (hash >> 32) as usize % PLACES
}

impl Places {
    pub(super) fn hash(&self, key: &Key) -> u64 {
        self.hasher.hash_one(key)
    }

    pub(super) fn get(&self, hash: u64, key: &Key, nodes: &Nodes) -> Option<Id> {
        let is = |(of, id): &(u64, Id)| *of == hash && nodes[*id as usize].key == *key;
        self.parts[part(hash)].find(hash, is).map(|(_, id)| *id)
    }

    /// The key has no place yet.
    pub(super) fn insert(&mut self, hash: u64, id: Id) {
        Arc::make_mut(&mut self.parts[part(hash)]).insert_unique(hash, (hash, id), |(hash, _)| *hash);
    }

    /// Whether it was there.
    pub(super) fn remove(&mut self, hash: u64, id: Id) -> bool {
        let found = Arc::make_mut(&mut self.parts[part(hash)]).find_entry(hash, |(_, of)| *of == id);
        found.map(|entry| entry.remove()).is_ok()
    }

    pub(super) fn reserve(&mut self, count: usize) {
        for part in &mut self.parts {
            Arc::make_mut(part).reserve(count / PLACES, |(hash, _)| *hash);
        }
    }
}
