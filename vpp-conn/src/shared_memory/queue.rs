//! Queues of addresses, and rings of elements that messages are written into.
//!
//! Both are a header with a lock, two positions and a count, and then data. What VPP could change later is taken once,
//! when a queue is attached to, and checked; what has to be read again (positions, counts) is checked each time.

use std::io;
use std::ops::Range;
use std::time::Duration;

use super::layout::{Addresses, Elements, element, queue};
use super::lock::{self, Locked};
use super::memory::{AtomicU64, Memory, Ordering, fence};

/// What in a segment is not as VPP leaves it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SegmentFault {
    /// A header, a position or an address that cannot be.
    #[error("{0} is not as VPP leaves it")]
    Wrong(&'static str),
    /// A lock that could not be taken.
    #[error("a lock of the shared memory: {0}")]
    Lock(std::sync::Arc<str>),
    /// VPP took a message back that this process held for more than ten seconds: it was stopped, or starved.
    #[error("VPP took back a message that this process held for over 10 s; was the process stopped?")]
    Reclaimed,
}

impl SegmentFault {
    pub(super) fn of_lock(error: &io::Error) -> Self {
        Self::Lock(error.to_string().into())
    }
}

/// A queue of addresses.
#[derive(Debug)]
pub(super) struct Queue {
    at: usize,
    capacity: u32,
    /// At how many entries the one who takes wakes the one who waits for room.
    wake_at: u32,
}

impl Queue {
    /// Bytes of a queue for so many addresses.
    pub(super) fn len_for(capacity: u32) -> usize {
        queue::DATA + 8 * capacity as usize
    }

    /// Makes a queue in memory that nobody uses yet.
    pub(super) fn create(
        memory: &Memory,
        at: usize,
        capacity: u32,
        consumer_pid: u32,
    ) -> Result<Self, SegmentFault> {
        write_header(memory, at, capacity, 8, consumer_pid)?;
        Ok(Self { at, capacity, wake_at: capacity })
    }

    /// A queue that the other side made.
    pub(super) fn attach(memory: &Memory, at: usize) -> Result<Self, SegmentFault> {
        let wrong = SegmentFault::Wrong("a queue's header");
        let (capacity, size) = shape(memory, at).ok_or(wrong.clone())?;
        if capacity == 0 || size != 8 {
            return Err(wrong);
        }
        let len = (capacity as usize).checked_mul(8).and_then(|data| at.checked_add(queue::DATA + data));
        if len.is_none_or(|end| end > memory.len()) {
            return Err(wrong);
        }
        Ok(Self { at, capacity, wake_at: capacity })
    }

