//! Writing VPP's wire encoding into a caller's buffer.

use crate::{Count, Wire};

/// Writes values one behind the other into a buffer of the caller.
///
/// The first fault is remembered and everything after it is left out, so that generated code reads as one line per
/// field; [`Encoder::finish`] reports it.
#[derive(Debug)]
pub struct Encoder<'b> {
    buffer: &'b mut [u8],
    at: usize,
    fault: Option<EncodeFault>,
}

impl<'b> Encoder<'b> {
    /// An encoder that fills `buffer` from its start.
    pub fn new(buffer: &'b mut [u8]) -> Self {
        Self { buffer, at: 0, fault: None }
    }

    /// Bytes written so far.
    #[must_use]
    pub fn position(&self) -> usize {
        self.at
    }

    /// The bytes written, or the first fault.
    ///
    /// # Errors
    ///
    /// The first fault that any of the writes met.
    pub fn finish(self) -> Result<usize, EncodeError> {
        match self.fault {
            None => Ok(self.at),
            Some(fault) => Err(EncodeError { message: None, fault }),
        }
    }

    /// Writes one value.
    #[inline]
    pub fn write<T: Wire>(&mut self, value: &T) {
        value.encode(self);
    }

    /// Writes bytes as they are.
    #[inline]
    pub fn bytes(&mut self, bytes: &[u8]) {
        match self.buffer.get_mut(self.at..self.at + bytes.len()) {
            Some(place) => {
                place.copy_from_slice(bytes);
                self.at += bytes.len();
            }
            None => self.overflow(bytes.len()),
        }
    }

    /// Writes zeros up to `end` (a position as [`Encoder::position`] tells it).
    ///
    /// A union takes the room of its largest member; the rest behind a smaller one is zero.
    pub fn pad_to(&mut self, end: usize) {
        match self.buffer.get_mut(self.at..end) {
            Some(place) => {
                place.fill(0);
                self.at = end;
            }
            None if end < self.at => self.fail(EncodeFault::UnionTooSmall { by: self.at - end }),
            None => self.overflow(end - self.at),
        }
    }

    /// Writes a string field of `N` bytes, padded with NULs.
    ///
    /// VPP reads it as a C string, so at least one NUL has to follow and none may stand within.
    pub fn string<const N: usize>(&mut self, field: &'static str, text: &str) {
        if text.len() >= N {
            return self.fail(EncodeFault::StringTooLong {
                field,
                len: text.len(),
                max: N.saturating_sub(1),
            });
        }
        if text.as_bytes().contains(&0) {
            return self.fail(EncodeFault::StringHasNul { field });
        }
        let end = self.at + N;
        self.bytes(text.as_bytes());
        if self.fault.is_none() {
            self.pad_to(end);
        }
    }

    /// Writes a string behind its length (`u32`).
    pub fn long_string(&mut self, field: &'static str, text: &str) {
        self.count::<u32>(field, text.len());
        self.bytes(text.as_bytes());
    }

    /// Writes the count of a list.
    pub fn count<C: Count>(&mut self, field: &'static str, len: usize) {
        match C::from_len(len) {
            Some(count) => count.encode(self),
            None => self.fail(EncodeFault::ListTooLong { field, len, bits: C::MIN_LEN * 8 }),
        }
    }

    /// Writes the elements of a list, without a count.
    pub fn list<T: Wire>(&mut self, elements: &[T]) {
        for element in elements {
            element.encode(self);
        }
    }

    /// Remembers a fault, unless one came before.
    pub fn fail(&mut self, fault: EncodeFault) {
        self.fault.get_or_insert(fault);
    }

    #[cold]
    fn overflow(&mut self, needed: usize) {
        let fault = EncodeFault::BufferTooSmall { at: self.at, needed, room: self.buffer.len() - self.at };
        self.fail(fault);
    }
}

/// Writes `value` to the start of `buffer`; returns the bytes written.
///
/// # Errors
///
/// When the buffer is shorter than [`Wire::encoded_len`], or a string or list does not fit its field.
pub fn encode<T: Wire>(value: &T, buffer: &mut [u8]) -> Result<usize, EncodeError> {
    let mut out = Encoder::new(buffer);
    value.encode(&mut out);
    out.finish()
}

