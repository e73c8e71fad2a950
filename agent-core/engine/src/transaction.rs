//! What is asked of the engine, and what it answers.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{AnyValue, Failure, Invalid, Key, State};

/// One change of the desired state.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) key: Key,
    /// `None`: the source does not want the item any more.
    pub(crate) value: Option<AnyValue>,
    /// The change is made only if the item has this revision.
    pub(crate) expect: Option<u64>,
}

/// Whether and when failed operations are tried again.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Retry {
    /// Time before the first new attempt; each further one waits twice as long.
    pub period: Duration,
    /// The longest time between two attempts.
    pub longest: Duration,
    /// How many new attempts; 0 is no limit.
    pub attempts: u32,
}

impl Default for Retry {
    /// After 1, 2 and 4 seconds.
    fn default() -> Self {
        Self { period: Duration::from_secs(1), longest: Duration::from_secs(60), attempts: 3 }
    }
}

impl Retry {
    /// For ever, at most a minute apart.
    pub fn forever() -> Self {
        Self { attempts: 0, ..Self::default() }
    }

    pub(crate) fn delay(&self, attempt: u32) -> Option<Duration> {
        if self.attempts != 0 && attempt > self.attempts {
            return None;
        }
        Some(self.period.saturating_mul(1 << (attempt - 1).min(30)).min(self.longest))
    }
}

/// What a transaction takes for granted about its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Resync {
    /// The transaction is all that the source wants, and the southbound is observed before anything is done.
    Full,
    /// The transaction is all that the source wants.
    Desired,
    /// The southbound is observed; what the sources want stays.
    Observed,
}

/// What an all-or-nothing transaction does about items whose needs are not met.
///
/// An item that cannot be tried is another matter: where a southbound is away ([`Access::Closed`](crate::Access::Closed)) or
/// cannot be observed, nobody knows whether all can be had. Unless the transaction waits it is rejected then, or taken back
/// if it was begun.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum OnPending {
    /// They may stay pending.
    #[default]
    Accept,
    /// It is rejected before anything is done.
    Fail,
    /// It is reverted if they are still pending after this time. It waits for a southbound that is away, too.
    Wait(Duration),
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Options {
    pub(crate) retry: Option<Retry>,
    pub(crate) revert: bool,
    pub(crate) pending: OnPending,
    pub(crate) resync: Option<Resync>,
    pub(crate) description: String,
}

/// A transaction as the planner gets it.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) source: String,
    pub(crate) changes: Vec<Change>,
    pub(crate) options: Options,
}

/// What is done with an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// It is made.
    Create,
    /// It is changed where it is.
    Update,
    /// It is taken away.
    Delete,
    /// It is looked at, because what became of an operation is not known.
    Verify,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Verify => "verify",
        })
    }
}

/// Why an operation is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Why {
    /// A source wants it so.
    Wanted,
    /// No source wants it any more.
    Unwanted,
    /// What it needs is going away.
    Withdrawn,
    /// Its value cannot be changed where it is.
    Recreated,
    /// Its transaction failed and is taken back.
    Reverted,
    /// It failed before.
    Retried,
    /// The result of its last operation is not known.
    Unsure,
}

/// An operation that was done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Done {
    /// The item.
    pub key: Key,
    /// What was done.
    pub action: Action,
    /// And why.
    pub why: Why,
    /// The failure, if it did not succeed.
    pub failure: Option<Failure>,
}

/// What became of one key of a transaction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// The item.
    pub key: Key,
    /// Its state now.
    pub state: State,
    /// The key that failed, the item itself or one derived from it, and why.
    pub failure: Option<(Key, Failure)>,
    /// Rejected fields.
    pub invalid: Option<Invalid>,
    /// What it waits for.
    pub pending: Vec<String>,
}

impl Item {
    /// Whether it is as it is wanted.
    pub fn is_in_place(&self) -> bool {
        let at_rest = matches!(self.state, State::Configured | State::Removed | State::Nonexistent);
        at_rest && self.failure.is_none() && self.invalid.is_none() && self.pending.is_empty()
    }
}

/// How a transaction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ending {
    /// All is as wanted, or pending.
    Applied,
    /// Some items failed or are invalid; the others are as wanted.
    Partly,
    /// Some item failed; the transaction was taken back.
    Reverted,
    /// Nothing was done.
    Rejected,
}

/// What started a transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Trigger {
    /// A source, by its name.
    Source(String),
    /// Changes of the southbound.
    Notification,
    /// New attempts for what failed in this transaction.
    Retry(u64),
    /// A descriptor was registered, or a drift check was due.
    Observation,
    /// At the start: what the journal kept is wanted again.
    Journal,
}

/// What became of a transaction.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// Number of the transaction. They count up from 1; with a journal from one that no earlier run has given.
    pub number: u64,
    /// What started it.
    pub trigger: Trigger,
    /// As given.
    pub description: String,
    /// How it ended.
    pub ending: Ending,
    /// Why it was rejected, or could not be carried out whole.
    pub errors: Vec<String>,
    /// Its items, in the order in which they were named.
    pub items: Vec<Item>,
    /// What was done, in the order in which it was planned.
    pub operations: Vec<Done>,
    /// Times on the engine's clock.
    pub started: Duration,
    /// When its last operation ended.
    pub ended: Duration,
}

impl Report {
    /// Whether all items are as wanted, or pending.
    pub fn is_applied(&self) -> bool {
        self.ending == Ending::Applied
    }

    /// The state of an item of this transaction.
    pub fn state(&self, key: &Key) -> Option<State> {
        self.items.iter().find(|item| item.key == *key).map(|item| item.state)
    }
}

/// What is in place and what is not: how many, and each item that is not; with `{:#}` each item.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (number, ending, operations) = (self.number, self.ending, self.operations.len());
        writeln!(f, "transaction {number}: {ending:?}, {operations} operations")?;
        let in_place = self.items.iter().filter(|item| item.is_in_place()).count();
        if in_place < self.items.len() {
            writeln!(f, "  {in_place} of {} items are as wanted", self.items.len())?;
        }
        for error in &self.errors {
            writeln!(f, "  {error}")?;
        }
        let all = f.alternate();
        for item in self.items.iter().filter(|item| all || !item.is_in_place()) {
            write!(f, "  {}: {}", item.key, item.state)?;
            if let Some((key, failure)) = &item.failure {
                if *key != item.key {
                    write!(f, ": {key}")?;
                }
                write!(f, ": {failure}")?;
            } else if let Some(invalid) = &item.invalid {
                write!(f, ": {invalid}")?;
            } else if !item.pending.is_empty() {
                write!(f, ": {}", item.pending.join("; "))?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}
