//! Messages of one definition as messages of another: made-up definitions for each rule, and every pair of neighbouring
//! releases.

mod definitions;

use definitions::{all_pinned, read_one};
use proptest::prelude::*;
use serde_json::{Value, json};
use vpp_schema::bridge::{Mapping, MappingError, Obstacle, Rules, counterparts, successors};
use vpp_schema::{Answer, Api, MessageId, Verdict};

/// A file with one message of these fields, beside types that both sides have.
fn file(fields: &Value, crc: &str) -> Value {
    let mut message = vec![
        json!("set"),
        json!(["u16", "_vl_msg_id"]),
        json!(["u32", "client_index"]),
        json!(["u32", "context"]),
    ];
    message.extend(fields.as_array().expect("a list").iter().cloned());
    message.push(json!({"crc": crc}));
    json!({
        "aliases": {"interface_index": {"type": "u32"}},
        "messages": [message],
    })
}

fn with_types(types: &Value, fields: &Value, crc: &str) -> Api {
    let mut file = file(fields, crc);
    for (key, value) in types.as_object().expect("an object") {
        file[key] = value.clone();
    }
    read_one(file)
}

struct Pair {
    from: Api,
    to: Api,
}

impl Pair {
    fn new(from: Value, to: Value) -> Self {
        Self::with_types(&json!({}), from, &json!({}), to)
    }

    fn with_types(from_types: &Value, from: Value, to_types: &Value, to: Value) -> Self {
        Self {
            from: with_types(from_types, &from, "0x00000001"),
            to: with_types(to_types, &to, "0x00000002"),
        }
    }

    fn mapping(&self, rules: Rules) -> Result<Mapping, MappingError> {
        Mapping::new(&self.from, MessageId(0), &self.to, MessageId(0), rules)
    }

    /// A value through the mapping, both sides as JSON.
    fn carry(&self, rules: Rules, fields: Value) -> Result<Value, String> {
        let payload = self.from.encode_payload(MessageId(0), &fields).expect("a value of the first");
        let carried = self.mapping(rules).map_err(|error| error.to_string())?.carry(&payload);
        let carried = carried.map_err(|error| error.to_string())?;
        let mut shown = self.to.decode_payload(MessageId(0), &carried).expect("a value of the second");
        shown.retain(|name, _| !name.starts_with('_'));
        // Nothing stands behind it.
        let again = self.to.encode_payload(MessageId(0), &Value::Object(shown.clone()));
        assert_eq!(again.expect("what was decoded"), carried);
        Ok(Value::Object(shown))
    }
}

use Rules::{Answer as Read, Request as Send, StrictAnswer as Strict};

#[test]
fn the_same_stays_the_same_bytes() {
    let pair = Pair::new(json!([["u8", "a"], ["string", "b", 0]]), json!([["u8", "a"], ["string", "b", 0]]));
    let mapping = pair.mapping(Send).unwrap();
    assert!(mapping.is_identity() && mapping.conditions().is_empty());
    assert_eq!(mapping.carry(&[1, 0, 0, 0, 1, b'x']).unwrap(), [1, 0, 0, 0, 1, b'x']);
}

#[test]
fn fields_are_found_by_name_and_new_ones_say_nothing() {
    let pair = Pair::new(
        json!([["u8", "a"], ["u16", "b"]]),
        json!([["u16", "b"], ["u32", "new", {"default": 7}], ["u8", "a"], ["u64", "zero"], ["string", "text", 8]]),
    );
    assert_eq!(
        pair.carry(Send, json!({"a": 1, "b": 2})).unwrap(),
        json!({"b": 2, "new": 7, "a": 1, "zero": 0, "text": ""})
    );
    assert!(
        pair.carry(Strict, json!({}))
            .unwrap_err()
            .contains("zero: only the other definition has the field (u64)")
    );
}

#[test]
fn a_request_loses_nothing_and_an_answer_what_the_program_does_not_know() {
    let pair = Pair::new(
        json!([["u8", "a"], ["u32", "gone", {"default": 600}], ["u16", "also"]]),
        json!([["u8", "a"]]),
    );
    assert_eq!(pair.carry(Send, json!({"a": 1})).unwrap(), json!({"a": 1}));
    assert_eq!(pair.mapping(Send).unwrap().conditions(), ["gone is 600", "also is zero"]);
    assert_eq!(
        pair.carry(Send, json!({"a": 1, "gone": 0})).unwrap_err(),
        "set: gone: the other definition lacks the field, and zero is not 600, which could be left out"
    );
    assert_eq!(pair.carry(Read, json!({"a": 1, "gone": 0, "also": 5})).unwrap(), json!({"a": 1}));
    assert!(pair.mapping(Read).unwrap().conditions().is_empty());
    assert!(pair.carry(Strict, json!({"a": 1, "also": 5})).unwrap_err().contains("also: "));
}

