//! `cargo xtask bench`: what a call costs, beside the least it can cost, measured in the same run.

mod bridged;
mod raw_memory;
mod raw_socket;
mod stats;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Result;
use clap::Parser;
use raw_memory::RawMemory;
use raw_socket::RawSocket;
use tokio::runtime::Runtime;
use vpp_26_06::memclnt::ControlPing;
use vpp_conn::{Connection, Receive, Transport};

/// Measures round trips to a VPP, or to the stand-in where no socket is named
#[derive(Debug, Parser)]
#[command(name = "cargo xtask bench", bin_name = "cargo xtask bench")]
struct Args {
    /// The API socket of a running VPP. Without it the stand-in is measured.
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
    /// Calls of each kind in each round.
    #[arg(long, default_value_t = 5_000)]
    calls: usize,
    /// Rounds; the kinds take turns in each.
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// One JSON object instead of a table.
    #[arg(long)]
    json: bool,
}

/// Requests on the way at once.
const DEPTHS: [usize; 3] = [16, 256, 1024];

/// The ways to make the same call. Each but the raw ones is compared with the raw one of its transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// A blocking write and blocking reads, nothing else.
    RawSocket,
    /// `Connection::call` over the socket, on a current-thread runtime.
    Socket,
    /// The same from a spawned task of a multi-thread runtime.
    SocketThreads,
    /// A request enqueued, and a look at the queue until the reply is there, nothing else.
    RawMemory,
    /// `Connection::call` over shared memory, on a current-thread runtime.
    Memory,
    /// The same from a spawned task of a multi-thread runtime.
    MemoryThreads,
    /// As [`Way::Memory`], and the call does not sleep.
    MemoryBusy,
    /// Whatever [`Transport::Auto`] takes.
    Auto,
}

const WAYS: [(Way, &str); 8] = [
    (Way::RawSocket, "socket: raw loop"),
    (Way::Socket, "socket: call, current thread"),
    (Way::SocketThreads, "socket: call, spawned task"),
    (Way::RawMemory, "shared memory: raw loop"),
    (Way::Memory, "shared memory: call, current thread"),
    (Way::MemoryThreads, "shared memory: call, spawned task"),
    (Way::MemoryBusy, "shared memory: call, busy-poll"),
    (Way::Auto, "auto: call, current thread"),
];

impl Way {
    /// What it is compared with.
    fn floor(self) -> Self {
        match self {
            Self::RawSocket | Self::Socket | Self::SocketThreads => Self::RawSocket,
            _ => Self::RawMemory,
        }
    }

    fn transport(self) -> (Transport, Receive) {
        match self {
            Self::RawSocket | Self::Socket | Self::SocketThreads => (Transport::Socket, Receive::Wait),
            Self::MemoryBusy => (Transport::SharedMemory, Receive::BusyPoll),
            Self::Auto => (Transport::Auto, Receive::Wait),
            _ => (Transport::SharedMemory, Receive::Wait),
        }
    }

    fn is_threaded(self) -> bool {
        matches!(self, Self::SocketThreads | Self::MemoryThreads)
    }
}

/// What was measured of one way.
struct Figures {
    name: &'static str,
    p50: Duration,
    p99: Duration,
    /// Median to the raw loop's median, round by round; the median of these.
    ratio: f64,
    /// Where they can be told: counted on the thread that calls.
    allocations_per_call: Option<f64>,
    /// Calls per second at each of [`DEPTHS`], the best round.
    pipelined: Vec<f64>,
}

/// A client of one way.
enum Client {
    Socket(RawSocket),
    Memory(RawMemory),
    Connection(Connection),
}

