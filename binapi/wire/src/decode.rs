//! Reading VPP's wire encoding.

use crate::{Count, FixedSize, Wire};

/// Reads values one behind the other from the bytes of a peer.
///
/// Past the end everything reads as zero (empty, false). The first fault is remembered and reported by
/// [`Decoder::finish`], so that generated code reads as one line per field.
#[derive(Clone, Debug)]
pub struct Decoder<'a> {
    input: &'a [u8],
    at: usize,
    fault: Option<(usize, DecodeFault)>,
}

impl<'a> Decoder<'a> {
    /// A decoder at the start of `input`.
    #[must_use]
    #[inline]
    pub fn new(input: &'a [u8]) -> Self {
        Self { input, at: 0, fault: None }
    }

    /// Bytes read so far.
    #[must_use]
    pub fn position(&self) -> usize {
        self.at
    }

    /// Bytes not read yet.
    #[must_use]
    pub fn remaining(&self) -> usize {
        self.input.len() - self.at
    }

    /// The first fault, where there was one. Bytes that were not read are not a fault.
    ///
    /// # Errors
    ///
    /// The first fault that any of the reads met.
    #[inline]
    pub fn finish(self) -> Result<(), DecodeError> {
        match self.fault {
            None => Ok(()),
            Some((offset, fault)) => Err(DecodeError { message: None, offset, fault }),
        }
    }

    /// Reads one value.
    #[inline]
    pub fn read<T: Wire>(&mut self) -> T {
        T::decode(self)
    }

