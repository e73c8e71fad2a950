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
    let mut tables = Vec::new();
    for depth in DEPTHS {
        let mut clients = Vec::new();
        for kind in Kind::ALL {
            clients.push((kind, Client::connect(kind, setup.socket)?));
        }
        let ways = clients.iter_mut().map(|(kind, client)| {
            let window = if *kind == Kind::Raw { depth.or(Some(MOST)) } else { depth };
            let way = Way::new(kind.name(), move || {
                client.pipelined(setup.pipelined, window, |_| ControlPing, |_, _| {})
            });
            if *kind == Kind::Raw { way.over("socket") } else { way.over("socket").at_least(0.95) }
        });
        let rows = take_turns(ways.collect(), setup.rounds, Compare::Rates)?;
        for (_, client) in clients {
            client.close()?;
        }
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
