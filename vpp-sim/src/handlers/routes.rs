//! Routes.

use serde_json::{Value, json};
use vpp_wire::ApiError;

use super::{Call, Handler};
use crate::answer::Answer;
use crate::request::Fields;
use crate::state::Vpp;
use crate::state::fib::Route;
use crate::state::path::{Label, NO_INTERFACE, Path, PathKind};
use crate::state::prefix::Family;
use crate::state::source::Source;

pub(super) const HANDLERS: &[(&str, Handler)] = &[
    ("ip_route_add_del", ip_route_add_del),
    ("ip_route_add_del_v2", ip_route_add_del),
    ("ip_route_dump", ip_route_dump),
    ("ip_route_v2_dump", ip_route_v2_dump),
    ("ip_route_lookup", ip_route_lookup),
    ("ip_route_lookup_v2", ip_route_lookup_v2),
    ("fib_source_dump", fib_source_dump),
];

/// What a reply carries when no route was added.
const NO_STATS: u32 = u32::MAX;

/// Labels that a path holds.
const MAX_LABELS: usize = 16;

/// Both versions: only v2 has a `src`, and 0 means that of API clients.
fn ip_route_add_del(call: &mut Call<'_>) -> Answer {
    let result = match call.request.block("route") {
        Some(route) => add_del(call.vpp, call.request, route),
        None => Err(ApiError::UNIMPLEMENTED),
    };
    let stats_index = result.unwrap_or(NO_STATS);
    Answer::with(result.map(|_| ()), json!({"stats_index": stats_index}))
}

/// To delete what is not there is no error in VPP. Gives the number of an added route in the stats segment.
fn add_del(vpp: &mut Vpp, request: Fields<'_>, route: Fields<'_>) -> Result<u32, ApiError> {
    let prefix = route.prefix("prefix").ok_or(ApiError::INVALID_ADDRESS_FAMILY)?;
    let table_id = route.u32("table_id");
    vpp.fib.table(prefix.family(), table_id).ok_or(ApiError::NO_SUCH_FIB)?;
    let paths = route.blocks("paths").map(|fields| path(vpp, fields)).collect::<Result<Vec<_>, _>>()?;
    if !prefix.is_valid() {
        return Err(ApiError::INVALID_PREFIX_LENGTH);
    }
    let (is_add, is_multipath) = (request.flag("is_add"), request.flag("is_multipath"));
    if paths.is_empty() && (is_add || is_multipath) {
        return Err(ApiError::NO_PATHS_IN_ROUTE);
    }
    let source = match route.u8("src") {
        0 => Source::API,
        src => Source(src),
    };
    match (is_add, is_multipath) {
        (true, true) => vpp.fib.add_paths(table_id, prefix, source, paths),
        (true, false) => vpp.fib.set_paths(table_id, prefix, source, paths),
        (false, true) => vpp.fib.remove_paths(table_id, prefix, source, &paths),
        (false, false) => vpp.fib.delete_paths(table_id, prefix, source),
    }
    let added = vpp.fib.table(prefix.family(), table_id).and_then(|table| table.exact(prefix));
    Ok(added.filter(|_| is_add).map_or(NO_STATS, |route| route.stats_index))
}

/// A path of a request in the form VPP shows it later.
fn path(vpp: &Vpp, fields: Fields<'_>) -> Result<Path, ApiError> {
    let family = match fields.text("proto") {
        "FIB_API_PATH_NH_PROTO_IP4" => Family::V4,
        "FIB_API_PATH_NH_PROTO_IP6" => Family::V6,
        _ => return Err(ApiError::UNIMPLEMENTED),
    };
    let kind = match fields.text("type") {
        "FIB_API_PATH_TYPE_NORMAL" => PathKind::Normal,
        "FIB_API_PATH_TYPE_LOCAL" => PathKind::Local,
        "FIB_API_PATH_TYPE_DROP" => PathKind::Drop,
        "FIB_API_PATH_TYPE_ICMP_UNREACH" => PathKind::IcmpUnreachable,
        "FIB_API_PATH_TYPE_ICMP_PROHIBIT" => PathKind::IcmpProhibited,
        _ => return Err(ApiError::UNIMPLEMENTED),
    };
    let sw_if_index = match kind {
        PathKind::Normal | PathKind::Local => fields.u32("sw_if_index"),
        _ => NO_INTERFACE,
    };
    let table_id = fields.u32("table_id");
    if sw_if_index != NO_INTERFACE && vpp.interface(sw_if_index).is_err() {
        return Err(ApiError::NO_MATCHING_INTERFACE);
    }
    // Only a path without an interface looks up its next hop.
    let looks_up = kind == PathKind::Normal && sw_if_index == NO_INTERFACE;
    if looks_up && vpp.fib.table(family, table_id).is_none() {
        return Err(ApiError::NO_SUCH_FIB);
    }
    let next_hop = fields.block("nh").filter(|_| kind == PathKind::Normal);
    Ok(Path {
        kind,
        family,
        sw_if_index,
        next_hop: next_hop.map_or(family.unspecified(), |nh| nh.address_of("address", family)),
        table_id: if looks_up { table_id } else { 0 },
        weight: fields.u8("weight").max(1),
        preference: fields.u8("preference"),
        labels: labels(fields),
    })
}

