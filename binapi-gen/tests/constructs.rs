//! What each construct of the language becomes: one snapshot each.

mod definitions;

use binapi_gen::Builder;
use definitions::{Module, api};

/// The generated text of module `m`, without its first lines.
fn generated(modules: &[Module<'_>]) -> String {
    let output =
        Builder::new().api(api(modules)).release("26.06").modules().expect("the definitions are right");
    let mut files = output.files();
    let text = files.find(|(path, _)| path.ends_with("m.rs")).map(|(_, text)| text);
    let (_, body) = text.and_then(|text| text.split_once("VPP 26.06.\n\n")).expect("the head is there");
    body.to_owned()
}

fn module(json: &str) -> String {
    generated(&[Module { name: "m", json }])
}

#[test]
fn a_file_starts_with_its_origin_and_what_it_holds() {
    let json = r#"{"options": {"version": "0.9.1"}, "messages": [["ping", ["u16", "_vl_msg_id"], ["u32", "client_index"], ["u32", "context"], {"crc": "0x51077d14"}]]}"#;
    let output =
        Builder::new().api(api(&[Module { name: "type", json }])).release("26.06").modules().unwrap();
    let files: Vec<_> = output.files().collect();
    let text = files.iter().map(|(path, text)| format!("=== {}\n{text}", path.display())).collect::<String>();
    insta::assert_snapshot!(text);
}

#[test]
fn a_struct_of_fixed_size() {
    insta::assert_snapshot!(module(
        r#"{"types": [
            ["inner", ["u16", "a"], ["f64", "b"]],
            ["outer", ["bool", "type"], ["i64", "drop_M"], ["u8", "bytes", 40], ["u32", "mtu", 4], ["vl_api_inner_t", "inner"], ["vl_api_inner_t", "more", 2]]
        ]}"#
    ));
}

#[test]
fn lists_and_their_counts() {
    insta::assert_snapshot!(module(
        r#"{"types": [["item", ["u32", "id"]]], "messages": [
            ["set", ["u16", "_vl_msg_id"], ["u32", "client_index"], ["u32", "context"], ["u8", "n_items"], ["bool", "input"], ["vl_api_item_t", "items", 0, "n_items"], {"crc": "0x00000001"}],
            ["put", ["u16", "_vl_msg_id"], ["u32", "client_index"], ["u32", "context"], ["u32", "len"], ["u8", "data", 0, "len"], {"crc": "0x00000002"}]
        ]}"#
    ));
}

#[test]
fn strings() {
    insta::assert_snapshot!(module(
        r#"{"messages": [
            ["cli", ["u16", "_vl_msg_id"], ["u32", "client_index"], ["u32", "context"], ["string", "tag", 64], ["string", "cmd", 0], {"crc": "0x00000001"}]
        ]}"#
    ));
}

#[test]
fn a_struct_that_ends_in_a_struct_of_variable_size() {
    insta::assert_snapshot!(module(
        r#"{"types": [["route", ["u8", "n_paths"], ["u32", "paths", 0, "n_paths"]], ["wrap", ["u16", "id"], ["vl_api_route_t", "route"]]]}"#
    ));
}

#[test]
fn defaults_are_cut_to_their_type() {
    insta::assert_snapshot!(module(
        r#"{"enums": [["mode", ["MODE_A", 0], ["MODE_B", 1], {"enumtype": "u8"}]], "messages": [
            ["create", ["u16", "_vl_msg_id"], ["u32", "client_index"], ["u32", "context"],
                ["u32", "instance", {"default": 4294967295}], ["u16", "port", {"default": 4294967295}],
                ["bool", "is_add", {"default": "true"}], ["bool", "old", {"default": 0}], ["f64", "interval", {"default": 1.0}],
                ["vl_api_mode_t", "mode", {"default": 1}], ["vl_api_mode_t", "other", {"default": 9}],
                ["string", "name", 8, {"default": "eth"}], ["i32", "low", {"default": -5}], {"crc": "0x00000001"}]
        ]}"#
    ));
}

#[test]
fn enums_and_flags_of_every_kind() {
    insta::assert_snapshot!(module(
        r#"{"enums": [
                ["signed", ["SIGNED_API_LOW", -1], ["SIGNED_API_HIGH", 1], {"enumtype": "i32"}],
                ["if_status_flags", ["IF_STATUS_API_FLAG_ADMIN_UP", 1], ["IF_STATUS_API_FLAG_LINK_UP", 2], {"enumtype": "u32"}],
                ["rate", ["RATE_API_1R2C", 0], ["RATE_API_MAX", 5], {"enumtype": "u8"}],
                ["empty", {"enumtype": "u8"}]
            ],
            "enumflags": [["wide_flags", ["WIDE_FLAG_BIG", 1099511627776], {"enumtype": "u64"}]]}"#
    ));
}

