//! The side of a segment that VPP has, for a stand-in.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::Ordering;
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use rustix::fs::MemfdFlags;

use super::config::{QUEUE, RECEIVE, SEND};
use super::layout::{Addresses, PAGE, api, element, object, queue, region, ring};
use super::memory::Memory;
use super::queue::{Queue, Ring, SegmentFault, release};

/// Where the stand-in pretends that segments lie: nowhere that a client's mapping could be.
const BASE: u64 = 0x0000_1122_3344_0000;

/// Where the data begins: behind both headers and the region's own heap.
const DATA: usize = 0x22000;

/// A segment as VPP makes it for a client.
#[derive(Debug)]
pub struct ServerSegment {
    memory: Memory,
    addresses: Addresses,
    input: Queue,
    to_client: Vec<Ring>,
    from_client: Vec<Ring>,
    client: OnceLock<Queue>,
    heap: Mutex<Heap>,
}

/// Blocks outside of the rings: offset and length of those in use.
#[derive(Debug)]
struct Heap {
    start: usize,
    end: usize,
    used: BTreeMap<usize, usize>,
}

/// Why a message did not reach the client's queue.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The queue is full. VPP's main thread waits for room.
    #[error("the client's queue is full")]
    Full,
    /// No ring has a place and the heap has none. VPP ends.
    #[error("out of memory in the segment")]
    OutOfMemory,
    /// The client is none yet.
    #[error("the client has not told where its queue is")]
    NoQueue,
    /// The segment is damaged.
    #[error(transparent)]
    Fault(#[from] SegmentFault),
}

impl ServerSegment {
    /// Makes a segment of `size` bytes with what `sock_init_shm` listed. Gives the file to be passed to the client.
    ///
    /// # Errors
    ///
    /// When that does not fit, or without an input queue: VPP would end.
    pub fn create(size: u32, words: &[u64]) -> io::Result<(Self, OwnedFd)> {
        let len = (size as usize).next_multiple_of(PAGE);
        let file = rustix::fs::memfd_create("vpp-sim", MemfdFlags::ALLOW_SEALING | MemfdFlags::CLOEXEC)?;
        rustix::fs::ftruncate(&file, len as u64)?;
        let memory = Memory::map(file.as_fd(), len)?;
        let segment = Self::lay_out(memory, words).map_err(io::Error::other)?;
        Ok((segment, file))
    }

    pub(super) fn lay_out(memory: Memory, words: &[u64]) -> Result<Self, SegmentFault> {
        let too_small = SegmentFault::Wrong("the size of the segment");
        let addresses = Addresses { base: BASE, len: memory.len() };
        let mut next = DATA;
        let mut place = |len: usize| {
            let at = next.next_multiple_of(64);
            next = at.saturating_add(len);
            if next <= memory.len() { Ok(at) } else { Err(too_small.clone()) }
        };
        let api_header = place(api::LEN)?;
        let (mut to_client, mut from_client, mut input) = (Vec::new(), Vec::new(), None);
        for word in words {
            let (kind, count, size) = (word & 0xff, (word >> 16) as u16, (word >> 32) as u32);
            match kind {
                QUEUE => {
                    let at = place(Queue::len_for(count.into()))?;
                    input = Some(Queue::create(&memory, at, count.into(), 0)?.waking_at_half());
                }
                RECEIVE | SEND => {
                    let at = place(Ring::len_for(size, count.into()))?;
                    let made = Ring::create(&memory, addresses, at, size, count.into())?;
                    if kind == RECEIVE { to_client.push(made) } else { from_client.push(made) }
                }
                // As VPP.
                _ => {}
            }
        }
        let input = input.ok_or(SegmentFault::Wrong("a list of rings without an input queue"))?;
        let mut vector = |rings: &[Ring]| {
            let at = place(8 + ring::LEN * rings.len().max(1))? + 8;
            set_u32(&memory, at - 8, rings.len() as u32)?;
            for (index, made) in rings.iter().enumerate() {
                let (at, elements) = (at + index * ring::LEN, made.elements());
                set_u64(&memory, at + ring::QUEUE, addresses.address(elements.start - queue::DATA))?;
                // 16 bits each: a larger size is cut.
                set_u32(&memory, at + ring::SHAPE, elements.size as u32 & 0xffff | elements.count << 16)?;
            }
            Ok(addresses.address(at))
        };
        let vectors = (vector(&to_client)?, vector(&from_client)?);
        set_u32(&memory, api_header + api::VERSION, api::VERSION_IS)?;
        set_u32(&memory, api_header + api::VPP_PID, std::process::id())?;
        set_u64(&memory, api_header + api::INPUT_QUEUE, addresses.address(input.at()))?;
        set_u64(&memory, api_header + api::VPP_RINGS, vectors.0)?;
        set_u64(&memory, api_header + api::CLIENT_RINGS, vectors.1)?;
        set_u64(&memory, region::VERSION, region::VERSION_IS)?;
        set_u64(&memory, region::VIRTUAL_BASE, addresses.address(PAGE))?;
        set_u64(&memory, region::VIRTUAL_SIZE, (memory.len() - PAGE) as u64)?;
        set_u64(&memory, region::USER_CONTEXT, addresses.address(api_header))?;
        set_u64(&memory, object::ADDRESS, BASE)?;
        set_u64(&memory, object::SIZE, memory.len() as u64)?;
        set_u32(&memory, object::SERVER_PID, std::process::id())?;
        set_u32(&memory, object::TYPE, object::MEMFD)?;
        set_u32(&memory, object::READY, 1)?;
        let heap = Heap { start: next.next_multiple_of(64), end: memory.len(), used: BTreeMap::new() };
        let heap = Mutex::new(heap);
        Ok(Self { memory, addresses, input, to_client, from_client, client: OnceLock::new(), heap })
    }

