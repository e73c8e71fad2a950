//! A stand-in for VPP that speaks its API protocol, and a launcher of private VPP instances, for tests.

mod answer;
mod clients;
mod core;
mod fault;
mod handlers;
mod message_table;
pub mod private_vpp;
mod request;
mod server;
mod sim;
mod snapshot;
mod state;

pub use fault::Fault;
pub use sim::{Sim, SimBuilder, StartError};
pub use snapshot::{BridgeDomainState, InterfaceState, PathState, RouteState};
