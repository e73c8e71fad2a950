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
    len: usize,
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
            Kept::Many(many) => many.words.get(&at).is_some_and(|word| word & bit != 0),
        }
    }

    /// Whether it was not there.
    pub(super) fn insert(&mut self, id: Id) -> bool {
        let (at, bit) = split(id);
        match &mut self.0 {
            Kept::None => self.0 = Kept::One(id),
            Kept::One(one) if *one == id => return false,
            Kept::One(one) => {
                let (first, of_first) = split(*one);
                let mut words = BTreeMap::from([(first, of_first)]);
                *words.entry(at).or_default() |= bit;
                self.0 = Kept::Many(Box::new(Words { words, len: 2 }));
            }
            Kept::Many(many) => {
                let word = many.words.entry(at).or_default();
                let new = *word & bit == 0;
                *word |= bit;
                many.len += usize::from(new);
                return new;
            }
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
            Kept::Many(many) => {
                let Some(word) = many.words.get_mut(&at) else { return false };
                let had = *word & bit != 0;
                *word &= !bit;
                if *word == 0 {
                    many.words.remove(&at);
                }
                many.len -= usize::from(had);
                had
            }
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
                let from = last.map_or(Bound::Unbounded, |last| Bound::Included(last >> 6));
                let ids = |(&at, &word): (&u32, &u64)| Bits(word).map(move |bit| at << 6 | bit);
                (None, Some(many.words.range((from, Bound::Unbounded)).flat_map(ids)))
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
        let id = || prop_oneof![0..4u32, 60..70u32, Just(Id::MAX), any::<Id>()];
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
