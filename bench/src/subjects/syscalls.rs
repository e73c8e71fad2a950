//! System calls for each message, counted by `strace` in a process of its own.
//!
//! Nothing cheaper counts them all: `/proc/self/io` leaves out those of sockets, and the kernel's own counters need a
//! tracing file system and rights. Under `strace` a client is slower beside VPP than it is else, so that more answers
//! come with each read. What a process does besides is left out: of two runs, one longer, the difference counts.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use vpp_26_06::memclnt::ControlPing;

use super::Setup;
use crate::client::{Client, Kind};
use crate::report::{Row, Table};

/// Messages of the shorter run; the longer has as many more.
const MESSAGES: usize = 4096;

/// What the counted process does.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Counted {
    /// Who calls, where system calls are counted.
    #[arg(long, hide = true)]
    counted: Option<Kind>,
    /// How many calls.
    #[arg(long, hide = true, default_value_t = 0)]
    messages: usize,
    /// How many under way; 0 for one after another.
    #[arg(long, hide = true, default_value_t = 0)]
    depth: usize,
}

/// Whether this process is the counted one; then it has done its work.
pub(crate) fn run(counted: Counted, socket: Option<&Path>) -> Result<bool> {
    let (Some(kind), Some(socket)) = (counted.counted, socket) else { return Ok(false) };
    let mut client = Client::connect(kind, socket)?;
    match counted.depth {
        0 => client.one_by_one(counted.messages)?,
        depth => client.pipelined(counted.messages, Some(depth), |_| ControlPing, |_, _| {})?,
    };
    client.close()?;
    Ok(true)
}

pub(super) fn measure(setup: &Setup<'_>) -> Result<Vec<Table>> {
    let folder = tempfile::tempdir()?;
    let out = folder.path().join("counts");
    let mut tables = Vec::new();
    for depth in [0, 16, 256] {
        let mut rows = Vec::new();
        for kind in Kind::SOCKET {
            let Some(short) = count(kind, depth, MESSAGES, setup.socket, &out)? else {
                let about = "system calls: not counted, there is no `strace` to run";
                return Ok(vec![Table::new("syscalls", about, Vec::new())]);
            };
            let long = count(kind, depth, 2 * MESSAGES, setup.socket, &out)?.unwrap_or(short);
            rows.push(Row {
                way: kind.name().to_owned(),
                transport: Some("socket"),
                syscalls_per_1000: Some((long - short) / MESSAGES as f64 * 1000.0),
                ..Row::default()
            });
        }
        let how = if depth == 0 { "one by one".to_owned() } else { format!("{depth} under way") };
        let about = format!("system calls, control_ping, {how}: {MESSAGES} calls, {}", setup.peer);
        tables.push(Table::new("syscalls", about, rows));
    }
    Ok(tables)
}

/// All system calls of a process that does so much; `None` without `strace`.
fn count(kind: Kind, depth: usize, messages: usize, socket: &Path, out: &PathBuf) -> Result<Option<f64>> {
    let kind = clap::ValueEnum::to_possible_value(&kind).context("each kind has a name")?;
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-c", "-U", "calls,name", "-o"]).arg(out);
    command.arg(std::env::current_exe()?).arg("--socket").arg(socket);
    command.args(["--counted", kind.get_name(), "--messages", &messages.to_string()]);
    command.args(["--depth", &depth.to_string()]);
    let status = match command.stdin(Stdio::null()).status() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        status => status.context("cannot run strace")?,
    };
    ensure!(status.success(), "strace, or what it counts, failed: {status}");
    let counts = std::fs::read_to_string(out)?;
    let total = counts.lines().find_map(|line| line.trim().strip_suffix("total")?.trim().parse().ok());
    Ok(Some(total.with_context(|| format!("strace counted nothing: {counts}"))?))
}
