//! What is there: from observations of whole kinds, of single items, and from what the southbound says by itself.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::act::LONGEST_WAIT;
use super::ids::{Id, Ids};
use super::{Access, Drift, Event, Foreign, Notice, Output, Planner, Seen, Timer};
use crate::rules::Rules;
use crate::transaction::Trigger;
use crate::{AnyValue, Failure};

/// Kinds that are observed together: nothing is concluded before all have answered, since items of one kind stand on
/// those of another.
#[derive(Clone)]
pub(super) struct Pass {
    waiting: BTreeSet<u32>,
    running: BTreeSet<u32>,
    results: Vec<(u32, Result<Vec<Seen>, Failure>)>,
    repair: bool,
    gate: bool,
    transactions: Vec<u64>,
}

impl Planner {
    pub(super) fn register(&mut self, rules: Arc<dyn Rules>) {
        let kind = self.intern_kind(rules.kind());
        self.kinds[kind as usize].rules = Some(rules);
        let number = self.open_transaction(Trigger::Observation);
        self.cause = number;
        // Values that came before their descriptor get their type, needs and derived items now.
        for id in self.kinds[kind as usize].members.clone().iter() {
            let node = &self.nodes[id as usize];
            self.author = node.revision;
            for at in 0..node.wants.len() {
                let value = self.typed(id, self.nodes[id as usize].wants[at].value.clone());
                self.nodes[id as usize].wants[at].value = value;
            }
            if !self.nodes[id as usize].wants.is_empty() {
                self.want_changed(id);
            }
        }
        self.observe_kinds(vec![kind], number);
    }

    pub(super) fn check(&mut self) {
        let number = self.open_transaction(Trigger::Observation);
        self.out.push(Output::Accepted(number));
        let repair = self.policy.drift == Drift::Repair;
        let kinds = self.registered();
        self.begin_pass(kinds, false, repair, number);
    }

    pub(super) fn observe_again(&mut self, kind: u32) {
        if self.kinds[kind as usize].failure.is_some() {
            let number = self.open_transaction(Trigger::Observation);
            let gate = !self.kinds[kind as usize].known;
            self.begin_pass(vec![kind], gate, true, number);
        }
    }

    /// Observes everything before anything else is done.
    pub(super) fn observe_all(&mut self, number: u64) {
        let kinds = self.registered();
        self.begin_pass(kinds, true, true, number);
    }

    /// Observes these kinds before anything is done with them.
    pub(super) fn observe_kinds(&mut self, kinds: Vec<u32>, number: u64) {
        if let Some(transaction) = self.transactions.get_mut(&number) {
            transaction.opening = !kinds.is_empty();
        }
        self.begin_pass(kinds, true, true, number);
    }

    fn registered(&self) -> Vec<u32> {
        (0..self.kinds.len() as u32).filter(|&kind| self.kinds[kind as usize].rules.is_some()).collect()
    }

    fn begin_pass(&mut self, mut kinds: Vec<u32>, gate: bool, repair: bool, number: u64) {
        kinds.retain(|&kind| self.kinds[kind as usize].access == Access::Open);
        if kinds.is_empty() {
            return;
        }
        if let Some(transaction) = self.transactions.get_mut(&number) {
            transaction.observing = true;
        }
        for &kind in &kinds {
            self.kinds[kind as usize].gated |= gate;
        }
        // A kind that is being observed already may be observed too early for who asks now.
        let busy = self.pass.as_ref().is_some_and(|pass| {
            kinds
                .iter()
                .any(|kind| pass.running.contains(kind) || pass.results.iter().any(|(done, _)| done == kind))
        });
        let slot = if busy { &mut self.next_pass } else { &mut self.pass };
        let pass = slot.get_or_insert_with(|| Pass {
            waiting: BTreeSet::new(),
            running: BTreeSet::new(),
            results: Vec::new(),
            repair: false,
            gate: false,
            transactions: Vec::new(),
        });
        pass.waiting.extend(kinds);
        pass.repair |= repair;
        pass.gate |= gate;
        pass.transactions.push(number);
        self.advance_pass();
    }

