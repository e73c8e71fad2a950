//! VPP's private shared memory, with the socket beside it.
//!
//! Requests are written into elements of the segment's rings and enqueued. The socket stays: its end is VPP's end, bytes
//! on it wake a VPP that sleeps, and requests that have no place in a ring go over it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::Waker;
use std::time::{Duration, Instant};

use vpp_wire::EncodeError;

use super::bell::Bell;
use super::doors::{Doors, Path, Request};
use super::pace::Pace;
use super::{Filled, Outbox, OutboxError, Parting, Socket};
use crate::error::{CloseError, Lost};
use crate::handshake::shared_memory::{self as messages, Client};
use crate::mux::Outgoing;
use crate::payload::Payload;
use crate::shared_memory::{Incoming, Place, PlaceError, Segment, SegmentFault};

/// Addresses taken from the receive queue at a time.
const BATCH: usize = 64;

/// VPP sleeps again so long after it was woken, if it ever does.
const LONG_AGO: Duration = Duration::from_millis(1);

/// Requests that are written by VPP's rules into shared memory, answers read from it.
#[derive(Debug)]
pub(crate) struct SharedMemory {
    socket: Socket,
    segment: Arc<Segment>,
    /// What VPP knows this client by, once it does.
    client: Option<Client>,
    /// Requests that go over the socket: a bit for each id.
    by_socket: Vec<u64>,
    bell: Bell,
    pace: Pace,
    /// Requests that waited for VPP when they were last looked at.
    waiting: u32,
    /// When VPP was last woken though it was believed to poll.
    rang: Option<Instant>,
    doors: Doors,
    /// What there is of the group that is being written.
    group: Vec<Place>,
    group_waits: Vec<Vec<u8>>,
    /// Addresses for which VPP's queue had no room.
    staged: VecDeque<u64>,
    /// Requests for which no ring had a place.
    backlog: VecDeque<Vec<u8>>,
    received: [u64; BATCH],
    next: usize,
    count: usize,
    /// Something came since VPP was last woken.
    answered: bool,
    fault: Option<SegmentFault>,
    /// VPP has given the segment up.
    gone: bool,
}

impl SharedMemory {
    pub(crate) fn new(socket: Socket, segment: Arc<Segment>, by_socket: &[u16], doors: Doors) -> Self {
        let mut bits = vec![0; usize::from(by_socket.iter().max().copied().unwrap_or(0)) / 64 + 1];
        for id in by_socket {
            bits[usize::from(id / 64)] |= 1 << (id % 64);
        }
        Self {
            socket,
            segment,
            client: None,
            by_socket: bits,
            bell: Bell::default(),
            pace: Pace::default(),
            waiting: 0,
            rang: None,
            doors,
            group: Vec::new(),
            group_waits: Vec::new(),
            staged: VecDeque::new(),
            backlog: VecDeque::new(),
            received: [0; BATCH],
            next: 0,
            count: 0,
            answered: false,
            fault: None,
            gone: false,
        }
    }

    pub(crate) fn client_index(&self) -> [u8; 4] {
        self.client.map_or([0; 4], |client| client.index)
    }

    pub(crate) fn segment(&self) -> &Arc<Segment> {
        &self.segment
    }

    /// Sends the message that makes this a client of shared memory.
    pub(crate) fn introduce(&mut self, message: &[u8]) {
        self.send_own(message);
    }

    /// VPP took the client.
    pub(crate) fn welcomed(&mut self, client: Client) {
        self.client = Some(client);
        // How long VPP took for the introduction says nothing of later requests.
        self.pace = Pace::default();
    }

    pub(crate) fn fill(&mut self, waker: Option<&Waker>) -> Filled {
        if let Some(fault) = self.fault.take() {
            return Filled::Failed(Lost::SharedMemory(fault));
        }
        if !self.gone {
            match self.segment.dequeue(&mut self.received) {
                Ok(0) => {}
                Ok(count) => {
                    (self.next, self.count) = (0, count);
                    self.answered = true;
                    self.heard();
                    return Filled::Something;
                }
                Err(fault) => return Filled::Failed(Lost::SharedMemory(fault)),
            }
        }
        waker.map_or(Filled::Nothing, |waker| self.socket.fill(waker))
    }

