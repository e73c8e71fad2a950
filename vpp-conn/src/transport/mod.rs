//! What carries messages: where requests are written, and where answers come from.

mod alarm;
#[cfg(shared_memory)]
mod bell;
#[cfg(shared_memory)]
mod doors;
#[cfg(shared_memory)]
mod pace;
mod rests;
#[cfg(shared_memory)]
mod shared_memory;
mod socket;
mod stream;

use std::task::Waker;
use std::time::{Duration, Instant};

use vpp_wire::EncodeError;

#[cfg(shared_memory)]
pub(crate) use self::doors::Doors;
#[cfg(shared_memory)]
pub(crate) use self::shared_memory::SharedMemory;
#[cfg(test)]
pub(crate) use self::socket::Output;
pub(crate) use self::socket::Socket;
use crate::error::{CloseError, Lost};
use crate::mux::Outgoing;
use crate::payload::Payload;

/// Where the multiplexer writes requests.
pub(crate) trait Outbox {
    /// Begins a group of messages that go one behind the other, while so many others are not answered. Gives the index of
    /// the client that sends them.
    fn begin(&mut self, requests: &[Outgoing], others: usize) -> [u8; 4];

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
    /// Something, which [`Link::next_message`] may find to be messages. There may be more.
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
    /// It was, and there is more to say.
    #[cfg(shared_memory)]
    Continues,
    /// It was the last word.
    Done,
}

/// What a connection stands on.
#[derive(Debug)]
pub(crate) enum Link {
    Socket(Box<Socket>),
    #[cfg(shared_memory)]
    SharedMemory(Box<SharedMemory>),
}

impl Link {
    /// The four bytes by which VPP knows this client.
    pub(crate) fn client_index(&self) -> [u8; 4] {
        match self {
            Self::Socket(socket) => socket.client_index(),
            #[cfg(shared_memory)]
            Self::SharedMemory(shared) => shared.client_index(),
        }
    }

    /// Looks for what has come, without waiting. `waker` is told when there is more on the socket; who is not told of it
    /// need not look there.
    pub(crate) fn fill(&mut self, waker: Option<&Waker>) -> Filled {
        match (self, waker) {
            (Self::Socket(socket), Some(waker)) => socket.fill(waker),
            (Self::Socket(_), None) => Filled::Nothing,
            #[cfg(shared_memory)]
            (Self::SharedMemory(shared), waker) => shared.fill(waker),
        }
    }

    /// All that has come is read, so many messages in all, and so many calls wait for theirs: whether nobody need look for a
    /// while, after which the waker is told.
    pub(crate) fn rest(&mut self, messages: u64, calls: usize, waker: &Waker) -> bool {
        match self {
            Self::Socket(socket) => socket.rest(messages, calls, waker),
            #[cfg(shared_memory)]
            Self::SharedMemory(_) => false,
        }
    }

    /// Whether who waits for an answer reads it from the socket, at the moment.
    pub(crate) fn is_socket(&self) -> bool {
        match self {
            Self::Socket(_) => true,
            #[cfg(shared_memory)]
            Self::SharedMemory(shared) => !shared.is_looked_for(),
        }
    }

    /// How many requests are expected to be under way at once.
    pub(crate) fn expect_many(&mut self, _many: usize) {
        #[cfg(shared_memory)]
        if let Self::SharedMemory(shared) = self {
            shared.expect_many(_many);
        }
    }

    /// A call was given up: its request may be on its way still.
    pub(crate) fn given_up(&mut self) {
        #[cfg(shared_memory)]
        if let Self::SharedMemory(shared) = self {
            shared.given_up();
        }
    }

    /// How many requests are worth sending at the moment, where that is known.
    pub(crate) fn at_once(&self) -> Option<usize> {
        match self {
            Self::Socket(_) => None,
            #[cfg(shared_memory)]
            Self::SharedMemory(shared) => shared.at_once(),
        }
    }

    /// The next of the messages that came.
    pub(crate) fn next_message(&mut self) -> Result<Option<Payload>, Lost> {
        match self {
            Self::Socket(socket) => socket.next_message(),
            #[cfg(shared_memory)]
            Self::SharedMemory(shared) => shared.next_message(),
        }
    }

    /// Whether something waits to be sent.
    pub(crate) fn has_unsent(&self) -> bool {
        match self {
            Self::Socket(socket) => socket.has_unsent(),
            #[cfg(shared_memory)]
            Self::SharedMemory(shared) => shared.has_unsent(),
        }
    }

    /// Sends what waits, as far as that goes without waiting; the waker is told when it goes on.
    pub(crate) fn flush(&mut self, waker: &Waker) -> Result<(), Lost> {
        match self {
            Self::Socket(socket) => socket.flush(waker),
            #[cfg(shared_memory)]
            Self::SharedMemory(shared) => shared.flush(waker),
        }
    }

    /// Tells VPP that this client leaves. Everything written before goes first.
    pub(crate) fn say_goodbye(&mut self) {
        match self {
            Self::Socket(socket) => socket.say_goodbye(),
            #[cfg(shared_memory)]
            Self::SharedMemory(shared) => shared.say_goodbye(),
        }
    }

    /// What a message that came behind [`Link::say_goodbye`] means for it.
    pub(crate) fn parting(&mut self, id: u16) -> Parting {
        match self {
            Self::Socket(socket) => socket.parting(id),
            #[cfg(shared_memory)]
            Self::SharedMemory(shared) => shared.parting(id),
        }
    }

    /// Sends what waits and looks for what comes without a runtime, by plain system calls, until something came.
    pub(crate) fn exchange_blocking(&mut self, until: Instant, patience: Duration) -> Result<(), CloseError> {
        match self {
            Self::Socket(socket) => socket.exchange_blocking(until, patience),
            #[cfg(shared_memory)]
            Self::SharedMemory(shared) => shared.exchange_blocking(until, patience),
        }
    }

    /// Carries nothing any more.
    pub(crate) fn shut(&mut self) {
        match self {
            Self::Socket(socket) => socket.shut(),
            #[cfg(shared_memory)]
            Self::SharedMemory(shared) => shared.shut(),
        }
    }
}

impl Outbox for Link {
    fn begin(&mut self, requests: &[Outgoing], others: usize) -> [u8; 4] {
        match self {
            Self::Socket(socket) => socket.output().begin(requests, others),
            #[cfg(shared_memory)]
            Self::SharedMemory(shared) => shared.begin(requests, others),
        }
    }

    fn message(
        &mut self,
        len: usize,
        fill: impl FnOnce(&mut [u8]) -> Result<(), EncodeError>,
    ) -> Result<(), OutboxError> {
        match self {
            Self::Socket(socket) => socket.output().message(len, fill),
            #[cfg(shared_memory)]
            Self::SharedMemory(shared) => shared.message(len, fill),
        }
    }

    fn commit(&mut self) {
        match self {
            Self::Socket(socket) => socket.output().commit(),
            #[cfg(shared_memory)]
            Self::SharedMemory(shared) => shared.commit(),
        }
    }

    fn rollback(&mut self) {
        match self {
            Self::Socket(socket) => socket.output().rollback(),
            #[cfg(shared_memory)]
            Self::SharedMemory(shared) => shared.rollback(),
        }
    }
}
