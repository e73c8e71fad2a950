//! The socket that hands the segment out.

use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use rustix::io::Errno;
use rustix::net::{
    AddressFamily, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, Shutdown, SocketAddrUnix,
    SocketFlags, SocketType, accept_with, bind, connect, listen, sendmsg, shutdown, socket_with,
};
use tempfile::TempDir;

use super::format::Format;
use super::segment::Segment;
use crate::private_vpp::short_temp;

/// As VPP's.
const BACKLOG: i32 = 5;

/// What the socket does with those who connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handing {
    /// Hands the segment out and hangs up, as VPP does.
    Segment,
    /// Hangs up, as what is no VPP might.
    Nothing,
    /// Says nothing for ever, as a VPP whose main thread is stuck.
    Stuck,
}

/// A stand-in for VPP's statistics, with a socket of its own. Ends with the value.
#[derive(Debug)]
pub struct StatsSim {
    shared: Arc<Shared>,
    socket: PathBuf,
    life: Option<Life>,
    _folder: Option<TempDir>,
}

#[derive(Debug)]
struct Shared {
    segment: Mutex<Segment>,
    handing: Mutex<Handing>,
}

/// A segment that others than its server look at and change.
#[derive(Clone, Debug)]
pub(crate) struct SharedSegment(Arc<Shared>);

impl SharedSegment {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Segment> {
        self.0.segment()
    }
}

/// A socket with the thread that serves it.
#[derive(Debug)]
struct Life {
    listener: Arc<OwnedFd>,
    thread: JoinHandle<()>,
}

impl StatsSim {
    /// Starts one with a segment of this layout, in a temporary folder.
    ///
    /// # Errors
    ///
    /// When the system gives no folder, memory, socket or thread.
    pub fn start(format: Format) -> io::Result<Self> {
        Self::with_segment(Segment::new(format))
    }

    /// Starts one with this segment.
    ///
    /// # Errors
    ///
    /// As [`StatsSim::start`].
    pub fn with_segment(segment: Segment) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("vpp-sim-").tempdir_in(short_temp())?;
        let socket = folder.path().join("stats.sock");
        Self::at(socket, segment, Some(folder))
    }

    /// Starts one at a path. A socket that nobody listens on any more is removed from there.
    ///
    /// # Errors
    ///
    /// As [`StatsSim::start`]; and when something else is at the path.
    pub fn at_socket(socket: impl Into<PathBuf>, segment: Segment) -> io::Result<Self> {
        Self::at(socket.into(), segment, None)
    }

    fn at(socket: PathBuf, segment: Segment, folder: Option<TempDir>) -> io::Result<Self> {
        let shared = Arc::new(Shared { segment: Mutex::new(segment), handing: Mutex::new(Handing::Segment) });
        let mut sim = Self { shared, socket, life: None, _folder: folder };
        sim.begin(true)?;
        Ok(sim)
    }

    /// Where clients connect.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// The segment, to look at and to change. Clients see each change when it is made.
    pub fn segment(&self) -> MutexGuard<'_, Segment> {
        self.shared.segment()
    }

    /// The segment of this life and later ones.
    pub(crate) fn shared(&self) -> SharedSegment {
        SharedSegment(Arc::clone(&self.shared))
    }

    /// What is done with those who connect from now on.
    pub fn hand_out(&self, handing: Handing) {
        *self.shared.handing.lock().unwrap_or_else(PoisonError::into_inner) = handing;
    }

    /// Dies: the socket is gone, and nobody writes the segment any more.
    pub fn kill(&mut self) {
        if let Some(Life { listener, thread }) = self.life.take() {
            let _ = std::fs::remove_file(&self.socket);
            // Ends the wait for a client. It cannot fail on a socket that listens.
            let _ = shutdown(&*listener, Shutdown::Both);
            // A panic of the thread was printed when it happened.
            let _ = thread.join();
        }
    }

    /// Begins a new life with another segment, on the same path.
    ///
    /// # Errors
    ///
    /// As [`StatsSim::start`].
    pub fn start_again(&mut self, segment: Segment) -> io::Result<()> {
        self.kill();
        *self.shared.segment() = segment;
        self.begin(true)
    }

    /// As [`StatsSim::start_again`], with a file that is not sealed and can be cut.
    ///
    /// # Errors
    ///
    /// As [`StatsSim::start`].
    pub fn start_again_unsealed(&mut self, segment: Segment) -> io::Result<()> {
        self.kill();
        *self.shared.segment() = segment;
        self.begin(false)
    }

    /// Cuts the file. Where it is sealed the system refuses.
    ///
    /// # Errors
    ///
    /// When the system refuses.
    pub fn cut(&self, len: u64) -> io::Result<()> {
        match self.shared.segment().store().file() {
            Some(file) => Ok(rustix::fs::ftruncate(file, len)?),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn begin(&mut self, is_sealed: bool) -> io::Result<()> {
        self.shared.segment().store().share(is_sealed)?;
        let listener = socket()?;
        let address = SocketAddrUnix::new(&self.socket)?;
        match bind(&listener, &address) {
            Err(Errno::ADDRINUSE) if connect(&socket()?, &address) == Err(Errno::CONNREFUSED) => {
                std::fs::remove_file(&self.socket)?;
                bind(&listener, &address)?;
            }
            outcome => outcome?,
        }
        listen(&listener, BACKLOG)?;
        let listener = Arc::new(listener);
        let (shared, served) = (self.shared.clone(), listener.clone());
        let thread = std::thread::Builder::new().name("vpp-sim-stats".to_owned()).spawn(move || {
            // Those who are kept waiting.
            let mut waiting = Vec::new();
            while let Ok(client) = accept_with(&*served, SocketFlags::CLOEXEC) {
                match *shared.handing.lock().unwrap_or_else(PoisonError::into_inner) {
                    Handing::Stuck => waiting.push(client),
                    Handing::Nothing => {}
                    Handing::Segment => {
                        // A client that went away meanwhile is no concern of ours.
                        let _ = hand_out(&client, &mut shared.segment());
                    }
                }
            }
        })?;
        self.life = Some(Life { listener, thread });
        Ok(())
    }
}

impl Shared {
    fn segment(&self) -> MutexGuard<'_, Segment> {
        // A test that panicked while it had the segment leaves one that can still be looked at.
        self.segment.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for StatsSim {
    fn drop(&mut self) {
        self.kill();
    }
}

fn socket() -> io::Result<OwnedFd> {
    Ok(socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?)
}

/// Sends the descriptor, with a packet of no bytes.
fn hand_out(client: &OwnedFd, segment: &mut Segment) -> io::Result<()> {
    let Some(file) = segment.store().file() else { return Ok(()) };
    let files = [file];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    control.push(SendAncillaryMessage::ScmRights(&files));
    sendmsg(client, &[IoSlice::new(&[])], &mut control, SendFlags::NOSIGNAL)?;
    Ok(())
}
