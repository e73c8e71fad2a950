//! No JSON makes the reader panic, and what it accepts can be measured and pinned.

mod definitions;

use std::sync::LazyLock;

use definitions::pinned;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::strategy::ValueTree as _;
use serde_json::{Map, Value, json};
use vpp_schema::{Api, Group, MessageId, Source};

static PINS: LazyLock<Vec<Source>> = LazyLock::new(|| pinned().to_pins());

/// Reads a text in every way there is, and uses what comes out.
fn use_text(text: &str) {
    let source = |name: &str| Source {
        name: name.to_owned(),
        group: Group::Other,
        origin: name.to_owned(),
        text: text.to_owned(),
    };
    let read = Api::from_sources(&[source("test")]);
    let running = Api::from_running(text, None);
    for api in read.into_iter().chain(running) {
        for (id, message) in (0..).map(MessageId).zip(&api.messages) {
            let _ = (api.layout_hash(id), api.answer(id), message.retval(&api), message.cursor(&api));
            let _ = api.offsets(&message.fields, message.header.len());
        }
        let again = Api::from_sources(&api.to_pins()).expect("pins of an API that was read");
        assert!(again == definitions::without_comments(api), "pins mean the same");
    }
}

/// JSON as it may come, from words that mean something to the reader.
fn any_json() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(vec![
        "types",
        "messages",
        "unions",
        "enums",
        "enumflags",
        "aliases",
        "services",
        "options",
        "imports",
        "counters",
        "paths",
        "module",
        "crc",
        "0x12345678",
        "u8",
        "u32",
        "string",
        "bool",
        "f64",
        "vl_api_a_t",
        "vl_api_b_t",
        "a",
        "b",
        "n",
        "context",
        "client_index",
        "_vl_msg_id",
        "enumtype",
        "default",
        "discriminator",
        "case",
        "limit",
        "type",
        "length",
        "reply",
        "null",
        "true",
        "stream",
        "stream_msg",
        "events",
        "name",
        "elements",
        "path",
        "counter",
        "",
    ]);
    let leaf = prop_oneof![
        word.clone().prop_map(|word| json!(word)),
        any::<i64>().prop_map(|number| json!(number)),
        (0u8..4).prop_map(|number| json!(number)),
        any::<f64>().prop_map(|number| json!(number)),
        any::<bool>().prop_map(|value| json!(value)),
        Just(Value::Null),
    ];
    leaf.prop_recursive(6, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
            prop::collection::vec((word.clone(), inner), 0..6).prop_map(|entries| {
                Value::Object(
                    entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<Map<_, _>>(),
                )
            }),
        ]
    })
}

/// A block of fields: the first counts, one in ten is wrong in some way.
fn any_fields(types: &[&'static str]) -> impl Strategy<Value = Vec<Value>> + use<> {
    let ty = prop::sample::select(types.to_vec());
    let names = ["n", "x", "y", "context", "client_index", "retval"];
    let field = (ty, 0u8..60, 1u32..9, any_json());
    prop::collection::vec(field, 0..names.len()).prop_map(move |fields| {
        let line = |(name, (ty, kind, len, value)): (&str, (&str, u8, u32, Value))| match kind {
            0 => json!([ty, name, 0]),
            1 => json!([ty, name, {"default": value}]),
            2 => json!([ty, name, {"discriminator": "n"}]),
            3 => json!([ty, "x"]),
            4 => value,
            5..10 if ty != "string" && name != "n" => json!([ty, name, 0, "n"]),
            10..20 => json!([ty, name, len]),
            20..25 if ty.starts_with('u') => json!([ty, name, {"default": len}]),
            25..30 if name == "n" => json!(["u16", name]),
            _ => json!([ty, name]),
        };
        names.into_iter().zip(fields).map(line).collect()
    })
}

/// Files that are nearly right: a few types that use each other, and a message that uses them.
fn any_file() -> impl Strategy<Value = Value> {
    let named = |name: &str, fields: Vec<Value>, trailer: Value| {
        let mut list = vec![json!(name)];
        list.extend(fields);
        list.push(trailer);
        Value::Array(list)
    };
    let scalars = ["u8", "u16", "i32", "u64", "f64", "bool"];
    let all =
        ["u8", "u32", "i32", "string", "vl_api_a_t", "vl_api_b_t", "vl_api_c_t", "vl_api_d_t", "vl_api_e_t"];
    let services = prop_oneof![
        9 => prop::sample::select(vec![json!({}), json!([]), json!({"m": {"reply": "null"}})]),
        1 => any_json(),
    ];
    (
        any_fields(&scalars),
        any_fields(&all[..5]),
        any_fields(&scalars),
        any_fields(&all),
        prop::sample::select(all.to_vec()),
        prop_oneof![9 => -128i64..256, 1 => any::<i64>()],
        services,
    )
        .prop_map(move |(a, b, union, message, alias, value, services)| {
            json!({
                "types": [named("a", a, json!({})), named("b", b, json!({"comment": "b"}))],
                "unions": [named("c", union, json!({}))],
                "enums": [["e", ["E_A", value], {"enumtype": "u8"}]],
                "aliases": {"d": {"type": alias}},
                "messages": [named("m", message, json!({"crc": "0x1"}))],
                "services": services,
            })
        })
}

/// Replaces one value somewhere in a JSON.
fn replace(value: &mut Value, at: &mut usize, with: &Value) {
    if *at == 0 {
        *value = with.clone();
    }
    *at = at.wrapping_sub(1);
    match value {
        Value::Array(list) => list.iter_mut().for_each(|value| replace(value, at, with)),
        Value::Object(map) => map.values_mut().for_each(|value| replace(value, at, with)),
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn any_text(text in any::<String>()) {
        use_text(&text);
    }

    #[test]
    fn any_json_value(json in any_json()) {
        use_text(&json.to_string());
    }

    #[test]
    fn any_nearly_right_file(json in any_file()) {
        use_text(&json.to_string());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Real definitions with a value replaced, a byte changed, or the end missing.
    #[test]
    fn damaged_pins(module in any::<Index>(), place in any::<Index>(), with in any_json(), byte in any::<u8>()) {
        let pins = &*PINS;
        let pin = module.get(pins);
        let mut json: Value = serde_json::from_str(&pin.text).expect("pins are JSON");
        replace(&mut json, &mut place.index(200), &with);
        use_text(&json.to_string());
        let at = place.index(pin.text.len());
        use_text(&String::from_utf8_lossy(&pin.text.as_bytes()[..at]));
        let mut bytes = pin.text.clone().into_bytes();
        bytes[at] = byte;
        use_text(&String::from_utf8_lossy(&bytes));
        let mut damaged = pins.clone();
        damaged[module.index(pins.len())].text = json.to_string();
        let _ = Api::from_sources(&damaged);
    }
}

/// Else the property would hold for want of files.
#[test]
fn many_nearly_right_files_are_right() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let files = (0..200).map(|_| any_file().new_tree(&mut runner).expect("a file").current());
    let right = files.filter(|file| definitions::read(&[("test", file.clone())]).is_ok()).count();
    assert!((40..180).contains(&right), "{right} of 200");
}
