//! IP tables.

use vpp_26_06::interface::{SwInterfaceGetTable, SwInterfaceSetTable};
use vpp_26_06::ip::{IpTable, IpTableAddDel, IpTableAddDelV2, IpTableDump, IpTableFlush};
use vpp_conn::Connection;

use super::addresses::change;
use super::interfaces::{create, set_up};
use super::{retval, routes};

fn table(table_id: u32, is_ip6: bool, name: &str) -> IpTable {
    IpTable { table_id, is_ip6, name: name.to_owned() }
}

pub(super) async fn add_del(vpp: &Connection, is_add: bool, table_id: u32, name: &str) -> i32 {
    retval(vpp.call(&IpTableAddDel { is_add, table: table(table_id, false, name) }).await)
}

async fn names(vpp: &Connection) -> Vec<String> {
    let tables = vpp.dump(&IpTableDump).collect().await.unwrap();
    tables.into_iter().map(|details| format!("{} {}", details.table.table_id, details.table.name)).collect()
}

pub(super) async fn tables_come_and_go(vpp: &Connection) {
    let always = ["0 ipv4-VRF:0", "0 ipv6-VRF:0"];
    assert_eq!(names(vpp).await, always);
    assert_eq!(add_del(vpp, true, 5, "five").await, 0);
    assert_eq!(add_del(vpp, true, 5, "another name").await, 0, "it is there");
    assert_eq!(add_del(vpp, true, 6, "").await, 0);
    let request = IpTableAddDelV2 { is_add: true, create_mfib: false, table: table(7, true, "seven") };
    vpp.call(&request).await.unwrap();
    let tables = ["0 ipv4-VRF:0", "5 five", "6 ipv4-VRF:6", "0 ipv6-VRF:0", "7 seven"];
    assert_eq!(names(vpp).await, tables);
    assert_eq!(
        routes::prefixes(vpp, 5, false).await,
        ["0.0.0.0/0", "0.0.0.0/32", "224.0.0.0/4", "240.0.0.0/4", "255.255.255.255/32"]
    );
    assert_eq!(routes::prefixes(vpp, 7, true).await, ["::/0", "fe80::/10"]);
    assert!(routes::prefixes(vpp, 99, false).await.is_empty());

    // Added twice, deleted once. What is not there can be deleted, table 0 cannot, and nothing is refused.
    for id in [5, 6, 6, 0] {
        assert_eq!(add_del(vpp, false, id, "").await, 0);
    }
    vpp.call(&IpTableAddDelV2 { is_add: false, ..request }).await.unwrap();
    assert_eq!(names(vpp).await, always);
}

pub(super) async fn interfaces_belong_to_tables(vpp: &Connection) {
    let (first, second) = (create(vpp).await, create(vpp).await);
    let bind = async |sw_if_index, vrf_id| {
        retval(vpp.call(&SwInterfaceSetTable { sw_if_index, is_ipv6: false, vrf_id }).await)
    };
    let bound = async |sw_if_index, is_ipv6| {
        let reply = vpp.call(&SwInterfaceGetTable { sw_if_index, is_ipv6 }).unchecked().await.unwrap();
        (reply.retval, reply.vrf_id)
    };
    assert_eq!(add_del(vpp, true, 5, "five").await, 0);
    assert_eq!(bind(second, 5).await, 0);
    assert_eq!((bound(second, false).await, bound(second, true).await), ((0, 5), (0, 0)));
    assert_eq!(bound(99, false).await, (-2, u32::MAX));
    assert_eq!((bind(second, 55).await, bind(99, 5).await), (-3, -2));

    // The same address in two tables is no conflict. An interface with addresses stays where it is.
    assert_eq!(change(vpp, first, true, "10.0.0.1/24").await, 0);
    assert_eq!(change(vpp, second, true, "10.0.0.1/24").await, 0);
    assert_eq!(bind(second, 0).await, -114);
    set_up(vpp, second, true).await;
    assert!(routes::prefixes(vpp, 5, false).await.contains(&"10.0.0.1/32".to_owned()));
    assert!(!routes::prefixes(vpp, 0, false).await.contains(&"10.0.0.1/32".to_owned()));

    // A table stays while an interface is bound to it.
    assert_eq!(add_del(vpp, false, 5, "").await, 0);
    assert!(names(vpp).await.contains(&"5 five".to_owned()));
    assert_eq!(change(vpp, second, false, "10.0.0.1/24").await, 0);
    assert_eq!(bind(second, 0).await, 0);
    assert!(!names(vpp).await.contains(&"5 five".to_owned()));
    assert_eq!(retval(vpp.call(&IpTableFlush { table: table(5, false, "") }).await), -3);
}
