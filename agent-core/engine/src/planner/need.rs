//! Needs with interned keys, and the sets of items with a common prefix.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::ids::{Id, Ids};
use crate::Key;
use crate::needs::Predicate;

#[derive(Clone)]
pub(super) enum Need {
    None,
    Item(Id),
    Where(Id, Predicate),
    Any(Box<Any>),
    All(Arc<[Self]>),
    OneOf(Arc<[Self]>),
    After(Id),
}

#[derive(Clone)]
pub(super) struct Any {
    pub(super) set: u32,
    pub(super) predicate: Option<Predicate>,
    /// How many available members pass the predicate.
    pub(super) count: u32,
}

/// Items of a kind whose names start with a prefix, as far as somebody asked for them.
#[derive(Clone)]
pub(super) struct Set {
    pub(super) kind: u32,
    pub(super) prefix: String,
    /// How many members are available.
    pub(super) count: u32,
    /// Items that need any member.
    pub(super) plain: Ids,
    /// Items that need a member with a certain content.
    pub(super) picky: Ids,
}

/// The sets of one kind. A name is looked up once per length of prefix in use, not once per prefix.
#[derive(Clone, Default)]
pub(super) struct Sets {
    pub(super) lengths: BTreeSet<usize>,
    pub(super) by_prefix: HashMap<String, u32>,
}

impl Sets {
    /// Those to which an item belongs.
    pub(super) fn of(&self, key: &Key) -> Vec<u32> {
        if self.lengths.is_empty() {
            return Vec::new();
        }
        let name = key.name();
        let of = |&length: &usize| self.by_prefix.get(name.get(..length)?).copied();
        self.lengths.iter().filter_map(of).collect()
    }
}

impl Need {
    pub(super) fn any_leaf(&self, found: &mut dyn FnMut(&Self) -> bool) -> bool {
        match self {
            Self::All(of) | Self::OneOf(of) => of.iter().any(|need| need.any_leaf(found)),
            leaf => found(leaf),
        }
    }

    pub(super) fn each_leaf(&self, f: &mut dyn FnMut(&Self)) {
        self.any_leaf(&mut |leaf| {
            f(leaf);
            false
        });
    }

    pub(super) fn each_any_mut(&mut self, f: &mut dyn FnMut(&mut Any)) {
        match self {
            Self::All(of) | Self::OneOf(of) => {
                Arc::make_mut(of).iter_mut().for_each(|need| need.each_any_mut(f));
            }
            Self::Any(any) => f(any),
            _ => {}
        }
    }

    pub(super) const fn id(&self) -> Option<Id> {
        match self {
            Self::Item(id) | Self::Where(id, _) | Self::After(id) => Some(*id),
            _ => None,
        }
    }

    pub(super) fn names(&self, id: Id) -> bool {
        self.any_leaf(&mut |leaf| leaf.id() == Some(id))
    }

    pub(super) fn names_set(&self, set: u32) -> bool {
        self.any_leaf(&mut |leaf| matches!(leaf, Self::Any(any) if any.set == set))
    }
}
