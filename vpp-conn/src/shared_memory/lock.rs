//! The locks of a segment: robust mutexes and condition variables of glibc, shared between processes.
//!
//! VPP takes the same locks with the same library calls. A process that dies with one in its hands leaves it to the
//! next, who is told; there is nothing to repair, since every change under these locks is a few words and the last of
//! them makes it count.

use std::io;
use std::mem::MaybeUninit;
use std::time::Duration;

#[cfg(not(miri))]
use libc::{
    pthread_condattr_setpshared, pthread_mutex_consistent, pthread_mutex_timedlock,
    pthread_mutexattr_setpshared, pthread_mutexattr_setrobust,
};

use super::layout::queue;
use super::memory::Memory;
#[cfg(miri)]
use super::under_miri::{
    pthread_condattr_setpshared, pthread_mutex_consistent, pthread_mutex_timedlock,
    pthread_mutexattr_setpshared, pthread_mutexattr_setrobust,
};

/// How often a lock is tried before it is waited for. Nobody holds one for more than the copy of a few words.
const TRIES: u32 = 200;

/// The longest wait for a lock. Only a VPP that was stopped within those few words holds one longer.
const PATIENCE: Duration = Duration::from_millis(100);

/// A queue's lock, held.
#[derive(Debug)]
pub(super) struct Locked<'a> {
    memory: &'a Memory,
    queue: usize,
}

/// Makes the lock and the condition variable of a queue that nobody uses yet.
pub(super) fn init(memory: &Memory, queue: usize) -> io::Result<()> {
    let (mutex, condvar) = places(memory, queue)?;
    let mut attributes = MaybeUninit::<libc::pthread_mutexattr_t>::uninit();
    let mut condvar_attributes = MaybeUninit::<libc::pthread_condattr_t>::uninit();
    // SAFETY: attributes are initialised before they are used; the places are aligned, inside of the mapping, and
    // nobody uses them yet.
    unsafe {
        check(libc::pthread_mutexattr_init(attributes.as_mut_ptr()))?;
        let mut attributes = attributes.assume_init();
        check(pthread_mutexattr_setpshared(&raw mut attributes, libc::PTHREAD_PROCESS_SHARED))?;
        check(pthread_mutexattr_setrobust(&raw mut attributes, libc::PTHREAD_MUTEX_ROBUST))?;
        check(libc::pthread_mutex_init(mutex, &raw const attributes))?;
        check(libc::pthread_condattr_init(condvar_attributes.as_mut_ptr()))?;
        let mut condvar_attributes = condvar_attributes.assume_init();
        check(pthread_condattr_setpshared(&raw mut condvar_attributes, libc::PTHREAD_PROCESS_SHARED))?;
        check(libc::pthread_cond_init(condvar, &raw const condvar_attributes))
    }
}

/// Takes a queue's lock. Ends after [`PATIENCE`] with an error of kind `TimedOut`.
pub(super) fn lock(memory: &Memory, queue: usize) -> io::Result<Locked<'_>> {
    let (mutex, _) = places(memory, queue)?;
    for _ in 0..TRIES {
        // SAFETY: an initialised mutex; the mapping lives as long as `memory`.
        match unsafe { libc::pthread_mutex_trylock(mutex) } {
            libc::EBUSY => std::hint::spin_loop(),
            result => return taken(memory, queue, mutex, result),
        }
    }
    let until = realtime_in(PATIENCE)?;
    // SAFETY: as above.
    let result = unsafe { pthread_mutex_timedlock(mutex, &raw const until) };
    taken(memory, queue, mutex, result)
}

fn taken<'a>(
    memory: &'a Memory,
    queue: usize,
    mutex: *mut libc::pthread_mutex_t,
    result: libc::c_int,
) -> io::Result<Locked<'a>> {
    match result {
        0 => Ok(Locked { memory, queue }),
        libc::EOWNERDEAD => {
            // SAFETY: this thread holds it and was told that its former holder died.
            check(unsafe { pthread_mutex_consistent(mutex) })?;
            Ok(Locked { memory, queue })
        }
        error => Err(io::Error::from_raw_os_error(error)),
    }
}

impl Locked<'_> {
    /// Wakes all who wait for a change.
    pub(super) fn broadcast(&self) {
        if let Ok((_, condvar)) = places(self.memory, self.queue) {
            // SAFETY: an initialised condition variable in the mapping. It has no way to fail.
            let _always_zero = unsafe { libc::pthread_cond_broadcast(condvar) };
        }
    }

    /// Gives the lock away, waits for a change or for the time, and has the lock again.
    pub(super) fn wait(&self, time: Duration) -> io::Result<()> {
        let (mutex, condvar) = places(self.memory, self.queue)?;
        let until = realtime_in(time)?;
        // SAFETY: both are initialised and in the mapping; this thread holds the mutex.
        match unsafe { libc::pthread_cond_timedwait(condvar, mutex, &raw const until) } {
            0 | libc::ETIMEDOUT => Ok(()),
            // SAFETY: this thread holds it again and was told that its former holder died.
            libc::EOWNERDEAD => check(unsafe { pthread_mutex_consistent(mutex) }),
            error => Err(io::Error::from_raw_os_error(error)),
        }
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        if let Ok((mutex, _)) = places(self.memory, self.queue) {
            // SAFETY: this thread holds it.
            let _always_zero = unsafe { libc::pthread_mutex_unlock(mutex) };
        }
    }
}

fn places(
    memory: &Memory,
    queue: usize,
) -> io::Result<(*mut libc::pthread_mutex_t, *mut libc::pthread_cond_t)> {
    let outside = || io::Error::other("a lock outside of the shared memory");
    let mutex = memory.place(queue + queue::MUTEX).ok_or_else(outside)?;
    Ok((mutex, memory.place(queue + queue::CONDVAR).ok_or_else(outside)?))
}

fn check(result: libc::c_int) -> io::Result<()> {
    if result == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(result)) }
}

/// A point in time by the clock that VPP's condition variables and all timed locks use.
fn realtime_in(time: Duration) -> io::Result<libc::timespec> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_err(io::Error::other)?;
    let then = now + time;
    Ok(libc::timespec { tv_sec: then.as_secs().cast_signed(), tv_nsec: then.subsec_nanos().into() })
}
