//! What a call takes when each waits for the one before.

use std::time::Duration;

use anyhow::Result;

use super::Setup;
use crate::client::{Client, Kind};
use crate::report::Table;
use crate::rounds::{Compare, Way, take_turns};

pub(super) fn measure(setup: &Setup<'_>) -> Result<Vec<Table>> {
    Ok(vec![of(setup, &Kind::SOCKET)?])
}

/// As [`measure`], over shared memory.
pub(super) fn measure_memory(setup: &Setup<'_>) -> Result<Vec<Table>> {
    Ok(vec![of(setup, &Kind::MEMORY)?])
}

/// A pause in which a VPP without interfaces that poll goes to sleep.
const PAUSE: Duration = Duration::from_millis(3);

/// Calls now and then, to a VPP that sleeps meanwhile. The raw loop of shared memory does not wake it, and is left out.
pub(super) fn measure_pauses(setup: &Setup<'_>) -> Result<Vec<Table>> {
    let kinds = [
        Kind::Raw,
        Kind::CurrentThread,
        Kind::Blocking,
        Kind::Memory,
        Kind::MemoryTask,
        Kind::MemoryBlocking,
        Kind::MemoryBusy,
        Kind::Auto,
    ];
    let calls = (setup.calls / 10).max(1);
    let ways = kinds.map(|kind| {
        Way::new(kind.name(), move || {
            Client::once(kind, setup.socket, |client| client.now_and_then(calls, Some(PAUSE)))
        })
        .over(kind.transport())
    });
    let rows = take_turns(ways.into(), setup.rounds, Compare::Tails)?;
    let about = format!(
        "control_ping, each {PAUSE:?} after the one before, p99 to the raw loop's: {} rounds of {calls} calls, {}",
        setup.rounds, setup.peer
    );
    Ok(vec![Table::new("pauses", about, rows)])
}

/// The first kind is the floor.
fn of(setup: &Setup<'_>, kinds: &[Kind]) -> Result<Table> {
    let ways = kinds.iter().map(|kind| {
        let way = Way::new(kind.name(), || {
            Client::once(*kind, setup.socket, |client| client.one_by_one(setup.calls))
        })
        .over(kind.transport());
        match kind {
            Kind::MemoryBlocking | Kind::MemoryBusy => way.at_most(1.5),
            // The blocking connection is to be no slower than the asynchronous one.
            Kind::CurrentThread | Kind::Blocking => way.at_most(1.10),
            Kind::SpawnedTask => way.at_most(1.15),
            _ => way,
        }
    });
    let rows = take_turns(ways.collect(), setup.rounds, Compare::Medians)?;
    let about = format!(
        "control_ping, each when the one before is answered: {} rounds of {} calls, {}",
        setup.rounds, setup.calls, setup.peer
    );
    Ok(Table::new("round-trip", about, rows))
}
