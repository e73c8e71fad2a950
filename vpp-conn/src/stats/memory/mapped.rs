//! A segment that is mapped.
//!
//! The one place of this client that needs `unsafe`: to map VPP's memory, and to look at words that another process
//! writes. A reference to plain data would be wrong for that, so every look is an atomic load.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::AsFd;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};

use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

use super::{Memory, is_within};

/// A segment mapped for reading.
///
/// The file must be sealed against shrinking: then every page of the mapping exists for as long as the mapping does,
/// whatever becomes of VPP.
#[derive(Debug)]
pub(in crate::stats) struct Mapped {
    start: NonNull<u8>,
    len: usize,
}

// SAFETY: the mapping belongs to this value alone, lives as long as it does, and is only looked at by atomic loads.
unsafe impl Send for Mapped {}
// SAFETY: as above; atomic loads may be done by several threads at once.
unsafe impl Sync for Mapped {}

impl Mapped {
    /// Maps the first `len` bytes of a file, which must have them and be sealed against shrinking.
    pub(in crate::stats) fn new(fd: impl AsFd, len: usize) -> io::Result<Self> {
        // SAFETY: a new mapping at a place of the kernel's choice overlaps nothing that exists.
        let start = unsafe { mmap(std::ptr::null_mut(), len, ProtFlags::READ, MapFlags::SHARED, fd, 0) }?;
        let start = NonNull::new(start.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { start, len })
    }

    /// The place of an offset with `count` bytes from there on.
    fn place(&self, at: u64, count: usize) -> Option<NonNull<u8>> {
        if !is_within(self.len as u64, at, count) {
            return None;
        }
        let at = usize::try_from(at).ok()?;
        // SAFETY: the offset is not behind the end of the mapping.
        Some(unsafe { self.start.add(at) })
    }
}

/// Looks at one byte.
///
/// # Safety
///
/// The byte must be within a mapping that outlives the call.
unsafe fn byte(place: NonNull<u8>) -> u8 {
    // SAFETY: the byte is mapped (the caller's word); a byte is always aligned; whoever else has the memory is another
    // process. `AtomicU8` promises nothing about writing, so that the mapping is for reading is no matter.
    unsafe { place.cast::<AtomicU8>().as_ref() }.load(Ordering::Relaxed)
}

/// Looks at 8 bytes.
///
/// # Safety
///
/// They must be within a mapping that outlives the call.
unsafe fn word(place: NonNull<u8>) -> u64 {
    if place.cast::<AtomicU64>().is_aligned() {
        // SAFETY: mapped (the caller's word) and aligned; else as in `byte`.
        unsafe { place.cast::<AtomicU64>().as_ref() }.load(Ordering::Relaxed)
    } else {
        // VPP aligns what it writes; only a damaged segment leads here.
        // SAFETY: all 8 are within the mapping (the caller's word).
        u64::from_ne_bytes(std::array::from_fn(|at| unsafe { byte(place.add(at)) }))
    }
}

impl Memory for Mapped {
    fn len(&self) -> u64 {
        self.len as u64
    }

    fn u32(&self, at: u64) -> Option<u32> {
        let place = self.place(at, 4)?;
        Some(if place.cast::<AtomicU32>().is_aligned() {
            // SAFETY: within the mapping, checked by `place`, and aligned; else as in `byte`.
            unsafe { place.cast::<AtomicU32>().as_ref() }.load(Ordering::Relaxed)
        } else {
            // SAFETY: all 4 are within the mapping, checked by `place`.
            u32::from_ne_bytes(std::array::from_fn(|at| unsafe { byte(place.add(at)) }))
        })
    }

    fn u64(&self, at: u64) -> Option<u64> {
        let place = self.place(at, 8)?;
        // SAFETY: within the mapping, checked by `place`.
        Some(unsafe { word(place) })
    }

    fn words(&self, at: u64, into: &mut [u64]) -> Option<()> {
        let place = self.place(at, size_of_val(into))?;
        let words = place.cast::<AtomicU64>();
        if words.is_aligned() {
            for (index, into) in into.iter_mut().enumerate() {
                // SAFETY: all of them are within the mapping, checked by `place`, and aligned; else as in `byte`.
                *into = unsafe { words.add(index).as_ref() }.load(Ordering::Relaxed);
            }
        } else {
            for (index, into) in into.iter_mut().enumerate() {
                // SAFETY: all of them are within the mapping, checked by `place`.
                *into = unsafe { word(place.add(index * 8)) };
            }
        }
        Some(())
    }

    fn bytes(&self, at: u64, into: &mut [u8]) -> Option<()> {
        let place = self.place(at, into.len())?;
        for (index, into) in into.iter_mut().enumerate() {
            // SAFETY: all of them are within the mapping, checked by `place`.
            *into = unsafe { byte(place.add(index)) };
        }
        Some(())
    }
}

impl Drop for Mapped {
    fn drop(&mut self) {
        // SAFETY: this value made the mapping, and nothing that looks at it is left. It can fail for wrong arguments
        // only, and these are those of `mmap`.
        let _ = unsafe { munmap(self.start.as_ptr().cast(), self.len) };
    }
}
