//! Paths of routes.

use std::net::IpAddr;

use crate::fib_types::{FibPath, FibPathNh, FibPathNhProto, FibPathType};
use crate::ip_types::AddressUnion;

impl FibPath {
    /// The path to a next hop, which VPP looks up in the table of the path (recursive).
    #[must_use]
    pub fn via(next_hop: impl Into<IpAddr>) -> Self {
        Self::to_next_hop(next_hop.into(), u32::MAX)
    }

    /// The path to a next hop on an interface.
    #[must_use]
    pub fn via_interface(next_hop: impl Into<IpAddr>, sw_if_index: u32) -> Self {
        Self::to_next_hop(next_hop.into(), sw_if_index)
    }

    /// The path on which packets are dropped.
    #[must_use]
    pub fn drop(proto: FibPathNhProto) -> Self {
        Self { type_: FibPathType::DROP, sw_if_index: u32::MAX, proto, weight: 1, ..Self::default() }
    }

    /// The address of the next hop, for a path of IP. Unspecified where there is none, as on an attached network.
    #[must_use]
    pub fn next_hop(&self) -> Option<IpAddr> {
        match self.proto {
            FibPathNhProto::IP4 => Some(self.nh.address.ip4().into()),
            FibPathNhProto::IP6 => Some(self.nh.address.ip6().into()),
            _ => None,
        }
    }

    fn to_next_hop(next_hop: IpAddr, sw_if_index: u32) -> Self {
        let (proto, address) = match next_hop {
            IpAddr::V4(address) => (FibPathNhProto::IP4, AddressUnion::from_ip4(address)),
            IpAddr::V6(address) => (FibPathNhProto::IP6, AddressUnion::from_ip6(address)),
        };
        // No classifier table, no object: 0 would name the first of them.
        let nh = FibPathNh { address, via_label: 0, obj_id: u32::MAX, classify_table_index: u32::MAX };
        Self { sw_if_index, proto, nh, weight: 1, ..Self::default() }
    }
}

/// [`FibPath::via`].
impl From<IpAddr> for FibPath {
    fn from(next_hop: IpAddr) -> Self {
        Self::via(next_hop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_knows_its_next_hop() {
        for text in ["10.0.0.2", "2001:db8::2"] {
            let next_hop: IpAddr = text.parse().unwrap();
            let path = FibPath::via_interface(next_hop, 7);
            assert_eq!((path.next_hop(), path.sw_if_index, path.weight), (Some(next_hop), 7, 1));
            assert_eq!(FibPath::from(next_hop).sw_if_index, u32::MAX);
        }
        assert_eq!(FibPath::drop(FibPathNhProto::MPLS).next_hop(), None);
    }
}
