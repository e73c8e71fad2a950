//! Every kind of entry of every layout, and what happens when VPP changes them.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use vpp_conn::stats::{Combined, Pattern, RingRead, Stats, StatsError, Value};
use vpp_sim::stats::{Format, Segment, StatsSim};
use vppkit_tests::limit;

fn stats(segment: &Segment) -> Stats {
    Stats::of_copy(segment.bytes()).unwrap()
}

fn number(stats: &Stats, name: &str) -> Option<u64> {
    match stats.select_all([Pattern::exact(name)]).unwrap().get(name)?.value() {
        Value::Scalar(number) | Value::Gauge(number) => Some(number),
        other => panic!("{name} is {other:?}"),
    }
}

#[test]
fn every_layout_reads_as_it_was_written() {
    for format in Format::ALL {
        let mut segment = Segment::with_threads(format, 3, 4 << 20);
        let loop0 = segment.add_interface("loop0") as usize;
        let eth = segment.add_interface("Gi0/8/0.100") as usize;
        segment.count("/if/rx", 0, loop0, &[10, 1000]);
        segment.count("/if/rx", 2, loop0, &[5, 500]);
        segment.count("/if/drops", 1, eth, &[7]);
        segment.set("/sys/vector_rate", 42);
        segment.count("/sys/vector_rate_per_worker", 0, 2, &[9]);
        segment.add_error("ip4-input", "ip4 ttl <= 1");
        segment.add_error("ip4-input", "bad / length");
        segment.count_error(0, 1, 3);
        segment.count_error(2, 1, 4);
        let stats = stats(&segment);

        assert_eq!(number(&stats, "/sys/vector_rate"), Some(42), "{format:?}");
        let interfaces = stats.interfaces().unwrap();
        let names: Vec<_> = interfaces.iter().map(|interface| interface.name().to_owned()).collect();
        assert_eq!(names, ["local0", "loop0", "Gi0/8/0.100"], "{format:?}");
        let loop0 = interfaces.get(1).unwrap();
        assert_eq!(loop0.rx().sum(), Combined { packets: 15, bytes: 1500 }, "{format:?}");
        let threads: Vec<_> = loop0.rx().threads().map(|counter| counter.packets).collect();
        assert_eq!(threads, [10, 0, 5], "{format:?}");
        assert_eq!(interfaces.get(2).unwrap().drops().threads().collect::<Vec<_>>(), [0, 7, 0], "{format:?}");
        assert_eq!(loop0.tx_broadcast().sum(), Combined::default());
        assert!(interfaces.get(3).is_none());

        let errors = stats.errors().unwrap();
        let errors: Vec<_> =
            errors.iter().map(|e| (e.node.to_owned(), e.reason.to_owned(), e.count.sum())).collect();
        let expected = [("ip4-input", "ip4 ttl <= 1", 0), ("ip4-input", "bad / length", 7)];
        assert_eq!(errors, expected.map(|(n, r, c)| (n.to_owned(), r.to_owned(), c)), "{format:?}");

        let system = stats.system().unwrap();
        assert_eq!((system.vector_rate(), system.worker_threads()), (Some(42), Some(2)), "{format:?}");
        let rates: Vec<_> = system.threads().map(|thread| thread.vector_rate).collect();
        assert_eq!(rates, [0, 0, 9], "{format:?}");

        let links = stats.select("/interfaces/").unwrap();
        if format < Format::ErrorIndex {
            assert!(links.is_empty());
            continue;
        }
        let link = links.get("/interfaces/Gi0_8_0.100/drops").unwrap();
        let Value::Simple(counters) = link.value() else { panic!("{link:?}") };
        assert!(link.is_symlink());
        assert_eq!((counters.len(), counters.sum()), (1, 7), "{format:?}");
        let link = links.get("/interfaces/loop0/rx").unwrap();
        let Value::Combined(counters) = link.value() else { panic!("{link:?}") };
        assert_eq!(counters.column(0).sum(), Combined { packets: 15, bytes: 1500 }, "{format:?}");
    }
}

#[test]
fn gauges_were_numbers_before() {
    for format in Format::ALL {
        let selection = stats(&Segment::new(format)).select("/sys/vector_rate").unwrap();
        let value = selection.at(0).unwrap().value();
        match format {
            Format::Current => assert!(matches!(value, Value::Gauge(0)), "{value:?}"),
            _ => assert!(matches!(value, Value::Scalar(0)), "{format:?} {value:?}"),
        }
    }
}

