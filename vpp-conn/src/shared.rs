//! What the handles of a connection share: the multiplexer, the socket, and who reads it.
//!
//! Whoever waits reads. A call that waits alone is woken by the socket itself, reads its own reply and goes on: one
//! wake-up, no second task. When several wait, or events are subscribed to, a background task is woken and tells each
//! what came for it. The same task keeps deadlines, notices that VPP ended while nobody waits, and says good-bye.

mod ending;
#[cfg(shared_memory)]
mod looking;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context as TaskContext, Poll, Waker};
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::Notify;
use vpp_wire::EncodeError;

use self::ending::Goodbye;
use crate::connect::Transport;
use crate::counters::Counters;
use crate::error::{CallError, CloseError, Lost};
use crate::mux::{
    BeginError, Context, Expect, Failure, GroupId, MessageKind, Mux, Outgoing, Progress, SubscriberId, Taken,
};
use crate::readers::Readers;
use crate::registrations::Registrations;
use crate::settings::Settings;
use crate::table::MessageTable;
use crate::trace::{Record, Recorder, Traced};
use crate::transport::{Filled, Link, Parting};
#[cfg(shared_memory)]
use crate::watch::Watch;

/// Reads of one turn, so that a long dump does not keep the lock.
const READS_PER_TURN: usize = 16;

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) path: PathBuf,
    pub(crate) settings: Settings,
    pub(crate) table: MessageTable,
    pub(crate) client_index: [u8; 4],
    /// What VPP was asked to tell of.
    pub(crate) registrations: Registrations,
    /// How messages are carried over that VPP has otherwise, where the program allows it.
    #[cfg(feature = "bridge")]
    pub(crate) bridging: std::sync::OnceLock<crate::bridge::Bridging>,
    readers: Arc<Readers>,
    /// Wakes whoever `readers` names.
    io_waker: Waker,
    core: Mutex<Core>,
    /// Told when the transport carries nothing any more.
    ended: Notify,
    /// Who looks into shared memory, and when.
    #[cfg(shared_memory)]
    pub(crate) watch: Option<Watch>,
}

#[derive(Debug)]
pub(crate) struct Core {
    mux: Mux<Waker>,
    link: Link,
    /// When the background task wakes by itself.
    armed: Option<Instant>,
    /// The transport carries nothing any more.
    dead: bool,
    goodbye: Goodbye,
    /// How often something came: a number that grows is a sign of life.
    heard: u64,
}

impl Core {
    fn give_up(&mut self, context: Context) {
        if self.mux.cancel(context) {
            self.link.given_up();
        }
    }

    /// Whether nobody need look for answers for a while, after which the waker is told.
    fn rest(&mut self, waker: &Waker) -> bool {
        let (messages, calls) = (self.mux.received(), self.mux.waiting());
        self.link.rest(messages, calls, waker)
    }

    /// Begins a group of calls of one who waits for any of them.
    pub(crate) fn add_group(&mut self) -> GroupId {
        self.mux.groups().add()
    }

    /// Makes a call one of a group.
    pub(crate) fn join(&mut self, context: Context, group: GroupId) {
        self.mux.join(context, group);
    }

    /// How many calls of a group have ended since this was last asked.
    pub(crate) fn take_ended(&mut self, group: GroupId) -> usize {
        self.mux.groups().take_ended(group)
    }

    /// Takes the end of a call, if it has ended.
    pub(crate) fn take_if_over(&mut self, context: Context) -> Option<Progress> {
        self.mux.take_if_over(context)
    }
}

