//! Routes.

use std::net::IpAddr;

use vpp_26_06::fib_types::{FibMplsLabel, FibPath, FibPathNh, FibPathNhProto, FibPathType};
use vpp_26_06::ip::{
    IpRoute, IpRouteAddDel, IpRouteAddDelReply, IpRouteAddDelV2, IpRouteDump, IpRouteLookup, IpRouteLookupV2,
    IpRouteV2, IpRouteV2Dump, IpTable,
};
use vpp_26_06::ip_types::AddressUnion;
use vpp_conn::Connection;

use super::addresses::change;
use super::interfaces::{create, set_up};
use super::{retval, tables};

/// "No interface", and "nothing was added".
const NONE: u32 = u32::MAX;

/// VPP's numbers of sources.
const SPECIAL: u8 = 1;
const INTERFACE: u8 = 4;
const API: u8 = 8;
const DEFAULT_ROUTE: u8 = 20;

fn path(sw_if_index: u32, next_hop: &str) -> FibPath {
    let next_hop: IpAddr = next_hop.parse().unwrap();
    let (proto, address) = match next_hop {
        IpAddr::V4(address) => (FibPathNhProto::IP4, AddressUnion::from_ip4(address)),
        IpAddr::V6(address) => (FibPathNhProto::IP6, AddressUnion::from_ip6(address)),
    };
    FibPath {
        sw_if_index,
        weight: 1,
        proto,
        nh: FibPathNh { address, ..Default::default() },
        ..Default::default()
    }
}

fn route(prefix: &str, paths: Vec<FibPath>) -> IpRoute {
    IpRoute { prefix: prefix.parse().unwrap(), paths, ..Default::default() }
}

fn request(is_add: bool, prefix: &str, paths: Vec<FibPath>) -> IpRouteAddDel {
    IpRouteAddDel { is_add, is_multipath: false, route: route(prefix, paths) }
}

async fn add(vpp: &Connection, prefix: &str, paths: Vec<FibPath>) -> IpRouteAddDelReply {
    vpp.call(&request(true, prefix, paths)).unchecked().await.unwrap()
}

async fn delete(vpp: &Connection, prefix: &str) -> IpRouteAddDelReply {
    vpp.call(&request(false, prefix, Vec::new())).unchecked().await.unwrap()
}

async fn dump(vpp: &Connection, table_id: u32, is_ip6: bool, src: u8) -> Vec<IpRouteV2> {
    let table = IpTable { table_id, is_ip6, ..Default::default() };
    let details = vpp.dump(&IpRouteV2Dump { src, table: table.clone() }).collect().await.unwrap();
    let routes: Vec<IpRouteV2> = details.into_iter().map(|details| details.route).collect();
    if src == 0 {
        // The first version tells the same, without sources.
        let details = vpp.dump(&IpRouteDump { table }).collect().await.unwrap();
        let plain = |route: &IpRouteV2| IpRoute {
            table_id: route.table_id,
            stats_index: route.stats_index,
            prefix: route.prefix,
            paths: route.paths.clone(),
        };
        let first: Vec<IpRoute> = details.into_iter().map(|details| details.route).collect();
        assert_eq!(first, routes.iter().map(plain).collect::<Vec<_>>());
    }
    assert!(routes.iter().all(|route| route.table_id == table_id));
    routes
}

/// The prefixes of a table, sorted: VPP's order within a length is that of a hash table.
pub(super) async fn prefixes(vpp: &Connection, table_id: u32, is_ip6: bool) -> Vec<String> {
    sorted(&dump(vpp, table_id, is_ip6, 0).await)
}

fn sorted(routes: &[IpRouteV2]) -> Vec<String> {
    let mut prefixes: Vec<String> = routes.iter().map(|route| route.prefix.to_string()).collect();
    prefixes.sort();
    prefixes
}

