//! What can go wrong on a connection.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use vpp_wire::{ApiError, DecodeError, EncodeError};

use crate::frame::FrameError;
use crate::table::Incompatible;

/// A connection that could not be made.
#[derive(Clone, Debug, thiserror::Error)]
#[error("cannot connect to VPP at {}: {cause}", path.display())]
#[non_exhaustive]
pub struct ConnectError {
    /// The socket.
    pub path: PathBuf,
    /// Why.
    pub cause: ConnectCause,
}

/// Why a connection could not be made.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectCause {
    /// Nothing is at the path. Start VPP, or name the socket of its `socksvr` section.
    #[error("there is no socket at this path; is VPP running, and is its API socket here?")]
    NotThere,
    /// A socket is there, but nobody listens: VPP has ended.
    #[error("nobody listens on the socket; VPP left it behind when it ended")]
    NobodyListens,
    /// What is at the path is no socket.
    #[error("what is at this path is no socket; name VPP's API socket")]
    NotASocket,
    /// This process may not enter a folder of the path.
    #[error("permission denied: a folder of the path may not be entered by this process (uid {uid})")]
    FolderDenied {
        /// The process's effective user id.
        uid: u32,
    },
    /// This process may not use the socket.
    #[error(
        "permission denied\n  the socket is {mode:04o}, owner {owner}, group {group}; this process is uid {uid}, groups {groups:?}\n  run it as root, as the owner or as a member of the group"
    )]
    PermissionDenied {
        /// The socket's permissions.
        mode: u32,
        /// Its user id.
        owner: u32,
        /// Its group id.
        group: u32,
        /// The process's effective user id.
        uid: u32,
        /// The process's group ids.
        groups: Vec<u32>,
    },
    /// The peer does not speak VPP's API protocol.
    #[error("the peer is not VPP's API socket: {0}")]
    NotVpp(NotVpp),
    /// This VPP does not have messages that the program requires. All of them are told.
    #[error("this VPP lacks {} of the messages that the program requires{}", lacking.len(), each_on_a_line(lacking))]
    Incompatible {
        /// What it lacks.
        lacking: Vec<Incompatible>,
    },
    /// VPP refused the client.
    #[error("VPP refused the client with response {0}")]
    Refused(i32),
    /// There is no shared memory to be had from this VPP, or none by this process.
    #[error("no shared memory: {0}; use Transport::Socket, or Transport::Auto")]
    NoSharedMemory(Arc<str>),
    /// The time was not enough.
    #[error("no answer within {0:?}; VPP may be busy or stuck, or the peer is another program")]
    TimedOut(Duration),
    /// The system refused.
    #[error("{0}")]
    Io(Arc<io::Error>),
}

fn each_on_a_line(lacking: &[Incompatible]) -> String {
    lacking.iter().map(|message| format!("\n  {message}")).collect()
}

/// How a peer showed that it is not VPP.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotVpp {
    /// It sent something that is no frame.
    #[error("{0}")]
    Frame(FrameError),
    /// It sent a message that is no answer to the handshake.
    #[error("it answered the handshake with message {id} of {len} bytes")]
    Answer {
        /// The message's id.
        id: u16,
        /// Its bytes.
        len: usize,
    },
    /// It closed the connection during the handshake.
    #[error("it closed the connection during the handshake")]
    Closed,
    /// It is a socket of another type.
    #[error("it is not a stream socket")]
    SocketType,
}

/// A call that did not come to its reply.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// VPP refused the request.
    #[error("{request}: VPP refused: {error}")]
    Refused {
        /// VPP's name of the request.
        request: Arc<str>,
        /// Why.
        error: ApiError,
    },
    /// The program and this VPP do not share the message.
    #[error(transparent)]
    Incompatible(#[from] Incompatible),
    /// The request cannot be written.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// A value of the request or its answer has no place in the other definition of the message.
    #[cfg(feature = "bridge")]
    #[error("cannot be bridged to this VPP: {0}")]
    Bridge(Box<vpp_schema::bridge::MappingError>),
    /// The request is larger than a frame may be.
    #[error("{request} is {len} bytes long, more than a frame holds")]
    TooLong {
        /// VPP's name of the request.
        request: Arc<str>,
        /// Its bytes.
        len: usize,
    },
    /// The reply is not what its definition says.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// VPP answered with another message. The connection stays usable.
    #[error("{request}: VPP answered with {got}")]
    Unexpected {
        /// VPP's name of the request.
        request: Arc<str>,
        /// The name of what came.
        got: Arc<str>,
    },
    /// No answer within the deadline. VPP stays silent when it does not accept a request's form; it may also be busy.
    #[error("{request}: no answer within {after:?}")]
    DeadlineExceeded {
        /// VPP's name of the request.
        request: Arc<str>,
        /// The time waited.
        after: Duration,
    },
    /// The program read a stream slower than VPP sent it, and what was waiting passed the limit. Nothing was left out
    /// silently: the stream ends here.
    #[error(
        "{request}: over {limit} bytes of details were waiting to be read; read faster or raise the limit"
    )]
    StreamOverrun {
        /// VPP's name of the request.
        request: Arc<str>,
        /// The limit in bytes.
        limit: usize,
    },
    /// VPP says that a stream has more, at the place where it was already, and brings nothing.
    #[error("{request}: VPP interrupts the stream and makes no progress")]
    NoProgress {
        /// VPP's name of the request.
        request: Arc<str>,
    },
    /// The connection ended.
    #[error("{request}: {lost}")]
    Lost {
        /// VPP's name of the request.
        request: Arc<str>,
        /// How.
        lost: Lost,
    },
}

