//! Interfaces and their events.

use vpp_26_06::ethernet_types::MacAddress;
use vpp_26_06::interface::{
    CreateLoopback, CreateLoopbackInstance, DeleteLoopback, HwInterfaceSetMtu, SwInterfaceDetails,
    SwInterfaceDump, SwInterfaceEvent, SwInterfaceGetMacAddress, SwInterfaceGetTable, SwInterfaceSetFlags,
    SwInterfaceSetMacAddress, SwInterfaceSetMtu, SwInterfaceTagAddDel, WantInterfaceEvents,
};
use vpp_26_06::interface_types::IfStatusFlags;
use vpp_26_06::memclnt::ControlPing;
use vpp_conn::Connection;

use super::retval;

pub(super) async fn create(vpp: &Connection) -> u32 {
    vpp.call(&CreateLoopback::default()).await.unwrap().sw_if_index
}

pub(super) async fn set_up(vpp: &Connection, sw_if_index: u32, up: bool) {
    let flags = if up { IfStatusFlags::ADMIN_UP } else { IfStatusFlags::default() };
    vpp.call(&SwInterfaceSetFlags { sw_if_index, flags }).await.unwrap();
}

async fn dump(vpp: &Connection, sw_if_index: u32) -> Vec<SwInterfaceDetails> {
    vpp.dump(&SwInterfaceDump { sw_if_index, ..Default::default() }).collect().await.unwrap()
}

async fn one(vpp: &Connection, sw_if_index: u32) -> SwInterfaceDetails {
    let mut found = dump(vpp, sw_if_index).await;
    assert_eq!(found.len(), 1);
    found.remove(0)
}

fn names(interfaces: &[SwInterfaceDetails]) -> Vec<&str> {
    interfaces.iter().map(|interface| interface.interface_name.as_str()).collect()
}

pub(super) async fn loopback_lifecycle_with_events(vpp: &Connection) {
    let mut events = vpp.events::<SwInterfaceEvent>().await.unwrap();
    let mut next = async || {
        let event = events.next().await.unwrap();
        (event.sw_if_index, event.flags.0, event.deleted)
    };

    let loopback = create(vpp).await;
    assert_eq!(loopback, 1);
    assert_eq!(next().await, (1, 0, false));
    // Everything that a dump says of a new loopback.
    let expected = SwInterfaceDetails {
        sw_if_index: 1,
        sup_sw_if_index: 1,
        l2_address: MacAddress([0xde, 0xad, 0, 0, 0, 0]),
        link_mtu: 9000,
        mtu: [9000, 0, 0, 0],
        interface_name: "loop0".to_owned(),
        interface_dev_type: "Loopback".to_owned(),
        ..Default::default()
    };
    assert_eq!(one(vpp, 1).await, expected);

    set_up(vpp, 1, true).await;
    assert_eq!(next().await, (1, 3, false), "a loopback's link follows");
    assert_eq!(one(vpp, 1).await.flags.0, 3);
    set_up(vpp, 1, true).await; // says nothing
    set_up(vpp, 1, false).await;
    assert_eq!(next().await, (1, 0, false));
    assert_eq!(one(vpp, 1).await, expected);

    // local0 has no link.
    set_up(vpp, 0, true).await;
    assert_eq!(next().await, (0, 1, false));
    set_up(vpp, 0, false).await;
    assert_eq!(next().await, (0, 0, false));

    set_up(vpp, 1, true).await;
    assert_eq!(next().await, (1, 3, false));
    vpp.call(&DeleteLoopback { sw_if_index: 1 }).await.unwrap();
    assert_eq!(next().await, (1, 0, true));
    assert_eq!(dump(vpp, 1).await, []);
    assert_eq!(names(&dump(vpp, u32::MAX).await), ["local0"]);
}

pub(super) async fn events_are_switched_on_and_off_once(vpp: &Connection) {
    let want =
        async |enable_disable, pid| retval(vpp.call(&WantInterfaceEvents { enable_disable, pid }).await);
    assert_eq!(want(0, 7).await, -31);
    assert_eq!(want(1, 7).await, 0);
    assert_eq!(want(1, 7).await, -31);
    let mut events = vpp.listen::<SwInterfaceEvent>().unwrap();
    let loopback = create(vpp).await;
    let event = events.next().await.unwrap();
    assert_eq!((event.pid, event.sw_if_index), (7, loopback));
    assert_eq!(want(0, 7).await, 0);
    assert_eq!(want(0, 7).await, -31);
    // Whoever is not subscribed is not told: the next event is that of the next subscription.
    set_up(vpp, loopback, true).await;
    assert_eq!(want(1, 8).await, 0);
    set_up(vpp, loopback, false).await;
    let event = events.next().await.unwrap();
    assert_eq!((event.pid, event.flags.0), (8, 0));
    assert_eq!(want(0, 8).await, 0);
}

