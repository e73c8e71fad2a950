//! Counters of interfaces: columns of matrices, their names, and links to them.

use super::Segment;

/// Counters of interfaces, as VPP has them: of packets, and of packets and bytes.
pub(super) const SIMPLE: [&str; 9] =
    ["drops", "punt", "ip4", "ip6", "rx-no-buf", "rx-miss", "rx-error", "tx-error", "mpls"];
pub(super) const COMBINED: [&str; 8] =
    ["rx", "rx-unicast", "rx-multicast", "rx-broadcast", "tx", "tx-unicast", "tx-multicast", "tx-broadcast"];

/// What VPP calls an interface that was deleted, until its number is used again.
const DELETED: &str = "deleted";

impl Segment {
    /// Adds an interface: a column of all its counters, its name and, from 21.06 on, links. It takes the lowest number
    /// that is free.
    pub fn add_interface(&mut self, name: &str) -> u32 {
        let sw_if_index = self.interfaces.iter().position(Option::is_none).unwrap_or(self.interfaces.len());
        self.put_interface(sw_if_index as u32, name);
        sw_if_index as u32
    }

    /// Adds an interface of this number, which is to be free. What the number counted before is cleared.
    pub fn put_interface(&mut self, sw_if_index: u32, name: &str) {
        let index = sw_if_index as usize;
        if index >= self.interfaces.len() {
            self.interfaces.resize(index + 1, None);
            for counter in SIMPLE.iter().chain(&COMBINED) {
                self.grow(&format!("/if/{counter}"), index + 1);
            }
        }
        for thread in 0..self.threads {
            for (counters, zero) in [(&SIMPLE[..], &[0][..]), (&COMBINED[..], &[0, 0][..])] {
                counters
                    .iter()
                    .for_each(|counter| self.count(&format!("/if/{counter}"), thread, index, zero));
            }
        }
        self.lock();
        self.put_interface_name(index, name);
        let part = name.replace('/', "_");
        for counter in SIMPLE.iter().chain(&COMBINED) {
            self.symlink(&format!("/interfaces/{part}/{counter}"), &format!("/if/{counter}"), index);
        }
        self.unlock();
        self.interfaces[index] = Some(name.to_owned());
    }

    /// Removes an interface. Its name becomes `deleted`, as in VPP, and its counters stay until the number is used again.
    pub fn remove_interface(&mut self, sw_if_index: u32) {
        let Some(name) = self.interfaces.get_mut(sw_if_index as usize).and_then(Option::take) else {
            panic!("no interface {sw_if_index}")
        };
        self.lock();
        self.put_interface_name(sw_if_index as usize, DELETED);
        let part = name.replace('/', "_");
        for counter in SIMPLE.iter().chain(&COMBINED) {
            let link = format!("/interfaces/{part}/{counter}");
            if self.by_name.contains_key(&link) {
                self.remove(&link);
            }
        }
        self.unlock();
    }

    /// The number of the interface that has this name here: the one it was made with, since VPP does not rename it in
    /// its statistics.
    #[must_use]
    pub fn interface(&self, name: &str) -> Option<u32> {
        let index = self.interfaces.iter().position(|known| known.as_deref() == Some(name))?;
        u32::try_from(index).ok()
    }

    fn put_interface_name(&mut self, index: usize, name: &str) {
        let entry = self.entry("/if/names");
        self.lock();
        if self.thread_count(entry) <= index {
            self.resize_outer(entry, index + 1);
        }
        let old = self.offset(self.store.u64(self.rows(entry) + index * 8));
        let new = self.store.vector(name.len() + 1, 1);
        self.store.put(new, name.as_bytes());
        self.put_row(entry, index, new);
        if old > 0 {
            let len = self.store.u32(old - 8) as usize;
            self.store.free_vector(old, len, 1);
        }
        self.unlock();
    }
}
