//! The planner: events in, operations out. No clock, no task, no lock, no I/O; the same events give the same
//! operations.
//!
//! Every item has a **goal** that follows from who wants it and from what is available: present, absent, or left as
//! it is. An event changes something about some items; these and those who name them are looked at again until no
//! goal changes any more (`goal.rs`, who stands on what in `stand.rs`, cycles in `cycle.rs`). Only then operations are
//! given out, for items that are not at their goal and that nobody holds up (`act.rs`). So whatever the order of events,
//! the goals are the same.

mod access;
mod act;
mod cycle;
mod finish;
mod goal;
mod ids;
mod keep;
mod need;
mod node;
mod nodes;
mod observe;
mod present;
mod stand;
#[cfg(test)]
mod tests;
mod transact;
mod want;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use foldhash::{HashMap, HashMapExt};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::journal::{Fact, Remembered};
use crate::needs::Expression;
use crate::rules::Rules;
use crate::transaction::Request;
use crate::value::AnyMetadata;
use crate::{Action, AnyValue, Failure, Key, Report, State, Status, Why};
use ids::{Id, Ids};
use need::{Need, Set, Sets};
use node::{Node, Origin, Want};
use nodes::{Nodes, Places};
use transact::Transaction;

/// What is done about items that this agent did not make and that nobody wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Foreign {
    /// They are left alone; others may need them.
    #[default]
    Ignore,
    /// As ignored, but reported as discovered.
    Adopt,
    /// They are deleted when a source says with a resync what it wants.
    Remove,
}

/// What is done about items that are not any more as they were made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Drift {
    /// They are made again.
    #[default]
    Repair,
    /// Their state says so.
    Report,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Policy {
    pub(crate) foreign: Foreign,
    pub(crate) drift: Drift,
}

/// Whether the southbound of a kind can be worked with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Access {
    /// It can. Said after `Closed`, the kind is observed before anything is done with it.
    #[default]
    Open,
    /// Not now (VPP is down): nothing is done with the kind, and what is wanted of it is pending with this reason. What
    /// runs ends as it does.
    Closed(String),
    /// Not with this southbound (VPP lacks the messages): items are unimplemented, with this reason. What they do not
    /// hold up goes on.
    Unimplemented(String),
}

/// An item as a descriptor found it.
#[derive(Clone)]
pub(crate) struct Seen {
    pub(crate) key: Key,
    pub(crate) value: AnyValue,
    pub(crate) metadata: Option<AnyMetadata>,
    pub(crate) given: bool,
}

/// What the southbound says by itself: an item is there with this value, or no more.
#[derive(Clone)]
pub(crate) struct Notice {
    pub(crate) key: Key,
    pub(crate) seen: Option<Seen>,
}

/// How an operation ended.
#[derive(Clone)]
pub(crate) enum Outcome {
    Done(Option<AnyMetadata>),
    /// The answer to [`Action::Verify`].
    Found(Option<Seen>),
    Failed(Failure),
}

/// What the planner is told.
#[derive(Clone)]
pub(crate) enum Event {
    /// A kind gets its descriptor.
    Register(Arc<dyn Rules>),
    /// Whether kinds can be worked with. Those that open together are observed together.
    Access(Vec<(String, Access)>),
    /// Precedence of a source: where two want the same item, the higher one has it.
    Priority(String, i32),
    /// What earlier runs recorded. Comes before anything else.
    Remembered(Remembered),
    /// What this source wants is to be recorded.
    Keep(String),
    Transact(Request),
    /// The answer to [`Output::Observe`].
    Observed(String, Result<Vec<Seen>, Failure>),
    Notified(Vec<Notice>),
    Finished(u64, Outcome),
    /// Drift is to be looked for.
    Check,
    /// Time has passed.
    Tick,
}

/// An operation to be done.
#[derive(Clone)]
pub(crate) struct Operation {
    pub(crate) id: u64,
    pub(crate) key: Key,
    pub(crate) kind: u32,
    pub(crate) action: Action,
    pub(crate) why: Why,
    /// The value to be created or changed to, or that is deleted.
    pub(crate) value: Option<AnyValue>,
    pub(crate) previous: Option<AnyValue>,
    pub(crate) metadata: Option<AnyMetadata>,
}

