//! A segment as its client uses it.

use std::io;
use std::ops::Range;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use vpp_wire::EncodeError;

use super::config::{Config, RECEIVE_RING};
use super::layout::{Addresses, PAGE, api, element, object, region, ring};
use super::memory::Memory;
use super::queue::{Queue, Ring, SegmentFault, release};

/// Bytes of a message in the heap that are there whatever its length: what gives it back is written over them.
const BLOCK: usize = 10;

/// A private segment: rings of elements for messages in each direction, VPP's input queue and this client's receive
/// queue.
#[derive(Debug)]
pub struct Segment {
    memory: Memory,
    addresses: Addresses,
    /// Offset of the API header.
    api: usize,
    input: Queue,
    receive: Queue,
    /// Rings that VPP's messages come in, and rings for requests, each in VPP's order.
    incoming: Vec<Ring>,
    outgoing: Vec<Ring>,
    /// Where headers, queues and rings lie, none of them within another: no message of the heap does.
    taken: Vec<Range<usize>>,
    /// What VPP's count of elements taken back was at the beginning.
    reclaimed: u32,
    /// Messages of VPP that this process reads in place at the moment.
    held: AtomicU32,
    hold: u32,
    copied: AtomicU64,
}

/// An element to write a request into. Goes back when it is dropped.
#[derive(Debug)]
pub struct Place {
    segment: Arc<Segment>,
    element: usize,
    capacity: usize,
    handed_over: bool,
}

/// A message of VPP, read in place. Given back when dropped.
#[derive(Debug)]
pub struct Slot {
    segment: Arc<Segment>,
    element: usize,
    start: usize,
    len: usize,
}

/// A message as it was found.
#[derive(Debug)]
pub enum Incoming {
    /// In place.
    InPlace(Slot),
    /// Copied, and its place given back.
    Copied(Bytes),
    /// Copied from VPP's heap. The address goes back to VPP with [`Segment::return_block`].
    FromHeap(Bytes, u64),
    /// In VPP's own memory, where no client of a private segment can read: what VPP says outside of the handling of a
    /// request.
    Elsewhere,
}

impl Segment {
    /// Maps the segment that VPP made for this client, checks it, and makes the receive queue in it.
    ///
    /// # Errors
    ///
    /// When the segment is not what was asked for.
    pub fn attach(file: impl AsFd, config: &Config) -> io::Result<Arc<Self>> {
        Self::look(file, config).map(Arc::new)
    }

    /// As [`Segment::attach`].
    pub(super) fn look(file: impl AsFd, config: &Config) -> io::Result<Self> {
        let len = usize::try_from(rustix::fs::fstat(file.as_fd())?.st_size).map_err(io::Error::other)?;
        if len < config.segment_size() as usize {
            return Err(io::Error::other("the shared memory is smaller than asked for"));
        }
        let memory = Memory::map(file, len)?;
        Self::new(memory, config).map_err(io::Error::other)
    }

