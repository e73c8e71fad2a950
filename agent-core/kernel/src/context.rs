//! What the kernel gives a plugin.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::registry::Registry;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, Span};

use crate::tasks::{Exit, Tasks};
use crate::{AgentError, AgentHealth, Health, Phase, PluginError};

/// What the kernel gives a plugin. A clone is the same; tasks take one with them.
#[derive(Clone)]
pub struct Context {
    pub(crate) agent: Arc<Shared>,
    pub(crate) plugin: &'static str,
    pub(crate) health: Health,
    pub(crate) tasks: Tasks,
    pub(crate) span: Span,
}

/// What all plugins of an agent share.
pub(crate) struct Shared {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    pub(crate) metrics: Mutex<Registry>,
    pub(crate) exit: Exit,
}

impl Shared {
    pub(crate) fn metrics_text(&self) -> String {
        let registry = self.metrics.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = String::new();
        // Only the receiving side can fail, and a string does not.
        let _ = prometheus_client::encoding::text::encode(&mut text, &registry);
        text
    }
}

impl Context {
    /// The agent's name.
    pub fn agent(&self) -> &'static str {
        self.agent.name
    }

    /// The agent's version; empty where its author gave none.
    pub fn agent_version(&self) -> &'static str {
        self.agent.version
    }

    /// This plugin's name.
    pub fn plugin(&self) -> &'static str {
        self.plugin
    }

    /// Where this plugin tells how it is.
    pub fn health(&self) -> &Health {
        &self.health
    }

    /// How all plugins are, now and whenever that changes.
    pub fn agent_health(&self) -> watch::Receiver<AgentHealth> {
        self.health.board.watch()
    }

    /// Runs a task that belongs to the plugin. It should end when [`shutdown`](Self::shutdown) is cancelled; the kernel
    /// waits for it and drops it when that takes too long. Where it panics the plugin has failed, and others go on.
    pub fn spawn(&self, name: impl Into<String>, future: impl Future<Output = ()> + Send + 'static) {
        let name = name.into();
        let span = tracing::info_span!(parent: &self.span, "task", name);
        let health = self.health.clone();
        let panicked = {
            let name = name.clone();
            move |text: String| health.failed(format!("task `{name}` panicked: {text}"))
        };
        self.tasks.spawn(name, future.instrument(span), panicked);
    }

    /// Runs a task as [`spawn`](Self::spawn) does and drops it when the plugin stops: for loops that have nothing to
    /// bring to an end.
    pub fn spawn_until_stop(
        &self,
        name: impl Into<String>,
        future: impl Future<Output = ()> + Send + 'static,
    ) {
        let shutdown = self.shutdown().clone();
        self.spawn(name, async move {
            tokio::select! {
                biased;
                () = shutdown.cancelled() => {}
                () = future => {}
            }
        });
    }

    /// Cancelled when this plugin stops: all that need it have stopped, and its own `stop` has run.
    pub fn shutdown(&self) -> &CancellationToken {
        &self.tasks.shutdown
    }

    /// Registers metrics; their names begin with the plugin's.
    ///
    /// ```
    /// # fn start(cx: &vpp_agent_kernel::Context) {
    /// use vpp_agent_kernel::prometheus_client::metrics::counter::Counter;
    ///
    /// let packets = Counter::<u64>::default();
    /// cx.metrics(|registry| registry.register("packets", "Packets seen", packets.clone()));
    /// # }
    /// ```
    pub fn metrics<T>(&self, register: impl FnOnce(&mut Registry) -> T) -> T {
        let mut registry = self.agent.metrics.lock().unwrap_or_else(PoisonError::into_inner);
        register(registry.sub_registry_with_prefix(self.plugin.replace('-', "_")))
    }

    /// All metrics of the agent in the OpenMetrics text format.
    pub fn metrics_text(&self) -> String {
        self.agent.metrics_text()
    }

    /// Ends the agent because of an error: plugins stop in reverse and the agent's outcome is this error. Without it an
    /// agent with a failed plugin goes on and its liveness probe tells.
    pub fn give_up(&self, why: impl Into<PluginError>) {
        let error = AgentError::Plugin { plugin: self.plugin, phase: Phase::Run, source: why.into() };
        self.agent.exit.ask(error);
    }
}
