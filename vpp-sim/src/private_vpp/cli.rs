//! One CLI command over the API, with nothing but a blocking socket.
//!
//! The launcher must work for tests of the connection itself, so it does not use it.

use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use vpp_conn::frame::{self, FrameReader};
use vpp_wire::{Decoder, Header};

/// How long VPP may take for a command.
const TIMEOUT: Duration = Duration::from_secs(10);

const SOCKCLNT_CREATE: u16 = 15;
const SOCKCLNT_CREATE_REPLY: u16 = 16;
const SOCKCLNT_DELETE: u16 = 17;
const SOCKCLNT_DELETE_REPLY: u16 = 18;

/// The name of the message and the CRC it has had since 20.01.
const CLI_INBAND: &str = "cli_inband_f8377302";
/// The name and CRC of its reply.
const CLI_INBAND_REPLY: &str = "cli_inband_reply_05879051";

/// Why a CLI command gave no output.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CliError {
    /// VPP did not take the connection, or ended while it was asked.
    #[error("cannot run `{command}` on the VPP at {}: {source}", socket.display())]
    Io {
        /// The command.
        command: String,
        /// The API socket.
        socket: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// VPP refused the command; the text says why.
    #[error("`{command}`: VPP refused ({retval}): {output}")]
    Refused {
        /// The command.
        command: String,
        /// VPP's return code: −1 for a command it does not know.
        retval: i32,
        /// What it printed.
        output: String,
    },
    /// This VPP has no `cli_inband`, or one of another definition.
    #[error("the VPP at {} has no {CLI_INBAND}", socket.display())]
    Unsupported {
        /// The API socket.
        socket: PathBuf,
    },
}

pub(super) fn run(socket: &Path, command: &str) -> Result<String, CliError> {
    let answer = ask(socket, command).map_err(|source| CliError::Io {
        command: command.to_owned(),
        socket: socket.to_owned(),
        source,
    })?;
    match answer {
        None => Err(CliError::Unsupported { socket: socket.to_owned() }),
        Some((0, output)) => Ok(output),
        Some((retval, output)) => Err(CliError::Refused { command: command.to_owned(), retval, output }),
    }
}

/// The return code and the text; `None` when VPP does not know the message.
fn ask(socket: &Path, command: &str) -> io::Result<Option<(i32, String)>> {
    let mut peer = Peer::connect(socket)?;
    let name = [b"private_vpp".as_slice(), &[0; 64 - 11]].concat();
    peer.send(&[&SOCKCLNT_CREATE.to_be_bytes(), &[0; 4], &name])?;
    let hello = Hello::read(&peer.receive(SOCKCLNT_CREATE_REPLY)?);
    let answer = match (hello.request, hello.reply) {
        (Some(request), Some(reply)) => {
            let len = u32::try_from(command.len()).map_err(io::Error::other)?.to_be_bytes();
            peer.send(&[&request.to_be_bytes(), &hello.index, &[0; 4], &len, command.as_bytes()])?;
            let message = peer.receive(reply)?;
            let mut fields = Decoder::new(&message);
            let _header: [u8; Header::Context.len()] = fields.bytes();
            let retval = fields.read();
            let output = fields.long_string("reply");
            fields.finish().map_err(io::Error::other)?;
            Some((retval, output))
        }
        _ => None,
    };
    // A connection that just ends can leave VPP spinning, so it is ended in VPP's way.
    peer.send(&[&SOCKCLNT_DELETE.to_be_bytes(), &hello.index, &[0; 4], &hello.index])?;
    peer.receive(SOCKCLNT_DELETE_REPLY)?;
    Ok(answer)
}

/// What VPP says of itself and of the two messages needed here.
struct Hello {
    index: [u8; 4],
    request: Option<u16>,
    reply: Option<u16>,
}

impl Hello {
    fn read(message: &[u8]) -> Self {
        let mut fields = Decoder::new(message);
        // id, client index, context, response
        let _: [u8; 2 + 4 + 4 + 4] = fields.bytes();
        let mut hello = Self { index: fields.bytes(), request: None, reply: None };
        for _ in 0..fields.read::<u16>() {
            let id = fields.read();
            match fields.string::<64>().as_str() {
                CLI_INBAND => hello.request = Some(id),
                CLI_INBAND_REPLY => hello.reply = Some(id),
                _ => {}
            }
        }
        hello
    }
}

struct Peer {
    stream: UnixStream,
    frames: FrameReader,
}

impl Peer {
    fn connect(socket: &Path) -> io::Result<Self> {
        let stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_write_timeout(Some(TIMEOUT))?;
        Ok(Self { stream, frames: FrameReader::new(frame::DEFAULT_MAX_LEN) })
    }

    fn send(&mut self, parts: &[&[u8]]) -> io::Result<()> {
        let message = parts.concat();
        let header = frame::header(message.len()).ok_or(io::ErrorKind::InvalidInput)?;
        self.stream.write_all(&[&header[..], &message].concat())
    }

    /// The next message of this id; others are not for us.
    fn receive(&mut self, id: u16) -> io::Result<Bytes> {
        loop {
            while let Some(message) = self.frames.next_frame().map_err(io::Error::other)? {
                if message.starts_with(&id.to_be_bytes()) {
                    return Ok(message);
                }
            }
            let mut piece = [0; 4096];
            match self.stream.read(&mut piece)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                len => self.frames.buffer().extend_from_slice(&piece[..len]),
            }
        }
    }
}