    pub(crate) fn next_message(&mut self) -> Result<Option<Payload>, Lost> {
        while self.next < self.count {
            let address = self.received[self.next];
            self.next += 1;
            let message = match self.segment.message(address).map_err(Lost::SharedMemory)? {
                Incoming::Elsewhere => {
                    tracing::warn!(
                        "VPP sent what cannot be read over shared memory: an event or a late answer to a request that has to go over the socket"
                    );
                    continue;
                }
                Incoming::InPlace(slot) => Payload::from(slot),
                Incoming::Copied(bytes) => Payload::from(bytes),
                Incoming::FromHeap(bytes, block) => {
                    let alive = messages::alive(self.client_index());
                    self.segment.return_block(block, &alive).map_err(Lost::SharedMemory)?;
                    self.staged.push_back(block);
                    Payload::from(bytes)
                }
            };
            if message.first_chunk() == Some(&messages::KEEPALIVE.to_be_bytes()) {
                drop(message);
                self.send_own(&messages::alive(self.client_index()));
                continue;
            }
            if self.doors.is_passed(&message) {
                drop(message);
                self.go_on();
                continue;
            }
            return Ok(Some(message));
        }
        while let Some(message) = self.socket.next_message()? {
            if !self.doors.is_passed(&message) {
                return Ok(Some(message));
            }
            self.go_on();
        }
        Ok(None)
    }

    /// Whether what comes next is looked for in shared memory; else it is read from the socket.
    pub(crate) fn is_looked_for(&self) -> bool {
        self.doors.waits_for() == Path::Rings
    }

    /// How many requests are expected to be under way at once.
    pub(crate) fn expect_many(&mut self, many: usize) {
        self.doors.expect_many(many);
    }

    /// A call was given up: its request may be on its way still.
    pub(crate) fn given_up(&mut self) {
        self.doors.given_up();
    }

    /// How many requests are worth sending before it is known whether VPP polls; `None` when it is.
    pub(crate) fn at_once(&self) -> Option<usize> {
        let more = self.pace.at_once(Instant::now())?;
        Some(more.saturating_sub(self.doors.held()))
    }

    /// Whether VPP is believed to poll.
    pub(crate) fn polls(&self) -> bool {
        self.pace.polls()
    }

    /// How long may still pass before VPP is woken for what it was not woken for.
    pub(crate) fn patience(&self) -> Option<Duration> {
        if self.pace.polls() { None } else { self.pace.patience(Instant::now()) }
    }

    /// That time has passed.
    pub(crate) fn lose_patience(&mut self) {
        let now = Instant::now();
        self.pace.sleeps(now);
        let bytes = self.bell.needed(self.segment.waiting_requests(), now);
        self.ring_bytes(bytes, now);
    }

    /// Something came: VPP has taken requests.
    fn heard(&mut self) {
        if self.pace.polls() {
            if self.rang.is_none_or(|rang| rang.elapsed() > LONG_AGO) {
                self.rang = None;
                self.pace.took_by_itself();
            }
            return;
        }
        let waiting = self.segment.waiting_requests();
        self.bell.took(self.waiting.saturating_sub(waiting) as usize);
        self.waiting = waiting;
        self.pace.heard(waiting, Instant::now());
    }

    /// What was held back goes on its way: up to the next change of the way.
    fn go_on(&mut self) {
        while let Some((path, message)) = self.doors.next() {
            self.put(path, &message);
        }
        self.send_fence();
    }

    fn send_fence(&mut self) {
        if let Some((path, ping)) = self.doors.fence(self.client_index(), self.socket.client_index()) {
            self.put(path, &ping);
        }
    }

    fn index_of(&self, path: Path) -> [u8; 4] {
        match path {
            Path::Rings => self.client_index(),
            Path::Socket => self.socket.client_index(),
        }
    }

