//! The multiplexer: many calls, dumps and event streams over one stream of messages.
//!
//! A state machine without sockets, clocks or tasks. Messages and points in time go in; bytes to send, finished calls
//! and waiters to wake come out. A driver connects it to a transport.
//!
//! Contexts run from 1 to 2^31 − 1 and are not used again before all others were, so an answer that comes after its
//! call was given up finds nobody and is discarded. They stay below 2^31 so that no context looks like the client
//! index of an event.

mod events;
mod groups;
mod slots;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use vpp_wire::{EncodeError, Header, Message, MessageInfo};

pub(crate) use self::events::{SubscriberId, Subscribers, Taken};
pub(crate) use self::groups::GroupId;
use self::groups::Groups;
use self::slots::Slots;
use crate::counters::Counters;
use crate::error::Lost;
use crate::payload::Payload;
use crate::table::{Incompatible, MessageTable};
use crate::trace::{Direction, Recorder};
use crate::transport::{Outbox, OutboxError};

/// What a call waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expect {
    /// One message.
    Reply(MessageKind),
    /// Any number of messages, then another.
    Stream { details: MessageKind, end: MessageKind },
}

/// A message as it is recognised on this connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MessageKind {
    pub(crate) id: u16,
    pub(crate) header: Header,
}

impl MessageKind {
    /// A message type, as the VPP of this table knows it.
    #[inline]
    pub(crate) fn of<M: Message>(table: &MessageTable) -> Result<Self, Incompatible> {
        Ok(Self { id: table.id_of::<M>()?, header: M::INFO.header })
    }

    /// A message, as the VPP of this table knows it.
    pub(crate) fn of_info(table: &MessageTable, info: &MessageInfo) -> Result<Self, Incompatible> {
        Ok(Self { id: table.id_of_info(info)?, header: info.header })
    }

    /// Writes what stands before a payload, into exactly as many bytes.
    fn write_header(self, place: &mut [u8], client_index: [u8; 4], context: u32) {
        let (id, words) = place.split_at_mut(2);
        id.copy_from_slice(&self.id.to_be_bytes());
        match self.header {
            Header::Bare => {}
            Header::Client => words.copy_from_slice(&client_index),
            Header::Context => words.copy_from_slice(&context.to_be_bytes()),
            Header::ClientContext => {
                words[..4].copy_from_slice(&client_index);
                words[4..].copy_from_slice(&context.to_be_bytes());
            }
        }
    }
}

/// A request to be written.
pub(crate) struct Outgoing {
    pub(crate) kind: MessageKind,
    pub(crate) payload_len: usize,
}

impl Outgoing {
    /// Bytes of the message.
    pub(crate) fn len(&self) -> usize {
        self.kind.header.len() + self.payload_len
    }
}

/// The context of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Context(pub(crate) u32);

/// How a call failed, seen from the stream of messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    Unexpected { id: u16 },
    DeadlineExceeded { after: Duration },
    StreamOverrun { limit: usize },
    Lost(Lost),
}

/// A call that waits, or whose end waits to be taken.
#[derive(Debug)]
struct Slot<W> {
    expect: Expect,
    /// What came and was not taken yet: payloads.
    inbox: VecDeque<Payload>,
    inbox_bytes: usize,
    /// The reply of a call or the end of a stream.
    end: Option<Payload>,
    failure: Option<Failure>,
    waiter: Option<W>,
    /// Who waits for this one and others, where that is not `waiter`; until this one is over.
    group: Option<GroupId>,
    begun: Instant,
    /// A stream's deadline starts anew with each message.
    deadline: Instant,
    patience: Duration,
}

impl<W> Slot<W> {
    fn is_over(&self) -> bool {
        self.end.is_some() || self.failure.is_some()
    }

    /// Takes whoever waits for this call, which has got something. What a call of a group gets is its end.
    fn take_waiter(&mut self, groups: &mut Groups<W>) -> Option<W> {
        self.waiter.take().or_else(|| groups.end_one(self.group.take()?))
    }
}

