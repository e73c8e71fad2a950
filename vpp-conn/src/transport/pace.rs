//! Whether VPP's main thread polls or sleeps.
//!
//! Nothing says so; it shows in what becomes of requests in shared memory while nothing wakes VPP. One that polls takes
//! all of them within microseconds. One that sleeps takes none; one that was about to go to sleep takes one or two.
//!
//! So now and then a request is a trial: VPP is not woken for it at once. Trials that fail become rarer, and wait longer
//! for a VPP whose main loop is slow because it carries packets; what they cost is soon below a hundredth of the time.

use std::time::{Duration, Instant};

/// How long a trial lasts at least, and at most.
const PATIENCE: std::ops::RangeInclusive<Duration> = Duration::from_micros(30)..=Duration::from_micros(320);

/// Between the two, this part of the pause that follows it: few calls are held up for long.
const PART: u32 = 4000;

/// How long no other trial is begun when one has failed, at first and at most.
const PAUSE: std::ops::RangeInclusive<Duration> = Duration::from_micros(500)..=Duration::from_secs(5);

/// Requests that a VPP which sleeps never takes by itself.
const MANY: u32 = 4;

/// Trials with fewer requests that have to succeed, one after another: VPP may be awake for something else, or have been
/// woken for the request before.
const FEW: u32 = 4;

/// How often in a row a VPP that polls is waited for in vain before it is believed to sleep.
const VAIN: u32 = 3;

/// What is known of VPP's main thread.
#[derive(Debug)]
pub(super) struct Pace {
    polls: bool,
    trial: Option<Trial>,
    /// When the next may begin.
    next: Option<Instant>,
    /// Behind the next trial, if it fails.
    pause: Duration,
    /// Trials with few requests that succeeded, one after another.
    succeeded: u32,
    /// How often one that polls was waited for in vain, and had to be woken.
    vain: u32,
}

#[derive(Clone, Copy, Debug)]
struct Trial {
    began: Instant,
    /// Requests that VPP was not woken for.
    sent: u32,
}

impl Default for Pace {
    fn default() -> Self {
        Self { polls: false, trial: None, next: None, pause: *PAUSE.start(), succeeded: 0, vain: 0 }
    }
}

impl Pace {
    /// Whether VPP is believed to poll.
    pub(super) fn polls(&self) -> bool {
        self.polls
    }

    /// Whether a trial runs, or may begin now.
    pub(super) fn tries(&self, now: impl FnOnce() -> Instant) -> bool {
        !self.polls && (self.trial.is_some() || self.next.is_none_or(|next| next <= now()))
    }

    /// How many requests more are worth sending before a trial is over.
    pub(super) fn at_once(&self, now: Instant) -> Option<usize> {
        let sent = self.trial.map_or(0, |trial| trial.sent);
        self.tries(|| now).then_some((2 * MANY).saturating_sub(sent) as usize)
    }

    /// So many requests were just handed over, and so many wait now. Tells whether VPP is to be woken for them.
    pub(super) fn sent(&mut self, requests: u32, waiting: u32, now: Instant) -> bool {
        if self.polls {
            return false;
        }
        if let Some(trial) = &mut self.trial {
            trial.sent += requests;
            let is_over = now.saturating_duration_since(trial.began) > self.lasts();
            if is_over {
                self.sleeps(now);
            }
            return is_over;
        }
        if requests == 0 || self.next.is_some_and(|next| now < next) {
            return true;
        }
        self.trial = Some(Trial { began: now, sent: waiting });
        false
    }

    /// Something came from VPP, and so many requests wait still.
    pub(super) fn heard(&mut self, waiting: u32, now: Instant) {
        let Some(trial) = self.trial else { return };
        if now.saturating_duration_since(trial.began) > self.lasts() {
            // It may have been woken by something else meanwhile.
            return self.sleeps(now);
        }
        if trial.sent.saturating_sub(waiting) >= MANY {
            self.polls = true;
        } else if waiting > 0 {
            return;
        } else {
            self.succeeded += 1;
            self.polls = self.succeeded >= FEW;
        }
        self.trial = None;
        // It went well, but may have done so for another reason: the next tries again.
        self.next = Some(now);
        if self.polls {
            self.pause = *PAUSE.start();
        }
    }

