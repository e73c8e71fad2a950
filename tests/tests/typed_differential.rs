//! The typed codec against the dynamic one, over every message of every pinned release: the same bytes mean the same,
//! whatever they are.

#[path = "typed/canonical.rs"]
mod canonical;
#[path = "typed/payload.rs"]
mod payload;

use std::collections::HashMap;
use std::sync::OnceLock;

use canonical::canonical;
use payload::Choices;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use serde_json::{Map, Value};
use vpp_messages::registry::{self, Entry, Error};
use vpp_schema::{Api, CodecError, JsonFault, MessageId};
use vpp_wire::EncodeFault;

/// A message of a release, with what the typed codec has for it.
#[derive(Clone, Copy)]
struct Subject {
    api: &'static Api,
    id: MessageId,
    entry: &'static Entry,
}

/// Every message of a release.
fn of_release(release: &str) -> Vec<Subject> {
    let mut entries: HashMap<_, &'static Entry> = HashMap::new();
    for entry in registry::entries() {
        // The first of a name and CRC is the newest; an older one differs in what answers it.
        entries.entry((entry.info.name, entry.info.crc)).or_insert(entry);
    }
    let api = vpp_api_json::api(release).expect("pinned");
    let ids = (0..api.messages.len() as u32).map(MessageId);
    ids.map(|id| {
        let message = api.message(id);
        let entry = entries.get(&(message.name.as_str(), message.crc));
        Subject { api, id, entry: entry.unwrap_or_else(|| panic!("no {}", message.name)) }
    })
    .collect()
}

/// Every message of the newest release.
fn newest() -> &'static [Subject] {
    static NEWEST: OnceLock<Vec<Subject>> = OnceLock::new();
    NEWEST.get_or_init(|| of_release("26.06"))
}

/// Every message of the releases before it. What they share is looked at in each: its types may have changed.
fn older() -> &'static [Subject] {
    static OLDER: OnceLock<Vec<Subject>> = OnceLock::new();
    OLDER.get_or_init(|| {
        let releases = vpp_api_json::releases().iter().filter(|release| **release != "26.06");
        releases.flat_map(|release| of_release(release)).collect()
    })
}

#[test]
fn every_message_is_there_with_its_facts() {
    let mut manifest: HashMap<_, _> = vpp_26_06::MANIFEST.iter().copied().collect();
    for Subject { api, id, .. } in newest() {
        let message = api.message(*id);
        assert_eq!(manifest.remove(message.name.as_str()), Some(message.crc), "{}", message.name);
    }
    for Subject { api, id, entry } in newest().iter().chain(older()) {
        let message = api.message(*id);
        assert_eq!(entry.info.header, message.header, "{}", message.name);
        assert_eq!(entry.info.retval, message.retval(api), "{}", message.name);
    }
    assert!(manifest.is_empty(), "{manifest:?}");
    assert_eq!(vpp_26_06::RELEASE, "26.06");
}

#[test]
fn the_defaults_of_both_are_the_same() {
    for Subject { api, id, entry } in newest().iter().chain(older()) {
        let dynamic = api.encode_payload(*id, &Value::Object(Map::new()));
        assert_eq!((entry.default)().ok(), dynamic.ok(), "{} of {:?}", entry.info.name, api.release);
    }
}

/// What the dynamic codec reads and writes again; `None` for bytes that are not the message, or text that does not fit
/// its field once it is read.
fn dynamic(api: &Api, id: MessageId, payload: &[u8]) -> Option<Result<Vec<u8>, ()>> {
    let fields = Value::Object(api.decode_payload(id, payload).ok()?);
    match api.encode_payload(id, &fields) {
        Ok(bytes) => Some(Ok(canonical(api, id, &bytes))),
        Err(CodecError::Encode { fault, .. }) if matches!(*fault, JsonFault::StringTooLong { .. }) => {
            Some(Err(()))
        }
        Err(error) => panic!("{error} in {fields}"),
    }
}

