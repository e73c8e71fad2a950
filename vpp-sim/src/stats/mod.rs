//! A stand-in for VPP's statistics: a segment as VPP writes it, handed out over a socket as VPP does.
//!
//! ```
//! use vpp_conn::stats::Stats;
//! use vpp_sim::stats::{Format, StatsSim};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let sim = StatsSim::start(Format::Current)?;
//! sim.segment().add_interface("loop0");
//! sim.segment().count("/if/rx", 0, 1, &[2, 120]);
//!
//! let interfaces = Stats::connect(sim.socket())?.interfaces()?;
//! assert_eq!(interfaces.get(1).unwrap().rx().sum().packets, 2);
//! # Ok(())
//! # }
//! ```
//!
//! # Where it differs from VPP
//!
//! A segment that becomes full panics, where VPP aborts. Counters are as a test sets them; nothing counts by itself.
//! [`Sim`](crate::Sim) has one of its own, which follows its interfaces.

mod format;
mod segment;
mod server;
mod store;

pub use format::Format;
pub use segment::Segment;
pub(crate) use server::SharedSegment;
pub use server::{Handing, StatsSim};
