//! Memory that two threads share: only the words that queues and rings have.

use std::collections::BTreeMap;

use loom::cell::UnsafeCell;
pub(super) use loom::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};
use loom::sync::{Condvar, Mutex};

use crate::layout::{element, queue};

/// Words by their offset. All are zero at first.
pub(super) struct Memory {
    words: BTreeMap<usize, AtomicU32>,
    longs: BTreeMap<usize, AtomicU64>,
    pub(super) locks: BTreeMap<usize, (Mutex<()>, Condvar)>,
    messages: BTreeMap<usize, Message>,
}

/// A place of which loom watches that nobody writes it while another reads it.
struct Message(UnsafeCell<u64>);

#[allow(unsafe_code, reason = "what the model is about")]
// SAFETY: loom ends the model when two threads come to it without an order between them.
unsafe impl Sync for Message {}

impl Memory {
    pub(super) fn new() -> Self {
        Self {
            words: BTreeMap::new(),
            longs: BTreeMap::new(),
            locks: BTreeMap::new(),
            messages: BTreeMap::new(),
        }
    }

    /// Room for a queue of so many addresses.
    pub(super) fn with_queue(mut self, at: usize, capacity: usize) -> Self {
        for offset in (queue::HEAD..queue::DATA).step_by(4) {
            self.words.insert(at + offset, AtomicU32::new(0));
        }
        for entry in 0..capacity {
            self.longs.insert(at + queue::DATA + 8 * entry, AtomicU64::new(0));
        }
        self.locks.insert(at, (Mutex::new(()), Condvar::new()));
        self
    }

    /// Room for a ring of so many elements with messages of eight bytes.
    pub(super) fn with_ring(mut self, at: usize, count: usize) -> Self {
        self = self.with_queue(at, 0);
        for index in 0..count {
            let head = at + queue::DATA + index * (8 + element::OVERHEAD);
            self.longs.insert(head + element::QUEUE, AtomicU64::new(0));
            self.words.insert(head + element::GC_MARK, AtomicU32::new(0));
            self.messages.insert(head + element::LEN, Message(UnsafeCell::new(0)));
        }
        self
    }

    /// Writes the message of an element.
    pub(super) fn write_message(&self, at: usize, message: u64) {
        #[allow(unsafe_code, reason = "what the model is about")]
        // SAFETY: loom ends the model when anybody else is at it.
        self.messages[&at].0.with_mut(|place| unsafe { *place = message });
    }

    /// Reads the message of an element.
    pub(super) fn read_message(&self, at: usize) -> u64 {
        #[allow(unsafe_code, reason = "what the model is about")]
        // SAFETY: loom ends the model when anybody writes it meanwhile.
        self.messages[&at].0.with(|place| unsafe { *place })
    }

    pub(super) fn len(&self) -> usize {
        1 << 20
    }

    pub(super) fn u32(&self, at: usize) -> Option<&AtomicU32> {
        self.words.get(&at)
    }

    pub(super) fn u64(&self, at: usize) -> Option<&AtomicU64> {
        self.longs.get(&at)
    }

    /// Only zeros are ever written so, and only at first.
    pub(super) fn write(&self, _at: usize, bytes: &[u8]) -> Option<()> {
        bytes.iter().all(|byte| *byte == 0).then_some(())
    }
}
