//! The course of supervision with made-up time.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::machine::{Backoff, Machine, Step};
use super::state::{AttemptError, Attempts, Loss, NotConnected, State};
use crate::error::{ConnectCause, ConnectError, Lost};

const BACKOFF: Backoff = Backoff { first: Duration::from_millis(100), cap: Duration::from_secs(10) };

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn failure(cause: ConnectCause) -> AttemptError {
    AttemptError::Connect(ConnectError { path: PathBuf::from("/run/vpp/api.sock"), cause })
}

fn loss(waiting: usize) -> Loss {
    Loss { lost: Lost::ClosedByVpp, waiting }
}

/// Lets time pass to the next attempt and begins it: how long that was.
fn begin_next(machine: &mut Machine, now: &mut Instant) -> Duration {
    let Step::Wait(next) = machine.step() else { panic!("{machine:?}") };
    assert_eq!(machine.attempts().next, Some(next));
    let waited = next.saturating_duration_since(*now);
    if !waited.is_zero() {
        assert!(!machine.begin(next - Duration::from_nanos(1)), "not before its time");
    }
    *now = next.max(*now);
    assert!(machine.begin(*now));
    assert_eq!((machine.step(), machine.attempts().next), (Step::Trying, None));
    waited
}

#[test]
fn attempts_grow_rarer_up_to_the_cap_and_never_end() {
    let mut now = Instant::now();
    let mut machine = Machine::new(BACKOFF, 7, now);
    assert_eq!(begin_next(&mut machine, &mut now), Duration::ZERO, "the first at once");
    let mut longest = 100;
    for attempt in 1..=1000 {
        machine.failed(failure(ConnectCause::NotThere), now);
        assert_eq!(machine.attempts().failed, attempt);
        let waited = begin_next(&mut machine, &mut now);
        assert!(waited >= ms(longest / 2) && waited <= ms(longest), "{waited:?} of {longest} ms");
        longest = (longest * 2).min(10_000);
    }
    machine.connected(now);
    assert_eq!(machine.step(), Step::Keep);
}

#[test]
fn two_clients_do_not_come_at_the_same_time() {
    let start = Instant::now();
    let times = |seed| {
        let (mut machine, mut now) = (Machine::new(BACKOFF, seed, start), start);
        (0..5)
            .map(|_| {
                let waited = begin_next(&mut machine, &mut now);
                machine.failed(failure(ConnectCause::NotThere), now);
                waited
            })
            .collect::<Vec<_>>()
    };
    assert_ne!(times(1)[1..], times(2)[1..]);
    assert_eq!(times(1), times(1));
}

#[test]
fn a_socket_that_appears_is_tried_at_once_and_then_often() {
    let mut now = Instant::now();
    let mut machine = Machine::new(BACKOFF, 7, now);
    for _ in 0..20 {
        begin_next(&mut machine, &mut now);
        machine.failed(failure(ConnectCause::NotThere), now);
    }
    now += ms(50);
    machine.appeared(now);
    assert_eq!(begin_next(&mut machine, &mut now), Duration::ZERO);
    // It is bound and does not listen yet.
    machine.failed(failure(ConnectCause::NobodyListens), now);
    assert!(begin_next(&mut machine, &mut now) <= ms(100));
    machine.failed(failure(ConnectCause::NobodyListens), now);
    // Whatever happens at the path, attempts do not run into each other.
    machine.appeared(now);
    machine.appeared(now);
    assert_eq!(begin_next(&mut machine, &mut now), ms(10));
}

#[test]
fn what_lasts_is_not_asked_again_and_again_but_seen_when_the_socket_changes() {
    let mut now = Instant::now();
    let mut machine = Machine::new(BACKOFF, 7, now);
    begin_next(&mut machine, &mut now);
    machine.failed(failure(ConnectCause::Incompatible { lacking: Vec::new() }), now);
    let Step::Wait(next) = machine.step() else { panic!() };
    assert!(next - now >= ms(5000) && next - now <= ms(10_000));
    now += ms(1000);
    machine.appeared(now);
    assert_eq!(machine.step(), Step::Wait(now));
}

#[test]
fn a_connection_that_does_not_last_does_not_begin_anew() {
    let mut now = Instant::now();
    let mut machine = Machine::new(BACKOFF, 7, now);
    let mut longest = 100;
    begin_next(&mut machine, &mut now);
    for generation in 1..=12 {
        assert_eq!(machine.connected(now), Some(generation));
        now += ms(20);
        machine.lost(loss(0), now);
        let waited = begin_next(&mut machine, &mut now);
        assert!(waited >= ms(longest / 2) && waited <= ms(longest), "{waited:?} of {longest} ms");
        longest = (longest * 2).min(10_000);
    }
    machine.connected(now);
    now += ms(10_000);
    machine.lost(loss(3), now);
    assert_eq!(machine.loss(), Some(&loss(3)));
    assert_eq!(machine.attempts().since, now);
    assert!(begin_next(&mut machine, &mut now) <= ms(100), "it lasted");
}

#[test]
fn extreme_times_are_no_trouble() {
    let mut now = Instant::now();
    let backoff = Backoff { first: Duration::MAX, cap: Duration::MAX };
    let mut machine = Machine::new(backoff, 7, now);
    for _ in 0..3 {
        begin_next(&mut machine, &mut now);
        machine.failed(failure(ConnectCause::NotThere), now);
    }
    let backoff = Backoff { first: Duration::ZERO, cap: Duration::ZERO };
    let mut machine = Machine::new(backoff, 7, now);
    for _ in 0..100 {
        begin_next(&mut machine, &mut now);
        machine.failed(failure(ConnectCause::NotThere), now);
    }
}

