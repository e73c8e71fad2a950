//! The commands, one file each.

mod batch;
mod call;
mod check;
mod cli;
mod completions;
pub(crate) mod decode;
mod diff;
mod dump;
mod encode;
mod events;
mod export;
mod generate;
mod json;
mod lint;
mod ls;
mod releases;
mod replay;
mod show;
mod sim;
mod stats;
#[cfg(feature = "top")]
mod top;
mod trace;
pub(crate) mod typed;

use crate::cli::{Cli, Command};
use crate::output::Output;
use crate::recording;

/// Runs the command that was given.
pub(crate) fn run(cli: Cli) -> anyhow::Result<()> {
    if let Some(file) = &cli.global.trace {
        recording::begin(file)?;
    }
    let mut output = Output::stdout(cli.global.format());
    match cli.command {
        Command::Call(arguments) => with_runtime(call::run(&arguments, &mut output)),
        Command::Dump(arguments) => with_runtime(dump::run(&arguments, &mut output)),
        Command::Events(arguments) => with_runtime(events::run(&arguments, &mut output)),
        Command::Encode(arguments) => encode::run(&arguments, &mut output),
        Command::Decode(arguments) => decode::run(&arguments, &mut output),
        Command::Diff(arguments) => with_runtime(diff::run(&arguments, &mut output)),
        Command::Check(arguments) => with_runtime(check::run(&arguments, &mut output)),
        Command::Ls(arguments) => with_runtime(ls::run(&arguments, &mut output)),
        Command::Show(arguments) => with_runtime(show::run(&arguments, &mut output)),
        Command::Releases(arguments) => releases::run(&arguments, &mut output),
        Command::Lint(arguments) => with_runtime(lint::run(&arguments, &mut output)),
        Command::Export(arguments) => with_runtime(export::run(&arguments, &mut output)),
        Command::Cli(arguments) => with_runtime(cli::run(&arguments, &mut output)),
        Command::Gen(arguments) => generate::run(&arguments, &mut output),
        Command::Json(arguments) => json::run(&arguments, &mut output),
        Command::Stats(arguments) => with_runtime(stats::run(&arguments, &mut output)),
        #[cfg(feature = "top")]
        Command::Top(arguments) => with_runtime(top::run(&arguments, &mut output)),
        Command::Sim(arguments) => with_runtime(sim::run(&arguments, &mut output)),
        Command::Trace(arguments) => with_runtime(trace::run(&arguments, &mut output)),
        Command::Replay(arguments) => with_runtime(replay::run(&arguments, &mut output)),
        Command::Completions(arguments) => completions::run(&arguments, &mut output),
    }
}

/// Runs a command that waits for others, on this thread.
fn with_runtime(command: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(command)
}
