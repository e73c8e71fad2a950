//! The definitions as a running VPP tells them.
//!
//! VPP's own files repeat the types of what they import, and it tells neither of `memclnt` nor of modules without
//! messages. Comments are not pinned, so there are none.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value, json};
use vpp_schema::Api;

use crate::message_table::MessageTable;

/// The module that VPP has built in.
const BUILT_IN: &str = "memclnt";

/// The keys that hold types, as lists.
const TYPE_LISTS: [&str; 4] = ["types", "unions", "enums", "enumflags"];

/// The JSON array that `get_api_json` answers with.
pub(super) fn of_running(api: &Api, table: &MessageTable) -> String {
    let pins: HashMap<String, Map<String, Value>> = api
        .to_pins()
        .into_iter()
        .filter_map(|source| Some((source.name, serde_json::from_str(&source.text).ok()?)))
        .collect();
    let is_told = |message: &vpp_schema::MessageId| table.id(*message).is_some();
    let files: Vec<Value> = api
        .modules
        .iter()
        .filter(|module| module.name != BUILT_IN && module.messages.first().is_some_and(is_told))
        .map(|module| file(&module.name, &pins))
        .collect();
    Value::Array(files).to_string()
}

/// One module in the form of VPP's file.
fn file(module: &str, pins: &HashMap<String, Map<String, Value>>) -> Value {
    let mut order = Vec::new();
    with_imports(module, pins, &mut order, &mut HashSet::new());
    let get = |module: &str, key: &str| pins.get(module).and_then(|pin| pin.get(key)).cloned();

    let mut file = json!({"module": module});
    for key in TYPE_LISTS {
        let lists = order.iter().filter_map(|module| get(module, key)?.as_array().cloned());
        file[key] = lists.flatten().collect();
    }
    let aliases = order.iter().filter_map(|module| get(module, "aliases")?.as_object().cloned());
    file["aliases"] = Value::Object(aliases.flatten().collect());
    let messages = get(module, "messages").and_then(|list| list.as_array().cloned()).unwrap_or_default();
    file["messages"] = messages.into_iter().map(message).collect();
    for (key, empty) in [
        ("services", json!({})),
        ("options", json!({})),
        ("vl_api_version", json!("")),
        ("imports", json!([])),
        ("counters", json!([])),
        ("paths", json!([])),
    ] {
        file[key] = get(module, key).unwrap_or(empty);
    }
    if let Some(imports) = file["imports"].as_array_mut() {
        for import in imports {
            *import = format!("{}.api", import.as_str().unwrap_or_default()).into();
        }
    }
    file
}

/// The module and all it imports, those first that others build on.
fn with_imports<'a>(
    module: &'a str,
    pins: &'a HashMap<String, Map<String, Value>>,
    order: &mut Vec<&'a str>,
    seen: &mut HashSet<&'a str>,
) {
    if !seen.insert(module) {
        return;
    }
    let imports = pins.get(module).and_then(|pin| pin.get("imports")).and_then(Value::as_array);
    for import in imports.into_iter().flatten().filter_map(Value::as_str) {
        with_imports(import, pins, order, seen);
    }
    order.push(module);
}

/// A message with the id field and the options that pins leave out.
fn message(mut message: Value) -> Value {
    if let Some(parts) = message.as_array_mut() {
        parts.insert(1.min(parts.len()), json!(["u16", "_vl_msg_id"]));
        if let Some(trailer) = parts.last_mut().and_then(Value::as_object_mut) {
            trailer.entry("options").or_insert_with(|| json!({}));
        }
    }
    message
}
