//! The stand-in as tests see it.

use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, MutexGuard, mpsc as std_mpsc};
use std::thread::JoinHandle;

use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::{mpsc, oneshot};
use vpp_schema::Api;

use crate::answer::{Answer, Given};
use crate::core::Core;
use crate::fault::Fault;
use crate::message_table::Deviations;
use crate::private_vpp::short_temp;
use crate::server::{self, Command, Order};
use crate::shared_core::SharedCore;
use crate::stats::{Segment, SharedSegment, StatsSim};

/// Elements of a cursor stream that come before the client must ask for more, unless told otherwise.
const CHUNK: u32 = 1000;

/// A running stand-in. Ends with the value, which removes its socket.
///
/// It runs on a thread of its own, so it answers whatever the caller's runtime does: also on a current-thread runtime,
/// also to blocking code. All methods can be called from anywhere; none of them waits for more than the stand-in itself.
pub struct Sim {
    pub(crate) core: SharedCore,
    socket: PathBuf,
    stats_socket: PathBuf,
    stats: SharedSegment,
    orders: mpsc::UnboundedSender<Order>,
    thread: Option<JoinHandle<()>>,
    /// Where the sockets are for which the caller chose no place.
    _folder: Option<TempDir>,
}

/// How a [`Sim`] is to be.
#[derive(Clone, Debug)]
pub struct SimBuilder {
    source: Definitions,
    socket: Option<PathBuf>,
    stats_socket: Option<PathBuf>,
    deviations: Deviations,
    chunk: u32,
    plugins: Vec<Api>,
    host_devices: Vec<String>,
    given: Given,
}

#[derive(Clone, Debug)]
enum Definitions {
    Release(String),
    Api(Box<Api>),
}

