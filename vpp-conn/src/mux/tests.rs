//! The multiplexer with made-up messages and made-up time.

use std::time::{Duration, Instant};

use bytes::Bytes;
use proptest::prelude::*;
use vpp_wire::Header;

use super::*;
use crate::transport::Output;

const REQUEST: MessageKind = MessageKind { id: 100, header: Header::ClientContext };
const REPLY: MessageKind = MessageKind { id: 101, header: Header::Context };
const DETAILS: MessageKind = MessageKind { id: 102, header: Header::Context };
const END: MessageKind = MessageKind { id: 24, header: Header::Context };
const EVENT: MessageKind = MessageKind { id: 103, header: Header::Client };
/// A reply whose context stands behind a client index.
const LATE_CONTEXT: MessageKind = MessageKind { id: 104, header: Header::ClientContext };

const PATIENCE: Duration = Duration::from_secs(10);
const STREAM: Expect = Expect::Stream { details: DETAILS, end: END };

/// Waiters are numbers here.
struct Bed {
    mux: Mux<u32>,
    output: Output,
    now: Instant,
}

impl Bed {
    fn new() -> Self {
        Self { mux: Mux::new(1000, None), output: Output::new([0x80, 0, 0, 1]), now: Instant::now() }
    }

    fn begin(&mut self, expect: Expect) -> Context {
        let request = Outgoing { kind: REQUEST, payload_len: 0 };
        self.mux.begin(&mut self.output, &[request], expect, self.now, PATIENCE, |_, _| Ok(())).unwrap()
    }

    fn receive(&mut self, message: &[u8]) {
        self.mux.receive(payload(message), self.now);
    }

    fn poll(&mut self, context: Context) -> Progress {
        self.mux.poll(context, |_| context.0)
    }

    fn woken(&mut self) -> Vec<u32> {
        self.mux.woken().collect()
    }
}

fn message(kind: MessageKind, context: Context, payload: &[u8]) -> Vec<u8> {
    let mut message = kind.id.to_be_bytes().to_vec();
    match kind.header {
        Header::Bare => {}
        Header::Context => message.extend(context.0.to_be_bytes()),
        Header::Client => message.extend([0x80, 0, 0, 1]),
        Header::ClientContext => {
            message.extend([0x80, 0, 0, 1]);
            message.extend(context.0.to_be_bytes());
        }
    }
    message.extend(payload);
    message
}

fn payload(bytes: &[u8]) -> Payload {
    Bytes::copy_from_slice(bytes).into()
}

fn end(payload: &'static [u8]) -> Progress {
    Progress::End(self::payload(payload))
}

#[test]
fn a_request_is_written_with_index_and_context() {
    let mut bed = Bed::new();
    let request = Outgoing { kind: REQUEST, payload_len: 3 };
    let context = bed
        .mux
        .begin(&mut bed.output, &[request], Expect::Reply(REPLY), bed.now, PATIENCE, |_, payload| {
            payload.copy_from_slice(b"abc");
            Ok(())
        })
        .unwrap();
    assert_eq!(context, Context(1));
    let header = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 13, 0, 0, 0, 0];
    assert_eq!(bed.output.bytes[..], [&header[..], &[0, 100, 0x80, 0, 0, 1, 0, 0, 0, 1], b"abc"].concat());
}

#[test]
fn replies_find_their_calls_in_any_order_and_each_is_told_once() {
    let mut bed = Bed::new();
    let calls: Vec<_> = (0..5).map(|_| bed.begin(Expect::Reply(REPLY))).collect();
    for call in &calls {
        assert_eq!(bed.poll(*call), Progress::Pending);
    }
    for call in calls.iter().rev() {
        bed.receive(&message(REPLY, *call, b"x"));
    }
    assert_eq!(bed.woken(), [5, 4, 3, 2, 1]);
    for call in calls {
        assert_eq!(bed.poll(call), end(b"x"));
    }
    assert_eq!(bed.mux.waiting(), 0);
}