fn main() -> Result<()> {
    let args = Args::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let sim;
    let (socket, peer) = match &args.socket {
        Some(socket) => (socket.clone(), format!("VPP at {}", socket.display())),
        None => {
            sim = runtime.block_on(vpp_sim::Sim::release("26.06").start())?;
            (sim.socket().to_owned(), "the stand-in".to_owned())
        }
    };
    let figures = measure(&socket, &args, &runtime)?;
    let bridging = bridged::measure(&socket, args.calls, args.rounds)?;
    let stats = stats::measure(args.socket.as_deref(), args.rounds * 100)?;
    let mut out = std::io::stdout().lock();
    if args.json {
        let rows: Vec<_> = figures.iter().map(Figures::json).collect();
        let report = serde_json::json!({ "peer": peer, "calls": args.calls, "rounds": args.rounds, "control_ping": rows, "stats": stats.json(),
            "bridging": bridging.as_ref().map(bridged::Figures::json) });
        writeln!(out, "{report}")?;
        return Ok(());
    }
    writeln!(
        out,
        "control_ping one after another, then {DEPTHS:?} at once; {} rounds of {} calls each, against {peer}",
        args.rounds, args.calls
    )?;
    writeln!(
        out,
        "{:<36} {:>9} {:>9} {:>7} {:>7}   thousand per second",
        "", "p50 us", "p99 us", "to raw", "allocs"
    )?;
    for row in figures {
        let allocations = row.allocations_per_call.map_or_else(String::new, |count| format!("{count:.4}"));
        let pipelined: Vec<_> = row.pipelined.iter().map(|rate| format!("{:>6.0}", rate / 1e3)).collect();
        writeln!(
            out,
            "{:<36} {:>9.2} {:>9.1} {:>7.2} {:>7}   {}",
            row.name,
            row.p50.as_secs_f64() * 1e6,
            row.p99.as_secs_f64() * 1e6,
            row.ratio,
            allocations,
            pipelined.join(" ")
        )?;
    }
    if let Some(bridging) = bridging {
        write!(out, "\n{bridging}")?;
    }
    writeln!(out)?;
    stats.write(&mut out)?;
    Ok(())
}

impl Figures {
    fn json(&self) -> serde_json::Value {
        serde_json::json!({
            "way": self.name,
            "p50_us": self.p50.as_secs_f64() * 1e6,
            "p99_us": self.p99.as_secs_f64() * 1e6,
            "ratio_to_raw": self.ratio,
            "allocations_per_call": self.allocations_per_call,
            "calls_per_second": DEPTHS.iter().zip(&self.pipelined).collect::<Vec<_>>(),
        })
    }
}

fn measure(socket: &Path, args: &Args, threads: &Runtime) -> Result<Vec<Figures>> {
    let current = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut times: Vec<Vec<Duration>> = vec![Vec::new(); WAYS.len()];
    let mut medians = vec![Vec::new(); WAYS.len()];
    let mut rates = vec![vec![0f64; DEPTHS.len()]; WAYS.len()];
    let mut allocations = vec![0; WAYS.len()];
    // The first round warms up and is not counted.
    for round in 0..=args.rounds {
        for (index, &(way, _)) in WAYS.iter().enumerate() {
            let runtime = if way.is_threaded() { threads } else { &current };
            // A client of its own each time: VPP serves the shared memory of several in turn.
            let mut client = connect(way, socket, runtime)?;
            let mut here = Vec::with_capacity(args.calls);
            let mut result = Ok(());
            let counted = allocation_counter::measure(|| {
                result = one_after_another(&mut client, way, runtime, args.calls, &mut here);
            });
            result?;
            let mut pipelined = Vec::new();
            for depth in DEPTHS {
                pipelined.push(at_once(&mut client, runtime, args.calls.max(depth * 4), depth)?);
            }
            close(client, runtime)?;
            if round > 0 {
                here.sort_unstable();
                medians[index].push(at(&here, 0.5));
                times[index].extend(here);
                allocations[index] += counted.count_total;
                rates[index].iter_mut().zip(pipelined).for_each(|(best, rate)| *best = best.max(rate));
            }
        }
    }
    let counted_calls = (args.calls * args.rounds) as f64;
    let place = |way| WAYS.iter().position(|(other, _)| *other == way).unwrap_or(0);
    Ok(WAYS
        .iter()
        .enumerate()
        .map(|(index, &(way, name))| {
            times[index].sort_unstable();
            let mut ratios: Vec<f64> = medians[index]
                .iter()
                .zip(&medians[place(way.floor())])
                .map(|(own, raw)| own.as_secs_f64() / raw.as_secs_f64())
                .collect();
            ratios.sort_unstable_by(f64::total_cmp);
            Figures {
                name,
                p50: at(&times[index], 0.5),
                p99: at(&times[index], 0.99),
                ratio: ratios.get(ratios.len() / 2).copied().unwrap_or(f64::NAN),
                allocations_per_call: (way.floor() != way && !way.is_threaded())
                    .then_some(allocations[index] as f64 / counted_calls),
                pipelined: rates[index].clone(),
            }
        })
        .collect())
}

