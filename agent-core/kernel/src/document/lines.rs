//! Lines of a text.

use std::sync::Arc;

use super::Origin;

/// Lines of a text by offset.
pub(super) struct Lines {
    file: Arc<str>,
    starts: Vec<usize>,
}

impl Lines {
    pub(super) fn new(file: &Arc<str>, text: &str) -> Self {
        let starts = text.match_indices('\n').map(|(at, _)| at + 1).collect();
        Self { file: Arc::clone(file), starts }
    }

    pub(super) fn at(&self, offset: usize) -> Origin {
        self.line(1 + self.starts.partition_point(|start| *start <= offset))
    }

    pub(super) fn line(&self, line: usize) -> Origin {
        Origin::File { file: Arc::clone(&self.file), line }
    }
}
