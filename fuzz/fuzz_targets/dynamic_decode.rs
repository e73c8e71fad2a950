//! Bytes as a message of any kind through the dynamic codec: an error, or JSON that is encoded to the same message.
//!
//! The first two bytes choose the message, the rest is its payload.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use vpp_schema::{CodecError, JsonFault, MessageId};

fuzz_target!(|data: &[u8]| {
    let Some((choice, payload)) = data.split_first_chunk() else { return };
    let api = vpp_api_json::api("26.06").expect("pinned");
    let message = MessageId(u32::from(u16::from_be_bytes(*choice)) % api.messages.len() as u32);

    let Ok(fields) = api.decode_payload(message, payload) else { return };
    let fields = Value::Object(fields);
    // No byte may become more than a field of one byte with its name, in each member of a union.
    assert!(
        fields.to_string().len() <= 1024 + 256 * payload.len(),
        "{} bytes became too many",
        payload.len()
    );

    match api.encode_payload(message, &fields) {
        Ok(bytes) => {
            let again = api.decode_payload(message, &bytes).map(Value::Object);
            assert_eq!(again, Ok(fields));
        }
        // Text that is not UTF-8, or fills its field without a final NUL, may not fit once it is read.
        Err(CodecError::Encode { fault, .. }) if matches!(*fault, JsonFault::StringTooLong { .. }) => {}
        Err(error) => panic!("{error} in {fields}"),
    }
});
