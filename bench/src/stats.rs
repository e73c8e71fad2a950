//! What it costs to read 3,000 statistics again, beside copying as many words.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use vpp_conn::stats::{Pattern, Stats, Value};
use vpp_sim::stats::{Format, Segment, StatsSim};

/// Entries that are read.
const ENTRIES: usize = 3_000;

/// What was measured.
pub(crate) struct StatsFigures {
    /// Who wrote the statistics.
    peer: String,
    entries: usize,
    /// A plain loop that copies as many words of memory shared between threads, found by their places.
    copy: Duration,
    /// `Selection::refresh`.
    refresh: Duration,
    /// As before, and a look at each value.
    refresh_and_sum: Duration,
    /// `Stats::select`: names looked up anew.
    select: Duration,
    /// Of one refresh.
    allocations: f64,
}

/// Reads the error counters of a VPP (its stats socket is beside its API socket), or of the stand-in.
pub(crate) fn measure(api_socket: Option<&Path>, rounds: usize) -> Result<StatsFigures> {
    let sim;
    let (socket, peer) = match api_socket.map(|socket| socket.with_file_name("stats.sock")) {
        Some(socket) if socket.exists() => {
            let peer = format!("VPP at {}", socket.display());
            (socket, peer)
        }
        _ => {
            let mut segment = Segment::with_threads(Format::Current, 1, 32 << 20);
            for index in 0..ENTRIES {
                segment.add_error("node", &format!("reason number {index}"));
            }
            sim = StatsSim::with_segment(segment)?;
            (sim.socket().to_owned(), "the stand-in".to_owned())
        }
    };
    let stats = Stats::connect(&socket)?;
    // As many as are wanted, by name: a VPP has more.
    let errors = stats.select("/err/")?;
    let names = errors.entries().take(ENTRIES).map(|entry| Pattern::exact(entry.name()));
    let mut selection = stats.select_all(names)?;
    let entries = selection.len();
    ensure!(entries > 0, "{peer} has no error counters");

    let shared: Vec<AtomicU64> = (0..entries as u64).map(AtomicU64::new).collect();
    let places: Vec<usize> = (0..entries).collect();
    let mut copied = vec![0; entries];
    let mut times: [Vec<Duration>; 4] = std::array::from_fn(|_| Vec::new());
    let mut allocations = 0;
    // The first rounds warm up and are not counted: the last room for values is made in the third.
    for round in 0..rounds + 3 {
        let started = Instant::now();
        for (copied, place) in copied.iter_mut().zip(&places) {
            *copied = shared[*place].load(Ordering::Relaxed);
        }
        std::hint::black_box(&copied);
        let copy = started.elapsed();

        let mut outcome = Ok(());
        let mut refresh = Duration::ZERO;
        let counted = allocation_counter::measure(|| {
            let started = Instant::now();
            outcome = selection.refresh();
            refresh = started.elapsed();
        });
        outcome?;

        let started = Instant::now();
        selection.refresh()?;
        let sum: u64 = selection
            .entries()
            .map(|entry| match entry.value() {
                Value::Simple(counters) => counters.column(0).sum(),
                _ => 0,
            })
            .sum();
        std::hint::black_box(sum);
        let refresh_and_sum = started.elapsed();

        let started = Instant::now();
        std::hint::black_box(stats.select("/err/")?);
        let select = started.elapsed();
        if round >= 3 {
            allocations += counted.count_total;
            for (times, time) in times.iter_mut().zip([copy, refresh, refresh_and_sum, select]) {
                times.push(time);
            }
        }
    }
    let [copy, refresh, refresh_and_sum, select] = times.map(|mut times| {
        times.sort_unstable();
        times.get(times.len() / 2).copied().unwrap_or_default()
    });
    let allocations = allocations as f64 / rounds as f64;
    Ok(StatsFigures { peer, entries, copy, refresh, refresh_and_sum, select, allocations })
}

impl StatsFigures {
    fn rows(&self) -> [(&'static str, Duration, Option<f64>); 4] {
        [
            ("plain copy loop", self.copy, None),
            ("refresh", self.refresh, Some(self.allocations)),
            ("refresh, sum of each", self.refresh_and_sum, None),
            ("select (names anew)", self.select, None),
        ]
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        let rows: Vec<_> = self
            .rows()
            .iter()
            .map(|(way, p50, allocations)| {
                serde_json::json!({
                    "way": way,
                    "p50_us": p50.as_secs_f64() * 1e6,
                    "ratio_to_copy": p50.as_secs_f64() / self.copy.as_secs_f64(),
                    "allocations": allocations,
                })
            })
            .collect();
        serde_json::json!({ "peer": self.peer, "entries": self.entries, "ways": rows })
    }

    pub(crate) fn write(&self, out: &mut impl std::io::Write) -> std::io::Result<()> {
        writeln!(out, "statistics, {} error counters, against {}", self.entries, self.peer)?;
        writeln!(out, "{:<22} {:>9} {:>8} {:>12}", "", "p50", "to copy", "allocations")?;
        for (way, p50, allocations) in self.rows() {
            writeln!(
                out,
                "{:<22} {:>6.1} us {:>8.1} {:>12}",
                way,
                p50.as_secs_f64() * 1e6,
                p50.as_secs_f64() / self.copy.as_secs_f64(),
                allocations.map_or_else(String::new, |count| format!("{count:.4}"))
            )?;
        }
        Ok(())
    }
}