    fn advance_pass(&mut self) {
        let Some(mut pass) = self.pass.take() else { return };
        let ready: Vec<u32> = pass
            .waiting
            .iter()
            .copied()
            .filter(|&kind| {
                let mut unfinished = pass.waiting.iter().chain(&pass.running);
                !unfinished.any(|&other| other != kind && self.is_observed_after(kind, other))
            })
            .collect();
        // Kinds that want to be observed after each other all go at once.
        let ready = if ready.is_empty() && pass.running.is_empty() {
            pass.waiting.iter().copied().collect()
        } else {
            ready
        };
        for kind in ready {
            pass.waiting.remove(&kind);
            pass.running.insert(kind);
            let of_kind = |id: &Id| self.nodes[*id as usize].kind == kind;
            let moved = self.inflight.iter().filter(of_kind).collect();
            self.kinds[kind as usize].moved = Some(moved);
            self.out.push(Output::Observe(kind));
        }
        let done = pass.running.is_empty();
        if done {
            self.conclude(pass);
            self.pass = self.next_pass.take();
            self.advance_pass();
        } else {
            self.pass = Some(pass);
        }
    }

    /// Whether a kind says so, or may read metadata of the other one and has none that the other one could read.
    fn is_observed_after(&self, kind: u32, other: u32) -> bool {
        let rules = |kind: u32| self.kinds[kind as usize].rules.as_deref();
        let (Some(this), Some(other)) = (rules(kind), rules(other)) else { return false };
        let says = |one: &dyn Rules, other: &dyn Rules| one.observe_after().contains(&other.kind());
        let may_read = other.has_metadata() && !this.has_metadata();
        says(this, other) || (may_read && !says(other, this))
    }

    pub(super) fn observed(&mut self, kind: &str, result: Result<Vec<Seen>, Failure>) {
        let Some(kind) = self.kind_id(kind) else { return };
        let Some(pass) = &mut self.pass else { return };
        if pass.running.remove(&kind) {
            if let Ok(items) = &result {
                self.show_metadata(kind, items);
            }
            if let Some(pass) = &mut self.pass {
                pass.results.push((kind, result));
            }
            self.advance_pass();
        }
    }

    /// Kinds that are observed after this one read its metadata, before anything is concluded.
    fn show_metadata(&mut self, kind: u32, items: &[Seen]) {
        let at = &self.kinds[kind as usize];
        if !at.rules.as_ref().is_some_and(|rules| rules.has_metadata()) {
            return;
        }
        let moved = |id: Id| at.moved.as_ref().is_some_and(|moved| moved.contains(id));
        let known = |id: &Id| self.nodes[*id as usize].metadata.is_some() && !moved(*id);
        let mut gone: Ids = at.members.iter().filter(known).collect();
        let mut shown = Vec::with_capacity(items.len());
        for seen in items {
            let id = self.find(&seen.key);
            id.map(|id| gone.remove(id));
            if !id.is_some_and(moved) {
                shown.push(Output::Metadata(kind, seen.key.clone(), seen.metadata.clone()));
            }
        }
        let gone = gone.iter().map(|id| Output::Metadata(kind, self.nodes[id as usize].key.clone(), None));
        self.out.extend(gone.chain(shown));
    }

