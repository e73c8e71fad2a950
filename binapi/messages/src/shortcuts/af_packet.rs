//! Interfaces on devices of the host.

use vpp_wire::MacAddress;

use crate::af_packet::{AfPacketCreateV3, AfPacketMode};

impl AfPacketCreateV3 {
    /// An Ethernet interface on a device of the host, with a MAC address of its own. VPP names it `host-` and the device.
    #[must_use]
    pub fn ethernet(device: impl Into<String>, mac: MacAddress) -> Self {
        let mode = AfPacketMode::ETHERNET;
        Self { mode, host_if_name: device.into(), hw_addr: mac, ..Self::default() }
    }
}
