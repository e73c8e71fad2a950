//! The last messages of a connection, kept in memory.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use bytes::Bytes;

/// What a record takes beside its bytes.
const OVERHEAD: usize = 64;

/// Which way a message went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// To VPP.
    Sent,
    /// From VPP.
    Received,
}

/// A message that went over a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Traced {
    /// When, as far as the system's clock was right and was not set since.
    pub at: SystemTime,
    /// Which way.
    pub direction: Direction,
    /// The message's name.
    pub name: Arc<str>,
    /// The CRC of its definition; `None` for an id that VPP did not tell of.
    pub crc: Option<u32>,
    /// The whole message, from its id on.
    pub bytes: Bytes,
}

/// The last messages, as many as fit into so many bytes.
#[derive(Debug)]
pub(crate) struct Recorder {
    records: VecDeque<Record>,
    used: usize,
    capacity: usize,
    given_up: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) at: Instant,
    pub(crate) direction: Direction,
    pub(crate) bytes: Bytes,
}

impl Recorder {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { records: VecDeque::new(), used: 0, capacity, given_up: 0 }
    }

    /// Keeps a message; the oldest are given up for it. One that is larger than all the room is not kept.
    pub(crate) fn record(&mut self, at: Instant, direction: Direction, message: &[u8]) {
        let room = message.len() + OVERHEAD;
        while self.used + room > self.capacity {
            let Some(oldest) = self.records.pop_front() else {
                self.given_up += 1;
                return;
            };
            self.used -= oldest.bytes.len() + OVERHEAD;
            self.given_up += 1;
        }
        self.used += room;
        self.records.push_back(Record { at, direction, bytes: Bytes::copy_from_slice(message) });
    }

    pub(crate) fn records(&self) -> Vec<Record> {
        self.records.iter().cloned().collect()
    }

    /// All that is kept, which is kept no longer, and how many messages were given up since the last time.
    pub(crate) fn take(&mut self) -> (Vec<Record>, u64) {
        self.used = 0;
        (std::mem::take(&mut self.records).into(), std::mem::take(&mut self.given_up))
    }

    /// Messages that are no longer kept, or never were for their size.
    pub(crate) fn given_up(&self) -> u64 {
        self.given_up
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_messages_that_fit_are_kept() {
        let mut recorder = Recorder::new(3 * OVERHEAD + 10);
        let now = Instant::now();
        for byte in 0..5 {
            recorder.record(now, Direction::Sent, &[byte; 3]);
        }
        let kept: Vec<u8> = recorder.records().iter().map(|record| record.bytes[0]).collect();
        assert_eq!((kept, recorder.given_up()), (vec![2, 3, 4], 2));
        recorder.record(now, Direction::Received, &[9; 11 + 2 * OVERHEAD]);
        assert_eq!((recorder.records().len(), recorder.given_up()), (0, 6), "no room for it at all");
        recorder.record(now, Direction::Received, &[9; 10 + 2 * OVERHEAD]);
        assert_eq!((recorder.records().len(), recorder.given_up()), (1, 6));
        let (taken, given_up) = recorder.take();
        assert_eq!((taken.len(), given_up), (1, 6));
        recorder.record(now, Direction::Received, &[9; 10 + 2 * OVERHEAD]);
        let (taken, given_up) = recorder.take();
        assert_eq!((taken.len(), given_up), (1, 0), "all the room is there again");
    }
}