#[test]
fn aliases_of_everything() {
    insta::assert_snapshot!(module(
        r#"{"types": [["pair", ["u32", "a"], ["u32", "b"]], ["user", ["vl_api_index_t", "i"], ["vl_api_key_t", "k"], ["vl_api_twin_t", "t"], ["vl_api_again_t", "g"], ["vl_api_level2_t", "l", 2], ["vl_api_twins_t", "p"]]],
            "enums": [["level", ["LOW", 0], ["HIGH", 1], {"enumtype": "u8"}]],
            "aliases": {"index": {"type": "u32"}, "key": {"type": "u8", "length": 20}, "twin": {"type": "vl_api_pair_t"}, "twins": {"type": "vl_api_pair_t", "length": 4}, "level2": {"type": "vl_api_level_t"}, "again": {"type": "vl_api_twin_t"}}}"#
    ));
}

const UNION: &str = r#"
    "enums": [["kind", ["KIND_NUMBER", 0], ["KIND_TEXT", 1], ["KIND_NONE", 2], {"enumtype": "u8"}]],
    "unions": [["value", ["u32", "number", {"case": "KIND_NUMBER"}], ["string", "text", 8, {"case": "KIND_TEXT"}]]]"#;

#[test]
fn a_union_behind_a_discriminator() {
    let json = format!(
        r#"{{{UNION}, "types": [["one", ["vl_api_kind_t", "kind", {{"default": 1}}], ["u16", "between"], ["vl_api_value_t", "value", {{"discriminator": "kind"}}]],
            ["two", ["vl_api_kind_t", "kind"], ["vl_api_value_t", "a", {{"discriminator": "kind"}}], ["vl_api_value_t", "b", {{"discriminator": "kind"}}]]]}}"#
    );
    insta::assert_snapshot!(module(&json));
}

#[test]
fn a_union_that_nothing_selects() {
    let json = format!(
        r#"{{{UNION}, "types": [["holder", ["vl_api_value_t", "value"], ["vl_api_value_t", "more", 2]]]}}"#
    );
    insta::assert_snapshot!(module(&json));
}

#[test]
fn a_union_used_in_both_ways_has_two_types() {
    let json = format!(
        r#"{{{UNION}, "types": [["told", ["vl_api_kind_t", "kind"], ["vl_api_value_t", "value", {{"discriminator": "kind"}}]], ["untold", ["vl_api_value_t", "value"]]]}}"#
    );
    let text = module(&json);
    assert!(
        text.contains("pub enum Value {") && text.contains("pub struct ValueBytes(pub [u8; 8]);"),
        "{text}"
    );
    assert!(text.contains("    pub value: Value,") && text.contains("    pub value: ValueBytes,"), "{text}");
}

const REQUEST: &str = r#"["u16", "_vl_msg_id"], ["u32", "client_index"], ["u32", "context"]"#;
const REPLY: &str = r#"["u16", "_vl_msg_id"], ["u32", "context"]"#;

