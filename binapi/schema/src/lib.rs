//! Definitions of VPP's binary API.
mod layout;
mod model;
mod reader;
pub use layout::Layout;
pub use model::*;
pub use reader::{Problem, ReadError, Source};
