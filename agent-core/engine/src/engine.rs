//! The engine as its users see it.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use prometheus_client::registry::Registry;
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio::time::Instant;

use crate::descriptor::{Descriptor, Observed};
use crate::driver::{Adapter, Command, Core, Driver, Notices, Shared};
use crate::history::History;
use crate::journal::Journal;
use crate::metadata::{Index, Registered};
use crate::metrics::Metrics;
use crate::planner::{Access, Drift, Foreign, Notice, Planner, Policy};
use crate::record::{Record, Recorder};
use crate::rules::{Rules, Typed};
use crate::transaction::{Change, OnPending, Options, Request};
use crate::watch::{Watch, Watchers};
use crate::{AnyValue, Done, Graph, Key, Plan, Report, Resync, Retry, Status, Summary};

/// How an engine behaves. All have useful defaults.
pub struct Settings {
    /// Items that nobody wants and that this agent did not make.
    pub foreign: Foreign,
    /// Items that are not any more as they were made.
    pub drift: Drift,
    /// How often drift is looked for by observing everything; `None`: only on demand.
    pub check_every: Option<Duration>,
    /// How many calls of descriptors run at once, all kinds together.
    pub calls: usize,
    /// How many transactions may be under way; further commits wait.
    pub transactions: usize,
    /// Bytes of history; 0 for none.
    pub history: usize,
    /// Age of history.
    pub history_age: Duration,
    /// Bytes of a record of what the planner is told; 0 for none.
    pub record: usize,
    /// Where it is recorded what this agent made, and what kept sources want; `None`: nothing outlives the process.
    pub journal: Option<Box<dyn Journal>>,
    /// Sources that cannot say again after a restart what they want: the journal keeps it. [`Engine::keep`] adds to
    /// them.
    pub keep: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            foreign: Foreign::default(),
            drift: Drift::default(),
            check_every: None,
            calls: 256,
            transactions: 200,
            history: 16 << 20,
            history_age: Duration::from_secs(24 * 3600),
            record: 0,
            journal: None,
            keep: vec!["local".to_owned()],
        }
    }
}

/// The engine has ended, or its task was stopped with the runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the engine has ended: nothing is known of what was asked of it")]
pub struct Ended;

/// A desired-state engine. A clone is the same engine; it ends when the last one is dropped, and leaves the southbound
/// as it is.
#[derive(Clone)]
pub struct Engine {
    shared: Arc<Shared>,
    commands: mpsc::UnboundedSender<Command>,
    admitted: Arc<Semaphore>,
    /// Of the plugin: the file of the journal, to be opened when the work begins.
    #[cfg(feature = "redb")]
    pub(crate) state: Option<Arc<std::path::Path>>,
}

impl Engine {
    /// Starts an engine on the current tokio runtime.
    ///
    /// # Panics
    ///
    /// Outside of a runtime.
    pub fn start(settings: Settings) -> Self {
        Self::spawn(settings, false)
    }

    /// As [`Engine::start`], but nothing is done before [`Engine::begin`]: kinds that are registered until then are observed
    /// together. What is asked of it waits.
    ///
    /// # Panics
    ///
    /// Outside of a runtime.
    pub fn held(settings: Settings) -> Self {
        Self::spawn(settings, true)
    }

    /// Begins the work of an engine that was [held](Engine::held).
    pub fn begin(&self) {
        self.send(Command::Begin(None));
    }

    /// As [`Engine::begin`], with a journal that was not in the settings.
    pub fn begin_with(&self, journal: impl Journal + 'static) {
        self.send(Command::Begin(Some(Box::new(journal))));
    }

