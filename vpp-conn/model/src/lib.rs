//! The queues and rings of shared memory under loom.
//!
//! `vpp-conn`'s own source, on memory and locks that loom controls: its tests go through all orders in which VPP and a
//! client can meet there, stale reads included. Both sides are modelled by the code of `vpp-conn`, which has VPP's side
//! for the stand-in. Loom's threads take the place of processes, so a lock that somebody died with is not modelled.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "the source is another crate's, and the tests use what they model"
)]

#[path = "../../src/shared_memory/layout.rs"]
mod layout;
mod lock;
mod memory;
#[path = "../../src/shared_memory/queue.rs"]
mod queue;

#[cfg(test)]
mod tests;
