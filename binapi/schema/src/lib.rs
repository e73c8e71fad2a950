//! Definitions of VPP's binary API.
mod layout;
mod model;
pub use layout::Layout;
pub use model::*;
