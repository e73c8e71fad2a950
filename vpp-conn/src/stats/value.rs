//! Values as they were read, with what they were before.

use super::plan::Cells;

/// What one entry holds.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Value<'a> {
    /// A number that VPP sets: a time in seconds since 1970, a count of something. Before 26.02 also what is now a
    /// gauge.
    Scalar(u64),
    /// A level, which goes up and down (26.02).
    Gauge(u64),
    /// Counters, by thread and by the index of what they count.
    Simple(Counters<'a, u64>),
    /// Counters of packets and bytes, by thread and index.
    Combined(Counters<'a, Combined>),
    /// Names by index; `None` where an index is free.
    Names(Names<'a>),
    /// How often values of each magnitude were seen (26.02).
    Histogram(Histogram<'a>),
    /// Records that VPP writes in a circle (26.02); [`Stats::ring`](super::Stats::ring) reads them.
    Ring(RingState<'a>),
    /// Nothing: VPP has not made its values yet, or is about to remove it.
    Absent,
}

/// Packets and their bytes. VPP counts the two one after the other, so they may be a packet apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Combined {
    /// Packets.
    pub packets: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// Packets and bytes per second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CombinedRate {
    /// Packets per second.
    pub packets: f64,
    /// Bytes per second.
    pub bytes: f64,
}

/// What VPP counts: `u64` or [`Combined`].
pub trait Counter: Copy + Default + sealed::Words {
    /// How fast it grows, per second.
    type Rate: Copy;

    /// The rate between two values. One that became smaller was cleared in between, and began at zero.
    #[must_use]
    fn rate(self, before: Self, seconds: f64) -> Self::Rate;
}

mod sealed {
    pub trait Words: Sized {
        /// Words of a value in the segment.
        const WORDS: usize;
        /// A value of so many words.
        fn of(words: &[u64]) -> Option<Self>;
        /// The sum. Counters wrap, in VPP as well.
        fn plus(self, other: Self) -> Self;
    }
}

impl sealed::Words for u64 {
    const WORDS: usize = 1;

    fn of(words: &[u64]) -> Option<Self> {
        words.first().copied()
    }

    fn plus(self, other: Self) -> Self {
        self.wrapping_add(other)
    }
}

impl Counter for u64 {
    type Rate = f64;

    fn rate(self, before: Self, seconds: f64) -> f64 {
        self.checked_sub(before).unwrap_or(self) as f64 / seconds
    }
}

impl sealed::Words for Combined {
    const WORDS: usize = 2;

    fn of(words: &[u64]) -> Option<Self> {
        let &[packets, bytes] = words.first_chunk()?;
        Some(Self { packets, bytes })
    }

    fn plus(self, other: Self) -> Self {
        Self { packets: self.packets.plus(other.packets), bytes: self.bytes.plus(other.bytes) }
    }
}

/// The sum of any number of counters.
fn sum<T: Counter>(counters: impl Iterator<Item = T>) -> T {
    counters.fold(T::default(), T::plus)
}

impl Counter for Combined {
    type Rate = CombinedRate;

    fn rate(self, before: Self, seconds: f64) -> CombinedRate {
        CombinedRate {
            packets: self.packets.rate(before.packets, seconds),
            bytes: self.bytes.rate(before.bytes, seconds),
        }
    }
}

/// Copied words of an entry, thread by thread.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rows<'a> {
    pub(super) cells: &'a [Cells],
    pub(super) words: &'a [u64],
}

impl<'a> Rows<'a> {
    pub(super) fn row(&self, thread: usize) -> &'a [u64] {
        self.cells
            .get(thread)
            .and_then(|cells| self.words.get(cells.at as usize..)?.get(..cells.words as usize))
            .unwrap_or_default()
    }

    fn get<T: Counter>(&self, thread: usize, index: usize) -> Option<T> {
        T::of(self.row(thread).get(index.checked_mul(T::WORDS)?..)?)
    }
}

/// Counters by thread (0 is the main thread) and by the index of what they count: an interface's `sw_if_index`, a
/// route's `stats_index`, a graph node.
#[derive(Clone, Copy, Debug)]
pub struct Counters<'a, T> {
    pub(super) now: Rows<'a>,
    pub(super) before: Option<(Rows<'a>, f64)>,
    pub(super) element: std::marker::PhantomData<T>,
}

impl<'a, T: Counter> Counters<'a, T> {
    /// No counters.
    pub(super) const NONE: Self =
        Self { now: Rows { cells: &[], words: &[] }, before: None, element: std::marker::PhantomData };

    /// How many threads count.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.now.cells.len()
    }

    /// How many indices there are, in the thread that has most.
    #[must_use]
    pub fn len(&self) -> usize {
        self.now.cells.iter().map(|cells| cells.words as usize / T::WORDS).max().unwrap_or(0)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The counter of a thread and index.
    #[must_use]
    pub fn get(&self, thread: usize, index: usize) -> Option<T> {
        self.now.get(thread, index)
    }

    /// All counters of a thread, by index.
    pub fn thread(&self, thread: usize) -> impl ExactSizeIterator<Item = T> + use<'a, T> {
        self.now.row(thread).chunks_exact(T::WORDS).map(|words| T::of(words).unwrap_or_default())
    }

    /// The counters of an index, by thread.
    #[must_use]
    pub fn column(&self, index: usize) -> Column<'a, T> {
        Column { counters: *self, index }
    }

    /// The counters of each index.
    pub fn columns(&self) -> impl ExactSizeIterator<Item = Column<'a, T>> + use<'a, T> {
        let counters = *self;
        (0..self.len()).map(move |index| Column { counters, index })
    }

    /// All of them, summed.
    #[must_use]
    pub fn sum(&self) -> T {
        sum((0..self.threads()).flat_map(|thread| self.thread(thread)))
    }
}

