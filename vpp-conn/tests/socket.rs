//! A connection against a scripted peer.
#![allow(missing_docs, clippy::unwrap_used)]

mod peer;

use std::future::Future;
use std::io::Write;
use std::task::Poll;
use std::time::{Duration, Instant};

use peer::*;
use vpp_conn::{
    CallError, CloseError, ConnectCause, Connection, EventError, Incompatible, Lost, NotVpp, RawEnd,
    RawMessage,
};
use vpp_wire::Cursor;

async fn connect(peer: &Peer) -> Connection {
    Connection::builder().name("test").deadline(Duration::from_secs(20)).connect(peer.socket()).await.unwrap()
}

/// Answers each `ask` with its own payload until the client says good-bye.
fn echo(wire: &mut Wire) {
    while let Some(request) = wire.receive() {
        if request.is(ASK) {
            wire.send(&answer(ASK_REPLY, request.context, &request.payload));
        } else if request.is(PING) {
            wire.send(&answer(PING_REPLY, request.context, &[0; 12]));
        } else if request.id == 17 {
            wire.send(&frame(&[&[0, 18][..], &request.context.to_be_bytes(), &[0, 0, 0, 1]].concat()));
            return;
        }
    }
    panic!("the client closed without a good-bye");
}

async fn ask(vpp: &Connection, payload: &[u8]) -> Result<Vec<u8>, CallError> {
    vpp.raw().call(ASK, payload, ASK_REPLY).await.map(|reply| reply.to_vec())
}

#[tokio::test]
async fn a_call_gets_its_reply_and_the_end_is_orderly() {
    let peer = Peer::start(echo);
    let vpp = connect(&peer).await;
    assert_eq!(peer.client_name(), "test");
    assert_eq!(vpp.client_index(), CLIENT_INDEX);
    assert_eq!(ask(&vpp, b"hello").await.unwrap(), b"hello");
    assert_eq!(vpp.table().get("ask").map(|entry| entry.crc), Some(1));
    vpp.close().await.unwrap();
    peer.join();
}

