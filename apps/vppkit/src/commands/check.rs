//! `vppkit check`.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use anyhow::{Context, bail};
use serde_json::{Value, json};
use vpp_schema::bridge::{Mapping, MappingError, Rules, counterparts};
use vpp_schema::{Api, Changed, MessageDef, MessageId, Verdict};

use crate::cli::{CheckArgs, DefinitionArgs};
use crate::definitions::known_release;
use crate::interrupt::or_interrupted;
use crate::output::{Format, Output, note};
use crate::running::{Running, with_running};
use crate::uses;

/// A message that the program uses.
struct Used {
    name: String,
    crc: u32,
    /// Definitions that have it with this CRC.
    api: Option<&'static Api>,
}

/// What a VPP has of a message.
enum State {
    Same,
    Absent,
    Changed { theirs: u32, change: Option<Changed> },
}

/// What is said of a message.
struct Finding<'a> {
    used: &'a Used,
    state: State,
    /// Whether a connection that allows bridging can carry it over; `None` where it need not, or nobody can tell.
    bridge: Option<Result<Mapping, MappingError>>,
    /// What VPP or the program's definitions say of its future.
    deprecated: Option<Deprecated>,
}

struct Deprecated {
    /// Since when, where that is told.
    since: Option<String>,
    successor: Option<String>,
}

/// Tells whether a running VPP has what a program uses. A message that is absent or changed is a failure.
pub(crate) async fn run(arguments: &CheckArgs, output: &mut Output) -> anyhow::Result<()> {
    let used = used(arguments)?;
    with_running(&arguments.socket, None, &DefinitionArgs::default(), async |running| {
        or_interrupted(async { check(running, &used, output) }).await
    })
    .await
}

fn used(arguments: &CheckArgs) -> anyhow::Result<Vec<Used>> {
    if let Some(release) = &arguments.release {
        let api = vpp_api_json::api(known_release(release)?)?;
        let messages = api.messages.iter();
        return Ok(messages.map(|message| of_release(api, message)).collect());
    }
    if let Some(manifest) = &arguments.manifest {
        let text = std::fs::read_to_string(manifest)
            .with_context(|| format!("cannot read the manifest {}", manifest.display()))?;
        return self::manifest(&text).with_context(|| manifest.display().to_string());
    }
    let Some(path) = &arguments.crate_uses else { bail!("no program is named") };
    let scan = uses::scan(path)?;
    for text in &scan.notes {
        note(text);
    }
    let used: Vec<Used> =
        scan.messages.into_iter().map(|(api, id)| of_release(api, api.message(id))).collect();
    if used.is_empty() {
        bail!(
            "{} names no messages as vpp_26_06::interface::SwInterfaceDump does; \
             give a list of them with --manifest",
            path.display()
        );
    }
    Ok(used)
}

fn of_release(api: &'static Api, message: &MessageDef) -> Used {
    Used { name: message.name.clone(), crc: message.crc, api: Some(api) }
}

/// The messages of a manifest. A line is `name_crc` or `name crc`; a CRC has eight hex digits, with `0x` before them or
/// not.
fn manifest(text: &str) -> anyhow::Result<Vec<Used>> {
    let mut used = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        let split = line.split_once(char::is_whitespace).or_else(|| line.rsplit_once('_'));
        let message = split.and_then(|(name, crc)| {
            let crc = crc.trim();
            let digits = crc.strip_prefix("0x").unwrap_or(crc);
            let crc = u32::from_str_radix(digits, 16).ok().filter(|_| digits.len() == 8)?;
            Some(Used { name: name.to_owned(), crc, api: None })
        });
        let Some(mut message) = message else {
            bail!("line {}: {line:?} is no name and CRC, like show_version_51077d14", index + 1);
        };
        message.api = pinned(&message.name, message.crc)?;
        used.push(message);
    }
    Ok(used)
}

/// The newest pinned release that has the very message.
fn pinned(name: &str, crc: u32) -> anyhow::Result<Option<&'static Api>> {
    for release in vpp_api_json::releases().iter().rev() {
        let api = vpp_api_json::api(release)?;
        if api.find_message(name).is_some_and(|(_, message)| message.crc == crc) {
            return Ok(Some(api));
        }
    }
    Ok(None)
}

fn check(running: &Running, used: &[Used], output: &mut Output) -> anyhow::Result<()> {
    let findings: Vec<Finding<'_>> = used.iter().map(|used| finding(running, used)).collect();
    match output.format {
        Format::Json => {
            let all: Vec<Value> = findings.iter().map(Finding::to_json).collect();
            output.json_pretty(&all)?;
        }
        Format::Text => write_text(output, &findings)?,
    }
    output.flush()?;
    let bad = findings.iter().filter(|finding| !matches!(finding.state, State::Same)).count();
    if bad > 0 {
        bail!("this VPP lacks {bad} of {} messages that the program uses", findings.len());
    }
    Ok(())
}

