//! Requests per second, one after another and all at once: the figures that GoVPP's `perf-bench` prints of itself.
//! Decision 13 puts the two side by side.

use anyhow::Result;
use vpp_26_06::memclnt::ControlPing;

use super::Setup;
use crate::client::{Client, Kind};
use crate::report::{Row, Table};
use crate::rounds::{Compare, Round, Way, take_turns};

/// How many the raw loop has under way.
const WINDOW: usize = 1024;

pub(super) fn measure(setup: &Setup<'_>) -> Result<Vec<Table>> {
    let synchronous = of(setup, |client| {
        // What each took is not asked here; how many come in a second is.
        Ok(Round { each: Vec::new(), ..client.one_by_one(setup.calls)? })
    })?;
    let asynchronous = of(setup, |client| {
        let window = matches!(client, Client::Raw(_)).then_some(WINDOW);
        client.pipelined(setup.pipelined, window, |_| ControlPing, |_, _| {})
    })?;
    let about = |what: &str, count: usize| {
        format!("control_ping, {what}: {} rounds of {count} requests, {}", setup.rounds, setup.peer)
    };
    Ok(vec![
        Table::new("requests", about("synchronous", setup.calls), synchronous),
        Table::new("requests", about("asynchronous", setup.pipelined), asynchronous),
    ])
}

fn of(setup: &Setup<'_>, run: impl Fn(&mut Client) -> Result<Round>) -> Result<Vec<Row>> {
    let mut clients = Vec::new();
    for kind in Kind::SOCKET {
        clients.push((kind, Client::connect(kind, setup.socket)?));
    }
    let ways = clients.iter_mut().map(|(kind, client)| {
        let run = &run;
        Way::new(kind.name(), move || run(client)).over(kind.transport())
    });
    let rows = take_turns(ways.collect(), setup.rounds, Compare::Rates)?;
    for (_, client) in clients {
        client.close()?;
    }
    Ok(rows)
}
