//! `cargo xtask bench`: what talking to VPP costs, beside the least it can cost, measured in the same run.

mod client;
mod floor;
mod peer;
mod report;
mod rounds;
mod subjects;

use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;
use clap::Parser;

use crate::peer::Peer;
use crate::report::{Ratio, Table};
use crate::subjects::{Counted, Setup, Subject};

/// Measures what talking to a VPP costs, or to the stand-in where no socket is named.
///
/// Each way is compared with a floor, the least that a program can do, measured in the same run: the ways take turns in
/// each round, and the median of the rounds' ratios is told, in brackets the quartiles. Fix the cores of both sides for
/// the ratios to say anything: `taskset -c 0` for this program, `cpu { main-core 1 }` for VPP.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask bench", bin_name = "cargo xtask bench")]
struct Args {
    /// The API socket of a running VPP 26.06; its statistics socket, `stats.sock`, is beside it. Without it the
    /// stand-in is measured.
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
    /// What to measure; everything, if not said. May be given more than once.
    #[arg(long, value_name = "SUBJECT")]
    only: Vec<Subject>,
    /// Rounds. The ways take turns in each.
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Calls of a round, one after another.
    #[arg(long, default_value_t = 5_000)]
    calls: usize,
    /// Calls of a round, many under way.
    #[arg(long, default_value_t = 50_000)]
    pipelined: usize,
    /// Routes to add and to dump: 100,000 if not said, 5,000 for the stand-in.
    #[arg(long)]
    routes: Option<usize>,
    /// One JSON object instead of tables.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    counted: Counted,
}

fn main() -> Result<()> {
    let args = Args::parse();
    if subjects::run_counted(args.counted, args.socket.as_deref())? {
        return Ok(());
    }
    let peer = Peer::new(args.socket)?;
    let setup = Setup {
        socket: peer.socket(),
        stats_socket: peer.stats_socket(),
        peer: peer.name(),
        calls: args.calls.max(1),
        pipelined: args.pipelined.max(1),
        routes: args.routes.unwrap_or(if peer.is_vpp() { 100_000 } else { 5_000 }).max(1),
        rounds: args.rounds.max(1),
    };
    let subjects = if args.only.is_empty() { Subject::ALL.to_vec() } else { args.only };
    let mut out = std::io::stdout().lock();
    let mut measured = Vec::new();
    for subject in subjects {
        for mut table in subject.measure(&setup)? {
            if !peer.is_vpp() {
                // The stand-in works in this very process, on the same cores: what it takes is no longer told apart,
                // and limits are those for a VPP.
                for row in &mut table.rows {
                    row.cpu_us = None;
                    row.ratio = row.ratio.map(Ratio::without_limit);
                }
            }
            if args.json {
                measured.push(table);
            } else {
                writeln!(out, "{table}")?;
            }
        }
    }
    if args.json {
        let tables: Vec<_> = measured.iter().map(Table::json).collect();
        writeln!(out, "{}", serde_json::json!({ "peer": peer.name(), "tables": tables }))?;
    }
    Ok(())
}
