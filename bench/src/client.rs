//! The ways to make the same calls, beside the floor.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use tokio::runtime::{Builder, Runtime};
use vpp_26_06::memclnt::ControlPing;
use vpp_conn::{Connection, Receive, Transport, blocking};
use vpp_wire::Request;

use crate::floor::{RawMemory, RawSocket};
use crate::rounds::Round;

/// Who calls, and from where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Kind {
    /// Blocking writes and reads, nothing else: the floor
    Raw,
    /// `Connection` on a current-thread runtime
    CurrentThread,
    /// `Connection` in a spawned task of a multi-thread runtime
    SpawnedTask,
    /// `blocking::Connection`
    Blocking,
    /// Requests enqueued, and a look at the queue until the reply is there: the floor of shared memory
    RawMemory,
    /// `Connection` over shared memory, current-thread runtime
    Memory,
    /// The same in a spawned task of a multi-thread runtime
    MemoryTask,
    /// `blocking::Connection` over shared memory
    MemoryBlocking,
    /// As `Memory`, and a call does not sleep
    MemoryBusy,
    /// Whatever `Transport::Auto` takes, current-thread runtime
    Auto,
}

impl Kind {
    /// Those over the socket.
    pub(crate) const SOCKET: [Self; 4] = [Self::Raw, Self::CurrentThread, Self::SpawnedTask, Self::Blocking];
    /// Those over shared memory.
    pub(crate) const MEMORY: [Self; 5] =
        [Self::RawMemory, Self::Memory, Self::MemoryTask, Self::MemoryBlocking, Self::MemoryBusy];
    /// What a program chooses from, and what it leaves to the library.
    pub(crate) const TRANSPORTS: [Self; 3] = [Self::CurrentThread, Self::Memory, Self::Auto];

    pub(crate) fn transport(self) -> &'static str {
        match self {
            Self::Raw | Self::CurrentThread | Self::SpawnedTask | Self::Blocking => "socket",
            Self::RawMemory | Self::Memory | Self::MemoryTask | Self::MemoryBlocking | Self::MemoryBusy => {
                "shared memory"
            }
            Self::Auto => "auto",
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw loop",
            Self::CurrentThread => "current thread",
            Self::SpawnedTask => "spawned task",
            Self::Blocking => "blocking",
            Self::RawMemory => "raw loop",
            Self::Memory | Self::Auto => "current thread",
            Self::MemoryTask => "spawned task",
            Self::MemoryBlocking => "blocking",
            Self::MemoryBusy => "busy-poll",
        }
    }
}

/// Calls of a new client that are not counted.
const WARM_UP: usize = 100;

/// A client of one kind, connected.
pub(crate) enum Client {
    Raw(RawSocket),
    RawMemory(RawMemory),
    CurrentThread(Runtime, Connection),
    SpawnedTask(Runtime, Connection),
    Blocking(blocking::Connection),
}

impl Client {
    pub(crate) fn connect(kind: Kind, socket: &Path) -> Result<Self> {
        let builder = Connection::builder().transport(match kind {
            Kind::Memory | Kind::MemoryTask | Kind::MemoryBlocking | Kind::MemoryBusy => {
                Transport::SharedMemory
            }
            Kind::Auto => Transport::Auto,
            _ => Transport::Socket,
        });
        let builder = if kind == Kind::MemoryBusy { builder.receive(Receive::BusyPoll) } else { builder };
        Ok(match kind {
            Kind::Raw => Self::Raw(RawSocket::connect(socket)?),
            Kind::RawMemory => Self::RawMemory(RawMemory::connect(socket)?),
            Kind::CurrentThread | Kind::Memory | Kind::MemoryBusy | Kind::Auto => {
                let runtime = Builder::new_current_thread().enable_all().build()?;
                let vpp = runtime.block_on(builder.connect(socket))?;
                Self::CurrentThread(runtime, vpp)
            }
            Kind::SpawnedTask | Kind::MemoryTask => {
                let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
                let vpp = runtime.block_on(builder.connect(socket))?;
                Self::SpawnedTask(runtime, vpp)
            }
            Kind::Blocking | Kind::MemoryBlocking => Self::Blocking(builder.connect_blocking(socket)?),
        })
    }

    /// Connects, works, and leaves. VPP looks at one segment after the other, so that clients of shared memory that are
    /// merely connected slow the others.
    pub(crate) fn once<T>(kind: Kind, socket: &Path, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let mut client = Self::connect(kind, socket)?;
        let result = client.one_by_one(WARM_UP).and_then(|_| work(&mut client))?;
        client.close()?;
        Ok(result)
    }

