//! Framing of VPP's API socket: 16 bytes of header, then the message.

use bytes::{Buf, Bytes, BytesMut};
use zerocopy::byteorder::big_endian::U32;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// Bytes before each message.
pub const HEADER_LEN: usize = 16;

/// The largest message taken from a peer unless told otherwise: 64 MiB. The largest that VPP 26.06 sends by itself are
/// its own definitions, about 2 MiB.
pub const DEFAULT_MAX_LEN: usize = 64 << 20;

/// Room made for each read. VPP writes in pieces of 4 KiB; a dump fills much more between two reads.
const READ_LEN: usize = 64 << 10;

/// What stands before a message on the socket.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct Header {
    /// A pointer of the sender's own; junk in what VPP sends.
    _queue: [u8; 8],
    /// Bytes of the message behind this header.
    data_len: U32,
    /// Not used on sockets.
    _gc_mark: [u8; 4],
}

const _: () = assert!(size_of::<Header>() == HEADER_LEN);

/// The header of a message of `len` bytes; `None` when no header can tell so many.
///
/// VPP 26.06 dies of lengths close to 4 GiB, so the limit is far below: 1 GiB.
#[must_use]
pub fn header(len: usize) -> Option<[u8; HEADER_LEN]> {
    let data_len = u32::try_from(len).ok().filter(|len| *len <= 1 << 30)?;
    let header = Header { _queue: [0; 8], data_len: U32::new(data_len), _gc_mark: [0; 4] };
    Some(zerocopy::transmute!(header))
}

/// Takes whole messages out of a stream of bytes.
#[derive(Debug)]
pub struct FrameReader {
    buffer: BytesMut,
    max_len: usize,
}

impl FrameReader {
    /// A reader that takes messages of up to `max_len` bytes.
    #[must_use]
    pub fn new(max_len: usize) -> Self {
        Self { buffer: BytesMut::with_capacity(READ_LEN), max_len }
    }

    /// Where received bytes are appended. There is room for a read; no more is needed for the rest of a message that
    /// has begun.
    pub fn buffer(&mut self) -> &mut BytesMut {
        if self.buffer.capacity() - self.buffer.len() < READ_LEN / 16 {
            self.buffer.reserve(READ_LEN);
        }
        &mut self.buffer
    }

    /// The next message without its frame header; `None` until it is there to its last byte.
    ///
    /// # Errors
    ///
    /// When a header tells of more bytes than the limit. The stream has no next message then.
    pub fn next_frame(&mut self) -> Result<Option<Bytes>, FrameError> {
        let Ok((header, rest)) = Header::ref_from_prefix(&self.buffer) else { return Ok(None) };
        let len = header.data_len.get() as usize;
        if len > self.max_len {
            return Err(FrameError { len, max: self.max_len });
        }
        if rest.len() < len {
            let missing = len - rest.len();
            if missing > READ_LEN {
                // One allocation for a large message instead of one for each doubling. A peer can claim this much
                // without sending it, so the claim is believed in steps.
                self.buffer.reserve(missing.min(self.buffer.len().max(READ_LEN) * 4));
            }
            return Ok(None);
        }
        self.buffer.advance(HEADER_LEN);
        Ok(Some(self.buffer.split_to(len).freeze()))
    }

    /// Bytes of a message that has begun and not ended.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.buffer.len()
    }
}

/// A frame header that cannot be one of VPP's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a frame claims {len} bytes, the limit is {max}")]
pub struct FrameError {
    /// Bytes it claims.
    pub len: usize,
    /// Bytes allowed.
    pub max: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(message: &[u8]) -> Vec<u8> {
        let mut frame = header(message.len()).unwrap().to_vec();
        frame[..8].fill(0xaa); // VPP's junk
        frame[12..].fill(0xbb);
        frame.extend_from_slice(message);
        frame
    }

    #[test]
    fn messages_come_out_whole_however_the_bytes_arrive() {
        let stream = [frame(b"one"), frame(b""), frame(&[7; 100_000])].concat();
        for step in [1, 2, 15, 16, 17, 4096, stream.len()] {
            let mut reader = FrameReader::new(DEFAULT_MAX_LEN);
            let mut messages = Vec::new();
            for piece in stream.chunks(step) {
                reader.buffer().extend_from_slice(piece);
                while let Some(message) = reader.next_frame().unwrap() {
                    messages.push(message);
                }
            }
            assert_eq!(messages, [&b"one"[..], b"", &[7; 100_000]], "in steps of {step}");
            assert_eq!(reader.pending(), 0);
        }
    }

    #[test]
    fn a_length_over_the_limit_is_an_error_and_reserves_nothing() {
        let mut reader = FrameReader::new(100);
        reader.buffer().extend_from_slice(&header(101).unwrap());
        assert_eq!(reader.next_frame(), Err(FrameError { len: 101, max: 100 }));
        let mut reader = FrameReader::new(usize::MAX);
        reader.buffer().extend_from_slice(&[0xff; HEADER_LEN]);
        assert_eq!(reader.next_frame(), Ok(None));
        assert!(reader.buffer().capacity() < 1 << 20, "a claim of 4 GiB is not believed");
    }

    #[test]
    fn no_header_is_made_for_a_length_that_kills_vpp() {
        assert_eq!(header(0xffff_fff0), None);
        assert_eq!(header(10).unwrap()[8..12], [0, 0, 0, 10]);
    }
}
