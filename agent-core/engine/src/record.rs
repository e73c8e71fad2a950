//! Recording what the planner was told, and doing it again without a southbound.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::descriptor::Descriptor;
use crate::journal::Remembered;
use crate::planner::{Access, Event, Notice, Outcome, Output, Planner, Policy, Seen};
use crate::rules::{Rules, Typed};
use crate::transaction::{Change, Options, Request};
use crate::{AnyValue, Drift, Failure, Foreign, Key};

#[derive(Serialize, Deserialize)]
struct Thing {
    key: Key,
    value: serde_json::Value,
    given: bool,
}

#[derive(Serialize, Deserialize)]
struct Wish {
    key: Key,
    value: Option<serde_json::Value>,
    expect: Option<u64>,
}

#[derive(Serialize, Deserialize)]
enum Told {
    Policy { adopt: bool, remove: bool, report: bool },
    Register(String),
    Access(Vec<(String, Access)>),
    Priority(String, i32),
    Remembered(Remembered),
    Keep(String),
    Transact { source: String, changes: Vec<Wish>, options: Options },
    Observed(String, Result<Vec<Thing>, Failure>),
    Notified(Vec<(Key, Option<Thing>)>),
    Done(u64),
    Found(u64, Option<Thing>),
    Failed(u64, Failure),
    Check,
    Tick,
}

#[derive(Serialize, Deserialize)]
struct Line {
    at: Duration,
    told: Told,
}

fn thing(seen: &Seen) -> Thing {
    Thing { key: seen.key.clone(), value: seen.value.to_json(), given: seen.given }
}

fn told(event: &Event) -> Told {
    match event {
        Event::Register(rules) => Told::Register(rules.kind().to_owned()),
        Event::Access(kinds) => Told::Access(kinds.clone()),
        Event::Priority(source, priority) => Told::Priority(source.clone(), *priority),
        Event::Remembered(of) => Told::Remembered(of.clone()),
        Event::Keep(source) => Told::Keep(source.clone()),
        Event::Transact(request) => Told::Transact {
            source: request.source.clone(),
            changes: request
                .changes
                .iter()
                .map(|change| Wish {
                    key: change.key.clone(),
                    value: change.value.as_ref().map(AnyValue::to_json),
                    expect: change.expect,
                })
                .collect(),
            options: request.options.clone(),
        },
        Event::Observed(kind, result) => {
            let result = result.as_ref().map(|items| items.iter().map(thing).collect()).map_err(Clone::clone);
            Told::Observed(kind.clone(), result)
        }
        Event::Notified(notices) => Told::Notified(
            notices.iter().map(|notice| (notice.key.clone(), notice.seen.as_ref().map(thing))).collect(),
        ),
        Event::Finished(id, Outcome::Done(_)) => Told::Done(*id),
        Event::Finished(id, Outcome::Found(seen)) => Told::Found(*id, seen.as_ref().map(thing)),
        Event::Finished(id, Outcome::Failed(failure)) => Told::Failed(*id, failure.clone()),
        Event::Check => Told::Check,
        Event::Tick => Told::Tick,
    }
}

/// A record is the beginning of a run: what the planner decides follows from all it was told, so when the bound is
/// reached recording ends and says so.
pub(crate) struct Recorder {
    text: String,
    most: usize,
    full: bool,
}

impl Recorder {
    pub(crate) fn new(most: usize, policy: Policy) -> Self {
        let mut recorder = Self { text: String::new(), most, full: most == 0 };
        recorder.line(
            Duration::ZERO,
            Told::Policy {
                adopt: policy.foreign == Foreign::Adopt,
                remove: policy.foreign == Foreign::Remove,
                report: policy.drift == Drift::Report,
            },
        );
        recorder
    }

    pub(crate) fn add(&mut self, at: Duration, event: &Event) {
        if !self.full {
            self.line(at, told(event));
        }
    }

    fn line(&mut self, at: Duration, told: Told) {
        if self.full {
            return;
        }
        match serde_json::to_string(&Line { at, told }) {
            Ok(line) if self.text.len() + line.len() < self.most => {
                self.text.push_str(&line);
                self.text.push('\n');
            }
            _ => self.full = true,
        }
    }

    pub(crate) fn record(&self) -> Record {
        Record { lines: self.text.clone(), truncated: self.full }
    }
}

/// What the engine was told since it started: a JSON document per line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// One event per line.
    pub lines: String,
    /// The bound was reached, and what came after is missing.
    pub truncated: bool,
}

/// Why a record cannot be replayed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// Not a line of a record.
    #[error("line {line} of the record: {error}")]
    Line {
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        error: serde_json::Error,
    },
    /// The record names a kind whose descriptor the replay was not given.
    #[error("line {line} of the record: no descriptor of kind {kind}: give it with Replay::descriptor")]
    Kind {
        /// Counted from 1.
        line: usize,
        /// The kind.
        kind: String,
    },
    /// A value is not of its kind's type any more.
    #[error("line {line} of the record: {failure}")]
    Value {
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        failure: Failure,
    },
}