#[tokio::test]
async fn calls_at_once_are_answered_in_any_order() {
    let peer = Peer::start(|wire| {
        let mut requests: Vec<_> = (0..500).map(|_| wire.receive().unwrap()).collect();
        requests.reverse();
        // In one burst and, for the rest, byte by byte.
        let answers: Vec<u8> =
            requests.iter().flat_map(|r| answer(ASK_REPLY, r.context, &r.payload)).collect();
        let (burst, drops) = answers.split_at(answers.len() - 1000);
        wire.send(burst);
        for byte in drops {
            wire.send(&[*byte]);
        }
        wire.until_goodbye();
    });
    let vpp = connect(&peer).await;
    let calls: Vec<_> = (0..500u32)
        .map(|n| {
            let vpp = vpp.clone();
            tokio::spawn(async move { ask(&vpp, &n.to_be_bytes()).await.unwrap() })
        })
        .collect();
    for (n, call) in (0..500u32).zip(calls) {
        assert_eq!(call.await.unwrap(), n.to_be_bytes());
    }
    vpp.close().await.unwrap();
    peer.join();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_tasks_on_many_threads() {
    let peer = Peer::start(echo);
    let vpp = connect(&peer).await;
    let tasks: Vec<_> = (0..32u32)
        .map(|task| {
            let vpp = vpp.clone();
            tokio::spawn(async move {
                for n in 0..300u32 {
                    let payload = [task.to_be_bytes(), n.to_be_bytes()].concat();
                    assert_eq!(ask(&vpp, &payload).await.unwrap(), payload);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    vpp.close().await.unwrap();
    peer.join();
}

#[tokio::test]
async fn everything_that_waits_fails_at_once_when_vpp_dies() {
    let peer = Peer::start(|wire| {
        for _ in 0..20 {
            wire.receive().unwrap();
        }
    });
    let vpp = connect(&peer).await;
    let mut events = vpp.raw().listen(EVENT).unwrap();
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let vpp = vpp.clone();
            tokio::spawn(async move { ask(&vpp, b"").await })
        })
        .collect();
    let started = Instant::now();
    for call in calls {
        let error = call.await.unwrap().unwrap_err();
        assert!(matches!(error, CallError::Lost { lost: Lost::ClosedByVpp, .. }), "{error}");
        assert_eq!(error.to_string(), "ask: connection to VPP lost (VPP closed the socket)");
    }
    assert!(matches!(events.next().await, Err(EventError::Lost { lost: Lost::ClosedByVpp, .. })));
    assert!(started.elapsed() < Duration::from_secs(5), "not by their deadlines");
    assert_eq!(vpp.lost(), Some(Lost::ClosedByVpp));
    assert!(matches!(ask(&vpp, b"").await, Err(CallError::Lost { .. })));
    assert_eq!(vpp.close().await, Err(CloseError::Lost(Lost::ClosedByVpp)));
    peer.join();
}

#[tokio::test]
async fn a_connection_that_nobody_waits_on_learns_of_the_end_too() {
    let peer = Peer::start(|_| {});
    let vpp = connect(&peer).await;
    peer.join();
    let started = Instant::now();
    while vpp.lost().is_none() {
        assert!(started.elapsed() < Duration::from_secs(5));
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_deadline_ends_a_call_and_its_late_reply_reaches_nobody() {
    let peer = Peer::start(|wire| {
        let late = wire.receive().unwrap();
        let call = wire.receive().unwrap();
        wire.send(&answer(ASK_REPLY, late.context, b"late"));
        wire.send(&answer(ASK_REPLY, call.context, b"mine"));
        wire.until_goodbye();
    });
    let vpp = Connection::builder().deadline(Duration::from_millis(20)).connect(peer.socket()).await.unwrap();
    let error = ask(&vpp, b"").await.unwrap_err();
    assert_eq!(error.to_string(), "ask: no answer within 20ms");
    assert_eq!(ask(&vpp, b"").await.unwrap(), b"mine");
    vpp.close().await.unwrap();
    peer.join();
}

#[tokio::test]
async fn a_slow_reader_gets_every_element_and_holds_up_nobody() {
    let peer = Peer::start(|wire| {
        let dump = wire.receive().unwrap();
        let ping = wire.receive().unwrap();
        assert!(dump.is(LIST) && ping.is(PING) && dump.context == ping.context);
        for n in 0..1000u32 {
            wire.send(&answer(LIST_DETAILS, dump.context, &n.to_be_bytes()));
        }
        wire.send(&answer(PING_REPLY, ping.context, &[0; 12]));
        echo(wire);
    });
    let vpp = connect(&peer).await;
    let mut dump = vpp.raw().dump(LIST, b"", LIST_DETAILS, RawEnd::ControlPing).unwrap();
    assert_eq!(dump.next().await.unwrap().unwrap()[..], 0u32.to_be_bytes());
    // Other calls go on beside the dump that nobody reads.
    for _ in 0..10 {
        assert_eq!(ask(&vpp, b"beside").await.unwrap(), b"beside");
    }
    for n in 1..1000u32 {
        assert_eq!(dump.next().await.unwrap().unwrap()[..], n.to_be_bytes());
    }
    assert_eq!(dump.next().await.unwrap(), None);
    assert_eq!(dump.next().await.unwrap(), None);
    drop(dump);
    vpp.close().await.unwrap();
    peer.join();
}

#[tokio::test]
async fn a_stream_over_its_limit_is_an_error_and_not_a_short_answer() {
    let peer = Peer::start(|wire| {
        let dump = wire.receive().unwrap();
        wire.receive().unwrap();
        for _ in 0..100 {
            wire.send(&answer(LIST_DETAILS, dump.context, &[0; 100]));
        }
        wire.send(&answer(PING_REPLY, dump.context, &[0; 12]));
        echo(wire);
    });
    let vpp = Connection::builder().stream_limit(5000).connect(peer.socket()).await.unwrap();
    let mut dump = vpp.raw().dump(LIST, b"", LIST_DETAILS, RawEnd::ControlPing).unwrap();
    let mut seen = 0;
    let error = loop {
        // Slower than the peer: its answers are all there after another call.
        if seen == 1 {
            ask(&vpp, b"").await.unwrap();
        }
        match dump.next().await {
            Ok(Some(_)) => seen += 1,
            Ok(None) => panic!("a clean end after {seen} of 100 elements"),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, CallError::StreamOverrun { limit: 5000, .. }), "{error}");
    assert_eq!(ask(&vpp, b"still here").await.unwrap(), b"still here");
    drop(dump);
    vpp.close().await.unwrap();
    peer.join();
}

/// `{retval, cursor}`
fn list_reply(context: u32, retval: i32, cursor: u32) -> Vec<u8> {
    answer(LIST_REPLY, context, &[retval.to_be_bytes(), cursor.to_be_bytes()].concat())
}

const CURSOR_END: RawEnd<'static> =
    RawEnd::Reply { reply: LIST_REPLY, retval: Some(6), cursor: Some(Cursor { request: 10, reply: 10 }) };

#[tokio::test]
async fn an_interrupted_stream_is_continued_from_its_cursor() {
    let peer = Peer::start(|wire| {
        for (cursor, next) in [(0u32, 40u32), (40, 70), (70, u32::MAX)] {
            let part = wire.receive().unwrap();
            assert_eq!(part.payload, [&cursor.to_be_bytes()[..], b"rest"].concat());
            for _ in 0..3 {
                wire.send(&answer(LIST_DETAILS, part.context, b"x"));
            }
            wire.send(&list_reply(part.context, if next == u32::MAX { 0 } else { -165 }, next));
        }
        wire.until_goodbye();
    });
    let vpp = connect(&peer).await;
    let mut dump = vpp.raw().dump(LIST, b"\0\0\0\0rest", LIST_DETAILS, CURSOR_END).unwrap();
    let mut elements = 0;
    while dump.next().await.unwrap().is_some() {
        elements += 1;
    }
    assert_eq!(elements, 9);
    assert_eq!(dump.reply().unwrap()[..], [0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]);
    drop(dump);
    vpp.close().await.unwrap();
    peer.join();
}

#[tokio::test]
async fn empty_refused_and_endless_interruptible_streams() {
    let peer = Peer::start(|wire| {
        for retval in [-7, -6, -2, -165] {
            let request = wire.receive().unwrap();
            wire.send(&list_reply(request.context, retval, 0));
        }
        wire.until_goodbye();
    });
    let vpp = connect(&peer).await;
    let mut results = Vec::new();
    for _ in 0..4 {
        results.push(vpp.raw().dump(LIST, &[0; 4], LIST_DETAILS, CURSOR_END).unwrap().next().await);
    }
    assert_eq!(results[..2], [Ok(None), Ok(None)], "how VPP says that there is nothing");
    assert_eq!(
        results[2].as_ref().unwrap_err().to_string(),
        "list: VPP refused: INVALID_SW_IF_INDEX (-2), interface index does not exist"
    );
    assert!(matches!(results[3], Err(CallError::NoProgress { .. })));
    vpp.close().await.unwrap();
    peer.join();
}

#[tokio::test]
async fn events_reach_every_listener_and_a_loss_is_counted() {
    let peer = Peer::start(|wire| {
        for n in 0..10u8 {
            wire.send(&event(&[n]));
        }
        echo(wire);
    });
    let vpp = Connection::builder().event_capacity(4).connect(peer.socket()).await.unwrap();
    let (mut first, mut second) = (vpp.raw().listen(EVENT).unwrap(), vpp.raw().listen(EVENT).unwrap());
    ask(&vpp, b"").await.unwrap();
    for events in [&mut first, &mut second] {
        match events.next().await {
            Err(EventError::Overrun { lost: 6, event }) => assert_eq!(event.as_ref(), "news_event"),
            other => panic!("{other:?}"),
        }
        for n in 6..10u8 {
            assert_eq!(events.next().await.unwrap()[..], [n]);
        }
    }
    drop((first, second));
    vpp.close().await.unwrap();
    peer.join();
}

#[tokio::test]
async fn an_event_wakes_its_reader() {
    let (go, wait) = std::sync::mpsc::channel();
    let peer = Peer::start(move |wire| {
        wait.recv().unwrap();
        wire.send(&event(b"now"));
        wire.until_goodbye();
    });
    let vpp = connect(&peer).await;
    let mut events = vpp.raw().listen(EVENT).unwrap();
    let reader = tokio::spawn(async move { events.next().await.unwrap() });
    tokio::task::yield_now().await;
    go.send(()).unwrap();
    assert_eq!(reader.await.unwrap()[..], *b"now");
    vpp.close().await.unwrap();
    peer.join();
}

#[tokio::test]
async fn a_call_dropped_at_any_point_leaves_the_connection_usable() {
    let peer = Peer::start(echo);
    let vpp = connect(&peer).await;
    for polls in 0..3 {
        for _ in 0..50 {
            let mut call = Box::pin(ask(&vpp, b"given up"));
            for _ in 0..polls {
                let once = std::future::poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx).is_ready())).await;
                if once {
                    break;
                }
                tokio::task::yield_now().await;
            }
            drop(call);
            assert_eq!(ask(&vpp, b"next").await.unwrap(), b"next");
        }
    }
    vpp.close().await.unwrap();
    peer.join();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_is_held_and_not_polled_holds_up_nobody() {
    let (go, wait) = std::sync::mpsc::channel();
    let peer = Peer::start(move |wire| {
        let held = wire.receive().unwrap();
        wait.recv().unwrap();
        wire.send(&answer(ASK_REPLY, held.context, b"held"));
        echo(wire);
    });
    let vpp = connect(&peer).await;
    let mut held = Box::pin(ask(&vpp, b""));
    assert!(std::future::poll_fn(|cx| Poll::Ready(held.as_mut().poll(cx).is_pending())).await);
    go.send(()).unwrap();
    // The socket may have woken the held call's task, which does something else now.
    for _ in 0..100 {
        let other = vpp.clone();
        assert_eq!(
            tokio::spawn(async move { ask(&other, b"other").await }).await.unwrap().unwrap(),
            b"other"
        );
    }
    assert_eq!(held.await.unwrap(), b"held");
    vpp.close().await.unwrap();
    peer.join();
}

#[tokio::test]
async fn the_last_handle_says_good_bye_when_it_is_dropped() {
    let peer = Peer::start(|wire| assert_eq!(wire.until_goodbye(), []));
    let vpp = connect(&peer).await;
    drop(vpp.clone());
    assert!(vpp.lost().is_none());
    drop(vpp);
    tokio::task::spawn_blocking(|| peer.join()).await.unwrap();
}

#[test]
fn a_runtime_that_ends_says_good_bye() {
    let peer = Peer::start(|wire| assert_eq!(wire.until_goodbye().len(), 1));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let vpp = runtime.block_on(async {
        let vpp = connect(&peer).await;
        let mut call = Box::pin(ask(&vpp, b"unanswered"));
        assert!(std::future::poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx).is_pending())).await);
        drop(call);
        vpp
    });
    drop(runtime);
    peer.join();
    let other = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let error = other.block_on(ask(&vpp, b"")).unwrap_err();
    assert!(matches!(error, CallError::Lost { lost: Lost::RuntimeEnded, .. }), "{error}");
}

#[tokio::test]
async fn closing_fails_what_waits_and_gives_up_on_a_peer_that_does_not_answer() {
    let (done, wait) = std::sync::mpsc::channel::<()>();
    let peer = Peer::start(move |wire| {
        assert!(wire.receive().unwrap().is(ASK));
        assert_eq!(wire.receive().unwrap().id, 17);
        let _closed = wait.recv();
    });
    let vpp =
        Connection::builder().close_timeout(Duration::from_millis(30)).connect(peer.socket()).await.unwrap();
    let other = vpp.clone();
    let call = tokio::spawn(async move { ask(&other, b"").await });
    tokio::task::yield_now().await;
    assert_eq!(vpp.close().await, Err(CloseError::TimedOut(Duration::from_millis(30))));
    assert!(matches!(call.await.unwrap(), Err(CallError::Lost { lost: Lost::Closed, .. })));
    drop(done);
    peer.join();
}

#[tokio::test]
async fn a_wrong_answer_fails_its_call_and_nothing_else() {
    let peer = Peer::start(|wire| {
        let request = wire.receive().unwrap();
        wire.send(&answer(LIST_REPLY, request.context, b""));
        // Nobody's, and not even an id.
        wire.send(&frame(&[0xff, 0xff, 1, 2, 3]));
        wire.send(&frame(&[7]));
        wire.send(&frame(&[]));
        echo(wire);
    });
    let vpp = connect(&peer).await;
    assert_eq!(ask(&vpp, b"").await.unwrap_err().to_string(), "ask: VPP answered with list_reply");
    assert_eq!(ask(&vpp, b"next").await.unwrap(), b"next");
    vpp.close().await.unwrap();
    peer.join();
}

#[tokio::test]
async fn a_frame_over_the_limit_ends_the_connection() {
    let peer = Peer::start(|wire| {
        wire.receive().unwrap();
        wire.send(&[0xff; 64]);
        while wire.receive().is_some() {}
    });
    let vpp = connect(&peer).await;
    let error = ask(&vpp, b"").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "ask: connection to VPP given up: a frame claims 4294967295 bytes, the limit is 67108864"
    );
    drop(vpp);
    peer.join();
}