    /// Sends a message as it stands.
    fn put(&mut self, path: Path, message: &[u8]) {
        match path {
            Path::Rings => self.send_own(message),
            Path::Socket => {
                self.finish_filler();
                // It was measured when it was taken.
                let _written = self.socket.output().message(message.len(), |bytes| {
                    bytes.copy_from_slice(message);
                    Ok(())
                });
            }
        }
    }

    pub(crate) fn has_unsent(&self) -> bool {
        self.answered || !self.staged.is_empty() || !self.backlog.is_empty() || self.socket.has_unsent()
    }

    pub(crate) fn flush(&mut self, waker: &Waker) -> Result<(), Lost> {
        self.enqueue().map_err(Lost::SharedMemory)?;
        self.socket.flush(waker)
    }

    /// Hands over what has a place, finds places for what has none, and wakes VPP where it sleeps.
    pub(crate) fn enqueue(&mut self) -> Result<(), SegmentFault> {
        if self.gone {
            return Ok(());
        }
        let mut sent = 0;
        loop {
            while !self.staged.is_empty() {
                let count = self.segment.enqueue(self.staged.as_slices().0)?;
                self.staged.drain(..count);
                sent += count;
                if count == 0 {
                    self.ring(sent);
                    return Ok(());
                }
            }
            let Some(message) = self.backlog.front() else { break };
            let Some(mut place) = self.segment.place(message.len())? else { break };
            // Of its own length, and bytes that are there already.
            let _filled = place.fill(message.len(), |bytes| {
                bytes.copy_from_slice(message);
                Ok(())
            });
            self.staged.push_back(place.hand_over());
            self.backlog.pop_front();
        }
        self.ring(sent);
        Ok(())
    }

    /// Wakes VPP for requests that were just handed over, and for those that wait still when an answer came; unless it
    /// polls.
    fn ring(&mut self, sent: usize) {
        if (sent > 0 || std::mem::take(&mut self.answered)) && !self.pace.polls() {
            let waiting = self.segment.waiting_requests();
            self.bell.took((self.waiting + sent as u32).saturating_sub(waiting) as usize);
            self.waiting = waiting;
            let now = Instant::now();
            if self.pace.sent(sent as u32, waiting, now) {
                let bytes = self.bell.needed(waiting, now);
                self.ring_bytes(bytes, now);
            }
        }
    }

    /// Wakes VPP for what waits still though it was woken for it, or was believed to poll.
    pub(crate) fn ring_again(&mut self) {
        if !self.gone && self.segment.waiting_requests() > 0 {
            let now = Instant::now();
            self.pace.sleeps(now);
            let bytes = self.bell.again();
            self.ring_bytes(bytes, now);
        }
    }

    fn ring_bytes(&mut self, len: usize, now: Instant) {
        // What is to be written to the socket wakes it too.
        if len == 0 || self.socket.has_unsent() {
            return;
        }
        // A full socket means that VPP will be awake.
        if let Ok(len) = self.socket.send_now(self.bell.bytes(len)) {
            self.bell.rung(len, now);
            self.rang = self.pace.polls().then_some(now);
        }
    }

    /// A message of the transport's own.
    fn send_own(&mut self, message: &[u8]) {
        self.backlog.push_back(message.to_vec());
    }

    pub(crate) fn say_goodbye(&mut self) {
        if let Some(client) = self.client {
            self.send_own(&messages::delete(client, false));
        }
    }

    pub(crate) fn parting(&mut self, id: u16) -> Parting {
        if id == messages::DELETE_REPLY && !self.gone {
            // VPP has unmapped the segment. What is held stays readable, the mapping is this process's.
            self.gone = true;
            (self.next, self.count) = (0, 0);
            self.finish_filler();
            self.socket.say_goodbye();
            return Parting::Continues;
        }
        self.socket.parting(id)
    }

    /// Completes the message that the bell's bytes are of, before others can follow on the socket.
    fn finish_filler(&mut self) {
        let rest = self.bell.rest();
        self.socket.output().bytes.extend_from_slice(rest);
        let len = rest.len();
        self.bell.rung(len, Instant::now());
    }