    /// As VPP does it with its input queue: who waits for room is woken when it is half empty.
    pub(super) fn waking_at_half(mut self) -> Self {
        self.wake_at = self.capacity / 2;
        self
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// Where it lies.
    pub(super) fn range(&self) -> Range<usize> {
        self.at..self.at + Self::len_for(self.capacity)
    }

    pub(super) fn capacity(&self) -> u32 {
        self.capacity
    }

    /// Entries, as far as that can be told without the lock.
    pub(super) fn entries(&self, memory: &Memory) -> u32 {
        memory.u32(self.at + queue::CURSIZE).map_or(0, |entries| entries.load(Ordering::Relaxed))
    }

    /// Where the next entry is taken from, as far as that can be told without the lock.
    pub(super) fn position(&self, memory: &Memory) -> u32 {
        memory.u32(self.at + queue::HEAD).map_or(0, |head| head.load(Ordering::Relaxed))
    }

    /// Puts addresses in, as many as there is room for; gives how many.
    pub(super) fn push(&self, memory: &Memory, addresses: &[u64]) -> Result<usize, SegmentFault> {
        let locked = self.lock(memory)?;
        let (mut tail, entries) = self.positions(memory, queue::TAIL)?;
        let count = addresses.len().min((self.capacity - entries) as usize);
        for address in &addresses[..count] {
            self.entry(memory, tail)?.store(*address, Ordering::Relaxed);
            tail = if tail + 1 == self.capacity { 0 } else { tail + 1 };
        }
        if count > 0 {
            // The messages before their addresses, for a VPP that looks at the count without the lock.
            fence(Ordering::Release);
            self.store(memory, queue::TAIL, tail);
            self.store(memory, queue::CURSIZE, entries + count as u32);
            if entries == 0 {
                locked.broadcast();
            }
        }
        Ok(count)
    }

    /// Takes addresses out, as many as are there and have a place; gives how many.
    pub(super) fn pop(&self, memory: &Memory, places: &mut [u64]) -> Result<usize, SegmentFault> {
        let locked = self.lock(memory)?;
        let (mut head, entries) = self.positions(memory, queue::HEAD)?;
        let count = places.len().min(entries as usize);
        for place in &mut places[..count] {
            *place = self.entry(memory, head)?.load(Ordering::Relaxed);
            head = if head + 1 == self.capacity { 0 } else { head + 1 };
        }
        if count > 0 {
            fence(Ordering::Acquire);
            self.store(memory, queue::HEAD, head);
            let left = entries - count as u32;
            self.store(memory, queue::CURSIZE, left);
            // Who waits for room waits for this.
            if entries >= self.wake_at && left < self.wake_at {
                locked.broadcast();
            }
        }
        Ok(count)
    }

    /// Waits until something is in it, or for the time; also ends when somebody wakes all who wait.
    pub(super) fn wait(&self, memory: &Memory, time: Duration) -> Result<(), SegmentFault> {
        let locked = self.lock(memory)?;
        if self.entries(memory) == 0 {
            locked.wait(time).map_err(|error| SegmentFault::of_lock(&error))?;
        }
        Ok(())
    }

    /// Waits until there is room, or for the time.
    pub(super) fn wait_for_room(&self, memory: &Memory, time: Duration) -> Result<(), SegmentFault> {
        let locked = self.lock(memory)?;
        if self.entries(memory) >= self.capacity {
            locked.wait(time).map_err(|error| SegmentFault::of_lock(&error))?;
        }
        Ok(())
    }

    /// Wakes all who wait.
    pub(super) fn wake(&self, memory: &Memory) {
        // Where the lock cannot be had, they look by themselves soon.
        if let Ok(locked) = self.lock(memory) {
            locked.broadcast();
        }
    }

    fn lock<'a>(&self, memory: &'a Memory) -> Result<Locked<'a>, SegmentFault> {
        lock::lock(memory, self.at).map_err(|error| SegmentFault::of_lock(&error))
    }

    /// A position and the number of entries, where they can be.
    fn positions(&self, memory: &Memory, position: usize) -> Result<(u32, u32), SegmentFault> {
        let load = |at| memory.u32(self.at + at).map(|word| word.load(Ordering::Relaxed));
        match (load(position), load(queue::CURSIZE)) {
            (Some(position), Some(entries)) if position < self.capacity && entries <= self.capacity => {
                Ok((position, entries))
            }
            _ => Err(SegmentFault::Wrong("a queue's position")),
        }
    }

    fn entry<'a>(&self, memory: &'a Memory, index: u32) -> Result<&'a AtomicU64, SegmentFault> {
        memory.u64(self.at + queue::DATA + 8 * index as usize).ok_or(SegmentFault::Wrong("a queue"))
    }

    fn store(&self, memory: &Memory, at: usize, value: u32) {
        if let Some(word) = memory.u32(self.at + at) {
            word.store(value, Ordering::Relaxed);
        }
    }
}

/// A ring of elements.
#[derive(Debug)]
pub(super) struct Ring {
    queue: usize,
    elements: Elements,
    /// What an element's header says while it is in use: the address of the ring's queue in VPP.
    in_use: u64,
}

impl Ring {
    /// Bytes of a ring of elements for messages of `size + 8` bytes.
    pub(super) fn len_for(size: u32, count: u32) -> usize {
        queue::DATA + (size as usize + element::OVERHEAD) * count as usize
    }

    /// Makes a ring in memory that nobody uses yet.
    pub(super) fn create(
        memory: &Memory,
        addresses: Addresses,
        at: usize,
        size: u32,
        count: u32,
    ) -> Result<Self, SegmentFault> {
        write_header(memory, at, count, size + element::OVERHEAD as u32, 0)?;
        let ring = Self::attach(memory, addresses, at)?;
        for index in 0..count {
            if let Some(element) = ring.elements.at(index) {
                release(memory, element);
            }
        }
        Ok(ring)
    }