#[test]
fn removed_entries_leave_holes_that_are_passed_over() {
    for format in Format::ALL {
        let mut segment = Segment::new(format);
        segment.scalar("/x/1", 1);
        segment.scalar("/x/2", 2);
        segment.scalar("/x/3", 3);
        segment.remove("/x/2");
        let names = |segment: &Segment| -> Vec<String> {
            stats(segment).select("/x/").unwrap().entries().map(|entry| entry.name().to_owned()).collect()
        };
        assert_eq!(names(&segment), ["/x/1", "/x/3"], "{format:?}");
        segment.scalar("/x/4", 4);
        assert_eq!(names(&segment), ["/x/1", "/x/4", "/x/3"], "the free place is used: {format:?}");
        assert_eq!(stats(&segment).select("").unwrap().len(), segment.entry_names().len());
    }
}

#[test]
fn histograms_tell_bins_and_bounds() {
    let mut segment = Segment::new(Format::Current);
    segment.histogram("/h", 2, 4, 3);
    segment.count_bin("/h", 1, 0, 5);
    segment.count_bin("/h", 1, 2, 6);
    let selection = stats(&segment).select("/h").unwrap();
    let Value::Histogram(histogram) = selection.at(0).unwrap().value() else { panic!() };
    assert_eq!((histogram.threads(), histogram.first_exponent(1)), (2, Some(4)));
    assert_eq!(histogram.bins(1), [5, 0, 6]);
    assert_eq!(histogram.count(1), 11);
    assert_eq!([0, 1, 2].map(|bin| histogram.bound(1, bin)), [Some(31), Some(63), None]);
}

#[test]
fn a_ring_gives_every_record_once_and_counts_what_was_overwritten() {
    let sim = StatsSim::start(Format::Current).unwrap();
    sim.segment().ring("/ring", 2, 4, 8, "seq: u64");
    let produce = |from: u64, to: u64| {
        for record in from..to {
            sim.segment().produce("/ring", 1, &record.to_ne_bytes());
        }
    };
    let mut ring = Stats::connect(sim.socket()).unwrap().ring("/ring").unwrap();
    let state = ring.state().unwrap();
    assert_eq!((state.entry_len(), state.slots(), state.threads()), (8, 4, 2));
    assert_eq!((state.schema(), state.schema_version()), (&b"seq: u64"[..], 1));
    let mut read = |expected: &[u64], lost| {
        let mut records = Vec::new();
        let read =
            ring.read(1, |record| records.push(u64::from_ne_bytes(record.try_into().unwrap()))).unwrap();
        assert_eq!(records, expected);
        let mut outcome = RingRead::default();
        (outcome.records, outcome.lost) = (expected.len() as u64, lost);
        assert_eq!(read, outcome);
    };
    read(&[], 0);
    produce(0, 3);
    read(&[0, 1, 2], 0);
    read(&[], 0);
    produce(3, 5);
    read(&[3, 4], 0);
    // Of the four places the next record's is not to be trusted.
    produce(5, 15);
    read(&[12, 13, 14], 7);
    assert!(matches!(ring.read(2, |_| panic!()), Ok(RingRead { records: 0, lost: 0, .. })));
    assert!(matches!(Stats::connect(sim.socket()).unwrap().ring("/if/rx"), Err(StatsError::NoRing(_))));
}

#[test]
fn rates_are_between_refreshes_also_over_a_change_of_shape() {
    let sim = StatsSim::start(Format::Current).unwrap();
    let loop0 = sim.segment().add_interface("loop0");
    let mut interfaces = Stats::connect(sim.socket()).unwrap().interfaces().unwrap();
    assert!(interfaces.get(loop0).unwrap().rx().rate().is_none(), "nothing to compare with");
    sim.segment().count("/if/rx", 0, 1, &[1000, 64000]);
    interfaces.refresh().unwrap();
    let seconds = interfaces.selection().interval().unwrap().as_secs_f64();
    let rate = interfaces.get(loop0).unwrap().rx().rate().unwrap();
    assert!((rate.packets * seconds - 1000.0).abs() < 1e-6 && (rate.bytes * seconds - 64000.0).abs() < 1e-3);

    sim.segment().count("/if/rx", 0, 1, &[1500, 96000]);
    sim.segment().add_interface("loop1");
    interfaces.refresh().unwrap();
    let seconds = interfaces.selection().interval().unwrap().as_secs_f64();
    let rate = interfaces.get(loop0).unwrap().rx().thread_rate(0).unwrap();
    assert!((rate.packets * seconds - 500.0).abs() < 1e-6, "{rate:?}");

    // Cleared counters begin at zero.
    sim.segment().count("/if/rx", 0, 1, &[20, 1280]);
    interfaces.refresh().unwrap();
    let seconds = interfaces.selection().interval().unwrap().as_secs_f64();
    let rate = interfaces.get(loop0).unwrap().rx().rate().unwrap();
    assert!((rate.packets * seconds - 20.0).abs() < 1e-6, "{rate:?}");
}

