//! `vppkit lint`.

use std::io::Write;

use anyhow::bail;
use serde_json::{Value, json};

use crate::cli::LintArgs;
use crate::lint;
use crate::output::{Format, Output};
use crate::pattern::Pattern;
use crate::place;

/// Looks for what authors of an API should do otherwise.
pub(crate) async fn run(arguments: &LintArgs, output: &mut Output) -> anyhow::Result<()> {
    let definitions = place::of_options(&arguments.place).await?;
    let pattern = Pattern::new(arguments.module.as_deref());
    let mut findings = lint::findings(&definitions.api, &arguments.rule);
    findings.retain(|finding| pattern.fits(&finding.module));
    match output.format {
        Format::Json => {
            let all: Vec<Value> = findings
                .iter()
                .map(|it| json!({"rule": it.rule, "module": it.module, "item": it.item, "text": it.text}))
                .collect();
            output.json_pretty(&all)?;
        }
        Format::Text => {
            for lint::Finding { rule, module, item, text } in &findings {
                let item = item.as_ref().map(|item| format!(".{item}")).unwrap_or_default();
                writeln!(output, "{module}{item}: {text} [{rule}]")?;
            }
        }
    }
    output.flush()?;
    if arguments.exit_code && !findings.is_empty() {
        bail!("{} findings", findings.len());
    }
    Ok(())
}
