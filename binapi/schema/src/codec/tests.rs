//! The codec on a small API with one of everything.

use serde_json::{Map, Value, json};

use super::{CodecError, MessageHead};
use crate::{Api, Group, MessageId, Source};

const DEFINITIONS: &str = r#"{
    "enums": [
        ["address_family", ["ADDRESS_IP4", 0], ["ADDRESS_IP6", 1], {"enumtype": "u8"}],
        ["shape", ["SHAPE_DOT", 1], ["SHAPE_BOX", 2], {"enumtype": "u32"}],
        ["level", ["LOW", -1], ["HIGH", 9], {"enumtype": "i16"}]
    ],
    "enumflags": [["options", ["OPTION_NONE", 0], ["OPTION_A", 1], ["OPTION_B", 2], {"enumtype": "u8"}]],
    "aliases": {
        "ip4_address": {"type": "u8", "length": 4},
        "ip6_address": {"type": "u8", "length": 16},
        "mac_address": {"type": "u8", "length": 6},
        "timestamp": {"type": "f64"},
        "timedelta": {"type": "f64"},
        "count": {"type": "u16"},
        "address_with_prefix": {"type": "vl_api_prefix_t"}
    },
    "unions": [
        ["address_union",
            ["vl_api_ip4_address_t", "ip4", {"case": "ADDRESS_IP4"}],
            ["vl_api_ip6_address_t", "ip6", {"case": "ADDRESS_IP6"}]],
        ["body",
            ["vl_api_point_t", "point", {"case": "SHAPE_DOT"}],
            ["vl_api_mac_address_t", "mac", {"case": "SHAPE_BOX"}]],
        ["loose", ["vl_api_address_t", "address"], ["vl_api_mac_address_t", "mac"], ["bool", "flag"]]
    ],
    "types": [
        ["address", ["vl_api_address_family_t", "af"], ["vl_api_address_union_t", "un", {"discriminator": "af"}]],
        ["prefix", ["vl_api_address_t", "address"], ["u8", "len"]],
        ["ip4_prefix", ["vl_api_ip4_address_t", "address"], ["u8", "len"]],
        ["point", ["i8", "x"], ["i8", "y", {"default": 7}]],
        ["group", ["vl_api_shape_t", "kind"], ["vl_api_body_t", "one", {"discriminator": "kind"}],
            ["vl_api_body_t", "two", {"discriminator": "kind"}]],
        ["route", ["vl_api_count_t", "n_hops"], ["vl_api_address_t", "hops", 0, "n_hops"]]
    ],
    "messages": [
        ["numbers", ["u16", "_vl_msg_id"], ["u32", "client_index"], ["u32", "context"],
            ["u8", "small", {"default": 300}], ["i64", "big"], ["f64", "real", {"default": 0.5}],
            ["bool", "on", {"default": "true"}], ["vl_api_level_t", "level", {"default": 9}],
            ["vl_api_options_t", "options"], {"crc": "0x00000001"}],
        ["texts", ["u16", "_vl_msg_id"], ["u32", "context"], ["string", "tag", 8], ["u8", "key", 3],
            ["string", "long", 0], ["u32", "after"], {"crc": "0x00000002"}],
        ["lists", ["u16", "_vl_msg_id"], ["u8", "n"], ["u8", "bytes", 0, "n"], ["u8", "m"],
            ["vl_api_point_t", "points", 0, "m"], ["vl_api_mac_address_t", "macs", 2], {"crc": "0x00000003"}],
        ["nested", ["u16", "_vl_msg_id"], ["u32", "client_index"], ["vl_api_route_t", "route"],
            ["vl_api_address_with_prefix_t", "interface"], ["vl_api_timestamp_t", "at"],
            ["vl_api_timedelta_t", "took"], {"crc": "0x00000004"}],
        ["groups", ["u16", "_vl_msg_id"], ["vl_api_group_t", "group"], {"crc": "0x00000005"}],
        ["loosely", ["u16", "_vl_msg_id"], ["vl_api_loose_t", "loose"], {"crc": "0x00000006"}],
        ["limited", ["u16", "_vl_msg_id"], ["string", "name", {"limit": 4}], ["u8", "after"], {"crc": "0x00000008"}],
        ["odd_details", ["u16", "_vl_msg_id"], ["u32", "context"], ["u32", "client_index"], {"crc": "0x00000007"}]
    ],
    "services": {},
    "vl_api_version": "0x1"
}"#;

