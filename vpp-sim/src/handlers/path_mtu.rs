//! MTUs towards addresses: the cursor stream among the messages with behaviour.

use serde_json::{Value, json};
use vpp_wire::ApiError;

use super::{Call, Handler};
use crate::answer::Answer;
use crate::state::PathMtu;
use crate::state::prefix::Family;

pub(super) const HANDLERS: &[(&str, Handler)] =
    &[("ip_path_mtu_update", ip_path_mtu_update), ("ip_path_mtu_get", ip_path_mtu_get)];

/// "From the beginning", and what replies carry when nothing is left.
const NO_CURSOR: u32 = u32::MAX;

/// An MTU of zero removes the entry; that there is none is no error.
fn ip_path_mtu_update(call: &mut Call<'_>) -> Answer {
    let Some(pmtu) = call.request.block("pmtu") else { return Answer::unimplemented() };
    let (table_id, mtu) = (pmtu.u32("table_id"), u16::try_from(pmtu.u32("path_mtu")).unwrap_or(0));
    let Some(next_hop) = pmtu.address("nh") else {
        return Answer::done(Err(ApiError::INVALID_ADDRESS_FAMILY));
    };
    if call.vpp.fib.table(Family::of(next_hop.is_ipv6()), table_id).is_none() {
        return Answer::done(Err(ApiError::NO_SUCH_TABLE));
    }
    let entries = &mut call.vpp.path_mtus;
    let known = entries.iter().find(|(_, entry)| (entry.table_id, entry.next_hop) == (table_id, next_hop));
    let known = known.map(|(index, _)| index);
    match known {
        Some(index) if mtu == 0 => {
            entries.remove(index);
        }
        Some(index) => {
            if let Some(entry) = entries.get_mut(index) {
                entry.mtu = mtu;
            }
        }
        None if mtu == 0 => {}
        None => {
            entries.insert(PathMtu { table_id, next_hop, mtu });
        }
    }
    Answer::done(Ok(()))
}

/// Entries from the cursor on. After a chunk, `EAGAIN` and the cursor to go on from.
fn ip_path_mtu_get(call: &mut Call<'_>) -> Answer {
    let entries = &call.vpp.path_mtus;
    let start = match call.request.u32("cursor") {
        NO_CURSOR => 0,
        cursor => cursor,
    };
    if start > 0 && start >= entries.end() {
        let reply = json!({"retval": ApiError::INVALID_VALUE.0, "cursor": NO_CURSOR});
        return Answer::Stream { details: Vec::new(), reply };
    }
    let mut rest = entries.iter().skip_while(|(index, _)| *index < start);
    let chunk = rest.by_ref().take(call.server.chunk.max(1) as usize);
    let details = chunk.map(|(_, entry)| details(entry)).collect();
    let reply = match rest.next() {
        Some((next, _)) => json!({"retval": ApiError::EAGAIN.0, "cursor": next}),
        None => json!({"retval": 0, "cursor": NO_CURSOR}),
    };
    Answer::Stream { details, reply }
}

fn details(entry: &PathMtu) -> Value {
    json!({"pmtu": {
        "table_id": entry.table_id,
        "nh": entry.next_hop.to_string(),
        "path_mtu": entry.mtu,
    }})
}