    /// Begins the work of an engine that was [held](Engine::held) as an onlooker: it observes and plans, and never does
    /// anything; the journal is read and not written. Waits until all kinds have been observed, at most this long. Why
    /// others have not is given back.
    pub async fn look(&self, journal: Option<Box<dyn Journal>>, within: Duration) -> Vec<String> {
        self.send(Command::Look(journal));
        let until = Instant::now() + within;
        let mut summaries = self.summaries();
        loop {
            let kinds = self.kinds();
            let unobserved: Vec<String> = {
                let core = self.shared.core();
                kinds.keys().filter_map(|kind| core.planner.unobserved(kind)).collect()
            };
            if unobserved.is_empty() || Instant::now() >= until {
                return unobserved;
            }
            // Not all that this asks for is told.
            let again = until.min(Instant::now() + Duration::from_millis(20));
            let _ = tokio::time::timeout_at(again, summaries.changed()).await;
        }
    }

    fn spawn(settings: Settings, held: bool) -> Self {
        let policy = Policy { foreign: settings.foreign, drift: settings.drift };
        let core = Core {
            planner: Planner::new(policy),
            watchers: Watchers::default(),
            history: History::new(settings.history, settings.history_age),
            recorder: Recorder::new(settings.record, policy),
        };
        let shared = Arc::new(Shared {
            core: Mutex::new(core),
            notices: Mutex::new(Notices::default()),
            kinds: Mutex::default(),
            recording: AtomicBool::new(settings.journal.is_some()),
            started: Instant::now(),
            metrics: Metrics::default(),
            summary: watch::Sender::new(Summary { observing: true, ..Summary::default() }),
        });
        // Bounded by what is sent: transactions by `admitted`, and notices are joined with those that wait.
        let (commands, received) = mpsc::unbounded_channel();
        Driver::spawn(
            shared.clone(),
            received,
            settings.journal,
            settings.keep,
            settings.calls,
            settings.check_every,
            held,
        );
        let admitted = Arc::new(Semaphore::new(settings.transactions.max(1)));
        Self {
            shared,
            commands,
            admitted,
            #[cfg(feature = "redb")]
            state: None,
        }
    }

    /// Gives the engine a kind of item. Its items are observed; values that came before are applied then.
    ///
    /// # Panics
    ///
    /// If the kind's name is empty or has a slash, since no key could name an item of it; and if the kind is
    /// registered already: both are mistakes of the program, not of its input.
    pub fn register<D: Descriptor>(&self, descriptor: D) -> Registered<D> {
        assert!(!D::KIND.is_empty() && !D::KIND.contains('/'), "not a name of a kind: {:?}", D::KIND);
        let descriptor = Arc::new(descriptor);
        let rules: Arc<dyn Rules> = Arc::new(Typed(descriptor.clone()));
        let mut kinds = self.shared.kinds.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        assert!(kinds.insert(D::KIND, rules.clone()).is_none(), "kind {} is registered twice", D::KIND);
        drop(kinds);
        let index = Arc::new(Index::new());
        let adapter = Arc::new(Adapter { descriptor: descriptor.clone(), index: index.clone() });
        self.send(Command::Register(rules, adapter));
        Registered(index)
    }

    /// The kinds that are registered.
    pub(crate) fn kinds(&self) -> BTreeMap<&'static str, Arc<dyn Rules>> {
        self.shared.kinds.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    fn send(&self, command: Command) {
        // Without its task the engine has ended; what waits for an answer says so.
        let _ = self.commands.send(command);
    }

    /// As [`Engine::register`], of a kind whose southbound is not there yet: nothing is observed before it
    /// [opens](Engine::set_access).
    ///
    /// # Panics
    ///
    /// As `register` does.
    pub fn register_closed<D: Descriptor>(&self, descriptor: D, why: impl Into<String>) -> Registered<D> {
        self.set_access([(D::KIND, Access::Closed(why.into()))]);
        self.register(descriptor)
    }