    pub(super) fn new(memory: Memory, config: &Config) -> Result<Self, SegmentFault> {
        let u32_at = |at: usize| memory.u32(at).map(|word| word.load(Ordering::Acquire));
        let u64_at = |at: usize| memory.u64(at).map(|word| word.load(Ordering::Acquire));
        let addresses = Addresses { base: u64_at(object::ADDRESS).unwrap_or(0), len: memory.len() };
        let is_known = u32_at(object::READY) == Some(1)
            && u64_at(object::SIZE).is_some_and(|size| size <= memory.len() as u64)
            && u64_at(region::VERSION) == Some(region::VERSION_IS)
            && u64_at(region::VIRTUAL_BASE) == Some(addresses.address(PAGE));
        if !is_known {
            return Err(SegmentFault::Wrong("the segment's header"));
        }
        let api_header = u64_at(region::USER_CONTEXT)
            .and_then(|address| addresses.offset(address, api::LEN))
            .filter(|api| u32_at(api + api::VERSION) == Some(api::VERSION_IS))
            .ok_or(SegmentFault::Wrong("the API header"))?;
        let target =
            |at: usize, len| u64_at(api_header + at).and_then(|address| addresses.offset(address, len));
        let input = target(api::INPUT_QUEUE, super::layout::queue::DATA)
            .ok_or(SegmentFault::Wrong("VPP's input queue"))
            .and_then(|at| Queue::attach(&memory, at))?;
        let rings = |at| {
            let wrong = SegmentFault::Wrong("a vector of rings");
            let vector = target(at, ring::LEN).ok_or(wrong.clone())?;
            let count = vector.checked_sub(8).and_then(u32_at).filter(|count| *count <= 256);
            (0..count.ok_or(wrong.clone())? as usize)
                .map(|index| {
                    let queue = u64_at(vector + index * ring::LEN + ring::QUEUE);
                    let queue =
                        queue.and_then(|address| addresses.offset(address, super::layout::queue::DATA));
                    Ring::attach(&memory, addresses, queue.ok_or(wrong.clone())?)
                })
                .collect::<Result<Vec<_>, _>>()
        };
        let incoming = rings(api::VPP_RINGS)?;
        let mut outgoing = rings(api::CLIENT_RINGS)?;

        // The receive queue lies in an element of its own, whose size VPP's allocator does not see.
        let own = outgoing
            .iter()
            .position(|ring| {
                ring.elements().count == 1 && ring.elements().size == RECEIVE_RING + element::OVERHEAD
            })
            .ok_or(SegmentFault::Wrong("the place of the receive queue"))?;
        let own = outgoing.remove(own);
        let mut taken = vec![0..2 * PAGE, api_header..api_header + api::LEN, input.range(), own.range()];
        taken.extend(incoming.iter().chain(&outgoing).map(Ring::range));
        taken.sort_unstable_by_key(|taken| taken.start);
        // Else this process itself could write what it reads in place.
        if taken.windows(2).any(|pair| pair[0].end > pair[1].start) {
            return Err(SegmentFault::Wrong("the place of a queue or ring"));
        }
        let own = own.elements().start;
        let in_use = memory.u64(own + element::QUEUE).ok_or(SegmentFault::Wrong("a ring"))?;
        in_use.store(addresses.address(own), Ordering::Relaxed);
        let at = (own + element::LEN).next_multiple_of(64);
        let receive = Queue::create(&memory, at, config.queue_depth(), std::process::id())?;

        let reclaimed = u32_at(api_header + api::GARBAGE_COLLECTS).unwrap_or(0);
        Ok(Self {
            memory,
            addresses,
            api: api_header,
            input,
            receive,
            incoming,
            outgoing,
            taken,
            reclaimed,
            held: AtomicU32::new(0),
            hold: config.held_messages(),
            copied: AtomicU64::new(0),
        })
    }

    /// VPP's address of the receive queue, for `memclnt_create`.
    #[must_use]
    pub fn receive_queue(&self) -> u64 {
        self.addresses.address(self.receive.at())
    }

    /// Whether something waits in the receive queue. A look without a lock.
    #[must_use]
    pub fn has_received(&self) -> bool {
        self.received() != 0
    }

    /// How many messages wait in the receive queue. A look without a lock.
    #[must_use]
    pub fn received(&self) -> u32 {
        self.receive.entries(&self.memory)
    }

    /// Where in the receive queue the next message is taken from: it moves when somebody takes one.
    #[must_use]
    pub fn position(&self) -> u32 {
        self.receive.position(&self.memory)
    }

    /// How many requests wait for VPP.
    #[must_use]
    pub fn waiting_requests(&self) -> u32 {
        self.input.entries(&self.memory)
    }

    /// Bytes of the largest request that has a place.
    #[must_use]
    pub fn largest_request(&self) -> usize {
        self.outgoing.iter().map(|ring| ring.elements().capacity()).max().unwrap_or(0)
    }

    /// Messages that were copied out because too many were held.
    #[must_use]
    pub fn copied(&self) -> u64 {
        self.copied.load(Ordering::Relaxed)
    }

    /// Messages that are held in place at the moment.
    #[must_use]
    pub fn held(&self) -> u32 {
        self.held.load(Ordering::Relaxed)
    }

