//! `vppkit json`.

use std::io::Write;

use vpp_schema::ApiFile;

use crate::cli::JsonArgs;
use crate::output::Output;

/// Prints an `.api` file in VPP's JSON form.
pub(crate) fn run(arguments: &JsonArgs, output: &mut Output) -> anyhow::Result<()> {
    let file = ApiFile::read(&arguments.file, &arguments.language.options())?;
    output.json_pretty(&file.json)?;
    output.flush()?;
    Ok(())
}
