//! Routes.

use vpp_wire::Prefix;

use crate::fib_types::FibPath;
use crate::ip::{IpRoute, IpRouteAddDel, IpRouteAddDelV2, IpRouteV2};

impl IpRouteAddDelV2 {
    /// Adds a route with one path, or replaces the paths of one that is there.
    #[must_use]
    pub fn add(table_id: u32, prefix: Prefix, path: impl Into<FibPath>) -> Self {
        let route = IpRouteV2 { table_id, prefix, paths: vec![path.into()], ..Default::default() };
        Self { is_add: true, is_multipath: false, route }
    }

    /// Deletes a route with all its paths.
    #[must_use]
    pub fn delete(table_id: u32, prefix: Prefix) -> Self {
        let route = IpRouteV2 { table_id, prefix, ..Default::default() };
        Self { is_add: false, is_multipath: false, route }
    }
}

impl IpRouteAddDel {
    /// Adds a route with one path, or replaces the paths of one that is there.
    #[must_use]
    pub fn add(table_id: u32, prefix: Prefix, path: impl Into<FibPath>) -> Self {
        let route = IpRoute { table_id, prefix, paths: vec![path.into()], ..Default::default() };
        Self { is_add: true, is_multipath: false, route }
    }

    /// Deletes a route with all its paths.
    #[must_use]
    pub fn delete(table_id: u32, prefix: Prefix) -> Self {
        let route = IpRoute { table_id, prefix, ..Default::default() };
        Self { is_add: false, is_multipath: false, route }
    }
}
