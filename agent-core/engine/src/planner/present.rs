//! What the planner tells: states, reasons, plans, the graph.

use std::collections::HashMap;

use super::ids::Id;
use super::need::Need;
use super::node::Goal;
use super::{Access, Foreign, Output, Planner};
use crate::plan::{Plan, Step};
use crate::{Key, Report, State, Status};

/// What a copy that looks ahead has done so far.
#[derive(Clone, Default)]
pub(super) struct Rehearsal {
    pub(super) steps: Vec<Step>,
    /// The last step of an item.
    pub(super) last: HashMap<Id, usize>,
}

impl Planner {
    pub(super) fn state(&self, id: Id) -> State {
        let node = &self.nodes[id as usize];
        let failed = |held: bool, next: bool| match (held, next) {
            (true, true) => Some(State::Retrying),
            (true, false) => Some(State::Failed),
            _ => None,
        };
        let trouble =
            node.trouble.as_ref().and_then(|trouble| failed(trouble.held, trouble.next_try.is_some()));
        if node.wants.is_empty() {
            return match (&node.applied, node.goal) {
                _ if trouble.is_some() => trouble.unwrap_or_default(),
                (None, _) if node.state == State::Nonexistent || node.state == State::Removed => node.state,
                (None, _) => State::Removed,
                (Some(_), Goal::Hold | Goal::Unknown) => {
                    let discovered = node.owner.is_some() || self.policy.foreign == Foreign::Adopt;
                    if discovered && !node.given { State::Discovered } else { State::Obtained }
                }
                (Some(_), _) if node.given => State::Obtained,
                (Some(_), _) => State::Configured,
            };
        }
        let kind = &self.kinds[node.kind as usize];
        match kind.access {
            _ if node.property => {}
            _ if kind.rules.is_none() => return State::Unimplemented,
            Access::Open => {}
            Access::Unimplemented(_) => return State::Unimplemented,
            // What is there cannot be told.
            Access::Closed(_) if node.invalid.is_none() => return State::Pending,
            Access::Closed(_) => {}
        }
        if node.invalid.is_some() {
            return State::Invalid;
        }
        if let Some(trouble) = trouble {
            return trouble;
        }
        match &node.applied {
            None if node.missing && node.goal == Goal::Present => State::Missing,
            None => State::Pending,
            // What was there before its southbound went may not be there any more.
            Some(_) if !kind.known && !node.property => State::Pending,
            Some(_) => State::Configured,
        }
    }

    /// What an item waits for.
    pub(super) fn reasons(&self, id: Id) -> Vec<String> {
        let node = &self.nodes[id as usize];
        let mut reasons = Vec::new();
        if node.wants.is_empty() || node.invalid.is_some() {
            return reasons;
        }
        let kind = &self.kinds[node.kind as usize];
        let hindrance = match &kind.access {
            Access::Closed(why) | Access::Unimplemented(why) => Some(why.as_str()),
            Access::Open => kind.unimplemented(),
        };
        if let Some(why) = hindrance.filter(|_| !node.property) {
            reasons.push(why.to_owned());
            return reasons;
        }
        if node.goal == Goal::Unknown {
            reasons.push(match &kind.failure {
                Some(failure) => format!("{} cannot be observed: {failure}", kind.name),
                None => format!("{} is being observed", kind.name),
            });
            return reasons;
        }
        if let Some(parent) = node.parent.filter(|&parent| !self.nodes[parent as usize].available) {
            reasons.push(format!("comes with {}", self.described(parent)));
        }
        self.unmet(&node.needs, id, &mut reasons);
        if reasons.is_empty() && node.applied.is_none() && !node.held() {
            reasons.push("about to be made".to_owned());
        }
        // A base item says what holds up those derived from it, whose states are their own.
        reasons
    }

    fn unmet(&self, need: &Need, id: Id, reasons: &mut Vec<String>) {
        if self.holds(need, &self.nodes[id as usize]) {
            return;
        }
        if let Need::All(of) = need {
            return of.iter().for_each(|need| self.unmet(need, id, reasons));
        }
        reasons.push(format!("needs {}", self.need_text(need)));
    }

