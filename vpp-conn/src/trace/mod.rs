//! What went over a connection, and what VPP itself recorded.

mod file;

pub use file::{ApiTrace, ApiTraceError};
