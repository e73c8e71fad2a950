//! The JSON form through the types against that of the dynamic codec: the same text, the same bytes, the same errors.

#[path = "typed/payload.rs"]
mod payload;

use payload::Choices;
use proptest::prelude::*;
use serde_json::{Map, Value};
use vpp_messages::registry::{self, Entry, Error};
use vpp_schema::{Api, CodecError, MessageId};

fn api(release: &str) -> &'static Api {
    vpp_api_json::api(release).expect("pinned")
}

/// Every message of a release, with what the typed codec has for it.
fn messages(release: &str) -> impl Iterator<Item = (MessageId, &'static Entry)> {
    let api = api(release);
    (0..api.messages.len() as u32).map(MessageId).map(move |id| {
        let name = &api.message(id).name;
        let entry = registry::find_in(release, name);
        (id, entry.unwrap_or_else(|| panic!("no {name} in {release}")))
    })
}

fn typed_text(entry: &Entry, payload: &[u8]) -> Result<String, Error> {
    (entry.to_json)(payload).map(|json| json.to_string())
}

#[test]
fn the_golden_vectors_read_and_show_the_same() {
    let vectors = include_str!("../vectors/26.06.jsonl");
    let api = api("26.06");
    for line in vectors.lines() {
        let vector: Value = serde_json::from_str(line).unwrap();
        let name = vector["name"].as_str().unwrap();
        let hex = vector["hex"].as_str().unwrap();
        let (id, _) = api.find_message(name).unwrap();
        let entry = registry::find_in("26.06", name).unwrap();
        let bytes: Vec<u8> =
            (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect();
        let payload = &bytes[entry.info.header.len()..];
        let dynamic = Value::Object(api.decode_payload(id, payload).unwrap());
        assert_eq!(typed_text(entry, payload).unwrap(), dynamic.to_string(), "{name}");
        assert_eq!((entry.from_json)(&dynamic).unwrap(), api.encode_payload(id, &dynamic).unwrap(), "{name}");
    }
}

#[test]
fn nothing_given_is_the_default() {
    for release in registry::RELEASES {
        for (id, entry) in messages(release) {
            let empty = Value::Object(Map::new());
            let dynamic = api(release).encode_payload(id, &empty);
            assert_eq!((entry.from_json)(&empty).ok(), dynamic.ok(), "{} of {release}", entry.info.name);
        }
    }
}

/// Whether two forms differ by names alone that the type has and the definition of an older release has not: types
/// know enumerators that came later, and that a later release took an enum for flags.
fn has_more_names(typed: &Value, dynamic: &Value) -> bool {
    match (typed, dynamic) {
        (Value::Object(typed), Value::Object(dynamic)) => {
            typed.len() == dynamic.len()
                && typed
                    .iter()
                    .zip(dynamic)
                    .all(|((a, typed), (b, dynamic))| a == b && has_more_names(typed, dynamic))
        }
        (Value::String(_) | Value::Array(_), Value::Number(_)) | (Value::Array(_), Value::String(_)) => true,
        (Value::Array(typed), Value::Array(dynamic)) => {
            let names = |array: &[Value]| array.iter().all(|value| value.is_string() || value.is_number());
            let same = || typed.iter().zip(dynamic).all(|(typed, dynamic)| has_more_names(typed, dynamic));
            (typed.len() == dynamic.len() && same())
                || names(typed)
                    && names(dynamic)
                    && dynamic.iter().filter(|value| value.is_string()).all(|name| typed.contains(name))
        }
        (typed, dynamic) => typed == dynamic,
    }
}

/// What differs of one message of one release, both ways.
fn compare(release: &str, id: MessageId, entry: &Entry, payload: &[u8]) -> Result<(), String> {
    let api = api(release);
    let name = &api.message(id).name;
    let Ok(dynamic) = api.decode_payload(id, payload) else { return Ok(()) };
    let dynamic = Value::Object(dynamic);
    match typed_text(entry, payload) {
        Ok(typed) if *typed == *dynamic.to_string() => {}
        Ok(typed)
            if release != registry::RELEASES[0] && {
                let typed = serde_json::from_str(&typed).expect("what is shown is JSON");
                has_more_names(&typed, &dynamic) && same_bytes_of_both(release, id, entry, &typed, &dynamic)
            } => {}
        other => return Err(format!("{release} {name} shown:\n  typed   {other:?}\n  dynamic {dynamic}")),
    }
    same_bytes(release, id, entry, &dynamic)
}

/// Whether the two forms of a message are read as the same bytes.
fn same_bytes_of_both(release: &str, id: MessageId, entry: &Entry, typed: &Value, dynamic: &Value) -> bool {
    let (typed, dynamic) = ((entry.from_json)(typed), api(release).encode_payload(id, dynamic));
    matches!((typed, dynamic), (Ok(typed), Ok(dynamic)) if typed == dynamic)
}

/// Reads JSON with both: the same bytes, or the same error.
fn same_bytes(release: &str, id: MessageId, entry: &Entry, json: &Value) -> Result<(), String> {
    let api = api(release);
    let name = &api.message(id).name;
    match ((entry.from_json)(json), api.encode_payload(id, json)) {
        (Ok(typed), Ok(dynamic)) if typed == dynamic => Ok(()),
        (Err(Error::Json(typed)), Err(CodecError::Encode { path, fault, .. }))
            if typed.path == path && typed.fault == fault =>
        {
            Ok(())
        }
        (typed, dynamic) => Err(format!(
            "{release} {name} read from {json}:\n  typed   {typed:02x?}\n  dynamic {dynamic:02x?}"
        )),
    }
}

/// All differences at once: there are many messages.
fn report(differences: Vec<String>) {
    let shown: Vec<_> = differences.iter().take(12).cloned().collect();
    assert!(differences.is_empty(), "{} differ:\n{}", differences.len(), shown.join("\n"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, ..ProptestConfig::default() })]

    /// Messages that are right, of every release.
    #[test]
    fn any_value_of_every_message_of_every_release(bytes in prop::collection::vec(any::<u8>(), 64..2048)) {
        let mut differences = Vec::new();
        for release in registry::RELEASES {
            for (id, entry) in messages(release) {
                let payload = payload::payload(api(release), id, &mut Choices(&bytes));
                differences.extend(compare(release, id, entry, &payload).err());
            }
        }
        report(differences);
    }

    /// JSON of which one value is another: what one codec refuses, the other refuses for the same reason at the same
    /// path.
    #[test]
    fn damaged_json(
        bytes in prop::collection::vec(any::<u8>(), 64..2048),
        place in any::<usize>(),
        kind in 0..12_u8,
    ) {
        let mut differences = Vec::new();
        for (id, entry) in messages("26.06") {
            let payload = payload::payload(api("26.06"), id, &mut Choices(&bytes));
            let Ok(fields) = api("26.06").decode_payload(id, &payload) else { continue };
            let mut json = Value::Object(fields);
            let mut places = places(&mut json);
            places = place % places.max(1);
            damage(&mut json, &mut places, kind);
            let same = same_bytes("26.06", id, entry, &json);
            differences.extend(same.err().filter(|_| !means_the_same("26.06", id, entry, &json)));
        }
        report(differences);
    }
}