#[derive(Clone, Debug)]
enum Happens {
    Time(u64),
    Begin,
    Fails(bool),
    Succeeds,
    Lost(usize),
    Appears,
    Stops,
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        60 => (0u64..20_000).prop_map(Happens::Time),
        80 => Just(Happens::Begin),
        40 => any::<bool>().prop_map(Happens::Fails),
        40 => Just(Happens::Succeeds),
        40 => (0usize..50).prop_map(Happens::Lost),
        40 => Just(Happens::Appears),
        1 => Just(Happens::Stops),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    /// Whatever happens in whatever order: an attempt is never far, never too close, never beside another, and each
    /// connection has a number of its own.
    #[test]
    fn any_course_of_events(course in prop::collection::vec(happens(), 1..200), seed in any::<u64>()) {
        let start = Instant::now();
        let mut now = start;
        let mut machine = Machine::new(BACKOFF, seed, now);
        let (mut generation, mut last_began, mut failed, mut over) = (0, None::<Instant>, 0, false);
        for event in course {
            let before = machine.step();
            match event {
                Happens::Time(milliseconds) => now += ms(milliseconds),
                Happens::Begin => {
                    let due = matches!(before, Step::Wait(next) if next <= now);
                    prop_assert_eq!(machine.begin(now), due);
                    if due {
                        if let Some(last) = last_began {
                            prop_assert!(now - last >= ms(10), "attempts run into each other");
                        }
                        last_began = Some(now);
                    }
                }
                Happens::Fails(lasts) => {
                    let cause = if lasts { ConnectCause::NotASocket } else { ConnectCause::NotThere };
                    machine.failed(failure(cause), now);
                    failed += u32::from(before == Step::Trying);
                    prop_assert_eq!(machine.attempts().failed, failed);
                }
                Happens::Succeeds => {
                    let number = machine.connected(now);
                    prop_assert_eq!(number.is_some(), before == Step::Trying);
                    if let Some(number) = number {
                        generation += 1;
                        prop_assert_eq!(number, generation);
                    }
                }
                Happens::Lost(waiting) => {
                    machine.lost(loss(waiting), now);
                    if before == Step::Keep {
                        failed = 0;
                        prop_assert_eq!(machine.loss(), Some(&loss(waiting)));
                        prop_assert_eq!(machine.attempts().failed, 0);
                    }
                }
                Happens::Appears => {
                    machine.appeared(now);
                    if let (Step::Wait(old), Step::Wait(new)) = (before, machine.step()) {
                        prop_assert!(new <= old && new <= now.max(old), "it never makes the wait longer");
                        prop_assert!(new <= now + ms(10) || new == old);
                    }
                }
                Happens::Stops => {
                    machine.stop();
                    over = true;
                }
            }
            match machine.step() {
                Step::Wait(next) => {
                    prop_assert!(!over);
                    prop_assert_eq!(machine.attempts().next, Some(next));
                    prop_assert!(next <= now + BACKOFF.cap, "the next attempt is never farther than the cap");
                }
                Step::Over => prop_assert!(over),
                Step::Trying | Step::Keep => prop_assert!(!over),
            }
        }
    }
}

#[test]
fn errors_read_as_sentences() {
    let now = Instant::now();
    let path = || PathBuf::from("/run/vpp/api.sock");
    let attempts = |failed, last_error, wait: Option<u64>| Attempts {
        since: now,
        failed,
        last_error,
        next: wait.map(|wait| now + ms(wait)),
    };
    let text = |state| NotConnected::new(path(), state, now).to_string();
    let reconnecting =
        |waiting, lost, attempts| State::Reconnecting { loss: Loss { lost, waiting }, attempts };
    let there = || Some(failure(ConnectCause::NobodyListens));

    assert_eq!(
        text(reconnecting(37, Lost::ClosedByVpp, attempts(0, None, Some(500)))),
        "connection to VPP lost while 37 calls were waiting (VPP closed the socket); reconnecting in 0.5 s"
    );
    assert_eq!(
        text(reconnecting(1, Lost::Unresponsive { silent: ms(15_000) }, attempts(0, None, None))),
        "connection to VPP lost while a call was waiting (VPP has sent nothing for 15s); reconnecting now"
    );
    assert_eq!(
        text(reconnecting(0, Lost::ClosedByVpp, attempts(4, there(), Some(3200)))),
        "connection to VPP lost (VPP closed the socket); 4 attempts failed, the last: cannot connect to VPP at /run/vpp/api.sock: nobody listens on the socket; VPP left it behind when it ended; reconnecting in 3.2 s"
    );
    assert_eq!(
        text(State::Connecting(attempts(0, None, None))),
        "not connected to VPP at /run/vpp/api.sock; connecting now"
    );
    let hook = AttemptError::Hook(Arc::from(Box::<dyn std::error::Error + Send + Sync>::from("no licence")));
    assert_eq!(
        text(State::Connecting(attempts(1, Some(hook), Some(100)))),
        "not connected to VPP at /run/vpp/api.sock; an on_connect hook failed: no licence; connecting in 0.1 s"
    );
    assert_eq!(
        text(State::Stopped),
        "the connection to VPP at /run/vpp/api.sock was given up by the program"
    );
}