fn finding<'a>(running: &Running, used: &'a Used) -> Finding<'a> {
    let theirs = running.api().find_message(&used.name);
    let mine = used.api.and_then(|api| Some((api, api.find_message(&used.name)?)));
    let change = || {
        let ((mine, (id, _)), (theirs, _)) = mine.zip(theirs)?;
        mine.compare_message(id, running.api(), theirs)
    };
    let state = match running.connection.table().get(&used.name) {
        None => State::Absent,
        // The definitions that VPP tells are worth nothing for a message whose CRC they have not.
        Some(entry) if entry.crc != used.crc => {
            let is_told = theirs.is_some_and(|(_, message)| message.crc == entry.crc);
            State::Changed { theirs: entry.crc, change: change().filter(|_| is_told) }
        }
        // VPP 20.01: another message under the same CRC.
        Some(entry) if running.connection.table().id_of_named(&used.name, used.crc).is_err() => {
            State::Changed { theirs: entry.crc, change: None }
        }
        Some(entry) => match change().filter(|change| change.verdict != Verdict::Same) {
            Some(change) if theirs.is_some_and(|(_, message)| message.crc == entry.crc) => {
                State::Changed { theirs: entry.crc, change: Some(change) }
            }
            _ => State::Same,
        },
    };
    let bridge = mine.and_then(|(api, (id, _))| bridge(running, &state, api, id));
    let deprecated = theirs
        .and_then(|(_, message)| deprecated(running.api(), message))
        .or_else(|| mine.and_then(|(api, (_, message))| deprecated(api, message)));
    Finding { used, state, bridge, deprecated }
}

/// How a message of the program would be bridged: to VPP's of the same name, else to one that may stand in for it.
fn bridge(
    running: &Running,
    state: &State,
    mine: &Api,
    id: MessageId,
) -> Option<Result<Mapping, MappingError>> {
    let theirs = running.api();
    let name = mine.message(id).name.as_str();
    let counterpart = |name: &str| {
        let (theirs, message) = theirs.find_message(name)?;
        let entry = running.connection.table().get(name)?;
        (entry.crc == message.crc).then_some(theirs)
    };
    let counterpart = match state {
        State::Same => None,
        State::Changed { .. } => counterpart(name),
        State::Absent => counterparts(name).into_iter().find_map(counterpart),
    }?;
    Some(if mine.answer(id).is_some() {
        Mapping::new(mine, id, theirs, counterpart, Rules::Request)
    } else {
        Mapping::new(theirs, counterpart, mine, id, Rules::Answer)
    })
}

/// What is said of a message that would be bridged.
fn bridge_text(bridge: &Result<Mapping, MappingError>) -> String {
    match bridge {
        Ok(mapping) => {
            let other = if mapping.message() == mapping.counterpart() {
                String::new()
            } else {
                format!(" as {}", mapping.counterpart())
            };
            let conditions = mapping.conditions();
            if conditions.is_empty() {
                format!("bridging carries it{other}")
            } else {
                format!("bridging carries it{other} as long as {}", conditions.join("; "))
            }
        }
        Err(error) => format!("bridging cannot carry it: {error}"),
    }
}

/// What a definition says of its message's future. The successor is the one it names, else the next version that there
/// is: `x_v2` for `x`.
fn deprecated(api: &Api, message: &MessageDef) -> Option<Deprecated> {
    let named = message.option("replaced_by").flatten().map(str::to_owned);
    let since = message.option("deprecated");
    if since.is_none() && named.is_none() {
        return None;
    }
    let successor = named.or_else(|| successor(api, &message.name));
    Some(Deprecated { since: since.flatten().map(str::to_owned), successor })
}

/// The newest version of a message.
fn successor(api: &Api, name: &str) -> Option<String> {
    let (stem, version) = crate::lint::versioned(name);
    let mut versions =
        (version + 1..=version + 9).rev().map(|version| crate::lint::with_version(stem, version));
    versions.find(|name| api.find_message(name).is_some())
}

