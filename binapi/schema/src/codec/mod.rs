//! JSON to bytes and back, for any message of an [`Api`], without generated code.
//!
//! The form is VPP's own (that of `vat2` and of `api trace save-json`) with what that one loses repaired:
//! `docs/json-form.md` has the table of kinds. Whatever decoding prints, encoding reads: text of strings that are not
//! UTF-8, or that fill their field without a final NUL, is the exception.
//!
//! Bytes are a peer's: a count is checked against the bytes that are left before room is made, and nothing panics.

mod decode;
mod encode;
mod error;
pub(crate) mod number;
mod text;
mod union;

pub use error::{ByteFault, CodecError, JsonFault};

use serde_json::{Map, Value};
use vpp_wire::Header;
use vpp_wire::json::GivenHead;

use crate::model::{Api, Field, FieldType, MessageDef, MessageId, TypeKind, TypeRef};
use decode::Decoder;
use encode::Encoder;

/// The words before a payload. A message that lacks one of them ignores it when it is encoded, and has zero when it is
/// decoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MessageHead {
    /// The message's id at the VPP it goes to or comes from.
    pub id: u16,
    /// The client's index: four bytes that VPP gave out and wants back as they are.
    pub client_index: [u8; 4],
    /// The context, which VPP returns with the answer.
    pub context: u32,
}

impl Api {
    /// The payload of a message: the bytes behind its header.
    ///
    /// A field that is missing in `fields` is sent as its default, or as zero. `_msgname` and `_crc` may stand in it and
    /// are checked; `_vl_msg_id`, `client_index` and `context` may, and are no part of the payload.
    ///
    /// # Errors
    ///
    /// When a value does not fit its field, or a field is unknown: the error names its path.
    pub fn encode_payload(&self, message: MessageId, fields: &Value) -> Result<Vec<u8>, CodecError> {
        let (_, payload) = self.encode_parts(message, fields)?;
        Ok(payload)
    }

    /// The JSON form of a payload: `_msgname`, `_crc`, then the fields. Bytes behind the last field are ignored.
    ///
    /// # Errors
    ///
    /// When the bytes end too early, or a count tells of more than there is.
    pub fn decode_payload(
        &self,
        message: MessageId,
        payload: &[u8],
    ) -> Result<Map<String, Value>, CodecError> {
        let definition = self.message(message);
        let mut fields = Map::with_capacity(2 + definition.fields.len());
        fields.insert(NAME.to_owned(), definition.name.as_str().into());
        fields.insert(CRC.to_owned(), format!("{:08x}", definition.crc).into());
        Decoder::new(self, definition, payload).message(&mut fields)?;
        Ok(fields)
    }

    /// A whole message: header and payload. Header words that stand in `fields` count more than those of `head`.
    ///
    /// # Errors
    ///
    /// As [`Api::encode_payload`].
    pub fn encode_message(
        &self,
        message: MessageId,
        head: &MessageHead,
        fields: &Value,
    ) -> Result<Vec<u8>, CodecError> {
        let (given, payload) = self.encode_parts(message, fields)?;
        let mut bytes = self.head_bytes(message, head, given);
        bytes.extend(payload);
        Ok(bytes)
    }

    /// The header of a message alone, for whoever writes the payload by other means. Of `fields` only the words of the
    /// header are read, and what is no field is an error.
    ///
    /// # Errors
    ///
    /// As [`Api::encode_payload`], of what stands beside the fields.
    pub fn encode_head(
        &self,
        message: MessageId,
        head: &MessageHead,
        fields: &Value,
    ) -> Result<Vec<u8>, CodecError> {
        let given = Encoder::new(self, self.message(message)).given(fields)?.0;
        Ok(self.head_bytes(message, head, given))
    }

    fn head_bytes(&self, message: MessageId, head: &MessageHead, given: GivenHead) -> Vec<u8> {
        let client_index = given.client_index.unwrap_or(head.client_index);
        let context = given.context.unwrap_or(head.context).to_be_bytes();
        let mut bytes = given.id.unwrap_or(head.id).to_be_bytes().to_vec();
        match self.message(message).header {
            Header::Bare => {}
            Header::Context => bytes.extend(context),
            Header::Client => bytes.extend(client_index),
            Header::ClientContext => {
                bytes.extend(client_index);
                bytes.extend(context);
            }
        }
        bytes
    }

    /// The header words of a whole message, and the JSON form of its payload. The id is not compared with anything.
    ///
    /// # Errors
    ///
    /// As [`Api::decode_payload`], and when the bytes end within the header.
    pub fn decode_message(
        &self,
        message: MessageId,
        bytes: &[u8],
    ) -> Result<(MessageHead, Map<String, Value>), CodecError> {
        let (head, payload) = self.split_message(message, bytes)?;
        Ok((head, self.decode_payload(message, payload)?))
    }

    /// The header words of a whole message, and its payload. The id is not compared with anything.
    ///
    /// # Errors
    ///
    /// When the bytes end within the header.
    pub fn split_message<'b>(
        &self,
        message: MessageId,
        bytes: &'b [u8],
    ) -> Result<(MessageHead, &'b [u8]), CodecError> {
        let MessageDef { name, header, .. } = self.message(message);
        let Some((words, payload)) = bytes.split_at_checked(header.len()) else {
            return Err(CodecError::NoHeader {
                message: name.clone(),
                needed: header.len(),
                len: bytes.len(),
            });
        };
        let word = |offset: Option<usize>| {
            offset.and_then(|at| words[at..].first_chunk()).copied().unwrap_or_default()
        };
        let head = MessageHead {
            id: words.first_chunk().copied().map_or(0, u16::from_be_bytes),
            client_index: word(header.client_index()),
            context: u32::from_be_bytes(word(header.context())),
        };
        Ok((head, payload))
    }

    fn encode_parts(&self, message: MessageId, fields: &Value) -> Result<(GivenHead, Vec<u8>), CodecError> {
        Encoder::new(self, self.message(message)).message(fields)
    }

    /// The value that selects a union's member: its `case`, an enumerator of the discriminator or a number.
    pub(crate) fn case_value(&self, discriminator: FieldType, case: &str) -> Option<i128> {
        match self.resolve(discriminator) {
            FieldType::One(TypeRef::Named(id)) => match &self.ty(id).kind {
                TypeKind::Enum(definition) => definition.value_of(case),
                _ => None,
            },
            _ => case.parse().ok(),
        }
    }

    /// The integer a count or discriminator is on the wire; `None` when the definition has no integer there.
    pub(crate) fn integer_repr(&self, ty: FieldType) -> Option<crate::model::Scalar> {
        match self.resolve(ty) {
            FieldType::One(TypeRef::Scalar(scalar)) => scalar.is_integer().then_some(scalar),
            FieldType::One(TypeRef::Named(id)) => match &self.ty(id).kind {
                TypeKind::Enum(definition) => Some(definition.repr),
                _ => None,
            },
            _ => None,
        }
    }
}

const NAME: &str = "_msgname";
const CRC: &str = "_crc";

/// What selects the member of a union: the field before it and, when it is known, its value.
#[derive(Clone, Copy, Debug)]
struct Selector<'a> {
    field: &'a Field,
    value: i128,
    /// Whether the field itself is given, not only derived or left out.
    given: bool,
}

#[cfg(test)]
mod tests;
