//! Commands on definitions.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use clap_complete::ArgValueCompleter;

use super::place::{LanguageArgs, PlaceArgs, SocketArgs};
use crate::completion;
use crate::lint;

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
