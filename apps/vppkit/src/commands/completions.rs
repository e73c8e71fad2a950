//! `vppkit completions`.

use std::io::Write;
use std::path::Path;

use anyhow::Context;
use clap_complete::env::Shells;

use crate::cli::CompletionsArgs;
use crate::output::Output;

/// Prints what makes a shell ask this program what could come next.
pub(crate) fn run(arguments: &CompletionsArgs, output: &mut Output) -> anyhow::Result<()> {
    let shells = Shells::builtins();
    let shell = shells
        .completer(&arguments.shell.to_string())
        .with_context(|| format!("nothing is known of completion in {}", arguments.shell))?;
    let mut script = Vec::new();
    shell.write_registration("COMPLETE", "vppkit", "vppkit", &completer()?, &mut script)?;
    output.write_all(&script)?;
    output.flush()?;
    Ok(())
}

/// How the shell is to run this program: as it was run, from whatever folder.
fn completer() -> anyhow::Result<String> {
    let program = std::env::args_os().next().unwrap_or_else(|| "vppkit".into());
    let program = Path::new(&program);
    if program.components().count() == 1 {
        return Ok(program.display().to_string());
    }
    let absolute = std::path::absolute(program).context("cannot tell the path of this program")?;
    Ok(absolute.display().to_string())
}