pub(super) async fn several_subscribers_share_one_registration(vpp: &Connection) {
    let loopback = create(vpp).await;
    let sent = vpp.counters().sent;
    let mut subscribing = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let vpp = vpp.clone();
        subscribing.spawn(async move { vpp.events::<SwInterfaceEvent>().await.unwrap() });
    }
    let mut streams = subscribing.join_all().await;
    assert_eq!(vpp.counters().sent, sent + 1, "VPP is asked once");
    set_up(vpp, loopback, true).await;
    for events in &mut streams {
        assert_eq!(events.next().await.unwrap().sw_if_index, loopback);
    }
    // Those that go take nothing from those that stay.
    let mut last = streams.pop().unwrap();
    drop(streams);
    set_up(vpp, loopback, false).await;
    assert_eq!(last.next().await.unwrap().sw_if_index, loopback);
    let before_the_end = vpp.counters().sent;
    drop(last);
    vpp.call(&ControlPing).await.unwrap();
    assert_eq!(vpp.counters().sent, before_the_end + 2, "the last tells VPP");
    // VPP knows of it.
    let registered = vpp.call(&WantInterfaceEvents { enable_disable: 0, pid: 1 }).await;
    assert_eq!(retval(registered), -31);
}

pub(super) async fn who_subscribes_while_the_last_leaves_gets_events(vpp: &Connection) {
    let loopback = create(vpp).await;
    let mut events = vpp.events::<SwInterfaceEvent>().await.unwrap();
    for round in 0..200 {
        let left = events;
        // On a thread of its own, at the same time.
        let leave = tokio::task::spawn_blocking(move || drop(left));
        events = vpp.events::<SwInterfaceEvent>().await.unwrap();
        leave.await.unwrap();
        if round % 10 == 9 {
            set_up(vpp, loopback, round % 20 == 9).await;
            assert_eq!(events.next().await.unwrap().sw_if_index, loopback);
        }
    }
}

pub(super) async fn instances_and_mac_addresses(vpp: &Connection) {
    let mac_address = MacAddress([2, 0xfe, 0, 0, 0, 1]);
    let first = vpp.call(&CreateLoopback { mac_address }).await.unwrap().sw_if_index;
    assert_eq!(one(vpp, first).await.l2_address, mac_address);

    let request = CreateLoopbackInstance { is_specified: true, user_instance: 300, ..Default::default() };
    let second = vpp.call(&request).await.unwrap().sw_if_index;
    let details = one(vpp, second).await;
    assert_eq!(details.interface_name, "loop300");
    assert_eq!(details.l2_address, MacAddress([0xde, 0xad, 0, 0, 0, 300u16 as u8]));
    // Taken, and beyond the highest.
    for user_instance in [300, 16384] {
        let request = CreateLoopbackInstance { user_instance, ..request.clone() };
        let reply = vpp.call(&request).unchecked().await.unwrap();
        assert_eq!((reply.retval, reply.sw_if_index), (-31, u32::MAX));
    }
    // A number that is not meant does not count.
    let request = CreateLoopbackInstance { is_specified: false, ..request };
    let third = vpp.call(&request).await.unwrap().sw_if_index;
    assert_eq!(one(vpp, third).await.interface_name, "loop1");

    let mac_address = MacAddress([2, 0, 0, 0, 0, 9]);
    vpp.call(&SwInterfaceSetMacAddress { sw_if_index: third, mac_address }).await.unwrap();
    let got = vpp.call(&SwInterfaceGetMacAddress { sw_if_index: third }).await.unwrap();
    assert_eq!(got.mac_address, mac_address);
    assert_eq!(retval(vpp.call(&SwInterfaceSetMacAddress { sw_if_index: 0, mac_address }).await), -9);
}

