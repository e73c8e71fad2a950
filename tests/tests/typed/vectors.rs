//! Vectors that `tests/vectors/make_vectors.py` made, and the codecs against them.

use serde_json::{Map, Value};
use vpp_messages::registry;
use vpp_schema::{Api, MessageHead, MessageId};

/// One line: a whole message with id, client index and context zero, and the JSON form of its fields.
pub(crate) struct Vector {
    pub(crate) name: String,
    pub(crate) id: MessageId,
    pub(crate) fields: Map<String, Value>,
    pub(crate) bytes: Vec<u8>,
}

pub(crate) fn vectors(api: &Api, text: &str) -> Vec<Vector> {
    let vector = |line| {
        let mut line: Map<String, Value> = serde_json::from_str(line).expect("a line is an object");
        let name = line["name"].as_str().expect("name is text").to_owned();
        let (id, message) = api.find_message(&name).unwrap_or_else(|| panic!("no {name}"));
        assert_eq!(line["crc"], format!("{:08x}", message.crc), "CRC of {name}");
        let bytes = bytes_of(line["hex"].as_str().expect("hex is text"));
        let Some(Value::Object(fields)) = line.remove("fields") else { panic!("fields of {name}") };
        Vector { name, id, fields, bytes }
    };
    text.lines().map(vector).collect()
}

fn bytes_of(hex: &str) -> Vec<u8> {
    let pairs = (0..hex.len()).step_by(2).map(|at| &hex[at..at + 2]);
    pairs.map(|pair| u8::from_str_radix(pair, 16).expect("hex is hexadecimal")).collect()
}

/// What the dynamic codec makes otherwise.
pub(crate) fn check_dynamic(api: &Api, vector: &Vector) -> Result<(), String> {
    let Vector { name, id, fields, bytes } = vector;
    let given = Value::Object(fields.clone());
    match api.encode_message(*id, &MessageHead::default(), &given) {
        Ok(encoded) if encoded == *bytes => {}
        other => return Err(format!("{name} {given}\n  encoded {other:x?}\n  instead {bytes:x?}")),
    }
    let (head, mut shown) =
        api.decode_message(*id, bytes).map_err(|error| format!("{name} decoded: {error}"))?;
    assert_eq!(head, MessageHead::default(), "header of {name}");
    assert_eq!(shown.shift_remove("_msgname"), Some(name.as_str().into()));
    assert!(shown.shift_remove("_crc").is_some());
    // Order counts too: that of the definition.
    if serde_json::to_string(&shown).ok() != serde_json::to_string(&fields).ok() {
        return Err(format!("{name} decoded {}\n  instead {given}", Value::Object(shown)));
    }
    Ok(())
}

/// What the typed codec makes otherwise, owned and in place.
#[allow(dead_code)] // not every test looks at it
pub(crate) fn check_typed(api: &Api, vector: &Vector) -> Result<(), String> {
    let message = api.message(vector.id);
    let payload = &vector.bytes[message.header.len()..];
    let entry = registry::find(&message.name, message.crc).ok_or_else(|| format!("no {}", message.name))?;
    for (how, reencode) in [("owned", Some(entry.reencode)), ("in place", entry.reencode_view)] {
        match reencode.map(|reencode| reencode(payload)) {
            None => {}
            Some(Ok(bytes)) if bytes == payload => {}
            Some(other) => {
                return Err(format!("{}, {how}\n  gives {other:x?}\n  instead {payload:x?}", message.name));
            }
        }
    }
    Ok(())
}
