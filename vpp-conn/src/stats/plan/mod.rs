//! What a selection resolved: which entries there are and where their values lie, good until VPP changes the directory.

mod copies;
mod kept;

use std::ops::Range;
use std::sync::atomic::{Ordering, fence};

use self::copies::Piece;
use self::kept::Kept;
use super::error::Damage;
use super::layout::{Layout, NAME_LEN, Numbering, RawKind, Vector};
use super::memory::Memory;
use super::pattern::Pattern;

/// Which state of the directory something was read from.
///
/// VPP counts epochs when it changes the shape of anything, but adds symbolic links without; so where the directory
/// lies and how long it is counts as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    epoch: u64,
    directory: Vector,
}

/// Of what may change without a new epoch, what is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compared {
    /// Everything.
    All,
    /// Entries whose value stands in the directory: a place that VPP clears would give another value at once. Whatever
    /// else is cleared or renamed leaves counters where they are until the next epoch.
    Values,
}

/// Why a pass over the segment gave nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Obstacle {
    /// VPP is changing the directory right now, or changed it meanwhile.
    Changing,
    /// The directory is not the one that the plan was made from.
    Outdated,
    /// Something lies outside. That may be a change that was under way, too.
    Damaged(Damage),
}

impl From<Damage> for Obstacle {
    fn from(damage: Damage) -> Self {
        Self::Damaged(damage)
    }
}

/// Begins a pass: nothing is being changed.
fn begin(memory: &impl Memory, layout: &Layout) -> Result<Stamp, Obstacle> {
    let epoch = memory.u64(layout.epoch_at).unwrap_or(0);
    if memory.u64(layout.in_progress_at) != Some(0) {
        return Err(Obstacle::Changing);
    }
    // What is read from here on is not older than the epoch.
    fence(Ordering::Acquire);
    let address = memory.u64(layout.directory_at).unwrap_or(0);
    let directory = layout
        .vector(memory, "the directory", address, layout.entry_len)?
        .ok_or(Damage::Outside { what: "the directory", at: 0, len: 0, size: memory.len() })?;
    Ok(Stamp { epoch, directory })
}

/// Ends a pass: all that was read belongs to the epoch.
fn end(memory: &impl Memory, layout: &Layout, stamp: &Stamp) -> Result<(), Obstacle> {
    // What was read up to here is not newer than what is read now.
    fence(Ordering::Acquire);
    let still = memory.u64(layout.in_progress_at) == Some(0)
        && memory.u64(layout.epoch_at) == Some(stamp.epoch)
        && memory.u64(layout.directory_at).map(|address| address.wrapping_sub(layout.base))
            == Some(stamp.directory.at);
    if still { Ok(()) } else { Err(Obstacle::Changing) }
}

/// What is known of an entry before its values.
#[derive(Clone, Debug)]
pub(super) struct Planned {
    /// Position in the directory.
    pub(super) index: u32,
    /// In [`Plan::names`].
    name: Range<u32>,
    pub(super) shape: Shape,
    pub(super) is_symlink: bool,
    /// In [`Plan::cells`]: its values, thread by thread.
    pub(super) cells: Range<u32>,
}

/// What an entry holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Nothing: VPP has not made its values yet, or is about to remove it.
    Absent,
    Scalar,
    Gauge,
    Simple,
    Combined,
    Histogram,
    /// In [`Plan::texts`].
    Names(Range<u32>),
    /// In [`Plan::rings`].
    Ring(u32),
}

/// Values that lie side by side, in the segment and when copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cells {
    /// Offset in the segment.
    from: u64,
    /// Position among the copied words, once it is known.
    pub(super) at: u32,
    /// How many words.
    pub(super) words: u32,
}

/// A ring buffer, as it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RingShape {
    /// Offset of the first thread's first slot.
    pub(super) data_at: u64,
    /// Offset of the first thread's words.
    pub(super) metadata_at: u64,
    pub(super) entry_len: u32,
    pub(super) slots: u32,
    pub(super) threads: u32,
    pub(super) schema_version: u32,
    pub(super) schema: Vec<u8>,
}

/// Bytes that VPP keeps of a thread's ring: how much was written, and where the schema is.
pub(super) const RING_METADATA_LEN: u64 = 64;
/// Where in these the count of written entries is.
pub(super) const RING_SEQUENCE_AT: u64 = 8;
/// Bytes of the description in front of a ring.
const RING_HEADER_LEN: usize = 28;

