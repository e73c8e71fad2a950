//! How a connection is made.

use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::UnixStream;
use vpp_wire::MessageInfo;

#[cfg(shared_memory)]
use crate::attach;
use crate::connection::Connection;
use crate::error::{ConnectCause, ConnectError, NotVpp};
use crate::frame::FrameReader;
use crate::handshake::{self, Created};
use crate::settings::Settings;
use crate::shared::Shared;
use crate::supervise::SupervisorBuilder;
use crate::table::MessageTable;
use crate::transport::{Link, Socket};

/// Where VPP's API socket is when nothing else is said: `/run/vpp/api.sock`.
pub const DEFAULT_SOCKET: &str = "/run/vpp/api.sock";

/// What carries the messages.
///
/// Shared memory answers a call in about a microsecond where VPP's main thread polls an interface, as it does in
/// production without worker threads, and the socket in about a hundred; where the main thread sleeps both take some tens.
/// It needs VPP on the same host, glibc on x86-64, and the crate's feature `shared-memory`.
///
/// VPP keeps the shared memory of a client that was killed for a minute or two. Its segment is only as safe as VPP: see
/// the decision page of the project.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Transport {
    /// Shared memory where VPP gives it, else the socket.
    Auto,
    /// VPP's API socket.
    #[default]
    Socket,
    /// Shared memory that VPP makes for this connection, with the socket beside it.
    SharedMemory,
}

/// How to connect, and the limits of the connection.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Builder {
    settings: Settings,
    required: Vec<MessageInfo>,
    #[cfg(feature = "bridge")]
    bridge: Option<crate::bridge::Bridge>,
}

impl Builder {
    /// The client's name, as `show api clients` of VPP shows it (63 bytes of it). By default the program's.
    pub fn name(mut self, name: &str) -> Self {
        self.settings.name = name.to_owned();
        self
    }

    /// How long connecting may take, the handshake included. By default 5 seconds.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.settings.connect_timeout = timeout;
        self
    }

    /// How long a call waits for its reply, and a dump for its next element, where the call itself does not say. By
    /// default 10 seconds.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.settings.deadline = deadline;
        self
    }

    /// How long [`Connection::close`] waits for VPP. By default a second.
    pub fn close_timeout(mut self, timeout: Duration) -> Self {
        self.settings.close_timeout = timeout;
        self
    }

    /// The largest message taken from VPP, in bytes; a larger one ends the connection. By default 64 MiB.
    pub fn max_message(mut self, bytes: usize) -> Self {
        self.settings.max_message = bytes;
        self
    }

    /// How many bytes of one dump may wait to be read; with more the dump fails. VPP sends a dump as fast as it can and
    /// does not wait for its reader. By default 256 MiB, which is more than a million routes.
    pub fn stream_limit(mut self, bytes: usize) -> Self {
        self.settings.stream_limit = bytes;
        self
    }

    /// How many events of one subscription may wait to be read; with more the oldest are given up and counted. By
    /// default 1,024.
    pub fn event_capacity(mut self, events: usize) -> Self {
        self.settings.event_capacity = events;
        self
    }

    /// Keeps the last messages that go over the connection, up to so many bytes of memory, for
    /// [`Connection::traced`]. By default none are kept.
    pub fn trace(mut self, bytes: usize) -> Self {
        self.settings.trace = Some(bytes);
        self
    }

    /// What carries the messages.
    pub fn transport(mut self, transport: Transport) -> Self {
        self.settings.transport = transport;
        self
    }

    /// Rings and queues of shared memory, where that is the transport.
    #[cfg(shared_memory)]
    pub fn shared_memory(mut self, config: crate::shared_memory::Config) -> Self {
        self.settings.shared_memory = config;
        self
    }

    /// How answers in shared memory are waited for.
    #[cfg(shared_memory)]
    pub fn receive(mut self, receive: crate::watch::Receive) -> Self {
        self.settings.receive = receive;
        self
    }

    /// Messages without which the program cannot work: a VPP that lacks any of them is refused, with all that it lacks
    /// in one error. Those it can do without are asked for with [`Connection::supports`].
    ///
    /// ```
    /// use vpp_26_06::interface::{SwInterfaceDump, SwInterfaceDetails};
    ///
    /// let builder = vpp_conn::Connection::builder().require(vpp_wire::messages![SwInterfaceDump, SwInterfaceDetails]);
    /// ```
    pub fn require(mut self, messages: &[MessageInfo]) -> Self {
        self.required.extend_from_slice(messages);
        self
    }

    /// Keeps a connection of this kind while VPP comes and goes: see [`Supervisor`](crate::Supervisor).
    pub fn supervise(self) -> SupervisorBuilder {
        SupervisorBuilder::new(self)
    }

    /// Carries messages over that VPP has otherwise than the program, field by field. Without it they are errors.
    ///
    /// Connecting takes longer: VPP is asked for its definitions. Messages that VPP has as the
    /// program has them go their way as before.
    #[cfg(feature = "bridge")]
    pub fn bridge(mut self, bridge: crate::bridge::Bridge) -> Self {
        self.bridge = Some(bridge);
        self
    }

    /// Connects to VPP's API socket.
    ///
    /// # Errors
    ///
    /// When there is no socket, this process may not use it, the peer does not behave as VPP within the time, or lacks a
    /// message that is required.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime with I/O and time enabled.
    pub async fn connect(self, path: impl AsRef<Path>) -> Result<Connection, ConnectError> {
        let path = path.as_ref().to_owned();
        let timeout = self.settings.connect_timeout;
        let attempt = attempt(path.clone(), self.settings);
        let result = tokio::time::timeout(timeout, attempt).await;
        let shared = result
            .unwrap_or(Err(ConnectCause::TimedOut(timeout)))
            .map_err(|cause| ConnectError { path, cause })?;
        tracing::debug!(path = %shared.path.display(), messages = shared.table.len(), "connected to VPP");
        let (path, connection) = (shared.path.clone(), Connection::start(shared));
        #[cfg(feature = "bridge")]
        if let Some(bridge) = self.bridge {
            let bridging = crate::bridge::Bridging::new(bridge, &connection).await;
            // The connection is new.
            let _ = connection.shared().bridging.set(bridging);
        }
        let lacking: Vec<_> =
            self.required.iter().filter_map(|message| connection.check_info(message).err()).collect();
        if lacking.is_empty() {
            return Ok(connection);
        }
        // In the orderly way, and whether or not VPP confirms it.
        let _closed = connection.close().await;
        Err(ConnectError { path, cause: ConnectCause::Incompatible { lacking } })
    }
}

