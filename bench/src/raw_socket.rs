//! The floor of the socket.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

/// The least a client can do: one request written, one reply read, by blocking system calls.
pub(crate) struct RawSocket {
    pub(crate) stream: UnixStream,
    pub(crate) ping: [u8; 26],
}

impl RawSocket {
    pub(crate) fn connect(socket: &Path) -> Result<Self> {
        let mut stream =
            UnixStream::connect(socket).with_context(|| format!("cannot connect to {}", socket.display()))?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        let mut create = [0; 16 + 70];
        create[11] = 70;
        create[17] = 15;
        create[22..31].copy_from_slice(b"xtask-raw");
        stream.write_all(&create)?;
        let table = Self::receive(&mut stream)?;
        let rows = table.get(20..).unwrap_or_default().chunks_exact(66);
        let row = rows.into_iter().find(|row| row[2..].starts_with(b"control_ping_51077d14\0"));
        let id = row.context("the peer has no control_ping")?;
        let mut ping = [0; 26];
        ping[11] = 10;
        ping[16..18].copy_from_slice(&id[..2]);
        ping[18..22].copy_from_slice(&table[14..18]);
        Ok(Self { stream, ping })
    }

    pub(crate) fn receive(stream: &mut UnixStream) -> Result<Vec<u8>> {
        let mut header = [0; 16];
        stream.read_exact(&mut header)?;
        let mut message =
            vec![0; u32::from_be_bytes([header[8], header[9], header[10], header[11]]) as usize];
        stream.read_exact(&mut message)?;
        Ok(message)
    }

    pub(crate) fn pings(&mut self, calls: usize, times: &mut Vec<Duration>) -> Result<()> {
        let mut reply = [0; 34];
        for _ in 0..calls {
            let started = Instant::now();
            self.stream.write_all(&self.ping)?;
            self.stream.read_exact(&mut reply)?;
            times.push(started.elapsed());
        }
        ensure!(reply[11] == 18, "the reply to control_ping has {} bytes", reply[11]);
        Ok(())
    }

    /// Pings with `depth` on the way, written and read in as large pieces as the system takes; gives the time of all.
    pub(crate) fn pipeline(&mut self, calls: usize, depth: usize) -> Result<Duration> {
        let burst = self.ping.repeat(depth);
        let mut buffer = vec![0; 64 << 10];
        let started = Instant::now();
        let (mut sent, mut received, mut bytes) = (0, 0, 0);
        while received < calls {
            let more = (depth - (sent - received)).min(calls - sent);
            // Half of them at a time, so that VPP always has some.
            if more * 2 >= depth || sent == received {
                self.stream.write_all(&burst[..more * self.ping.len()])?;
                sent += more;
            }
            bytes += self.stream.read(&mut buffer)?;
            received = bytes / 34;
        }
        Ok(started.elapsed())
    }

    pub(crate) fn close(mut self) -> Result<()> {
        let mut delete = [0; 30];
        delete[11] = 14;
        delete[17] = 17;
        delete[18..22].copy_from_slice(&self.ping[18..22]);
        delete[26..30].copy_from_slice(&self.ping[18..22]);
        self.stream.write_all(&delete)?;
        Self::receive(&mut self.stream)?;
        Ok(())
    }
}
