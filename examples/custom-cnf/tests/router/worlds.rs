//! What the router is tried on: a stand-in, and a real VPP with hosts on either side.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use agent_core::vpp::vpp_conn::Connection;
use libtest_mimic::Failed;
use serde_json::Value;
use tempfile::TempDir;
use vpp_26_06::fib::FibSourceDump;
use vpp_26_06::interface::{IfStatusFlags, SwInterfaceDump};
use vpp_26_06::ip::{IpAddressDump, IpRouteV2Dump};
use vpp_sim::private_vpp::PrivateVpp;

use crate::agent::Agent;
use crate::network::Network;
use crate::stand_in;

pub(super) trait World {
    fn socket(&self) -> &Path;
    /// Devices of the host: towards the one side and the other.
    fn devices(&self) -> [String; 2];
    /// Kills VPP and starts it again; its API is up then.
    fn restart(&mut self) -> Result<(), Failed>;
    /// How often each message came that changes something, in this life of VPP.
    fn mutations(&mut self) -> Result<BTreeMap<String, i64>, Failed>;
    /// Waits until an address answers from across the router, where there are packets.
    fn packets_pass(&self, to: &str) -> Result<(), Failed>;
    /// What became of the item of our own plugin.
    fn check_sampling(&self, agent: &mut Agent) -> Result<(), Failed>;

    /// What of the router's kinds VPP has.
    fn there(&self) -> Result<BTreeSet<String>, Failed> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(there(self.socket()))
    }
}

async fn there(socket: &Path) -> Result<BTreeSet<String>, Failed> {
    let vpp = Connection::connect(socket).await?;
    let mut there = BTreeSet::new();
    let interfaces = vpp.dump(&SwInterfaceDump::default()).collect().await?;
    for it in interfaces.iter().filter(|it| it.interface_name != "local0") {
        let state = if it.flags.contains(IfStatusFlags::ADMIN_UP) { "up" } else { "down" };
        there.insert(format!("{} {state}", it.interface_name));
        let addresses = IpAddressDump { sw_if_index: it.sw_if_index, is_ipv6: false };
        for address in vpp.dump(&addresses).collect().await? {
            there.insert(format!("{} {}", it.interface_name, address.prefix));
        }
    }
    let sources = vpp.dump(&FibSourceDump).collect().await?;
    let src = sources.iter().find(|it| it.src.name == "API").ok_or("no routes of clients")?.src.id;
    for route in vpp.dump(&IpRouteV2Dump { src, ..Default::default() }).collect().await? {
        let path = route.route.paths.first().ok_or("a route to nowhere")?;
        let interface = interfaces.iter().find(|it| it.sw_if_index == path.sw_if_index);
        let interface = interface.map_or("nothing", |it| it.interface_name.as_str());
        let via = path.next_hop().ok_or("a route without a next hop")?;
        there.insert(format!("{} via {via}, {interface}", route.route.prefix));
    }
    vpp.close().await?;
    Ok(there)
}

/// Changes nothing.
fn is_harmless(message: &str) -> bool {
    let others =
        ["control_ping", "show_version", "want_interface_events", "cli_inband", "trace_plugin_msg_ids"];
    message.ends_with("_dump") || message.starts_with("sockclnt_") || others.contains(&message)
}

pub(super) struct StandIn {
    folder: TempDir,
    vpp: stand_in::StandIn,
}

impl StandIn {
    pub(super) fn new() -> Result<Self, Failed> {
        let folder = tempfile::Builder::new().prefix("vpp-").tempdir_in("/tmp")?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let vpp = runtime.block_on(stand_in::StandIn::start(&folder.path().join("api.sock")))?;
        Ok(Self { folder, vpp })
    }
}

impl World for StandIn {
    fn socket(&self) -> &Path {
        let _alive = &self.folder;
        self.vpp.sim.socket()
    }

    fn devices(&self) -> [String; 2] {
        ["lan", "wan"].map(str::to_owned)
    }

    fn restart(&mut self) -> Result<(), Failed> {
        Ok(self.vpp.restart()?)
    }

    fn mutations(&mut self) -> Result<BTreeMap<String, i64>, Failed> {
        let api = vpp_api_json::api(vpp_26_06::RELEASE)?;
        let own = ["sampler_enable_disable", "sampler_dump"];
        let all = api.messages.iter().map(|message| message.name.as_str()).chain(own);
        let called = all.map(|name| (name.to_owned(), self.vpp.sim.calls(name) as i64));
        Ok(called.filter(|(name, calls)| *calls > 0 && !is_harmless(name)).collect())
    }

    fn packets_pass(&self, _: &str) -> Result<(), Failed> {
        Ok(())
    }

    fn check_sampling(&self, agent: &mut Agent) -> Result<(), Failed> {
        agent.until_health(|text| text.contains("200 OK") && !text.contains("unimplemented"))?;
        let lan = self.vpp.sim.interface("host-lan").ok_or("no interface")?;
        match self.vpp.sampled(lan.sw_if_index) {
            Some(100) => Ok(()),
            other => Err(format!("one of {other:?}").into()),
        }
    }
}

pub(super) struct Real {
    vpp: PrivateVpp,
    network: Network,
}

impl Real {
    pub(super) fn new() -> Result<Self, Failed> {
        let vpp = PrivateVpp::builder().api_trace(true).start()?;
        // Names of devices have at most 15 bytes.
        let network = Network::new(format!("{}", vpp.pid().unwrap_or_default()))?;
        Ok(Self { vpp, network })
    }
}

impl World for Real {
    fn socket(&self) -> &Path {
        self.vpp.socket()
    }

    fn devices(&self) -> [String; 2] {
        ["lan", "wan"].map(|side| self.network.device(side))
    }

    fn restart(&mut self) -> Result<(), Failed> {
        self.vpp.kill();
        Ok(self.vpp.start_again()?)
    }

    /// From VPP's own record of the messages that it received.
    fn mutations(&mut self) -> Result<BTreeMap<String, i64>, Failed> {
        let name = format!("custom-cnf-trace-{}", self.vpp.pid().unwrap_or_default());
        self.vpp.cli(&format!("api trace save-json {name}"))?;
        // VPP takes a name only, and writes to /tmp.
        let file = Path::new("/tmp").join(name);
        let text = std::fs::read(&file)?;
        std::fs::remove_file(&file)?;
        let mut times = BTreeMap::new();
        for message in serde_json::from_slice::<Vec<Value>>(&text)? {
            let name = message["_msgname"].as_str().ok_or("a message without a name")?;
            if !is_harmless(name) {
                *times.entry(name.to_owned()).or_default() += 1;
            }
        }
        Ok(times)
    }

    fn packets_pass(&self, to: &str) -> Result<(), Failed> {
        self.network.ping(to)
    }

    fn check_sampling(&self, agent: &mut Agent) -> Result<(), Failed> {
        agent.until_health(|text| {
            text.contains("200 OK")
                && text.contains("sample is unimplemented: this VPP has no sampler_enable_disable")
        })
    }
}