async fn attempt(path: PathBuf, settings: Settings) -> Result<Shared, ConnectCause> {
    let stream = UnixStream::connect(&path).await.map_err(|error| cause_of(&path, error))?;
    send(&stream, &handshake::create(&settings.name)).await?;
    let mut reader = FrameReader::new(settings.max_message);
    let message = loop {
        if let Some(message) =
            reader.next_frame().map_err(|error| ConnectCause::NotVpp(NotVpp::Frame(error)))?
        {
            break message;
        }
        stream.readable().await.map_err(io_cause)?;
        match stream.try_read_buf(reader.buffer()) {
            Ok(0) => return Err(ConnectCause::NotVpp(NotVpp::Closed)),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {
                return Err(ConnectCause::NotVpp(NotVpp::Closed));
            }
            Err(error) => return Err(io_cause(error)),
        }
    };
    match handshake::created(&message) {
        Some(Created::Client { client_index, table }) => {
            let link = link(stream, client_index, reader, &table, &settings).await?;
            Ok(Shared::new(path, settings, table, link))
        }
        Some(Created::Refused(response)) => Err(ConnectCause::Refused(response)),
        None => {
            let id = message.first_chunk().map_or(0, |id| u16::from_be_bytes(*id));
            Err(ConnectCause::NotVpp(NotVpp::Answer { id, len: message.len() }))
        }
    }
}

/// What carries the messages, by the choice of the program and of VPP.
#[cfg(not(shared_memory))]
async fn link(
    stream: UnixStream,
    client_index: [u8; 4],
    reader: FrameReader,
    _table: &MessageTable,
    settings: &Settings,
) -> Result<Link, ConnectCause> {
    if settings.transport == Transport::SharedMemory {
        return Err(ConnectCause::NoSharedMemory("not in this build of the program".into()));
    }
    Ok(Link::Socket(Box::new(Socket::new(stream, client_index, reader))))
}

/// What carries the messages, by the choice of the program and of VPP.
#[cfg(shared_memory)]
async fn link(
    stream: UnixStream,
    client_index: [u8; 4],
    reader: FrameReader,
    table: &MessageTable,
    settings: &Settings,
) -> Result<Link, ConnectCause> {
    if settings.transport == Transport::Socket {
        return Ok(Link::Socket(Box::new(Socket::new(stream, client_index, reader))));
    }
    let segment = match attach::segment(&stream, client_index, settings).await {
        Ok(segment) => segment,
        // VPP has answered; nothing of its answer is left on the socket.
        Err(ConnectCause::NoSharedMemory(reason)) if settings.transport == Transport::Auto => {
            tracing::debug!(%reason, "no shared memory, over the socket then");
            return Ok(Link::Socket(Box::new(Socket::new(stream, client_index, reader))));
        }
        Err(cause) => return Err(cause),
    };
    let socket = Socket::new(stream, client_index, reader);
    attach::client(socket, segment, table, settings).await.map(|shared| Link::SharedMemory(Box::new(shared)))
}

pub(crate) async fn send(stream: &UnixStream, mut bytes: &[u8]) -> Result<(), ConnectCause> {
    while !bytes.is_empty() {
        stream.writable().await.map_err(io_cause)?;
        match stream.try_write(bytes) {
            Ok(len) => bytes = &bytes[len..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                return Err(ConnectCause::NotVpp(NotVpp::Closed));
            }
            Err(error) => return Err(io_cause(error)),
        }
    }
    Ok(())
}

pub(crate) fn io_cause(error: io::Error) -> ConnectCause {
    ConnectCause::Io(Arc::new(error))
}

/// What a failed connect means.
pub(crate) fn cause_of(path: &Path, error: io::Error) -> ConnectCause {
    match error.kind() {
        io::ErrorKind::NotFound => ConnectCause::NotThere,
        io::ErrorKind::ConnectionRefused => match std::fs::metadata(path) {
            Ok(found) if !found.file_type().is_socket() => ConnectCause::NotASocket,
            _ => ConnectCause::NobodyListens,
        },
        io::ErrorKind::PermissionDenied => match std::fs::metadata(path) {
            Ok(socket) => {
                let mut groups = vec![rustix::process::getegid().as_raw()];
                for group in rustix::process::getgroups().unwrap_or_default() {
                    if !groups.contains(&group.as_raw()) {
                        groups.push(group.as_raw());
                    }
                }
                ConnectCause::PermissionDenied {
                    mode: socket.mode() & 0o7777,
                    owner: socket.uid(),
                    group: socket.gid(),
                    uid: rustix::process::geteuid().as_raw(),
                    groups,
                }
            }
            Err(_) => ConnectCause::FolderDenied { uid: rustix::process::geteuid().as_raw() },
        },
        _ if error.raw_os_error() == Some(rustix::io::Errno::PROTOTYPE.raw_os_error()) => {
            ConnectCause::NotVpp(NotVpp::SocketType)
        }
        _ => io_cause(error),
    }
}