pub(super) async fn numbers_are_used_again(vpp: &Connection) {
    for expected in 1..=4 {
        assert_eq!(create(vpp).await, expected);
    }
    for sw_if_index in [2, 3] {
        vpp.call(&DeleteLoopback { sw_if_index }).await.unwrap();
    }
    // The number freed last comes first, the lowest name does.
    for (index, name) in [(3, "loop1"), (2, "loop2"), (5, "loop4")] {
        assert_eq!(create(vpp).await, index);
        assert_eq!(one(vpp, index).await.interface_name, name);
    }
}

pub(super) async fn dumps_with_filters(vpp: &Connection) {
    for user_instance in [0, 1, 10] {
        let request = CreateLoopbackInstance { is_specified: true, user_instance, ..Default::default() };
        vpp.call(&request).await.unwrap();
    }
    let by_name = async |name: &str, sw_if_index: u32| {
        let name_filter = name.to_owned();
        let request = SwInterfaceDump { sw_if_index, name_filter_valid: true, name_filter };
        let found = vpp.dump(&request).collect().await.unwrap();
        names(&found).join(" ")
    };
    let all = "local0 loop0 loop1 loop10";
    assert_eq!(by_name("", u32::MAX).await, all);
    assert_eq!(by_name("OOP", u32::MAX).await, "loop0 loop1 loop10");
    // With a name to look for, the number does not count.
    assert_eq!(by_name("loop1", 1).await, "loop1 loop10");
    assert_eq!(by_name("none", u32::MAX).await, "");
    assert_eq!(names(&dump(vpp, u32::MAX).await).join(" "), all);
    assert_eq!(names(&dump(vpp, 0).await).join(" "), all, "0 means all, too");
    assert_eq!(names(&dump(vpp, 3).await), ["loop10"]);
    assert_eq!(dump(vpp, 99).await, []);
    let ignored = SwInterfaceDump { name_filter: "loop1".to_owned(), ..Default::default() };
    assert_eq!(names(&vpp.dump(&ignored).collect().await.unwrap()).join(" "), all);
}

pub(super) async fn tags_and_mtus(vpp: &Connection) {
    let sw_if_index = create(vpp).await;
    let tag = async |is_add, tag: &str| {
        retval(vpp.call(&SwInterfaceTagAddDel { is_add, sw_if_index, tag: tag.to_owned() }).await)
    };
    assert_eq!(tag(true, "uplink").await, 0);
    assert_eq!(one(vpp, sw_if_index).await.tag, "uplink");
    assert_eq!(tag(true, "downlink").await, 0);
    assert_eq!(tag(true, "").await, -7);
    assert_eq!(one(vpp, sw_if_index).await.tag, "downlink");
    assert_eq!(tag(false, "whatever").await, 0);
    assert_eq!(tag(false, "").await, 0);
    assert_eq!(one(vpp, sw_if_index).await.tag, "");

    let mtu = [65_536, 1400, 1300, 1200];
    vpp.call(&SwInterfaceSetMtu { sw_if_index, mtu }).await.unwrap();
    let details = one(vpp, sw_if_index).await;
    assert_eq!((details.mtu, details.link_mtu), (mtu, 9000));
    // A loopback's hardware has none to set, local0 is no Ethernet.
    assert_eq!(retval(vpp.call(&HwInterfaceSetMtu { sw_if_index, mtu: 1500 }).await), -126);
    assert_eq!(retval(vpp.call(&HwInterfaceSetMtu { sw_if_index: 0, mtu: 1500 }).await), -30);
}

pub(super) async fn unknown_interfaces_are_refused(vpp: &Connection) {
    let sw_if_index = 99;
    let flags = IfStatusFlags::ADMIN_UP;
    let tag = "tag".to_owned();
    let refused = [
        retval(vpp.call(&DeleteLoopback { sw_if_index }).await),
        retval(vpp.call(&DeleteLoopback { sw_if_index: 0 }).await),
        retval(vpp.call(&SwInterfaceSetFlags { sw_if_index, flags }).await),
        retval(vpp.call(&SwInterfaceTagAddDel { is_add: true, sw_if_index, tag }).await),
        retval(vpp.call(&SwInterfaceSetMtu { sw_if_index, mtu: [1500; 4] }).await),
        retval(vpp.call(&HwInterfaceSetMtu { sw_if_index, mtu: 1500 }).await),
        retval(vpp.call(&SwInterfaceGetMacAddress { sw_if_index }).await),
        retval(vpp.call(&SwInterfaceGetTable { sw_if_index, is_ipv6: false }).await),
    ];
    assert_eq!(refused, [-2; 8]);
}
