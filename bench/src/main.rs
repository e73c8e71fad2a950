//! `cargo xtask bench`: what a call costs, beside the least it can cost, measured in the same run.

mod bridged;
mod stats;

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Parser;
use vpp_26_06::memclnt::ControlPing;
use vpp_conn::Connection;

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

/// The ways to make the same call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// A blocking write and blocking reads, nothing else: the floor.
    Raw,
    /// `Connection::call` on a current-thread runtime.
    CurrentThread,
    /// `Connection::call` from a spawned task of a multi-thread runtime.
    MultiThread,
}

const WAYS: [(Way, &str); 3] = [
    (Way::Raw, "raw blocking loop"),
    (Way::CurrentThread, "call, current thread"),
    (Way::MultiThread, "call, spawned task"),
];

/// What was measured of one way.
struct Figures {
    name: &'static str,
    p50: Duration,
    p99: Duration,
    /// Median to the raw loop's median, round by round; the median of these.
    ratio: f64,
    /// Where they can be told: counted on the thread that calls.
    allocations_per_call: Option<f64>,
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
        "control_ping one after another, {} rounds of {} calls each, against {peer}",
        args.rounds, args.calls
    )?;
    writeln!(out, "{:<22} {:>9} {:>9} {:>8} {:>12}", "", "p50", "p99", "to raw", "allocations")?;
    for row in figures {
        let allocations = row.allocations_per_call.map_or_else(String::new, |count| format!("{count:.4}"));
        writeln!(
            out,
            "{:<22} {:>6.1} us {:>6.1} us {:>8.2} {:>12}",
            row.name,
            row.p50.as_secs_f64() * 1e6,
            row.p99.as_secs_f64() * 1e6,
            row.ratio,
            allocations
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
        })
    }
}

fn measure(socket: &Path, args: &Args, threads: &tokio::runtime::Runtime) -> Result<Vec<Figures>> {
    let current = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut raw = RawLoop::connect(socket)?;
    let on_current = current.block_on(Connection::connect(socket))?;
    let on_threads = threads.block_on(Connection::connect(socket))?;

    let mut times: Vec<Vec<Duration>> = vec![Vec::new(); WAYS.len()];
    let mut medians = vec![Vec::new(); WAYS.len()];
    let mut allocations = 0;
    // The first round warms up and is not counted.
    for round in 0..=args.rounds {
        for (index, (way, _)) in WAYS.iter().enumerate() {
            let mut here = Vec::with_capacity(args.calls);
            let mut result = Ok(());
            match way {
                Way::Raw => result = raw.pings(args.calls, &mut here),
                Way::CurrentThread => {
                    let counted = allocation_counter::measure(|| {
                        result = current.block_on(pings(&on_current, args.calls, &mut here));
                    });
                    if round > 0 {
                        allocations += counted.count_total;
                    }
                }
                Way::MultiThread => {
                    let (vpp, calls) = (on_threads.clone(), args.calls);
                    let task = threads.spawn(async move {
                        let mut here = Vec::with_capacity(calls);
                        pings(&vpp, calls, &mut here).await.map(|()| here)
                    });
                    here = threads.block_on(task)??;
                }
            }
            result?;
            if round > 0 {
                here.sort_unstable();
                medians[index].push(at(&here, 0.5));
                times[index].extend(here);
            }
        }
    }
    current.block_on(on_current.close())?;
    threads.block_on(on_threads.close())?;
    raw.close()?;

    let counted_calls = (args.calls * args.rounds) as f64;
    Ok(WAYS
        .iter()
        .enumerate()
        .map(|(index, (way, name))| {
            times[index].sort_unstable();
            let mut ratios: Vec<f64> = medians[index]
                .iter()
                .zip(&medians[0])
                .map(|(own, raw)| own.as_secs_f64() / raw.as_secs_f64())
                .collect();
            ratios.sort_unstable_by(f64::total_cmp);
            Figures {
                name,
                p50: at(&times[index], 0.5),
                p99: at(&times[index], 0.99),
                ratio: ratios.get(ratios.len() / 2).copied().unwrap_or(f64::NAN),
                allocations_per_call: (*way == Way::CurrentThread)
                    .then_some(allocations as f64 / counted_calls),
            }
        })
        .collect())
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

/// The least a client can do: one request written, one reply read, by blocking system calls.
struct RawLoop {
    stream: UnixStream,
    ping: [u8; 26],
}

impl RawLoop {
    fn connect(socket: &Path) -> Result<Self> {
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

    fn receive(stream: &mut UnixStream) -> Result<Vec<u8>> {
        let mut header = [0; 16];
        stream.read_exact(&mut header)?;
        let mut message =
            vec![0; u32::from_be_bytes([header[8], header[9], header[10], header[11]]) as usize];
        stream.read_exact(&mut message)?;
        Ok(message)
    }

    fn pings(&mut self, calls: usize, times: &mut Vec<Duration>) -> Result<()> {
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

    fn close(mut self) -> Result<()> {
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