fn api() -> Api {
    Api::from_sources(&[Source {
        name: "sample".into(),
        group: Group::Core,
        origin: "sample.api.json".into(),
        text: DEFINITIONS.into(),
    }])
    .unwrap_or_else(|error| panic!("{error}"))
}

fn id(api: &Api, name: &str) -> MessageId {
    api.find_message(name).unwrap_or_else(|| panic!("no {name}")).0
}

fn encode(name: &str, fields: Value) -> Result<Vec<u8>, CodecError> {
    let api = api();
    api.encode_payload(id(&api, name), &fields)
}

fn decode(name: &str, payload: &[u8]) -> Result<Value, CodecError> {
    let api = api();
    let mut fields = api.decode_payload(id(&api, name), payload)?;
    assert_eq!(fields.shift_remove("_msgname"), Some(json!(name)));
    assert!(fields.shift_remove("_crc").is_some());
    Ok(Value::Object(fields))
}

fn refusal(name: &str, fields: Value) -> String {
    let error = encode(name, fields).expect_err("refused").to_string();
    error.strip_prefix(&format!("cannot encode {name}: ")).expect("names the message").to_owned()
}

/// Encodes to these bytes and comes back as the same JSON.
#[track_caller]
fn both_ways(name: &str, fields: Value, bytes: &[u8]) {
    assert_eq!(encode(name, fields.clone()).unwrap(), bytes);
    assert_eq!(decode(name, bytes).unwrap(), fields);
}