/// Whether both read JSON as bytes of the same meaning: an address that is given as raw bytes without its family keeps
/// those that do not count with the dynamic codec, where the type has no place for them.
fn means_the_same(release: &str, id: MessageId, entry: &Entry, json: &Value) -> bool {
    let api = api(release);
    match ((entry.from_json)(json), api.encode_payload(id, json)) {
        (Ok(typed), Ok(dynamic)) => api
            .decode_payload(id, &typed)
            .ok()
            .is_some_and(|typed| Ok(typed) == api.decode_payload(id, &dynamic)),
        _ => false,
    }
}

/// How many values there are in a value.
fn places(json: &mut Value) -> usize {
    1 + match json {
        Value::Array(elements) => elements.iter_mut().map(places).sum(),
        Value::Object(fields) => fields.values_mut().map(places).sum(),
        _ => 0,
    }
}

/// Changes the value that is `place` values further.
fn damage(json: &mut Value, place: &mut usize, kind: u8) {
    if *place == 0 {
        *place = usize::MAX;
        match (kind, &mut *json) {
            (0, _) => *json = Value::Null,
            (1, _) => *json = 70_000.into(),
            (2, _) => *json = "0x0102".into(),
            (3, _) => *json = "nothing of the kind".into(),
            (4, _) => *json = Value::Array(vec![1.into()]),
            (5, _) => *json = (-1).into(),
            (6, _) => *json = 1.5.into(),
            (7, Value::Object(fields)) => drop(fields.insert("sw_if_indx".to_owned(), 1.into())),
            (8, Value::Object(fields)) => {
                let first = fields.keys().next().cloned();
                first.map(|name| fields.shift_remove(&name));
            }
            (9, Value::Array(elements)) => drop(elements.pop()),
            (10, Value::Object(fields)) => fields.clear(),
            _ => *json = true.into(),
        }
        return;
    }
    *place -= 1;
    let inner: Vec<&mut Value> = match json {
        Value::Array(elements) => elements.iter_mut().collect(),
        Value::Object(fields) => fields.values_mut().collect(),
        _ => Vec::new(),
    };
    for value in inner {
        if *place == usize::MAX {
            return;
        }
        damage(value, place, kind);
    }
}
