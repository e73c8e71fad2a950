//! Error counters of graph nodes: entries of a type of their own, later links to a matrix.

use super::Segment;
use crate::stats::format::{Format, Kind};

impl Segment {
    /// Adds an error counter.
    pub fn add_error(&mut self, node: &str, reason: &str) {
        let (index, name) = (self.errors.len(), format!("/err/{node}/{reason}"));
        self.errors.push(name.clone());
        if self.format >= Format::Renumbered {
            if self.row_words("/node/errors", 0, 1).len() <= index {
                self.grow("/node/errors", (index + 1).next_power_of_two());
            }
            self.symlink(&name, "/node/errors", index);
            return;
        }
        self.lock();
        self.error_matrix(index + 1);
        self.add(&name, Kind::ErrorIndex, |_, _| index as u64);
        self.unlock();
    }

    /// Gives an error counter a value; the first that was added is number 0.
    pub fn count_error(&mut self, thread: usize, index: usize, value: u64) {
        if self.format >= Format::Renumbered {
            return self.count("/node/errors", thread, index, &[value]);
        }
        let at = self.offset(self.store.u64(self.error_matrix + thread * 8)) + index * 8;
        self.store.put_u64(at, value);
    }

    /// Adds to an error counter, which is added itself where it is not there yet.
    pub fn count_more_errors(&mut self, node: &str, reason: &str, more: u64) {
        let name = format!("/err/{node}/{reason}");
        if !self.errors.contains(&name) {
            self.add_error(node, reason);
        }
        let index = self.errors.iter().position(|known| *known == name).unwrap_or_default();
        if self.format >= Format::Renumbered {
            return self.count_more("/node/errors", 0, index, &[more]);
        }
        let before = self.store.u64(self.offset(self.store.u64(self.error_matrix)) + index * 8);
        self.count_error(0, index, before.wrapping_add(more));
    }

    /// The counters of entries of type "error index", which the header leads to.
    fn error_matrix(&mut self, len: usize) {
        let mut rows = Vec::new();
        for thread in 0..self.threads {
            let row = self.store.vector(len, 8);
            if self.error_matrix > 0 {
                let old = self.offset(self.store.u64(self.error_matrix + thread * 8));
                for index in 0..len - 1 {
                    let value = self.store.u64(old + index * 8);
                    self.store.put_u64(row + index * 8, value);
                }
            }
            rows.push(row);
        }
        self.error_matrix = self.store.vector(rows.len(), 8);
        for (row, at) in rows.iter().zip((self.error_matrix..).step_by(8)) {
            let address = self.address(*row);
            self.store.put_u64(at, address);
        }
        let address = self.address(self.error_matrix);
        self.store.put_u64(self.format.header()[3], address);
    }
}
