//! A copy of a segment.

use super::{Memory, is_within};

/// A segment that was copied, from a VPP or a core file. Nobody writes it.
#[derive(Debug)]
pub(in crate::stats) struct Bytes(Vec<u8>);

impl Bytes {
    pub(in crate::stats) fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    fn array<const N: usize>(&self, at: u64) -> Option<[u8; N]> {
        let at = usize::try_from(at).ok()?;
        self.0.get(at..)?.first_chunk().copied()
    }
}

impl Memory for Bytes {
    fn len(&self) -> u64 {
        self.0.len() as u64
    }

    fn u32(&self, at: u64) -> Option<u32> {
        self.array(at).map(u32::from_ne_bytes)
    }

    fn u64(&self, at: u64) -> Option<u64> {
        self.array(at).map(u64::from_ne_bytes)
    }

    fn words(&self, at: u64, into: &mut [u64]) -> Option<()> {
        if !is_within(self.len(), at, size_of_val(into)) {
            return None;
        }
        let (words, _) = self.0.get(usize::try_from(at).ok()?..)?.as_chunks();
        for (word, bytes) in into.iter_mut().zip(words) {
            *word = u64::from_ne_bytes(*bytes);
        }
        Some(())
    }

    fn bytes(&self, at: u64, into: &mut [u8]) -> Option<()> {
        let at = usize::try_from(at).ok()?;
        into.copy_from_slice(self.0.get(at..)?.get(..into.len())?);
        Some(())
    }
}
