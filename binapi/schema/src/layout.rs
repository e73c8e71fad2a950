//! What is known of a definition's bytes.

use std::fmt;

/// The bytes of a type. Lengths saturate: a definition may ask for more than there can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Every value takes exactly so many.
    Fixed(usize),
    /// Values end in a list or string; without its elements they take so many.
    Variable(usize),
}

impl Layout {
    /// The fewest bytes a value takes.
    #[must_use]
    pub const fn min_len(self) -> usize {
        match self {
            Self::Fixed(len) | Self::Variable(len) => len,
        }
    }

    /// The bytes of every value, where they are the same.
    #[must_use]
    pub const fn fixed_len(self) -> Option<usize> {
        match self {
            Self::Fixed(len) => Some(len),
            Self::Variable(_) => None,
        }
    }

    /// One behind the other.
    #[must_use]
    pub const fn then(self, next: Self) -> Self {
        let len = self.min_len().saturating_add(next.min_len());
        match (self, next) {
            (Self::Fixed(_), Self::Fixed(_)) => Self::Fixed(len),
            _ => Self::Variable(len),
        }
    }

    /// So many of them.
    #[must_use]
    pub const fn times(self, count: usize) -> Self {
        match self {
            Self::Fixed(len) => Self::Fixed(len.saturating_mul(count)),
            Self::Variable(len) => Self::Variable(len.saturating_mul(count)),
        }
    }
}

/// 64 bits that two messages share if their bytes stand alike, whatever their names: header, fields, and the fields of
/// their types all the way down.
///
/// VPP's CRC does not tell (20.01 has 78 messages whose CRC a later release carries with other bytes).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LayoutHash(pub u64);

impl fmt::Display for LayoutHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// What is known of a type's bytes once those it refers to are measured.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Measure {
    pub(crate) layout: Layout,
    /// The same text means the same bytes. That of a struct or union is a hash: written out, it could double with each
    /// level of nesting.
    pub(crate) shape: String,
}
