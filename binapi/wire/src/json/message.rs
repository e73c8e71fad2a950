//! What stands in the JSON of a message beside its fields.

use serde_json::{Map, Value};

use super::{Int, JsonFault, Path};
use crate::MessageInfo;

/// The most bytes of a payload. VPP keeps a message in its heap, so nothing of this size would get through anyway.
pub const MAX_PAYLOAD: usize = 64 << 20;

pub(super) const NAME: &str = "_msgname";
pub(super) const CRC: &str = "_crc";
const ID: &str = "_vl_msg_id";
const CLIENT_INDEX: &str = "client_index";
const CONTEXT: &str = "context";

/// The header words that stood in the JSON.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GivenHead {
    /// The message's id.
    pub id: Option<u16>,
    /// The client's index, as its bytes stand on the wire.
    pub client_index: Option<[u8; 4]>,
    /// The context.
    pub context: Option<u32>,
}

/// Checks what is no field of a message: its name and CRC, the words of its header, and that there is nothing else.
///
/// # Errors
///
/// The fault; then `path` leads to it.
pub fn given_head<'v, 'f>(
    given: &'v Map<String, Value>,
    info: (&str, u32, crate::Header),
    fields: impl Iterator<Item = &'f str> + Clone,
    path: &mut Path<'v>,
) -> Result<GivenHead, JsonFault> {
    let (message, crc, header) = info;
    let mut head = GivenHead::default();
    for (name, value) in given {
        path.enter(name);
        match name.as_str() {
            _ if fields.clone().any(|field| field == name) => {}
            NAME => match value.as_str() {
                Some(name) if name == message => {}
                Some(name) => return Err(JsonFault::OtherMessage { found: name.to_owned() }),
                None => return Err(JsonFault::kind("the name of the message", value)),
            },
            CRC => check_crc(crc, value)?,
            ID => head.id = Some(Int::U16.from_json(value)? as u16),
            CLIENT_INDEX if header.client_index().is_some() => {
                head.client_index = Some((Int::U32.from_json(value)? as u32).to_be_bytes());
            }
            CONTEXT if header.context().is_some() => head.context = Some(Int::U32.from_json(value)? as u32),
            _ => return Err(JsonFault::unknown_field(name, fields)),
        }
        path.leave();
    }
    Ok(head)
}

fn check_crc(expected: u32, value: &Value) -> Result<(), JsonFault> {
    let digits = value.as_str().map(|text| text.trim_start_matches("0x"));
    match digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()) {
        Some(crc) if crc == expected => Ok(()),
        Some(crc) => Err(JsonFault::OtherCrc { found: format!("{crc:08x}"), expected }),
        None => Err(JsonFault::kind("a CRC of 8 hexadecimal digits", value)),
    }
}

/// The facts that [`given_head`] takes.
pub(super) fn facts(info: &MessageInfo) -> (&'static str, u32, crate::Header) {
    (info.name, info.crc, info.header)
}
