//! A segment as VPP hands it out: over a socket, as a file descriptor.

use std::io::{self, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{SealFlags, fcntl_add_seals, fcntl_get_seals, fstat};
use rustix::io::Errno;
use rustix::net::sockopt::{Timeout, set_socket_timeout, socket_peercred};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SocketAddrUnix, SocketFlags,
    SocketType, connect, recvmsg, socket_with,
};
use rustix::process::{PidfdFlags, pidfd_open};

use super::error::StatsCause;
use super::layout::Layout;
use super::memory::{Bytes, File, Mapped, Source, with_memory};
use crate::connect::cause_of;

/// The statistics of one life of a VPP.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) source: Source,
    pub(super) layout: Layout,
    /// Device and number of the file: what tells one VPP's segment from that of the next.
    pub(super) identity: (u64, u64),
    /// Becomes readable when the VPP ends; where the system can say.
    process: Option<OwnedFd>,
}

impl Segment {
    /// The identity of a copy, which comes from no VPP. No file has it.
    pub(super) const COPY: (u64, u64) = (0, 0);

    /// Asks the VPP at a socket for its segment. Waits for as long as the timeout, once to connect and once for VPP.
    pub(super) fn obtain(path: &Path, timeout: Duration) -> Result<Self, StatsCause> {
        let address = SocketAddrUnix::new(path).map_err(io_cause)?;
        let socket = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
            .map_err(io_cause)?;
        set_socket_timeout(&socket, Timeout::Send, Some(timeout)).map_err(io_cause)?;
        set_socket_timeout(&socket, Timeout::Recv, Some(timeout)).map_err(io_cause)?;
        connect(&socket, &address).map_err(|error| match error {
            // So many wait to be taken that there is no place in the queue.
            Errno::AGAIN => StatsCause::TimedOut(timeout),
            error => StatsCause::Socket(cause_of(path, error.into())),
        })?;
        let fd = receive(&socket).map_err(|error| match error {
            Errno::AGAIN => StatsCause::TimedOut(timeout),
            error => io_cause(error),
        })?;
        let fd = fd.ok_or(StatsCause::NoSegment)?;
        Self::of_file(fd, watch(&socket))
    }

    /// The segment in a file.
    fn of_file(fd: OwnedFd, process: Option<OwnedFd>) -> Result<Self, StatsCause> {
        let stat = fstat(&fd).map_err(io_cause)?;
        let len = u64::try_from(stat.st_size).unwrap_or(0);
        // A file that can shrink under a mapping kills who looks. VPP seals its own, but not in huge pages; there we
        // may do it, as it never shrinks.
        let is_sealed = || fcntl_get_seals(&fd).is_ok_and(|seals| seals.contains(SealFlags::SHRINK));
        let can_be_mapped = is_sealed() || fcntl_add_seals(&fd, SealFlags::SHRINK).is_ok();
        // The length is asked again, as it holds only from the seal on.
        let len = if can_be_mapped { fstat(&fd).map_or(len, |stat| stat.st_size as u64) } else { len };
        let source = match usize::try_from(len) {
            Ok(map_len) if can_be_mapped && map_len > 0 => {
                Source::Mapped(Mapped::new(&fd, map_len).map_err(|error| StatsCause::Io(Arc::new(error)))?)
            }
            _ => {
                tracing::warn!("the statistics segment is not sealed; it is read by system calls");
                Source::File(File::new(fd, len))
            }
        };
        Self::of_source(source, (stat.st_dev, stat.st_ino), process)
    }

    /// A copy of a segment.
    pub(super) fn of_bytes(bytes: Vec<u8>) -> Result<Self, StatsCause> {
        Self::of_source(Source::Bytes(Bytes::new(bytes)), Self::COPY, None)
    }

    fn of_source(source: Source, identity: (u64, u64), process: Option<OwnedFd>) -> Result<Self, StatsCause> {
        let layout = with_memory!(&source, memory => Layout::of(memory))?;
        Ok(Self { source, layout, identity, process })
    }

    /// Whether the process that handed it out runs; `None` where the system cannot say.
    pub(super) fn is_process_alive(&self) -> Option<bool> {
        self.process.as_ref().map(|process| !has_ended(process))
    }
}

/// The descriptor that VPP sends, with a packet of no bytes.
fn receive(socket: &OwnedFd) -> Result<Option<OwnedFd>, Errno> {
    let mut byte = [0];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    loop {
        match recvmsg(socket, &mut [IoSliceMut::new(&mut byte)], &mut control, RecvFlags::CMSG_CLOEXEC) {
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
            Ok(_) => break,
        }
    }
    Ok(control.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut fds) => fds.next(),
        _ => None,
    }))
}

/// What tells that the process at the other end of a socket ends.
fn watch(socket: &OwnedFd) -> Option<OwnedFd> {
    let pid = socket_peercred(socket).ok()?.pid;
    let process = pidfd_open(pid, PidfdFlags::empty()).ok()?;
    // It may have handed the socket to another process; then it tells nothing.
    (!has_ended(&process)).then_some(process)
}

fn has_ended(process: impl AsFd) -> bool {
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    let mut fds = [PollFd::new(&process, PollFlags::IN)];
    matches!(poll(&mut fds, Some(&now)), Ok(1..))
}

fn io_cause(error: Errno) -> StatsCause {
    StatsCause::Io(Arc::new(io::Error::from(error)))
}
