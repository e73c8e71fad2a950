//! Commands that send, receive, encode, decode or record messages.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap_complete::ArgValueCompleter;

use super::place::{DefinitionArgs, SocketArgs};
use super::seconds;
use crate::completion;

#[derive(Debug, Args)]
pub(crate) struct CliArgs {
    /// The command; without one, lines of standard input, or of a prompt on a terminal
    #[arg(value_name = "COMMAND", trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) command: Vec<String>,

    /// Go on after a command that VPP refused; the exit code at the end tells of it
    #[arg(short, long)]
    pub(crate) keep_going: bool,

    #[command(flatten)]
    pub(crate) socket: SocketArgs,

    /// How long to wait for VPP, in seconds
    #[arg(long, value_name = "SECONDS", value_parser = seconds, help_heading = "Connection")]
    pub(crate) timeout: Option<Duration>,
}

#[derive(Debug, Args)]
pub(crate) struct CallArgs {
    /// The request
    #[arg(value_name = "NAME", add = ArgValueCompleter::new(completion::requests))]
    pub(crate) name: String,

    /// Its fields as a JSON object; '-' reads it from standard input. A field left out takes its default
    #[arg(value_name = "FIELDS", add = ArgValueCompleter::new(completion::fields))]
    pub(crate) fields: Option<String>,

    #[command(flatten)]
    pub(crate) socket: SocketArgs,

    /// How long to wait for VPP, in seconds
    #[arg(long, value_name = "SECONDS", value_parser = seconds, help_heading = "Connection")]
    pub(crate) timeout: Option<Duration>,

    #[command(flatten)]
    pub(crate) definitions: DefinitionArgs,
}

#[derive(Debug, Args)]
pub(crate) struct EventsArgs {
    /// The event
    #[arg(value_name = "NAME", add = ArgValueCompleter::new(completion::events))]
    pub(crate) name: String,

    /// Fields of the request that subscribes, as a JSON object, where it has some to choose; '-' reads standard input
    #[arg(value_name = "FIELDS", add = ArgValueCompleter::new(completion::fields))]
    pub(crate) fields: Option<String>,

    /// End after so many events
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) count: Option<u64>,

    /// End after so many seconds; too few events by then are a failure when there is a count
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) timeout: Option<Duration>,

    #[command(flatten)]
    pub(crate) socket: SocketArgs,

    #[command(flatten)]
    pub(crate) definitions: DefinitionArgs,
}

/// By what a message is encoded or decoded.
#[derive(Debug, Args)]
pub(crate) struct CodecArgs {
    /// Go through the generated Rust type of the message, in place of its definition
    #[arg(long)]
    pub(crate) typed: bool,

    #[command(flatten)]
    pub(crate) definitions: DefinitionArgs,
}

#[derive(Debug, Args)]
pub(crate) struct EncodeArgs {
    /// The message
    #[arg(
        value_name = "NAME",
        required_unless_present = "batch",
        add = ArgValueCompleter::new(completion::messages)
    )]
    pub(crate) name: Option<String>,

    /// Its fields as a JSON object; '-' reads it from standard input. A field left out takes its default
    #[arg(value_name = "FIELDS", conflicts_with = "batch", add = ArgValueCompleter::new(completion::fields))]
    pub(crate) fields: Option<String>,

    /// Read a JSON object a line from standard input, {"name": ..., "fields": {...}} and as wanted "id",
    /// "client_index" and "context", or messages as decode prints them; write a line of hex digits, or of
    /// {"error": ...}, for each
    #[arg(long)]
    pub(crate) batch: bool,

    #[command(flatten)]
    pub(crate) codec: CodecArgs,
}

#[derive(Debug, Args)]
pub(crate) struct DecodeArgs {
    /// The whole message in hex digits, from its id on; '-' reads it from standard input
    #[arg(value_name = "HEX", required_unless_present = "batch", conflicts_with = "batch")]
    pub(crate) hex: Option<String>,

    /// The message
    #[arg(
        long,
        value_name = "NAME",
        required_unless_present = "batch",
        add = ArgValueCompleter::new(completion::messages)
    )]
    pub(crate) name: Option<String>,

    /// Show id, client index and context, too
    #[arg(long)]
    pub(crate) header: bool,

    /// Read a message a line from standard input, {"name": ..., "hex": ...} or, with --name, hex digits alone; write a
    /// line of JSON for each
    #[arg(long)]
    pub(crate) batch: bool,

    #[command(flatten)]
    pub(crate) codec: CodecArgs,
}

#[derive(Debug, Args)]
pub(crate) struct TraceArgs {
    /// A file of VPP's `api trace save` or `api trace save-json`, or of `vppkit trace --json`
    #[arg(value_name = "FILE", required_unless_present = "live", conflicts_with = "live")]
    pub(crate) file: Option<PathBuf>,

    /// Print what clients send to a running VPP, until Ctrl-C; VPP's trace is switched on meanwhile
    #[arg(long)]
    pub(crate) live: bool,

    /// End after so many messages
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) count: Option<u64>,

    #[command(flatten)]
    pub(crate) socket: SocketArgs,

    #[command(flatten)]
    pub(crate) definitions: DefinitionArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// A file of VPP's `api trace save` or `api trace save-json`, or of `vppkit trace --json`
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    /// Go on after a request that fails; the exit code at the end tells of it
    #[arg(short, long)]
    pub(crate) keep_going: bool,

    #[command(flatten)]
    pub(crate) socket: SocketArgs,

    /// How long to wait for each answer, in seconds
    #[arg(long, value_name = "SECONDS", value_parser = seconds, help_heading = "Connection")]
    pub(crate) timeout: Option<Duration>,

    #[command(flatten)]
    pub(crate) definitions: DefinitionArgs,
}
