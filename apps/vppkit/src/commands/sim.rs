//! `vppkit sim`.

use std::io::Write;

use vpp_sim::Sim;

use crate::cli::SimArgs;
use crate::definitions::known_release;
use crate::interrupt::Interrupt;
use crate::output::Output;
use crate::place::stats_beside;

/// Runs a stand-in for VPP until it is interrupted.
pub(crate) async fn run(arguments: &SimArgs, output: &mut Output) -> anyhow::Result<()> {
    let release = match &arguments.release {
        Some(release) => known_release(release)?,
        None => vpp_api_json::newest(),
    };
    let mut interrupt = Interrupt::new()?;
    let stats = arguments.stats_socket.clone().unwrap_or_else(|| stats_beside(&arguments.socket));
    let sim = Sim::release(release).socket(&arguments.socket).stats_socket(stats).start().await?;
    writeln!(
        output,
        "standing in for VPP {release} at {}, statistics at {}; Ctrl-C ends it",
        sim.socket().display(),
        sim.stats_socket().display()
    )?;
    output.flush()?;
    interrupt.wait().await;
    Ok(())
}
