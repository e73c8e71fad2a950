//! Definitions are completed with what other releases tell of them, and nothing else is.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use vpp_schema::{Api, Completed, DefaultValue, Field, Group, MessageHead, Source, TypeKind};

fn api(json: &Value) -> Api {
    let source = Source {
        name: "m".to_owned(),
        group: Group::Plugins,
        origin: "m.api.json".to_owned(),
        text: json.to_string(),
    };
    Api::from_sources(&[source]).unwrap()
}

/// As VPP wrote them up to 26.02. `members` are those of the union.
fn old(family: &Value, members: &Value) -> Value {
    json!({
        "enums": [family],
        "unions": [members],
        "types": [
            ["mprefix", ["vl_api_address_family_t", "af"], ["u16", "grp_address_length"],
                ["vl_api_address_union_t", "grp_address"], ["vl_api_address_union_t", "src_address"]],
            ["alone", ["vl_api_address_union_t", "address"]],
            ["gbp_subnet", ["u32", "sw_if_index"], ["u16", "sclass"]]
        ],
        "messages": [
            ["signal", ["u16", "_vl_msg_id"], ["vl_api_mprefix_t", "prefix"], ["vl_api_alone_t", "alone"],
                ["vl_api_gbp_subnet_t", "subnet"], {"crc": "0x00000001"}]
        ],
        "imports": [],
    })
}

fn family() -> Value {
    json!(["address_family", ["ADDRESS_IP4", 0], ["ADDRESS_IP6", 1], {"enumtype": "u8"}])
}

fn members() -> Value {
    json!(["address_union", ["u8", "ip4", 4], ["u8", "ip6", 16]])
}

fn fields<'a>(api: &'a Api, name: &str) -> &'a [Field] {
    match &api.types.iter().find(|ty| ty.name == name).unwrap().kind {
        TypeKind::Struct(fields) | TypeKind::Union(fields) => fields,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_known_union_is_selected_by_the_field_it_is_known_to_be() {
    let api = api(&old(&family(), &members()));
    let by: Vec<_> = fields(&api, "mprefix").iter().map(|field| field.discriminator).collect();
    assert_eq!(by, [None, None, Some(0), Some(0)]);
    assert!(fields(&api, "mprefix")[2..].iter().all(|field| field.declared_discriminator().is_none()));
    assert_eq!(fields(&api, "address_union")[1].case.as_deref(), Some("ADDRESS_IP6"));
    assert_eq!(fields(&api, "address_union")[1].declared_case(), None);
    assert_eq!(fields(&api, "alone")[0].discriminator, None, "nothing before it selects");

    let (signal, _) = api.find_message("signal").unwrap();
    let given = json!({"prefix": {"grp_address": {"ip6": "0x20010db8000000000000000000000001"}}});
    let bytes = api.encode_message(signal, &MessageHead::default(), &given).unwrap();
    assert_eq!(bytes[..9], [0, 0, 1, 0, 0, 0x20, 1, 0xd, 0xb8], "the family follows from the member");
    let (_, shown) = api.decode_message(signal, &bytes).unwrap();
    assert_eq!(shown["prefix"]["af"], "ADDRESS_IP6");
    assert_eq!(shown["prefix"]["grp_address"], given["prefix"]["grp_address"]);
    assert_eq!(shown["prefix"]["src_address"], json!({"ip6": "0x00000000000000000000000000000000"}));
}

#[test]
fn a_default_that_a_later_release_has_is_that_of_all() {
    let api = api(&old(&family(), &members()));
    let sclass = &fields(&api, "gbp_subnet")[1];
    assert_eq!(sclass.default, Some(DefaultValue::Int(0xffff_ffff)));
    assert_eq!(sclass.completed, Some(Completed::Default { declared: None }));
    let (signal, _) = api.find_message("signal").unwrap();
    let bytes = api.encode_message(signal, &MessageHead::default(), &json!({})).unwrap();
    assert!(bytes.ends_with(&[0xff; 6]));
}

#[test]
fn what_is_not_what_it_is_known_as_stays_as_it_is_defined() {
    let untouched = |api: &Api| {
        fields(api, "mprefix")
            .iter()
            .chain(fields(api, "address_union"))
            .all(|field| field.completed.is_none())
    };
    let more = json!(["address_union", ["u8", "ip4", 4], ["u8", "ip6", 16], ["u8", "mac", 6]]);
    assert!(untouched(&api(&old(&family(), &more))), "a member that is not known");
    let other = json!(["address_family", ["AF_INET", 2], ["AF_INET6", 10], {"enumtype": "u8"}]);
    assert!(untouched(&api(&old(&other, &members()))), "enumerators that are others");
}

#[test]
fn pins_and_comparisons_hold_what_the_definitions_say() {
    let api = api(&old(&family(), &members()));
    let pins = api.to_pins();
    let text = &pins[0].text;
    assert!(!text.contains("discriminator") && !text.contains("case") && !text.contains("default"), "{text}");
    assert_eq!(Api::from_sources(&pins).unwrap(), api);
}
