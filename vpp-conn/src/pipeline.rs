//! Many requests of one kind, a bounded number of them under way.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::task::{Context as TaskContext, Poll};
use std::time::{Duration, Instant};

use vpp_wire::{Message, Request, Wire};

use crate::call::{accepted, retval_offset};
use crate::connection::Connection;
use crate::error::CallError;
use crate::mux::{Context, Expect, GroupId, MessageKind, Outgoing, Progress};
use crate::payload::Payload;
use crate::shared::{Core, now};
use crate::table::Incompatible;
#[cfg(shared_memory)]
use crate::watch::Looking;

/// How answers are looked for, where they are.
#[cfg(shared_memory)]
type Looks = Option<Looking>;
#[cfg(not(shared_memory))]
type Looks = Option<std::convert::Infallible>;

/// Requests that may be under way when nothing is known of VPP yet.
const FIRST_WINDOW: usize = 64;
/// Bounds of a window that adapts itself. With fewer the way to VPP and back is felt; 1,024 short requests were as fast
/// as any larger number.
const WINDOWS: std::ops::RangeInclusive<usize> = 16..=1024;
/// How long a request may wait behind those before it, so that calls of others do not wait longer behind them.
const QUEUEING: std::ops::Range<Duration> = Duration::from_micros(1000)..Duration::from_micros(3000);

/// Requests on their way, a bounded number at once.
///
/// Results come as VPP answers, or in the order of the requests with [`Pipeline::ordered`]; each with its request's
/// position. One request that VPP refuses does not stop the others. When the connection ends, what is under way fails
/// and no more requests are taken.
///
/// How many requests are under way adapts to what VPP handles in two milliseconds or so: VPP carries out one request
/// after another, so that is what a call of somebody else waits for at most. [`Pipeline::window`] fixes the number.
///
/// Dropping it gives up what is under way; VPP may have carried it out.
#[must_use = "nothing is sent before a result is asked for"]
pub struct Pipeline<I: Iterator<Item: Request>> {
    connection: Connection,
    requests: I,
    /// Taken from `requests` and not sent yet.
    staged: VecDeque<I::Item>,
    /// Sent, oldest first.
    under_way: VecDeque<UnderWay>,
    /// Not sent, for these reasons, and kept until the results before them are there: where results have an order.
    unsent: VecDeque<(usize, CallError)>,
    ready: VecDeque<Outcome<Payload>>,
    /// The position of the next request that is taken.
    next: usize,
    is_ordered: bool,
    /// No more are taken.
    is_over: bool,
    window: Window,
    deadline: Duration,
    /// The messages as this VPP knows them; or why it does not, which the first result tells.
    way: Result<Way, Incompatible>,
    /// Those under way, once there were any.
    group: Option<GroupId>,
}

/// The position of a request, and what became of it.
type Outcome<T> = (usize, Result<T, CallError>);

/// A request and its reply as this VPP knows them.
struct Way {
    request: MessageKind,
    reply: MessageKind,
    /// Where VPP has another definition of one of the two.
    #[cfg(feature = "bridge")]
    bridged: Option<std::sync::Arc<crate::bridge::BridgedCall>>,
}

impl Way {
    fn of<R: Request>(connection: &Connection) -> Result<Self, Incompatible> {
        let shared = connection.shared();
        let own = || -> Result<_, Incompatible> {
            Ok((MessageKind::of::<R>(&shared.table)?, MessageKind::of::<R::Reply>(&shared.table)?))
        };
        match own() {
            Ok((request, reply)) => Ok(Self {
                request,
                reply,
                #[cfg(feature = "bridge")]
                bridged: None,
            }),
            #[cfg(feature = "bridge")]
            Err(incompatible) => {
                let bridging = shared.bridging.get().ok_or(incompatible)?;
                let bridged = bridging.call(&shared.table, &R::INFO, &R::Reply::INFO)?;
                let (request, reply) = (bridged.request.kind, bridged.reply.kind);
                Ok(Self { request, reply, bridged: Some(bridged) })
            }
            #[cfg(not(feature = "bridge"))]
            Err(incompatible) => Err(incompatible),
        }
    }
}

