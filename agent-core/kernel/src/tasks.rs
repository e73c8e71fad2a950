//! Background tasks of a plugin: owned, joined, and none takes others with it.

use std::any::Any;
use std::collections::BTreeMap;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

use crate::AgentError;

/// How long a task that is dropped may take to end: it does at its next `await`.
const DROP_WITHIN: Duration = Duration::from_secs(1);

/// Why something that was guarded has no outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    Panicked(String),
    Late(Duration),
}

/// What a panic said.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a text").to_owned()
}

/// The tasks of one plugin.
#[derive(Clone, Default)]
pub(crate) struct Tasks {
    /// Of the plugin's methods.
    calls: TaskTracker,
    /// Of what it spawned.
    tracker: TaskTracker,
    /// Asks tasks to end.
    pub(crate) shutdown: CancellationToken,
    /// Drops those that did not.
    drop: CancellationToken,
    running: Arc<Mutex<Running>>,
}

#[derive(Default)]
struct Running {
    next: u64,
    names: BTreeMap<u64, String>,
}

/// Takes a task out of the list whichever way it ends.
struct Listed {
    running: Arc<Mutex<Running>>,
    id: u64,
}

impl Drop for Listed {
    fn drop(&mut self) {
        lock(&self.running).names.remove(&self.id);
    }
}

fn lock(running: &Mutex<Running>) -> MutexGuard<'_, Running> {
    running.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Tasks {
    /// Runs a task; `panicked` is told where it panics.
    pub(crate) fn spawn(
        &self,
        name: String,
        future: impl Future<Output = ()> + Send + 'static,
        panicked: impl FnOnce(String) + Send + 'static,
    ) {
        let listed = {
            let mut running = lock(&self.running);
            let id = running.next;
            running.next += 1;
            running.names.insert(id, name);
            Listed { running: Arc::clone(&self.running), id }
        };
        let drop = self.drop.clone();
        self.tracker.spawn(async move {
            let _listed = listed;
            tokio::select! {
                biased;
                () = drop.cancelled() => {}
                outcome = contained(future) => if let Err(text) = outcome { panicked(text) },
            }
        });
    }

    /// Runs one of the plugin's methods as a task of its own, so that neither its panic nor the thread that it blocks is
    /// the caller's. It is dropped when it is late, and when the caller is.
    pub(crate) async fn call<T: Send + 'static>(
        &self,
        within: Duration,
        future: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Fault> {
        let task = AbortOnDropHandle::new(self.calls.spawn(future));
        match timeout(within, task).await {
            Ok(Ok(outcome)) => Ok(outcome),
            Ok(Err(error)) => match error.try_into_panic() {
                Ok(panic) => Err(Fault::Panicked(panic_text(&*panic))),
                // Only the end of the runtime cancels it.
                Err(_) => Err(Fault::Late(within)),
            },
            Err(_) => Err(Fault::Late(within)),
        }
    }

    /// Waits until a method that was dropped is gone, which it is at its next `await`.
    pub(crate) async fn calls_gone(&self) {
        self.calls.close();
        if timeout(DROP_WITHIN, self.calls.wait()).await.is_err() {
            tracing::error!("a method blocks its thread and cannot be ended");
        }
        self.calls.reopen();
    }

    /// Asks the tasks to end, waits, and drops those that did not end in time: their names.
    pub(crate) async fn end(&self, within: Duration) -> Vec<String> {
        self.shutdown.cancel();
        self.tracker.close();
        if timeout(within, self.tracker.wait()).await.is_ok() {
            return Vec::new();
        }
        let late = lock(&self.running).names.values().cloned().collect();
        self.drop.cancel();
        if timeout(DROP_WITHIN, self.tracker.wait()).await.is_err() {
            for task in lock(&self.running).names.values() {
                tracing::error!(task, "blocks its thread and cannot be ended");
            }
        }
        late
    }

    /// Drops everything at once.
    pub(crate) fn abandon(&self) {
        self.shutdown.cancel();
        self.drop.cancel();
    }
}

/// A future whose panic is an error.
async fn contained(future: impl Future<Output = ()>) -> Result<(), String> {
    let mut future = pin!(future);
    std::future::poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
        Ok(poll) => poll.map(Ok),
        Err(panic) => std::task::Poll::Ready(Err(panic_text(&*panic))),
    })
    .await
}

/// Ends the agent from inside; the first who asks is heard.
#[derive(Default)]
pub(crate) struct Exit {
    asked: CancellationToken,
    error: Mutex<Option<AgentError>>,
}

impl Exit {
    pub(crate) fn ask(&self, error: AgentError) {
        let mut first = self.error.lock().unwrap_or_else(PoisonError::into_inner);
        if self.asked.is_cancelled() {
            tracing::error!("{error}");
            return;
        }
        *first = Some(error);
        self.asked.cancel();
    }

    /// Waits for who asks; tells it once.
    pub(crate) async fn error(&self) -> AgentError {
        self.asked.cancelled().await;
        let error = self.error.lock().unwrap_or_else(PoisonError::into_inner).take();
        match error {
            Some(error) => error,
            None => std::future::pending().await,
        }
    }
}
