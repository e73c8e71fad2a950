//! What tests see of the stand-in's state.

use std::net::IpAddr;

use crate::sim::Sim;
use crate::state::path::{NO_INTERFACE, Path, PathKind};
use crate::state::prefix::Family;
use crate::state::source::Source;

/// An interface of the stand-in.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InterfaceState {
    /// Its number.
    pub sw_if_index: u32,
    /// Its name: `loop0`.
    pub name: String,
    /// Whether it is switched on.
    pub admin_up: bool,
    /// `02:fe:00:00:00:01`.
    pub mac: String,
    /// MTU of L3, IPv4, IPv6, MPLS in bytes; 0 of the last three: as L3.
    pub mtu: [u32; 4],
    /// What clients wrote on it.
    pub tag: String,
    /// In the order they were added: `10.0.0.1/24`.
    pub addresses: Vec<String>,
    /// The IPv4 table it belongs to.
    pub ip4_table: u32,
    /// The IPv6 table it belongs to.
    pub ip6_table: u32,
    /// The bridge domain it is a port of.
    pub bridge_domain: Option<u32>,
}

/// A route of the stand-in.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RouteState {
    /// Its table.
    pub table_id: u32,
    /// `10.1.0.0/16`.
    pub prefix: String,
    /// Whether a client made it; otherwise it came with an address or a table.
    pub from_client: bool,
    /// In VPP's order.
    pub paths: Vec<PathState>,
}

/// A path of a route of the stand-in.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PathState {
    /// The name of its interface.
    pub interface: Option<String>,
    /// Its next hop.
    pub next_hop: Option<IpAddr>,
    /// Its share among the paths of the same preference.
    pub weight: u8,
    /// The lowest counts.
    pub preference: u8,
    /// Whether it ends here: dropped, refused, or for VPP itself.
    pub is_final: bool,
}

/// A bridge domain of the stand-in.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BridgeDomainState {
    /// Its number.
    pub bd_id: u32,
    /// What clients wrote on it.
    pub tag: String,
    /// The names of its ports.
    pub ports: Vec<String>,
    /// The name of the port towards VPP itself.
    pub bvi: Option<String>,
}

impl Sim {
    /// The interface of a name.
    #[must_use]
    pub fn interface(&self, name: &str) -> Option<InterfaceState> {
        self.interfaces().into_iter().find(|interface| interface.name == name)
    }

    /// All interfaces, in the order of their numbers.
    #[must_use]
    pub fn interfaces(&self) -> Vec<InterfaceState> {
        let vpp = &self.core.lock().vpp;
        vpp.interfaces
            .iter()
            .map(|(index, interface)| InterfaceState {
                sw_if_index: index,
                name: interface.name.clone(),
                admin_up: interface.admin_up,
                mac: interface.mac.to_string(),
                mtu: interface.mtu,
                tag: interface.tag.clone(),
                addresses: interface.addresses.iter().map(ToString::to_string).collect(),
                ip4_table: interface.table(Family::V4),
                ip6_table: interface.table(Family::V6),
                bridge_domain: vpp.bridge_domains.of_port(index).map(|(_, domain, _)| domain.id),
            })
            .collect()
    }

    /// All routes of all tables, also those that VPP makes itself.
    #[must_use]
    pub fn routes(&self) -> Vec<RouteState> {
        let core = self.core.lock();
        let path = |path: &Path| PathState {
            interface: core.vpp.interfaces.get(path.sw_if_index).map(|interface| interface.name.clone()),
            next_hop: Some(path.next_hop).filter(|next_hop| !next_hop.is_unspecified()),
            weight: path.weight,
            preference: path.preference,
            is_final: path.kind != PathKind::Normal,
        };
        let tables = [Family::V4, Family::V6].into_iter().flat_map(|family| core.vpp.fib.tables(family));
        let routes = tables.flat_map(|(_, table)| {
            table.routes().map(|route| RouteState {
                table_id: table.id,
                prefix: route.prefix.network().to_string(),
                from_client: ![Source::SPECIAL, Source::INTERFACE, Source::DEFAULT_ROUTE]
                    .contains(&route.source()),
                paths: route.paths().iter().map(path).collect(),
            })
        });
        routes.collect()
    }

    /// All bridge domains that clients made.
    #[must_use]
    pub fn bridge_domains(&self) -> Vec<BridgeDomainState> {
        let vpp = &self.core.lock().vpp;
        let name = |index: u32| {
            let interface = vpp.interfaces.get(index).filter(|_| index != NO_INTERFACE);
            interface.map_or_else(String::new, |interface| interface.name.clone())
        };
        vpp.bridge_domains
            .iter()
            .map(|domain| BridgeDomainState {
                bd_id: domain.id,
                tag: domain.settings.tag.clone(),
                ports: domain.ports.iter().map(|port| name(port.sw_if_index)).collect(),
                bvi: domain.bvi.map(name),
            })
            .collect()
    }
}
