//! What can be seen of a connection, against a scripted peer.
#![allow(missing_docs, clippy::unwrap_used)]

mod peer;

use peer::{ASK, ASK_REPLY, EVENT, Peer, answer, event};
use vpp_conn::trace::{ApiTrace, Direction};
use vpp_conn::{Connection, EventError};

#[tokio::test]
async fn messages_are_kept_and_counted() {
    let peer = Peer::start(|wire| {
        for _ in 0..3 {
            let request = wire.receive().unwrap();
            wire.send(&event(b"1"));
            wire.send(&answer(ASK_REPLY, request.context, &request.payload));
        }
        wire.until_goodbye();
    });
    let vpp = Connection::builder().trace(4096).event_capacity(2).connect(peer.socket()).await.unwrap();
    let mut events = vpp.raw().listen(EVENT).unwrap();
    let before = std::time::SystemTime::now();
    for payload in [b"one", b"two", b"six"] {
        assert_eq!(vpp.raw().call(ASK, payload, ASK_REPLY).await.unwrap(), *payload);
    }
    assert!(matches!(events.next().await, Err(EventError::Overrun { lost: 1, .. })));

    let (traced, given_up) = vpp.traced();
    assert_eq!((traced.len(), given_up), (9, 0));
    let names: Vec<_> = traced[..3].iter().map(|traced| (traced.direction, &*traced.name)).collect();
    let expected =
        [(Direction::Sent, "ask"), (Direction::Received, "news_event"), (Direction::Received, "ask_reply")];
    assert_eq!(names, expected);
    assert_eq!((traced[0].crc, &traced[0].bytes[10..]), (Some(1), &b"one"[..]));
    let slack = std::time::Duration::from_secs(60);
    assert!(traced[0].at > before - slack && traced[8].at < before + slack);

    // What was sent is a file that VPP can replay.
    let sent = traced.iter().filter(|traced| traced.direction == Direction::Sent);
    let sent: Vec<&[u8]> = sent.map(|traced| &traced.bytes[..]).collect();
    let file = ApiTrace::write(vpp.table(), sent.into_iter(), false).unwrap();
    assert_eq!(ApiTrace::parse(file.into()).unwrap().messages().len(), 3);

    let counters = vpp.counters();
    assert_eq!((counters.sent, counters.received, counters.answered), (3, 6, 3));
    assert_eq!((counters.events, counters.events_lost, counters.in_flight), (3, 1, 0));
    // Id, client index, context and three bytes; the answers are without a client index, the events without a context.
    assert_eq!((counters.sent_bytes, counters.received_bytes), (3 * 13, 3 * 9 + 3 * 7));
    assert_eq!(counters.latency.count(), 3);
    vpp.close().await.unwrap();
    peer.join();
}

#[tokio::test]
async fn nothing_is_kept_unless_there_is_room() {
    let peer = Peer::start(|wire| {
        let request = wire.receive().unwrap();
        wire.send(&answer(ASK_REPLY, request.context, b""));
        wire.until_goodbye();
    });
    let vpp = Connection::connect(peer.socket()).await.unwrap();
    vpp.raw().call(ASK, b"", ASK_REPLY).await.unwrap();
    assert_eq!(vpp.traced(), (Vec::new(), 0));
    assert_eq!(vpp.counters().sent, 1);
    vpp.close().await.unwrap();
    peer.join();
}
