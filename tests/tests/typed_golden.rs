//! The typed codec against the bytes of VPP's own Python client: `tests/vectors/README.md` says how they were made.

use std::net::Ipv4Addr;

use serde_json::{Map, Value, json};
use vpp_26_06::acl::AclAddReplace;
use vpp_26_06::acl_types::{AclAction, AclRule};
use vpp_26_06::fib_types::{FibMplsLabel, FibPath, FibPathFlags, FibPathNh, FibPathNhProto, FibPathType};
use vpp_26_06::interface::{
    SwInterfaceAddDelAddress, SwInterfaceDetails, SwInterfaceEvent, SwInterfaceSetMtu,
};
use vpp_26_06::interface_types::{IfStatusFlags, IfType, LinkDuplex};
use vpp_26_06::ip::{IpRouteAddDelV2, IpRouteV2};
use vpp_26_06::ip_types::{AddressUnion, IpProto};
use vpp_26_06::memif::MemifSocketFilenameAddDelV2;
use vpp_26_06::punt::{Punt, PuntL4, PuntUnion, SetPunt};
use vpp_26_06::{ip_types, vlib};
use vpp_messages::registry;
use vpp_schema::{Api, MessageHead};
use vpp_wire::{MacAddress, Message, View};

struct Vector {
    name: String,
    crc: u32,
    /// What stands behind the header.
    payload: Vec<u8>,
}

fn vectors(api: &Api) -> Vec<Vector> {
    include_str!("../vectors/26.06.jsonl")
        .lines()
        .map(|line| {
            let line: Map<String, Value> = serde_json::from_str(line).expect("a line is an object");
            let text = |key: &str| line[key].as_str().expect("text").to_owned();
            let (name, hex) = (text("name"), text("hex"));
            let crc = u32::from_str_radix(&text("crc"), 16).expect("a CRC is hexadecimal");
            let (_, message) = api.find_message(&name).unwrap_or_else(|| panic!("no {name}"));
            let bytes: Vec<u8> = (0..hex.len())
                .step_by(2)
                .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex is hexadecimal"))
                .collect();
            let payload = bytes[message.header.len()..].to_vec();
            Vector { name, crc, payload }
        })
        .collect()
}

#[test]
fn every_vector_is_read_and_written_again_owned_and_in_place() {
    let vectors = vectors(vpp_api_json::api("26.06").unwrap());
    assert!(vectors.len() > 5000, "all messages are there");
    let mut viewed = 0;
    for Vector { name, crc, payload } in &vectors {
        let entry = registry::find(name, *crc).unwrap_or_else(|| panic!("no {name}_{crc:08x}"));
        assert_eq!((entry.reencode)(payload).as_ref(), Ok(payload), "{name}, owned");
        if let Some(reencode) = entry.reencode_view {
            assert_eq!(reencode(payload).as_ref(), Ok(payload), "{name}, view");
            viewed += 1;
        }
        for short in [0, payload.len() / 2, payload.len().saturating_sub(1)] {
            let short = &payload[..short];
            if short.len() < payload.len() {
                assert!((entry.reencode)(short).is_err(), "{name}, {} of {}", short.len(), payload.len());
            }
        }
    }
    assert!(viewed > 2500, "replies, details and events have views");
}

/// The payload that the dynamic codec, which is held against the vectors too, makes of JSON.
fn dynamic(name: &str, fields: &Value) -> Vec<u8> {
    let api = vpp_api_json::api("26.06").expect("26.06 is pinned");
    let (id, message) = api.find_message(name).unwrap_or_else(|| panic!("no {name}"));
    let bytes =
        api.encode_message(id, &MessageHead::default(), fields).unwrap_or_else(|error| panic!("{error}"));
    bytes[message.header.len()..].to_vec()
}

/// Checks that a value and JSON are the same message, and that its bytes are the value.
fn same<M: Message + PartialEq>(value: &M, fields: &Value) {
    let mut payload = vec![0; value.encoded_len()];
    assert_eq!(value.encode_payload(&mut payload), Ok(payload.len()), "{}", M::NAME);
    assert_eq!(payload, dynamic(M::NAME, fields), "{}", M::NAME);
    assert_eq!(M::from_payload(&payload).as_ref(), Ok(value), "{}", M::NAME);
}

