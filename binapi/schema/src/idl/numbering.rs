//! The numbers of enumerators that are written without one.

use super::syntax::{Enum, Enumerator};

/// Which number the first enumerator gets that is written without one. Later ones go on from the one before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Numbering {
    /// 0: VPP 22.06 and later.
    #[default]
    FromZero,
    /// 1: VPP up to 22.02.
    FromOne,
}

impl Numbering {
    /// What VPP's own tool numbers by, from its text.
    pub(super) fn of_tool(tool: &str) -> Self {
        if tool.contains("count = -1") { Self::FromZero } else { Self::FromOne }
    }

    /// Enumerators with their numbers.
    pub(super) fn values(self, definition: &Enum) -> impl Iterator<Item = (&Enumerator, i128)> {
        let mut next = match self {
            Self::FromZero => 0,
            Self::FromOne => 1,
        };
        definition.members.iter().map(move |member| {
            let value = member.value.unwrap_or(next);
            next = value + 1;
            (member, value)
        })
    }
}
