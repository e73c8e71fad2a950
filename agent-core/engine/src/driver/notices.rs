//! What the southbound says by itself, until the planner is told.

use std::collections::HashMap;

use crate::Key;
use crate::planner::Notice;

/// What the southbound said and the planner has not been told yet: the last word on each key.
#[derive(Default)]
pub(crate) struct Notices {
    order: Vec<Key>,
    last: HashMap<Key, Notice>,
}

impl Notices {
    /// `true`: the driver has to be woken.
    pub(crate) fn add(&mut self, notice: Notice) -> bool {
        let first = self.order.is_empty();
        if !self.last.contains_key(&notice.key) {
            self.order.push(notice.key.clone());
        }
        self.last.insert(notice.key.clone(), notice);
        first
    }

    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }

    pub(super) fn take(&mut self) -> Vec<Notice> {
        let mut last = std::mem::take(&mut self.last);
        self.order.drain(..).filter_map(|key| last.remove(&key)).collect()
    }
}
