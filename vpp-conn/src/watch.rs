//! Who looks into shared memory for answers, and when.
//!
//! One of the calls that wait looks for what comes, its own answer and others': for some microseconds, which is longer
//! than a VPP that is awake needs. What comes later, or unasked, is taken by a thread that waits in the receive queue's
//! condition variable and does nothing else: VPP's main thread stands still while that queue is full, so it is emptied
//! whatever the program and its runtime do.
//!
//! While calls look, the thread keeps out of the condition variable, since waking it would cost VPP a system call for
//! each answer.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context as TaskContext, Poll};
use std::thread::Thread;
use std::time::{Duration, Instant};

use crate::mux::{Context, Progress};
use crate::shared::Shared;
use crate::shared_memory::Segment;

/// How long a call looks before it sleeps, while that is worth it. A VPP that polls answers in one microsecond, one that
/// is woken in some tens, from deep sleep on a virtual machine in about a hundred; and one that gets its next request at
/// once does not go to sleep again. To be woken oneself takes as long as that.
const LOOK: Duration = Duration::from_micros(200);

/// How long a call looks when looking has not been worth it.
const GLANCE: Duration = Duration::from_micros(5);

/// After so many looks without an answer the next are glances.
const VAIN: u32 = 4;

/// How long the first answer of several calls waits for the next ones.
const AWHILE: Duration = Duration::from_micros(4);

/// How long the thread stays away while calls look.
const AWAY: Duration = Duration::from_millis(2);

/// How long the thread waits in the condition variable before it sees to what has to be done now and then.
const UPKEEP: Duration = Duration::from_millis(250);

/// For so many calls a connection that had several at once is taken to have them again.
const CROWD: u32 = 256;

/// Every so many calls a call lets others go first, to learn whether there are any.
const ASK: u32 = 32;

/// Nobody looks.
const NOBODY: u32 = 0;

/// Somebody looks for many calls. No context: those have the top bit clear.
const MANY: u32 = 1 << 31;

/// Of many calls on their way this part is waited for, while VPP works on the others: each answer by itself costs the
/// locks of the connection and of the queue.
const PART: usize = 4;

/// More answers than this are never waited for.
const ENOUGH: usize = 64;

/// Nor than this, while VPP has to be kept awake.
const KEPT_AWAKE: usize = 16;

/// How answers in shared memory are waited for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Receive {
    /// A call looks for its answer for some microseconds and sleeps then.
    #[default]
    Wait,
    /// A call that waits keeps looking: the lowest latency, and all of a core while calls wait.
    BusyPoll,
}

/// How answers are looked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Looking {
    /// VPP was not woken for what waits, and is to be woken after this time.
    pub(crate) patience: Option<Duration>,
    /// VPP goes on by itself.
    pub(crate) polls: bool,
}

/// The looking of one connection.
#[derive(Debug)]
pub(crate) struct Watch {
    segment: Arc<Segment>,
    receive: Receive,
    thread: OnceLock<Thread>,
    /// The context of the call that looks.
    looker: AtomicU32,
    /// Grows while calls look.
    looks: AtomicU64,
    /// Calls that expect others beside them.
    crowd: AtomicU32,
    /// Looks in a row that brought nothing.
    vain: AtomicU32,
    /// Somebody has stopped looking: the thread is to take over.
    called: AtomicBool,
    /// The thread keeps out of the condition variable.
    away: AtomicBool,
    /// The thread sees to what waits for a place in VPP's queue.
    aware: AtomicBool,
    stopped: AtomicBool,
}

impl Watch {
    pub(crate) fn new(segment: Arc<Segment>, receive: Receive) -> Self {
        Self {
            segment,
            receive,
            thread: OnceLock::new(),
            looker: AtomicU32::new(NOBODY),
            looks: AtomicU64::new(0),
            crowd: AtomicU32::new(0),
            vain: AtomicU32::new(0),
            called: AtomicBool::new(false),
            away: AtomicBool::new(false),
            aware: AtomicBool::new(false),
            stopped: AtomicBool::new(false),
        }
    }