    /// Says whether the southbound of these kinds can be worked with. Kinds that open together are observed together;
    /// what failed before is tried again then.
    pub fn set_access(&self, kinds: impl IntoIterator<Item = (&'static str, Access)>) {
        let kinds = kinds.into_iter().map(|(kind, access)| (kind.to_owned(), access)).collect();
        self.send(Command::Access(kinds));
    }

    /// Waits until nothing runs any more of what was begun for these kinds. Behind a [`set_access`](Engine::set_access)
    /// that closes them nothing else is begun, so what comes up in place of the southbound that has gone is not met by
    /// anything that was planned for that one.
    pub async fn idle(&self, kinds: impl IntoIterator<Item = &'static str>) {
        let (idle, told) = oneshot::channel();
        self.send(Command::Idle(kinds.into_iter().collect(), idle));
        // An error: the engine has ended, and nothing runs.
        let _ = told.await;
    }

    /// Where two sources want the same item, the one with the higher priority has it. All begin with 0; of equals,
    /// the one that the engine knows longer.
    pub fn set_priority(&self, source: impl Into<String>, priority: i32) {
        self.send(Command::Priority(source.into(), priority));
    }

    /// What the source wants is kept in the journal, and wanted again at the next start, before anything else is
    /// done: for sources that cannot say it again themselves. Without a journal this does nothing.
    ///
    /// A source stays kept. To forget it, let it want nothing.
    pub fn keep(&self, source: impl Into<String>) {
        self.send(Command::Keep(source.into()));
    }

    /// Begins a change of the desired state.
    pub fn transaction(&self) -> Transaction<'_> {
        let request =
            Request { source: "local".to_owned(), changes: Vec::new(), options: Options::default() };
        Transaction { engine: self, request }
    }

    /// The southbound says by itself that an item is there, or has another value. Never waits: only the last word on
    /// each item counts.
    pub fn appeared<D: Descriptor>(&self, observed: Observed<D>) {
        let seen = crate::driver::seen(observed);
        self.notice(Notice { key: seen.key.clone(), seen: Some(seen) });
    }

    /// The southbound says by itself that items are no more there.
    pub fn disappeared(&self, keys: impl IntoIterator<Item = Key>) {
        for key in keys {
            self.notice(Notice { key, seen: None });
        }
    }

    fn notice(&self, notice: Notice) {
        if self.shared.notices().add(notice) {
            self.send(Command::Notices);
        }
    }

    /// Observes everything and repairs or reports what differs, as the settings say.
    pub async fn check(&self) -> Result<Report, Ended> {
        let (report, reported) = oneshot::channel();
        self.send(Command::Check(report));
        reported.await.map_err(|_| Ended)
    }

    /// How an item stands; `None` for one that nobody wants and that is not there.
    pub fn status(&self, key: &Key) -> Option<Status> {
        self.shared.core().planner.status(key)
    }

    /// How the items stand whose keys start with a prefix: `""`, `"route/"`, `"route/0/10."`.
    pub fn statuses(&self, prefix: &str) -> Vec<Status> {
        let core = self.shared.core();
        match prefix.split_once('/') {
            Some((kind, name)) => core.planner.statuses(Some(kind), name),
            None => {
                let mut all = core.planner.statuses(None, "");
                all.retain(|status| status.key.as_str().starts_with(prefix));
                all
            }
        }
    }

    /// Watches the states of items whose keys start with a prefix. A watcher that does not read `buffer` changes in
    /// time is told that it lagged, and then the latest state of each item.
    pub fn watch(&self, prefix: &str, buffer: usize) -> Watch {
        self.shared.core().watchers.add(prefix, buffer)
    }

    /// How the engine stands as a whole.
    pub fn summary(&self) -> Summary {
        self.shared.core().planner.summary()
    }