/// What the planner wants done, and what it tells.
#[derive(Clone)]
pub(crate) enum Output {
    Run(Operation),
    /// All items of a kind are to be observed.
    Observe(u32),
    /// This has to be on disk before what follows is done, and before this transaction is reported.
    Record(u64, Fact),
    Metadata(u32, Key, Option<AnyMetadata>),
    Status(Box<Status>),
    /// The transaction got its number.
    Accepted(u64),
    Ended(Box<Report>),
}

#[derive(Clone)]
struct Kind {
    name: Arc<str>,
    rules: Option<Arc<dyn Rules>>,
    access: Access,
    members: Ids,
    sets: Sets,
    /// It has been observed in this run.
    known: bool,
    /// A pass runs, and nothing is done before it ends.
    gated: bool,
    /// Why it could not be observed.
    failure: Option<Failure>,
    attempts: u32,
    /// Items on which something was done while the kind was being observed; what was observed of them is old.
    moved: Option<Ids>,
    /// Items that would act, were the kind not gated.
    deferred: Vec<Id>,
}

impl Kind {
    /// Why its southbound is away.
    fn away(&self) -> Option<&str> {
        match &self.access {
            Access::Closed(why) if self.rules.is_some() => Some(why),
            _ => None,
        }
    }

    /// Why nothing is made of its items here.
    fn unimplemented(&self) -> Option<&str> {
        match &self.access {
            _ if self.rules.is_none() => Some(UNREGISTERED),
            Access::Unimplemented(why) => Some(why),
            _ => None,
        }
    }
}

/// Why nothing is made of an item of a kind without a descriptor.
const UNREGISTERED: &str = "no descriptor of this kind is registered";

#[derive(Clone)]
struct Source {
    name: Arc<str>,
    priority: i32,
    keys: Ids,
    /// It is known what it wants, whole: said in this run, or kept.
    complete: bool,
    /// It has said so in this run.
    said: bool,
    /// What it wants is recorded.
    kept: bool,
    /// And it is recorded that this is all.
    kept_whole: bool,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    Retry(Id, u32),
    Pending(u64),
    Observe(u32),
}

/// See the module.
#[derive(Clone)]
pub(crate) struct Planner {
    policy: Policy,
    now: Duration,
    nodes: Nodes,
    free: Vec<Id>,
    ids: Places,
    kinds: Vec<Kind>,
    kind_ids: HashMap<Arc<str>, u32>,
    /// The kind that was named last.
    last_kind: u32,
    sets: Vec<Set>,
    /// The needs that were interned last: many items have the same.
    interned: Option<(Arc<[Expression]>, Need)>,
    sources: Vec<Source>,
    transactions: BTreeMap<u64, Transaction>,
    queued: VecDeque<(u64, Request)>,
    locked: HashMap<Id, u64>,
    number: u64,
    /// Numbers below this one are not given by a later run.
    reserved: u64,
    /// On whose account what happens now goes.
    cause: u64,
    /// Whose change is being made now: becomes the revision of what it touches.
    author: u64,
    dirty: VecDeque<Id>,
    acting: VecDeque<Id>,
    touched: Vec<Id>,
    candidates: Vec<Id>,
    groups: HashMap<u32, Vec<Id>>,
    group: u32,
    waits: HashMap<Id, act::Wait>,
    waiters: HashMap<Id, Vec<Id>>,
    stuck: Vec<Id>,
    patient: Ids,
    /// Items with an operation that runs.
    inflight: Ids,
    impatient: Ids,
    /// Items that an item does not derive any more and that have to go before it changes.
    leaving: HashMap<Id, Vec<Id>>,
    timers: BTreeSet<(Duration, Timer)>,
    pass: Option<observe::Pass>,
    next_pass: Option<observe::Pass>,
    epoch: u32,
    /// Items by state, as told.
    states: [usize; State::ALL.len()],
    drifts: u64,
    publish: bool,
    /// Operations are planned and never given out.
    onlooker: bool,
    /// A copy that only looks ahead.
    rehearsal: Option<Box<present::Rehearsal>>,
    out: Vec<Output>,
}

