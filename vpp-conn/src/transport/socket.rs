//! VPP's API socket.

use std::io;
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use bytes::{Buf, BytesMut};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::net::UnixStream;
use vpp_wire::EncodeError;

use super::rests::Rests;
use super::stream::{Read, Stream, read_now, send_now};
use super::{Filled, Outbox, OutboxError, Parting};
use crate::error::{CloseError, Lost};
use crate::frame::{self, FrameReader};
use crate::handshake;
use crate::mux::Outgoing;
use crate::payload::Payload;

/// A stream of frames in each direction.
#[derive(Debug)]
pub(crate) struct Socket {
    stream: Stream,
    reader: FrameReader,
    output: Output,
    rests: Rests,
    /// All that had come was read.
    is_read: bool,
}

/// Frames that wait to be sent.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) bytes: BytesMut,
    client_index: [u8; 4],
    /// Where the group that is being written begins.
    group: usize,
}

impl Output {
    pub(crate) fn new(client_index: [u8; 4]) -> Self {
        Self { bytes: BytesMut::new(), client_index, group: 0 }
    }
}

impl Outbox for Output {
    fn begin(&mut self, _requests: &[Outgoing], _others: usize) -> [u8; 4] {
        self.group = self.bytes.len();
        self.client_index
    }

    fn message(
        &mut self,
        len: usize,
        fill: impl FnOnce(&mut [u8]) -> Result<(), EncodeError>,
    ) -> Result<(), OutboxError> {
        let header = frame::header(len).ok_or(OutboxError::TooLong(len))?;
        self.bytes.extend_from_slice(&header);
        let start = self.bytes.len();
        self.bytes.resize(start + len, 0);
        fill(&mut self.bytes[start..]).map_err(OutboxError::Encode)
    }

    fn commit(&mut self) {}

    fn rollback(&mut self) {
        self.bytes.truncate(self.group);
    }
}

impl Socket {
    pub(crate) fn new(stream: UnixStream, client_index: [u8; 4], reader: FrameReader) -> Self {
        Self {
            stream: Stream::new(stream),
            reader,
            output: Output::new(client_index),
            rests: Rests::default(),
            is_read: false,
        }
    }

    pub(crate) fn client_index(&self) -> [u8; 4] {
        self.output.client_index
    }

    pub(crate) fn output(&mut self) -> &mut Output {
        &mut self.output
    }

    /// Sends bytes past what waits, as many as go without waiting.
    #[cfg(shared_memory)]
    pub(crate) fn send_now(&self, bytes: &[u8]) -> rustix::io::Result<usize> {
        send_now(self.stream.file().ok_or(rustix::io::Errno::NOTCONN)?, bytes)
    }

    pub(crate) fn fill(&mut self, waker: &Waker) -> Filled {
        let read = self.stream.fill(&mut self.reader, waker);
        self.is_read = matches!(read, Read::All);
        match read {
            Read::Nothing => Filled::Nothing,
            Read::Some | Read::All => Filled::Something,
            Read::Ended => Filled::Ended,
            Read::Failed(lost) => Filled::Failed(lost),
        }
    }

    /// So many messages came in all, and so many calls wait for theirs. Whether nobody need look for a while, after which the
    /// waker is told.
    pub(crate) fn rest(&mut self, messages: u64, calls: usize, waker: &Waker) -> bool {
        self.is_read
            && self
                .rests
                .after(messages, calls, Instant::now)
                .is_some_and(|time| self.stream.rest(time, waker))
    }

    pub(crate) fn next_message(&mut self) -> Result<Option<Payload>, Lost> {
        Ok(self.reader.next_frame()?.map(Payload::from))
    }

    pub(crate) fn has_unsent(&self) -> bool {
        !self.output.bytes.is_empty()
    }

    pub(crate) fn flush(&mut self, waker: &Waker) -> Result<(), Lost> {
        while !self.output.bytes.is_empty() {
            match self.stream.send(&self.output.bytes, waker) {
                Poll::Ready(sent) => self.output.bytes.advance(sent?),
                Poll::Pending => return Ok(()),
            }
        }
        Ok(())
    }

    pub(crate) fn say_goodbye(&mut self) {
        self.output.bytes.extend_from_slice(&handshake::delete(self.client_index()));
    }

    pub(crate) fn parting(&self, id: u16) -> Parting {
        if id == handshake::DELETE_REPLY.id { Parting::Done } else { Parting::Unrelated }
    }

    pub(crate) fn exchange_blocking(&mut self, until: Instant, patience: Duration) -> Result<(), CloseError> {
        let stream = self.stream.file().ok_or(CloseError::Lost(Lost::RuntimeEnded))?;
        loop {
            if !self.output.bytes.is_empty() {
                match send_now(stream, &self.output.bytes) {
                    Ok(len) => self.output.bytes.advance(len),
                    Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => {}
                    Err(error) => return Err(CloseError::Lost(io::Error::from(error).into())),
                }
            }
            let left = until.saturating_duration_since(Instant::now());
            let wanted =
                if self.output.bytes.is_empty() { PollFlags::IN } else { PollFlags::IN | PollFlags::OUT };
            let mut ready = [PollFd::new(&stream, wanted)];
            let left = Timespec { tv_sec: 0, tv_nsec: left.subsec_nanos().into() };
            if left.tv_nsec == 0 || poll(&mut ready, Some(&left)) == Ok(0) {
                return Err(CloseError::TimedOut(patience));
            }
            if !ready[0].revents().intersects(PollFlags::IN | PollFlags::HUP | PollFlags::ERR) {
                continue;
            }
            match read_now(stream, &mut self.reader) {
                Ok(0) => return Err(CloseError::Lost(Lost::ClosedByVpp)),
                Ok(_) => return Ok(()),
                Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => {}
                Err(error) => return Err(CloseError::Lost(io::Error::from(error).into())),
            }
        }
    }

    pub(crate) fn shut(&self) {
        // Handles may live on; VPP would go on writing to a socket that nobody reads. It may be closed already.
        let _closed =
            self.stream.file().map(|stream| rustix::net::shutdown(stream, rustix::net::Shutdown::Both));
    }
}
