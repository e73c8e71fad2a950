//! Commands that watch VPP at work.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::place::SocketArgs;
use super::seconds;

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

    /// Print them as Prometheus reads them; with --watch an empty line ends each time
    #[arg(long, conflicts_with = "json")]
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
