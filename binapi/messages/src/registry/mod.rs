//! Every message by name, to what can be done with its payload whatever its type.
//!
//! For tools and tests that meet messages by name. A program that knows its messages uses their types.

#[rustfmt::skip]
mod entries;

use vpp_wire::{DecodeError, EncodeError, Message, MessageInfo, View, Viewed};

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
}

/// Why a payload cannot be read and written again.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The bytes are not the message.
    Decode(DecodeError),
    /// What was read cannot be written.
    Encode(EncodeError),
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Decode(error) => error.fmt(f),
            Self::Encode(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {}

impl From<DecodeError> for Error {
    fn from(error: DecodeError) -> Self {
        Self::Decode(error)
    }
}

impl From<EncodeError> for Error {
    fn from(error: EncodeError) -> Self {
        Self::Encode(error)
    }
}

impl Entry {
    const fn owned<M: Message + Default>() -> Self {
        Self {
            info: &M::INFO,
            reencode: |payload| write(&M::from_payload(payload)?),
            reencode_view: None,
            describe: |payload| Ok(format!("{:?}", M::from_payload(payload)?)),
            default: || write(&M::default()),
        }
    }

    const fn viewed<M: Message + Default + Viewed>() -> Self {
        Self {
            reencode_view: Some(|payload| write(&M::view_payload(payload)?.into_owned())),
            ..Self::owned::<M>()
        }
    }
}

fn write<M: Message>(message: &M) -> Result<Vec<u8>, Error> {
    let mut payload = vec![0; message.encoded_len()];
    let written = message.encode_payload(&mut payload)?;
    payload.truncate(written);
    Ok(payload)
}

/// The messages of all modules that are on, by module and in the order of their definition.
pub fn entries() -> impl Iterator<Item = &'static Entry> {
    entries::MODULES.iter().copied().flatten()
}

/// The message of a name and CRC.
#[must_use]
pub fn find(name: &str, crc: u32) -> Option<&'static Entry> {
    entries().find(|entry| entry.info.name == name && entry.info.crc == crc)
}