/// The paths of a route in words, in VPP's order.
pub(super) async fn via(vpp: &Connection, table_id: u32, prefix: &str) -> String {
    let routes = dump(vpp, table_id, prefix.contains(':'), 0).await;
    let route = routes.iter().find(|route| route.prefix.to_string() == prefix);
    let paths = route.unwrap_or_else(|| panic!("no {prefix}")).paths.iter().map(words);
    paths.collect::<Vec<_>>().join(", ")
}

fn words(path: &FibPath) -> String {
    let kind = match path.type_ {
        FibPathType::NORMAL => "normal",
        FibPathType::LOCAL => "local",
        FibPathType::DROP => "drop",
        FibPathType::ICMP_UNREACH => "unreachable",
        FibPathType::ICMP_PROHIBIT => "prohibited",
        other => panic!("{other:?}"),
    };
    let mut words = vec![kind.to_owned()];
    if path.sw_if_index != NONE {
        words.push(path.sw_if_index.to_string());
    }
    let next_hop: IpAddr = match path.proto {
        FibPathNhProto::IP4 => path.nh.address.ip4().into(),
        FibPathNhProto::IP6 => path.nh.address.ip6().into(),
        other => panic!("{other:?}"),
    };
    if !next_hop.is_unspecified() {
        words.push(next_hop.to_string());
    }
    if path.table_id != 0 {
        words.push(format!("table {}", path.table_id));
    }
    if (path.weight, path.preference) != (1, 0) {
        words.push(format!("weight {} preference {}", path.weight, path.preference));
    }
    words.join(" ")
}

pub(super) async fn a_route_comes_and_goes(vpp: &Connection) {
    let loopback = create(vpp).await;
    let added = add(vpp, "10.1.0.0/16", vec![path(loopback, "10.0.0.2")]).await;
    assert_eq!(added.retval, 0);
    assert_ne!(added.stats_index, NONE);
    assert_eq!(via(vpp, 0, "10.1.0.0/16").await, format!("normal {loopback} 10.0.0.2"));
    // The number of a route stays while the route does.
    let again = add(vpp, "10.1.0.0/16", vec![path(loopback, "10.0.0.3")]).await;
    assert_eq!(again, added);
    assert_eq!(via(vpp, 0, "10.1.0.0/16").await, format!("normal {loopback} 10.0.0.3"));
    // Bits behind the length do not count, but VPP shows them as they were first given.
    add(vpp, "10.2.0.5/16", vec![path(loopback, "10.0.0.2")]).await;
    add(vpp, "10.2.0.6/16", vec![path(loopback, "10.0.0.3")]).await;
    assert_eq!(via(vpp, 0, "10.2.0.5/16").await, format!("normal {loopback} 10.0.0.3"));

    for prefix in ["10.1.0.0/16", "10.2.0.0/16", "10.1.0.0/16"] {
        let deleted = delete(vpp, prefix).await;
        assert_eq!((deleted.retval, deleted.stats_index), (0, NONE), "deleting what is not there, too");
    }
    assert!(!prefixes(vpp, 0, false).await.iter().any(|prefix| prefix.starts_with("10.")));
}

pub(super) async fn a_v2_route_tells_its_source(vpp: &Connection) {
    let loopback = create(vpp).await;
    set_up(vpp, loopback, true).await;
    assert_eq!(change(vpp, loopback, true, "10.0.0.1/24").await, 0);
    let put = async |is_add, src, last: u8| {
        let prefix = "10.1.0.0/16".parse().unwrap();
        let paths = vec![path(loopback, &format!("10.0.0.{last}"))];
        let route = IpRouteV2 { prefix, src, paths, ..Default::default() };
        vpp.call(&IpRouteAddDelV2 { is_add, is_multipath: false, route }).await.unwrap();
    };
    let sources = async |src| sorted(&dump(vpp, 0, false, src).await);
    put(true, 0, 2).await; // 0 means an API client
    assert_eq!(sources(API).await, ["10.1.0.0/16"]);
    assert_eq!(sources(SPECIAL).await, ["224.0.0.0/4", "240.0.0.0/4"]);
    assert_eq!(sources(DEFAULT_ROUTE).await, ["0.0.0.0/0", "0.0.0.0/32", "255.255.255.255/32"]);
    assert_eq!(sources(INTERFACE).await, ["10.0.0.0/32", "10.0.0.1/24", "10.0.0.1/32", "10.0.0.255/32"]);
    // Another source counts more (6RD) or less (CLI).
    put(true, 7, 3).await;
    put(true, 9, 4).await;
    assert_eq!(via(vpp, 0, "10.1.0.0/16").await, format!("normal {loopback} 10.0.0.3"));
    assert!(sources(API).await.is_empty());
    put(false, 7, 3).await;
    assert_eq!(via(vpp, 0, "10.1.0.0/16").await, format!("normal {loopback} 10.0.0.2"));
    put(false, 8, 2).await;
    assert_eq!(via(vpp, 0, "10.1.0.0/16").await, format!("normal {loopback} 10.0.0.4"));
    put(false, 9, 4).await;
    assert!(!prefixes(vpp, 0, false).await.contains(&"10.1.0.0/16".to_owned()));
}

