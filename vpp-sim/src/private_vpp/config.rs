//! The configuration of a private VPP and where its files lie.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Where everything of one instance lies.
#[derive(Debug)]
pub(super) struct Config {
    /// `startup.conf`.
    pub(super) file: PathBuf,
    /// What it prints.
    pub(super) output: PathBuf,
    pub(super) api_socket: PathBuf,
    pub(super) cli_socket: PathBuf,
    pub(super) stats_socket: PathBuf,
    /// What the names of its files in `/dev/shm` begin with.
    pub(super) prefix: String,
}

impl Config {
    /// The files of an instance whose runtime folder is `folder`. VPP itself names the API and the stats socket.
    pub(super) fn in_folder(folder: &Path, prefix: String) -> Self {
        Self {
            file: folder.join("startup.conf"),
            output: folder.join("output"),
            api_socket: folder.join("api.sock"),
            cli_socket: folder.join("cli.sock"),
            stats_socket: folder.join("stats.sock"),
            prefix,
        }
    }

    /// The text of `startup.conf`: as little memory as VPP starts with, in small pages, and no hardware.
    pub(super) fn text(&self, folder: &Path, plugins: Option<&Path>, api_trace: bool, extra: &str) -> String {
        let (folder, cli, prefix) = (folder.display(), self.cli_socket.display(), &self.prefix);
        let mut text = format!(
            "unix {{ nodaemon runtime-dir {folder} cli-listen {cli} log {folder}/vpp.log }}\n\
             api-segment {{ prefix {prefix} }}\n\
             memory {{ main-heap-size 512M main-heap-page-size 4k }}\n\
             statseg {{ size 32M page-size 4k }}\n\
             buffers {{ buffers-per-numa 2048 page-size 4k }}\n",
        );
        if let Some(plugins) = plugins {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "plugins {{ path {} }}", plugins.display());
        }
        if api_trace {
            text.push_str("api-trace { on }\n");
        }
        text.push_str(extra);
        text
    }
}
