//! Which operation an item gets next, and what holds it up.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use super::ids::Id;
use super::need::Need;
use super::node::{Absence, Busy, Goal, Node, Origin};
use super::{Access, Operation, Output, Planner};
use crate::journal::Fact;
use crate::transaction::Done;
use crate::{Action, Change, Why};

/// An item that would act, but another one has to come first.
#[derive(Clone)]
pub(super) struct Wait {
    pub(super) on: Id,
    action: Action,
    hold: Hold,
    /// For a deletion: users up to this place are known not to stand on the item. While it is not available nobody
    /// new can come to, so each is looked at once and not once per deletion.
    cursor: Option<Cursor>,
}

/// Why another one has to come first.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hold {
    /// It is the parent, or a part that has to go before a change.
    Part,
    /// By a hint on the order only.
    Order,
    /// It stands on the item, and was found at this place.
    User(Cursor),
}

/// A place in the users of an item (list 0) and in those of the sets to which it belongs (from 1).
type Cursor = (usize, Id);

impl Planner {
    pub(super) fn act(&mut self, id: Id) {
        let node = &self.nodes[id as usize];
        if node.busy.is_some() || node.held() || node.drifted {
            return;
        }
        if self.kinds[node.kind as usize].gated || self.onlooker {
            let kind = node.kind;
            self.kinds[kind as usize].deferred.push(id);
            return;
        }
        if node.doubt && !node.property {
            return self.emit(id, Action::Verify, Why::Unsure);
        }
        let wanted = if node.trouble.is_some() { Why::Retried } else { Why::Wanted };
        let (action, why) = match (node.goal, node.applied.is_some(), node.change) {
            (Goal::Present, false, _) => (Action::Create, wanted),
            (Goal::Present, true, Some(Change::InPlace)) => (Action::Update, wanted),
            (Goal::Present, true, Some(Change::Recreate)) => (Action::Delete, Why::Recreated),
            (Goal::Absent, true, _) if node.why_absent == Absence::Unwanted => {
                (Action::Delete, Why::Unwanted)
            }
            (Goal::Absent, true, _) => (Action::Delete, Why::Withdrawn),
            _ => return,
        };
        let wait = match action {
            Action::Delete => self.first_user(id, action),
            _ => match self.first_gate(id, action) {
                None if action == Action::Update => self.first_user(id, action),
                gate => gate,
            },
        };
        if let Some(wait) = wait {
            if wait.hold == Hold::Order {
                self.patient.insert(id);
            }
            self.waiters.entry(wait.on).or_default().push(id);
            self.waits.insert(id, wait);
            if action != Action::Create {
                self.stuck.push(id);
            }
            self.touch(id);
            return;
        }
        self.stop_waiting(id);
        if self.nodes[id as usize].property {
            return self.apply_property(id, action);
        }
        self.emit(id, action, why);
    }

    pub(super) fn stop_waiting(&mut self, id: Id) {
        if !self.waits.is_empty() {
            self.waits.remove(&id);
        }
    }

    /// Whoever waited for this item looks again.
    pub(super) fn wake_waiters(&mut self, id: Id) {
        if self.waiters.is_empty() {
            return;
        }
        for waiter in self.waiters.remove(&id).unwrap_or_default() {
            self.wake_up(waiter);
        }
    }

    /// What has to come before a creation or an update.
    fn first_gate(&mut self, id: Id, action: Action) -> Option<Wait> {
        let wait = |on, hold| Some(Wait { on, action, hold, cursor: None });
        let node = &self.nodes[id as usize];
        if let Some(super::Want { origin: Origin::Parent(parent), .. }) = node.wants.first() {
            let at = &self.nodes[*parent as usize];
            if at.busy.is_some() || at.applied.is_none() || at.change.is_some() {
                return wait(*parent, Hold::Part);
            }
        }
        if action == Action::Update && self.leaving.contains_key(&id) {
            let mut leaving = self.leaving.remove(&id).unwrap_or_default();
            while let Some(&child) = leaving.last() {
                let at = &self.nodes[child as usize];
                if at.parent == Some(id) && at.occupied() && at.goal == Goal::Absent {
                    self.leaving.insert(id, leaving);
                    return wait(child, Hold::Part);
                }
                leaving.pop();
            }
        }
        if self.impatient.contains(id) {
            return None;
        }
        let node = &self.nodes[id as usize];
        let mut first = None;
        node.needs.any_leaf(&mut |leaf| match leaf {
            Need::After(of) if *of != id && self.nodes[*of as usize].rising() => {
                first = Some(*of);
                true
            }
            _ => false,
        });
        wait(first?, Hold::Order)
    }

