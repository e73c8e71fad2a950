//! A connection that is kept while VPP comes and goes.
//!
//! `machine` decides when to try, without I/O; `task` does it; `appear` notices VPP's socket; `life` notices VPP's end;
//! `events` carries subscriptions from one connection to the next.

mod appear;
mod events;
mod life;
mod machine;
mod state;
mod task;
#[cfg(test)]
mod tests;

use std::fmt;
use std::future::Future;
use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use vpp_wire::{Event, Subscribe};

use self::events::Feed;
pub use self::events::{Gap, Notice, SupervisedEvents};
use self::life::Keepalive;
use self::machine::{Backoff, Machine};
pub use self::state::{AttemptError, Attempts, Connected, Loss, NotConnected, State};
use self::task::{Command, Hook, Setup, Task, now};
use crate::connect::Builder;
use crate::connection::Connection;
use crate::error::CloseError;

/// Keeps a connection to a VPP that comes and goes.
///
/// ```no_run
/// use std::time::Duration;
/// use vpp_26_06::interface::{CreateLoopback, SwInterfaceDump, SwInterfaceEvent};
/// use vpp_conn::{Connection, Notice, Supervisor};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// // Comes back at once, whether or not VPP runs.
/// let vpp = Connection::builder()
///     .name("edge-router")
///     .require(vpp_wire::messages![CreateLoopback, SwInterfaceDump])
///     .supervise()
///     .on_connect(|vpp| async move { vpp.call(&CreateLoopback::default()).await.map(drop) })
///     .start("/run/vpp/api.sock");
///
/// // The connection of now, or an error that says why there is none and when the next is tried.
/// let interfaces = vpp.connection()?.dump(&SwInterfaceDump::default()).collect().await?;
/// // Or the next there is.
/// let connection = vpp.ready(Duration::from_secs(30)).await?;
///
/// // Over restarts of VPP.
/// let mut events = vpp.events::<SwInterfaceEvent>();
/// loop {
///     match events.next().await? {
///         Notice::Event(event) => println!("{event:?}"),
///         Notice::Gap(gap) => println!("{gap}: all interfaces have to be read"),
///     }
/// }
/// # }
/// ```
///
/// A cheap handle: clone it. Supervision stops with [`Supervisor::close`], or when the last handle and event stream are
/// dropped; then the connection ends in the orderly way, once nobody else holds it.
///
/// # A connection is one VPP's
///
/// Calls are made on a [`Connection`], never on the supervisor: interface indexes and whatever else VPP gave belong to
/// the VPP that gave them, and a procedure that is half done when VPP ends must not go on with the next one. Take the
/// connection once per procedure; each of its calls fails as soon as VPP is gone.
///
/// # What happens when
///
/// | | |
/// |---|---|
/// | VPP is not there | it is tried again, more and more rarely, and at once when something happens at the socket's path; without end |
/// | VPP closes the socket | all that waits fails at once; [`State::Reconnecting`] says why and how many waited |
/// | VPP hangs | the same, when it sent nothing for 15 seconds although it was asked: [`SupervisorBuilder::keepalive`] |
/// | VPP comes back | a new [`Connection`] with the ids of this VPP; event streams are subscribed, hooks run, then it is handed out |
/// | it lacks what is [required](Builder::require), or a hook fails | the state says so; it is tried again |
#[derive(Clone)]
pub struct Supervisor {
    path: Arc<Path>,
    commands: mpsc::UnboundedSender<Command>,
    states: watch::Receiver<State>,
}

impl Supervisor {
    /// Keeps a connection to VPP's API socket, with the defaults of [`Builder`] and [`SupervisorBuilder`]. Does not wait
    /// for VPP.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime with I/O and time enabled.
    #[must_use = "supervision ends with its last handle"]
    pub fn start(path: impl Into<PathBuf>) -> Self {
        Connection::builder().supervise().start(path)
    }

    /// The connection there is. It belongs to one VPP: see [above](Self#a-connection-is-one-vpps).
    ///
    /// # Errors
    ///
    /// At once, when there is none: why, and when the next attempt is.
    pub fn connection(&self) -> Result<Connection, NotConnected> {
        match self.state() {
            State::Connected(connected) => Ok(connected.connection),
            state => Err(NotConnected::new(self.path.to_path_buf(), state, now())),
        }
    }

    /// The connection there is, or the first there is `within` this time.
    ///
    /// # Errors
    ///
    /// When there is none by then, or there will be none because the supervisor has stopped.
    pub async fn ready(&self, within: Duration) -> Result<Connection, NotConnected> {
        let mut states = self.states.clone();
        let settled = states.wait_for(|state| match state {
            // Where it is lost already, the next state comes at once.
            State::Connected(connected) => connected.connection.lost().is_none(),
            state => matches!(state, State::Stopped),
        });
        // Which state it is, also when the time is over, is told below.
        let _late = tokio::time::timeout(within, settled).await;
        self.connection()
    }

    /// How it is.
    #[must_use]
    pub fn state(&self) -> State {
        self.states.borrow().up_to_date(now())
    }

