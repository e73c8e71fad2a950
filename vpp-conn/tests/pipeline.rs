//! Many requests at once, and the blocking connection, against a scripted peer.
#![allow(missing_docs, clippy::unwrap_used)]

mod peer;

use std::cell::Cell;
use std::future::{Future as _, poll_fn};
use std::time::{Duration, Instant};

use peer::{ASK, ASK_REPLY, PING, PING_REPLY, Peer, Request, Wire, answer};
use vpp_26_06::memclnt::ControlPing;
use vpp_conn::{CallError, Connection, Lost, blocking};
use vpp_wire::{ApiError, Message, MessageInfo};

async fn connect(peer: &Peer) -> Connection {
    Connection::builder().deadline(Duration::from_secs(20)).connect(peer.socket()).await.unwrap()
}

/// A reply to a ping that carries a number, as VPP's does its process id.
fn pong(request: &Request, retval: i32, number: u32) -> Vec<u8> {
    assert!(request.is(PING));
    let payload = [&retval.to_be_bytes()[..], &[0; 4], &number.to_be_bytes()].concat();
    answer(PING_REPLY, request.context, &payload)
}

/// Numbers the pings as they come, until the client says good-bye.
fn count(wire: &mut Wire, from: u32) {
    let mut number = from;
    while let Some(request) = wire.receive() {
        if request.id == 17 {
            wire.send(&peer::frame(&[&[0, 18][..], &request.context.to_be_bytes(), &[0, 0, 0, 1]].concat()));
            return;
        }
        if request.is(ASK) {
            wire.send(&answer(ASK_REPLY, request.context, &request.payload));
            continue;
        }
        wire.send(&pong(&request, 0, number));
        number += 1;
    }
    panic!("the client closed without a good-bye");
}

#[tokio::test]
async fn every_request_gets_its_own_reply() {
    let peer = Peer::start(|wire| count(wire, 0));
    let vpp = connect(&peer).await;
    for window in [1, 2, 7, 1000] {
        let first = vpp.call(&ControlPing).await.unwrap().vpe_pid + 1;
        let pings = std::iter::repeat_n(ControlPing, 500);
        let replies = vpp.pipeline(pings).window(window).collect().await.unwrap();
        assert!(replies.iter().map(|reply| reply.vpe_pid).eq(first..first + 500), "window {window}");
    }
    // The window that adapts itself, results as they come.
    let mut pipeline = vpp.pipeline(std::iter::repeat_n(ControlPing, 20_000));
    let mut seen = 0;
    while let Some((index, reply)) = pipeline.next().await {
        assert_eq!(index, seen);
        reply.unwrap();
        seen += 1;
    }
    assert_eq!(seen, 20_000);
    assert!(pipeline.next().await.is_none());
    drop(pipeline);
    assert!(vpp.pipeline(std::iter::empty::<ControlPing>()).next().await.is_none());
    vpp.close().await.unwrap();
    peer.join();
}

/// A VPP that answers each request by itself, some time behind the one before.
fn one_by_one(wire: &mut Wire) {
    let mut number = 0;
    while let Some(request) = wire.receive().filter(|request| request.is(PING)) {
        let next = Instant::now() + Duration::from_micros(50);
        while Instant::now() < next {
            std::hint::spin_loop();
        }
        wire.send(&pong(&request, 0, number));
        number += 1;
    }
}

#[tokio::test]
async fn who_waits_for_many_answers_is_not_woken_for_each() {
    let peer = Peer::start(one_by_one);
    let vpp = connect(&peer).await;
    let mut pipeline = vpp.pipeline(std::iter::repeat_n(ControlPing, 2000)).window(512);
    let (mut polls, mut answers) = (0, 0);
    loop {
        let mut next = std::pin::pin!(pipeline.next());
        let counted = poll_fn(|cx| {
            let poll = next.as_mut().poll(cx);
            polls += usize::from(poll.is_pending());
            poll
        });
        let Some((index, reply)) = counted.await else { break };
        assert_eq!((index as u32, reply.unwrap().vpe_pid), (answers, answers));
        answers += 1;
    }
    assert_eq!(answers, 2000);
    assert!(polls < 500, "waited {polls} times");
}

