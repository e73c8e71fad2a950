//! When to try, when to wait, what to count: supervision without I/O.

use std::time::{Duration, Instant};

use super::state::{AttemptError, Attempts, Loss};

/// Attempts are never closer than this, however often something happens at the socket's path.
const MIN_GAP: Duration = Duration::from_millis(10);

/// How the time between attempts grows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Backoff {
    pub(super) first: Duration,
    pub(super) cap: Duration,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Try to connect when this time has come, or when something happens at the socket's path.
    Wait(Instant),
    /// An attempt is under way: tell how it ended.
    Trying,
    /// Keep the connection.
    Keep,
    /// Nothing any more.
    Over,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Down { next: Instant },
    Trying,
    Up { since: Instant },
    Over,
}

/// The course of a supervised connection. Made-up time goes in; what comes in a phase that cannot have it is ignored.
#[derive(Debug)]
pub(super) struct Machine {
    backoff: Backoff,
    phase: Phase,
    /// Connections so far.
    generation: u64,
    /// How often the time between attempts was doubled.
    doublings: u32,
    /// When the last attempt began.
    tried: Option<Instant>,
    attempts: Attempts,
    loss: Option<Loss>,
    jitter: Jitter,
}

impl Machine {
    /// The first attempt is due at once. `seed` makes the jitter.
    pub(super) fn new(backoff: Backoff, seed: u64, now: Instant) -> Self {
        Self {
            backoff,
            phase: Phase::Down { next: now },
            generation: 0,
            doublings: 0,
            tried: None,
            attempts: Attempts { since: now, failed: 0, last_error: None, next: Some(now) },
            loss: None,
            jitter: Jitter(seed),
        }
    }

    pub(super) fn step(&self) -> Step {
        match self.phase {
            Phase::Down { next } => Step::Wait(next),
            Phase::Trying => Step::Trying,
            Phase::Up { .. } => Step::Keep,
            Phase::Over => Step::Over,
        }
    }

    /// The attempts since the connection was lost, or since the start.
    pub(super) fn attempts(&self) -> &Attempts {
        &self.attempts
    }

    /// How the last connection was lost; `None` before the first.
    pub(super) fn loss(&self) -> Option<&Loss> {
        self.loss.as_ref()
    }

    /// Begins an attempt, where one is due; says whether.
    pub(super) fn begin(&mut self, now: Instant) -> bool {
        match self.phase {
            Phase::Down { next } if next <= now => {
                self.phase = Phase::Trying;
                self.tried = Some(now);
                self.attempts.next = None;
                true
            }
            _ => false,
        }
    }

    /// The attempt failed.
    pub(super) fn failed(&mut self, error: AttemptError, now: Instant) {
        if self.phase == Phase::Trying {
            self.attempts.failed = self.attempts.failed.saturating_add(1);
            let delay = if error.lasts() { self.jitter.of(self.backoff.cap) } else { self.delay() };
            self.attempts.last_error = Some(error);
            self.wait(now, delay);
        }
    }

    /// The attempt succeeded: the number of the connection.
    pub(super) fn connected(&mut self, now: Instant) -> Option<u64> {
        if self.phase != Phase::Trying {
            return None;
        }
        self.phase = Phase::Up { since: now };
        self.generation += 1;
        Some(self.generation)
    }

    /// The connection is gone.
    pub(super) fn lost(&mut self, loss: Loss, now: Instant) {
        let Phase::Up { since } = self.phase else { return };
        // A VPP that takes connections and drops them at once is not to be asked in a tight loop.
        if now.saturating_duration_since(since) >= self.backoff.cap {
            self.doublings = 0;
        }
        self.loss = Some(loss);
        self.attempts = Attempts { since: now, failed: 0, last_error: None, next: None };
        let delay = self.delay();
        self.wait(now, delay);
    }

    /// Something happened at the socket's path: VPP may be there now.
    pub(super) fn appeared(&mut self, now: Instant) {
        if let Phase::Down { next } = self.phase {
            self.doublings = 0;
            let soonest =
                self.tried.and_then(|tried| tried.checked_add(MIN_GAP)).map_or(now, |at| at.max(now));
            self.wait_until(soonest.min(next));
        }
    }

    pub(super) fn stop(&mut self) {
        self.phase = Phase::Over;
    }

    fn delay(&mut self) -> Duration {
        let Backoff { first, cap } = self.backoff;
        let factor = 1u32.checked_shl(self.doublings).unwrap_or(u32::MAX);
        let longest = first.saturating_mul(factor).min(cap);
        if longest < cap {
            self.doublings += 1;
        }
        self.jitter.of(longest)
    }

    fn wait(&mut self, now: Instant, delay: Duration) {
        // The end of time does not come; a year is as good.
        let next = now.checked_add(delay).unwrap_or_else(|| now + Duration::from_secs(365 * 24 * 3600));
        self.wait_until(next);
    }

    fn wait_until(&mut self, next: Instant) {
        self.phase = Phase::Down { next };
        self.attempts.next = Some(next);
    }
}

/// Pseudo-random numbers (SplitMix64), so that the clients of a VPP do not come back all at once.
#[derive(Debug)]
struct Jitter(u64);

impl Jitter {
    /// Between the half and the whole of a time.
    fn of(&mut self, longest: Duration) -> Duration {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
        let half = longest / 2;
        // A fraction of 2^16 of the other half: integers, so that no length of time is out of range.
        half + ((longest - half) / (1 << 16)).saturating_mul((bits >> 48) as u32)
    }
}