/// Entries and where their values lie.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    stamp: Stamp,
    pub(super) entries: Vec<Planned>,
    names: String,
    kept: Kept,
    cells: Vec<Cells>,
    /// What is copied: all that the cells have.
    pieces: Vec<Piece>,
    texts: Vec<Option<Box<str>>>,
    rings: Vec<RingShape>,
    /// How many words may still be planned.
    room: u64,
}

/// An entry as it stands in the directory.
struct Raw {
    at: u64,
    /// Its second word.
    word: u64,
}

impl Plan {
    /// Looks through the directory for entries that are meant.
    pub(super) fn resolve(
        memory: &impl Memory,
        layout: &Layout,
        patterns: &[Pattern],
    ) -> Result<Self, Obstacle> {
        let stamp = begin(memory, layout)?;
        // Of a VPP that has no interfaces yet nothing is known; then it is a new one.
        let numbering = layout.numbering(memory, stamp.directory).unwrap_or(Numbering::Current);
        let mut plan = Self {
            stamp,
            entries: Vec::new(),
            names: String::new(),
            kept: Kept::default(),
            cells: Vec::new(),
            pieces: Vec::new(),
            texts: Vec::new(),
            rings: Vec::new(),
            // Every word of an honest segment belongs to one vector, and to one link at most.
            room: (memory.len() / 4).min(u32::MAX.into()),
        };
        let mut name = [0; NAME_LEN];
        for index in 0..stamp.directory.len {
            let at = stamp.directory.at + index * layout.entry_len;
            let (Some(number), Some(word)) = (memory.u32(at), memory.u64(at + 8)) else { continue };
            let kind = numbering.kind(number);
            if kind == RawKind::Nothing {
                plan.kept.push_free(index as u32, number);
                continue;
            }
            if memory.bytes(at + layout.name_at, &mut name).is_none() {
                continue;
            }
            let name = name.split(|&byte| byte == 0).next().unwrap_or_default();
            let text = String::from_utf8_lossy(name);
            // A free place, or one about to be.
            if name.is_empty() || !patterns.iter().any(|pattern| pattern.fits(&text)) {
                continue;
            }
            let (names_from, cells_from) = (plan.names.len(), plan.cells.len());
            plan.names.push_str(&text);
            plan.kept.push(layout, index as u32, (kind, number), word, name);
            let raw = Raw { at, word };
            let (shape, is_symlink) = plan.shape(memory, layout, numbering, kind, &raw)?;
            plan.entries.push(Planned {
                index: index as u32,
                name: names_from as u32..plan.names.len() as u32,
                shape,
                is_symlink,
                cells: cells_from as u32..plan.cells.len() as u32,
            });
        }
        plan.pieces = copies::lay_out(&mut plan.cells).ok_or(Damage::TooMuch { size: memory.len() })?;
        end(memory, layout, &stamp)?;
        Ok(plan)
    }

    /// Copies all values. What was planned must still be what it was, as far as it is compared.
    pub(super) fn read(
        &self,
        memory: &impl Memory,
        layout: &Layout,
        into: &mut [u64],
        compared: Compared,
    ) -> Result<(), Obstacle> {
        if begin(memory, layout)? != self.stamp {
            return Err(Obstacle::Outdated);
        }
        for piece in &self.pieces {
            let at = piece.at as usize;
            let copied = into.get_mut(at..at + piece.words as usize);
            // Places were checked when they were planned, and are again.
            if copied.and_then(|copied| memory.words(piece.from, copied)).is_none() {
                return Err(Obstacle::Outdated);
            }
        }
        // What a place held is known from what it is afterwards.
        fence(Ordering::Acquire);
        let directory = self.stamp.directory.at;
        let is_still = match compared {
            Compared::All => self.kept.is_all_still(memory, layout, directory),
            Compared::Values => self.kept.are_values_still(memory, layout, directory),
        };
        if !is_still {
            tracing::debug!(epoch = self.stamp.epoch, "statistics: the directory changed within an epoch");
            return Err(Obstacle::Outdated);
        }
        end(memory, layout, &self.stamp)
    }

    /// How many words [`Plan::read`] copies.
    pub(super) fn words(&self) -> usize {
        copies::words(&self.pieces) as usize
    }

    pub(super) fn name(&self, entry: &Planned) -> &str {
        self.names.get(as_usize(&entry.name)).unwrap_or_default()
    }

    pub(super) fn cells(&self, entry: &Planned) -> &[Cells] {
        self.cells.get(as_usize(&entry.cells)).unwrap_or_default()
    }

    pub(super) fn texts(&self, range: &Range<u32>) -> &[Option<Box<str>>] {
        self.texts.get(as_usize(range)).unwrap_or_default()
    }

    pub(super) fn ring(&self, index: u32) -> Option<&RingShape> {
        self.rings.get(index as usize)
    }

