//! Statistics segments that are damaged: an honest one with words changed, and any bytes at all.
#![no_main]

use std::sync::LazyLock;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use vpp_conn::stats::{Stats, Value};
use vpp_sim::stats::{Format, Segment};

#[derive(Arbitrary, Debug)]
enum Input {
    /// Bytes as they are.
    Any(Vec<u8>),
    /// A layout, where it is cut, and what is written where.
    Damaged { format: u8, len: Option<u32>, changes: Vec<(u32, u32)> },
}

/// A small segment of each layout, with an entry of each kind.
static SEGMENTS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    Format::ALL
        .iter()
        .map(|&format| {
            let mut segment = Segment::with_threads(format, 2, 128 << 10);
            segment.add_interface("loop0");
            segment.add_error("node", "reason");
            if format == Format::Current {
                segment.histogram("/h", 2, 3, 4);
                segment.ring("/r", 2, 4, 16, "schema");
            }
            segment.bytes()
        })
        .collect()
});

fuzz_target!(|input: Input| {
    let bytes = match input {
        Input::Any(bytes) => bytes,
        Input::Damaged { format, len, changes } => {
            let mut bytes = SEGMENTS[usize::from(format) % SEGMENTS.len()].clone();
            for (at, word) in changes {
                let at = (at as usize * 4) % bytes.len();
                bytes[at..at + 4].copy_from_slice(&word.to_ne_bytes());
            }
            bytes.truncate(len.map_or(bytes.len(), |len| len as usize));
            bytes
        }
    };
    let len = bytes.len();
    let Ok(stats) = Stats::of_copy(bytes) else { return };
    let Ok(mut selection) = stats.select("") else { return };
    selection.refresh().expect("what does not change is read again");
    let mut words = 0;
    for entry in selection.entries() {
        words += match entry.value() {
            Value::Simple(counters) => (0..counters.threads()).map(|t| counters.thread(t).len()).sum(),
            Value::Combined(counters) => (0..counters.threads()).map(|t| 2 * counters.thread(t).len()).sum(),
            Value::Names(names) => names.iter().map(|(_, name)| name.len() / 8).sum(),
            Value::Histogram(histogram) => (0..histogram.threads()).map(|t| histogram.bins(t).len()).sum(),
            Value::Ring(ring) => ring.schema().len() / 8,
            _ => 1,
        };
    }
    assert!(words <= len / 4, "{words} words of {len} bytes");
    if let Ok(mut ring) = stats.ring("/r") {
        for thread in 0..3 {
            let _ = ring.read(thread, |record| assert!(record.len() <= len));
        }
    }
    let _ = stats.interfaces().map(|group| group.iter().count());
    let _ = stats.nodes().map(|group| group.iter().count());
    let _ = stats.errors().map(|group| group.iter().count());
    let _ = stats.system().map(|group| group.threads().count());
    let _ = stats.buffers().map(|group| group.pools().len());
    let _ = stats.memory().map(|group| group.heaps().len());
});
