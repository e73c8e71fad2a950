//! Memory that another process writes too.
//!
//! No reference to plain bytes of it is made but for messages that this process owns at the time (see
//! [`Memory::owned`]): single words are atomics, everything else is copied.

use std::io;
use std::os::fd::AsFd;
use std::sync::atomic::AtomicU8;
pub(super) use std::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};

#[cfg(not(miri))]
use super::mapping::Mapping;
#[cfg(miri)]
use super::under_miri::Mapping;

/// A shared mapping. Its bytes may change at any time.
#[derive(Debug)]
pub(super) struct Memory(Mapping);

// SAFETY: the mapping belongs to no thread, and all access is by atomics, by copies made of atomics, or by `owned` and
// `owned_mut`, whose callers answer for it.
unsafe impl Send for Memory {}
// SAFETY: as above.
unsafe impl Sync for Memory {}

impl Memory {
    /// Maps a memory file that cannot shrink.
    ///
    /// # Errors
    ///
    /// When the file is not as long, can shrink, or the system refuses.
    pub(super) fn map(file: impl AsFd, len: usize) -> io::Result<Self> {
        Mapping::new(file.as_fd(), len).map(Self)
    }

    /// Memory that each of two sides has.
    #[cfg(miri)]
    pub(super) fn pair(len: usize) -> (Self, Self) {
        let mapping = Mapping::zeros(len);
        (Self(mapping.clone()), Self(mapping))
    }

    pub(super) fn len(&self) -> usize {
        self.0.len
    }

    /// A pointer to `len` bytes.
    fn pointer(&self, at: usize, len: usize) -> Option<*mut u8> {
        let end = at.checked_add(len)?;
        // SAFETY: `at` is within the mapping.
        (end <= self.len()).then(|| unsafe { self.0.base.as_ptr().add(at) })
    }

    /// A pointer to `len` bytes that are aligned for `T`, for calls of the system.
    pub(super) fn place<T>(&self, at: usize) -> Option<*mut T> {
        self.pointer(at, size_of::<T>()).map(<*mut u8>::cast::<T>).filter(|place| place.is_aligned())
    }

    pub(super) fn u32(&self, at: usize) -> Option<&AtomicU32> {
        let place = self.place::<AtomicU32>(at)?;
        // SAFETY: aligned and inside of the mapping, which lives as long as `self`; both processes use it as an atomic
        // or under a lock.
        Some(unsafe { &*place })
    }

    pub(super) fn u64(&self, at: usize) -> Option<&AtomicU64> {
        let place = self.place::<AtomicU64>(at)?;
        // SAFETY: as in `u32`.
        Some(unsafe { &*place })
    }

    fn u8(&self, at: usize) -> Option<&AtomicU8> {
        let place = self.place::<AtomicU8>(at)?;
        // SAFETY: as in `u32`.
        Some(unsafe { &*place })
    }

    /// Copies bytes out; `None` when they are not all inside.
    pub(super) fn read(&self, at: usize, place: &mut [u8]) -> Option<()> {
        self.pointer(at, place.len())?;
        let head = (at.wrapping_neg() % 8).min(place.len());
        let (first, rest) = place.split_at_mut(head);
        for (index, byte) in first.iter_mut().enumerate() {
            *byte = self.u8(at + index)?.load(Ordering::Relaxed);
        }
        let mut at = at + head;
        let mut words = rest.chunks_exact_mut(8);
        for word in &mut words {
            word.copy_from_slice(&self.u64(at)?.load(Ordering::Relaxed).to_ne_bytes());
            at += 8;
        }
        for (index, byte) in words.into_remainder().iter_mut().enumerate() {
            *byte = self.u8(at + index)?.load(Ordering::Relaxed);
        }
        Some(())
    }

    /// Copies bytes in; `None` when there is not so much place.
    pub(super) fn write(&self, at: usize, bytes: &[u8]) -> Option<()> {
        self.pointer(at, bytes.len())?;
        for (index, byte) in bytes.iter().enumerate() {
            self.u8(at + index)?.store(*byte, Ordering::Relaxed);
        }
        Some(())
    }

    /// Bytes in place.
    ///
    /// # Safety
    ///
    /// By the rules of the segment nobody writes them while the result lives: they are a message that VPP handed over
    /// and that was not given back.
    pub(super) unsafe fn owned(&self, at: usize, len: usize) -> Option<&[u8]> {
        let place = self.pointer(at, len)?;
        // SAFETY: inside of the mapping; not written, as the caller vouches.
        Some(unsafe { std::slice::from_raw_parts(place, len) })
    }

    /// Bytes to be written in place.
    ///
    /// # Safety
    ///
    /// By the rules of the segment nobody else reads or writes them while the result lives: they are an element that
    /// this process took and did not hand over.
    #[expect(clippy::mut_from_ref, reason = "the memory is not `self`; the caller vouches for exclusiveness")]
    pub(super) unsafe fn owned_mut(&self, at: usize, len: usize) -> Option<&mut [u8]> {
        let place = self.pointer(at, len)?;
        // SAFETY: inside of the mapping; exclusive, as the caller vouches.
        Some(unsafe { std::slice::from_raw_parts_mut(place, len) })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    #[cfg(not(miri))]
    use rustix::fs::MemfdFlags;

    use super::*;

    #[cfg(miri)]
    fn memory(len: usize) -> Memory {
        Memory::pair(len).0
    }

    #[cfg(not(miri))]
    fn memory(len: usize) -> Memory {
        let file = rustix::fs::memfd_create("test", MemfdFlags::ALLOW_SEALING).unwrap();
        rustix::fs::ftruncate(&file, len as u64).unwrap();
        Memory::map(file, len).unwrap()
    }

    #[test]
    #[cfg(not(miri))]
    fn a_file_that_is_too_short_or_may_shrink_is_not_mapped() {
        let file = rustix::fs::memfd_create("test", MemfdFlags::ALLOW_SEALING).unwrap();
        rustix::fs::ftruncate(&file, 4096).unwrap();
        assert!(Memory::map(&file, 4097).is_err());
        assert!(Memory::map(&file, 0).is_err());
        let memory = Memory::map(&file, 4096).unwrap();
        assert!(rustix::fs::ftruncate(&file, 0).is_err(), "sealed");
        drop(memory);
        let unsealable = rustix::fs::memfd_create("test", MemfdFlags::empty()).unwrap();
        rustix::fs::ftruncate(&unsealable, 4096).unwrap();
        assert!(Memory::map(&unsealable, 4096).is_err());
    }

    #[test]
    fn words_outside_or_askew_are_none() {
        let memory = memory(4096);
        assert!(memory.u32(4092).is_some() && memory.u32(4093).is_none() && memory.u32(4096).is_none());
        assert!(memory.u64(4088).is_some() && memory.u64(4092).is_none() && memory.u64(usize::MAX).is_none());
        assert!(memory.read(4090, &mut [0; 7]).is_none() && memory.write(usize::MAX, &[1, 2]).is_none());
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(at in 0usize..64, bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let memory = memory(4096);
            memory.write(at, &bytes).unwrap();
            let mut back = vec![0; bytes.len()];
            memory.read(at, &mut back).unwrap();
            prop_assert_eq!(back, bytes);
        }
    }
}
