//! A connection, as its user holds it.

use std::fmt;
use std::future::poll_fn;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use vpp_wire::{Dump, Event, Message, MessageInfo, Request, Subscribe};

use crate::call::Call;
use crate::connect::{Builder, Transport};
use crate::counters::Counters;
use crate::dump::DumpStream;
use crate::error::{CallError, CloseError, ConnectError, Lost};
use crate::events::Events;
use crate::pipeline::Pipeline;
use crate::raw::Raw;
use crate::shared::Shared;
use crate::table::{Incompatible, MessageTable};
use crate::trace::{Recorder, Traced};

/// A connection to a running VPP.
///
/// A cheap handle: clone it, and use it from as many tasks as needed. Every call has a deadline; when VPP goes away
/// everything that waits fails at once. When the last handle, dump and event stream is dropped, the connection ends in
/// the orderly way that VPP needs.
///
/// | Dropped or ended | What happens |
/// |---|---|
/// | a [`Call`] | the request may have been carried out; its reply is discarded when it comes |
/// | a [`Pipeline`] | what is under way is given up, as calls are |
/// | a [`DumpStream`] | what still comes of it is discarded |
/// | the last [`Events`] of a kind | VPP is told that nobody wants them any more |
/// | the last handle | VPP is told (`sockclnt_delete`), in the background |
/// | the runtime | VPP is told, within a tenth of a second; calls elsewhere fail |
/// | VPP | everything fails with [`Lost::ClosedByVpp`] |
///
/// Another VPP is another connection: [`Supervisor`](crate::Supervisor) makes it, and keeps it while VPP comes and goes.
///
/// A process should hold fewer than 16 connections: VPP 25.06 and later can freeze when as many sockets close at the
/// same moment, as they do when a process is killed.
#[derive(Clone)]
pub struct Connection {
    handle: Arc<Handle>,
}

struct Handle(Arc<Shared>);

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.want_close();
    }
}

/// Ends the connection when the runtime drops the background task before its time.
struct Background(Arc<Shared>);

impl Drop for Background {
    fn drop(&mut self) {
        self.0.close_now();
    }
}

impl Connection {
    /// Connects to VPP's API socket with the defaults of [`Builder`].
    ///
    /// # Errors
    ///
    /// When there is no socket, this process may not use it, or the peer does not behave as VPP.
    pub async fn connect(path: impl AsRef<Path>) -> Result<Self, ConnectError> {
        Self::builder().connect(path).await
    }

    /// How to connect otherwise.
    pub fn builder() -> Builder {
        Builder::default()
    }

    pub(crate) fn start(shared: Shared) -> Self {
        let shared = Arc::new(shared);
        #[cfg(shared_memory)]
        crate::watch::start(&shared);
        let background = Background(Arc::clone(&shared));
        tokio::spawn(async move {
            let mut sleep = pin!(tokio::time::sleep(Duration::ZERO));
            poll_fn(|cx| background.0.poll_background(sleep.as_mut(), cx)).await;
        });
        Self { handle: Arc::new(Handle(shared)) }
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.handle.0
    }

    /// Sends a request and waits for its reply. A negative `retval` is an error.
    ///
    /// Nothing is sent before the call is first polled.
    pub fn call<'a, R: Request>(&'a self, request: &'a R) -> Call<'a, R> {
        Call::new(self, request)
    }

    /// Sends a request that VPP answers with a stream of details.
    ///
    /// Nothing is sent before the stream is first asked.
    pub fn dump<D: Dump>(&self, request: &D) -> DumpStream<D> {
        DumpStream::new(self.clone(), request)
    }

    /// Sends many requests of one kind, a bounded number of them under way at once.
    ///
    /// Nothing is sent before the first result is asked for.
    pub fn pipeline<I>(&self, requests: I) -> Pipeline<I::IntoIter>
    where
        I: IntoIterator<Item: Request>,
    {
        Pipeline::new(self.clone(), requests.into_iter())
    }

