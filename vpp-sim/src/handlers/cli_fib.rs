//! `show ip fib`: where packets to each prefix go.
//!
//! The lines are VPP's; numbers of internal objects in them are not.

use crate::state::Vpp;
use crate::state::fib::{Route, Table};
use crate::state::path::{NO_INTERFACE, Path, PathKind};
use crate::state::prefix::{Family, Prefix};

/// A table with all its routes, by address.
pub(super) fn table(vpp: &Vpp, index: u32, table: &Table) -> String {
    let locks = match (table.id, table.is_wanted) {
        (0, _) => "default-route:1, ",
        (_, true) => "API:1, ",
        (_, false) => "interface:1, ",
    };
    let mut text = format!(
        "{}, fib_index:{index}, flow hash:[src dst sport dport proto flowlabel ] epoch:0 flags:none locks:[{locks}]\n",
        table.name
    );
    let mut routes: Vec<&Route> = table.routes().collect();
    routes.sort_by_key(|route| (route.prefix.address, route.prefix.len));
    for route in routes {
        text += &format!("{}\n  unicast-{}-chain\n", route.prefix.network(), version(table.family));
        text += &load_balance(vpp, table, route, 1);
    }
    text
}

/// What a route resolves to, indented by `depth` steps.
fn load_balance(vpp: &Vpp, table: &Table, route: &Route, depth: usize) -> String {
    let version = version(table.family);
    let best = route.paths().iter().map(|path| path.preference).min();
    let mut targets: Vec<String> = route
        .paths()
        .iter()
        .filter(|path| Some(path.preference) == best)
        .filter_map(|path| target(vpp, table, route.prefix.network(), path, depth))
        .collect();
    if targets.is_empty() {
        targets.push(format!("[@0]: dpo-drop {version}\n"));
    }
    let (indent, number, buckets) = ("  ".repeat(depth), route.stats_index, targets.len());
    let mut text = format!(
        "{indent}[@0]: dpo-load-balance: [proto:{version} index:{number} buckets:{buckets} uRPF:{number} to:[0:0]]\n"
    );
    for (bucket, target) in targets.iter().enumerate() {
        text += &format!("{indent}  [{bucket}] {target}");
    }
    text
}

/// Where a path leads; `None` while it leads nowhere.
fn target(vpp: &Vpp, table: &Table, prefix: Prefix, path: &Path, depth: usize) -> Option<String> {
    let version = version(path.family);
    let interface = vpp.interfaces.get(path.sw_if_index);
    let name = interface.map_or("DELETED", |interface| &interface.name);
    let line = match path.kind {
        PathKind::Drop => format!("[@0]: dpo-drop {version}"),
        PathKind::IcmpUnreachable => format!("[@0]: dpo-icmp-unreach {version}"),
        PathKind::IcmpProhibited => format!("[@0]: dpo-icmp-prohibit {version}"),
        PathKind::Local => format!("[@11]: dpo-receive: {} on {name}", path.next_hop),
        PathKind::Normal if path.sw_if_index != NO_INTERFACE => {
            let interface = interface.filter(|interface| interface.admin_up)?;
            let (resolution, ethertype) = match path.family {
                Family::V4 => ("arp-ipv4", "0806"),
                Family::V6 => ("ndp-ipv6", "86dd"),
            };
            if path.next_hop.is_unspecified() {
                let mac = interface.mac.to_string().replace(':', "");
                let mtu = interface.mtu[0];
                format!(
                    "[@4]: ipv{}-glean: [src:{prefix}] {name}: mtu:{mtu} next:1 flags:[] ffffffffffff{mac}{ethertype}",
                    &version[2..]
                )
            } else {
                format!("[@3]: {resolution}: via {} {name}", path.next_hop)
            }
        }
        PathKind::Normal if path.next_hop.is_unspecified() => {
            // The route that every IPv6 table has for link-local addresses.
            if prefix.family() == Family::V6 && prefix.len == 10 {
                "[@14]: ip6-link-local".to_owned()
            } else {
                let next = vpp.fib.table(path.family, path.table_id)?;
                format!("[@13]: dst-address,unicast lookup in {}", next.name)
            }
        }
        PathKind::Normal => {
            let next = vpp.fib.table(path.family, path.table_id)?;
            let route = next.lookup(Prefix::host(path.next_hop))?;
            let found = route.prefix.network();
            // A default route does not make a next hop reachable, nor does the route itself.
            if found.len == 0 || (next.id, found) == (table.id, prefix) || depth > 4 {
                return None;
            }
            // A neighbour of an attached prefix has a route of its own in VPP, made for this purpose.
            let attached = route.paths().first().filter(|path| path.sw_if_index != NO_INTERFACE);
            if let Some(attached) = attached.filter(|path| path.next_hop.is_unspecified()) {
                let neighbour = Path::via(attached.sw_if_index, path.next_hop);
                return target(vpp, next, found, &neighbour, depth);
            }
            return Some(load_balance(vpp, next, route, depth + 2).trim_start().to_owned());
        }
    };
    Some(line + "\n")
}

fn version(family: Family) -> &'static str {
    match family {
        Family::V4 => "ip4",
        Family::V6 => "ip6",
    }
}