/// What a call gives when it is asked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// Nothing yet.
    Pending,
    /// An element of a stream.
    Details(Payload),
    /// The reply, or the end of a stream. The call is gone.
    End(Payload),
    /// The call failed. It is gone.
    Failed(Failure),
}

/// Why a request was not begun.
#[derive(Debug)]
pub(crate) enum BeginError {
    Encode(EncodeError),
    TooLong(usize),
    Lost(Lost),
}

/// The state of one connection. `W` is what wakes a waiter.
#[derive(Debug)]
pub(crate) struct Mux<W> {
    slots: Slots<Slot<W>>,
    groups: Groups<W>,
    subscribers: Subscribers<W>,
    /// By message id: where its context stands, for those that were used.
    headers: Vec<Option<Header>>,
    stream_limit: usize,
    /// Earliest deadline known. Never later than any deadline of a waiting call.
    timeout: Option<Instant>,
    lost: Option<Lost>,
    /// Calls that the end cut off.
    cut_off: usize,
    woken: VecDeque<W>,
    counters: Counters,
    recorder: Option<Recorder>,
    /// The call that was last asked for what it had not.
    latest: u32,
}

impl<W> Mux<W> {
    /// A multiplexer whose streams fail when more than `stream_limit` bytes of one wait, and which keeps the last
    /// messages where it gets room for them.
    pub(crate) fn new(stream_limit: usize, recorder: Option<Recorder>) -> Self {
        Self {
            slots: Slots::default(),
            groups: Groups::default(),
            subscribers: Subscribers::default(),
            headers: Vec::new(),
            stream_limit,
            timeout: None,
            lost: None,
            cut_off: 0,
            woken: VecDeque::new(),
            counters: Counters::default(),
            recorder,
            latest: 0,
        }
    }

    /// Calls that wait for their end.
    pub(crate) fn waiting(&self) -> usize {
        self.slots.len()
    }

    /// Messages that came.
    pub(crate) fn received(&self) -> u64 {
        self.counters.received
    }

    /// Whether [`Mux::woken`] has any.
    pub(crate) fn has_woken(&self) -> bool {
        !self.woken.is_empty()
    }

    /// Waiters whose calls or subscriptions have something for them.
    pub(crate) fn woken(&mut self) -> impl Iterator<Item = W> {
        std::iter::from_fn(|| self.woken.pop_front())
    }

    /// What was done so far.
    pub(crate) fn counters(&self) -> Counters {
        let waiting = self.slots.iter().filter(|slot| !slot.is_over()).count();
        Counters { in_flight: waiting as u64, events_lost: self.subscribers.lost(), ..self.counters.clone() }
    }

    /// The last messages, where they are kept.
    pub(crate) fn recorder(&mut self) -> Option<&mut Recorder> {
        self.recorder.as_mut()
    }

    /// How the connection ended, if it did.
    pub(crate) fn lost(&self) -> Option<&Lost> {
        self.lost.as_ref()
    }

    /// How many calls waited when the connection ended.
    pub(crate) fn cut_off(&self) -> usize {
        self.cut_off
    }

    /// The event streams.
    pub(crate) fn subscribers(&mut self) -> &mut Subscribers<W> {
        &mut self.subscribers
    }

    /// Whether one call alone waits for what comes next.
    pub(crate) fn is_solo(&self) -> bool {
        self.is_alone(1)
    }

    /// Whether nobody waits for what comes next but somebody with so many calls: no other calls, no streams of events.
    pub(crate) fn is_alone(&self, calls: usize) -> bool {
        self.slots.len() == calls && self.subscribers.is_empty()
    }

    /// Those who wait for any of several calls.
    pub(crate) fn groups(&mut self) -> &mut Groups<W> {
        &mut self.groups
    }

