//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ColorChoice, Parser, Subcommand, ValueEnum};
use clap_complete::ArgValueCompleter;
use clap_complete::aot::Shell;
use vpp_schema::{Numbering, SourceOptions};

use crate::completion;
use crate::lint;
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

/// How to reach VPP.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct SocketArgs {
    /// VPP's API socket
    #[arg(long, value_name = "PATH", env = "VPP_API_SOCKET", default_value = "/run/vpp/api.sock")]
    pub(crate) socket: PathBuf,
}

/// Where the definitions of messages come from.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Definitions")]
pub(crate) struct DefinitionArgs {
    /// Take the definitions from the *.api.json files of a folder
    #[arg(long, value_name = "DIR", conflicts_with_all = ["api_src", "release"])]
    pub(crate) api_dir: Option<PathBuf>,

    /// Take the definitions from .api files: VPP's sources, the folder of a plugin, or one file; may be given several
    /// times
    #[arg(long, value_name = "DIR", conflicts_with = "release")]
    pub(crate) api_src: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) language: LanguageArgs,

    /// Take the definitions of a VPP release that this program knows
    #[arg(long, value_name = "RELEASE", add = ArgValueCompleter::new(completion::releases))]
    pub(crate) release: Option<String>,
}

/// Where definitions come from when a VPP is one place of several.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Definitions")]
pub(crate) struct PlaceArgs {
    #[command(flatten)]
    pub(crate) definitions: DefinitionArgs,

    /// Take the definitions and messages of a running VPP
    #[arg(long, value_name = "PATH", conflicts_with_all = ["api_dir", "api_src", "release"])]
    pub(crate) socket: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    /// A VPP release that this program knows, a folder of *.api.json or .api files, an .api file, or the API socket of a
    /// running VPP
    #[arg(value_name = "A", add = ArgValueCompleter::new(completion::releases))]
    pub(crate) from: String,

    /// Another
    #[arg(value_name = "B", add = ArgValueCompleter::new(completion::releases))]
    pub(crate) to: String,

    /// Exit with 1 when anything differs
    #[arg(long)]
    pub(crate) exit_code: bool,
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("program").required(true))]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    pub(crate) socket: SocketArgs,

    /// The program uses every message of this release
    #[arg(long, value_name = "RELEASE", group = "program", add = ArgValueCompleter::new(completion::releases))]
    pub(crate) release: Option<String>,

    /// The program uses the messages of a file: a line each, `name_crc` or `name crc`; `#` begins a remark
    #[arg(long, value_name = "FILE", group = "program")]
    pub(crate) manifest: Option<PathBuf>,

    /// The program uses the messages that the Rust sources of a crate name, with their answers
    #[arg(long, value_name = "PATH", group = "program")]
    pub(crate) crate_uses: Option<PathBuf>,
}

/// What `ls` lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Listed {
    Modules,
    Messages,
    Types,
    Services,
}

#[derive(Debug, Args)]
pub(crate) struct LsArgs {
    /// What to list
    #[arg(value_name = "WHAT", default_value = "modules")]
    pub(crate) what: Listed,

    /// Only names that contain this, or that fit it when it has * or ?
    #[arg(value_name = "PATTERN")]
    pub(crate) pattern: Option<String>,

    /// Below their modules
    #[arg(long)]
    pub(crate) tree: bool,

    #[command(flatten)]
    pub(crate) place: PlaceArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// A message or type; `module.name` where several modules have it
    #[arg(value_name = "NAME", add = ArgValueCompleter::new(completion::messages))]
    pub(crate) name: String,

    #[command(flatten)]
    pub(crate) place: PlaceArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ReleasesArgs {
    /// Print a table in Markdown
    #[arg(long, conflicts_with = "json")]
    pub(crate) markdown: bool,
}

#[derive(Debug, Args)]
pub(crate) struct LintArgs {
    /// Only this rule; may be given more than once
    #[arg(long, value_name = "RULE", value_parser = clap::builder::PossibleValuesParser::new(lint::names()))]
    pub(crate) rule: Vec<String>,

    /// Only modules whose name contains this, or fits it when it has * or ?
    #[arg(value_name = "MODULE")]
    pub(crate) module: Option<String>,

    /// Exit with 1 when something is found
    #[arg(long)]
    pub(crate) exit_code: bool,

    #[command(flatten)]
    pub(crate) place: PlaceArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// A folder, which is not to be there yet, or an archive: FILE.tar.gz
    #[arg(long, value_name = "PATH")]
    pub(crate) out: PathBuf,

    #[command(flatten)]
    pub(crate) place: PlaceArgs,
}

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

    /// Go through the generated Rust type of the message, in place of its definition
    #[arg(long)]
    pub(crate) typed: bool,

    #[command(flatten)]
    pub(crate) definitions: DefinitionArgs,
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

    /// Go through the generated Rust type of the message, in place of its definition
    #[arg(long)]
    pub(crate) typed: bool,

