#![allow(clippy::unwrap_used)] // a test's own fault, and the test says where
#![allow(dead_code)] // each test file uses a part of it
//! A peer that speaks as much of VPP's socket protocol as a test scripts.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use vpp_conn::RawMessage;
use vpp_wire::Header;

/// The client index the peer gives.
pub(crate) const CLIENT_INDEX: [u8; 4] = [0x80, 0, 0, 7];

pub(crate) const PING: RawMessage<'static> =
    RawMessage { name: "control_ping", crc: 0x5107_7d14, header: Header::ClientContext };
pub(crate) const PING_REPLY: RawMessage<'static> =
    RawMessage { name: "control_ping_reply", crc: 0xf6b0_b8ca, header: Header::Context };
pub(crate) const ASK: RawMessage<'static> = RawMessage { name: "ask", crc: 1, header: Header::ClientContext };
pub(crate) const ASK_REPLY: RawMessage<'static> =
    RawMessage { name: "ask_reply", crc: 2, header: Header::Context };
pub(crate) const LIST: RawMessage<'static> =
    RawMessage { name: "list", crc: 3, header: Header::ClientContext };
pub(crate) const LIST_DETAILS: RawMessage<'static> =
    RawMessage { name: "list_details", crc: 4, header: Header::Context };
pub(crate) const LIST_REPLY: RawMessage<'static> =
    RawMessage { name: "list_reply", crc: 5, header: Header::Context };
pub(crate) const EVENT: RawMessage<'static> =
    RawMessage { name: "news_event", crc: 6, header: Header::Client };

/// Ids that the peer gives, by position from 100.
const TABLE: [RawMessage<'static>; 8] =
    [PING, PING_REPLY, ASK, ASK_REPLY, LIST, LIST_DETAILS, LIST_REPLY, EVENT];

pub(crate) fn id(message: RawMessage<'_>) -> u16 {
    100 + TABLE.iter().position(|known| known.name == message.name).unwrap() as u16
}

/// A request as it came.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Request {
    pub(crate) id: u16,
    pub(crate) context: u32,
    pub(crate) payload: Vec<u8>,
}

impl Request {
    pub(crate) fn is(&self, message: RawMessage<'_>) -> bool {
        self.id == id(message)
    }
}

/// A message with its frame header; the header's unused words are junk, as VPP's are.
pub(crate) fn frame(message: &[u8]) -> Vec<u8> {
    let mut frame = vec![0xa5; 16];
    frame[8..12].copy_from_slice(&(message.len() as u32).to_be_bytes());
    frame.extend_from_slice(message);
    frame
}

/// An answer that carries its context right behind the id.
pub(crate) fn answer(message: RawMessage<'_>, context: u32, payload: &[u8]) -> Vec<u8> {
    frame(&[&id(message).to_be_bytes()[..], &context.to_be_bytes(), payload].concat())
}

pub(crate) fn event(payload: &[u8]) -> Vec<u8> {
    frame(&[&id(EVENT).to_be_bytes()[..], &CLIENT_INDEX, payload].concat())
}

/// The peer's side of a connection.
pub(crate) struct Wire {
    stream: UnixStream,
    /// How many bytes it sends before it closes.
    left: usize,
}

impl Wire {
    fn new(stream: UnixStream) -> Self {
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        Self { stream, left: usize::MAX }
    }

    /// Closes behind so many more bytes.
    pub(crate) fn close_after(&mut self, bytes: usize) {
        self.left = bytes;
        self.send(&[]);
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        let sent = bytes.len().min(self.left);
        // A client that has left is no fault of the peer.
        let _gone = self.stream.write_all(&bytes[..sent]);
        self.left -= sent;
        if self.left == 0 {
            let _gone = self.stream.shutdown(std::net::Shutdown::Both);
        }
    }

    /// The next request; `None` when the client closed.
    pub(crate) fn receive(&mut self) -> Option<Request> {
        let message = self.frame()?;
        let context = message.get(6..10).map_or(0, |context| u32::from_be_bytes(context.try_into().unwrap()));
        assert_eq!(message[2..6], CLIENT_INDEX, "every request carries the client's index");
        Some(Request {
            id: u16::from_be_bytes([message[0], message[1]]),
            context,
            payload: message.get(10..).unwrap_or_default().to_vec(),
        })
    }