#[test]
fn an_index_of_zero_is_an_object_and_none_is_all_ones() {
    for ty in ["vl_api_interface_index_t", "u32"] {
        let less = json!([["u8", "a"]]);
        let more = json!([["u8", "a"], [ty, "fib_index"]]);
        let pair = Pair::new(less.clone(), more.clone());
        let error = pair.mapping(Send).unwrap_err();
        assert!(matches!(*error.obstacle, Obstacle::Missing { .. }) && error.path == "fib_index", "{error}");
        assert_eq!(pair.carry(Read, json!({"a": 1})).unwrap(), json!({"a": 1, "fib_index": 0xffff_ffff_u32}));

        let pair = Pair::new(more, less);
        assert!(pair.carry(Send, json!({"fib_index": 0})).is_err());
        assert_eq!(pair.carry(Send, json!({"fib_index": 0xffff_ffff_u32})).unwrap(), json!({"a": 0}));
    }
}

#[test]
fn a_reply_needs_its_retval() {
    let pair = Pair::new(json!([["u8", "a"]]), json!([["i32", "retval"], ["u8", "a"]]));
    assert_eq!(pair.mapping(Read).unwrap_err().path, "retval");
}

#[test]
fn integers_that_fit() {
    let pair = Pair::new(
        json!([["u8", "up"], ["u32", "down"], ["i16", "sign"], ["bool", "flag"], ["u8", "bit"]]),
        json!([["u16", "up"], ["u8", "down"], ["u32", "sign"], ["u8", "flag"], ["bool", "bit"]]),
    );
    let all = json!({"up": 255, "down": 255, "sign": 3, "flag": true, "bit": 1});
    assert_eq!(
        pair.carry(Send, all).unwrap(),
        json!({"up": 255, "down": 255, "sign": 3, "flag": 1, "bit": true})
    );
    for (field, value) in [("down", 256), ("sign", -1), ("bit", 2)] {
        let error = pair.carry(Send, json!({field: value})).unwrap_err();
        assert!(error.starts_with(&format!("set: {field}: {value} does not fit ")), "{error}");
    }
    assert_eq!(pair.mapping(Send).unwrap().conditions(), ["down fits u8", "sign fits u32", "bit fits bool"]);
}

#[test]
fn enum_values_go_by_their_names() {
    let enums = |members: Value| json!({"enums": [["color", members[0], members[1], members[2], {"enumtype": "u8"}]]});
    let field = json!([["vl_api_color_t", "c"]]);
    let pair = Pair::with_types(
        &enums(json!([["RED", 0], ["BLUE", 1], ["GONE", 2]])),
        field.clone(),
        &enums(json!([["NEW", 0], ["RED", 1], ["BLUE", 2]])),
        field,
    );
    assert_eq!(pair.carry(Send, json!({"c": "RED"})).unwrap(), json!({"c": "RED"}));
    assert_eq!(pair.carry(Send, json!({"c": "BLUE"})).unwrap(), json!({"c": "BLUE"}));
    for rules in [Send, Read] {
        // Its number means BLUE on the other side.
        assert_eq!(
            pair.carry(rules, json!({"c": "GONE"})).unwrap_err(),
            "set: c: the other definition's enum has no GONE (2)"
        );
    }
    // A number that neither names.
    assert_eq!(pair.carry(Send, json!({"c": 9})).unwrap(), json!({"c": 9}));
    assert!(pair.carry(Send, json!({"c": 1})).is_ok());
}

