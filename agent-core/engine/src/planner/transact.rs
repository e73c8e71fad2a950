//! Transactions: how they begin, when they have ended, and how they are taken back.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use foldhash::HashMap;

use super::ids::{Id, Ids};
use super::node::{Goal, Origin};
use super::{Event, Kind, Output, Planner, Timer, UNREGISTERED};
use crate::descriptor::Derived;
use crate::journal::Fact;
use crate::transaction::{Change, Done, Ending, Item, OnPending, Options, Report, Request, Resync, Trigger};
use crate::{AnyValue, Failure, Key, Retry, State};

#[derive(Clone)]
pub(super) struct Transaction {
    number: u64,
    trigger: Trigger,
    options: Options,
    source: Option<u16>,
    pub(super) keys: Vec<Id>,
    /// What the source wanted before, of a transaction that may have to be taken back.
    before: Vec<Before>,
    /// What is recorded when it has ended well.
    facts: Vec<Fact>,
    /// Operations on its account.
    pub(super) running: u32,
    /// Items of which it is not known yet that they have come to rest.
    pub(super) open: Vec<Id>,
    /// Items that may still be pending, of a transaction that waits for them.
    lingering: Option<Vec<Id>>,
    pub(super) done: Vec<Done>,
    /// The item at the top, the one that failed, and why.
    pub(super) failures: Vec<(Id, Key, Failure)>,
    pub(super) failed: bool,
    pub(super) reverting: bool,
    expired: bool,
    pub(super) observing: bool,
    /// It began when kinds opened.
    pub(super) opening: bool,
    pub(super) errors: Vec<String>,
    started: Duration,
    pub(super) last: Duration,
}

/// What is walked with all that is derived from it.
fn whole_item(key: &Key, value: &AnyValue) -> Derived {
    Derived { key: key.clone(), value: value.clone(), property: false }
}

/// A transaction's changes while they are made.
struct Making {
    number: u64,
    source: u16,
    retry: Option<Arc<Retry>>,
    /// What the source wants is recorded.
    is_kept: bool,
    /// It may have to be taken back.
    reverts: bool,
    keys: Vec<Id>,
    before: Vec<Before>,
    facts: Vec<Fact>,
}

/// What the source wanted of an item, and how often failures of it were tried again.
#[derive(Clone)]
struct Before {
    id: Id,
    value: Option<AnyValue>,
    retry: Option<Arc<Retry>>,
}

impl Planner {
    pub(super) fn open_transaction(&mut self, trigger: Trigger) -> u64 {
        self.number += 1;
        let transaction = Transaction {
            number: self.number,
            trigger,
            options: Options::default(),
            source: None,
            keys: Vec::new(),
            before: Vec::new(),
            facts: Vec::new(),
            running: 0,
            open: Vec::new(),
            lingering: None,
            done: Vec::new(),
            failures: Vec::new(),
            failed: false,
            reverting: false,
            expired: false,
            observing: false,
            opening: false,
            errors: Vec::new(),
            started: self.now,
            last: self.now,
        };
        self.transactions.insert(self.number, transaction);
        self.number
    }

    pub(super) fn receive(&mut self, request: Request) {
        let trigger = Trigger::Source(request.source.clone());
        let number = self.open_transaction(trigger);
        self.out.push(Output::Accepted(number));
        if self.queued.is_empty() && !self.conflicts(&request) {
            self.begin(number, request);
        } else {
            // It must not end before it has begun.
            if let Some(transaction) = self.transactions.get_mut(&number) {
                transaction.observing = true;
            }
            self.queued.push_back((number, request));
        }
    }

    /// An item of it may yet be taken back by another transaction.
    fn conflicts(&self, request: &Request) -> bool {
        if self.locked.is_empty() {
            return false;
        }
        let all = matches!(request.options.resync, Some(Resync::Full | Resync::Desired));
        let locked = |key: &Key| self.find(key).is_some_and(|id| self.locked.contains_key(&id));
        all || request.changes.iter().any(|change| locked(&change.key))
    }