pub(super) async fn ipv6_routes(vpp: &Connection) {
    let loopback = create(vpp).await;
    add(vpp, "2001:db8:1::/48", vec![path(loopback, "2001:db8::2")]).await;
    // Next hops may be of the other kind.
    add(vpp, "2001:db8:2::/48", vec![path(loopback, "10.0.0.2")]).await;
    add(vpp, "10.12.0.0/16", vec![path(loopback, "2001:db8::2")]).await;
    assert_eq!(via(vpp, 0, "2001:db8:1::/48").await, format!("normal {loopback} 2001:db8::2"));
    assert_eq!(via(vpp, 0, "2001:db8:2::/48").await, format!("normal {loopback} 10.0.0.2"));
    assert_eq!(via(vpp, 0, "10.12.0.0/16").await, format!("normal {loopback} 2001:db8::2"));
    delete(vpp, "2001:db8:1::/48").await;
    assert_eq!(prefixes(vpp, 0, true).await, ["2001:db8:2::/48", "::/0", "fe80::/10"]);
}

pub(super) async fn paths_of_a_multipath_route(vpp: &Connection) {
    let (first, second) = (create(vpp).await, create(vpp).await);
    let prefix = "10.1.0.0/16";
    let multipath = async |is_add, path: FibPath| {
        let request = IpRouteAddDel { is_multipath: true, ..request(is_add, prefix, vec![path]) };
        assert_eq!(retval(vpp.call(&request).await), 0);
    };
    let heavy = FibPath { weight: 7, ..path(first, "10.0.0.2") };
    let drop = FibPath { type_: FibPathType::DROP, ..path(NONE, "0.0.0.0") };
    let paths = vec![path(second, "10.0.0.9"), path(first, "10.0.0.3"), heavy, path(NONE, "10.0.0.44"), drop];
    add(vpp, prefix, paths).await;
    // VPP sorts: by kind of path, then by next hop.
    let rest = format!("normal {second} 10.0.0.9, normal 10.0.0.44, drop");
    let heavy = format!("normal {first} 10.0.0.2 weight 7 preference 0");
    let shown = format!("{heavy}, normal {first} 10.0.0.3, {rest}");
    assert_eq!(via(vpp, 0, prefix).await, shown);
    // The same path with another weight is there already.
    multipath(true, FibPath { weight: 9, ..path(first, "10.0.0.2") }).await;
    assert_eq!(via(vpp, 0, prefix).await, shown);
    multipath(false, path(first, "10.0.0.200")).await;
    assert_eq!(via(vpp, 0, prefix).await, shown);
    // The weight does not matter for a deletion.
    multipath(false, path(first, "10.0.0.2")).await;
    multipath(true, FibPath { preference: 1, ..path(first, "10.0.0.1") }).await;
    let last = format!("normal {first} 10.0.0.1 weight 1 preference 1");
    assert_eq!(via(vpp, 0, prefix).await, format!("normal {first} 10.0.0.3, {rest}, {last}"));

    // A route goes with its last path.
    add(vpp, prefix, vec![path(first, "10.0.0.2"), path(first, "10.0.0.3")]).await;
    multipath(false, path(first, "10.0.0.2")).await;
    assert_eq!(via(vpp, 0, prefix).await, format!("normal {first} 10.0.0.3"));
    multipath(false, path(first, "10.0.0.3")).await;
    multipath(false, path(first, "10.0.0.3")).await;
    assert!(!prefixes(vpp, 0, false).await.contains(&prefix.to_owned()));
}

