//! Who waits for any of several calls.

/// The number of a group, until it is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct GroupId(usize);

/// One waiter for each group: a thousand calls of one pipeline need not hold a thousand.
#[derive(Debug)]
pub(crate) struct Groups<W> {
    places: Vec<Place<W>>,
}

#[derive(Debug)]
struct Place<W> {
    is_taken: bool,
    waiter: Option<W>,
    /// Calls that have ended since the one who waits last asked.
    ended: usize,
}

impl<W> Place<W> {
    const FREE: Self = Self { is_taken: false, waiter: None, ended: 0 };
}

impl<W> Default for Groups<W> {
    fn default() -> Self {
        Self { places: Vec::new() }
    }
}

impl<W> Groups<W> {
    pub(crate) fn add(&mut self) -> GroupId {
        let place = self.places.iter().position(|place| !place.is_taken).unwrap_or_else(|| {
            self.places.push(Place::FREE);
            self.places.len() - 1
        });
        self.places[place].is_taken = true;
        GroupId(place)
    }

    /// Forgets a group whose calls have all ended or been given up.
    pub(crate) fn remove(&mut self, group: GroupId) {
        self.places[group.0] = Place::FREE;
    }

    /// Sets whom the next of the group's calls that has something wakes.
    pub(crate) fn wait(&mut self, group: GroupId, waiter: W) {
        self.places[group.0].waiter = Some(waiter);
    }

    /// One of the group's calls has ended: who is to be told.
    pub(super) fn end_one(&mut self, group: GroupId) -> Option<W> {
        let place = &mut self.places[group.0];
        place.ended += 1;
        place.waiter.take()
    }

    /// How many calls have ended since this was last asked.
    pub(crate) fn take_ended(&mut self, group: GroupId) -> usize {
        std::mem::take(&mut self.places[group.0].ended)
    }

    pub(crate) fn take_waiter(&mut self, group: GroupId) -> Option<W> {
        self.places[group.0].waiter.take()
    }
}
