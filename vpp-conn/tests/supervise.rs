//! Supervision against a scripted peer that breaks in every way.
#![allow(missing_docs, clippy::unwrap_used)]

mod peer;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use peer::*;
use vpp_conn::{
    AttemptError, CallError, ConnectCause, Connection, Lost, State, Supervisor, SupervisorBuilder,
};

/// Nothing takes longer than this, also on a busy machine.
const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(1);

fn supervise() -> SupervisorBuilder {
    Connection::builder().name("test").deadline(LONG).supervise().backoff(SHORT, SHORT)
}

async fn ask(vpp: &Connection, payload: &[u8]) -> Result<Vec<u8>, CallError> {
    vpp.raw().call(ASK, payload, ASK_REPLY).await.map(|reply| reply.to_vec())
}

/// Answers each `ask` until the client closes or says good-bye; whether it said good-bye.
fn echo(wire: &mut Wire) -> bool {
    while let Some(request) = wire.receive() {
        if request.is(ASK) {
            wire.send(&answer(ASK_REPLY, request.context, &request.payload));
        } else if request.is(PING) {
            wire.send(&answer(PING_REPLY, request.context, &[0; 12]));
        } else if request.id == 17 {
            wire.send(&frame(&[&[0, 18][..], &request.context.to_be_bytes(), &[0, 0, 0, 1]].concat()));
            return true;
        }
    }
    false
}

async fn join(peer: Peer) {
    tokio::task::spawn_blocking(|| peer.join()).await.unwrap();
}

fn generation_of(state: &State) -> Option<u64> {
    match state {
        State::Connected(connected) => Some(connected.generation),
        _ => None,
    }
}

fn generation(vpp: &Supervisor) -> Option<u64> {
    generation_of(&vpp.state())
}

/// The next state that `wanted` takes something from.
async fn state<T>(vpp: &Supervisor, wanted: impl Fn(&State) -> Option<T>) -> T {
    let mut states = vpp.watch();
    let found = states.wait_for(|state| wanted(state).is_some());
    let found = tokio::time::timeout(LONG, found).await.expect("the state comes").unwrap();
    wanted(&found).unwrap()
}

/// Bytes of the handshake's reply.
const HANDSHAKE: usize = 16 + 20 + 8 * 66;

#[tokio::test]
async fn a_peer_that_closes_at_every_byte_is_tried_until_it_does_not() {
    let whole = HANDSHAKE + answer(ASK_REPLY, 0, b"hook").len();
    let clients = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&clients);
    let peer = Peer::serve(move |number, wire| {
        count.fetch_add(1, Ordering::Relaxed);
        if number < whole {
            wire.close_after(number);
        }
        let goodbye = wire.handshake().is_some() && echo(wire);
        number < whole || !goodbye
    });
    let hooks = Arc::new(AtomicUsize::new(0));
    let begun = Arc::clone(&hooks);
    let vpp = supervise()
        .on_connect(move |vpp| {
            begun.fetch_add(1, Ordering::Relaxed);
            async move { ask(&vpp, b"hook").await.map(drop) }
        })
        .start(peer.socket());
    let connection = vpp.ready(LONG).await.unwrap();
    assert_eq!(ask(&connection, b"at last").await.unwrap(), b"at last");
    assert_eq!(generation(&vpp), Some(1), "nothing broken was handed out");
    assert_eq!(clients.load(Ordering::Relaxed), whole + 1);
    assert_eq!(
        hooks.load(Ordering::Relaxed),
        whole + 1 - HANDSHAKE,
        "on connections that broke under it, too"
    );
    vpp.close().await.unwrap();
    assert_eq!(connection.lost(), Some(Lost::Closed));
    join(peer).await;
}

#[tokio::test]
async fn calls_on_a_connection_that_ends_at_every_byte_all_end() {
    const CALLS: usize = 3;
    let reply = answer(ASK_REPLY, 0, b"12345678").len();
    let peer = Peer::serve(move |number, wire| {
        assert!(wire.handshake().is_some());
        // The peer closes when all calls are there.
        let requests: Vec<_> = (0..CALLS).map_while(|_| wire.receive()).collect();
        assert_eq!(requests.len(), CALLS);
        wire.close_after(number);
        for request in requests {
            wire.send(&answer(ASK_REPLY, request.context, &request.payload));
        }
        number < CALLS * reply - 1
    });
    let vpp = supervise().start(peer.socket());
    for number in 0..CALLS * reply {
        let mut states = vpp.watch();
        let connected = states.wait_for(|state| generation_of(state) == Some(number as u64 + 1));
        drop(tokio::time::timeout(LONG, connected).await.expect("connected again").unwrap());
        let connection = vpp.connection().unwrap();
        let calls: Vec<_> = (0..CALLS)
            .map(|_| {
                let connection = connection.clone();
                tokio::spawn(async move { ask(&connection, b"12345678").await })
            })
            .collect();
        let mut answered = 0;
        for call in calls {
            match tokio::time::timeout(LONG, call).await.expect("every call ends").unwrap() {
                Ok(payload) => answered += usize::from(payload == b"12345678"),
                Err(CallError::Lost { lost: Lost::ClosedByVpp, .. }) => {}
                Err(other) => panic!("{other}"),
            }
        }
        assert_eq!(answered, number / reply, "those whose reply came whole");
        let waiting = state(&vpp, |state| match state {
            State::Reconnecting { loss, .. } => Some(loss.waiting),
            // The next connection may be there already.
            State::Connected(connected) if connected.generation > number as u64 + 1 => Some(CALLS - answered),
            _ => None,
        });
        assert_eq!(waiting.await, CALLS - answered);
    }
    vpp.close().await.unwrap();
    join(peer).await;
}

