//! The task that keeps a supervised connection.

use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::time::Instant;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use vpp_wire::Header;

use super::appear::SocketWatch;
use super::events::{BoxFuture, Deliver, Resubscribe};
use super::life::{self, Keepalive};
use super::machine::{Machine, Step};
use super::state::{AttemptError, Connected, Loss, State};
use crate::connect::Builder;
use crate::connection::Connection;
use crate::error::{CallError, CloseError, Lost};
use crate::raw::RawMessage;

/// What is done on each connection before it is handed out.
pub(super) type Hook =
    Box<dyn Fn(Connection) -> BoxFuture<Result<(), Box<dyn std::error::Error + Send + Sync>>> + Send + Sync>;

/// How connections are made.
pub(super) struct Setup {
    pub(super) path: PathBuf,
    pub(super) builder: Builder,
    pub(super) keepalive: Option<Keepalive>,
    pub(super) hooks: Vec<Hook>,
}

/// What handles ask for. When all of them are gone the supervisor stops.
pub(super) enum Command {
    /// Feed a stream from now on.
    Feed(Weak<dyn Resubscribe>),
    /// End the connection and stop.
    Close(oneshot::Sender<Result<(), CloseError>>),
}

/// Why the task ends.
enum Stop {
    /// Nobody holds a handle any more.
    Forgotten,
    Closed(oneshot::Sender<Result<(), CloseError>>),
}

pub(super) struct Task {
    setup: Setup,
    machine: Machine,
    watch: Option<SocketWatch>,
    commands: mpsc::UnboundedReceiver<Command>,
    streams: Vec<Weak<dyn Resubscribe>>,
    states: watch::Sender<State>,
}

impl Drop for Task {
    fn drop(&mut self) {
        // Also when the runtime ends, or a hook panicked.
        self.states.send_replace(State::Stopped);
    }
}

/// A connection that may be handed out.
struct Ready {
    connection: Connection,
    version: Option<Arc<str>>,
    deliveries: Vec<Deliver>,
}

impl Task {
    pub(super) fn new(
        setup: Setup,
        machine: Machine,
        commands: mpsc::UnboundedReceiver<Command>,
        states: watch::Sender<State>,
    ) -> Self {
        let watch = SocketWatch::new(&setup.path)
            .inspect_err(
                |error| tracing::debug!(%error, "cannot watch for VPP's socket; it is tried by time"),
            )
            .ok();
        Self { setup, machine, watch, commands, streams: Vec::new(), states }
    }

    pub(super) async fn run(mut self) {
        let stop = loop {
            if let Err(stop) = self.wait().await {
                break stop;
            }
            let ready = match self.attempt().await {
                Ok(Some(ready)) => ready,
                Ok(None) => continue,
                Err(stop) => break stop,
            };
            if let Err(stop) = self.keep(ready).await {
                break stop;
            }
        };
        self.machine.stop();
        if let Stop::Closed(done) = stop {
            let connected = match self.states.send_replace(State::Stopped) {
                State::Connected(connected) => Some(connected.connection),
                _ => None,
            };
            let result = match connected {
                Some(connection) => match connection.close().await {
                    // VPP was faster: there is nobody to take leave of.
                    Err(CloseError::Lost(_)) => Ok(()),
                    result => result,
                },
                None => Ok(()),
            };
            // Who asked may not wait for it.
            let _gone = done.send(result);
        }
    }

    /// Waits until an attempt is due, and begins it.
    async fn wait(&mut self) -> Result<(), Stop> {
        while let Step::Wait(next) = self.machine.step() {
            self.publish();
            tokio::select! {
                biased;
                command = self.commands.recv() => self.add(feed(command)?),
                () = changed(&mut self.watch) => self.machine.appeared(now()),
                () = tokio::time::sleep_until(next.into()) => {
                    // What happened before this attempt is its business.
                    if let Some(watch) = &mut self.watch {
                        watch.take();
                    }
                    self.machine.begin(now());
                }
            }
        }
        self.publish();
        Ok(())
    }

    /// Makes a connection, if it can be made.
    async fn attempt(&mut self) -> Result<Option<Ready>, Stop> {
        let streams = self.live_streams();
        let result = {
            let mut attempt = std::pin::pin!(attempt(&self.setup, streams));
            loop {
                tokio::select! {
                    biased;
                    // Subscribed when the connection is there.
                    command = self.commands.recv() => self.streams.push(feed(command)?),
                    result = &mut attempt => break result,
                }
            }
        };
        match result {
            Ok(ready) => Ok(Some(ready)),
            Err(error) => {
                self.report(&error);
                self.machine.failed(error, now());
                Ok(None)
            }
        }
    }

