//! Reading ring buffers: records that VPP writes without waiting for anybody.

use std::sync::Arc;
use std::sync::atomic::{Ordering, fence};

use super::error::StatsError;
use super::memory::{Memory, with_memory};
use super::pattern::Pattern;
use super::plan::{RING_METADATA_LEN, RING_SEQUENCE_AT, RingShape};
use super::selection::Selection;
use super::source::VppSource;
use super::value::{RingState, Value};

/// A reader of one ring buffer, which remembers how far it came in each thread's part.
///
/// VPP overwrites the oldest record without asking; those that were overwritten before they were read are counted.
#[derive(Debug)]
pub struct Ring {
    source: Arc<VppSource>,
    selection: Selection,
    name: String,
    /// How many records of each thread were read or lost.
    read: Vec<u64>,
    generation: u64,
    record: Vec<u8>,
}

/// What a [`Ring::read`] gave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct RingRead {
    /// Records that were read.
    pub records: u64,
    /// Records that VPP overwrote before they were read.
    pub lost: u64,
}

impl Ring {
    pub(super) fn new(source: Arc<VppSource>, name: &str) -> Result<Self, StatsError> {
        let selection = Selection::new(source.clone(), vec![Pattern::exact(name)])?;
        let ring = Self {
            source,
            generation: selection.generation(),
            selection,
            name: name.to_owned(),
            read: Vec::new(),
            record: Vec::new(),
        };
        ring.state()?;
        Ok(ring)
    }

    /// What the ring buffer is like, and how much was written to it when it was last read.
    ///
    /// # Errors
    ///
    /// When it is no longer there.
    pub fn state(&self) -> Result<RingState<'_>, StatsError> {
        match self.selection.at(0).map(|entry| entry.value()) {
            Some(Value::Ring(state)) => Ok(state),
            _ => Err(StatsError::NoRing(self.name.clone())),
        }
    }

    /// Hands over the records of a thread that came since the last time, oldest first.
    ///
    /// # Errors
    ///
    /// As [`Selection::refresh`]; and when the ring buffer is no longer there.
    pub fn read(&mut self, thread: usize, mut record: impl FnMut(&[u8])) -> Result<RingRead, StatsError> {
        self.selection.refresh()?;
        if self.generation != self.selection.generation() {
            // Another VPP counts from zero.
            self.generation = self.selection.generation();
            self.read.clear();
        }
        let state = self.state()?;
        let (shape, written) = (state.shape.geometry(), state.written(thread));
        if thread >= state.threads() || shape.slots == 0 || shape.entry_len == 0 {
            return Ok(RingRead::default());
        }
        if self.read.len() <= thread {
            self.read.resize(thread + 1, 0);
        }
        let (segment, generation) = self.source.current()?;
        if generation != self.generation {
            return Ok(RingRead::default());
        }
        let mut next = self.read[thread];
        if next > written {
            // The ring was removed and made again.
            next = 0;
        }
        let mut outcome = RingRead::default();
        // VPP may be writing the next record right now, at the place of the one `slots` before it.
        let oldest = written.saturating_sub(u64::from(shape.slots) - 1);
        outcome.lost += oldest.saturating_sub(next);
        next = next.max(oldest);
        self.record.resize(shape.entry_len as usize, 0);
        with_memory!(&segment.source, memory => {
            while next < written {
                let at = shape.record_at(thread, next);
                let copied = memory.bytes(at, &mut self.record);
                // The record was copied before it is asked whether VPP came round again.
                fence(Ordering::Acquire);
                let sequence = memory.u64(shape.sequence_at(thread));
                let is_whole = sequence.is_some_and(|sequence| sequence < next.saturating_add(shape.slots.into()));
                if copied.is_some() && is_whole {
                    record(&self.record);
                    outcome.records += 1;
                } else {
                    outcome.lost += 1;
                }
                next += 1;
            }
        });
        self.read[thread] = next;
        Ok(outcome)
    }
}

/// Where the records of a ring are.
#[derive(Clone, Copy, Debug)]
struct Geometry {
    data_at: u64,
    metadata_at: u64,
    entry_len: u32,
    slots: u32,
}

impl RingShape {
    fn geometry(&self) -> Geometry {
        Geometry {
            data_at: self.data_at,
            metadata_at: self.metadata_at,
            entry_len: self.entry_len,
            slots: self.slots,
        }
    }
}

impl Geometry {
    /// The place of a record. VPP fills places one after the other from the first on, so a record's number tells it.
    fn record_at(&self, thread: usize, number: u64) -> u64 {
        let slot = thread as u64 * u64::from(self.slots) + number % u64::from(self.slots);
        self.data_at + slot * u64::from(self.entry_len)
    }

    fn sequence_at(&self, thread: usize) -> u64 {
        self.metadata_at + thread as u64 * RING_METADATA_LEN + RING_SEQUENCE_AT
    }
}
