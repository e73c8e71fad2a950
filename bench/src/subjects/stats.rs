//! What it costs to read 3,000 statistics again, beside copying as many words.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use anyhow::{Result, ensure};
use vpp_conn::stats::{Pattern, Stats, Value};

use super::Setup;
use crate::report::Table;
use crate::rounds::{Compare, Round, Way, take_turns};

/// Entries that are read.
pub(crate) const ENTRIES: usize = 3_000;
/// Reads of one round.
const READS: usize = 100;

/// Reads the error counters.
pub(super) fn measure(setup: &Setup<'_>) -> Result<Vec<Table>> {
    let stats = Stats::connect(setup.stats_socket)?;
    // As many as are wanted, by name: a VPP has more.
    let errors = stats.select("/err/")?;
    let mut names =
        errors.entries().take(ENTRIES).map(|entry| Pattern::exact(entry.name())).collect::<Vec<_>>();
    let mut selection = stats.select_all(names.drain(..))?;
    let entries = selection.len();
    ensure!(entries > 0, "{} has no error counters", setup.peer);
    let mut again =
        stats.select_all(errors.entries().take(ENTRIES).map(|entry| Pattern::exact(entry.name())))?;

    let shared: Vec<AtomicU64> = (0..entries as u64).map(AtomicU64::new).collect();
    let places: Vec<usize> = (0..entries).collect();
    let mut copied = vec![0; entries];
    let ways = vec![
        Way::new("copy of as many words", || {
            repeat(&mut || {
                for (copied, place) in copied.iter_mut().zip(&places) {
                    *copied = shared[*place].load(Ordering::Relaxed);
                }
                std::hint::black_box(&copied);
                Ok(())
            })
        }),
        Way::new("refresh", || repeat(&mut || Ok(selection.refresh()?))),
        Way::new("refresh, sum of each", || {
            repeat(&mut || {
                again.refresh()?;
                let sum: u64 = again
                    .entries()
                    .map(|entry| match entry.value() {
                        Value::Simple(counters) => counters.column(0).sum(),
                        _ => 0,
                    })
                    .sum();
                std::hint::black_box(sum);
                Ok(())
            })
        }),
        Way::new("select (names anew)", || {
            repeat(&mut || {
                std::hint::black_box(stats.select("/err/")?);
                Ok(())
            })
        }),
    ];
    let rows = take_turns(ways, setup.rounds, Compare::Medians)?;
    let about = format!(
        "statistics, {entries} error counters: {} rounds of {READS} reads, {}",
        setup.rounds, setup.peer
    );
    Ok(vec![Table::new("stats", about, rows)])
}

fn repeat(work: &mut dyn FnMut() -> Result<()>) -> Result<Round> {
    let mut each = Vec::with_capacity(READS);
    let round = Round::of(READS, || {
        (0..READS).try_for_each(|_| {
            let started = Instant::now();
            work()?;
            each.push(started.elapsed());
            Ok(())
        })
    })?;
    Ok(Round { each, cpu: None, ..round })
}