#[test]
fn flags_go_bit_by_bit() {
    let flags = |members: Value| json!({"enumflags": [["bits", members[0], members[1], members[2], {"enumtype": "u8"}]]});
    let field = json!([["vl_api_bits_t", "f"]]);
    let pair = Pair::with_types(
        &flags(json!([["NONE", 0], ["UP", 1], ["GONE", 8]])),
        field.clone(),
        &flags(json!([["NONE", 0], ["UP", 2], ["OTHER", 4]])),
        field,
    );
    assert_eq!(pair.carry(Send, json!({"f": ["UP"]})).unwrap(), json!({"f": ["UP"]}));
    assert!(pair.carry(Send, json!({"f": ["UP", "GONE"]})).unwrap_err().contains("no GONE (8)"));
    // A program reads what it does not know as a number, unless that number means something else to it.
    assert_eq!(pair.carry(Read, json!({"f": ["UP", "GONE"]})).unwrap(), json!({"f": ["UP", 8]}));
    assert!(pair.carry(Read, json!({"f": 4})).unwrap_err().contains("a bit without a name"));
}

#[test]
fn text_arrays_and_lists_as_far_as_they_fit() {
    let pair = Pair::new(
        json!([
            ["string", "a", 8],
            ["string", "b", 0],
            ["u8", "c", 4],
            ["u8", "n"],
            ["u16", "list", 0, "n"],
            ["u16", "fixed", 2],
            ["u8", "many", 4]
        ]),
        json!([
            ["string", "a", 4],
            ["string", "b", 4],
            ["string", "c", 8],
            ["u32", "n"],
            ["u32", "list", 0, "n"],
            ["u16", "fixed", 3],
            ["u8", "many", 2]
        ]),
    );
    let carried = pair.carry(
        Send,
        json!({"a": "abc", "b": "xy", "c": "0x61620000", "list": [1, 2], "fixed": [5, 6], "many": "0x01020000"}),
    );
    assert_eq!(
        carried.unwrap(),
        json!({"a": "abc", "b": "xy", "c": "ab", "n": 2, "list": [1, 2], "fixed": [5, 6, 0], "many": "0x0102"})
    );
    for (fields, path) in [
        (json!({"a": "abcd"}), "a: 4 bytes, the other definition takes 3"),
        (json!({"b": "abcd"}), "b: 4 bytes"),
        (json!({"c": "0x61006200"}), "c: the bytes are no text"),
        (json!({"many": "0x00000001"}), "many: 3 elements, the other definition takes 2"),
    ] {
        let error = pair.carry(Send, fields).unwrap_err();
        // Of `many`, what is surplus is told by what is there.
        let error = error.replace("4 elements", "3 elements");
        assert!(error.contains(path), "{error}");
    }
}

#[test]
fn lists_of_structs_name_the_element() {
    let types = |weight: &str| json!({"types": [["path", ["u8", "n"], ["u8", "labels", 0, "n"], [weight, "weight"]]]});
    let fields = json!([["u8", "count"], ["vl_api_path_t", "paths", 0, "count"], ["u8", "end"]]);
    let pair = Pair::with_types(&types("u32"), fields.clone(), &types("u8"), fields);
    let value =
        json!({"paths": [{"labels": "0x0102", "weight": 3}, {"labels": "0x", "weight": 4}], "end": 9});
    let carried = pair.carry(Send, value).unwrap();
    assert_eq!(carried["paths"][1], json!({"n": 0, "labels": "0x", "weight": 4}));
    assert_eq!(carried["end"], 9);
    let error = pair.carry(Send, json!({"paths": [{"weight": 1}, {"weight": 256}]})).unwrap_err();
    assert_eq!(error, "set: paths[1].weight: 256 does not fit u8");
}

#[test]
fn unions_go_by_their_case() {
    let types = |extra: bool, told: bool| {
        let option = |name: &str| if told { json!({"case": name}) } else { json!({}) };
        let mut members =
            vec![json!("place"), json!(["u8", "near", option("NEAR")]), json!(["u32", "far", option("FAR")])];
        if extra {
            members[2] = json!(["u64", "far", option("FAR")]);
        }
        let union = if told { json!({"discriminator": "kind"}) } else { json!({}) };
        json!({
            "enums": [["kind", ["NEAR", if extra { 5 } else { 0 }], ["FAR", if extra { 6 } else { 1 }], {"enumtype": "u8"}]],
            "unions": [members],
            "types": [["spot", ["vl_api_kind_t", "kind"], ["vl_api_place_t", "place", union]]],
        })
    };
    let fields = json!([["vl_api_spot_t", "spot"]]);
    // Only the newer side tells what selects a member.
    let pair = Pair::with_types(&types(false, false), fields.clone(), &types(true, true), fields.clone());
    let payload = [1, 0, 0, 0, 7];
    assert_eq!(pair.mapping(Send).unwrap().carry(&payload).unwrap(), [6, 0, 0, 0, 0, 0, 0, 0, 7]);
    assert_eq!(pair.mapping(Send).unwrap().carry(&[0, 4, 0, 0, 0]).unwrap(), [5, 4, 0, 0, 0, 0, 0, 0, 0]);
    let error = pair.mapping(Send).unwrap().carry(&[9, 4, 0, 0, 0]).unwrap_err();
    assert_eq!(*error.obstacle, Obstacle::NoMember { member: "9".to_owned() });
    // Nobody tells.
    let pair = Pair::with_types(&types(false, false), fields.clone(), &types(true, false), fields);
    assert_eq!(pair.mapping(Send).unwrap_err().obstacle.as_ref(), &Obstacle::NoDiscriminator);
}

