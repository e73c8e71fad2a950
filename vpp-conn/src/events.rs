//! Streams of events.

use std::future::poll_fn;
use std::marker::PhantomData;
use std::task::{Context as TaskContext, Poll};

use vpp_wire::{ApiError, Event, Message, Subscribe, Wire};

use crate::connection::Connection;
use crate::error::{CallError, EventError, Lost};
use crate::mux::{MessageKind, Outgoing, SubscriberId, Taken};
use crate::payload::Payload;
use crate::registrations::Share;

/// A stream of one kind of event.
///
/// Several may run at once; each gets every event, and VPP is asked once for all of them. What is not read waits, up to
/// [`Builder::event_capacity`](crate::Builder::event_capacity); then the oldest are given up, and the stream says how
/// many.
#[derive(Debug)]
pub struct Events<E: Event> {
    queue: Queue,
    /// Where VPP has another definition of it.
    #[cfg(feature = "bridge")]
    bridged: Option<std::sync::Arc<crate::bridge::BridgedEvent>>,
    /// Its part in what VPP was asked for, if it asked.
    share: Option<Share>,
    event: PhantomData<fn() -> E>,
}

impl<E: Event> Events<E> {
    pub(crate) fn listen(connection: Connection) -> Result<Self, CallError> {
        let shared = connection.shared();
        match MessageKind::of::<E>(&shared.table) {
            Ok(event) => Ok(Self {
                queue: Queue::new(connection, event)?,
                #[cfg(feature = "bridge")]
                bridged: None,
                share: None,
                event: PhantomData,
            }),
            #[cfg(feature = "bridge")]
            Err(incompatible) => {
                let bridging = shared.bridging.get().ok_or(incompatible)?;
                let way = bridging.event(&shared.table, &E::INFO)?;
                let queue = Queue::new(connection, way.0.kind)?;
                Ok(Self { queue, bridged: Some(way), share: None, event: PhantomData })
            }
            #[cfg(not(feature = "bridge"))]
            Err(incompatible) => Err(incompatible.into()),
        }
    }

    pub(crate) async fn subscribe(connection: Connection) -> Result<Self, CallError>
    where
        E: Subscribe,
    {
        // First the queue, so that no event is missed.
        let mut events = Self::listen(connection.clone())?;
        let wanted = connection.shared().registrations.of(E::Registration::NAME);
        // Who has waited for as long as a call may take asks for itself.
        let patience = connection.shared().settings.deadline;
        let asking = tokio::time::timeout(patience, wanted.asking.lock()).await.ok();
        let (share, is_to_ask) = wanted.clone().join(unregister::<E>);
        events.share = Some(share);
        if !is_to_ask {
            return Ok(events);
        }
        let asked = connection.call(&E::registration(true, std::process::id())).await;
        match asked {
            // Registered already: by a call of the program's own.
            Ok(_) | Err(CallError::Refused { error: ApiError::INVALID_REGISTRATION, .. }) => {
                wanted.registered();
                drop(asking);
                Ok(events)
            }
            Err(error) => Err(error),
        }
    }

    /// The next event.
    ///
    /// Dropping the future loses nothing.
    ///
    /// # Errors
    ///
    /// When events were lost (the next call goes on behind the gap), an event is not what its definition says, or the
    /// connection has ended.
    pub async fn next(&mut self) -> Result<E, EventError> {
        let payload = poll_fn(|cx| self.queue.poll_next(cx)).await?;
        #[cfg(feature = "bridge")]
        if let Some(way) = &self.bridged {
            let payload = way.0.receive(&payload).map_err(EventError::Bridge)?;
            return Ok(E::from_payload(&payload)?);
        }
        Ok(E::from_payload(&payload)?)
    }
}

impl<E: Event> Drop for Events<E> {
    fn drop(&mut self) {
        if let Some(share) = &self.share {
            share.end(&self.queue.connection);
        }
    }
}

fn unregister<E: Subscribe>(connection: &Connection) {
    let shared = connection.shared();
    let registration = E::registration(false, std::process::id());
    let Ok(kind) = MessageKind::of::<E::Registration>(&shared.table) else {
        #[cfg(feature = "bridge")]
        unregister_bridged(shared, &registration);
        return;
    };
    let request = Outgoing { kind, payload_len: registration.encoded_len() };
    // Where the connection has ended, so has the registration.
    let _lost = shared.send_detached(request, |payload| registration.encode_payload(payload).map(drop));
}

#[cfg(feature = "bridge")]
fn unregister_bridged<R: vpp_wire::Request>(shared: &crate::shared::Shared, registration: &R) {
    let Some(bridging) = shared.bridging.get() else { return };
    // It was found, and carried over, when the events were asked for.
    let Ok(way) = bridging.call(&shared.table, &R::INFO, &R::Reply::INFO) else { return };
    let mut payload = vec![0; registration.encoded_len()];
    let written = registration.encode_payload(&mut payload).ok();
    let Some(payload) = written.and_then(|_| way.request.carry(&payload).ok()) else { return };
    let request = Outgoing { kind: way.request.kind, payload_len: payload.len() };
    let _lost = shared.send_detached(request, |place| {
        place.copy_from_slice(&payload);
        Ok(())
    });
}

/// The queue of payloads behind [`Events`].
#[derive(Debug)]
pub(crate) struct Queue {
    connection: Connection,
    event: MessageKind,
    id: SubscriberId,
}

impl Queue {
    pub(crate) fn new(connection: Connection, event: MessageKind) -> Result<Self, CallError> {
        let shared = connection.shared();
        let id = shared
            .subscribe(event)
            .map_err(|lost| CallError::Lost { request: shared.table.name_of(event.id), lost })?;
        Ok(Self { connection, event, id })
    }

    pub(crate) fn poll_next(&self, cx: &mut TaskContext<'_>) -> Poll<Result<Payload, EventError>> {
        let shared = self.connection.shared();
        let event = || shared.table.name_of(self.event.id);
        shared.poll_event(self.id, cx).map(|taken: Result<Taken, Lost>| match taken {
            Ok(Taken::Event(payload)) => Ok(payload),
            Ok(Taken::Lost(lost)) => Err(EventError::Overrun { event: event(), lost }),
            Ok(Taken::Nothing) => Err(EventError::Lost { event: event(), lost: Lost::Closed }),
            Err(lost) => Err(EventError::Lost { event: event(), lost }),
        })
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        self.connection.shared().unsubscribe(self.id);
    }
}