    pub(crate) fn closed_to<'a>(
        &self,
        source: &str,
        whole: bool,
        changes: impl IntoIterator<Item = (&'a Key, Option<&'a AnyValue>)>,
    ) -> BTreeMap<Arc<str>, String> {
        self.shared.core().planner.closed_to(source, whole, changes)
    }

    /// As [`Engine::summary`], whenever kinds begin or cease to be observed and items begin or cease to fail.
    pub fn summaries(&self) -> watch::Receiver<Summary> {
        self.shared.summary.subscribe()
    }

    /// Registers what the engine counts; the plugin does.
    pub fn register_metrics(&self, registry: &mut Registry) {
        let engine = Arc::downgrade(&self.shared);
        self.shared.metrics.register(registry, move || {
            let shared = engine.upgrade()?;
            // Not the planner's own: it may be at work on a hundred thousand items.
            let summary = shared.summary.borrow().clone();
            Some((summary, shared.notices().len()))
        });
    }

    /// Items and what they need, as they stand.
    pub fn graph(&self) -> Graph {
        self.shared.core().planner.graph()
    }

    /// A transaction that has ended, by its number.
    pub fn report(&self, number: u64) -> Option<Report> {
        self.shared.core().history.get(number)
    }

    /// Transactions that ran within these times on the engine's clock.
    pub fn history(&self, times: RangeInclusive<Duration>) -> Vec<Report> {
        self.shared.core().history.between(&times)
    }

    /// What was done with an item, and in which transaction.
    pub fn timeline(&self, key: &Key) -> Vec<(u64, Done)> {
        self.shared.core().history.of(key)
    }

    /// Bytes that the history takes.
    pub fn history_bytes(&self) -> usize {
        self.shared.core().history.bytes()
    }

    /// Time on the engine's clock: since it started.
    pub fn now(&self) -> Duration {
        self.shared.started.elapsed()
    }

    /// Whether nothing runs and no transaction is under way.
    pub fn is_at_rest(&self) -> bool {
        let at_rest = self.shared.core().planner.at_rest();
        at_rest && !self.shared.recording.load(Ordering::Acquire)
    }

    /// What the planner was told so far, if the settings ask for a record.
    pub fn record(&self) -> Record {
        self.shared.core().recorder.record()
    }

    /// Stops the engine. Operations that run are not waited for; the southbound stays as it is. Afterwards the journal
    /// is closed, and another engine may open it.
    pub async fn stop(&self) {
        let (stopped, done) = oneshot::channel();
        self.send(Command::Stop(stopped));
        // An error: it had stopped before.
        let _ = done.await;
    }
}

/// A change of the desired state, as one source makes it. Of two changes of the same item the later one counts.
///
/// ```
/// # use vpp_agent_engine::{Engine, Retry, Settings, State};
/// # use vpp_agent_testkit::{A as Interfaces, B as Routes, Item, Southbound, need};
/// # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(async {
/// # let southbound = Southbound::new();
/// # let engine = Engine::start(Settings::default());
/// # southbound.register_all(&engine);
/// # let loop0 = Item::new("A", "loop0");
/// # let routes = ["10.1.0.0/16", "10.2.0.0/16"].map(|name| Item::new("B", name).needs(need("A/loop0")));
/// let report = engine
///     .transaction()
///     .set::<Interfaces>(loop0)
///     .set_all::<Routes>(routes)
///     .delete::<Routes>("10.9.0.0/16")
///     .retry(Retry::default())
///     .describe("the second uplink")
///     .commit()
///     .await?;
/// assert!(report.is_applied(), "{report}");
/// # assert_eq!(southbound.calls().len(), 3);
/// # Ok::<(), vpp_agent_engine::Ended>(())
/// # }).unwrap();
/// ```
#[must_use = "nothing happens before `commit`"]
pub struct Transaction<'a> {
    engine: &'a Engine,
    request: Request,
}

