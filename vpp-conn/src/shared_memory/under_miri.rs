//! What Miri cannot do, done otherwise: memory that two processes map is an allocation that two sides have, and locks
//! are those between threads, which nobody dies with.
//!
//! Everything else that runs under Miri is what is shipped.

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::io;
use std::os::fd::BorrowedFd;
use std::ptr::NonNull;
use std::sync::Arc;

/// A part in an allocation, in place of a mapping of its own.
#[derive(Clone, Debug)]
pub(super) struct Mapping {
    pub(super) base: NonNull<u8>,
    pub(super) len: usize,
    _allocation: Arc<Allocation>,
}

#[derive(Debug)]
struct Allocation {
    base: NonNull<u8>,
    layout: Layout,
}

impl Mapping {
    pub(super) fn new(_file: BorrowedFd<'_>, _len: usize) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Zeros, aligned as pages are.
    pub(super) fn zeros(len: usize) -> Self {
        let layout = Layout::from_size_align(len, super::layout::PAGE).expect("a size of tests");
        assert!(len > 0, "a size of tests");
        // SAFETY: the size is not 0.
        let base = unsafe { alloc_zeroed(layout) };
        let base = NonNull::new(base).unwrap_or_else(|| handle_alloc_error(layout));
        Self { base, len, _allocation: Arc::new(Allocation { base, layout }) }
    }
}

impl Drop for Allocation {
    fn drop(&mut self) {
        // SAFETY: allocated with this layout; both sides are gone.
        unsafe { dealloc(self.base.as_ptr(), self.layout) };
    }
}

pub(super) unsafe fn pthread_mutexattr_setpshared(
    _: *mut libc::pthread_mutexattr_t,
    _: libc::c_int,
) -> libc::c_int {
    0
}

pub(super) unsafe fn pthread_mutexattr_setrobust(
    _: *mut libc::pthread_mutexattr_t,
    _: libc::c_int,
) -> libc::c_int {
    0
}

pub(super) unsafe fn pthread_condattr_setpshared(
    _: *mut libc::pthread_condattr_t,
    _: libc::c_int,
) -> libc::c_int {
    0
}

/// Nobody is ever told that a holder died.
pub(super) unsafe fn pthread_mutex_consistent(_: *mut libc::pthread_mutex_t) -> libc::c_int {
    libc::EINVAL
}

/// Without an end: Miri tells when nothing can go on any more.
pub(super) unsafe fn pthread_mutex_timedlock(
    mutex: *mut libc::pthread_mutex_t,
    _: *const libc::timespec,
) -> libc::c_int {
    // SAFETY: as the caller vouches.
    unsafe { libc::pthread_mutex_lock(mutex) }
}
