//! How a sleeping VPP learns of requests in shared memory.
//!
//! VPP's main thread sleeps up to 10 ms when it has nothing to do, and requests in shared memory do not end its sleep;
//! bytes on the API socket do. They belong to a long message that is never meant to arrive, so VPP merely stores them.
//!
//! VPP handles one request of shared memory each time it is woken, and reads 4,096 bytes. While several wait, the socket
//! is kept filled, so that VPP finds something to read each time it would sleep.

use std::time::{Duration, Instant};

use crate::frame;
use crate::handshake::shared_memory::FILLER;

/// Bytes of the message that the bell's bytes are of.
const LEN: usize = 64 << 10;

/// Bytes that VPP reads at a time.
const READ: usize = 4096;

/// Requests that VPP is kept awake for at a time.
const MANY: usize = 32;
/// With so many to go it is early enough to keep it awake for more.
const FEW: usize = 12;

/// Bytes that were sent so long ago have been read: that takes some microseconds for all of them, and up to a tenth of a
/// millisecond when VPP slept deeply.
const READ_BY_NOW: Duration = Duration::from_micros(200);

/// VPP has to be woken again for more than one of so many requests: it is not this client alone that it is woken for.
const WEIGHT: u32 = 16;
/// So much of that is chance.
const OFTEN: u32 = 4 * WEIGHT;
/// What is believed of it lasts for so many requests.
const LASTING: u32 = 10_000;

/// With how many bytes VPP is woken.
#[derive(Debug)]
pub(crate) struct Bell {
    message: Box<[u8]>,
    /// Bytes of the message that were sent.
    sent: usize,
    /// Times that VPP still finds something to read, as far as is known: it has taken as many requests as it was woken.
    wakes: usize,
    /// When it was last given something.
    rang: Option<Instant>,
    /// How often VPP had to be woken again lately; see [`Bell::is_shared`].
    vain: u32,
}

impl Default for Bell {
    fn default() -> Self {
        let header = frame::header(LEN).unwrap_or_default();
        let mut message = [&header[..], &FILLER].concat();
        message.resize(header.len() + LEN, 0);
        Self { message: message.into(), sent: 0, wakes: 0, rang: None, vain: 0 }
    }
}

impl Bell {
    /// VPP took so many requests.
    pub(crate) fn took(&mut self, requests: usize) {
        self.wakes = self.wakes.saturating_sub(requests);
        self.vain = self.vain.saturating_sub(requests as u32);
    }

    /// Whether VPP looks at the memory of other clients too, so that it has to be woken several times for one request.
    pub(crate) fn is_shared(&self) -> bool {
        self.vain > OFTEN
    }

    /// How many bytes are to be sent now that so many requests wait.
    pub(crate) fn needed(&mut self, waiting: u32, now: Instant) -> usize {
        if self.rang.is_some_and(|rang| now.saturating_duration_since(rang) > READ_BY_NOW) {
            self.wakes = 0;
        }
        match waiting as usize {
            0 => 0,
            1 => usize::from(self.wakes == 0),
            waiting if self.wakes < FEW.min(waiting) => (waiting.min(MANY) - self.wakes) * READ,
            _ => 0,
        }
    }

    /// How many bytes are to be sent when requests wait although VPP was woken: where several clients have shared memory
    /// it looks at that of another each time.
    pub(crate) fn again(&mut self) -> usize {
        self.wakes = 0;
        self.vain = (self.vain + WEIGHT).min(LASTING);
        8 * READ
    }

    /// The next bytes to be sent: as many, or as many as there are before the message begins anew.
    pub(crate) fn bytes(&self, len: usize) -> &[u8] {
        // The header first: before it is whole VPP knows no length.
        let from = self.sent;
        let to = if from < frame::HEADER_LEN { frame::HEADER_LEN + len } else { from + len };
        &self.message[from..to.min(self.message.len())]
    }

    /// So many bytes were sent.
    pub(crate) fn rung(&mut self, len: usize, now: Instant) {
        self.rang = Some(now);
        self.wakes += len.div_ceil(READ);
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
        let mut bell = Bell::default();
        let now = Instant::now();
        let needed =
            |bell: &mut Bell| [0, 1, 2, 8, 900].map(|waiting| bell.needed(waiting, now) as f64 / READ as f64);
        let one = 1.0 / READ as f64;
        assert_eq!(needed(&mut bell), [0.0, one, 2.0, 8.0, 32.0]);
        let bytes = bell.needed(900, now);
        bell.rung(bytes, now);
        assert_eq!(needed(&mut bell), [0.0; 5]);
        bell.took(21);
        assert_eq!(needed(&mut bell), [0.0, 0.0, 0.0, 0.0, 21.0]);
        bell.took(11);
        assert_eq!(needed(&mut bell), [0.0, one, 2.0, 8.0, 32.0]);
    }

    #[test]
    fn what_vpp_has_read_long_ago_wakes_it_no_more() {
        let (mut bell, start) = (Bell::default(), Instant::now());
        let bytes = bell.again();
        bell.rung(bytes, start);
        bell.took(1);
        assert_eq!(bell.needed(1, start + READ_BY_NOW), 0);
        assert_eq!(bell.needed(1, start + 2 * READ_BY_NOW), 1);
    }

    #[test]
    fn the_bytes_are_one_message_after_another() {
        let mut bell = Bell::default();
        let mut sent = Vec::new();
        while sent.len() < 3 * (LEN + frame::HEADER_LEN) {
            let bytes = bell.bytes(5000).to_vec();
            bell.rung(bytes.len(), Instant::now());
            sent.extend(bytes);
        }
        let rest = bell.rest().to_vec();
        bell.rung(rest.len(), Instant::now());
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
