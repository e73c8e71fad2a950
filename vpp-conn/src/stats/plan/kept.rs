//! What the directory looked like, to be compared with what it looks like.
//!
//! VPP counts epochs, but clears the place of an entry that it removes behind its new epoch, and adds and renames links
//! without one (26.06, `vlib/stats/stats.c`).

use super::super::layout::{Layout, NAME_LEN, RawKind};
use super::super::memory::Memory;

/// Words of the longest entry of a directory: type, value, what leads to its values, name.
const ENTRY_WORDS: usize = 3 + NAME_LEN / 8;

/// The bytes of an entry's first word in which its type stands.
const TYPE_MASK: u64 = first_bytes(4);

/// Entries as they stood in the directory.
#[derive(Clone, Debug, Default)]
pub(super) struct Kept {
    entries: Vec<Entry>,
    /// Their words, one entry behind the other. What VPP counts there, or leaves there of what was, is zero.
    words: Vec<u64>,
    /// Places that no entry has, and their types.
    free: Vec<(u32, u32)>,
    /// Of `entries`, those whose value stands in the directory itself.
    in_place: Vec<u32>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    /// Position in the directory.
    index: u32,
    /// Its first of `words`, and the one behind its last.
    words: (u32, u32),
    is_value: bool,
    /// Of its last word, what belongs to its name.
    last_mask: u64,
}

impl Kept {
    /// Keeps an entry that stands at a position: its type's number, its second word and its name.
    pub(super) fn push(
        &mut self,
        layout: &Layout,
        index: u32,
        (kind, number): (RawKind, u32),
        word: u64,
        name: &[u8],
    ) {
        let is_value = matches!(kind, RawKind::Scalar | RawKind::Gauge);
        if is_value {
            self.in_place.push(self.entries.len() as u32);
        }
        let start = self.words.len() as u32;
        let [a, b, c, d] = number.to_ne_bytes();
        self.words.extend([u64::from_ne_bytes([a, b, c, d, 0, 0, 0, 0]), if is_value { 0 } else { word }]);
        self.words.extend(std::iter::repeat_n(0, layout.name_word() - 2));
        let (whole, rest) = name.as_chunks();
        self.words.extend(whole.iter().map(|bytes| u64::from_ne_bytes(*bytes)));
        let mut last_mask = u64::MAX;
        // A name that fills its place has no NUL.
        if name.len() < NAME_LEN {
            let mut last = [0; 8];
            last[..rest.len()].copy_from_slice(rest);
            self.words.push(u64::from_ne_bytes(last));
            // With its NUL. Behind that VPP leaves whatever was there.
            last_mask = first_bytes(rest.len() + 1);
        }
        let end = self.words.len() as u32;
        self.entries.push(Entry { index, words: (start, end), is_value, last_mask });
    }

    /// Keeps that a place is free.
    pub(super) fn push_free(&mut self, index: u32, number: u32) {
        self.free.push((index, number));
    }

    /// Whether entries whose values stand in the directory are what they were.
    pub(super) fn are_values_still(&self, memory: &impl Memory, layout: &Layout, directory: u64) -> bool {
        self.in_place.iter().all(|&position| self.is_still(memory, layout, directory, position as usize))
    }

    /// Whether all entries, and all free places, are what they were.
    pub(super) fn is_all_still(&self, memory: &impl Memory, layout: &Layout, directory: u64) -> bool {
        let place = |index: u32| directory + u64::from(index) * layout.entry_len;
        (0..self.entries.len()).all(|position| self.is_still(memory, layout, directory, position))
            && self.free.iter().all(|&(index, number)| memory.u32(place(index)) == Some(number))
    }

    fn is_still(&self, memory: &impl Memory, layout: &Layout, directory: u64, position: usize) -> bool {
        let Some(entry) = self.entries.get(position) else { return false };
        let (start, end) = entry.words;
        let Some(kept) = self.words.get(start as usize..end as usize) else { return false };
        let mut words = [0; ENTRY_WORDS];
        let Some(words) = words.get_mut(..kept.len()) else { return false };
        if memory.words(directory + u64::from(entry.index) * layout.entry_len, words).is_none() {
            return false;
        }
        if let [first, second, rest @ ..] = words {
            *first &= TYPE_MASK;
            if entry.is_value {
                *second = 0;
            }
            if layout.name_word() > 2
                && let Some(offsets) = rest.first_mut()
            {
                *offsets = 0;
            }
            if let Some(last) = rest.last_mut() {
                *last &= entry.last_mask;
            }
        }
        words == kept
    }
}

/// A mask of so many bytes of a word, the first in memory.
const fn first_bytes(count: usize) -> u64 {
    let mut bytes = [0; 8];
    let mut at = 0;
    while at < count && at < 8 {
        bytes[at] = 0xff;
        at += 1;
    }
    u64::from_ne_bytes(bytes)
}
