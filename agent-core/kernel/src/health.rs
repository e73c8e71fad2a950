//! How plugins are, and what that makes of the agent.

use std::fmt;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::time::Instant;

/// How a plugin is.
///
/// | State | Live | Ready |
/// |---|---|---|
/// | `Ready` | yes | yes |
/// | `Degraded`: works, with limits | yes | yes |
/// | `Waiting`: does not work now, and will by itself | yes | no |
/// | `Failed`: will not work again by itself | no | no |
///
/// Worse states are greater.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum HealthState {
    /// It works.
    Ready,
    /// It works, with limits.
    Degraded(String),
    /// It does not work now: it starts or stops, or what it waits for is not there.
    Waiting(String),
    /// It will not work again by itself: the agent should be started anew.
    Failed(String),
}

impl HealthState {
    /// Whether starting the agent anew would not help.
    pub fn is_live(&self) -> bool {
        !matches!(self, Self::Failed(_))
    }

    /// Whether it does its work.
    pub fn is_ready(&self) -> bool {
        matches!(self, Self::Ready | Self::Degraded(_))
    }

    /// The state in a word: `ready`, `degraded`, `waiting`, `failed`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Degraded(_) => "degraded",
            Self::Waiting(_) => "waiting",
            Self::Failed(_) => "failed",
        }
    }

    /// The reason of every state but `Ready`.
    pub fn why(&self) -> Option<&str> {
        match self {
            Self::Ready => None,
            Self::Degraded(why) | Self::Waiting(why) | Self::Failed(why) => Some(why),
        }
    }
}

impl fmt::Display for HealthState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())?;
        self.why().map_or(Ok(()), |why| write!(f, ": {why}"))
    }
}

/// A plugin and how it is.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PluginHealth {
    /// [`Plugin::NAME`](crate::Plugin::NAME).
    pub plugin: &'static str,
    /// How it is.
    pub state: HealthState,
    /// Since when it is in this state; another reason is not another state.
    pub since: Instant,
}

/// How an agent is: as its worst plugin, whoever spoke last.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct AgentHealth {
    /// Every plugin, in the order in which the agent names them.
    pub plugins: Vec<PluginHealth>,
}

impl AgentHealth {
    /// The worst state of all; the first plugin's in this state.
    pub fn worst(&self) -> Option<&PluginHealth> {
        self.plugins.iter().rev().max_by_key(|plugin| rank(&plugin.state))
    }

    /// Whether no plugin has failed.
    pub fn is_live(&self) -> bool {
        self.plugins.iter().all(|plugin| plugin.state.is_live())
    }

    /// Whether every plugin does its work.
    pub fn is_ready(&self) -> bool {
        self.plugins.iter().all(|plugin| plugin.state.is_ready())
    }

    /// How a plugin is.
    pub fn of(&self, plugin: &str) -> Option<&HealthState> {
        self.plugins.iter().find(|entry| entry.plugin == plugin).map(|entry| &entry.state)
    }
}

/// One line for each plugin.
impl fmt::Display for AgentHealth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.plugins.iter().map(|entry| entry.plugin.len()).max().unwrap_or(0);
        for PluginHealth { plugin, state, since } in &self.plugins {
            let (word, seconds) = (state.word(), since.elapsed().as_secs());
            write!(f, "{plugin:width$}  {word:8}  {seconds:>6} s")?;
            writeln!(f, "{}", state.why().map(|why| format!("  {why}")).unwrap_or_default())?;
        }
        Ok(())
    }
}

fn rank(state: &HealthState) -> u8 {
    match state {
        HealthState::Ready => 0,
        HealthState::Degraded(_) => 1,
        HealthState::Waiting(_) => 2,
        HealthState::Failed(_) => 3,
    }
}

/// Where a plugin tells how it is. The kernel says `waiting` until the plugin has started, then `ready` unless the
/// plugin has said something itself, and `failed` where one of its tasks panics.
#[derive(Clone)]
pub struct Health {
    pub(crate) board: Board,
    pub(crate) index: usize,
}

impl Health {
    /// It works.
    pub fn ready(&self) {
        self.set(HealthState::Ready);
    }

    /// It works, with limits.
    pub fn degraded(&self, why: impl fmt::Display) {
        self.set(HealthState::Degraded(why.to_string()));
    }

    /// It does not work now, and will by itself.
    pub fn waiting(&self, why: impl fmt::Display) {
        self.set(HealthState::Waiting(why.to_string()));
    }

    /// It will not work again by itself. The agent is no longer live, and whoever watches it may start it anew.
    pub fn failed(&self, why: impl fmt::Display) {
        self.set(HealthState::Failed(why.to_string()));
    }

    /// Sets any state.
    pub fn set(&self, state: HealthState) {
        self.board.set(self.index, state);
    }
}

/// The states of all plugins of an agent.
#[derive(Debug, Clone)]
pub(crate) struct Board(Arc<watch::Sender<AgentHealth>>);

pub(crate) const STARTING: &str = "starting";
pub(crate) const STOPPING: &str = "stopping";
pub(crate) const STOPPED: &str = "stopped";

impl Board {
    pub(crate) fn new(plugins: impl Iterator<Item = &'static str>) -> Self {
        let since = Instant::now();
        let state = HealthState::Waiting(STARTING.to_owned());
        let plugins = plugins.map(|plugin| PluginHealth { plugin, state: state.clone(), since }).collect();
        Self(Arc::new(watch::Sender::new(AgentHealth { plugins })))
    }

    fn set(&self, index: usize, state: HealthState) {
        self.0.send_if_modified(|health| {
            let entry = &mut health.plugins[index];
            if entry.state == state {
                return false;
            }
            let plugin = entry.plugin;
            match &state {
                HealthState::Failed(why) => tracing::error!(plugin, "failed: {why}"),
                HealthState::Degraded(why) => tracing::warn!(plugin, "degraded: {why}"),
                // The kernel's own are told by what it does.
                HealthState::Waiting(why) if [STARTING, STOPPING, STOPPED].contains(&why.as_str()) => {}
                HealthState::Waiting(why) => tracing::info!(plugin, "waiting: {why}"),
                HealthState::Ready => tracing::info!(plugin, "ready"),
            }
            if rank(&entry.state) != rank(&state) {
                entry.since = Instant::now();
            }
            entry.state = state;
            true
        });
    }

    /// The plugin has started; one that has said how it is stays so.
    pub(crate) fn started(&self, index: usize) {
        let is_silent = self.0.borrow().plugins[index].state == HealthState::Waiting(STARTING.to_owned());
        if is_silent {
            self.set(index, HealthState::Ready);
        }
    }

    /// A failure stays to be seen.
    pub(crate) fn stopping(&self, index: usize, what: &str) {
        if self.0.borrow().plugins[index].state.is_live() {
            self.set(index, HealthState::Waiting(what.to_owned()));
        }
    }

    pub(crate) fn now(&self) -> AgentHealth {
        self.0.borrow().clone()
    }

    pub(crate) fn watch(&self) -> watch::Receiver<AgentHealth> {
        self.0.subscribe()
    }
}