    /// Calls `control_ping` so many times, each when the one before is answered.
    pub(crate) fn one_by_one(&mut self, calls: usize) -> Result<Round> {
        self.now_and_then(calls, None)
    }

    /// As [`Client::one_by_one`], with a pause before each call.
    pub(crate) fn now_and_then(&mut self, calls: usize, pause: Option<Duration>) -> Result<Round> {
        let mut each = Vec::with_capacity(calls);
        let round = match self {
            Self::Raw(raw) => {
                let ping = raw.request(&ControlPing)?;
                Round::of(calls, || raw.one_by_one(&ping, calls, pause, &mut each))?
            }
            Self::RawMemory(raw) => Round::of(calls, || raw.pings(calls, pause, &mut each))?,
            Self::CurrentThread(runtime, vpp) => {
                Round::of(calls, || runtime.block_on(one_by_one(vpp, calls, pause, &mut each)))?
            }
            Self::SpawnedTask(runtime, vpp) => {
                let vpp = vpp.clone();
                Round::of_threads(calls, || {
                    let mut times = std::mem::take(&mut each);
                    let task = runtime.spawn(async move {
                        one_by_one(&vpp, calls, pause, &mut times).await.map(|()| times)
                    });
                    each = runtime.block_on(task)??;
                    Ok(())
                })?
            }
            Self::Blocking(vpp) => Round::of(calls, || {
                for _ in 0..calls {
                    if let Some(pause) = pause {
                        std::thread::sleep(pause);
                    }
                    let started = Instant::now();
                    vpp.call(&ControlPing)?;
                    each.push(started.elapsed());
                }
                Ok(())
            })?,
        };
        Ok(Round { each, ..round })
    }

    /// So many requests of one kind (at least one) with so many under way; the window of `None` adapts itself. The raw
    /// loop takes the first request's bytes and lets `patch` make the others of them; that of shared memory always sends `control_ping`.
    pub(crate) fn pipelined<R: Request + Send>(
        &mut self,
        count: usize,
        window: Option<usize>,
        request: impl Fn(usize) -> R + Send + Sync + Clone + 'static,
        mut patch: impl FnMut(&mut [u8], usize),
    ) -> Result<Round> {
        let requests = {
            let request = request.clone();
            (0..count).map(request)
        };
        match self {
            Self::Raw(raw) => {
                let (mut first, last) = (raw.request(&request(0))?, raw.request(&request(count - 1))?);
                patch(&mut first, count - 1);
                ensure!(first == last, "the raw loop makes other requests than those measured");
                let window = window.context("the raw loop's window does not adapt itself")?;
                Round::of(count, || raw.pipelined(&first, count, window, patch))
            }
            Self::RawMemory(raw) => {
                let window = window.context("the raw loop's window does not adapt itself")?;
                Round::of(count, || raw.pipeline(count, window))
            }
            Self::CurrentThread(runtime, vpp) => {
                Round::of(count, || runtime.block_on(pipelined(vpp, requests, window)))
            }
            Self::SpawnedTask(runtime, vpp) => {
                let vpp = vpp.clone();
                Round::of_threads(count, || {
                    runtime.block_on(runtime.spawn(async move { pipelined(&vpp, requests, window).await }))?
                })
            }
            Self::Blocking(vpp) => Round::of(count, || {
                let mut pipeline = vpp.pipeline(requests);
                if let Some(window) = window {
                    pipeline = pipeline.window(window);
                }
                for (_, result) in pipeline {
                    result?;
                }
                Ok(())
            }),
        }
    }

    pub(crate) fn close(self) -> Result<()> {
        match self {
            Self::Raw(raw) => raw.close()?,
            Self::RawMemory(raw) => raw.close()?,
            Self::CurrentThread(runtime, vpp) | Self::SpawnedTask(runtime, vpp) => {
                runtime.block_on(vpp.close())?;
            }
            Self::Blocking(vpp) => vpp.close()?,
        }
        Ok(())
    }
}

async fn one_by_one(
    vpp: &Connection,
    calls: usize,
    pause: Option<Duration>,
    each: &mut Vec<Duration>,
) -> Result<()> {
    for _ in 0..calls {
        if let Some(pause) = pause {
            tokio::time::sleep(pause).await;
        }
        let started = Instant::now();
        vpp.call(&ControlPing).await?;
        each.push(started.elapsed());
    }
    Ok(())
}

async fn pipelined<R: Request>(
    vpp: &Connection,
    requests: impl Iterator<Item = R>,
    window: Option<usize>,
) -> Result<()> {
    let mut pipeline = vpp.pipeline(requests);
    if let Some(window) = window {
        pipeline = pipeline.window(window);
    }
    while let Some((_, result)) = pipeline.next().await {
        result?;
    }
    Ok(())
}