    /// Hands a connection out, and keeps it until it is lost.
    async fn keep(&mut self, ready: Ready) -> Result<(), Stop> {
        let Ready { connection, version, deliveries } = ready;
        let since = now();
        let Some(generation) = self.machine.connected(since) else { return Ok(()) };
        let fed = deliveries.len();
        tracing::info!(
            path = %self.setup.path.display(), generation, version = version.as_deref(), "connected to VPP"
        );
        let connected = Connected { generation, version, since, connection: connection.clone() };
        self.states.send_replace(State::Connected(connected));
        deliveries.into_iter().for_each(|deliver| deliver(generation));

        // Those that came while the connection was made.
        let mut subscribing = JoinSet::new();
        for stream in self.streams.iter().skip(fed).filter_map(Weak::upgrade) {
            subscribing.spawn(stream.resubscribe(connection.clone()));
        }
        let lost = {
            let mut end = std::pin::pin!(life::end_of(&connection, self.setup.keepalive));
            loop {
                tokio::select! {
                    biased;
                    lost = &mut end => break lost,
                    command = self.commands.recv() => {
                        let stream = feed(command)?;
                        if let Some(stream) = stream.upgrade() {
                            subscribing.spawn(stream.resubscribe(connection.clone()));
                        }
                        self.add(stream);
                    }
                    Some(subscribed) = subscribing.join_next() => {
                        // What failed with the connection is subscribed on the next.
                        if let Ok(Ok(deliver)) = subscribed {
                            deliver(generation);
                        }
                    }
                }
            }
        };
        let loss = Loss { waiting: connection.shared().cut_off(), lost };
        tracing::warn!(path = %self.setup.path.display(), generation, "{loss}");
        self.machine.lost(loss, now());
        Ok(())
    }

    /// The streams that somebody still holds.
    fn live_streams(&mut self) -> Vec<Arc<dyn Resubscribe>> {
        let live: Vec<_> = self.streams.iter().filter_map(Weak::upgrade).collect();
        // One by one the same, so that it is known which were not among them.
        self.streams = live.iter().map(Arc::downgrade).collect();
        live
    }

    /// Remembers a stream, and forgets those that nobody holds.
    fn add(&mut self, stream: Weak<dyn Resubscribe>) {
        self.streams.retain(|stream| stream.strong_count() > 0);
        self.streams.push(stream);
    }

    /// Tells a state without connection.
    fn publish(&self) {
        let attempts = self.machine.attempts().clone();
        self.states.send_replace(match self.machine.loss() {
            Some(loss) => State::Reconnecting { loss: loss.clone(), attempts },
            None => State::Connecting(attempts),
        });
    }

    /// Logs a failure once, however often it repeats.
    fn report(&self, error: &AttemptError) {
        let text = error.to_string();
        let told = self.machine.attempts().last_error.as_ref().is_some_and(|last| last.to_string() == text);
        if told {
            tracing::debug!("{text}");
        } else {
            tracing::warn!("{text}; trying again until it works");
        }
    }
}

/// The stream of a command.
fn feed(command: Option<Command>) -> Result<Weak<dyn Resubscribe>, Stop> {
    match command {
        Some(Command::Feed(stream)) => Ok(stream),
        Some(Command::Close(done)) => Err(Stop::Closed(done)),
        None => Err(Stop::Forgotten),
    }
}

async fn changed(watch: &mut Option<SocketWatch>) {
    match watch {
        Some(watch) => watch.changed().await,
        None => std::future::pending().await,
    }
}

/// One attempt, up to a connection that may be handed out.
async fn attempt(setup: &Setup, streams: Vec<Arc<dyn Resubscribe>>) -> Result<Ready, AttemptError> {
    let connection = setup.builder.clone().connect(&setup.path).await?;
    let prepared = {
        let lost = life::end_of(&connection, setup.keepalive);
        tokio::select! {
            biased;
            prepared = prepare(&connection, setup, streams) => prepared,
            lost = lost => Err(AttemptError::Lost(lost)),
        }
    };
    match prepared {
        Ok((version, deliveries)) => Ok(Ready { connection, version, deliveries }),
        Err(error) => {
            // In the orderly way, and whether or not VPP confirms it.
            let _closed = connection.close().await;
            Err(error)
        }
    }
}

/// What comes before a connection is handed out.
async fn prepare(
    connection: &Connection,
    setup: &Setup,
    streams: Vec<Arc<dyn Resubscribe>>,
) -> Result<(Option<Arc<str>>, Vec<Deliver>), AttemptError> {
    let version = version(connection).await.map_err(AttemptError::Lost)?;
    let mut deliveries = Vec::with_capacity(streams.len());
    for stream in streams {
        deliveries.push(stream.resubscribe(connection.clone()).await.map_err(AttemptError::Lost)?);
    }
    for hook in &setup.hooks {
        hook(connection.clone()).await.map_err(|error| AttemptError::Hook(error.into()))?;
    }
    Ok((version, deliveries))
}

/// `show_version`, the same in every release since 20.01.
const SHOW_VERSION: RawMessage<'static> =
    RawMessage { name: "show_version", crc: 0x5107_7d14, header: Header::ClientContext };
const SHOW_VERSION_REPLY: RawMessage<'static> =
    RawMessage { name: "show_version_reply", crc: 0xc919_bde1, header: Header::Context };

/// Where the version stands in the payload: behind `retval` and the program's name.
const VERSION: std::ops::Range<usize> = 36..68;

/// What VPP says of its version.
async fn version(connection: &Connection) -> Result<Option<Arc<str>>, Lost> {
    match connection.raw().call(SHOW_VERSION, &[], SHOW_VERSION_REPLY).await {
        Ok(payload) => Ok(payload.get(VERSION).map(|text| {
            let end = text.iter().position(|byte| *byte == 0).unwrap_or(text.len());
            String::from_utf8_lossy(&text[..end]).into()
        })),
        Err(CallError::Lost { lost, .. }) => Err(lost),
        // Good to know, and not worth a connection.
        Err(_) => Ok(None),
    }
}

/// The present, by the runtime's clock: a test may stop it.
pub(super) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
