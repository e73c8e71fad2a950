//! Graph nodes.

use std::sync::Arc;

use super::Places;
use crate::stats::error::StatsError;
use crate::stats::pattern::Pattern;
use crate::stats::selection::Selection;
use crate::stats::source::VppSource;
use crate::stats::value::{Column, Names, Value};

const PLACES: [&str; 5] =
    ["/sys/node/names", "/sys/node/clocks", "/sys/node/vectors", "/sys/node/calls", "/sys/node/suspends"];

/// What each graph node did. Empty unless VPP is told to count it (`statseg { per-node-counters on }`); it does so at
/// its update interval, 10 seconds by default.
#[derive(Debug)]
pub struct Nodes {
    selection: Selection,
    places: Places<5>,
}

/// What one graph node did.
#[derive(Clone, Copy)]
pub struct Node<'a> {
    group: &'a Nodes,
    index: usize,
    name: &'a str,
}

impl Nodes {
    pub(in crate::stats) fn new(source: Arc<VppSource>) -> Result<Self, StatsError> {
        let selection = Selection::new(source, PLACES.iter().map(|name| Pattern::exact(name)).collect())?;
        let mut group = Self { selection, places: Places::new() };
        group.places.update(&group.selection, &PLACES);
        Ok(group)
    }

    /// Reads the values anew; see [`Selection::refresh`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn refresh(&mut self) -> Result<(), StatsError> {
        self.selection.refresh()?;
        self.places.update(&self.selection, &PLACES);
        Ok(())
    }

    /// All nodes, by VPP's number.
    pub fn iter(&self) -> impl Iterator<Item = Node<'_>> {
        self.names().iter().map(|(index, name)| Node { group: self, index, name })
    }

    /// The node of VPP's number.
    #[must_use]
    pub fn get(&self, index: u32) -> Option<Node<'_>> {
        let index = index as usize;
        Some(Node { group: self, index, name: self.names().get(index)? })
    }

    fn names(&self) -> Names<'_> {
        match self.places.value(&self.selection, 0) {
            Value::Names(names) => names,
            _ => Names(&[]),
        }
    }

    /// The entries themselves.
    #[must_use]
    pub fn selection(&self) -> &Selection {
        &self.selection
    }
}

impl<'a> Node<'a> {
    /// VPP's number of it.
    #[must_use]
    pub fn index(&self) -> u32 {
        self.index as u32
    }

    /// VPP's name of it.
    #[must_use]
    pub fn name(&self) -> &'a str {
        self.name
    }

    fn column(&self, place: usize) -> Column<'a, u64> {
        self.group.places.simple(&self.group.selection, place).column(self.index)
    }

    /// Processor clocks spent in it.
    #[must_use]
    pub fn clocks(&self) -> Column<'a, u64> {
        self.column(1)
    }

    /// Packets it handled.
    #[must_use]
    pub fn vectors(&self) -> Column<'a, u64> {
        self.column(2)
    }

    /// How often it ran.
    #[must_use]
    pub fn calls(&self) -> Column<'a, u64> {
        self.column(3)
    }

    /// How often it waited, when it is a process.
    #[must_use]
    pub fn suspends(&self) -> Column<'a, u64> {
        self.column(4)
    }

    /// Packets per run; `None` when it never ran.
    #[must_use]
    pub fn vectors_per_call(&self) -> Option<f64> {
        let calls = self.calls().sum();
        (calls > 0).then(|| self.vectors().sum() as f64 / calls as f64)
    }

    /// Clocks per packet; `None` when it had none.
    #[must_use]
    pub fn clocks_per_vector(&self) -> Option<f64> {
        let vectors = self.vectors().sum();
        (vectors > 0).then(|| self.clocks().sum() as f64 / vectors as f64)
    }
}

impl std::fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Node").field("index", &self.index).field("name", &self.name).finish_non_exhaustive()
    }
}