impl Planner {
    pub(crate) fn new(policy: Policy) -> Self {
        Self {
            policy,
            now: Duration::ZERO,
            nodes: Nodes::default(),
            free: Vec::new(),
            ids: Places::default(),
            kinds: Vec::new(),
            kind_ids: HashMap::new(),
            last_kind: 0,
            sets: Vec::new(),
            interned: None,
            sources: Vec::new(),
            transactions: BTreeMap::new(),
            queued: VecDeque::new(),
            locked: HashMap::new(),
            number: 0,
            reserved: 0,
            cause: 0,
            author: 0,
            dirty: VecDeque::new(),
            acting: VecDeque::new(),
            touched: Vec::new(),
            candidates: Vec::new(),
            groups: HashMap::new(),
            group: 0,
            waits: HashMap::new(),
            waiters: HashMap::new(),
            stuck: Vec::new(),
            patient: Ids::default(),
            inflight: Ids::default(),
            impatient: Ids::default(),
            leaving: HashMap::new(),
            timers: BTreeSet::new(),
            pass: None,
            next_pass: None,
            epoch: 0,
            states: [0; State::ALL.len()],
            drifts: 0,
            publish: false,
            onlooker: false,
            rehearsal: None,
            out: Vec::new(),
        }
    }

    /// Whether changes of states are told.
    pub(crate) const fn publish(&mut self, on: bool) {
        self.publish = on;
    }

    /// From now on nothing is done.
    pub(crate) const fn only_look(&mut self) {
        self.onlooker = true;
    }

    /// Another planner in the same state, to look ahead with. Items are shared, and copied when one of the two changes them.
    pub(crate) fn snapshot(&mut self) -> Self {
        let shared = self.nodes.share();
        let nodes = std::mem::take(&mut self.nodes);
        let copy = Self { nodes: shared, ..self.clone() };
        self.nodes = nodes;
        copy
    }

    /// Takes an event and gives what follows from it, in order.
    pub(crate) fn handle(&mut self, now: Duration, event: Event) -> Vec<Output> {
        self.take(now, event);
        self.give(usize::MAX).0
    }

    /// Takes an event. What follows from it is [given](Self::give).
    pub(crate) fn take(&mut self, now: Duration, event: Event) {
        // What is left of the one before comes first, however much of it was given.
        self.settle(usize::MAX);
        self.now = self.now.max(now);
        self.expire();
        self.settle(usize::MAX);
        match event {
            Event::Register(rules) => self.register(rules),
            Event::Access(kinds) => self.set_access(kinds),
            Event::Priority(source, priority) => self.set_priority(&source, priority),
            Event::Remembered(of) => self.remember(of),
            Event::Keep(source) => self.keep(&source),
            Event::Transact(request) => self.receive(request),
            Event::Observed(kind, result) => self.observed(&kind, result),
            Event::Notified(notices) => self.notified(notices),
            Event::Finished(id, outcome) => self.finished(id, outcome),
            Event::Check => self.check(),
            Event::Tick => {}
        }
    }

    /// What follows from what was told, in order, a portion of about so many outputs at a time; and whether there is more. So
    /// the southbound works on the first operations while the others are planned. What is given, all together, does not
    /// depend on the portions.
    pub(crate) fn give(&mut self, about: usize) -> (Vec<Output>, bool) {
        if self.out.len() >= about {
            // What is recorded of a long change is recorded while its goals are found.
            return (std::mem::take(&mut self.out), true);
        }
        // An operation and its record of each.
        self.out.reserve(about.min(self.acting.len() * 2));
        let all = self.settle(about);
        (std::mem::take(&mut self.out), !all)
    }

    /// When the planner wants to be called again, at the latest.
    pub(crate) fn wake(&self) -> Option<Duration> {
        self.timers.first().map(|(at, _)| *at)
    }

    /// Goes on until nothing is left to decide: `true`; or until there are so many outputs.
    fn settle(&mut self, about: usize) -> bool {
        loop {
            while let Some(id) = self.dirty.pop_front() {
                self.nodes[id as usize].dirty = false;
                self.evaluate(id);
            }
            if !self.candidates.is_empty() {
                self.find_groups();
                continue;
            }
            if !self.acting.is_empty() && self.out.len() >= about {
                return false;
            }
            if let Some(id) = self.acting.pop_front() {
                self.nodes[id as usize].acting = false;
                self.act(id);
                continue;
            }
            if !self.stuck.is_empty() && self.break_cycles() {
                continue;
            }
            if self.inflight.is_empty() && self.lose_patience() {
                continue;
            }
            if self.end_transactions() {
                continue;
            }
            break;
        }
        self.publish_touched();
        true
    }

    fn expire(&mut self) {
        let mut retried = Vec::new();
        while let Some((at, timer)) = self.timers.first().cloned() {
            if at > self.now {
                break;
            }
            self.timers.pop_first();
            match timer {
                Timer::Retry(id, sequence) => self.retry(id, sequence, &mut retried),
                Timer::Pending(number) => self.pending_too_long(number),
                Timer::Observe(kind) => self.observe_again(kind),
            }
        }
    }

