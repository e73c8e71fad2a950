//! The driver: gives the planner what happens and carries out what it says. All that waits, waits here.

mod call;
mod notices;
mod southbound;
mod writer;

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::Poll;
use std::time::Duration;

use foldhash::{HashMap, HashSet};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot, watch};
use tokio::time::Instant;

pub(crate) use notices::Notices;
pub(crate) use southbound::{Adapter, Southbound, seen};

use crate::history::History;
use crate::journal::{Fact, Journal};
use crate::metrics::Metrics;
use crate::planner::{Access, Event, Operation, Outcome, Output, Planner, Seen};
use crate::record::Recorder;
use crate::rules::Rules;
use crate::transaction::Request;
use crate::watch::Watchers;
use crate::{Action, Ending, Failure, Report, Summary};
use writer::{Effects, Writer};

/// How much the planner gives at first: a thousand creations with their records, so the southbound has its first work soon.
const PORTION: usize = 2048;
/// How much it gives at once later. More would take memory that nobody has touched before.
const LARGEST_PORTION: usize = 4096;

pub(crate) enum Command {
    Register(Arc<dyn Rules>, Arc<dyn Southbound>),
    Access(Vec<(String, Access)>),
    /// Told when nothing runs that was begun for these kinds.
    Idle(Vec<&'static str>, oneshot::Sender<()>),
    Priority(String, i32),
    Keep(String),
    /// What was asked while the engine was held is done now.
    Begin(Option<Box<dyn Journal>>),
    /// As `Begin`, of an engine that observes and does nothing. What is in the journal is only read.
    Look(Option<Box<dyn Journal>>),
    Commit(Request, oneshot::Sender<Report>, OwnedSemaphorePermit),
    Notices,
    Check(oneshot::Sender<Report>),
    Stop(oneshot::Sender<()>),
}

/// What calls tell the driver.
pub(crate) enum Completion {
    Finished(u64, Outcome),
    Observed(u32, Result<Vec<Seen>, Failure>),
    /// A call of a kind returned after this time, so another one may begin.
    Returned(u32, Duration),
}

/// What readers and the driver share. Locked for the time of a decision or a look, never while something is awaited.
pub(crate) struct Shared {
    pub(crate) core: Mutex<Core>,
    pub(crate) notices: Mutex<Notices>,
    /// Facts are on their way to the journal, or it is being read.
    pub(crate) recording: AtomicBool,
    pub(crate) kinds: Mutex<BTreeMap<&'static str, Arc<dyn Rules>>>,
    pub(crate) started: Instant,
    pub(crate) metrics: Metrics,
    /// How the engine stands, as after the last decision; told when something changes that its health depends on.
    pub(crate) summary: watch::Sender<Summary>,
}

pub(crate) struct Core {
    pub(crate) planner: Planner,
    pub(crate) watchers: Watchers,
    pub(crate) history: History,
    pub(crate) recorder: Recorder,
}

impl Shared {
    pub(crate) fn core(&self) -> MutexGuard<'_, Core> {
        self.core.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub(crate) fn notices(&self) -> MutexGuard<'_, Notices> {
        self.notices.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

struct Kind {
    southbound: Arc<dyn Southbound>,
    /// With the turn of each.
    queue: VecDeque<(u64, Operation)>,
    calls: usize,
    observations: usize,
}

impl Kind {
    fn is_idle(&self) -> bool {
        self.queue.is_empty() && self.calls == 0 && self.observations == 0
    }
}

/// Lets those have a turn who are waiting for one. Not as `yield_now`, which comes back when a worker has nothing else to do.
async fn turn() {
    let mut had = false;
    std::future::poll_fn(|cx| {
        if std::mem::replace(&mut had, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

type Waiting = (oneshot::Sender<Report>, Option<OwnedSemaphorePermit>);

pub(crate) struct Driver {
    shared: Arc<Shared>,
    kinds: HashMap<u32, Kind>,
    /// Kinds by name before the planner numbered them.
    named: HashMap<&'static str, Arc<dyn Southbound>>,
    calls: usize,
    turn: u64,
    most_calls: usize,
    /// `None`: nothing is recorded.
    writer: Option<Writer>,
    /// Sources that are kept from the beginning.
    keep: Vec<String>,
    done: mpsc::UnboundedSender<Completion>,
    waiting: HashMap<u64, Waiting>,
    /// Who committed what has ended, and is told when all of a turn is done.
    ended: Vec<(Waiting, Report)>,
    /// Who committed what is being handed to the planner right now.
    asking: Option<Waiting>,
    /// The planner has not given all that follows from what it was told last: how much it gives next.
    more: Option<usize>,
    /// Kinds of which nothing is begun, and why.
    closed: HashMap<String, String>,
    /// Who waits until nothing runs of some kinds.
    until_idle: Vec<(Vec<&'static str>, oneshot::Sender<()>)>,
    check_every: Option<Duration>,
    /// What was asked of an engine that has not begun.
    held: Option<Vec<Command>>,
}

impl Driver {
    pub(crate) fn spawn(
        shared: Arc<Shared>,
        commands: mpsc::UnboundedReceiver<Command>,
        journal: Option<Box<dyn Journal>>,
        keep: Vec<String>,
        most_calls: usize,
        check_every: Option<Duration>,
        held: bool,
    ) {
        // Bounded by the calls that may run at once.
        let (done, completions) = mpsc::unbounded_channel();
        let driver = Self {
            shared,
            kinds: HashMap::default(),
            named: HashMap::default(),
            calls: 0,
            turn: 0,
            most_calls: most_calls.max(1),
            writer: None,
            keep,
            done,
            waiting: HashMap::default(),
            ended: Vec::new(),
            asking: None,
            more: None,
            closed: HashMap::default(),
            until_idle: Vec::new(),
            check_every,
            held: held.then(Vec::new),
        };
        tokio::spawn(driver.run(journal, commands, completions));
    }

    async fn load(&mut self, journal: Box<dyn Journal>) {
        self.shared.recording.store(true, Ordering::Release);
        let (mut writer, remembered) = Writer::load(journal).await;
        // Whoever is told a number of this run shall not be told the same by the next one.
        if !writer.record_first(Fact::Numbered { below: remembered.reserved() }).await {
            self.shared.metrics.unrecorded();
        }
        self.writer = Some(writer);
        self.tell(Event::Remembered(remembered));
        for source in std::mem::take(&mut self.keep) {
            self.tell(Event::Keep(source));
        }
    }

    /// What was asked while the engine was held is done now.
    async fn begin(&mut self, journal: Option<Box<dyn Journal>>, looks: bool) {
        let Some(held) = self.held.take() else { return };
        match journal {
            Some(journal) if looks => {
                let (reader, remembered) = Writer::load(journal).await;
                reader.close().await;
                self.shared.core().planner.only_look();
                self.tell(Event::Remembered(remembered));
            }
            Some(journal) => self.load(journal).await,
            None if looks => self.shared.core().planner.only_look(),
            None => {}
        }
        self.catch_up(held);
    }

    async fn run(
        mut self,
        journal: Option<Box<dyn Journal>>,
        mut commands: mpsc::UnboundedReceiver<Command>,
        mut completions: mpsc::UnboundedReceiver<Completion>,
    ) {
        if let Some(journal) = journal {
            self.load(journal).await;
        }
        let mut next_check = self.check_every.map(|every| Instant::now() + every);
        let mut ended = Vec::new();
        loop {
            let recording = self.writer.as_ref().is_some_and(|writer| !writer.is_at_rest());
            self.shared.recording.store(recording, Ordering::Release);
            let wake = self.shared.core().planner.wake().map(|at| self.shared.started + at);
            let timer = async {
                match wake.into_iter().chain(next_check).min() {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            let written = async {
                match &mut self.writer {
                    Some(writer) => writer.written().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                (all, failed) = written => {
                    if failed.is_some() {
                        self.shared.metrics.unrecorded();
                    }
                    for effects in all {
                        self.carry_out(effects, failed.as_deref());
                    }
                }
                // What was begun gets its turn before more is planned, and nothing is taken in before all is.
                () = turn(), if self.more.is_some() => self.go_on(),
                command = commands.recv(), if self.more.is_none() => match command {
                    Some(Command::Stop(stopped)) => {
                        // What runs is let go as it is; the next run looks at what became of it.
                        self.shared.core().watchers = Watchers::default();
                        if let Some(writer) = self.writer {
                            writer.close().await;
                        }
                        let _ = stopped.send(());
                        return;
                    }
                    Some(Command::Begin(journal)) => self.begin(journal, false).await,
                    Some(Command::Look(journal)) => self.begin(journal, true).await,
                    Some(command) => self.obey(command),
                    None => {
                        if let Some(writer) = self.writer {
                            writer.close().await;
                        }
                        return;
                    }
                },
                1.. = completions.recv_many(&mut ended, 256), if self.more.is_none() => {
                    self.complete(ended.drain(..));
                }
                () = timer, if self.more.is_none() => {
                    if next_check.is_some_and(|at| at <= Instant::now()) {
                        next_check = self.check_every.map(|every| Instant::now() + every);
                        self.tell(Event::Check);
                    } else {
                        self.tell(Event::Tick);
                    }
                }
            }
            self.start_calls();
            self.tell_summary();
            self.tell_ended();
            self.tell_idle();
        }
    }

    /// Who asks how the engine stands need not wait for the planner. Told is what its health depends on, and not in the
    /// middle of what is done together: what was asked of a held engine closes kinds before it opens them.
    fn tell_summary(&self) {
        // Of an engine that has not begun, nothing is known.
        if self.held.is_some() {
            return;
        }
        let now = self.shared.core().planner.summary();
        self.shared.summary.send_if_modified(|told| {
            let news = !now.stands_like(told);
            *told = now;
            news
        });
    }

    /// Who is told of an end, and then asks how the engine stands, finds it.
    fn tell_ended(&mut self) {
        for ((to, permit), report) in self.ended.drain(..) {
            // Who committed may be gone; the transaction was carried out all the same.
            let _ = to.send(report);
            drop(permit);
        }
    }

    fn obey(&mut self, command: Command) {
        if let Some(held) = &mut self.held {
            match command {
                // Nothing has begun, so nothing runs; who asked may have gone.
                Command::Idle(_, told) => drop(told.send(())),
                command => held.push(command),
            }
            return;
        }
        match command {
            Command::Register(rules, southbound) => {
                self.named.insert(rules.kind(), southbound);
                self.tell(Event::Register(rules));
            }
            Command::Access(kinds) => {
                self.close(&kinds);
                self.tell(Event::Access(kinds));
            }
            Command::Idle(kinds, told) => self.until_idle.push((kinds, told)),
            Command::Priority(source, priority) => self.tell(Event::Priority(source, priority)),
            // Without a journal the planner need not say what is to be kept.
            Command::Keep(source) if self.writer.is_none() => drop(source),
            Command::Keep(source) => self.tell(Event::Keep(source)),
            Command::Commit(request, report, permit) => {
                self.asking = Some((report, Some(permit)));
                self.tell(Event::Transact(request));
            }
            Command::Notices => {
                let notices = self.shared.notices().take();
                if !notices.is_empty() {
                    self.tell(Event::Notified(notices));
                }
            }
            Command::Check(report) => {
                self.asking = Some((report, None));
                self.tell(Event::Check);
            }
            Command::Begin(_) | Command::Look(_) | Command::Stop(_) => {}
        }
    }

    /// Does what was asked meanwhile. Kinds that were registered are observed together and in the order that they need,
    /// whatever the order in which they came: so they are opened at once, when all are known.
    fn catch_up(&mut self, held: Vec<Command>) {
        let mut access: BTreeMap<String, Access> = BTreeMap::new();
        let (mut registered, mut rest) = (Vec::new(), Vec::new());
        for command in held {
            match command {
                Command::Access(kinds) => access.extend(kinds),
                Command::Register(rules, southbound) => {
                    access.entry(rules.kind().to_owned()).or_default();
                    registered.push(Command::Register(rules, southbound));
                }
                command => rest.push(command),
            }
        }
        if !access.is_empty() {
            let closed = |kind: &String| (kind.clone(), Access::Closed("the agent starts".to_owned()));
            self.obey(Command::Access(access.keys().map(closed).collect()));
            registered.into_iter().for_each(|command| self.obey(command));
            self.obey(Command::Access(access.into_iter().collect()));
        }
        rest.into_iter().for_each(|command| self.obey(command));
    }

    /// What was planned and has not begun is not done on a southbound that has gone.
    fn close(&mut self, kinds: &[(String, Access)]) {
        for (name, access) in kinds {
            let (Access::Closed(why) | Access::Unimplemented(why)) = access else {
                self.closed.remove(name);
                continue;
            };
            self.closed.insert(name.clone(), why.clone());
            let queued = self.kinds.values_mut().filter(|at| at.southbound.kind() == name);
            for (_, operation) in queued.flat_map(|at| at.queue.drain(..)) {
                let failed = Outcome::Failed(Failure::new(why));
                let _ = self.done.send(Completion::Finished(operation.id, failed));
            }
        }
    }

    fn tell_idle(&mut self) {
        // What waits for the journal was planned before.
        if self.until_idle.is_empty() || self.writer.as_ref().is_some_and(|writer| !writer.is_at_rest()) {
            return;
        }
        let busy: HashSet<_> =
            self.kinds.values().filter(|at| !at.is_idle()).map(|at| at.southbound.kind()).collect();
        let (waiting, idle) = std::mem::take(&mut self.until_idle)
            .into_iter()
            .partition(|(kinds, _)| kinds.iter().any(|kind| busy.contains(kind)));
        self.until_idle = waiting;
        let idle: Vec<(_, oneshot::Sender<()>)> = idle;
        for (_, told) in idle {
            // Who asked may have gone.
            let _ = told.send(());
        }
    }

    fn complete(&mut self, completions: impl Iterator<Item = Completion>) {
        let mut events = Vec::new();
        for completion in completions {
            match completion {
                Completion::Finished(id, outcome) => events.push(Event::Finished(id, outcome)),
                Completion::Observed(kind, result) => {
                    if let Some(kind) = self.kinds.get_mut(&kind) {
                        kind.observations -= 1;
                    }
                    let name = self.shared.core().planner.kind_name(kind).to_owned();
                    events.push(Event::Observed(name, result));
                }
                Completion::Returned(kind, took) => {
                    self.calls -= 1;
                    if let Some(kind) = self.kinds.get_mut(&kind) {
                        kind.calls -= 1;
                        self.shared.metrics.called(kind.southbound.kind(), took);
                    }
                }
            }
        }
        if !events.is_empty() {
            self.tell_all(events);
        }
    }

    fn tell(&mut self, event: Event) {
        self.tell_all([event]);
    }

    /// Hands events to the planner, one after the other, and takes the first of what follows.
    fn tell_all(&mut self, events: impl IntoIterator<Item = Event>) {
        let shared = self.shared.clone();
        let now = shared.started.elapsed();
        {
            let mut core = shared.core();
            let core = &mut *core;
            core.planner.publish(core.watchers.any());
            for event in events {
                core.recorder.add(now, &event);
                core.planner.take(now, event);
            }
        }
        self.more = None;
        self.go_on();
    }

    /// Takes what follows from what the planner was told: the next portion.
    fn go_on(&mut self) {
        let shared = self.shared.clone();
        let mut guard = shared.core();
        let core = &mut *guard;
        let listening = core.watchers.any();
        core.planner.publish(listening);
        let about = self.more.take().unwrap_or(PORTION);
        let (outputs, more) = core.planner.give(about);
        self.more = more.then_some((about * 2).min(LARGEST_PORTION));
        let mut facts = Vec::new();
        let mut effects = Effects { observed: Vec::new(), begun: Vec::new(), ended: Vec::new() };
        for output in outputs {
            match output {
                Output::Run(operation) => effects.begun.push(operation),
                Output::Observe(kind) => effects.observed.push(kind),
                Output::Record(number, fact) => facts.push((number, fact)),
                Output::Metadata(kind, key, metadata) => {
                    if let Some(southbound) = self.southbound(kind, core) {
                        southbound.set_metadata(&key, metadata);
                    }
                }
                Output::Status(status) => core.watchers.tell(&status),
                Output::Accepted(number) => {
                    if let Some(waiting) = self.asking.take() {
                        self.waiting.insert(number, waiting);
                    }
                }
                Output::Ended(report) => effects.ended.push(*report),
            }
        }
        for &kind in &effects.observed {
            self.southbound(kind, core);
        }
        for operation in &effects.begun {
            self.southbound(operation.kind, core);
        }
        let effects = match &mut self.writer {
            Some(writer) => {
                let now = writer.record(facts, effects);
                // Before anybody else can look: at rest is who has nothing left to record.
                shared.recording.store(!writer.is_at_rest(), Ordering::Release);
                now
            }
            None => Some(effects),
        };
        drop(guard);
        if let Some(effects) = effects {
            self.carry_out(effects, None);
        }
    }

    /// Does what the planner wants done, now that what came before it is recorded, or could not be.
    fn carry_out(&mut self, effects: Effects, unrecorded: Option<&str>) {
        for kind in effects.observed {
            if let Some(at) = self.kinds.get_mut(&kind) {
                at.observations += 1;
                match self.closed.get(at.southbound.kind()) {
                    Some(why) => {
                        let _ = self.done.send(Completion::Observed(kind, Err(Failure::new(why))));
                    }
                    None => call::observe(kind, at.southbound.clone(), self.done.clone()),
                }
            }
        }
        for operation in effects.begun {
            match (unrecorded, operation.action) {
                // An object that the journal does not know would belong to nobody after a crash.
                (Some(error), Action::Create) => {
                    let failure =
                        Failure::new(format!("not recorded in the journal, so not created: {error}"));
                    let _ = self.done.send(Completion::Finished(operation.id, Outcome::Failed(failure)));
                }
                _ => {
                    let Some(at) = self.kinds.get_mut(&operation.kind) else { continue };
                    if let Some(why) = self.closed.get(at.southbound.kind()) {
                        let failed = Outcome::Failed(Failure::new(why));
                        let _ = self.done.send(Completion::Finished(operation.id, failed));
                        continue;
                    }
                    self.turn += 1;
                    at.queue.push_back((self.turn, operation));
                }
            }
        }
        for mut report in effects.ended {
            if let Some(error) = unrecorded {
                report.errors.push(format!("not recorded in the journal: {error}: a restart may forget it"));
                if report.ending == Ending::Applied {
                    report.ending = Ending::Partly;
                }
            }
            self.shared.metrics.ended(&report);
            self.shared.core().history.add(&report);
            if let Some(waiting) = self.waiting.remove(&report.number) {
                self.ended.push((waiting, report));
            }
        }
    }

    fn southbound(&mut self, kind: u32, core: &Core) -> Option<&Arc<dyn Southbound>> {
        if !self.kinds.contains_key(&kind) {
            let southbound = self.named.get(core.planner.kind_name(kind))?.clone();
            self.kinds.insert(kind, Kind { southbound, queue: VecDeque::new(), calls: 0, observations: 0 });
        }
        self.kinds.get(&kind).map(|kind| &kind.southbound)
    }

    /// Begins what may run, in the order in which it was planned.
    fn start_calls(&mut self) {
        while self.calls < self.most_calls {
            let ready = self.kinds.iter_mut().filter(|(_, at)| at.calls < at.southbound.limits().calls);
            let first = ready
                .filter_map(|(&kind, at)| Some((at.queue.front()?.0, kind, at)))
                .min_by_key(|(turn, ..)| *turn);
            let Some((_, kind, at)) = first else { break };
            let batch = at.southbound.limits().batch;
            let action = at.queue[0].1.action;
            let length = at.queue.iter().take(batch).take_while(|(_, next)| next.action == action).count();
            let operations: Vec<Operation> =
                at.queue.drain(..length).map(|(_, operation)| operation).collect();
            self.calls += 1;
            at.calls += 1;
            call::operate(kind, action, operations, at.southbound.clone(), self.done.clone());
        }
    }
}