    fn begin(&mut self, number: u64, request: Request) {
        let Request { source, mut changes, options } = request;
        self.cause = number;
        self.author = number;
        self.reserve_numbers(number);
        let mut errors = Vec::new();
        for change in &changes {
            let Some(expected) = change.expect else { continue };
            let revision = self.find(&change.key).map_or(0, |id| self.nodes[id as usize].revision);
            if expected != revision {
                errors.push(format!(
                    "{}: its revision is {revision}, not {expected}: somebody else changed it; read it again",
                    change.key
                ));
            }
        }
        if options.resync == Some(Resync::Observed) && !changes.is_empty() {
            errors.push("a resync of what is observed takes no changes".to_owned());
        }
        let mut rejected = !errors.is_empty();
        self.expect_items(changes.len());
        changes.retain_mut(|change| {
            let Some(value) = change.value.take() else { return true };
            let value = match self.checked(&change.key, value) {
                Ok(value) => value,
                Err(failure) => {
                    errors.push(format!("{}: {failure}", change.key));
                    rejected |= options.revert;
                    return false;
                }
            };
            if options.revert
                && let Some(invalid) = self.invalid(&whole_item(&change.key, &value))
            {
                errors.push(invalid);
                rejected = true;
            }
            change.value = Some(value);
            true
        });
        let whole = matches!(options.resync, Some(Resync::Full | Resync::Desired));
        if !rejected && options.revert && !matches!(options.pending, OnPending::Wait(_)) {
            let named = changes.iter().map(|change| (&change.key, change.value.as_ref()));
            for (kind, why) in self.closed_to(&source, whole, named) {
                rejected = true;
                errors.push(format!("{kind}: {why}: all of it cannot be done now"));
            }
            let items = changes.iter().filter_map(|change| Some((&change.key, change.value.as_ref()?)));
            for (kind, why) in self.unimplemented(items) {
                rejected = true;
                errors.push(format!("{kind}: {why}: all of it cannot be done here"));
            }
        }
        if !rejected && options.revert && options.pending == OnPending::Fail {
            let changes = changes.iter().map(|change| Change { expect: None, ..change.clone() }).collect();
            let options = Options { pending: OnPending::Accept, ..options.clone() };
            let request = Request { source: source.clone(), changes, options };
            for (key, why) in self.snapshot().into_plan(request).pending {
                rejected = true;
                errors.push(format!("{key}: would be pending: {}", why.join("; ")));
            }
        }
        let observe = matches!(options.resync, Some(Resync::Full | Resync::Observed));
        let source = self.intern_source(&source);
        let Some(transaction) = self.transactions.get_mut(&number) else { return };
        transaction.observing = false;
        transaction.done.reserve(changes.len());
        transaction.errors = errors;
        transaction.options = options.clone();
        transaction.source = Some(source);
        if rejected {
            transaction.expired = true;
            let keys = changes.into_iter().map(|change| self.intern_own(change.key));
            let keys: Vec<Id> = keys.collect();
            keys.iter().for_each(|&id| self.nodes[id as usize].pins += 1);
            if let Some(transaction) = self.transactions.get_mut(&number) {
                transaction.keys = keys;
            }
            return;
        }
        if observe {
            self.observe_all(number);
        }
        if whole {
            self.complete(source);
        }
        let said = if whole { self.sources[source as usize].keys.clone() } else { Ids::default() };
        let mut making = Making {
            number,
            source,
            retry: options.retry.map(Arc::new),
            is_kept: self.sources[source as usize].kept,
            reverts: options.revert,
            keys: Vec::with_capacity(changes.len()),
            before: Vec::new(),
            facts: Vec::new(),
        };
        for Change { key, value, .. } in changes {
            let id = self.intern_own(key);
            self.make(&mut making, id, value);
        }
        if !said.is_empty() {
            let named: Ids = making.keys.iter().copied().collect();
            for id in said.iter().filter(|id| !named.contains(*id)) {
                self.make(&mut making, id, None);
            }
        }
        let Making { keys, before, mut facts, .. } = making;
        if let Some(transaction) = self.transactions.get_mut(&number) {
            transaction.open.clone_from(&keys);
            transaction.keys = keys;
            transaction.before = before;
            if options.revert {
                // Until it has ended well, an end of the process takes it back.
                transaction.facts = std::mem::take(&mut facts);
            }
        }
        self.out.extend(facts.into_iter().map(|fact| Output::Record(number, fact)));
    }

