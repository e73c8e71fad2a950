//! What is wanted of an item, and what follows from that about its needs and derived items.

use super::Planner;
use super::ids::Id;
use super::need::Need;
use super::node::{Origin, Want};
use crate::descriptor::Derived;
use crate::{Action, AnyValue, Change};

impl Planner {
    /// A source, or an item from which this one is derived, wants it so, or no more.
    pub(super) fn set_want(&mut self, id: Id, origin: Origin, value: Option<AnyValue>) {
        let node = &mut self.nodes[id as usize];
        let at = node.wants.iter().position(|want| want.origin == origin);
        let first = node.wants.first().map(|want| (want.origin, want.value.clone()));
        match (at, value) {
            (Some(at), Some(value)) => {
                if node.wants[at].value == value {
                    // The same again. What failed before is tried again, and what drifted is repaired.
                    if at == 0 && (node.trouble.is_some() || node.drifted) {
                        node.trouble = None;
                        node.drifted = false;
                        node.cause = self.cause;
                        node.revision = self.author;
                        self.mark(id);
                    }
                    return;
                }
                node.wants[at].value = value;
            }
            (Some(at), None) => {
                node.wants.remove(at);
            }
            (None, Some(value)) => node.wants.push(Want { origin, value }),
            (None, None) => return,
        }
        if let Origin::Source(source) = origin {
            let keys = &mut self.sources[source as usize].keys;
            if self.nodes[id as usize].wants.iter().any(|want| want.origin == origin) {
                keys.insert(id);
            } else {
                keys.remove(id);
            }
        }
        self.rank_wants(id);
        self.want_may_have_changed(id, first);
    }

    pub(super) fn sort_wants(&mut self, id: Id) {
        let first = self.nodes[id as usize].wants.first().map(|want| (want.origin, want.value.clone()));
        self.rank_wants(id);
        self.want_may_have_changed(id, first);
    }

    pub(super) fn rank_wants(&mut self, id: Id) {
        let sources = &self.sources;
        let wants = &mut self.nodes[id as usize].wants;
        if wants.len() > 1 {
            wants.sort_by_key(|want| match want.origin {
                Origin::Source(at) => (0, -i64::from(sources[at as usize].priority), u32::from(at)),
                Origin::Parent(parent) => (1, 0, parent),
            });
        }
    }

    pub(super) fn want_may_have_changed(&mut self, id: Id, before: Option<(Origin, AnyValue)>) {
        let node = &self.nodes[id as usize];
        let same = match (&before, node.wants.first()) {
            (Some((origin, value)), Some(want)) => *origin == want.origin && *value == want.value,
            (None, None) => true,
            _ => false,
        };
        if !same {
            self.want_changed(id);
        }
    }

    /// The value in force changed: needs, derived items and the way from what is there are found anew.
    pub(super) fn want_changed(&mut self, id: Id) {
        let cause = self.cause;
        let author = self.author;
        let node = &mut self.nodes[id as usize];
        node.cause = cause;
        node.revision = author;
        node.trouble = None;
        node.drifted = false;
        node.missing = false;
        node.invalid = None;
        node.stale &= node.wants.is_empty();
        let occupied = node.occupied();
        let want = node.wants.first().cloned();
        let parent = match want.as_ref().map(|want| want.origin) {
            Some(Origin::Parent(parent)) => Some(parent),
            _ if occupied => node.parent,
            _ => None,
        };
        self.set_parent(id, parent);
        let rules = self.rules(id).cloned();
        let valid = match (&want, &rules) {
            (Some(want), Some(rules)) => match rules.validate(&want.value) {
                Ok(()) => true,
                Err(invalid) => {
                    self.nodes[id as usize].invalid = Some(Box::new(invalid));
                    false
                }
            },
            _ => true,
        };
        self.keep_old_needs(id);
        let (need, derived) = match (&want, &rules) {
            (Some(want), Some(rules)) if valid => {
                let needs = rules.needs(&want.value);
                (self.intern_needs(&needs), Some(rules.derived(&want.value)))
            }
            // What is there of an invalid value's predecessor keeps its derived items.
            (Some(_), _) if !valid => (Need::None, None),
            _ => (Need::None, Some(Vec::new())),
        };
        self.set_needs(id, need);
        if let Some(derived) = derived {
            self.set_children(id, derived);
        }
        self.compare(id);
        self.mark(id);
        self.touch(id);
    }

