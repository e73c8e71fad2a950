//! What bytes of a peer can make the typed codec allocate: a small multiple of their own length.

#[path = "typed/payload.rs"]
mod payload;

use std::alloc::System;

use payload::Choices;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use vpp_messages::registry;
use vpp_schema::MessageId;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Bytes that one byte of a message may become in memory. A `u8` of a text that is not UTF-8 becomes a character of
/// three, the text grows by doubling, and all of it is decoded twice and encoded once here.
const FACTOR: usize = 24;

/// One test for all, so that nothing else allocates meanwhile.
#[test]
fn no_message_makes_much_of_little() {
    let api = vpp_api_json::api("26.06").unwrap();
    let noise: Vec<u8> = (0..6000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let mut lists = 0;
    for index in 0..api.messages.len() as u32 {
        let message = api.message(MessageId(index));
        let entry =
            registry::find(&message.name, message.crc).unwrap_or_else(|| panic!("no {}", message.name));
        let sound = payload::payload(api, MessageId(index), &mut Choices(&noise));
        let mut payloads =
            vec![sound.clone(), vec![0xff; sound.len()], vec![0xff; 4096], vec![0x80; 300], noise.clone()];
        // Each byte once as large as it can be: among them every count.
        payloads.extend((0..sound.len().min(400)).map(|at| {
            let mut payload = sound.clone();
            payload[at] = 0xff;
            payload
        }));
        for payload in payloads {
            let region = Region::new(ALLOCATOR);
            let owned = (entry.reencode)(&payload);
            let viewed = entry.reencode_view.map(|reencode| reencode(&payload));
            let used = region.change().bytes_allocated;
            assert!(
                used <= FACTOR * payload.len() + 1024,
                "{}: {} bytes for {} ({owned:?}, {viewed:?})",
                message.name,
                used,
                payload.len()
            );
            lists += usize::from(owned.is_err());
        }
    }
    assert!(lists > 1000, "counts that are too large were among them");
}
