//! The commands, one file each.

mod batch;
mod call;
mod completions;
mod decode;
mod dump;
mod encode;
mod events;
mod generate;
mod json;
mod sim;

use crate::cli::{Cli, Command};
use crate::output::Output;

/// Runs the command that was given.
pub(crate) fn run(cli: Cli) -> anyhow::Result<()> {
    let mut output = Output::stdout(cli.global.format());
    match cli.command {
        Command::Call(arguments) => with_runtime(call::run(&arguments, &mut output)),
        Command::Dump(arguments) => with_runtime(dump::run(&arguments, &mut output)),
        Command::Events(arguments) => with_runtime(events::run(&arguments, &mut output)),
        Command::Encode(arguments) => encode::run(&arguments, &mut output),
        Command::Decode(arguments) => decode::run(&arguments, &mut output),
        Command::Gen(arguments) => generate::run(&arguments, &mut output),
        Command::Json(arguments) => json::run(&arguments, &mut output),
        Command::Sim(arguments) => with_runtime(sim::run(&arguments, &mut output)),
        Command::Completions(arguments) => completions::run(&arguments, &mut output),
    }
}

/// Runs a command that waits for others, on this thread.
fn with_runtime(command: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(command)
}