impl Finding<'_> {
    fn to_json(&self) -> Value {
        let mut value = json!({"name": self.used.name, "crc": format!("{:08x}", self.used.crc)});
        value["state"] = match &self.state {
            State::Same => json!("same"),
            State::Absent => json!("absent"),
            State::Changed { theirs, change } => {
                value["their_crc"] = json!(format!("{theirs:08x}"));
                value["change"] = change.as_ref().map_or(Value::Null, Changed::to_json);
                json!("changed")
            }
        };
        value["bridge"] = match &self.bridge {
            None => Value::Null,
            Some(Ok(mapping)) => json!({
                "carried": true,
                "from": mapping.message(),
                "to": mapping.counterpart(),
                "conditions": mapping.conditions(),
            }),
            Some(Err(error)) => {
                json!({"carried": false, "path": error.path, "reason": error.obstacle.to_string()})
            }
        };
        value["deprecated"] = json!(self.deprecated.is_some());
        if let Some(Deprecated { since, successor }) = &self.deprecated {
            value["deprecated_since"] = json!(since);
            value["successor"] = json!(successor);
        }
        value
    }

    fn module(&self) -> &str {
        let message = self.used.api.and_then(|api| Some((api, api.find_message(&self.used.name)?.1)));
        message.map_or("unknown", |(api, message)| &api.module(message.module).name)
    }
}

/// Counts, then what is not the same. Absent messages stand with their modules: where all that are used of a module are
/// absent, its plugin is not loaded.
fn write_text(output: &mut Output, findings: &[Finding<'_>]) -> anyhow::Result<()> {
    let count = |is: &dyn Fn(&Finding<'_>) -> bool| findings.iter().filter(|finding| is(finding)).count();
    let same = count(&|finding| matches!(finding.state, State::Same));
    let absent = count(&|finding| matches!(finding.state, State::Absent));
    let changed = count(&|finding| matches!(finding.state, State::Changed { .. }));
    let is_noteworthy =
        |finding: &Finding<'_>| finding.deprecated.is_some() && !matches!(finding.state, State::Absent);
    let deprecated = count(&|finding| is_noteworthy(finding));
    writeln!(output, "{same} same, {absent} absent, {changed} changed; {deprecated} deprecated")?;

    let mut modules: BTreeMap<&str, (BTreeSet<&str>, bool)> = BTreeMap::new();
    for finding in findings {
        let (names, has_others) = modules.entry(finding.module()).or_default();
        match finding.state {
            State::Absent => {
                names.insert(&finding.used.name);
            }
            State::Same | State::Changed { .. } => *has_others = true,
        }
    }
    for (module, (names, has_others)) in modules {
        if names.is_empty() {
            continue;
        }
        let names = Vec::from_iter(names).join(", ");
        let why = if has_others || module == "unknown" { "" } else { ", which is not loaded or not known" };
        writeln!(output, "absent, of module {module}{why}: {names}")?;
    }
    for finding in findings {
        match &finding.state {
            State::Changed { change: Some(change), .. } => write!(output, "changed:\n{change}")?,
            State::Changed { theirs, change: None } => writeln!(
                output,
                "changed:\n  ~ {}: {:08x} -> {theirs:08x}, of which there are no definitions to compare",
                finding.used.name, finding.used.crc
            )?,
            State::Same | State::Absent => {}
        }
        match (&finding.state, &finding.bridge) {
            (State::Changed { .. }, Some(bridge)) => writeln!(output, "      {}", bridge_text(bridge))?,
            (_, Some(bridge)) => writeln!(output, "absent, {}: {}", finding.used.name, bridge_text(bridge))?,
            (_, None) => {}
        }
    }
    for finding in findings.iter().filter(|finding| is_noteworthy(finding)) {
        let Some(Deprecated { since, successor }) = &finding.deprecated else { continue };
        let since = since.as_ref().map(|since| format!(" since {since}")).unwrap_or_default();
        let successor = successor.as_ref().map(|it| format!(", use {it}")).unwrap_or_default();
        writeln!(output, "deprecated{since}: {}{successor}", finding.used.name)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_has_a_name_and_a_crc_in_each_line() {
        let text = "# what we use\nshow_version_51077d14\n\ncontrol_ping 0x51077d14 # to be sure\n";
        let used = manifest(text).unwrap();
        let names: Vec<_> = used.iter().map(|it| (it.name.as_str(), it.crc, it.api.is_some())).collect();
        assert_eq!(names, [("show_version", 0x5107_7d14, true), ("control_ping", 0x5107_7d14, true)]);
        for bad in ["show_version", "show_version 1", "show_version_5107zd14", "_"] {
            let error = manifest(bad).map(|_| ()).unwrap_err().to_string();
            assert!(error.starts_with("line 1: ") && error.contains(bad), "{error}");
        }
    }

    #[test]
    fn the_successor_is_named_or_the_newest_version() {
        let api = vpp_api_json::api("26.06").unwrap();
        assert_eq!(successor(api, "tap_create_v2").as_deref(), Some("tap_create_v3"));
        assert_eq!(successor(api, "show_version"), None);
    }
}
