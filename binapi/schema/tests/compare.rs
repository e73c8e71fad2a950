//! What differs between two APIs: a small pair of definitions per kind of difference, and neighbouring releases.

mod definitions;

use definitions::{read, read_one, releases};
use serde_json::{Value, json};
use vpp_schema::{Api, Comparison, DifferenceKind, Verdict};

/// Fields of one message that differ, as text.
fn fields(from: Value, to: Value) -> String {
    let api = |fields: Value, crc: &str| read_one(with_fields(fields, crc));
    api(from, "0x00000001").compare(&api(to, "0x00000002")).to_string()
}

/// A message with these fields beside some types.
fn with_fields(fields: Value, crc: &str) -> Value {
    let mut message = vec![json!("set"), json!(["u16", "_vl_msg_id"]), json!(["u32", "context"])];
    message.extend(fields.as_array().expect("a list").iter().cloned());
    message.push(json!({"crc": crc}));
    json!({
        "types": [["pair", ["u8", "a"], ["u8", "b"]], ["couple", ["u8", "a"], ["u8", "b"]]],
        "enums": [["color", ["RED", 0], ["BLUE", 1], {"enumtype": "u8"}]],
        "messages": [message],
    })
}

/// A message that holds the type `outer` twice, beside these types.
fn with_types(types: Value, crc: &str) -> Api {
    let mut file = types;
    file["messages"] = json!([
        ["set", ["u16", "_vl_msg_id"], ["u32", "context"], ["vl_api_outer_t", "first"],
            ["vl_api_outer_t", "second", 2], {"crc": crc}],
    ]);
    read_one(file)
}

fn types(from: Value, to: Value) -> Comparison {
    with_types(from, "0x00000001").compare(&with_types(to, "0x00000002"))
}

#[test]
fn the_same_compares_to_nothing() {
    let api = read_one(with_fields(json!([["u8", "a"]]), "0x00000001"));
    let comparison = api.compare(&api);
    assert!(comparison.is_empty());
    assert_eq!(comparison.to_string(), "nothing differs\n");
}

#[test]
fn fields_come_go_and_move() {
    insta::assert_snapshot!(fields(
        json!([["u8", "gone"], ["u8", "a"], ["u16", "old_name"], ["u8", "b"], ["u8", "c"], ["u32", "d"]]),
        json!([["u8", "b"], ["u8", "c"], ["u8", "a"], ["u16", "new_name"], ["u32", "d"], ["u32", "new", {"default": 7}]])
    ));
}

#[test]
fn fields_get_other_types() {
    insta::assert_snapshot!(
        fields(
            json!([
                ["u8", "wider"],
                ["u32", "signed"],
                ["u8", "named"],
                ["vl_api_pair_t", "renamed"],
                ["u64", "torn"],
                ["u8", "text", 16],
                ["u8", "longer", 6],
                ["string", "label", 8],
                ["u8", "count"],
                ["vl_api_pair_t", "listed", 4],
            ]),
            json!([
                ["u32", "wider"],
                ["i32", "signed"],
                ["vl_api_color_t", "named"],
                ["vl_api_couple_t", "renamed"],
                ["vl_api_pair_t", "torn"],
                ["string", "text", 64],
                ["u8", "longer", 8],
                ["string", "label", 0],
            ]),
        )
        .replace("label", "name")
    );
    insta::assert_snapshot!(
        "lists",
        fields(
            json!([["u8", "n"], ["vl_api_pair_t", "pairs", 4], ["u8", "bytes", 0, "n"]]),
            json!([["u8", "m"], ["vl_api_pair_t", "pairs", 4], ["u8", "bytes", 0, "m"]]),
        )
    );
}

#[test]
fn defaults_and_limits_are_told_without_a_change_of_the_message() {
    let api = |fields| read_one(with_fields(fields, "0x00000001"));
    let from = api(json!([["u8", "a", {"default": 1}], ["u8", "b"], ["string", "c", 64, {"limit": 10}]]));
    let to = api(json!([["u8", "a", {"default": 2}], ["u8", "b", {"default": 3}], ["string", "c", 64]]));
    let comparison = from.compare(&to);
    assert!(comparison.messages.changed.is_empty());
    assert_eq!(comparison.messages.refined[0].verdict, Verdict::Same);
    insta::assert_snapshot!(comparison);
}