/// What the typed codec makes of the same.
fn typed(api: &Api, id: MessageId, result: Result<Vec<u8>, Error>) -> Option<Result<Vec<u8>, ()>> {
    match result {
        Ok(bytes) => Some(Ok(canonical(api, id, &bytes))),
        Err(Error::Decode(_)) => None,
        Err(Error::Encode(error)) => {
            assert!(matches!(error.fault, EncodeFault::StringTooLong { .. }), "{error}");
            Some(Err(()))
        }
        Err(error) => panic!("{error}"),
    }
}

fn compare(Subject { api, id, entry }: Subject, payload: &[u8]) {
    let expected = dynamic(api, id, payload);
    let name = || format!("{} of {:?}", entry.info.name, api.release);
    assert!(typed(api, id, (entry.reencode)(payload)) == expected, "{}, {payload:02x?}", name());
    if let Some(reencode) = entry.reencode_view {
        assert!(typed(api, id, reencode(payload)) == expected, "{} in place, {payload:02x?}", name());
    }
}

/// Messages that are right: after one pass nothing changes any more.
fn right(subject: Subject, choices: &[u8]) -> Result<(), TestCaseError> {
    let Subject { api, id, entry } = subject;
    let payload = payload::payload(api, id, &mut Choices(choices));
    compare(subject, &payload);
    let Ok(canonical) = (entry.reencode)(&payload) else { return Ok(()) };
    prop_assert_eq!((entry.reencode)(&canonical), Ok(canonical.clone()), "{}", entry.info.name);
    prop_assert!((entry.describe)(&canonical).is_ok());
    // Trailing bytes are ignored, as VPP's own are.
    let longer = [&canonical[..], &[0xff; 3]].concat();
    prop_assert_eq!((entry.reencode)(&longer), Ok(canonical.clone()), "{}", entry.info.name);
    for len in (0..canonical.len()).step_by(1 + canonical.len() / 8) {
        prop_assert!((entry.reencode)(&canonical[..len]).is_err(), "{} of {}", len, entry.info.name);
    }
    Ok(())
}

fn damaged(subject: Subject, choices: &[u8], damage: &[(u16, u8)]) {
    let mut payload = payload::payload(subject.api, subject.id, &mut Choices(choices));
    for (at, byte) in damage {
        let len = payload.len();
        if let Some(place) = payload.get_mut(usize::from(*at) % len.max(1)) {
            *place = *byte;
        }
    }
    compare(subject, &payload);
}

fn bytes_of_any_message() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 64..2048)
}

fn any_damage() -> impl Strategy<Value = Vec<(u16, u8)>> {
    prop::collection::vec((any::<u16>(), any::<u8>()), 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn any_value_of_every_message(bytes in bytes_of_any_message()) {
        for subject in newest() {
            right(*subject, &bytes)?;
        }
    }

    /// Bytes that are anything: an error of both, or the same value of both.
    #[test]
    fn any_bytes(
        bytes in prop::collection::vec(prop_oneof![5 => Just(0), 2 => 0..4u8, 1 => Just(0xff), 2 => any::<u8>()], 0..1500)
    ) {
        for subject in newest() {
            compare(*subject, &bytes);
        }
    }

    /// Right messages of which some bytes are changed.
    #[test]
    fn damaged_values(bytes in bytes_of_any_message(), damage in any_damage()) {
        for subject in newest() {
            damaged(*subject, &bytes, &damage);
        }
    }
}

proptest! {
    // 23,544 messages each time.
    #![proptest_config(ProptestConfig { cases: 2, ..ProptestConfig::default() })]

    #[test]
    fn any_value_of_every_message_of_older_releases(bytes in bytes_of_any_message()) {
        for subject in older() {
            right(*subject, &bytes)?;
        }
    }

    #[test]
    fn damaged_values_of_older_releases(bytes in bytes_of_any_message(), damage in any_damage()) {
        for subject in older() {
            damaged(*subject, &bytes, &damage);
        }
    }
}
