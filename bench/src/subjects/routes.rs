//! Adding many routes.

use std::net::Ipv4Addr;

use anyhow::Result;
use vpp_26_06::fib_types::{FibPath, FibPathType};
use vpp_26_06::ip::{IpRoute, IpRouteAddDel};
use vpp_wire::Prefix;

use super::Setup;
use crate::client::{Client, Kind};
use crate::report::Table;
use crate::rounds::{Compare, Round, Way, take_turns};

/// Requests under way in the raw loop. More are slower: these are long, and VPP reads a burst in pieces of 4 KiB.
const WINDOW: usize = 256;

pub(super) fn measure(setup: &Setup<'_>) -> Result<Vec<Table>> {
    let mut clients = Vec::new();
    for kind in [Kind::Raw, Kind::CurrentThread] {
        clients.push((kind, Client::connect(kind, setup.socket)?));
    }
    let ways = clients.iter_mut().map(|(kind, client)| {
        let name = if *kind == Kind::Raw { "raw loop, 256 under way" } else { "pipeline" };
        let way = Way::new(name, || {
            let added = change(client, setup.routes, true)?;
            change(client, setup.routes, false)?;
            Ok(added)
        });
        if *kind == Kind::Raw { way.over("socket") } else { way.over("socket").at_least(0.95) }
    });
    // A round takes seconds.
    let rounds = setup.rounds.min(3);
    let rows = take_turns(ways.collect(), rounds, Compare::Rates)?;
    for (_, client) in clients {
        client.close()?;
    }
    let about = format!(
        "adding {} routes (each request allocates its list of paths): {rounds} rounds, {}",
        setup.routes, setup.peer
    );
    Ok(vec![Table::new("routes", about, rows)])
}

/// Adds or deletes so many routes.
pub(super) fn change(client: &mut Client, routes: usize, is_add: bool) -> Result<Round> {
    let window = matches!(client, Client::Raw(_)).then_some(WINDOW);
    let patch = |request: &mut [u8], index| {
        request[ADDRESS_AT..ADDRESS_AT + 4].copy_from_slice(&address(index).octets());
    };
    client.pipelined(routes, window, move |index| route(index, is_add), patch)
}

/// Where a framed request has the address of its route: behind frame, header, two flags, table, index, and family.
const ADDRESS_AT: usize = 16 + 10 + 2 + 4 + 4 + 1;

fn address(index: usize) -> Ipv4Addr {
    Ipv4Addr::from_bits(0x0a00_0000 + index as u32)
}

/// A route to one address, which drops.
pub(super) fn route(index: usize, is_add: bool) -> IpRouteAddDel {
    let path = FibPath { type_: FibPathType::DROP, weight: 1, ..FibPath::default() };
    let prefix = Prefix::new(address(index), 32).unwrap_or_default();
    let route = IpRoute { prefix, paths: vec![path], ..IpRoute::default() };
    IpRouteAddDel { is_add, is_multipath: false, route }
}
