//! Both sides of a segment in one process.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use proptest::prelude::*;

use super::layout::{api, element, queue, region, ring};
use super::*;

/// A small segment, so that rings run out.
fn config() -> Config {
    let rings = |count| [RingConfig { size: 40, count }, RingConfig { size: 232, count: 2 }];
    Config::default().receive_rings(rings(4)).send_rings(rings(4)).depth(8).requests(8).hold(4).heap(1 << 20)
}

/// VPP's side, and what makes the client's of it.
#[cfg(not(miri))]
fn server(config: &Config) -> (ServerSegment, impl FnOnce() -> std::io::Result<Segment>) {
    let (server, file) = ServerSegment::create(config.segment_size(), &config.words()).unwrap();
    (server, move || Segment::look(file, config))
}

/// Miri has no memory files: there both sides are given the same memory.
#[cfg(miri)]
fn server(config: &Config) -> (ServerSegment, impl FnOnce() -> Result<Segment, SegmentFault>) {
    let (vpps, clients) = super::memory::Memory::pair(config.segment_size() as usize);
    (ServerSegment::lay_out(vpps, &config.words()).unwrap(), move || Segment::new(clients, config))
}

fn pair(config: &Config) -> (ServerSegment, Arc<Segment>) {
    let (server, client) = server(config);
    let client = Arc::new(client().unwrap());
    server.set_client_queue(client.receive_queue()).unwrap();
    (server, client)
}

fn request(client: &Arc<Segment>, message: &[u8]) -> bool {
    let Some(mut place) = client.place(message.len()).unwrap() else { return false };
    place
        .fill(message.len(), |bytes| {
            bytes.copy_from_slice(message);
            Ok(())
        })
        .unwrap();
    client.enqueue(&[place.hand_over()]).unwrap() == 1
}

fn receive(client: &Arc<Segment>) -> Option<Incoming> {
    let mut address = [0];
    (client.dequeue(&mut address).unwrap() == 1).then(|| client.message(address[0]).unwrap())
}

fn bytes(incoming: &Incoming) -> &[u8] {
    match incoming {
        Incoming::InPlace(slot) => slot,
        Incoming::Copied(bytes) | Incoming::FromHeap(bytes, _) => bytes,
        Incoming::Elsewhere => panic!("not in the segment"),
    }
}

#[test]
fn messages_go_both_ways_and_places_are_used_again() {
    let (server, client) = pair(&config());
    for round in 0..100u8 {
        assert!(request(&client, &[round; 30]));
        assert_eq!(server.next_request().unwrap(), Some(vec![round; 30]));
        server.send(&[round; 20]).unwrap();
        let answer = receive(&client).unwrap();
        assert!(matches!(answer, Incoming::InPlace(_)));
        assert_eq!(bytes(&answer), [round; 20]);
    }
    assert!(receive(&client).is_none() && server.next_request().unwrap().is_none());
    assert_eq!((client.held(), client.copied(), server.blocks()), (0, 0, 0));
}

/// As two processes do it: each in its own time.
#[test]
fn two_threads_pass_messages_both_ways() {
    // Miri takes its time.
    const MESSAGES: u8 = if cfg!(miri) { 20 } else { 250 };
    let (server, client) = pair(&config());
    let vpp = std::thread::spawn(move || {
        for _ in 0..MESSAGES {
            let request = loop {
                if let Some(request) = server.next_request().unwrap() {
                    break request;
                }
                std::thread::yield_now();
            };
            while let Err(error) = server.send(&request) {
                assert_eq!(error, SendError::Full);
                server.wait_for_room(Duration::from_millis(10));
            }
        }
        server
    });
    let (mut sent, mut held) = (0, Vec::new());
    for expected in 0..MESSAGES {
        while sent < MESSAGES && request(&client, &[sent; 20]) {
            sent += 1;
        }
        let answer = loop {
            if let Some(answer) = receive(&client) {
                break answer;
            }
            client.wait(Duration::from_secs(1)).unwrap();
        };
        assert_eq!(bytes(&answer), [expected; 20]);
        if let Incoming::FromHeap(_, block) = &answer {
            client.return_block(*block, &[0; 10]).unwrap();
        }
        // Some are read again later, while others come.
        held.push((expected, answer));
        if held.len() > 3 {
            let (expected, answer) = held.remove(0);
            assert_eq!(bytes(&answer), [expected; 20]);
        }
        client.refresh();
    }
    vpp.join().unwrap();
}