#[derive(Clone, Copy)]
struct UnderWay {
    index: usize,
    context: Context,
    sent: Instant,
}

impl<I: Iterator<Item: Request>> Pipeline<I> {
    pub(crate) fn new(connection: Connection, requests: I) -> Self {
        Self {
            deadline: connection.shared().settings.deadline,
            way: Way::of::<I::Item>(&connection),
            connection,
            requests,
            staged: VecDeque::new(),
            under_way: VecDeque::new(),
            unsent: VecDeque::new(),
            ready: VecDeque::new(),
            next: 0,
            is_ordered: false,
            is_over: false,
            window: Window::default(),
            group: None,
        }
    }

    /// How many requests may be under way at once, at least one.
    pub fn window(mut self, requests: usize) -> Self {
        self.window = Window::fixed(requests.max(1));
        self
    }

    /// Gives results in the order of the requests.
    pub fn ordered(mut self) -> Self {
        self.is_ordered = true;
        self
    }

    /// How long each request waits for its reply once it is sent.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// The next result and the position of its request, from 0; `None` behind the last.
    ///
    /// Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<(usize, Result<<I::Item as Request>::Reply, CallError>)> {
        let (index, result) = poll_fn(|cx| self.poll_next(cx)).await?;
        Some((index, result.and_then(|payload| self.read(&payload))))
    }

    /// All results in the order of the requests.
    ///
    /// # Errors
    ///
    /// The first request's that failed, and its position. Those under way are given up then.
    pub async fn collect(self) -> Result<Vec<<I::Item as Request>::Reply>, (usize, CallError)> {
        let mut pipeline = self.ordered();
        let mut replies = Vec::with_capacity(pipeline.requests.size_hint().0);
        while let Some((index, result)) = pipeline.next().await {
            replies.push(result.map_err(|error| (index, error))?);
        }
        Ok(replies)
    }

    /// The next result, where it is there already; as [`Pipeline::next`], which would not have to wait for it.
    pub(crate) fn take_ready(&mut self) -> Option<Outcome<<I::Item as Request>::Reply>> {
        let (index, result) = self.ready.pop_front()?;
        Some((index, result.and_then(|payload| self.read(&payload))))
    }

    fn read(&self, payload: &[u8]) -> Result<<I::Item as Request>::Reply, CallError> {
        let name = || <I::Item as Message>::NAME.into();
        #[cfg(feature = "bridge")]
        if let Ok(Way { bridged: Some(bridged), .. }) = &self.way {
            accepted(bridged.retval, payload, name)?;
            let payload = bridged.reply.carry(payload).map_err(CallError::Bridge)?;
            return Ok(<I::Item as Request>::Reply::from_payload(&payload)?);
        }
        accepted(retval_offset(&<I::Item as Request>::Reply::INFO), payload, name)?;
        Ok(<I::Item as Request>::Reply::from_payload(payload)?)
    }

    fn poll_next(&mut self, cx: &mut TaskContext<'_>) -> Poll<Option<Outcome<Payload>>> {
        loop {
            if let Some(result) = self.ready.pop_front() {
                return Poll::Ready(Some(result));
            }
            self.stage();
            if self.under_way.is_empty() && self.staged.is_empty() {
                return Poll::Ready(None);
            }
            let looking = self.exchange(cx);
            if self.ready.is_empty() && !self.looks(looking, cx) {
                return Poll::Pending;
            }
        }
    }

    /// Takes as many requests as the window has room for: outside the connection's lock, since the iterator is the
    /// user's. Half a window at a time, so that they go out together.
    fn stage(&mut self) {
        let window = self.window.len();
        let taken = self.under_way.len() + self.unsent.len();
        if self.is_over || taken > window / 2 {
            return;
        }
        while taken + self.staged.len() < window {
            let Some(request) = self.requests.next() else {
                self.is_over = true;
                return;
            };
            self.staged.push_back(request);
        }
    }

    /// Sends what is staged, reads what has come, and takes the results that are there.
    fn exchange(&mut self, cx: &mut TaskContext<'_>) -> Looks {
        let connection = self.connection.clone();
        let shared = connection.shared();
        let (request_kind, reply_kind) = match &self.way {
            Ok(way) => (way.request, way.reply),
            Err(error) => {
                // So it is for all of them; the first says it.
                self.staged.clear();
                self.is_over = true;
                self.ready.push_back((self.next, Err(error.clone().into())));
                return Looks::default();
            }
        };
        shared.with(|core| {
            let group = *self.group.get_or_insert_with(|| core.add_group());
            let sent = now();
            let mut count = shared.begin_many(core, self.staged.len(), self.window.len());
            if self.under_way.is_empty() {
                // Nothing would come of which it is woken to send the rest.
                count = count.max(1).min(self.staged.len());
            }
            for request in self.staged.drain(..count) {
                let index = self.next;
                self.next += 1;
                #[cfg(feature = "bridge")]
                let request = match Staged::new(&self.way, request) {
                    Ok(request) => request,
                    Err(error) => {
                        self.unsent.push_back((index, error));
                        continue;
                    }
                };
                let outgoing = Outgoing { kind: request_kind, payload_len: request.encoded_len() };
                let write = |_: usize, payload: &mut [u8]| request.encode_payload(payload).map(drop);
                let expect = Expect::Reply(reply_kind);
                match shared.begin_one_of_many(core, &[outgoing], expect, sent, self.deadline, write) {
                    Ok(context) => {
                        core.join(context, group);
                        self.under_way.push_back(UnderWay { index, context, sent });
                    }
                    Err(error) => {
                        let error = shared.begin_error(request_kind.id, error);
                        self.is_over |= matches!(error, CallError::Lost { .. });
                        self.unsent.push_back((index, error));
                    }
                }
            }
            let kept = shared.drive_for(core, group);
            let ended = core.take_ended(group);
            self.take_results(core, request_kind.id, ended);
            if self.ready.is_empty() {
                shared.wait_for(core, group, self.under_way.len(), kept, cx);
            }
            if self.under_way.is_empty() {
                shared.stop_reading();
            }
            #[cfg(shared_memory)]
            return core.looking();
            #[cfg(not(shared_memory))]
            None
        })
    }

    /// Looks for answers in shared memory, where that is the transport: those that come meanwhile need nobody to be woken.
    #[cfg(shared_memory)]
    fn looks(&self, looking: Looks, cx: &mut TaskContext<'_>) -> bool {
        let calls = self.under_way.len();
        looking.is_some_and(|looking| self.connection.shared().look_for_many(calls, looking, cx))
    }

    #[cfg(not(shared_memory))]
    fn looks(&self, _looking: Looks, _cx: &mut TaskContext<'_>) -> bool {
        false
    }

    /// Moves what has ended to the results: as many as have newly ended, or, in order, those up to the first that has
    /// not.
    fn take_results(&mut self, core: &mut Core, request: u16, mut ended: usize) {
        let (mut at, mut slowest) = (0, None);
        loop {
            self.take_unsent(at);
            if ended == 0 && !self.is_ordered {
                break;
            }
            let Some(under_way) = self.under_way.get(at).copied() else { break };
            let Some(progress) = core.take_if_over(under_way.context) else {
                if self.is_ordered {
                    break;
                }
                at += 1;
                continue;
            };
            let result = match progress {
                Progress::End(payload) => Ok(payload),
                Progress::Failed(failure) => {
                    let error = self.connection.shared().call_error(request, failure);
                    self.is_over |= matches!(error, CallError::Lost { .. });
                    Err(error)
                }
                // Neither is over.
                Progress::Details(_) | Progress::Pending => break,
            };
            ended = ended.saturating_sub(1);
            slowest = slowest.max(Some(under_way.sent));
            // At the front, but for answers that overtook others.
            self.under_way.remove(at);
            self.ready.push_back((under_way.index, result));
        }
        if let Some(sent) = slowest {
            self.window.answered(self.ready.len(), now().saturating_duration_since(sent));
        }
    }

    /// Moves to the results what was not sent and stands before the request at this place.
    fn take_unsent(&mut self, at: usize) {
        let before = self.under_way.get(at).filter(|_| self.is_ordered).map_or(usize::MAX, |next| next.index);
        while self.unsent.front().is_some_and(|(index, _)| *index < before) {
            self.ready.extend(self.unsent.pop_front().map(|(index, error)| (index, Err(error))));
        }
    }
}

