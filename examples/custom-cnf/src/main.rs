//! A router: what a file says is in VPP, and follows when the file changes. The README walks through it.

mod interface;
mod routing;
mod sample;

use agent_core::engine::file::FileSource;
use agent_core::engine::{Engine, Family};
use agent_core::vpp::VppConnection;
use agent_core::{Agent, Context, Plugin, PluginError, Probes, Provided};

use crate::interface::{HostInterfaces, Loopbacks};
use crate::routing::{Addresses, Routes};
use crate::sample::Samples;

// ANCHOR: main
fn main() -> std::process::ExitCode {
    Agent::builder("custom-cnf")
        .plugin::<VppConnection>()
        .plugin::<Engine>()
        .plugin::<FileSource>()
        .plugin::<Probes>()
        .plugin::<Router>()
        .main()
}
// ANCHOR_END: main

// ANCHOR: plugin
/// The kinds of items that live in VPP, each with the messages that VPP has to have for it.
struct Router;

impl Plugin for Router {
    const NAME: &'static str = "router";
    type Config = ();
    type Needs = VppConnection;

    async fn start((): (), vpp: Provided<Self>, _: &Context) -> Result<Self, PluginError> {
        let vpp = vpp.vpp()?;
        let loopbacks = vpp.register(Loopbacks(vpp.clone()), interface::LOOPBACK)?;
        let hosts = vpp.register(HostInterfaces(vpp.clone()), interface::HOST)?;
        // What stands on an interface names it, be it a loopback or a device of the host.
        let interfaces = Family::new().with(&loopbacks).with(&hosts);
        vpp.register(Addresses(vpp.clone(), interfaces.clone()), routing::ADDRESS)?;
        vpp.register(Routes(vpp.clone(), interfaces.clone()), routing::ROUTE)?;
        vpp.register(Samples(vpp.clone(), interfaces.clone()), sample::MESSAGES)?;
        vpp.on_event(move |engine, event| interface::changed(&interfaces, engine, &event))?;
        Ok(Self)
    }
}
// ANCHOR_END: plugin
