//! A VPP, as the descriptors of an agent use it.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use tokio::sync::Notify;
use vpp_agent_engine::{Access, Batch, Descriptor, Engine, Entry, Failure, Outcomes, Registered};
use vpp_agent_kernel::Context;
use vpp_conn::{Connection, Gap, Notice, Supervisor};
use vpp_wire::{Dump, Request, Subscribe};

use crate::Messages;
use crate::session::Session;

/// A VPP that comes and goes, with the kinds of items that live in it. A clone is the same VPP.
///
/// A kind that is [registered](Self::register) here can be worked with while there is a connection, and only then:
///
/// | | The kind | Its items |
/// |---|---|---|
/// | VPP is down | is closed | wait, and say so |
/// | VPP lacks a message of the kind | is unimplemented, with the reason; others go on | say why |
/// | VPP is back | is judged anew and observed, with all others of this VPP, before anything is done | are made again |
///
/// What was planned for one VPP never reaches the next: a new connection is handed out when all that was begun on the old
/// one has ended.
#[derive(Clone)]
pub struct Vpp(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) name: String,
    pub(crate) supervisor: Supervisor,
    pub(crate) cx: Context,
    /// The connection of now, or why there is none.
    current: RwLock<Result<Connection, String>>,
    kinds: Mutex<Kinds>,
    /// A kind came while there was a connection.
    pub(crate) registered: Notify,
}

/// What is to be told when VPP comes and goes.
struct Kinds {
    /// Not there in an agent without one, and any more when the agent stops: descriptors hold this VPP, and the engine
    /// holds descriptors.
    engine: Option<Arc<Engine>>,
    kinds: Vec<(&'static str, Messages)>,
    /// The VPP to which they are open.
    open: Option<Connection>,
}

impl Kinds {
    fn tell(&self, access: impl IntoIterator<Item = (&'static str, Access)>) {
        if let Some(engine) = &self.engine {
            engine.set_access(access);
        }
    }
}

/// There is no engine to register with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind} cannot be registered: the agent has no engine, or stops; add `.plugin::<Engine>()`")]
pub struct NoEngine {
    /// The kind of item.
    pub kind: &'static str,
}

impl Vpp {
    pub(crate) fn new(
        name: String,
        supervisor: Supervisor,
        engine: Option<Arc<Engine>>,
        cx: Context,
    ) -> Self {
        let down = down(supervisor.path());
        let kinds = Kinds { engine, kinds: Vec::new(), open: None };
        Self(Arc::new(Inner {
            name,
            supervisor,
            cx,
            current: RwLock::new(Err(down)),
            kinds: Mutex::new(kinds),
            registered: Notify::new(),
        }))
    }

    /// Its name in the configuration; `vpp` for the only one.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Its API socket.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.0.supervisor.path()
    }

    /// What keeps the connection: for its states, and for events.
    #[must_use]
    pub fn supervisor(&self) -> &Supervisor {
        &self.0.supervisor
    }

    /// Gives the engine a kind of item that lives in this VPP, with the messages that its descriptor uses:
    /// [`messages!`](crate::messages). Where VPP lacks one, the kind is unimplemented.
    ///
    /// # Errors
    ///
    /// In an agent without an engine.
    ///
    /// # Panics
    ///
    /// As [`Engine::register`].
    pub fn register<D: Descriptor>(
        &self,
        descriptor: D,
        messages: Messages,
    ) -> Result<Registered<D>, NoEngine> {
        let mut kinds = self.kinds();
        let engine = kinds.engine.as_ref().ok_or(NoEngine { kind: D::KIND })?;
        let registered = engine.register_closed(descriptor, down(self.path()));
        kinds.kinds.push((D::KIND, messages));
        if let Some(connection) = &kinds.open {
            kinds.tell([(D::KIND, judge(connection, messages))]);
            self.0.registered.notify_one();
        }
        Ok(registered)
    }

