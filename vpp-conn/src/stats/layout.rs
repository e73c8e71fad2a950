//! The geometry of a segment, of every release.
//!
//! | Releases | Version | Addresses |
//! |---|---|---|
//! | 18.10 – 19.04 | none | offsets from the segment's start |
//! | 19.08 – 20.05 | 1 | offsets |
//! | 20.09 – | 2 | VPP's addresses, relative to a base |
//!
//! Types of entries were numbered anew with 22.06 without a new version: `/if/names`, which every VPP has, tells.

use super::error::{Damage, StatsCause};
use super::memory::Memory;

/// Bytes of a name in the directory, its NUL included.
pub(super) const NAME_LEN: usize = 128;

/// The smallest page: VPP maps its segment at the start of one.
const PAGE: u64 = 4096;

/// The entry whose type tells the numbering.
const INTERFACE_NAMES: &[u8] = b"/if/names";

/// Where things are in a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// The version that the header says; 0 where it says none.
    pub(super) version: u64,
    /// Of the header's words.
    pub(super) epoch_at: u64,
    pub(super) in_progress_at: u64,
    pub(super) directory_at: u64,
    errors_at: u64,
    /// What VPP's addresses are relative to; 0 where there are offsets instead.
    pub(super) base: u64,
    /// Bytes of an entry of the directory.
    pub(super) entry_len: u64,
    /// Where in an entry its name begins.
    pub(super) name_at: u64,
}

/// What an entry is, by VPP's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RawKind {
    Scalar,
    Gauge,
    Simple,
    Combined,
    ErrorIndex,
    Names,
    Symlink,
    Histogram,
    Ring,
    /// Free, or of a kind that this client does not know.
    Nothing,
}

/// How types are numbered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Numbering {
    /// Up to 22.02.
    WithErrorIndex,
    /// From 22.06 on.
    Current,
}

impl Layout {
    /// Reads the header.
    pub(super) fn of(memory: &impl Memory) -> Result<Self, StatsCause> {
        let len = memory.len();
        let mut words = [0; 6];
        let known = memory.words(0, &mut words).and_then(|()| {
            let is_flag = |word: u64| word <= 1;
            let is_offset = |word: u64| word > 0 && word < len;
            let [first, second, third, fourth, fifth, _] = words;
            // Where no version is, the epoch is; it may be 1 or 2 as well, so the words behind it decide.
            if first == 2
                && second >= PAGE
                && second % PAGE == 0
                && fifth.checked_sub(second).is_some_and(is_offset)
            {
                return Some(Self { base: second, ..Self::VERSION_2 });
            }
            if first == 1 && is_flag(third) && is_offset(fourth) {
                return Some(Self::VERSION_1);
            }
            (is_flag(second) && is_offset(third)).then_some(Self::VERSION_0)
        });
        known.ok_or(StatsCause::Layout { first_words: [words[0], words[1]], len })
    }

    const VERSION_0: Self = Self {
        version: 0,
        epoch_at: 0,
        in_progress_at: 8,
        directory_at: 16,
        errors_at: 24,
        base: 0,
        entry_len: 152,
        name_at: 24,
    };

    const VERSION_1: Self = Self {
        version: 1,
        epoch_at: 8,
        in_progress_at: 16,
        directory_at: 24,
        errors_at: 32,
        ..Self::VERSION_0
    };

    const VERSION_2: Self = Self {
        version: 2,
        epoch_at: 16,
        in_progress_at: 24,
        directory_at: 32,
        errors_at: 40,
        base: 0,
        entry_len: 144,
        name_at: 16,
    };

    /// Which word of an entry its name begins with.
    pub(super) fn name_word(&self) -> usize {
        if self.version < 2 { 3 } else { 2 }
    }

    /// The vector that an address leads to; `None` where the address is null.
    pub(super) fn vector(
        &self,
        memory: &impl Memory,
        what: &'static str,
        address: u64,
        element_len: u64,
    ) -> Result<Option<Vector>, Damage> {
        if address == 0 {
            return Ok(None);
        }
        let outside = |at, len| Damage::Outside { what, at, len, size: memory.len() };
        let at = address.wrapping_sub(self.base);
        // Its length stands 8 bytes before its first element.
        let header = at.checked_sub(8).ok_or_else(|| outside(at, 0))?;
        let len = memory.u32(header).ok_or_else(|| outside(at, 0))?.into();
        let end = element_len.checked_mul(len).and_then(|len| at.checked_add(len));
        if end.is_none_or(|end| end > memory.len()) {
            return Err(outside(at, len));
        }
        Ok(Some(Vector { at, len }))
    }

    /// The matrix of error counters that entries of type "error index" are columns of.
    pub(super) fn errors(&self, memory: &impl Memory) -> Result<Option<Vector>, Damage> {
        self.vector(memory, "the error matrix", memory.u64(self.errors_at).unwrap_or(0), 8)
    }

    /// How types are numbered in this directory; `None` where nothing tells.
    pub(super) fn numbering(&self, memory: &impl Memory, directory: Vector) -> Option<Numbering> {
        if self.version < 2 {
            return Some(Numbering::WithErrorIndex);
        }
        let mut name = [0; INTERFACE_NAMES.len() + 1];
        (0..directory.len).map(|index| directory.at + index * self.entry_len).find_map(|at| {
            memory.bytes(at + self.name_at, &mut name)?;
            let is_it = name.strip_suffix(&[0]).is_some_and(|name| name == INTERFACE_NAMES);
            match memory.u32(at)? {
                5 if is_it => Some(Numbering::WithErrorIndex),
                4 if is_it => Some(Numbering::Current),
                _ => None,
            }
        })
    }
}

impl Numbering {
    pub(super) fn kind(self, number: u32) -> RawKind {
        match (self, number) {
            (_, 1) => RawKind::Scalar,
            (_, 2) => RawKind::Simple,
            (_, 3) => RawKind::Combined,
            (Self::WithErrorIndex, 4) => RawKind::ErrorIndex,
            (Self::WithErrorIndex, 5) | (Self::Current, 4) => RawKind::Names,
            (Self::WithErrorIndex, 7) | (Self::Current, 6) => RawKind::Symlink,
            (Self::Current, 7) => RawKind::Histogram,
            (Self::Current, 8) => RawKind::Ring,
            (Self::Current, 9) => RawKind::Gauge,
            _ => RawKind::Nothing,
        }
    }
}

/// A vector of VPP's whose elements all lie within the segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Vector {
    /// Offset of the first element.
    pub(super) at: u64,
    /// Elements.
    pub(super) len: u64,
}
