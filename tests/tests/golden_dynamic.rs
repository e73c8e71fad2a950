//! The dynamic codec against the bytes of VPP's own Python client: `tests/vectors/README.md` says how they were made.

use std::collections::HashSet;

use serde_json::{Map, Value};
use vpp_schema::{Api, MessageHead, MessageId};

/// One line: a whole message with id, client index and context zero, and the JSON form of its fields.
struct Vector {
    name: String,
    id: MessageId,
    fields: Map<String, Value>,
    bytes: Vec<u8>,
}

fn vectors(api: &Api) -> Vec<Vector> {
    include_str!("../vectors/26.06.jsonl")
        .lines()
        .map(|line| {
            let mut line: Map<String, Value> = serde_json::from_str(line).expect("a line is an object");
            let name = line["name"].as_str().expect("name is text").to_owned();
            let (id, message) = api.find_message(&name).unwrap_or_else(|| panic!("no {name}"));
            assert_eq!(line["crc"], format!("{:08x}", message.crc), "CRC of {name}");
            let bytes = bytes_of(line["hex"].as_str().expect("hex is text"));
            let Some(Value::Object(fields)) = line.remove("fields") else { panic!("fields of {name}") };
            Vector { name, id, fields, bytes }
        })
        .collect()
}

fn bytes_of(hex: &str) -> Vec<u8> {
    let pairs = (0..hex.len()).step_by(2).map(|at| &hex[at..at + 2]);
    pairs.map(|pair| u8::from_str_radix(pair, 16).expect("hex is hexadecimal")).collect()
}

/// Floating-point numbers are the host's order on the wire; the vectors are those of a little-endian VPP.
#[cfg(target_endian = "little")]
#[test]
fn every_vector_both_ways() {
    let api = vpp_api_json::api("26.06").unwrap();
    let head = MessageHead::default();
    let mut names = HashSet::new();
    let mut wrong = Vec::new();
    for Vector { name, id, fields, bytes } in vectors(api) {
        let given = Value::Object(fields.clone());
        match api.encode_message(id, &head, &given) {
            Ok(encoded) if encoded == bytes => {}
            other => wrong.push(format!("{name} {given}\n  encoded {other:x?}\n  instead {bytes:x?}")),
        }
        match api.decode_message(id, &bytes) {
            Ok((read, mut shown)) => {
                assert_eq!(read, head, "header of {name}");
                assert_eq!(shown.shift_remove("_msgname"), Some(name.as_str().into()));
                assert!(shown.shift_remove("_crc").is_some());
                // Order counts too: that of the definition.
                if serde_json::to_string(&shown).unwrap() != serde_json::to_string(&fields).unwrap() {
                    wrong.push(format!("{name} decoded {}\n  instead {given}", Value::Object(shown)));
                }
            }
            Err(error) => wrong.push(format!("{name} decoded: {error}")),
        }
        if names.insert(name.clone()) {
            // The first line of a message is that of its defaults.
            let encoded = api.encode_message(id, &head, &Value::Object(Map::new())).unwrap();
            assert_eq!(encoded, bytes, "defaults of {name}");
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong, among them:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(5)].join("\n")
    );
    assert_eq!(names.len(), api.messages.len(), "every message has its vectors");
}

#[test]
fn every_shorter_vector_is_refused() {
    let api = vpp_api_json::api("26.06").unwrap();
    for Vector { name, id, bytes, .. } in vectors(api) {
        // All of them for most; for the largest messages, a sample.
        for len in (0..bytes.len()).step_by(1 + bytes.len() / 400) {
            assert!(
                api.decode_message(id, &bytes[..len]).is_err(),
                "{len} of {} bytes of {name}",
                bytes.len()
            );
        }
    }
}