    /// Takes a place for a request of `len` bytes; `None` while VPP has all of them.
    ///
    /// # Errors
    ///
    /// When the segment is not as VPP leaves it.
    pub fn place(self: &Arc<Self>, len: usize) -> Result<Option<Place>, SegmentFault> {
        for ring in self.outgoing.iter().filter(|ring| ring.elements().capacity() >= len) {
            if let Some(element) = ring.take(&self.memory)? {
                let capacity = ring.elements().capacity();
                return Ok(Some(Place { segment: Arc::clone(self), element, capacity, handed_over: false }));
            }
        }
        Ok(None)
    }

    /// Hands requests to VPP, as many as its queue takes; gives how many.
    ///
    /// # Errors
    ///
    /// When the segment is not as VPP leaves it.
    pub fn enqueue(&self, addresses: &[u64]) -> Result<usize, SegmentFault> {
        self.input.push(&self.memory, addresses)
    }

    /// Takes addresses of messages that came, as many as have a place; gives how many.
    ///
    /// # Errors
    ///
    /// When the segment is not as VPP leaves it, or VPP took back a message that was held for too long.
    pub fn dequeue(&self, places: &mut [u64]) -> Result<usize, SegmentFault> {
        if !self.has_received() {
            return Ok(0);
        }
        let reclaimed = self.memory.u32(self.api + api::GARBAGE_COLLECTS);
        if reclaimed.is_none_or(|word| word.load(Ordering::Relaxed) != self.reclaimed) {
            return Err(SegmentFault::Reclaimed);
        }
        self.receive.pop(&self.memory, places)
    }

    /// The message at an address that [`Segment::dequeue`] gave. It is this caller's from now on.
    ///
    /// # Errors
    ///
    /// When there can be no message of VPP.
    pub fn message(self: &Arc<Self>, address: u64) -> Result<Incoming, SegmentFault> {
        let wrong = || SegmentFault::Wrong("the address of a message");
        let Some(start) = self.addresses.offset(address, 0) else { return Ok(Incoming::Elsewhere) };
        let element = start.checked_sub(element::LEN).ok_or_else(wrong)?;
        let mut len = [0; 4];
        self.memory.read(element + element::DATA_LEN, &mut len).ok_or_else(wrong)?;
        let len = u32::from_be_bytes(len) as usize;
        // VPP answers in its own rings, and asks whether the client lives in those for requests. There nothing is read in
        // place: whatever VPP says of who has an element, this process may write it.
        for (rings, is_written_here) in [(&self.incoming, false), (&self.outgoing, true)] {
            for ring in rings {
                match ring.elements().contain(start) {
                    None => {}
                    Some(true) if len > ring.elements().capacity() => return Err(wrong()),
                    Some(true) if is_written_here => return Ok(self.take_copy(element, start, len)),
                    Some(true) => return Ok(self.hold(element, start, len)),
                    Some(false) => return Err(wrong()),
                }
            }
        }
        let owner = self.memory.u64(element + element::QUEUE).map(|owner| owner.load(Ordering::Acquire));
        if owner != Some(0) {
            return Err(wrong());
        }
        self.addresses.offset(address, len.max(BLOCK)).ok_or_else(wrong)?;
        let end = start + len.max(BLOCK);
        if self.taken.iter().any(|taken| element < taken.end && taken.start < end) {
            return Err(wrong());
        }
        Ok(Incoming::FromHeap(self.copy(start, len), address))
    }

    fn hold(self: &Arc<Self>, element: usize, start: usize, len: usize) -> Incoming {
        if self.held.fetch_add(1, Ordering::Relaxed) < self.hold {
            return Incoming::InPlace(Slot { segment: Arc::clone(self), element, start, len });
        }
        self.held.fetch_sub(1, Ordering::Relaxed);
        if self.copied.fetch_add(1, Ordering::Relaxed) == 0 {
            tracing::debug!(limit = self.hold, "messages are copied: too many are held in the shared memory");
        }
        self.take_copy(element, start, len)
    }

    fn take_copy(&self, element: usize, start: usize, len: usize) -> Incoming {
        let message = self.copy(start, len);
        release(&self.memory, element);
        Incoming::Copied(message)
    }

    fn copy(&self, start: usize, len: usize) -> Bytes {
        let mut message = vec![0; len];
        // In range: the caller has checked.
        let _copied = self.memory.read(start, &mut message);
        message.into()
    }