    /// Somebody comes to look: the thread can keep away.
    fn comes(&self) {
        self.looks.fetch_add(1, Ordering::Relaxed);
    }

    /// A call that has no answer yet looks for one, unless another call looks already.
    pub(crate) fn look(
        &self,
        shared: &Shared,
        context: Context,
        Looking { mut patience, .. }: Looking,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Progress> {
        self.comes();
        let is_new =
            match self.looker.compare_exchange(NOBODY, context.0, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => true,
                Err(looker) if looker == context.0 => false,
                Err(_) => return Poll::Pending,
            };
        if is_new && self.lets_others_go_first() {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let vain = self.vain.load(Ordering::Relaxed);
        let others = if self.crowd.load(Ordering::Relaxed) > 0 { shared.others_waiting() } else { 0 };
        let is_short = vain >= VAIN && !vain.is_multiple_of(ASK) && self.receive == Receive::Wait;
        let time = if is_short { GLANCE } else { LOOK };
        let mut began = None;
        loop {
            for _ in 0..32 {
                if self.segment.has_received() {
                    if others > 0 {
                        self.gather(others, ENOUGH, AWHILE);
                    }
                    let (progress, waiting) = shared.poll_found(context, cx);
                    self.vain.store(0, Ordering::Relaxed);
                    if waiting > 1 {
                        self.crowd.store(CROWD, Ordering::Relaxed);
                    }
                    if progress.is_ready() {
                        if waiting > 1 {
                            self.leave(shared, context);
                        } else {
                            self.looker.store(NOBODY, Ordering::Release);
                        }
                        return progress;
                    }
                    // Those who got their answers go on first.
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                std::hint::spin_loop();
            }
            // Only now: to ask for the time takes a tenth of what a VPP that polls does.
            let elapsed = began.get_or_insert_with(Instant::now).elapsed();
            if patience.is_some_and(|patience| elapsed >= patience) {
                patience = None;
                shared.lose_patience();
            }
            if elapsed >= time.max(patience.unwrap_or_default()) {
                break;
            }
        }
        shared.looked_in_vain();
        self.vain.store(vain.wrapping_add(1), Ordering::Relaxed);
        if self.receive == Receive::BusyPoll {
            cx.waker().wake_by_ref();
        } else {
            self.looker.store(NOBODY, Ordering::Release);
            self.call_thread();
        }
        Poll::Pending
    }

    /// Somebody waits for any of so many calls that are on their way: looks until a part of them is answered, or VPP has
    /// nothing more to do, or for some time. Tells whether something has come; if not, who waits is woken later.
    pub(crate) fn look_for_many(
        &self,
        shared: &Shared,
        calls: usize,
        Looking { patience, polls }: Looking,
        cx: &mut TaskContext<'_>,
    ) -> bool {
        self.comes();
        if self.looks.load(Ordering::Relaxed).is_multiple_of(ASK.into()) {
            // Other tasks, and the runtime itself, have their turn.
            cx.waker().wake_by_ref();
            return false;
        }
        if self.looker.compare_exchange(NOBODY, MANY, Ordering::Acquire, Ordering::Relaxed).is_err() {
            return false;
        }
        let most = if polls { ENOUGH } else { KEPT_AWAKE };
        let found = patience.is_some_and(|patience| {
            let found = self.gather(calls, most, patience);
            if !found {
                shared.lose_patience();
            }
            found
        }) || self.gather(calls, most, LOOK);
        self.looker.store(NOBODY, Ordering::Release);
        if found {
            return true;
        }
        shared.looked_in_vain();
        if self.receive == Receive::BusyPoll {
            cx.waker().wake_by_ref();
        } else {
            self.call_thread();
        }
        false
    }

    /// Looks until as many messages as are worth it have come, or no more will without another request, or for the time.
    fn gather(&self, calls: usize, most: usize, time: Duration) -> bool {
        let enough = (calls / PART).clamp(1, most) as u32;
        let (position, began) = (self.segment.position(), Instant::now());
        loop {
            for _ in 0..32 {
                let received = self.segment.received();
                if received >= enough || received > 0 && self.segment.waiting_requests() == 0 {
                    return true;
                }
                std::hint::spin_loop();
            }
            // Somebody else took what came.
            if self.segment.position() != position {
                return true;
            }
            if began.elapsed() >= time {
                return self.segment.has_received();
            }
        }
    }

    /// Whether messages wait that nobody who looks has come for: the thread has to.
    fn is_left_alone(&self, position: u32) -> bool {
        self.segment.has_received() && self.segment.position() == position
    }

    fn lets_others_go_first(&self) -> bool {
        let crowd = self.crowd.load(Ordering::Relaxed);
        self.crowd.store(crowd.saturating_sub(1), Ordering::Relaxed);
        crowd > 0 || self.looks.load(Ordering::Relaxed).is_multiple_of(ASK.into())
    }

    /// A call is over and looks no more. Another that waits does, or the thread.
    pub(crate) fn leave(&self, shared: &Shared, context: Context) {
        let looked = self.looker.compare_exchange(context.0, NOBODY, Ordering::Release, Ordering::Relaxed);
        if looked.is_ok() && !shared.wake_another() {
            self.call_thread();
        }
    }

    /// A call is over, whether or not it looked: what came for others is theirs to take.
    pub(crate) fn over(&self, shared: &Shared, context: Context) {
        self.leave(shared, context);
        if self.segment.has_received() && !shared.wake_another() {
            self.call_thread();
        }
    }

    fn call_thread(&self) {
        self.called.store(true, Ordering::SeqCst);
        if self.away.swap(false, Ordering::SeqCst)
            && let Some(thread) = self.thread.get()
        {
            thread.unpark();
        }
    }

    /// Something waits for a place in VPP's queue. VPP tells nobody when there is one, and answers not all that it takes:
    /// so the thread looks soon.
    pub(crate) fn has_unsent(&self) {
        if !self.aware.swap(true, Ordering::SeqCst) {
            self.call_thread();
            self.segment.wake();
        }
    }

    /// The connection has ended.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
        self.call_thread();
        self.segment.wake();
    }

    /// What the thread does until the connection ends.
    fn run(&self, shared: &Shared) {
        let (mut refreshed, mut seen, mut unsent) = (Instant::now(), 0, false);
        while !self.stopped.load(Ordering::SeqCst) {
            if refreshed.elapsed() > UPKEEP {
                self.segment.refresh();
                refreshed = Instant::now();
            }
            let looks = self.looks.load(Ordering::Relaxed);
            if looks != seen && !self.called.swap(false, Ordering::SeqCst) {
                seen = looks;
                let position = self.segment.position();
                self.away.store(true, Ordering::SeqCst);
                if !self.called.load(Ordering::SeqCst) {
                    std::thread::park_timeout(AWAY);
                }
                self.away.store(false, Ordering::SeqCst);
                if self.looks.load(Ordering::Relaxed) != seen && !self.is_left_alone(position) {
                    continue;
                }
                // Nobody has looked for some time, though somebody may think he does.
            }
            let time = if unsent || self.aware.load(Ordering::SeqCst) { AWAY } else { UPKEEP };
            if let Err(fault) = self.segment.wait(time) {
                tracing::debug!(%fault, "waiting in shared memory");
                std::thread::park_timeout(AWAY);
            }
            // Told again by whoever leaves something from now on.
            self.aware.store(false, Ordering::SeqCst);
            unsent = shared.take_received();
        }
    }
}

/// Starts the thread of a connection over shared memory.
pub(crate) fn start(shared: &Arc<Shared>) {
    let Some(watch) = &shared.watch else { return };
    let watched = Arc::clone(shared);
    let started = std::thread::Builder::new().name("vpp-conn-shm".to_owned()).spawn(move || {
        if let Some(watch) = &watched.watch {
            watch.run(&watched);
        }
    });
    match started {
        Ok(thread) => {
            // The first and only.
            let _set = watch.thread.set(thread.thread().clone());
        }
        Err(error) => tracing::warn!(%error, "no thread to take what comes in shared memory"),
    }
}
