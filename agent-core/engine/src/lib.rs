//! A desired-state engine.

mod descriptor;
mod driver;
mod engine;
mod failure;
mod history;
mod journal;
mod key;
mod metadata;
mod needs;
mod plan;
mod planner;
mod record;
mod rules;
mod status;
mod transaction;
mod value;
mod watch;

pub use descriptor::{Batch, Change, Derived, Descriptor, Entry, Observed, Outcomes};
pub use engine::{Ended, Engine, Settings, Transaction};
pub use failure::{Failure, Invalid};
pub use journal::{Journal, MemoryJournal, NoJournal, Ownership};
pub use key::Key;
pub use metadata::{Registered, Reverse};
pub use needs::Needs;
pub use plan::{Graph, Plan, Step};
pub use planner::{Drift, Foreign};
pub use record::{Record, Replay, ReplayError, Replayed};
pub use status::{State, Status};
pub use transaction::{Action, Done, Ending, Item, OnPending, Report, Resync, Retry, Trigger, Why};
pub use value::{AnyValue, Value};
pub use watch::{Watch, Watched};