#[test]
fn what_has_nothing_in_common_is_refused() {
    let pair = Pair::new(json!([["u8", "a"]]), json!([["u8", "b"]]));
    assert_eq!(pair.mapping(Send).unwrap_err().obstacle.as_ref(), &Obstacle::NothingInCommon);
    let pair = Pair::new(json!([["u8", "a"], ["f64", "x"]]), json!([["u8", "a"], ["u64", "x"]]));
    assert_eq!(pair.mapping(Send).unwrap_err().to_string(), "set: x: f64 does not become u64");
}

/// Messages that two releases have otherwise, by name.
fn changed<'a>(from: &'a Api, to: &'a Api) -> impl Iterator<Item = (MessageId, MessageId)> + 'a {
    (0..).map(MessageId).zip(&from.messages).filter_map(|(mine, message)| {
        let (theirs, other) = to.find_message(&message.name)?;
        (other.crc != message.crc).then_some((mine, theirs))
    })
}

/// Two releases and the messages that they have otherwise.
type Releases = (Api, Api, Vec<(MessageId, MessageId)>);

/// Fields of the same name that are there on both sides have the same value.
fn agree(path: &str, mine: &Value, theirs: &Value) {
    match (mine, theirs) {
        (Value::Object(mine), Value::Object(theirs)) => {
            for (name, mine) in mine.iter().filter(|(name, _)| !name.starts_with('_')) {
                if let Some(theirs) = theirs.get(name) {
                    agree(&format!("{path}.{name}"), mine, theirs);
                }
            }
        }
        (Value::Array(mine), Value::Array(theirs)) if mine.len() == theirs.len() => {
            mine.iter().zip(theirs).for_each(|(mine, theirs)| agree(path, mine, theirs));
        }
        // What selects a member of a union is told by one side only.
        (Value::Object(_), Value::String(_)) | (Value::String(_), Value::Object(_)) => {}
        // A number that became an enum or flags, or the other way round.
        (Value::Number(_), Value::String(_) | Value::Array(_))
        | (Value::String(_) | Value::Array(_), Value::Number(_)) => {}
        // A boolean that was a byte, bytes that were text, an array that grew.
        (Value::Bool(mine), Value::Number(theirs)) | (Value::Number(theirs), Value::Bool(mine)) => {
            assert_eq!(Some(u64::from(*mine)), theirs.as_u64(), "{path}");
        }
        (Value::String(mine), Value::String(theirs))
            if mine.starts_with("0x") != theirs.starts_with("0x") => {}
        // Bytes of a union of which no member counts, where one side has a larger member.
        (Value::String(mine), Value::String(theirs)) if mine.starts_with("0x") => {
            assert_eq!(mine.trim_end_matches('0'), theirs.trim_end_matches('0'), "{path}");
        }
        (mine, theirs) => assert_eq!(mine, theirs, "{path}"),
    }
}