/// A request as it is sent.
#[cfg(feature = "bridge")]
enum Staged<R> {
    Own(R),
    Bridged(Vec<u8>),
}

#[cfg(feature = "bridge")]
impl<R: Request> Staged<R> {
    fn new(way: &Result<Way, Incompatible>, request: R) -> Result<Self, CallError> {
        let Ok(Way { bridged: Some(bridged), .. }) = way else { return Ok(Self::Own(request)) };
        let mut payload = vec![0; request.encoded_len()];
        request.encode_payload(&mut payload)?;
        Ok(Self::Bridged(bridged.request.carry(&payload).map_err(CallError::Bridge)?))
    }

    fn encoded_len(&self) -> usize {
        match self {
            Self::Own(request) => Wire::encoded_len(request),
            Self::Bridged(payload) => payload.len(),
        }
    }

    fn encode_payload(&self, place: &mut [u8]) -> Result<usize, vpp_wire::EncodeError> {
        match self {
            Self::Own(request) => request.encode_payload(place),
            Self::Bridged(payload) => {
                place.copy_from_slice(payload);
                Ok(payload.len())
            }
        }
    }
}

impl<I: Iterator<Item: Request>> Drop for Pipeline<I> {
    fn drop(&mut self) {
        if let Some(group) = self.group {
            let contexts = self.under_way.iter().map(|under_way| under_way.context);
            self.connection.shared().leave(group, contexts);
        }
    }
}

