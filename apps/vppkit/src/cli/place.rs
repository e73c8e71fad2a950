//! Where VPP is, and where definitions come from.

use std::path::PathBuf;

use clap::Args;
use clap_complete::ArgValueCompleter;
use vpp_schema::{Numbering, SourceOptions};

use crate::completion;

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