/// Why there is no stand-in.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The release is not pinned.
    #[error("cannot start a stand-in: {0}")]
    Release(#[from] vpp_api_json::PinError),
    /// The definitions of a plugin do not go together with those of the VPP.
    #[error("cannot start a stand-in with another plugin: {0}")]
    Plugin(Box<vpp_schema::ReadError>),
    /// Behaviour was given for a message that is not there.
    #[error("cannot start a stand-in that answers {message}: there is no such message")]
    UnknownMessage {
        /// The message.
        message: String,
    },
    /// The socket could not be made.
    #[error("cannot start a stand-in at {}: {source}", socket.display())]
    Socket {
        /// The socket.
        socket: PathBuf,
        /// What the system said: in use means that somebody listens there.
        source: io::Error,
    },
    /// The system gave no folder, thread or runtime.
    #[error("cannot start a stand-in: {what}: {source}")]
    System {
        /// What was asked for.
        what: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

impl Sim {
    /// A stand-in for a VPP of a pinned release: `26.06`. See [`vpp_api_json::releases`].
    #[must_use]
    pub fn release(release: &str) -> SimBuilder {
        SimBuilder::new(Definitions::Release(release.to_owned()))
    }

    /// A stand-in for a VPP with these definitions.
    #[must_use]
    pub fn api(api: Api) -> SimBuilder {
        SimBuilder::new(Definitions::Api(Box::new(api)))
    }

    /// Where clients connect.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Where clients obtain the statistics: `vpp_conn::stats::Stats::connect`. Interfaces have their counters there as
    /// soon as they exist; nothing counts by itself but VPP's heartbeat.
    #[must_use]
    pub fn stats_socket(&self) -> &Path {
        &self.stats_socket
    }

    /// The statistics of this life, to look at and to change. Holding them holds up requests that create or delete
    /// interfaces.
    pub fn stats(&self) -> MutexGuard<'_, Segment> {
        self.stats.lock()
    }

    /// Counts packets, with all their bytes, that an interface received (`/if/rx`).
    ///
    /// # Panics
    ///
    /// When there is no interface of the name.
    pub fn count_rx(&self, interface: &str, packets: u64, bytes: u64) {
        self.count("/if/rx", interface, &[packets, bytes]);
    }

    /// Counts packets, with all their bytes, that an interface sent (`/if/tx`).
    ///
    /// # Panics
    ///
    /// As [`Sim::count_rx`].
    pub fn count_tx(&self, interface: &str, packets: u64, bytes: u64) {
        self.count("/if/tx", interface, &[packets, bytes]);
    }

    /// Adds to any counter of an interface, `/if/drops`: packets, or packets and bytes.
    ///
    /// # Panics
    ///
    /// As [`Sim::count_rx`]; and when there is no such counter.
    pub fn count(&self, counter: &str, interface: &str, more: &[u64]) {
        let core = self.core.lock();
        let found = core.vpp.interfaces.iter().find(|(_, known)| known.name == interface);
        let Some((index, _)) = found else { panic!("no interface {interface}") };
        self.stats.lock().count_more(counter, 0, index as usize, more);
    }

    /// Counts what a graph node met for a reason (`/err/NODE/REASON`). VPP has all its reasons from the start, at zero;
    /// here each comes when it is first counted.
    pub fn count_error(&self, node: &str, reason: &str, more: u64) {
        self.stats.lock().count_more_errors(node, reason, more);
    }

    /// Orders a fault. Faults that are ordered later wait until earlier ones of the same message are used up.
    pub fn fault(&self, fault: Fault) {
        self.core.lock().faults.add(fault);
    }

    /// Takes back all faults.
    pub fn clear_faults(&self) {
        self.core.lock().faults.clear();
    }

    /// How often a message came, in all lives, counting those whose reply was dropped.
    #[must_use]
    pub fn calls(&self, message: &str) -> u64 {
        self.core.lock().calls.get(message).copied().unwrap_or(0)
    }

    /// Sends an event to the clients that asked for it, as VPP does: by the request that switches it on
    /// (`want_interface_events`), which the stand-in or a test's [`on`](SimBuilder::on) did not refuse. An event that no
    /// request switches on goes to every client.
    ///
    /// Fields have the JSON form of the event; those left out are zero, but for `pid`, which is what the client gave.
    /// Fields of another release, or of another kind than the definition says, send nothing.
    pub fn send_event(&self, event: &str, fields: &Value) {
        let core = self.core.lock();
        if let Some((event, _)) = core.api.find_message(event) {
            core.send_event(event, fields);
        }
    }

    /// Asks the clients of shared memory whether they live, as VPP does with those that are silent; gives how many.
    /// [`Sim::calls`] of `memclnt_keepalive_reply` counts their answers.
    pub fn send_keepalives(&self) -> usize {
        self.core.lock().send_keepalives()
    }

    /// How many clients are connected.
    #[must_use]
    pub fn clients(&self) -> usize {
        self.core.lock().clients.iter().count()
    }

    /// Adds to every message number that is not the same in each VPP, from the next life on.
    pub fn shift_ids(&self, by: u16) {
        self.core.lock().deviations.shift = by;
    }

    /// Dies: all connections end without a word, the socket is gone, the state is lost.
    pub fn crash(&self) {
        // Nothing can go wrong here but that the thread is gone, and then all is as ordered.
        let _ = self.order(Command::Crash);
    }

    /// Begins a new life after [`Sim::crash`]: same path, nothing configured. Faults and counts stay.
    ///
    /// # Errors
    ///
    /// When the socket cannot be made again.
    pub fn start_again(&self) -> Result<(), StartError> {
        self.order(Command::StartAgain)
            .map_err(|source| StartError::Socket { socket: self.socket.clone(), source })
    }

    /// [`Sim::crash`], then [`Sim::start_again`].
    ///
    /// # Errors
    ///
    /// As [`Sim::start_again`].
    pub fn restart(&self) -> Result<(), StartError> {
        self.start_again()
    }

    /// Ends it. The same happens on drop.
    pub fn stop(self) {
        drop(self);
    }

    fn order(&self, command: Command) -> io::Result<()> {
        let gone = || io::Error::other("the stand-in's thread is gone");
        self.core.set_ending(true);
        let (done, outcome) = std_mpsc::channel();
        self.orders.send(Order { command, done }).map_err(|_| gone())?;
        outcome.recv().map_err(|_| gone())?
    }
}

impl std::fmt::Debug for Sim {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sim").field("socket", &self.socket).finish_non_exhaustive()
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        // As in crash.
        let _ = self.order(Command::Stop);
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was printed when it happened.
            let _ = thread.join();
        }
    }
}

