//! VPP's heaps.

use std::sync::Arc;

use crate::stats::error::StatsError;
use crate::stats::pattern::Pattern;
use crate::stats::selection::Selection;
use crate::stats::source::VppSource;
use crate::stats::value::Value;

const PREFIX: &str = "/mem/";

/// How full VPP's heaps are, as of its last update (every 10 seconds by default).
#[derive(Debug)]
pub struct Memory(Selection);

/// How full a heap is, in bytes, as VPP's counters of it are named.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Heap<'a> {
    /// The heap: `main heap`, `stat segment`.
    pub name: &'a str,
    /// Its size.
    pub total: u64,
    /// In use.
    pub used: u64,
    /// Free.
    pub free: u64,
    /// Taken from the system for single large blocks.
    pub used_mmap: u64,
    /// The largest size it had.
    pub total_alloc: u64,
    /// Bytes in free pieces.
    pub free_chunks: u64,
    /// What could be given back to the system.
    pub releasable: u64,
}

impl Memory {
    pub(in crate::stats) fn new(source: Arc<VppSource>) -> Result<Self, StatsError> {
        Selection::new(source, vec![Pattern::prefix(PREFIX)]).map(Self)
    }

    /// Reads the values anew; see [`Selection::refresh`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn refresh(&mut self) -> Result<(), StatsError> {
        self.0.refresh()
    }

    /// The heaps. VPP up to 21.01 tells `total` and `used` alone.
    #[must_use]
    pub fn heaps(&self) -> Vec<Heap<'_>> {
        let mut heaps: Vec<Heap<'_>> = Vec::new();
        for entry in self.0.entries() {
            let Some(name) = entry.name().strip_prefix(PREFIX) else { continue };
            let mut heap = |name| match heaps.iter().position(|heap| heap.name == name) {
                Some(at) => at,
                None => {
                    heaps.push(Heap { name, ..Heap::default() });
                    heaps.len() - 1
                }
            };
            match entry.value() {
                Value::Simple(counters) if !entry.is_symlink() => {
                    let at = heap(name);
                    let get = |index| counters.get(0, index).unwrap_or(0);
                    heaps[at] = Heap {
                        name,
                        total: get(0),
                        used: get(1),
                        free: get(2),
                        used_mmap: get(3),
                        total_alloc: get(4),
                        free_chunks: get(5),
                        releasable: get(6),
                    };
                }
                Value::Scalar(bytes) => match name.rsplit_once('/') {
                    Some((name, "total")) => {
                        let at = heap(name);
                        heaps[at].total = bytes;
                    }
                    Some((name, "used")) => {
                        let at = heap(name);
                        heaps[at].used = bytes;
                    }
                    _ => {}
                },
                // Links to single counters of the first kind.
                _ => {}
            }
        }
        heaps
    }

    /// The entries themselves.
    #[must_use]
    pub fn selection(&self) -> &Selection {
        &self.0
    }
}