fn labels(fields: Fields<'_>) -> Vec<Label> {
    let count = usize::from(fields.u8("n_labels")).min(MAX_LABELS);
    let stack = fields.blocks("label_stack").take(count);
    stack
        .map(|label| Label { label: label.u32("label"), ttl: label.u8("ttl"), exp: label.u8("exp") })
        .collect()
}

fn ip_route_dump(call: &mut Call<'_>) -> Answer {
    dump(call, None, details)
}

/// With a `src`, only the routes whose best source it is.
fn ip_route_v2_dump(call: &mut Call<'_>) -> Answer {
    let source = Some(Source(call.request.u8("src"))).filter(|source| source.0 != 0);
    dump(call, source, details_v2)
}

fn fib_source_dump(_: &mut Call<'_>) -> Answer {
    let source = |(source, name): (Source, &str)| json!({"src": {"priority": source.class(), "id": source.0, "name": name}});
    Answer::Details(Source::all().map(source).collect())
}

type Shown = fn(u32, &Route) -> Value;

fn dump(call: &Call<'_>, source: Option<Source>, details: Shown) -> Answer {
    let table = call
        .request
        .block("table")
        .and_then(|table| call.vpp.fib.table(Family::of(table.flag("is_ip6")), table.u32("table_id")));
    let Some(table) = table else { return Answer::Details(Vec::new()) };
    let routes = table.routes().filter(|route| source.is_none_or(|source| route.source() == source));
    Answer::Details(routes.map(|route| json!({"route": details(table.id, route)})).collect())
}

fn ip_route_lookup(call: &mut Call<'_>) -> Answer {
    lookup(call, details)
}

fn ip_route_lookup_v2(call: &mut Call<'_>) -> Answer {
    lookup(call, details_v2)
}

fn lookup(call: &Call<'_>, details: Shown) -> Answer {
    let request = call.request;
    let found = request.prefix("prefix").ok_or(ApiError::INVALID_ADDRESS_FAMILY).and_then(|prefix| {
        let table = call.vpp.fib.table(prefix.family(), request.u32("table_id"));
        let table = table.ok_or(ApiError::NO_SUCH_FIB)?;
        let found = if request.flag("exact") { table.exact(prefix) } else { table.lookup(prefix) };
        Ok(details(table.id, found.ok_or(ApiError::NO_SUCH_ENTRY)?))
    });
    match found {
        Ok(route) => Answer::with(Ok(()), json!({"route": route})),
        Err(error) => Answer::done(Err(error)),
    }
}

fn details(table_id: u32, route: &Route) -> Value {
    json!({
        "table_id": table_id,
        "stats_index": route.stats_index,
        "prefix": route.prefix.to_string(),
        "paths": route.paths().iter().map(path_details).collect::<Vec<_>>(),
    })
}

fn details_v2(table_id: u32, route: &Route) -> Value {
    let mut details = details(table_id, route);
    details["src"] = route.source().0.into();
    details
}

fn path_details(path: &Path) -> Value {
    let label = |label: &Label| json!({"label": label.label, "ttl": label.ttl, "exp": label.exp});
    let mut stack: Vec<Value> = path.labels.iter().map(label).collect();
    stack.resize(MAX_LABELS, json!({}));
    let (member, proto) = match path.family {
        Family::V4 => ("ip4", 0),
        Family::V6 => ("ip6", 1),
    };
    json!({
        "sw_if_index": path.sw_if_index,
        "table_id": path.table_id,
        "weight": path.weight,
        "preference": path.preference,
        "type": path.kind as u32,
        "proto": proto,
        "nh": {"address": {member: path.next_hop.to_string()}},
        "n_labels": path.labels.len(),
        "label_stack": stack,
    })
}