#[test]
fn names_are_resolved_again_only_when_the_directory_changes() {
    let sim = StatsSim::start(Format::Current).unwrap();
    let mut selection = Stats::connect(sim.socket()).unwrap().select("/if/*").unwrap();
    for count in 1..100 {
        sim.segment().count("/if/drops", 0, 0, &[count]);
        selection.refresh().unwrap();
        let Value::Simple(drops) = selection.get("/if/drops").unwrap().value() else { panic!() };
        assert_eq!(drops.get(0, 0), Some(count));
    }
    assert_eq!(selection.resolved(), 1);
    sim.segment().scalar("/new", 1);
    selection.refresh().unwrap();
    assert_eq!(selection.resolved(), 2);
}

#[test]
fn links_that_are_added_or_renamed_without_a_new_epoch_are_seen() {
    let sim = StatsSim::start(Format::Current).unwrap();
    let mut selection = Stats::connect(sim.socket()).unwrap().select("/interfaces/").unwrap();
    let before = selection.len();
    sim.segment().symlink("/interfaces/x/rx", "/if/rx", 0);
    selection.refresh().unwrap();
    assert_eq!(selection.len(), before + 1);
    sim.segment().rename("/interfaces/x/rx", "/interfaces/yy/rx");
    selection.refresh().unwrap();
    assert!(selection.get("/interfaces/x/rx").is_none() && selection.get("/interfaces/yy/rx").is_some());
    // One that is the beginning of the other.
    sim.segment().rename("/interfaces/yy/rx", "/interfaces/yy/rx-miss");
    selection.refresh().unwrap();
    assert!(
        selection.get("/interfaces/yy/rx").is_none() && selection.get("/interfaces/yy/rx-miss").is_some()
    );
    // In a place that was free, so that the directory is as long as before.
    sim.segment().remove("/interfaces/yy/rx-miss");
    selection.refresh().unwrap();
    assert_eq!(selection.len(), before);
    sim.segment().symlink("/interfaces/z/rx", "/if/rx", 0);
    selection.refresh().unwrap();
    assert_eq!(selection.len(), before + 1);
}

/// Of many entries all names are compared once in a while, not each time.
#[test]
fn a_link_of_many_that_is_renamed_without_a_new_epoch_is_seen_soon() {
    let sim = StatsSim::start(Format::Current).unwrap();
    for interface in 0..20 {
        sim.segment().add_interface(&format!("loop{interface}"));
    }
    let mut selection = Stats::connect(sim.socket()).unwrap().select("/interfaces/").unwrap();
    assert!(selection.len() > 300);
    for (old, new) in [("loop7/rx", "loop7/other"), ("loop7/other", "loop7/rx")] {
        sim.segment().rename(&format!("/interfaces/{old}"), &format!("/interfaces/{new}"));
        let began = Instant::now();
        while selection.get(&format!("/interfaces/{new}")).is_none() {
            assert!(began.elapsed() < limit(30));
            selection.refresh().unwrap();
        }
        assert!(selection.get(&format!("/interfaces/{old}")).is_none());
    }
}

/// VPP clears a removed entry's place behind the new epoch, and what it writes there is no value of the entry.
#[test]
fn a_level_that_is_cleared_behind_its_epoch_is_never_shown_as_a_value() {
    let sim = StatsSim::start(Format::Current).unwrap();
    for index in 0..100 {
        sim.segment().gauge(&format!("/level/{index}"), 5);
    }
    let mut selection = Stats::connect(sim.socket()).unwrap().select("/level/").unwrap();
    let index = selection.get("/level/50").unwrap().index() as usize;
    let bytes = sim.segment().bytes();
    let directory = u64::from_ne_bytes(bytes[32..40].try_into().unwrap()) - 0x1_3000_0000;
    let mut cleared = [0; 144];
    // Type: free. Value: the next free place, which there is none of.
    cleared[0] = 5;
    cleared[8..12].copy_from_slice(&u32::MAX.to_ne_bytes());
    sim.segment().poke(directory as usize + index * 144, &cleared);
    selection.refresh().unwrap();
    assert_eq!(selection.len(), 99);
    assert!(selection.entries().all(|entry| matches!(entry.value(), Value::Gauge(5))));
}

