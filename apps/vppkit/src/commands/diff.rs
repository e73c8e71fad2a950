//! `vppkit diff`.

use std::io::Write;

use anyhow::bail;
use serde_json::{Value, json};

use crate::cli::DiffArgs;
use crate::output::{Format, Output};
use crate::place;

/// Tells what differs between two APIs.
pub(crate) async fn run(arguments: &DiffArgs, output: &mut Output) -> anyhow::Result<()> {
    let from = place::of_word(&arguments.from).await?;
    let to = place::of_word(&arguments.to).await?;
    let comparison = from.api.compare(&to.api);
    match output.format {
        Format::Text => write!(output, "{comparison}")?,
        Format::Json => {
            let mut value = json!({"from": arguments.from, "to": arguments.to});
            if let (Value::Object(value), Value::Object(sections)) = (&mut value, comparison.to_json()) {
                value.extend(sections);
            }
            output.json_pretty(&value)?;
        }
    }
    output.flush()?;
    if arguments.exit_code && !comparison.is_empty() {
        bail!("{} and {} differ", arguments.from, arguments.to);
    }
    Ok(())
}
