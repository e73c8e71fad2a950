//! VPP's private shared memory: a segment that VPP makes for one client and hands over the API socket.
//!
//! Layout and rules are VPP's own, of 19.01 and later, on Linux with glibc on x86-64. The process needs neither VPP's
//! library nor a mapping at VPP's address. What lies in the segment is checked before it is used, each time.
//!
//! This module is public for the stand-in and the benchmark of this workspace, without a promise to others.
#![allow(unsafe_code, reason = "mapped memory, and the locks in it that are shared with VPP")]

mod config;
mod layout;
mod lock;
#[cfg(not(miri))]
mod mapping;
mod memory;
mod queue;
mod segment;
mod server;
#[cfg(test)]
mod tests;
#[cfg(miri)]
mod under_miri;

pub use config::{Config, MAX_QUEUE_DEPTH, RingConfig};
pub use queue::SegmentFault;
pub use segment::{Incoming, Place, PlaceError, Segment, Slot};
pub use server::{SendError, ServerSegment};
