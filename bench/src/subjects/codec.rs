//! Encoding and decoding of messages of each kind, beside copying their bytes.

use std::hint::black_box;

use anyhow::{Context, Result};
use vpp_26_06::interface::SwInterfaceDetails;
use vpp_26_06::ip::IpRouteDetails;
use vpp_26_06::memclnt::ControlPingReply;
use vpp_26_06::vlib::CliInbandReply;
use vpp_wire::{Message, Viewed};

use super::{Setup, routes};
use crate::report::Table;
use crate::rounds::{Compare, Round, Way, take_turns};

/// Operations of one round.
const OPERATIONS: usize = 50_000;

pub(super) fn measure(setup: &Setup<'_>) -> Result<Vec<Table>> {
    let interface =
        SwInterfaceDetails { interface_name: "GigabitEthernet0/8/0.100".to_owned(), ..Default::default() };
    let route = routes::route(1, true).route;
    let paths = vec![route.paths.first().cloned().context("a route has a path")?; 8];
    let wide = vpp_26_06::ip::IpRoute { paths, ..route.clone() };
    let text = CliInbandReply { retval: 0, reply: "loop0  1  up  9000/0/0/0\n".repeat(20) };
    Ok(vec![
        of("numbers", &ControlPingReply::default(), setup.rounds)?,
        of("a fixed string and addresses", &interface, setup.rounds)?,
        of("a list of one", &IpRouteDetails { route }, setup.rounds)?,
        of("a list of eight", &IpRouteDetails { route: wide }, setup.rounds)?,
        of("a text of 500 bytes", &text, setup.rounds)?,
    ])
}

fn of<M: Message + Viewed>(what: &str, message: &M, rounds: usize) -> Result<Table> {
    let len = message.encoded_len();
    let mut payload = vec![0; len];
    message.encode_payload(&mut payload)?;
    let (mut copied, mut encoded) = (vec![0_u8; len], vec![0; len]);
    let repeat = |mut work: Box<dyn FnMut() -> Result<()> + '_>| {
        Round::of(OPERATIONS, || (0..OPERATIONS).try_for_each(|_| work()))
            .map(|round| Round { cpu: None, ..round })
    };
    let ways = vec![
        Way::new("copy", || {
            repeat(Box::new(|| {
                black_box(&mut copied[..]).copy_from_slice(black_box(&payload));
                Ok(())
            }))
        }),
        Way::new("encode", || {
            repeat(Box::new(|| {
                let encoded = black_box(&mut encoded[..]);
                black_box(message).encode_payload(encoded)?;
                Ok(())
            }))
        }),
        Way::new("view", || {
            repeat(Box::new(|| {
                black_box(M::view_payload(black_box(&payload))?);
                Ok(())
            }))
        }),
        Way::new("decode", || {
            repeat(Box::new(|| {
                black_box(M::from_payload(black_box(&payload))?);
                Ok(())
            }))
        }),
    ];
    let rows = take_turns(ways, rounds, Compare::Times)?;
    Ok(Table::new("codec", format!("{}, {what}: {len} bytes, {OPERATIONS} times", M::NAME), rows))
}