    fn shape(
        &mut self,
        memory: &impl Memory,
        layout: &Layout,
        numbering: Numbering,
        kind: RawKind,
        raw: &Raw,
    ) -> Result<(Shape, bool), Damage> {
        let shape = match kind {
            RawKind::Scalar | RawKind::Gauge => {
                self.push_cells(memory, raw.at + 8, 1)?;
                if kind == RawKind::Scalar { Shape::Scalar } else { Shape::Gauge }
            }
            RawKind::Simple => self.matrix(memory, layout, raw, 1, Shape::Simple)?,
            RawKind::Combined => self.matrix(memory, layout, raw, 2, Shape::Combined)?,
            RawKind::Histogram => self.matrix(memory, layout, raw, 1, Shape::Histogram)?,
            RawKind::Names => self.names_vector(memory, layout, raw)?,
            RawKind::Ring => self.push_ring(memory, layout, raw)?,
            RawKind::ErrorIndex => match layout.errors(memory)? {
                Some(threads) => {
                    self.push_column(memory, layout, threads, raw.word, 1)?;
                    Shape::Simple
                }
                None => Shape::Absent,
            },
            RawKind::Symlink => return Ok((self.link(memory, layout, numbering, raw)?, true)),
            RawKind::Nothing => Shape::Absent,
        };
        Ok((shape, false))
    }

    /// A link to a column of another entry, over all threads.
    fn link(
        &mut self,
        memory: &impl Memory,
        layout: &Layout,
        numbering: Numbering,
        raw: &Raw,
    ) -> Result<Shape, Damage> {
        // Two numbers of 4 bytes, the first in front.
        let [a, b, c, d, e, f, g, h] = raw.word.to_ne_bytes();
        let (index, column) = (u32::from_ne_bytes([a, b, c, d]), u32::from_ne_bytes([e, f, g, h]));
        if u64::from(index) >= self.stamp.directory.len {
            return Err(Damage::Outside {
                what: "the target of a link",
                at: index.into(),
                len: self.stamp.directory.len,
                size: memory.len(),
            });
        }
        let at = self.stamp.directory.at + u64::from(index) * layout.entry_len;
        let (number, word) = (memory.u32(at).unwrap_or(0), memory.u64(at + 8).unwrap_or(0));
        let (shape, element_words) = match numbering.kind(number) {
            RawKind::Simple => (Shape::Simple, 1),
            RawKind::Combined => (Shape::Combined, 2),
            // The target is gone, and the link is about to go; a link to a link VPP does not make.
            _ => return Ok(Shape::Absent),
        };
        let target = Raw { at, word };
        match self.threads(memory, layout, &target)? {
            Some(threads) => {
                self.push_column(memory, layout, threads, column.into(), element_words)?;
                Ok(shape)
            }
            None => Ok(Shape::Absent),
        }
    }

    /// The vector of a counter's threads: an address or offset each.
    fn threads(&self, memory: &impl Memory, layout: &Layout, raw: &Raw) -> Result<Option<Vector>, Damage> {
        let vector = layout.vector(memory, "a counter", raw.word, 8)?;
        if layout.version == 2 {
            return Ok(vector);
        }
        // The vector's elements are addresses of VPP's there; offsets stand in another one beside it.
        let offsets = memory.u64(raw.at + 16).unwrap_or(0);
        let offsets = layout.vector(memory, "the offsets of a counter", offsets, 8)?;
        Ok(vector
            .zip(offsets)
            .map(|(vector, offsets)| Vector { len: vector.len.min(offsets.len), ..offsets }))
    }

    fn matrix(
        &mut self,
        memory: &impl Memory,
        layout: &Layout,
        raw: &Raw,
        element_words: u64,
        shape: Shape,
    ) -> Result<Shape, Damage> {
        let Some(threads) = self.threads(memory, layout, raw)? else { return Ok(Shape::Absent) };
        for thread in 0..threads.len {
            let address = memory.u64(threads.at + thread * 8).unwrap_or(0);
            let row = layout.vector(memory, "a thread's counters", address, element_words * 8)?;
            match row {
                Some(row) => self.push_cells(memory, row.at, row.len * element_words)?,
                None => self.push_cells(memory, 0, 0)?,
            }
        }
        Ok(shape)
    }

    fn push_column(
        &mut self,
        memory: &impl Memory,
        layout: &Layout,
        threads: Vector,
        column: u64,
        element_words: u64,
    ) -> Result<(), Damage> {
        for thread in 0..threads.len {
            let address = memory.u64(threads.at + thread * 8).unwrap_or(0);
            let row = layout.vector(memory, "a thread's counters", address, element_words * 8)?;
            match row.filter(|row| column < row.len) {
                Some(row) => {
                    self.push_cells(memory, row.at + column * element_words * 8, element_words)?;
                }
                None => self.push_cells(memory, 0, 0)?,
            }
        }
        Ok(())
    }