/// Copies are laid out by where values lie; each entry finds its own.
#[test]
fn links_and_their_targets_and_neighbours_show_the_same_values() {
    for format in Format::ALL {
        let mut segment = Segment::with_threads(format, 2, 4 << 20);
        for index in 0..40 {
            segment.add_interface(&format!("loop{index}"));
        }
        for thread in 0..2 {
            for index in 0..41 {
                let value = (thread * 1000 + index) as u64;
                segment.count("/if/rx", thread, index, &[value, value * 7]);
                segment.count("/if/drops", thread, index, &[value + 5]);
            }
        }
        let stats = stats(&segment);
        for pattern in ["", "/if/", "/interfaces/"] {
            let selection = stats.select(pattern).unwrap();
            let drops = selection.entries().filter(|entry| entry.name().ends_with("/drops"));
            let mut columns = Vec::new();
            for entry in drops {
                let Value::Simple(counters) = entry.value() else { panic!("{entry:?}") };
                columns.extend(counters.columns().map(|column| column.threads().collect::<Vec<_>>()));
            }
            columns.sort_unstable();
            columns.dedup();
            let expected: Vec<_> = (0..41).map(|index| vec![index + 5, index + 1005]).collect();
            if !columns.is_empty() || pattern != "/interfaces/" || format >= Format::ErrorIndex {
                assert_eq!(columns, expected, "{format:?} {pattern}");
            }
            if let Some(rx) = selection.get("/if/rx") {
                let Value::Combined(rx) = rx.value() else { panic!("{rx:?}") };
                for (index, column) in rx.columns().enumerate() {
                    let index = index as u64;
                    let pair = |value| Combined { packets: value, bytes: value * 7 };
                    assert_eq!(column.threads().collect::<Vec<_>>(), [pair(index), pair(1000 + index)]);
                }
            }
        }
    }
}

#[test]
fn a_place_that_was_taken_by_another_never_lends_it_its_value() {
    let sim = StatsSim::start(Format::Current).unwrap();
    sim.segment().simple("/v", 1, 2);
    sim.segment().count("/v", 0, 0, &[111]);
    sim.segment().count("/v", 0, 1, &[222]);
    sim.segment().symlink("/link/a", "/v", 0);
    let mut selection = Stats::connect(sim.socket()).unwrap().select("/link/").unwrap();
    for (old, new, column, value) in [("a", "b", 1, 222), ("b", "c", 0, 111)] {
        sim.segment().remove(&format!("/link/{old}"));
        sim.segment().symlink(&format!("/link/{new}"), "/v", column);
        selection.refresh().unwrap();
        let seen: Vec<_> = selection.entries().map(|entry| (entry.name(), entry.value())).collect();
        let [(name, Value::Simple(counters))] = &seen[..] else { panic!("{seen:?}") };
        assert_eq!((*name, counters.sum()), (&*format!("/link/{new}"), value));
    }
}

/// Reads counted when there are no more.
const END: u64 = u64::MAX;

/// Tells the writer that nobody reads any more, also when the reader panics.
struct End<'a>(&'a AtomicU64);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(END, Ordering::Release);
    }
}

/// Each counter's value tells its name, while the directory changes as fast as it can.
#[test]
fn values_belong_to_their_names_under_a_storm_of_changes() {
    let sim = StatsSim::with_segment(Segment::with_threads(Format::Current, 2, 64 << 20)).unwrap();
    let (done, reads) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for round in 0..2000_u64 {
                let mut segment = sim.segment();
                let slot = round % 13;
                let name = |round: u64| format!("/storm/{round}");
                if round >= 13 {
                    segment.remove(&name(round - 13));
                }
                let len = 1 + (slot as usize * 7) % 5;
                segment.lock();
                segment.simple(&name(round), 2, len);
                for thread in 0..2 {
                    for index in 0..len {
                        segment.count(&name(round), thread, index, &[round]);
                    }
                }
                segment.unlock();
                drop(segment);
                // In gusts, each of which is read, whoever of the two is faster.
                let seen = reads.load(Ordering::Acquire);
                while round % 8 == 7 && reads.load(Ordering::Acquire) == seen {
                    std::thread::yield_now();
                }
                if seen == END {
                    return;
                }
            }
            done.store(true, Ordering::Release);
        });
        let _end = End(&reads);
        let mut selection = Stats::connect(sim.socket()).unwrap().select("/storm/").unwrap();
        loop {
            let last = done.load(Ordering::Acquire);
            match selection.refresh() {
                Ok(()) => {}
                // The writer was held up by whatever else runs here, in the middle of a change.
                Err(StatsError::Busy(_)) => continue,
                Err(error) => panic!("{error}"),
            }
            reads.fetch_add(1, Ordering::Release);
            for entry in selection.entries() {
                let round: u64 = entry.name().rsplit('/').next().unwrap().parse().unwrap();
                match entry.value() {
                    Value::Simple(counters) => {
                        assert!(
                            (0..counters.threads())
                                .flat_map(|t| counters.thread(t))
                                .all(|value| value == round),
                            "{entry:?}"
                        );
                    }
                    // Being removed.
                    Value::Absent => {}
                    other => panic!("{other:?}"),
                }
            }
            if last {
                break;
            }
        }
        assert_eq!(selection.len(), 13);
    });
}