    /// The next item that stands on this one and has to go before it.
    ///
    /// On an update, only those who need a content that it will not have any more.
    fn first_user(&self, id: Id, action: Action) -> Option<Wait> {
        let start = self.waits.get(&id).filter(|wait| wait.action == action).and_then(|wait| wait.cursor);
        let node = &self.nodes[id as usize];
        let update = action == Action::Update;
        let sets = self.kinds[node.kind as usize].sets.of(&node.key);
        let lists = std::iter::once(&node.users).chain(
            sets.iter().flat_map(|&set| [&self.sets[set as usize].plain, &self.sets[set as usize].picky]),
        );
        let mut cursor = start;
        for (at, list) in lists.enumerate().skip(start.map_or(0, |(at, _)| at)) {
            // Users by key without a look at the content, and those who need any member whatever its content.
            if update && (at == 0 && node.content_users == 0 || at % 2 == 1) {
                continue;
            }
            let last = start.filter(|(list, _)| *list == at).map(|(_, last)| last);
            for user in list.behind(last) {
                let hold = match self.stands_on(user, id, update) {
                    Stands::No => {
                        cursor = Some((at, user));
                        continue;
                    }
                    Stands::Firmly => Hold::User((at, user)),
                    Stands::Order => Hold::Order,
                };
                return Some(Wait { on: user, action, hold, cursor });
            }
        }
        None
    }

    fn stands_on(&self, user: Id, id: Id, update: bool) -> Stands {
        let node = &self.nodes[user as usize];
        if user == id || !node.occupied() || node.given {
            return Stands::No;
        }
        if node.parent == Some(id) && !update {
            return Stands::Firmly;
        }
        let needs = node.old_needs.as_deref().unwrap_or(&node.needs);
        let content = |leaf: &Need| match leaf {
            Need::Where(of, _) => *of == id,
            Need::Any(any) => any.predicate.is_some(),
            _ => false,
        };
        if update && !needs.any_leaf(&mut |leaf| content(leaf)) {
            return Stands::No;
        }
        if node.goal == Goal::Hold && node.wants.is_empty() {
            return Stands::No;
        }
        if !self.holds_alone(needs, node) {
            return Stands::Firmly;
        }
        let order = node.falling()
            && !update
            && !self.impatient.contains(id)
            && needs.any_leaf(&mut |leaf| matches!(leaf, Need::After(of) if *of == id));
        if order { Stands::Order } else { Stands::No }
    }

    /// Whether needs hold by what is available, whatever group the item is in.
    fn holds_alone(&self, needs: &Need, node: &Node) -> bool {
        if node.group == 0 {
            return self.holds(needs, node);
        }
        let mut alone = node.clone();
        alone.group = 0;
        self.holds(needs, &alone)
    }

    /// Items that wait for each other in a circle: one of them goes first.
    pub(super) fn break_cycles(&mut self) -> bool {
        let mut broken = false;
        let mut round: HashMap<Id, u32> = HashMap::new();
        for (turn, start) in std::mem::take(&mut self.stuck).into_iter().enumerate() {
            let turn = turn as u32;
            let mut at = start;
            while let Some(wait) = self.waits.get(&at) {
                match round.insert(at, turn) {
                    None => at = wait.on,
                    Some(earlier) if earlier == turn => {
                        broken |= self.break_cycle(at);
                        break;
                    }
                    Some(_) => break,
                }
            }
        }
        broken
    }

