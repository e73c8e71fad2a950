//! Streams of events inside the multiplexer.

use std::collections::VecDeque;

use bytes::Bytes;

use super::MessageKind;
use crate::payload::Payload;

/// A subscriber of one event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SubscriberId(u64);

/// Who wants which events.
#[derive(Debug)]
pub(crate) struct Subscribers<W> {
    all: Vec<Subscriber<W>>,
    next: u64,
    /// Of all, also those that are gone.
    lost: u64,
}

#[derive(Debug)]
struct Subscriber<W> {
    id: SubscriberId,
    event: u16,
    queue: VecDeque<Bytes>,
    capacity: usize,
    lost: u64,
    waiter: Option<W>,
}

/// What a subscriber gets when it asks.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    Nothing,
    Event(Payload),
    Lost(u64),
}

impl<W> Default for Subscribers<W> {
    fn default() -> Self {
        Self { all: Vec::new(), next: 0, lost: 0 }
    }
}

impl<W> Subscribers<W> {
    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Events that were given up, counted for each subscriber.
    pub(super) fn lost(&self) -> u64 {
        self.lost
    }

    pub(super) fn wants(&self, event: u16) -> bool {
        self.all.iter().any(|subscriber| subscriber.event == event)
    }

    pub(super) fn add(&mut self, event: MessageKind, capacity: usize) -> SubscriberId {
        let id = SubscriberId(self.next);
        self.next += 1;
        self.all.push(Subscriber {
            id,
            event: event.id,
            queue: VecDeque::new(),
            capacity: capacity.max(1),
            lost: 0,
            waiter: None,
        });
        id
    }

    pub(crate) fn remove(&mut self, id: SubscriberId) {
        self.all.retain(|subscriber| subscriber.id != id);
    }

    /// Gives an event's payload to all who want it; the oldest is given up where a queue is full.
    pub(super) fn publish(&mut self, event: u16, payload: &[u8]) -> impl Iterator<Item = W> {
        // Copied, so that a small event that waits long does not hold the large buffer it came in.
        let payload = Bytes::copy_from_slice(payload);
        let all_lost = &mut self.lost;
        self.all.iter_mut().filter(move |subscriber| subscriber.event == event).filter_map(
            move |subscriber| {
                if subscriber.queue.len() == subscriber.capacity {
                    subscriber.queue.pop_front();
                    subscriber.lost += 1;
                    *all_lost += 1;
                }
                subscriber.queue.push_back(payload.clone());
                subscriber.waiter.take()
            },
        )
    }

    /// Asks for the next event. A loss is told before the events behind it.
    pub(crate) fn take(&mut self, id: SubscriberId, waiter: impl FnOnce(Option<W>) -> W) -> Taken {
        let Some(subscriber) = self.all.iter_mut().find(|subscriber| subscriber.id == id) else {
            return Taken::Nothing;
        };
        if subscriber.lost > 0 {
            return Taken::Lost(std::mem::take(&mut subscriber.lost));
        }
        match subscriber.queue.pop_front() {
            Some(payload) => Taken::Event(payload.into()),
            None => {
                subscriber.waiter = Some(waiter(subscriber.waiter.take()));
                Taken::Nothing
            }
        }
    }

    pub(super) fn wake_all(&mut self) -> impl Iterator<Item = W> {
        self.all.iter_mut().filter_map(|subscriber| subscriber.waiter.take())
    }
}
