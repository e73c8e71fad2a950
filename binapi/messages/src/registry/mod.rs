//! Every message by name, to what can be done with its payload whatever its type.
//!
//! For tools and tests that meet messages by name. A program that knows its messages uses their types.
//!
//! ```
//! # #[cfg(feature = "interface")] {
//! use serde_json::json;
//!
//! let entry = vpp_messages::registry::find_in("26.06", "sw_interface_set_flags").expect("feature interface");
//! let payload = (entry.from_json)(&json!({ "sw_if_index": 1, "flags": 3 }))?;
//! assert_eq!(payload, [0, 0, 0, 1, 0, 0, 0, 3]);
//! assert_eq!(
//!     (entry.to_json)(&payload)?,
//!     json!({ "_msgname": "sw_interface_set_flags", "_crc": "f5aec1b8", "sw_if_index": 1, "flags": 3 }),
//! );
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#[rustfmt::skip]
mod entries;

use std::collections::HashMap;
use std::sync::OnceLock;

use vpp_wire::json::{self, Json, JsonError, JsonFault, Value};
use vpp_wire::{DecodeError, EncodeError, Message, MessageInfo, View, Viewed};

pub use entries::RELEASES;

/// Reads a payload and writes it again.
pub type Reencode = fn(&[u8]) -> Result<Vec<u8>, Error>;

/// A message and what can be done with its payload.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Entry {
    /// Name, CRC, header.
    pub info: &'static MessageInfo,
    /// Reads a payload and writes it again.
    pub reencode: Reencode,
    /// Reads a payload in place, makes it owned and writes it again; for messages that have a view.
    pub reencode_view: Option<Reencode>,
    /// Reads a payload and shows it as `Debug` does.
    pub describe: fn(&[u8]) -> Result<String, Error>,
    /// The payload of the message's default.
    pub default: fn() -> Result<Vec<u8>, Error>,
    /// The JSON form of a payload, of what the message's type holds.
    pub to_json: fn(&[u8]) -> Result<Value, Error>,
    /// The payload of a JSON form. Fields that are left out have their default.
    pub from_json: fn(&Value) -> Result<Vec<u8>, Error>,
    /// A bit per release, the newest first.
    releases: u64,
}

/// Why a payload cannot be read and written again.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// The bytes are not the message.
    Decode(DecodeError),
    /// What was read cannot be written.
    Encode(EncodeError),
    /// The JSON is no value of the message.
    Json(JsonError),
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Decode(error) => error.fmt(f),
            Self::Encode(error) => error.fmt(f),
            Self::Json(error) => write!(f, "cannot encode {error}"),
        }
    }
}

impl std::error::Error for Error {}

impl From<DecodeError> for Error {
    fn from(error: DecodeError) -> Self {
        Self::Decode(error)
    }
}

impl From<JsonError> for Error {
    fn from(error: JsonError) -> Self {
        Self::Json(error)
    }
}

impl From<EncodeError> for Error {
    fn from(error: EncodeError) -> Self {
        Self::Encode(error)
    }
}

impl Entry {
    const fn owned<M: Message + Default + Json>(releases: u64) -> Self {
        Self {
            info: &M::INFO,
            reencode: |payload| write(&M::from_payload(payload)?),
            reencode_view: None,
            describe: |payload| Ok(format!("{:?}", M::from_payload(payload)?)),
            default: || write(&M::default()),
            to_json: |payload| Ok(M::from_payload(payload)?.show().into_value()),
            from_json: |fields| write(&json::from_value::<M>(fields)?),
            releases,
        }
    }

    const fn viewed<M: Message + Default + Json + Viewed>(releases: u64) -> Self {
        Self {
            reencode_view: Some(|payload| write(&M::view_payload(payload)?.into_owned())),
            ..Self::owned::<M>(releases)
        }
    }

    /// The releases that have the message, newest first.
    pub fn releases(&self) -> impl Iterator<Item = &'static str> {
        let bits = self.releases;
        RELEASES.iter().enumerate().filter(move |(bit, _)| bits >> bit & 1 == 1).map(|(_, release)| *release)
    }
}

fn write<M: Message>(message: &M) -> Result<Vec<u8>, Error> {
    let len = message.encoded_len();
    if len > json::MAX_PAYLOAD {
        let fault = Box::new(JsonFault::TooLarge { max: json::MAX_PAYLOAD });
        return Err(JsonError { of: M::NAME.to_owned(), path: String::new(), fault }.into());
    }
    let mut payload = vec![0; len];
    let written = message.encode_payload(&mut payload)?;
    payload.truncate(written);
    Ok(payload)
}

/// The messages of all modules that are on, by module and in the order of their definition.
pub fn entries() -> impl Iterator<Item = &'static Entry> {
    entries::MODULES.iter().copied().flatten()
}

/// The message of a name and CRC; the newest, where types that it holds differ between releases.
#[must_use]
pub fn find(name: &str, crc: u32) -> Option<&'static Entry> {
    by_name().get(name)?.iter().copied().find(|entry| entry.info.crc == crc)
}

/// The message of a name, as a release has it. Releases are those of [`RELEASES`].
#[must_use]
pub fn find_in(release: &str, name: &str) -> Option<&'static Entry> {
    let bit = RELEASES.iter().position(|known| *known == release)?;
    by_name().get(name)?.iter().copied().find(|entry| entry.releases >> bit & 1 == 1)
}

fn by_name() -> &'static HashMap<&'static str, Vec<&'static Entry>> {
    static BY_NAME: OnceLock<HashMap<&'static str, Vec<&'static Entry>>> = OnceLock::new();
    BY_NAME.get_or_init(|| {
        let mut found: HashMap<_, Vec<_>> = HashMap::new();
        for entry in entries() {
            found.entry(entry.info.name).or_default().push(entry);
        }
        // Of the entries of a name and CRC the newest comes first.
        found.values_mut().for_each(|entries| entries.sort_by_key(|entry| entry.releases.trailing_zeros()));
        found
    })
}
