//! Packet buffers.

use std::sync::Arc;

use crate::stats::error::StatsError;
use crate::stats::pattern::Pattern;
use crate::stats::selection::Selection;
use crate::stats::source::VppSource;
use crate::stats::value::Value;

const PREFIX: &str = "/buffer-pools/";

/// How full the buffer pools are, as of VPP's last update (every 10 seconds by default).
#[derive(Debug)]
pub struct Buffers(Selection);

/// How full a buffer pool is, in buffers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BufferPool<'a> {
    /// The pool: `default-numa-0`.
    pub name: &'a str,
    /// Free.
    pub available: u64,
    /// Free, kept by threads for themselves.
    pub cached: u64,
    /// In use.
    pub used: u64,
}

impl Buffers {
    pub(in crate::stats) fn new(source: Arc<VppSource>) -> Result<Self, StatsError> {
        Selection::new(source, vec![Pattern::prefix(PREFIX)]).map(Self)
    }

    /// Reads the values anew; see [`Selection::refresh`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn refresh(&mut self) -> Result<(), StatsError> {
        self.0.refresh()
    }

    /// The pools.
    #[must_use]
    pub fn pools(&self) -> Vec<BufferPool<'_>> {
        let mut pools: Vec<BufferPool<'_>> = Vec::new();
        for entry in self.0.entries() {
            // The pool's name is VPP's own affair; what is behind its last stroke is ours.
            let Some((name, what)) = entry.name().strip_prefix(PREFIX).and_then(|name| name.rsplit_once('/'))
            else {
                continue;
            };
            let (Value::Gauge(count) | Value::Scalar(count)) = entry.value() else { continue };
            let at = pools.iter().position(|pool| pool.name == name).unwrap_or_else(|| {
                pools.push(BufferPool { name, ..BufferPool::default() });
                pools.len() - 1
            });
            match what {
                "available" => pools[at].available = count,
                "cached" => pools[at].cached = count,
                "used" => pools[at].used = count,
                _ => {}
            }
        }
        pools
    }

    /// The entries themselves.
    #[must_use]
    pub fn selection(&self) -> &Selection {
        &self.0
    }
}
