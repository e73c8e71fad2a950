//! Rules of the state that a client sees only in several messages. Expectations are what VPP 26.06 did.

use vpp_wire::ApiError;

use super::path::Path;
use super::source::Source;
use super::*;

fn prefix(text: &str) -> Prefix {
    text.parse().unwrap()
}

/// `loop0` to `loop2` are interfaces 1 to 3; `loop0` is up.
fn vpp() -> Vpp {
    let mut vpp = Vpp::new();
    for _ in 0..3 {
        vpp.create_loopback(Default::default(), None).unwrap();
    }
    vpp.set_admin_up(1, true).unwrap();
    vpp
}

/// The routes that come with addresses, in the order of a dump.
fn interface_routes(vpp: &Vpp, family: Family) -> Vec<String> {
    let table = vpp.fib.table(family, 0).unwrap();
    let own = table.routes().filter(|route| route.source() == Source::INTERFACE);
    own.map(|route| route.prefix.to_string()).collect()
}

#[test]
fn an_address_brings_its_routes_while_the_interface_is_up() {
    let mut vpp = vpp();
    vpp.add_address(1, prefix("10.0.0.1/24")).unwrap();
    vpp.add_address(1, prefix("10.0.0.2/24")).unwrap();
    let all = ["10.0.0.1/24", "10.0.0.0/32", "10.0.0.1/32", "10.0.0.2/32", "10.0.0.255/32"];
    assert_eq!(interface_routes(&vpp, Family::V4), all);
    vpp.set_admin_up(1, false).unwrap();
    assert!(interface_routes(&vpp, Family::V4).is_empty());
    vpp.set_admin_up(1, true).unwrap();
    assert_eq!(interface_routes(&vpp, Family::V4), all);
    vpp.delete_address(1, prefix("10.0.0.1/24")).unwrap();
    let rest = ["10.0.0.1/24", "10.0.0.0/32", "10.0.0.2/32", "10.0.0.255/32"];
    assert_eq!(interface_routes(&vpp, Family::V4), rest);
    vpp.delete_address(1, prefix("10.0.0.2/24")).unwrap();
    assert!(interface_routes(&vpp, Family::V4).is_empty());
}

#[test]
fn short_prefixes_bring_other_routes() {
    for (address, expected) in [
        ("10.3.0.7/32", &["10.3.0.7/32"][..]),
        ("10.3.1.6/31", &["10.3.1.6/31", "10.3.1.6/32", "10.3.1.7/32"]),
        ("10.3.2.5/30", &["10.3.2.5/30", "10.3.2.4/32", "10.3.2.5/32", "10.3.2.7/32"]),
        ("10.3.3.0/24", &["10.3.3.0/24", "10.3.3.0/32", "10.3.3.255/32"]),
        ("10.3.4.255/24", &["10.3.4.255/24", "10.3.4.0/32", "10.3.4.255/32"]),
        ("2001:db8::1/64", &["2001:db8::/64", "2001:db8::1/128"]),
        ("2001:db8:2::1/128", &["2001:db8:2::1/128"]),
    ] {
        let (mut vpp, address) = (vpp(), prefix(address));
        vpp.add_address(1, address).unwrap();
        assert_eq!(interface_routes(&vpp, address.family()), expected);
        vpp.delete_address(1, address).unwrap();
        assert!(interface_routes(&vpp, address.family()).is_empty(), "{address}");
    }
}

#[test]
fn a_deletion_with_another_length_leaves_routes_as_in_vpp() {
    let mut vpp = vpp();
    vpp.add_address(1, prefix("10.0.0.1/24")).unwrap();
    vpp.delete_address(1, prefix("10.0.0.1/25")).unwrap();
    assert_eq!(interface_routes(&vpp, Family::V4), ["10.0.0.1/24", "10.0.0.0/32", "10.0.0.255/32"]);
}