    /// The source wants an item so, or no more.
    fn make(&mut self, making: &mut Making, id: Id, value: Option<AnyValue>) {
        let (number, source) = (making.number, making.source);
        making.keys.push(id);
        let node = &mut self.nodes[id as usize];
        node.pins += 1;
        if making.reverts {
            let retry = node.retry.clone();
            making.before.push(Before { id, value: self.want_of(id, source).cloned(), retry });
            self.locked.insert(id, number);
        }
        if making.is_kept {
            let retry = making.retry.as_deref().copied();
            self.note_change(id, source, value.as_ref(), retry, number, &mut making.facts);
        }
        self.nodes[id as usize].retry.clone_from(&making.retry);
        self.set_want(id, Origin::Source(source), value);
    }

    /// The source has said in this run what it wants, whole: what earlier runs made for it may go.
    fn complete(&mut self, source: u16) {
        self.sources[source as usize].said = true;
        self.keep_whole(source);
        if !std::mem::replace(&mut self.sources[source as usize].complete, true) {
            for id in 0..self.nodes.len() as Id {
                let node = &self.nodes[id as usize];
                if node.applied.is_some() && node.wants.is_empty() && !node.given {
                    self.adopt_stale(id);
                    self.mark(id);
                }
            }
        }
    }

    /// Reads JSON as the type of its kind.
    fn checked(&self, key: &Key, value: AnyValue) -> Result<AnyValue, Failure> {
        let rules = self.kind_id(key.kind()).and_then(|kind| self.kinds[kind as usize].rules.as_ref());
        let Some(rules) = rules.filter(|rules| !rules.holds_type(&value)) else { return Ok(value) };
        let (named, value) = rules.decode(&value.to_json())?;
        if named != *key {
            return Err(Failure::new(format!("the value is of {named}, not of this key")).permanent());
        }
        Ok(value)
    }

    /// Looks at an item and at those derived from it, each with its kind; `f` says whether to go on to those derived from
    /// this one.
    fn walk(&self, item: &Derived, f: &mut dyn FnMut(&Derived, Option<&Kind>) -> bool) {
        let kind = self.kind_id(item.key.kind()).map(|kind| &self.kinds[kind as usize]);
        let goes_on = f(item, kind);
        if let Some(rules) = kind.and_then(|kind| kind.rules.as_ref()).filter(|_| goes_on) {
            for derived in rules.derived(&item.value) {
                self.walk(&derived, f);
            }
        }
    }

    /// What is wrong with an item, or with one derived from it.
    fn invalid(&self, item: &Derived) -> Option<String> {
        let mut found = None;
        self.walk(item, &mut |item, kind| {
            if found.is_none()
                && let Some(rules) = kind.and_then(|kind| kind.rules.as_ref())
                && let Err(invalid) = rules.validate(&item.value)
            {
                found = Some(format!("{}: {invalid}", item.key));
            }
            found.is_none()
        });
        found
    }

