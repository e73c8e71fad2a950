//! Clients as the connection sees them.

use vpp_26_06::interface::{CreateLoopback, SwInterfaceDump, SwInterfaceEvent, SwInterfaceSetFlags};
use vpp_26_06::interface_types::IfStatusFlags;
use vpp_26_06::ip::IpRouteAddDelV2;
use vpp_26_06::memclnt::ControlPing;
use vpp_26_06::vpe::ShowVersion;
use vpp_conn::{CallError, Connection, Incompatible, RawMessage};
use vpp_wire::{Header, Message};

pub(super) async fn the_table_names_every_message_used_here(vpp: &Connection) {
    assert!(vpp.table().len() > 1000, "{} messages", vpp.table().len());
    assert!(vpp.supports::<ShowVersion>() && vpp.supports::<IpRouteAddDelV2>());
    vpp.check::<SwInterfaceDump>().unwrap();
    // The base module's numbers are the same in every VPP.
    let ids =
        [("sockclnt_create", 15), ("sockclnt_delete_reply", 18), ("control_ping", 23), ("get_api_json", 27)];
    for (name, id) in ids {
        assert_eq!(vpp.table().get(name).map(|entry| entry.id), Some(id), "{name}");
    }
    let first_free = vpp.table().iter().map(|entry| entry.id).filter(|id| *id > 28).min();
    assert_eq!(first_free, Some(29));
}

pub(super) async fn another_definition_and_an_absent_message_are_told_apart(vpp: &Connection) {
    let call = async |name: &str, crc: u32| {
        let request = RawMessage { name, crc, header: Header::ClientContext };
        let reply = RawMessage { name: "show_version_reply", crc: 0xc919_bde1, header: Header::Context };
        vpp.raw().call(request, &[], reply).await
    };
    assert!(call(ShowVersion::NAME, ShowVersion::CRC).await.is_ok());
    let error = call(ShowVersion::NAME, 0xdead_beef).await.unwrap_err();
    let CallError::Incompatible(incompatible) = &error else { panic!("{error}") };
    assert!(error.to_string().contains("51077d14"), "{error}");
    let absent = call("show_vershun", 1).await.unwrap_err();
    let CallError::Incompatible(other) = &absent else { panic!("{absent}") };
    assert_ne!(std::mem::discriminant::<Incompatible>(incompatible), std::mem::discriminant(other));
}

pub(super) async fn clients_do_not_disturb_each_other(vpp: &Connection) {
    let second = Connection::connect(vpp.path()).await.unwrap();
    assert_ne!(vpp.client_index(), second.client_index());
    let mut events = vpp.events::<SwInterfaceEvent>().await.unwrap();
    let mut others = second.events::<SwInterfaceEvent>().await.unwrap();

    let sw_if_index = second.call(&CreateLoopback::default()).await.unwrap().sw_if_index;
    // Both are told of what one of them did.
    for events in [&mut events, &mut others] {
        let event = events.next().await.unwrap();
        assert_eq!((event.sw_if_index, event.deleted), (sw_if_index, false));
    }
    drop(others);
    second.close().await.unwrap();
    // One that left does not take the other's subscription along.
    let up = SwInterfaceSetFlags { sw_if_index, flags: IfStatusFlags::ADMIN_UP };
    vpp.call(&up).await.unwrap();
    let event = events.next().await.unwrap();
    assert_eq!(event.flags, IfStatusFlags::ADMIN_UP | IfStatusFlags::LINK_UP);
}

pub(super) async fn an_orderly_end_is_confirmed(vpp: &Connection) {
    for _ in 0..3 {
        let other = Connection::connect(vpp.path()).await.unwrap();
        other.call(&ControlPing).await.unwrap();
        other.close().await.unwrap();
    }
    vpp.call(&ControlPing).await.unwrap();
}

pub(super) async fn many_calls_at_once_find_their_replies(vpp: &Connection) {
    let calls: Vec<_> = (0..200)
        .map(|_| {
            let vpp = vpp.clone();
            tokio::spawn(
                async move { vpp.call(&CreateLoopback::default()).await.map(|reply| reply.sw_if_index) },
            )
        })
        .collect();
    let mut indexes = Vec::new();
    for call in calls {
        indexes.push(call.await.unwrap().unwrap());
    }
    indexes.sort_unstable();
    assert_eq!(indexes, (1..=200).collect::<Vec<u32>>());
    let interfaces = vpp.dump(&SwInterfaceDump::default()).collect().await.unwrap();
    assert_eq!(interfaces.len(), 201);
}
