//! What can go wrong with statistics.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::error::ConnectCause;

/// Statistics that could not be read.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StatsError {
    /// The segment could not be obtained: at first, or again after VPP went away. Values that were read stay readable;
    /// the next refresh tries again, however long VPP is away.
    #[error("cannot read VPP's statistics at {}: {cause}", path.display())]
    Connect {
        /// The socket.
        path: PathBuf,
        /// Why.
        cause: StatsCause,
    },
    /// VPP was changing the segment all the time, or is stuck while it does.
    #[error("VPP was changing its statistics for {0:?}; try again")]
    Busy(Duration),
    /// The segment is not what VPP writes. Several looks found the same.
    #[error("the statistics segment is damaged: {0}")]
    Damaged(Damage),
    /// A pattern is no regular expression.
    #[error("{pattern:?} is no regular expression: {reason}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        reason: String,
    },
    /// There is no ring buffer of this name.
    #[error("VPP has no ring buffer {0:?} in its statistics")]
    NoRing(String),
}

/// Why there is no segment.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StatsCause {
    /// The socket cannot be used.
    #[error("{0}")]
    Socket(ConnectCause),
    /// VPP took the connection and did not hand the segment out: its main thread is busy or stuck.
    #[error("VPP did not hand out the segment within {0:?}; it may be busy or stuck")]
    TimedOut(Duration),
    /// The peer sent no file descriptor.
    #[error("the peer handed out no segment; is this the stats socket of a VPP?")]
    NoSegment,
    /// What the peer handed out has no header that this client knows.
    #[error("the segment has no known layout (first words {first_words:x?}, {len} bytes)")]
    Layout {
        /// The first two words.
        first_words: [u64; 2],
        /// Its bytes.
        len: u64,
    },
    /// The system refused.
    #[error("{0}")]
    Io(Arc<io::Error>),
}

/// How a segment shows that it is damaged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Damage {
    /// An address that does not lie within it.
    #[error("{what} lies at offset {at:#x}, with {len} elements, outside of its {size} bytes")]
    Outside {
        /// What lies there.
        what: &'static str,
        /// From the start of the segment.
        at: u64,
        /// How many there are to be.
        len: u64,
        /// Of the segment.
        size: u64,
    },
    /// Its entries have more values than it has room for.
    #[error("its entries have more values than its {size} bytes have room for")]
    TooMuch {
        /// Of the segment.
        size: u64,
    },
}
