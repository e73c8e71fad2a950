//! What is in VPP, as VPP says on a connection of its own: one small question every few milliseconds costs it next to nothing, and
//! does not ask the agent, which is busy.

use std::net::Ipv4Addr;
use std::path::Path;
use std::time::Instant;

use agent_core::vpp::vpp_conn::Connection;
use agent_core::vpp::vpp_wire::Prefix;
use libtest_mimic::Failed;
use tokio::runtime::{Builder, Runtime};
use vpp_26_06::ip::IpRouteLookupV2;

pub(super) struct Look {
    runtime: Runtime,
    vpp: Connection,
}

impl Look {
    pub(super) fn connect(socket: &Path) -> Result<Self, Failed> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let vpp = runtime.block_on(Connection::connect(socket))?;
        Ok(Self { runtime, vpp })
    }

    /// Waits until VPP has the route of a host.
    pub(super) fn until_there(&self, host: Ipv4Addr) -> Result<(), Failed> {
        let prefix = Prefix::new(host, 32).ok_or("no prefix")?;
        let lookup = IpRouteLookupV2 { exact: 1, prefix, ..Default::default() };
        let asked = Instant::now();
        // Refused: there is no such route yet.
        while self.runtime.block_on(self.vpp.call(&lookup)).is_err() {
            if asked.elapsed() > super::LONG {
                return Err(format!("no route to {host}").into());
            }
            std::thread::sleep(super::EVERY);
        }
        Ok(())
    }
}
