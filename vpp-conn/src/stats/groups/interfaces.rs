//! Interfaces.

use std::sync::Arc;

use super::Places;
use crate::stats::error::StatsError;
use crate::stats::pattern::Pattern;
use crate::stats::selection::Selection;
use crate::stats::source::VppSource;
use crate::stats::value::{Column, Combined, Counters, Names, Value};

/// What VPP calls an interface that was deleted, until its number is used again.
const DELETED: &str = "deleted";

const NAMES: usize = 0;
const COMBINED: usize = 1;
const SIMPLE: usize = 9;
const PLACES: [&str; 18] = [
    "/if/names",
    "/if/rx",
    "/if/rx-unicast",
    "/if/rx-multicast",
    "/if/rx-broadcast",
    "/if/tx",
    "/if/tx-unicast",
    "/if/tx-multicast",
    "/if/tx-broadcast",
    "/if/drops",
    "/if/punt",
    "/if/ip4",
    "/if/ip6",
    "/if/rx-no-buf",
    "/if/rx-miss",
    "/if/rx-error",
    "/if/tx-error",
    "/if/mpls",
];

/// The counters of all interfaces.
///
/// ```no_run
/// # fn example(stats: vpp_conn::stats::Stats) -> Result<(), vpp_conn::stats::StatsError> {
/// let mut interfaces = stats.interfaces()?;
/// loop {
///     for interface in &interfaces {
///         println!("{} {:?} {:?}", interface.name(), interface.rx().sum(), interface.rx().rate());
///     }
///     std::thread::sleep(std::time::Duration::from_secs(1));
///     interfaces.refresh()?;
/// }
/// # }
/// ```
#[derive(Debug)]
pub struct Interfaces {
    selection: Selection,
    places: Places<18>,
}

/// The counters of one interface.
#[derive(Clone, Copy)]
pub struct Interface<'a> {
    group: &'a Interfaces,
    index: usize,
    name: &'a str,
}

impl Interfaces {
    pub(in crate::stats) fn new(source: Arc<VppSource>) -> Result<Self, StatsError> {
        let selection = Selection::new(source, PLACES.iter().map(|name| Pattern::exact(name)).collect())?;
        let mut group = Self { selection, places: Places::new() };
        group.places.update(&group.selection, &PLACES);
        Ok(group)
    }

    /// Reads the values anew; see [`Selection::refresh`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn refresh(&mut self) -> Result<(), StatsError> {
        self.selection.refresh()?;
        self.places.update(&self.selection, &PLACES);
        Ok(())
    }

    /// The interfaces that exist, by `sw_if_index`.
    #[must_use]
    pub fn iter(&self) -> InterfaceIter<'_> {
        InterfaceIter { group: self, names: self.names(), next: 0 }
    }

    /// The interface of a `sw_if_index`.
    #[must_use]
    pub fn get(&self, sw_if_index: u32) -> Option<Interface<'_>> {
        let index = sw_if_index as usize;
        let name = self.names().get(index).filter(|name| *name != DELETED)?;
        Some(Interface { group: self, index, name })
    }

    /// The entries themselves.
    #[must_use]
    pub fn selection(&self) -> &Selection {
        &self.selection
    }

    fn names(&self) -> Names<'_> {
        match self.places.value(&self.selection, NAMES) {
            Value::Names(names) => names,
            _ => Names(&[]),
        }
    }
}

impl<'a> IntoIterator for &'a Interfaces {
    type Item = Interface<'a>;
    type IntoIter = InterfaceIter<'a>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// The interfaces that exist, by `sw_if_index`.
#[derive(Clone, Debug)]
pub struct InterfaceIter<'a> {
    group: &'a Interfaces,
    names: Names<'a>,
    next: usize,
}

impl<'a> Iterator for InterfaceIter<'a> {
    type Item = Interface<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.next < self.names.len() {
            let index = self.next;
            self.next += 1;
            if let Some(name) = self.names.get(index).filter(|name| *name != DELETED) {
                return Some(Interface { group: self.group, index, name });
            }
        }
        None
    }
}

impl<'a> Interface<'a> {
    /// VPP's number of it.
    #[must_use]
    pub fn sw_if_index(&self) -> u32 {
        self.index as u32
    }

    /// VPP's name of it.
    #[must_use]
    pub fn name(&self) -> &'a str {
        self.name
    }

    fn combined(&self, place: usize) -> Column<'a, Combined> {
        match self.group.places.value(&self.group.selection, COMBINED + place) {
            Value::Combined(counters) => counters.column(self.index),
            _ => Counters::NONE.column(self.index),
        }
    }

    fn simple(&self, place: usize) -> Column<'a, u64> {
        self.group.places.simple(&self.group.selection, SIMPLE + place).column(self.index)
    }

    /// Received.
    #[must_use]
    pub fn rx(&self) -> Column<'a, Combined> {
        self.combined(0)
    }

    /// Received as unicast, where the driver tells.
    #[must_use]
    pub fn rx_unicast(&self) -> Column<'a, Combined> {
        self.combined(1)
    }

    /// Received as multicast, where the driver tells.
    #[must_use]
    pub fn rx_multicast(&self) -> Column<'a, Combined> {
        self.combined(2)
    }

    /// Received as broadcast, where the driver tells.
    #[must_use]
    pub fn rx_broadcast(&self) -> Column<'a, Combined> {
        self.combined(3)
    }

    /// Sent.
    #[must_use]
    pub fn tx(&self) -> Column<'a, Combined> {
        self.combined(4)
    }

    /// Sent as unicast, where the driver tells.
    #[must_use]
    pub fn tx_unicast(&self) -> Column<'a, Combined> {
        self.combined(5)
    }

    /// Sent as multicast, where the driver tells.
    #[must_use]
    pub fn tx_multicast(&self) -> Column<'a, Combined> {
        self.combined(6)
    }

    /// Sent as broadcast, where the driver tells.
    #[must_use]
    pub fn tx_broadcast(&self) -> Column<'a, Combined> {
        self.combined(7)
    }

    /// Packets dropped.
    #[must_use]
    pub fn drops(&self) -> Column<'a, u64> {
        self.simple(0)
    }

    /// Packets handed to whoever registered for what VPP does not handle.
    #[must_use]
    pub fn punt(&self) -> Column<'a, u64> {
        self.simple(1)
    }

    /// IPv4 packets received.
    #[must_use]
    pub fn ip4(&self) -> Column<'a, u64> {
        self.simple(2)
    }

    /// IPv6 packets received.
    #[must_use]
    pub fn ip6(&self) -> Column<'a, u64> {
        self.simple(3)
    }

    /// Packets not received because there was no buffer.
    #[must_use]
    pub fn rx_no_buf(&self) -> Column<'a, u64> {
        self.simple(4)
    }

    /// Packets that the device had no room for.
    #[must_use]
    pub fn rx_miss(&self) -> Column<'a, u64> {
        self.simple(5)
    }

    /// Packets received with errors.
    #[must_use]
    pub fn rx_error(&self) -> Column<'a, u64> {
        self.simple(6)
    }

    /// Packets that could not be sent.
    #[must_use]
    pub fn tx_error(&self) -> Column<'a, u64> {
        self.simple(7)
    }

    /// MPLS packets received.
    #[must_use]
    pub fn mpls(&self) -> Column<'a, u64> {
        self.simple(8)
    }
}

impl std::fmt::Debug for Interface<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Interface")
            .field("sw_if_index", &self.index)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