pub(super) async fn special_paths(vpp: &Connection) {
    let loopback = create(vpp).await;
    assert_eq!(tables::add_del(vpp, true, 5, "five").await, 0);
    let of_type = |type_, sw_if_index, next_hop| FibPath { type_, ..path(sw_if_index, next_hop) };
    let label = FibMplsLabel { label: 100, ttl: 64, ..Default::default() };
    let mut labelled = FibPath { n_labels: 1, ..path(loopback, "10.0.0.5") };
    labelled.label_stack[0] = label.clone();
    for (prefix, path, expected) in [
        ("10.4.0.0/16", path(loopback, "0.0.0.0"), format!("normal {loopback}")),
        ("10.5.0.0/16", of_type(FibPathType::DROP, loopback, "10.0.0.5"), "drop".to_owned()),
        ("10.6.0.0/16", of_type(FibPathType::LOCAL, NONE, "0.0.0.0"), "local".to_owned()),
        ("10.7.0.0/16", of_type(FibPathType::LOCAL, loopback, "10.0.0.5"), format!("local {loopback}")),
        ("10.8.0.0/16", of_type(FibPathType::ICMP_UNREACH, loopback, "10.0.0.5"), "unreachable".to_owned()),
        ("10.9.0.0/16", of_type(FibPathType::ICMP_PROHIBIT, NONE, "0.0.0.0"), "prohibited".to_owned()),
        ("10.10.0.0/16", path(NONE, "0.0.0.0"), "normal".to_owned()),
        ("10.11.0.0/16", FibPath { table_id: 5, ..path(NONE, "0.0.0.0") }, "normal table 5".to_owned()),
        (
            "10.12.0.0/16",
            FibPath { table_id: 5, ..path(NONE, "10.0.0.5") },
            "normal 10.0.0.5 table 5".to_owned(),
        ),
        (
            "10.13.0.0/16",
            FibPath { weight: 0, ..path(loopback, "10.0.0.5") },
            format!("normal {loopback} 10.0.0.5"),
        ),
        ("10.14.0.0/16", labelled, format!("normal {loopback} 10.0.0.5")),
    ] {
        assert_eq!(add(vpp, prefix, vec![path]).await.retval, 0, "{prefix}");
        assert_eq!(via(vpp, 0, prefix).await, expected, "{prefix}");
    }
    let routes = dump(vpp, 0, false, API).await;
    let labelled = routes.iter().find(|route| route.prefix.to_string() == "10.14.0.0/16").unwrap();
    assert_eq!((labelled.paths[0].n_labels, &labelled.paths[0].label_stack[0]), (1, &label));
}

pub(super) async fn bad_routes_are_refused(vpp: &Connection) {
    let loopback = create(vpp).await;
    let good = path(loopback, "10.0.0.2");
    let mut elsewhere = request(true, "10.1.0.0/16", vec![good.clone()]);
    elsewhere.route.table_id = 77;
    let mut too_long = request(true, "10.1.0.0/32", vec![good.clone()]);
    too_long.route.prefix.len = 33;
    let no_path = IpRouteAddDel { is_multipath: true, ..request(false, "10.1.0.0/16", Vec::new()) };
    let no_table = FibPath { table_id: 77, ..path(NONE, "10.0.0.2") };
    for (request, code) in [
        (request(true, "10.1.0.0/16", Vec::new()), -52),
        (no_path, -52),
        (request(true, "10.1.0.0/16", vec![path(99, "10.0.0.2")]), -54),
        (request(true, "10.1.0.0/16", vec![good, path(99, "10.0.0.2")]), -54),
        (request(true, "10.1.0.0/16", vec![no_table]), -3),
        (elsewhere, -3),
        (too_long, -171),
    ] {
        let reply = vpp.call(&request).unchecked().await.unwrap();
        assert_eq!((reply.retval, reply.stats_index), (code, NONE), "{request:?}");
    }
    assert!(!prefixes(vpp, 0, false).await.contains(&"10.1.0.0/16".to_owned()));
}

