//! Addresses of interfaces.

use vpp_26_06::interface::SwInterfaceAddDelAddress;
use vpp_26_06::ip::IpAddressDump;
use vpp_conn::Connection;

use super::interfaces::{create, set_up};
use super::{retval, routes};

pub(super) async fn change(vpp: &Connection, sw_if_index: u32, is_add: bool, prefix: &str) -> i32 {
    let prefix = prefix.parse().unwrap();
    retval(vpp.call(&SwInterfaceAddDelAddress { sw_if_index, is_add, del_all: false, prefix }).await)
}

async fn addresses(vpp: &Connection, sw_if_index: u32, is_ipv6: bool) -> Vec<String> {
    let found = vpp.dump(&IpAddressDump { sw_if_index, is_ipv6 }).collect().await.unwrap();
    assert!(found.iter().all(|address| address.sw_if_index == sw_if_index));
    found.iter().map(|address| address.prefix.to_string()).collect()
}

pub(super) async fn addresses_come_and_go(vpp: &Connection) {
    let loopback = create(vpp).await;
    for prefix in ["10.0.0.1/24", "10.0.0.2/24", "10.3.1.6/31", "2001:db8::1/64", "2001:db8:2::1/128"] {
        assert_eq!(change(vpp, loopback, true, prefix).await, 0, "{prefix}");
    }
    // An IPv6 interface has one link-local address, which dumps do not show and nobody can delete.
    assert_eq!(change(vpp, loopback, true, "fe80::5/128").await, 0);
    assert_eq!(change(vpp, loopback, false, "fe80::5/128").await, -61);
    assert_eq!(addresses(vpp, loopback, false).await, ["10.0.0.1/24", "10.0.0.2/24", "10.3.1.6/31"]);
    assert_eq!(addresses(vpp, loopback, true).await, ["2001:db8::1/64", "2001:db8:2::1/128"]);
    assert!(addresses(vpp, 0, false).await.is_empty());
    assert!(addresses(vpp, 99, false).await.is_empty());

    assert_eq!(change(vpp, loopback, false, "10.0.0.1/24").await, 0);
    assert_eq!(addresses(vpp, loopback, false).await, ["10.0.0.2/24", "10.3.1.6/31"]);
    let all = SwInterfaceAddDelAddress {
        sw_if_index: loopback,
        del_all: true,
        is_add: false,
        ..Default::default()
    };
    vpp.call(&all).await.unwrap();
    assert!(addresses(vpp, loopback, false).await.is_empty());
    assert!(addresses(vpp, loopback, true).await.is_empty());
}

pub(super) async fn conflicting_addresses_are_refused(vpp: &Connection) {
    let (first, second) = (create(vpp).await, create(vpp).await);
    assert_eq!(change(vpp, first, true, "10.0.0.1/24").await, 0);
    assert_eq!(change(vpp, first, true, "2001:db8::1/64").await, 0);
    for (sw_if_index, prefix, code) in [
        (first, "10.0.0.1/24", -105),
        (first, "10.0.0.2/25", -105),
        (second, "10.0.0.1/24", -105),
        (second, "10.0.0.7/24", -105),
        (second, "10.0.0.7/16", -105),
        (first, "2001:db8::1/64", -127),
        (second, "2001:db8::2/64", -127),
        (second, "2001:db8::3/48", -127),
        (first, "fe80::1/64", -59),
        (0, "10.9.0.7/16", -126),
        (99, "10.9.0.7/16", -2),
    ] {
        assert_eq!(change(vpp, sw_if_index, true, prefix).await, code, "{prefix} on {sw_if_index}");
    }
    for (sw_if_index, prefix) in [(first, "10.0.0.99/24"), (second, "10.0.0.1/24"), (first, "2001:db8::9/64")]
    {
        assert_eq!(change(vpp, sw_if_index, false, prefix).await, -60, "{prefix} on {sw_if_index}");
    }
    assert_eq!(addresses(vpp, first, false).await, ["10.0.0.1/24"]);
    assert!(addresses(vpp, second, false).await.is_empty());
}

pub(super) async fn routes_come_with_an_address_while_its_interface_is_up(vpp: &Connection) {
    let loopback = create(vpp).await;
    let before = routes::prefixes(vpp, 0, false).await;
    let new = async || {
        let mut new = routes::prefixes(vpp, 0, false).await;
        new.retain(|prefix| !before.contains(prefix));
        new
    };
    assert_eq!(before, ["0.0.0.0/0", "0.0.0.0/32", "224.0.0.0/4", "240.0.0.0/4", "255.255.255.255/32"]);
    assert_eq!(change(vpp, loopback, true, "10.0.0.1/24").await, 0);
    assert!(new().await.is_empty(), "the interface is down");
    set_up(vpp, loopback, true).await;
    // The attached route is shown with the bits of the address.
    let connected = ["10.0.0.0/32", "10.0.0.1/24", "10.0.0.1/32", "10.0.0.255/32"];
    assert_eq!(new().await, connected);
    let shown = routes::via(vpp, 0, "10.0.0.1/32").await;
    assert_eq!(shown, format!("local {loopback} 10.0.0.1"));
    assert_eq!(routes::via(vpp, 0, "10.0.0.1/24").await, format!("normal {loopback}"));
    assert_eq!(routes::via(vpp, 0, "10.0.0.255/32").await, "drop");

    // A second address of the prefix brings its own route only, and keeps the others when the first goes.
    assert_eq!(change(vpp, loopback, true, "10.0.0.2/24").await, 0);
    assert_eq!(change(vpp, loopback, false, "10.0.0.1/24").await, 0);
    assert_eq!(new().await, ["10.0.0.0/32", "10.0.0.1/24", "10.0.0.2/32", "10.0.0.255/32"]);
    assert_eq!(change(vpp, loopback, false, "10.0.0.2/24").await, 0);
    assert!(new().await.is_empty());

    assert_eq!(change(vpp, loopback, true, "10.3.1.6/31").await, 0);
    assert_eq!(new().await, ["10.3.1.6/31", "10.3.1.6/32", "10.3.1.7/32"]);
    assert_eq!(routes::via(vpp, 0, "10.3.1.7/32").await, format!("normal {loopback} 10.3.1.7"));
    set_up(vpp, loopback, false).await;
    assert!(new().await.is_empty());

    assert_eq!(change(vpp, loopback, true, "2001:db8::1/64").await, 0);
    set_up(vpp, loopback, true).await;
    let six = routes::prefixes(vpp, 0, true).await;
    assert_eq!(six, ["2001:db8::/64", "2001:db8::1/128", "::/0", "fe80::/10"]);
}
