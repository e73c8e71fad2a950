//! The dynamic codec against the bytes of VPP's own Python client: `tests/vectors/README.md` says how they were made.

#[path = "typed/vectors.rs"]
mod vectors;

use std::collections::HashSet;

use serde_json::{Map, Value};
use vectors::{Vector, vectors};
use vpp_schema::{Api, MessageHead};

fn golden(api: &Api) -> Vec<Vector> {
    vectors(api, include_str!("../vectors/26.06.jsonl"))
}

/// Floating-point numbers are the host's order on the wire; the vectors are those of a little-endian VPP.
#[cfg(target_endian = "little")]
#[test]
fn every_vector_both_ways() {
    let api = vpp_api_json::api("26.06").unwrap();
    let mut names = HashSet::new();
    let mut wrong = Vec::new();
    for vector in golden(api) {
        wrong.extend(vectors::check_dynamic(api, &vector).err());
        let Vector { name, id, bytes, .. } = vector;
        if names.insert(name.clone()) {
            // The first line of a message is that of its defaults.
            let encoded =
                api.encode_message(id, &MessageHead::default(), &Value::Object(Map::new())).unwrap();
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
    for Vector { name, id, bytes, .. } in golden(api) {
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