    /// Calls this with every event of a kind, for as long as the agent runs: it tells the engine what
    /// [appeared](Engine::appeared) or [disappeared](Engine::disappeared). Where events were lost everything is observed.
    ///
    /// # Errors
    ///
    /// In an agent without an engine.
    pub fn on_event<E: Subscribe + 'static>(
        &self,
        mut told: impl FnMut(&Engine, E) + Send + 'static,
    ) -> Result<(), NoEngine> {
        let engine = self.kinds().engine.clone().ok_or(NoEngine { kind: E::NAME })?;
        let mut events = self.0.supervisor.events::<E>();
        self.0.cx.spawn_until_stop(format!("{} of {}", E::NAME, self.name()), async move {
            loop {
                match events.next().await {
                    Ok(Notice::Event(event)) => told(&engine, event),
                    // All kinds of a new connection are observed when they are opened.
                    Ok(Notice::Gap(Gap::Subscribed { .. })) => {}
                    Ok(Notice::Gap(gap)) => {
                        tracing::warn!(event = E::NAME, "{gap}: everything is observed");
                        if engine.check().await.is_err() {
                            return;
                        }
                    }
                    Err(vpp_conn::EventError::Lost { .. }) => return,
                    Err(error) => tracing::warn!("{error}"),
                }
            }
        });
        Ok(())
    }

    /// Calls and dumps for what a descriptor was asked to do. One session per call of the descriptor: it is one VPP's,
    /// and what VPP gave belongs to it.
    ///
    /// # Errors
    ///
    /// When VPP is down. Nothing was done then.
    pub fn session(&self) -> Result<Session, Failure> {
        let current = self.0.current.read().unwrap_or_else(PoisonError::into_inner);
        current.as_ref().map(|connection| Session::new(connection.clone())).map_err(Failure::new)
    }

    /// All elements of dumps, of one after the other. [`Observed::all`](vpp_agent_engine::Observed::all) makes observations
    /// of them.
    ///
    /// # Errors
    ///
    /// When VPP is down, or cannot be asked: see [`failure()`](crate::failure()).
    pub async fn dump<D: Dump>(
        &self,
        requests: impl IntoIterator<Item = D, IntoIter: Send> + Send,
    ) -> Result<Vec<D::Details>, Failure> {
        self.session()?.dump(requests).await
    }

    /// Sends one request for each item of a batch, many at a time: a batch becomes a pipeline.
    pub async fn pipeline<D: Descriptor, R: Request>(
        &self,
        batch: &Batch<D>,
        request: impl Fn(&Entry<D>) -> Result<R, Failure> + Send,
    ) -> Outcomes {
        match self.session() {
            Ok(session) => session.pipeline(batch, request).await,
            Err(failure) => all_failed(batch, &failure),
        }
    }

    /// As [`pipeline`](Self::pipeline), for items whose metadata comes with the reply. Items that are there, as in an
    /// update, have theirs and are not asked for.
    pub async fn make<D: Descriptor, R: Request>(
        &self,
        batch: &Batch<D>,
        request: impl Fn(&Entry<D>) -> Result<R, Failure> + Send,
        metadata: impl Fn(R::Reply) -> D::Metadata + Send,
    ) -> Outcomes<D::Metadata> {
        match self.session() {
            Ok(session) => session.make(batch, request, metadata).await,
            Err(failure) => all_failed(batch, &failure),
        }
    }