/// Replays a record without a southbound. Of the descriptors only the pure functions are called.
#[derive(Default)]
pub struct Replay {
    kinds: Vec<Arc<dyn Rules>>,
}

/// What the planner decided in a replay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replayed {
    /// Each decision, in order: `12.3 s  create route/a (wanted)`.
    pub decisions: Vec<String>,
    /// How each item stands at the end.
    pub states: Vec<(Key, crate::State)>,
}

impl Replay {
    /// Without descriptors.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives it the descriptor of a kind.
    #[must_use]
    pub fn descriptor<D: Descriptor>(mut self, descriptor: D) -> Self {
        self.kinds.push(Arc::new(Typed(Arc::new(descriptor))));
        self
    }

    /// Tells a new planner what is recorded.
    pub fn run(&self, record: &Record) -> Result<Replayed, ReplayError> {
        let mut planner = Planner::new(Policy::default());
        let mut decisions = Vec::new();
        for (at, line) in record.lines.lines().enumerate() {
            let number = at + 1;
            let Line { at, told } =
                serde_json::from_str(line).map_err(|error| ReplayError::Line { line: number, error })?;
            let Some(event) = self.event(number, told, &mut planner)? else { continue };
            for output in planner.handle(at, event) {
                let mut text = format!("{at:?}  ");
                // Writing into a String cannot fail.
                let _ = match output {
                    Output::Run(operation) => {
                        write!(text, "{} {} ({:?})", operation.action, operation.key, operation.why)
                    }
                    Output::Observe(kind) => write!(text, "observe {}", planner.kind_name(kind)),
                    Output::Ended(report) => write!(text, "{}", report.to_string().trim_end()),
                    _ => continue,
                };
                decisions.push(text);
            }
        }
        let states =
            planner.statuses(None, "").into_iter().map(|status| (status.key, status.state)).collect();
        Ok(Replayed { decisions, states })
    }

    fn event(&self, line: usize, told: Told, planner: &mut Planner) -> Result<Option<Event>, ReplayError> {
        let seen = |thing: Thing| {
            let rules = self.kinds.iter().find(|rules| rules.kind() == thing.key.kind());
            let value = match rules {
                Some(rules) => {
                    rules.decode(&thing.value).map_err(|failure| ReplayError::Value { line, failure })?.1
                }
                None => AnyValue::new(thing.value),
            };
            Ok(Seen { key: thing.key, value, metadata: None, given: thing.given })
        };
        Ok(Some(match told {
            Told::Policy { adopt, remove, report } => {
                let foreign = match (adopt, remove) {
                    (true, _) => Foreign::Adopt,
                    (_, true) => Foreign::Remove,
                    _ => Foreign::Ignore,
                };
                let drift = if report { Drift::Report } else { Drift::Repair };
                *planner = Planner::new(Policy { foreign, drift });
                return Ok(None);
            }
            Told::Register(kind) => {
                let rules = self.kinds.iter().find(|rules| rules.kind() == kind);
                Event::Register(rules.cloned().ok_or(ReplayError::Kind { line, kind })?)
            }
            Told::Access(kinds) => Event::Access(kinds),
            Told::Priority(source, priority) => Event::Priority(source, priority),
            Told::Remembered(of) => Event::Remembered(of),
            Told::Keep(source) => Event::Keep(source),
            Told::Transact { source, changes, options } => {
                // Values of registered kinds get their types in the planner, as those of documents do.
                let changes = changes.into_iter().map(|wish| Change {
                    key: wish.key,
                    value: wish.value.map(AnyValue::new),
                    expect: wish.expect,
                });
                Event::Transact(Request { source, changes: changes.collect(), options })
            }
            Told::Observed(kind, result) => {
                let result = match result {
                    Ok(things) => Ok(things.into_iter().map(seen).collect::<Result<_, _>>()?),
                    Err(failure) => Err(failure),
                };
                Event::Observed(kind, result)
            }
            Told::Notified(notices) => {
                let notice = |(key, thing): (Key, Option<Thing>)| {
                    Ok::<_, ReplayError>(Notice { key, seen: thing.map(seen).transpose()? })
                };
                Event::Notified(notices.into_iter().map(notice).collect::<Result<_, _>>()?)
            }
            Told::Done(id) => Event::Finished(id, Outcome::Done(None)),
            Told::Found(id, thing) => Event::Finished(id, Outcome::Found(thing.map(seen).transpose()?)),
            Told::Failed(id, failure) => Event::Finished(id, Outcome::Failed(failure)),
            Told::Check => Event::Check,
            Told::Tick => Event::Tick,
        }))
    }
}
