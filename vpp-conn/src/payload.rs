//! Bytes of a received message.

use std::fmt;
use std::ops::Deref;

use bytes::{Buf, Bytes};

#[cfg(shared_memory)]
use crate::shared_memory::Slot;

/// The bytes of a received message behind its header, where they were received.
///
/// Reads as a slice. Over the socket it is a part of the receive buffer. In shared memory it is read where VPP wrote it
/// and given back when it is dropped; who keeps one for long should keep [`Payload::into_bytes`] instead.
pub struct Payload(Source);

enum Source {
    /// A part of a receive buffer, shared with its other messages.
    Buffer(Bytes),
    /// A message where VPP wrote it.
    #[cfg(shared_memory)]
    Slot(Slot),
}

impl Payload {
    /// The bytes, independent of the connection's memory.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        match self.0 {
            Source::Buffer(bytes) => bytes,
            #[cfg(shared_memory)]
            Source::Slot(slot) => Bytes::copy_from_slice(&slot),
        }
    }

    /// Leaves out bytes at the start; at most all.
    pub(crate) fn advance(&mut self, len: usize) {
        match &mut self.0 {
            Source::Buffer(bytes) => bytes.advance(len.min(bytes.len())),
            #[cfg(shared_memory)]
            Source::Slot(slot) => slot.advance(len),
        }
    }
}

impl Deref for Payload {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Source::Buffer(bytes) => bytes,
            #[cfg(shared_memory)]
            Source::Slot(slot) => slot,
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
            #[cfg(shared_memory)]
            Source::Slot(slot) => Bytes::copy_from_slice(slot).into(),
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

#[cfg(shared_memory)]
impl From<Slot> for Payload {
    fn from(slot: Slot) -> Self {
        Self(Source::Slot(slot))
    }
}

impl From<Payload> for Bytes {
    fn from(payload: Payload) -> Self {
        payload.into_bytes()
    }
}