    fn break_cycle(&mut self, start: Id) -> bool {
        let mut cycle = vec![start];
        let mut at = self.waits[&start].on;
        while at != start {
            cycle.push(at);
            at = self.waits[&at].on;
        }
        // An order that cannot be had is given up before anything goes from under what stands on it.
        if let Some(&id) = cycle.iter().find(|id| self.waits[id].hold == Hold::Order) {
            self.go_without_order(id);
            return true;
        }
        let place = |id: &Id| match self.waits[id].hold {
            Hold::User(place) if self.nodes[*id as usize].falling() => Some((*id, place)),
            _ => None,
        };
        // The one that nobody wants goes last: so the first to go is one on which only that one stands.
        let unwanted = |(_, (_, user)): &(Id, Cursor)| self.nodes[*user as usize].wants.is_empty();
        let first = cycle.iter().filter_map(place).find(unwanted).or_else(|| cycle.iter().find_map(place));
        let Some((id, place)) = first else { return false };
        if let Some(wait) = self.waits.get_mut(&id) {
            // Behind this place, also where the same user is in several lists: so each place is passed once.
            wait.cursor = Some(place);
        }
        self.wake_up(id);
        true
    }

    fn go_without_order(&mut self, id: Id) {
        self.patient.remove(id);
        self.impatient.insert(id);
        self.wake_up(id);
    }

    /// Nothing runs, and items wait for an order that cannot be had: they go on without.
    pub(super) fn lose_patience(&mut self) -> bool {
        if self.patient.is_empty() || self.pass.is_some() {
            return false;
        }
        // One at a time keeps as much of the order as can be.
        while let Some(id) = self.patient.pop_first() {
            if self.waits.contains_key(&id) {
                self.go_without_order(id);
                return true;
            }
        }
        false
    }

    /// The transaction on whose account something is done with an item.
    pub(super) fn account(&self, id: Id) -> u64 {
        let cause = self.nodes[id as usize].cause;
        if self.transactions.contains_key(&cause) { cause } else { self.cause }
    }

    fn emit(&mut self, id: Id, action: Action, why: Why) {
        if matches!(action, Action::Create | Action::Update) {
            self.own(id);
        }
        let account = self.account(id);
        let reverting = self.transactions.get(&account).is_some_and(|transaction| transaction.reverting);
        let why = if reverting && why == Why::Wanted { Why::Reverted } else { why };
        self.rehearse(id, action, why);
        if action == Action::Update {
            self.need_both(id);
        }
        let node = &mut self.nodes[id as usize];
        node.cause = account;
        node.sequence = node.sequence.wrapping_add(1);
        node.last = Some(action);
        let value = match action {
            Action::Create | Action::Update => node.wanted().cloned(),
            _ => node.applied.clone(),
        };
        let mut place = 0;
        if let Some(transaction) = self.transactions.get_mut(&account) {
            transaction.running += 1;
            place = transaction.done.len() as u32;
            transaction.done.push(Done { key: node.key.clone(), action, why, failure: None });
        }
        node.busy = Some(Box::new(Busy {
            sequence: node.sequence,
            action,
            value: value.clone(),
            transaction: account,
            place,
        }));
        self.inflight.insert(id);
        let operation = Operation {
            id: u64::from(node.sequence) << 32 | u64::from(id),
            key: node.key.clone(),
            kind: node.kind,
            action,
            why,
            value,
            previous: if action == Action::Update { node.applied.clone() } else { None },
            metadata: if action == Action::Create { None } else { node.metadata.clone() },
        };
        let kind = node.kind;
        self.moved(kind, id);
        self.out.push(Output::Run(operation));
        if action == Action::Delete {
            self.set_available(id, false);
        }
        self.touch(id);
    }

    pub(super) fn moved(&mut self, kind: u32, id: Id) {
        if let Some(moved) = &mut self.kinds[kind as usize].moved {
            moved.insert(id);
        }
    }

