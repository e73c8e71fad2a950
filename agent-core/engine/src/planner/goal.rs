//! What is to become of an item.

use super::Planner;
use super::ids::Id;
use super::node::{Absence, Goal, Node};
use crate::{Action, Change};

impl Planner {
    pub(super) fn evaluate(&mut self, id: Id) {
        let mut needs_hold = self.all_needs_hold(id);
        if self.nodes[id as usize].group != 0 {
            self.watch_group(id, needs_hold);
            needs_hold = self.all_needs_hold(id);
        }
        let (goal, why) = self.goal(id, needs_hold);
        let node = &mut self.nodes[id as usize];
        node.needs_hold = needs_hold;
        if node.goal != goal {
            node.goal = goal;
            // What failed on the way to another goal does not hold up this one.
            if let Some(trouble) = &mut node.trouble {
                trouble.held = false;
                trouble.next_try = None;
            }
        }
        node.why_absent = why;
        let deleting = node.busy.as_ref().is_some_and(|busy| busy.action == Action::Delete);
        let stays = match goal {
            Goal::Hold | Goal::Unknown => true,
            Goal::Present => node.change != Some(Change::Recreate) || node.drifted,
            Goal::Absent => false,
        };
        let available = node.applied.is_some() && stays && !deleting;
        let off = match goal {
            Goal::Present => node.applied.is_none() || node.change.is_some() || node.doubt,
            Goal::Absent => node.applied.is_some() || node.doubt,
            Goal::Hold | Goal::Unknown => false,
        };
        let blocked = goal == Goal::Absent && !node.wants.is_empty() && node.invalid.is_none();
        let sets = &self.kinds[node.kind as usize].sets;
        let needed = blocked && (!node.users.is_empty() || !sets.of(&node.key).is_empty());
        if needed && !node.held() {
            self.candidates.push(id);
        }
        self.set_available(id, available);
        self.show(id);
        if off {
            self.wake_up(id);
        } else {
            self.stop_waiting(id);
        }
        self.wake_waiters(id);
        self.touch(id);
    }

    fn goal(&self, id: Id, needs_hold: bool) -> (Goal, Absence) {
        let node = &self.nodes[id as usize];
        let there = node.applied.is_some();
        let kind = &self.kinds[node.kind as usize];
        if node.wants.is_empty() {
            let keep = there && self.keeps(node);
            return (if keep { Goal::Hold } else { Goal::Absent }, Absence::Unwanted);
        }
        if !node.property {
            if kind.unimplemented().is_some() {
                return (if there { Goal::Hold } else { Goal::Absent }, Absence::Unwanted);
            }
            if !kind.known {
                return (Goal::Unknown, Absence::Unwanted);
            }
        }
        if node.invalid.is_some() {
            // The value before stays while its own needs hold.
            return match there {
                true if self.old_needs_hold(node) => (Goal::Hold, Absence::Withdrawn),
                _ => (Goal::Absent, Absence::Withdrawn),
            };
        }
        (if needs_hold { Goal::Present } else { Goal::Absent }, Absence::Withdrawn)
    }

    /// Nobody wants it: does it stay all the same?
    fn keeps(&self, node: &Node) -> bool {
        if node.given {
            return true;
        }
        match node.owner {
            // Made for a source that has not yet said in this run what it wants.
            Some(source) => node.stale && !self.sources[source as usize].complete,
            None => match self.policy.foreign {
                super::Foreign::Ignore | super::Foreign::Adopt => true,
                super::Foreign::Remove => !self.sources.iter().any(|source| source.said),
            },
        }
    }

    fn all_needs_hold(&self, id: Id) -> bool {
        let node = &self.nodes[id as usize];
        self.parent_holds(node) && self.holds(&node.needs, node)
    }

    fn parent_holds(&self, node: &Node) -> bool {
        let Some(super::Want { origin: super::Origin::Parent(parent), .. }) = node.wants.first() else {
            return true;
        };
        let parent = &self.nodes[*parent as usize];
        parent.available || (node.group != 0 && parent.group == node.group)
    }

    /// The needs of what is there.
    pub(super) fn old_needs_hold(&self, node: &Node) -> bool {
        let parent = node.parent.is_none_or(|parent| self.nodes[parent as usize].available);
        parent && self.holds(node.old_needs.as_deref().unwrap_or(&node.needs), node)
    }
}