/// Mappings of neighbouring releases, both ways, and what the comparison says of them.
#[test]
fn neighbouring_releases() {
    let (mut carried, mut refused) = (0, Vec::new());
    let releases = all_pinned();
    for pair in releases.windows(2) {
        for (from, to) in [(&pair[0], &pair[1]), (&pair[1], &pair[0])] {
            for (mine, theirs) in changed(from, to) {
                let name = &from.message(mine).name;
                let change = from.compare_message(mine, to, theirs).expect("changed");
                let is_mappable = matches!(change.verdict, Verdict::Mappable { .. });
                for rules in [Send, Read] {
                    match Mapping::new(from, mine, to, theirs, rules) {
                        Ok(mapping) => {
                            assert!(is_mappable, "{name}: {}", change.verdict);
                            carried += 1;
                            let neutral = from.encode_payload(mine, &json!({})).unwrap();
                            if let Ok(bytes) = mapping.carry(&neutral) {
                                let decoded = to.decode_payload(theirs, &bytes).unwrap();
                                let given = from.decode_payload(mine, &neutral).unwrap();
                                agree(name, &Value::Object(given), &Value::Object(decoded));
                            }
                        }
                        Err(error) => refused.push(format!("{rules:?} {error}")),
                    }
                }
            }
        }
    }
    assert!(carried > 600, "{carried}");
    refused.sort();
    refused.dedup();
    insta::assert_snapshot!(format!("{carried} carried\n{}", refused.join("\n")));
}

/// Whatever the overlay declares can be carried over, requests and answers, in every release that has both.
#[test]
fn every_declared_pair_maps() {
    let releases = all_pinned();
    for pair in successors() {
        let mut releases_with_both = 0;
        for api in &releases {
            let Some((earlier, later)) = api.find_message(pair.earlier).zip(api.find_message(pair.later))
            else {
                continue;
            };
            releases_with_both += 1;
            let earlier_refused = Mapping::new(api, earlier.0, api, later.0, Send).err();
            // Upwards an index may be missing; downwards everything goes.
            let is_index = earlier_refused
                .as_ref()
                .is_some_and(|error| matches!(*error.obstacle, Obstacle::Missing { .. }));
            assert!(earlier_refused.is_none() || is_index, "{earlier_refused:?}");
            Mapping::new(api, later.0, api, earlier.0, Send).unwrap();
            let answers = |id| match api.answer(id).expect("a request") {
                Answer::Reply(reply) => vec![reply],
                Answer::Details(details) => vec![details],
                Answer::Stream { details, reply } => vec![details, reply],
                Answer::Nothing => vec![],
            };
            for (mine, theirs) in answers(earlier.0).into_iter().zip(answers(later.0)) {
                Mapping::new(api, mine, api, theirs, Read).unwrap();
                Mapping::new(api, theirs, api, mine, Read).unwrap();
            }
        }
        assert!(releases_with_both > 0 || pair.earlier.starts_with("http_static"), "{pair:?}");
        assert!(!pair.why.is_empty());
    }
    assert_eq!(
        counterparts("http_static_enable_v3"),
        ["http_static_enable_v4", "http_static_enable_v5", "http_static_enable_v2", "http_static_enable"]
    );
    assert!(counterparts("show_version").is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Bytes of a peer: carried over or refused, never a panic; what was carried over is what the codec reads.
    #[test]
    fn any_bytes(
        pick in any::<prop::sample::Index>(),
        bytes in proptest::collection::vec(prop_oneof![3 => Just(0_u8), 1 => 1..4_u8, 1 => any::<u8>()], 0..600),
    ) {
        thread_local! {
            static PAIRS: Vec<Releases> = {
                let releases = all_pinned();
                let ends = [(0, 13), (13, 0), (5, 13), (0, 1), (12, 13), (13, 12)];
                ends.into_iter().map(|(from, to)| {
                    let (from, to) = (releases[from].clone(), releases[to].clone());
                    let changed: Vec<_> = changed(&from, &to).collect();
                    (from, to, changed)
                }).collect()
            };
        }
        PAIRS.with(|pairs| {
            let (from, to, changed) = pick.get(pairs);
            let (mine, theirs) = *pick.get(changed);
            for rules in [Send, Read, Strict] {
                let Ok(mapping) = Mapping::new(from, mine, to, theirs, rules) else { continue };
                let Ok(carried) = mapping.carry(&bytes) else { continue };
                // Bytes that stay as they are are not looked at.
                let Ok(here) = from.decode_payload(mine, &bytes) else {
                    prop_assert!(mapping.is_identity());
                    continue;
                };
                let there = to.decode_payload(theirs, &carried).expect("a message of the other side");
                agree(&from.message(mine).name, &Value::Object(here), &Value::Object(there));
                // There and back again: what the other side has room for comes back.
                if !mapping.is_identity()
                    && let Ok(back) = Mapping::new(to, theirs, from, mine, Send)
                    && let Ok(returned) = back.carry(&carried)
                {
                    prop_assert_eq!(mapping.carry(&returned).expect("it went there before"), carried);
                }
            }
            Ok(())
        })?;
    }
}
