//! `cargo xtask soak`: very many calls in random order, given up at random points, and nothing is left of any.
//!
//! The calls are made in rounds. After each, everything that was begun has ended or was given up, and what this process
//! and VPP hold is looked at: contexts, memory, file descriptors. A round's work is random, so the first rounds warm
//! everything up that is made once; from then on nothing may grow.

mod held;
mod work;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use clap::{Parser, ValueEnum};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use tokio::task::JoinSet;
use vpp_26_06::interface::{CreateLoopback, DeleteLoopback};
use vpp_26_06::memclnt::ControlPing;
use vpp_conn::{Builder, Connection};

use held::Held;
use work::Tally;

/// Counts what is allocated, so that nothing can leak unseen.
#[global_allocator]
static ALLOCATOR: &StatsAlloc<std::alloc::System> = &INSTRUMENTED_SYSTEM;

/// Makes very many random calls, gives them up at random points, and fails when anything is left of them
#[derive(Debug, Parser)]
#[command(name = "cargo xtask soak", bin_name = "cargo xtask soak")]
struct Args {
    /// The API socket of a running VPP. Without it the stand-in is used.
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
    /// Calls in all.
    #[arg(long, default_value_t = 10_000_000)]
    calls: u64,
    /// Rounds; what is held is looked at after each.
    #[arg(long, default_value_t = 20)]
    rounds: u64,
    /// Tasks that make calls at once.
    #[arg(long, default_value_t = 12)]
    tasks: usize,
    /// How to reach VPP.
    #[arg(long, value_enum, default_value_t = Transport::Socket)]
    transport: Transport,
    /// Begins the random numbers; told at the start, so that a run can be repeated.
    #[arg(long)]
    seed: Option<u64>,
}

/// How to reach VPP.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Transport {
    /// VPP's API socket.
    Socket,
    /// Shared memory, with the socket beside it.
    SharedMemory,
}

impl Transport {
    fn builder(self) -> Builder {
        Connection::builder().name("soak").transport(match self {
            Self::Socket => vpp_conn::Transport::Socket,
            Self::SharedMemory => vpp_conn::Transport::SharedMemory,
        })
    }
}

/// Rounds in which everything that is made once comes to be.
const WARM: u64 = 4;

fn main() -> Result<()> {
    let args = Args::parse();
    ensure!(args.rounds > WARM, "at least {} rounds: the first {WARM} warm up", WARM + 1);
    let seed = args.seed.unwrap_or_else(|| fastrand::u64(..));
    let sim;
    let socket = match &args.socket {
        Some(socket) => socket.clone(),
        None => {
            sim = vpp_sim::Sim::release("26.06").start_blocking()?;
            sim.socket().to_owned()
        }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let lasting = runtime.block_on(args.transport.builder().connect(&socket))?;
    let pid = runtime.block_on(lasting.call(&ControlPing))?.vpe_pid;
    // The stand-in is in this process, and what it holds is in this process's figures.
    let vpp = (pid != std::process::id()).then_some(pid);
    let interfaces = runtime.block_on(create_loopbacks(&lasting))?;

    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "soak over {:?}, seed {seed}, VPP at {} (process {pid})",
        args.transport,
        socket.display()
    )?;
    writeln!(out, "{:>6} {:>11} {:>9} {:>9}  held", "round", "calls", "given up", "calls/s")?;
    let (mut total, mut warm) = (Tally::default(), None);
    for round in 1..=args.rounds {
        let begun = Instant::now();
        let share = args.calls / args.rounds / args.tasks as u64;
        let seeds = (0..args.tasks as u64).map(|task| seed ^ (round << 32) ^ (task << 16));
        let work = make_round(&args, &socket, &lasting, share.max(1), seeds, &interfaces);
        let tally = runtime.block_on(work).with_context(|| format!("round {round}, seed {seed}"))?;
        let rate = tally.begun as f64 / begun.elapsed().as_secs_f64();
        total += tally;
        let in_flight = lasting.counters().in_flight;
        ensure!(in_flight == 0, "round {round}, seed {seed}: {in_flight} calls are still under way");
        let held = match &warm {
            None => Held::settled(vpp)?,
            Some(then) => {
                Held::no_more_than(then, vpp).with_context(|| format!("round {round}, seed {seed}"))?
            }
        };
        writeln!(out, "{round:>6} {:>11} {:>9} {rate:>9.0}  {held}", total.begun, total.given_up)?;
        if round == WARM {
            warm = Some(held);
        }
    }
    runtime.block_on(async {
        for sw_if_index in interfaces {
            lasting.call(&DeleteLoopback { sw_if_index }).await?;
        }
        lasting.close().await?;
        Ok::<_, anyhow::Error>(())
    })?;
    writeln!(out, "flat: {total}")?;
    Ok(())
}

/// Interfaces of this run's own.
async fn create_loopbacks(vpp: &Connection) -> Result<Vec<u32>> {
    let mut interfaces = Vec::new();
    for _ in 0..8 {
        interfaces.push(vpp.call(&CreateLoopback::default()).await?.sw_if_index);
    }
    Ok(interfaces)
}

/// Many tasks at once, over the connection that lasts and over two that end with the round: one in the orderly way, one
/// because its last handle goes.
async fn make_round(
    args: &Args,
    socket: &Path,
    lasting: &Connection,
    share: u64,
    seeds: impl Iterator<Item = u64>,
    interfaces: &[u32],
) -> Result<Tally> {
    let closed = args.transport.builder().connect(socket).await?;
    let dropped = args.transport.builder().connect(socket).await?;
    let mut tasks = JoinSet::new();
    for (seed, vpp) in seeds.zip([lasting, &closed, lasting, &dropped].into_iter().cycle()) {
        tasks.spawn(work::make_calls(vpp.clone(), share, seed, interfaces.to_vec()));
    }
    let mut total = Tally::default();
    while let Some(tally) = tasks.join_next().await {
        total += tally??;
    }
    for vpp in [&closed, &dropped] {
        let counters = vpp.counters();
        ensure!(counters.in_flight == 0, "{} calls are still under way", counters.in_flight);
    }
    closed.close().await?;
    Ok(total)
}
