//! Wakes somebody after some microseconds: the runtime's own timers count milliseconds.

use std::os::fd::OwnedFd;
use std::task::{Context as TaskContext, Poll, Waker, ready};
use std::time::{Duration, Instant};

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// A timer of the system, made when it is set for the first time.
#[derive(Debug, Default)]
pub(super) struct Alarm(Option<AsyncFd<OwnedFd>>);

impl Alarm {
    /// It is to ring after so long. `false`: it cannot be had. In the runtime that watches it.
    pub(super) fn set(&mut self, time: Duration) -> bool {
        if self.0.is_none() {
            self.0 = made().inspect_err(|error| tracing::debug!(%error, "no timer")).ok();
        }
        let none = Timespec { tv_sec: 0, tv_nsec: 0 };
        // Zero would switch it off.
        let Ok(it_value) = Timespec::try_from(time.max(Duration::from_nanos(1))) else { return false };
        let Some(timer) = &self.0 else { return false };
        let time = Itimerspec { it_interval: none, it_value };
        timerfd_settime(timer, TimerfdTimerFlags::empty(), &time).is_ok()
    }

    /// Whether the time has come for which it was set; else the waker is told when it has. An error: the runtime has ended.
    pub(super) fn poll(&self, until: Instant, waker: &Waker) -> Poll<std::io::Result<()>> {
        while Instant::now() < until {
            let Some(timer) = &self.0 else { break };
            // It may have rung for another time. That it has rung need not be read from it: to be set anew ends that.
            let mut rung = ready!(timer.poll_read_ready(&mut TaskContext::from_waker(waker)))?;
            rung.clear_ready();
        }
        Poll::Ready(Ok(()))
    }
}

fn made() -> std::io::Result<AsyncFd<OwnedFd>> {
    let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
    // What replaces it is unsafe, for descriptors that may change under it; an `OwnedFd` does not.
    #[allow(deprecated)]
    AsyncFd::with_interest(timer, Interest::READABLE)
}
