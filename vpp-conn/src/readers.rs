//! Who is woken when the socket has something.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};

/// Who is woken when the socket has something.
#[derive(Debug, Default)]
pub(crate) struct Readers {
    slots: Mutex<ReaderSlots>,
    /// A caller was woken to read and nobody has read since.
    unread: AtomicBool,
}

#[derive(Debug, Default)]
struct ReaderSlots {
    background: Option<Waker>,
    caller: Option<Waker>,
}

impl Readers {
    fn lock(&self) -> MutexGuard<'_, ReaderSlots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_background(&self, waker: &Waker) {
        let mut slots = self.lock();
        if !slots.background.as_ref().is_some_and(|kept| kept.will_wake(waker)) {
            slots.background = Some(waker.clone());
        }
    }

    pub(crate) fn set_caller(&self, waker: Option<&Waker>) {
        let background = {
            let mut slots = self.lock();
            match (&slots.caller, waker) {
                (Some(kept), Some(waker)) if kept.will_wake(waker) => {}
                (None, None) => {}
                _ => slots.caller = waker.cloned(),
            }
            // Who was woken may have what it waited for already, and not come to read again.
            if self.unread.swap(false, Ordering::Relaxed) { slots.background.clone() } else { None }
        };
        if let Some(background) = background {
            background.wake();
        }
    }

    /// Somebody is about to read all that has come.
    pub(crate) fn reading(&self) {
        self.unread.store(false, Ordering::Relaxed);
    }

    pub(crate) fn wake_background(&self) {
        let background = self.lock().background.clone();
        if let Some(background) = background {
            background.wake();
        }
    }
}

impl Wake for Readers {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let waker = {
            let mut slots = self.lock();
            let caller = slots.caller.take();
            self.unread.store(caller.is_some(), Ordering::Relaxed);
            caller.or_else(|| slots.background.clone())
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}