impl SimBuilder {
    fn new(source: Definitions) -> Self {
        Self {
            source,
            socket: None,
            stats_socket: None,
            deviations: Deviations::default(),
            chunk: CHUNK,
            plugins: Vec::new(),
            host_devices: Vec::new(),
            given: Given::default(),
        }
    }

    /// Loads one more plugin: its modules come to those of the release, in the message table as in `get_api_json`. What
    /// the release has of its modules already (`ip_types`, which a plugin imports) stays the release's. Its messages are
    /// refused as all without behaviour are; see [`SimBuilder::on`].
    #[must_use]
    pub fn plugin(mut self, api: Api) -> Self {
        self.plugins.push(api);
        self
    }

    /// Does this at a message, in place of what the stand-in would do: takes the request's fields, gives its answer,
    /// both in the JSON form of the definitions. Faults go before, and sessions (`sockclnt_create`, `sockclnt_delete`)
    /// stay the stand-in's.
    ///
    /// ```
    /// # use serde_json::json;
    /// # use vpp_sim::{Answer, Sim};
    /// let sim = Sim::release("26.06").on("acl_plugin_get_version", |_| Answer::Reply(json!({"major": 1, "minor": 4})));
    /// ```
    #[must_use]
    pub fn on(mut self, message: &str, behaviour: impl Fn(&Value) -> Answer + Send + Sync + 'static) -> Self {
        self.given.0.push((message.to_owned(), Arc::new(behaviour)));
        self
    }

    /// Where clients are to connect, instead of a temporary folder.
    #[must_use]
    pub fn socket(mut self, path: impl Into<PathBuf>) -> Self {
        self.socket = Some(path.into());
        self
    }

    /// Where clients are to obtain the statistics, instead of a temporary folder.
    #[must_use]
    pub fn stats_socket(mut self, path: impl Into<PathBuf>) -> Self {
        self.stats_socket = Some(path.into());
        self
    }

    /// A device of the host on which clients can make interfaces (`af_packet_create_v3`). The stand-in looks at no real
    /// device: no packet goes through it.
    #[must_use]
    pub fn host_device(mut self, name: &str) -> Self {
        self.host_devices.push(name.to_owned());
        self
    }

    /// Leaves a module out: its plugin is not loaded.
    #[must_use]
    pub fn without_module(mut self, module: &str) -> Self {
        self.deviations.absent.push(module.to_owned());
        self
    }

    /// Tells clients another CRC of a message: it is defined differently.
    #[must_use]
    pub fn crc(mut self, message: &str, crc: u32) -> Self {
        self.deviations.crcs.insert(message.to_owned(), crc);
        self
    }

    /// Adds to every message number that is not the same in each VPP.
    #[must_use]
    pub fn shift_ids(mut self, by: u16) -> Self {
        self.deviations.shift = by;
        self
    }

    /// After how many elements a cursor stream says `EAGAIN`. Default: 1000.
    #[must_use]
    pub fn chunk(mut self, elements: u32) -> Self {
        self.chunk = elements;
        self
    }

