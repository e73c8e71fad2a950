//! Whom the calls are made to.

use std::path::{Path, PathBuf};

use anyhow::Result;
use tokio::runtime::Runtime;
use vpp_sim::Sim;

use crate::subjects::ENTRIES;

pub(crate) enum Peer {
    Vpp { socket: PathBuf, stats: PathBuf, name: String },
    StandIn { sim: Sim, _runtime: Runtime },
}

impl Peer {
    /// The VPP at a socket, or a stand-in that is started.
    pub(crate) fn new(socket: Option<PathBuf>) -> Result<Self> {
        if let Some(socket) = socket {
            let (stats, name) = (socket.with_file_name("stats.sock"), format!("VPP at {}", socket.display()));
            return Ok(Self::Vpp { socket, stats, name });
        }
        // On threads of its own: no client measured is to share them.
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let sim = runtime.block_on(Sim::release("26.06").start())?;
        for index in 0..ENTRIES {
            sim.stats().add_error("node", &format!("reason number {index}"));
        }
        Ok(Self::StandIn { sim, _runtime: runtime })
    }

    pub(crate) fn is_vpp(&self) -> bool {
        matches!(self, Self::Vpp { .. })
    }

    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Vpp { name, .. } => name,
            Self::StandIn { .. } => "the stand-in",
        }
    }

    pub(crate) fn socket(&self) -> &Path {
        match self {
            Self::Vpp { socket, .. } => socket,
            Self::StandIn { sim, .. } => sim.socket(),
        }
    }

    pub(crate) fn stats_socket(&self) -> &Path {
        match self {
            Self::Vpp { stats, .. } => stats,
            Self::StandIn { sim, .. } => sim.stats_socket(),
        }
    }
}
