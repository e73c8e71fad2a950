//! Definitions of VPP's binary API.
mod codec;
mod layout;
mod model;
pub mod pins;
mod reader;
pub use codec::{ByteFault, CodecError, JsonFault, MessageHead};
pub use layout::{Layout, LayoutHash};
pub use model::*;
pub use reader::{Problem, ReadError, Source};
pub use vpp_wire::Header;
