//! The command line.

mod definitions;
mod messages;
mod place;
mod watching;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ColorChoice, Parser, Subcommand};
use clap_complete::ArgValueCompleter;
use clap_complete::aot::Shell;

pub(crate) use self::definitions::{
    CheckArgs, DiffArgs, ExportArgs, GenArgs, JsonArgs, LintArgs, Listed, LsArgs, ReleasesArgs, ShowArgs,
};
pub(crate) use self::messages::{
    CallArgs, CliArgs, DecodeArgs, EncodeArgs, EventsArgs, ReplayArgs, TraceArgs,
};
pub(crate) use self::place::{DefinitionArgs, LanguageArgs, PlaceArgs, SocketArgs};
pub(crate) use self::watching::StatsArgs;
#[cfg(feature = "top")]
pub(crate) use self::watching::{TopArgs, TopView};
use crate::completion;
use crate::output::Format;

/// Talks to VPP over its binary API: any message, without generated code.
///
/// Exit codes: 0 done; 1 used wrongly or failed; 2 VPP refused; 3 no connection to VPP.
#[derive(Debug, Parser)]
#[command(name = "vppkit", version, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,

    #[command(flatten)]
    pub(crate) global: Global,
}

/// What every command takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct Global {
    /// Print JSON, in VPP's own form
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// When to colour; NO_COLOR in the environment says never as well
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: ColorChoice,

    /// Write the messages that go over connections to a file, as lines of JSON that trace and replay read
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) trace: Option<PathBuf>,

    /// Say on standard error what happens; twice for more
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
}

impl Global {
    /// How results are to be shown.
    pub(crate) fn format(&self) -> Format {
        if self.json { Format::Json } else { Format::Text }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Send a request and print its reply
    #[command(after_help = "Example: vppkit call create_loopback '{\"mac_address\": \"02:fe:00:00:00:01\"}'")]
    Call(CallArgs),

    /// Send a request that is answered by many messages, and print them
    #[command(after_help = "Example: vppkit dump sw_interface_dump --json")]
    Dump(CallArgs),

    /// Subscribe to an event and print each as it comes
    #[command(after_help = "Example: vppkit events sw_interface_event --count 1")]
    Events(EventsArgs),

    /// Write a message as VPP gets it, in hex digits
    #[command(
        after_help = "Example: vppkit encode sw_interface_set_flags '{\"sw_if_index\": 1, \"flags\": 1}'"
    )]
    Encode(EncodeArgs),

    /// Read a message from its bytes in hex digits
    #[command(after_help = "Example: vppkit decode --name control_ping 00170000000000000000")]
    Decode(DecodeArgs),

    /// Tell what differs between two releases, folders of definitions, or running VPPs
    #[command(after_help = "Example: vppkit diff 26.06 /run/vpp/api.sock")]
    Diff(DiffArgs),

    /// Tell whether a running VPP is good for a program
    #[command(after_help = "Example: vppkit check --crate-uses .")]
    Check(CheckArgs),

    /// List modules, messages, types or services
    #[command(after_help = "Example: vppkit ls messages 'ip_route*'")]
    Ls(LsArgs),

    /// Show a message or type: fields with their offsets, how it is answered, its name in Rust
    #[command(after_help = "Example: vppkit show ip_route_add_del")]
    Show(ShowArgs),

    /// List the VPP releases that this program knows, and what changed from each to the next
    #[command(after_help = "Example: vppkit releases --markdown")]
    Releases(ReleasesArgs),

    /// Look for what authors of an API should do otherwise
    #[command(after_help = "Example: vppkit lint --api-dir my-plugin/api --exit-code")]
    Lint(LintArgs),

    /// Copy definitions to a folder or an archive, with their origin and checksums
    #[command(after_help = "Example: vppkit export --socket /run/vpp/api.sock --out my-vpp.tar.gz")]
    Export(ExportArgs),

    /// Run commands of VPP's debug CLI: one, those of standard input, or at a prompt
    #[command(after_help = "Example: vppkit cli show interface address")]
    Cli(CliArgs),

    /// Show what VPP recorded of its API: the messages of a file, or those of a running VPP as they come
    #[command(after_help = "Example: vppkit trace /tmp/api.trace")]
    Trace(TraceArgs),

    /// Send recorded requests to a VPP, which may have other ids than the one that recorded
    #[command(after_help = "Example: vppkit replay /tmp/api.trace --socket /run/vpp/api.sock")]
    Replay(ReplayArgs),

    /// Generate a Rust crate from a folder of API definitions
    #[command(after_help = "Example: vppkit gen --api-dir /usr/share/vpp/api --out vpp-api")]
    Gen(GenArgs),

    /// Print an .api file as the JSON that VPP's own tool makes of it
    #[command(after_help = "Example: vppkit json src/plugins/acl/acl.api > acl.api.json")]
    Json(JsonArgs),

    /// Show VPP's statistics: counters of interfaces, errors, nodes, memory
    #[command(after_help = "Example: vppkit stats --watch '/if/rx*'")]
    Stats(StatsArgs),

    /// Watch VPP at work: rates of interfaces, graph nodes, errors, and this program's own latency
    #[cfg(feature = "top")]
    #[command(after_help = "Example: vppkit top --once --view errors")]
    Top(TopArgs),

    /// Run a stand-in for VPP until Ctrl-C
    #[command(after_help = "Example: vppkit sim --socket /tmp/api.sock")]
    Sim(SimArgs),

    /// Print what a shell needs to complete vppkit's commands, messages, fields and enumerators
    #[command(after_help = "Example, in ~/.bashrc: source <(vppkit completions bash)")]
    Completions(CompletionsArgs),
}

#[derive(Debug, Args)]
pub(crate) struct SimArgs {
    /// Where to listen
    #[arg(long, value_name = "PATH", env = "VPP_API_SOCKET")]
    pub(crate) socket: PathBuf,

    /// Where to hand out statistics; where none is given, beside the other: stats.sock for api.sock, a-stats.sock for
    /// a.sock
    #[arg(long, value_name = "PATH", env = "VPP_STATS_SOCKET")]
    pub(crate) stats_socket: Option<PathBuf>,

    /// The VPP release to stand in for; the newest known where none is given
    #[arg(long, value_name = "RELEASE", add = ArgValueCompleter::new(completion::releases))]
    pub(crate) release: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub(crate) shell: Shell,
}

/// A number of seconds, fractions allowed.
fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds".to_owned())?;
    let duration = Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())?;
    if duration.is_zero() { Err("must be more than nothing".to_owned()) } else { Ok(duration) }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_of_the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_timeout_is_a_time() {
        assert_eq!(seconds("0.25"), Ok(Duration::from_millis(250)));
        for bad in ["0", "-1", "soon", "inf", "NaN"] {
            assert!(seconds(bad).is_err(), "{bad}");
        }
    }
}
