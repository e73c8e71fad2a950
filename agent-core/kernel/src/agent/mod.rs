//! An agent: plugins, and their life.

mod command_line;
mod entry;
mod lifecycle;
mod wiring;

use std::collections::BTreeSet;
use std::future::Future;
use std::process::ExitCode;
use std::sync::Arc;

use serde_json::Value as Json;
use tokio::sync::watch;

use self::entry::{Entry, Start};
use self::lifecycle::Lifecycle;
use crate::config::{self, Settings};
use crate::document::{self, ConfigErrors, Node, Origin};
use crate::{AgentError, AgentHealth, Plugin};

/// Where an agent begins.
#[derive(Debug)]
pub struct Agent;

impl Agent {
    /// An agent of this name, which is also that of its environment variables: `edge-router` reads `EDGE_ROUTER__…`.
    pub fn builder(name: &'static str) -> Builder {
        Builder { name, version: "", plugins: Vec::new() }
    }
}

/// An agent to be.
pub struct Builder {
    name: &'static str,
    version: &'static str,
    plugins: Vec<Entry>,
}

/// A configuration that every plugin could read.
struct Configured {
    sections: Vec<Node>,
    schema: Json,
    starts: Vec<Start>,
}

impl Builder {
    /// Adds a plugin. The order does not matter.
    #[must_use]
    pub fn plugin<P: Plugin>(mut self) -> Self {
        self.plugins.push(Entry::of::<P>());
        self
    }

    /// What `--version` and the metrics tell: `env!("CARGO_PKG_VERSION")`.
    #[must_use]
    pub fn version(mut self, version: &'static str) -> Self {
        self.version = version;
        self
    }

    /// The whole `main` of an agent: command line, logs, configuration, signals. `--help` tells the flags.
    ///
    /// | Exit code | When |
    /// |---|---|
    /// | 0 | SIGTERM or SIGINT came and everything stopped |
    /// | 1 | a plugin failed to start, gave up or failed to stop; a second signal came |
    /// | 2 | the command line, the configuration or the list of plugins is wrong: nothing has started |
    pub fn main(self) -> ExitCode {
        command_line::main(self)
    }

    /// Runs the agent until the future is done or a plugin gives up. `main` is this with the process's settings, logs
    /// and signals.
    ///
    /// # Errors
    /// The first that happened, behind which everything has stopped.
    pub async fn run(self, settings: Settings, shutdown: impl Future<Output = ()>) -> Result<(), AgentError> {
        let mut life = self.life(&settings)?;
        let ran = tokio::select! {
            biased;
            () = shutdown => Ok(()),
            error = live(&mut life) => Err(error),
        };
        if let Err(error) = &ran {
            tracing::error!("{error}");
        }
        tracing::info!("stops");
        ran.and(life.stop().await)
    }

    /// Starts the agent and returns when every plugin is ready.
    ///
    /// # Errors
    /// The first that happened, behind which everything has stopped.
    pub async fn start(self, settings: Settings) -> Result<Running, AgentError> {
        let mut running = Running { life: self.life(&settings)? };
        match up(&mut running.life).await {
            Ok(()) => Ok(running),
            Err(error) => {
                // Told by the log; what came first counts.
                let _ = running.life.stop().await;
                Err(error)
            }
        }
    }

    fn life(self, settings: &Settings) -> Result<Lifecycle, AgentError> {
        let needs = self.wire()?;
        let starts = self.configure(settings)?.starts;
        let plugins = self.plugins.into_iter().zip(starts.into_iter().map(Some)).collect();
        Ok(Lifecycle::new((self.name, self.version), plugins, needs))
    }

    /// Those of a command only.
    fn life_for(self, settings: &Settings, command: &crate::command::Entry) -> Result<Lifecycle, AgentError> {
        let needs = self.wire()?;
        let chosen: BTreeSet<_> = wiring::for_command(&self.plugins, &needs, &command.needs);
        let starts = self.configure(settings)?.starts.into_iter().enumerate();
        let starts = starts.map(|(at, start)| chosen.contains(&at).then_some(start));
        let plugins = self.plugins.into_iter().zip(starts).collect();
        Ok(Lifecycle::new((self.name, self.version), plugins, needs))
    }

    fn wire(&self) -> Result<Vec<Vec<usize>>, AgentError> {
        wiring::wire(&self.plugins).map_err(|faults| AgentError::Wiring { agent: self.name, faults })
    }

    /// The JSON schema of the configuration.
    pub fn schema(&self) -> Json {
        let sections =
            self.plugins.iter().map(|plugin| (plugin.name, &plugin.schema as &dyn Fn(&mut _) -> _));
        document::schema(&format!("Configuration of {}", self.name), sections)
    }

    fn configure(&self, settings: &Settings) -> Result<Configured, ConfigErrors> {
        let read = settings.source.as_ref().map(config::read).transpose();
        let root = read.map_err(|error| ConfigErrors(vec![error]))?;
        let mut root = root.unwrap_or_else(|| Node::table(Origin::Nowhere));
        let schema = self.schema();
        let mut errors = config::apply(&mut root, settings, self.name, &schema);
        let names: Vec<_> = self.plugins.iter().map(|plugin| plugin.name).collect();
        errors.extend(config::strangers(&root, &names));
        let (mut sections, mut starts) = (Vec::new(), Vec::new());
        for plugin in &self.plugins {
            let section = config::section_of(&root, plugin.name);
            match (plugin.prepare)(&section) {
                Ok(start) => starts.push(start),
                Err(error) => errors.push(error),
            }
            sections.push(section);
        }
        if errors.is_empty() {
            Ok(Configured { sections, schema, starts })
        } else {
            Err(ConfigErrors(errors))
        }
    }
}

/// Until every plugin is ready, or one gives up meanwhile.
async fn up(life: &mut Lifecycle) -> Result<(), AgentError> {
    let shared = Arc::clone(&life.shared);
    let starting = async {
        life.start().await?;
        life.ready().await
    };
    tokio::select! {
        biased;
        error = shared.exit.error() => Err(error),
        outcome = starting => outcome,
    }
}

/// Until something fails.
async fn live(life: &mut Lifecycle) -> AgentError {
    match up(life).await {
        Ok(()) => life.shared.exit.error().await,
        Err(error) => error,
    }
}

/// An agent that runs. Dropped without [`stop`](Self::stop), its tasks end at their next `await` and no plugin's `stop` is
/// called.
pub struct Running {
    life: Lifecycle,
}

impl Running {
    /// A plugin of the agent.
    pub fn plugin<P: Plugin>(&self) -> Option<Arc<P>> {
        self.life.started().get()
    }

    /// How all plugins are, now and whenever that changes.
    pub fn health(&self) -> watch::Receiver<AgentHealth> {
        self.life.board.watch()
    }

    /// All metrics of the agent in the OpenMetrics text format.
    pub fn metrics_text(&self) -> String {
        self.life.shared.metrics_text()
    }

    /// Waits until a plugin gives up.
    pub async fn gives_up(&self) -> AgentError {
        self.life.shared.exit.error().await
    }

    /// Stops the plugins in reverse.
    ///
    /// # Errors
    /// The first plugin that panicked or was late; the others have stopped nevertheless.
    pub async fn stop(mut self) -> Result<(), AgentError> {
        self.life.stop().await
    }
}
