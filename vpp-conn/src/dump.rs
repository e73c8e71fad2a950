//! One request, a stream of details.

use std::future::poll_fn;
use std::marker::PhantomData;
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use vpp_wire::{
    ApiError, Cursor, Dump, EncodeError, Header, Message, MessageInfo, Stream, StreamEnd, View, Viewed,
};

use crate::connection::Connection;
use crate::error::CallError;
use crate::mux::{Context, Expect, MessageKind, Outgoing, Progress};
use crate::payload::Payload;

/// `control_ping`: its reply cannot overtake the details before it. The same in every release since 19.01.
const PING: MessageInfo =
    MessageInfo { name: "control_ping", crc: 0x5107_7d14, header: Header::ClientContext, retval: None };
const PING_REPLY: MessageInfo =
    MessageInfo { name: "control_ping_reply", crc: 0xf6b0_b8ca, header: Header::Context, retval: Some(6) };

/// A stream of details on its way.
///
/// VPP sends a dump as fast as the socket takes it. What is not read waits here, up to
/// [`Builder::stream_limit`](crate::Builder::stream_limit), and holds up nobody else. Dropping the stream gives it up.
#[derive(Debug)]
#[must_use = "a dump is not sent before it is asked"]
pub struct DumpStream<D: Dump> {
    inner: Inner,
    dump: PhantomData<fn() -> D>,
}

#[derive(Debug)]
enum Inner {
    Details(Details),
    Failed(Option<CallError>),
    /// VPP has another definition of one of the messages.
    #[cfg(feature = "bridge")]
    Bridged(Details, std::sync::Arc<crate::bridge::BridgedDump>),
}

impl<D: Dump> DumpStream<D> {
    pub(crate) fn new(connection: Connection, request: &D) -> Self {
        let inner = match Self::prepare(&connection, request) {
            Ok(details) => Inner::Details(details),
            #[cfg(feature = "bridge")]
            Err(CallError::Incompatible(incompatible)) => {
                Self::prepare_bridged(connection, request, incompatible)
                    .unwrap_or_else(|error| Inner::Failed(Some(error)))
            }
            Err(error) => Inner::Failed(Some(error)),
        };
        Self { inner, dump: PhantomData }
    }

    fn prepare(connection: &Connection, request: &D) -> Result<Details, CallError> {
        let table = &connection.shared().table;
        let details = MessageKind::of::<D::Details>(table)?;
        let end = match D::END {
            StreamEnd::ControlPing => End::ping(connection)?,
            StreamEnd::Reply { reply, cursor } => End::Reply {
                reply: MessageKind::of_info(table, reply)?,
                retval: reply.retval.and_then(|at| at.checked_sub(reply.header.len())),
                cursor: cursor.map(|cursor| cursor_in_payloads(cursor, D::INFO.header, reply.header)),
            },
        };
        let request_kind = MessageKind::of::<D>(table)?;
        let mut payload = vec![0; request.encoded_len()];
        request.encode_payload(&mut payload)?;
        Ok(Details::new(connection.clone(), request_kind, payload, details, end))
    }

    /// The other way, where the program allows it.
    #[cfg(feature = "bridge")]
    #[cold]
    fn prepare_bridged(
        connection: Connection,
        request: &D,
        incompatible: crate::Incompatible,
    ) -> Result<Inner, CallError> {
        use crate::bridge::BridgedEnd;

        let shared = connection.shared();
        let bridging = shared.bridging.get().ok_or(incompatible)?;
        let end = match D::END {
            StreamEnd::ControlPing => None,
            StreamEnd::Reply { reply, .. } => Some(reply),
        };
        let way = bridging.dump(&shared.table, &D::INFO, &D::Details::INFO, end)?;
        let mut payload = vec![0; request.encoded_len()];
        request.encode_payload(&mut payload)?;
        let payload = way.request.carry(&payload).map_err(CallError::Bridge)?;
        let end = match &way.end {
            BridgedEnd::ControlPing => End::ping(&connection)?,
            BridgedEnd::Reply { end, .. } => *end,
        };
        let details = Details::new(connection, way.request.kind, payload, way.details.kind, end);
        Ok(Inner::Bridged(details, way))
    }