    /// Reads `N` bytes as they are.
    #[inline]
    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        match self.input[self.at..].first_chunk() {
            Some(bytes) => {
                self.at += N;
                *bytes
            }
            None => {
                self.truncated(N);
                [0; N]
            }
        }
    }

    /// Reads the next `len` bytes in place; empty when they are not all there.
    #[inline]
    pub fn slice(&mut self, len: usize) -> &'a [u8] {
        match self.input[self.at..].get(..len) {
            Some(bytes) => {
                self.at += len;
                bytes
            }
            None => {
                self.truncated(len);
                &[]
            }
        }
    }

    /// Reads a string field of `N` bytes up to its first NUL. Bytes that are not UTF-8 become U+FFFD.
    pub fn string<const N: usize>(&mut self) -> String {
        crate::text(self.slice(N)).into_owned()
    }

    /// Reads a string behind its length (`u32`).
    pub fn long_string(&mut self, field: &'static str) -> String {
        crate::text(self.long_bytes(field)).into_owned()
    }

    /// Reads the bytes of a string behind its length (`u32`) in place.
    pub fn long_bytes(&mut self, field: &'static str) -> &'a [u8] {
        let len = self.read::<u32>() as usize;
        self.byte_list(field, len)
    }

    /// Reads `count` bytes of a list in place.
    pub fn byte_list(&mut self, field: &'static str, count: usize) -> &'a [u8] {
        if self.fits(field, count, 1) { self.slice(count) } else { &[] }
    }

    /// Reads the count of a list.
    pub fn count<C: Count>(&mut self) -> usize {
        C::decode(self).to_len()
    }

    /// Reads `count` elements. The count is a peer's: it is checked against the bytes that are there before room for
    /// the elements is made.
    pub fn list<T: Wire>(&mut self, field: &'static str, count: usize) -> Vec<T> {
        if !self.fits(field, count, T::MIN_LEN) {
            return Vec::new();
        }
        let mut elements = Vec::with_capacity(count);
        for _ in 0..count {
            elements.push(T::decode(self));
            if self.fault.is_some() {
                break;
            }
        }
        elements
    }

    /// Reads `count` elements in place.
    pub fn items<T: FixedSize>(&mut self, field: &'static str, count: usize) -> crate::Items<'a, T> {
        let len = if self.fits(field, count, T::MIN_LEN) { count * T::MIN_LEN } else { 0 };
        crate::Items::new(self.slice(len))
    }

    /// Remembers a fault at the present position, unless one came before.
    pub fn fail(&mut self, fault: DecodeFault) {
        self.fault.get_or_insert((self.at, fault));
        self.at = self.input.len();
    }

    /// Whether `count` elements of at least `size` bytes can be there; a fault if not. Elements without any bytes
    /// count as one, so that a count alone never makes a large list.
    fn fits(&mut self, field: &'static str, count: usize, size: usize) -> bool {
        let room = self.remaining();
        let fits = count.checked_mul(size.max(1)).is_some_and(|needed| needed <= room);
        if !fits {
            self.fail(DecodeFault::CountTooLarge { field, count, size, room });
        }
        fits
    }

    #[cold]
    fn truncated(&mut self, needed: usize) {
        let room = self.remaining();
        self.fail(DecodeFault::Truncated { needed, room });
    }
}

/// Reads one value from the start of `bytes`. Bytes behind it are ignored.
///
/// # Errors
///
/// When the bytes end before the value does.
#[inline]
pub fn decode<T: Wire>(bytes: &[u8]) -> Result<T, DecodeError> {
    let mut input = Decoder::new(bytes);
    let value = T::decode(&mut input);
    input.finish()?;
    Ok(value)
}

/// Bytes of a peer that are not the message they should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot decode {} at payload byte {offset}: {fault}", message.unwrap_or("value"))]
#[non_exhaustive]
pub struct DecodeError {
    /// VPP's name of the message, where the value is one.
    pub message: Option<&'static str>,
    /// Offset of the fault from the start of the payload.
    pub offset: usize,
    /// What is wrong there.
    pub fault: DecodeFault,
}

impl DecodeError {
    /// The same error, of a named message.
    #[must_use]
    pub fn of(mut self, message: &'static str) -> Self {
        self.message.get_or_insert(message);
        self
    }
}

/// What is wrong with the bytes of a peer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeFault {
    /// The message ends before the field does.
    #[error("{needed} bytes expected, {room} are left")]
    Truncated {
        /// Bytes of the field.
        needed: usize,
        /// Bytes left.
        room: usize,
    },
    /// A count tells of more elements than the message has bytes for.
    #[error("{field} claims {count} elements of at least {size} bytes, {room} bytes are left")]
    CountTooLarge {
        /// The list.
        field: &'static str,
        /// Its count on the wire.
        count: usize,
        /// The fewest bytes an element takes.
        size: usize,
        /// Bytes left.
        room: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn past_the_end_everything_is_zero_and_the_first_fault_is_kept() {
        let mut input = Decoder::new(&[0, 1, 2]);
        assert_eq!(input.read::<u16>(), 1);
        assert_eq!(input.read::<u32>(), 0);
        assert_eq!(input.read::<u8>(), 0, "a decoder at fault does not go back to bytes it skipped");
        assert_eq!(input.string::<4>(), "");
        let error = input.finish().unwrap_err();
        assert_eq!((error.offset, error.fault), (2, DecodeFault::Truncated { needed: 4, room: 1 }));
    }

    #[test]
    fn a_count_is_checked_before_room_is_made() {
        let mut input = Decoder::new(&[1, 2, 3, 4]);
        assert!(input.list::<u16>("paths", usize::MAX).is_empty());
        let error = input.finish().unwrap_err().of("ip_route_details");
        assert_eq!(
            error.to_string(),
            format!(
                "cannot decode ip_route_details at payload byte 0: paths claims {} elements of at least 2 bytes, 4 bytes are left",
                usize::MAX
            )
        );
    }

    #[test]
    fn a_string_ends_at_its_first_nul_or_at_its_field() {
        assert_eq!(Decoder::new(b"abc\0zz").string::<6>(), "abc");
        assert_eq!(Decoder::new(b"abcdef").string::<6>(), "abcdef");
        assert_eq!(Decoder::new(&[0xff, b'a', 0]).string::<3>(), "\u{fffd}a");
        assert_eq!(Decoder::new(b"\0\0\0\x03abc\0").long_string("reply"), "abc");
    }
}
