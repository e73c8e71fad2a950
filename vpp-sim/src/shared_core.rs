//! [`Core`] from any thread.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::core::Core;

/// The core, from any thread.
#[derive(Clone)]
pub(crate) struct SharedCore {
    core: Arc<Mutex<Core>>,
    /// This life is to end: nothing waits for a client any more.
    ending: Arc<AtomicBool>,
}

impl SharedCore {
    pub(crate) fn new(core: Core) -> Self {
        Self { core: Arc::new(Mutex::new(core)), ending: Arc::default() }
    }

    /// Ends what waits for a client.
    pub(crate) fn set_ending(&self, ending: bool) {
        self.ending.store(ending, Ordering::Relaxed);
    }

    pub(crate) fn is_ending(&self) -> bool {
        self.ending.load(Ordering::Relaxed)
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Core> {
        // A panic elsewhere leaves a state that is still good to look at.
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