    /// How long to wait for each element.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        match &mut self.inner {
            Inner::Details(details) => details.deadline = deadline,
            Inner::Failed(_) => {}
            #[cfg(feature = "bridge")]
            Inner::Bridged(details, _) => details.deadline = deadline,
        }
        self
    }

    /// The next element in place; `None` behind the last. An error ends the stream.
    ///
    /// # Errors
    ///
    /// Those of a call; also when an element is not what its definition says.
    pub async fn next(&mut self) -> Result<Option<Received<D::Details>>, CallError>
    where
        D::Details: Viewed,
    {
        match self.next_payload().await? {
            Some(payload) => {
                D::Details::view_payload(&payload)?;
                Ok(Some(Received { payload, message: PhantomData }))
            }
            None => Ok(None),
        }
    }

    /// All elements as owned values.
    ///
    /// # Errors
    ///
    /// Those of [`DumpStream::next`]; the elements before the error are dropped.
    pub async fn collect(mut self) -> Result<Vec<D::Details>, CallError> {
        let mut all = Vec::new();
        while let Some(payload) = self.next_payload().await? {
            all.push(D::Details::from_payload(&payload)?);
        }
        Ok(all)
    }

    /// The reply that ended the stream, once [`DumpStream::next`] gave `None`. A dump that is bridged to one without a
    /// reply has none.
    ///
    /// # Errors
    ///
    /// When the reply is not what its definition says.
    pub fn reply(&self) -> Result<Option<D::Reply>, CallError>
    where
        D: Stream,
    {
        match &self.inner {
            Inner::Details(Details { reply: Some(payload), .. }) => {
                Ok(Some(D::Reply::from_payload(payload)?))
            }
            #[cfg(feature = "bridge")]
            Inner::Bridged(Details { reply: Some(payload), .. }, way) => match &way.end {
                crate::bridge::BridgedEnd::Reply { reply: Some(hop), .. } => {
                    let payload = hop.carry(payload).map_err(CallError::Bridge)?;
                    Ok(Some(D::Reply::from_payload(&payload)?))
                }
                _ => Ok(None),
            },
            _ => Ok(None),
        }
    }

    async fn next_payload(&mut self) -> Result<Option<Payload>, CallError> {
        match &mut self.inner {
            Inner::Details(details) => poll_fn(|cx| details.poll_next(cx)).await,
            Inner::Failed(error) => error.take().map_or(Ok(None), Err),
            #[cfg(feature = "bridge")]
            Inner::Bridged(details, way) => {
                let Some(payload) = poll_fn(|cx| details.poll_next(cx)).await? else { return Ok(None) };
                match way.details.receive(&payload) {
                    Ok(payload) => Ok(Some(payload)),
                    // As every error of a stream it is its end.
                    Err(error) => {
                        self.inner = Inner::Failed(None);
                        Err(CallError::Bridge(error))
                    }
                }
            }
        }
    }
}

/// A received message.
#[derive(Clone, Debug)]
pub struct Received<M> {
    payload: Payload,
    message: PhantomData<fn() -> M>,
}

impl<M: Message + Viewed> Received<M> {
    /// The message in place.
    #[must_use]
    pub fn view(&self) -> M::View<'_> {
        // Checked when it was received.
        M::View::parse(&self.payload).unwrap_or(M::View::ZERO)
    }

    /// The message as an owned value.
    #[must_use]
    pub fn into_owned(self) -> M {
        self.view().into_owned()
    }

    /// Its bytes behind the header.
    #[must_use]
    pub fn payload(&self) -> &Payload {
        &self.payload
    }
}

/// What ends a stream, on this connection. Offsets are those of payloads.
#[derive(Clone, Copy, Debug)]
pub(crate) enum End {
    ControlPing { ping: MessageKind, reply: MessageKind },
    Reply { reply: MessageKind, retval: Option<usize>, cursor: Option<Cursor> },
}

impl End {
    pub(crate) fn ping(connection: &Connection) -> Result<Self, CallError> {
        let table = &connection.shared().table;
        Ok(Self::ControlPing {
            ping: MessageKind::of_info(table, &PING)?,
            reply: MessageKind::of_info(table, &PING_REPLY)?,
        })
    }
}

/// A cursor's places in bytes from the start of the payloads.
pub(crate) fn cursor_in_payloads(cursor: Cursor, request: Header, reply: Header) -> Cursor {
    Cursor {
        request: cursor.request.saturating_sub(request.len()),
        reply: cursor.reply.saturating_sub(reply.len()),
    }
}

