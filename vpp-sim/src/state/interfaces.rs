//! Interfaces: `local0`, and the loopbacks and host interfaces that clients create.

use std::net::Ipv6Addr;

use vpp_wire::{ApiError, MacAddress};

use super::prefix::{Family, Prefix};
use super::{CountedChange, Vpp};

/// The highest instance number of a loopback.
const MAX_LOOPBACK_INSTANCE: u32 = 16 * 1024 - 1;

/// MTU of an Ethernet interface at its creation.
const ETHERNET_MTU: u32 = 9000;

/// What an interface is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Device {
    /// `local0`.
    Local,
    /// With its instance number.
    Loopback(u32),
    /// A device of the host, by af_packet.
    Host(String),
}

#[derive(Debug)]
pub(crate) struct Interface {
    pub(crate) name: String,
    pub(crate) device: Device,
    pub(crate) mac: MacAddress,
    pub(crate) admin_up: bool,
    /// Of the hardware.
    pub(crate) link_mtu: u32,
    /// L3, IPv4, IPv6, MPLS. Zero: as L3.
    pub(crate) mtu: [u32; 4],
    pub(crate) tag: String,
    /// In the order they were added, without link-local ones.
    pub(crate) addresses: Vec<Prefix>,
    pub(crate) link_local: Option<Ipv6Addr>,
    /// Ids of the IPv4 and the IPv6 table.
    pub(crate) tables: [u32; 2],
}

impl Interface {
    pub(crate) fn local() -> Self {
        Self {
            name: "local0".to_owned(),
            device: Device::Local,
            mac: MacAddress::default(),
            admin_up: false,
            link_mtu: 0,
            mtu: [0; 4],
            tag: String::new(),
            addresses: Vec::new(),
            link_local: None,
            tables: [0; 2],
        }
    }

    fn loopback(instance: u32, mac: MacAddress) -> Self {
        Self {
            name: format!("loop{instance}"),
            device: Device::Loopback(instance),
            mac: if mac == MacAddress::default() { default_mac(instance) } else { mac },
            link_mtu: ETHERNET_MTU,
            mtu: [ETHERNET_MTU, 0, 0, 0],
            ..Self::local()
        }
    }

    fn host(device: &str, mac: MacAddress) -> Self {
        Self {
            name: format!("host-{device}"),
            device: Device::Host(device.to_owned()),
            mac,
            link_mtu: ETHERNET_MTU,
            mtu: [ETHERNET_MTU, 0, 0, 0],
            ..Self::local()
        }
    }

    /// A loopback's link is up while the interface is, that of a host interface with its device; `local0` has none.
    pub(crate) fn link_up(&self) -> bool {
        match self.device {
            Device::Local => false,
            Device::Loopback(_) => self.admin_up,
            Device::Host(_) => true,
        }
    }

    /// The name of the device class.
    pub(crate) fn class(&self) -> &'static str {
        match self.device {
            Device::Local => "local",
            Device::Loopback(_) => "Loopback",
            Device::Host(_) => "af-packet",
        }
    }

    pub(crate) fn is_ethernet(&self) -> bool {
        self.device != Device::Local
    }

    pub(crate) fn table(&self, family: Family) -> u32 {
        self.tables[usize::from(family.is_ip6())]
    }

    /// `sw_interface_details.flags`, `sw_interface_event.flags`: bit 0 admin up, bit 1 link up.
    pub(crate) fn flags(&self) -> u32 {
        u32::from(self.admin_up) | u32::from(self.link_up()) << 1
    }
}

/// Only the last byte tells instances apart, in VPP too.
fn default_mac(instance: u32) -> MacAddress {
    MacAddress([0xde, 0xad, 0, 0, 0, instance.to_be_bytes()[3]])
}

impl Vpp {
    pub(crate) fn interface(&self, index: u32) -> Result<&Interface, ApiError> {
        self.interfaces.get(index).ok_or(ApiError::INVALID_SW_IF_INDEX)
    }

    pub(crate) fn interface_mut(&mut self, index: u32) -> Result<&mut Interface, ApiError> {
        self.interfaces.get_mut(index).ok_or(ApiError::INVALID_SW_IF_INDEX)
    }

