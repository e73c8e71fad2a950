//! Where things stand in a segment: VPP 19.01 and later, x86-64, glibc.
//!
//! All pointers in a segment are addresses of VPP's; [`Addresses`] makes offsets of them.

/// Bytes of a page, of the first header and of the offset of the second.
pub(super) const PAGE: usize = 4096;

/// The header of the shared object, at the segment's start.
pub(super) mod object {
    pub(in super::super) const SERVER_PID: usize = 40;
    /// The address of the segment's first byte in VPP.
    pub(in super::super) const ADDRESS: usize = 24;
    pub(in super::super) const SIZE: usize = 32;
    /// 1 when everything is in its place.
    pub(in super::super) const READY: usize = 112;
    pub(in super::super) const TYPE: usize = 116;
    pub(in super::super) const MEMFD: u32 = 1;
}

/// The header of the region, in the second page.
pub(super) mod region {
    use super::PAGE;

    pub(in super::super) const VERSION: usize = PAGE;
    pub(in super::super) const VERSION_IS: u64 = 0x10001;
    pub(in super::super) const VIRTUAL_BASE: usize = PAGE + 112;
    pub(in super::super) const VIRTUAL_SIZE: usize = PAGE + 120;
    /// Points to the [`super::api`] header.
    pub(in super::super) const USER_CONTEXT: usize = PAGE + 152;
}

/// The header of the message API: offsets from what [`region::USER_CONTEXT`] points to.
pub(super) mod api {
    pub(in super::super) const LEN: usize = 48;
    pub(in super::super) const VERSION: usize = 0;
    pub(in super::super) const VERSION_IS: u32 = 2;
    pub(in super::super) const VPP_PID: usize = 4;
    pub(in super::super) const INPUT_QUEUE: usize = 8;
    pub(in super::super) const VPP_RINGS: usize = 16;
    pub(in super::super) const CLIENT_RINGS: usize = 24;
    /// How often VPP took an element back that it had waited more than ten seconds for.
    pub(in super::super) const GARBAGE_COLLECTS: usize = 40;
}

/// A queue; the rings of message elements use the same header.
pub(super) mod queue {
    pub(in super::super) const MUTEX: usize = 0;
    pub(in super::super) const CONDVAR: usize = 40;
    pub(in super::super) const HEAD: usize = 88;
    pub(in super::super) const TAIL: usize = 92;
    pub(in super::super) const CURSIZE: usize = 96;
    pub(in super::super) const MAXSIZE: usize = 100;
    pub(in super::super) const ELSIZE: usize = 104;
    pub(in super::super) const CONSUMER_PID: usize = 108;
    pub(in super::super) const PRODUCER_EVTFD: usize = 112;
    pub(in super::super) const CONSUMER_EVTFD: usize = 116;
    pub(in super::super) const DATA: usize = 120;
}

/// A description of a ring, as they stand one behind the other in a vector.
pub(super) mod ring {
    pub(in super::super) const LEN: usize = 24;
    pub(in super::super) const QUEUE: usize = 0;
    /// Size and count of elements, 16 bits each. The size is cut to 16 bits.
    pub(in super::super) const SHAPE: usize = 8;
}

/// What stands before a message.
pub(super) mod element {
    pub(in super::super) const LEN: usize = 16;
    /// The address of the ring's queue while in use; 0 when free, or when the message is on the heap.
    pub(in super::super) const QUEUE: usize = 0;
    /// Bytes of the message, most significant first.
    pub(in super::super) const DATA_LEN: usize = 8;
    /// When VPP first found it in use, in seconds of 1970.
    pub(in super::super) const GC_MARK: usize = 12;
    /// What an element is longer than the size asked for.
    pub(in super::super) const OVERHEAD: usize = 24;
}

/// The segment as VPP sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Addresses {
    /// Address of the first byte in VPP.
    pub(super) base: u64,
    /// Bytes of the segment.
    pub(super) len: usize,
}

impl Addresses {
    /// The offset of `len` bytes at an address of VPP's; `None` when they do not all lie in the segment.
    pub(super) fn offset(self, address: u64, len: usize) -> Option<usize> {
        let offset = usize::try_from(address.checked_sub(self.base)?).ok()?;
        let end = offset.checked_add(len)?;
        (end <= self.len).then_some(offset)
    }

    /// VPP's address of an offset.
    pub(super) fn address(self, offset: usize) -> u64 {
        self.base.wrapping_add(offset as u64)
    }
}

/// Where a ring's elements lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Elements {
    /// Offset of the first.
    pub(super) start: usize,
    /// Bytes of one, its header included.
    pub(super) size: usize,
    pub(super) count: u32,
}

impl Elements {
    /// Bytes of a message that fits.
    pub(super) fn capacity(self) -> usize {
        self.size - element::LEN
    }

    /// Offset of an element.
    pub(super) fn at(self, index: u32) -> Option<usize> {
        (index < self.count).then(|| self.start + self.size * index as usize)
    }

    /// Whether a message that begins at `message` is one of these; `None` when it lies elsewhere, `Some(false)` when it
    /// lies among them without being one.
    pub(super) fn contain(self, message: usize) -> Option<bool> {
        let from_start = message.checked_sub(self.start)?;
        (from_start < self.size * self.count as usize).then(|| from_start % self.size == element::LEN)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn addresses_outside_of_the_segment_are_refused() {
        let addresses = Addresses { base: 0x7f00_0000_0000, len: 8192 };
        assert_eq!(addresses.offset(0x7f00_0000_0010, 8), Some(16));
        assert_eq!(addresses.offset(0x7f00_0000_2000, 0), Some(8192));
        assert_eq!(addresses.offset(0x7f00_0000_1ff9, 8), None);
        assert_eq!(addresses.offset(0x7eff_ffff_ffff, 1), None);
        assert_eq!(addresses.offset(u64::MAX, usize::MAX), None);
        assert_eq!(addresses.offset(addresses.address(77), 1), Some(77));
    }

    proptest! {
        #[test]
        fn whatever_is_translated_lies_inside(base: u64, len in 0usize..1 << 40, address: u64, wanted: usize) {
            if let Some(offset) = (Addresses { base, len }).offset(address, wanted) {
                prop_assert!(offset <= len && wanted <= len - offset);
            }
        }

        #[test]
        fn only_the_start_of_an_element_is_a_message(at in 0usize..5000) {
            let elements = Elements { start: 1000, size: 88, count: 20 };
            let is_start = (0..20).any(|index| elements.at(index).unwrap() + element::LEN == at);
            prop_assert_eq!(elements.contain(at) == Some(true), is_start);
            prop_assert_eq!(elements.contain(at).is_some(), (1000..1000 + 88 * 20).contains(&at));
        }
    }
}