#[test]
fn calls_of_a_group_wake_the_one_who_waits_for_any_of_them() {
    let mut bed = Bed::new();
    let [group, other] = [bed.mux.groups().add(), bed.mux.groups().add()];
    let calls: Vec<_> = (0..5).map(|_| bed.begin(Expect::Reply(REPLY))).collect();
    calls[..4].iter().for_each(|call| bed.mux.join(*call, group));
    bed.mux.join(calls[4], other);
    bed.mux.groups().wait(group, 70);
    bed.mux.groups().wait(other, 80);

    // Once, until it waits again.
    bed.receive(&message(REPLY, calls[1], b"b"));
    bed.receive(&message(REPLY, calls[0], b"a"));
    assert_eq!(bed.woken(), [70]);
    assert_eq!([bed.mux.groups().take_ended(group), bed.mux.groups().take_ended(group)], [2, 0]);
    bed.receive(&message(REPLY, calls[1], b"again"));
    assert_eq!(bed.mux.groups().take_ended(group), 0, "an end is told once");
    assert_eq!(bed.mux.take_if_over(calls[0]), Some(end(b"a")));
    assert_eq!(bed.mux.take_if_over(calls[1]), Some(end(b"b")));
    assert_eq!(bed.mux.take_if_over(calls[2]), None);
    bed.mux.groups().wait(group, 71);
    bed.now += PATIENCE;
    bed.mux.handle_timeout(bed.now);
    assert_eq!(bed.woken(), [71, 80]);
    assert_eq!(bed.mux.groups().take_ended(group), 2);
    assert!(matches!(
        bed.mux.take_if_over(calls[2]),
        Some(Progress::Failed(Failure::DeadlineExceeded { .. }))
    ));

    // A place is used again, and whoever waited there before is not woken for others.
    bed.mux.groups().wait(other, 81);
    bed.mux.cancel(calls[4]);
    bed.mux.groups().remove(other);
    let next = bed.mux.groups().add();
    assert_eq!(next, other);
    let call = bed.begin(Expect::Reply(REPLY));
    bed.mux.join(call, next);
    bed.receive(&message(REPLY, call, b"c"));
    assert_eq!(bed.woken(), [0; 0]);
    assert_eq!(bed.mux.take_if_over(call), Some(end(b"c")));

    let call = bed.begin(Expect::Reply(REPLY));
    bed.mux.join(call, next);
    bed.mux.groups().wait(next, 82);
    bed.mux.fail(&Lost::ClosedByVpp);
    assert_eq!(bed.woken(), [82]);
}

#[test]
fn a_reply_with_its_context_elsewhere_is_found_by_its_own_header() {
    let mut bed = Bed::new();
    let call = bed.begin(Expect::Reply(LATE_CONTEXT));
    bed.receive(&message(LATE_CONTEXT, call, b"x"));
    assert_eq!(bed.poll(call), end(b"x"));
}

#[test]
fn details_and_events_come_between_and_the_stream_ends_in_order() {
    let mut bed = Bed::new();
    let dump = bed.begin(STREAM);
    let call = bed.begin(Expect::Reply(REPLY));
    let events = bed.mux.subscribe(EVENT, 8).unwrap();
    bed.receive(&message(DETAILS, dump, b"1"));
    bed.receive(&message(EVENT, dump, b"e"));
    bed.receive(&message(REPLY, call, b"r"));
    bed.receive(&message(DETAILS, dump, b"2"));
    bed.receive(&message(END, dump, b"end"));
    assert_eq!(bed.poll(call), end(b"r"));
    assert_eq!(bed.poll(dump), Progress::Details(payload(b"1")));
    assert_eq!(bed.poll(dump), Progress::Details(payload(b"2")));
    assert_eq!(bed.poll(dump), end(b"end"));
    assert_eq!(bed.mux.subscribers().take(events, |_| 0), Taken::Event(payload(b"e")));
}