    /// Adds a subscriber to an event; an error when the connection has ended.
    pub(crate) fn subscribe(&mut self, event: MessageKind, capacity: usize) -> Result<SubscriberId, Lost> {
        if let Some(lost) = &self.lost {
            return Err(lost.clone());
        }
        self.learn(event);
        Ok(self.subscribers.add(event, capacity))
    }

    /// Writes requests behind one another with one context, and waits for what they are expected to bring. The context
    /// is the call's until its end is taken or it is given up.
    pub(crate) fn begin(
        &mut self,
        outbox: &mut impl Outbox,
        requests: &[Outgoing],
        expect: Expect,
        now: Instant,
        patience: Duration,
        write: impl FnMut(usize, &mut [u8]) -> Result<(), EncodeError>,
    ) -> Result<Context, BeginError> {
        match expect {
            Expect::Reply(reply) => self.learn(reply),
            Expect::Stream { details, end } => {
                self.learn(details);
                self.learn(end);
            }
        }
        let context = self.slots.next_context();
        self.write(outbox, requests, context, now, write)?;
        // A deadline past the end of time never comes.
        let deadline =
            now.checked_add(patience).unwrap_or_else(|| now + Duration::from_secs(u32::MAX.into()));
        self.timeout = Some(self.timeout.map_or(deadline, |timeout| timeout.min(deadline)));
        self.slots.insert(
            context,
            Slot {
                expect,
                inbox: VecDeque::new(),
                inbox_bytes: 0,
                end: None,
                failure: None,
                waiter: None,
                group: None,
                begun: now,
                deadline,
                patience,
            },
        );
        Ok(Context(context))
    }

    /// Writes a request whose answer nobody waits for.
    pub(crate) fn send_detached(
        &mut self,
        outbox: &mut impl Outbox,
        request: Outgoing,
        now: Instant,
        mut write: impl FnMut(&mut [u8]) -> Result<(), EncodeError>,
    ) -> Result<(), BeginError> {
        let context = self.slots.next_context();
        self.write(outbox, &[request], context, now, |_, payload| write(payload))
    }

    fn write(
        &mut self,
        outbox: &mut impl Outbox,
        requests: &[Outgoing],
        context: u32,
        now: Instant,
        mut write: impl FnMut(usize, &mut [u8]) -> Result<(), EncodeError>,
    ) -> Result<(), BeginError> {
        if let Some(lost) = &self.lost {
            return Err(BeginError::Lost(lost.clone()));
        }
        let client_index = outbox.begin(requests, self.slots.len());
        for (index, request) in requests.iter().enumerate() {
            let written = outbox.message(request.len(), |message| {
                let (header, payload) = message.split_at_mut(request.kind.header.len());
                request.kind.write_header(header, client_index, context);
                write(index, payload)?;
                if let Some(recorder) = &mut self.recorder {
                    recorder.record(now, Direction::Sent, message);
                }
                Ok(())
            });
            if let Err(error) = written {
                outbox.rollback();
                return Err(match error {
                    OutboxError::Encode(error) => BeginError::Encode(error),
                    OutboxError::TooLong(len) => BeginError::TooLong(len),
                });
            }
        }
        outbox.commit();
        self.counters.sent += requests.len() as u64;
        self.counters.sent_bytes += requests.iter().map(|request| request.len() as u64).sum::<u64>();
        Ok(())
    }

    /// Takes a message that came.
    pub(crate) fn receive(&mut self, message: Payload, now: Instant) {
        self.count_received(&message, now);
        let Some(id) = message.first_chunk().map(|id| u16::from_be_bytes(*id)) else {
            self.counters.unasked += 1;
            return;
        };
        let header = self.headers.get(usize::from(id)).copied().flatten();
        let context = header.and_then(Header::context).and_then(|at| context_at(&message, at));
        match context.and_then(|context| self.slots.get(context)) {
            Some(slot) => {
                let header = header.unwrap_or(Header::Context);
                Self::deliver(slot, id, header, message, now, self.stream_limit, &mut self.counters);
                self.woken.extend(slot.take_waiter(&mut self.groups));
            }
            None if self.subscribers.wants(id) => {
                self.counters.events += 1;
                let header_len = header.map_or(2, Header::len);
                self.woken
                    .extend(self.subscribers.publish(id, message.get(header_len..).unwrap_or_default()));
            }
            None if context.is_some() => self.counters.late += 1,
            None => self.counters.unasked += 1,
        }
    }

