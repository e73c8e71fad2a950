//! Where the bytes of a segment are, and the only ways to look at them.
//!
//! VPP writes while this reads, so nothing here hands out a reference to the segment: every look is a copy of a word or
//! of several. Offsets are checked at each look; what lies outside is `None`.

mod bytes;
mod file;
mod mapped;

pub(super) use bytes::Bytes;
pub(super) use file::File;
pub(super) use mapped::Mapped;

/// A segment's bytes. Words are in the byte order of this machine, as VPP runs on it as well.
pub(super) trait Memory {
    /// Bytes in it. Does not change.
    fn len(&self) -> u64;

    /// The 4 bytes at an offset.
    fn u32(&self, at: u64) -> Option<u32>;

    /// The 8 bytes at an offset. Where the offset is a multiple of 8 they belong together.
    fn u64(&self, at: u64) -> Option<u64>;

    /// Words from an offset on, as [`Memory::u64`] gives each.
    fn words(&self, at: u64, into: &mut [u64]) -> Option<()>;

    /// Bytes from an offset on.
    fn bytes(&self, at: u64, into: &mut [u8]) -> Option<()>;
}

/// Whether so many bytes are there from an offset on.
fn is_within(len: u64, at: u64, count: usize) -> bool {
    at.checked_add(count as u64).is_some_and(|end| end <= len)
}

/// The memory of one segment, however it is reached.
#[derive(Debug)]
pub(super) enum Source {
    /// Mapped: what a VPP hands out.
    Mapped(Mapped),
    /// Read by system calls.
    File(File),
    /// A copy.
    Bytes(Bytes),
}

/// Runs the same code on whichever memory a [`Source`] is, without asking at every look.
macro_rules! with_memory {
    ($source:expr, $memory:ident => $body:expr) => {
        match $source {
            $crate::stats::memory::Source::Mapped($memory) => $body,
            $crate::stats::memory::Source::File($memory) => $body,
            $crate::stats::memory::Source::Bytes($memory) => $body,
        }
    };
}
pub(super) use with_memory;

#[cfg(test)]
mod tests {
    use super::*;

    /// The same bytes by each way.
    fn ways() -> Vec<(&'static str, Source)> {
        let content: Vec<u8> = (0..=255).cycle().take(4096).collect();
        let fd = rustix::fs::memfd_create("ways", rustix::fs::MemfdFlags::ALLOW_SEALING).unwrap();
        rustix::io::write(&fd, &content).unwrap();
        rustix::fs::fcntl_add_seals(&fd, rustix::fs::SealFlags::SHRINK).unwrap();
        let mut ways = vec![
            ("file", Source::File(File::new(rustix::io::dup(&fd).unwrap(), 4096))),
            ("bytes", Source::Bytes(Bytes::new(content))),
        ];
        // Miri maps no files.
        if !cfg!(miri) {
            ways.push(("mapped", Source::Mapped(Mapped::new(&fd, 4096).unwrap())));
        }
        ways
    }

    #[test]
    #[cfg_attr(miri, ignore = "memfd")]
    fn every_way_sees_the_same_and_nothing_outside() {
        for (way, source) in ways() {
            with_memory!(&source, memory => {
                for at in [0, 1, 3, 8, 4087, 4088] {
                    let expected: Vec<u8> = (at..at + 8).map(|at| at as u8).collect();
                    assert_eq!(memory.u64(at), Some(u64::from_ne_bytes(expected.clone().try_into().unwrap())), "{way} {at}");
                    assert_eq!(memory.u32(at), Some(u32::from_ne_bytes(expected[..4].try_into().unwrap())), "{way} {at}");
                    let mut bytes = [0; 8];
                    memory.bytes(at, &mut bytes).unwrap();
                    assert_eq!(bytes, expected[..], "{way} {at}");
                    let mut words = [0];
                    memory.words(at, &mut words).unwrap();
                    assert_eq!(Some(words[0]), memory.u64(at), "{way} {at}");
                }
                for at in [4089, 4096, u64::MAX - 7, u64::MAX] {
                    assert_eq!(memory.u64(at), None, "{way} {at}");
                    assert_eq!(memory.words(at, &mut [0]), None, "{way} {at}");
                    assert_eq!(memory.bytes(at, &mut [0; 8]), None, "{way} {at}");
                }
                assert_eq!(memory.u32(4093), None, "{way}");
                assert_eq!(memory.words(0, &mut [0; 513]), None, "{way}");
                assert_eq!(memory.bytes(4096, &mut []), Some(()), "{way}");
            });
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "memfd")]
    fn a_file_that_was_cut_is_outside_and_no_fault() {
        let fd = rustix::fs::memfd_create("cut", rustix::fs::MemfdFlags::empty()).unwrap();
        rustix::io::write(&fd, &[1; 4096]).unwrap();
        let file = File::new(rustix::io::dup(&fd).unwrap(), 4096);
        assert!(file.u64(2048).is_some());
        rustix::fs::ftruncate(&fd, 1024).unwrap();
        assert_eq!(file.u64(2048), None);
        assert_eq!(file.u64(1020), None);
    }
}
