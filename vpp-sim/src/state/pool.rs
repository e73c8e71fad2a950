//! VPP's way to number objects.

/// Objects with numbers. The number freed last is given out first, as in VPP.
#[derive(Debug)]
pub(crate) struct Pool<T> {
    slots: Vec<Option<T>>,
    free: Vec<u32>,
}

impl<T> Default for Pool<T> {
    fn default() -> Self {
        Self { slots: Vec::new(), free: Vec::new() }
    }
}

impl<T> Pool<T> {
    /// Takes an object in and gives its number.
    pub(crate) fn insert(&mut self, object: T) -> u32 {
        match self.free.pop() {
            Some(index) => {
                self.slots[index as usize] = Some(object);
                index
            }
            None => {
                self.slots.push(Some(object));
                // 4 billion objects do not fit into memory.
                u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX)
            }
        }
    }

    pub(crate) fn remove(&mut self, index: u32) -> Option<T> {
        let object = self.slots.get_mut(index as usize)?.take()?;
        self.free.push(index);
        Some(object)
    }

    pub(crate) fn get(&self, index: u32) -> Option<&T> {
        self.slots.get(index as usize)?.as_ref()
    }

    pub(crate) fn get_mut(&mut self, index: u32) -> Option<&mut T> {
        self.slots.get_mut(index as usize)?.as_mut()
    }

    /// In the order of their numbers.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        (0..).zip(&self.slots).filter_map(|(index, slot)| Some((index, slot.as_ref()?)))
    }

    /// One above the highest number ever given.
    pub(crate) fn end(&self) -> u32 {
        u32::try_from(self.slots.len()).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_freed_last_is_used_first() {
        let mut pool = Pool::default();
        for name in ["a", "b", "c", "d"] {
            pool.insert(name);
        }
        pool.remove(1);
        pool.remove(2);
        assert_eq!(pool.remove(2), None);
        assert_eq!((pool.insert("e"), pool.insert("f"), pool.insert("g")), (2, 1, 4));
        assert_eq!(pool.iter().map(|(_, name)| *name).collect::<String>(), "afedg");
    }
}
