//! What bridging costs: the same request on the wire, once from the type that this VPP speaks, once carried over from
//! that of another release.

use std::time::Instant;

use anyhow::Result;
use vpp_26_06::ip::IpRouteAddDel;
use vpp_conn::{Bridge, Connection};
use vpp_wire::Request;

use super::{Setup, routes};
use crate::report::Table;
use crate::rounds::{Compare, Round, Way, take_turns};

/// Needs a VPP 26.06; nothing where another one is at the socket.
pub(super) fn measure(setup: &Setup<'_>) -> Result<Vec<Table>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let plain = runtime.block_on(Connection::connect(setup.socket))?;
    let started = Instant::now();
    let bridging = runtime.block_on(Connection::builder().bridge(Bridge::pinned()).connect(setup.socket))?;
    let connect = started.elapsed().as_secs_f64() * 1e3;
    let is_known = plain.supports::<IpRouteAddDel>()
        && !plain.supports::<vpp_20_09::ip::IpRouteAddDel>()
        && bridging.supports::<vpp_20_09::ip::IpRouteAddDel>();
    let mut tables = Vec::new();
    if is_known {
        let (own, old) = (routes::route(0, true), of_20_09(routes::route(0, true)));
        let ways = vec![
            Way::new("its own type", || Round::of_calls(&runtime, &plain, &own, setup.calls)),
            Way::new("same, bridging allowed", || Round::of_calls(&runtime, &bridging, &own, setup.calls)),
            Way::new("bridged from 20.09", || Round::of_calls(&runtime, &bridging, &old, setup.calls)),
        ];
        let ways = ways.into_iter().map(|way| way.over("socket"));
        let rows = take_turns(ways.collect(), setup.rounds, Compare::Medians)?;
        let about = format!(
            "ip_route_add_del, current thread, connecting with bridging took {connect:.1} ms: \
             {} rounds of {} calls, {}",
            setup.rounds, setup.calls, setup.peer
        );
        tables.push(Table::new("bridged", about, rows));
        runtime.block_on(plain.call(&routes::route(0, false)))?;
    }
    runtime.block_on(plain.close())?;
    runtime.block_on(bridging.close())?;
    Ok(tables)
}

/// The same request as another release has it.
fn of_20_09(request: IpRouteAddDel) -> vpp_20_09::ip::IpRouteAddDel {
    use vpp_20_09::fib_types::{FibPath, FibPathType};
    use vpp_20_09::ip::{IpRoute, IpRouteAddDel};

    let path = FibPath { type_: FibPathType::DROP, weight: 1, ..FibPath::default() };
    let route = IpRoute { prefix: request.route.prefix, paths: vec![path], ..IpRoute::default() };
    IpRouteAddDel { is_add: request.is_add, is_multipath: false, route }
}

impl Round {
    /// The same call again and again.
    fn of_calls<R: Request>(
        runtime: &tokio::runtime::Runtime,
        vpp: &Connection,
        request: &R,
        calls: usize,
    ) -> Result<Self> {
        let mut each = Vec::with_capacity(calls);
        let round = Self::of(calls, || {
            runtime.block_on(async {
                for _ in 0..calls {
                    let started = Instant::now();
                    vpp.call(request).await?;
                    each.push(started.elapsed());
                }
                Ok(())
            })
        })?;
        Ok(Self { each, ..round })
    }
}
