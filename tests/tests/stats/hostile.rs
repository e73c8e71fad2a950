//! Segments with any content: an answer or an error, and nothing else.

use proptest::prelude::*;
use vpp_conn::stats::{Stats, StatsError, Value};
use vpp_sim::stats::{Format, Segment};

/// A small segment with an entry of each kind.
fn segment(format: Format) -> Segment {
    let mut segment = Segment::with_threads(format, 2, 256 << 10);
    segment.add_interface("loop0");
    segment.add_error("node", "reason");
    if format == Format::Current {
        segment.histogram("/h", 2, 3, 4);
        segment.ring("/r", 2, 4, 16, "schema");
    }
    segment
}

/// Reads everything there is.
fn read_all(bytes: Vec<u8>) -> Result<usize, StatsError> {
    let len = bytes.len();
    let stats = Stats::of_copy(bytes)?;
    let mut selection = stats.select("")?;
    selection.refresh()?;
    let mut values = 0;
    for entry in selection.entries() {
        assert!(entry.name().len() <= 3 * 128);
        values += match entry.value() {
            Value::Scalar(_) | Value::Gauge(_) | Value::Absent => 1,
            Value::Simple(counters) => {
                let _ = counters.columns().map(|column| column.sum()).fold(0, u64::wrapping_add);
                (0..counters.threads()).map(|thread| counters.thread(thread).len()).sum()
            }
            Value::Combined(counters) => {
                (0..counters.threads()).map(|thread| counters.thread(thread).len()).sum()
            }
            Value::Names(names) => names.iter().map(|(_, name)| 1 + name.len() / 8).sum(),
            Value::Histogram(histogram) => (0..histogram.threads())
                .map(|thread| {
                    let bins = histogram.bins(thread).len();
                    assert!((0..bins).all(|bin| histogram.bound(thread, bin) != Some(0)));
                    bins
                })
                .sum(),
            Value::Ring(ring) => ring.schema().len() / 8 + usize::try_from(ring.written(0) % 8).unwrap(),
            other => panic!("{other:?}"),
        };
    }
    // As much as is in it, and links to as much again.
    assert!(values <= len, "{values} values of {len} bytes");
    if let Ok(mut ring) = stats.ring("/r") {
        for thread in 0..3 {
            let read = ring.read(thread, |_| {})?;
            let _ = read;
        }
    }
    let _ = (stats.interfaces()?.iter().count(), stats.errors()?.iter().count());
    let _ = (stats.memory()?.heaps().len(), stats.buffers()?.pools().len(), stats.nodes()?.iter().count());
    let _ = stats.system()?.threads().count();
    Ok(values)
}

#[test]
fn what_is_not_damaged_is_read() {
    for format in Format::ALL {
        assert!(read_all(segment(format).bytes()).unwrap() > 50, "{format:?}");
    }
}

/// Where the segment keeps what leads elsewhere: words that are not zero.
fn words(bytes: &[u8]) -> Vec<usize> {
    (0..bytes.len() / 4).map(|at| at * 4).filter(|&at| bytes[at..at + 4] != [0; 4]).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_words_changed(
        format in prop::sample::select(&Format::ALL[..]),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0..6u8), 1..4),
    ) {
        let mut bytes = segment(format).bytes();
        let words = words(&bytes);
        for (place, value, how) in changes {
            let at = *place.get(&words);
            let old = u32::from_ne_bytes(bytes[at..at + 4].try_into().unwrap());
            let new = match how {
                0 => 0,
                1 => u32::MAX,
                2 => old.wrapping_add(1),
                3 => old ^ (1 << value.index(32)),
                // What leads to another place of the segment.
                4 => *value.get(&words) as u32,
                _ => value.index(usize::MAX) as u32,
            };
            bytes[at..at + 4].copy_from_slice(&new.to_ne_bytes());
        }
        let _ = read_all(bytes);
    }

    #[test]
    fn any_part_cut_off(format in prop::sample::select(&Format::ALL[..]), part in any::<prop::sample::Index>()) {
        let mut bytes = segment(format).bytes();
        bytes.truncate(part.index(bytes.len()));
        let _ = read_all(bytes);
    }

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..4096)) {
        let _ = read_all(bytes);
    }
}

