//! Addresses of interfaces and the routes that come with them.
//!
//! An IPv4 address 10.0.0.1/24 brings 10.0.0.1/32 (local), 10.0.0.0/24 (attached) and drops of the first and the last
//! address of the prefix; /31 brings the other address instead of the drops; /32 and IPv6 have no drops.

use std::net::IpAddr;

use vpp_wire::ApiError;

use super::Vpp;
use super::path::{Path, PathKind};
use super::prefix::{Family, Prefix};
use super::source::Source;

impl Vpp {
    /// Gives an interface an address.
    pub(crate) fn add_address(&mut self, index: u32, address: Prefix) -> Result<(), ApiError> {
        self.check_takes_addresses(index)?;
        if let Some(link_local) = link_local(address.address) {
            if address.len != 128 {
                return Err(ApiError::ADDRESS_LENGTH_MISMATCH);
            }
            self.interface_mut(index)?.link_local = Some(link_local);
            return Ok(());
        }
        if self.conflicts(index, address)? {
            return Err(match address.family() {
                Family::V4 => ApiError::ADDRESS_IN_USE,
                Family::V6 => ApiError::DUPLICATE_IF_ADDRESS,
            });
        }
        if address.len == 0 || !address.is_valid() {
            return Err(ApiError::ADDRESS_LENGTH_MISMATCH);
        }
        let interface = self.interface_mut(index)?;
        interface.addresses.push(address);
        if interface.admin_up {
            self.add_address_routes(index, address);
        }
        Ok(())
    }

    /// Takes an address from an interface. VPP looks at the address alone, and then removes the routes of the prefix
    /// it was told: with another length than the address has, routes stay.
    pub(crate) fn delete_address(&mut self, index: u32, address: Prefix) -> Result<(), ApiError> {
        self.check_takes_addresses(index)?;
        if let Some(link_local) = link_local(address.address) {
            return Err(if address.len != 128 {
                ApiError::ADDRESS_LENGTH_MISMATCH
            } else if self.interface(index)?.link_local == Some(link_local) {
                ApiError::ADDRESS_NOT_DELETABLE
            } else {
                ApiError::ADDRESS_NOT_FOUND_FOR_INTERFACE
            });
        }
        let interface = self.interface_mut(index)?;
        let position = interface.addresses.iter().position(|known| known.address == address.address);
        interface.addresses.remove(position.ok_or(ApiError::ADDRESS_NOT_FOUND_FOR_INTERFACE)?);
        if interface.admin_up {
            self.delete_address_routes(index, address);
        }
        Ok(())
    }

    /// Takes every address from an interface.
    pub(crate) fn delete_all_addresses(&mut self, index: u32) -> Result<(), ApiError> {
        for address in self.interface(index)?.addresses.clone() {
            self.delete_address(index, address)?;
        }
        Ok(())
    }

    fn check_takes_addresses(&self, index: u32) -> Result<(), ApiError> {
        if self.interface(index)?.is_ethernet() { Ok(()) } else { Err(ApiError::UNSUPPORTED) }
    }

    /// Whether an interface of the same table has an address whose prefix overlaps. Several addresses of one prefix on
    /// one interface are fine.
    fn conflicts(&self, index: u32, address: Prefix) -> Result<bool, ApiError> {
        let table = self.interface(index)?.table(address.family());
        Ok(self
            .interfaces
            .iter()
            .filter(|(_, interface)| interface.table(address.family()) == table)
            .flat_map(|(owner, interface)| interface.addresses.iter().map(move |known| (owner, *known)))
            .filter(|(_, known)| known.contains(address.address) || address.contains(known.address))
            .any(|(owner, known)| {
                !(owner == index && known.len == address.len && known.address != address.address)
            }))
    }

    pub(super) fn add_address_routes(&mut self, index: u32, address: Prefix) {
        let Some(interface) = self.interfaces.get(index) else { return };
        let table = interface.table(address.family());
        let mut add = |prefix, path| self.fib.set_paths(table, prefix, Source::INTERFACE, vec![path]);
        add(Prefix::host(address.address), Path::local(index, address.address));
        if address.len == address.family().bits() {
            return;
        }
        let users = self.connected.entry((index, address.network())).or_default();
        *users += 1;
        if *users == 1 {
            // The IPv4 route keeps the bits of the address, which dumps then show.
            let attached = if address.family() == Family::V4 { address } else { address.network() };
            add(attached, Path::attached(address.family(), index));
            for (host, path) in companions(index, address) {
                add(Prefix::host(host), path);
            }
        }
    }

    pub(super) fn delete_address_routes(&mut self, index: u32, address: Prefix) {
        let Some(interface) = self.interfaces.get(index) else { return };
        let table = interface.table(address.family());
        let mut delete = |prefix| self.fib.delete_paths(table, prefix, Source::INTERFACE);
        delete(Prefix::host(address.address));
        let key = (index, address.network());
        let Some(users) = self.connected.get_mut(&key) else { return };
        *users -= 1;
        if *users == 0 {
            self.connected.remove(&key);
            delete(address.network());
            for (host, _) in companions(index, address) {
                delete(Prefix::host(host));
            }
        }
    }
}

/// The routes to single addresses that come with a prefix on an interface, beside the address itself.
fn companions(index: u32, address: Prefix) -> Vec<(IpAddr, Path)> {
    match (address.family(), address.len) {
        (Family::V4, ..=30) => [address.first(), address.last()]
            .into_iter()
            .filter(|host| *host != address.address)
            .map(|host| (host, Path::special(Family::V4, PathKind::Drop)))
            .collect(),
        (Family::V4, 31) => {
            let other = address.other_of_two();
            vec![(other, Path::via(index, other))]
        }
        _ => Vec::new(),
    }
}

fn link_local(address: IpAddr) -> Option<std::net::Ipv6Addr> {
    match address {
        IpAddr::V6(address) if address.is_unicast_link_local() => Some(address),
        _ => None,
    }
}
