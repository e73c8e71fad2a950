//! Who stands on what: needs are interned, indexed by what they name, and looked at again when that comes or goes.

use std::sync::Arc;

use super::Planner;
use super::ids::{Id, Ids};
use super::need::{Any, Need, Set};
use super::node::Node;
use crate::needs::{Expression, Predicate};
use crate::{Action, AnyValue, Needs};

impl Planner {
    /// Interns needs and counts what is there of them. The caller puts them into the node and calls `name_needs`.
    pub(super) fn intern_needs(&mut self, needs: &Needs) -> Need {
        let (Expression::All(of) | Expression::OneOf(of)) = &needs.0 else {
            return self.intern_expression(&needs.0);
        };
        if let Some((last, need)) = &self.interned
            && Arc::ptr_eq(last, of)
        {
            return need.clone();
        }
        let need = self.intern_expression(&needs.0);
        // How many pass a predicate is counted for each item by itself.
        if !need.any_leaf(&mut |leaf| matches!(leaf, Need::Any(_))) {
            self.interned = Some((of.clone(), need.clone()));
        }
        need
    }

    fn intern_expression(&mut self, of: &Expression) -> Need {
        match of {
            Expression::Nothing => Need::None,
            Expression::All(of) if of.len() == 1 => self.intern_expression(&of[0]),
            Expression::All(of) => Need::All(of.iter().map(|of| self.intern_expression(of)).collect()),
            Expression::OneOf(of) => Need::OneOf(of.iter().map(|of| self.intern_expression(of)).collect()),
            Expression::Item(key) => Need::Item(self.intern(key)),
            Expression::Where(key, predicate) => Need::Where(self.intern(key), predicate.clone()),
            Expression::After(key) => Need::After(self.intern(key)),
            Expression::Any { kind, prefix, predicate } => {
                let set = self.intern_set(kind, prefix);
                let count = predicate.as_ref().map_or(0, |predicate| {
                    let passing = |id: &Id| {
                        let node = &self.nodes[*id as usize];
                        node.key.name().starts_with(prefix) && passes(&node.shown, predicate)
                    };
                    self.kinds[self.sets[set as usize].kind as usize].members.iter().filter(passing).count()
                        as u32
                });
                Need::Any(Box::new(Any { set, predicate: predicate.clone(), count }))
            }
        }
    }

    fn intern_set(&mut self, kind: &str, prefix: &str) -> u32 {
        let kind = self.intern_kind(kind);
        if let Some(&set) = self.kinds[kind as usize].sets.by_prefix.get(prefix) {
            return set;
        }
        let set = self.sets.len() as u32;
        let member = |id: &Id| {
            let node = &self.nodes[*id as usize];
            node.shown[0].is_some() && node.key.name().starts_with(prefix)
        };
        let count = self.kinds[kind as usize].members.iter().filter(member).count() as u32;
        self.sets.push(Set {
            kind,
            prefix: prefix.to_owned(),
            count,
            plain: Ids::default(),
            picky: Ids::default(),
        });
        let sets = &mut self.kinds[kind as usize].sets;
        sets.by_prefix.insert(prefix.to_owned(), set);
        sets.lengths.insert(prefix.len());
        set
    }

    /// Enters the item in the indexes by which a change of what it needs finds it.
    pub(super) fn name_needs(&mut self, id: Id, need: &Need) {
        need.each_leaf(&mut |leaf| match leaf {
            Need::Item(of) | Need::After(of) => {
                self.nodes[*of as usize].users.insert(id);
            }
            Need::Where(of, _) => {
                let of = &mut self.nodes[*of as usize];
                of.users.insert(id);
                of.content_users += 1;
            }
            Need::Any(any) => {
                let set = &mut self.sets[any.set as usize];
                if any.predicate.is_some() {
                    set.picky.insert(id)
                } else {
                    set.plain.insert(id)
                };
            }
            _ => {}
        });
    }

    /// The reverse, for needs that the node does not have any more.
    pub(super) fn forget_needs(&mut self, id: Id, need: &Need) {
        let mut left = Vec::new();
        need.each_leaf(&mut |leaf| match leaf {
            Need::Item(of) | Need::After(of) => left.push(*of),
            Need::Where(of, _) => {
                self.nodes[*of as usize].content_users -= 1;
                left.push(*of);
            }
            Need::Any(any) => {
                let node = &self.nodes[id as usize];
                let still = node.needs.names_set(any.set)
                    || node.old_needs.as_ref().is_some_and(|old| old.names_set(any.set));
                if !still {
                    let set = &mut self.sets[any.set as usize];
                    set.picky.remove(id);
                    set.plain.remove(id);
                }
            }
            _ => {}
        });
        for of in left {
            self.drop_user(of, id);
        }
    }

    /// Takes `id` from the users of `of`, unless it still names it.
    pub(super) fn drop_user(&mut self, of: Id, id: Id) {
        let node = &self.nodes[id as usize];
        let still = node.parent == Some(of)
            || node.needs.names(of)
            || node.old_needs.as_ref().is_some_and(|old| old.names(of));
        if !still && self.nodes[of as usize].users.remove(id) {
            self.touch(of);
        }
    }

