//! One request, one reply.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll, ready};
use std::time::Duration;

use vpp_wire::{ApiError, EncodeError, Message, MessageInfo, Request};

use crate::connection::Connection;
use crate::error::CallError;
use crate::mux::{Context, Expect, MessageKind, Outgoing, Progress};
use crate::payload::Payload;

/// One request and its reply, as bytes. Dropping it gives the call up.
#[derive(Debug)]
pub(crate) struct Exchange<'a> {
    connection: &'a Connection,
    request: MessageKind,
    reply: MessageKind,
    /// While it is under way.
    context: Option<Context>,
}

impl<'a> Exchange<'a> {
    pub(crate) fn new(connection: &'a Connection, request: MessageKind, reply: MessageKind) -> Self {
        Self { connection, request, reply, context: None }
    }

    /// The payload of the reply. The first poll sends the request, whose payload of `payload_len` bytes
    /// `write` fills.
    pub(crate) fn poll(
        &mut self,
        cx: &mut TaskContext<'_>,
        deadline: Duration,
        payload_len: impl FnOnce() -> usize,
        write: impl Fn(&mut [u8]) -> Result<(), EncodeError>,
    ) -> Poll<Result<Payload, CallError>> {
        let shared = self.connection.shared();
        let context = match self.context {
            Some(context) => context,
            None => {
                let outgoing = Outgoing { kind: self.request, payload_len: payload_len() };
                let expect = Expect::Reply(self.reply);
                let begun = shared
                    .with(|core| {
                        shared.begin(core, &[outgoing], expect, deadline, |_, payload| write(payload))
                    })
                    .map_err(|error| shared.begin_error(self.request.id, error))?;
                *self.context.insert(begun)
            }
        };
        let progress = ready!(shared.with(|core| shared.poll_call(core, context, cx)));
        // Over: dropping has nothing to give up. Being polled again after the end starts anew, as a future may not.
        self.context = None;
        Poll::Ready(match progress {
            Progress::End(payload) => Ok(payload),
            Progress::Failed(failure) => Err(shared.call_error(self.request.id, failure)),
            Progress::Details(_) | Progress::Pending => {
                unreachable!("a call has neither details nor, ready, nothing")
            }
        })
    }
}

impl Drop for Exchange<'_> {
    fn drop(&mut self) {
        if let Some(context) = self.context {
            self.connection.shared().cancel(context);
        }
    }
}

/// A call on its way: a future of the reply.
///
/// Dropping it gives the call up; its reply is discarded when it comes.
#[derive(Debug)]
#[must_use = "a call is not sent before it is awaited"]
pub struct Call<'a, R> {
    connection: &'a Connection,
    request: &'a R,
    deadline: Duration,
    unchecked: bool,
    exchange: Option<Exchange<'a>>,
}

impl<'a, R: Request> Call<'a, R> {
    pub(crate) fn new(connection: &'a Connection, request: &'a R) -> Self {
        let deadline = connection.shared().settings.deadline;
        Self { connection, request, deadline, unchecked: false, exchange: None }
    }

    /// How long to wait for the reply.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Gives the reply whatever its `retval` says: some carry output even when VPP refuses.
    pub fn unchecked(mut self) -> Self {
        self.unchecked = true;
        self
    }

    fn exchange(&self) -> Result<Exchange<'a>, CallError> {
        let table = &self.connection.shared().table;
        let request = MessageKind { id: table.id_of::<R>()?, header: R::INFO.header };
        let reply = MessageKind { id: table.id_of::<R::Reply>()?, header: R::Reply::INFO.header };
        Ok(Exchange::new(self.connection, request, reply))
    }

    fn read(&self, request: u16, payload: &Payload) -> Result<R::Reply, CallError> {
        if let Some(error) = refusal(&R::Reply::INFO, payload).filter(|_| !self.unchecked) {
            let request = self.connection.shared().table.name_of(request);
            return Err(CallError::Refused { request, error });
        }
        Ok(R::Reply::from_payload(payload)?)
    }
}

/// The error in the `retval` of a payload.
pub(crate) fn refusal(info: &MessageInfo, payload: &[u8]) -> Option<ApiError> {
    let at = info.retval?.checked_sub(info.header.len())?;
    let retval = payload.get(at..)?.first_chunk()?;
    ApiError::from_retval(i32::from_be_bytes(*retval))
}

impl<R: Request> Future for Call<'_, R> {
    type Output = Result<R::Reply, CallError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let exchange = match self.exchange.take() {
            Some(exchange) => exchange,
            None => self.exchange()?,
        };
        let (request, deadline) = (self.request, self.deadline);
        let write = |payload: &mut [u8]| request.encode_payload(payload).map(drop);
        let exchange = self.exchange.insert(exchange);
        let payload = ready!(exchange.poll(cx, deadline, || request.encoded_len(), write))?;
        let id = exchange.request.id;
        Poll::Ready(self.read(id, &payload))
    }
}
