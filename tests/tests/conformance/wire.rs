//! The protocol byte by byte, with nothing between the test and the socket.

use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use vpp_conn::Connection;
use vppkit_tests::limit;

/// Longer than any answer takes.
const TIMEOUT: Duration = limit(10);

/// Long enough to be sure that nothing comes.
const SILENCE: Duration = Duration::from_millis(200);

const CREATE: u16 = 15;
const CREATE_REPLY: u16 = 16;
const DELETE: u16 = 17;
const DELETE_REPLY: u16 = 18;
const PING: u16 = 23;
const PING_REPLY: u16 = 24;

/// A client that was written by hand.
struct Client {
    stream: UnixStream,
    index: [u8; 4],
    table: Vec<u8>,
}

impl Client {
    fn connect(path: &Path) -> Self {
        let mut client = Self::without_handshake(path);
        client.send(&[&CREATE.to_be_bytes(), b"ctx0", b"wire", &[0; 60]]);
        let reply = client.receive();
        assert_eq!(reply[..2], CREATE_REPLY.to_be_bytes());
        assert_eq!(&reply[6..10], b"ctx0");
        assert_eq!(reply[10..14], [0; 4], "response");
        client.index.copy_from_slice(&reply[14..18]);
        client.table = reply[18..].to_vec();
        client
    }

    fn without_handshake(path: &Path) -> Self {
        let stream = UnixStream::connect(path).unwrap();
        stream.set_read_timeout(Some(TIMEOUT)).unwrap();
        Self { stream, index: [0; 4], table: Vec::new() }
    }

    /// Sends a message in a frame whose meaningless words hold junk.
    fn send(&mut self, parts: &[&[u8]]) {
        self.stream.write_all(&frame(parts)).unwrap();
    }

    /// A request with a context and whatever follows.
    fn request(&mut self, id: u16, context: [u8; 4], rest: &[u8]) {
        let index = self.index;
        self.send(&[&id.to_be_bytes(), &index, &context, rest]);
    }

    fn receive(&mut self) -> Vec<u8> {
        self.try_receive().unwrap()
    }

    fn try_receive(&mut self) -> io::Result<Vec<u8>> {
        let mut header = [0; 16];
        self.stream.read_exact(&mut header)?;
        let len = u32::from_be_bytes(header[8..12].try_into().unwrap());
        let mut message = vec![0; len as usize];
        self.stream.read_exact(&mut message)?;
        Ok(message)
    }

    fn ping(&mut self, context: [u8; 4]) {
        self.request(PING, context, &[]);
        let reply = self.receive();
        assert_eq!(reply.len(), 18);
        assert_eq!(reply[..2], PING_REPLY.to_be_bytes());
        assert_eq!(reply[2..6], context);
        assert_eq!(reply[6..10], [0; 4], "retval");
    }

    /// The number of a message by the start of its row.
    fn id(&self, name: &str) -> u16 {
        let row = self.table[2..].chunks(66).find(|row| row[2..].starts_with(name.as_bytes())).unwrap();
        u16::from_be_bytes([row[0], row[1]])
    }

    fn close(mut self) {
        let index = self.index;
        self.request(DELETE, *b"bye!", &index);
        let reply = self.receive();
        assert_eq!(reply, [&DELETE_REPLY.to_be_bytes()[..], b"bye!", &[0, 0, 0, 1]].concat());
        assert_eq!(self.stream.read(&mut [0]).unwrap(), 0, "VPP closes behind its reply");
    }
}

fn frame(parts: &[&[u8]]) -> Vec<u8> {
    let message = parts.concat();
    let len = u32::try_from(message.len()).unwrap().to_be_bytes();
    [&[0xa5; 8][..], &len, &[0x5a; 4], &message].concat()
}

/// Runs blocking code beside the runtime, which may have to carry its bytes.
async fn blocking(vpp: &Connection, test: impl FnOnce(PathBuf) + Send + 'static) {
    let path = vpp.path().to_owned();
    tokio::task::spawn_blocking(move || test(path)).await.unwrap();
}