    /// Replaces the needs of the wanted value.
    pub(super) fn set_needs(&mut self, id: Id, need: Need) {
        self.name_needs(id, &need);
        let old = std::mem::replace(&mut self.nodes[id as usize].needs, need);
        self.forget_needs(id, &old);
    }

    /// Drops the needs of a value that is no more there.
    pub(super) fn drop_old_needs(&mut self, id: Id) {
        if let Some(old) = self.nodes[id as usize].old_needs.take() {
            self.forget_needs(id, &old);
        }
    }

    pub(super) fn holds(&self, need: &Need, of: &Node) -> bool {
        match need {
            Need::None | Need::After(_) => true,
            Need::Item(id) => {
                let node = &self.nodes[*id as usize];
                node.available || (of.group != 0 && node.group == of.group)
            }
            Need::Where(id, predicate) => {
                let node = &self.nodes[*id as usize];
                if node.available {
                    passes(&node.shown, predicate)
                } else {
                    of.group != 0
                        && node.group == of.group
                        && node.wanted().is_some_and(|value| predicate(value))
                }
            }
            Need::Any(any) => {
                let count =
                    if any.predicate.is_some() { any.count } else { self.sets[any.set as usize].count };
                count > 0 || (of.group != 0 && self.group_has(of.group, any))
            }
            Need::All(of_all) => of_all.iter().all(|need| self.holds(need, of)),
            Need::OneOf(of_any) => of_any.iter().any(|need| self.holds(need, of)),
        }
    }

    fn group_has(&self, group: u32, any: &Any) -> bool {
        let set = &self.sets[any.set as usize];
        self.groups.get(&group).into_iter().flatten().any(|&id| {
            let node = &self.nodes[id as usize];
            node.kind == set.kind
                && node.key.name().starts_with(&set.prefix)
                && any.predicate.as_ref().is_none_or(|p| node.wanted().is_some_and(|value| p(value)))
        })
    }

    /// An item became available or ceases to be: who needs it is looked at again.
    pub(super) fn set_available(&mut self, id: Id, available: bool) {
        let node = &mut self.nodes[id as usize];
        if node.available == available {
            return;
        }
        node.available = available;
        let users: Vec<Id> = node.users.iter().collect();
        for user in users {
            self.mark(user);
        }
        self.show(id);
    }

    /// Whoever needs a certain content looks again if it changed, or is about to.
    pub(super) fn show(&mut self, id: Id) {
        let node = &mut self.nodes[id as usize];
        let mut now = [None, None, None];
        if node.available {
            now[0].clone_from(&node.applied);
            if node.change.is_some() && !node.drifted {
                now[1] = node.wanted().cloned();
            }
            now[2] = node
                .busy
                .as_ref()
                .filter(|busy| busy.action == Action::Update)
                .and_then(|busy| busy.value.clone());
        }
        let same = |(a, b): (&Option<AnyValue>, &Option<AnyValue>)| match (a, b) {
            (Some(a), Some(b)) => a.is(b),
            (None, None) => true,
            _ => false,
        };
        if node.shown.iter().zip(&now).all(same) {
            return;
        }
        let before = std::mem::replace(&mut node.shown, now);
        if node.content_users > 0 {
            let users: Vec<Id> = node.users.iter().collect();
            for user in users {
                self.mark(user);
            }
        }
        self.count_member(id, &before);
    }

    fn count_member(&mut self, id: Id, before: &Shown) {
        let node = &self.nodes[id as usize];
        let sets = &self.kinds[node.kind as usize].sets;
        let sets = sets.of(&node.key);
        if sets.is_empty() {
            return;
        }
        let after = node.shown.clone();
        for at in sets {
            let set = &mut self.sets[at as usize];
            let was = set.count;
            set.count = set.count + u32::from(after[0].is_some()) - u32::from(before[0].is_some());
            let mut changed = Vec::new();
            if (was == 0) != (set.count == 0) {
                changed.extend(set.plain.iter());
            }
            for watcher in set.picky.iter() {
                let node = &mut self.nodes[watcher as usize];
                let mut flipped = false;
                let mut adjust = |any: &mut Any| {
                    if let (true, Some(predicate)) = (any.set == at, &any.predicate) {
                        let was = any.count;
                        any.count += u32::from(passes(&after, predicate));
                        any.count -= u32::from(passes(before, predicate));
                        flipped |= (was == 0) != (any.count == 0);
                    }
                };
                node.needs.each_any_mut(&mut adjust);
                if let Some(old) = &mut node.old_needs {
                    old.each_any_mut(&mut adjust);
                }
                if flipped {
                    changed.push(watcher);
                }
            }
            for watcher in changed {
                self.mark(watcher);
            }
        }
    }
}

type Shown = [Option<AnyValue>; 3];

/// A content that is about to change has to pass before and after: who stands on it goes before it ceases to.
fn passes(shown: &Shown, predicate: &Predicate) -> bool {
    shown[0].is_some() && shown.iter().flatten().all(|value| predicate(value))
}