    fn lasts(&self) -> Duration {
        (self.pause / PART).clamp(*PATIENCE.start(), *PATIENCE.end())
    }

    /// How long may still pass before VPP is woken for what it was not woken for; `None` where nothing of that kind waits.
    pub(super) fn patience(&self, now: Instant) -> Option<Duration> {
        let trial = self.trial?;
        Some((trial.began + self.lasts()).saturating_duration_since(now))
    }

    /// VPP has left requests untouched for longer than one that polls does, or than a trial lasts.
    pub(super) fn sleeps(&mut self, now: Instant) {
        if self.polls {
            // Everybody is interrupted now and then.
            self.vain += 1;
            self.polls = self.vain < VAIN;
        } else if self.trial.is_none() {
            return;
        }
        if !self.polls {
            self.trial = None;
            self.next = Some(now + self.pause);
            self.pause = (self.pause * 4).min(*PAUSE.end());
            (self.succeeded, self.vain) = (0, 0);
        }
    }

    /// VPP has taken requests that it was not woken for.
    pub(super) fn took_by_itself(&mut self) {
        self.vain = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MICRO: Duration = Duration::from_micros(1);

    #[test]
    fn many_requests_that_vpp_takes_by_itself_show_that_it_polls() {
        let (mut pace, now) = (Pace::default(), Instant::now());
        assert!(!pace.sent(8, 8, now), "a trial");
        pace.heard(5, now + MICRO);
        assert!(!pace.polls() && pace.at_once(now) == Some(0));
        pace.heard(4, now + 2 * MICRO);
        assert!(pace.polls() && !pace.sent(1000, 1000, now + 3 * MICRO));
    }

    #[test]
    fn single_requests_have_to_be_taken_several_times_in_a_row() {
        let (mut pace, mut now) = (Pace::default(), Instant::now());
        for _ in 0..3 {
            assert!(!pace.sent(1, 1, now));
            now += MICRO;
            pace.heard(0, now);
        }
        assert!(!pace.polls() && !pace.sent(1, 1, now));
        pace.sleeps(now);
        now += Duration::from_secs(1);
        for _ in 0..4 {
            assert!(!pace.polls() && !pace.sent(1, 1, now));
            now += MICRO;
            pace.heard(0, now);
        }
        assert!(pace.polls());
    }

    #[test]
    fn a_vpp_that_sleeps_is_woken_and_tried_ever_more_rarely() {
        let (mut pace, start) = (Pace::default(), Instant::now());
        let (mut now, mut trials, mut waited) = (start, 0, Duration::ZERO);
        while now < start + Duration::from_secs(60) {
            if !pace.sent(1, 1, now) {
                trials += 1;
                let patience = pace.patience(now).unwrap();
                waited += patience;
                now += patience;
                pace.sleeps(now);
            }
            assert!(pace.sent(1, 1, now), "woken");
            pace.heard(0, now + 40 * MICRO);
            now += 100 * MICRO;
        }
        assert!((5..30).contains(&trials) && waited < Duration::from_millis(10), "{trials} {waited:?}");
        assert!(!pace.polls());
    }

    #[test]
    fn a_vpp_that_stops_polling_is_noticed() {
        let (mut pace, now) = (Pace::default(), Instant::now());
        pace.sent(8, 8, now);
        pace.heard(0, now);
        assert!(pace.polls());
        pace.sleeps(now);
        pace.sleeps(now);
        pace.took_by_itself();
        pace.sleeps(now);
        pace.sleeps(now);
        assert!(pace.polls(), "interrupted now and then");
        pace.sleeps(now);
        assert!(!pace.polls() && pace.sent(1, 1, now));
        // And again, some time later.
        let later = now + Duration::from_secs(1);
        assert!(!pace.sent(8, 8, later));
        pace.heard(0, later);
        assert!(pace.polls());
    }
}