    /// A ring that the other side made.
    pub(super) fn attach(memory: &Memory, addresses: Addresses, at: usize) -> Result<Self, SegmentFault> {
        let wrong = SegmentFault::Wrong("a ring's header");
        let (count, size) = shape(memory, at).ok_or(wrong.clone())?;
        let elements = Elements { start: at + queue::DATA, size: size as usize, count };
        let end = elements.size.checked_mul(count as usize).and_then(|len| elements.start.checked_add(len));
        if count == 0 || elements.size <= element::LEN || !elements.size.is_multiple_of(8) {
            return Err(wrong);
        }
        if end.is_none_or(|end| end > memory.len()) {
            return Err(wrong);
        }
        Ok(Self { queue: at, elements, in_use: addresses.address(at) })
    }

    /// Where it lies.
    pub(super) fn range(&self) -> Range<usize> {
        self.queue..self.elements.start + self.elements.size * self.elements.count as usize
    }

    pub(super) fn elements(&self) -> Elements {
        self.elements
    }

    /// Takes the next element, where it is free; gives its offset. With the lock, as both sides take elements of the
    /// rings of requests.
    pub(super) fn take(&self, memory: &Memory) -> Result<Option<usize>, SegmentFault> {
        let _locked = lock::lock(memory, self.queue).map_err(|error| SegmentFault::of_lock(&error))?;
        self.take_unlocked(memory)
    }

    /// As [`Ring::take`], for the only one who takes elements of this ring.
    pub(super) fn take_unlocked(&self, memory: &Memory) -> Result<Option<usize>, SegmentFault> {
        let wrong = SegmentFault::Wrong("a ring's position");
        let head = memory.u32(self.queue + queue::HEAD).ok_or(wrong.clone())?;
        let index = head.load(Ordering::Relaxed);
        let element = self.elements.at(index).ok_or(wrong.clone())?;
        let owner = memory.u64(element + element::QUEUE).ok_or(wrong.clone())?;
        // Whoever freed it has finished reading it.
        if owner.load(Ordering::Acquire) != 0 {
            return Ok(None);
        }
        memory.u32(element + element::GC_MARK).ok_or(wrong)?.store(0, Ordering::Relaxed);
        owner.store(self.in_use, Ordering::Relaxed);
        head.store(if index + 1 == self.elements.count { 0 } else { index + 1 }, Ordering::Relaxed);
        Ok(Some(element))
    }

    /// Tells VPP about every element in use that it is needed still.
    pub(super) fn refresh(&self, memory: &Memory) {
        for index in 0..self.elements.count {
            let Some(element) = self.elements.at(index) else { return };
            let in_use = memory.u64(element + element::QUEUE).map(|owner| owner.load(Ordering::Relaxed));
            if let (Some(1..), Some(mark)) = (in_use, memory.u32(element + element::GC_MARK))
                && mark.load(Ordering::Relaxed) != 0
            {
                mark.store(0, Ordering::Relaxed);
            }
        }
    }
}

/// Gives an element back.
pub(super) fn release(memory: &Memory, element: usize) {
    if let (Some(mark), Some(owner)) =
        (memory.u32(element + element::GC_MARK), memory.u64(element + element::QUEUE))
    {
        mark.store(0, Ordering::Relaxed);
        // All reading of the message happens before.
        owner.store(0, Ordering::Release);
    }
}

/// Count and size of a queue's entries.
fn shape(memory: &Memory, at: usize) -> Option<(u32, u32)> {
    let word = |offset| memory.u32(at.checked_add(offset)?).map(|word| word.load(Ordering::Relaxed));
    Some((word(queue::MAXSIZE)?, word(queue::ELSIZE)?))
}

fn write_header(
    memory: &Memory,
    at: usize,
    capacity: u32,
    size: u32,
    consumer_pid: u32,
) -> Result<(), SegmentFault> {
    memory.write(at, &[0; queue::DATA]).ok_or(SegmentFault::Wrong("the place for a queue"))?;
    let words = [
        (queue::MAXSIZE, capacity),
        (queue::ELSIZE, size),
        (queue::CONSUMER_PID, consumer_pid),
        (queue::PRODUCER_EVTFD, u32::MAX),
        (queue::CONSUMER_EVTFD, u32::MAX),
    ];
    for (offset, value) in words {
        memory
            .u32(at + offset)
            .ok_or(SegmentFault::Wrong("the place for a queue"))?
            .store(value, Ordering::Relaxed);
    }
    lock::init(memory, at).map_err(|error| SegmentFault::of_lock(&error))
}
