//! VPP's statistics: counters of packets, errors, nodes, memory, read from the memory that VPP shares.
//!
//! ```no_run
//! use std::time::Duration;
//! use vpp_conn::stats::{DEFAULT_SOCKET, Stats, Value};
//!
//! # fn example() -> Result<(), vpp_conn::stats::StatsError> {
//! let stats = Stats::connect(DEFAULT_SOCKET)?;
//! for interface in &stats.interfaces()? {
//!     println!("{}: {} packets", interface.name(), interface.rx().sum().packets);
//! }
//!
//! let mut watch = stats.select("/err/ip4*")?;
//! loop {
//!     std::thread::sleep(Duration::from_secs(1));
//!     watch.refresh()?;
//!     for entry in watch.entries() {
//!         if let Value::Simple(counters) = entry.value() {
//!             println!("{} {}", entry.name(), counters.sum());
//!         }
//!     }
//! }
//! # }
//! ```
//!
//! VPP is not asked: it writes, and this reads. Two short system calls tell whether VPP still runs. So nothing here is
//! async: a [`Selection::refresh`] takes microseconds. Only [`Stats::connect`], and a refresh that finds VPP gone, wait
//! for VPP: usually well below a millisecond, at most two seconds.
//!
//! # Invariants
//!
//! * Values of one refresh belong to one shape of VPP's directory (its epoch): a counter is never reported under the name
//!   of another. Counters themselves go on counting meanwhile, as VPP has it.
//! * What VPP writes is copied before it is looked at, and checked before it is used: no content of the segment makes
//!   this panic, fault, or take more memory than the segment has.
//! * A refresh allocates nothing while VPP's directory stays as it is.
//! * A VPP that ends leaves the last values readable and every refresh an error, until one finds VPP again, after
//!   whatever time.
//!
//! # Releases
//!
//! All layouts from VPP 18.10 on are read, as VPP's sources have them. 26.06 is checked against a running VPP, entry by
//! entry, with VPP's own clients as judges; older ones, histograms and ring buffers against the stand-in alone.

mod error;
mod groups;
mod layout;
mod memory;
mod pattern;
mod plan;
mod ring;
mod segment;
mod selection;
mod source;
mod value;

use std::path::Path;
use std::sync::Arc;

pub use error::{Damage, StatsCause, StatsError};
pub use groups::{
    BufferPool, Buffers, ErrorCounter, Errors, Heap, Interface, InterfaceIter, Interfaces, Memory, Node,
    Nodes, System, Thread,
};
pub use pattern::Pattern;
pub use ring::{Ring, RingRead};
pub use selection::{Entry, Selection};
use source::VppSource;
pub use value::{Column, Combined, CombinedRate, Counter, Counters, Histogram, Names, RingState, Value};

/// Where VPP's stats socket is when nothing else is said: `/run/vpp/stats.sock`.
pub const DEFAULT_SOCKET: &str = "/run/vpp/stats.sock";

/// The statistics of a VPP, over all its lives.
#[derive(Clone, Debug)]
pub struct Stats {
    source: Arc<VppSource>,
}

impl Stats {
    /// Obtains the statistics of the VPP at a socket. Blocks for as long as VPP takes to answer, at most two seconds.
    ///
    /// # Errors
    ///
    /// When there is no socket, this process may not use it, or what the peer hands out are no statistics.
    pub fn connect(socket: impl AsRef<Path>) -> Result<Self, StatsError> {
        Ok(Self { source: Arc::new(VppSource::connect(socket.as_ref())?) })
    }

    /// The statistics in a copy of a segment, as a VPP had them when it was made.
    ///
    /// # Errors
    ///
    /// When it is none.
    pub fn of_copy(segment: Vec<u8>) -> Result<Self, StatsError> {
        Ok(Self { source: Arc::new(VppSource::of_bytes(segment)?) })
    }

    /// Entries whose names fit a pattern: `/if/rx*`, `/err/`; see [`Pattern::parse`].
    ///
    /// # Errors
    ///
    /// When the pattern is none, or the entries cannot be read.
    pub fn select(&self, pattern: &str) -> Result<Selection, StatsError> {
        self.select_all([Pattern::parse(pattern)?])
    }

    /// Entries whose names fit any of some patterns.
    ///
    /// # Errors
    ///
    /// When they cannot be read.
    pub fn select_all(&self, patterns: impl IntoIterator<Item = Pattern>) -> Result<Selection, StatsError> {
        Selection::new(self.source.clone(), patterns.into_iter().collect())
    }

    /// The counters of all interfaces.
    ///
    /// # Errors
    ///
    /// When they cannot be read.
    pub fn interfaces(&self) -> Result<Interfaces, StatsError> {
        Interfaces::new(self.source.clone())
    }

    /// What each graph node did.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn nodes(&self) -> Result<Nodes, StatsError> {
        Nodes::new(self.source.clone())
    }

    /// The error counters of all graph nodes.
    ///
    /// # Errors
    ///
    /// When they cannot be read.
    pub fn errors(&self) -> Result<Errors, StatsError> {
        Errors::new(self.source.clone())
    }

    /// What VPP says of itself.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn system(&self) -> Result<System, StatsError> {
        System::new(self.source.clone())
    }

    /// How full the buffer pools are.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn buffers(&self) -> Result<Buffers, StatsError> {
        Buffers::new(self.source.clone())
    }

    /// How full VPP's heaps are.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn memory(&self) -> Result<Memory, StatsError> {
        Memory::new(self.source.clone())
    }

    /// A reader of a ring buffer.
    ///
    /// # Errors
    ///
    /// When there is none of this name, or it cannot be read.
    pub fn ring(&self, name: &str) -> Result<Ring, StatsError> {
        Ring::new(self.source.clone(), name)
    }
}
