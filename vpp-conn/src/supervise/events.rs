//! Streams of events that go on over reconnects.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;
use vpp_wire::Event;

use super::Supervisor;
use crate::connection::Connection;
use crate::error::{CallError, EventError, Lost};
use crate::events::Events;

/// A future that owns what it needs.
pub(super) type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What a [`SupervisedEvents`] gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice<E> {
    /// An event.
    Event(E),
    /// What happened before is not known: read the state that the events are about. What happens from here on is told.
    Gap(Gap),
}

/// Why events may be missing in front of the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Gap {
    /// The events come from a connection that was just made: the first, or the one after a loss.
    Subscribed {
        /// The [number](super::Connected::generation) of the connection.
        generation: u64,
    },
    /// The program reads slower than the events come.
    Overrun {
        /// How many were given up.
        lost: u64,
    },
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Subscribed { generation } => {
                write!(f, "events come from connection {generation}; those before it are not known")
            }
            Self::Overrun { lost } => {
                write!(f, "{lost} events were lost: the program reads slower than they come")
            }
        }
    }
}

/// A stream of one kind of event, over all connections of a [`Supervisor`].
///
/// It keeps the supervisor going, as a handle does.
#[derive(Debug)]
pub struct SupervisedEvents<E: Event> {
    supervisor: Supervisor,
    feed: Arc<Feed<E>>,
    current: Option<Events<E>>,
}

impl<E: Event> SupervisedEvents<E> {
    pub(super) fn new(supervisor: Supervisor, feed: Arc<Feed<E>>) -> Self {
        Self { supervisor, feed, current: None }
    }

    /// The next event, or a [`Gap`]. Each connection's events begin with one: by then VPP sends the events and
    /// [`Supervisor::connection`] gives the connection, so what is read then and what is told later leave nothing out.
    ///
    /// Dropping the future loses nothing.
    ///
    /// # Errors
    ///
    /// [`EventError::Decode`] when an event is not what its definition says, [`EventError::Unavailable`] when this VPP
    /// does not send it: the next call goes on behind both, behind the latter with the next connection. [`EventError::Lost`] when the supervisor has stopped.
    pub async fn next(&mut self) -> Result<Notice<E>, EventError> {
        loop {
            let Some(events) = &mut self.current else {
                match self.fed().await? {
                    Fed::Events { generation, events } => {
                        self.current = Some(events);
                        return Ok(Notice::Gap(Gap::Subscribed { generation }));
                    }
                    Fed::Unavailable(error) => {
                        return Err(EventError::Unavailable { event: E::NAME.into(), error });
                    }
                }
            };
            match events.next().await {
                Ok(event) => return Ok(Notice::Event(event)),
                Err(EventError::Overrun { lost, .. }) => return Ok(Notice::Gap(Gap::Overrun { lost })),
                // With it goes what may be the last handle of a connection that is no more.
                Err(EventError::Lost { .. }) => self.current = None,
                Err(error) => return Err(error),
            }
        }
    }

    /// What the next connection brings.
    async fn fed(&mut self) -> Result<Fed<E>, EventError> {
        let stopped = self.supervisor.stopped();
        tokio::select! {
            biased;
            fed = self.feed.take() => Ok(fed),
            () = stopped => Err(EventError::Lost { event: E::NAME.into(), lost: Lost::Closed }),
        }
    }
}

/// Subscribes on a connection.
type Subscribe<E> = fn(Connection) -> BoxFuture<Result<Events<E>, CallError>>;

/// Where a stream takes its events from, connection after connection.
#[derive(Debug)]
pub(super) struct Feed<E: Event> {
    subscribe: Subscribe<E>,
    /// What the last connection brought. What nobody took before the next is gone with its connection; the gap says it.
    fed: Mutex<Option<Fed<E>>>,
    told: Notify,
}

#[derive(Debug)]
enum Fed<E: Event> {
    Events { generation: u64, events: Events<E> },
    Unavailable(CallError),
}

impl<E: Event> Feed<E> {
    pub(super) fn new(subscribe: Subscribe<E>) -> Arc<Self> {
        Arc::new(Self { subscribe, fed: Mutex::new(None), told: Notify::new() })
    }

    fn put(&self, fed: Fed<E>) {
        let old = self.fed.lock().unwrap_or_else(PoisonError::into_inner).replace(fed);
        // Outside of the lock: it ends a subscription.
        drop(old);
        self.told.notify_one();
    }

    async fn take(&self) -> Fed<E> {
        loop {
            let fed = self.fed.lock().unwrap_or_else(PoisonError::into_inner).take();
            match fed {
                Some(fed) => return fed,
                None => self.told.notified().await,
            }
        }
    }
}

/// Gives a stream what was subscribed for it, once the connection is handed out: told its number.
pub(super) type Deliver = Box<dyn FnOnce(u64) + Send>;

/// Streams of any event.
pub(super) trait Resubscribe: Send + Sync {
    /// Subscribes on a new connection.
    ///
    /// An error is the end of the connection. Whatever else VPP says is delivered to the stream.
    fn resubscribe(self: Arc<Self>, connection: Connection) -> BoxFuture<Result<Deliver, Lost>>;
}

impl<E: Event + 'static> Resubscribe for Feed<E> {
    fn resubscribe(self: Arc<Self>, connection: Connection) -> BoxFuture<Result<Deliver, Lost>> {
        Box::pin(async move {
            let subscribed = (self.subscribe)(connection).await;
            if let Err(CallError::Lost { lost, .. }) = subscribed {
                return Err(lost);
            }
            let deliver: Deliver = Box::new(move |generation| {
                self.put(match subscribed {
                    Ok(events) => Fed::Events { generation, events },
                    Err(error) => Fed::Unavailable(error),
                });
            });
            Ok(deliver)
        })
    }
}
