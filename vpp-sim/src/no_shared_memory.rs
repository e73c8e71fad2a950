//! Where there is no shared memory in VPP's form, nobody becomes a client of it.

use std::io;
use std::os::fd::OwnedFd;

use tokio::net::unix::OwnedWriteHalf;
use tokio::sync::mpsc::UnboundedSender;

use crate::clients::Outgoing;
use crate::shared_core::SharedCore;

/// A client that there is not.
pub(crate) enum MemoryClient {}

impl MemoryClient {
    pub(crate) fn is_asked_for(_message: &[u8]) -> bool {
        false
    }

    pub(crate) fn begin(_message: &[u8], _socket: &UnboundedSender<Outgoing>) -> Option<Self> {
        None
    }

    pub(crate) fn handle_one(&mut self, _core: &SharedCore) {
        match *self {}
    }

    pub(crate) fn end(self, _core: &SharedCore) {
        match self {}
    }
}

pub(crate) async fn pass_descriptor(_stream: &OwnedWriteHalf, _file: &OwnedFd) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