    /// The number of a kind that somebody has named.
    fn kind_id(&self, name: &str) -> Option<u32> {
        // Mostly many of one kind come one after another.
        let last = self.kinds.get(self.last_kind as usize).filter(|kind| *kind.name == *name);
        last.map(|_| self.last_kind).or_else(|| self.kind_ids.get(name).copied())
    }

    fn intern_kind(&mut self, name: &str) -> u32 {
        let kind = self.kind_id(name).unwrap_or_else(|| self.add_kind(name));
        self.last_kind = kind;
        kind
    }

    fn add_kind(&mut self, name: &str) -> u32 {
        let kind = self.kinds.len() as u32;
        let name: Arc<str> = name.into();
        self.kinds.push(Kind {
            name: name.clone(),
            rules: None,
            access: Access::Open,
            members: Ids::default(),
            sets: Sets::default(),
            known: false,
            gated: false,
            failure: None,
            attempts: 0,
            moved: None,
            deferred: Vec::new(),
        });
        self.kind_ids.insert(name, kind);
        kind
    }

    /// As many items may come: growing by and by would copy all of them several times.
    fn expect_items(&mut self, count: usize) {
        // A few are not worth the look, and doubling is cheaper than many small steps.
        if count > self.nodes.len() {
            self.ids.reserve(count);
        }
    }

    /// The place of an item, if it has one.
    fn find(&self, key: &Key) -> Option<Id> {
        self.ids.get(self.ids.hash(key), key, &self.nodes)
    }

    fn intern(&mut self, key: &Key) -> Id {
        let hash = self.ids.hash(key);
        self.ids.get(hash, key, &self.nodes).unwrap_or_else(|| self.add_node(hash, key.clone()))
    }

    /// As `intern`, of a key that nobody needs any more.
    fn intern_own(&mut self, key: Key) -> Id {
        let hash = self.ids.hash(&key);
        self.ids.get(hash, &key, &self.nodes).unwrap_or_else(|| self.add_node(hash, key))
    }

    fn add_node(&mut self, hash: u64, key: Key) -> Id {
        let kind = self.intern_kind(key.kind());
        let mut node = Node::new(key, kind);
        node.since = self.now;
        let id = match self.free.pop() {
            Some(id) => {
                // Operations of who had this place before have other numbers.
                node.sequence = self.nodes[id as usize].sequence;
                self.nodes[id as usize] = node;
                id
            }
            None => {
                self.nodes.push(node);
                self.nodes.len() as u32 - 1
            }
        };
        self.ids.insert(hash, id);
        self.kinds[kind as usize].members.insert(id);
        id
    }

    fn intern_source(&mut self, name: &str) -> u16 {
        if let Some(at) = self.sources.iter().position(|source| *source.name == *name) {
            return at as u16;
        }
        self.sources.push(Source {
            name: name.into(),
            priority: 0,
            keys: Ids::default(),
            complete: false,
            said: false,
            kept: false,
            kept_whole: false,
        });
        (self.sources.len() - 1) as u16
    }

    fn set_priority(&mut self, name: &str, priority: i32) {
        let source = self.intern_source(name);
        self.sources[source as usize].priority = priority;
        for id in self.sources[source as usize].keys.clone().iter() {
            self.sort_wants(id);
        }
    }

    fn kind_of(&self, id: Id) -> &Kind {
        &self.kinds[self.nodes[id as usize].kind as usize]
    }

    fn rules(&self, id: Id) -> Option<&Arc<dyn Rules>> {
        self.kind_of(id).rules.as_ref()
    }

    /// The goal of the item is to be looked at again.
    fn mark(&mut self, id: Id) {
        let node = &mut self.nodes[id as usize];
        if !node.dirty {
            node.dirty = true;
            self.dirty.push_back(id);
        }
        if node.cause != self.cause && !self.transactions.contains_key(&node.cause) {
            node.cause = self.cause;
        }
    }

    /// The item may have something to do.
    fn wake_up(&mut self, id: Id) {
        let node = &mut self.nodes[id as usize];
        if !node.acting {
            node.acting = true;
            self.acting.push_back(id);
        }
    }

    /// The state of the item may have changed.
    fn touch(&mut self, id: Id) {
        let node = &mut self.nodes[id as usize];
        if !node.touched {
            node.touched = true;
            self.touched.push(id);
        }
    }
}
