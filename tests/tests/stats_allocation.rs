//! What reading statistics again allocates: nothing.
#![allow(clippy::unwrap_used)]

use std::alloc::System;

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use vpp_conn::stats::{Stats, Value};
use vpp_sim::stats::{Format, Segment, StatsSim};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// One test, so that nothing else allocates meanwhile.
#[test]
fn a_refresh_allocates_nothing_while_the_directory_stays() {
    let mut segment = Segment::with_threads(Format::Current, 4, 16 << 20);
    for index in 0..3000 {
        segment.add_error("node", &format!("reason {index}"));
    }
    for index in 0..50 {
        segment.add_interface(&format!("loop{index}"));
    }
    segment.count_error(3, 2999, 3);
    let sim = StatsSim::with_segment(segment).unwrap();
    let stats = Stats::connect(sim.socket()).unwrap();
    let mut all = stats.select("").unwrap();
    let mut interfaces = stats.interfaces().unwrap();
    assert!(all.len() > 3800, "{}", all.len());
    // The third set of values is made with the second and third reading.
    for _ in 0..3 {
        all.refresh().unwrap();
        interfaces.refresh().unwrap();
    }
    let region = Region::new(ALLOCATOR);
    let mut sum = 0_u64;
    for _ in 0..100 {
        all.refresh().unwrap();
        interfaces.refresh().unwrap();
        for entry in all.entries() {
            if let Value::Simple(counters) = entry.value() {
                sum += counters.columns().map(|column| column.sum()).sum::<u64>();
            }
        }
        sum += interfaces.iter().map(|interface| interface.rx().sum().packets).sum::<u64>();
    }
    // The counter stands in the matrix, and behind its link.
    let change = region.change();
    assert_eq!((change.allocations, change.reallocations, sum), (0, 0, 100 * 6));
}