    /// A loopback with the given instance number, or the lowest free one. A MAC address of zeros means VPP's own.
    pub(crate) fn create_loopback(
        &mut self,
        mac: MacAddress,
        instance: Option<u32>,
    ) -> Result<u32, ApiError> {
        let is_taken = |instance| {
            self.interfaces.iter().any(|(_, interface)| interface.device == Device::Loopback(instance))
        };
        let instance = match instance {
            Some(instance) if instance > MAX_LOOPBACK_INSTANCE || is_taken(instance) => None,
            Some(instance) => Some(instance),
            None => (0..=MAX_LOOPBACK_INSTANCE).find(|instance| !is_taken(*instance)),
        };
        let instance = instance.ok_or(ApiError::INVALID_REGISTRATION)?;
        Ok(self.add_interface(Interface::loopback(instance, mac)))
    }

    fn add_interface(&mut self, interface: Interface) -> u32 {
        let name = interface.name.clone();
        let index = self.interfaces.insert(interface);
        self.counted.push(CountedChange::Created(index, name));
        self.interface_changed(index);
        index
    }

    /// An interface on a device of the host. As VPP, it gives the number of the one there is when it refuses a second one;
    /// and number 0 where the host has no such device.
    pub(crate) fn create_host_interface(
        &mut self,
        device: &str,
        mac: Option<MacAddress>,
    ) -> Result<u32, (ApiError, u32)> {
        if let Some(index) = self.host_interface(device) {
            return Err((ApiError::IF_ALREADY_EXISTS, index));
        }
        if !self.host_devices.contains(device) {
            return Err((ApiError::INVALID_INTERFACE, 0));
        }
        let [.., high, low] = (self.interfaces.iter().count() as u32).to_be_bytes();
        let mac = mac.unwrap_or(MacAddress([0x02, 0xfe, 0, 0, high, low]));
        Ok(self.add_interface(Interface::host(device, mac)))
    }

    pub(crate) fn delete_host_interface(&mut self, device: &str) -> Result<(), ApiError> {
        let index = self.host_interface(device).ok_or(ApiError::SYSCALL_ERROR_1)?;
        self.delete_interface(index)
    }

    fn host_interface(&self, device: &str) -> Option<u32> {
        let is_of = |known: &Device| matches!(known, Device::Host(known) if known == device);
        self.interfaces.iter().find(|(_, interface)| is_of(&interface.device)).map(|(index, _)| index)
    }

    /// Deletes a loopback with its addresses. Routes through it stay, as in VPP.
    pub(crate) fn delete_loopback(&mut self, index: u32) -> Result<(), ApiError> {
        match self.interface(index)?.device {
            Device::Loopback(_) => self.delete_interface(index),
            _ => Err(ApiError::INVALID_SW_IF_INDEX),
        }
    }

    fn delete_interface(&mut self, index: u32) -> Result<(), ApiError> {
        self.set_admin_up(index, false)?;
        self.bridge_domains.remove_port(index);
        self.interfaces.remove(index);
        self.counted.push(CountedChange::Deleted(index));
        self.remove_unused_tables();
        self.interface_deleted(index);
        Ok(())
    }

    /// The routes of an interface's addresses exist while it is up.
    pub(crate) fn set_admin_up(&mut self, index: u32, up: bool) -> Result<(), ApiError> {
        let interface = self.interface_mut(index)?;
        if interface.admin_up == up {
            return Ok(());
        }
        interface.admin_up = up;
        for address in interface.addresses.clone() {
            if up {
                self.add_address_routes(index, address);
            } else {
                self.delete_address_routes(index, address);
            }
        }
        self.interface_changed(index);
        Ok(())
    }

    /// Where an interface looks up packets. Its addresses must be gone first.
    pub(crate) fn set_interface_table(
        &mut self,
        index: u32,
        family: Family,
        id: u32,
    ) -> Result<(), ApiError> {
        let interface = self.interface(index)?;
        if self.fib.table(family, id).is_none() {
            return Err(ApiError::NO_SUCH_FIB);
        }
        if interface.addresses.iter().any(|address| address.family() == family) {
            return Err(ApiError::ADDRESS_FOUND_FOR_INTERFACE);
        }
        self.interface_mut(index)?.tables[usize::from(family.is_ip6())] = id;
        self.remove_unused_tables();
        Ok(())
    }
}