    /// The item is recorded as made by this agent, for the source that wants it.
    pub(super) fn own(&mut self, id: Id) {
        let node = &self.nodes[id as usize];
        let owner = match node.wants.first().map(|want| want.origin) {
            Some(Origin::Source(source)) => Some(source),
            Some(Origin::Parent(parent)) => self.nodes[parent as usize].owner,
            None => None,
        };
        if let Some(source) = owner
            && node.owner != owner
            && !node.property
        {
            let source = self.sources[source as usize].name.clone();
            let fact = Fact::Owned { key: node.key.clone(), source };
            self.record(id, fact);
            self.nodes[id as usize].owner = owner;
        }
    }

    pub(super) fn disown(&mut self, id: Id) {
        let node = &mut self.nodes[id as usize];
        node.stale = false;
        if node.owner.take().is_some() {
            let fact = Fact::Gone { key: node.key.clone() };
            self.record(id, fact);
        }
    }

    fn apply_property(&mut self, id: Id, action: Action) {
        let node = &mut self.nodes[id as usize];
        node.last = Some(action);
        match action {
            Action::Create | Action::Update => {
                node.applied = node.wanted().cloned();
            }
            _ => node.applied = None,
        }
        self.nodes[id as usize].change = None;
        self.drop_old_needs(id);
        self.mark(id);
    }

    /// Whether the item will still change because of what runs now.
    pub(super) fn unsettled(&self, id: Id) -> bool {
        let mut seen = BTreeSet::from([id]);
        let mut open = vec![id];
        // Further than this, what comes is not waited for.
        while let Some(id) = open.pop().filter(|_| seen.len() < 256) {
            let node = &self.nodes[id as usize];
            if node.busy.is_some() {
                return true;
            }
            if node.held() || node.drifted {
                continue;
            }
            let kind = &self.kinds[node.kind as usize];
            if (kind.gated || node.goal == Goal::Unknown) && kind.rules.is_some() {
                if self.pass.is_some() && kind.access == Access::Open {
                    return true;
                }
                continue;
            }
            let mut next = |of: Id| {
                if seen.insert(of) {
                    open.push(of);
                }
            };
            if let Some(wait) = self.waits.get(&id) {
                next(wait.on);
                continue;
            }
            if node.rising() || (node.goal == Goal::Absent && node.occupied()) {
                return true;
            }
            if node.goal != Goal::Absent || node.wants.is_empty() || node.invalid.is_some() {
                continue;
            }
            let unmet = |of: &Id| !self.nodes[*of as usize].available;
            node.parent.filter(unmet).into_iter().for_each(&mut next);
            node.needs.each_leaf(&mut |leaf| leaf.id().filter(unmet).into_iter().for_each(&mut next));
        }
        false
    }

    /// The copy that looks ahead notes what would be done, and after what.
    fn rehearse(&mut self, id: Id, action: Action, why: Why) {
        let Some(plan) = &self.rehearsal else { return };
        let node = &self.nodes[id as usize];
        let mut after = BTreeSet::new();
        let mut of = |other: Id| after.extend(plan.last.get(&other).copied());
        of(id);
        match action {
            Action::Delete => {
                for user in node.users.iter() {
                    if self.nodes[user as usize].last == Some(Action::Delete) {
                        of(user);
                    }
                }
            }
            _ => {
                node.needs.each_leaf(&mut |leaf| {
                    if let Some(other) = leaf.id() {
                        of(other);
                    }
                });
                if let Some(parent) = node.parent {
                    of(parent);
                }
            }
        }
        let operation = crate::plan::Step {
            action,
            key: node.key.clone(),
            why,
            after: after.into_iter().collect(),
            value: node.wanted().or(node.applied.as_ref()).map(crate::AnyValue::to_json),
        };
        if let Some(plan) = &mut self.rehearsal {
            plan.last.insert(id, plan.steps.len());
            plan.steps.push(operation);
        }
    }
}

enum Stands {
    No,
    /// By order only.
    Order,
    Firmly,
}

/// The longest a failed observation waits before the next one.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(60);
