//! Generator of typed Rust messages from the API definitions of a VPP.
//!
//! Definitions are read by [`vpp_schema`]. Named passes then decide what is generated: which definitions of several
//! releases are one, what answers what, what selects a union's member, which values can be read in
//! place, under which names. Emitters, one per construct, turn the plan into tokens and these into text. The same
//! input gives the same bytes.
//!
//! * [`Builder`] generates a crate or modules from any definitions, for `build.rs` and own tools: all of them or a part,
//!   with what the crate of a release has taken from there.
//! * [`workspace`] generates the toolkit's own crates.
//!
//! Everything is generated in memory first; [`Output::write`] touches only files that change, and all of them or none.

mod build_script;
mod builder;
mod emit;
mod error;
mod input;
mod output;
mod pass;
mod selection;
mod special_cases;
mod workspace;

pub use builder::{Builder, CrateOptions};
pub use error::{Fault, GenerateError};
pub use output::{Difference, Output, Written};
pub use pass::plan::Release;
pub use workspace::workspace;

/// The Rust name of a message or type, without its module: `ip_route_add_del_v2` is `IpRouteAddDelV2`. `None` for what is
/// no name in Rust.
#[must_use]
pub fn rust_name(vpp_name: &str) -> Option<String> {
    pass::names::type_name(vpp_name).ok()
}
