//! What bridging costs: the same request on the wire, once from the type that this VPP speaks, once carried over from
//! that of another release.

use std::fmt;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use vpp_26_06::fib_types::{FibPath, FibPathType};
use vpp_26_06::ip::{IpRoute, IpRouteAddDel};
use vpp_conn::{Bridge, Connection};
use vpp_wire::Request;

use crate::at;

/// The ways of the same request.
const WAYS: [&str; 3] = ["its own type", "same, bridging allowed", "bridged from 20.09"];

/// What was measured.
pub(crate) struct Figures {
    rows: Vec<Row>,
    connect: Duration,
}

struct Row {
    name: &'static str,
    p50: Duration,
    p99: Duration,
    allocations_per_call: f64,
}

/// Needs a VPP 26.06; `None` where another one is at the socket.
pub(crate) fn measure(socket: &Path, calls: usize, rounds: usize) -> Result<Option<Figures>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let plain = Connection::connect(socket).await?;
        let started = Instant::now();
        let bridging = Connection::builder().bridge(Bridge::pinned()).connect(socket).await?;
        let connect = started.elapsed();
        let is_known = plain.supports::<IpRouteAddDel>()
            && !plain.supports::<vpp_20_09::ip::IpRouteAddDel>()
            && bridging.supports::<vpp_20_09::ip::IpRouteAddDel>();
        let rows = if is_known { Some(self::rows(&plain, &bridging, calls, rounds).await?) } else { None };
        plain.close().await?;
        bridging.close().await?;
        Ok(rows.map(|rows| Figures { rows, connect }))
    })
}

async fn rows(plain: &Connection, bridging: &Connection, calls: usize, rounds: usize) -> Result<Vec<Row>> {
    let prefix = || "10.255.0.0/16".parse().context("a prefix");
    let path = FibPath { type_: FibPathType::DROP, weight: 1, ..FibPath::default() };
    let route = |is_add| -> Result<IpRouteAddDel> {
        let route = IpRoute { prefix: prefix()?, paths: vec![path.clone()], ..IpRoute::default() };
        Ok(IpRouteAddDel { is_add, is_multipath: false, route })
    };
    let own = route(true)?;
    let old = {
        use vpp_20_09::fib_types::{FibPath, FibPathType};
        use vpp_20_09::ip::{IpRoute, IpRouteAddDel};

        let path = FibPath { type_: FibPathType::DROP, weight: 1, ..FibPath::default() };
        let route = IpRoute { prefix: prefix()?, paths: vec![path], ..IpRoute::default() };
        IpRouteAddDel { is_add: true, is_multipath: false, route }
    };
    let mut times = [const { Vec::new() }; WAYS.len()];
    let mut allocations = [0_u64; WAYS.len()];
    // The first round warms up and is not counted.
    for round in 0..=rounds {
        let mut here = [const { Vec::new() }; WAYS.len()];
        for (way, here) in here.iter_mut().enumerate() {
            allocations[way] += match way {
                0 => timed(plain, &own, calls, here).await?,
                1 => timed(bridging, &own, calls, here).await?,
                _ => timed(bridging, &old, calls, here).await?,
            };
        }
        if round == 0 {
            allocations = [0; WAYS.len()];
        } else {
            here.into_iter().zip(&mut times).for_each(|(here, times)| times.extend(here));
        }
    }
    plain.call(&route(false)?).await?;
    let counted = (calls * rounds).max(1) as f64;
    Ok(WAYS
        .iter()
        .zip(&mut times)
        .zip(allocations)
        .map(|((name, times), allocations)| {
            times.sort_unstable();
            let allocations_per_call = allocations as f64 / counted;
            Row { name, p50: at(times, 0.5), p99: at(times, 0.99), allocations_per_call }
        })
        .collect())
}

/// Calls one after another; how often memory was allocated.
async fn timed<R: Request>(
    vpp: &Connection,
    request: &R,
    calls: usize,
    times: &mut Vec<Duration>,
) -> Result<u64> {
    times.reserve(calls);
    let mut allocated = 0;
    for _ in 0..calls {
        let started = Instant::now();
        let mut call = std::pin::pin!(vpp.call(request));
        let outcome = std::future::poll_fn(|cx| {
            let mut polled = std::task::Poll::Pending;
            let counted = allocation_counter::measure(|| polled = call.as_mut().poll(cx));
            allocated += counted.count_total;
            polled
        });
        outcome.await?;
        times.push(started.elapsed());
    }
    Ok(allocated)
}

impl Figures {
    pub(crate) fn json(&self) -> serde_json::Value {
        let rows: Vec<_> = self
            .rows
            .iter()
            .map(|row| {
                serde_json::json!({
                    "way": row.name,
                    "p50_us": row.p50.as_secs_f64() * 1e6,
                    "p99_us": row.p99.as_secs_f64() * 1e6,
                    "allocations_per_call": row.allocations_per_call,
                })
            })
            .collect();
        serde_json::json!({ "connect_ms": self.connect.as_secs_f64() * 1e3, "ip_route_add_del": rows })
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "ip_route_add_del, current thread; connecting with bridging took {:.1} ms",
            self.connect.as_secs_f64() * 1e3
        )?;
        writeln!(f, "{:<22} {:>9} {:>9} {:>8} {:>12}", "", "p50", "p99", "to own", "allocations")?;
        let own = self.rows.first().map_or(f64::NAN, |row| row.p50.as_secs_f64());
        for row in &self.rows {
            writeln!(
                f,
                "{:<22} {:>6.1} us {:>6.1} us {:>8.2} {:>12.4}",
                row.name,
                row.p50.as_secs_f64() * 1e6,
                row.p99.as_secs_f64() * 1e6,
                row.p50.as_secs_f64() / own,
                row.allocations_per_call
            )?;
        }
        Ok(())
    }
}
