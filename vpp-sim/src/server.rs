//! Sockets around [`Core`]: one thread, one task per connection.

use std::io;
use std::os::unix::net::UnixListener as StdListener;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc as std_mpsc};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream, unix};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};
use vpp_conn::frame::{self, FrameReader};

use crate::clients::{ConnectionId, Outgoing};
use crate::core::Core;

/// Messages that are sent in one write.
const WRITE_BATCH: usize = 256;

/// What the thread is told to do. Each is answered when it is done.
pub(crate) enum Command {
    /// End all connections and remove the socket, as when VPP dies.
    Crash,
    /// Begin a new life on the same path.
    StartAgain,
    /// End all connections and the thread.
    Stop,
}

/// A [`Command`] and where its outcome goes.
pub(crate) struct Order {
    pub(crate) command: Command,
    pub(crate) done: std_mpsc::Sender<io::Result<()>>,
}

/// The core, from any thread.
#[derive(Clone)]
pub(crate) struct SharedCore(Arc<Mutex<Core>>);

impl SharedCore {
    pub(crate) fn new(core: Core) -> Self {
        Self(Arc::new(Mutex::new(core)))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Core> {
        // A panic elsewhere leaves a state that is still good to look at.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes the socket. What lies at the path of a stand-in that was killed is removed; a socket that somebody listens on
/// is not.
pub(crate) fn bind(path: &Path) -> io::Result<StdListener> {
    match StdListener::bind(path) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            if std::os::unix::net::UnixStream::connect(path).is_ok() {
                return Err(error);
            }
            std::fs::remove_file(path)?;
            StdListener::bind(path)
        }
        outcome => outcome,
    }
}

/// Serves until told to stop, or until nobody can tell any more.
pub(crate) async fn serve(
    core: SharedCore,
    path: PathBuf,
    listener: StdListener,
    mut orders: mpsc::UnboundedReceiver<Order>,
) {
    let mut life =
        Life::begin(&core, listener).inspect_err(|error| tracing::error!(%error, "no listener")).ok();
    while let Some(Order { command, done }) = orders.recv().await {
        if let Some(life) = life.take() {
            life.end(&core, &path).await;
        }
        let outcome = match command {
            Command::Crash | Command::Stop => Ok(()),
            Command::StartAgain => bind(&path).and_then(|listener| {
                core.lock().restart();
                life = Some(Life::begin(&core, listener)?);
                Ok(())
            }),
        };
        // Who gave the order may not wait for its end.
        let _ = done.send(outcome);
        if matches!(command, Command::Stop) {
            return;
        }
    }
    if let Some(life) = life.take() {
        life.end(&core, &path).await;
    }
}

/// A listening stand-in with its connections.
struct Life(JoinHandle<()>);

impl Life {
    fn begin(core: &SharedCore, listener: StdListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let listener = UnixListener::from_std(listener)?;
        let core = core.clone();
        Ok(Self(tokio::spawn(async move {
            // Ends with this task.
            let mut connections = JoinSet::new();
            loop {
                match listener.accept().await {
                    Ok((stream, _)) => connections.spawn(connection(core.clone(), stream)),
                    Err(error) => {
                        tracing::warn!(%error, "a connection was not taken");
                        tokio::task::yield_now().await;
                        continue;
                    }
                };
                while connections.try_join_next().is_some() {}
            }
        })))
    }

    async fn end(self, core: &SharedCore, path: &Path) {
        // Before the connections: nobody shall come back to a VPP that is gone.
        let _ = std::fs::remove_file(path);
        self.0.abort();
        // The task was aborted; that is no news.
        let _ = self.0.await;
        core.lock().clients = crate::clients::Clients::new();
    }
}

async fn connection(core: SharedCore, stream: UnixStream) {
    let (outgoing, queue) = mpsc::unbounded_channel();
    let id = core.lock().clients.connected(outgoing);
    let (reader, writer) = stream.into_split();
    tokio::select! {
        outcome = read(&core, id, reader) => {
            if let Err(error) = outcome {
                tracing::warn!(%error, "a connection is closed");
            }
        }
        _ = write(writer, queue) => {}
    }
    core.lock().disconnected(id);
}

/// Hands messages over until the client is gone or sends what is no frame.
async fn read(core: &SharedCore, id: ConnectionId, mut stream: unix::OwnedReadHalf) -> io::Result<()> {
    // VPP would believe any length, or die of it.
    let mut frames = FrameReader::new(frame::DEFAULT_MAX_LEN);
    while stream.read_buf(frames.buffer()).await? > 0 {
        let mut core = core.lock();
        while let Some(message) = frames.next_frame().map_err(io::Error::other)? {
            core.receive(id, &message);
        }
        core.flush_events();
    }
    Ok(())
}

/// Sends what is queued, until told to close.
async fn write(
    mut stream: unix::OwnedWriteHalf,
    mut queue: mpsc::UnboundedReceiver<Outgoing>,
) -> io::Result<()> {
    let mut batch = Vec::with_capacity(WRITE_BATCH);
    let mut bytes = Vec::new();
    while queue.recv_many(&mut batch, WRITE_BATCH).await > 0 {
        for outgoing in batch.drain(..) {
            match outgoing {
                Outgoing::Bytes(message) => bytes.extend(message),
                Outgoing::Wait(time) => {
                    stream.write_all(&bytes).await?;
                    bytes.clear();
                    tokio::time::sleep(time).await;
                }
                Outgoing::Close => return stream.write_all(&bytes).await,
            }
        }
        stream.write_all(&bytes).await?;
        bytes.clear();
    }
    Ok(())
}
