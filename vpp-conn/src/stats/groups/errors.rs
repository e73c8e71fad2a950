//! What graph nodes count by reason: errors, and much that is none.

use std::sync::Arc;

use crate::stats::error::StatsError;
use crate::stats::pattern::Pattern;
use crate::stats::selection::Selection;
use crate::stats::source::VppSource;
use crate::stats::value::{Column, Value};

const PREFIX: &str = "/err/";

/// The error counters of all graph nodes.
#[derive(Debug)]
pub struct Errors(Selection);

/// How often a node met one reason.
#[derive(Clone, Copy, Debug)]
pub struct ErrorCounter<'a> {
    /// The node.
    pub node: &'a str,
    /// The reason.
    pub reason: &'a str,
    /// How often, by thread.
    pub count: Column<'a, u64>,
}

impl Errors {
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

    /// All counters, most of them zero.
    pub fn iter(&self) -> impl Iterator<Item = ErrorCounter<'_>> {
        self.0.entries().filter_map(|entry| {
            let (node, reason) = entry.name().strip_prefix(PREFIX)?.split_once('/')?;
            match entry.value() {
                Value::Simple(counters) => Some(ErrorCounter { node, reason, count: counters.column(0) }),
                _ => None,
            }
        })
    }

    /// The entries themselves.
    #[must_use]
    pub fn selection(&self) -> &Selection {
        &self.0
    }
}