    fn names_vector(&mut self, memory: &impl Memory, layout: &Layout, raw: &Raw) -> Result<Shape, Damage> {
        let from = self.texts.len() as u32;
        let Some(names) = self.threads(memory, layout, raw)? else { return Ok(Shape::Absent) };
        for index in 0..names.len {
            let address = memory.u64(names.at + index * 8).unwrap_or(0);
            let Some(text) = layout.vector(memory, "a name", address, 1)? else {
                self.take_room(memory, 1)?;
                self.texts.push(None);
                continue;
            };
            self.take_room(memory, 1 + text.len / 8)?;
            let mut bytes = vec![0; text.len as usize];
            memory.bytes(text.at, &mut bytes).ok_or(Damage::TooMuch { size: memory.len() })?;
            let bytes = bytes.split(|&byte| byte == 0).next().unwrap_or_default();
            self.texts.push(Some(String::from_utf8_lossy(bytes).into()));
        }
        Ok(Shape::Names(from..self.texts.len() as u32))
    }

    fn push_ring(&mut self, memory: &impl Memory, layout: &Layout, raw: &Raw) -> Result<Shape, Damage> {
        if raw.word == 0 {
            return Ok(Shape::Absent);
        }
        let at = raw.word.wrapping_sub(layout.base);
        let outside = |what, at, len| Damage::Outside { what, at, len, size: memory.len() };
        let mut header = [0; RING_HEADER_LEN];
        memory.bytes(at, &mut header).ok_or_else(|| outside("a ring buffer", at, 1))?;
        let (words, _) = header.as_chunks();
        let word = |index: usize| words.get(index).map_or(0, |bytes| u32::from_ne_bytes(*bytes));
        let (entry_len, slots, threads, schema_version) = (word(0), word(1), word(2), word(4));
        let (metadata_at, data_at) = (at + u64::from(word(5)), at + u64::from(word(6)));
        let fits = |at: u64, count: u128| u128::from(at) + count <= u128::from(memory.len());
        let data_len = u128::from(entry_len) * u128::from(slots) * u128::from(threads);
        if !fits(data_at, data_len) {
            return Err(outside("the entries of a ring buffer", data_at, u64::from(slots)));
        }
        if !fits(metadata_at, u128::from(threads) * u128::from(RING_METADATA_LEN)) {
            return Err(outside("the state of a ring buffer", metadata_at, u64::from(threads)));
        }
        // All threads have the same schema. Its place is relative to the ring buffer.
        let (schema_at, schema_len) = match threads {
            0 => (0, 0),
            _ => (memory.u32(metadata_at + 16).unwrap_or(0), memory.u32(metadata_at + 20).unwrap_or(0)),
        };
        let schema_at = at + u64::from(schema_at);
        if !fits(schema_at, schema_len.into()) {
            return Err(outside("the schema of a ring buffer", schema_at, schema_len.into()));
        }
        self.take_room(memory, 1 + u64::from(schema_len) / 8)?;
        let mut schema = vec![0; schema_len as usize];
        memory
            .bytes(schema_at, &mut schema)
            .ok_or_else(|| outside("the schema of a ring buffer", schema_at, schema_len.into()))?;
        for thread in 0..u64::from(threads) {
            let metadata_at = metadata_at + thread * RING_METADATA_LEN;
            self.push_cells(memory, metadata_at + RING_SEQUENCE_AT, 1)?;
        }
        let index = self.rings.len() as u32;
        self.rings.push(RingShape {
            data_at,
            metadata_at,
            entry_len,
            slots,
            threads,
            schema_version,
            schema,
        });
        Ok(Shape::Ring(index))
    }

    fn push_cells(&mut self, memory: &impl Memory, from: u64, words: u64) -> Result<(), Damage> {
        self.take_room(memory, words + 1)?;
        self.cells.push(Cells { from, at: 0, words: words as u32 });
        Ok(())
    }

    /// What a damaged segment claims is not to take more memory than the segment has, by and large.
    fn take_room(&mut self, memory: &impl Memory, words: u64) -> Result<(), Damage> {
        self.room = self.room.checked_sub(words).ok_or(Damage::TooMuch { size: memory.len() })?;
        Ok(())
    }
}

fn as_usize(range: &Range<u32>) -> Range<usize> {
    range.start as usize..range.end as usize
}