#[test]
fn a_late_reply_never_reaches_a_later_call() {
    let mut bed = Bed::new();
    let given_up = bed.begin(Expect::Reply(REPLY));
    bed.mux.cancel(given_up);
    let timed_out = bed.begin(Expect::Reply(REPLY));
    bed.now += PATIENCE;
    bed.mux.handle_timeout(bed.now);
    assert_eq!(bed.poll(timed_out), Progress::Failed(Failure::DeadlineExceeded { after: PATIENCE }));
    let next = bed.begin(Expect::Reply(REPLY));
    bed.receive(&message(REPLY, given_up, b"old"));
    bed.receive(&message(REPLY, timed_out, b"old"));
    assert_eq!(bed.poll(next), Progress::Pending);
    bed.receive(&message(REPLY, next, b"new"));
    assert_eq!(bed.poll(next), end(b"new"));
    assert_eq!(bed.mux.counters().late, 2);
}

#[test]
fn another_message_with_the_calls_context_fails_that_call_alone() {
    let mut bed = Bed::new();
    let (wrong, right) = (bed.begin(Expect::Reply(REPLY)), bed.begin(Expect::Reply(REPLY)));
    bed.begin(STREAM);
    bed.receive(&message(DETAILS, wrong, b""));
    assert_eq!(bed.poll(wrong), Progress::Failed(Failure::Unexpected { id: 102 }));
    let foreign = bed.begin(Expect::Reply(REPLY));
    bed.mux.receive_foreign_reply(&[9, 9, 0, 0, 0, foreign.0 as u8], bed.now);
    assert_eq!(bed.poll(foreign), Progress::Failed(Failure::Unexpected { id: 0x0909 }));
    bed.receive(&message(REPLY, right, b"x"));
    assert_eq!(bed.poll(right), end(b"x"));
}

#[test]
fn a_stream_that_nobody_reads_fails_at_its_limit_and_harms_nobody() {
    let mut bed = Bed::new();
    let (dump, call) = (bed.begin(STREAM), bed.begin(Expect::Reply(REPLY)));
    for _ in 0..11 {
        bed.receive(&message(DETAILS, dump, &[0; 100]));
    }
    bed.receive(&message(REPLY, call, b"x"));
    assert_eq!(bed.poll(dump), Progress::Failed(Failure::StreamOverrun { limit: 1000 }));
    assert_eq!(bed.poll(call), end(b"x"));
}

#[test]
fn a_stream_waits_anew_with_each_element() {
    let mut bed = Bed::new();
    let dump = bed.begin(STREAM);
    for _ in 0..3 {
        bed.now += PATIENCE - Duration::from_secs(1);
        bed.mux.handle_timeout(bed.now);
        bed.receive(&message(DETAILS, dump, b"d"));
        assert_eq!(bed.poll(dump), Progress::Details(payload(b"d")));
    }
    bed.now += PATIENCE;
    bed.mux.handle_timeout(bed.now);
    assert_eq!(bed.poll(dump), Progress::Failed(Failure::DeadlineExceeded { after: PATIENCE }));
}

#[test]
fn lost_events_are_counted_and_told_before_those_kept() {
    let mut bed = Bed::new();
    let (slow, quick) = (bed.mux.subscribe(EVENT, 2).unwrap(), bed.mux.subscribe(EVENT, 8).unwrap());
    for event in [b"1", b"2", b"3", b"4", b"5"] {
        bed.receive(&message(EVENT, Context(0), event));
    }
    assert_eq!(bed.mux.subscribers().take(slow, |_| 0), Taken::Lost(3));
    assert_eq!(bed.mux.subscribers().take(slow, |_| 0), Taken::Event(payload(b"4")));
    for event in [b"1", b"2", b"3", b"4", b"5"] {
        assert_eq!(bed.mux.subscribers().take(quick, |_| 0), Taken::Event(payload(event)));
    }
    bed.mux.subscribers().remove(slow);
    bed.mux.subscribers().remove(quick);
    bed.receive(&message(EVENT, Context(0), b"6"));
    assert_eq!(bed.mux.counters().unasked, 1);
}

