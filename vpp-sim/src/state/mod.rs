//! What the stand-in remembers, and the rules by which it changes. Nothing here knows of messages.

pub(crate) mod addresses;
pub(crate) mod bridge_domains;
pub(crate) mod fib;
pub(crate) mod interfaces;
pub(crate) mod path;
pub(crate) mod pool;
pub(crate) mod prefix;
pub(crate) mod source;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;

use bridge_domains::BridgeDomains;
use fib::Fib;
use interfaces::Interface;
use pool::Pool;
use prefix::{Family, Prefix};

/// The state of a VPP.
#[derive(Debug)]
pub(crate) struct Vpp {
    pub(crate) interfaces: Pool<Interface>,
    /// Devices of the host on which interfaces can be made.
    pub(crate) host_devices: BTreeSet<String>,
    pub(crate) fib: Fib,
    pub(crate) bridge_domains: BridgeDomains,
    pub(crate) path_mtus: Pool<PathMtu>,
    /// Clients that want to be told of changes of interfaces, by their index, and the `pid` each gave.
    pub(crate) interface_watchers: BTreeMap<[u8; 4], u32>,
    /// How many addresses of an interface lie in a prefix whose routes exist.
    connected: HashMap<(u32, Prefix), u32>,
    /// Interfaces whose clients must be told, and whether they are gone. VPP tells once per interface and burst of
    /// requests, in the order of the numbers.
    changed: BTreeMap<u32, bool>,
    /// What the statistics do not know yet.
    counted: Vec<CountedChange>,
}

/// What happened to an interface that the statistics follow. Renaming is none: VPP keeps the name there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CountedChange {
    /// It has this name.
    Created(u32, String),
    Deleted(u32),
}

/// The MTU towards an address.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PathMtu {
    pub(crate) table_id: u32,
    pub(crate) next_hop: IpAddr,
    pub(crate) mtu: u16,
}

/// What clients are told of an interface that changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InterfaceChange {
    pub(crate) sw_if_index: u32,
    pub(crate) flags: u32,
    pub(crate) deleted: bool,
}

impl Vpp {
    /// A VPP that has just started, on a host without devices.
    pub(crate) fn new() -> Self {
        let mut interfaces = Pool::default();
        interfaces.insert(Interface::local());
        Self {
            interfaces,
            host_devices: BTreeSet::new(),
            fib: Fib::new(),
            bridge_domains: BridgeDomains::new(),
            path_mtus: Pool::default(),
            interface_watchers: BTreeMap::new(),
            connected: HashMap::new(),
            changed: BTreeMap::new(),
            counted: Vec::new(),
        }
    }

    /// The changes of interfaces since the last time this was asked.
    pub(crate) fn take_interface_changes(&mut self) -> Vec<InterfaceChange> {
        let changed = std::mem::take(&mut self.changed);
        let change = |(sw_if_index, deleted): (u32, bool)| {
            let flags = self.interfaces.get(sw_if_index).map_or(0, Interface::flags);
            InterfaceChange { sw_if_index, flags: if deleted { 0 } else { flags }, deleted }
        };
        changed.into_iter().map(change).collect()
    }

    /// What happened to interfaces since the last time this was asked.
    pub(crate) fn take_counted_changes(&mut self) -> Vec<CountedChange> {
        std::mem::take(&mut self.counted)
    }

    fn interface_changed(&mut self, index: u32) {
        self.changed.entry(index).or_default();
    }

    fn interface_deleted(&mut self, index: u32) {
        self.changed.insert(index, true);
    }

    /// Removes the tables that no client wants and no interface is bound to. Table 0 stays.
    pub(crate) fn remove_unused_tables(&mut self) {
        for family in [Family::V4, Family::V6] {
            let is_bound = |id| self.interfaces.iter().any(|(_, interface)| interface.table(family) == id);
            let unused: Vec<u32> = self
                .fib
                .tables(family)
                .filter(|(_, table)| table.id != 0 && !table.is_wanted && !is_bound(table.id))
                .map(|(index, _)| index)
                .collect();
            for index in unused {
                self.fib.remove(family, index);
            }
        }
    }
}

#[cfg(test)]
mod tests;