    fn need_text(&self, need: &Need) -> String {
        match need {
            Need::None => "nothing".to_owned(),
            Need::After(id) => self.nodes[*id as usize].key.to_string(),
            Need::Item(id) => self.described(*id),
            Need::Where(id, _) if self.nodes[*id as usize].available => {
                format!("{} with another content", self.nodes[*id as usize].key)
            }
            Need::Where(id, _) => self.described(*id),
            Need::Any(any) => {
                let set = &self.sets[any.set as usize];
                let kind = &self.kinds[set.kind as usize].name;
                let content = if any.predicate.is_some() { " with a certain content" } else { "" };
                format!("any {kind}/{}*{content}, of which there is none", set.prefix)
            }
            Need::All(of) => of.iter().map(|need| self.need_text(need)).collect::<Vec<_>>().join(" and "),
            Need::OneOf(of) => of.iter().map(|need| self.need_text(need)).collect::<Vec<_>>().join(" or "),
        }
    }

    fn described(&self, id: Id) -> String {
        let node = &self.nodes[id as usize];
        if node.wants.is_empty() {
            let gone = if node.applied.is_some() { "which is going away" } else { "which nobody wants" };
            return format!("{}, {gone}", node.key);
        }
        match self.state(id) {
            State::Configured => node.key.to_string(),
            state => format!("{}, which is {state}", node.key),
        }
    }

    pub(super) fn publish_touched(&mut self) {
        while let Some(id) = self.touched.pop() {
            let node = &mut self.nodes[id as usize];
            if !std::mem::take(&mut node.touched) {
                continue;
            }
            let state = self.state(id);
            let attempts = self.nodes[id as usize].trouble.as_ref().map_or(0, |trouble| trouble.attempts);
            let node = &mut self.nodes[id as usize];
            if node.state != state || node.told != attempts {
                count(&mut self.states, node.state, state);
                node.state = state;
                node.told = attempts;
                node.since = self.now;
                if self.publish {
                    let status = self.status_of(id);
                    self.out.push(Output::Status(Box::new(status)));
                }
            }
            self.forget(id);
        }
    }

    /// Frees the place of an item that nobody knows any more.
    fn forget(&mut self, id: Id) {
        let node = &self.nodes[id as usize];
        let known = !node.wants.is_empty()
            || node.applied.is_some()
            || node.doubt
            || node.busy.is_some()
            || !node.users.is_empty()
            || !node.children.is_empty()
            || node.pins > 0
            || node.owner.is_some()
            || node.parent.is_some()
            || node.group != 0
            // What is being observed of it is old, and has to be known as that.
            || self.kinds[node.kind as usize].moved.as_ref().is_some_and(|moved| moved.contains(id))
            || node.dirty
            || node.acting;
        if known || !self.ids.remove(self.ids.hash(&node.key), id) {
            return;
        }
        let kind = node.kind;
        self.kinds[kind as usize].members.remove(id);
        self.waits.remove(&id);
        self.leaving.remove(&id);
        self.patient.remove(id);
        self.wake_waiters(id);
        let state = std::mem::take(&mut self.nodes[id as usize].state);
        count(&mut self.states, state, State::Nonexistent);
        self.interned = None;
        self.free.push(id);
    }

    fn status_of(&self, id: Id) -> Status {
        let node = &self.nodes[id as usize];
        Status {
            key: node.key.clone(),
            state: node.state,
            since: node.since,
            parent: node.parent.map(|parent| self.nodes[parent as usize].key.clone()),
            last: node.last,
            pending: match node.state {
                State::Configured => Vec::new(),
                _ => self.reasons(id),
            },
            failure: node.trouble.as_ref().map(|trouble| trouble.failure.clone()),
            invalid: node.invalid.as_deref().cloned(),
            attempts: node.trouble.as_ref().map_or(0, |trouble| trouble.attempts),
            next_try: node.trouble.as_ref().and_then(|trouble| trouble.next_try),
            revision: node.revision,
        }
    }

    /// How an item stands; `None` for one that nobody ever named.
    pub(crate) fn status(&self, key: &Key) -> Option<Status> {
        let id = self.find(key)?;
        let node = &self.nodes[id as usize];
        let known = !node.wants.is_empty() || node.applied.is_some() || node.trouble.is_some();
        known.then(|| self.status_of(id))
    }

    /// How the items of a kind stand, those whose names start with a prefix, by key.
    pub(crate) fn statuses(&self, kind: Option<&str>, prefix: &str) -> Vec<Status> {
        let of = |kind: &super::Kind| -> Vec<Status> {
            let named = |id: &Id| self.nodes[*id as usize].key.name().starts_with(prefix);
            let status = |id: Id| self.status(&self.nodes[id as usize].key);
            kind.members.iter().filter(named).filter_map(status).collect()
        };
        let mut all: Vec<Status> = match kind {
            Some(kind) => self.kind_id(kind).map(|at| of(&self.kinds[at as usize])).unwrap_or_default(),
            None => self.kinds.iter().flat_map(of).collect(),
        };
        all.sort_by(|a, b| a.key.cmp(&b.key));
        all
    }

