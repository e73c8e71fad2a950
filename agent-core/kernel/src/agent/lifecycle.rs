//! Starts plugins in the order of their needs, and stops them in the reverse.

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tracing::Instrument;

use super::entry::{Entry, Plug, Start};
use super::wiring::reverse;
use crate::context::Shared;
use crate::health::{Board, STOPPED, STOPPING};
use crate::metrics::States;
use crate::needs::Started;
use crate::tasks::{Fault, Tasks};
use crate::{AgentError, Context, Health, Phase, PluginError};

/// The plugins of an agent while it runs.
pub(super) struct Lifecycle {
    slots: Vec<Slot>,
    needs: Vec<Vec<usize>>,
    /// Those that take part.
    chosen: BTreeSet<usize>,
    pub(super) shared: Arc<Shared>,
    pub(super) board: Board,
    started: Started,
}

/// One plugin.
struct Slot {
    entry: Entry,
    start: Option<Start>,
    cx: Context,
    /// Set by the start itself, so that one which is dropped behind its last `await` is known.
    plug: Arc<OnceLock<Arc<dyn Plug>>>,
}

/// Runs one of a plugin's methods, and makes of whatever goes wrong in it an error of the plugin.
async fn call<T: Send + 'static>(
    (plugin, within): (&'static str, Duration),
    tasks: Tasks,
    phase: Phase,
    method: impl Future<Output = Result<T, PluginError>> + Send + 'static,
) -> Result<T, AgentError> {
    match tasks.call(within, method.in_current_span()).await {
        Ok(outcome) => outcome.map_err(|source| AgentError::Plugin { plugin, phase, source }),
        Err(Fault::Panicked(text)) => Err(AgentError::Panicked { plugin, phase, text }),
        Err(Fault::Late(within)) => Err(AgentError::Late { plugin, phase, within }),
    }
}

impl Lifecycle {
    pub(super) fn new(
        (name, version): (&'static str, &'static str),
        plugins: Vec<(Entry, Option<Start>)>,
        needs: Vec<Vec<usize>>,
    ) -> Self {
        let chosen: BTreeSet<_> = (0..plugins.len()).filter(|at| plugins[*at].1.is_some()).collect();
        let board = Board::new(chosen.iter().map(|at| plugins[*at].0.name));
        let mut metrics = Registry::default();
        let labels = vec![("name".to_owned(), name.to_owned()), ("version".to_owned(), version.to_owned())];
        metrics.register("agent", "The agent", Info::new(labels));
        metrics.register_collector(Box::new(States(board.clone())));
        let shared =
            Arc::new(Shared { name, version, metrics: Mutex::new(metrics), exit: Default::default() });
        let slot = |at: usize, entry: Entry, start| {
            let index = chosen.range(..at).count();
            let cx = Context {
                agent: Arc::clone(&shared),
                plugin: entry.name,
                health: Health { board: board.clone(), index },
                tasks: Tasks::default(),
                span: tracing::info_span!("plugin", name = entry.name),
            };
            Slot { entry, start, cx, plug: Arc::default() }
        };
        let slots =
            plugins.into_iter().enumerate().map(|(at, (entry, start))| slot(at, entry, start)).collect();
        Self { slots, needs, chosen, shared, board, started: Started::default() }
    }

    pub(super) fn started(&self) -> &Started {
        &self.started
    }

    /// A context for a command.
    pub(super) fn context(&self, name: &'static str) -> Context {
        let health = Health { board: Board::new(std::iter::once(name)), index: 0 };
        let span = tracing::info_span!("command", name);
        Context { agent: Arc::clone(&self.shared), plugin: name, health, tasks: Tasks::default(), span }
    }

    /// Starts all, each when what it needs has started. May be dropped; [`stop`](Self::stop) belongs behind it in any
    /// case.
    pub(super) async fn start(&mut self) -> Result<(), AgentError> {
        let needs = self.needs.clone();
        let mut course = Course::new(&self.chosen, &needs);
        while let Some(at) = course.next().await? {
            match at {
                Step::Begin(at) => {
                    let slot = &mut self.slots[at];
                    let Some(start) = slot.start.take() else { continue };
                    let (cx, plug, span) = (slot.cx.clone(), Arc::clone(&slot.plug), slot.cx.span.clone());
                    let (started, tasks) = (self.started.clone(), slot.cx.tasks.clone());
                    let board = self.board.clone();
                    let entry = (slot.entry.name, slot.entry.start_within);
                    let call = async move {
                        tracing::debug!("starts");
                        let begun = Instant::now();
                        let index = cx.health.index;
                        let starting =
                            async move { start(started, cx).await.map(|made| drop(plug.set(made))) };
                        call(entry, tasks, Phase::Start, starting).await?;
                        tracing::info!("started in {:.1} ms", begun.elapsed().as_secs_f64() * 1e3);
                        board.started(index);
                        Ok(())
                    };
                    course.spawn(at, call.instrument(span));
                }
                Step::Done(at) => {
                    if let Some(plug) = self.slots[at].plug.get() {
                        plug.share(&mut self.started);
                    }
                }
            }
        }
        Ok(())
    }

