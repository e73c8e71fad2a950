//! The connection for programs without a runtime: the same verbs, which wait.
//!
//! ```no_run
//! use vpp_conn::blocking::Connection;
//! use vpp_26_06::interface::{CreateLoopback, SwInterfaceDump};
//!
//! # fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let vpp = Connection::connect("/run/vpp/api.sock")?;
//! let loopback = vpp.call(&CreateLoopback::default())?.sw_if_index;
//! for interface in vpp.dump(&SwInterfaceDump::default()) {
//!     println!("{}", interface?.view().interface_name());
//! }
//! # let _ = loopback;
//! # Ok(())
//! # }
//! ```
//!
//! Who waits drives the connection, on its own thread: a call costs no change of threads. While nobody waits, a small
//! thread looks ten times a second whether VPP sent something or went away.

use std::fmt;
use std::path::Path;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::runtime::{Handle, Runtime};
use vpp_wire::{Dump, Event, Message, Request, Subscribe, Viewed};

use crate::connect::{Builder, Transport};
use crate::dump::Received;
use crate::error::{CallError, CloseError, ConnectCause, ConnectError, EventError, Lost};
use crate::table::{Incompatible, MessageTable};

/// How often a connection is looked after while nobody waits on it.
const LOOK_AFTER: Duration = Duration::from_millis(100);

/// A connection to a running VPP, whose calls wait.
///
/// A cheap handle: clone it, and use it from as many threads as needed.
///
/// # Panics
///
/// Its methods panic within a task of a tokio runtime, whose thread must not wait; [`crate::Connection`] is for those.
#[derive(Clone)]
pub struct Connection {
    connection: crate::Connection,
    driver: Arc<Driver>,
}

/// What the handles of a connection wait with.
struct Driver {
    /// There until this is dropped.
    runtime: Option<Runtime>,
    /// How often somebody waited in the runtime.
    waits: AtomicU64,
    /// Answers are looked for in shared memory.
    looks: bool,
}

impl Driver {
    /// Waits for an answer. In shared memory it comes while the first poll looks for it, mostly: then it costs no entering
    /// of the runtime, which takes as long as a fifth of such a call.
    fn wait_for_answer<T>(&self, answer: impl Future<Output = T>) -> T {
        let mut answer = pin!(answer);
        // Within a runtime the other way tells that it must not be.
        if self.looks && Handle::try_current().is_err() {
            let mut nobody = Context::from_waker(Waker::noop());
            if let Poll::Ready(answer) = answer.as_mut().poll(&mut nobody) {
                return answer;
            }
        }
        self.wait(answer)
    }

    fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        let result = self.drive(work);
        self.waits.fetch_add(1, Ordering::Relaxed);
        result
    }

    fn drive<T>(&self, work: impl Future<Output = T>) -> T {
        match &self.runtime {
            Some(runtime) => runtime.block_on(work),
            None => unreachable!("the runtime is there until the driver is dropped"),
        }
    }

    /// Drives the connection while nobody else does, until the last handle is gone.
    fn look_after(driver: &Weak<Self>) {
        let mut waits = 0;
        loop {
            std::thread::sleep(LOOK_AFTER);
            let Some(driver) = driver.upgrade() else { return };
            let now = driver.waits.load(Ordering::Relaxed);
            if now == waits {
                // Long enough for the connection's own task to see what came.
                driver.drive(async { tokio::time::sleep(Duration::from_millis(1)).await });
            }
            waits = now;
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // Without waiting, so that a handle may be dropped anywhere. The connection's own task says good-bye when it is
        // dropped.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Builder {
    /// As [`Builder::connect`], for programs without a runtime.
    ///
    /// # Errors
    ///
    /// As [`Builder::connect`], and when the system gives no thread or descriptor for it.
    pub fn connect_blocking(self, path: impl AsRef<Path>) -> Result<Connection, ConnectError> {
        let path = path.as_ref();
        let io = |error| ConnectError { path: path.to_owned(), cause: ConnectCause::Io(Arc::new(error)) };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(io)?;
        let connection = runtime.block_on(self.connect(path))?;
        let looks = connection.transport() == Transport::SharedMemory;
        let driver = Arc::new(Driver { runtime: Some(runtime), waits: AtomicU64::new(0), looks });
        let looked_after = Arc::downgrade(&driver);
        std::thread::Builder::new()
            .name("vpp-conn".to_owned())
            .spawn(move || Driver::look_after(&looked_after))
            .map_err(io)?;
        Ok(Connection { connection, driver })
    }
}

impl Connection {
    /// Connects to VPP's API socket with the defaults of [`Builder`]; [`Builder::connect_blocking`] does otherwise.
    ///
    /// # Errors
    ///
    /// As [`crate::Connection::connect`].
    pub fn connect(path: impl AsRef<Path>) -> Result<Self, ConnectError> {
        crate::Connection::builder().connect_blocking(path)
    }

    /// Waits for what an asynchronous connection does: for what this one has no verb of its own for.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # use vpp_26_06::vpe::ShowVersion;
    /// # fn example(vpp: vpp_conn::blocking::Connection) -> Result<(), vpp_conn::CallError> {
    /// let version = vpp.wait(async |vpp| vpp.call(&ShowVersion).deadline(Duration::from_secs(1)).await)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn wait<T>(&self, work: impl AsyncFnOnce(&crate::Connection) -> T) -> T {
        self.driver.wait(work(&self.connection))
    }

    /// As [`crate::Connection::call`].
    ///
    /// # Errors
    ///
    /// When VPP refuses, does not answer in time, or goes away.
    pub fn call<R: Request>(&self, request: &R) -> Result<R::Reply, CallError> {
        self.driver.wait_for_answer(self.connection.call(request))
    }

    /// As [`crate::Connection::dump`]: each element in place, as it comes.
    pub fn dump<D: Dump<Details: Viewed>>(&self, request: &D) -> DumpIter<D> {
        DumpIter { stream: Some(self.connection.dump(request)), driver: Arc::clone(&self.driver) }
    }

    /// As [`crate::Connection::pipeline`]: results and the positions of their requests. `options` may set a window, an
    /// order, a deadline.
    pub fn pipeline<I: IntoIterator<Item: Request>>(&self, requests: I) -> PipelineIter<I::IntoIter> {
        PipelineIter { pipeline: self.connection.pipeline(requests), driver: Arc::clone(&self.driver) }
    }

    /// As [`crate::Connection::events`].
    ///
    /// # Errors
    ///
    /// When this VPP does not have the event, or refuses.
    pub fn events<E: Subscribe>(&self) -> Result<Events<E>, CallError> {
        let events = self.driver.wait(self.connection.events())?;
        Ok(Events { events, driver: Arc::clone(&self.driver) })
    }

    /// As [`crate::Connection::listen`].
    ///
    /// # Errors
    ///
    /// When this VPP does not have the event, or the connection has ended.
    pub fn listen<E: Event>(&self) -> Result<Events<E>, CallError> {
        Ok(Events { events: self.connection.listen()?, driver: Arc::clone(&self.driver) })
    }

    /// Whether this VPP has the very message.
    #[must_use]
    pub fn supports<M: Message>(&self) -> bool {
        self.connection.supports::<M>()
    }

    /// Why this VPP does not have the very message.
    ///
    /// # Errors
    ///
    /// When VPP has no message of the name, or another definition of it.
    pub fn check<M: Message>(&self) -> Result<(), Incompatible> {
        self.connection.check::<M>()
    }

    /// All messages of this VPP.
    #[must_use]
    pub fn table(&self) -> &MessageTable {
        self.connection.table()
    }

    /// How the connection ended; `None` while it lives, as far as was seen.
    #[must_use]
    pub fn lost(&self) -> Option<Lost> {
        self.connection.lost()
    }

    /// Ends the connection: everything that waits fails, also on other handles, and VPP is told.
    ///
    /// # Errors
    ///
    /// When VPP does not confirm it, or was gone before. The socket is closed all the same.
    pub fn close(self) -> Result<(), CloseError> {
        self.driver.wait(self.connection.close())
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.connection, f)
    }
}

