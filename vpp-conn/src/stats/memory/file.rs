//! A segment that is read by system calls.

use std::os::fd::OwnedFd;

use super::{Memory, is_within};

/// Words that are read at once.
const BATCH: usize = 256;

/// A segment whose file may be cut by its owner. To touch a mapping behind the end of its file ends the process, so
/// such a file is not mapped; each look is a system call. VPP seals its segment against that, except in huge pages.
#[derive(Debug)]
pub(in crate::stats) struct File {
    fd: OwnedFd,
    len: u64,
}

impl File {
    pub(in crate::stats) fn new(fd: OwnedFd, len: u64) -> Self {
        Self { fd, len }
    }
}

impl Memory for File {
    fn len(&self) -> u64 {
        self.len
    }

    fn u32(&self, at: u64) -> Option<u32> {
        let mut bytes = [0; 4];
        self.bytes(at, &mut bytes)?;
        Some(u32::from_ne_bytes(bytes))
    }

    fn u64(&self, at: u64) -> Option<u64> {
        let mut bytes = [0; 8];
        self.bytes(at, &mut bytes)?;
        Some(u64::from_ne_bytes(bytes))
    }

    fn words(&self, at: u64, into: &mut [u64]) -> Option<()> {
        if !is_within(self.len, at, size_of_val(into)) {
            return None;
        }
        let mut bytes = [0; BATCH * 8];
        let mut at = at;
        for batch in into.chunks_mut(BATCH) {
            let bytes = &mut bytes[..size_of_val(batch)];
            self.bytes(at, bytes)?;
            at += bytes.len() as u64;
            for (word, bytes) in batch.iter_mut().zip(bytes.as_chunks().0) {
                *word = u64::from_ne_bytes(*bytes);
            }
        }
        Some(())
    }

    fn bytes(&self, at: u64, mut into: &mut [u8]) -> Option<()> {
        if !is_within(self.len, at, into.len()) {
            return None;
        }
        let mut at = at;
        while !into.is_empty() {
            // The file has become shorter, or the system refuses: either way nothing can be read here.
            let count = rustix::io::pread(&self.fd, &mut *into, at).ok().filter(|&count| count > 0)?;
            into = into.get_mut(count..)?;
            at += count as u64;
        }
        Some(())
    }
}