/// The stream of payloads behind a [`DumpStream`].
#[derive(Debug)]
pub(crate) struct Details {
    connection: Connection,
    request: MessageKind,
    payload: Vec<u8>,
    details: MessageKind,
    end: End,
    pub(crate) deadline: Duration,
    state: State,
    /// Elements of the part that runs, and of all parts.
    part: usize,
    total: usize,
    pub(crate) reply: Option<Payload>,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// The request, or its next part, is to be sent.
    Unsent,
    Open(Context),
    Over,
}

impl Details {
    pub(crate) fn new(
        connection: Connection,
        request: MessageKind,
        payload: Vec<u8>,
        details: MessageKind,
        end: End,
    ) -> Self {
        let deadline = connection.shared().settings.deadline;
        let state = State::Unsent;
        Self { connection, request, payload, details, end, deadline, state, part: 0, total: 0, reply: None }
    }

    pub(crate) fn poll_next(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<Option<Payload>, CallError>> {
        loop {
            let context = match self.state {
                State::Open(context) => context,
                State::Over => return Poll::Ready(Ok(None)),
                State::Unsent => {
                    let begun = self.begin();
                    self.state = begun.as_ref().map_or(State::Over, |context| State::Open(*context));
                    begun?
                }
            };
            let shared = self.connection.shared();
            match shared.poll_answer(context, cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Progress::Details(payload)) => {
                    self.part += 1;
                    self.total += 1;
                    return Poll::Ready(Ok(Some(payload)));
                }
                Poll::Ready(Progress::End(payload)) => {
                    self.state = State::Over;
                    if let Err(error) = self.finish_part(payload) {
                        return Poll::Ready(Err(error));
                    }
                }
                Poll::Ready(Progress::Failed(failure)) => {
                    self.state = State::Over;
                    return Poll::Ready(Err(shared.call_error(self.request.id, failure)));
                }
                Poll::Ready(Progress::Pending) => return Poll::Pending,
            }
        }
    }

    fn begin(&self) -> Result<Context, CallError> {
        let shared = self.connection.shared();
        let request = Outgoing { kind: self.request, payload_len: self.payload.len() };
        let write = |index: usize, place: &mut [u8]| -> Result<(), EncodeError> {
            // The second message is the ping, which has no payload.
            if index == 0 {
                place.copy_from_slice(&self.payload);
            }
            Ok(())
        };
        let details = self.details;
        let begun = match self.end {
            End::ControlPing { ping, reply } => {
                let requests = [request, Outgoing { kind: ping, payload_len: 0 }];
                let expect = Expect::Stream { details, end: reply };
                shared.with(|core| shared.begin(core, &requests, expect, self.deadline, write))
            }
            End::Reply { reply, .. } => {
                let expect = Expect::Stream { details, end: reply };
                shared.with(|core| shared.begin(core, &[request], expect, self.deadline, write))
            }
        };
        begun.map_err(|error| shared.begin_error(self.request.id, error))
    }

    /// What the end of a stream, or of a part of it, means.
    fn finish_part(&mut self, payload: Payload) -> Result<(), CallError> {
        let End::Reply { retval, cursor, .. } = self.end else { return Ok(()) };
        let part = std::mem::take(&mut self.part);
        let word = |at: usize| payload.get(at..).and_then(|rest| rest.first_chunk::<4>().copied());
        let error = retval.and_then(word).map(i32::from_be_bytes).and_then(ApiError::from_retval);
        let name = || self.connection.shared().table.name_of(self.request.id);
        match (error, cursor) {
            (None, _) => {}
            (Some(ApiError::EAGAIN), Some(cursor)) => {
                let (Some(next), Some(place)) = (word(cursor.reply), self.payload.get_mut(cursor.request..))
                else {
                    return Err(CallError::NoProgress { request: name() });
                };
                let Some(place) = place.first_chunk_mut::<4>() else {
                    return Err(CallError::NoProgress { request: name() });
                };
                // Everything ends, also with a peer that always has more and never brings it.
                if part == 0 && *place == next {
                    return Err(CallError::NoProgress { request: name() });
                }
                *place = next;
                self.state = State::Unsent;
                return Ok(());
            }
            // How handlers of interruptible streams say that there is nothing at all.
            (Some(ApiError::NO_SUCH_ENTRY | ApiError::INVALID_VALUE), Some(_)) if self.total == 0 => {}
            (Some(error), _) => return Err(CallError::Refused { request: name(), error }),
        }
        self.reply = Some(payload);
        Ok(())
    }
}

impl Drop for Details {
    fn drop(&mut self) {
        if let State::Open(context) = self.state {
            self.connection.shared().cancel(context);
        }
    }
}
