//! `vppkit`: the binary API of VPP at the terminal.

mod cli;
mod commands;
mod completion;
mod definitions;
mod failure;
mod input;
mod interrupt;
mod lint;
mod output;
mod pattern;
mod place;
mod recording;
mod running;
mod similar;
mod suggest;
mod uses;

use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{ColorChoice, CommandFactory, FromArgMatches};
use clap_complete::CompleteEnv;
use tracing_subscriber::EnvFilter;

use crate::cli::Cli;

fn main() -> ExitCode {
    // When a shell asks what could come next, answers it and ends.
    CompleteEnv::with_factory(Cli::command).complete();

    let cli = match Cli::command().try_get_matches().and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    output::set_color(cli.global.color);
    trace(cli.global.verbose, cli.global.color);
    match commands::run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if failure::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            output::error(failure::sentence(&error));
            failure::exit_code(&error)
        }
    }
}

/// Says what the command line has wrong; help and version, which are no error, go to standard output.
fn usage(error: &clap::Error) -> ExitCode {
    // A closed output leaves nobody to tell.
    let _ = error.print();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => ExitCode::SUCCESS,
        _ => ExitCode::from(failure::FAILED),
    }
}

/// Lets the libraries say on standard error what they do: as often as asked, or as `RUST_LOG` has it.
fn trace(verbose: u8, color: ColorChoice) {
    let filter = match verbose {
        0 => EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("off")),
        1 => EnvFilter::new("vpp_conn=debug,vpp_sim=debug,vppkit=debug"),
        _ => EnvFilter::new("trace"),
    };
    let is_colored = match color {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never,
    };
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(is_colored)
        .with_writer(std::io::stderr)
        .init();
}
