//! A memory file in this process.

use std::io;
use std::os::fd::BorrowedFd;
use std::ptr::NonNull;

use rustix::fs::SealFlags;
use rustix::mm::{MapFlags, ProtFlags};

/// A memory file, mapped to be read and written, and unmapped when dropped.
#[derive(Debug)]
pub(super) struct Mapping {
    pub(super) base: NonNull<u8>,
    pub(super) len: usize,
}

impl Mapping {
    /// Maps a file that cannot shrink: a mapping beyond the end of a file kills who touches it.
    ///
    /// # Errors
    ///
    /// When the file is not as long, can shrink, or the system refuses.
    pub(super) fn new(file: BorrowedFd<'_>, len: usize) -> io::Result<Self> {
        if rustix::fs::fstat(file)?.st_size < i64::try_from(len).map_err(io::Error::other)? || len == 0 {
            return Err(io::Error::other("the shared memory is shorter than announced"));
        }
        // VPP seals its segments itself; where an older one does not, this does.
        rustix::fs::fcntl_add_seals(file, SealFlags::SHRINK).or_else(|error| {
            let sealed =
                rustix::fs::fcntl_get_seals(file).is_ok_and(|seals| seals.contains(SealFlags::SHRINK));
            if sealed { Ok(()) } else { Err(error) }
        })?;
        // SAFETY: a new mapping at a place of the system's choice touches no memory that exists.
        let base = unsafe {
            rustix::mm::mmap(
                std::ptr::null_mut(),
                len,
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::SHARED,
                file,
                0,
            )
        }?;
        let base = NonNull::new(base.cast()).ok_or_else(|| io::Error::other("mapped at address 0"))?;
        Ok(Self { base, len })
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: exactly what was mapped; nothing borrows from it any more.
        let unmapped = unsafe { rustix::mm::munmap(self.base.as_ptr().cast(), self.len) };
        debug_assert!(unmapped.is_ok(), "a mapping of our own");
    }
}