#[test]
fn enumerators_come_go_and_are_renumbered() {
    let file = |enums: Value| json!({"enums": enums, "types": [["outer", ["vl_api_color_t", "color"]]]});
    let from =
        file(json!([["color", ["RED", 0], ["GREEN", 1], ["BLUE", 2], ["GONE", 9], {"enumtype": "u8"}]]));
    let to = file(json!([["color", ["RED", 0], ["LIME", 1], ["BLUE", 3], ["NEW", 4], {"enumtype": "u32"}]]));
    insta::assert_snapshot!(types(from, to));
}

#[test]
fn members_of_unions_come_and_go_and_get_a_discriminator() {
    let file = |members: Value, un: Value| {
        json!({
            "enums": [["kind", ["ONE", 1], ["TWO", 2], {"enumtype": "u8"}]],
            "unions": [members],
            "types": [["outer", ["vl_api_kind_t", "kind"], un]],
        })
    };
    let from = file(json!(["any", ["u8", "one", 4], ["u32", "gone"]]), json!(["vl_api_any_t", "un"]));
    let to = file(
        json!(["any", ["u8", "one", 4, {"case": "ONE"}], ["u16", "two", {"case": "TWO"}]]),
        json!(["vl_api_any_t", "un", {"discriminator": "kind"}]),
    );
    insta::assert_snapshot!(types(from, to));
}

#[test]
fn definitions_become_something_else() {
    let from = json!({
        "aliases": {"index": {"type": "u32"}, "bytes": {"type": "u8", "length": 4}},
        "types": [["inner", ["u8", "a"]], ["outer", ["vl_api_inner_t", "inner"], ["vl_api_index_t", "index"], ["vl_api_bytes_t", "bytes"]]],
        "enumflags": [["flags", ["F", 1], {"enumtype": "u8"}]],
    });
    let to = json!({
        "aliases": {"index": {"type": "u64"}, "bytes": {"type": "u8", "length": 16}},
        "unions": [["inner", ["u8", "a"]]],
        "types": [["outer", ["vl_api_inner_t", "inner"], ["vl_api_index_t", "index"], ["vl_api_bytes_t", "bytes"]]],
        "enums": [["flags", ["F", 1], {"enumtype": "u8"}]],
    });
    insta::assert_snapshot!(types(from, to));
}

#[test]
fn the_words_before_the_payload_and_unknown_reasons_are_told() {
    let message = |words: Value, crc: &str| {
        let mut line = vec![json!("set"), json!(["u16", "_vl_msg_id"])];
        line.extend(words.as_array().expect("a list").iter().cloned());
        line.push(json!({"crc": crc}));
        read_one(json!({"messages": [line]}))
    };
    let with = message(json!([["u32", "client_index"], ["u32", "context"]]), "0x00000001");
    let without = message(json!([["u32", "client_index"]]), "0x00000001");
    let other = message(json!([["u32", "client_index"]]), "0x00000002");
    // The same CRC with other bytes, as 78 messages of VPP 20.01 have it.
    insta::assert_snapshot!(with.compare(&without));
    assert_eq!(
        without.compare(&other).messages.changed[0].to_string(),
        "  ~ set (test): 00000001 -> 00000002\n      another CRC, for a reason that the definitions do not tell\n      \
         can be translated\n"
    );
}