#[test]
fn values_written_by_hand_are_what_their_json_is() {
    same(
        &SwInterfaceAddDelAddress {
            sw_if_index: 3,
            is_add: true,
            del_all: false,
            prefix: "10.0.0.1/24".parse().unwrap(),
        },
        &json!({"sw_if_index": 3, "is_add": true, "del_all": false, "prefix": "10.0.0.1/24"}),
    );
    same(
        &SwInterfaceSetMtu { sw_if_index: 1, mtu: [9000, 1500, 1400, 0] },
        &json!({"sw_if_index": 1, "mtu": [9000, 1500, 1400, 0]}),
    );
    same(
        &MemifSocketFilenameAddDelV2 {
            is_add: true,
            socket_id: 7,
            socket_filename: "/run/x.sock".to_owned(),
        },
        &json!({"is_add": true, "socket_id": 7, "socket_filename": "/run/x.sock"}),
    );
    same(&vlib::CliInband { cmd: "show version".to_owned() }, &json!({"cmd": "show version"}));
    let via = FibPath {
        sw_if_index: 1,
        weight: 2,
        preference: 1,
        type_: FibPathType::NORMAL,
        flags: FibPathFlags::RESOLVE_VIA_HOST | FibPathFlags(0x80),
        proto: FibPathNhProto::IP4,
        nh: FibPathNh { address: AddressUnion::from_ip4(Ipv4Addr::new(10, 0, 0, 2)), ..FibPathNh::default() },
        n_labels: 1,
        label_stack: std::array::from_fn(|at| FibMplsLabel {
            label: if at == 0 { 100 } else { 0 },
            ..FibMplsLabel::default()
        }),
        ..FibPath::default()
    };
    same(
        &IpRouteAddDelV2 {
            is_add: true,
            is_multipath: true,
            route: IpRouteV2 {
                table_id: 10,
                prefix: "2001:db8::/32".parse().unwrap(),
                src: 3,
                paths: vec![via.clone(), FibPath { sw_if_index: 2, ..via }],
                ..IpRouteV2::default()
            },
        },
        &json!({"is_add": true, "is_multipath": true, "route": {
            "table_id": 10, "prefix": "2001:db8::/32", "src": 3,
            "paths": [path_json(1), path_json(2)]}}),
    );
    same(
        &AclAddReplace {
            tag: "web".to_owned(),
            r: vec![AclRule {
                is_permit: AclAction::PERMIT_REFLECT,
                src_prefix: "10.0.0.0/8".parse().unwrap(),
                dst_prefix: "::/0".parse().unwrap(),
                proto: IpProto::TCP,
                dstport_or_icmpcode_first: 80,
                dstport_or_icmpcode_last: 80,
                ..AclRule::default()
            }],
            ..AclAddReplace::default()
        },
        &json!({"tag": "web", "r": [{"is_permit": "ACL_ACTION_API_PERMIT_REFLECT", "src_prefix": "10.0.0.0/8",
            "dst_prefix": "::/0", "proto": "IP_API_PROTO_TCP",
            "dstport_or_icmpcode_first": 80, "dstport_or_icmpcode_last": 80}]}),
    );
    same(
        &SetPunt {
            is_add: true,
            punt: Punt {
                punt: PuntUnion::L4(PuntL4 {
                    af: ip_types::AddressFamily::IP6,
                    protocol: IpProto::UDP,
                    port: 4789,
                }),
            },
        },
        &json!({"is_add": true, "punt": {"type": "PUNT_API_TYPE_L4",
            "punt": {"l4": {"af": "ADDRESS_IP6", "protocol": "IP_API_PROTO_UDP", "port": 4789}}}}),
    );
}

fn path_json(sw_if_index: u32) -> Value {
    let mut labels = vec![json!({"is_uniform": 0, "label": 0, "ttl": 0, "exp": 0}); 16];
    labels[0]["label"] = json!(100);
    json!({"sw_if_index": sw_if_index, "weight": 2, "preference": 1, "type": "FIB_API_PATH_TYPE_NORMAL",
        "flags": 0x82, "proto": "FIB_API_PATH_NH_PROTO_IP4", "nh": {"address": {"ip4": "10.0.0.2"}},
        "n_labels": 1, "label_stack": labels})
}

#[test]
fn views_show_what_the_owned_values_hold() {
    let details = SwInterfaceDetails {
        sw_if_index: 5,
        sup_sw_if_index: 5,
        l2_address: MacAddress([2, 0xfe, 0, 0, 0, 1]),
        flags: IfStatusFlags::ADMIN_UP | IfStatusFlags::LINK_UP,
        type_: IfType::HARDWARE,
        link_duplex: LinkDuplex::FULL,
        mtu: [9000, 0, 0, 0],
        interface_name: "memif0/0".to_owned(),
        tag: "uplink".to_owned(),
        ..SwInterfaceDetails::default()
    };
    let mut payload = vec![0; vpp_wire::Wire::encoded_len(&details)];
    details.encode_payload(&mut payload).unwrap();
    let view = SwInterfaceDetails::view_payload(&payload).unwrap();
    assert_eq!((view.sw_if_index(), &*view.interface_name(), &*view.tag()), (5, "memif0/0", "uplink"));
    assert_eq!((view.l2_address(), view.mtu()), (details.l2_address, details.mtu));
    assert!(view.flags().contains(IfStatusFlags::LINK_UP));
    assert_eq!(format!("{view:?}"), format!("{details:?}"));
    assert_eq!(view.into_owned(), details);

    // The bytes after an event's header, counted by hand: pid, index, flags, deleted.
    let event = [0, 0, 0, 9, 0, 0, 0, 7, 0, 0, 0, 1, 0];
    let view = SwInterfaceEvent::view_payload(&event).unwrap();
    assert_eq!(
        (view.pid(), view.sw_if_index(), view.flags(), view.deleted()),
        (9, 7, IfStatusFlags::ADMIN_UP, false)
    );
    let error = SwInterfaceEvent::view_payload(&event[..12]).unwrap_err();
    assert_eq!(error.message, Some("sw_interface_event"));
}
