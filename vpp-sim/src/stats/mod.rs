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
//! What is freed is not used again, so a segment that changes shape for ever fills up; then [`Segment`] panics, where
//! VPP aborts. Counters are as a test sets them; nothing counts by itself.

mod segment;
mod server;
mod store;

pub use segment::{Format, Segment};
pub use server::{Handing, StatsSim};
