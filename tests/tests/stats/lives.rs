//! A VPP that ends, comes back, hangs, or is none.

use std::time::{Duration, Instant};

use vpp_conn::stats::{Damage, Selection, Stats, StatsCause, StatsError, Value};
use vpp_sim::private_vpp::PrivateVpp;
use vpp_sim::stats::{Format, Handing, Segment, StatsSim};
use vppkit_tests::limit;

fn drops(selection: &Selection) -> u64 {
    match selection.get("/if/drops").map(|entry| entry.value()) {
        Some(Value::Simple(counters)) => counters.sum(),
        other => panic!("{other:?}"),
    }
}

/// The name is that of the defect of GoVPP that this is about: it gives up after 3 seconds.
#[test]
fn stats_survive_a_10_s_absence() {
    let mut sim = StatsSim::start(Format::Renumbered).unwrap();
    sim.segment().count("/if/drops", 0, 0, &[7]);
    let stats = Stats::connect(sim.socket()).unwrap();
    let mut selection = stats.select("/if/*").unwrap();
    assert_eq!(drops(&selection), 7);
    sim.kill();
    // The time itself is what this test is about.
    let began = Instant::now();
    let mut failures = 0;
    while began.elapsed() < Duration::from_secs(10) {
        let error = selection.refresh().unwrap_err();
        assert!(matches!(error, StatsError::Connect { cause: StatsCause::Socket(_), .. }), "{error}");
        assert_eq!(drops(&selection), 7, "the last values stay readable");
        failures += 1;
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(failures > 20, "{failures}");
    // Another release comes back.
    let mut segment = Segment::new(Format::Current);
    segment.count("/if/drops", 0, 0, &[3]);
    sim.start_again(segment).unwrap();
    selection.refresh().unwrap();
    assert_eq!((drops(&selection), selection.generation()), (3, 2));
    assert!(selection.interval().is_none(), "no rate over two lives");
    assert!(stats.interfaces().is_ok());
}

#[test]
fn stats_survive_a_10_s_absence_of_a_real_vpp() {
    let Some(binary) = PrivateVpp::find() else {
        eprintln!("skipped: stats_survive_a_10_s_absence_of_a_real_vpp: no VPP; set VPP_BIN");
        return;
    };
    let mut vpp = PrivateVpp::builder().binary(binary).start().unwrap();
    let mut selection = Stats::connect(vpp.stats_socket()).unwrap().select("/if/*").unwrap();
    let entries = selection.len();
    vpp.kill();
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(10) {
        let error = selection.refresh().unwrap_err();
        assert!(matches!(error, StatsError::Connect { .. }), "{error}");
        assert_eq!(selection.len(), entries, "the last values stay readable");
        std::thread::sleep(Duration::from_millis(20));
    }
    vpp.start_again().unwrap();
    // VPP opens this socket a moment after the other.
    let began = Instant::now();
    while let Err(error) = selection.refresh() {
        assert!(began.elapsed() < limit(30), "{error}");
        std::thread::yield_now();
    }
    assert_eq!((selection.len(), selection.generation()), (entries, 2));
}

#[test]
fn a_restart_between_two_refreshes_is_noticed() {
    let mut sim = StatsSim::start(Format::Current).unwrap();
    let mut selection = Stats::connect(sim.socket()).unwrap().select("/if/*").unwrap();
    for life in 1..20 {
        let mut segment = Segment::new(if life % 2 == 0 { Format::Current } else { Format::Version1 });
        segment.count("/if/drops", 0, 0, &[life]);
        sim.start_again(segment).unwrap();
        selection.refresh().unwrap();
        assert_eq!((drops(&selection), selection.generation()), (life, life + 1));
    }
}

#[test]
fn who_hands_nothing_out_is_told_apart_from_who_hangs() {
    let sim = StatsSim::start(Format::Current).unwrap();
    sim.hand_out(Handing::Nothing);
    let error = Stats::connect(sim.socket()).unwrap_err();
    assert!(matches!(error, StatsError::Connect { cause: StatsCause::NoSegment, .. }), "{error}");
    sim.hand_out(Handing::Stuck);
    let error = Stats::connect(sim.socket()).unwrap_err();
    assert!(matches!(error, StatsError::Connect { cause: StatsCause::TimedOut(_), .. }), "{error}");
    let error = Stats::connect("/nowhere/stats.sock").unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("cannot read VPP's statistics at /nowhere/stats.sock: there is no socket"),
        "{error}"
    );
}

#[test]
fn what_is_no_segment_is_said() {
    let mut segment = Segment::new(Format::Current);
    segment.poke(0, &77u64.to_ne_bytes());
    let sim = StatsSim::with_segment(segment).unwrap();
    let error = Stats::connect(sim.socket()).unwrap_err();
    assert!(
        matches!(error, StatsError::Connect { cause: StatsCause::Layout { first_words: [77, _], .. }, .. }),
        "{error}"
    );
}

#[test]
fn a_vpp_that_stays_in_a_change_is_busy_and_then_read_again() {
    let sim = StatsSim::start(Format::Current).unwrap();
    let mut selection = Stats::connect(sim.socket()).unwrap().select("/if/*").unwrap();
    sim.segment().lock();
    sim.segment().count("/if/drops", 0, 0, &[5]);
    assert!(matches!(selection.refresh(), Err(StatsError::Busy(_))));
    assert_eq!(drops(&selection), 0);
    sim.segment().unlock();
    selection.refresh().unwrap();
    assert_eq!(drops(&selection), 5);
}

#[test]
fn a_segment_that_cannot_shrink_stays_mapped_and_one_that_can_is_read_without_a_fault() {
    let mut sim = StatsSim::start(Format::Current).unwrap();
    assert!(sim.cut(4096).is_err(), "sealed, as VPP's is");
    sim.start_again_unsealed(Segment::new(Format::Current)).unwrap();
    sim.segment().count("/if/drops", 0, 0, &[5]);
    let mut selection = Stats::connect(sim.socket()).unwrap().select("/if/*").unwrap();
    assert_eq!(drops(&selection), 5);
    sim.cut(4096).unwrap();
    let error = selection.refresh().unwrap_err();
    assert!(matches!(error, StatsError::Damaged(Damage::Outside { .. })), "{error}");
    assert_eq!(drops(&selection), 5);
}

#[test]
fn a_real_vpp_may_be_killed_at_any_time() {
    let Some(binary) = PrivateVpp::find() else {
        eprintln!("skipped: a_real_vpp_may_be_killed_at_any_time: no VPP; set VPP_BIN");
        return;
    };
    let mut vpp = PrivateVpp::builder().binary(binary).start().unwrap();
    let stats = Stats::connect(vpp.stats_socket()).unwrap();
    let mut interfaces = stats.interfaces().unwrap();
    assert_eq!(
        interfaces.iter().map(|interface| interface.name().to_owned()).collect::<Vec<_>>(),
        ["local0"]
    );
    vpp.cli("create loopback interface").unwrap();
    interfaces.refresh().unwrap();
    assert_eq!(interfaces.iter().count(), 2);
    vpp.kill();
    // At once: the process is watched, the socket's file is still there.
    assert!(interfaces.refresh().is_err());
    assert_eq!(interfaces.iter().count(), 2, "what was read stays readable");
    vpp.start_again().unwrap();
    // VPP opens this socket a moment after the other.
    let began = Instant::now();
    while let Err(error) = interfaces.refresh() {
        assert!(began.elapsed() < limit(30), "{error}");
        std::thread::yield_now();
    }
    assert_eq!(interfaces.iter().count(), 1);
    assert_eq!(interfaces.selection().generation(), 2);
}
