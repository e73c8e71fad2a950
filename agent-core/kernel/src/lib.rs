//! What an agent is made of: plugins that are wired by type, configured from one file, started and stopped in order,
//! and watched. It knows nothing of VPP.
//!
//! ```no_run
//! use std::process::ExitCode;
//! use std::sync::Arc;
//!
//! use vpp_agent_kernel::schemars::JsonSchema;
//! use vpp_agent_kernel::serde::Deserialize;
//! use vpp_agent_kernel::{Agent, Context, Plugin, PluginError, Provided};
//!
//! fn main() -> ExitCode {
//!     Agent::builder("greeter").plugin::<Names>().plugin::<Greeter>().main()
//! }
//!
//! /// A plugin without configuration that needs no other.
//! struct Names;
//!
//! impl Names {
//!     fn next(&self) -> &str {
//!         "world"
//!     }
//! }
//!
//! impl Plugin for Names {
//!     const NAME: &'static str = "names";
//!     type Config = ();
//!     type Needs = ();
//!
//!     async fn start(_: (), (): Provided<Self>, _: &Context) -> Result<Self, PluginError> {
//!         Ok(Self)
//!     }
//! }
//!
//! /// One that stands on it.
//! struct Greeter {
//!     greeting: String,
//!     names: Arc<Names>,
//! }
//!
//! #[derive(Deserialize, JsonSchema)]
//! #[serde(crate = "vpp_agent_kernel::serde")]
//! #[schemars(crate = "vpp_agent_kernel::schemars")]
//! struct GreeterConfig {
//!     greeting: String,
//! }
//!
//! impl Plugin for Greeter {
//!     const NAME: &'static str = "greeter";
//!     type Config = GreeterConfig;
//!     type Needs = Names;
//!
//!     async fn start(config: GreeterConfig, names: Arc<Names>, cx: &Context) -> Result<Self, PluginError> {
//!         let shutdown = cx.shutdown().clone();
//!         cx.spawn("greetings", async move { shutdown.cancelled().await });
//!         Ok(Self { greeting: config.greeting, names })
//!     }
//!
//!     async fn stop(&self, _: &Context) {
//!         println!("{}, {}", self.greeting, self.names.next());
//!     }
//! }
//! ```
//!
//! # What holds
//!
//! * A plugin starts when all that it needs has started, and stops when all that need it have stopped; those that do not
//!   need each other do so at the same time. Each has a deadline.
//! * A plugin that fails to start ends the agent: what has started stops in reverse. One whose task panics has
//!   [failed](Health::failed), and others go on, unless it [gives up](Context::give_up).
//! * No task of a plugin outlives it: all are joined, and those that do not end in time are dropped and named.
//! * A panic in `start`, `ready`, `stop` or a task is an error of that plugin. Programs built with `panic = "abort"`
//!   have no part in this.
//! * The agent's health is that of its worst plugin, whoever spoke last.
//! * A configuration that is wrong starts nothing, and each error names file, line and field.
//!
//! # Features
//!
//! `probes` (default): [`Probes`]. `yaml` (default): documents in YAML beside TOML and JSON.

mod agent;
mod command;
mod config;
mod context;
pub mod document;
mod error;
mod health;
mod metrics;
mod needs;
mod plugin;
#[cfg(feature = "probes")]
mod probes;
mod tasks;

pub use clap;
pub use prometheus_client;
pub use schemars;
pub use serde;
pub use tokio_util::sync::CancellationToken;
pub use tracing;

pub use self::agent::{Agent, Builder, Running};
pub use self::command::{Command, Commands};
pub use self::config::Settings;
pub use self::context::Context;
pub use self::document::{ConfigError, ConfigErrors, Origin};
pub use self::error::{AgentError, Phase};
pub use self::health::{AgentHealth, Health, HealthState, PluginHealth};
pub use self::needs::Needs;
pub use self::plugin::{Plugin, PluginConfig, PluginError, Provided};
#[cfg(feature = "probes")]
pub use self::probes::{Probes, ProbesConfig};