#[test]
fn when_the_connection_ends_everything_fails_and_streams_give_what_they_have_first() {
    let mut bed = Bed::new();
    let (dump, call) = (bed.begin(STREAM), bed.begin(Expect::Reply(REPLY)));
    bed.mux.subscribe(EVENT, 2).unwrap();
    assert_eq!(bed.poll(call), Progress::Pending);
    bed.receive(&message(DETAILS, dump, b"d"));
    bed.mux.fail(&Lost::ClosedByVpp);
    assert_eq!(bed.woken(), [call.0]);
    assert_eq!(bed.poll(call), Progress::Failed(Failure::Lost(Lost::ClosedByVpp)));
    assert_eq!(bed.poll(dump), Progress::Details(payload(b"d")));
    assert_eq!(bed.poll(dump), Progress::Failed(Failure::Lost(Lost::ClosedByVpp)));
    let request = Outgoing { kind: REQUEST, payload_len: 0 };
    let begun = bed.mux.begin(&mut bed.output, &[request], STREAM, bed.now, PATIENCE, |_, _| Ok(()));
    assert!(matches!(begun, Err(BeginError::Lost(Lost::ClosedByVpp))));
    assert!(bed.mux.subscribe(EVENT, 1).is_err());
}

#[test]
fn a_request_that_cannot_be_written_leaves_nothing_behind() {
    let mut bed = Bed::new();
    bed.begin(Expect::Reply(REPLY));
    let before = bed.output.bytes.clone();
    let mut writer = vpp_wire::Encoder::new(&mut []);
    writer.bytes(&[0]);
    let error = writer.finish().unwrap_err();
    let request = || Outgoing { kind: REQUEST, payload_len: 4 };
    let begun =
        bed.mux.begin(&mut bed.output, &[request(), request()], STREAM, bed.now, PATIENCE, |index, _| {
            match index {
                0 => Ok(()),
                _ => Err(error.clone()),
            }
        });
    assert!(matches!(begun, Err(BeginError::Encode(_))));
    assert_eq!(bed.output.bytes, before);
    let huge = Outgoing { kind: REQUEST, payload_len: 1 << 30 };
    let begun = bed.mux.begin(&mut bed.output, &[huge], STREAM, bed.now, PATIENCE, |_, _| Ok(()));
    assert!(matches!(begun, Err(BeginError::TooLong(len)) if len == (1 << 30) + 10));
    assert_eq!(bed.output.bytes, before);
    assert_eq!(bed.mux.waiting(), 1);
}

/// What happens next in a made-up history.
#[derive(Clone, Debug)]
enum Step {
    Call,
    Dump,
    /// VPP answers the n-th oldest request it has not answered.
    Answer(usize),
    /// VPP sends an element of the n-th oldest dump.
    Element(usize),
    /// VPP answers the n-th latest call that has ended, or one that never was.
    Late(usize),
    Cancel(usize),
    Poll(usize),
    /// As one who waits for several: takes the end of a call and leaves it alone otherwise.
    TakeIfOver(usize),
    Wait(u64),
    Noise(Vec<u8>),
    Die,
}