pub(super) async fn handshake_and_orderly_end(vpp: &Connection) {
    blocking(vpp, |path| {
        let mut client = Client::connect(&path);
        assert_eq!(client.index[0], 0x80, "a socket client: {:02x?}", client.index);
        let count = usize::from(u16::from_be_bytes([client.table[0], client.table[1]]));
        assert_eq!(client.table.len(), 2 + 66 * count);
        for row in client.table[2..].chunks(66) {
            let name = row[2..].split(|byte| *byte == 0).next().unwrap();
            let (_, crc) = std::str::from_utf8(name).unwrap().rsplit_once('_').unwrap();
            assert!(crc.len() == 8 && crc.bytes().all(|digit| b"0123456789abcdef".contains(&digit)), "{crc}");
        }
        // A second time is harmless: the same client, the same table.
        client.send(&[&CREATE.to_be_bytes(), b"ctx1", b"again", &[0; 59]]);
        let reply = client.receive();
        assert_eq!(reply[6..], [b"ctx1", &[0; 4][..], &client.index, &client.table].concat());
        client.close();
    })
    .await;
}

pub(super) async fn context_comes_back_bit_for_bit(vpp: &Connection) {
    blocking(vpp, |path| {
        let mut client = Client::connect(&path);
        for context in [[0; 4], [0xff; 4], [0x12, 0x34, 0x56, 0x78], [0, 0, 0, 1]] {
            client.ping(context);
        }
        client.close();
    })
    .await;
}

pub(super) async fn what_is_not_understood_is_dropped_in_silence(vpp: &Connection) {
    blocking(vpp, |path| {
        let mut client = Client::connect(&path);
        let dump = client.id("sw_interface_dump_");
        for unknown in [0, 9999, 0xffff] {
            client.request(unknown, *b"none", &[]);
        }
        // A reply is no request.
        client.send(&[&PING_REPLY.to_be_bytes(), &[0; 16]]);
        // Too short for its fixed part, and for the list it tells of.
        client.request(dump, *b"none", &[0, 0, 0]);
        client.request(dump, *b"none", &[0, 0, 0, 0, 1, 0, 0, 0, 9, b'l', b'o']);
        client.stream.set_read_timeout(Some(SILENCE)).unwrap();
        let error = client.try_receive().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock, "something came");
        client.stream.set_read_timeout(Some(TIMEOUT)).unwrap();
        // The connection is none the worse for it. Longer messages than needed are taken.
        client.request(PING, *b"long", b"and more than a ping has");
        assert_eq!(client.receive()[2..6], *b"long");
        client.close();
    })
    .await;
}

pub(super) async fn frames_may_be_cut_and_joined_anywhere(vpp: &Connection) {
    blocking(vpp, |path| {
        let mut client = Client::connect(&path);
        let index = client.index;
        for byte in frame(&[&PING.to_be_bytes(), &index, b"slow"]) {
            client.stream.write_all(&[byte]).unwrap();
        }
        assert_eq!(client.receive()[2..6], *b"slow");
        let pings: Vec<u8> = (0..1000u32)
            .flat_map(|context| frame(&[&PING.to_be_bytes(), &index, &context.to_be_bytes()]))
            .collect();
        client.stream.write_all(&pings).unwrap();
        for context in 0..1000u32 {
            assert_eq!(client.receive()[2..6], context.to_be_bytes(), "replies come in order");
        }
        client.close();
    })
    .await;
}

pub(super) async fn replies_go_to_the_client_whose_index_is_given(vpp: &Connection) {
    blocking(vpp, |path| {
        let (mut first, mut second) = (Client::connect(&path), Client::connect(&path));
        let index = first.index;
        second.send(&[&PING.to_be_bytes(), &index, b"2to1"]);
        assert_eq!(first.receive()[2..6], *b"2to1");
        // Also from a connection that is no client.
        let mut nobody = Client::without_handshake(&path);
        nobody.send(&[&PING.to_be_bytes(), &index, b"0to1"]);
        assert_eq!(first.receive()[2..6], *b"0to1");
        // An index that nobody has leads nowhere.
        second.send(&[&PING.to_be_bytes(), &[0x80, 0, 0x7f, 0xff], b"lost"]);
        second.ping(*b"mine");
        first.ping(*b"mine");
        first.close();
        second.close();
    })
    .await;
}

pub(super) async fn f64_is_native(vpp: &Connection) {
    blocking(vpp, |path| {
        let mut client = Client::connect(&path);
        let id = client.id("get_f64_endian_value_809fcd44");
        client.request(id, *b"f64 ", &1.0f64.to_ne_bytes());
        let reply = client.receive();
        assert_eq!(reply[2..6], *b"f64 ");
        assert_eq!(reply[6..], [&[0; 4][..], &1.0f64.to_ne_bytes()].concat());
        let mut swapped = 1.0f64.to_ne_bytes();
        swapped.reverse();
        client.request(id, *b"swap", &swapped);
        assert_eq!(client.receive()[6..10], (-159i32).to_be_bytes());
        client.close();
    })
    .await;
}