#[tokio::test]
async fn answers_may_come_in_any_order_and_results_in_that_of_the_requests() {
    let backwards = |wire: &mut Wire| {
        for _ in 0..2 {
            let requests: Vec<_> = (0..6).map(|_| wire.receive().unwrap()).collect();
            for (number, request) in requests.iter().enumerate().rev() {
                wire.send(&pong(request, 0, number as u32));
            }
        }
        wire.until_goodbye();
    };
    let peer = Peer::start(backwards);
    let vpp = connect(&peer).await;
    let mut indices = Vec::new();
    let mut pipeline = vpp.pipeline(vec![ControlPing; 6]).window(6);
    while let Some((index, reply)) = pipeline.next().await {
        assert_eq!(reply.unwrap().vpe_pid as usize, index);
        indices.push(index);
    }
    indices.sort_unstable();
    assert_eq!(indices, [0, 1, 2, 3, 4, 5]);

    let mut pipeline = vpp.pipeline(vec![ControlPing; 6]).window(6).ordered();
    for expected in 0..6 {
        let (index, reply) = pipeline.next().await.unwrap();
        assert_eq!((index, reply.unwrap().vpe_pid as usize), (expected, expected));
    }
    assert!(pipeline.next().await.is_none());
    drop(pipeline);
    vpp.close().await.unwrap();
    peer.join();
}

