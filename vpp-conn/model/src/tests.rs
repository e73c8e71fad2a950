//! What has to hold in every order of events.

use std::time::Duration;

use loom::sync::Arc;
use loom::thread;

use crate::layout::{Addresses, element};
use crate::memory::Memory;
use crate::queue::{Queue, Ring, release};

const RING: usize = 0;
const QUEUE: usize = 4096;
const ADDRESSES: Addresses = Addresses { base: 1 << 32, len: 1 << 20 };
/// For ever, in a model.
const TIME: Duration = Duration::from_secs(1);

struct Side {
    memory: Memory,
    ring: Ring,
    queue: Queue,
}

fn sides(elements: usize, depth: usize) -> (Arc<Side>, Arc<Side>) {
    let memory = Memory::new().with_ring(RING, elements).with_queue(QUEUE, depth);
    let ring = Ring::create(&memory, ADDRESSES, RING, 8, elements as u32).unwrap();
    let queue = Queue::create(&memory, QUEUE, depth as u32, 1).unwrap();
    let side = Arc::new(Side { memory, ring, queue });
    (Arc::clone(&side), side)
}

impl Side {
    /// A message that is put into an element which nobody uses.
    fn write(&self, element: usize, message: u64) -> u64 {
        self.memory.write_message(element + element::LEN, message);
        ADDRESSES.address(element)
    }

    /// The message of an element, which is given back.
    fn read(&self, address: u64) -> u64 {
        let element = ADDRESSES.offset(address, 16).unwrap();
        let read = self.memory.read_message(element + element::LEN);
        release(&self.memory, element);
        read
    }

    /// As the one who alone takes elements of a ring.
    fn take_alone(&self) -> usize {
        loop {
            if let Some(element) = self.ring.take_unlocked(&self.memory).unwrap() {
                return element;
            }
            thread::yield_now();
        }
    }

    /// As a client that looks: without the lock until there is something.
    fn look(&self, places: &mut [u64]) -> usize {
        while self.queue.entries(&self.memory) == 0 {
            thread::yield_now();
        }
        self.queue.pop(&self.memory, places).unwrap()
    }
}

#[test]
fn a_message_is_read_as_it_was_written_and_its_element_used_again() {
    loom::model(|| {
        let (vpp, client) = sides(1, 2);
        let vpp = thread::spawn(move || {
            for message in [7, 8] {
                let address = vpp.write(vpp.take_alone(), message);
                assert_eq!(vpp.queue.push(&vpp.memory, &[address]).unwrap(), 1);
            }
        });
        for message in [7, 8] {
            let mut address = [0];
            assert_eq!(client.look(&mut address), 1);
            assert_eq!(client.read(address[0]), message);
        }
        vpp.join().unwrap();
    });
}

#[test]
fn several_are_taken_at_once_in_their_order() {
    loom::model(|| {
        let (vpp, client) = sides(2, 2);
        let vpp = thread::spawn(move || {
            for message in [7, 8] {
                let address = vpp.write(vpp.take_alone(), message);
                assert_eq!(vpp.queue.push(&vpp.memory, &[address]).unwrap(), 1);
            }
        });
        let mut messages = Vec::new();
        while messages.len() < 2 {
            let mut addresses = [0; 2];
            let count = client.look(&mut addresses);
            messages.extend(addresses[..count].iter().map(|address| client.read(*address)));
        }
        assert_eq!(messages, [7, 8]);
        vpp.join().unwrap();
    });
}

#[test]
fn who_sleeps_is_woken_by_what_comes() {
    loom::model(|| {
        let (vpp, client) = sides(1, 2);
        let vpp = thread::spawn(move || {
            let address = vpp.write(vpp.take_alone(), 7);
            vpp.queue.push(&vpp.memory, &[address]).unwrap();
        });
        let mut address = [0];
        while client.queue.pop(&client.memory, &mut address).unwrap() == 0 {
            client.queue.wait(&client.memory, TIME).unwrap();
        }
        assert_eq!(client.read(address[0]), 7);
        vpp.join().unwrap();
    });
}

#[test]
fn vpp_that_waits_for_room_is_woken_by_who_makes_it() {
    loom::model(|| {
        let (vpp, client) = sides(1, 1);
        let vpp = thread::spawn(move || {
            for address in [11, 12] {
                while vpp.queue.push(&vpp.memory, &[address]).unwrap() == 0 {
                    vpp.queue.wait_for_room(&vpp.memory, TIME).unwrap();
                }
            }
        });
        for expected in [11, 12] {
            let mut address = [0];
            assert_eq!(client.look(&mut address), 1);
            assert_eq!(address[0], expected);
        }
        vpp.join().unwrap();
    });
}

#[test]
fn two_who_take_elements_of_one_ring_never_get_the_same() {
    loom::model(|| {
        let (vpp, client) = sides(2, 2);
        let other = thread::spawn(move || {
            let element = vpp.ring.take(&vpp.memory).unwrap().unwrap();
            vpp.queue.push(&vpp.memory, &[vpp.write(element, 7)]).unwrap();
            element
        });
        let element = client.ring.take(&client.memory).unwrap().unwrap();
        client.queue.push(&client.memory, &[client.write(element, 8)]).unwrap();
        assert_ne!(other.join().unwrap(), element);
        let mut addresses = [0; 2];
        assert_eq!(client.queue.pop(&client.memory, &mut addresses).unwrap(), 2);
        let mut messages = addresses.map(|address| client.read(address));
        messages.sort_unstable();
        assert_eq!(messages, [7, 8]);
        assert!(client.ring.take(&client.memory).unwrap().is_some(), "both are free again");
    });
}

#[test]
fn who_refreshes_marks_takes_nothing_from_who_gives_back() {
    loom::model(|| {
        let (holder, upkeep) = sides(1, 1);
        let element = holder.take_alone();
        let upkeep = thread::spawn(move || upkeep.ring.refresh(&upkeep.memory));
        release(&holder.memory, element);
        upkeep.join().unwrap();
        assert_eq!(holder.take_alone(), element);
    });
}
