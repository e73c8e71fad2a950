//! The bytes of a segment, in memory and in the file that clients map.

use std::collections::BTreeMap;
use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, ftruncate, memfd_create};
use rustix::io::pwrite;

/// The smallest block. VPP aligns vectors to cache lines, and has their headers in front.
const BLOCK: usize = 64;

/// Bytes that are written in order: who maps the file sees one write after the other.
#[derive(Debug)]
pub(super) struct Store {
    bytes: Vec<u8>,
    file: Option<OwnedFd>,
    /// Where a block goes for which nothing that was freed is of use.
    free: usize,
    /// Blocks that were freed, by size.
    freed: BTreeMap<usize, Vec<usize>>,
}

impl Store {
    pub(super) fn new(size: usize, free: usize) -> Self {
        Self { bytes: vec![0; size], file: None, free, freed: BTreeMap::new() }
    }

    /// Begins to keep the bytes in a file as well.
    pub(super) fn share(&mut self, is_sealed: bool) -> std::io::Result<()> {
        let file = memfd_create("stat segment", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
        ftruncate(&file, self.bytes.len() as u64)?;
        // VPP seals against shrinking alone. Who seals against seals can be shrunk.
        fcntl_add_seals(&file, if is_sealed { SealFlags::SHRINK } else { SealFlags::SEAL })?;
        // What was never used is zero in a new file.
        pwrite(&file, &self.bytes[..self.free], 0)?;
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
        let size = block_size(len);
        if let Some(at) = self.freed.get_mut(&size).and_then(Vec::pop) {
            self.put(at, &vec![0; size]);
            return at;
        }
        let at = self.free.next_multiple_of(BLOCK);
        assert!(at + size <= self.bytes.len(), "the statistics segment is full");
        self.free = at + size;
        at
    }

    /// Room for a vector of VPP's; gives where its first element is.
    pub(super) fn vector(&mut self, len: usize, element_len: usize) -> usize {
        // VPP aligns the elements; the header is in front of them.
        let at = self.allocate(BLOCK + len * element_len) + BLOCK;
        self.put_u32(at - 8, len as u32);
        at
    }

    /// Gives a vector another length; gives where it is then. As VPP's it stays where it is while there is room.
    pub(super) fn resize(&mut self, at: usize, len: usize, element_len: usize) -> usize {
        let old_len = self.u32(at - 8) as usize;
        if block_size(BLOCK + len * element_len) == block_size(BLOCK + old_len * element_len) {
            self.put_u32(at - 8, len as u32);
            return at;
        }
        let kept = self.bytes[at..at + old_len.min(len) * element_len].to_vec();
        let new = self.vector(len, element_len);
        self.put(new, &kept);
        self.free_vector(at, old_len, element_len);
        new
    }

    /// Frees a vector with room for so many elements.
    pub(super) fn free_vector(&mut self, at: usize, len: usize, element_len: usize) {
        self.freed.entry(block_size(BLOCK + len * element_len)).or_default().push(at - BLOCK);
    }
}

/// Bytes of the block for so many: up to an eighth more, so that what grows seldom moves and what was freed is of use.
fn block_size(len: usize) -> usize {
    len.next_multiple_of((len.next_power_of_two() / 8).max(BLOCK))
}
