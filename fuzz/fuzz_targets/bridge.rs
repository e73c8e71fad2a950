//! Bytes as a message of one release, carried over to another: an error, or what the dynamic codec reads there.
//!
//! The first two bytes choose the message and the direction, the rest is its payload.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use vpp_schema::bridge::{Mapping, Rules};
use vpp_schema::{Api, MessageId};

/// Mappings between 20.09 and 26.06, both ways, of all messages that differ.
static MAPPINGS: LazyLock<Vec<(&Api, MessageId, Mapping)>> = LazyLock::new(|| {
    let [old, new] = ["20.09", "26.06"].map(|release| vpp_api_json::api(release).expect("pinned"));
    let mut mappings = Vec::new();
    for (from, to) in [(old, new), (new, old)] {
        for (mine, message) in (0..).map(MessageId).zip(&from.messages) {
            let Some((theirs, _)) = to.find_message(&message.name) else { continue };
            for rules in [Rules::Request, Rules::Answer, Rules::StrictAnswer] {
                let mapping = Mapping::new(from, mine, to, theirs, rules);
                mappings.extend(mapping.ok().filter(|it| !it.is_identity()).map(|it| (to, theirs, it)));
            }
        }
    }
    mappings
});

fuzz_target!(|data: &[u8]| {
    let Some((choice, payload)) = data.split_first_chunk() else { return };
    let (to, theirs, mapping) = &MAPPINGS[usize::from(u16::from_be_bytes(*choice)) % MAPPINGS.len()];
    if let Ok(carried) = mapping.carry(payload) {
        to.decode_payload(*theirs, &carried).expect("a message of the other release");
    }
});