#[tokio::test]
async fn garbage_ends_a_connection_and_not_the_supervisor() {
    const PEERS: usize = 200;
    let peer = Peer::serve(|number, wire| {
        // Every other one instead of the handshake.
        if number % 2 == 0 {
            wire.handshake();
            wire.receive();
        }
        let mut bytes = number as u64;
        let garbage: Vec<u8> = (0..number * 7)
            .map(|_| {
                bytes = bytes.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                // Lengths that are believed, ids that are known: not all is refused at the first look.
                if bytes >> 40 & 3 == 0 { (bytes >> 33) as u8 } else { 0 }
            })
            .collect();
        wire.send(&garbage);
        wire.close_after(0);
        number < PEERS
    });
    let vpp =
        supervise().on_connect(|vpp| async move { ask(&vpp, b"?").await.map(drop) }).start(peer.socket());
    tokio::time::timeout(LONG, join(peer)).await.expect("the supervisor goes on");
    assert!(vpp.connection().is_err());
    vpp.close().await.unwrap();
}

#[tokio::test]
async fn a_peer_that_stalls_in_the_handshake_is_left() {
    let (done, wait) = std::sync::mpsc::channel::<()>();
    let peer = Peer::serve(move |number, wire| match number {
        0 => {
            // Introduced, and never answered; the client goes.
            while wire.receive_any().is_some() {}
            true
        }
        _ => {
            wire.handshake();
            echo(wire);
            let _held = wait.recv();
            false
        }
    });
    let vpp = Connection::builder()
        .connect_timeout(Duration::from_millis(50))
        .supervise()
        .backoff(SHORT, SHORT)
        .start(peer.socket());
    let error = state(&vpp, |state| match state {
        State::Connecting(attempts) => attempts.last_error.clone(),
        _ => None,
    });
    let error = error.await;
    let AttemptError::Connect(error) = error else { panic!("{error}") };
    assert!(matches!(error.cause, ConnectCause::TimedOut(_)), "{error}");
    vpp.ready(LONG).await.unwrap();
    vpp.close().await.unwrap();
    drop(done);
    join(peer).await;
}

#[tokio::test]
async fn a_vpp_that_hangs_is_given_up_and_finds_a_goodbye_when_it_wakes() {
    let (gone, wait) = std::sync::mpsc::channel::<()>();
    let peer = Peer::serve(move |number, wire| {
        assert!(wire.handshake().is_some());
        if number > 0 {
            return !echo(wire);
        }
        // Its socket is open, and it does nothing until the client is gone.
        wait.recv().unwrap();
        let left = wire.until_goodbye();
        let asked = left.iter().filter(|request| request.is(ASK)).count();
        let pings = left.iter().filter(|request| request.is(PING)).count();
        assert_eq!((asked, pings, left.len()), (2, 1, 3));
        true
    });
    let (silence, patience) = (Duration::from_millis(20), Duration::from_millis(30));
    let vpp = supervise().keepalive(silence, patience).start(peer.socket());
    let connection = vpp.ready(LONG).await.unwrap();
    let (one, two) = tokio::join!(ask(&connection, b"1"), ask(&connection, b"2"));
    let silent = silence + patience;
    for call in [one, two] {
        assert!(
            matches!(call, Err(CallError::Lost { lost: Lost::Unresponsive { silent: after }, .. }) if after == silent)
        );
    }
    let error = state(&vpp, |state| {
        matches!(state, State::Reconnecting { .. }).then(|| vpp.connection().unwrap_err())
    });
    let text = error.await.to_string();
    assert!(
        text.starts_with("connection to VPP lost while 2 calls were waiting (VPP has sent nothing for 50ms)"),
        "{text}"
    );
    gone.send(()).unwrap();
    vpp.ready(LONG).await.unwrap();
    vpp.close().await.unwrap();
    join(peer).await;
}

