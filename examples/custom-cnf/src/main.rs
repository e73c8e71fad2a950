//! A router: what a file says is in VPP, and follows when the file changes. The README walks through it.

mod interface;
mod routing;
mod sample;

use agent_core::prelude::*;
use vpp_26_06::interface::SwInterfaceEvent;

fn main() -> std::process::ExitCode {
    Agent::builder("custom-cnf")
        .plugin::<VppConnection>()
        .plugin::<Engine>()
        .plugin::<FileSource>()
        .plugin::<Probes>()
        .plugin::<Router>()
        .main()
}

/// The kinds of items that live in VPP, each with the messages that VPP has to have for it.
struct Router;

impl Plugin for Router {
    const NAME: &'static str = "router";
    type Config = ();
    type Needs = VppConnection;

    async fn start((): (), vpp: Provided<Self>, _: &Context) -> Result<Self, PluginError> {
        let vpp = vpp.vpp()?;
        let loopbacks = vpp.register(interface::Loopbacks(vpp.clone()), interface::LOOPBACK)?;
        let hosts = vpp.register(interface::HostInterfaces(vpp.clone()), interface::HOST)?;
        // What stands on an interface names it, be it a loopback or a device of the host.
        let interfaces = Family::new().with(&loopbacks).with(&hosts);
        vpp.register(routing::Addresses(vpp.clone(), interfaces.clone()), routing::ADDRESS)?;
        vpp.register(routing::Routes(vpp.clone(), interfaces.clone()), routing::ROUTE)?;
        vpp.register(sample::Samples(vpp.clone(), interfaces.clone()), sample::MESSAGES)?;
        // Somebody deletes an interface, or VPP does as it was told.
        vpp.on_event(move |engine, event: SwInterfaceEvent| {
            engine.disappeared(interfaces.key(&event.sw_if_index).filter(|_| event.deleted));
        })?;
        Ok(Self)
    }
}
