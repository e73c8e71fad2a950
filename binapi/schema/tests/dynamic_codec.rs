//! The dynamic codec over every message of VPP 26.06: whatever the bytes, whatever the JSON.

use std::path::Path;
use std::sync::OnceLock;

use proptest::prelude::*;
use serde_json::{Value, json};
use vpp_schema::{Api, CodecError, JsonFault, MessageId};

fn api() -> &'static Api {
    static API: OnceLock<Api> = OnceLock::new();
    API.get_or_init(|| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../api-json/26.06");
        vpp_schema::pins::read(&folder).unwrap_or_else(|error| panic!("{error}"))
    })
}

fn messages() -> impl Iterator<Item = MessageId> {
    (0..api().messages.len() as u32).map(MessageId)
}

/// Bytes of a payload: mostly small numbers, so that counts are often ones that fit.
fn payload() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![5 => Just(0), 2 => 0..4u8, 1 => Just(0xff), 2 => any::<u8>()];
    prop_oneof![
        1 => prop::collection::vec(byte.clone(), 0..40),
        3 => prop::collection::vec(byte, 40..1500),
    ]
}

/// Any JSON, small.
fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (0..300u16).prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        "0x[0-9a-f]{0,70}".prop_map(Value::from),
        prop_oneof![Just("10.0.0.1/24"), Just("::1"), Just("NaN"), Just("2000-01-01T00:00:00Z")]
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::hash_map("[a-z_0-9]{1,6}", inner, 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// Replaces the value at a place, counted through all of them; none where there are fewer.
fn replace(value: &mut Value, at: usize, by: &Value) -> usize {
    let Some(mut left) = at.checked_sub(1) else {
        *value = by.clone();
        return usize::MAX;
    };
    let mut inner: Vec<&mut Value> = match value {
        Value::Array(elements) => elements.iter_mut().collect(),
        Value::Object(fields) => fields.values_mut().collect(),
        _ => Vec::new(),
    };
    for value in &mut inner {
        left = replace(value, left, by);
        if left == usize::MAX {
            break;
        }
    }
    left
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    /// What is decoded can be encoded, and from then on nothing changes. Texts that VPP could not have sent as they are
    /// decoded (not UTF-8, without a final NUL) may be too long for their field.
    #[test]
    fn any_bytes(bytes in payload()) {
        for id in messages() {
            let Ok(fields) = api().decode_payload(id, &bytes) else { continue };
            let fields = Value::Object(fields);
            let encoded = match api().encode_payload(id, &fields) {
                Ok(encoded) => encoded,
                Err(CodecError::Encode { fault, .. }) if matches!(*fault, JsonFault::StringTooLong { .. }) => {
                    continue;
                }
                Err(error) => return Err(TestCaseError::fail(format!("{error} in {fields}"))),
            };
            let again = api().decode_payload(id, &encoded);
            prop_assert_eq!(again.map(Value::Object), Ok(fields), "{}", &api().message(id).name);

            for len in (0..encoded.len()).step_by(1 + encoded.len() / 16) {
                prop_assert!(
                    api().decode_payload(id, &encoded[..len]).is_err(),
                    "{} of {} bytes of {}", len, encoded.len(), &api().message(id).name
                );
            }
        }
    }

    /// A message of which one value is replaced is encoded or refused with the place.
    #[test]
    fn any_json(bytes in payload(), wrong in json(), at in 1..200usize) {
        for id in messages() {
            let Ok(fields) = api().decode_payload(id, &bytes) else { continue };
            let mut fields = Value::Object(fields);
            replace(&mut fields, at, &wrong);
            match api().encode_payload(id, &fields) {
                Ok(encoded) => prop_assert!(api().decode_payload(id, &encoded).is_ok()),
                Err(CodecError::Encode { path, message, .. }) => {
                    prop_assert!(!path.is_empty(), "{}: {}", message, fields);
                }
                Err(error) => return Err(TestCaseError::fail(error.to_string())),
            }
        }
    }
}

#[test]
fn a_whole_message_of_any_other_kind_is_refused() {
    for wrong in [json!(null), json!([]), json!("0x00"), json!(7)] {
        for id in messages() {
            assert!(api().encode_payload(id, &wrong).is_err());
        }
    }
}
