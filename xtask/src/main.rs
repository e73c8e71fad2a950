//! What a contributor runs: `cargo xtask gen`.

mod generate;

use std::path::PathBuf;

use anyhow::{Context as _, Result};
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
}

fn main() -> Result<()> {
    let root = root()?;
    match Arguments::parse().command {
        Command::Gen(arguments) => generate::run(&root, &arguments),
    }
}

/// The workspace: the folder above this package.
fn root() -> Result<PathBuf> {
    let package = std::env::var_os("CARGO_MANIFEST_DIR")
        .context("run it as `cargo xtask`: cargo says where the workspace is")?;
    let package = PathBuf::from(package);
    Ok(package.parent().context("the xtask package has no folder above it")?.to_owned())
}