#[tokio::test]
async fn a_busy_vpp_is_not_given_up_while_anything_comes() {
    let (twice, asked_twice) = std::sync::mpsc::channel();
    let peer = Peer::serve(move |_, wire| {
        assert!(wire.handshake().is_some());
        let mut writer = wire.second();
        let stop = Arc::new(AtomicUsize::new(0));
        let stopped = Arc::clone(&stop);
        let events = std::thread::spawn(move || {
            while stopped.load(Ordering::Relaxed) == 0 {
                writer.send(&event(b"news"));
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        // The second ping shows that the first, unanswered, was not the end.
        for _ in 0..2 {
            assert!(wire.receive().unwrap().is(PING));
        }
        twice.send(()).unwrap();
        stop.store(1, Ordering::Relaxed);
        events.join().unwrap();
        !echo(wire)
    });
    let vpp =
        supervise().keepalive(Duration::from_micros(100), Duration::from_millis(500)).start(peer.socket());
    vpp.ready(LONG).await.unwrap();
    tokio::task::spawn_blocking(move || asked_twice.recv().unwrap()).await.unwrap();
    // It listens again.
    let connection = vpp.connection().unwrap();
    assert_eq!(ask(&connection, b"still here").await.unwrap(), b"still here");
    assert_eq!(generation(&vpp), Some(1));
    vpp.close().await.unwrap();
    join(peer).await;
}

#[tokio::test]
async fn a_hook_that_fails_keeps_the_connection_from_being_handed_out() {
    let peer = Peer::serve(|number, wire| {
        assert!(wire.handshake().is_some());
        // Each client takes its leave, also those that were not handed out.
        assert!(echo(wire));
        number < 3
    });
    let failures = Arc::new(AtomicUsize::new(3));
    let left = Arc::clone(&failures);
    let vpp = supervise()
        .on_connect(move |_| {
            let fails = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1)).is_ok();
            async move { if fails { Err("no licence") } else { Ok(()) } }
        })
        .start(peer.socket());
    let error = state(&vpp, |state| match state {
        State::Connecting(attempts) => attempts.last_error.clone().filter(|_| attempts.failed == 3),
        _ => None,
    });
    assert_eq!(error.await.to_string(), "an on_connect hook failed: no licence");
    let connection = vpp.ready(LONG).await.unwrap();
    assert_eq!(ask(&connection, b"").await.unwrap(), b"");
    assert_eq!(generation(&vpp), Some(1));
    vpp.close().await.unwrap();
    join(peer).await;
}

#[tokio::test]
async fn a_hook_ends_with_its_connection() {
    let peer = Peer::serve(|number, wire| {
        assert!(wire.handshake().is_some());
        match number {
            0 => true,
            _ => !echo(wire),
        }
    });
    let first = Arc::new(AtomicUsize::new(0));
    let vpp = supervise()
        .on_connect(move |_| {
            let is_first = first.fetch_add(1, Ordering::Relaxed) == 0;
            async move {
                if is_first {
                    std::future::pending::<()>().await;
                }
                Ok::<(), CallError>(())
            }
        })
        .start(peer.socket());
    vpp.ready(LONG).await.unwrap();
    vpp.close().await.unwrap();
    join(peer).await;
}

#[tokio::test]
async fn dropping_the_last_handle_ends_all_in_the_orderly_way() {
    let peer = Peer::serve(|_, wire| {
        assert!(wire.handshake().is_some());
        !echo(wire)
    });
    let vpp = supervise().start(peer.socket());
    drop(vpp.clone());
    let connection = vpp.ready(LONG).await.unwrap();
    let mut states = vpp.watch();
    drop(vpp);
    let stopped = states.wait_for(|state| matches!(state, State::Stopped));
    drop(tokio::time::timeout(LONG, stopped).await.expect("it stops").unwrap());
    // Who holds the connection may go on.
    assert_eq!(ask(&connection, b"mine").await.unwrap(), b"mine");
    drop(connection);
    join(peer).await;
}

#[tokio::test]
async fn a_stopped_supervisor_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let vpp = supervise().start(folder.path().join("api.sock"));
    let other = vpp.clone();
    let waiting = tokio::spawn(async move { other.ready(LONG).await.unwrap_err() });
    tokio::task::yield_now().await;
    let last = vpp.clone();
    vpp.close().await.unwrap();
    let error = waiting.await.unwrap();
    assert!(matches!(*error.state, State::Stopped));
    assert!(error.to_string().ends_with("was given up by the program"), "{error}");
    assert!(matches!(*last.connection().unwrap_err().state, State::Stopped));
    last.close().await.unwrap();
}

#[test]
fn a_runtime_that_ends_stops_it() {
    let peer = Peer::serve(|_, wire| {
        assert!(wire.handshake().is_some());
        !echo(wire)
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let vpp = runtime.block_on(async {
        let vpp = supervise().start(peer.socket());
        vpp.ready(LONG).await.unwrap();
        vpp
    });
    drop(runtime);
    assert!(matches!(vpp.state(), State::Stopped));
    peer.join();
}

#[tokio::test]
async fn a_peer_that_is_not_there_yet_is_told_with_the_next_attempt() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("api.sock");
    let hour = Duration::from_secs(3600);
    let vpp = Connection::builder().supervise().backoff(hour, hour).start(&socket);
    let error = vpp.ready(Duration::from_millis(20)).await.unwrap_err();
    let State::Connecting(attempts) = &*error.state else { panic!("{error:?}") };
    assert_eq!(attempts.failed, 1);
    assert!(error.retry_in.unwrap() > hour / 3);
    let text = error.to_string();
    assert!(text.contains("there is no socket at this path") && text.contains("; connecting in "), "{text}");
    vpp.close().await.unwrap();
}