    /// Sends one more request for each item that is there so far, with its metadata. Where it fails the item has to be
    /// looked at.
    pub async fn then<D: Descriptor, R: Request>(
        &self,
        batch: &Batch<D>,
        so_far: Outcomes<D::Metadata>,
        request: impl Fn(&Entry<D>, &D::Metadata) -> Result<R, Failure> + Send + Sync,
    ) -> Outcomes<D::Metadata> {
        let so_far: Vec<_> = so_far.into_iter().collect();
        let of = |at: usize| so_far.get(at).and_then(|outcome| outcome.as_ref().ok());
        let session = self.session();
        let sent = match &session {
            Ok(session) => {
                session.pipeline_at(batch, |at, entry| of(at).map(|known| request(entry, known))).await
            }
            Err(failure) => (0..batch.len()).map(|_| Some(Err(failure.clone()))).collect(),
        };
        let both = so_far.into_iter().zip(sent);
        both.map(|(before, then)| {
            let known = before?;
            then.unwrap_or(Ok(())).map(|()| known).map_err(Failure::uncertain)
        })
        .collect()
    }

    /// VPP is there: all kinds are opened together.
    pub(crate) fn open(&self, connection: &Connection) {
        let mut kinds = self.kinds();
        *self.0.current.write().unwrap_or_else(PoisonError::into_inner) = Ok(connection.clone());
        kinds.open = Some(connection.clone());
        kinds.tell(kinds.kinds.iter().map(|(kind, messages)| (*kind, judge(connection, *messages))));
    }

    /// VPP is not there: nothing is begun any more, and when this returns nothing runs that was begun before.
    pub(crate) async fn close(&self) {
        let (engine, names) = {
            let mut kinds = self.kinds();
            let down = down(self.path());
            *self.0.current.write().unwrap_or_else(PoisonError::into_inner) = Err(down.clone());
            if kinds.open.take().is_none() {
                return;
            }
            let names: Vec<_> = kinds.kinds.iter().map(|(kind, _)| *kind).collect();
            kinds.tell(names.iter().map(|kind| (*kind, Access::Closed(down.clone()))));
            (kinds.engine.clone(), names)
        };
        if let Some(engine) = engine {
            engine.idle(names).await;
        }
    }

    /// Behind [`open`](Self::open): waits until what is wanted of VPP is there, as far as it can be.
    pub(crate) async fn settled(&self) {
        let Some(engine) = self.kinds().engine.clone() else { return };
        // The engine has heard of it.
        engine.idle([]).await;
        // An error: it has ended.
        let _ = engine.summaries().wait_for(|engine| !engine.observing).await;
    }

    /// The agent stops.
    pub(crate) async fn end(&self) {
        self.close().await;
        self.kinds().engine = None;
        if let Err(error) = self.0.supervisor.clone().close().await {
            tracing::debug!(path = %self.path().display(), "{error}");
        }
    }

    /// The kinds that this VPP does not have, and why.
    pub(crate) fn lacking(&self) -> Vec<(&'static str, String)> {
        let kinds = self.kinds();
        let Some(connection) = &kinds.open else { return Vec::new() };
        let lacks =
            |(kind, messages): &(&'static str, Messages)| Some((*kind, why_not(connection, *messages)?));
        kinds.kinds.iter().filter_map(lacks).collect()
    }

    fn kinds(&self) -> MutexGuard<'_, Kinds> {
        self.0.kinds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Vpp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vpp").field("name", &self.0.name).field("supervisor", &self.0.supervisor).finish()
    }
}

fn all_failed<D: Descriptor, M>(batch: &Batch<D>, failure: &Failure) -> Outcomes<M> {
    batch.iter().map(|_| Err(failure.clone())).collect()
}

fn down(path: &Path) -> String {
    format!("VPP at {} is down", path.display())
}

fn judge(connection: &Connection, messages: Messages) -> Access {
    why_not(connection, messages).map_or(Access::Open, Access::Unimplemented)
}

/// The first message that this VPP does not have as the program has it, and how many more.
fn why_not(connection: &Connection, messages: Messages) -> Option<String> {
    let mut lacking = messages.iter().filter_map(|message| connection.check_info(message).err());
    let first = lacking.next()?;
    Some(match lacking.count() {
        0 => first.to_string(),
        more => format!("{first} (and {more} more)"),
    })
}
