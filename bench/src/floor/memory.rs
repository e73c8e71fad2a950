//! The floor of shared memory.

use std::io::IoSliceMut;
use std::io::Write as _;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags};
use vpp_26_06::memclnt::ControlPing;
use vpp_conn::shared_memory::{Config, Incoming, Segment};

use super::RawSocket;

/// A VPP that does not answer for so long sleeps.
const ASLEEP: Duration = Duration::from_micros(20);

/// The least a client can do: a request written into an element and enqueued, the queue looked at until the reply is
/// there. It uses the checked segment of the library, without locks of its own, contexts, deadlines or wake-ups.
pub(crate) struct RawMemory {
    socket: RawSocket,
    segment: Arc<Segment>,
    ping: [u8; 10],
    delete: [u8; 15],
    /// Bytes of the message that wakes VPP that were not sent.
    filler: Vec<u8>,
}

impl RawMemory {
    pub(crate) fn connect(socket: &Path) -> Result<Self> {
        let mut socket = RawSocket::connect(socket)?;
        let config = Config::default();
        let words = config.words();
        let mut init = vec![0; 16 + 15];
        init[11] = (15 + 8 * words.len()) as u8;
        init[17] = 19;
        init[18..22].copy_from_slice(&socket.client_index);
        init[26..30].copy_from_slice(&config.segment_size().to_ne_bytes());
        init[30] = words.len() as u8;
        words.iter().for_each(|word| init.extend(word.to_ne_bytes()));
        socket.stream.write_all(&init)?;
        let reply = socket.receive_one()?;
        ensure!(reply.get(6..10) == Some(&[0; 4]), "no shared memory: {reply:?}");
        let segment = Segment::attach(descriptor(&socket)?, &config)?;

        let mut ping = [0; 10];
        ping[..2].copy_from_slice(&socket.id::<ControlPing>()?);
        let mut raw = Self { socket, segment, ping, delete: [0; 15], filler: Vec::new() };
        let mut create = [0; 115];
        create[1] = 25;
        create[10..18].copy_from_slice(&raw.segment.receive_queue().to_ne_bytes());
        create[18..27].copy_from_slice(b"xtask-raw");
        raw.send(&create)?;
        let reply = raw.receive()?;
        ensure!(reply.get(..2) == Some(&[0, 26]), "memclnt_create_v2 is answered with {reply:?}");
        raw.ping[2..6].copy_from_slice(&reply[18..22]);
        raw.delete[1] = 3;
        raw.delete[2..6].copy_from_slice(&reply[18..22]);
        raw.delete[6..14].copy_from_slice(&reply[10..18]);
        Ok(raw)
    }

    pub(crate) fn pings(
        &mut self,
        calls: usize,
        pause: Option<Duration>,
        times: &mut Vec<Duration>,
    ) -> Result<()> {
        let ping = self.ping;
        for _ in 0..calls {
            if let Some(pause) = pause {
                std::thread::sleep(pause);
            }
            let started = Instant::now();
            self.send(&ping)?;
            self.wait()?;
            let mut address = [0];
            self.segment.dequeue(&mut address)?;
            let reply = self.segment.message(address[0])?;
            ensure!(
                matches!(&reply, Incoming::InPlace(slot) if slot.len() == 18),
                "no reply to control_ping"
            );
            drop(reply);
            times.push(started.elapsed());
        }
        Ok(())
    }

    /// Pings with `depth` on the way.
    pub(crate) fn pipeline(&mut self, calls: usize, depth: usize) -> Result<()> {
        let ping = self.ping;
        let (mut sent, mut received) = (0, 0);
        let mut addresses = [0; 64];
        while received < calls {
            while sent < calls && sent - received < depth {
                self.send(&ping)?;
                sent += 1;
            }
            self.wait()?;
            let count = self.segment.dequeue(&mut addresses)?;
            for address in &addresses[..count] {
                drop(self.segment.message(*address)?);
            }
            received += count;
        }
        Ok(())
    }

    fn send(&self, message: &[u8]) -> Result<()> {
        let mut place = self.segment.place(message.len())?.context("all places are taken")?;
        let filled = place.fill(message.len(), |bytes| {
            bytes.copy_from_slice(message);
            Ok(())
        });
        ensure!(filled.is_ok(), "{} bytes do not fit", message.len());
        ensure!(self.segment.enqueue(&[place.hand_over()])? == 1, "the queue is full");
        Ok(())
    }

    /// Looks until something is there, and wakes a VPP that sleeps.
    fn wait(&mut self) -> Result<()> {
        let mut since = None;
        while !self.segment.has_received() {
            std::hint::spin_loop();
            let began = *since.get_or_insert_with(Instant::now);
            if began.elapsed() > ASLEEP {
                since = None;
                self.ring()?;
            }
        }
        Ok(())
    }

    fn ring(&mut self) -> Result<()> {
        if self.filler.is_empty() {
            // A ping for nobody, in a message so long that it does not come to its end soon.
            self.filler = vec![0; 16 + 4096];
            self.filler[10] = 16;
            self.filler[17] = 23;
            self.filler[18..22].copy_from_slice(&[0x80, 0xff, 0xff, 0xff]);
            self.filler.reverse();
            let from = self.filler.len() - 16;
            let header: Vec<u8> = self.filler.drain(from..).rev().collect();
            self.socket.stream.write_all(&header)?;
        }
        let byte = self.filler.pop().unwrap_or_default();
        self.socket.stream.write_all(&[byte])?;
        Ok(())
    }

    fn receive(&mut self) -> Result<Vec<u8>> {
        self.wait()?;
        let mut address = [0];
        self.segment.dequeue(&mut address)?;
        match self.segment.message(address[0])? {
            Incoming::InPlace(slot) => Ok(slot.to_vec()),
            other => anyhow::bail!("{other:?}"),
        }
    }

    pub(crate) fn close(mut self) -> Result<()> {
        self.send(&self.delete)?;
        self.receive()?;
        self.filler.reverse();
        self.socket.stream.write_all(&self.filler)?;
        self.socket.close()
    }
}

/// What VPP sends along with five bytes.
fn descriptor(socket: &RawSocket) -> Result<OwnedFd> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut word = [0; 5];
    let mut pieces = [IoSliceMut::new(&mut word)];
    rustix::net::recvmsg(&socket.stream, &mut pieces, &mut control, RecvFlags::CMSG_CLOEXEC)?;
    let files = control.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(files) => Some(files),
        _ => None,
    });
    files.flatten().next().context("VPP sent no descriptor")
}
