//! The typed codec against the dynamic one, over every message: the same bytes mean the same, whatever they are.

#[path = "typed/canonical.rs"]
mod canonical;
#[path = "typed/payload.rs"]
mod payload;

use std::collections::HashMap;

use canonical::canonical;
use payload::Choices;
use proptest::prelude::*;
use serde_json::{Map, Value};
use vpp_messages::registry::{self, Entry, Error};
use vpp_schema::{Api, CodecError, JsonFault, MessageId};
use vpp_wire::EncodeFault;

fn api() -> &'static Api {
    vpp_api_json::api("26.06").expect("pinned")
}

/// Every message of the release, with what the typed codec has for it.
fn messages() -> impl Iterator<Item = (MessageId, &'static Entry)> {
    let mut entries: HashMap<_, &'static Entry> = HashMap::new();
    for entry in registry::entries() {
        // The first of a name and CRC is the newest; an older one differs in what answers it.
        entries.entry((entry.info.name, entry.info.crc)).or_insert(entry);
    }
    (0..api().messages.len() as u32).map(MessageId).map(move |id| {
        let message = api().message(id);
        let entry = entries.get(&(message.name.as_str(), message.crc));
        (id, *entry.unwrap_or_else(|| panic!("no {}", message.name)))
    })
}

#[test]
fn every_message_is_there_with_its_facts() {
    let mut manifest: HashMap<_, _> = vpp_26_06::MANIFEST.iter().copied().collect();
    for (id, entry) in messages() {
        let message = api().message(id);
        assert_eq!(manifest.remove(message.name.as_str()), Some(message.crc), "{}", message.name);
        assert_eq!(entry.info.header, message.header, "{}", message.name);
        assert_eq!(entry.info.retval, message.retval(api()), "{}", message.name);
    }
    assert!(manifest.is_empty(), "{manifest:?}");
    assert_eq!(vpp_26_06::RELEASE, "26.06");
}

#[test]
fn the_defaults_of_both_are_the_same() {
    for (id, entry) in messages() {
        let dynamic = api().encode_payload(id, &Value::Object(Map::new()));
        assert_eq!((entry.default)().ok(), dynamic.ok(), "{}", entry.info.name);
    }
}

/// What the dynamic codec reads and writes again; `None` for bytes that are not the message, or text that does not fit
/// its field once it is read.
fn dynamic(id: MessageId, payload: &[u8]) -> Option<Result<Vec<u8>, ()>> {
    let fields = Value::Object(api().decode_payload(id, payload).ok()?);
    match api().encode_payload(id, &fields) {
        Ok(bytes) => Some(Ok(canonical(api(), id, &bytes))),
        Err(CodecError::Encode { fault, .. }) if matches!(*fault, JsonFault::StringTooLong { .. }) => {
            Some(Err(()))
        }
        Err(error) => panic!("{error} in {fields}"),
    }
}

/// What the typed codec makes of the same.
fn typed(id: MessageId, result: Result<Vec<u8>, Error>) -> Option<Result<Vec<u8>, ()>> {
    match result {
        Ok(bytes) => Some(Ok(canonical(api(), id, &bytes))),
        Err(Error::Decode(_)) => None,
        Err(Error::Encode(error)) => {
            assert!(matches!(error.fault, EncodeFault::StringTooLong { .. }), "{error}");
            Some(Err(()))
        }
        Err(error) => panic!("{error}"),
    }
}

fn compare(id: MessageId, entry: &Entry, payload: &[u8]) {
    let expected = dynamic(id, payload);
    assert!(typed(id, (entry.reencode)(payload)) == expected, "{} of {payload:02x?}", entry.info.name);
    if let Some(reencode) = entry.reencode_view {
        assert!(typed(id, reencode(payload)) == expected, "{} in place of {payload:02x?}", entry.info.name);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Messages that are right: after one pass nothing changes any more.
    #[test]
    fn any_value_of_every_message(bytes in prop::collection::vec(any::<u8>(), 64..4096)) {
        for (id, entry) in messages() {
            let payload = payload::payload(api(), id, &mut Choices(&bytes));
            compare(id, entry, &payload);
            let Ok(canonical) = (entry.reencode)(&payload) else { continue };
            prop_assert_eq!((entry.reencode)(&canonical), Ok(canonical.clone()), "{}", entry.info.name);
            prop_assert!((entry.describe)(&canonical).is_ok());
            // Trailing bytes are ignored, as VPP's own are.
            let longer = [&canonical[..], &[0xff; 3]].concat();
            prop_assert_eq!((entry.reencode)(&longer), Ok(canonical.clone()), "{}", entry.info.name);
            for len in (0..canonical.len()).step_by(1 + canonical.len() / 8) {
                prop_assert!((entry.reencode)(&canonical[..len]).is_err(), "{} of {}", len, entry.info.name);
            }
        }
    }

    /// Bytes that are anything: an error of both, or the same value of both.
    #[test]
    fn any_bytes(
        bytes in prop::collection::vec(prop_oneof![5 => Just(0), 2 => 0..4u8, 1 => Just(0xff), 2 => any::<u8>()], 0..1500)
    ) {
        for (id, entry) in messages() {
            compare(id, entry, &bytes);
        }
    }

    /// Right messages of which some bytes are changed.
    #[test]
    fn damaged_values(
        bytes in prop::collection::vec(any::<u8>(), 64..2048),
        damage in prop::collection::vec((any::<u16>(), any::<u8>()), 1..6),
    ) {
        for (id, entry) in messages() {
            let mut payload = payload::payload(api(), id, &mut Choices(&bytes));
            for (at, byte) in &damage {
                let len = payload.len();
                if let Some(place) = payload.get_mut(usize::from(*at) % len.max(1)) {
                    *place = *byte;
                }
            }
            compare(id, entry, &payload);
        }
    }
}