#[test]
fn addresses_that_vpp_refuses() {
    let mut vpp = vpp();
    vpp.add_address(1, prefix("10.0.0.1/24")).unwrap();
    vpp.add_address(1, prefix("2001:db8::1/64")).unwrap();
    for (index, address, error) in [
        (1, "10.0.0.1/24", ApiError::ADDRESS_IN_USE),
        (1, "10.0.0.2/25", ApiError::ADDRESS_IN_USE),
        (2, "10.0.0.7/24", ApiError::ADDRESS_IN_USE),
        (2, "10.0.0.7/16", ApiError::ADDRESS_IN_USE),
        (99, "10.0.0.7/16", ApiError::INVALID_SW_IF_INDEX),
        (0, "10.9.0.7/16", ApiError::UNSUPPORTED),
        (1, "0.0.0.0/0", ApiError::ADDRESS_IN_USE),
        (1, "fe80::1/64", ApiError::ADDRESS_LENGTH_MISMATCH),
        (1, "2001:db8::1/64", ApiError::DUPLICATE_IF_ADDRESS),
        (2, "2001:db8::3/48", ApiError::DUPLICATE_IF_ADDRESS),
    ] {
        assert_eq!(vpp.add_address(index, prefix(address)), Err(error), "{address} on {index}");
    }
    for (index, address, error) in [
        (1, "10.0.0.99/24", ApiError::ADDRESS_NOT_FOUND_FOR_INTERFACE),
        (2, "10.0.0.1/24", ApiError::ADDRESS_NOT_FOUND_FOR_INTERFACE),
        (1, "fe80::6/128", ApiError::ADDRESS_NOT_FOUND_FOR_INTERFACE),
    ] {
        assert_eq!(vpp.delete_address(index, prefix(address)), Err(error), "{address} on {index}");
    }
    vpp.add_address(1, prefix("fe80::5/128")).unwrap();
    assert_eq!(vpp.delete_address(1, prefix("fe80::5/128")), Err(ApiError::ADDRESS_NOT_DELETABLE));
}

#[test]
fn the_best_source_of_a_route_counts() {
    let mut vpp = vpp();
    vpp.add_address(1, prefix("10.0.0.1/24")).unwrap();
    let subnet = prefix("10.0.0.0/24");
    let via = |last| vec![Path::via(1, [10, 0, 0, last].into())];
    vpp.fib.set_paths(0, subnet, Source::API, via(2));
    let source = |vpp: &Vpp| vpp.fib.table(Family::V4, 0)?.exact(subnet).map(fib::Route::source);
    assert_eq!(source(&vpp), Some(Source::INTERFACE));
    vpp.set_admin_up(1, false).unwrap();
    assert_eq!(source(&vpp), Some(Source::API));
    // Number 7 (6RD) counts more than 8 (API).
    vpp.fib.set_paths(0, subnet, Source(7), via(3));
    assert_eq!(source(&vpp), Some(Source(7)));
    vpp.fib.delete_paths(0, subnet, Source(7));
    vpp.fib.delete_paths(0, subnet, Source::API);
    assert_eq!(source(&vpp), None);
}

#[test]
fn a_table_stays_while_a_client_wants_it_or_an_interface_uses_it() {
    let mut vpp = vpp();
    vpp.fib.want(Family::V4, 5, "five");
    vpp.fib.want(Family::V4, 5, "other name");
    assert_eq!(vpp.fib.table(Family::V4, 5).unwrap().name, "five");
    vpp.set_interface_table(2, Family::V4, 5).unwrap();
    vpp.fib.forget(Family::V4, 5);
    vpp.remove_unused_tables();
    assert!(vpp.fib.table(Family::V4, 5).is_some());
    vpp.set_interface_table(2, Family::V4, 0).unwrap();
    assert!(vpp.fib.table(Family::V4, 5).is_none());
    assert!(vpp.fib.table(Family::V4, 0).is_some());
}

#[test]
fn changes_of_one_interface_in_a_burst_are_one_change() {
    let mut vpp = vpp();
    vpp.take_interface_changes();
    vpp.set_admin_up(3, true).unwrap();
    vpp.set_admin_up(3, false).unwrap();
    vpp.set_admin_up(2, true).unwrap();
    vpp.set_admin_up(2, true).unwrap();
    vpp.delete_loopback(1).unwrap();
    let change = |sw_if_index, flags, deleted| InterfaceChange { sw_if_index, flags, deleted };
    assert_eq!(vpp.take_interface_changes(), [change(1, 0, true), change(2, 3, false), change(3, 0, false)]);
    assert!(vpp.take_interface_changes().is_empty());
}
