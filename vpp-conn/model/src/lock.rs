//! Locks and condition variables of loom in the places of glibc's.

use std::cell::RefCell;
use std::io;
use std::time::Duration;

use loom::sync::{Condvar, MutexGuard};

use crate::memory::Memory;

/// A queue's lock, held.
pub(super) struct Locked<'a> {
    guard: RefCell<Option<MutexGuard<'a, ()>>>,
    condvar: &'a Condvar,
}

#[expect(clippy::unnecessary_wraps, reason = "as the other one")]
pub(super) fn init(_memory: &Memory, _queue: usize) -> io::Result<()> {
    Ok(())
}

pub(super) fn lock(memory: &Memory, queue: usize) -> io::Result<Locked<'_>> {
    let (mutex, condvar) = memory.locks.get(&queue).ok_or_else(|| io::Error::other("no lock"))?;
    let guard = mutex.lock().map_err(|error| io::Error::other(error.to_string()))?;
    Ok(Locked { guard: RefCell::new(Some(guard)), condvar })
}

impl Locked<'_> {
    pub(super) fn broadcast(&self) {
        self.condvar.notify_all();
    }

    /// Without an end: who is not woken is found by loom.
    pub(super) fn wait(&self, _time: Duration) -> io::Result<()> {
        let guard = self.guard.take().ok_or_else(|| io::Error::other("not locked"))?;
        let guard = self.condvar.wait(guard).map_err(|error| io::Error::other(error.to_string()))?;
        self.guard.replace(Some(guard));
        Ok(())
    }
}
