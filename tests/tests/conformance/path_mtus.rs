//! A cursor stream: MTUs towards addresses.

use std::net::IpAddr;

use vpp_26_06::ip::{IpPathMtu, IpPathMtuGet, IpPathMtuUpdate};
use vpp_conn::Connection;

use super::retval;

async fn update(vpp: &Connection, table_id: u32, last: u8, path_mtu: u16) -> i32 {
    let nh = IpAddr::from([10, 0, 0, last]).into();
    let pmtu = IpPathMtu { table_id, nh, path_mtu, ..Default::default() };
    retval(vpp.call(&IpPathMtuUpdate { pmtu }).await)
}

pub(super) async fn a_cursor_stream_is_read_to_its_end(vpp: &Connection) {
    let all = async || {
        let found = vpp.dump(&IpPathMtuGet::default()).collect().await.unwrap();
        let mtus = found.iter().map(|details| (details.pmtu.nh.to_string(), details.pmtu.path_mtu));
        mtus.collect::<Vec<_>>()
    };
    assert!(all().await.is_empty());
    // More than the stand-in sends at once.
    for last in 1..=10 {
        assert_eq!(update(vpp, 0, last, 1400 + u16::from(last)).await, 0);
    }
    let expected: Vec<(String, u16)> =
        (1..=10u16).map(|last| (format!("10.0.0.{last}"), 1400 + last)).collect();
    assert_eq!(all().await, expected);
    // From the middle.
    let mut rest = vpp.dump(&IpPathMtuGet { cursor: 4 });
    let mut count = 0;
    while let Some(details) = rest.next().await.unwrap() {
        assert_eq!(details.into_owned().pmtu.path_mtu, 1405 + count);
        count += 1;
    }
    assert_eq!(count, 6);
    assert_eq!(rest.reply().unwrap().unwrap().retval, 0);
    // Behind the end VPP says that the value is invalid; the connection takes it for the end that it is.
    let mut behind = vpp.dump(&IpPathMtuGet { cursor: 99 });
    assert!(behind.next().await.unwrap().is_none());
    assert_eq!(behind.reply().unwrap().unwrap().retval, -7);

    assert_eq!(update(vpp, 9, 1, 1400).await, -65, "no such table");
    assert_eq!(update(vpp, 0, 3, 0).await, 0);
    assert_eq!(update(vpp, 0, 3, 0).await, 0, "there is none to remove");
    assert_eq!(update(vpp, 0, 4, 1280).await, 0);
    let left = all().await;
    assert_eq!(left.len(), 9);
    assert_eq!(left[2], ("10.0.0.4".to_owned(), 1280));
}
