//! Why an agent did not start, or ended.

use std::fmt;
use std::time::Duration;

use crate::{ConfigErrors, PluginError};

/// Why an agent did not start, or ended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AgentError {
    /// The agent's plugins do not fit together. One for the author of the agent: change the plugins that `main` lists.
    #[error("the plugins of {agent} do not fit together:{}", lines(faults))]
    Wiring {
        /// The agent.
        agent: &'static str,
        /// What is wrong, one sentence for each.
        faults: Vec<String>,
    },
    /// The configuration is wrong; nothing has started.
    #[error("{0}")]
    Config(#[from] ConfigErrors),
    /// A plugin returned an error, or [gave up](crate::Context::give_up).
    #[error("plugin `{plugin}` {phase}: {}", chain(source.as_ref()))]
    Plugin {
        /// The plugin.
        plugin: &'static str,
        /// What it was doing.
        phase: Phase,
        /// Why.
        source: PluginError,
    },
    /// A plugin panicked. An error in it; the log has the place.
    #[error("plugin `{plugin}` {phase}: it panicked: {text}")]
    Panicked {
        /// The plugin.
        plugin: &'static str,
        /// What it was doing.
        phase: Phase,
        /// What the panic said.
        text: String,
    },
    /// A plugin took longer than it says it may.
    #[error("plugin `{plugin}` {phase}: not done within {}", seconds(*within))]
    Late {
        /// The plugin.
        plugin: &'static str,
        /// What it was doing.
        phase: Phase,
        /// What it may take.
        within: Duration,
    },
    /// The agent itself could not be set up.
    #[error("cannot {attempted}: {source}")]
    Setup {
        /// What was attempted.
        attempted: &'static str,
        /// Why it failed.
        source: std::io::Error,
    },
}

/// What a plugin was doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// [`Plugin::start`](crate::Plugin::start).
    Start,
    /// [`Plugin::ready`](crate::Plugin::ready).
    Ready,
    /// Its work.
    Run,
    /// [`Plugin::stop`](crate::Plugin::stop).
    Stop,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Start => "did not start",
            Self::Ready => "did not get ready",
            Self::Run => "gave up",
            Self::Stop => "did not stop",
        })
    }
}

/// An error with what it came from, where it does not tell itself.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let cause = error.to_string();
        if !text.ends_with(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
        source = error.source();
    }
    text
}

fn lines(faults: &[String]) -> String {
    faults.iter().map(|fault| format!("\n  {fault}")).collect()
}

fn seconds(duration: Duration) -> String {
    format!("{} s", duration.as_secs_f64())
}
