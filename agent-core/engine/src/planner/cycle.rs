//! Items that need each other in a circle: all become ready at once, or none.

use std::collections::{HashMap, HashSet};

use super::Planner;
use super::ids::Id;
use super::need::Need;
use super::node::Goal;
use crate::{Action, Change};

impl Planner {
    /// Looks for circles among items whose needs are not met, from those about which something changed and that
    /// others need. Strong components by Tarjan's algorithm, without recursion.
    pub(super) fn find_groups(&mut self) {
        let candidates = std::mem::take(&mut self.candidates);
        let mut search = Search::default();
        for id in candidates {
            if self.blocked(id) && !search.index.contains_key(&id) {
                self.search(id, &mut search);
            }
        }
        for group in search.groups {
            self.try_group(group);
        }
    }

    /// Wanted, and nothing but its needs keeps it from being made.
    fn blocked(&self, id: Id) -> bool {
        let node = &self.nodes[id as usize];
        node.goal == Goal::Absent
            && !node.wants.is_empty()
            && node.invalid.is_none()
            && !node.held()
            && node.group == 0
    }

    fn blocked_needs(&self, id: Id) -> Vec<Id> {
        let node = &self.nodes[id as usize];
        let mut of = Vec::new();
        if let Some(parent) = node.parent
            && self.blocked(parent)
        {
            of.push(parent);
        }
        node.needs.each_leaf(&mut |leaf| match leaf {
            Need::Item(id) | Need::Where(id, _) if self.blocked(*id) => of.push(*id),
            Need::Any(any) => {
                let set = &self.sets[any.set as usize];
                if set.count == 0 || any.predicate.is_some() {
                    let members = &self.kinds[set.kind as usize].members;
                    let named = |id: &Id| self.nodes[*id as usize].key.name().starts_with(&set.prefix);
                    of.extend(members.iter().filter(named).filter(|id| self.blocked(*id)));
                }
            }
            _ => {}
        });
        of
    }

    fn search(&self, start: Id, search: &mut Search) {
        let mut path = vec![(start, self.blocked_needs(start), 0)];
        search.enter(start);
        while let Some((id, needs, at)) = path.last_mut() {
            let id = *id;
            if let Some(&next) = needs.get(*at) {
                *at += 1;
                match search.index.get(&next) {
                    None => {
                        search.enter(next);
                        path.push((next, self.blocked_needs(next), 0));
                    }
                    Some(&index) if search.on_stack.contains(&next) => search.lower(id, index),
                    Some(_) => {}
                }
                // An item that needs itself is a circle of one.
                if next == id {
                    search.selfish.insert(id);
                }
                continue;
            }
            path.pop();
            let low = search.low[&id];
            if let Some((parent, ..)) = path.last() {
                search.lower(*parent, low);
            }
            if low == search.index[&id] {
                search.leave(id);
            }
        }
    }

    fn try_group(&mut self, mut members: Vec<Id>) {
        // One that is there and has to be made anew goes first, and with it those that cannot be without it. The others do
        // not wait: when it has gone it may be in no circle with them any more, and they would not be looked at again.
        members.retain(|&id| !self.is_leaving(id));
        self.group += 1;
        let group = self.group;
        for &id in &members {
            self.nodes[id as usize].group = group;
        }
        self.groups.insert(group, members.clone());
        // Who cannot be with the others leaves, until all who are left can.
        loop {
            let ready = |id: &Id| {
                let node = &self.nodes[*id as usize];
                let parent = match node.wants.first().map(|want| want.origin) {
                    Some(super::Origin::Parent(parent)) => {
                        let parent = &self.nodes[parent as usize];
                        parent.available || parent.group == group
                    }
                    _ => true,
                };
                parent && self.holds(&node.needs, node)
            };
            let (stay, leave): (Vec<Id>, Vec<Id>) = members.iter().copied().partition(ready);
            for &id in &leave {
                self.nodes[id as usize].group = 0;
            }
            let done = leave.is_empty();
            members = stay;
            self.groups.insert(group, members.clone());
            if done {
                break;
            }
        }
        if members.is_empty() {
            self.groups.remove(&group);
        }
        for id in members {
            self.mark(id);
        }
    }

    fn is_leaving(&self, id: Id) -> bool {
        let node = &self.nodes[id as usize];
        let deleting = node.busy.as_ref().is_some_and(|busy| busy.action == Action::Delete);
        deleting || (node.applied.is_some() && node.change == Some(Change::Recreate) && !node.drifted)
    }

    /// Ends a group that is complete, or that cannot become so.
    pub(super) fn watch_group(&mut self, id: Id, needs_hold: bool) {
        let group = self.nodes[id as usize].group;
        let Some(members) = self.groups.get(&group) else {
            self.nodes[id as usize].group = 0;
            return;
        };
        let complete = members.iter().all(|&id| self.nodes[id as usize].available);
        let node = &self.nodes[id as usize];
        let broken = !needs_hold
            || node.wants.is_empty()
            || node.invalid.is_some()
            || node.held()
            || self.is_leaving(id);
        if complete || broken {
            for id in self.groups.remove(&group).unwrap_or_default() {
                self.nodes[id as usize].group = 0;
                self.mark(id);
            }
        }
    }
}

#[derive(Default)]
struct Search {
    index: HashMap<Id, u32>,
    low: HashMap<Id, u32>,
    stack: Vec<Id>,
    on_stack: HashSet<Id>,
    groups: Vec<Vec<Id>>,
    selfish: HashSet<Id>,
}

impl Search {
    fn enter(&mut self, id: Id) {
        let index = self.index.len() as u32;
        self.index.insert(id, index);
        self.low.insert(id, index);
        self.stack.push(id);
        self.on_stack.insert(id);
    }

    fn lower(&mut self, id: Id, to: u32) {
        if let Some(low) = self.low.get_mut(&id) {
            *low = (*low).min(to);
        }
    }

    fn leave(&mut self, id: Id) {
        let mut group = Vec::new();
        while let Some(member) = self.stack.pop() {
            self.on_stack.remove(&member);
            group.push(member);
            if member == id {
                break;
            }
        }
        if group.len() > 1 || self.selfish.contains(&id) {
            group.sort_unstable();
            self.groups.push(group);
        }
    }
}
