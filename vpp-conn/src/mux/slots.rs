//! Calls by their context.

/// Contexts are this and below, so that none looks like a client index of VPP's sockets (top bit set).
const MAX_CONTEXT: u32 = (1 << 31) - 1;

/// A table of calls by context: a context's place is its low bits, and contexts whose place is taken are passed over.
///
/// Looking up is one index and one comparison. A context comes again only after all others.
#[derive(Debug)]
pub(super) struct Slots<T> {
    places: Vec<Option<(u32, T)>>,
    last: u32,
    len: usize,
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self { places: Vec::new(), last: 0, len: 0 }
    }
}

impl<T> Slots<T> {
    /// Calls in the table.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The next context whose place is free.
    pub(super) fn next_context(&mut self) -> u32 {
        if self.len * 2 >= self.places.len() {
            self.grow();
        }
        loop {
            self.last = if self.last >= MAX_CONTEXT { 1 } else { self.last + 1 };
            if self.places[self.place(self.last)].is_none() {
                return self.last;
            }
        }
    }

    /// Puts a call into the place of a context that [`Slots::next_context`] gave.
    pub(super) fn insert(&mut self, context: u32, call: T) {
        let place = self.place(context);
        if self.places[place].replace((context, call)).is_none() {
            self.len += 1;
        }
    }

    pub(super) fn get(&mut self, context: u32) -> Option<&mut T> {
        let place = context as usize & self.places.len().checked_sub(1)?;
        self.places[place].as_mut().filter(|(at, _)| *at == context).map(|(_, call)| call)
    }

    pub(super) fn remove(&mut self, context: u32) -> Option<T> {
        self.get(context)?;
        let place = self.place(context);
        self.len -= 1;
        self.places[place].take().map(|(_, call)| call)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.places.iter().flatten().map(|(_, call)| call)
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.places.iter_mut().flatten().map(|(_, call)| call)
    }

    fn place(&self, context: u32) -> usize {
        context as usize & (self.places.len() - 1)
    }

    /// Twice the places. Contexts that differed in their low bits still do.
    fn grow(&mut self) {
        let mut places = Vec::new();
        places.resize_with((self.places.len() * 2).max(16), || None);
        for (context, call) in std::mem::take(&mut self.places).into_iter().flatten() {
            let place = context as usize & (places.len() - 1);
            places[place] = Some((context, call));
        }
        self.places = places;
    }

    #[cfg(test)]
    pub(super) fn set_last(&mut self, last: u32) {
        self.last = last;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn live_contexts_are_passed_over_when_the_numbers_wrap() {
        let mut slots = Slots::default();
        let held: Vec<u32> = (0..30)
            .map(|call| {
                let context = slots.next_context();
                slots.insert(context, call);
                context
            })
            .collect();
        assert_eq!(held[0], 1);
        slots.set_last(MAX_CONTEXT - 2);
        for call in 100..165 {
            let context = slots.next_context();
            assert!(context != 0 && context <= MAX_CONTEXT && !held.contains(&context));
            slots.insert(context, call);
        }
        for (call, context) in held.iter().enumerate() {
            assert_eq!(slots.remove(*context), Some(call));
            assert_eq!(slots.remove(*context), None);
        }
        assert_eq!(slots.len(), 65);
    }
}