    fn conclude(&mut self, pass: Pass) {
        let number = pass.transactions.first().copied().unwrap_or_default();
        self.cause = number;
        for (kind, result) in pass.results {
            let moved = self.kinds[kind as usize].moved.take().unwrap_or_default();
            // Those that were kept for this only may be forgotten.
            for id in moved.iter() {
                self.touch(id);
            }
            // Closed meanwhile: what was observed is of before.
            if self.kinds[kind as usize].access != Access::Open {
                continue;
            }
            match result {
                Ok(items) => self.conclude_kind(kind, items, &moved, pass.repair),
                Err(failure) => self.not_observed(kind, failure, &pass.transactions),
            }
            let again = |next: &Pass| next.gate && next.waiting.contains(&kind);
            if pass.gate && !self.next_pass.as_ref().is_some_and(again) {
                self.kinds[kind as usize].gated = false;
                for id in std::mem::take(&mut self.kinds[kind as usize].deferred) {
                    self.wake_up(id);
                }
            }
        }
        for number in pass.transactions {
            if let Some(transaction) = self.transactions.get_mut(&number) {
                transaction.observing = false;
            }
        }
    }

    fn conclude_kind(&mut self, kind: u32, items: Vec<Seen>, moved: &Ids, repair: bool) {
        let fresh = !std::mem::replace(&mut self.kinds[kind as usize].known, true);
        self.kinds[kind as usize].failure = None;
        self.kinds[kind as usize].attempts = 0;
        self.epoch += 1;
        let epoch = self.epoch;
        for seen in items {
            let id = match self.find(&seen.key) {
                Some(id) => id,
                None => self.intern(&seen.key),
            };
            self.nodes[id as usize].seen = epoch;
            if !moved.contains(id) && self.nodes[id as usize].busy.is_none() {
                self.found(id, seen, repair);
            }
        }
        let lost = |id: &Id| {
            let node = &self.nodes[*id as usize];
            node.seen != epoch
                && !node.property
                && node.busy.is_none()
                && !moved.contains(*id)
                && (node.applied.is_some() || node.doubt || node.owner.is_some())
        };
        let lost: Vec<Id> = self.kinds[kind as usize].members.iter().filter(lost).collect();
        for id in lost {
            self.lost(id, repair);
        }
        if fresh {
            for id in self.kinds[kind as usize].members.clone().iter() {
                self.mark(id);
            }
        }
    }

    fn not_observed(&mut self, kind: u32, failure: Failure, numbers: &[u64]) {
        let at = &mut self.kinds[kind as usize];
        for number in numbers {
            if let Some(transaction) = self.transactions.get_mut(number) {
                transaction.errors.push(format!("{}: cannot be observed: {failure}", at.name));
            }
        }
        at.failure = Some(failure);
        at.attempts += 1;
        let wait = Duration::from_secs(1).saturating_mul(1 << (at.attempts - 1).min(10)).min(LONGEST_WAIT);
        self.timers.insert((self.now + wait, Timer::Observe(kind)));
        for id in self.kinds[kind as usize].members.clone().iter() {
            self.touch(id);
        }
    }

    /// An item is there with this value.
    pub(super) fn found(&mut self, id: Id, seen: Seen, repair: bool) {
        let rules = self.rules(id).cloned();
        let node = &mut self.nodes[id as usize];
        node.given = seen.given;
        let doubted = std::mem::take(&mut node.doubt);
        let same = match (&node.applied, &rules) {
            (Some(applied), Some(rules)) => rules.equivalent(applied, &seen.value),
            _ => false,
        };
        // The same item may have been made anew by somebody, under another number.
        if seen.metadata.is_some() {
            self.set_metadata(id, seen.metadata);
        }
        let node = &mut self.nodes[id as usize];
        if same && !doubted && node.change.is_none() && !node.wants.is_empty() {
            return;
        }
        if same && node.drifted && repair {
            node.drifted = false;
            self.mark(id);
            return;
        }
        node.missing = false;
        if !same {
            let there = node.applied.replace(seen.value).is_some();
            self.compare(id);
            let node = &mut self.nodes[id as usize];
            let drift = there && !doubted && node.change.is_some() && !node.wants.is_empty();
            node.drifted = there && node.change.is_some() && !repair;
            self.drifts += u64::from(drift);
            let node = &mut self.nodes[id as usize];
            if node.change.is_some() {
                self.need_as_applied(id);
            }
        }
        let node = &self.nodes[id as usize];
        if node.wants.is_empty() {
            self.adopt_stale(id);
        } else if node.owner.is_none() {
            self.own(id);
        }
        self.mark(id);
        self.touch(id);
    }

