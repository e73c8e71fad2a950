//! Interfaces: loopbacks, and devices of the host.

use agent_core::prelude::*;
use vpp_26_06::af_packet::{AfPacketCreateV3, AfPacketDelete};
use vpp_26_06::interface::{CreateLoopbackInstance, DeleteLoopback, SwInterfaceDump, SwInterfaceSetFlags};

// ANCHOR: loopback
/// A loopback interface, which VPP names `loop0` to `loop16383`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Loopback {
    instance: u32,
    #[serde(default)]
    shutdown: bool,
}

pub struct Loopbacks(pub Vpp);

pub const LOOPBACK: Messages =
    messages![CreateLoopbackInstance, DeleteLoopback, SwInterfaceSetFlags, SwInterfaceDump];

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
        Ok(Observed::all(self.0.dump([SwInterfaceDump::default()]).await?, |it| {
            let instance = it.interface_name.strip_prefix("loop")?.parse().ok()?;
            Some((Loopback { instance, shutdown: !it.is_admin_up() }, it.sw_if_index))
        }))
    }
    async fn create(&self, batch: Batch<Self>) -> Outcomes<u32> {
        let create = |it: &Entry<Self>| Ok(CreateLoopbackInstance::numbered(it.instance));
        let made = self.0.make(&batch, create, |reply| reply.sw_if_index).await;
        self.0.then(&batch, made, |it, index| Ok(SwInterfaceSetFlags::admin(*index, !it.shutdown))).await
    }
    async fn delete(&self, batch: Batch<Self>) -> Outcomes {
        self.0.pipeline(&batch, |it| Ok(DeleteLoopback { sw_if_index: *it.metadata()? })).await
    }
}
// ANCHOR_END: loopback

/// An interface on a device of the host, by af_packet. VPP names it `host-` and the device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HostInterface {
    device: String,
    /// Its own, so that it is the same when VPP starts again: neighbours keep it for a minute.
    mac: MacAddress,
    #[serde(default)]
    shutdown: bool,
}

pub struct HostInterfaces(pub Vpp);

pub const HOST: Messages = messages![AfPacketCreateV3, AfPacketDelete, SwInterfaceSetFlags, SwInterfaceDump];

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
        Ok(Observed::all(self.0.dump([SwInterfaceDump::default()]).await?, |it| {
            let device = it.interface_name.strip_prefix("host-")?.to_owned();
            let (mac, shutdown) = (it.l2_address, !it.is_admin_up());
            Some((HostInterface { device, mac, shutdown }, it.sw_if_index))
        }))
    }
    async fn create(&self, batch: Batch<Self>) -> Outcomes<u32> {
        let create = |it: &Entry<Self>| Ok(AfPacketCreateV3::ethernet(&it.device, it.mac));
        let made = self.0.make(&batch, create, |reply| reply.sw_if_index).await;
        self.0.then(&batch, made, |it, index| Ok(SwInterfaceSetFlags::admin(*index, !it.shutdown))).await
    }
    async fn delete(&self, batch: Batch<Self>) -> Outcomes {
        self.0.pipeline(&batch, |it| Ok(AfPacketDelete { host_if_name: it.device.clone() })).await
    }
}
