//! IP tables, and which interface uses which.

use serde_json::{Value, json};
use vpp_wire::ApiError;

use super::{Call, Handler};
use crate::answer::Answer;
use crate::request::Fields;
use crate::state::fib::Table;
use crate::state::prefix::Family;
use crate::state::source::Source;

pub(super) const HANDLERS: &[(&str, Handler)] = &[
    ("ip_table_add_del", ip_table_add_del),
    ("ip_table_add_del_v2", ip_table_add_del),
    ("ip_table_allocate", ip_table_allocate),
    ("ip_table_dump", ip_table_dump),
    ("ip_table_flush", ip_table_flush),
    ("sw_interface_set_table", sw_interface_set_table),
    ("sw_interface_get_table", sw_interface_get_table),
];

/// Bytes of a table's name on the wire.
const NAME_LEN: usize = 64;

/// Family, id and name in an `ip_table`.
fn wanted(table: Option<Fields<'_>>) -> (Family, u32, String) {
    match table {
        Some(table) => {
            (Family::of(table.flag("is_ip6")), table.u32("table_id"), table.text_for("name", NAME_LEN))
        }
        None => (Family::V4, 0, String::new()),
    }
}

/// VPP ignores what is said of table 0, and never refuses.
fn ip_table_add_del(call: &mut Call<'_>) -> Answer {
    let (family, id, name) = wanted(call.request.block("table"));
    if id != 0 {
        if call.request.flag("is_add") {
            call.vpp.fib.want(family, id, &name);
        } else {
            call.vpp.fib.forget(family, id);
            call.vpp.remove_unused_tables();
        }
    }
    Answer::done(Ok(()))
}

/// Id -1 asks for any that is free. VPP draws a random one.
fn ip_table_allocate(call: &mut Call<'_>) -> Answer {
    let (family, id, name) = wanted(call.request.block("table"));
    let fib = &mut call.vpp.fib;
    let free = (1..u32::MAX).find(|id| fib.table(family, *id).is_none());
    let Some(id) = (if id == u32::MAX { free } else { Some(id) }) else {
        return Answer::done(Err(ApiError::EAGAIN));
    };
    if id != 0 {
        fib.want(family, id, &name);
    }
    let table = json!({"table_id": id, "is_ip6": family.is_ip6(), "name": name});
    Answer::with(Ok(()), json!({"table": table}))
}

fn ip_table_dump(call: &mut Call<'_>) -> Answer {
    let tables = [Family::V4, Family::V6].into_iter().flat_map(|family| call.vpp.fib.tables(family));
    Answer::Details(tables.map(|(_, table)| details(table)).collect())
}

fn details(table: &Table) -> Value {
    json!({"table": {"table_id": table.id, "is_ip6": table.family.is_ip6(), "name": table.name}})
}

/// Removes the routes that clients made, after it has taken down the interfaces bound to the table.
fn ip_table_flush(call: &mut Call<'_>) -> Answer {
    let (family, id, _) = wanted(call.request.block("table"));
    if call.vpp.fib.table(family, id).is_none() {
        return Answer::done(Err(ApiError::NO_SUCH_FIB));
    }
    let interfaces = call.vpp.interfaces.iter();
    let bound: Vec<u32> =
        interfaces.filter(|(_, interface)| interface.table(family) == id).map(|(index, _)| index).collect();
    let down = bound.into_iter().try_for_each(|index| call.vpp.set_admin_up(index, false));
    down.and_then(|()| call.vpp.fib.flush(family, id, Source::API)).into()
}

fn sw_interface_set_table(call: &mut Call<'_>) -> Answer {
    let request = call.request;
    let family = Family::of(request.flag("is_ipv6"));
    call.vpp.set_interface_table(request.u32("sw_if_index"), family, request.u32("vrf_id")).into()
}

fn sw_interface_get_table(call: &mut Call<'_>) -> Answer {
    let family = Family::of(call.request.flag("is_ipv6"));
    let interface = call.vpp.interface(call.request.u32("sw_if_index"));
    let id = interface.as_ref().map_or(u32::MAX, |interface| interface.table(family));
    Answer::with(interface.map(|_| ()), json!({"vrf_id": id}))
}
