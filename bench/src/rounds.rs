//! Ways of doing the same, measured in turns: what else runs on the machine meets all of them.

use std::time::{Duration, Instant};

use anyhow::Result;
use rustix::time::{ClockId, clock_gettime};

use crate::report::{Limit, Ratio, Row};

/// One way of doing a subject's work.
pub(crate) struct Way<'a> {
    pub(crate) name: String,
    /// What carries the messages, where some are carried.
    pub(crate) transport: Option<&'static str>,
    /// What its ratio to the floor is allowed to be.
    pub(crate) limit: Option<Limit>,
    /// Does it once.
    pub(crate) run: Box<dyn FnMut() -> Result<Round> + 'a>,
}

impl<'a> Way<'a> {
    pub(crate) fn new(name: impl Into<String>, run: impl FnMut() -> Result<Round> + 'a) -> Self {
        Self { name: name.into(), transport: None, limit: None, run: Box::new(run) }
    }

    /// Messages go over the API socket.
    pub(crate) fn over(mut self, transport: &'static str) -> Self {
        self.transport = Some(transport);
        self
    }

    pub(crate) fn at_most(mut self, ratio: f64) -> Self {
        self.limit = Some(Limit::AtMost(ratio));
        self
    }

    pub(crate) fn at_least(mut self, ratio: f64) -> Self {
        self.limit = Some(Limit::AtLeast(ratio));
        self
    }
}

/// What one round of one way took.
#[derive(Clone, Debug, Default)]
pub(crate) struct Round {
    pub(crate) operations: usize,
    /// All operations together.
    pub(crate) time: Duration,
    /// Each by itself, where that was measured.
    pub(crate) each: Vec<Duration>,
    /// Of all operations, where they happen on one thread.
    pub(crate) allocations: Option<u64>,
    /// Of the whole process.
    pub(crate) cpu: Option<Duration>,
}

impl Round {
    /// Measures so many operations; memory is counted that this thread allocates.
    pub(crate) fn of(operations: usize, work: impl FnOnce() -> Result<()>) -> Result<Self> {
        let mut result = Ok(());
        let (cpu, started) = (cpu_time(), Instant::now());
        let counted = allocation_counter::measure(|| result = work());
        let (time, cpu) = (started.elapsed(), cpu_time().saturating_sub(cpu));
        result?;
        let allocations = Some(counted.count_total);
        Ok(Self { operations, time, each: Vec::new(), allocations, cpu: Some(cpu) })
    }

    /// As [`Round::of`], for work that is done on other threads: what they allocate is not known.
    pub(crate) fn of_threads(operations: usize, work: impl FnOnce() -> Result<()>) -> Result<Self> {
        Ok(Self { allocations: None, ..Self::of(operations, work)? })
    }

    fn per_operation(&self) -> f64 {
        self.time.as_secs_f64() / self.operations.max(1) as f64
    }
}

/// What a way is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Floor {
    /// The first way.
    First,
    /// The better of all but the last: all but the last are compared with nothing.
    BestOfOthers,
}

/// How a way is compared with the floor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compare {
    /// Its median time to the floor's: 1.1 is a tenth slower.
    Medians,
    /// The time below which 99 of 100 of its operations lie, to the floor's.
    Tails,
    /// Its time for all operations to the floor's.
    Times,
    /// Its operations per second to the floor's: 0.9 is a tenth slower.
    Rates,
}

/// Lets the ways take turns, and compares each with the first, the floor, round by round.
pub(crate) fn take_turns(ways: Vec<Way<'_>>, rounds: usize, compare: Compare) -> Result<Vec<Row>> {
    take_turns_beside(ways, rounds, compare, Floor::First)
}

/// As [`take_turns`], with another floor.
pub(crate) fn take_turns_beside(
    ways: Vec<Way<'_>>,
    rounds: usize,
    compare: Compare,
    floor: Floor,
) -> Result<Vec<Row>> {
    let mut ways = ways;
    let mut measured: Vec<Vec<Round>> = ways.iter().map(|_| Vec::with_capacity(rounds)).collect();
    // The first round warms up and is not counted.
    for round in 0..=rounds {
        for (way, measured) in ways.iter_mut().zip(&mut measured) {
            let mut here = (way.run)()?;
            here.each.sort_unstable();
            if round > 0 {
                measured.push(here);
            }
        }
    }
    let figure = |round: &Round| match compare {
        Compare::Medians => at(&round.each, 0.5).as_secs_f64(),
        Compare::Tails => at(&round.each, 0.99).as_secs_f64(),
        Compare::Times => round.per_operation(),
        Compare::Rates => 1.0 / round.per_operation(),
    };
    let figures_of = |rounds: &Vec<Round>| rounds.iter().map(figure).collect::<Vec<f64>>();
    let (floor, compared) = match floor {
        Floor::First => (measured.first().map(figures_of).unwrap_or_default(), 1),
        Floor::BestOfOthers => {
            // Of whole ways, not of single rounds: the best of several measurements of one is better than any.
            let others = measured[..measured.len().saturating_sub(1)].iter().map(figures_of);
            let best = others.max_by(|one, other| {
                let order = median(one).total_cmp(&median(other));
                if compare == Compare::Rates { order } else { order.reverse() }
            });
            (best.unwrap_or_default(), measured.len().saturating_sub(1))
        }
    };
    let rows = ways.iter().zip(&measured).enumerate().map(|(index, (way, rounds))| {
        let ratios = rounds.iter().map(figure).zip(&floor).map(|(own, floor)| own / floor).collect();
        Row {
            ratio: (index >= compared).then(|| Ratio::of(ratios, way.limit)),
            way: way.name.clone(),
            transport: way.transport,
            ..figures(rounds)
        }
    });
    Ok(rows.collect())
}

fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The figures of all rounds of one way.
fn figures(rounds: &[Round]) -> Row {
    let operations = rounds.iter().map(|round| round.operations).sum::<usize>().max(1) as f64;
    let mut each: Vec<_> = rounds.iter().flat_map(|round| &round.each).copied().collect();
    each.sort_unstable();
    let mut times: Vec<_> = rounds.iter().map(Round::per_operation).collect();
    times.sort_unstable_by(f64::total_cmp);
    let cpu: Option<Duration> = rounds.iter().map(|round| round.cpu).sum();
    let allocations: Option<u64> = rounds.iter().map(|round| round.allocations).sum();
    let is_each = !each.is_empty();
    let micros = |part| is_each.then(|| at(&each, part).as_secs_f64() * 1e6);
    Row {
        p50_us: micros(0.5),
        p99_us: micros(0.99),
        each_us: (!is_each).then(|| times.get(times.len() / 2).map(|time| time * 1e6)).flatten(),
        allocations: allocations.map(|count| count as f64 / operations),
        cpu_us: cpu.map(|cpu| cpu.as_secs_f64() * 1e6 / operations),
        ..Row::default()
    }
}

/// The value below which this part of sorted times lies.
pub(crate) fn at(sorted: &[Duration], part: f64) -> Duration {
    sorted.get((sorted.len() as f64 * part) as usize).copied().unwrap_or_default()
}

fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.try_into().unwrap_or(0), time.tv_nsec.try_into().unwrap_or(0))
}
