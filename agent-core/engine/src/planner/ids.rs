//! Sets of items.

use std::collections::BTreeMap;
use std::ops::Bound;

/// Place of an item in the graph.
pub(super) type Id = u32;

/// Items in the order of their places. Those that came together have neighbouring places, so they are kept as words of 64
/// bits: a set of a hundred thousand takes little more than what names them. One alone, which is the most frequent, takes no
/// memory of its own.
#[derive(Clone, Default)]
pub(super) struct Ids(Kept);

#[derive(Clone, Default)]
enum Kept {
    #[default]
    None,
    One(Id),
    Many(Box<Words>),
}

#[derive(Clone, Default)]
struct Words {
    /// By the place without its last six bits. No word is 0.
    words: BTreeMap<u32, u64>,
    /// The place of the word that was new last, and the word, which is not among the others and may be 0. Of places that come
    /// one after another it is the one that is asked for.
    open: (u32, u64),
    len: usize,
}

impl Words {
    fn word(&self, at: u32) -> u64 {
        if at == self.open.0 { self.open.1 } else { self.words.get(&at).copied().unwrap_or(0) }
    }

    /// Whether the bit was not there.
    fn insert(&mut self, at: u32, bit: u64) -> bool {
        let word = if at == self.open.0 { Some(&mut self.open.1) } else { self.words.get_mut(&at) };
        let new = match word {
            Some(word) => {
                let new = *word & bit == 0;
                *word |= bit;
                new
            }
            None => {
                let (last, word) = std::mem::replace(&mut self.open, (at, bit));
                if word != 0 {
                    self.words.insert(last, word);
                }
                true
            }
        };
        self.len += usize::from(new);
        new
    }

    /// Whether the bit was there.
    fn remove(&mut self, at: u32, bit: u64) -> bool {
        let is_open = at == self.open.0;
        let word = if is_open { Some(&mut self.open.1) } else { self.words.get_mut(&at) };
        let Some(word) = word else { return false };
        let had = *word & bit != 0;
        *word &= !bit;
        if *word == 0 && !is_open {
            self.words.remove(&at);
        }
        self.len -= usize::from(had);
        had
    }

    /// From this place on, in order.
    fn from(&self, at: u32) -> impl Iterator<Item = (u32, u64)> {
        let (open, word) = self.open;
        let before = self.words.range(at.min(open)..open);
        let start = if at > open { Bound::Included(at) } else { Bound::Excluded(open) };
        let behind = self.words.range((start, Bound::Unbounded));
        let copied = |(&at, &word): (&u32, &u64)| (at, word);
        let open = (open >= at && word != 0).then_some((open, word));
        before.map(copied).chain(open).chain(behind.map(copied))
    }
}

fn split(id: Id) -> (u32, u64) {
    (id >> 6, 1 << (id & 63))
}

impl Ids {
    pub(super) fn is_empty(&self) -> bool {
        match &self.0 {
            Kept::None => true,
            Kept::One(_) => false,
            Kept::Many(many) => many.len == 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        match &self.0 {
            Kept::None => 0,
            Kept::One(_) => 1,
            Kept::Many(many) => many.len,
        }
    }

    pub(super) fn contains(&self, id: Id) -> bool {
        let (at, bit) = split(id);
        match &self.0 {
            Kept::None => false,
            Kept::One(one) => *one == id,
            Kept::Many(many) => many.word(at) & bit != 0,
        }
    }

    /// Whether it was not there.
    pub(super) fn insert(&mut self, id: Id) -> bool {
        let (at, bit) = split(id);
        match &mut self.0 {
            Kept::None => self.0 = Kept::One(id),
            Kept::One(one) if *one == id => return false,
            Kept::One(one) => {
                let mut words = Words::default();
                for (at, bit) in [split(*one), (at, bit)] {
                    words.insert(at, bit);
                }
                self.0 = Kept::Many(Box::new(words));
            }
            Kept::Many(many) => return many.insert(at, bit),
        }
        true
    }

    /// Whether it was there.
    pub(super) fn remove(&mut self, id: Id) -> bool {
        let (at, bit) = split(id);
        match &mut self.0 {
            Kept::One(one) if *one == id => {
                self.0 = Kept::None;
                true
            }
            Kept::Many(many) => many.remove(at, bit),
            _ => false,
        }
    }

    pub(super) fn pop_first(&mut self) -> Option<Id> {
        let first = self.iter().next()?;
        self.remove(first);
        Some(first)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Id> {
        self.behind(None)
    }

    /// Those behind a place.
    pub(super) fn behind(&self, last: Option<Id>) -> impl Iterator<Item = Id> {
        let (one, many) = match &self.0 {
            Kept::None => (None, None),
            Kept::One(one) => (Some(*one), None),
            Kept::Many(many) => {
                let ids = |(at, word): (u32, u64)| Bits(word).map(move |bit| at << 6 | bit);
                (None, Some(many.from(last.map_or(0, |last| last >> 6)).flat_map(ids)))
            }
        };
        let all = one.into_iter().chain(many.into_iter().flatten());
        all.skip_while(move |&id| last.is_some_and(|last| id <= last))
    }
}

impl FromIterator<Id> for Ids {
    fn from_iter<I: IntoIterator<Item = Id>>(ids: I) -> Self {
        let mut set = Self::default();
        for id in ids {
            set.insert(id);
        }
        set
    }
}

/// The places of the bits of a word, the lowest first.
struct Bits(u64);

impl Iterator for Bits {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let lowest = (self.0 != 0).then(|| self.0.trailing_zeros())?;
        self.0 &= self.0 - 1;
        Some(lowest)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        Insert(Id),
        Remove(Id),
        PopFirst,
    }

    fn step() -> impl Strategy<Value = Step> {
        let id = || prop_oneof![0..4u32, 60..70u32, 0..300u32, Just(Id::MAX), any::<Id>()];
        prop_oneof![
            3 => id().prop_map(Step::Insert),
            2 => id().prop_map(Step::Remove),
            1 => Just(Step::PopFirst),
        ]
    }

    proptest! {
        #[test]
        fn it_is_a_set_in_order(steps in prop::collection::vec(step(), 0..60), last: Option<u8>) {
            let (mut ids, mut set) = (Ids::default(), BTreeSet::new());
            for step in steps {
                match step {
                    Step::Insert(id) => prop_assert_eq!(ids.insert(id), set.insert(id)),
                    Step::Remove(id) => prop_assert_eq!(ids.remove(id), set.remove(&id)),
                    Step::PopFirst => prop_assert_eq!(ids.pop_first(), set.pop_first()),
                }
                prop_assert_eq!(ids.iter().collect::<Vec<_>>(), set.iter().copied().collect::<Vec<_>>());
                prop_assert_eq!((ids.len(), ids.is_empty()), (set.len(), set.is_empty()));
                prop_assert!(set.iter().all(|&id| ids.contains(id)));
            }
            let last = last.map(Id::from);
            let behind = set.iter().copied().filter(|id| last.is_none_or(|last| *id > last));
            prop_assert_eq!(ids.behind(last).collect::<Vec<_>>(), behind.collect::<Vec<_>>());
            prop_assert_eq!(set.iter().copied().collect::<Ids>().len(), set.len());
        }
    }
}