    pub(crate) fn summary(&self) -> crate::Summary {
        let registered = |kind: &&super::Kind| kind.rules.is_some() && kind.access == Access::Open;
        let failure = |kind: &super::Kind| Some((kind.name.to_string(), kind.failure.clone()?));
        let unknown = self.kinds.iter().filter(registered).any(|kind| !kind.known && kind.failure.is_none());
        crate::Summary {
            states: self.states,
            unobserved: self.kinds.iter().filter_map(failure).collect(),
            observing: unknown || self.transactions.values().any(|transaction| transaction.opening),
            transactions: self.transactions.len(),
            operations: self.inflight.len(),
            drifts: self.drifts,
        }
    }

    /// Why it is not known what is there of a kind.
    pub(crate) fn unobserved(&self, kind: &str) -> Option<String> {
        let at = self.kind_id(kind).map(|at| &self.kinds[at as usize]);
        let why = match at.map(|kind| (&kind.access, kind.known, &kind.failure)) {
            Some((Access::Closed(why), ..)) => why.clone(),
            Some((Access::Unimplemented(_), ..) | (_, true, _)) => return None,
            Some((_, _, Some(failure))) => failure.to_string(),
            _ => "it is being observed".to_owned(),
        };
        Some(format!("{kind}: {why}"))
    }

    pub(crate) fn kind_name(&self, kind: u32) -> &str {
        &self.kinds[kind as usize].name
    }

    /// Operations that run, observations that run, transactions that have not ended.
    pub(crate) fn at_rest(&self) -> bool {
        let decided = self.dirty.is_empty() && self.acting.is_empty();
        decided && self.inflight.is_empty() && self.pass.is_none() && self.transactions.is_empty()
    }

    pub(super) fn planned(mut self, report: Option<Report>) -> Plan {
        let steps = self.rehearsal.take().map(|rehearsal| rehearsal.steps).unwrap_or_default();
        let mut plan = Plan { steps, ..Plan::default() };
        if let Some(report) = report {
            plan.errors = report.errors;
            for item in report.items {
                if let Some(invalid) = item.invalid {
                    plan.errors.push(format!("{}: {invalid}", item.key));
                }
                let mut open = vec![item.key];
                while let Some(key) = open.pop() {
                    let Some(id) = self.find(&key) else { continue };
                    let node = &self.nodes[id as usize];
                    open.extend(node.children.iter().map(|&child| self.nodes[child as usize].key.clone()));
                    if self.state(id) == State::Pending {
                        plan.pending.push((key, self.reasons(id)));
                    }
                }
            }
        }
        plan
    }

    /// The whole graph: items with their states, and edges from an item to what it needs.
    pub(crate) fn graph(&self) -> crate::Graph {
        let mut graph = crate::Graph::default();
        for node in self.nodes.iter() {
            let Some(id) = self.find(&node.key) else { continue };
            if self.nodes[id as usize].wants.is_empty() && self.nodes[id as usize].applied.is_none() {
                continue;
            }
            graph.items.push((node.key.clone(), self.state(id)));
            if let Some(parent) = node.parent {
                graph.edges.push((
                    node.key.clone(),
                    self.nodes[parent as usize].key.clone(),
                    "derived".into(),
                ));
            }
            node.needs.each_leaf(&mut |leaf| match leaf {
                Need::After(of) => {
                    graph.edges.push((
                        node.key.clone(),
                        self.nodes[*of as usize].key.clone(),
                        "after".into(),
                    ));
                }
                leaf => {
                    if let Some(of) = leaf.id() {
                        graph.edges.push((
                            node.key.clone(),
                            self.nodes[of as usize].key.clone(),
                            "needs".into(),
                        ));
                    }
                }
            });
        }
        graph.items.sort();
        graph.items.dedup();
        graph.edges.sort();
        graph.edges.dedup();
        graph
    }
}

/// An item goes from one state to another. Those that do not exist are not counted.
fn count(states: &mut [usize; State::ALL.len()], from: State, to: State) {
    if from != State::Nonexistent {
        states[from as usize] -= 1;
    }
    if to != State::Nonexistent {
        states[to as usize] += 1;
    }
}
