//! What the author of an agent names: the one crate beside the messages.
//!
//! At its root is the kernel, which every agent has: plugins, configuration, health, command line. A feature adds each
//! of the rest. A plugin is written as [`Plugin`] says; [`Agent::builder`] makes an agent of plugins.
//!
//! | Feature | What it adds |
//! |---|---|
//! | `probes` (default) | `Probes`: liveness, readiness and metrics over HTTP |
//! | `yaml` (default) | documents in YAML beside TOML and JSON |
//! | `engine` | `engine`: the desired-state engine, a plugin |
//! | `file` | `engine::file`: desired state from files, and the commands `plan`, `check` and `schema` |
//! | `testkit` | `testkit`: a mock southbound, and checks for descriptors |
//! | `vpp` | `vpp`: the connection to VPP, a plugin, and what makes its descriptors short |

pub mod prelude;

#[cfg(feature = "engine")]
pub use vpp_agent_engine as engine;
pub use vpp_agent_kernel::*;
#[cfg(feature = "testkit")]
pub use vpp_agent_testkit as testkit;
#[cfg(feature = "vpp")]
pub use vpp_agent_vpp as vpp;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
