//! How an item stands.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Action, Failure, Invalid, Key};

/// State of an item.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Unknown, or gone.
    #[default]
    Nonexistent,
    /// Wanted and made before, but no more there.
    Missing,
    /// No descriptor for its kind.
    Unimplemented,
    /// Just deleted.
    Removed,
    /// As wanted.
    Configured,
    /// It is there and belongs to the southbound or to somebody else.
    Obtained,
    /// It is there, nobody wants it in this run, and this agent made or adopted it.
    Discovered,
    /// Its needs are not met, or it is about to be made.
    Pending,
    /// Its descriptor rejects the value.
    Invalid,
    /// Its last operation failed, and will not be tried again.
    Failed,
    /// Its last operation failed, and will be tried again.
    Retrying,
}

impl State {
    /// All states.
    pub const ALL: [Self; 11] = [
        Self::Nonexistent,
        Self::Missing,
        Self::Unimplemented,
        Self::Removed,
        Self::Configured,
        Self::Obtained,
        Self::Discovered,
        Self::Pending,
        Self::Invalid,
        Self::Failed,
        Self::Retrying,
    ];
}

/// How the engine stands as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// How many items are in each state, in the order of [`State::ALL`].
    pub(crate) states: [usize; State::ALL.len()],
    /// Kinds that could not be observed, and why.
    pub unobserved: Vec<(String, Failure)>,
    /// Whether kinds are being observed on which nothing was known before, or what they lack is being made: what sources
    /// want is not there yet.
    pub observing: bool,
    /// Transactions that have not ended.
    pub transactions: usize,
    /// Operations that were given out and have not ended.
    pub operations: usize,
    /// How often something was not any more as it was made.
    pub drifts: u64,
}

impl Summary {
    /// How many items are in a state.
    pub const fn items(&self, state: State) -> usize {
        self.states[state as usize]
    }

    /// Whether nothing differs that tells how well the engine does.
    pub(crate) fn stands_like(&self, other: &Self) -> bool {
        let troubles = [State::Failed, State::Retrying, State::Invalid, State::Unimplemented];
        self.observing == other.observing
            && self.unobserved == other.unobserved
            && troubles.iter().all(|state| self.items(*state) == other.items(*state))
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Nonexistent => "nonexistent",
            Self::Missing => "missing",
            Self::Unimplemented => "unimplemented",
            Self::Removed => "removed",
            Self::Configured => "configured",
            Self::Obtained => "obtained",
            Self::Discovered => "discovered",
            Self::Pending => "pending",
            Self::Invalid => "invalid",
            Self::Failed => "failed",
            Self::Retrying => "retrying",
        })
    }
}

/// All about how an item stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// The item.
    pub key: Key,
    /// Its state.
    pub state: State,
    /// Since when, on the engine's clock.
    pub since: Duration,
    /// The item from which it is derived.
    pub parent: Option<Key>,
    /// The operation that was done or tried last.
    pub last: Option<Action>,
    /// What it waits for: `needs loopback/loop-b, which nobody wants`.
    pub pending: Vec<String>,
    /// Why the last operation failed.
    pub failure: Option<Failure>,
    /// Rejected fields.
    pub invalid: Option<Invalid>,
    /// How often the failed operation was tried.
    pub attempts: u32,
    /// When it will be tried again, on the engine's clock.
    pub next_try: Option<Duration>,
    /// Number of the transaction that changed the desired value last; for compare-and-set. After a restart with a journal it
    /// is another one, also where the value is the same.
    pub revision: u64,
}
