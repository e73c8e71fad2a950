//! Requests prepared as bytes, blocking writes and reads, and no more understanding of answers than where they end.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use vpp_wire::{Header, Message};

/// Bytes before each message.
const FRAME: usize = 16;
/// The room that `vpp-conn` reads into.
const READ: usize = 64 << 10;

pub(crate) struct RawSocket {
    pub(super) stream: UnixStream,
    pub(super) client_index: [u8; 4],
    /// `<name>_<crc>` and the id, as VPP told.
    table: Vec<(String, [u8; 2])>,
    /// What was read and not looked at begins at the first, ends at the second.
    buffer: Vec<u8>,
    unread: (usize, usize),
}

impl RawSocket {
    pub(crate) fn connect(socket: &Path) -> Result<Self> {
        let mut stream =
            UnixStream::connect(socket).with_context(|| format!("cannot connect to {}", socket.display()))?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        let mut create = [0; FRAME + 70];
        create[11] = 70;
        create[17] = 15;
        create[22..31].copy_from_slice(b"xtask-raw");
        stream.write_all(&create)?;
        let reply = read_one(&mut stream)?;
        let client_index = reply.get(14..18).and_then(|index| index.try_into().ok());
        let rows = reply.get(20..).unwrap_or_default().chunks_exact(66).map(|row| {
            let name = row[2..].split(|byte| *byte == 0).next().unwrap_or_default();
            (String::from_utf8_lossy(name).into_owned(), [row[0], row[1]])
        });
        Ok(Self {
            stream,
            client_index: client_index.context("the answer to sockclnt_create is short")?,
            table: rows.collect(),
            buffer: vec![0; READ],
            unread: (0, 0),
        })
    }

    /// The bytes of a request, frame and all.
    pub(crate) fn request<M: Message>(&self, request: &M) -> Result<Vec<u8>> {
        let header = M::INFO.header;
        ensure!(header == Header::ClientContext, "{} is no request", M::NAME);
        let len = header.len() + request.encoded_len();
        let mut frame = vec![0; FRAME + len];
        frame[8..12].copy_from_slice(&u32::try_from(len)?.to_be_bytes());
        frame[16..18].copy_from_slice(&self.id::<M>()?);
        frame[18..22].copy_from_slice(&self.client_index);
        request.encode_payload(&mut frame[FRAME + header.len()..])?;
        Ok(frame)
    }

    pub(super) fn id<M: Message>(&self) -> Result<[u8; 2]> {
        let key = M::INFO.table_key();
        let row = self.table.iter().find(|(name, _)| *name == key);
        Ok(row.with_context(|| format!("the peer has no {key}"))?.1)
    }

    /// The same request again and again, each when the one before is answered.
    pub(crate) fn one_by_one(
        &mut self,
        request: &[u8],
        calls: usize,
        pause: Option<Duration>,
        times: &mut Vec<Duration>,
    ) -> Result<()> {
        let mut reply = [0; 34];
        for _ in 0..calls {
            if let Some(pause) = pause {
                std::thread::sleep(pause);
            }
            let started = Instant::now();
            self.stream.write_all(request)?;
            self.stream.read_exact(&mut reply)?;
            times.push(started.elapsed());
        }
        ensure!(reply[11] == 18, "the reply to control_ping has {} bytes", reply[11]);
        Ok(())
    }

    /// Many requests of one length, so many under way; `prepare` makes the bytes of the next of one before. More go out
    /// when a quarter is answered: the fastest of the simple rules (with none, half, three quarters, or all but one
    /// under way), or no slower, at each depth.
    pub(crate) fn pipelined(
        &mut self,
        request: &[u8],
        count: usize,
        window: usize,
        mut prepare: impl FnMut(&mut [u8], usize),
    ) -> Result<()> {
        let mut burst = request.repeat(window);
        let (mut sent, mut answered) = (0, 0);
        while answered < count {
            if sent < count && sent - answered <= window * 3 / 4 {
                let more = (window - (sent - answered)).min(count - sent);
                let burst = &mut burst[..more * request.len()];
                for (place, request) in burst.chunks_exact_mut(request.len()).enumerate() {
                    prepare(request, sent + place);
                }
                self.stream.write_all(burst)?;
                sent += more;
            }
            self.receive()?;
            while self.message().is_some() {
                answered += 1;
            }
        }
        Ok(())
    }

    /// A dump and the ping behind it: how many elements came.
    pub(crate) fn dump(&mut self, requests: &[u8], reply: &str) -> Result<usize> {
        let end = self.table.iter().find(|(name, _)| name == reply).map(|row| row.1);
        let end = end.with_context(|| format!("the peer has no {reply}"))?;
        self.stream.write_all(requests)?;
        let mut elements = 0;
        loop {
            self.receive()?;
            while let Some(message) = self.message() {
                if message.starts_with(&end) {
                    return Ok(elements);
                }
                elements += 1;
            }
        }
    }

    /// The next message, and not a byte of what is behind it.
    pub(super) fn receive_one(&mut self) -> Result<Vec<u8>> {
        read_one(&mut self.stream)
    }

    /// One read.
    fn receive(&mut self) -> Result<()> {
        let (start, end) = self.unread;
        if start > 0 {
            self.buffer.copy_within(start..end, 0);
        }
        self.unread = (0, end - start);
        let room = &mut self.buffer[end - start..];
        ensure!(!room.is_empty(), "a message of more than {READ} bytes");
        match self.stream.read(room)? {
            0 => bail!("the peer closed"),
            len => self.unread.1 += len,
        }
        Ok(())
    }

    /// The next whole message of those read.
    fn message(&mut self) -> Option<&[u8]> {
        let (start, end) = self.unread;
        let (header, rest) = self.buffer[start..end].split_first_chunk::<FRAME>()?;
        let message = rest.get(..len_of(header))?;
        self.unread.0 += FRAME + message.len();
        Some(message)
    }

    pub(crate) fn close(mut self) -> Result<()> {
        let mut delete = [0; FRAME + 14];
        delete[11] = 14;
        delete[17] = 17;
        delete[18..22].copy_from_slice(&self.client_index);
        delete[26..30].copy_from_slice(&self.client_index);
        self.stream.write_all(&delete)?;
        self.receive()
    }
}

fn read_one(stream: &mut UnixStream) -> Result<Vec<u8>> {
    let mut header = [0; FRAME];
    stream.read_exact(&mut header)?;
    let mut message = vec![0; len_of(&header)];
    stream.read_exact(&mut message)?;
    Ok(message)
}

fn len_of(header: &[u8; FRAME]) -> usize {
    u32::from_be_bytes([header[8], header[9], header[10], header[11]]) as usize
}
