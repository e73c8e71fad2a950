//! How a client of VPP's socket becomes one of its shared memory.

use std::io::{self, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags};
use tokio::io::Interest;
use tokio::net::UnixStream;

use crate::connect::{Transport, io_cause, send};
use crate::error::{ConnectCause, NotVpp};
use crate::frame;
use crate::handshake::shared_memory as messages;
use crate::settings::Settings;
use crate::shared_memory::{Incoming, Segment, SegmentFault};
use crate::table::MessageTable;
use crate::transport::{Doors, SharedMemory, Socket};

fn refused(reason: String) -> ConnectCause {
    ConnectCause::NoSharedMemory(reason.into())
}

/// How often an answer in shared memory is looked for while connecting. VPP is woken, so the first look behind the
/// first wait finds it.
const LOOK_AGAIN: Duration = Duration::from_micros(200);

/// Requests that go over the socket, by the beginning of their names.
const BY_SOCKET: [&str; 9] = [
    // Their answers have no bound, and a segment that runs out of memory ends VPP.
    "cli_inband",
    "get_api_json",
    // What VPP says outside of the handling of a request it writes into its own memory, where no client of a private
    // segment can read: events, and answers that come later.
    "want_",
    "dhcp_client_config",
    "dhcp6_",
    "dns_resolve_",
    "nat44_ei_ha_",
    // Descriptors come over the socket, and VPP keeps the application by its client.
    "app_",
    "session_",
];

/// Asks VPP for a segment and maps it.
pub(crate) async fn segment(
    stream: &UnixStream,
    client_index: [u8; 4],
    settings: &Settings,
) -> Result<Arc<Segment>, ConnectCause> {
    let config = &settings.shared_memory;
    let message = messages::init(client_index, config.segment_size(), &config.words());
    let header = frame::header(message.len()).unwrap_or_default();
    send(stream, &[&header[..], &message].concat()).await?;

    // To the byte: VPP waits until the answer is read before it sends the descriptor, and a plain read would lose it.
    let mut answer = [0; frame::HEADER_LEN + 10];
    receive(stream, &mut answer).await?;
    match messages::initialised(&answer[frame::HEADER_LEN..]) {
        Some(0) => {}
        Some(retval) => return Err(refused(format!("VPP refused it with {retval}"))),
        None => {
            let id = u16::from_be_bytes([answer[frame::HEADER_LEN], answer[frame::HEADER_LEN + 1]]);
            return Err(ConnectCause::NotVpp(NotVpp::Answer { id, len: 10 }));
        }
    }
    let mut word = [0; messages::DESCRIPTOR.len()];
    let file = receive(stream, &mut word).await?;
    match file {
        Some(file) if word == *messages::DESCRIPTOR => {
            Segment::attach(file.as_fd(), config).map_err(|error| refused(error.to_string()))
        }
        _ => Err(refused("VPP sent no descriptor of it".to_owned())),
    }
}

/// Introduces the client in its segment.
pub(crate) async fn client(
    socket: Socket,
    segment: Arc<Segment>,
    table: &MessageTable,
    settings: &Settings,
) -> Result<SharedMemory, ConnectCause> {
    let fault = |error: SegmentFault| refused(error.to_string());
    let is_for_socket = |name: &str| BY_SOCKET.iter().any(|start| name.starts_with(start));
    let by_socket: Vec<_> =
        table.iter().filter(|entry| is_for_socket(&entry.name)).map(|entry| entry.id).collect();
    let id = |name| table.get(name).map(|entry| entry.id);
    let doors =
        Doors::new(settings.transport == Transport::Auto, id("control_ping").zip(id("control_ping_reply")));
    let mut shared = SharedMemory::new(socket, Arc::clone(&segment), &by_socket, doors);
    shared.introduce(&messages::create(
        &settings.name,
        segment.receive_queue(),
        table.get("memclnt_create_v2").is_some(),
    ));
    loop {
        shared.enqueue().map_err(fault)?;
        let mut address = [0];
        if segment.dequeue(&mut address).map_err(fault)? == 0 {
            tokio::time::sleep(LOOK_AGAIN).await;
            shared.ring_again();
            continue;
        }
        let message = match segment.message(address[0]).map_err(fault)? {
            Incoming::InPlace(slot) => slot.to_vec(),
            Incoming::Copied(bytes) | Incoming::FromHeap(bytes, _) => bytes.to_vec(),
            Incoming::Elsewhere => return Err(refused("VPP answered outside of it".to_owned())),
        };
        match messages::created(&message) {
            Some(Ok(client)) => {
                shared.welcomed(client);
                return Ok(shared);
            }
            Some(Err(response)) => return Err(ConnectCause::Refused(response)),
            None => {
                let id = message.first_chunk().map_or(0, |id| u16::from_be_bytes(*id));
                return Err(ConnectCause::NotVpp(NotVpp::Answer { id, len: message.len() }));
            }
        }
    }
}

/// Fills a place from the socket; gives a descriptor that came along.
async fn receive(stream: &UnixStream, place: &mut [u8]) -> Result<Option<OwnedFd>, ConnectCause> {
    let mut file = None;
    let mut filled = 0;
    while filled < place.len() {
        let read = || {
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(4))];
            let mut control = RecvAncillaryBuffer::new(&mut space);
            let mut pieces = [IoSliceMut::new(&mut place[filled..])];
            let got = rustix::net::recvmsg(
                stream,
                &mut pieces,
                &mut control,
                RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC,
            )?;
            let files = control.drain().filter_map(|message| match message {
                RecvAncillaryMessage::ScmRights(files) => Some(files),
                _ => None,
            });
            // All are taken, so that those too many are closed.
            Ok((got.bytes, files.flatten().last()))
        };
        stream.readable().await.map_err(io_cause)?;
        match stream.try_io(Interest::READABLE, read) {
            Ok((0, _)) => return Err(ConnectCause::NotVpp(NotVpp::Closed)),
            Ok((len, found)) => {
                filled += len;
                file = found.or(file);
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(io_cause(error)),
        }
    }
    Ok(file)
}
