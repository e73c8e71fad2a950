//! A segment as VPP writes it, of each layout that there was.

mod errors;
mod interfaces;

use std::collections::HashMap;

use self::interfaces::{COMBINED, SIMPLE};
use super::format::{Format, Kind};
use super::store::Store;

/// Bytes of a segment unless told otherwise. VPP's default is 32 MiB.
const SIZE: usize = 4 << 20;
/// Where VPP might have mapped it.
const BASE: u64 = 0x1_3000_0000;
/// What is in front of the first block: VPP leaves the header a page.
const PAGE: usize = 4096;
/// Bytes of a name.
const NAME_LEN: usize = 128;
/// Places for entries that are made at once.
const DIRECTORY_STEP: usize = 64;

/// A statistics segment, written as VPP writes it.
///
/// A change of shape sets the mark that says so, changes, counts an epoch and takes the mark back, as in VPP; adding and
/// renaming links does none of that, as in VPP.
///
/// # Panics
///
/// Methods panic where a test names what is not there, and when the segment is full.
#[derive(Debug)]
pub struct Segment {
    store: Store,
    format: Format,
    threads: usize,
    epoch: u64,
    /// How many want the mark to stay.
    locks: u32,
    directory: usize,
    /// Places in it.
    capacity: usize,
    /// Places in use, or once in use.
    len: usize,
    free: Vec<usize>,
    by_name: HashMap<String, usize>,
    /// Names of interfaces as their counters have them; `None` for those that were deleted.
    interfaces: Vec<Option<String>>,
    /// Names of error counters.
    errors: Vec<String>,
    error_matrix: usize,
}

impl Segment {
    /// A segment of one thread, as that of a VPP that has just started.
    #[must_use]
    pub fn new(format: Format) -> Self {
        Self::with_threads(format, 1, SIZE)
    }

    /// A segment of so many threads and bytes.
    #[must_use]
    pub fn with_threads(format: Format, threads: usize, size: usize) -> Self {
        let mut segment = Self {
            store: Store::new(size, PAGE),
            format,
            threads,
            epoch: 1,
            locks: 0,
            directory: 0,
            capacity: 0,
            len: 0,
            free: Vec::new(),
            by_name: HashMap::new(),
            interfaces: Vec::new(),
            errors: Vec::new(),
            error_matrix: 0,
        };
        match format {
            Format::Unversioned => {}
            Format::Version1 => segment.store.put_u64(0, 1),
            _ => {
                segment.store.put_u64(0, 2);
                segment.store.put_u64(8, BASE);
            }
        }
        segment.store.put_u64(format.header()[0], 1);
        segment.grow_directory();
        segment.scalar("/sys/heartbeat", 0);
        segment.scalar("/sys/last_stats_clear", 0);
        segment.scalar("/sys/boottime", 1_750_000_000);
        segment.gauge("/sys/vector_rate", 0);
        segment.simple("/sys/vector_rate_per_worker", 1, threads);
        segment.simple("/sys/loops_per_worker", 1, threads);
        segment.gauge("/sys/num_worker_threads", threads as u64 - 1);
        segment.gauge("/sys/last_update", 0);
        segment.gauge("/sys/input_rate", 0);
        for name in SIMPLE {
            segment.simple(&format!("/if/{name}"), threads, 0);
        }
        for name in COMBINED {
            segment.combined(&format!("/if/{name}"), threads, 0);
        }
        segment.names("/if/names", &[]);
        if format >= Format::Renumbered {
            segment.simple("/node/errors", threads, 0);
        }
        segment.add_interface("local0");
        segment
    }

    /// How it is laid out.
    #[must_use]
    pub fn format(&self) -> Format {
        self.format
    }

