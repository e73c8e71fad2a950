//! The JSON form of messages: the rules of numbers, names, texts and times, and generated types read and shown by
//! them (feature `json`).
//!
//! `docs/json-form.md` has the form. The rules of a value's kind ([`Int`], [`EnumNames`], [`TextForm`], [`hex`],
//! [`JsonFault`]) are shared with the dynamic codec of `vpp-schema`, which knows a message by its definition. What
//! knows it by its Rust type is here: generated code says of each type which fields it has ([`Block`]) or which
//! members ([`Selected`], [`RawMember`]), a line each and nothing of JSON; everything else is written once per kind.
//!
//! ```
//! use vpp_wire::Prefix;
//! use vpp_wire::json;
//!
//! let prefix: Prefix = json::from_value(&"10.0.0.1/24".into())?;
//! assert_eq!(json::to_value(&prefix), "10.0.0.1/24");
//! # Ok::<(), json::JsonError>(())
//! ```
//!
//! Generated types also have `serde`'s `Serialize` and `Deserialize`, in the same form. Serializing copies the
//! message and makes its text a field at a time; deserializing reads the whole text first, because what selects a
//! union's member may stand behind it. With feature `schemars` addresses, prefixes and MAC addresses have a JSON schema
//! too, so that they can be fields of what people write.

mod block;
mod enums;
mod fault;
mod message;
mod net;
mod number;
mod path;
#[cfg(feature = "schemars")]
mod schema;
mod serde;
mod text;
mod time;
mod union;
mod value;

pub use self::serde::{Deserialize, Deserializer, Serialize, Serializer, deserialize, serialize};
pub use block::{Block, Fields, Selector};
pub use enums::{EnumNames, read_enum, show_enum};
pub use fault::JsonFault;
pub use message::{GivenHead, MAX_PAYLOAD, given_head};
pub use number::{Int, float_from_json, float_to_json, int_to_json, parse_int, whole};
pub use path::Path;
pub use text::{TextForm, from_hex, hex};
pub use union::{Case, RawMember, Selected, read_raw, show_raw};
pub use value::{Json, Reader, Shown};

pub use serde_json::Value;

/// JSON that is no value of a type.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{of}: {}{fault}", if path.is_empty() { String::new() } else { format!("{path}: ") })]
pub struct JsonError {
    /// VPP's name of the message or type.
    pub of: String,
    /// Where in the JSON: `route.paths[2].nh.address`; empty for the whole of it.
    pub path: String,
    /// What is wrong there.
    pub fault: Box<JsonFault>,
}

/// The JSON form of a value.
#[must_use]
pub fn to_value<T: Json + Clone>(value: &T) -> Value {
    value.clone().show().into_value()
}

/// The value of a JSON form. Fields that are left out have their default.
///
/// # Errors
///
/// When the JSON is no value of the type: the error names the path.
pub fn from_value<T: Json>(json: &Value) -> Result<T, JsonError> {
    let mut value = T::fresh();
    let mut reader = Reader::default();
    value.read(json, &mut reader);
    match reader.into_fault() {
        None => Ok(value),
        Some((path, fault)) => Err(JsonError { of: value.vpp_name().to_owned(), path, fault }),
    }
}

#[cfg(test)]
mod tests;
