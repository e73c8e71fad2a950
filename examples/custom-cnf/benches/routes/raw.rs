//! The least that adding routes can cost: requests prepared as bytes, a fixed number of them under way, blocking writes and
//! reads, and no more understanding of answers than how many there are.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use agent_core::vpp::vpp_wire::{Message as _, Wire as _};
use libtest_mimic::Failed;
use vpp_26_06::interface::SwInterfaceDump;
use vpp_26_06::ip::{FibPath, IpRouteAddDelV2};

/// Bytes before each message, of a request's header, and of a framed reply.
const FRAME: usize = 16;
const HEADER: usize = 10;
const REPLY: usize = FRAME + 14;

/// Where the payload has the address: behind two flags, table, index and family.
const ADDRESS_AT: usize = FRAME + HEADER + 2 + 4 + 4 + 1;

/// Requests under way. More are slower: these are long, and VPP reads a burst in pieces of 4 KiB.
const WINDOW: u32 = 256;

pub(super) struct Raw {
    stream: UnixStream,
    add: Vec<u8>,
    delete: Vec<u8>,
}

impl Raw {
    pub(super) fn connect(socket: &Path) -> Result<Self, Failed> {
        let mut stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(super::LONG))?;
        let mut create = [0; FRAME + 70];
        (create[11], create[17]) = (70, 15);
        stream.write_all(&create)?;
        let mut frame = [0; FRAME];
        stream.read_exact(&mut frame)?;
        let len = u32::from_be_bytes([frame[8], frame[9], frame[10], frame[11]]);
        let mut table = vec![0; len as usize];
        stream.read_exact(&mut table)?;
        let client: [u8; 4] = table[14..18].try_into()?;
        let key = IpRouteAddDelV2::INFO.table_key();
        let row = table[20..].chunks_exact(66).find(|row| row[2..].starts_with(key.as_bytes()));
        let id = row.ok_or("VPP has no such message")?[..2].to_vec();
        let sw_if_index = loop0(socket)?;
        let path = FibPath::via_interface([10, 0, 0, 2], sw_if_index);
        let prefix = "20.0.0.0/32".parse()?;
        let framed = |request: &IpRouteAddDelV2| -> Result<Vec<u8>, Failed> {
            let len = HEADER + request.encoded_len();
            let mut bytes = vec![0; FRAME + len];
            bytes[8..12].copy_from_slice(&u32::try_from(len)?.to_be_bytes());
            bytes[16..18].copy_from_slice(&id);
            bytes[18..22].copy_from_slice(&client);
            request.encode_payload(&mut bytes[FRAME + HEADER..])?;
            Ok(bytes)
        };
        let add = framed(&IpRouteAddDelV2::add(0, prefix, path))?;
        let delete = framed(&IpRouteAddDelV2::delete(0, prefix))?;
        Ok(Self { stream, add, delete })
    }

    pub(super) fn add(&mut self, routes: u32) -> Result<Duration, Failed> {
        let request = self.add.clone();
        self.pipelined(request, routes)
    }

    pub(super) fn delete(&mut self, routes: u32) -> Result<Duration, Failed> {
        let request = self.delete.clone();
        self.pipelined(request, routes)
    }

    fn pipelined(&mut self, mut request: Vec<u8>, routes: u32) -> Result<Duration, Failed> {
        let (mut sent, mut read, mut burst, mut room) = (0, 0, Vec::new(), vec![0; 64 << 10]);
        let started = Instant::now();
        while read < REPLY * routes as usize {
            let answered = (read / REPLY) as u32;
            // Half a window at a time, so that they go out together.
            if sent < routes && sent - answered <= WINDOW / 2 {
                burst.clear();
                while sent < routes && sent - answered < WINDOW {
                    request[ADDRESS_AT..ADDRESS_AT + 4].copy_from_slice(&super::address(sent).octets());
                    burst.extend_from_slice(&request);
                    sent += 1;
                }
                self.stream.write_all(&burst)?;
            }
            match self.stream.read(&mut room)? {
                0 => return Err("VPP closed the socket".into()),
                len => read += len,
            }
        }
        Ok(started.elapsed())
    }
}

/// VPP's number of the agent's loopback.
fn loop0(socket: &Path) -> Result<u32, Failed> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let vpp = agent_core::vpp::vpp_conn::Connection::connect(socket).await?;
        let all = vpp.dump(&SwInterfaceDump::default()).collect().await?;
        vpp.close().await?;
        let found = all.iter().find(|it| it.interface_name == "loop0");
        Ok(found.ok_or("the agent made no loop0")?.sw_if_index)
    })
}