impl Shared {
    pub(crate) fn new(path: PathBuf, settings: Settings, table: MessageTable, link: Link) -> Self {
        let readers = Arc::new(Readers::default());
        Self {
            #[cfg(shared_memory)]
            watch: match &link {
                Link::SharedMemory(shared) => {
                    Some(Watch::new(Arc::clone(shared.segment()), settings.receive))
                }
                Link::Socket(_) => None,
            },
            path,
            table,
            client_index: link.client_index(),
            registrations: Registrations::default(),
            #[cfg(feature = "bridge")]
            bridging: std::sync::OnceLock::new(),
            io_waker: Waker::from(Arc::clone(&readers)),
            readers,
            core: Mutex::new(Core {
                mux: Mux::new(settings.stream_limit, settings.trace.map(Recorder::new)),
                link,
                armed: None,
                dead: false,
                goodbye: Goodbye::No,
                heard: 0,
            }),
            ended: Notify::new(),
            settings,
        }
    }

    /// Works on the state under its lock; then, without the lock, wakes those for whom something came.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&mut Core) -> T) -> T {
        let mut core = self.core.lock().unwrap_or_else(PoisonError::into_inner);
        let result = work(&mut core);
        while core.mux.has_woken() {
            let mut batch: [Option<Waker>; 32] = std::array::from_fn(|_| None);
            batch.iter_mut().zip(core.mux.woken()).for_each(|(place, waker)| *place = Some(waker));
            drop(core);
            batch.into_iter().flatten().for_each(Waker::wake);
            core = self.core.lock().unwrap_or_else(PoisonError::into_inner);
        }
        result
    }

    /// Begins a call: writes its requests, at once when nobody else is at work, else together with what comes
    /// meanwhile.
    pub(crate) fn begin(
        &self,
        core: &mut Core,
        requests: &[Outgoing],
        expect: Expect,
        patience: Duration,
        write: impl FnMut(usize, &mut [u8]) -> Result<(), EncodeError>,
    ) -> Result<Context, BeginError> {
        let unsent = core.link.has_unsent();
        core.link.expect_many(0);
        let context = self.begin_one_of_many(core, requests, expect, now(), patience, write)?;
        if core.mux.waiting() == 1 || !core.link.is_socket() {
            self.flush(core);
        } else if !unsent {
            self.readers.wake_background();
        }
        Ok(context)
    }

    /// Begins a call: writes its requests, which go out when the caller next drives the connection.
    pub(crate) fn begin_one_of_many(
        &self,
        core: &mut Core,
        requests: &[Outgoing],
        expect: Expect,
        at: Instant,
        patience: Duration,
        write: impl FnMut(usize, &mut [u8]) -> Result<(), EncodeError>,
    ) -> Result<Context, BeginError> {
        let context = core.mux.begin(&mut core.link, requests, expect, at, patience, write)?;
        if tracing::enabled!(tracing::Level::TRACE) {
            for request in requests {
                let (name, len) = (self.table.name_of(request.kind.id), request.payload_len);
                tracing::trace!(message = %name, context = context.0, payload = len, "sent");
            }
        }
        if core.mux.timeout().is_some_and(|timeout| core.armed.is_none_or(|armed| timeout < armed)) {
            self.readers.wake_background();
        }
        Ok(context)
    }

    /// How many requests of so many, of a window of so many, are worth sending at the moment.
    pub(crate) fn begin_many(&self, core: &mut Core, requests: usize, window: usize) -> usize {
        core.link.expect_many(window);
        core.link.at_once().map_or(requests, |more| requests.min(more))
    }

    /// Sends and reads for who waits for a group of calls, who then looks what became of them.
    pub(crate) fn drive_for(&self, core: &mut Core, group: GroupId) -> Option<Waker> {
        // What comes for the one who asks needs no waking.
        let kept = core.mux.groups().take_waiter(group);
        self.flush(core);
        self.drive(core);
        kept
    }

    /// Lets a group of so many calls wake somebody. When nobody else waits on the connection, it is this one who is
    /// woken by the next thing that comes.
    pub(crate) fn wait_for(
        &self,
        core: &mut Core,
        group: GroupId,
        calls: usize,
        kept: Option<Waker>,
        cx: &TaskContext<'_>,
    ) {
        core.mux.groups().wait(group, waiter(kept, cx));
        let reads = core.link.is_socket() && core.mux.is_alone(calls);
        self.readers.set_caller(Some(cx.waker()).filter(|_| reads));
    }

    /// Nobody waits for a group of calls any more: those that have not ended are given up.
    pub(crate) fn leave(&self, group: GroupId, calls: impl ExactSizeIterator<Item = Context>) {
        let is_idle = calls.len() == 0;
        self.with(|core| {
            for context in calls {
                core.give_up(context);
            }
            core.mux.groups().remove(group);
        });
        if !is_idle {
            self.let_others_read();
        }
    }

    /// Asks a call for what it has, after reading what has come. Over shared memory it may look a few microseconds
    /// longer: an answer that comes meanwhile needs nobody to be woken.
    pub(crate) fn poll_answer(&self, context: Context, cx: &mut TaskContext<'_>) -> Poll<Progress> {
        #[cfg(shared_memory)]
        if let Some(watch) = &self.watch {
            let (progress, looking) = self.with(|core| (self.poll_call(core, context, cx), core.looking()));
            return match (progress, looking) {
                (Poll::Pending, Some(looking)) => watch.look(self, context, looking, cx),
                (Poll::Ready(Progress::Details(details)), _) => {
                    watch.leave(self, context);
                    Poll::Ready(Progress::Details(details))
                }
                (Poll::Ready(end), _) => {
                    // It may have looked before.
                    watch.over(self, context);
                    Poll::Ready(end)
                }
                (Poll::Pending, None) => Poll::Pending,
            };
        }
        self.with(|core| self.poll_call(core, context, cx))
    }

    /// Who drove the connection has nothing under way any more: what comes next is the background task's.
    pub(crate) fn stop_reading(&self) {
        self.readers.set_caller(None);
    }

    /// Asks a call for what it has, after reading what has come.
    pub(crate) fn poll_call(
        &self,
        core: &mut Core,
        context: Context,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Progress> {
        let kept = core.mux.take_waiter(context);
        // Elements of a dump that came over shared memory are taken before there are more.
        if core.link.is_socket() || !core.mux.has_elements(context) {
            self.drive(core);
        }
        let progress = core.mux.poll(context, |_| waiter(kept, cx));
        if progress == Progress::Pending {
            let reads = core.link.is_socket() && core.mux.is_solo();
            self.readers.set_caller(Some(cx.waker()).filter(|_| reads));
            return Poll::Pending;
        }
        self.readers.set_caller(None);
        Poll::Ready(progress)
    }

    /// Gives a call up.
    pub(crate) fn cancel(&self, context: Context) {
        self.with(|core| core.give_up(context));
        #[cfg(shared_memory)]
        if let Some(watch) = &self.watch {
            watch.leave(self, context);
        }
        self.let_others_read();
    }

    /// One who waited is gone: it may have been woken to read, and never come to it.
    fn let_others_read(&self) {
        self.readers.set_caller(None);
        self.readers.wake_background();
    }

    /// Subscribes to an event.
    pub(crate) fn subscribe(&self, event: MessageKind) -> Result<SubscriberId, Lost> {
        let subscribed = self.with(|core| core.mux.subscribe(event, self.settings.event_capacity));
        self.readers.set_caller(None);
        subscribed
    }

    /// Ends a subscription.
    pub(crate) fn unsubscribe(&self, id: SubscriberId) {
        self.with(|core| core.mux.subscribers().remove(id));
    }

    /// The next event of a subscription, after reading what has come; the end of the connection when there is none.
    pub(crate) fn poll_event(&self, id: SubscriberId, cx: &mut TaskContext<'_>) -> Poll<Result<Taken, Lost>> {
        self.with(|core| {
            self.drive(core);
            match (core.mux.subscribers().take(id, |kept| waiter(kept, cx)), core.mux.lost()) {
                (Taken::Nothing, Some(lost)) => Poll::Ready(Err(lost.clone())),
                (Taken::Nothing, None) => Poll::Pending,
                (taken, _) => Poll::Ready(Ok(taken)),
            }
        })
    }

    /// Sends a request whose answer nobody waits for.
    pub(crate) fn send_detached(
        &self,
        request: Outgoing,
        write: impl FnMut(&mut [u8]) -> Result<(), EncodeError>,
    ) -> Result<(), BeginError> {
        self.with(|core| {
            core.link.expect_many(0);
            core.mux.send_detached(&mut core.link, request, now(), write)?;
            core.link.given_up();
            self.flush(core);
            Ok(())
        })
    }

    /// A number that grows with what VPP sends.
    pub(crate) fn heard(&self) -> u64 {
        self.with(|core| core.heard)
    }

    /// How many calls the end of the connection cut off.
    pub(crate) fn cut_off(&self) -> usize {
        self.with(|core| core.mux.cut_off())
    }

    /// What the background task does each time it is woken; ready when the connection has ended.
    pub(crate) fn poll_background(
        &self,
        mut sleep: std::pin::Pin<&mut tokio::time::Sleep>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<()> {
        self.readers.set_background(cx.waker());
        self.with(|core| {
            if core.goodbye == Goodbye::Wanted && !core.dead {
                core.link.say_goodbye();
                core.goodbye = Goodbye::Said { until: now() + self.settings.close_timeout };
            }
            self.drive_with(core, Some(&self.io_waker));
            loop {
                if core.dead {
                    return Poll::Ready(());
                }
                let timeout = match core.goodbye {
                    Goodbye::Said { until } => Some(until),
                    _ => core.mux.timeout(),
                };
                core.armed = timeout;
                let Some(timeout) = timeout else { return Poll::Pending };
                sleep.as_mut().reset(timeout.into());
                if sleep.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
                match core.goodbye {
                    Goodbye::Said { until } if until <= now() => {
                        self.end(core, Lost::Closed, Err(CloseError::TimedOut(self.settings.close_timeout)));
                    }
                    _ => {
                        core.mux.handle_timeout(now());
                        core.link.given_up();
                    }
                }
            }
        })
    }

    /// Reads what has come and writes what is to be sent, as far as the socket goes without waiting.
    fn drive(&self, core: &mut Core) {
        // Beside shared memory the socket has little to tell; the background task looks there.
        let waker = core.link.is_socket().then_some(&self.io_waker);
        self.drive_with(core, waker);
    }

    fn drive_with(&self, core: &mut Core, waker: Option<&Waker>) {
        if !core.dead {
            if waker.is_some() {
                self.readers.reading();
            }
            self.read(core, waker);
        }
        if !core.dead {
            self.flush(core);
        }
    }

    fn read(&self, core: &mut Core, waker: Option<&Waker>) {
        // What is read in place in shared memory is little at a time: who waits takes it before there is more. The socket is
        // read to its end, so that the waker is told of what comes later.
        let reads = if waker.is_some() { READS_PER_TURN } else { 1 };
        for _ in 0..reads {
            match core.link.fill(waker) {
                Filled::Nothing => return,
                Filled::Something => {
                    core.heard += 1;
                    if let Err(lost) = self.deliver(core) {
                        return self.lose(core, lost);
                    }
                    if core.dead || waker.is_some_and(|waker| core.rest(waker)) {
                        return;
                    }
                }
                Filled::Ended => return self.end_of_stream(core),
                Filled::Failed(lost) => return self.lose(core, lost),
            }
        }
        if waker.is_some() {
            self.readers.wake_background();
        }
    }

    fn deliver(&self, core: &mut Core) -> Result<(), Lost> {
        let now = now();
        while let Some(message) = core.link.next_message()? {
            let Some(id) = message.first_chunk().map(|id| u16::from_be_bytes(*id)) else { continue };
            if tracing::enabled!(tracing::Level::TRACE) {
                tracing::trace!(message = %self.table.name_of(id), len = message.len(), "received");
            }
            let said = matches!(core.goodbye, Goodbye::Said { .. });
            let parting = if said { core.link.parting(id) } else { Parting::Unrelated };
            if parting == Parting::Done {
                self.end(core, Lost::Closed, Ok(()));
            } else if parting != Parting::Unrelated {
                self.readers.wake_background();
            } else if !core.mux.knows(id) && self.is_answer(id) {
                core.mux.receive_foreign_reply(&message, now);
            } else {
                core.mux.receive(message, now);
            }
        }
        Ok(())
    }

    fn is_answer(&self, id: u16) -> bool {
        self.table
            .by_id(id)
            .is_some_and(|entry| entry.name.ends_with("_reply") || entry.name.ends_with("_details"))
    }

    fn flush(&self, core: &mut Core) {
        if !core.dead
            && core.link.has_unsent()
            && let Err(lost) = core.link.flush(&self.io_waker)
        {
            self.lose(core, lost);
        }
        #[cfg(shared_memory)]
        if let Some(watch) = &self.watch
            && core.link.has_unsent()
        {
            watch.has_unsent();
        }
    }

    pub(crate) fn counters(&self) -> Counters {
        self.with(|core| core.mux.counters())
    }

    /// The last messages, oldest first, and how many before them are no longer kept, as the recorder is asked for them.
    pub(crate) fn traced(&self, of: impl FnOnce(&mut Recorder) -> (Vec<Record>, u64)) -> (Vec<Traced>, u64) {
        let (records, given_up) = self.with(|core| core.mux.recorder().map_or((Vec::new(), 0), of));
        let (instant, system) = (now(), SystemTime::now());
        let traced = records.into_iter().map(|Record { at, direction, bytes }| {
            let id = bytes.first_chunk().map_or(0, |id| u16::from_be_bytes(*id));
            Traced {
                at: system.checked_sub(instant.saturating_duration_since(at)).unwrap_or(system),
                direction,
                name: self.table.name_of(id),
                crc: self.table.by_id(id).map(|entry| entry.crc),
                bytes,
            }
        });
        (traced.collect(), given_up)
    }

    /// What carries the messages.
    pub(crate) fn transport(&self) -> Transport {
        #[cfg(shared_memory)]
        if self.watch.is_some() {
            return Transport::SharedMemory;
        }
        Transport::Socket
    }

    /// How the connection ended, if it did.
    pub(crate) fn lost(&self) -> Option<Lost> {
        self.with(|core| core.mux.lost().cloned())
    }

    /// The error of a call that failed on the stream of messages.
    pub(crate) fn call_error(&self, request: u16, failure: Failure) -> CallError {
        let request = self.table.name_of(request);
        match failure {
            Failure::Unexpected { id } => CallError::Unexpected { request, got: self.table.name_of(id) },
            Failure::DeadlineExceeded { after } => CallError::DeadlineExceeded { request, after },
            Failure::StreamOverrun { limit } => CallError::StreamOverrun { request, limit },
            Failure::Lost(lost) => CallError::Lost { request, lost },
        }
    }

    /// The error of a request that was not begun.
    pub(crate) fn begin_error(&self, request: u16, error: BeginError) -> CallError {
        match error {
            BeginError::Encode(error) => error.into(),
            BeginError::TooLong(len) => CallError::TooLong { request: self.table.name_of(request), len },
            BeginError::Lost(lost) => CallError::Lost { request: self.table.name_of(request), lost },
        }
    }
}

/// What wakes the task that asks: the waiter kept from its last asking, where it still does.
fn waiter(kept: Option<Waker>, cx: &TaskContext<'_>) -> Waker {
    kept.filter(|kept| kept.will_wake(cx.waker())).unwrap_or_else(|| cx.waker().clone())
}

/// The present, by the runtime's clock: a test may stop it.
pub(crate) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
