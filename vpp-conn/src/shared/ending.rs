//! How a connection ends: because it is asked to, because VPP went away, or because the runtime did.

use std::pin::pin;
use std::time::{Duration, Instant};

use super::{Core, Shared, now};
use crate::error::{CloseError, Lost};

/// How far the end of the connection has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Goodbye {
    No,
    Wanted,
    Said { until: Instant },
    Done(Result<(), CloseError>),
}

impl Shared {
    /// Asks for the end of the connection. Everything that waits fails at once.
    pub(crate) fn want_close(&self) {
        self.with(|core| {
            if core.goodbye == Goodbye::No {
                core.goodbye = Goodbye::Wanted;
                core.mux.fail(&Lost::Closed);
            }
        });
        self.readers.wake_background();
    }

    /// Ends the connection without waiting for VPP, which has stopped answering. The good-bye is left for it in the
    /// socket, as far as that takes it: VPP keeps busy with clients that just close.
    pub(crate) fn give_up(&self, lost: Lost) {
        self.with(|core| {
            if matches!(core.goodbye, Goodbye::No | Goodbye::Wanted) {
                core.link.say_goodbye();
                self.flush(core);
            }
            self.lose(core, lost);
        });
    }

    /// Waits until the connection has ended, and tells how the good-bye went.
    pub(crate) async fn closed(&self) -> Result<(), CloseError> {
        loop {
            let mut ended = pin!(self.ended.notified());
            // Before looking, so that no end is missed.
            ended.as_mut().enable();
            if let Some(result) = self.with(|core| match &core.goodbye {
                Goodbye::Done(result) => Some(result.clone()),
                _ => None,
            }) {
                return result;
            }
            ended.await;
        }
    }

    /// Says good-bye without a runtime, as the last thing: VPP keeps busy with clients that just close.
    pub(crate) fn close_now(&self) {
        self.with(|core| {
            core.mux.fail(&Lost::RuntimeEnded);
            if core.dead {
                return;
            }
            if !matches!(core.goodbye, Goodbye::Said { .. }) {
                core.link.say_goodbye();
                core.goodbye = Goodbye::Said { until: now() };
            }
            let result = self.exchange_goodbye(core);
            if !core.dead {
                self.end(core, Lost::RuntimeEnded, result);
            }
        });
    }

    /// The last exchange, by plain system calls: a tenth of a second at most.
    fn exchange_goodbye(&self, core: &mut Core) -> Result<(), CloseError> {
        let patience = Duration::from_millis(100);
        let until = Instant::now() + patience;
        loop {
            core.link.exchange_blocking(until, patience)?;
            self.deliver(core).map_err(CloseError::Lost)?;
            if let Goodbye::Done(result) = &core.goodbye {
                return result.clone();
            }
        }
    }

    /// VPP closed the socket. After a good-bye that is the expected end even without its reply.
    pub(super) fn end_of_stream(&self, core: &mut Core) {
        match core.goodbye {
            Goodbye::Said { .. } => self.end(core, Lost::Closed, Ok(())),
            _ => self.lose(core, Lost::ClosedByVpp),
        }
    }

    /// The connection ended without being asked to.
    pub(super) fn lose(&self, core: &mut Core, lost: Lost) {
        self.end(core, lost.clone(), Err(CloseError::Lost(lost)));
    }

    /// Nothing comes or goes any more: everything that waits fails.
    pub(super) fn end(&self, core: &mut Core, lost: Lost, closed: Result<(), CloseError>) {
        if core.dead {
            return;
        }
        tracing::debug!(%lost, waiting = core.mux.waiting(), "connection to VPP ended");
        core.dead = true;
        core.mux.fail(&lost);
        core.goodbye = Goodbye::Done(closed);
        self.ended.notify_waiters();
        core.link.shut();
        #[cfg(shared_memory)]
        if let Some(watch) = &self.watch {
            watch.stop();
        }
        self.readers.wake_background();
    }
}