    /// A copy of all its bytes.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        self.store.bytes().to_vec()
    }

    /// Writes anything anywhere: what a damaged VPP may do.
    pub fn poke(&mut self, at: usize, bytes: &[u8]) {
        self.store.put(at, bytes);
    }

    pub(super) fn store(&mut self) -> &mut Store {
        &mut self.store
    }

    /// Sets the mark that says that the directory is being changed, until [`Segment::unlock`].
    pub fn lock(&mut self) {
        self.locks += 1;
        self.store.put_u64(self.format.header()[1], 1);
    }

    /// Takes the mark back and counts an epoch.
    pub fn unlock(&mut self) {
        self.locks -= 1;
        if self.locks == 0 {
            self.epoch += 1;
            self.store.put_u64(self.format.header()[0], self.epoch);
            self.store.put_u64(self.format.header()[1], 0);
        }
    }

    /// What VPP does every ten seconds.
    pub fn heartbeat(&mut self) {
        let at = self.entry("/sys/heartbeat") + 8;
        let beats = self.store.u64(at) + 1;
        self.store.put_u64(at, beats);
    }

    /// Adds a number.
    pub fn scalar(&mut self, name: &str, value: u64) {
        self.add_locked(name, Kind::Scalar, |_, _| value);
    }

    /// Adds a level; before 26.02 it is a number.
    pub fn gauge(&mut self, name: &str, value: u64) {
        self.add_locked(name, Kind::Gauge, |_, _| value);
    }

    /// Sets a number or level.
    pub fn set(&mut self, name: &str, value: u64) {
        let at = self.entry(name) + 8;
        self.store.put_u64(at, value);
    }

    /// Adds counters.
    pub fn simple(&mut self, name: &str, threads: usize, len: usize) {
        self.add_locked(name, Kind::Simple, |segment, at| segment.matrix(at, threads, len, 1));
    }

    /// Adds counters of packets and bytes.
    pub fn combined(&mut self, name: &str, threads: usize, len: usize) {
        self.add_locked(name, Kind::Combined, |segment, at| segment.matrix(at, threads, len, 2));
    }

    /// Gives a counter a value: packets, or packets and bytes.
    pub fn count(&mut self, name: &str, thread: usize, index: usize, values: &[u64]) {
        let at = self.row(name, thread) + index * values.len() * 8;
        for (value, at) in values.iter().zip((at..).step_by(8)) {
            self.store.put_u64(at, *value);
        }
    }

    /// Adds to a counter: packets, or packets and bytes.
    pub fn count_more(&mut self, name: &str, thread: usize, index: usize, more: &[u64]) {
        let at = self.row(name, thread) + index * more.len() * 8;
        for (more, at) in more.iter().zip((at..).step_by(8)) {
            // Counters wrap, in VPP as well.
            let value = self.store.u64(at).wrapping_add(*more);
            self.store.put_u64(at, value);
        }
    }

    /// Makes counters longer: they move where there is no room, as in VPP.
    pub fn grow(&mut self, name: &str, len: usize) {
        let entry = self.entry(name);
        let number = self.store.u32(entry);
        let words = if number == self.format.number(Kind::Combined) { 2 } else { 1 };
        self.lock();
        for thread in 0..self.thread_count(entry) {
            let old = self.offset(self.store.u64(self.rows(entry) + thread * 8));
            let new = self.store.resize(old, len, words * 8);
            self.put_row(entry, thread, new);
        }
        self.unlock();
    }

    /// Adds names.
    pub fn names(&mut self, name: &str, names: &[Option<&str>]) {
        let names: Vec<Option<String>> = names.iter().map(|name| name.map(str::to_owned)).collect();
        self.add_locked(name, Kind::Names, |segment, at| segment.name_vector(at, &names));
    }

    /// Adds a link to a column of counters. No new epoch, as in VPP. Before 21.06 there are none.
    pub fn symlink(&mut self, name: &str, target: &str, column: usize) {
        if self.format < Format::ErrorIndex {
            return;
        }
        let target = self.by_name[target];
        let mut word = [0; 8];
        word[..4].copy_from_slice(&(target as u32).to_ne_bytes());
        word[4..].copy_from_slice(&(column as u32).to_ne_bytes());
        self.add(name, Kind::Symlink, |_, _| u64::from_ne_bytes(word));
    }

    /// Gives a link another name. No new epoch, as in VPP.
    pub fn rename(&mut self, name: &str, new: &str) {
        let entry = self.entry(name);
        if let Some(index) = self.by_name.remove(name) {
            self.by_name.insert(new.to_owned(), index);
        }
        self.put_name(entry, new);
    }

    /// Adds a histogram.
    pub fn histogram(&mut self, name: &str, threads: usize, first_exponent: u64, bins: usize) {
        self.add_locked(name, Kind::Histogram, |segment, at| segment.matrix(at, threads, bins + 1, 1));
        for thread in 0..threads {
            self.count(name, thread, 0, &[first_exponent]);
        }
    }

    /// Gives a bin of a histogram a value.
    pub fn count_bin(&mut self, name: &str, thread: usize, bin: usize, value: u64) {
        self.count(name, thread, bin + 1, &[value]);
    }

    /// Adds a ring buffer, of one ring for each thread.
    pub fn ring(&mut self, name: &str, threads: usize, slots: usize, entry_len: usize, schema: &str) {
        self.add_locked(name, Kind::Ring, |segment, _| {
            let data_at = 28;
            let metadata_at = (data_at + threads * slots * entry_len).next_multiple_of(64);
            let schema_at = metadata_at + threads * 64;
            let at = segment.store.allocate(schema_at + schema.len());
            let words =
                [entry_len, slots, threads, schema.len(), 1, metadata_at, data_at].map(|word| word as u32);
            for (word, place) in words.into_iter().zip((at..).step_by(4)) {
                segment.store.put_u32(place, word);
            }
            for thread in 0..threads {
                let metadata = at + metadata_at + thread * 64;
                segment.store.put_u32(metadata + 4, 1);
                segment.store.put_u32(metadata + 16, schema_at as u32);
                segment.store.put_u32(metadata + 20, schema.len() as u32);
            }
            segment.store.put(at + schema_at, schema.as_bytes());
            segment.address(at)
        });
    }

    /// Writes a record into a thread's ring.
    pub fn produce(&mut self, name: &str, thread: usize, record: &[u8]) {
        let at = self.offset(self.store.u64(self.entry(name) + 8));
        let word = |index: usize| self.store.u32(at + index * 4) as usize;
        let (entry_len, slots, metadata, data) = (word(0), word(1), at + word(5) + thread * 64, at + word(6));
        let head = self.store.u32(metadata);
        let sequence = self.store.u64(metadata + 8);
        self.store.put(data + (thread * slots + head as usize) * entry_len, &record[..entry_len]);
        self.store.put_u32(metadata, (head + 1) % slots as u32);
        self.store.put_u64(metadata + 8, sequence + 1);
    }

    /// Removes an entry. The epoch counts before the place is cleared, as in VPP.
    pub fn remove(&mut self, name: &str) {
        let Some(index) = self.by_name.remove(name) else { panic!("no entry {name}") };
        let at = self.directory + index * self.format.entry_len();
        self.lock();
        if self.store.u32(at) != self.format.number(Kind::Symlink) {
            self.store.put_u64(at + 8, 0);
        }
        self.unlock();
        self.store.put(at, &vec![0; self.format.entry_len()]);
        self.store.put_u32(at, self.format.number(Kind::Empty));
        self.store.put_u64(at + 8, self.free.last().map_or(u32::MAX.into(), |free| *free as u64));
        self.free.push(index);
    }

    /// Names of all entries, in the order of the directory.
    #[must_use]
    pub fn entry_names(&self) -> Vec<String> {
        let mut names: Vec<_> = self.by_name.iter().collect();
        names.sort_unstable_by_key(|(_, index)| **index);
        names.into_iter().map(|(name, _)| name.clone()).collect()
    }

    fn add_locked(&mut self, name: &str, kind: Kind, word: impl FnOnce(&mut Self, usize) -> u64) {
        self.lock();
        self.add(name, kind, word);
        self.unlock();
    }

    /// Adds an entry: in the last place that became free, else behind all others. `word` makes its values, given where
    /// the entry is.
    fn add(&mut self, name: &str, kind: Kind, word: impl FnOnce(&mut Self, usize) -> u64) {
        assert!(name.len() < NAME_LEN && !self.by_name.contains_key(name), "{name}");
        let index = self.free.pop().unwrap_or_else(|| {
            if self.len == self.capacity {
                self.grow_directory();
            }
            self.len += 1;
            self.store.put_u32(self.directory - 8, self.len as u32);
            self.len - 1
        });
        let at = self.directory + index * self.format.entry_len();
        self.by_name.insert(name.to_owned(), index);
        let word = word(self, at);
        self.store.put_u32(at, self.format.number(kind));
        self.store.put_u64(at + 8, word);
        self.put_name(at, name);
    }

    fn put_name(&mut self, entry: usize, name: &str) {
        // VPP writes no byte behind the NUL, so what was there stays.
        let at = entry + self.format.name_at();
        self.store.put(at, name.as_bytes());
        self.store.put(at + name.len(), &[0]);
    }

    fn grow_directory(&mut self) {
        let entry_len = self.format.entry_len();
        let (old_at, old_capacity) = (self.directory, self.capacity);
        let old = old_at..old_at + self.len * entry_len;
        let old = if old_capacity == 0 { Vec::new() } else { self.store.bytes()[old].to_vec() };
        self.capacity = (old_capacity * 2).max(DIRECTORY_STEP);
        self.directory = self.store.vector(self.capacity, entry_len);
        self.store.put_u32(self.directory - 8, self.len as u32);
        self.store.put(self.directory, &old);
        let address = self.address(self.directory);
        self.store.put_u64(self.format.header()[2], address);
        if old_capacity > 0 {
            self.store.free_vector(old_at, old_capacity, entry_len);
        }
    }

    /// Rows of counters; gives what the entry is to hold.
    fn matrix(&mut self, entry: usize, threads: usize, len: usize, words: usize) -> u64 {
        let rows: Vec<usize> = (0..threads).map(|_| self.store.vector(len, words * 8)).collect();
        self.outer(entry, &rows)
    }

    fn name_vector(&mut self, entry: usize, names: &[Option<String>]) -> u64 {
        let rows: Vec<usize> = names
            .iter()
            .map(|name| {
                let Some(name) = name else { return 0 };
                let at = self.store.vector(name.len() + 1, 1);
                self.store.put(at, name.as_bytes());
                at
            })
            .collect();
        self.outer(entry, &rows)
    }

    /// The vector that leads to rows; where offsets are used, two of them, the second being the one that counts.
    fn outer(&mut self, entry: usize, rows: &[usize]) -> u64 {
        let outer = self.store.vector(rows.len(), 8);
        let word = self.address(outer);
        self.store.put_u64(entry + 8, word);
        if self.format.has_offsets() {
            let offsets = self.store.vector(rows.len(), 8);
            self.store.put_u64(entry + 16, offsets as u64);
        }
        for (index, row) in rows.iter().enumerate() {
            self.put_row(entry, index, *row);
        }
        word
    }

    /// Makes place for more rows.
    fn resize_outer(&mut self, entry: usize, len: usize) {
        let outer = self.offset(self.store.u64(entry + 8));
        let outer = self.store.resize(outer, len, 8);
        let word = self.address(outer);
        self.store.put_u64(entry + 8, word);
        if self.format.has_offsets() {
            let offsets = self.store.u64(entry + 16) as usize;
            let offsets = self.store.resize(offsets, len, 8);
            self.store.put_u64(entry + 16, offsets as u64);
        }
    }

    /// Says where a row is; 0 for nowhere.
    fn put_row(&mut self, entry: usize, index: usize, row: usize) {
        let outer = self.offset(self.store.u64(entry + 8));
        let word = match (self.format.has_offsets(), row) {
            (_, 0) => 0,
            // An address of VPP's, of no use to a client.
            (true, row) => 0x7f00_0000_0000 + row as u64,
            (false, row) => self.address(row),
        };
        self.store.put_u64(outer + index * 8, word);
        if self.format.has_offsets() {
            let offsets = self.store.u64(entry + 16) as usize;
            self.store.put_u64(offsets + index * 8, row as u64);
        }
    }

    fn entry(&self, name: &str) -> usize {
        let index = self.by_name.get(name).unwrap_or_else(|| panic!("no entry {name}"));
        self.directory + index * self.format.entry_len()
    }

    /// The vector of a counter's rows, as offsets or addresses.
    fn rows(&self, entry: usize) -> usize {
        if self.format.has_offsets() {
            self.store.u64(entry + 16) as usize
        } else {
            self.offset(self.store.u64(entry + 8))
        }
    }

    fn thread_count(&self, entry: usize) -> usize {
        self.store.u32(self.rows(entry) - 8) as usize
    }

    fn row(&self, name: &str, thread: usize) -> usize {
        let entry = self.entry(name);
        assert!(thread < self.thread_count(entry), "{name} has no thread {thread}");
        self.offset(self.store.u64(self.rows(entry) + thread * 8))
    }

    fn row_words(&self, name: &str, thread: usize, words: usize) -> Vec<u64> {
        let at = self.row(name, thread);
        let len = self.store.u32(at - 8) as usize * words;
        (0..len).map(|index| self.store.u64(at + index * 8)).collect()
    }

    /// What stands in the segment for a place in it.
    fn address(&self, at: usize) -> u64 {
        if self.format.has_offsets() { at as u64 } else { BASE + at as u64 }
    }

    /// The place that an address means; 0 for none.
    fn offset(&self, address: u64) -> usize {
        match (self.format.has_offsets(), address) {
            (_, 0) => 0,
            (true, address) => address as usize,
            (false, address) => (address - BASE) as usize,
        }
    }
}
