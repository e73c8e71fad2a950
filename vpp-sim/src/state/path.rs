//! Paths of routes.

use std::net::IpAddr;

use super::prefix::Family;

/// "No interface" in a message.
pub(crate) const NO_INTERFACE: u32 = u32::MAX;

/// A path in the form VPP shows it in a dump.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Path {
    pub(crate) kind: PathKind,
    pub(crate) family: Family,
    /// [`NO_INTERFACE`] when the path names none.
    pub(crate) sw_if_index: u32,
    /// Unspecified when the path names none.
    pub(crate) next_hop: IpAddr,
    /// Where the next hop is looked up, for a path without an interface.
    pub(crate) table_id: u32,
    pub(crate) weight: u8,
    pub(crate) preference: u8,
    pub(crate) labels: Vec<Label>,
}

/// The kinds of paths that the stand-in knows, with VPP's numbers of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PathKind {
    Normal = 0,
    Local = 1,
    Drop = 2,
    IcmpUnreachable = 5,
    IcmpProhibited = 6,
}

/// An MPLS label to push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Label {
    pub(crate) label: u32,
    pub(crate) ttl: u8,
    pub(crate) exp: u8,
}

impl Path {
    fn new(kind: PathKind, family: Family, sw_if_index: u32) -> Self {
        let next_hop = family.unspecified();
        let labels = Vec::new();
        Self { kind, family, sw_if_index, next_hop, table_id: 0, weight: 1, preference: 0, labels }
    }

    /// To a neighbour on an interface.
    pub(crate) fn via(sw_if_index: u32, next_hop: IpAddr) -> Self {
        let family = Family::of(next_hop.is_ipv6());
        Self { next_hop, ..Self::new(PathKind::Normal, family, sw_if_index) }
    }

    /// To whoever is on an interface.
    pub(crate) fn attached(family: Family, sw_if_index: u32) -> Self {
        Self::new(PathKind::Normal, family, sw_if_index)
    }

    /// To VPP itself, by the address of an interface.
    pub(crate) fn local(sw_if_index: u32, address: IpAddr) -> Self {
        Self { kind: PathKind::Local, ..Self::via(sw_if_index, address) }
    }

    /// To no one.
    pub(crate) fn special(family: Family, kind: PathKind) -> Self {
        Self::new(kind, family, NO_INTERFACE)
    }

    /// The rank of its kind among paths and what tells it from others of the kind. VPP calls paths with the same
    /// identity the same path, whatever their weights.
    fn identity(&self) -> (u8, Family, IpAddr, u32) {
        let (has_next_hop, has_interface) =
            (!self.next_hop.is_unspecified(), self.sw_if_index != NO_INTERFACE);
        let none = self.family.unspecified();
        match (self.kind, has_interface, has_next_hop) {
            (PathKind::Normal, true, true) => (0, self.family, self.next_hop, self.sw_if_index),
            (PathKind::Normal, true, false) => (1, self.family, none, self.sw_if_index),
            (PathKind::Normal, false, true) => (2, self.family, self.next_hop, self.table_id),
            (PathKind::Drop | PathKind::IcmpUnreachable | PathKind::IcmpProhibited, ..) => {
                (3, self.family, none, 0)
            }
            (PathKind::Normal, false, false) => (5, self.family, none, self.table_id),
            (PathKind::Local, ..) => (8, self.family, none, 0),
        }
    }

    /// Whether VPP takes both for one.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.identity() == other.identity()
    }
}

/// Puts the paths of a route into VPP's order.
pub(crate) fn sort(paths: &mut [Path]) {
    paths.sort_by_key(|path| (path.preference, path.identity()));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The order that VPP 26.06 gave to the paths of one route.
    #[test]
    fn paths_are_shown_in_vpps_order() {
        let address = |last| IpAddr::from([10, 0, 0, last]);
        let second_choice = Path { preference: 1, ..Path::via(1, address(1)) };
        let expected = [
            Path { weight: 7, ..Path::via(1, address(2)) },
            Path::via(1, address(3)),
            Path::via(2, address(9)),
            Path::via(NO_INTERFACE, address(44)),
            Path::special(Family::V4, PathKind::Drop),
            second_choice,
        ];
        let mut paths = [5, 2, 1, 0, 3, 4].map(|index: usize| expected[index].clone());
        sort(&mut paths);
        assert_eq!(paths, expected);
    }

    #[test]
    fn weights_do_not_tell_paths_apart() {
        let path = Path::via(1, [10, 0, 0, 2].into());
        assert!(path.is_same(&Path { weight: 9, preference: 3, ..path.clone() }));
        assert!(!path.is_same(&Path::via(2, [10, 0, 0, 2].into())));
        assert!(!path.is_same(&Path::attached(Family::V4, 1)));
    }
}