impl<I: Iterator<Item: Request>> fmt::Debug for Pipeline<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipeline")
            .field("request", &<I::Item as Message>::NAME)
            .field("taken", &self.next)
            .field("under_way", &self.under_way.len())
            .field("window", &self.window.len())
            .finish_non_exhaustive()
    }
}

/// How many requests may be under way.
#[derive(Clone, Copy, Debug)]
enum Window {
    Fixed(usize),
    /// Grows while answers come soon, and shrinks when they wait behind others for long.
    Adaptive {
        len: usize,
        /// Answers since the number last changed: what it does shows when as many came.
        since: usize,
    },
}

impl Default for Window {
    fn default() -> Self {
        Self::Adaptive { len: FIRST_WINDOW, since: 0 }
    }
}

impl Window {
    fn fixed(len: usize) -> Self {
        Self::Fixed(len)
    }

    fn len(&self) -> usize {
        match *self {
            Self::Fixed(len) | Self::Adaptive { len, .. } => len,
        }
    }

    /// So many answers came, the last of them so long after it was sent.
    fn answered(&mut self, answers: usize, latency: Duration) {
        let Self::Adaptive { len, since } = self else { return };
        *since += answers;
        if *since < *len {
            return;
        }
        *since = 0;
        if latency < QUEUEING.start {
            *len = (*len * 2).min(*WINDOWS.end());
        } else if latency >= QUEUEING.end {
            *len = (*len / 2).max(*WINDOWS.start());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where the window ends up for a VPP that takes so long for each request, all else being free.
    fn settled(each: Duration) -> usize {
        let mut window = Window::default();
        for _ in 0..100 {
            let len = window.len();
            window.answered(len, each * len as u32);
        }
        window.len()
    }

    #[test]
    fn the_window_is_what_vpp_handles_in_some_milliseconds() {
        for (each, expected) in [(1, 1024..=1024), (4, 256..=512), (30, 32..=64), (1000, 16..=16)] {
            let len = settled(Duration::from_micros(each));
            assert!(expected.contains(&len), "{each} us: {len}");
        }
    }

    #[test]
    fn a_pause_of_vpp_shrinks_the_window_and_it_grows_again() {
        let mut window = Window::Adaptive { len: 512, since: 0 };
        window.answered(512, Duration::from_millis(80));
        assert_eq!(window.len(), 256);
        // Half a window of answers says nothing about it yet.
        window.answered(128, Duration::from_micros(400));
        assert_eq!(window.len(), 256);
        window.answered(128, Duration::from_micros(400));
        assert_eq!(window.len(), 512);
        let mut fixed = Window::fixed(7);
        fixed.answered(700, Duration::from_secs(1));
        assert_eq!(fixed.len(), 7);
    }
}
