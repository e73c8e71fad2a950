//! Segments of shared memory whose other side is hostile: words of headers, queues and rings changed while they are in
//! use, any address handed over as a message, any length before it.
//!
//! Locks are left alone: they are glibc's, and kept in the same memory.
#![no_main]

use std::sync::Arc;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use vpp_conn::shared_memory::{Config, Incoming, RingConfig, Segment, ServerSegment};

#[derive(Arbitrary, Debug)]
struct Input {
    /// Words of the segment before its client looks at it: near which header, how far from there, what.
    before: Vec<(u8, u8, u64)>,
    steps: Vec<Step>,
}

#[derive(Arbitrary, Debug)]
enum Step {
    /// VPP answers.
    Send(u8),
    /// A word changes: near which header, how far from there, what.
    Damage(u8, u8, u64),
    /// VPP hands over an address, and says before it how long the message is and whose.
    Hand { address: u64, is_near: bool, owner: u64, len: u32 },
    /// The client takes what came.
    Receive { keep: bool },
    /// The client sends.
    Request(u8),
    /// VPP takes a request.
    Handle,
    Refresh,
    LetGo,
}

/// Where words are changed: behind the locks of each queue and in each header.
fn near(server: &ServerSegment, place: u8) -> Option<usize> {
    server.places().get(usize::from(place) % server.places().len().max(1)).copied()
}

fuzz_target!(|input: Input| {
    let rings = |count| [RingConfig { size: 40, count }, RingConfig { size: 232, count: 2 }];
    let config =
        Config::default().receive_rings(rings(4)).send_rings(rings(4)).depth(8).requests(8).hold(4).heap(1 << 20);
    let Ok((server, file)) = ServerSegment::create(config.segment_size(), &config.words()) else { return };
    for (place, offset, word) in input.before {
        if let Some(at) = near(&server, place) {
            server.damage(at + usize::from(offset % 8) * 4, word);
        }
    }
    let Ok(client) = Segment::attach(file, &config) else { return };
    if server.set_client_queue(client.receive_queue()).is_err() {
        return;
    }
    let limit = config.segment_size() as usize;
    let mut kept = Vec::new();
    for step in input.steps.into_iter().take(64) {
        match step {
            Step::Send(len) => drop(server.send(&vec![7; usize::from(len)])),
            Step::Damage(place, offset, word) => {
                if let Some(at) = near(&server, place) {
                    server.damage(at + usize::from(offset % 8) * 4, word);
                }
            }
            Step::Hand { address, is_near, owner, len } => {
                let address = if is_near { server.address(address as usize % limit) } else { address };
                server.hand_over(address, owner, len);
            }
            Step::Receive { keep } => {
                let mut places = [0; 16];
                let Ok(count) = client.dequeue(&mut places) else { continue };
                assert!(count <= places.len());
                for address in &places[..count] {
                    match client.message(*address) {
                        Ok(Incoming::InPlace(slot)) => {
                            assert!(slot.len() <= 240);
                            if keep {
                                kept.push(slot);
                            }
                        }
                        Ok(Incoming::Copied(bytes)) => assert!(bytes.len() <= limit),
                        Ok(Incoming::FromHeap(bytes, block)) => {
                            assert!(bytes.len() <= limit);
                            if client.return_block(block, &[0; 10]).is_ok() {
                                let _full = client.enqueue(&[block]);
                            }
                        }
                        Ok(Incoming::Elsewhere) | Err(_) => {}
                    }
                }
            }
            Step::Request(len) => {
                if let Ok(Some(mut place)) = client.place(len.into()) {
                    let filled = place.fill(len.into(), |bytes| {
                        bytes.fill(3);
                        Ok(())
                    });
                    if filled.is_ok() {
                        let _full = client.enqueue(&[place.hand_over()]);
                    }
                }
            }
            Step::Handle => drop(server.next_request()),
            Step::Refresh => client.refresh(),
            Step::LetGo => kept.clear(),
        }
        assert!(client.held() as usize <= kept.len() && kept.len() <= 4);
        let _looks = (client.received(), client.position(), client.waiting_requests());
    }
    drop(Arc::clone(&client));
});
