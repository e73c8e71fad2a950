//! Clients of shared memory.

use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags};
use tokio::io::Interest;
use tokio::net::unix::OwnedWriteHalf;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use vpp_conn::frame;
use vpp_conn::shared_memory::{SendError, ServerSegment};
use vpp_wire::Decoder;

use crate::clients::{ConnectionId, Outgoing};
use crate::core::framed;
use crate::shared_core::SharedCore;

const SOCK_INIT_SHM: u16 = 19;
const SOCK_INIT_SHM_REPLY: u16 = 20;
const CREATE: u16 = 1;
const CREATE_V2: u16 = 25;
const DELETE: u16 = 3;
const DELETE_REPLY: u16 = 4;
const KEEPALIVE_REPLY: u16 = 22;

/// What VPP's shared-memory library says of a segment that cannot be made.
const NO_SIZE: i32 = -101;
const CREATE_FAILED: i32 = -102;

/// How long the whole stand-in waits for room in a client's queue before it looks whether it is to end.
const STANDSTILL: Duration = Duration::from_millis(5);

/// A client whose messages go through a segment.
pub(crate) struct MemoryClient {
    segment: Arc<ServerSegment>,
    /// The client's socket.
    socket: UnboundedSender<Outgoing>,
    /// The client in the segment, once it has said what it is.
    client: Option<ConnectionId>,
}

impl MemoryClient {
    /// Whether a message asks for a segment.
    pub(crate) fn is_asked_for(message: &[u8]) -> bool {
        id(message) == Some(SOCK_INIT_SHM)
    }

    /// Makes a segment and sends it, or says why not.
    pub(crate) fn begin(message: &[u8], socket: &UnboundedSender<Outgoing>) -> Option<Self> {
        let mut input = Decoder::new(message);
        let (_id, _client_index): (u16, [u8; 4]) = (input.read(), input.bytes());
        let context: [u8; 4] = input.bytes();
        let size = u32::from_ne_bytes(input.bytes());
        let count: u8 = input.read();
        let words = input.byte_list("configs", usize::from(count) * 8);
        if input.finish().is_err() {
            return None;
        }
        let words: Vec<_> = words.chunks_exact(8).filter_map(|word| word.first_chunk()).collect();
        let words: Vec<_> = words.into_iter().map(|word| u64::from_ne_bytes(*word)).collect();
        let made = match size {
            0 => Err(NO_SIZE),
            _ => ServerSegment::create(size, &words).map_err(|error| {
                tracing::error!(%error, "VPP would have ended");
                CREATE_FAILED
            }),
        };
        let retval = made.as_ref().err().copied().unwrap_or(0);
        let reply = [&SOCK_INIT_SHM_REPLY.to_be_bytes()[..], &context, &retval.to_be_bytes()].concat();
        // A connection that just ended takes nothing more.
        let _gone = socket.send(Outgoing::Bytes(framed(reply)));
        let (segment, file) = made.ok()?;
        let _gone = socket.send(Outgoing::Descriptor(file));
        Some(Self { segment: Arc::new(segment), socket: socket.clone(), client: None })
    }

    /// Handles one request, as VPP does each time it is woken.
    pub(crate) fn handle_one(&mut self, core: &SharedCore) {
        let message = match self.segment.next_request() {
            Ok(Some(message)) => message,
            Ok(None) => return,
            Err(fault) => {
                tracing::error!(%fault, "a client's shared memory; VPP would have ended");
                let _gone = self.socket.send(Outgoing::Close);
                return;
            }
        };
        match (id(&message), self.client) {
            (Some(CREATE | CREATE_V2), _) => self.create(core, &message),
            (Some(DELETE), Some(client)) => self.delete(core, client, &message),
            (Some(KEEPALIVE_REPLY), _) => core.lock().count("memclnt_keepalive_reply"),
            (_, None) => {}
            (_, Some(client)) => {
                let mut core = core.lock();
                core.receive(client, &message);
                core.flush_events();
            }
        }
    }

