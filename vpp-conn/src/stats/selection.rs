//! Entries that are read again and again.

use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::error::StatsError;
use super::memory::with_memory;
use super::pattern::Pattern;
use super::plan::{Compared, Obstacle, Plan, Planned, Shape};
use super::segment::Segment;
use super::source::VppSource;
use super::value::{Counter, Counters, Histogram, Names, RingState, Rows, Value};

/// How long VPP may be changing its directory before that is an error. It takes microseconds, or milliseconds while
/// thousands of nodes are added.
const PATIENCE: Duration = Duration::from_millis(500);

/// How often VPP is looked at without a pause while it changes its directory.
const SPINS: u32 = 64;

/// How long each pause is afterwards.
const PAUSE: Duration = Duration::from_micros(50);

/// How often damage is seen, a pause apart, before it is believed. VPP adds links and frees places without saying so,
/// and who looks at that moment sees half of it.
const LOOKS_AT_DAMAGE: u32 = 20;

/// How long it takes at most to notice what VPP changes in its directory without a new epoch.
const COMPARE_ALL_AFTER: Duration = Duration::from_millis(1);

/// So few entries are compared with the directory each time.
const FEW: usize = 64;

/// Entries of VPP's statistics, chosen by name, with the values of the last [`refresh`](Selection::refresh) and of the
/// one before it.
///
/// Names are resolved once, and again when VPP's directory changes or VPP is another one. A refresh in between copies
/// the values, and allocates nothing.
#[derive(Debug)]
pub struct Selection {
    source: Arc<VppSource>,
    patterns: Vec<Pattern>,
    /// The life of VPP that was read last.
    generation: u64,
    now: Snapshot,
    before: Snapshot,
    /// For each entry of `now` its position in `before`, where that was resolved apart.
    was: Option<Vec<Option<u32>>>,
    /// What is read into; then it becomes `now`.
    spare: Vec<u64>,
    /// Seconds between the two snapshots.
    seconds: Option<f64>,
    /// When all of `now` was compared with the directory.
    compared_at: Option<Instant>,
    resolved: u64,
}

/// What was read at one time.
#[derive(Debug, Default)]
struct Snapshot {
    plan: Option<Arc<Plan>>,
    words: Vec<u64>,
    at: Option<Instant>,
}

impl Selection {
    /// Resolves the entries and reads them for the first time.
    pub(super) fn new(source: Arc<VppSource>, patterns: Vec<Pattern>) -> Result<Self, StatsError> {
        let mut selection = Self {
            source,
            patterns,
            generation: 0,
            now: Snapshot::default(),
            before: Snapshot::default(),
            was: None,
            spare: Vec::new(),
            seconds: None,
            compared_at: None,
            resolved: 0,
        };
        selection.refresh()?;
        Ok(selection)
    }

    /// Reads the values anew.
    ///
    /// Takes microseconds. It waits while VPP changes its directory, at most half a second; and where VPP runs but does
    /// not hand out its segment, a second at most, every other second. When VPP has restarted, its new segment is taken.
    ///
    /// # Errors
    ///
    /// When VPP is away, stuck, or its segment is damaged. The values of the last refresh stay as they are, and the next
    /// refresh tries again: there is no number of failures after which it gives up.
    pub fn refresh(&mut self) -> Result<(), StatsError> {
        let (segment, generation) = self.source.current()?;
        let mut plan = if generation == self.generation { self.now.plan.clone() } else { None };
        let began = Instant::now();
        let mut now = began;
        let (mut waits, mut looks) = (0, 0);
        loop {
            match self.read(&segment, plan.take(), now) {
                Ok(plan) => {
                    self.take_over(plan, generation, now);
                    return Ok(());
                }
                Err(Obstacle::Outdated) => {}
                Err(Obstacle::Changing) => {
                    waits += 1;
                    if waits < SPINS { std::hint::spin_loop() } else { std::thread::sleep(PAUSE) }
                }
                Err(Obstacle::Damaged(damage)) => {
                    looks += 1;
                    if looks == LOOKS_AT_DAMAGE {
                        return Err(StatsError::Damaged(damage));
                    }
                    std::thread::sleep(PAUSE);
                }
            }
            now = Instant::now();
            if now.duration_since(began) > PATIENCE {
                return Err(StatsError::Busy(PATIENCE));
            }
        }
    }

    /// Reads into the spare words by a plan, or by a new one.
    fn read(
        &mut self,
        segment: &Segment,
        plan: Option<Arc<Plan>>,
        now: Instant,
    ) -> Result<Arc<Plan>, Obstacle> {
        let layout = &segment.layout;
        let is_due =
            self.compared_at.is_none_or(|compared| now.duration_since(compared) >= COMPARE_ALL_AFTER);
        with_memory!(&segment.source, memory => {
            let (plan, compared) = match plan {
                Some(plan) if is_due || plan.entries.len() <= FEW => (plan, Compared::All),
                Some(plan) => (plan, Compared::Values),
                None => (Arc::new(Plan::resolve(memory, layout, &self.patterns)?), Compared::All),
            };
            self.spare.resize(plan.words(), 0);
            plan.read(memory, layout, &mut self.spare, compared)?;
            if compared == Compared::All {
                self.compared_at = Some(now);
            }
            Ok(plan)
        })
    }

