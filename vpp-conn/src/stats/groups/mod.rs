//! What VPP counts, by what it is about.

mod buffers;
mod errors;
mod interfaces;
mod memory;
mod nodes;
mod system;

pub use buffers::{BufferPool, Buffers};
pub use errors::{ErrorCounter, Errors};
pub use interfaces::{Interface, InterfaceIter, Interfaces};
pub use memory::{Heap, Memory};
pub use nodes::{Node, Nodes};
pub use system::{System, Thread};

use super::selection::Selection;
use super::value::{Counters, Value};

/// The positions of well-known entries in a selection, for as long as it resolves no names anew.
#[derive(Debug)]
struct Places<const N: usize> {
    resolved: u64,
    positions: [Option<usize>; N],
}

impl<const N: usize> Places<N> {
    /// Places that are looked up at the next update.
    const fn new() -> Self {
        Self { resolved: 0, positions: [None; N] }
    }

    /// Looks the names up, where they may have moved.
    fn update(&mut self, selection: &Selection, names: &[&str; N]) {
        if self.resolved == selection.resolved() {
            return;
        }
        self.resolved = selection.resolved();
        self.positions = [None; N];
        for entry in selection.entries() {
            if let Some(place) = names.iter().position(|name| *name == entry.name()) {
                self.positions[place] = Some(entry.position());
            }
        }
    }

    fn value<'a>(&self, selection: &'a Selection, place: usize) -> Value<'a> {
        let position = self.positions.get(place).copied().flatten();
        position.and_then(|position| selection.at(position)).map_or(Value::Absent, |entry| entry.value())
    }

    fn simple<'a>(&self, selection: &'a Selection, place: usize) -> Counters<'a, u64> {
        match self.value(selection, place) {
            Value::Simple(counters) => counters,
            _ => Counters::NONE,
        }
    }
}