    /// Subscribes to an event and asks VPP to send it.
    ///
    /// # Errors
    ///
    /// When this VPP does not have the event, or refuses.
    pub async fn events<E: Subscribe>(&self) -> Result<Events<E>, CallError> {
        Events::subscribe(self.clone()).await
    }

    /// Subscribes to an event without asking VPP to send it: for events whose request has something to choose, which
    /// the caller sends with [`Connection::call`].
    ///
    /// # Errors
    ///
    /// When this VPP does not have the event, or the connection has ended.
    pub fn listen<E: Event>(&self) -> Result<Events<E>, CallError> {
        Events::listen(self.clone())
    }

    /// Whether this VPP has the very message, or another that it is bridged to where the program allows that
    /// (`Builder::bridge`).
    #[must_use]
    pub fn supports<M: Message>(&self) -> bool {
        self.check::<M>().is_ok()
    }

    /// Why this VPP does not have the very message, nor one that it can be bridged to where the program allows that.
    ///
    /// # Errors
    ///
    /// When VPP has no message of the name, or another definition of it; or why it cannot be bridged.
    pub fn check<M: Message>(&self) -> Result<(), Incompatible> {
        self.check_info(&M::INFO)
    }

    /// The same for a message that is told as a value: one of a list.
    ///
    /// # Errors
    ///
    /// As [`Connection::check`].
    pub fn check_info(&self, message: &MessageInfo) -> Result<(), Incompatible> {
        let shared = self.shared();
        let found = shared.table.id_of_info(message).map(drop);
        #[cfg(feature = "bridge")]
        if let (Err(_), Some(bridging)) = (&found, shared.bridging.get()) {
            return bridging.check(&shared.table, message.name, message.crc);
        }
        found
    }

    /// All messages of this VPP.
    #[must_use]
    pub fn table(&self) -> &MessageTable {
        &self.shared().table
    }

    /// Messages that are told at run time, for tools that know them from definitions instead of types.
    #[must_use]
    pub fn raw(&self) -> Raw<'_> {
        Raw::new(self)
    }

    /// The socket.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.shared().path
    }

    /// What carries its messages: never [`Transport::Auto`].
    #[must_use]
    pub fn transport(&self) -> Transport {
        self.shared().transport()
    }

    /// The four bytes by which VPP knows this client.
    #[must_use]
    pub fn client_index(&self) -> [u8; 4] {
        self.shared().client_index
    }

    /// What the connection did so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.shared().counters()
    }

    /// The last messages that went over the connection, oldest first, and how many before them are no longer kept.
    /// Empty unless [`Builder::trace`] gave room for them.
    #[must_use]
    pub fn traced(&self) -> (Vec<Traced>, u64) {
        self.shared().traced(|recorder| (recorder.records(), recorder.given_up()))
    }

    /// As [`Connection::traced`], and they are kept no longer: what to write to a file from time to time. The number is of
    /// those that were given up since the last time.
    #[must_use]
    pub fn take_traced(&self) -> (Vec<Traced>, u64) {
        self.shared().traced(Recorder::take)
    }

    /// How the connection ended; `None` while it lives.
    #[must_use]
    pub fn lost(&self) -> Option<Lost> {
        self.shared().lost()
    }

    /// Waits until the connection has ended, for whatever reason, and gives it.
    pub async fn closed(&self) -> Lost {
        // Whether VPP confirmed the end is for who asked for it.
        let _confirmed = self.shared().closed().await;
        self.lost().unwrap_or(Lost::Closed)
    }

    /// Ends the connection: everything that waits fails, also on other handles, and VPP is told.
    ///
    /// # Errors
    ///
    /// When VPP does not confirm it, or was gone before. The socket is closed all the same.
    pub async fn close(self) -> Result<(), CloseError> {
        self.shared().want_close();
        self.shared().closed().await
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shared = self.shared();
        f.debug_struct("Connection")
            .field("path", &shared.path)
            .field("client_index", &format_args!("{:#010x}", u32::from_be_bytes(shared.client_index)))
            .field("messages", &shared.table.len())
            .field("counters", &shared.counters())
            .field("lost", &shared.lost())
            .finish()
    }
}