    /// Makes what was read the present.
    fn take_over(&mut self, plan: Arc<Plan>, generation: u64, now: Instant) {
        if generation != self.generation {
            // Counters of another life are nothing to compare with.
            self.generation = generation;
            self.now = Snapshot::default();
        }
        let is_known = self.now.plan.as_ref().is_some_and(|known| Arc::ptr_eq(known, &plan));
        if !is_known {
            self.resolved += 1;
        }
        self.was = match &self.now.plan {
            Some(old) if !is_known => Some(positions(&plan, old)),
            _ => None,
        };
        let now = Snapshot { plan: Some(plan), words: std::mem::take(&mut self.spare), at: Some(now) };
        let older = std::mem::replace(&mut self.before, std::mem::replace(&mut self.now, now));
        self.spare = older.words;
        self.seconds = self.interval().map(|time| time.as_secs_f64());
    }

    /// The entries, in the order of VPP's directory.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = Entry<'_>> {
        let planned = self.now.plan.as_ref().map(|plan| plan.entries.as_slice()).unwrap_or_default();
        planned.iter().enumerate().map(|(position, planned)| Entry { selection: self, planned, position })
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries().len()
    }

    /// Whether no entry fits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The entry of a name. Looks through all of them; who needs it each time notes its position with
    /// [`Selection::resolved`].
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Entry<'_>> {
        self.entries().find(|entry| entry.name() == name)
    }

    /// The entry at a position of [`Selection::entries`].
    #[must_use]
    pub fn at(&self, position: usize) -> Option<Entry<'_>> {
        self.entries().nth(position)
    }

    /// How often names were resolved. While this stays the same, so do the positions of entries.
    #[must_use]
    pub fn resolved(&self) -> u64 {
        self.resolved
    }

    /// How many lives of VPP were seen, by anything of the same [`Stats`](super::Stats).
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The time between the last two refreshes of this life of VPP: what rates are measured over.
    #[must_use]
    pub fn interval(&self) -> Option<Duration> {
        let interval = self.now.at?.duration_since(self.before.at?);
        (!interval.is_zero()).then_some(interval)
    }

    /// When the values were read.
    #[must_use]
    pub fn read_at(&self) -> Option<Instant> {
        self.now.at
    }
}

/// Where entries of one plan are in another.
fn positions(plan: &Plan, old: &Plan) -> Vec<Option<u32>> {
    let by_name: HashMap<&str, u32> =
        old.entries.iter().zip(0..).map(|(entry, position)| (old.name(entry), position)).collect();
    plan.entries.iter().map(|entry| by_name.get(plan.name(entry)).copied()).collect()
}

/// An entry of VPP's statistics with what was read of it.
#[derive(Clone, Copy)]
pub struct Entry<'a> {
    selection: &'a Selection,
    planned: &'a Planned,
    position: usize,
}

impl<'a> Entry<'a> {
    /// Its name: `/if/rx`, `/err/ip4-input/ip4 ttl <= 1`.
    #[must_use]
    pub fn name(&self) -> &'a str {
        self.selection.now.plan.as_ref().map(|plan| plan.name(self.planned)).unwrap_or_default()
    }

    /// Its place in VPP's directory, by which VPP's own tools know it.
    #[must_use]
    pub fn index(&self) -> u32 {
        self.planned.index
    }

    /// Its position in [`Selection::entries`].
    #[must_use]
    pub fn position(&self) -> usize {
        self.position
    }

    /// Whether it is a link: to one column of counters, which [`Value::Simple`] or [`Value::Combined`] holds alone.
    #[must_use]
    pub fn is_symlink(&self) -> bool {
        self.planned.is_symlink
    }

    /// What it holds.
    #[must_use]
    pub fn value(&self) -> Value<'a> {
        let Some(plan) = &self.selection.now.plan else { return Value::Absent };
        let now = rows(&self.selection.now, self.planned);
        let number = || now.row(0).first().copied().unwrap_or(0);
        match &self.planned.shape {
            Shape::Scalar => Value::Scalar(number()),
            Shape::Gauge => Value::Gauge(number()),
            Shape::Simple => Value::Simple(self.counters(now)),
            Shape::Combined => Value::Combined(self.counters(now)),
            Shape::Histogram => Value::Histogram(Histogram(now)),
            Shape::Names(texts) => Value::Names(Names(plan.texts(texts))),
            Shape::Ring(ring) => {
                plan.ring(*ring).map_or(Value::Absent, |shape| Value::Ring(RingState { rows: now, shape }))
            }
            Shape::Absent => Value::Absent,
        }
    }

    /// What a scalar or gauge was at the refresh before.
    #[must_use]
    pub fn number_before(&self) -> Option<u64> {
        match self.planned.shape {
            Shape::Scalar | Shape::Gauge => self.rows_before()?.row(0).first().copied(),
            _ => None,
        }
    }

    fn counters<T: Counter>(&self, now: Rows<'a>) -> Counters<'a, T> {
        let before = self.rows_before().zip(self.selection.seconds);
        Counters { now, before, element: PhantomData }
    }

    fn rows_before(&self) -> Option<Rows<'a>> {
        let before = &self.selection.before;
        let position = match &self.selection.was {
            Some(was) => was.get(self.position).copied()?? as usize,
            None => self.position,
        };
        let planned = before.plan.as_ref()?.entries.get(position)?;
        (planned.shape == self.planned.shape).then(|| rows(before, planned))
    }
}

impl std::fmt::Debug for Entry<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entry").field("name", &self.name()).field("value", &self.value()).finish()
    }
}

fn rows<'a>(snapshot: &'a Snapshot, planned: &'a Planned) -> Rows<'a> {
    let cells = snapshot.plan.as_ref().map(|plan| plan.cells(planned)).unwrap_or_default();
    Rows { cells, words: &snapshot.words }
}