    /// The kinds of these changes, and with `whole` of all that the source wants, whose southbound is away, and why.
    pub(crate) fn closed_to<'a>(
        &self,
        source: &str,
        whole: bool,
        changes: impl IntoIterator<Item = (&'a Key, Option<&'a AnyValue>)>,
    ) -> BTreeMap<Arc<str>, String> {
        let mut closed = BTreeMap::new();
        if !self.kinds.iter().any(|kind| kind.away().is_some()) {
            return closed;
        }
        let mut add = |kind: &Kind| {
            if let Some(why) = kind.away() {
                closed.entry(kind.name.clone()).or_insert_with(|| why.to_owned());
            }
        };
        let source = self.sources.iter().find(|known| *known.name == *source);
        for (key, value) in changes {
            match (value, source, self.find(key)) {
                (Some(value), ..) => self.walk(&whole_item(key, value), &mut |_, kind| {
                    kind.into_iter().for_each(&mut add);
                    true
                }),
                (None, Some(source), Some(id)) if source.keys.contains(id) => add(self.kind_of(id)),
                _ => {}
            }
        }
        if let Some(source) = source.filter(|_| whole) {
            source.keys.iter().for_each(|id| add(self.kind_of(id)));
        }
        closed
    }

    /// The kinds of these items, and of those derived from them, of which nothing can be made here, and why.
    fn unimplemented<'a>(
        &self,
        items: impl Iterator<Item = (&'a Key, &'a AnyValue)>,
    ) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        for (key, value) in items {
            self.walk(&whole_item(key, value), &mut |item, kind| {
                let why = kind.map_or(Some(UNREGISTERED), Kind::unimplemented).filter(|_| !item.property);
                if let Some(why) = why {
                    found.entry(item.key.kind().to_owned()).or_insert_with(|| why.to_owned());
                }
                why.is_none() && !item.property
            });
        }
        found
    }

    pub(super) fn pending_too_long(&mut self, number: u64) {
        if let Some(transaction) = self.transactions.get_mut(&number) {
            transaction.expired = transaction.lingering.is_some();
        }
    }

    /// Ends transactions of which nothing runs any more. `true`: something followed from it.
    pub(super) fn end_transactions(&mut self) -> bool {
        let quiet = |(number, transaction): (&u64, &Transaction)| {
            (transaction.running == 0 && !transaction.observing).then_some(*number)
        };
        let quiet: Vec<u64> = self.transactions.iter().filter_map(quiet).collect();
        let mut followed = false;
        for number in quiet {
            followed |= self.end_transaction(number);
        }
        followed
    }

    fn end_transaction(&mut self, number: u64) -> bool {
        let Some(mut transaction) = self.transactions.remove(&number) else { return false };
        while let Some(&id) = transaction.open.last() {
            if self.unsettled(id) {
                self.transactions.insert(number, transaction);
                return false;
            }
            transaction.open.pop();
        }
        let revertible =
            transaction.options.revert && !transaction.reverting && !transaction.before.is_empty();
        if revertible && !transaction.failed && !transaction.expired && self.lingers(&mut transaction) {
            self.transactions.insert(number, transaction);
            return false;
        }
        // What could not be tried, since the southbound has gone meanwhile or cannot be observed, was not done.
        transaction.expired |= revertible && transaction.keys.iter().any(|&id| self.is_untried(id));
        if revertible && (transaction.failed || transaction.expired) {
            self.revert(transaction);
            return true;
        }
        self.end(transaction)
    }

    fn lingers(&mut self, transaction: &mut Transaction) -> bool {
        let OnPending::Wait(longest) = transaction.options.pending else { return false };
        if transaction.lingering.is_none() {
            let until = transaction.started + longest;
            if until <= self.now {
                return false;
            }
            self.timers.insert((until, Timer::Pending(transaction.number)));
        }
        let lingering = transaction.lingering.get_or_insert_with(|| transaction.keys.clone());
        while let Some(&id) = lingering.last() {
            if self.is_pending(id) {
                return true;
            }
            lingering.pop();
        }
        self.timers.remove(&(transaction.started + longest, Timer::Pending(transaction.number)));
        false
    }

    fn is_pending(&self, id: Id) -> bool {
        let node = &self.nodes[id as usize];
        let this = !node.wants.is_empty() && node.goal == Goal::Absent && node.invalid.is_none();
        this || self.is_untried(id) || node.children.iter().any(|&child| self.is_pending(child))
    }

    /// What is there of it is not known, or cannot be changed.
    fn is_untried(&self, id: Id) -> bool {
        let node = &self.nodes[id as usize];
        let this = match node.wants.is_empty() {
            true => {
                let leaves = node.applied.is_some() && node.goal == Goal::Absent;
                leaves && self.kind_of(id).away().is_some()
            }
            false => {
                let unmade = self.kind_of(id).unimplemented().is_some() && !node.property;
                node.goal == Goal::Unknown || unmade
            }
        };
        this || node.children.iter().any(|&child| self.is_untried(child))
    }

    fn revert(&mut self, mut transaction: Transaction) {
        let number = transaction.number;
        transaction.reverting = true;
        if transaction.expired {
            for &id in &transaction.keys {
                if self.is_pending(id) {
                    let reasons = self.reasons(id).join("; ");
                    transaction
                        .errors
                        .push(format!("{}: still pending: {reasons}", self.nodes[id as usize].key));
                }
            }
        }
        let before = std::mem::take(&mut transaction.before);
        transaction.facts.clear();
        transaction.open = before.iter().map(|before| before.id).collect();
        let source = transaction.source;
        self.transactions.insert(number, transaction);
        self.cause = number;
        self.author = number;
        for Before { id, value, retry } in before.into_iter().rev() {
            if let Some(source) = source {
                self.nodes[id as usize].retry = retry;
                self.set_want(id, Origin::Source(source), value);
            }
        }
    }

    fn end(&mut self, transaction: Transaction) -> bool {
        let mut failures: HashMap<Id, (Key, Failure)> = HashMap::default();
        for (root, key, failure) in transaction.failures {
            failures.entry(root).or_insert((key, failure));
        }
        let mut items = Vec::with_capacity(transaction.keys.len());
        let mut whole = transaction.errors.is_empty();
        for &id in &transaction.keys {
            let node = &self.nodes[id as usize];
            let state = self.state(id);
            let failure = failures.remove(&id).or_else(|| {
                let trouble =
                    node.trouble.as_ref().filter(|trouble| trouble.held || !node.wants.is_empty())?;
                Some((node.key.clone(), trouble.failure.clone()))
            });
            let pending = if state == State::Pending { self.reasons(id) } else { Vec::new() };
            let invalid = node.invalid.as_deref().cloned();
            whole &= failure.is_none() && invalid.is_none();
            items.push(Item { key: node.key.clone(), state, failure, invalid, pending });
        }
        let ending = match (transaction.reverting, transaction.expired, whole) {
            (true, ..) => Ending::Reverted,
            (_, true, _) => Ending::Rejected,
            (_, _, true) => Ending::Applied,
            _ => Ending::Partly,
        };
        let report = Report {
            number: transaction.number,
            trigger: transaction.trigger,
            description: transaction.options.description,
            ending,
            errors: transaction.errors,
            items,
            operations: transaction.done,
            started: transaction.started,
            ended: transaction.last,
        };
        let number = transaction.number;
        self.out.extend(transaction.facts.into_iter().map(|fact| Output::Record(number, fact)));
        self.out.push(Output::Ended(Box::new(report)));
        let unlocked = transaction.options.revert;
        for id in transaction.keys {
            if unlocked && self.locked.get(&id) == Some(&transaction.number) {
                self.locked.remove(&id);
            }
            self.nodes[id as usize].pins -= 1;
            self.touch(id);
        }
        let mut followed = false;
        while let Some((number, request)) = self.queued.pop_front() {
            if self.conflicts(&request) {
                self.queued.push_front((number, request));
                break;
            }
            self.begin(number, request);
            followed = true;
        }
        followed
    }

    /// What a request would do. Nothing else comes of this planner, which is a copy.
    pub(crate) fn into_plan(mut self, request: Request) -> crate::Plan {
        self.settle(usize::MAX);
        self.out.clear();
        self.publish = false;
        self.rehearsal = Some(Box::default());
        self.queued.clear();
        self.locked.clear();
        if std::mem::take(&mut self.onlooker) {
            for kind in 0..self.kinds.len() {
                for id in std::mem::take(&mut self.kinds[kind].deferred) {
                    self.wake_up(id);
                }
            }
        }
        let mut outputs = self.handle(self.now, Event::Transact(request));
        let mut number = 0;
        let mut report = None;
        let mut next = 0;
        while next < outputs.len() {
            let event = match &outputs[next] {
                Output::Run(operation) => {
                    let outcome = self.rehearsed_outcome(operation);
                    Some(Event::Finished(operation.id, outcome))
                }
                Output::Observe(kind) => Some(self.as_known(*kind)),
                Output::Accepted(accepted) => {
                    number = *accepted;
                    None
                }
                Output::Ended(ended) if ended.number == number => {
                    report = Some(ended.clone());
                    None
                }
                _ => None,
            };
            if let Some(event) = event {
                outputs.extend(self.handle(self.now, event));
            }
            next += 1;
        }
        self.planned(report.map(|report| *report))
    }
}