    /// The client told where its receive queue is.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn set_client_queue(&self, address: u64) -> Result<(), SegmentFault> {
        let at = self.addresses.offset(address, queue::DATA);
        let at = at.ok_or(SegmentFault::Wrong("the address of the client's queue"))?;
        // A second is ignored, as the first is in use.
        let _set = self.client.set(Queue::attach(&self.memory, at)?);
        Ok(())
    }

    /// The next request, whose place is free again: as VPP, which frees a message when it was handled.
    ///
    /// # Errors
    ///
    /// When the client handed over what is no message.
    pub fn next_request(&self) -> Result<Option<Vec<u8>>, SegmentFault> {
        let mut address = [0];
        if self.input.entries(&self.memory) == 0 || self.input.pop(&self.memory, &mut address)? == 0 {
            return Ok(None);
        }
        let wrong = SegmentFault::Wrong("the address of a request");
        let start = self.addresses.offset(address[0], 2).ok_or(wrong.clone())?;
        let head = start.checked_sub(element::LEN).ok_or(wrong.clone())?;
        let mut len = [0; 4];
        self.memory.read(head + element::DATA_LEN, &mut len).ok_or(wrong.clone())?;
        let len = u32::from_be_bytes(len) as usize;
        self.addresses.offset(address[0], len).ok_or(wrong.clone())?;
        let mut message = vec![0; len];
        self.memory.read(start, &mut message).ok_or(wrong.clone())?;
        let rings = self.from_client.iter().chain(&self.to_client);
        match rings.map(|ring| ring.elements()).find_map(|elements| elements.contain(start)) {
            Some(true) => release(&self.memory, head),
            Some(false) => return Err(wrong),
            None => {
                let mut heap = self.heap.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                heap.used.remove(&head).ok_or(wrong)?;
            }
        }
        Ok(Some(message))
    }

    /// Puts a message into the client's queue, in a ring element or, where none is free or large enough, on the heap.
    ///
    /// # Errors
    ///
    /// When the queue is full or there is no memory.
    pub fn send(&self, message: &[u8]) -> Result<(), SendError> {
        let client = self.client.get().ok_or(SendError::NoQueue)?;
        if client.entries(&self.memory) >= client.capacity() {
            return Err(SendError::Full);
        }
        let head = self.allocate(message.len())?;
        let wrong = SendError::Fault(SegmentFault::Wrong("an element"));
        let len = (message.len() as u32).to_be_bytes();
        self.memory.write(head + element::DATA_LEN, &len).ok_or(wrong.clone())?;
        self.memory.write(head + element::LEN, message).ok_or(wrong)?;
        let address = self.addresses.address(head + element::LEN);
        // Nobody else puts anything in.
        match client.push(&self.memory, &[address])? {
            1 => Ok(()),
            _ => Err(SendError::Full),
        }
    }

    fn allocate(&self, len: usize) -> Result<usize, SendError> {
        for ring in self.to_client.iter().filter(|ring| ring.elements().capacity() >= len) {
            if let Some(element) = ring.take_unlocked(&self.memory)? {
                return Ok(element);
            }
        }
        let mut heap = self.heap.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let head = heap.allocate(element::LEN + len).ok_or(SendError::OutOfMemory)?;
        set_u64(&self.memory, head + element::QUEUE, 0)?;
        set_u32(&self.memory, head + element::GC_MARK, 0)?;
        Ok(head)
    }

    #[cfg(test)]
    pub(super) fn memory(&self) -> &Memory {
        &self.memory
    }

    /// Offsets of what a client reads of the segment, locks apart: of the headers, behind the locks of the queues, and of
    /// the vectors of rings. For tests of damaged segments.
    #[must_use]
    pub fn places(&self) -> Vec<usize> {
        let api_header = DATA.next_multiple_of(64);
        let vector = |at: usize| self.memory.u64(at).map(|vector| vector.load(Ordering::Relaxed));
        let vectors = [api::VPP_RINGS, api::CLIENT_RINGS]
            .map(|at| vector(api_header + at).and_then(|vector| self.addresses.offset(vector, ring::LEN)));
        let rings = self.to_client.iter().chain(&self.from_client).map(|ring| ring.elements().start);
        let queues = [&self.input].into_iter().chain(self.client.get()).map(|made| made.at() + queue::DATA);
        let behind_locks = rings.chain(queues).map(|data| data - queue::DATA + queue::HEAD);
        let headers = [object::ADDRESS, object::READY, region::VERSION, region::VIRTUAL_BASE, api_header];
        let headers = headers.into_iter().chain([region::USER_CONTEXT, api_header + api::VPP_RINGS]);
        headers.chain(vectors.into_iter().flatten()).chain(behind_locks).collect()
    }

    /// Changes a word. For tests of damaged segments.
    pub fn damage(&self, at: usize, word: u64) {
        // What is outside stays as it is.
        let _outside = self.memory.write(at, &(word as u32).to_ne_bytes());
    }

    /// VPP's address of an offset.
    #[must_use]
    pub fn address(&self, at: usize) -> u64 {
        self.addresses.address(at)
    }

    /// Puts any address into the client's queue, and before it, where that is in the data of the segment, whose the
    /// message is and how long. For tests of damaged segments.
    pub fn hand_over(&self, address: u64, owner: u64, len: u32) {
        let data = self.to_client.iter().chain(&self.from_client).map(|ring| ring.elements());
        if let Some(start) = self.addresses.offset(address, 0)
            && let Some(head) = start.checked_sub(element::LEN)
            && data.into_iter().any(|elements| elements.contain(start) == Some(true))
        {
            let _outside = self.memory.write(head + element::QUEUE, &owner.to_ne_bytes());
            let _outside = self.memory.write(head + element::DATA_LEN, &len.to_be_bytes());
        }
        if let Some(client) = self.client.get() {
            // A damaged queue takes nothing.
            let _full = client.push(&self.memory, &[address]);
        }
    }

    /// Blocks on the heap that the client has not given back.
    #[must_use]
    pub fn blocks(&self) -> usize {
        self.heap.lock().unwrap_or_else(std::sync::PoisonError::into_inner).used.len()
    }

    /// Waits until the client's queue has room, or for the time.
    pub fn wait_for_room(&self, time: Duration) {
        if let Some(client) = self.client.get() {
            // A lock that cannot be had is a queue without room; the caller asks again.
            let _fault = client.wait_for_room(&self.memory, time);
        }
    }
}

impl Heap {
    fn allocate(&mut self, len: usize) -> Option<usize> {
        let len = len.next_multiple_of(64);
        let mut at = self.start;
        for (start, used) in &self.used {
            if start - at >= len {
                break;
            }
            at = start + used;
        }
        if at + len > self.end {
            return None;
        }
        self.used.insert(at, len);
        Some(at)
    }
}

fn set_u32(memory: &Memory, at: usize, value: u32) -> Result<(), SegmentFault> {
    memory.u32(at).ok_or(SegmentFault::Wrong("a place"))?.store(value, Ordering::Release);
    Ok(())
}

fn set_u64(memory: &Memory, at: usize, value: u64) -> Result<(), SegmentFault> {
    memory.u64(at).ok_or(SegmentFault::Wrong("a place"))?.store(value, Ordering::Release);
    Ok(())
}