#[tokio::test]
async fn messages_that_vpp_does_not_have_are_told_from_those_it_has_otherwise() {
    let peer = Peer::start(|wire| {
        wire.until_goodbye();
    });
    let vpp = connect(&peer).await;
    let other = RawMessage { crc: 99, ..ASK };
    let absent = RawMessage { name: "nat44_add", ..ASK };
    assert!(matches!(
        vpp.raw().call(other, b"", ASK_REPLY).await,
        Err(CallError::Incompatible(Incompatible::OtherCrc { crc: 99, theirs: 1, .. }))
    ));
    assert!(matches!(
        vpp.raw().call(absent, b"", ASK_REPLY).await,
        Err(CallError::Incompatible(Incompatible::Absent { .. }))
    ));
    vpp.close().await.unwrap();
    peer.join();
}

#[tokio::test]
async fn a_vpp_that_lacks_what_is_required_is_refused_with_all_it_lacks() {
    let info = |message: RawMessage<'static>| vpp_wire::MessageInfo {
        name: message.name,
        crc: message.crc,
        header: message.header,
        retval: None,
    };
    let peer = Peer::start(|wire| assert_eq!(wire.until_goodbye(), []));
    let required = [
        info(ASK),
        info(RawMessage { crc: 99, ..LIST }),
        info(RawMessage { name: "nat44_add", ..ASK }),
        info(PING),
    ];
    let error = Connection::builder().require(&required).connect(peer.socket()).await.unwrap_err();
    assert!(matches!(&error.cause, ConnectCause::Incompatible { lacking } if lacking.len() == 2));
    let text = error.to_string();
    assert!(
        text.contains("lacks 2 of the messages that the program requires\n  this VPP speaks another list"),
        "{text}"
    );
    assert!(text.ends_with(
        "this VPP has no nat44_add: the plugin that defines it is not loaded, or its release is another"
    ));
    peer.join();

    let peer = Peer::start(|wire| assert_eq!(wire.until_goodbye(), []));
    let vpp = Connection::builder().require(&required[..1]).connect(peer.socket()).await.unwrap();
    vpp.close().await.unwrap();
    peer.join();
}

