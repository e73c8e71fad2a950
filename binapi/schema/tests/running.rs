//! Definitions as a running VPP tells them.

mod definitions;

use definitions::{owners, pinned, releases, without_comments};
use serde_json::{Value, json};
use vpp_schema::{Api, Group, MessageId, ReadError};

/// What `get_api_json` of a VPP would answer: the modules that have messages, without memclnt and a few more.
fn answer(api: &Api, files: &std::path::Path, lacks: &[&str], names_modules: bool) -> String {
    let mut modules = Vec::new();
    for module in api.modules.iter().filter(|module| !module.messages.is_empty()) {
        if lacks.contains(&module.name.as_str()) {
            continue;
        }
        let group = if module.group == Group::Core { "core" } else { "plugins" };
        let text = std::fs::read_to_string(files.join(group).join(format!("{}.api.json", module.name)));
        let mut json: serde_json::Map<String, Value> =
            serde_json::from_str(&text.expect("a file of each module")).expect("an object");
        json.insert("module".to_owned(), json!(module.name));
        if !names_modules {
            json.remove("module");
        }
        modules.push(Value::Object(json));
    }
    // The C string's end is part of the answer.
    format!("{}\0", Value::Array(modules))
}

#[test]
fn completed_by_the_pins_of_its_release_it_is_the_whole_release() {
    let Some((_, folder)) = releases().into_iter().find(|(release, _)| release == "26.06") else { return };
    let pinned = pinned();
    for names_modules in [true, false] {
        let answer = answer(&pinned, &folder, &["memclnt", "sr_mpls", "ioam_cache"], names_modules);
        let api = Api::from_running(&answer, Some(&pinned)).unwrap_or_else(|error| panic!("{error}"));
        assert!(without_comments(api) == pinned);
    }
}

#[test]
fn alone_or_completed_by_another_release_it_keeps_its_own_definitions() {
    let releases = releases();
    let Some((_, folder)) = releases.iter().find(|(release, _)| release == "24.06") else { return };
    let whole = Api::read_dir(folder).unwrap();
    let answer = answer(&whole, folder, &["memclnt"], false);
    let alone = Api::from_running(&answer, None).unwrap_or_else(|error| panic!("{error}"));
    assert!(alone.modules.iter().all(|module| module.name.starts_with("unnamed_")));
    assert!(alone.find_message("sockclnt_create").is_none());
    // Modules that only define types are not told: a module that uses them owns their types.
    assert_eq!(owners(&alone, "address").len(), 1);
    let completed = Api::from_running(&answer, Some(&pinned())).unwrap_or_else(|error| panic!("{error}"));
    assert!(completed.find_message("sockclnt_create").is_some());
    for api in [&alone, &completed] {
        for (id, message) in (0..).map(MessageId).zip(&whole.messages) {
            if whole.module(message.module).name == "memclnt" {
                continue;
            }
            let (told, found) = api.find_message(&message.name).unwrap();
            assert_eq!(
                (found.crc, api.layout_hash(told)),
                (message.crc, whole.layout_hash(id)),
                "{}",
                message.name
            );
        }
    }
}

#[test]
fn what_contradicts_the_answer_is_left_out() {
    let message =
        |name: &str| json!([[name, ["u16", "_vl_msg_id"], ["vl_api_address_t", "a"], {"crc": "0x1"}]]);
    let module = |name: &str, imports: &[&str], messages: Value, address: &str| json!({"module": name, "imports": imports, "messages": messages, "types": [["address", [address, "x"]]]});
    let complete = Api::from_running(
        &json!([
            module("ip_types", &[], json!([]), "u32"),
            module("far", &["ip_types.api"], message("far_ask"), "u32"),
            module("moved", &["ip_types.api"], message("ask"), "u32"),
        ])
        .to_string(),
        None,
    )
    .unwrap();
    let told = json!([module("ip", &["ip_types.api"], message("ask"), "u64")]).to_string();
    let api = Api::from_running(&told, Some(&complete)).unwrap();
    let modules: Vec<&str> = api.modules.iter().map(|module| module.name.as_str()).collect();
    // ip_types means another address, moved has a message of ip; far stands alone with its own address.
    assert_eq!(modules, ["far", "ip"]);
    assert_eq!(owners(&api, "address"), ["far", "ip"]);
    let size = |name: &str| api.layout_of(api.find_message(name).unwrap().1.fields[0].ty).min_len();
    assert_eq!((size("ask"), size("far_ask")), (8, 4));
}

#[test]
fn an_answer_that_is_none_is_called_by_its_name() {
    let error = Api::from_running("{}", None).unwrap_err().to_string();
    assert!(error.starts_with("get_api_json: the answer should be a list of modules"), "{error}");
    let error = Api::from_running("[", None).unwrap_err();
    assert!(matches!(&error, ReadError::NotJson { origin, .. } if origin == "get_api_json"), "{error}");
    let error = Api::from_running(r#"[{"module": "../x", "types": []}]"#, None).unwrap_err().to_string();
    assert!(error.contains("\"../x\" is no name"), "{error}");
    assert_eq!(Api::from_running("[]", None).unwrap().modules.len(), 0);
}
