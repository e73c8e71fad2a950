//! The journal's side of the driver: what the planner wants done after a fact waits until that is recorded.
//!
//! One append runs at a time, on a thread of the runtime that may block. What comes meanwhile is gathered and goes
//! with the next one, so a slow disk makes larger appends, not more of them.

use std::collections::BTreeMap;

use foldhash::{HashMap, HashSet};
use tokio::task::{JoinHandle, spawn_blocking};

use crate::journal::{BoxError, Fact, Journal, Remembered};
use crate::planner::Operation;
use crate::{Action, Key, Report};

type Written = (Box<dyn Journal>, Vec<Fact>, Result<(), BoxError>);

/// What the planner wants done, in order.
pub(super) struct Effects {
    pub(super) observed: Vec<u32>,
    pub(super) begun: Vec<Operation>,
    pub(super) ended: Vec<Report>,
}

/// Facts that are being recorded, and what waits for that.
pub(super) struct Writer {
    /// At rest; `None` while it is appended to.
    journal: Option<Box<dyn Journal>>,
    running: Option<JoinHandle<Written>>,
    /// Facts for the next append.
    next: Vec<Fact>,
    /// Number of the append that ended last, that was begun last, and of the last one for which something waits.
    ended: u64,
    begun: u64,
    due: u64,
    /// Why the last append failed. What it should have recorded is among the next facts.
    failed: Option<String>,
    /// Transactions with facts that are not recorded yet: the last append that has any of them.
    accounts: HashMap<u64, u64>,
    /// What waits: for which append, and its turn.
    waiting: BTreeMap<(u64, u64), Effects>,
    turn: u64,
}

/// A journal that was lost: it could not be read, or it panicked.
struct Lost(String);

impl Journal for Lost {
    fn load(&mut self) -> Result<Remembered, BoxError> {
        Err(self.0.clone().into())
    }
    fn append(&mut self, _: &[Fact]) -> Result<(), BoxError> {
        Err(self.0.clone().into())
    }
}

impl Writer {
    /// Reads the journal. If that fails nothing will be recorded in it either, so that nothing in it is lost.
    pub(super) async fn load(mut journal: Box<dyn Journal>) -> (Self, Remembered) {
        let read = spawn_blocking(move || {
            let remembered = journal.load();
            (journal, remembered)
        });
        let (journal, remembered) = match read.await {
            Ok((journal, Ok(remembered))) => (journal, remembered),
            Ok((_, Err(error))) => {
                tracing::error!("the journal cannot be read, so nothing will be created: {error}");
                let lost = Lost(format!("it could not be read: {error}"));
                (Box::new(lost) as Box<dyn Journal>, Remembered::default())
            }
            Err(panic) => (Box::new(Lost(panic.to_string())) as Box<dyn Journal>, Remembered::default()),
        };
        let writer = Self {
            journal: Some(journal),
            running: None,
            next: Vec::new(),
            ended: 0,
            begun: 0,
            due: 0,
            failed: None,
            accounts: HashMap::default(),
            waiting: BTreeMap::new(),
            turn: 0,
        };
        (writer, remembered)
    }

    /// Records a fact before anything else. If that fails, which it tells, the fact goes with the next ones.
    pub(super) async fn record_first(&mut self, fact: Fact) -> bool {
        self.next.push(fact);
        self.begin();
        self.written().await.1.is_none()
    }

    /// Records facts, each with the transaction on whose account it is. Gives back what followed from them if it has
    /// to wait for nothing; else it comes out of [`Writer::written`].
    pub(super) fn record(&mut self, facts: Vec<(u64, Fact)>, follows: Effects) -> Option<Effects> {
        let creates = follows.begun.iter().any(|operation| operation.action == Action::Create);
        let new = !facts.is_empty();
        // Who creates or reports has to know that all is recorded, so what failed is tried again.
        let again = self.failed.is_some() && (creates || !follows.ended.is_empty());
        if new || again {
            self.due = self.begun + 1;
            let mut last = 0;
            for (number, fact) in facts {
                if number != last {
                    self.accounts.insert(number, self.due);
                    last = number;
                }
                self.next.push(fact);
            }
            self.begin();
        }
        // The record of an item may be on its way since before its creation was planned. Other operations need none;
        // and a report waits for the facts of its transaction, not for those of others.
        let of_reports = || follows.ended.iter().filter_map(|report| self.accounts.get(&report.number)).max();
        let after = if new || again || creates { self.due } else { of_reports().copied().unwrap_or(0) };
        if after <= self.ended {
            return Some(follows);
        }
        self.turn += 1;
        self.waiting.insert((after, self.turn), follows);
        None
    }

    fn begin(&mut self) {
        let Some(mut journal) = self.journal.take() else { return };
        let facts = std::mem::take(&mut self.next);
        self.begun += 1;
        self.running = Some(spawn_blocking(move || {
            let result = journal.append(&facts);
            // Dropping many takes its time, too.
            let left = if result.is_err() { facts } else { Vec::new() };
            (journal, left, result)
        }));
    }

    /// Waits until an append has ended. Gives what waited for it, and why it failed.
    ///
    /// Dropping the future loses nothing.
    pub(super) async fn written(&mut self) -> (Vec<Effects>, Option<String>) {
        let Some(running) = &mut self.running else { return std::future::pending().await };
        let written = running.await;
        self.running = None;
        self.ended += 1;
        self.failed = match written {
            Ok((journal, facts, result)) => {
                self.journal = Some(journal);
                result.err().map(|error| {
                    self.put_back(facts);
                    error.to_string()
                })
            }
            Err(panic) => {
                self.journal = Some(Box::new(Lost(panic.to_string())));
                Some(panic.to_string())
            }
        };
        if let Some(error) = &self.failed {
            tracing::error!("the journal cannot be written: {error}");
        }
        if self.due > self.ended {
            self.begin();
        }
        let ended = self.ended;
        self.accounts.retain(|_, append| *append > ended);
        let waiting = self.waiting.split_off(&(ended + 1, 0));
        let done = std::mem::replace(&mut self.waiting, waiting);
        (done.into_values().collect(), self.failed.clone())
    }

    /// Facts that were not recorded go with the next ones; of each item only the last.
    fn put_back(&mut self, mut facts: Vec<Fact>) {
        facts.append(&mut self.next);
        let mut known: HashSet<(Option<std::sync::Arc<str>>, Option<Key>)> = HashSet::default();
        facts.reverse();
        facts.retain(|fact| {
            known.insert(match fact {
                Fact::Owned { key, .. } | Fact::Gone { key } => (None, Some(key.clone())),
                Fact::Wanted { source, key, .. } | Fact::Unwanted { source, key } => {
                    (Some(source.clone()), Some(key.clone()))
                }
                Fact::Kept { source } => (Some(source.clone()), None),
                Fact::Numbered { .. } => (None, None),
            })
        });
        facts.reverse();
        self.next = facts;
    }

    /// Whether nothing is being recorded and nothing waits for that.
    pub(super) const fn is_at_rest(&self) -> bool {
        self.running.is_none()
    }

    /// Records what is left and closes the journal.
    pub(super) async fn close(mut self) {
        while self.running.is_some() {
            self.written().await;
        }
        if self.failed.is_none() && !self.next.is_empty() {
            self.begin();
            self.written().await;
        }
        if let Some(journal) = self.journal {
            // Closing a file may block too.
            let _ = spawn_blocking(move || drop(journal)).await;
        }
    }
}