    /// How it is, each time it changes. Of states that follow each other quickly some may be left out, so two
    /// [`State::Connected`] with different generations can be neighbours.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<State> {
        self.states.clone()
    }

    /// A stream of events that goes on over reconnects. VPP is asked to send them on each connection before it is handed
    /// out, or now where there is one; the first thing the stream gives is a [`Gap`] that says it is done.
    #[must_use]
    pub fn events<E: Subscribe + 'static>(&self) -> SupervisedEvents<E> {
        self.stream(Feed::new(|connection| Box::pin(crate::Events::subscribe(connection))))
    }

    /// The same without asking VPP to send the events: for events whose request has something to choose, which a
    /// [hook](SupervisorBuilder::on_connect) sends.
    #[must_use]
    pub fn listen<E: Event + 'static>(&self) -> SupervisedEvents<E> {
        self.stream(Feed::new(|connection| Box::pin(async move { crate::Events::listen(connection) })))
    }

    fn stream<E: Event + 'static>(&self, feed: Arc<Feed<E>>) -> SupervisedEvents<E> {
        let weak = Arc::downgrade(&feed);
        // A supervisor that has stopped takes none; the stream says so.
        let _stopped = self.commands.send(Command::Feed(weak));
        SupervisedEvents::new(self.clone(), feed)
    }

    /// VPP's API socket.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Ends the connection, also for those who hold it, and stops. Handles and event streams live on as stopped ones.
    ///
    /// # Errors
    ///
    /// When VPP does not confirm the end of the connection. The socket is closed all the same.
    pub async fn close(self) -> Result<(), CloseError> {
        let (done, closed) = oneshot::channel();
        match self.commands.send(Command::Close(done)) {
            // Without an answer the runtime ended meanwhile, or another handle was faster.
            Ok(()) => closed.await.unwrap_or(Ok(())),
            Err(_) => Ok(()),
        }
    }

    /// Waits for the end of supervision.
    fn stopped(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut states = self.states.clone();
        async move {
            let _stopped = states.wait_for(|state| matches!(state, State::Stopped)).await;
        }
    }
}

impl fmt::Debug for Supervisor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Supervisor").field("path", &self.path).field("state", &*self.states.borrow()).finish()
    }
}

/// How a [`Supervisor`] is to work. Made by [`Builder::supervise`].
#[must_use]
pub struct SupervisorBuilder {
    builder: Builder,
    backoff: Backoff,
    keepalive: Option<Keepalive>,
    hooks: Vec<Hook>,
}

impl SupervisorBuilder {
    pub(crate) fn new(builder: Builder) -> Self {
        Self {
            builder,
            backoff: Backoff { first: Duration::from_millis(100), cap: Duration::from_secs(10) },
            keepalive: Some(Keepalive { silence: Duration::from_secs(5), patience: Duration::from_secs(10) }),
            hooks: Vec::new(),
        }
    }

    /// How long to wait between attempts: `first` behind the first, twice as long behind each other one, at most `cap`;
    /// each time somewhere between the half and the whole, so that many clients do not come at once. It begins anew when
    /// VPP's socket appears, and behind a connection that lasted for `cap`. By default 100 milliseconds and 10 seconds.
    ///
    /// Where VPP lacks a required message or the socket is not permitted, attempts are `cap` apart from the start.
    pub fn backoff(mut self, first: Duration, cap: Duration) -> Self {
        self.backoff = Backoff { first, cap };
        self
    }

    /// A VPP that sent nothing for `silence` is sent a `control_ping`, and given up when nothing came for `patience`
    /// more: it hangs, though its socket is open. What it sends to anybody's call counts, so a busy connection carries
    /// no pings. By default 5 and 10 seconds; `patience` has to be longer than the slowest request, for VPP answers
    /// nothing while it carries one out.
    pub fn keepalive(mut self, silence: Duration, patience: Duration) -> Self {
        self.keepalive = Some(Keepalive { silence, patience });
        self
    }

    /// Asks for no signs of life: only calls notice by their deadlines that VPP hangs.
    pub fn without_keepalive(mut self) -> Self {
        self.keepalive = None;
        self
    }

    /// What is to be done on each connection before it is handed out. Several are done one after the other.
    ///
    /// A hook that fails is a failed attempt: the connection is closed, and another made later. A hook ends with its
    /// connection, at the latest. One that holds a [`Supervisor`] keeps it from stopping by itself; one that panics ends
    /// it.
    pub fn on_connect<F, R, E>(mut self, hook: F) -> Self
    where
        F: Fn(Connection) -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        self.hooks.push(Box::new(move |connection| {
            let done = hook(connection);
            Box::pin(async move { done.await.map_err(Into::into) })
        }));
        self
    }

    /// Begins. Does not wait for VPP: [`Supervisor::ready`] does.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime with I/O and time enabled.
    #[must_use = "supervision ends with its last handle"]
    pub fn start(self, path: impl Into<PathBuf>) -> Supervisor {
        let path: PathBuf = path.into();
        let Self { builder, backoff, keepalive, hooks } = self;
        let machine = Machine::new(backoff, RandomState::new().hash_one(()), now());
        let (commands, queue) = mpsc::unbounded_channel();
        let (sender, states) = watch::channel(State::Connecting(machine.attempts().clone()));
        let supervisor = Supervisor { path: path.as_path().into(), commands, states };
        let setup = Setup { path, builder, keepalive, hooks };
        tokio::spawn(Task::new(setup, machine, queue, sender).run());
        supervisor
    }
}

impl fmt::Debug for SupervisorBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SupervisorBuilder")
            .field("builder", &self.builder)
            .field("backoff", &self.backoff)
            .field("keepalive", &self.keepalive)
            .field("hooks", &self.hooks.len())
            .finish()
    }
}
