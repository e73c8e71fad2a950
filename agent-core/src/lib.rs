//! What the author of an agent names: the one crate beside the messages.
//!
//! At its root is the kernel, which every agent has: plugins, configuration, health, command line. A feature adds each
//! of the rest. A plugin is written as [`Plugin`] says; [`Agent::builder`] makes an agent of plugins.
//!
//! | Feature | What it adds |
//! |---|---|
//! | `probes` (default) | `Probes`: liveness, readiness and metrics over HTTP |
//! | `yaml` (default) | configuration files in YAML and JSON beside TOML |

pub use vpp_agent_kernel::*;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