    #[command(flatten)]
    pub(crate) definitions: DefinitionArgs,
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

#[derive(Debug, Args)]
pub(crate) struct GenArgs {
    /// The folder with VPP's *.api.json files
    #[arg(long, value_name = "DIR", required_unless_present = "api_src", conflicts_with = "api_src")]
    pub(crate) api_dir: Option<PathBuf>,

    /// VPP's sources, the folder of a plugin, or one .api file; may be given several times
    #[arg(long, value_name = "DIR")]
    pub(crate) api_src: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) language: LanguageArgs,

    /// Generate only the modules of this name, and what they need; with * and ?, may be given several times
    #[arg(long, value_name = "NAME")]
    pub(crate) module: Vec<String>,

    /// Generate only the messages of this name, and what they need; with * and ?, may be given several times
    #[arg(long, value_name = "NAME")]
    pub(crate) message: Vec<String>,

    /// Take what the crate of a release has from there: vpp_26_06, or vpp_26_06=PATH where it is not to come from the
    /// registry
    #[arg(long, value_name = "CRATE[=PATH]")]
    pub(crate) reuse: Vec<String>,

    /// The VPP release the definitions are from, to be written into the crate
    #[arg(long, value_name = "VERSION")]
    pub(crate) vpp_version: Option<String>,

    /// The folder of the crate; made where it is missing
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,

    /// Where the crate vpp-wire is, when it is not to come from the registry
    #[arg(long, value_name = "PATH")]
    pub(crate) runtime_path: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct JsonArgs {
    /// The file
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    #[command(flatten)]
    pub(crate) language: LanguageArgs,
}

/// How .api files are read.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct LanguageArgs {
    /// Look for what .api files import in this folder, too, before their own and those above it
    #[arg(short = 'I', long = "include", value_name = "DIR")]
    pub(crate) include: Vec<PathBuf>,

    /// The first number of an enum that gives none: 1 for VPP up to 22.02, else 0; VPP's sources tell by themselves
    #[arg(long, value_name = "0|1", value_parser = numbering)]
    pub(crate) enums_from: Option<Numbering>,
}

impl LanguageArgs {
    /// As the reader takes it.
    pub(crate) fn options(&self) -> SourceOptions {
        SourceOptions {
            include: self.include.clone(),
            numbering: self.enums_from,
            ..SourceOptions::default()
        }
    }
}

fn numbering(text: &str) -> Result<Numbering, String> {
    match text {
        "0" => Ok(Numbering::FromZero),
        "1" => Ok(Numbering::FromOne),
        _ => Err("is to be 0 or 1".to_owned()),
    }
}

#[derive(Debug, Args)]
pub(crate) struct StatsArgs {
    /// Entries: what their names begin with; with * or ? all of the name; with ^ $ [ | or .* a regular expression
    #[arg(value_name = "PATTERN")]
    pub(crate) patterns: Vec<String>,

    /// Show them again and again, with rates per second; as often as said, in seconds
    #[arg(long, value_name = "SECONDS", value_parser = seconds, num_args = 0..=1, require_equals = true, default_missing_value = "1")]
    pub(crate) watch: Option<Duration>,

    /// End after so many times
    #[arg(long, value_name = "N", requires = "watch", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) count: Option<u64>,

    /// Print them as Prometheus reads them
    #[arg(long, conflicts_with_all = ["watch", "json"])]
    pub(crate) prom: bool,

    /// Each thread apart, not their sum
    #[arg(long)]
    pub(crate) threads: bool,

    /// Leave out what is zero
    #[arg(long)]
    pub(crate) no_zeros: bool,

    /// VPP's stats socket
    #[arg(
        long,
        value_name = "PATH",
        env = "VPP_STATS_SOCKET",
        default_value = vpp_conn::stats::DEFAULT_SOCKET,
        help_heading = "Connection"
    )]
    pub(crate) stats_socket: PathBuf,
}

/// What `top` shows.
#[cfg(feature = "top")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TopView {
    Interfaces,
    Nodes,
    Errors,
    Client,
}

#[cfg(feature = "top")]
#[derive(Debug, Args)]
pub(crate) struct TopArgs {
    /// What to show first
    #[arg(long, value_name = "VIEW", default_value = "interfaces")]
    pub(crate) view: TopView,

    /// Show only names that contain a text
    #[arg(long, value_name = "TEXT")]
    pub(crate) filter: Option<String>,

    /// How often to look, in seconds
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "1")]
    pub(crate) interval: Duration,

    /// Print what the second look shows, and end
    #[arg(long)]
    pub(crate) once: bool,

    #[command(flatten)]
    pub(crate) socket: SocketArgs,

    /// VPP's stats socket; where none is given, the one beside the API socket
    #[arg(long, value_name = "PATH", env = "VPP_STATS_SOCKET", help_heading = "Connection")]
    pub(crate) stats_socket: Option<PathBuf>,
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
