//! What a contributor runs: `cargo xtask gen`, `bench`, `soak`, `callgrind`, `sanitize`.

mod callgrind;
mod generate;
mod sanitize;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use clap::{Parser, Subcommand};

/// What a contributor runs
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Generate the typed messages from the pinned definitions
    Gen(generate::Arguments),
    /// Measure what calls cost, beside a raw loop in the same run (`cargo xtask bench --help` tells its options)
    #[command(disable_help_flag = true)]
    Bench {
        /// Options of the measuring program
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        options: Vec<OsString>,
    },
    /// Make millions of random calls, and see that nothing is left of them (`cargo xtask soak --help` tells its options)
    #[command(disable_help_flag = true)]
    Soak {
        /// Options of the soaking program
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        options: Vec<OsString>,
    },
    /// Count the instructions of hot paths under callgrind
    Callgrind(callgrind::Arguments),
    /// Run the connection's tests under a sanitizer, those of shared memory under Miri
    Sanitize {
        /// What is looked for
        sanitizer: sanitize::Sanitizer,
        /// Options of `cargo test`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        options: Vec<OsString>,
    },
}

fn main() -> Result<()> {
    let root = root()?;
    match Arguments::parse().command {
        Command::Gen(arguments) => generate::run(&root, &arguments),
        Command::Bench { options } => measure(&root, "vppkit-bench", &options),
        Command::Callgrind(arguments) => callgrind::run(&root, &arguments),
        Command::Sanitize { sanitizer, options } => sanitize::run(&root, sanitizer, &options),
        Command::Soak { options } => measure(&root, "soak", &options),
    }
}

/// Runs a measuring program, optimised. They are a package of their own because they stand on generated code, which this
/// program has to be able to mend.
fn measure(root: &Path, program: &str, options: &[OsString]) -> Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = std::process::Command::new(cargo)
        .current_dir(root)
        .args(["run", "--quiet", "--release", "--package", "vppkit-bench", "--bin", program, "--"])
        .args(options)
        .status()
        .context("cannot run cargo")?;
    ensure!(status.success(), "{program} failed: {status}");
    Ok(())
}

/// The workspace: the folder above this package.
fn root() -> Result<PathBuf> {
    let package = std::env::var_os("CARGO_MANIFEST_DIR")
        .context("run it as `cargo xtask`: cargo says where the workspace is")?;
    let package = PathBuf::from(package);
    Ok(package.parent().context("the xtask package has no folder above it")?.to_owned())
}