    /// A second hand on the same connection.
    pub(crate) fn second(&self) -> Self {
        Self { stream: self.stream.try_clone().unwrap(), left: self.left }
    }

    /// The next message, whatever it is; `None` when the client closed.
    pub(crate) fn receive_any(&mut self) -> Option<Vec<u8>> {
        self.frame()
    }

    fn frame(&mut self) -> Option<Vec<u8>> {
        let mut header = [0; 16];
        match self.stream.read_exact(&mut header) {
            Ok(()) => {}
            Err(error)
                if matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset)
                    || self.left == 0 =>
            {
                return None;
            }
            Err(error) => panic!("{error}"),
        }
        let len = u32::from_be_bytes(header[8..12].try_into().unwrap());
        let mut message = vec![0; len as usize];
        self.stream.read_exact(&mut message).unwrap();
        Some(message)
    }

    /// Answers the handshake; gives the client's name.
    pub(crate) fn handshake(&mut self) -> Option<String> {
        let message = self.frame()?;
        assert_eq!((message.len(), &message[..2]), (70, &[0, 15][..]));
        let name = String::from_utf8(message[6..].to_vec()).unwrap().trim_end_matches('\0').to_owned();
        let mut reply = [&[0, 16][..], &[0; 4], &message[2..6], &[0; 4], &CLIENT_INDEX].concat();
        reply.extend((TABLE.len() as u16).to_be_bytes());
        for message in TABLE {
            reply.extend(id(message).to_be_bytes());
            let mut row = format!("{}_{:08x}", message.name, message.crc).into_bytes();
            row.resize(64, 0);
            reply.extend(row);
        }
        self.send(&frame(&reply));
        Some(name)
    }

    /// Reads until the client says good-bye, answers it, and gives what came before.
    pub(crate) fn until_goodbye(&mut self) -> Vec<Request> {
        let mut before = Vec::new();
        while let Some(request) = self.receive() {
            if request.id == 17 {
                assert_eq!(request.payload, CLIENT_INDEX);
                let reply = [&[0, 18][..], &request.context.to_be_bytes(), &1i32.to_be_bytes()].concat();
                self.send(&frame(&reply));
                return before;
            }
            before.push(request);
        }
        panic!("the client closed without a good-bye");
    }
}

/// A peer on a socket of its own, for one client.
pub(crate) struct Peer {
    folder: tempfile::TempDir,
    thread: Option<JoinHandle<()>>,
    name: Receiver<String>,
}

impl Peer {
    /// A peer that runs `script` behind the handshake. What the script panics of is the test's when it joins.
    pub(crate) fn start(script: impl FnOnce(&mut Wire) + Send + 'static) -> Self {
        let (told, name) = channel();
        Self::start_unscripted(name, move |mut wire| {
            if let Some(name) = wire.handshake() {
                told.send(name).unwrap();
                script(&mut wire);
            }
        })
    }

    /// A peer that is no VPP; it runs `script` when the client has introduced itself.
    pub(crate) fn impostor(script: impl FnOnce(UnixStream) + Send + 'static) -> Self {
        Self::start_unscripted(channel().1, |mut wire| {
            wire.frame();
            script(wire.stream);
        })
    }

    fn start_unscripted(name: Receiver<String>, script: impl FnOnce(Wire) + Send + 'static) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join("api.sock")).unwrap();
        let thread = std::thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            script(Wire::new(stream));
        });
        Self { folder, thread: Some(thread), name }
    }

    /// A peer for one client after the other, until `script`, which is told the client's number, says that it was the
    /// last. No handshake was made.
    pub(crate) fn serve(mut script: impl FnMut(usize, &mut Wire) -> bool + Send + 'static) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join("api.sock")).unwrap();
        let thread = std::thread::spawn(move || {
            for number in 0.. {
                let (stream, _) = listener.accept().unwrap();
                if !script(number, &mut Wire::new(stream)) {
                    return;
                }
            }
        });
        Self { folder, thread: Some(thread), name: channel().1 }
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join("api.sock")
    }

    /// The name the client gave.
    pub(crate) fn client_name(&self) -> String {
        self.name.recv().unwrap()
    }

    /// Waits for the script's end.
    pub(crate) fn join(mut self) {
        self.thread.take().unwrap().join().unwrap();
    }
}