#[test]
fn a_place_that_is_not_handed_over_is_free_again() {
    let (server, client) = pair(&config());
    for _ in 0..20 {
        let mut place = client.place(10).unwrap().unwrap();
        let failed = place.fill(10, |_| {
            let mut encoder = vpp_wire::Encoder::new(&mut []);
            encoder.bytes(&[1]);
            encoder.finish().map(drop)
        });
        assert!(matches!(failed, Err(PlaceError::Encode(_))));
        assert!(matches!(place.fill(1000, |_| Ok(())), Err(PlaceError::TooLong)));
    }
    assert!(server.next_request().unwrap().is_none());
}

#[test]
fn requests_wait_when_no_place_is_free() {
    let (server, client) = pair(&config());
    // Four small elements, then two larger ones.
    assert_eq!((0..8).take_while(|_| request(&client, &[1; 20])).count(), 6);
    server.next_request().unwrap().unwrap();
    assert!(request(&client, &[1; 20]), "the place of the one that was handled");
    assert_eq!(client.largest_request(), 240);
    assert!(client.place(241).unwrap().is_none());
}

#[test]
fn too_many_held_messages_are_copied_and_hold_up_nobody() {
    let (server, client) = pair(&config());
    let mut held = Vec::new();
    for round in 0..50u8 {
        server.send(&[round; 20]).unwrap();
        held.push(receive(&client).unwrap());
        if let Some(Incoming::FromHeap(_, block)) = held.last() {
            client.return_block(*block, &[0; 10]).unwrap();
            client.enqueue(&[*block]).unwrap();
            server.next_request().unwrap().unwrap();
        }
    }
    assert_eq!(client.held(), 4);
    assert!(client.copied() > 0);
    assert_eq!(server.blocks(), 0, "all blocks of the heap were given back");
    for (round, message) in held.iter().enumerate() {
        assert_eq!(bytes(message), [round as u8; 20]);
    }
    drop(held);
    assert_eq!(client.held(), 0);
}

#[test]
fn a_full_queue_says_so_and_an_empty_heap_too() {
    let (server, client) = pair(&config());
    for _ in 0..8 {
        server.send(&[7; 20]).unwrap();
    }
    assert_eq!(server.send(&[7; 20]), Err(SendError::Full));
    assert_eq!(bytes(&receive(&client).unwrap()), [7; 20]);
    server.send(&[7; 20]).unwrap();
    while receive(&client).is_some() {}
    assert_eq!(server.send(&vec![7; 8 << 20]), Err(SendError::OutOfMemory));
}

#[test]
fn a_message_taken_back_by_vpp_is_noticed() {
    let (server, client) = pair(&config());
    server.send(&[1; 20]).unwrap();
    client.memory().u32(client.api() + api::GARBAGE_COLLECTS).unwrap().store(1, Ordering::Relaxed);
    assert_eq!(client.dequeue(&mut [0]), Err(SegmentFault::Reclaimed));
}

#[test]
fn a_message_that_is_said_to_lie_where_locks_and_headers_are_is_refused() {
    let (server, client) = pair(&config());
    let queue = client.receive_queue();
    let wrong = SegmentFault::Wrong("the address of a message");
    for address in [queue + 32, queue + 120, server.address(4096 + 160), server.address(client.api() + 16)] {
        // Its owner is none, as for a message of the heap.
        let at = (address - server.address(0)) as usize;
        let word = server.memory().u64(at - 16).unwrap();
        let kept = word.swap(0, Ordering::Relaxed);
        assert_eq!(client.message(address).unwrap_err(), wrong, "{at}");
        word.store(kept, Ordering::Relaxed);
    }
}

#[test]
fn a_message_is_no_longer_than_its_element_and_begins_where_it_does() {
    let (server, client) = pair(&config());
    server.send(&[1; 20]).unwrap();
    let mut address = [0];
    assert_eq!(client.dequeue(&mut address), Ok(1));
    let at = (address[0] - server.address(0)) as usize;
    let len = |len: u32| server.memory().write(at - 8, &len.to_be_bytes()).unwrap();
    let wrong = SegmentFault::Wrong("the address of a message");
    for (shift, bytes) in [(0, 49), (0, u32::MAX), (8, 20), (48, 20)] {
        len(bytes);
        assert_eq!(client.message(address[0] + shift).unwrap_err(), wrong, "{shift} {bytes}");
    }
    len(48);
    assert_eq!(bytes(&client.message(address[0]).unwrap()).len(), 48, "all of it");
}

#[test]
fn nothing_is_read_in_place_where_requests_are_written() {
    let (server, client) = pair(&config());
    assert!(request(&client, &[7; 20]));
    // The first element of the first ring for requests.
    let vector = server.memory().u64(client.api() + api::CLIENT_RINGS).unwrap().load(Ordering::Relaxed);
    let ring = server.memory().u64((vector - server.address(0)) as usize + ring::QUEUE).unwrap();
    let element = ring.load(Ordering::Relaxed) + (queue::DATA + element::LEN) as u64;
    server.hand_over(element, 1, 20);
    let taken = receive(&client).unwrap();
    assert!(matches!(taken, Incoming::Copied(_)) && bytes(&taken) == [7; 20]);
}

