//! What those who look into shared memory do with the connection's state.

use std::task::{Context as TaskContext, Poll};

use super::Shared;
use crate::mux::{Context, Progress};
use crate::transport::Link;

impl Shared {
    /// Takes what came, for those it concerns. Tells whether something waits to be sent still, for which VPP is woken.
    pub(crate) fn take_received(&self) -> bool {
        self.with(|core| {
            self.drive(core);
            match &mut core.link {
                Link::SharedMemory(shared) if !core.dead && shared.has_unsent() => {
                    shared.ring_again();
                    true
                }
                _ => false,
            }
        })
    }

    /// [`Shared::poll_call`] for a call that found something when it looked, fast or not so; and how many calls waited.
    pub(crate) fn poll_found(
        &self,
        context: Context,
        cx: &mut TaskContext<'_>,
        fast: bool,
    ) -> (Poll<Progress>, usize) {
        self.with(|core| {
            if let Link::SharedMemory(shared) = &mut core.link {
                shared.found(fast);
            }
            let waiting = core.mux.waiting();
            (self.poll_call(core, context, cx), waiting)
        })
    }

    /// Tells that nothing came while a call looked.
    pub(crate) fn looked_in_vain(&self) {
        self.with(|core| {
            if let Link::SharedMemory(shared) = &mut core.link {
                shared.looked_in_vain();
            }
        });
    }

    /// Wakes the call that waits for the shortest time; tells whether there was one.
    pub(crate) fn wake_another(&self) -> bool {
        self.with(|core| core.mux.waiting() == 0 || core.mux.wake_latest())
    }
}