async fn connect_cause(socket: impl AsRef<std::path::Path>) -> ConnectCause {
    let builder = Connection::builder().connect_timeout(Duration::from_millis(200));
    builder.connect(socket).await.unwrap_err().cause
}

#[tokio::test]
async fn a_peer_that_is_not_vpp_is_told_as_such() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("api.sock");
    assert!(matches!(connect_cause(&missing).await, ConnectCause::NotThere));
    assert_eq!(
        Connection::connect("/nowhere/api.sock").await.unwrap_err().to_string(),
        "cannot connect to VPP at /nowhere/api.sock: there is no socket at this path; is VPP running, and is its API socket here?"
    );

    drop(std::os::unix::net::UnixListener::bind(&missing).unwrap());
    assert!(matches!(connect_cause(&missing).await, ConnectCause::NobodyListens));

    let file = folder.path().join("file");
    std::fs::write(&file, "no socket").unwrap();
    assert!(matches!(connect_cause(&file).await, ConnectCause::NotASocket));

    let datagram = folder.path().join("datagram.sock");
    let _socket = std::os::unix::net::UnixDatagram::bind(&datagram).unwrap();
    assert!(matches!(connect_cause(&datagram).await, ConnectCause::NotVpp(NotVpp::SocketType)));

    let garbage = Peer::impostor(|mut stream| stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap());
    assert!(matches!(connect_cause(garbage.socket()).await, ConnectCause::NotVpp(NotVpp::Frame(_))));

    let closes = Peer::impostor(drop);
    assert!(matches!(connect_cause(closes.socket()).await, ConnectCause::NotVpp(NotVpp::Closed)));

    let other = Peer::impostor(|mut stream| stream.write_all(&frame(&[0, 99, 0, 0])).unwrap());
    let cause = connect_cause(other.socket()).await;
    assert!(matches!(cause, ConnectCause::NotVpp(NotVpp::Answer { id: 99, len: 4 })), "{cause}");

    let (done, wait) = std::sync::mpsc::channel::<()>();
    let silent = Peer::impostor(move |_stream| wait.recv().unwrap_or_default());
    assert!(matches!(connect_cause(silent.socket()).await, ConnectCause::TimedOut(_)));
    drop(done);
}