    fn create(&mut self, core: &SharedCore, message: &[u8]) {
        let mut input = Decoder::new(message);
        let (id, context, _quota): (u16, [u8; 4], [u8; 4]) = (input.read(), input.bytes(), input.bytes());
        let queue = u64::from_ne_bytes(input.bytes());
        if let Err(fault) = self.segment.set_client_queue(queue) {
            tracing::error!(%fault, "VPP would have ended");
            return;
        }
        let (outgoing, queue) = mpsc::unbounded_channel();
        let index = {
            let mut core = core.lock();
            core.count(if id == CREATE { "memclnt_create" } else { "memclnt_create_v2" });
            let client = core.clients.connected(outgoing.clone());
            self.client = Some(client);
            core.clients.create_in_memory(client)
        };
        tokio::spawn(write(core.clone(), Arc::clone(&self.segment), self.socket.clone(), queue));
        // Handle and message table are VPP's own addresses; no client needs them.
        let (response, handle, table) = ([0; 4], [0x5a; 8], [0; 8]);
        let reply = [&(id + 1).to_be_bytes()[..], &context, &response, &handle, &index, &table].concat();
        let _gone = outgoing.send(Outgoing::Bytes(framed(reply)));
    }

    fn delete(&mut self, core: &SharedCore, client: ConnectionId, message: &[u8]) {
        let mut input = Decoder::new(message);
        let (_id, _index, handle): (u16, [u8; 4], [u8; 8]) = (input.read(), input.bytes(), input.bytes());
        let silent: u8 = input.read();
        let mut core = core.lock();
        core.count("memclnt_delete");
        if silent == 0
            && let Some(outgoing) = core.clients.outgoing(client)
        {
            let reply = [&DELETE_REPLY.to_be_bytes()[..], &1i32.to_ne_bytes(), &handle].concat();
            let _gone = outgoing.send(Outgoing::Bytes(framed(reply)));
        }
        core.disconnected(client);
        self.client = None;
    }

    /// The client's socket has closed.
    pub(crate) fn end(self, core: &SharedCore) {
        if let Some(client) = self.client {
            core.lock().disconnected(client);
        }
    }
}

/// Puts messages into a client's queue. While that is full everything stands still, as VPP's main thread does.
async fn write(
    core: SharedCore,
    segment: Arc<ServerSegment>,
    socket: UnboundedSender<Outgoing>,
    mut queue: UnboundedReceiver<Outgoing>,
) {
    while let Some(outgoing) = queue.recv().await {
        match outgoing {
            Outgoing::Bytes(message) => {
                let message = message.get(frame::HEADER_LEN..).unwrap_or(&message);
                loop {
                    match segment.send(message) {
                        Ok(()) => break,
                        Err(SendError::Full) if !core.is_ending() && !socket.is_closed() => {
                            segment.wait_for_room(STANDSTILL);
                        }
                        Err(error) => {
                            tracing::error!(%error, "a client's shared memory");
                            let _gone = socket.send(Outgoing::Close);
                            return;
                        }
                    }
                }
            }
            Outgoing::Wait(time) => tokio::time::sleep(time).await,
            Outgoing::Descriptor(_) => {}
            Outgoing::Close => {
                let _gone = socket.send(Outgoing::Close);
                return;
            }
        }
    }
}

/// Sends a descriptor in VPP's way: five bytes that it comes along with.
pub(crate) async fn pass_descriptor(stream: &OwnedWriteHalf, file: &OwnedFd) -> io::Result<()> {
    let stream = stream.as_ref();
    loop {
        stream.writable().await?;
        let send = || {
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
            let mut control = SendAncillaryBuffer::new(&mut space);
            let files = [file.as_fd()];
            control.push(SendAncillaryMessage::ScmRights(&files));
            let bytes = [IoSlice::new(b"fdmsg")];
            Ok(rustix::net::sendmsg(stream, &bytes, &mut control, SendFlags::NOSIGNAL)?)
        };
        match stream.try_io(Interest::WRITABLE, send) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            outcome => return outcome.map(drop),
        }
    }
}

fn id(message: &[u8]) -> Option<u16> {
    message.first_chunk().map(|id| u16::from_be_bytes(*id))
}