pub(super) async fn lookup(vpp: &Connection) {
    let loopback = create(vpp).await;
    let added = add(vpp, "10.9.0.0/16", vec![path(loopback, "10.0.0.77")]).await;
    let ask = async |table_id, exact, prefix: &str| {
        let request = IpRouteLookup { table_id, exact, prefix: prefix.parse().unwrap() };
        let reply = vpp.call(&request).unchecked().await.unwrap();
        (reply.retval, reply.route)
    };
    let (code, found) = ask(0, 1, "10.9.0.0/16").await;
    assert_eq!((code, found.stats_index), (0, added.stats_index));
    assert_eq!(found.paths, [path(loopback, "10.0.0.77")]);
    assert_eq!(ask(0, 0, "10.9.7.0/24").await, (0, found));
    assert_eq!(ask(0, 0, "10.8.0.0/16").await.1.prefix.to_string(), "0.0.0.0/0");
    assert_eq!(ask(0, 1, "10.9.7.0/24").await, (-6, IpRoute::default()));
    assert_eq!(ask(99, 0, "10.9.7.0/24").await, (-3, IpRoute::default()));
    let request = IpRouteLookupV2 { exact: 0, prefix: "10.9.7.1/32".parse().unwrap(), ..Default::default() };
    assert_eq!(vpp.call(&request).await.unwrap().route.src, API);
}

pub(super) async fn routes_of_clients_give_way_to_addresses(vpp: &Connection) {
    let loopback = create(vpp).await;
    assert_eq!(change(vpp, loopback, true, "10.0.0.1/24").await, 0);
    add(vpp, "10.0.0.0/24", vec![path(loopback, "10.0.0.2")]).await;
    add(vpp, "0.0.0.0/0", vec![path(loopback, "10.0.0.2")]).await;
    let client = format!("normal {loopback} 10.0.0.2");
    assert_eq!(via(vpp, 0, "10.0.0.0/24").await, client);
    assert_eq!(via(vpp, 0, "0.0.0.0/0").await, client, "a client's default route comes before VPP's");
    set_up(vpp, loopback, true).await;
    assert_eq!(via(vpp, 0, "10.0.0.0/24").await, format!("normal {loopback}"));
    // What VPP has of its own a client cannot delete.
    for prefix in ["10.0.0.0/24", "0.0.0.0/0", "224.0.0.0/4"] {
        assert_eq!(delete(vpp, prefix).await.retval, 0);
    }
    assert_eq!(via(vpp, 0, "10.0.0.0/24").await, format!("normal {loopback}"));
    assert_eq!(via(vpp, 0, "0.0.0.0/0").await, "drop");
    assert_eq!(via(vpp, 0, "224.0.0.0/4").await, "drop");
}

pub(super) async fn a_large_table_comes_back_whole(vpp: &Connection) {
    let loopback = create(vpp).await;
    let adds = (0..2000u32).map(|number| {
        let vpp = vpp.clone();
        let prefix = format!("100.{}.{}.0/24", number / 256, number % 256);
        let request = request(true, &prefix, vec![path(loopback, "10.0.0.2")]);
        tokio::spawn(async move { vpp.call(&request).await.map(|reply| reply.stats_index) })
    });
    let mut numbers = std::collections::HashSet::new();
    for add in adds.collect::<Vec<_>>() {
        assert!(numbers.insert(add.await.unwrap().unwrap()), "each route has its own number");
    }
    let routes = dump(vpp, 0, false, API).await;
    assert_eq!(routes.len(), 2000);
    assert_eq!(
        routes.iter().map(|route| route.stats_index).collect::<std::collections::HashSet<_>>(),
        numbers
    );
}