    /// Tells all that all have started, in the order in which they did.
    pub(super) async fn ready(&mut self) -> Result<(), AgentError> {
        let needs = self.needs.clone();
        let mut course = Course::new(&self.chosen, &needs);
        while let Some(step) = course.next().await? {
            let Step::Begin(at) = step else { continue };
            let slot = &self.slots[at];
            let Some(plug) = slot.plug.get() else { continue };
            let ready = plug.ready(slot.cx.clone());
            let call =
                call((slot.entry.name, slot.entry.start_within), slot.cx.tasks.clone(), Phase::Ready, ready);
            course.spawn(at, call.instrument(slot.cx.span.clone()));
        }
        Ok(())
    }

    /// Stops what has started, each when all that need it have stopped. Every fault is logged; the first is returned.
    pub(super) async fn stop(&mut self) -> Result<(), AgentError> {
        for at in &self.chosen {
            self.board.stopping(self.slots[*at].cx.health.index, STOPPING);
        }
        let users = reverse(&self.needs);
        let mut course = Course::new(&self.chosen, &users);
        let mut first = None;
        // What is shared lives no longer than its plugin.
        self.started = Started::default();
        loop {
            match course.next().await {
                Ok(None) => break,
                Ok(Some(Step::Begin(at))) => {
                    let slot = &mut self.slots[at];
                    let (cx, plug) = (slot.cx.clone(), std::mem::take(&mut slot.plug));
                    let entry = (slot.entry.name, slot.entry.stop_within);
                    let span = cx.span.clone();
                    course.spawn(at, stop_one(entry, cx, plug).instrument(span));
                }
                Ok(Some(Step::Done(_))) => {}
                Err(error) => {
                    tracing::error!("{error}");
                    first.get_or_insert(error);
                }
            }
        }
        first.map_or(Ok(()), Err)
    }
}

async fn stop_one(
    (plugin, within): (&'static str, Duration),
    cx: Context,
    plug: Arc<OnceLock<Arc<dyn Plug>>>,
) -> Result<(), AgentError> {
    let begun = Instant::now();
    cx.tasks.calls_gone().await;
    let stopped = match plug.get() {
        Some(plug) => {
            tracing::debug!("stops");
            let stop = plug.stop(cx.clone());
            let stop = async {
                stop.await;
                Ok(())
            };
            call((plugin, within), cx.tasks.clone(), Phase::Stop, stop).await
        }
        None => Ok(()),
    };
    let late = cx.tasks.end(within.saturating_sub(begun.elapsed())).await;
    cx.health.board.stopping(cx.health.index, STOPPED);
    if late.is_empty() {
        return stopped;
    }
    tracing::error!("tasks did not end and were dropped: {}", late.join(", "));
    stopped.and(Err(AgentError::Late { plugin, phase: Phase::Stop, within }))
}

/// Whoever lets go of an agent without stopping it has no tasks of it left.
impl Drop for Lifecycle {
    fn drop(&mut self) {
        for slot in &self.slots {
            slot.cx.tasks.abandon();
        }
    }
}

/// A way through all plugins on which each comes behind those before it, and several at once.
struct Course {
    /// Those that have not begun, with how many are still before them.
    open: Vec<(usize, BTreeSet<usize>)>,
    running: JoinSet<(usize, Result<(), AgentError>)>,
}

enum Step {
    /// This one's turn.
    Begin(usize),
    /// This one is through.
    Done(usize),
}

impl Course {
    fn new(chosen: &BTreeSet<usize>, before: &[Vec<usize>]) -> Self {
        let before = |at: usize| before[at].iter().copied().filter(|other| chosen.contains(other)).collect();
        Self { open: chosen.iter().map(|at| (*at, before(*at))).collect(), running: JoinSet::new() }
    }

    fn spawn(&mut self, at: usize, call: impl Future<Output = Result<(), AgentError>> + Send + 'static) {
        self.running.spawn(async move { (at, call.await) });
    }

    /// What to do next; nothing at the end. One that fails is through.
    async fn next(&mut self) -> Result<Option<Step>, AgentError> {
        if let Some(place) = self.open.iter().position(|(_, before)| before.is_empty()) {
            return Ok(Some(Step::Begin(self.open.remove(place).0)));
        }
        match self.running.join_next().await {
            None => Ok(None),
            Some(joined) => {
                // The tasks of a course panic in no plugin's name: its calls are tasks of their own.
                let (at, outcome) =
                    joined.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
                for (_, before) in &mut self.open {
                    before.remove(&at);
                }
                outcome.map(|()| Some(Step::Done(at)))
            }
        }
    }
}