impl Transaction<'_> {
    /// The source wants this item.
    pub fn set<D: Descriptor>(self, value: D::Value) -> Self {
        let key = D::key(&value);
        self.change(key, Some(AnyValue::new(value)))
    }

    /// The source wants these items.
    pub fn set_all<D: Descriptor>(mut self, values: impl IntoIterator<Item = D::Value>) -> Self {
        let change =
            |value: D::Value| Change { key: D::key(&value), value: Some(AnyValue::new(value)), expect: None };
        self.request.changes.extend(values.into_iter().map(change));
        self
    }

    /// As [`Transaction::set`], for each key a value or, for an item that the source does not want any more, none.
    pub fn set_values(mut self, values: impl IntoIterator<Item = (Key, Option<AnyValue>)>) -> Self {
        let change = |(key, value)| Change { key, value, expect: None };
        self.request.changes.extend(values.into_iter().map(change));
        self
    }

    /// As [`Transaction::set`], from JSON. A field that does not fit its type is told by its path. If no descriptor of the kind is registered yet, the item is
    /// unimplemented until one is.
    pub fn set_json(self, key: Key, value: serde_json::Value) -> Self {
        self.change(key, Some(AnyValue::new(value)))
    }

    /// The source does not want the item `name` of a descriptor's kind any more.
    pub fn delete<D: Descriptor>(self, name: impl std::fmt::Display) -> Self {
        self.change(Key::new(D::KIND, name), None)
    }

    /// As [`Transaction::delete`], by key.
    pub fn delete_key(self, key: Key) -> Self {
        self.change(key, None)
    }

    fn change(mut self, key: Key, value: Option<AnyValue>) -> Self {
        self.request.changes.push(Change { key, value, expect: None });
        self
    }

    /// The last change holds only if the item has this [revision](Status::revision) (0: nobody ever wanted it). If it
    /// has not, the whole transaction is rejected. A revision of an earlier run holds of nothing, if there is a journal.
    pub fn expect(mut self, revision: u64) -> Self {
        if let Some(last) = self.request.changes.last_mut() {
            last.expect = Some(revision);
        }
        self
    }

    /// Who wants it; `local` if not said.
    pub fn source(mut self, name: impl Into<String>) -> Self {
        self.request.source = name.into();
        self
    }

    /// What fails is tried again.
    pub fn retry(mut self, retry: Retry) -> Self {
        self.request.options.retry = Some(retry);
        self
    }

    /// All or nothing: if an item fails, all is taken back; if one is invalid, its southbound is away or lacks its kind, nothing is
    /// begun.
    pub fn revert(mut self) -> Self {
        self.request.options.revert = true;
        self
    }

    /// What an all-or-nothing transaction does about items whose needs are not met. Implies [`Transaction::revert`].
    pub fn on_pending(mut self, policy: OnPending) -> Self {
        self.request.options.pending = policy;
        self.revert()
    }

    /// See [`Resync`].
    pub fn resync(mut self, resync: Resync) -> Self {
        self.request.options.resync = Some(resync);
        self
    }

    /// For the history.
    pub fn describe(mut self, text: impl Into<String>) -> Self {
        self.request.options.description = text.into();
        self
    }

    /// Hands it to the engine and waits for its end. A transaction that was handed over is carried out also if
    /// nobody waits any more.
    pub async fn commit(self) -> Result<Report, Ended> {
        let permit = self.engine.admitted.clone().acquire_owned().await.map_err(|_| Ended)?;
        let (report, reported) = oneshot::channel();
        self.engine.send(Command::Commit(self.request, report, permit));
        reported.await.map_err(|_| Ended)
    }

    /// What it would do now, if nothing failed. Nothing is changed and the southbound is not asked.
    ///
    /// It costs what it looks at, and 0.1 ms for 100,000 items that are there.
    pub fn plan(self) -> Plan {
        // The snapshot is made under the lock; looking ahead is not.
        let planner = self.engine.shared.core().planner.snapshot();
        planner.into_plan(self.request)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use prometheus_client::encoding::text::encode;
    use prometheus_client::registry::Registry;

    use super::{Engine, Settings};

    #[tokio::test]
    async fn a_scrape_does_not_wait_for_the_planner() {
        let engine = Engine::start(Settings::default());
        let mut registry = Registry::default();
        engine.register_metrics(&mut registry);
        let at_work = engine.shared.core();
        let (scraped, told) = mpsc::channel();
        std::thread::spawn(move || {
            let mut text = String::new();
            let _ = scraped.send(encode(&mut text, &registry).map(|()| text));
        });
        let text = told.recv_timeout(Duration::from_secs(60)).expect("it waits").expect("it can be written");
        drop(at_work);
        assert!(text.contains("transactions_open 0"), "{text}");
    }
}