    /// A message of a kind that nothing on this connection expects, but whose context may be a call's all the same.
    ///
    /// The caller knows from the message's name that it is a reply or an element, which almost all carry their context
    /// right behind the id. Without this a call that is answered with the wrong message would end by its deadline only.
    pub(crate) fn receive_foreign_reply(&mut self, message: &[u8], now: Instant) {
        self.count_received(message, now);
        let id = message.first_chunk().map(|id| u16::from_be_bytes(*id));
        let slot = context_at(message, 2).and_then(|context| self.slots.get(context));
        match (id, slot) {
            (Some(id), Some(slot)) if !slot.is_over() => {
                slot.failure = Some(Failure::Unexpected { id });
                self.counters.failed += 1;
                self.woken.extend(slot.take_waiter(&mut self.groups));
            }
            _ => self.counters.unasked += 1,
        }
    }

    fn count_received(&mut self, message: &[u8], now: Instant) {
        self.counters.received += 1;
        self.counters.received_bytes += message.len() as u64;
        if let Some(recorder) = &mut self.recorder {
            recorder.record(now, Direction::Received, message);
        }
    }

    /// Whether something on this connection expects or expected messages of this id.
    pub(crate) fn knows(&self, id: u16) -> bool {
        self.headers.get(usize::from(id)).is_some_and(Option::is_some)
    }

    fn deliver(
        slot: &mut Slot<W>,
        id: u16,
        header: Header,
        mut message: Payload,
        now: Instant,
        stream_limit: usize,
        counters: &mut Counters,
    ) {
        if slot.is_over() {
            counters.late += 1;
            return;
        }
        // The context was there, so the header is.
        message.advance(header.len());
        match slot.expect {
            Expect::Reply(reply) if reply.id == id => slot.end = Some(message),
            Expect::Stream { end, .. } if end.id == id => slot.end = Some(message),
            Expect::Stream { details, .. } if details.id == id => {
                slot.inbox_bytes += message.len();
                slot.inbox.push_back(message);
                slot.deadline = now.checked_add(slot.patience).unwrap_or(slot.deadline);
                if slot.inbox_bytes > stream_limit {
                    slot.failure = Some(Failure::StreamOverrun { limit: stream_limit });
                    slot.inbox = VecDeque::new();
                }
            }
            _ => slot.failure = Some(Failure::Unexpected { id }),
        }
        if slot.end.is_some() {
            counters.answered += 1;
            counters.latency.add(now.saturating_duration_since(slot.begun));
        } else if slot.failure.is_some() {
            counters.failed += 1;
        }
    }

    /// Takes the waiter of a call, so that what comes before it asks again does not wake it.
    pub(crate) fn take_waiter(&mut self, context: Context) -> Option<W> {
        self.slots.get(context.0)?.waiter.take()
    }

    /// From now on the end of a call, which has just begun and is no stream, wakes who waits for this group.
    pub(crate) fn join(&mut self, context: Context, group: GroupId) {
        if let Some(slot) = self.slots.get(context.0) {
            slot.group = Some(group);
        }
    }

    /// Whether elements of a stream wait to be taken.
    pub(crate) fn has_elements(&mut self, context: Context) -> bool {
        self.slots.get(context.0).is_some_and(|slot| !slot.inbox.is_empty())
    }

