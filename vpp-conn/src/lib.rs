//! A connection to a running VPP.
//!
//! ```no_run
//! use vpp_conn::Connection;
//! use vpp_26_06::interface::{CreateLoopback, SwInterfaceDump};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let vpp = Connection::connect("/run/vpp/api.sock").await?;
//! let loopback = vpp.call(&CreateLoopback::default()).await?.sw_if_index;
//! for interface in vpp.dump(&SwInterfaceDump::default()).collect().await? {
//!     println!("{} {}", interface.sw_if_index, interface.interface_name);
//! }
//! # let _ = loopback;
//! # Ok(())
//! # }
//! ```
//!
//! # Invariants
//!
//! * Every wait has an end: a deadline for every call, and when VPP goes away everything that waits fails at once.
//! * Dropping any future at any point is safe. A late reply never reaches a later call.
//! * Nobody waits for a slow neighbour: a dump whose reader stalls, or events nobody reads, delay no other call.
//! * Loss is never silent: a stream that overruns is an error, lost events are counted.
//! * Bytes of the peer are checked before they are used.
//!
//! # How it is built
//!
//! [`frame`] cuts the socket's bytes into messages. The multiplexer (a state machine without sockets, clocks or tasks)
//! routes them by context and id. What drives it is whoever waits: see [`Connection`].
//!
//! What carries the messages is the program's choice: VPP's socket, or shared memory with the socket beside it. See
//! [`Transport`].
//!
//! A [`Connection`] is one VPP's, and ends with it. [`Supervisor`] keeps one while VPP comes and goes.

#[cfg(shared_memory)]
mod attach;
mod before_20_05;
pub mod blocking;
#[cfg(feature = "bridge")]
mod bridge;
mod call;
mod connect;
mod connection;
mod counters;
mod dump;
mod error;
mod events;
pub mod frame;
mod handshake;
mod mux;
mod payload;
mod pipeline;
mod raw;
mod readers;
mod registrations;
mod settings;
mod shared;
#[cfg(shared_memory)]
#[doc(hidden)]
pub mod shared_memory;
#[cfg(feature = "stats")]
pub mod stats;
mod supervise;
mod table;
pub mod trace;
mod transport;
#[cfg(shared_memory)]
mod watch;

#[cfg(feature = "bridge")]
pub use bridge::{Bridge, BridgeError};
pub use call::Call;
pub use connect::{Builder, DEFAULT_SOCKET, Transport};
pub use connection::Connection;
pub use counters::{Counters, Latency};
pub use dump::{DumpStream, Received};
pub use error::{CallError, CloseError, ConnectCause, ConnectError, EventError, Lost, NotVpp};
pub use events::Events;
pub use payload::Payload;
pub use pipeline::Pipeline;
pub use raw::{Raw, RawEnd, RawEvents, RawMessage, RawStream};
#[cfg(shared_memory)]
pub use shared_memory::{Config as SharedMemoryConfig, RingConfig, SegmentFault};
pub use supervise::{
    AttemptError, Attempts, Connected, Gap, Loss, NotConnected, Notice, State, SupervisedEvents, Supervisor,
    SupervisorBuilder,
};
pub use table::{Entry, Incompatible, MessageTable};
#[cfg(shared_memory)]
pub use watch::Receive;
