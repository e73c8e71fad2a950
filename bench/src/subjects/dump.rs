//! A dump of many routes.

use anyhow::{Result, ensure};
use vpp_26_06::ip::{IpRouteDetails, IpRouteDump};
use vpp_26_06::memclnt::{ControlPing, ControlPingReply};
use vpp_conn::Connection;
use vpp_wire::Message;

use super::{Setup, routes};
use crate::client::{Client, Kind};
use crate::floor::RawSocket;
use crate::report::Table;
use crate::rounds::{Compare, Round, Way, take_turns};

pub(super) fn measure(setup: &Setup<'_>) -> Result<Vec<Table>> {
    let mut maker = Client::connect(Kind::CurrentThread, setup.socket)?;
    routes::change(&mut maker, setup.routes, true)?;
    let mut raw = RawSocket::connect(setup.socket)?;
    let dump = [raw.request(&IpRouteDump::default())?, raw.request(&ControlPing)?].concat();
    let end = ControlPingReply::INFO.table_key();
    // VPP has some of its own.
    let routes = raw.dump(&dump, &end)?;
    ensure!(routes >= setup.routes, "{routes} routes came of {}", setup.routes);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let vpp = runtime.block_on(Connection::connect(setup.socket))?;
    let blocking = vpp_conn::blocking::Connection::connect(setup.socket)?;
    let all = |came: usize| {
        ensure!(came == routes, "{came} routes came of {routes}");
        Ok(())
    };
    let ways = vec![
        Way::new("raw reads", || Round::of(routes, || all(raw.dump(&dump, &end)?))).over("socket"),
        Way::new("views", || Round::of(routes, || all(runtime.block_on(look_at_all(&vpp))?)))
            .over("socket")
            .at_least(0.9),
        Way::new("views, blocking", || {
            Round::of(routes, || {
                let mut came = 0;
                for route in blocking.dump(&IpRouteDump::default()) {
                    look(&route?);
                    came += 1;
                }
                all(came)
            })
        })
        .over("socket"),
        Way::new("collect", || {
            Round::of(routes, || all(runtime.block_on(vpp.dump(&IpRouteDump::default()).collect())?.len()))
        })
        .over("socket"),
    ];
    let rows = take_turns(ways, setup.rounds, Compare::Rates)?;
    raw.close()?;
    runtime.block_on(vpp.close())?;
    blocking.close()?;
    routes::change(&mut maker, setup.routes, false)?;
    maker.close()?;
    let about = format!("dump of {routes} routes: {} rounds, {}", setup.rounds, setup.peer);
    Ok(vec![Table::new("dump", about, rows)])
}

/// Reads a dump of so many routes in place.
pub(super) fn dump(client: &mut Client, routes: usize) -> Result<Round> {
    let Client::CurrentThread(runtime, vpp) = client else { anyhow::bail!("another kind of client") };
    Round::of(routes, || {
        let came = runtime.block_on(look_at_all(vpp))?;
        ensure!(came >= routes, "{came} routes came of {routes}");
        Ok(())
    })
}

/// Reads the routes of VPP in place, and tells how many there were.
async fn look_at_all(vpp: &Connection) -> Result<usize> {
    let mut dump = vpp.dump(&IpRouteDump::default());
    let mut came = 0;
    while let Some(route) = dump.next().await? {
        look(&route);
        came += 1;
    }
    Ok(came)
}

/// What a program does with each: a look at a field.
fn look(route: &vpp_conn::Received<IpRouteDetails>) {
    std::hint::black_box(route.view().route().prefix());
}
