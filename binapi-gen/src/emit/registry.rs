//! The registry: every message by name, to what can be done with it whatever its type.

use std::fmt::Write as _;

use super::Provenance;
use crate::pass::plan::{Definition, Plan};

/// The table behind the pool's `registry` feature.
pub(crate) fn registry_file(plan: &Plan<'_>, provenance: &Provenance) -> String {
    let releases = plan.releases.iter().map(|release| format!("{:?},", release.name));
    let mut text = format!(
        "// {}\n\n//! The messages of each API module.\n\nuse super::Entry;\n\n/// The releases of the pool, newest first.\npub const RELEASES: &[&str] = &[\n{}\n];\n\n/// The entries of each module that is on, and the releases that have each: a bit of `RELEASES`.\npub(super) const MODULES: &[&[Entry]] = &[\n",
        provenance.line(),
        super::format::fill(releases, "    ", 110),
    );
    for (name, module) in &plan.modules {
        let messages: Vec<_> = module
            .items
            .iter()
            .map(|id| plan.item(*id))
            .filter(|item| matches!(item.definition, Definition::Message(_)))
            .collect();
        if messages.is_empty() {
            continue;
        }
        let _ = writeln!(text, "    #[cfg(feature = {name:?})]\n    &[");
        for item in messages {
            let kind = if item.view { "viewed" } else { "owned" };
            // A bit per release, the newest first.
            let releases = item.releases.iter().fold(0_u64, |bits, release| bits | 1 << release);
            let _ = writeln!(
                text,
                "        Entry::{kind}::<crate::{}::{}>({releases:#x}),",
                module.name, item.name
            );
        }
        text.push_str("    ],\n");
    }
    text.push_str("];\n");
    text
}
