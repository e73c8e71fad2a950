//! Interfaces: `local0`, and the loopbacks that clients create.

use std::net::Ipv6Addr;

use vpp_wire::{ApiError, MacAddress};

use super::prefix::{Family, Prefix};
use super::{CountedChange, Vpp};

/// The highest instance number of a loopback.
const MAX_LOOPBACK_INSTANCE: u32 = 16 * 1024 - 1;

/// MTU of a loopback at its creation.
const LOOPBACK_MTU: u32 = 9000;

#[derive(Debug)]
pub(crate) struct Interface {
    pub(crate) name: String,
    /// The instance number of a loopback; `None` for `local0`.
    pub(crate) loopback: Option<u32>,
    pub(crate) mac: MacAddress,
    pub(crate) admin_up: bool,
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
            loopback: None,
            mac: MacAddress::default(),
            admin_up: false,
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
            loopback: Some(instance),
            mac: if mac == MacAddress::default() { default_mac(instance) } else { mac },
            mtu: [LOOPBACK_MTU, 0, 0, 0],
            ..Self::local()
        }
    }

    /// A loopback's link is up while the interface is; `local0` has none.
    pub(crate) fn link_up(&self) -> bool {
        self.loopback.is_some() && self.admin_up
    }

    /// The MTU of the hardware.
    pub(crate) fn link_mtu(&self) -> u32 {
        if self.loopback.is_some() { LOOPBACK_MTU } else { 0 }
    }

    /// The name of the device class.
    pub(crate) fn device(&self) -> &'static str {
        if self.loopback.is_some() { "Loopback" } else { "local" }
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
        let is_taken =
            |instance| self.interfaces.iter().any(|(_, interface)| interface.loopback == Some(instance));
        let instance = match instance {
            Some(instance) if instance > MAX_LOOPBACK_INSTANCE || is_taken(instance) => None,
            Some(instance) => Some(instance),
            None => (0..=MAX_LOOPBACK_INSTANCE).find(|instance| !is_taken(*instance)),
        };
        let instance = instance.ok_or(ApiError::INVALID_REGISTRATION)?;
        let loopback = Interface::loopback(instance, mac);
        let name = loopback.name.clone();
        let index = self.interfaces.insert(loopback);
        self.counted.push(CountedChange::Created(index, name));
        self.interface_changed(index);
        Ok(index)
    }

    /// Deletes a loopback with its addresses. Routes through it stay, as in VPP.
    pub(crate) fn delete_loopback(&mut self, index: u32) -> Result<(), ApiError> {
        if self.interface(index)?.loopback.is_none() {
            return Err(ApiError::INVALID_SW_IF_INDEX);
        }
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