    /// An item that nobody wants and that may have to go: what it stands on has to be known for the order.
    pub(super) fn adopt_stale(&mut self, id: Id) {
        let node = &self.nodes[id as usize];
        if node.given || (node.owner.is_none() && self.policy.foreign != Foreign::Remove) {
            return;
        }
        self.need_as_applied(id);
        let Some(rules) = self.rules(id).cloned() else { return };
        let Some(applied) = self.nodes[id as usize].applied.clone() else { return };
        for derived in rules.derived(&applied) {
            if let Some(child) = self.find(&derived.key)
                && child != id
                && self.nodes[child as usize].wants.is_empty()
            {
                self.set_parent(child, Some(id));
            }
        }
    }

    /// An item is not there.
    pub(super) fn lost(&mut self, id: Id, repair: bool) {
        let node = &mut self.nodes[id as usize];
        let was = node.applied.is_some();
        node.doubt = false;
        node.given = false;
        if node.wants.is_empty() {
            node.trouble = None;
        } else if was {
            node.missing = true;
            node.drifted = !repair;
            self.drifts += 1;
        } else if repair {
            node.drifted = false;
        }
        self.gone(id);
        self.mark(id);
        self.touch(id);
    }

    pub(super) fn notified(&mut self, notices: Vec<Notice>) {
        let number = self.open_transaction(Trigger::Notification);
        self.cause = number;
        self.author = number;
        let repair = self.policy.drift == Drift::Repair;
        for Notice { key, seen } in notices {
            let kind = self.kind_id(key.kind()).map(|kind| &self.kinds[kind as usize]);
            let registered = kind.is_some_and(|kind| kind.rules.is_some());
            let is_observed = kind.is_some_and(|kind| kind.moved.is_some());
            if !registered || (seen.is_none() && !is_observed && self.find(&key).is_none()) {
                continue;
            }
            let id = self.intern(&key);
            let kind = self.nodes[id as usize].kind;
            if let Some(moved) = &mut self.kinds[kind as usize].moved {
                moved.insert(id);
            }
            let node = &mut self.nodes[id as usize];
            if let Some(busy) = &node.busy {
                // Most often the echo of our own operation; what contradicts it is looked at afterwards.
                node.recheck |= (busy.action == crate::Action::Delete) == seen.is_some();
                continue;
            }
            match seen {
                Some(mut seen) => {
                    seen.given = self.nodes[id as usize].wants.is_empty();
                    self.found(id, seen, repair);
                }
                None => self.lost(id, repair),
            }
            let node = &mut self.nodes[id as usize];
            node.pins += 1;
            if let Some(transaction) = self.transactions.get_mut(&number) {
                transaction.keys.push(id);
                transaction.open.push(id);
            }
        }
    }

    /// What is there as far as this planner knows, for the copy that looks ahead.
    pub(super) fn as_known(&self, kind: u32) -> Event {
        let kind = &self.kinds[kind as usize];
        let there = |id: Id| {
            let node = &self.nodes[id as usize];
            let value = node.applied.clone()?;
            Some(Seen { key: node.key.clone(), value, metadata: None, given: node.given })
        };
        Event::Observed(kind.name.to_string(), Ok(kind.members.iter().filter_map(there).collect()))
    }

    /// As if the operation had succeeded.
    pub(super) fn rehearsed_outcome(&self, operation: &super::Operation) -> super::Outcome {
        if operation.action != crate::Action::Verify {
            return super::Outcome::Done(None);
        }
        let value: Option<AnyValue> = operation.value.clone();
        let seen = |value| Seen { key: operation.key.clone(), value, metadata: None, given: false };
        super::Outcome::Found(value.map(seen))
    }
}
