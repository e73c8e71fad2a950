//! What those who look into shared memory do with the connection's state.

use std::task::{Context as TaskContext, Poll};

use super::{Core, Shared};
use crate::mux::{Context, Progress};
use crate::transport::Link;
use crate::watch::Looking;

impl Core {
    /// How answers are to be looked for in shared memory, where they come from there.
    pub(crate) fn looking(&self) -> Option<Looking> {
        match &self.link {
            Link::SharedMemory(shared) if shared.is_looked_for() => {
                Some(Looking { patience: shared.patience(), polls: shared.polls() })
            }
            _ => None,
        }
    }
}

impl Shared {
    /// How many calls wait besides one.
    pub(crate) fn others_waiting(&self) -> usize {
        self.with(|core| core.mux.waiting().saturating_sub(1))
    }

    /// Somebody who waits for any of so many calls looks for what comes; tells whether there was something.
    pub(crate) fn look_for_many(&self, calls: usize, looking: Looking, cx: &mut TaskContext<'_>) -> bool {
        self.watch.as_ref().is_some_and(|watch| watch.look_for_many(self, calls, looking, cx))
    }

    /// Takes what came, for those it concerns. Tells whether something waits to be sent still, for which VPP is woken.
    pub(crate) fn take_received(&self) -> bool {
        self.with(|core| {
            // All of it: who comes for a part of it may not come again.
            for _ in 0..super::READS_PER_TURN {
                self.drive(core);
            }
            match &mut core.link {
                Link::SharedMemory(shared) if !core.dead && shared.has_unsent() => {
                    shared.ring_again();
                    true
                }
                _ => false,
            }
        })
    }

    /// [`Shared::poll_call`] for a call that found something when it looked; and how many calls waited.
    pub(crate) fn poll_found(&self, context: Context, cx: &mut TaskContext<'_>) -> (Poll<Progress>, usize) {
        self.with(|core| {
            let waiting = core.mux.waiting();
            (self.poll_call(core, context, cx), waiting)
        })
    }

    /// Tells that nothing came while somebody looked.
    pub(crate) fn looked_in_vain(&self) {
        self.with(|core| {
            if let Link::SharedMemory(shared) = &mut core.link {
                shared.ring_again();
            }
        });
    }

    /// Tells that VPP has not taken in time what it was not woken for.
    pub(crate) fn lose_patience(&self) {
        self.with(|core| {
            if let Link::SharedMemory(shared) = &mut core.link {
                shared.lose_patience();
            }
        });
    }

    /// Wakes the call that waits for the shortest time; tells whether there was one.
    pub(crate) fn wake_another(&self) -> bool {
        self.with(|core| core.mux.waiting() == 0 || core.mux.wake_latest())
    }
}