#[test]
fn services_of_every_kind() {
    let json = format!(
        r#"{{"messages": [
            ["show", {REQUEST}, {{"crc": "0x00000001", "options": {{"deprecated": null, "replaced_by": "show_v2"}}}}],
            ["show_reply", {REPLY}, ["u8", "first"], ["i32", "retval"], {{"crc": "0x00000002"}}],
            ["thing_dump", {REQUEST}, {{"crc": "0x00000003", "options": {{"in_progress": null}}}}],
            ["thing_details", {REQUEST}, ["u32", "id"], {{"crc": "0x00000004"}}],
            ["thing_get", {REQUEST}, ["u32", "cursor"], {{"crc": "0x00000005"}}],
            ["thing_get_reply", {REPLY}, ["i32", "retval"], ["u32", "cursor"], {{"crc": "0x00000006"}}],
            ["log_get", {REQUEST}, {{"crc": "0x00000007"}}],
            ["log_get_reply", {REPLY}, ["i32", "retval"], {{"crc": "0x00000008"}}],
            ["want_thing_events", {REQUEST}, ["u32", "enable_disable"], ["u32", "pid"], {{"crc": "0x00000009"}}],
            ["want_thing_events_reply", {REPLY}, ["i32", "retval"], {{"crc": "0x0000000a"}}],
            ["thing_event", ["u16", "_vl_msg_id"], ["u32", "client_index"], ["u32", "pid"], {{"crc": "0x0000000b"}}],
            ["quiet", {REQUEST}, {{"crc": "0x0000000c"}}],
            ["alone", ["u16", "_vl_msg_id"], {{"crc": "0x0000000d"}}]
        ], "services": {{
            "show": {{"reply": "show_reply"}},
            "thing_dump": {{"reply": "thing_details", "stream": true}},
            "thing_get": {{"reply": "thing_get_reply", "stream": true, "stream_msg": "thing_details"}},
            "log_get": {{"reply": "log_get_reply", "stream": true, "stream_msg": "thing_details"}},
            "want_thing_events": {{"reply": "want_thing_events_reply", "events": ["thing_event"]}},
            "quiet": {{"reply": "null"}}
        }}}}"#
    );
    insta::assert_snapshot!(module(&json));
}

#[test]
fn events_with_a_choice_have_no_subscription_and_streams_called_events_are_streams() {
    let json = format!(
        r#"{{"messages": [
            ["want_x_events", {REQUEST}, ["bool", "enable"], ["u32", "pid"], ["u32", "index"], {{"crc": "0x00000001"}}],
            ["want_x_events_reply", {REPLY}, ["i32", "retval"], {{"crc": "0x00000002"}}],
            ["x_event", ["u16", "_vl_msg_id"], ["u32", "client_index"], {{"crc": "0x00000003"}}],
            ["gre_tunnel_dump_v2", {REQUEST}, {{"crc": "0x00000004"}}],
            ["gre_tunnel_dump_v2_reply", {REPLY}, ["i32", "retval"], {{"crc": "0x00000005"}}],
            ["gre_tunnel_details_v2", {REPLY}, ["u32", "id"], {{"crc": "0x00000006"}}]
        ], "services": {{
            "want_x_events": {{"reply": "want_x_events_reply", "events": ["x_event"]}},
            "gre_tunnel_dump_v2": {{"reply": "gre_tunnel_dump_v2_reply", "events": ["gre_tunnel_details_v2"]}}
        }}}}"#
    );
    let text = module(&json);
    assert!(text.contains("impl Event for XEvent {}") && !text.contains("Subscribe"), "{text}");
    assert!(
        text.contains("impl Dump for GreTunnelDumpV2") && text.contains("impl Stream for GreTunnelDumpV2"),
        "{text}"
    );
    assert!(
        !text.contains("impl Event for GreTunnelDetailsV2")
            && !text.contains("impl Request for GreTunnelDumpV2"),
        "{text}"
    );
}

#[test]
fn views() {
    let json = format!(
        r#"{{"types": [["leaf", ["string", "name", 16]], ["tail", ["u32", "id"], ["u16", "n"], ["u16", "xs", 0, "n"]]],
            {UNION}, "messages": [
            ["a_dump", {REQUEST}, {{"crc": "0x00000001"}}],
            ["a_details", {REPLY}, ["u16", "id"], ["u8", "key", 16], ["vl_api_leaf_t", "leaf"], ["vl_api_kind_t", "kind"], ["vl_api_value_t", "value", {{"discriminator": "kind"}}], ["vl_api_tail_t", "tail"], {{"crc": "0x00000002"}}],
            ["b", {REQUEST}, {{"crc": "0x00000003"}}],
            ["b_reply", {REPLY}, ["u32", "count"], ["u8", "fixed", 0, "count"], {{"crc": "0x00000004"}}],
            ["c", {REQUEST}, {{"crc": "0x00000005"}}],
            ["c_reply", {REPLY}, {{"crc": "0x00000006"}}]
        ], "services": {{"a_dump": {{"reply": "a_details", "stream": true}}, "b": {{"reply": "b_reply"}}, "c": {{"reply": "c_reply"}}}}}}"#
    );
    insta::assert_snapshot!(module(&json));
}

