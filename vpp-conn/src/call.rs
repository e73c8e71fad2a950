//! One request, one reply.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, ready};
use std::time::Duration;

use vpp_wire::{ApiError, EncodeError, Message, MessageInfo, Request};

use crate::connection::Connection;
use crate::error::CallError;
use crate::mux::{Context, Expect, MessageKind, Outgoing, Progress};
use crate::payload::Payload;
use crate::table::Incompatible;

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
        let progress = ready!(shared.poll_answer(context, cx));
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
    stage: Stage<'a>,
}

/// How far a call is, and on which way.
#[derive(Debug)]
enum Stage<'a> {
    Unsent,
    Sent(Exchange<'a>),
    /// VPP has another definition of one of the messages.
    #[cfg(feature = "bridge")]
    Bridged(Box<bridged::Sent<'a>>),
}

impl<'a, R: Request> Call<'a, R> {
    pub(crate) fn new(connection: &'a Connection, request: &'a R) -> Self {
        let deadline = connection.shared().settings.deadline;
        Self { connection, request, deadline, unchecked: false, stage: Stage::Unsent }
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

    fn begin(&self) -> Result<Stage<'a>, CallError> {
        match self.exchange() {
            Ok(exchange) => Ok(Stage::Sent(exchange)),
            #[cfg(feature = "bridge")]
            Err(incompatible) => Ok(Stage::Bridged(self.bridged(incompatible)?)),
            #[cfg(not(feature = "bridge"))]
            Err(incompatible) => Err(incompatible.into()),
        }
    }

    fn exchange(&self) -> Result<Exchange<'a>, Incompatible> {
        let table = &self.connection.shared().table;
        Ok(Exchange::new(self.connection, MessageKind::of::<R>(table)?, MessageKind::of::<R::Reply>(table)?))
    }

    fn read(&self, request: u16, payload: &Payload) -> Result<R::Reply, CallError> {
        self.check(request, retval_offset(&R::Reply::INFO), payload)?;
        Ok(R::Reply::from_payload(payload)?)
    }

    /// An error when VPP refused, told by the `retval` at this place of the payload.
    fn check(&self, request: u16, retval: Option<usize>, payload: &[u8]) -> Result<(), CallError> {
        if self.unchecked {
            return Ok(());
        }
        accepted(retval, payload, || self.connection.shared().table.name_of(request))
    }
}

/// An error when VPP refused, told by the `retval` at this place of the reply's payload.
pub(crate) fn accepted(
    retval: Option<usize>,
    payload: &[u8],
    request: impl FnOnce() -> Arc<str>,
) -> Result<(), CallError> {
    let retval = retval.and_then(|at| payload.get(at..)?.first_chunk());
    match retval.and_then(|retval| ApiError::from_retval(i32::from_be_bytes(*retval))) {
        Some(error) => Err(CallError::Refused { request: request(), error }),
        None => Ok(()),
    }
}

/// Where the payload of a message has its `retval`.
pub(crate) fn retval_offset(info: &MessageInfo) -> Option<usize> {
    info.retval?.checked_sub(info.header.len())
}

impl<R: Request> Future for Call<'_, R> {
    type Output = Result<R::Reply, CallError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let (request, deadline) = (self.request, self.deadline);
        loop {
            match &mut self.stage {
                Stage::Sent(exchange) => {
                    let write = |payload: &mut [u8]| request.encode_payload(payload).map(drop);
                    let payload = ready!(exchange.poll(cx, deadline, || request.encoded_len(), write))?;
                    let id = exchange.request.id;
                    return Poll::Ready(self.read(id, &payload));
                }
                Stage::Unsent => self.stage = self.begin()?,
                #[cfg(feature = "bridge")]
                Stage::Bridged(sent) => {
                    let payload = ready!(sent.poll(cx, deadline))?;
                    return Poll::Ready(self.read_bridged(&payload));
                }
            }
        }
    }
}

/// Calls of which VPP has a message otherwise.
#[cfg(feature = "bridge")]
mod bridged {
    use std::sync::Arc;
    use std::task::{Context as TaskContext, Poll};
    use std::time::Duration;

    use vpp_wire::{Message, Request};

    use super::{Call, Exchange, Stage};
    use crate::bridge::BridgedCall;
    use crate::error::CallError;
    use crate::payload::Payload;
    use crate::table::Incompatible;

    /// A request as VPP knows it, on its way.
    #[derive(Debug)]
    pub(super) struct Sent<'a> {
        way: Arc<BridgedCall>,
        exchange: Exchange<'a>,
        payload: Vec<u8>,
    }

    impl Sent<'_> {
        pub(super) fn poll(
            &mut self,
            cx: &mut TaskContext<'_>,
            deadline: Duration,
        ) -> Poll<Result<Payload, CallError>> {
            let payload = &self.payload;
            let write = |place: &mut [u8]| {
                place.copy_from_slice(payload);
                Ok(())
            };
            self.exchange.poll(cx, deadline, || payload.len(), write)
        }
    }

    impl<'a, R: Request> Call<'a, R> {
        /// The other way, where the program allows it.
        #[cold]
        pub(super) fn bridged(&self, incompatible: Incompatible) -> Result<Box<Sent<'a>>, CallError> {
            let shared = self.connection.shared();
            let bridging = shared.bridging.get().ok_or(incompatible)?;
            let way = bridging.call(&shared.table, &R::INFO, &R::Reply::INFO)?;
            let mut payload = vec![0; self.request.encoded_len()];
            self.request.encode_payload(&mut payload)?;
            let payload = way.request.carry(&payload).map_err(CallError::Bridge)?;
            let exchange = Exchange::new(self.connection, way.request.kind, way.reply.kind);
            Ok(Box::new(Sent { way, exchange, payload }))
        }

        pub(super) fn read_bridged(&self, payload: &[u8]) -> Result<R::Reply, CallError> {
            let Stage::Bridged(sent) = &self.stage else { unreachable!("it was asked for its reply") };
            // What else stands in a refusal need not make sense.
            self.check(sent.way.request.kind.id, sent.way.retval, payload)?;
            let payload = sent.way.reply.carry(payload).map_err(CallError::Bridge)?;
            Ok(R::Reply::from_payload(&payload)?)
        }
    }
}