/// `ask` with a text of at most 3 bytes.
#[derive(Clone, Debug)]
struct Ask(&'static str);

impl vpp_wire::Wire for Ask {
    const MIN_LEN: usize = 4;

    fn encode(&self, out: &mut vpp_wire::Encoder<'_>) {
        out.string::<4>("text", self.0);
    }

    fn decode(_: &mut vpp_wire::Decoder<'_>) -> Self {
        unreachable!("it is only sent")
    }
}

impl Message for Ask {
    const INFO: MessageInfo = MessageInfo { name: ASK.name, crc: ASK.crc, header: ASK.header, retval: None };
}

impl vpp_wire::Request for Ask {
    type Reply = Asked;
}

/// `ask_reply`, with the same text.
#[derive(Clone, Debug, PartialEq)]
struct Asked([u8; 4]);

impl vpp_wire::Wire for Asked {
    const MIN_LEN: usize = 4;

    fn encode(&self, _: &mut vpp_wire::Encoder<'_>) {
        unreachable!("it is only received")
    }

    fn decode(input: &mut vpp_wire::Decoder<'_>) -> Self {
        Self(input.bytes())
    }
}

impl Message for Asked {
    const INFO: MessageInfo =
        MessageInfo { name: ASK_REPLY.name, crc: ASK_REPLY.crc, header: ASK_REPLY.header, retval: None };
}

#[tokio::test]
async fn a_request_that_cannot_be_written_keeps_its_place_among_the_results() {
    const ASKED: [&str; 7] = ["a", "b", "too long", "too long", "c", "d", "too long"];
    let peer = Peer::start(|wire| {
        for _ in 0..2 {
            // No answer before all that can be sent are under way.
            let requests: Vec<_> = (0..4).map(|_| wire.receive().unwrap()).collect();
            requests.iter().for_each(|ask| wire.send(&answer(ASK_REPLY, ask.context, &ask.payload)));
        }
        let first = wire.receive().unwrap();
        assert_eq!(first.payload, *b"a\0\0\0");
        wire.send(&answer(ASK_REPLY, first.context, &first.payload));
        count(wire, 0);
    });
    let vpp = connect(&peer).await;
    let mut pipeline = vpp.pipeline(ASKED.map(Ask)).window(7).ordered();
    for (place, text) in ASKED.iter().enumerate() {
        let (index, result) = pipeline.next().await.unwrap();
        assert_eq!(index, place);
        match result {
            Ok(Asked(back)) => assert_eq!(std::str::from_utf8(&back).unwrap().trim_end_matches('\0'), *text),
            Err(error) => assert!(text.len() > 3 && matches!(error, CallError::Encode(_)), "{error}"),
        }
    }
    assert!(pipeline.next().await.is_none());
    drop(pipeline);

    // Without an order it need not wait for the others.
    let mut pipeline = vpp.pipeline(ASKED.map(Ask)).window(7);
    let mut order = Vec::new();
    while let Some((index, result)) = pipeline.next().await {
        assert_eq!(result.is_err(), ASKED[index].len() > 3);
        order.push(index);
    }
    assert_eq!(order, [2, 3, 6, 0, 1, 4, 5]);
    drop(pipeline);

    // What cannot be sent counts as taken, so that a full window does not run through the whole of the requests.
    let taken = Cell::new(0);
    let requests = std::iter::once(Ask("a")).chain(std::iter::repeat_with(|| {
        taken.set(taken.get() + 1);
        Ask("too long")
    }));
    let mut pipeline = vpp.pipeline(requests).window(4).ordered();
    assert!(matches!(pipeline.next().await, Some((0, Ok(_)))));
    for place in 1..20 {
        let (index, result) = pipeline.next().await.unwrap();
        assert!(index == place && result.is_err());
        assert!(taken.get() <= place + 4, "{} taken for {place} results", taken.get());
    }
    drop(pipeline);
    vpp.close().await.unwrap();
    peer.join();
}

#[tokio::test]
async fn no_more_are_under_way_than_the_window_allows() {
    let peer = Peer::start(|wire| {
        // Four and no fifth before one is answered: a fifth would be read in place of what comes later.
        let first: Vec<_> = (0..4).map(|_| wire.receive().unwrap()).collect();
        for request in &first {
            wire.send(&pong(request, 0, 0));
        }
        count(wire, 1);
    });
    let vpp = connect(&peer).await;
    let taken = Cell::new(0);
    let pings = std::iter::repeat_with(|| {
        taken.set(taken.get() + 1);
        ControlPing
    });
    let mut pipeline = vpp.pipeline(pings).window(4);
    for seen in 0..100 {
        assert!(taken.get() <= seen + 4, "{} taken, {seen} answered", taken.get());
        let (index, reply) = pipeline.next().await.unwrap();
        assert_eq!(index, seen);
        reply.unwrap();
    }
    drop(pipeline);
    vpp.close().await.unwrap();
    peer.join();
}

#[tokio::test]
async fn a_refused_request_does_not_stop_the_others() {
    let script = |wire: &mut Wire| {
        for number in 0..10 {
            let request = wire.receive().unwrap();
            wire.send(&pong(&request, if number == 3 { -81 } else { 0 }, number));
        }
    };
    let peer = Peer::start(move |wire| {
        script(wire);
        script(wire);
        wire.until_goodbye();
    });
    let vpp = connect(&peer).await;
    let mut pipeline = vpp.pipeline(vec![ControlPing; 10]);
    let mut refused = Vec::new();
    while let Some((index, result)) = pipeline.next().await {
        if let Err(CallError::Refused { request, error }) = &result {
            refused.push((index, request.to_string(), *error));
        } else {
            result.unwrap();
        }
    }
    assert_eq!(refused, [(3, "control_ping".to_owned(), ApiError(-81))]);
    // `collect` says which was the first.
    let (index, error) = vpp.pipeline(vec![ControlPing; 10]).collect().await.unwrap_err();
    assert!(index == 3 && matches!(error, CallError::Refused { .. }), "{index}: {error}");
    vpp.close().await.unwrap();
    peer.join();
}

#[tokio::test]
async fn when_vpp_dies_what_is_under_way_fails_and_no_more_is_taken() {
    let peer = Peer::start(|wire| {
        for number in 0..20 {
            let request = wire.receive().unwrap();
            wire.send(&pong(&request, 0, number));
        }
    });
    let vpp = connect(&peer).await;
    let taken = Cell::new(0);
    let endless = std::iter::repeat_with(|| {
        taken.set(taken.get() + 1);
        ControlPing
    });
    let mut pipeline = vpp.pipeline(endless).window(8);
    let (mut answered, mut lost) = (0, 0);
    while let Some((_, result)) = pipeline.next().await {
        match result {
            Ok(_) => answered += 1,
            Err(CallError::Lost { lost: Lost::ClosedByVpp | Lost::Io { .. }, .. }) => lost += 1,
            Err(error) => panic!("{error}"),
        }
    }
    // VPP may have died before the client saw the last answers.
    assert!(answered <= 20 && lost >= 1);
    assert_eq!(answered + lost, taken.get());
    assert!(taken.get() <= 20 + 8);
    peer.join();
}

#[tokio::test]
async fn a_pipeline_that_is_dropped_leaves_the_connection_as_it_was() {
    let peer = Peer::start(|wire| {
        let given_up: Vec<_> = (0..5).map(|_| wire.receive().unwrap()).collect();
        let ask = wire.receive().unwrap();
        assert!(ask.is(ASK));
        for request in &given_up[1..] {
            wire.send(&pong(request, 0, 99));
        }
        wire.send(&answer(ASK_REPLY, ask.context, b"fine"));
        wire.send(&pong(&given_up[0], 0, 99));
        count(wire, 7);
    });
    let vpp = connect(&peer).await;
    let mut pipeline = vpp.pipeline(vec![ControlPing; 5]);
    let nothing = tokio::time::timeout(Duration::from_millis(1), pipeline.next()).await;
    assert!(nothing.is_err());
    drop(pipeline);
    assert_eq!(vpp.raw().call(ASK, b"", ASK_REPLY).await.unwrap(), *b"fine");
    assert_eq!(vpp.call(&ControlPing).await.unwrap().vpe_pid, 7, "late replies reach nobody");
    vpp.close().await.unwrap();
    peer.join();
}

/// Who drove the connection alone leaves it to others when it has all its answers: times are so long here that nothing
/// comes by time.
#[tokio::test]
async fn behind_a_pipeline_the_connection_still_hears() {
    const HOUR: Duration = Duration::from_secs(3600);
    let patient = |peer: &Peer| {
        Connection::builder().deadline(HOUR).close_timeout(HOUR).connect(peer.socket().to_owned())
    };
    let soon = Duration::from_secs(30);

    // The good-bye.
    let peer = Peer::start(|wire| count(wire, 0));
    let vpp = patient(&peer).await.unwrap();
    for count in [1, 300] {
        vpp.pipeline(vec![ControlPing; count]).collect().await.unwrap();
    }
    // Also from another task than the one that waited.
    let closed = tokio::spawn(tokio::time::timeout(soon, vpp.close())).await.unwrap();
    closed.expect("the answer to the good-bye is not heard").unwrap();
    peer.join();

    // And the end of VPP, while the pipeline is still held.
    let (end, ended) = std::sync::mpsc::channel();
    let peer = Peer::start(move |wire| {
        for number in 0..10 {
            let request = wire.receive().unwrap();
            wire.send(&pong(&request, 0, number));
        }
        ended.recv().unwrap();
    });
    let vpp = patient(&peer).await.unwrap();
    let mut pipeline = vpp.pipeline(vec![ControlPing; 10]);
    while pipeline.next().await.is_some() {}
    end.send(()).unwrap();
    let lost = tokio::time::timeout(soon, vpp.closed()).await;
    assert_eq!(lost.expect("the end of VPP is not heard"), Lost::ClosedByVpp);
    drop(pipeline);
    peer.join();
}

#[tokio::test]
async fn a_request_that_is_never_answered_ends_by_its_deadline() {
    let peer = Peer::start(|wire| {
        let requests: Vec<_> = (0..3).map(|_| wire.receive().unwrap()).collect();
        wire.send(&pong(&requests[0], 0, 1));
        wire.send(&pong(&requests[2], 0, 1));
        wire.until_goodbye();
    });
    let vpp = connect(&peer).await;
    let mut pipeline = vpp.pipeline(vec![ControlPing; 3]).ordered().deadline(Duration::from_millis(50));
    assert!(matches!(pipeline.next().await, Some((0, Ok(_)))));
    let (index, result) = pipeline.next().await.unwrap();
    assert!(index == 1 && matches!(result, Err(CallError::DeadlineExceeded { .. })), "{result:?}");
    assert!(matches!(pipeline.next().await, Some((2, Ok(_)))));
    drop(pipeline);
    vpp.close().await.unwrap();
    peer.join();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn calls_and_other_pipelines_go_on_beside_a_pipeline() {
    let peer = Peer::start(|wire| count(wire, 0));
    let vpp = connect(&peer).await;
    let pipelines: Vec<_> = (0..3)
        .map(|_| {
            let vpp = vpp.clone();
            tokio::spawn(async move {
                let mut pipeline = vpp.pipeline(std::iter::repeat_n(ControlPing, 5_000)).window(50);
                let mut answered = 0;
                while let Some((_, result)) = pipeline.next().await {
                    result.unwrap();
                    answered += 1;
                }
                answered
            })
        })
        .collect();
    for number in 0..500_u32 {
        let payload = number.to_be_bytes();
        assert_eq!(vpp.raw().call(ASK, &payload, ASK_REPLY).await.unwrap(), payload);
    }
    for pipeline in pipelines {
        assert_eq!(pipeline.await.unwrap(), 5_000);
    }
    vpp.close().await.unwrap();
    peer.join();
}

#[test]
fn the_blocking_connection_has_the_same_verbs() {
    let peer = Peer::start(|wire| count(wire, 0));
    let vpp = blocking::Connection::connect(peer.socket()).unwrap();
    assert_eq!(vpp.call(&ControlPing).unwrap().vpe_pid, 0);
    let results = vpp.pipeline(vec![ControlPing; 30]).window(4);
    for (expected, (index, reply)) in results.enumerate() {
        assert_eq!((index, reply.unwrap().vpe_pid as usize), (expected, expected + 1));
    }
    let pinged = vpp.wait(async |vpp| vpp.call(&ControlPing).deadline(Duration::from_secs(1)).await);
    assert_eq!(pinged.unwrap().vpe_pid, 31);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let vpp = vpp.clone();
            scope.spawn(move || (0..300).for_each(|_| _ = vpp.call(&ControlPing).unwrap()));
        }
    });
    assert_eq!(vpp.call(&ControlPing).unwrap().vpe_pid, 1232);
    // Without `close`: the end is orderly all the same, which the peer holds.
    drop(vpp);
    peer.join();
}

#[test]
fn a_blocking_connection_sees_its_end_while_nobody_waits() {
    let peer = Peer::start(|_| {});
    let vpp = blocking::Connection::connect(peer.socket()).unwrap();
    peer.join();
    let begun = std::time::Instant::now();
    while vpp.lost().is_none() {
        assert!(begun.elapsed() < Duration::from_secs(20), "it never saw it");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(matches!(vpp.call(&ControlPing), Err(CallError::Lost { lost: Lost::ClosedByVpp, .. })));
}

#[tokio::test]
async fn a_blocking_connection_may_be_dropped_by_a_task() {
    let peer = Peer::start(|wire| count(wire, 0));
    let socket = peer.socket().to_owned();
    let vpp = std::thread::spawn(|| blocking::Connection::connect(socket).unwrap()).join().unwrap();
    drop(vpp);
    peer.join();
}