#[test]
fn what_stands_behind_a_variable_part_is_decoded_but_not_viewed() {
    // VPP 19.08 has such messages.
    let json = format!(
        r#"{{"messages": [["show_version", {REQUEST}, {{"crc": "0x00000001"}}],
            ["show_version_reply", {REPLY}, ["i32", "retval"], ["string", "program", 0], ["string", "version", 0], ["u32", "end"], {{"crc": "0x00000002"}}]],
            "services": {{"show_version": {{"reply": "show_version_reply"}}}}}}"#
    );
    let text = module(&json);
    assert!(!text.contains("View"), "{text}");
    assert!(text.contains("Self::MIN_LEN + self.program.len() + self.version.len()"), "{text}");
}

#[test]
fn hand_written_types_stand_in_where_name_and_size_agree() {
    let types = r#"{"types": [["address", ["vl_api_address_family_t", "af"], ["vl_api_address_union_t", "un"]],
            ["prefix", ["vl_api_address_t", "address"], ["u8", "len"]],
            ["mprefix", ["vl_api_address_family_t", "af"], ["u16", "len"], ["vl_api_address_union_t", "grp"], ["vl_api_address_union_t", "src"]]],
        "unions": [["address_union", ["vl_api_ip4_address_t", "ip4"], ["vl_api_ip6_address_t", "ip6"]]],
        "enums": [["address_family", ["ADDRESS_IP4", 0], ["ADDRESS_IP6", 1], {"enumtype": "FAMILY"}]],
        "aliases": {"ip4_address": {"type": "u8", "length": 4}, "ip6_address": {"type": "u8", "length": 16}, "mac_address": {"type": "u8", "length": 6}, "timedelta": {"type": "f64"}}}"#;
    let text = module(&types.replace("FAMILY", "u8"));
    for line in [
        "pub use vpp_wire::Address;",
        "pub use vpp_wire::Prefix;",
        "pub use vpp_wire::MacAddress;",
        "pub use vpp_wire::TimeDelta;",
        "pub type Ip4Address = Ipv4Addr;",
        "    pub grp: Address,",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    // VPP 20.01: the family took four bytes.
    let text = module(&types.replace("FAMILY", "u32"));
    for line in [
        "pub struct Address {",
        "pub struct Prefix {",
        "    pub grp: AddressUnion,",
        "pub enum AddressUnion {",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
}

#[test]
fn comments_of_vpp_become_documentation() {
    let json = format!(
        r#"{{"messages": [["thing_add", {REQUEST}, ["bool", "is_add"], ["u32", "odd_name"], ["u32", "a_id"],
            {{"crc": "0x00000001", "comment": "/** \\brief Add a [thing]\n    See https://fd.io/x for more\n\n    Second <paragraph>.\n    @param client_index - opaque\n    @param is_add - true for add,\n      false for delete\n    @param odd_name\n*/"}}]]}}"#
    );
    let text = module(&json);
    let docs: Vec<_> =
        text.lines().filter(|line| line.trim_start().starts_with("///")).map(str::trim).collect();
    insta::assert_snapshot!(docs.join("\n"));
}

#[test]
fn no_name_of_a_definition_shadows_anything() {
    let json = format!(
        r#"{{"types": [["string", ["u8", "a"]], ["vec", ["u8", "a"]], ["default", ["string", "a", 8]], ["wire", ["u8", "self"]], ["encoder", ["u32", "n"], ["vl_api_vec_t", "input", 0, "n"]], ["message", ["u32", "b", {{"default": 3}}]], ["request", ["u8", "a", 40]]],
            "messages": [["view", {REQUEST}, {{"crc": "0x00000001"}}], ["view_reply", {REPLY}, ["string", "cow", 0], {{"crc": "0x00000002"}}]],
            "services": {{"view": {{"reply": "view_reply"}}}}}}"#
    );
    insta::assert_snapshot!(module(&json));
}

#[test]
fn types_come_from_the_module_that_owns_them() {
    let common =
        r#"{"types": [["address", ["u32", "a"]]], "enums": [["mode", ["MODE_A", 0], {"enumtype": "u8"}]]}"#;
    let other = r#"{"types": [["mode", ["u16", "x"]]]}"#;
    let user = r#"{"imports": ["common.api"], "types": [["address", ["u32", "a"]], ["user", ["vl_api_address_t", "address"], ["vl_api_mode_t", "mode"]]],
        "enums": [["mode", ["MODE_A", 0], {"enumtype": "u8"}]]}"#;
    let text = generated(&[
        Module { name: "common", json: common },
        Module { name: "other", json: other },
        Module { name: "m", json: user },
    ]);
    insta::assert_snapshot!(text);
}