/// How a connection ended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Lost {
    /// VPP closed the socket: it ended, or was killed.
    #[error("connection to VPP lost (VPP closed the socket)")]
    ClosedByVpp,
    /// VPP kept the socket open and sent nothing, not even the answer to a `control_ping`. It hangs, was stopped, or
    /// carries out a request that takes longer.
    #[error("connection to VPP given up: VPP has sent nothing for {silent:?}")]
    Unresponsive {
        /// The time without a sign of life.
        silent: Duration,
    },
    /// The program closed the connection.
    #[error("the connection was closed")]
    Closed,
    /// The asynchronous runtime that drove the connection ended.
    #[error("the runtime that drove the connection has ended")]
    RuntimeEnded,
    /// VPP sent what is no frame.
    #[error("connection to VPP given up: {0}")]
    Frame(#[from] FrameError),
    /// The shared memory cannot be used any more.
    #[cfg(shared_memory)]
    #[error("connection to VPP given up: {0}")]
    SharedMemory(crate::shared_memory::SegmentFault),
    /// The system reported an error.
    #[error("connection to VPP lost ({message})")]
    Io {
        /// Its kind.
        kind: io::ErrorKind,
        /// What the system says.
        message: Arc<str>,
    },
}

impl Lost {
    /// What happened, without saying that the connection is gone.
    pub(crate) fn reason(&self) -> String {
        match self {
            Self::ClosedByVpp => "VPP closed the socket".to_owned(),
            Self::Unresponsive { silent } => format!("VPP has sent nothing for {silent:?}"),
            Self::Closed => "by the program".to_owned(),
            Self::RuntimeEnded => "the runtime that drove it has ended".to_owned(),
            Self::Frame(error) => error.to_string(),
            #[cfg(shared_memory)]
            Self::SharedMemory(fault) => fault.to_string(),
            Self::Io { message, .. } => message.to_string(),
        }
    }
}

impl From<io::Error> for Lost {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => Self::ClosedByVpp,
            kind => Self::Io { kind, message: error.to_string().into() },
        }
    }
}

/// What can stand between a subscriber and the next event.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EventError {
    /// The program read slower than events came; the oldest were given up. The next read gives the oldest kept.
    #[error("{lost} {event} were lost: the program reads slower than they come")]
    Overrun {
        /// VPP's name of the event.
        event: Arc<str>,
        /// How many.
        lost: u64,
    },
    /// The event is not what its definition says.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// This VPP does not send the event: it does not have it, refused, or did not answer in time. The stream of a
    /// [`Supervisor`](crate::Supervisor) goes on at the next connection.
    #[error("cannot subscribe to {event}: {error}")]
    Unavailable {
        /// VPP's name of the event.
        event: Arc<str>,
        /// Why.
        error: CallError,
    },
    /// A value of the event has no place in the program's definition of it. The next read gives the next event.
    #[cfg(feature = "bridge")]
    #[error("cannot be bridged to the program: {0}")]
    Bridge(Box<vpp_schema::bridge::MappingError>),
    /// The connection ended.
    #[error("{event}: {lost}")]
    Lost {
        /// VPP's name of the event.
        event: Arc<str>,
        /// How.
        lost: Lost,
    },
}

/// An end that VPP did not confirm. The socket is closed all the same.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CloseError {
    /// VPP did not answer in time.
    #[error("VPP did not confirm the end of the connection within {0:?}")]
    TimedOut(Duration),
    /// The connection was gone already.
    #[error("the connection had ended before: {0}")]
    Lost(Lost),
}