/// Every entry claims the largest vector there is: their sum is not believed.
#[test]
fn entries_that_share_their_values_take_no_more_memory_than_there_is() {
    let mut segment = Segment::with_threads(Format::Current, 1, 1 << 20);
    segment.simple("/big", 1, 100_000);
    let target = segment.entry_names().len() - 1;
    for index in 0..20 {
        segment.simple(&format!("/copy/{index}"), 1, 0);
    }
    let mut bytes = segment.bytes();
    let directory =
        usize::try_from(u64::from_ne_bytes(bytes[32..40].try_into().unwrap()) - 0x1_3000_0000).unwrap();
    let big = bytes[directory + target * 144 + 8..][..8].to_vec();
    for index in 0..20 {
        bytes[directory + (target + 1 + index) * 144 + 8..][..8].copy_from_slice(&big);
    }
    let error = Stats::of_copy(bytes).unwrap().select("").unwrap_err();
    assert!(error.to_string().contains("more values than its 1048576 bytes have room for"), "{error}");
}

/// VPP ends each name with a NUL; a segment need not.
#[test]
fn a_name_that_fills_its_place_is_read_again() {
    for format in Format::ALL {
        let mut segment = segment(format);
        let long = "/long/".to_owned() + &"x".repeat(121);
        segment.scalar(&long, 7);
        // Something behind it, so that its name is not followed by zeros.
        segment.scalar("/long/behind", 8);
        let mut bytes = segment.bytes();
        // Also where the directory was before it grew.
        let at = (0..bytes.len() - 128).filter(|&at| bytes[at..].starts_with(long.as_bytes()));
        for at in at.collect::<Vec<_>>() {
            bytes[at + 127] = b'x';
        }
        let mut selection = Stats::of_copy(bytes).unwrap().select("/long/").unwrap();
        selection.refresh().unwrap();
        let names: Vec<_> = selection.entries().map(|entry| entry.name().len()).collect();
        assert_eq!(names, [128, 12], "{format:?}");
        assert!(matches!(selection.at(0).unwrap().value(), Value::Scalar(7)));
    }
}

#[test]
fn counters_of_any_value_are_summed_without_a_panic() {
    let mut segment = segment(Format::Current);
    for name in ["/if/rx", "/if/drops", "/sys/vector_rate_per_worker"] {
        for thread in 0..if name.starts_with("/sys") { 1 } else { 2 } {
            segment.count(name, thread, 0, &[u64::MAX]);
            segment.count(name, thread, 1, &[u64::MAX]);
        }
    }
    segment.set("/sys/num_worker_threads", u64::MAX);
    segment.count_bin("/h", 0, 0, u64::MAX);
    segment.count_bin("/h", 0, 1, u64::MAX);
    segment.count("/h", 0, 0, &[u64::MAX]);
    read_all(segment.bytes()).unwrap();
    let interfaces = Stats::of_copy(segment.bytes()).unwrap().interfaces().unwrap();
    assert_eq!(interfaces.get(0).unwrap().drops().sum(), u64::MAX - 1, "counters wrap");
}

/// A ring of no bytes and four thousand million places ends as well.
#[test]
fn a_ring_of_empty_records_is_no_endless_loop() {
    let mut segment = segment(Format::Current);
    segment.ring("/empty", 1, 4, 0, "");
    let mut bytes = segment.bytes();
    let at = (0..bytes.len() - 28)
        .step_by(4)
        .find(|&at| {
            bytes[at..at + 20] == [[0, 0, 0, 0], [4, 0, 0, 0], [1, 0, 0, 0], [0; 4], [1, 0, 0, 0]].concat()
        })
        .unwrap();
    bytes[at + 4..at + 8].copy_from_slice(&u32::MAX.to_ne_bytes());
    // As much written as a counter can say.
    bytes[at + 64 + 8..at + 64 + 16].copy_from_slice(&u64::MAX.to_ne_bytes());
    let mut ring = Stats::of_copy(bytes).unwrap().ring("/empty").unwrap();
    assert_eq!(ring.state().unwrap().written(0), u64::MAX);
    assert_eq!(ring.read(0, |_| panic!("there is nothing")).unwrap().records, 0);
}
