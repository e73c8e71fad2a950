//! Bridge domains.

use vpp_26_06::interface::DeleteLoopback;
use vpp_26_06::l2::{
    BridgeDomainAddDel, BridgeDomainAddDelV2, BridgeDomainDetails, BridgeDomainDump, L2PortType,
    SwInterfaceSetL2Bridge,
};
use vpp_conn::Connection;

use super::interfaces::create;
use super::retval;

/// "No interface", "any bridge domain".
const ANY: u32 = u32::MAX;

fn settings(is_add: bool, bd_id: u32) -> BridgeDomainAddDel {
    BridgeDomainAddDel {
        bd_id,
        is_add,
        flood: true,
        uu_flood: true,
        forward: true,
        learn: true,
        ..Default::default()
    }
}

async fn add_del(vpp: &Connection, is_add: bool, bd_id: u32) -> i32 {
    retval(vpp.call(&settings(is_add, bd_id)).await)
}

async fn dump(vpp: &Connection, bd_id: u32) -> Vec<BridgeDomainDetails> {
    vpp.dump(&BridgeDomainDump { bd_id, sw_if_index: ANY }).collect().await.unwrap()
}

fn details(bd_id: u32) -> BridgeDomainDetails {
    BridgeDomainDetails {
        bd_id,
        flood: true,
        uu_flood: true,
        forward: true,
        learn: true,
        bvi_sw_if_index: ANY,
        uu_fwd_sw_if_index: ANY,
        ..Default::default()
    }
}

pub(super) async fn bridge_domains_come_and_go(vpp: &Connection) {
    assert_eq!(dump(vpp, ANY).await, []);
    let plain = BridgeDomainAddDel { bd_tag: "access".to_owned(), mac_age: 10, ..settings(true, 5) };
    vpp.call(&plain).await.unwrap();
    let second = BridgeDomainAddDelV2 {
        bd_id: 6,
        is_add: true,
        uu_flood: true,
        arp_term: true,
        arp_ufwd: true,
        flood: false,
        forward: false,
        learn: false,
        ..Default::default()
    };
    assert_eq!(vpp.call(&second).await.unwrap().bd_id, 6);
    // Any free number.
    let any = BridgeDomainAddDelV2 { bd_id: ANY, ..second.clone() };
    let third = vpp.call(&any).await.unwrap().bd_id;
    assert!(third != ANY && ![0, 5, 6].contains(&third));

    let first = BridgeDomainDetails { bd_tag: "access".to_owned(), mac_age: 10, ..details(5) };
    let second = BridgeDomainDetails {
        flood: false,
        forward: false,
        learn: false,
        arp_term: true,
        arp_ufwd: true,
        ..details(6)
    };
    let found = dump(vpp, ANY).await;
    assert_eq!(found[..2], [first.clone(), second]);
    assert_eq!(dump(vpp, 5).await, [first]);
    assert_eq!((dump(vpp, 55).await, dump(vpp, 0).await), (Vec::new(), Vec::new()));
    // VPP has no filter by interface and says so with an empty dump.
    let by_interface = BridgeDomainDump { bd_id: ANY, sw_if_index: 0 };
    assert_eq!(vpp.dump(&by_interface).collect().await.unwrap(), []);
    for bd_id in [5, 6, third] {
        assert_eq!(add_del(vpp, false, bd_id).await, 0);
    }
    assert_eq!(dump(vpp, ANY).await, []);
}

pub(super) async fn ports(vpp: &Connection) {
    let (a, b, c) = (create(vpp).await, create(vpp).await, create(vpp).await);
    assert_eq!(add_del(vpp, true, 5).await, 0);
    let set = async |rx_sw_if_index, bd_id, port_type, enable| {
        let request = SwInterfaceSetL2Bridge { rx_sw_if_index, bd_id, port_type, shg: 3, enable };
        retval(vpp.call(&request).await)
    };
    let seen = async |bd_id| {
        let domain = dump(vpp, bd_id).await.remove(0);
        let ports: Vec<(u32, u8)> =
            domain.sw_if_details.iter().map(|port| (port.sw_if_index, port.shg)).collect();
        (ports, domain.bvi_sw_if_index, domain.uu_fwd_sw_if_index)
    };
    assert_eq!(set(a, 5, L2PortType::NORMAL, true).await, 0);
    assert_eq!(set(b, 5, L2PortType::BVI, true).await, 0);
    assert_eq!(seen(5).await, (vec![(b, 3), (a, 3)], b, ANY), "the BVI stands first");
    assert_eq!(set(c, 5, L2PortType::BVI, true).await, -152);
    assert_eq!(set(c, 5, L2PortType::UU_FWD, true).await, 0);
    assert_eq!(seen(5).await, (vec![(b, 3), (a, 3)], b, c), "no port among the others");
    assert_eq!(add_del(vpp, false, 5).await, -120);

    // A bridge domain comes to be with its first port. A port moves.
    assert_eq!(set(a, 7, L2PortType::NORMAL, true).await, 0);
    assert_eq!(seen(7).await, (vec![(a, 3)], ANY, ANY));
    assert_eq!(BridgeDomainDetails { sw_if_details: Vec::new(), ..dump(vpp, 7).await.remove(0) }, details(7));
    assert_eq!(seen(5).await, (vec![(b, 3)], b, c));

    // To take a port out, its bridge domain need not be named.
    assert_eq!(set(b, 99, L2PortType::NORMAL, false).await, 0);
    assert_eq!(set(b, 5, L2PortType::NORMAL, false).await, 0);
    vpp.call(&DeleteLoopback { sw_if_index: c }).await.unwrap();
    assert_eq!(seen(5).await, (Vec::new(), ANY, ANY));
    vpp.call(&DeleteLoopback { sw_if_index: a }).await.unwrap();
    assert_eq!(seen(7).await, (Vec::new(), ANY, ANY));
    assert_eq!((add_del(vpp, false, 5).await, add_del(vpp, false, 7).await), (0, 0));
}

pub(super) async fn bad_bridge_domains_are_refused(vpp: &Connection) {
    assert_eq!(add_del(vpp, true, 5).await, 0);
    for (is_add, bd_id, code) in [
        (true, 5, -119),
        (true, 0, -119),
        (false, 0, -121),
        (false, 99, -6),
        (true, 0x100_0000, -122),
        (true, ANY, -122),
    ] {
        assert_eq!(add_del(vpp, is_add, bd_id).await, code, "{is_add} {bd_id:#x}");
    }
    let absent = BridgeDomainAddDelV2 { bd_id: 99, is_add: false, ..Default::default() };
    let reply = vpp.call(&absent).unchecked().await.unwrap();
    assert_eq!((reply.retval, reply.bd_id), (-6, 99));
    let loopback = create(vpp).await;
    let port =
        SwInterfaceSetL2Bridge { rx_sw_if_index: loopback, bd_id: 5, enable: true, ..Default::default() };
    for (request, code) in [
        (SwInterfaceSetL2Bridge { rx_sw_if_index: 99, ..port.clone() }, -2),
        (SwInterfaceSetL2Bridge { bd_id: 0x100_0000, ..port.clone() }, -122),
        (SwInterfaceSetL2Bridge { port_type: L2PortType(9), ..port }, -7),
    ] {
        assert_eq!(retval(vpp.call(&request).await), code, "{request:?}");
    }
}
