//! Sockets around [`Core`]: one thread, one task per connection.

use std::io;
use std::os::unix::net::UnixListener as StdListener;
use std::path::{Path, PathBuf};
use std::sync::mpsc as std_mpsc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream, unix};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Interval, MissedTickBehavior};
use vpp_conn::frame::{self, FrameReader};
use vpp_schema::Api;

use crate::clients::{ConnectionId, Outgoing};
use crate::shared_core::SharedCore;
use crate::shared_memory::{MemoryClient, pass_descriptor};
use crate::stats::{Format, Segment, StatsSim};

/// Messages that are sent in one write.
const WRITE_BATCH: usize = 256;

/// Bytes that VPP reads from a socket each time it looks there.
const VPP_READ: usize = 4096;

/// How long VPP sleeps when nothing happens on its sockets.
const VPP_SLEEP: Duration = Duration::from_millis(10);

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
    mut stats: StatsSim,
    mut orders: mpsc::UnboundedReceiver<Order>,
) {
    let mut updates = Updates::begin();
    let mut life =
        Life::begin(&core, listener).inspect_err(|error| tracing::error!(%error, "no listener")).ok();
    loop {
        let Order { command, done } = tokio::select! {
            order = orders.recv() => match order {
                Some(order) => order,
                None => break,
            },
            () = updates.next() => {
                updates.update(&mut stats.segment());
                continue;
            }
        };
        stats.kill();
        if let Some(life) = life.take() {
            life.end(&core, &path).await;
        }
        core.set_ending(false);
        let outcome = match command {
            Command::Crash | Command::Stop => Ok(()),
            Command::StartAgain => bind(&path).and_then(|listener| {
                core.lock().restart();
                stats.start_again(segment(&core.lock().api))?;
                updates = Updates::begin();
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

/// Bytes of a segment. VPP's default is 32 MiB, which is too few for as many interfaces as the stand-in has numbers for;
/// what is not used costs nothing.
const SEGMENT: usize = 256 << 20;

/// The statistics of a VPP that has just started.
pub(crate) fn segment(api: &Api) -> Segment {
    let format = api.release.as_deref().map_or(Format::Current, Format::of_release);
    let mut segment = Segment::with_threads(format, 1, SEGMENT);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    segment.set("/sys/boottime", now.as_secs());
    segment
}

/// What VPP itself does to its statistics every 10 seconds, for the first time when it starts.
struct Updates {
    began: Instant,
    ticks: Interval,
}

impl Updates {
    fn begin() -> Self {
        let mut ticks = tokio::time::interval(Duration::from_secs(10));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { began: Instant::now(), ticks }
    }

    async fn next(&mut self) {
        self.ticks.tick().await;
    }

    fn update(&self, segment: &mut Segment) {
        segment.set("/sys/last_update", self.began.elapsed().as_secs());
        segment.heartbeat();
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
    let id = core.lock().clients.connected(outgoing.clone());
    let mut client = Client { id, outgoing, memory: None };
    let (reader, writer) = stream.into_split();
    tokio::select! {
        outcome = read(&core, &mut client, reader) => {
            if let Err(error) = outcome {
                tracing::warn!(%error, "a connection is closed");
            }
        }
        _ = write(writer, queue) => {}
    }
    if let Some(memory) = client.memory {
        memory.end(&core);
    }
    core.lock().disconnected(id);
}

/// A client at its socket.
struct Client {
    id: ConnectionId,
    outgoing: mpsc::UnboundedSender<Outgoing>,
    memory: Option<MemoryClient>,
}

/// Hands messages over until the client is gone or sends what is no frame.
async fn read(core: &SharedCore, client: &mut Client, mut stream: unix::OwnedReadHalf) -> io::Result<()> {
    // VPP would believe any length, or die of it.
    let mut frames = FrameReader::new(frame::DEFAULT_MAX_LEN);
    let mut piece = vec![0; VPP_READ];
    loop {
        // Bytes end the sleep of a VPP whose clients have shared memory; nothing else does.
        let len = match &mut client.memory {
            None => stream.read(&mut piece).await?,
            Some(memory) => tokio::select! {
                len = stream.read(&mut piece) => len?,
                () = tokio::time::sleep(VPP_SLEEP) => {
                    memory.handle_one(core);
                    continue;
                }
            },
        };
        if len == 0 {
            return Ok(());
        }
        frames.buffer().extend_from_slice(&piece[..len]);
        {
            let mut core = core.lock();
            while let Some(message) = frames.next_frame().map_err(io::Error::other)? {
                if MemoryClient::is_asked_for(&message) {
                    core.count("sock_init_shm");
                    client.memory = MemoryClient::begin(&message, &client.outgoing).or(client.memory.take());
                } else {
                    core.receive(client.id, &message);
                }
            }
            core.flush_events();
        }
        if let Some(memory) = &mut client.memory {
            memory.handle_one(core);
        }
    }
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
                Outgoing::Descriptor(file) => {
                    stream.write_all(&bytes).await?;
                    bytes.clear();
                    pass_descriptor(&stream, &file).await?;
                }
                Outgoing::Close => return stream.write_all(&bytes).await,
            }
        }
        stream.write_all(&bytes).await?;
        bytes.clear();
    }
    Ok(())
}
