//! The bytes of a segment, in memory and in the file that clients map.

use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, ftruncate, memfd_create};
use rustix::io::pwrite;

/// Bytes that are written in order: who maps the file sees one write after the other.
#[derive(Debug)]
pub(super) struct Store {
    bytes: Vec<u8>,
    file: Option<OwnedFd>,
    /// Where the next block goes.
    free: usize,
}

impl Store {
    pub(super) fn new(size: usize, free: usize) -> Self {
        Self { bytes: vec![0; size], file: None, free }
    }

    /// Begins to keep the bytes in a file as well.
    pub(super) fn share(&mut self, is_sealed: bool) -> std::io::Result<()> {
        let file = memfd_create("stat segment", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
        ftruncate(&file, self.bytes.len() as u64)?;
        // VPP seals against shrinking alone. Who seals against seals can be shrunk.
        fcntl_add_seals(&file, if is_sealed { SealFlags::SHRINK } else { SealFlags::SEAL })?;
        pwrite(&file, &self.bytes, 0)?;
        self.file = Some(file);
        Ok(())
    }

    pub(super) fn file(&self) -> Option<BorrowedFd<'_>> {
        self.file.as_ref().map(std::os::fd::AsFd::as_fd)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn put(&mut self, at: usize, bytes: &[u8]) {
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
        if let Some(file) = &self.file {
            // A file in memory takes what was made room for; one that a test has cut takes what it may.
            let _ = pwrite(file, bytes, at as u64);
        }
    }

    pub(super) fn put_u32(&mut self, at: usize, value: u32) {
        self.put(at, &value.to_ne_bytes());
    }

    pub(super) fn put_u64(&mut self, at: usize, value: u64) {
        self.put(at, &value.to_ne_bytes());
    }

    pub(super) fn u32(&self, at: usize) -> u32 {
        self.bytes[at..].first_chunk().map_or(0, |bytes| u32::from_ne_bytes(*bytes))
    }

    pub(super) fn u64(&self, at: usize) -> u64 {
        self.bytes[at..].first_chunk().map_or(0, |bytes| u64::from_ne_bytes(*bytes))
    }

    /// Room for so many bytes, zeroed, at a cache line.
    pub(super) fn allocate(&mut self, len: usize) -> usize {
        let at = self.free.next_multiple_of(64);
        assert!(at + len <= self.bytes.len(), "the statistics segment is full");
        self.free = at + len;
        at
    }

    /// Room for a vector of VPP's; gives where its first element is.
    pub(super) fn vector(&mut self, len: usize, element_len: usize) -> usize {
        // VPP aligns the elements; the header is in front of them.
        let at = self.allocate(64 + len * element_len) + 64;
        self.put_u32(at - 8, len as u32);
        at
    }
}