    /// Starts it. Needs no runtime of the caller's.
    ///
    /// # Errors
    ///
    /// When the release is not pinned or the socket cannot be made; see [`StartError`].
    pub async fn start(self) -> Result<Sim, StartError> {
        let (sim, ready) = self.launch()?;
        // The thread says nothing only if it panicked; then the first connection tells.
        let _ = ready.await;
        Ok(sim)
    }

    /// Starts it, for callers that are not async.
    ///
    /// # Errors
    ///
    /// As [`SimBuilder::start`].
    pub fn start_blocking(self) -> Result<Sim, StartError> {
        // The socket listens already when this returns; who connects waits for the thread.
        Ok(self.launch()?.0)
    }

    fn launch(self) -> Result<(Sim, oneshot::Receiver<()>), StartError> {
        let api = match self.source {
            Definitions::Release(release) => Cow::Borrowed(vpp_api_json::api(&release)?),
            Definitions::Api(api) => Cow::Owned(*api),
        };
        let api = with_plugins(api, &self.plugins).map_err(|error| StartError::Plugin(Box::new(error)))?;
        let mut folder = None;
        let mut place = |chosen: Option<PathBuf>, name: &str| match (chosen, &folder) {
            (Some(path), _) => Ok::<PathBuf, StartError>(path),
            (None, Some(folder)) => Ok(TempDir::path(folder).join(name)),
            (None, None) => {
                let made = tempfile::Builder::new().prefix("vpp-sim-").tempdir_in(short_temp());
                let made = made.map_err(|source| StartError::System { what: "temporary folder", source })?;
                Ok(folder.insert(made).path().join(name))
            }
        };
        let socket = place(self.socket, "api.sock")?;
        let stats_socket = place(self.stats_socket, "stats.sock")?;
        let at = |path: &PathBuf| {
            let socket = path.clone();
            move |source| StartError::Socket { socket, source }
        };
        let listener = server::bind(&socket).map_err(at(&socket))?;
        let stats = StatsSim::at_socket(&stats_socket, server::segment(&api)).map_err(at(&stats_socket));
        // Who cannot have both gets none.
        let stats = stats.inspect_err(|_| {
            let _ = std::fs::remove_file(&socket);
        })?;
        let segment = stats.shared();
        let mut core = Core::new(api, self.deviations, self.chunk, segment.clone());
        core.vpp.host_devices.extend(self.host_devices);
        for (message, behaviour) in self.given.0 {
            if !core.give(&message, behaviour) {
                let _ = std::fs::remove_file(&socket);
                return Err(StartError::UnknownMessage { message });
            }
        }
        let core = SharedCore::new(core);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()
            .map_err(|source| StartError::System { what: "runtime", source })?;
        let (orders, queue) = mpsc::unbounded_channel();
        let (ready, is_ready) = oneshot::channel();
        let (served, path) = (core.clone(), socket.clone());
        let thread = std::thread::Builder::new()
            .name("vpp-sim".to_owned())
            .spawn(move || {
                runtime.block_on(async move {
                    // Nobody waits when the start was given up.
                    let _ = ready.send(());
                    server::serve(served, path, listener, stats, queue).await;
                });
            })
            .map_err(|source| StartError::System { what: "thread", source })?;
        let sim =
            Sim { core, socket, stats_socket, stats: segment, orders, thread: Some(thread), _folder: folder };
        Ok((sim, is_ready))
    }
}

/// The definitions of a VPP that has loaded more plugins.
fn with_plugins<'a>(vpp: Cow<'a, Api>, plugins: &[Api]) -> Result<Cow<'a, Api>, vpp_schema::ReadError> {
    if plugins.is_empty() {
        return Ok(vpp);
    }
    let mut sources = vpp.to_pins();
    for plugin in plugins {
        for source in plugin.to_pins() {
            if !sources.iter().any(|known| known.name == source.name) {
                sources.push(source);
            }
        }
    }
    let mut api = Api::from_sources(&sources)?;
    api.release.clone_from(&vpp.release);
    Ok(Cow::Owned(api))
}