fn connect(way: Way, socket: &Path, runtime: &Runtime) -> Result<Client> {
    Ok(match way {
        Way::RawSocket => Client::Socket(RawSocket::connect(socket)?),
        Way::RawMemory => Client::Memory(RawMemory::connect(socket)?),
        _ => {
            let (transport, receive) = way.transport();
            let builder = Connection::builder().transport(transport).receive(receive);
            Client::Connection(runtime.block_on(builder.connect(socket))?)
        }
    })
}

fn one_after_another(
    client: &mut Client,
    way: Way,
    runtime: &Runtime,
    calls: usize,
    times: &mut Vec<Duration>,
) -> Result<()> {
    match client {
        Client::Socket(raw) => raw.pings(calls, times),
        Client::Memory(raw) => raw.pings(calls, times),
        Client::Connection(vpp) if way.is_threaded() => {
            let vpp = vpp.clone();
            let task = runtime.spawn(async move {
                let mut here = Vec::with_capacity(calls);
                pings(&vpp, calls, &mut here).await.map(|()| here)
            });
            times.extend(runtime.block_on(task)??);
            Ok(())
        }
        Client::Connection(vpp) => runtime.block_on(pings(vpp, calls, times)),
    }
}

/// Calls per second with `depth` on the way: raw, or as many tasks that each call one after another.
fn at_once(client: &mut Client, runtime: &Runtime, calls: usize, depth: usize) -> Result<f64> {
    let time = match client {
        Client::Socket(raw) => raw.pipeline(calls, depth)?,
        Client::Memory(raw) => raw.pipeline(calls, depth)?,
        Client::Connection(vpp) => runtime.block_on(async {
            let started = Instant::now();
            let tasks: Vec<_> = (0..depth)
                .map(|_| {
                    let vpp = vpp.clone();
                    tokio::spawn(async move {
                        for _ in 0..calls / depth {
                            vpp.call(&ControlPing).await?;
                        }
                        anyhow::Ok(())
                    })
                })
                .collect();
            for task in tasks {
                task.await??;
            }
            anyhow::Ok(started.elapsed())
        })?,
    };
    Ok((calls / depth * depth) as f64 / time.as_secs_f64())
}

fn close(client: Client, runtime: &Runtime) -> Result<()> {
    match client {
        Client::Socket(raw) => raw.close(),
        Client::Memory(raw) => raw.close(),
        Client::Connection(vpp) => Ok(runtime.block_on(vpp.close())?),
    }
}

async fn pings(vpp: &Connection, calls: usize, times: &mut Vec<Duration>) -> Result<()> {
    let ping = ControlPing;
    for _ in 0..calls {
        let started = Instant::now();
        vpp.call(&ping).await?;
        times.push(started.elapsed());
    }
    Ok(())
}

/// The value below which this part of sorted times lies.
fn at(sorted: &[Duration], part: f64) -> Duration {
    sorted.get((sorted.len() as f64 * part) as usize).copied().unwrap_or_default()
}
