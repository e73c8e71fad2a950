//! Interfaces: loopbacks, and devices of the host. All are wanted up.

use agent_core::vpp::prelude::*;
use vpp_26_06::af_packet::{AfPacketCreateV3, AfPacketDelete, AfPacketMode};
use vpp_26_06::interface::{
    CreateLoopbackInstance, DeleteLoopback, IfStatusFlags, SwInterfaceDump, SwInterfaceEvent,
    SwInterfaceSetFlags,
};

/// The kinds of interfaces.
pub const KINDS: &[&str] = &[Loopbacks::KIND, HostInterfaces::KIND];

pub const LOOPBACK: Messages =
    messages![CreateLoopbackInstance, DeleteLoopback, SwInterfaceSetFlags, SwInterfaceDump, SwInterfaceEvent];

// ANCHOR: loopback
/// A loopback interface, which VPP names `loop0` to `loop16383`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Loopback {
    instance: u32,
    #[serde(skip)]
    is_down: bool,
}

pub struct Loopbacks(pub Vpp);

impl Descriptor for Loopbacks {
    type Value = Loopback;
    type Metadata = u32;
    const KIND: &'static str = "loopback";

    fn key(loopback: &Loopback) -> Key {
        Key::new(Self::KIND, format_args!("loop{}", loopback.instance))
    }
    fn validate(&self, loopback: &Loopback) -> Result<(), Invalid> {
        Invalid::unless(loopback.instance < 16384, "instance", "VPP has loopbacks 0 to 16383")
    }
    fn change(&self, _: &Loopback, _: &Loopback) -> Change {
        Change::InPlace
    }
    async fn observe(&self) -> Result<Vec<Observed<Self>>, Failure> {
        let vpp = self.0.session()?;
        vpp.observe(&SwInterfaceDump::default(), |it| {
            let instance = it.interface_name.strip_prefix("loop")?.parse().ok()?;
            Some(Observed::new(Loopback { instance, is_down: is_down(it.flags) }, it.sw_if_index))
        })
        .await
    }
    async fn create(&self, batch: Batch<Self>) -> Outcomes<u32> {
        let create = |it: &Entry<Self>| {
            let user_instance = it.value().instance;
            Ok(CreateLoopbackInstance { is_specified: true, user_instance, ..Default::default() })
        };
        let created = self.0.pipeline_with(&batch, create, |reply| reply.sw_if_index).await;
        self.0.then(&batch, created, switch_on).await
    }
    async fn update(&self, batch: Batch<Self>) -> Outcomes<u32> {
        self.0.then(&batch, batch.metadata(), switch_on).await
    }
    async fn delete(&self, batch: Batch<Self>) -> Outcomes {
        self.0.pipeline(&batch, |it| Ok(DeleteLoopback { sw_if_index: *it.metadata()? })).await
    }
}
// ANCHOR_END: loopback

pub const HOST: Messages = messages![AfPacketCreateV3, AfPacketDelete, SwInterfaceSetFlags, SwInterfaceDump];

/// An interface on a device of the host, by af_packet. VPP names it `host-` and the device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HostInterface {
    device: String,
    /// Its own, so that it is the same when VPP starts again: neighbours keep it for a minute.
    #[serde(with = "text")]
    #[schemars(with = "String")]
    mac: MacAddress,
    #[serde(skip)]
    is_down: bool,
}

pub struct HostInterfaces(pub Vpp);

impl Descriptor for HostInterfaces {
    type Value = HostInterface;
    type Metadata = u32;
    const KIND: &'static str = "host-interface";

    fn key(host: &HostInterface) -> Key {
        Key::new(Self::KIND, format_args!("host-{}", host.device))
    }
    fn change(&self, from: &HostInterface, to: &HostInterface) -> Change {
        if from.mac == to.mac { Change::InPlace } else { Change::Recreate }
    }
    async fn observe(&self) -> Result<Vec<Observed<Self>>, Failure> {
        let vpp = self.0.session()?;
        vpp.observe(&SwInterfaceDump::default(), |it| {
            let device = it.interface_name.strip_prefix("host-")?.to_owned();
            let (mac, is_down) = (it.l2_address, is_down(it.flags));
            Some(Observed::new(HostInterface { device, mac, is_down }, it.sw_if_index))
        })
        .await
    }
    async fn create(&self, batch: Batch<Self>) -> Outcomes<u32> {
        let create = |it: &Entry<Self>| {
            let HostInterface { device, mac, .. } = it.value().clone();
            let mode = AfPacketMode::ETHERNET;
            Ok(AfPacketCreateV3 { mode, host_if_name: device, hw_addr: mac, ..Default::default() })
        };
        let created = self.0.pipeline_with(&batch, create, |reply| reply.sw_if_index).await;
        self.0.then(&batch, created, switch_on).await
    }
    async fn update(&self, batch: Batch<Self>) -> Outcomes<u32> {
        self.0.then(&batch, batch.metadata(), switch_on).await
    }
    async fn delete(&self, batch: Batch<Self>) -> Outcomes {
        let delete = |it: &Entry<Self>| AfPacketDelete { host_if_name: it.value().device.clone() };
        self.0.pipeline(&batch, |it| Ok(delete(it))).await
    }
}

fn is_down(flags: IfStatusFlags) -> bool {
    !flags.contains(IfStatusFlags::ADMIN_UP)
}

fn switch_on<D: Descriptor>(_: &Entry<D>, sw_if_index: &u32) -> Result<SwInterfaceSetFlags, Failure> {
    Ok(SwInterfaceSetFlags { sw_if_index: *sw_if_index, flags: IfStatusFlags::ADMIN_UP })
}

// ANCHOR: event
/// Somebody deleted an interface, or VPP did as it was told.
pub fn changed(interfaces: &Family<u32>, engine: &Engine, event: &SwInterfaceEvent) {
    if let Some(key) = interfaces.key(&event.sw_if_index).filter(|_| event.deleted) {
        engine.disappeared(key);
    }
}
// ANCHOR_END: event