#[test]
fn defaults_stand_in_for_what_is_missing() {
    let mut bytes = vec![44, 0, 0, 0, 0, 0, 0, 0, 0];
    bytes.extend(0.5f64.to_ne_bytes());
    bytes.extend([1, 0, 9, 0]);
    assert_eq!(encode("numbers", json!({})).unwrap(), bytes, "300 in a u8 is 44");
    let shown = json!({"small": 44, "big": 0, "real": 0.5, "on": true, "level": "HIGH", "options": []});
    assert_eq!(decode("numbers", &bytes).unwrap(), shown);
    assert_eq!(encode("lists", json!({})).unwrap(), [0; 14]);
    assert_eq!(
        encode("lists", json!({"points": [{}]})).unwrap(),
        [0, 1, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    );
}

#[test]
fn numbers_and_names() {
    let mut bytes = vec![255, 0x80, 0, 0, 0, 0, 0, 0, 0];
    bytes.extend(f64::NEG_INFINITY.to_ne_bytes());
    bytes.extend([0, 0xff, 0xff, 0x83]);
    let shown = json!({"small": 255, "big": i64::MIN, "real": "-inf", "on": false, "level": "LOW",
        "options": ["OPTION_A", "OPTION_B", 0x80]});
    both_ways("numbers", shown, &bytes);
    let given = json!({"small": "0xff", "big": i64::MIN.to_string(), "real": "-inf", "on": 0, "level": -1,
        "options": ["OPTION_A", "0x82"]});
    assert_eq!(encode("numbers", given).unwrap(), bytes);
    bytes[19] = 4;
    assert_eq!(decode("numbers", &bytes).unwrap()["level"], json!(-252));

    for (fields, expected) in [
        (json!({"small": 256}), "small: 256 does not fit u8 (0 to 255)"),
        (json!({"small": -1}), "small: -1 does not fit u8 (0 to 255)"),
        (json!({"small": null}), "small: expected a whole number (u8), found null"),
        (json!({"on": 2}), "on: expected true or false, found 2"),
        (
            json!({"level": "HIG"}),
            "level: \"HIG\" is no member of level; did you mean HIGH?; there are LOW, HIGH",
        ),
        (
            json!({"smal": 1}),
            "smal: no such field; did you mean small?; there are small, big, real, on, level, options",
        ),
        (json!([]), "expected an object of fields, found an array of 0 elements"),
    ] {
        assert_eq!(refusal("numbers", fields), expected);
    }
}

#[test]
fn texts_and_bytes() {
    let mut bytes = b"eth0\0\0\0\0\x01\x02\xff\0\0\0\x02".to_vec();
    bytes.extend("é".as_bytes());
    bytes.extend([0, 0, 0, 5]);
    both_ways("texts", json!({"tag": "eth0", "key": "0x0102ff", "long": "é", "after": 5}), &bytes);
    assert_eq!(encode("texts", json!({"key": [1, "2", 255]})).unwrap()[8..11], [1, 2, 255]);
    assert_eq!(decode("texts", &[0xff; 11]).unwrap_err().to_string().split(": ").nth(1), Some("long"));
    let lossy = decode("texts", b"\xffaaaaaaa\0\0\0\0\0\0\0\0\0\0\0").unwrap();
    assert_eq!(lossy["tag"], json!("\u{fffd}aaaaaaa"));

    for (fields, expected) in [
        (json!({"tag": "12345678"}), "tag: the text is 8 bytes long, the field holds 7"),
        (json!({"tag": "a\0b"}), "tag: the text contains a NUL"),
        (json!({"tag": 5}), "tag: expected text, found 5"),
        (json!({"key": "0x01"}), "key: expected 3 elements, found 1"),
        (json!({"key": "010203"}), "key: \"010203\" is not bytes in hexadecimal (0x00ff)"),
        (json!({"key": [1, 2, 256]}), "key[2]: 256 does not fit u8 (0 to 255)"),
    ] {
        assert_eq!(refusal("texts", fields), expected);
    }
}

#[test]
fn a_limit_counts_a_final_nul() {
    both_ways("limited", json!({"name": "abc", "after": 1}), b"\0\0\0\x03abc\x01");
    assert_eq!(
        refusal("limited", json!({"name": "abcd"})),
        "name: the text is 4 bytes long, the field holds 3"
    );
    assert_eq!(refusal("limited", json!({"name": "a\0"})), "name: the text contains a NUL");
}

#[test]
fn counts_follow_from_their_lists() {
    let fields = json!({
        "n": 2, "bytes": "0x0102", "m": 1, "points": [{"x": -1, "y": 2}],
        "macs": ["02:fe:00:00:00:01", "00:00:00:00:00:00"]
    });
    both_ways("lists", fields, &[2, 1, 2, 1, 255, 2, 2, 0xfe, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    for (fields, expected) in [
        (
            json!({"n": 3, "bytes": "0x0102"}),
            "n: 3 contradicts bytes, which has 2 elements; leave it out, it is derived",
        ),
        (json!({"m": 1}), "m: 1 contradicts points, which has 0 elements; leave it out, it is derived"),
        (json!({"bytes": vec![0; 256]}), "n: 256 elements are more than the u8 of its count can tell"),
        (json!({"macs": ["02:fe:00:00:00:01"]}), "macs: expected 2 elements, found 1"),
        (json!({"points": [{}, {"z": 1}]}), "points[1].z: no such field; there are x, y"),
        (json!({"points": [{}, 7]}), "points[1]: expected an object (point), found 7"),
        (
            json!({"macs": ["0x000000000000", "nix"]}),
            "macs[1]: \"nix\" is not a MAC address (02:fe:00:00:00:01)",
        ),
    ] {
        assert_eq!(refusal("lists", fields), expected);
    }
}

#[test]
fn fields_behind_a_variable_part() {
    let fields = json!({
        "route": {"n_hops": 2, "hops": ["10.0.0.1", "2001:db8::1"]},
        "interface": "10.0.0.1/24", "at": "2000-01-01T00:00:00.250000Z", "took": 1.5
    });
    let mut bytes = vec![0, 2, 0, 10, 0, 0, 1];
    bytes.extend([0; 12]);
    bytes.extend([1, 0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    bytes.extend([0, 10, 0, 0, 1]);
    bytes.extend([0; 12]);
    bytes.push(24);
    bytes.extend(946_684_800.25f64.to_ne_bytes());
    bytes.extend(1.5f64.to_ne_bytes());
    both_ways("nested", fields, &bytes);
    assert_eq!(
        refusal("nested", json!({"route": {"hops": ["::1", {"af": 3, "un": {"ip4": "10.0.0.1"}}]}})),
        "route.hops[1].af: 3 contradicts un, which has ip4 (ADDRESS_IP4); leave it out, it is derived"
    );
}

#[test]
fn addresses_in_parts_where_text_cannot_hold_them() {
    let mut bytes = vec![0; 2 + 18 + 16];
    bytes[2] = 7;
    bytes[18] = 9;
    bytes[19] = 200;
    let interface = json!({
        "address": {"af": 7, "un": "0x00000000000000000000000000000009"},
        "len": 200
    });
    let shown = decode("nested", &bytes).unwrap();
    assert_eq!(shown["interface"], interface);
    assert_eq!(encode("nested", shown).unwrap(), bytes);
    bytes[2] = 1;
    let shown = decode("nested", &bytes).unwrap();
    assert_eq!(shown["interface"], json!({"address": "::9", "len": 200}));
    assert_eq!(encode("nested", shown).unwrap(), bytes);
    let parts = json!({"interface": {"address": {"un": {"ip6": "::9"}}, "len": 200}});
    assert_eq!(encode("nested", parts).unwrap(), bytes, "the family follows from the member");
}

#[test]
fn a_discriminator_selects_what_is_shown_and_follows_from_what_is_given() {
    let group =
        |kind: Value, one: Value, two: Value| json!({"group": {"kind": kind, "one": one, "two": two}});
    let dot =
        group(json!("SHAPE_DOT"), json!({"point": {"x": 1, "y": 2}}), json!({"point": {"x": 3, "y": 4}}));
    both_ways("groups", dot.clone(), &[0, 0, 0, 1, 1, 2, 0, 0, 0, 0, 3, 4, 0, 0, 0, 0]);
    let unknown = group(json!(9), json!("0x010203040506"), json!("0x000000000000"));
    both_ways("groups", unknown, &[0, 0, 0, 9, 1, 2, 3, 4, 5, 6, 0, 0, 0, 0, 0, 0]);

    let derived = json!({"group": {"one": {"mac": "01:02:03:04:05:06"}}});
    assert_eq!(encode("groups", derived).unwrap(), [0, 0, 0, 2, 1, 2, 3, 4, 5, 6, 0, 0, 0, 0, 0, 0]);
    // VPP's own form has all members.
    let all = json!({"point": {"x": 1, "y": 2}, "mac": "Invalid"});
    let vpp = group(json!("SHAPE_DOT"), all.clone(), json!({"point": {"x": 3, "y": 4}}));
    assert_eq!(encode("groups", vpp), encode("groups", dot));

    let mac = json!({"mac": "01:02:03:04:05:06"});
    let point = json!({"point": {}});
    for (fields, expected) in [
        (
            group(json!("SHAPE_DOT"), mac.clone(), json!("0x000000000000")),
            "group.kind: \"SHAPE_DOT\" contradicts one, which has mac (SHAPE_BOX); leave it out, it is derived",
        ),
        (
            json!({"group": {"one": mac, "two": point}}),
            "group.kind: one, which has mac (SHAPE_BOX), contradicts two, which has point (SHAPE_DOT); \
             leave it out, it is derived",
        ),
        (
            json!({"group": {"one": all}}),
            "group.one: expected one member of the union, found 2; there are point, mac",
        ),
        (
            group(json!(9), json!({"point": {}, "mac": "Invalid"}), json!("0x000000000000")),
            "group.one: kind is 9, which selects no member; give the bytes as \"0x…\"",
        ),
        (json!({"group": {"one": "0x00"}}), "group.one: expected 6 elements, found 1"),
        (json!({"group": {"one": {"circle": 1}}}), "group.one.circle: no such field; there are point, mac"),
    ] {
        assert_eq!(refusal("groups", fields), expected);
    }
}

#[test]
fn members_without_a_discriminator_show_the_same_bytes() {
    let mut bytes = vec![1; 17];
    let shown =
        json!({"address": "101:101:101:101:101:101:101:101", "mac": "01:01:01:01:01:01", "flag": true});
    both_ways("loosely", json!({"loose": shown}), &bytes);

    // An address of family 0 has no room for the sixth byte, so it is not shown beside a MAC address that has.
    bytes = vec![0, 0x11, 0x22, 0x33, 0x44, 0x55];
    bytes.resize(17, 0);
    both_ways("loosely", json!({"loose": {"mac": "00:11:22:33:44:55", "flag": false}}), &bytes);
    bytes[16] = 1;
    both_ways("loosely", json!({"loose": "0x0011223344550000000000000000000001"}), &bytes);

    let one = json!({"loose": {"mac": "01:02:03:04:05:06"}});
    assert_eq!(encode("loosely", one).unwrap()[..8], [1, 2, 3, 4, 5, 6, 0, 0]);
    assert_eq!(
        refusal("loosely", json!({"loose": {"mac": "01:02:03:04:05:06", "flag": false}})),
        "loose: mac and flag have different bytes; give one of them"
    );
}

#[test]
fn header_words() {
    let api = api();
    let head = MessageHead { id: 0x102, client_index: [0x80, 0, 0, 1], context: 7 };
    let texts = id(&api, "texts");
    let bytes = api.encode_message(texts, &head, &json!({})).unwrap();
    assert_eq!(bytes[..6], [1, 2, 0, 0, 0, 7]);
    let (read, _) = api.decode_message(texts, &bytes).unwrap();
    assert_eq!(read, MessageHead { client_index: [0; 4], ..head });

    let numbers = id(&api, "numbers");
    let given = json!({"_msgname": "numbers", "_crc": "00000001", "_vl_msg_id": 3, "client_index": 0x8000_0002u32,
        "context": 9, "small": 1});
    let bytes = api.encode_message(numbers, &head, &given).unwrap();
    assert_eq!(bytes[..11], [0, 3, 0x80, 0, 0, 2, 0, 0, 0, 9, 1]);
    assert_eq!(api.encode_payload(numbers, &given).unwrap(), bytes[10..]);

    // Here the client index is a field.
    both_ways("odd_details", json!({"client_index": 5}), &[0, 0, 0, 5]);
    for (name, fields, expected) in [
        ("lists", json!({"context": 5}), "context: no such field; there are n, bytes, m, points, macs"),
        ("numbers", json!({"_msgname": "lists"}), "_msgname: this is a lists"),
        (
            "numbers",
            json!({"_crc": "0x00000002"}),
            "_crc: 00000002 is another definition of the message; this one is 00000001",
        ),
        ("numbers", json!({"context": -1}), "context: -1 does not fit u32 (0 to 4294967295)"),
    ] {
        assert_eq!(refusal(name, fields), expected);
    }
    assert_eq!(
        api.decode_message(numbers, &[0; 9]).unwrap_err().to_string(),
        "cannot decode numbers: its header takes 10 bytes, there are 9"
    );
}

#[test]
fn bytes_behind_the_message_are_ignored_and_missing_ones_are_not() {
    let bytes = encode("lists", json!({"bytes": "0x0102", "points": [{}, {}]})).unwrap();
    let whole = decode("lists", &bytes).unwrap();
    let mut longer = bytes.clone();
    longer.push(9);
    assert_eq!(decode("lists", &longer).unwrap(), whole);
    for len in 0..bytes.len() {
        let error = decode("lists", &bytes[..len]).unwrap_err();
        assert!(matches!(error, CodecError::Decode { .. }), "{len}: {error}");
    }
    for (payload, expected) in [
        (&bytes[..9], "cannot decode lists: macs: payload byte 8: 12 bytes expected, 1 are left"),
        (
            &[200, 0],
            "cannot decode lists: bytes: payload byte 1: 200 elements of at least 1 bytes claimed, 1 bytes are left",
        ),
    ] {
        assert_eq!(decode("lists", payload).unwrap_err().to_string(), expected);
    }
    let huge = [b"eth0\0\0\0\0\0\0\0".as_slice(), &[0xff; 4]].concat();
    assert_eq!(
        decode("texts", &huge).unwrap_err().to_string(),
        "cannot decode texts: long: payload byte 15: 4294967295 elements of at least 1 bytes claimed, 0 bytes are left"
    );
}

#[test]
fn what_every_message_is_called_comes_first() {
    let api = api();
    let fields: Map<String, Value> = api.decode_payload(id(&api, "odd_details"), &[0; 4]).unwrap();
    assert_eq!(
        serde_json::to_string(&fields).unwrap(),
        r#"{"_msgname":"odd_details","_crc":"00000007","client_index":0}"#
    );
}