    /// Makes a heap block that VPP sent into a message that VPP frees when it has handled it; to be enqueued. Nothing
    /// else of VPP's allocator is reachable from here.
    ///
    /// # Errors
    ///
    /// When the address is none that [`Segment::message`] gave.
    pub fn return_block(&self, address: u64, message: &[u8; 10]) -> Result<(), SegmentFault> {
        let wrong = SegmentFault::Wrong("the address of a message");
        let start = self.addresses.offset(address, message.len()).ok_or(wrong.clone())?;
        self.memory.write(start, message).ok_or(wrong)
    }

    /// Waits until something comes, or for the time, or until [`Segment::wake`].
    ///
    /// # Errors
    ///
    /// When the lock cannot be taken.
    pub fn wait(&self, time: Duration) -> Result<(), SegmentFault> {
        self.receive.wait(&self.memory, time)
    }

    /// Ends [`Segment::wait`].
    pub fn wake(&self) {
        self.receive.wake(&self.memory);
    }

    /// Tells VPP that messages which are held are needed still; to be done every few seconds while any is.
    pub fn refresh(&self) {
        if self.held() > 0 {
            self.incoming.iter().for_each(|ring| ring.refresh(&self.memory));
        }
    }

    #[cfg(test)]
    pub(super) fn memory(&self) -> &Memory {
        &self.memory
    }

    #[cfg(test)]
    pub(super) fn api(&self) -> usize {
        self.api
    }

    /// Whose VPP it is, by its own word.
    #[must_use]
    pub fn vpp_pid(&self) -> u32 {
        self.memory.u32(self.api + api::VPP_PID).map_or(0, |pid| pid.load(Ordering::Relaxed))
    }
}

impl Place {
    /// Writes a request of `len` bytes, all of them zero before.
    ///
    /// # Errors
    ///
    /// Those of `fill`; also when there is not so much place.
    pub fn fill(
        &mut self,
        len: usize,
        fill: impl FnOnce(&mut [u8]) -> Result<(), EncodeError>,
    ) -> Result<(), PlaceError> {
        let memory = &self.segment.memory;
        if len > self.capacity {
            return Err(PlaceError::TooLong);
        }
        let data_len = u32::try_from(len).map_err(|_| PlaceError::TooLong)?;
        memory.write(self.element + element::DATA_LEN, &data_len.to_be_bytes()).ok_or(PlaceError::TooLong)?;
        // SAFETY: the element was taken from its ring under its lock, so VPP neither reads nor writes it, nor does this
        // process give it to another, before it is enqueued, which takes `hand_over` and so `self`. Rings lie beside one
        // another, and nothing is read in place in those for requests, so no other slice of this process is there.
        let bytes = unsafe { memory.owned_mut(self.element + element::LEN, len) };
        let bytes = bytes.ok_or(PlaceError::TooLong)?;
        bytes.fill(0);
        fill(bytes).map_err(PlaceError::Encode)
    }

    /// VPP's address of the message, to be enqueued. From now on the element is VPP's.
    #[must_use]
    pub fn hand_over(mut self) -> u64 {
        self.handed_over = true;
        self.segment.addresses.address(self.element + element::LEN)
    }
}

/// Why a request was not written into a [`Place`].
#[derive(Debug)]
pub enum PlaceError {
    /// There is not so much place.
    TooLong,
    /// It cannot be written.
    Encode(EncodeError),
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.handed_over {
            release(&self.segment.memory, self.element);
        }
    }
}

impl Slot {
    #[cfg(test)]
    pub(super) fn element(&self) -> usize {
        self.element
    }

    /// Leaves out bytes at the start; at most all.
    pub(crate) fn advance(&mut self, len: usize) {
        let len = len.min(self.len);
        self.start += len;
        self.len -= len;
    }
}

impl std::ops::Deref for Slot {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: VPP handed the message over; it is given back when `self` is dropped. What VPP may do by its rules
        // before is to take an element back that it found in use twice, ten seconds apart: `refresh` makes it forget
        // the first time while this process runs, and a process that was stopped for so long learns of it before it
        // is given another message.
        unsafe { self.segment.memory.owned(self.start, self.len) }.unwrap_or_default()
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        release(&self.segment.memory, self.element);
        self.segment.held.fetch_sub(1, Ordering::Relaxed);
    }
}
