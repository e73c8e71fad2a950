//! Bytes of a peer, in pieces of any size, through the frame reader.
#![no_main]

use bytes::BufMut;
use libfuzzer_sys::fuzz_target;
use vpp_conn::frame::{FrameReader, HEADER_LEN};

/// No message larger than this is taken.
const MAX_LEN: usize = 1 << 16;

fuzz_target!(|input: (Vec<u8>, Vec<u8>)| {
    let (stream, pieces) = input;
    let mut reader = FrameReader::new(MAX_LEN);
    let (mut rest, mut taken, mut pieces) = (&stream[..], 0, pieces.into_iter().cycle());
    loop {
        loop {
            match reader.next_frame() {
                Ok(Some(message)) => taken += HEADER_LEN + message.len(),
                Ok(None) => break,
                Err(error) => {
                    assert!(error.len > MAX_LEN);
                    return;
                }
            }
        }
        // What came is either taken or waits; nothing is lost or made up.
        assert_eq!(taken + reader.pending(), stream.len() - rest.len());
        if rest.is_empty() {
            break;
        }
        let (piece, later) = rest.split_at(usize::from(pieces.next().unwrap_or(1)).clamp(1, rest.len()));
        reader.buffer().put_slice(piece);
        rest = later;
        assert!(reader.buffer().capacity() < stream.len() + MAX_LEN * 8, "room is not made for claims");
    }
});
