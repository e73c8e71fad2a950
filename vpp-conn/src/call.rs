//! One request, one reply.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use bytes::Bytes;
use vpp_wire::{ApiError, Message, MessageInfo, Request};

use crate::connection::Connection;
use crate::error::CallError;
use crate::mux::{Context, Expect, MessageKind, Outgoing, Progress};

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
    sent: Option<Sent>,
}

#[derive(Clone, Copy, Debug)]
struct Sent {
    context: Context,
    request: u16,
}

impl<'a, R: Request> Call<'a, R> {
    pub(crate) fn new(connection: &'a Connection, request: &'a R) -> Self {
        let deadline = connection.shared().settings.deadline;
        Self { connection, request, deadline, unchecked: false, sent: None }
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

    fn send(&self) -> Result<Sent, CallError> {
        let shared = self.connection.shared();
        let request = shared.table.id_of::<R>()?;
        let reply = MessageKind { id: shared.table.id_of::<R::Reply>()?, header: R::Reply::INFO.header };
        let outgoing = Outgoing {
            kind: MessageKind { id: request, header: R::INFO.header },
            payload_len: self.request.encoded_len(),
        };
        let write = |_, payload: &mut [u8]| self.request.encode_payload(payload).map(drop);
        let begun = shared
            .with(|core| shared.begin(core, &[outgoing], Expect::Reply(reply), self.deadline, write))
            .map_err(|error| shared.begin_error(request, error))?;
        Ok(Sent { context: begun, request })
    }

    fn read(&self, request: u16, payload: &Bytes) -> Result<R::Reply, CallError> {
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
        let Sent { context, request } = match self.sent {
            Some(sent) => sent,
            None => {
                let sent = self.send()?;
                self.sent = Some(sent);
                sent
            }
        };
        let shared = self.connection.shared();
        let progress = match shared.with(|core| shared.poll_call(core, context, cx)) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(progress) => progress,
        };
        // Over: dropping has nothing to give up. Being polled again after the end starts anew, as a future may not.
        self.sent = None;
        Poll::Ready(match progress {
            Progress::End(payload) => self.read(request, &payload),
            Progress::Failed(failure) => Err(self.connection.shared().call_error(request, failure)),
            Progress::Details(_) | Progress::Pending => {
                unreachable!("a call has neither details nor, ready, nothing")
            }
        })
    }
}

impl<R> Drop for Call<'_, R> {
    fn drop(&mut self) {
        if let Some(sent) = self.sent {
            self.connection.shared().cancel(sent.context);
        }
    }
}
