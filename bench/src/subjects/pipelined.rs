//! What a call takes when many are under way.

use anyhow::Result;
use vpp_26_06::memclnt::ControlPing;

use super::Setup;
use crate::client::{Client, Kind};
use crate::report::Table;
use crate::rounds::{Compare, Way, take_turns};

/// How many are under way; the window of `None` adapts itself.
const DEPTHS: [Option<usize>; 4] = [Some(16), Some(256), Some(1024), None];
/// What the raw loop takes where ours adapts itself.
const MOST: usize = 1024;

pub(super) fn measure(setup: &Setup<'_>) -> Result<Vec<Table>> {
    of(setup, &Kind::SOCKET, 0.95)
}

/// As [`measure`], over shared memory.
pub(super) fn measure_memory(setup: &Setup<'_>) -> Result<Vec<Table>> {
    of(setup, &Kind::MEMORY, 0.8)
}

/// The first kind is the floor, the others are to reach this part of it.
fn of(setup: &Setup<'_>, kinds: &[Kind], part: f64) -> Result<Vec<Table>> {
    let mut tables = Vec::new();
    for depth in DEPTHS {
        let ways = kinds.iter().map(|kind| {
            let is_floor = *kind == kinds[0];
            let window = if is_floor { depth.or(Some(MOST)) } else { depth };
            let transport = kind.transport();
            let way = Way::new(kind.name(), move || {
                Client::once(*kind, setup.socket, |client| {
                    client.pipelined(setup.pipelined, window, |_| ControlPing, |_, _| {})
                })
            });
            if is_floor { way.over(transport) } else { way.over(transport).at_least(part) }
        });
        let rows = take_turns(ways.collect(), setup.rounds, Compare::Rates)?;
        let depth = depth.map_or_else(
            || format!("as many under way as the window finds best (raw loop: {MOST})"),
            |depth| format!("{depth} under way"),
        );
        let about = format!(
            "control_ping, {depth}: {} rounds of {} calls, {}",
            setup.rounds, setup.pipelined, setup.peer
        );
        tables.push(Table::new("pipelined", about, rows));
    }
    Ok(tables)
}
