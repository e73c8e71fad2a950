//! How large a segment is, and what is in it.

use super::layout::{PAGE, element};
use super::queue::{Queue, Ring};

/// Bytes of the element that the receive queue lies in. VPP keeps 16 bits of an element's size, so it takes this one for
/// empty and never uses it.
pub(super) const RECEIVE_RING: usize = 65_536;

/// The longest size of an element's message that VPP's 16 bits can hold.
const MAX_SIZE: u32 = 65_504;

/// What the largest request of the transport's own takes.
const MIN_LARGEST: u32 = 128;

/// The deepest receive queue that its element holds.
pub const MAX_QUEUE_DEPTH: u32 = 8_000;

/// Rings and queues of a client's shared memory.
///
/// The memory is VPP's and its size is fixed when a connection is made. Pages that are never used cost nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Config {
    receive: Vec<RingConfig>,
    send: Vec<RingConfig>,
    queue_depth: u32,
    input_depth: u32,
    held: u32,
    heap: u32,
}

/// A ring of equal elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RingConfig {
    /// Bytes of the largest message an element holds, less 8. A multiple of 8, up to 65,504.
    pub size: u32,
    /// Elements.
    pub count: u16,
}

impl Default for Config {
    fn default() -> Self {
        let rings = |counts: [(u32, u16); 4]| counts.map(|(size, count)| RingConfig { size, count }).to_vec();
        Self {
            receive: rings([(232, 2048), (1000, 1536), (8168, 64), (MAX_SIZE, 8)]),
            send: rings([(232, 2048), (1000, 256), (8168, 32), (MAX_SIZE, 4)]),
            queue_depth: 1024,
            input_depth: 1024,
            held: 256,
            heap: 64 << 20,
        }
    }
}

impl Config {
    /// How many messages may wait to be taken before VPP's main thread has to wait. By default 1,024, at most
    /// [`MAX_QUEUE_DEPTH`]. The first rings of [`Config::receive_rings`] should have more elements than this and
    /// [`Config::hold`] together.
    pub fn depth(mut self, messages: u32) -> Self {
        self.queue_depth = messages.clamp(1, MAX_QUEUE_DEPTH);
        self
    }

    /// How many requests may wait for VPP in shared memory; more wait in this process. By default 1,024.
    pub fn requests(mut self, requests: u16) -> Self {
        self.input_depth = u32::from(requests.max(1));
        self
    }

    /// How many received messages are read in place at a time; more are copied. By default 256.
    pub fn hold(mut self, messages: u32) -> Self {
        self.held = messages;
        self
    }

    /// Rings for messages of VPP, from small to large.
    pub fn receive_rings(mut self, rings: impl IntoIterator<Item = RingConfig>) -> Self {
        self.receive = rings.into_iter().map(RingConfig::sound).collect();
        self.receive.sort_unstable_by_key(|ring| ring.size);
        self
    }

    /// Rings for requests, from small to large. What does not fit goes over the socket.
    pub fn send_rings(mut self, rings: impl IntoIterator<Item = RingConfig>) -> Self {
        self.send = rings.into_iter().map(RingConfig::sound).collect();
        self.send.sort_unstable_by_key(|ring| ring.size);
        // A client introduces itself in one of them.
        match self.send.last_mut() {
            Some(largest) => largest.size = largest.size.max(MIN_LARGEST),
            None => self.send.push(RingConfig { size: MIN_LARGEST, count: 1 }),
        }
        self
    }

    /// Bytes for messages that have no place in a ring, and for VPP's own records. VPP ends when it runs out of them. By
    /// default 64 MiB.
    pub fn heap(mut self, bytes: u32) -> Self {
        self.heap = bytes.max(1 << 20);
        self
    }

    pub(crate) fn queue_depth(&self) -> u32 {
        self.queue_depth
    }

    pub(crate) fn held_messages(&self) -> u32 {
        self.held
    }

    /// Bytes to be asked for.
    #[must_use]
    pub fn segment_size(&self) -> u32 {
        let rings: usize = self
            .receive
            .iter()
            .chain(&self.send)
            .map(|ring| 64 + Ring::len_for(ring.size, ring.count.into()))
            .sum();
        let queues = 64 + Queue::len_for(self.input_depth) + 256 + RECEIVE_RING + element::OVERHEAD;
        // VPP's own heap of the region, and room for what an allocator adds.
        let len = rings + queues + (256 << 10) + self.heap as usize;
        u32::try_from(len.next_multiple_of(PAGE)).unwrap_or(!(PAGE as u32 - 1))
    }

    /// What `sock_init_shm` lists: one word for each ring and the queue.
    #[must_use]
    pub fn words(&self) -> Vec<u64> {
        let word = |kind: u64, count: u32, size: u32| kind | u64::from(count) << 16 | u64::from(size) << 32;
        let rings = |kind, rings: &[RingConfig]| {
            rings.iter().map(|ring| word(kind, ring.count.into(), ring.size)).collect::<Vec<_>>()
        };
        let own = word(SEND, 1, RECEIVE_RING as u32);
        [rings(RECEIVE, &self.receive), rings(SEND, &self.send), vec![own, word(QUEUE, self.input_depth, 8)]]
            .concat()
    }
}

/// Kinds of what `sock_init_shm` lists.
pub(super) const RECEIVE: u64 = 0;
pub(super) const SEND: u64 = 1;
pub(super) const QUEUE: u64 = 2;

impl RingConfig {
    /// What VPP can make of it.
    fn sound(self) -> Self {
        Self {
            size: self.size.clamp(8, MAX_SIZE).next_multiple_of(8).min(MAX_SIZE),
            count: self.count.max(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_the_protocol() {
        let config = Config::default()
            .receive_rings([RingConfig { size: 1, count: 0 }])
            .send_rings([RingConfig { size: u32::MAX, count: 4 }])
            .requests(7);
        let words = config.words();
        assert_eq!(words, [0x8_0001_0000, 0xffe0_0004_0001, 0x1_0000_0001_0001, 0x8_0007_0002]);
        assert!(config.segment_size() > 64 << 20 && config.segment_size() % 4096 == 0);
    }
}