/// Two bytes make a step: making them costs little, so histories can be many.
fn step((kind, number): (u8, u8)) -> Step {
    let nth = usize::from(number % 8);
    match kind % 48 {
        0..7 => Step::Call,
        7..10 => Step::Dump,
        10..18 => Step::Answer(nth),
        18..24 => Step::Element(nth),
        24..27 => Step::Cancel(nth),
        27..35 => Step::Poll(nth),
        35..39 => Step::TakeIfOver(nth),
        39..42 => Step::Late(nth),
        42..44 => Step::Wait(u64::from(number % 12)),
        // Message ids and contexts close to those in use, among others.
        44..47 => {
            let close = [0, 101, 102, number, 24, number.wrapping_mul(89)];
            let digits =
                (0..number % 12).map(|at| close[usize::from(number.rotate_left(at.into())) % close.len()]);
            Step::Noise(digits.collect())
        }
        _ => Step::Die,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

    /// Over any history: a call gets its own answer or an error, never another's; elements come in order and none is
    /// missing; whoever was told to wait is woken when there is something; nothing is left behind.
    #[test]
    fn any_history(steps in prop::collection::vec(any::<(u8, u8)>(), 1..100)) {
        struct Live { context: Context, dump: bool, sent: u8, read: u8, answered: bool, noise: bool, waits: bool }
        let mut bed = Bed::new();
        let mut live: Vec<Live> = Vec::new();
        let mut noisy = false;
        // Calls that were begun, and contexts of those that have ended.
        let (mut begun, mut over) = (0, Vec::new());
        for step in steps.into_iter().map(step) {
            match step {
                Step::Call | Step::Dump => {
                    let dump = matches!(step, Step::Dump);
                    let request = Outgoing { kind: REQUEST, payload_len: 0 };
                    let expect = if dump { STREAM } else { Expect::Reply(REPLY) };
                    match bed.mux.begin(&mut bed.output, &[request], expect, bed.now, PATIENCE, |_, _| Ok(())) {
                        Ok(context) => {
                            begun += 1;
                            live.push(Live {
                                context, dump, sent: 0, read: 0, answered: false, noise: noisy, waits: false,
                            });
                        }
                        Err(_) => prop_assert!(bed.mux.lost().is_some()),
                    }
                }
                Step::Answer(nth) => if let Some(call) = live.iter_mut().filter(|call| !call.answered).nth(nth) {
                    call.answered = true;
                    let kind = if call.dump { END } else { REPLY };
                    let message = message(kind, call.context, &call.context.0.to_be_bytes());
                    bed.receive(&message);
                },
                Step::Element(nth) => if let Some(call) = live.iter_mut().filter(|call| call.dump && !call.answered).nth(nth) {
                    call.sent += 1;
                    let message = message(DETAILS, call.context, &[call.sent]);
                    bed.receive(&message);
                },
                Step::Cancel(nth) => if nth < live.len() {
                    let call = live.remove(nth);
                    bed.mux.cancel(call.context);
                    over.push(call.context);
                },
                Step::Late(nth) => {
                    let context = over.iter().rev().nth(nth).copied().unwrap_or(Context(1_000_000));
                    let before = bed.mux.counters();
                    let message = message(REPLY, context, b"late");
                    bed.receive(&message);
                    let after = bed.mux.counters();
                    // Where nobody expected replies yet, not even the place of its context is known.
                    prop_assert_eq!(after.late + after.unasked, before.late + before.unasked + 1);
                    prop_assert_eq!(after.in_flight, before.in_flight);
                    prop_assert!(!bed.mux.has_woken(), "a late reply woke somebody");
                }
                Step::TakeIfOver(nth) => if nth < live.len() {
                    let call = &live[nth];
                    match bed.mux.take_if_over(call.context) {
                        None => prop_assert!(call.noise || !call.answered),
                        Some(Progress::End(payload)) => {
                            prop_assert!(call.noise || payload[..] == call.context.0.to_be_bytes());
                            over.push(live.remove(nth).context);
                        }
                        Some(Progress::Failed(_)) => over.push(live.remove(nth).context),
                        Some(other) => prop_assert!(false, "{:?} is no end", other),
                    }
                },
                Step::Poll(nth) => if nth < live.len() {
                    let call = &mut live[nth];
                    match bed.mux.poll(call.context, |_| call.context.0) {
                        Progress::Pending => {
                            prop_assert!(!call.answered && call.read == call.sent);
                            call.waits = true;
                        }
                        Progress::Details(payload) => {
                            call.read += 1;
                            prop_assert_eq!(&payload[..], &[call.read][..]);
                        }
                        Progress::End(payload) => {
                            prop_assert!(call.noise || (call.answered && call.read == call.sent));
                            prop_assert!(call.noise || payload[..] == call.context.0.to_be_bytes());
                            over.push(live.remove(nth).context);
                        }
                        Progress::Failed(_) => over.push(live.remove(nth).context),
                    }
                },
                Step::Wait(seconds) => {
                    bed.now += Duration::from_secs(seconds);
                    bed.mux.handle_timeout(bed.now);
                    let late = bed.mux.timeout().is_some_and(|timeout| timeout <= bed.now);
                    prop_assert!(!late, "a deadline that has come is left standing");
                }
                Step::Noise(bytes) => {
                    // Noise may by chance be an answer to a call that lives: then nothing is known of it any more.
                    let known = bytes.first_chunk().is_some_and(|id| bed.mux.knows(u16::from_be_bytes(*id)));
                    if known {
                        noisy = true;
                        live.iter_mut().for_each(|call| call.noise = true);
                    }
                    bed.receive(&bytes);
                    if known {
                        for call in std::mem::take(&mut live) { bed.mux.cancel(call.context); }
                    }
                }
                Step::Die => bed.mux.fail(&Lost::ClosedByVpp),
            }
            let Counters { sent, answered, failed, given_up, in_flight, .. } = bed.mux.counters();
            prop_assert_eq!((sent, answered + failed + given_up + in_flight), (begun, begun));
            for woken in bed.woken() {
                if let Some(call) = live.iter_mut().find(|call| call.context.0 == woken) {
                    prop_assert!(std::mem::take(&mut call.waits), "woken without waiting");
                    let progress = bed.mux.poll(call.context, |_| 0);
                    prop_assert_ne!(&progress, &Progress::Pending, "woken for nothing");
                    if let Progress::Details(payload) = progress {
                        call.read += 1;
                        prop_assert_eq!(&payload[..], &[call.read][..]);
                    } else {
                        let context = call.context;
                        live.retain(|call| call.context != context);
                        over.push(context);
                    }
                }
            }
        }
        for call in live { bed.mux.cancel(call.context); }
        prop_assert_eq!(bed.mux.waiting(), 0);
        prop_assert_eq!(bed.mux.counters().in_flight, 0);
    }
}

#[test]
fn every_call_is_counted_once_however_it_ends() {
    let mut bed = Bed::new();
    bed.mux = Mux::new(1000, Some(Recorder::new(1 << 16)));
    let calls: Vec<_> = (0..6).map(|_| bed.begin(Expect::Reply(REPLY))).collect();
    let stream = bed.begin(STREAM);
    bed.now += Duration::from_millis(3);
    bed.receive(&message(REPLY, calls[0], b"x"));
    bed.receive(&message(DETAILS, stream, b"y"));
    bed.receive(&message(END, stream, b""));
    bed.receive(&message(DETAILS, calls[1], b""));
    bed.mux.cancel(calls[2]);
    bed.mux.cancel(calls[0]);
    bed.receive(&message(REPLY, calls[2], b"late"));
    assert_eq!(bed.mux.counters().in_flight, 3);
    bed.now += PATIENCE;
    bed.mux.handle_timeout(bed.now);
    let last = bed.begin(STREAM);
    bed.mux.fail(&Lost::ClosedByVpp);

    let counters = bed.mux.counters();
    let Counters { sent, received, answered, failed, given_up, in_flight, late, .. } = counters;
    assert_eq!((sent, received, answered, failed, given_up), (8, 5, 2, 5, 1));
    assert_eq!((in_flight, late, sent), (0, 1, answered + failed + given_up));
    assert_eq!((counters.latency.count(), counters.latency.sum()), (2, Duration::from_millis(6)));
    let records = bed.mux.recorder().unwrap().records();
    assert_eq!(records.len(), 13);
    assert_eq!(records[7].bytes, message(REPLY, calls[0], b"x"));
    assert_eq!(records[12].bytes, message(REQUEST, last, b""));
}
