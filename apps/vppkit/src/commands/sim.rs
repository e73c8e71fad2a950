//! `vppkit sim`.

use std::io::Write;

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};
use vpp_sim::Sim;

use crate::cli::SimArgs;
use crate::definitions::known_release;
use crate::output::Output;

/// Runs a stand-in for VPP until it is interrupted.
pub(crate) async fn run(arguments: &SimArgs, output: &mut Output) -> anyhow::Result<()> {
    let release = match &arguments.release {
        Some(release) => known_release(release)?,
        None => vpp_api_json::newest(),
    };
    let mut terminated = signal(SignalKind::terminate()).context("cannot wait for signals")?;
    let sim = Sim::release(release).socket(&arguments.socket).start().await?;
    writeln!(output, "standing in for VPP {release} at {}; Ctrl-C ends it", sim.socket().display())?;
    output.flush()?;
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => pressed.context("cannot wait for Ctrl-C")?,
        _ = terminated.recv() => {}
    }
    Ok(())
}
