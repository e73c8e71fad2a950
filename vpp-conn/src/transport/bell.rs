//! How a sleeping VPP learns of requests in shared memory.
//!
//! VPP's main thread sleeps up to 10 ms when it has nothing to do, and requests in shared memory do not end its sleep;
//! bytes on the API socket do. They belong to a long message that is never meant to arrive, so VPP merely stores them.
//!
//! VPP handles one request of shared memory each time it is woken, and reads 4,096 bytes. While several wait, the socket
//! is kept filled, so that VPP finds something to read each time it would sleep.
//!
//! A main thread that polls an interface does not sleep: bytes would cost this process a system call for nothing.

use crate::frame;
use crate::handshake::shared_memory::FILLER;

/// Bytes of the message that the bell's bytes are of.
const LEN: usize = 64 << 10;

/// Bytes that VPP reads at a time.
const READ: usize = 4096;

/// Requests that VPP is kept awake for at a time.
const MANY: usize = 8;

/// Answers in a row that came too fast for a VPP that had to wake up, before it is believed not to sleep.
const FAST: u32 = 8;

/// When and with how many bytes VPP is woken.
#[derive(Debug)]
pub(crate) struct Bell {
    message: Box<[u8]>,
    /// Bytes of the message that were sent.
    sent: usize,
    fast: u32,
}

impl Default for Bell {
    fn default() -> Self {
        let header = frame::header(LEN).unwrap_or_default();
        let mut message = [&header[..], &FILLER].concat();
        message.resize(header.len() + LEN, 0);
        Self { message: message.into(), sent: 0, fast: 0 }
    }
}

impl Bell {
    /// Whether VPP is believed not to sleep.
    fn is_awake(&self) -> bool {
        self.fast >= FAST
    }

    /// An answer came faster than from a VPP that had to wake up, or it did not come in that time.
    pub(crate) fn answered(&mut self, fast: bool) {
        self.fast = if fast { (self.fast + 1).min(FAST) } else { 0 };
    }

    /// How many bytes are to be sent now that so many requests wait.
    pub(crate) fn needed(&self, waiting: u32) -> usize {
        match waiting as usize {
            _ if self.is_awake() => 0,
            waiting @ (0 | 1) => waiting,
            waiting => waiting.min(MANY) * READ,
        }
    }

    /// How many bytes are to be sent when a request waits although VPP was woken: where several clients have shared memory
    /// it looks at that of another each time.
    pub(crate) fn again(&self) -> usize {
        MANY * READ
    }

    /// The next bytes to be sent: as many, or as many as there are before the message begins anew.
    pub(crate) fn bytes(&self, len: usize) -> &[u8] {
        // The header first: before it is whole VPP knows no length.
        let from = self.sent;
        let to = if from < frame::HEADER_LEN { frame::HEADER_LEN + len } else { from + len };
        &self.message[from..to.min(self.message.len())]
    }

    /// So many bytes were sent.
    pub(crate) fn rung(&mut self, len: usize) {
        self.sent = (self.sent + len) % self.message.len();
    }

    /// What completes the message that was begun.
    pub(crate) fn rest(&self) -> &[u8] {
        if self.sent == 0 { &[] } else { &self.message[self.sent..] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_request_takes_one_byte_and_many_keep_the_socket_filled() {
        let bell = Bell::default();
        assert_eq!([0, 1, 2, 8, 900].map(|waiting| bell.needed(waiting)), [0, 1, 8192, 32768, 32768]);
    }

    #[test]
    fn a_vpp_that_answers_at_once_is_left_alone_until_it_does_not() {
        let mut bell = Bell::default();
        (0..FAST).for_each(|_| bell.answered(true));
        assert_eq!(bell.needed(5), 0);
        bell.answered(false);
        assert_eq!(bell.needed(1), 1);
    }

    #[test]
    fn the_bytes_are_one_message_after_another() {
        let mut bell = Bell::default();
        let mut sent = Vec::new();
        while sent.len() < 3 * (LEN + frame::HEADER_LEN) {
            let bytes = bell.bytes(5000).to_vec();
            bell.rung(bytes.len());
            sent.extend(bytes);
        }
        let rest = bell.rest().to_vec();
        bell.rung(rest.len());
        sent.extend(rest);
        assert!(bell.rest().is_empty());
        let mut frames = frame::FrameReader::new(frame::DEFAULT_MAX_LEN);
        frames.buffer().extend_from_slice(&sent);
        while let Some(message) = frames.next_frame().unwrap() {
            assert_eq!((message.len(), &message[..2]), (LEN, &[0, 23][..]));
        }
        assert_eq!(frames.pending(), 0);
    }
}
