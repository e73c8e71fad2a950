//! What went over a connection, and what VPP itself recorded.
//!
//! A connection keeps its last messages when [`Builder::trace`](crate::Builder::trace) gives it room for them;
//! [`Connection::traced`](crate::Connection::traced) gives them. [`ApiTrace`] is the file of VPP's own recording.

mod file;
mod recorder;

pub use file::{ApiTrace, ApiTraceError};
pub use recorder::{Direction, Traced};
pub(crate) use recorder::{Record, Recorder};