    pub(super) fn set_parent(&mut self, id: Id, parent: Option<Id>) {
        let old = std::mem::replace(&mut self.nodes[id as usize].parent, parent);
        if old == parent {
            return;
        }
        if let Some(old) = old {
            self.drop_user(old, id);
        }
        if let Some(parent) = parent {
            self.nodes[parent as usize].users.insert(id);
        }
    }

    /// The needs of what is there count until it has changed.
    pub(super) fn keep_old_needs(&mut self, id: Id) {
        let node = &mut self.nodes[id as usize];
        if node.occupied() && node.old_needs.is_none() {
            let need = std::mem::replace(&mut node.needs, Need::None);
            node.old_needs = Some(Box::new(need));
        }
    }

    /// An update begins: until it has ended, the item may stand on what it needed before, and on what it will need, even if
    /// that is withdrawn or something else is wanted meanwhile.
    pub(super) fn need_both(&mut self, id: Id) {
        let comes = self.nodes[id as usize].needs.clone();
        self.name_needs(id, &comes);
        let node = &mut self.nodes[id as usize];
        node.old_needs = Some(Box::new(match node.old_needs.take() {
            Some(old) => Need::All([*old, comes].into()),
            None => comes,
        }));
    }

    pub(super) fn set_children(&mut self, id: Id, derived: Vec<Derived>) {
        if derived.is_empty() && self.nodes[id as usize].children.is_empty() {
            return;
        }
        self.epoch += 1;
        let epoch = self.epoch;
        let mut children = Vec::with_capacity(derived.len());
        let mut wanted = Vec::with_capacity(derived.len());
        for child in derived {
            let at = self.intern(&child.key);
            let node = &mut self.nodes[at as usize];
            // Twice the same key from one item: the first counts.
            if node.seen == epoch || at == id {
                continue;
            }
            node.seen = epoch;
            node.property = child.property;
            children.push(at);
            wanted.push(child.value);
        }
        let old = std::mem::replace(&mut self.nodes[id as usize].children, children.clone());
        for at in old {
            if self.nodes[at as usize].seen != epoch {
                self.leaving.entry(id).or_default().push(at);
                self.set_want(at, Origin::Parent(id), None);
            }
        }
        for (at, value) in children.into_iter().zip(wanted) {
            let value = self.typed(at, value);
            // Settings of the item hold for what is derived from it.
            self.nodes[at as usize].retry = self.nodes[id as usize].retry.clone();
            self.set_want(at, Origin::Parent(id), Some(value));
        }
    }

    /// A value as its descriptor's type: before the descriptor was registered it may have come as JSON.
    pub(super) fn typed(&self, id: Id, value: AnyValue) -> AnyValue {
        let Some(rules) = self.rules(id) else { return value };
        if rules.holds_type(&value) {
            return value;
        }
        match rules.decode(&value.to_json()) {
            Ok((key, typed)) if key == self.nodes[id as usize].key => typed,
            _ => value,
        }
    }

    /// Finds how what is there becomes what is wanted.
    pub(super) fn compare(&mut self, id: Id) {
        let rules = self.rules(id).cloned();
        let node = &mut self.nodes[id as usize];
        node.change = None;
        let (Some(applied), Some(wanted)) = (&node.applied, node.wants.first().map(|want| &want.value))
        else {
            return;
        };
        if node.invalid.is_some() {
            return;
        }
        let change = match rules {
            _ if applied.is(wanted) => None,
            Some(rules) if rules.equivalent(applied, wanted) => None,
            Some(rules) => Some(rules.change(applied, wanted)),
            None if applied == wanted => None,
            None => Some(Change::InPlace),
        };
        if change.is_none() {
            node.applied = Some(wanted.clone());
            self.show(id);
            let is_updated =
                self.nodes[id as usize].busy.as_ref().is_some_and(|busy| busy.action == Action::Update);
            if !is_updated {
                self.drop_old_needs(id);
            }
            self.own(id);
        }
        self.nodes[id as usize].change = change;
    }
}