    pub(crate) fn exchange_blocking(&mut self, until: Instant, patience: Duration) -> Result<(), CloseError> {
        while !self.gone {
            self.enqueue().map_err(|fault| CloseError::Lost(Lost::SharedMemory(fault)))?;
            self.ring_again();
            if self.segment.has_received() {
                if let Filled::Failed(lost) = self.fill(None) {
                    return Err(CloseError::Lost(lost));
                }
                return Ok(());
            }
            if Instant::now() >= until {
                return Err(CloseError::TimedOut(patience));
            }
            self.segment
                .wait(Duration::from_millis(1))
                .map_err(|fault| CloseError::Lost(Lost::SharedMemory(fault)))?;
        }
        self.socket.exchange_blocking(until, patience)
    }

    pub(crate) fn shut(&mut self) {
        if !self.gone {
            // The last that can be done for a segment that VPP would keep otherwise.
            self.gone = true;
            if let Some(client) = self.client
                && let Ok(Some(mut place)) = self.segment.place(32)
            {
                let message = messages::delete(client, true);
                let filled = place.fill(message.len(), |bytes| {
                    bytes.copy_from_slice(&message);
                    Ok(())
                });
                if filled.is_ok() {
                    let _full = self.segment.enqueue(&[place.hand_over()]);
                }
            }
        }
        self.segment.wake();
        self.socket.shut();
    }
}

impl Outbox for SharedMemory {
    fn begin(&mut self, requests: &[Outgoing], others: usize) -> [u8; 4] {
        let is_large = |request: &Outgoing| request.len() > self.segment.largest_request();
        let is_for_socket = |request: &Outgoing| {
            let id = request.kind.id;
            self.by_socket.get(usize::from(id / 64)).is_some_and(|bits| bits & 1 << (id % 64) != 0)
        };
        let has_no_place = requests.iter().any(|request| is_large(request) || is_for_socket(request));
        let request = if has_no_place {
            Request::HasNoPlace
        } else if self.pace.polls() || self.pace.tries(Instant::now) {
            Request::Passes
        } else {
            let len = requests.iter().map(Outgoing::len).max().unwrap_or(0);
            Request::Wakes { len, is_shared: self.bell.is_shared() }
        };
        let path = self.doors.begin(request, others);
        self.send_fence();
        if path == Path::Socket && !self.doors.holds() {
            self.finish_filler();
            self.socket.output().begin(requests, others);
        }
        self.index_of(path)
    }

    fn message(
        &mut self,
        len: usize,
        fill: impl FnOnce(&mut [u8]) -> Result<(), EncodeError>,
    ) -> Result<(), OutboxError> {
        let place = if self.doors.holds() {
            None
        } else if self.doors.path() == Path::Socket {
            return self.socket.output().message(len, fill);
        } else if self.backlog.is_empty() && self.group_waits.is_empty() {
            self.segment.place(len).unwrap_or_else(|fault| {
                self.fault = Some(fault);
                None
            })
        } else {
            None
        };
        let Some(mut place) = place else {
            let mut message = vec![0; len];
            fill(&mut message).map_err(OutboxError::Encode)?;
            self.group_waits.push(message);
            return Ok(());
        };
        place.fill(len, fill).map_err(|error| match error {
            PlaceError::Encode(error) => OutboxError::Encode(error),
            PlaceError::TooLong => OutboxError::TooLong(len),
        })?;
        self.group.push(place);
        Ok(())
    }

    fn commit(&mut self) {
        if self.doors.holds() {
            return self.doors.hold(self.group_waits.drain(..));
        }
        self.staged.extend(self.group.drain(..).map(Place::hand_over));
        self.backlog.extend(self.group_waits.drain(..));
    }

    fn rollback(&mut self) {
        if self.doors.path() == Path::Socket && !self.doors.holds() {
            return self.socket.output().rollback();
        }
        self.group.clear();
        self.group_waits.clear();
    }
}

impl Drop for SharedMemory {
    fn drop(&mut self) {
        self.shut();
    }
}
