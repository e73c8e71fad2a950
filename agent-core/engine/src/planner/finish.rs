//! How operations end, and when failed ones are tried again.

use super::ids::Id;
use super::node::{Busy, Trouble};
use super::{Outcome, Output, Planner, Timer};
use crate::transaction::Trigger;
use crate::value::AnyMetadata;
use crate::{Action, Failure};

impl Planner {
    pub(super) fn finished(&mut self, operation: u64, outcome: Outcome) {
        let id = operation as u32;
        let Some(node) = self.nodes.get_mut(id as usize) else { return };
        if node.busy.as_ref().is_none_or(|busy| busy.sequence != (operation >> 32) as u32) {
            return;
        }
        let Some(busy) = node.busy.take() else { return };
        self.inflight.remove(id);
        self.impatient.remove(id);
        self.cause = busy.transaction;
        self.author = busy.transaction;
        let kind = self.nodes[id as usize].kind;
        self.moved(kind, id);
        match outcome {
            Outcome::Done(metadata) => self.succeeded(id, *busy, metadata),
            Outcome::Found(Some(seen)) => {
                self.nodes[id as usize].doubt = false;
                self.count_out(&busy, None);
                self.found(id, seen, true);
            }
            Outcome::Found(None) => {
                self.nodes[id as usize].doubt = false;
                self.count_out(&busy, None);
                self.lost(id, true);
            }
            Outcome::Failed(failure) => self.failed(id, &busy, failure),
        }
        let node = &mut self.nodes[id as usize];
        if std::mem::take(&mut node.recheck) {
            node.doubt = true;
        }
        self.mark(id);
        self.touch(id);
    }

    fn count_out(&mut self, busy: &Busy, failure: Option<&Failure>) {
        if let Some(transaction) = self.transactions.get_mut(&busy.transaction) {
            transaction.running -= 1;
            transaction.last = self.now;
            if let Some(failure) = failure {
                transaction.done[busy.place as usize].failure = Some(failure.clone());
            }
        }
    }

    fn succeeded(&mut self, id: Id, busy: Busy, metadata: Option<AnyMetadata>) {
        self.count_out(&busy, None);
        let node = &mut self.nodes[id as usize];
        node.trouble = None;
        node.doubt = false;
        node.missing = false;
        if busy.action == Action::Delete {
            node.given = false;
            node.change = None;
            self.gone(id);
            return;
        }
        node.applied = busy.value;
        if metadata.is_some() {
            self.set_metadata(id, metadata);
        }
        self.leaving.remove(&id);
        self.compare(id);
        let node = &self.nodes[id as usize];
        if node.change.is_some() || node.wants.is_empty() {
            self.need_as_applied(id);
        } else {
            self.drop_old_needs(id);
        }
    }

    /// Takes the needs of what is there from its value.
    pub(super) fn need_as_applied(&mut self, id: Id) {
        let Some(rules) = self.rules(id).cloned() else { return };
        let Some(applied) = self.nodes[id as usize].applied.clone() else { return };
        let needs = self.intern_needs(&rules.needs(&applied));
        self.name_needs(id, &needs);
        let old = self.nodes[id as usize].old_needs.replace(Box::new(needs));
        if let Some(old) = old {
            self.forget_needs(id, &old);
        }
    }

    /// The item is no more there.
    pub(super) fn gone(&mut self, id: Id) {
        self.set_available(id, false);
        let node = &mut self.nodes[id as usize];
        node.applied = None;
        node.change = None;
        let wanted = !node.wants.is_empty();
        if node.metadata.is_some() {
            self.set_metadata(id, None);
        }
        self.drop_old_needs(id);
        self.leaving.remove(&id);
        if !wanted {
            self.set_parent(id, None);
            self.disown(id);
        }
    }

    pub(super) fn set_metadata(&mut self, id: Id, metadata: Option<AnyMetadata>) {
        let node = &mut self.nodes[id as usize];
        node.metadata.clone_from(&metadata);
        let kind = node.kind;
        if self.kinds[kind as usize].rules.as_ref().is_some_and(|rules| rules.has_metadata()) {
            self.out.push(Output::Metadata(kind, node.key.clone(), metadata));
        }
    }

    fn failed(&mut self, id: Id, busy: &Busy, failure: Failure) {
        self.count_out(busy, Some(&failure));
        let root = self.root(id);
        let now = self.now;
        let node = &mut self.nodes[id as usize];
        node.doubt |= failure.uncertain || busy.action != Action::Create;
        let attempts = match &node.trouble {
            Some(trouble) if trouble.action == busy.action || busy.action == Action::Verify => {
                trouble.attempts + 1
            }
            _ => 1,
        };
        let delay = match &node.retry {
            Some(retry) if failure.retriable => retry.delay(attempts),
            _ => None,
        };
        let next_try = delay.map(|delay| now + delay);
        let sequence = node.sequence;
        let action = match (&node.trouble, busy.action) {
            (Some(trouble), Action::Verify) => trouble.action,
            _ => busy.action,
        };
        let key = node.key.clone();
        node.trouble =
            Some(Box::new(Trouble { failure: failure.clone(), action, attempts, next_try, held: true }));
        if let Some(at) = next_try {
            self.timers.insert((at, Timer::Retry(id, sequence)));
        }
        if let Some(transaction) = self.transactions.get_mut(&busy.transaction) {
            transaction.failures.push((root, key, failure));
            transaction.failed |= self.locked.get(&root) == Some(&busy.transaction);
        }
    }

    /// The item from which this one is derived, at the top.
    fn root(&self, mut id: Id) -> Id {
        for _ in 0..64 {
            match self.nodes[id as usize].parent {
                Some(parent) => id = parent,
                None => break,
            }
        }
        id
    }

    pub(super) fn retry(&mut self, id: Id, sequence: u32, retried: &mut Vec<(u64, u64)>) {
        let node = &self.nodes[id as usize];
        let due = |trouble: &Trouble| trouble.held && trouble.next_try.is_some();
        if node.sequence != sequence || !node.trouble.as_deref().is_some_and(due) {
            return;
        }
        let origin = node.cause;
        let number = match retried.iter().find(|(of, _)| *of == origin) {
            Some((_, number)) => *number,
            None => {
                let number = self.open_transaction(Trigger::Retry(origin));
                retried.push((origin, number));
                number
            }
        };
        if let Some(transaction) = self.transactions.get_mut(&number) {
            transaction.keys.push(id);
            transaction.open.push(id);
        }
        self.cause = number;
        self.author = number;
        let node = &mut self.nodes[id as usize];
        node.pins += 1;
        node.cause = number;
        if let Some(trouble) = &mut node.trouble {
            trouble.held = false;
            trouble.next_try = None;
        }
        self.mark(id);
    }
}