    /// Takes the end of a call, if it has ended; of a stream whose elements were all taken, too.
    pub(crate) fn take_if_over(&mut self, context: Context) -> Option<Progress> {
        match self.slots.get(context.0) {
            Some(slot) if !slot.is_over() => None,
            _ => Some(self.take_end(context)),
        }
    }

    /// Asks a call for what it has. While it has nothing, `waiter` is kept and woken by the next message.
    pub(crate) fn poll(&mut self, context: Context, waiter: impl FnOnce(Option<W>) -> W) -> Progress {
        let Some(slot) = self.slots.get(context.0) else {
            return Progress::Failed(Failure::Lost(self.lost.clone().unwrap_or(Lost::Closed)));
        };
        if let Some(details) = slot.inbox.pop_front() {
            slot.inbox_bytes -= details.len();
            return Progress::Details(details);
        }
        if !slot.is_over() {
            slot.waiter = Some(waiter(slot.waiter.take()));
            self.latest = context.0;
            return Progress::Pending;
        }
        self.take_end(context)
    }

    fn take_end(&mut self, context: Context) -> Progress {
        match self.slots.remove(context.0) {
            Some(Slot { failure: Some(failure), .. }) => Progress::Failed(failure),
            Some(Slot { end: Some(end), .. }) => Progress::End(end),
            // Not over, which callers exclude.
            Some(_) => Progress::Pending,
            None => Progress::Failed(Failure::Lost(self.lost.clone().unwrap_or(Lost::Closed))),
        }
    }

    /// Wakes the call that was last told to wait, where it waits still; tells whether it did.
    #[cfg(shared_memory)]
    pub(crate) fn wake_latest(&mut self) -> bool {
        let waiter = self.slots.get(self.latest).and_then(|slot| slot.waiter.take());
        let waits = waiter.is_some();
        self.woken.extend(waiter);
        waits
    }

    /// Gives a call up. What still comes for it is discarded. Tells whether it was not over yet.
    pub(crate) fn cancel(&mut self, context: Context) -> bool {
        let waited = self.slots.remove(context.0).is_some_and(|slot| !slot.is_over());
        self.counters.given_up += u64::from(waited);
        waited
    }

    /// When [`Mux::handle_timeout`] has to be called at the latest. May be earlier than the first deadline.
    pub(crate) fn timeout(&self) -> Option<Instant> {
        self.timeout
    }

    /// Fails every call whose deadline has come.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        if self.timeout.is_none_or(|timeout| now < timeout) {
            return;
        }
        self.timeout = None;
        for slot in self.slots.iter_mut().filter(|slot| !slot.is_over()) {
            if slot.deadline <= now {
                slot.failure = Some(Failure::DeadlineExceeded { after: slot.patience });
                self.counters.failed += 1;
                self.woken.extend(slot.take_waiter(&mut self.groups));
            } else {
                self.timeout = Some(self.timeout.map_or(slot.deadline, |timeout| timeout.min(slot.deadline)));
            }
        }
    }

    /// Ends everything: every call and every stream of events fails, and nothing is begun any more. Streams give what
    /// came before first.
    pub(crate) fn fail(&mut self, lost: &Lost) {
        if self.lost.is_some() {
            return;
        }
        self.lost = Some(lost.clone());
        self.timeout = None;
        for slot in self.slots.iter_mut() {
            if !slot.is_over() {
                slot.failure = Some(Failure::Lost(lost.clone()));
                self.counters.failed += 1;
                self.cut_off += 1;
            }
            self.woken.extend(slot.take_waiter(&mut self.groups));
        }
        self.woken.extend(self.subscribers.wake_all());
    }

    fn learn(&mut self, message: MessageKind) {
        let id = usize::from(message.id);
        if self.headers.len() <= id {
            self.headers.resize(id + 1, None);
        }
        self.headers[id] = Some(message.header);
    }
}

fn context_at(message: &[u8], at: usize) -> Option<u32> {
    message.get(at..)?.first_chunk().map(|context| u32::from_be_bytes(*context))
}
