//! What agents name: `use agent_core::prelude::*;`. With feature `vpp` all that their descriptors name, too.

#[cfg(feature = "engine")]
pub use vpp_agent_engine::Engine;
#[cfg(feature = "file")]
pub use vpp_agent_engine::file::FileSource;
#[cfg(feature = "probes")]
pub use vpp_agent_kernel::Probes;
pub use vpp_agent_kernel::{Agent, Context, Plugin, PluginError, Provided};
#[cfg(feature = "vpp")]
pub use vpp_agent_vpp::prelude::*;
