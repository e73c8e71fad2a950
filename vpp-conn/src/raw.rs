//! Messages that are told at run time.

use std::future::poll_fn;

use vpp_wire::{Cursor, Header};

use crate::call::Exchange;
use crate::connection::Connection;
use crate::dump::{Details, End, cursor_in_payloads};
use crate::error::{CallError, EventError};
use crate::events::Queue;
use crate::mux::MessageKind;
use crate::payload::Payload;

/// Calls, dumps and events whose messages are known from definitions at run time: payloads are bytes.
#[derive(Clone, Copy, Debug)]
pub struct Raw<'a> {
    connection: &'a Connection,
}

/// A message as a definition tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawMessage<'a> {
    /// VPP's name.
    pub name: &'a str,
    /// The CRC of the definition.
    pub crc: u32,
    /// What stands before the payload.
    pub header: Header,
}

/// What ends a stream of details.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RawEnd<'a> {
    /// Nothing of its own.
    ControlPing,
    /// A reply.
    Reply {
        /// The reply.
        reply: RawMessage<'a>,
        /// Offset of `retval` from the start of the reply.
        retval: Option<usize>,
        /// Where the position to continue from stands.
        cursor: Option<Cursor>,
    },
}

impl<'a> Raw<'a> {
    pub(crate) fn new(connection: &'a Connection) -> Self {
        Self { connection }
    }

    /// Sends a request and waits for the payload of its reply, whatever its `retval` says.
    ///
    /// # Errors
    ///
    /// Those of [`Connection::call`], without refusals.
    pub async fn call(
        &self,
        request: RawMessage<'_>,
        payload: &[u8],
        reply: RawMessage<'_>,
    ) -> Result<Payload, CallError> {
        let mut exchange = Exchange::new(self.connection, self.kind(request)?, self.kind(reply)?);
        let deadline = self.connection.shared().settings.deadline;
        let write = |place: &mut [u8]| {
            place.copy_from_slice(payload);
            Ok(())
        };
        poll_fn(|cx| exchange.poll(cx, deadline, || payload.len(), write)).await
    }

    /// Sends a request that VPP answers with a stream of details.
    ///
    /// # Errors
    ///
    /// When this VPP does not have one of the messages.
    pub fn dump(
        &self,
        request: RawMessage<'_>,
        payload: &[u8],
        details: RawMessage<'_>,
        end: RawEnd<'_>,
    ) -> Result<RawStream, CallError> {
        let end = match end {
            RawEnd::ControlPing => End::ping(self.connection)?,
            RawEnd::Reply { reply, retval, cursor } => End::Reply {
                reply: self.kind(reply)?,
                retval: retval.and_then(|at| at.checked_sub(reply.header.len())),
                cursor: cursor.map(|cursor| cursor_in_payloads(cursor, request.header, reply.header)),
            },
        };
        let connection = self.connection.clone();
        let details =
            Details::new(connection, self.kind(request)?, payload.to_vec(), self.kind(details)?, end);
        Ok(RawStream(details))
    }

    /// Subscribes to an event without asking VPP to send it.
    ///
    /// # Errors
    ///
    /// When this VPP does not have the event, or the connection has ended.
    pub fn listen(&self, event: RawMessage<'_>) -> Result<RawEvents, CallError> {
        Ok(RawEvents(Queue::new(self.connection.clone(), self.kind(event)?)?))
    }

    fn kind(&self, message: RawMessage<'_>) -> Result<MessageKind, CallError> {
        let id = self.connection.shared().table.id_of_named(message.name, message.crc)?;
        Ok(MessageKind { id, header: message.header })
    }
}

/// A stream of details whose message is known at run time.
#[derive(Debug)]
#[must_use = "a dump is not sent before it is asked"]
pub struct RawStream(Details);

impl RawStream {
    /// The payload of the next element; `None` behind the last.
    ///
    /// # Errors
    ///
    /// Those of [`DumpStream::next`](crate::DumpStream::next).
    pub async fn next(&mut self) -> Result<Option<Payload>, CallError> {
        poll_fn(|cx| self.0.poll_next(cx)).await
    }

    /// The payload of the reply that ended the stream.
    #[must_use]
    pub fn reply(&self) -> Option<&Payload> {
        self.0.reply.as_ref()
    }
}

/// A stream of events whose message is known at run time.
#[derive(Debug)]
pub struct RawEvents(Queue);

impl RawEvents {
    /// The payload of the next event.
    ///
    /// # Errors
    ///
    /// Those of [`Events::next`](crate::Events::next).
    pub async fn next(&mut self) -> Result<Payload, EventError> {
        poll_fn(|cx| self.0.poll_next(cx)).await
    }
}
