//! VPP as a whole.

use std::sync::Arc;

use super::Places;
use crate::stats::error::StatsError;
use crate::stats::pattern::Pattern;
use crate::stats::selection::Selection;
use crate::stats::source::VppSource;
use crate::stats::value::Value;

const PLACES: [&str; 9] = [
    "/sys/heartbeat",
    "/sys/boottime",
    "/sys/last_update",
    "/sys/last_stats_clear",
    "/sys/vector_rate",
    "/sys/input_rate",
    "/sys/num_worker_threads",
    "/sys/vector_rate_per_worker",
    "/sys/loops_per_worker",
];

/// What VPP says of itself, as of its last update (every 10 seconds by default).
#[derive(Debug)]
pub struct System {
    selection: Selection,
    places: Places<9>,
}

/// What VPP says of one of its threads; 0 is the main thread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Thread {
    /// Packets per run of a node, on average.
    pub vector_rate: u64,
    /// Rounds of its main loop per second (21.06).
    pub loops_per_second: u64,
}

impl System {
    pub(in crate::stats) fn new(source: Arc<VppSource>) -> Result<Self, StatsError> {
        let selection = Selection::new(source, PLACES.iter().map(|name| Pattern::exact(name)).collect())?;
        let mut group = Self { selection, places: Places::new() };
        group.places.update(&group.selection, &PLACES);
        Ok(group)
    }

    /// Reads the values anew; see [`Selection::refresh`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn refresh(&mut self) -> Result<(), StatsError> {
        self.selection.refresh()?;
        self.places.update(&self.selection, &PLACES);
        Ok(())
    }

    fn number(&self, place: usize) -> Option<u64> {
        match self.places.value(&self.selection, place) {
            // They became gauges with 26.02.
            Value::Scalar(number) | Value::Gauge(number) => Some(number),
            _ => None,
        }
    }

    /// How often VPP updated its statistics. One that stands still for longer than the update interval is stuck.
    #[must_use]
    pub fn heartbeat(&self) -> Option<u64> {
        self.number(0)
    }

    /// When VPP started, in seconds since 1970.
    #[must_use]
    pub fn boottime(&self) -> Option<u64> {
        self.number(1)
    }

    /// When VPP last updated its statistics, in seconds since its start.
    #[must_use]
    pub fn last_update(&self) -> Option<u64> {
        self.number(2)
    }

    /// When statistics were cleared, in seconds since VPP's start; 0 for never.
    #[must_use]
    pub fn last_stats_clear(&self) -> Option<u64> {
        self.number(3)
    }

    /// Packets per run of a node, on average over the threads.
    #[must_use]
    pub fn vector_rate(&self) -> Option<u64> {
        self.number(4)
    }

    /// Packets per second that come in.
    #[must_use]
    pub fn input_rate(&self) -> Option<u64> {
        self.number(5)
    }

    /// How many worker threads there are, beside the main thread.
    #[must_use]
    pub fn worker_threads(&self) -> Option<u64> {
        self.number(6)
    }

    /// What VPP says of each thread; the main thread is the first.
    pub fn threads(&self) -> impl Iterator<Item = Thread> {
        // VPP keeps these by index, all in the row of its main thread.
        let rates = self.places.simple(&self.selection, 7);
        let loops = self.places.simple(&self.selection, 8);
        // One more may be there than there are threads.
        let threads =
            self.worker_threads().map_or(rates.len(), |workers| (workers as usize).saturating_add(1));
        (0..rates.len().min(threads)).map(move |index| Thread {
            vector_rate: rates.get(0, index).unwrap_or(0),
            loops_per_second: loops.get(0, index).unwrap_or(0),
        })
    }

    /// The entries themselves.
    #[must_use]
    pub fn selection(&self) -> &Selection {
        &self.selection
    }
}