/// Writes `value` into a new vector.
///
/// # Errors
///
/// When a string or list does not fit its field.
pub fn encode_to_vec<T: Wire>(value: &T) -> Result<Vec<u8>, EncodeError> {
    let mut bytes = vec![0; value.encoded_len()];
    let written = encode(value, &mut bytes)?;
    bytes.truncate(written);
    Ok(bytes)
}

/// A value that cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot encode {}: {fault}", message.unwrap_or("value"))]
#[non_exhaustive]
pub struct EncodeError {
    /// VPP's name of the message, where the value is one.
    pub message: Option<&'static str>,
    /// Why.
    pub fault: EncodeFault,
}

impl EncodeError {
    /// The same error, of a named message.
    #[must_use]
    pub fn of(mut self, message: &'static str) -> Self {
        self.message.get_or_insert(message);
        self
    }
}

/// Why a value cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeFault {
    /// The text is longer than its field holds. Shorten it: VPP would see it cut.
    #[error("{field} is {len} bytes long, the field holds {max}")]
    StringTooLong {
        /// The field.
        field: &'static str,
        /// Bytes of the text.
        len: usize,
        /// Bytes that fit, the final NUL not counted.
        max: usize,
    },
    /// The text has a NUL inside, where VPP would see it end.
    #[error("{field} contains a NUL byte")]
    StringHasNul {
        /// The field.
        field: &'static str,
    },
    /// The list has more elements than its count can tell.
    #[error("{field} has {len} elements, more than its {bits}-bit count can tell")]
    ListTooLong {
        /// The list's field.
        field: &'static str,
        /// Its elements.
        len: usize,
        /// Width of the count field.
        bits: usize,
    },
    /// Two unions that share one discriminator hold members of different kinds.
    #[error("{field} holds another kind of value than the union before it")]
    UnionMismatch {
        /// The second union.
        field: &'static str,
    },
    /// A union member is larger than the union: the generated code is at fault.
    #[error("a union member is {by} bytes larger than its union")]
    UnionTooSmall {
        /// Bytes too many.
        by: usize,
    },
    /// The buffer is shorter than the value's `encoded_len`.
    #[error("{needed} bytes at offset {at} do not fit, {room} are left")]
    BufferTooSmall {
        /// Offset of the write that failed.
        at: usize,
        /// Its bytes.
        needed: usize,
        /// Bytes left.
        room: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault_of(write: impl FnOnce(&mut Encoder<'_>)) -> EncodeFault {
        let mut buffer = [0xff; 16];
        let mut out = Encoder::new(&mut buffer);
        write(&mut out);
        out.finish().unwrap_err().fault
    }

    #[test]
    fn strings_are_padded_and_never_cut() {
        let mut buffer = [0xff; 8];
        let mut out = Encoder::new(&mut buffer);
        out.string::<8>("tag", "eth0");
        assert_eq!(out.finish().unwrap(), 8);
        assert_eq!(&buffer, b"eth0\0\0\0\0");
        assert_eq!(
            fault_of(|out| out.string::<8>("tag", "12345678")),
            EncodeFault::StringTooLong { field: "tag", len: 8, max: 7 }
        );
        assert_eq!(
            fault_of(|out| out.string::<8>("tag", "a\0b")),
            EncodeFault::StringHasNul { field: "tag" }
        );
    }

    #[test]
    fn a_count_that_does_not_fit_is_a_fault() {
        assert_eq!(
            fault_of(|out| out.count::<u8>("paths", 256)),
            EncodeFault::ListTooLong { field: "paths", len: 256, bits: 8 }
        );
    }

    #[test]
    fn the_first_fault_is_the_one_reported() {
        let fault = fault_of(|out| {
            out.bytes(&[0; 15]);
            out.write(&7u32);
            out.string::<2>("late", "long");
        });
        assert_eq!(fault, EncodeFault::BufferTooSmall { at: 15, needed: 4, room: 1 });
    }
}