#[test]
fn modules_options_and_services_are_compared() {
    let message = |name: &str, options: Value| json!([name, ["u16", "_vl_msg_id"], ["u32", "context"], {"crc": "0x00000001", "options": options}]);
    let file = |messages: Value, services: Value, version: &str| json!({"messages": messages, "services": services, "options": {"version": version}, "imports": []});
    let from = read(&[
        (
            "a",
            file(
                json!([
                    message("get", json!({})),
                    message("get_reply", json!({})),
                    message("tell", json!({})),
                    message("tell_reply", json!({})),
                    message("tell_details", json!({}))
                ]),
                json!({"get": {"reply": "get_reply"}, "tell": {"reply": "tell_reply"}}),
                "1.0.0",
            ),
        ),
        (
            "gone",
            file(
                json!([message("old", json!({})), message("moved", json!({"in_progress": null}))]),
                json!({}),
                "1.0.0",
            ),
        ),
    ])
    .expect("sound");
    let to = read(&[
        (
            "a",
            file(
                json!([
                    message("get", json!({"deprecated": null, "replaced_by": "get_v2"})),
                    message("get_reply", json!({})),
                    message("tell", json!({})),
                    message("tell_reply", json!({})),
                    message("tell_details", json!({}))
                ]),
                json!({"tell": {"reply": "tell_reply", "stream": true, "stream_msg": "tell_details"}}),
                "1.1.0",
            ),
        ),
        ("new", file(json!([message("get_v2", json!({})), message("moved", json!({}))]), json!({}), "0.1.0")),
    ])
    .expect("sound");
    let comparison = from.compare(&to);
    insta::assert_snapshot!(comparison);
    insta::assert_snapshot!("as_json", serde_json::to_string_pretty(&comparison.to_json()).expect("JSON"));
}

/// A type that holds another twice, and that another twice, 40 times over: told once, not 2^40 times.
#[test]
fn a_change_deep_below_is_told_once() {
    let tower = |leaf: &str| {
        let mut types = vec![json!(["t0", [leaf, "x"]])];
        for level in 1..40 {
            let inner = format!("vl_api_t{}_t", level - 1);
            types.push(json!([format!("t{level}"), [inner, "l"], [inner, "r"]]));
        }
        types.push(json!(["outer", ["vl_api_t39_t", "top"]]));
        json!({"types": types})
    };
    let comparison = types(tower("u8"), tower("u16"));
    let differences = &comparison.messages.changed[0].differences;
    assert_eq!(differences.len(), 1 + 39 + 1, "{differences:#?}");
    assert!(differences[0].to_string().ends_with(".l.x: resized, u8 -> u16"), "{}", differences[0]);
}

#[test]
fn from_26_02_to_26_06() {
    let releases = releases();
    let api = |wanted: &str| {
        let (_, folder) = releases.iter().find(|(release, _)| release == wanted)?;
        Some(Api::read_dir(folder).unwrap_or_else(|error| panic!("{error}")))
    };
    let (Some(from), Some(to)) = (api("26.02"), api("26.06")) else { return };
    let comparison = from.compare(&to);
    let messages = &comparison.messages;
    assert_eq!((messages.changed.len(), messages.removed.len(), messages.added.len()), (7, 4, 88));
    let told: String = messages.changed.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(told);
    let back = to.compare(&from);
    assert_eq!((back.messages.removed.len(), back.messages.added.len()), (88, 4));
    let untold = "for a reason that the definitions do not tell";
    assert!(!told.contains(untold), "{told}");
}

/// Every change between neighbouring releases is explained, whichever way one looks.
#[test]
fn neighbouring_releases_explain_each_change() {
    let releases: Vec<(String, Api)> = releases()
        .into_iter()
        .map(|(release, folder)| (release, Api::read_dir(&folder).unwrap_or_else(|error| panic!("{error}"))))
        .collect();
    for pair in releases.windows(2) {
        let [(earlier, from), (later, to)] = pair else { panic!("pairs") };
        let comparison = from.compare(to);
        assert_eq!(comparison.messages.changed.len(), to.compare(from).messages.changed.len());
        for changed in &comparison.messages.changed {
            let is_untold = changed.differences.iter().any(|it| it.kind == DifferenceKind::Untold);
            let hash = |api: &Api| api.layout_hash(api.find_message(&changed.item.name).expect("there").0);
            // Between these two VPP's tool began to compute CRCs in another way.
            let is_explained = !is_untold || (earlier == "20.09" && hash(from) == hash(to));
            assert!(is_explained, "{earlier} to {later}: {changed}");
        }
    }
}
