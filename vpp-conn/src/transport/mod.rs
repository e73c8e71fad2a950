//! What carries messages: where requests are written, and where answers come from.

mod socket;

use std::task::Waker;
use std::time::{Duration, Instant};

use vpp_wire::EncodeError;

#[cfg(test)]
pub(crate) use self::socket::Output;
pub(crate) use self::socket::Socket;
use crate::error::{CloseError, Lost};
use crate::payload::Payload;

/// Where the multiplexer writes requests.
pub(crate) trait Outbox {
    /// Begins a group of messages that go one behind the other, none of them longer than `largest`. Gives the index of
    /// the client that sends them.
    fn begin(&mut self, largest: usize) -> [u8; 4];

    /// One message of the group; `fill` gets its `len` bytes, all of them zero.
    fn message(
        &mut self,
        len: usize,
        fill: impl FnOnce(&mut [u8]) -> Result<(), EncodeError>,
    ) -> Result<(), OutboxError>;

    /// The group is complete.
    fn commit(&mut self);

    /// Nothing of the group is to be sent.
    fn rollback(&mut self);
}

/// Why a message was not written.
#[derive(Debug)]
pub(crate) enum OutboxError {
    Encode(EncodeError),
    TooLong(usize),
}

/// What a look for messages brought.
#[derive(Debug)]
pub(crate) enum Filled {
    /// Nothing; the waker is told when something comes.
    Nothing,
    /// Something, which [`Transport::next_message`] may find to be messages. There may be more.
    Something,
    /// The peer closed.
    Ended,
    Failed(Lost),
}

/// How far a good-bye has come with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Parting {
    /// The message is no part of it.
    Unrelated,
    /// It was the last word.
    Done,
}

/// The transport of a connection.
#[derive(Debug)]
pub(crate) enum Transport {
    Socket(Socket),
}

impl Transport {
    /// The four bytes by which VPP knows this client.
    pub(crate) fn client_index(&self) -> [u8; 4] {
        match self {
            Self::Socket(socket) => socket.client_index(),
        }
    }

    /// Looks for what has come, without waiting.
    pub(crate) fn fill(&mut self, waker: &Waker) -> Filled {
        match self {
            Self::Socket(socket) => socket.fill(waker),
        }
    }

    /// The next of the messages that came.
    pub(crate) fn next_message(&mut self) -> Result<Option<Payload>, Lost> {
        match self {
            Self::Socket(socket) => socket.next_message(),
        }
    }

    /// Whether something waits to be sent.
    pub(crate) fn has_unsent(&self) -> bool {
        match self {
            Self::Socket(socket) => socket.has_unsent(),
        }
    }

    /// Sends what waits, as far as that goes without waiting; the waker is told when it goes on.
    pub(crate) fn flush(&mut self, waker: &Waker) -> Result<(), Lost> {
        match self {
            Self::Socket(socket) => socket.flush(waker),
        }
    }

    /// Tells VPP that this client leaves. Everything written before goes first.
    pub(crate) fn say_goodbye(&mut self) {
        match self {
            Self::Socket(socket) => socket.say_goodbye(),
        }
    }

    /// What a message that came behind [`Transport::say_goodbye`] means for it.
    pub(crate) fn parting(&mut self, id: u16) -> Parting {
        match self {
            Self::Socket(socket) => socket.parting(id),
        }
    }

    /// Sends what waits and looks for what comes without a runtime, by plain system calls, until something came.
    pub(crate) fn exchange_blocking(&mut self, until: Instant, patience: Duration) -> Result<(), CloseError> {
        match self {
            Self::Socket(socket) => socket.exchange_blocking(until, patience),
        }
    }

    /// Carries nothing any more.
    pub(crate) fn shut(&mut self) {
        match self {
            Self::Socket(socket) => socket.shut(),
        }
    }
}

impl Outbox for Transport {
    fn begin(&mut self, largest: usize) -> [u8; 4] {
        match self {
            Self::Socket(socket) => socket.output().begin(largest),
        }
    }

    fn message(
        &mut self,
        len: usize,
        fill: impl FnOnce(&mut [u8]) -> Result<(), EncodeError>,
    ) -> Result<(), OutboxError> {
        match self {
            Self::Socket(socket) => socket.output().message(len, fill),
        }
    }

    fn commit(&mut self) {
        match self {
            Self::Socket(socket) => socket.output().commit(),
        }
    }

    fn rollback(&mut self) {
        match self {
            Self::Socket(socket) => socket.output().rollback(),
        }
    }
}
