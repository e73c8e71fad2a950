//! What each transport does best, and how near the choice of `Transport::Auto` comes to the better one.

use anyhow::Result;
use vpp_26_06::memclnt::ControlPing;

use super::{Setup, dump, routes};
use crate::client::{Client, Kind};
use crate::report::Table;
use crate::rounds::{Compare, Floor, Round, Way, take_turns_beside};

/// How near the better transport the choice is to be.
const NEAR: f64 = 0.9;

pub(super) fn measure(setup: &Setup<'_>) -> Result<Vec<Table>> {
    let mut tables = vec![each(
        setup,
        &format!("one call after another: {} calls", setup.calls),
        setup.rounds,
        Compare::Medians,
        |client| client.one_by_one(setup.calls),
    )?];
    for depth in [16, 256, 1024] {
        tables.push(each(
            setup,
            &format!("{depth} under way: {} calls", setup.pipelined),
            setup.rounds,
            Compare::Rates,
            move |client| client.pipelined(setup.pipelined, Some(depth), |_| ControlPing, |_, _| {}),
        )?);
    }
    // A round takes seconds.
    let rounds = setup.rounds.min(3);
    tables.push(each(setup, &format!("adding {} routes", setup.routes), rounds, Compare::Rates, |client| {
        let added = routes::change(client, setup.routes, true)?;
        routes::change(client, setup.routes, false)?;
        Ok(added)
    })?);
    Client::once(Kind::CurrentThread, setup.socket, |maker| routes::change(maker, setup.routes, true))?;
    tables.push(each(
        setup,
        &format!("dump of {} routes", setup.routes),
        setup.rounds,
        Compare::Rates,
        |client| dump::dump(client, setup.routes),
    )?);
    Client::once(Kind::CurrentThread, setup.socket, |maker| routes::change(maker, setup.routes, false))?;
    Ok(tables)
}

fn each(
    setup: &Setup<'_>,
    what: &str,
    rounds: usize,
    compare: Compare,
    work: impl Fn(&mut Client) -> Result<Round>,
) -> Result<Table> {
    let work = &work;
    let ways = Kind::TRANSPORTS.map(|kind| {
        let way = Way::new(kind.transport(), move || Client::once(kind, setup.socket, work));
        match (kind, compare) {
            (Kind::Auto, Compare::Rates) => way.at_least(NEAR),
            (Kind::Auto, _) => way.at_most(1.0 / NEAR),
            _ => way,
        }
    });
    let rows = take_turns_beside(ways.into(), rounds, compare, Floor::BestOfOthers)?;
    let about = format!("{what}, {rounds} rounds, auto beside the better transport, {}", setup.peer);
    Ok(Table::new("transports", about, rows))
}
