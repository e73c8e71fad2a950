//! An item in the graph.

use std::sync::Arc;
use std::time::Duration;

use smallvec::SmallVec;

use super::ids::{Id, Ids};
use super::need::Need;
use crate::value::AnyMetadata;
use crate::{Action, AnyValue, Change, Failure, Invalid, Key, Retry, State};

/// Who wants an item.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Origin {
    /// A source, by its place in the planner's list.
    Source(u16),
    /// The item from which it is derived.
    Parent(Id),
}

#[derive(Clone)]
pub(super) struct Want {
    pub(super) origin: Origin,
    pub(super) value: AnyValue,
}

/// What is to become of an item.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Goal {
    /// It shall not be there.
    #[default]
    Absent,
    /// It shall be there with the value that is wanted.
    Present,
    /// It stays as it is.
    Hold,
    /// Its kind has not been observed yet: nothing is known, so nothing is done.
    Unknown,
}

/// An operation that failed.
#[derive(Clone)]
pub(super) struct Trouble {
    pub(super) failure: Failure,
    pub(super) action: Action,
    pub(super) attempts: u32,
    pub(super) next_try: Option<Duration>,
    /// The operation is not done again before something changes.
    pub(super) held: bool,
}

#[derive(Clone)]
pub(super) struct Busy {
    pub(super) sequence: u32,
    pub(super) action: Action,
    pub(super) value: Option<AnyValue>,
    /// The transaction that counts this operation, and its place in the list there.
    pub(super) transaction: u64,
    pub(super) place: u32,
}

#[derive(Clone)]
pub(super) struct Node {
    pub(super) key: Key,
    pub(super) kind: u32,
    /// Who wants it: the value in force first.
    pub(super) wants: SmallVec<[Want; 1]>,
    /// What is there. The same allocation as the wanted value if they are equivalent.
    pub(super) applied: Option<AnyValue>,
    pub(super) metadata: Option<AnyMetadata>,
    /// Needs of the wanted value.
    pub(super) needs: Need,
    /// Needs of what is there, while that is another value; and while it is updated of what it is about to become.
    pub(super) old_needs: Option<Box<Need>>,
    /// The item from which the value in force, or what is there, is derived.
    pub(super) parent: Option<Id>,
    pub(super) children: Vec<Id>,
    /// Items that name this one: in their needs, or as their parent.
    pub(super) users: Ids,
    pub(super) busy: Option<Box<Busy>>,
    pub(super) trouble: Option<Box<Trouble>>,
    pub(super) invalid: Option<Box<Invalid>>,
    pub(super) retry: Option<Arc<Retry>>,
    /// How what is there becomes what is wanted; `None`: it is.
    pub(super) change: Option<Change>,
    pub(super) goal: Goal,
    /// It is there and will stay: others may stand on it.
    pub(super) available: bool,
    /// Contents that needs look at while it is available: what is there, and what it is about to become.
    pub(super) shown: [Option<AnyValue>; 3],
    /// The needs of the wanted value hold.
    pub(super) needs_hold: bool,
    /// What is there is not known for sure.
    pub(super) doubt: bool,
    /// This agent made it (or took it over).
    pub(super) owner: Option<u16>,
    /// Made by an earlier run, and not wanted in this one so far.
    pub(super) stale: bool,
    /// It belongs to the southbound.
    pub(super) given: bool,
    /// It differs from what is wanted, and policy says to leave it.
    pub(super) drifted: bool,
    pub(super) missing: bool,
    pub(super) property: bool,
    /// The southbound said something about it while an operation ran: to be looked at when that ends.
    pub(super) recheck: bool,
    pub(super) dirty: bool,
    pub(super) acting: bool,
    pub(super) touched: bool,
    /// Users whose needs look at the content of this one.
    pub(super) content_users: u32,
    /// Cycle of which it is a part, while that is being made; 0 for none.
    pub(super) group: u32,
    pub(super) seen: u32,
    /// Transactions that name it: its place stays while they run.
    pub(super) pins: u32,
    /// Attempts as told last.
    pub(super) told: u32,
    pub(super) sequence: u32,
    pub(super) state: State,
    pub(super) since: Duration,
    pub(super) last: Option<Action>,
    pub(super) why_absent: Absence,
    pub(super) revision: u64,
    /// The transaction on whose account operations go.
    pub(super) cause: u64,
}

/// Why it was to be deleted when that was decided.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Absence {
    #[default]
    Unwanted,
    Withdrawn,
}

impl Node {
    pub(super) fn new(key: Key, kind: u32) -> Self {
        Self {
            key,
            kind,
            wants: SmallVec::new(),
            applied: None,
            metadata: None,
            needs: Need::None,
            old_needs: None,
            parent: None,
            children: Vec::new(),
            users: Ids::default(),
            busy: None,
            trouble: None,
            invalid: None,
            retry: None,
            change: None,
            goal: Goal::Absent,
            available: false,
            shown: [None, None, None],
            needs_hold: false,
            doubt: false,
            owner: None,
            stale: false,
            given: false,
            drifted: false,
            missing: false,
            property: false,
            recheck: false,
            dirty: false,
            acting: false,
            touched: false,
            content_users: 0,
            group: 0,
            seen: 0,
            pins: 0,
            told: 0,
            sequence: 0,
            state: State::Nonexistent,
            since: Duration::ZERO,
            last: None,
            why_absent: Absence::Unwanted,
            revision: 0,
            cause: 0,
        }
    }

    pub(super) fn wanted(&self) -> Option<&AnyValue> {
        self.wants.first().map(|want| &want.value)
    }

    /// It may be there.
    pub(super) fn occupied(&self) -> bool {
        self.applied.is_some() || self.doubt || self.busy.is_some()
    }

    /// Its last operation failed, and it waits for something to change.
    pub(super) fn held(&self) -> bool {
        self.trouble.as_ref().is_some_and(|trouble| trouble.held)
    }

    /// It is on its way to be there.
    pub(super) fn rising(&self) -> bool {
        self.busy.is_some()
            || (self.goal == Goal::Present
                && (self.applied.is_none() || self.change.is_some())
                && !self.held()
                && !self.drifted)
    }

    /// It is on its way to be gone.
    pub(super) fn falling(&self) -> bool {
        self.occupied() && (self.goal == Goal::Absent || self.change == Some(Change::Recreate))
    }
}