/// What is counted of one thing, by thread.
#[derive(Clone, Copy, Debug)]
pub struct Column<'a, T> {
    counters: Counters<'a, T>,
    index: usize,
}

impl<'a, T: Counter> Column<'a, T> {
    /// The index it is of.
    #[must_use]
    pub fn index(&self) -> usize {
        self.index
    }

    /// The counter of each thread; zero where the thread never counted this.
    pub fn threads(&self) -> impl ExactSizeIterator<Item = T> + use<'a, T> {
        let (counters, index) = (self.counters, self.index);
        (0..counters.threads()).map(move |thread| counters.get(thread, index).unwrap_or_default())
    }

    /// The sum over all threads.
    #[must_use]
    pub fn sum(&self) -> T {
        sum(self.threads())
    }

    /// How fast the sum grows, between the last two refreshes; `None` where there was none before.
    #[must_use]
    pub fn rate(&self) -> Option<T::Rate> {
        let (before, seconds) = self.counters.before?;
        let before = (0..before.cells.len()).map(|thread| before.get(thread, self.index).unwrap_or_default());
        Some(self.sum().rate(sum(before), seconds))
    }

    /// As [`Column::rate`], of one thread.
    #[must_use]
    pub fn thread_rate(&self, thread: usize) -> Option<T::Rate> {
        let (before, seconds) = self.counters.before?;
        let now: T = self.counters.get(thread, self.index)?;
        Some(now.rate(before.get(thread, self.index).unwrap_or_default(), seconds))
    }
}

/// Names by index.
#[derive(Clone, Copy, Debug)]
pub struct Names<'a>(pub(super) &'a [Option<Box<str>>]);

impl<'a> Names<'a> {
    /// One more than the highest index.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no indices.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The name of an index; `None` where it is free.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<&'a str> {
        self.0.get(index)?.as_deref()
    }

    /// Indices that are in use, with their names.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &'a str)> + use<'a> {
        self.0.iter().enumerate().filter_map(|(index, name)| Some((index, name.as_deref()?)))
    }
}

/// How often values of each magnitude were seen. Bin `i` counts values from 2^(e+i) to below 2^(e+i+1), where `e` is
/// the exponent the histogram begins at; the first counts smaller ones as well, and the last larger ones.
#[derive(Clone, Copy, Debug)]
pub struct Histogram<'a>(pub(super) Rows<'a>);

impl<'a> Histogram<'a> {
    /// How many threads count.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.0.cells.len()
    }

    /// The exponent that a thread's bins begin at.
    #[must_use]
    pub fn first_exponent(&self, thread: usize) -> Option<u64> {
        self.0.row(thread).first().copied()
    }

    /// A thread's bins.
    #[must_use]
    pub fn bins(&self, thread: usize) -> &'a [u64] {
        self.0.row(thread).get(1..).unwrap_or_default()
    }

    /// The largest value that a thread's bin counts; `None` for the last, which has no bound.
    #[must_use]
    pub fn bound(&self, thread: usize, bin: usize) -> Option<u64> {
        if bin + 1 >= self.bins(thread).len() {
            return None;
        }
        let exponent = self.first_exponent(thread)?.checked_add(bin as u64 + 1)?;
        1u64.checked_shl(u32::try_from(exponent).ok()?)?.checked_sub(1)
    }

    /// How many values a thread saw.
    #[must_use]
    pub fn count(&self, thread: usize) -> u64 {
        self.bins(thread).iter().fold(0, |sum: u64, count| sum.wrapping_add(*count))
    }
}

/// What VPP wrote into a ring buffer.
#[derive(Clone, Copy, Debug)]
pub struct RingState<'a> {
    pub(super) rows: Rows<'a>,
    pub(super) shape: &'a super::plan::RingShape,
}

impl<'a> RingState<'a> {
    /// Bytes of a record.
    #[must_use]
    pub fn entry_len(&self) -> usize {
        self.shape.entry_len as usize
    }

    /// How many records of a thread are kept.
    #[must_use]
    pub fn slots(&self) -> usize {
        self.shape.slots as usize
    }

    /// How many threads have a ring.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.shape.threads as usize
    }

    /// How many records a thread has written, ever.
    #[must_use]
    pub fn written(&self, thread: usize) -> u64 {
        self.rows.row(thread).first().copied().unwrap_or(0)
    }

    /// What says how records are to be read, in a language of the plugin's choice; empty where there is none.
    #[must_use]
    pub fn schema(&self) -> &'a [u8] {
        &self.shape.schema
    }

    /// The schema's version.
    #[must_use]
    pub fn schema_version(&self) -> u32 {
        self.shape.schema_version
    }
}
