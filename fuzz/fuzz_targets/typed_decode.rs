//! Bytes as a message of any kind through the typed codec: an error, or a value whose bytes are that value again, owned
//! and in place alike.
//!
//! The first two bytes choose the message, the rest is its payload.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use vpp_messages::registry::{self, Entry};

static ENTRIES: LazyLock<Vec<&Entry>> = LazyLock::new(|| registry::entries().collect());

fuzz_target!(|data: &[u8]| {
    let Some((choice, payload)) = data.split_first_chunk() else { return };
    let entry = ENTRIES[usize::from(u16::from_be_bytes(*choice)) % ENTRIES.len()];

    let owned = (entry.reencode)(payload);
    if let Some(reencode) = entry.reencode_view {
        // The place of a fault is that of a field, or of all that was to be there.
        assert_eq!(reencode(payload).ok(), owned.clone().ok(), "{} in place", entry.info.name);
    }
    let described = (entry.describe)(payload);
    let Ok(bytes) = owned else { return };
    assert_eq!((entry.reencode)(&bytes).as_ref(), Ok(&bytes), "{}", entry.info.name);
    assert!(described.is_ok());
    // A byte of a text that is not UTF-8 becomes a character of three.
    assert!(bytes.len() <= 3 * payload.len(), "{} bytes of {}", bytes.len(), payload.len());
});