/// The elements of a dump, in place. An error is the last item.
pub struct DumpIter<D: Dump> {
    /// Until it is over.
    stream: Option<crate::DumpStream<D>>,
    driver: Arc<Driver>,
}

impl<D: Dump<Details: Viewed>> Iterator for DumpIter<D> {
    type Item = Result<Received<D::Details>, CallError>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.driver.wait_for_answer(self.stream.as_mut()?.next()).transpose();
        if !matches!(next, Some(Ok(_))) {
            self.stream = None;
        }
        next
    }
}

/// Results of many requests, each with its request's position.
pub struct PipelineIter<I: Iterator<Item: Request>> {
    pipeline: crate::Pipeline<I>,
    driver: Arc<Driver>,
}

impl<I: Iterator<Item: Request>> PipelineIter<I> {
    /// As [`crate::Pipeline::window`].
    #[must_use]
    pub fn window(mut self, requests: usize) -> Self {
        self.pipeline = self.pipeline.window(requests);
        self
    }

    /// As [`crate::Pipeline::ordered`].
    #[must_use]
    pub fn ordered(mut self) -> Self {
        self.pipeline = self.pipeline.ordered();
        self
    }

    /// As [`crate::Pipeline::deadline`].
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.pipeline = self.pipeline.deadline(deadline);
        self
    }
}

impl<I: Iterator<Item: Request>> Iterator for PipelineIter<I> {
    type Item = (usize, Result<<I::Item as Request>::Reply, CallError>);

    fn next(&mut self) -> Option<Self::Item> {
        // What is there already needs no runtime.
        self.pipeline.take_ready().or_else(|| self.driver.wait_for_answer(self.pipeline.next()))
    }
}

/// A stream of one kind of event, as [`crate::Events`].
#[derive(Debug)]
pub struct Events<E: Event> {
    events: crate::Events<E>,
    driver: Arc<Driver>,
}

impl<E: Event> Events<E> {
    /// Waits for the next event.
    ///
    /// # Errors
    ///
    /// As [`crate::Events::next`].
    #[expect(clippy::should_implement_trait, reason = "an error is not the end, and there is no other")]
    pub fn next(&mut self) -> Result<E, EventError> {
        self.driver.wait(self.events.next())
    }

    /// Waits for the next event, and not longer than this; `None` when there was none.
    ///
    /// # Errors
    ///
    /// As [`crate::Events::next`].
    pub fn next_within(&mut self, patience: Duration) -> Result<Option<E>, EventError> {
        let next = async { tokio::time::timeout(patience, self.events.next()).await };
        self.driver.wait(next).map_or(Ok(None), |event| event.map(Some))
    }
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver").finish_non_exhaustive()
    }
}