#[test]
fn rings_within_one_another_are_refused() {
    let config = config();
    let (server, client) = server(&config);
    let vector = server.memory().u64(0x22000 + api::VPP_RINGS).unwrap().load(Ordering::Relaxed);
    let vector = (vector - server.address(0)) as usize;
    let word = |at| server.memory().u64(at).unwrap();
    // The second is the first.
    word(vector + ring::LEN).store(word(vector).load(Ordering::Relaxed), Ordering::Relaxed);
    let refused = client().unwrap_err().to_string();
    assert!(refused.contains("the place of a queue or ring"), "{refused}");
}

#[test]
fn held_messages_are_refreshed() {
    let (server, client) = pair(&config());
    server.send(&[1; 20]).unwrap();
    let Some(Incoming::InPlace(slot)) = receive(&client) else { panic!("not in place") };
    let mark = client.memory().u32(slot.element() + element::GC_MARK).unwrap();
    mark.store(12345, Ordering::Relaxed);
    client.refresh();
    assert_eq!(mark.load(Ordering::Relaxed), 0);
}

#[test]
#[cfg(not(miri))]
fn a_segment_without_a_queue_or_too_small_is_refused() {
    assert!(ServerSegment::create(1 << 20, &[]).is_err());
    assert!(ServerSegment::create(4096, &config().words()).is_err());
    assert!(ServerSegment::create(0, &config().words()).is_err());
}

proptest! {
    /// Whatever the words of a segment's headers say, nothing outside of it is touched and nothing panics.
    #[test]
    fn headers_of_any_content_are_refused_or_work(
        changes in prop::collection::vec((0usize..1200, any::<u64>(), any::<bool>()), 0..6),
    ) {
        let config = config();
        let (server, client) = server(&config);
        // Words of both headers, of the API header, of vectors, and of queues.
        let places = [0, region::VERSION, 0x22000, 0x22000 + 64];
        for (at, value, small) in changes {
            let at = (places[at % 4] + at / 4 * 8) & !7;
            let value = if small { value % 70_000 } else { value };
            server.memory().write(at, &value.to_ne_bytes()).unwrap();
        }
        // Locks in damaged memory are the library's affair, so only what needs none is used.
        let _refused = client();
    }

    /// Whatever the other side puts into the receive queue is taken for a message that lies in the segment, or refused.
    #[test]
    fn any_address_is_a_message_inside_or_refused(
        address in prop_oneof![any::<u64>(), (0u64..1 << 22).prop_map(|at| 0x0000_1122_3344_0000 + at)],
        head in any::<[u8; 16]>(),
    ) {
        let config = config();
        let (server, client) = pair(&config);
        let at = address.wrapping_sub(0x0000_1122_3344_0000) as usize;
        // Not over the locks and headers of the segment itself.
        if at > 0x4_0000 && at.is_multiple_of(8) {
            let _inside = server.memory().write(at - 16, &head);
        }
        match client.message(address) {
            Ok(Incoming::InPlace(slot)) => prop_assert!(slot.len() <= 240),
            Ok(Incoming::Copied(bytes) | Incoming::FromHeap(bytes, _)) => {
                prop_assert!(bytes.len() <= config.segment_size() as usize);
            }
            Ok(Incoming::Elsewhere) => prop_assert!(at > config.segment_size() as usize),
            Err(_) => {}
        }
    }

    /// Positions and counts of a queue that cannot be are refused.
    #[test]
    fn any_position_is_inside_or_refused(head in any::<u32>(), count in 0u32..20, ring_head in any::<u32>()) {
        let (server, client) = pair(&config());
        let queue = (client.receive_queue() - 0x0000_1122_3344_0000) as usize;
        for (offset, value) in [(queue::HEAD, head), (queue::CURSIZE, count)] {
            server.memory().u32(queue + offset).unwrap().store(value, Ordering::Relaxed);
        }
        let taken = client.dequeue(&mut [0; 32]);
        prop_assert_eq!(taken.is_ok(), count == 0 || (head < 8 && count <= 8));
        let vector = server.memory().u64(client.api() + api::CLIENT_RINGS).unwrap().load(Ordering::Relaxed);
        let vector = (vector - 0x0000_1122_3344_0000) as usize;
        let first = server.memory().u64(vector + ring::QUEUE).unwrap().load(Ordering::Relaxed);
        let first = (first - 0x0000_1122_3344_0000) as usize;
        server.memory().u32(first + queue::HEAD).unwrap().store(ring_head, Ordering::Relaxed);
        prop_assert_eq!(client.place(10).is_ok(), ring_head < 4);
    }
}
