//! Bytes of a received message.

use std::fmt;
use std::ops::Deref;

use bytes::{Buf, Bytes};

/// The bytes of a received message behind its header, where they were received.
///
/// Reads as a slice. What holds it keeps the memory it lies in; [`Payload::into_bytes`] gives that back where it is
/// scarce.
pub struct Payload(Source);

enum Source {
    /// A part of a receive buffer, shared with its other messages.
    Buffer(Bytes),
}

impl Payload {
    /// The bytes, independent of the connection's memory.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        match self.0 {
            Source::Buffer(bytes) => bytes,
        }
    }

    /// Leaves out bytes at the start; at most all.
    pub(crate) fn advance(&mut self, len: usize) {
        match &mut self.0 {
            Source::Buffer(bytes) => bytes.advance(len.min(bytes.len())),
        }
    }
}

impl Deref for Payload {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Source::Buffer(bytes) => bytes,
        }
    }
}

impl AsRef<[u8]> for Payload {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl Clone for Payload {
    fn clone(&self) -> Self {
        match &self.0 {
            Source::Buffer(bytes) => Self(Source::Buffer(bytes.clone())),
        }
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl PartialEq for Payload {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Payload {}

impl<const N: usize> PartialEq<[u8; N]> for Payload {
    fn eq(&self, other: &[u8; N]) -> bool {
        **self == *other
    }
}

impl PartialEq<[u8]> for Payload {
    fn eq(&self, other: &[u8]) -> bool {
        **self == *other
    }
}

impl From<Bytes> for Payload {
    fn from(bytes: Bytes) -> Self {
        Self(Source::Buffer(bytes))
    }
}

impl From<Payload> for Bytes {
    fn from(payload: Payload) -> Self {
        payload.into_bytes()
    }
}
