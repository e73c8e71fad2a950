//! A comparison as text for people and as JSON for programs.

use std::fmt;

use serde_json::{Value, json};

use super::difference::header_words;
use super::{
    Changed, Comparison, Difference, DifferenceKind as Kind, Effect, Item, Modules, Moved, OptionChange,
    Section, ServiceChange, Services,
};

impl fmt::Display for Comparison {
    /// A section for each kind of definition that differs. Services of messages that only one side has are not told:
    /// the message is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return writeln!(f, "nothing differs");
        }
        write_section(f, "messages", &self.messages)?;
        write_section(f, "types", &self.types)?;
        write_section(f, "enums", &self.enums)?;
        self.write_services(f)?;
        write_list(f, "options", &self.options, OptionChange::to_string)?;
        self.write_modules(f)
    }
}

fn write_section(f: &mut fmt::Formatter<'_>, name: &str, section: &Section) -> fmt::Result {
    if section.is_empty() {
        return Ok(());
    }
    let counts = [
        (section.changed.len(), "changed"),
        (section.removed.len(), "removed"),
        (section.added.len(), "added"),
        (section.moved.len(), "moved"),
        (section.refined.len(), "with the same bytes told otherwise"),
    ];
    let counts: Vec<String> = counts
        .iter()
        .filter(|(count, what)| {
            *count > 0 || !matches!(*what, "moved" | "with the same bytes told otherwise")
        })
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    writeln!(f, "{name}: {}", counts.join(", "))?;
    for changed in &section.changed {
        write!(f, "{changed}")?;
    }
    for item in &section.removed {
        writeln!(f, "  - {item}")?;
    }
    for item in &section.added {
        writeln!(f, "  + {item}")?;
    }
    for Moved { name, from, to } in &section.moved {
        writeln!(f, "  > {name}: {from} -> {to}")?;
    }
    for changed in &section.refined {
        write!(f, "{changed}")?;
    }
    Ok(())
}

fn write_list<T>(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    list: &[T],
    text: impl Fn(&T) -> String,
) -> fmt::Result {
    if !list.is_empty() {
        writeln!(f, "{name}: {} changed", list.len())?;
        for it in list {
            writeln!(f, "  ~ {}", text(it))?;
        }
    }
    Ok(())
}

impl Comparison {
    fn write_services(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Services { added, removed, changed } = &self.services;
        let is_told = |items: &[Item], item: &Item| items.iter().any(|it| it.name == item.name);
        let removed: Vec<_> = removed.iter().filter(|item| !is_told(&self.messages.removed, item)).collect();
        let added: Vec<_> = added.iter().filter(|item| !is_told(&self.messages.added, item)).collect();
        if removed.is_empty() && added.is_empty() && changed.is_empty() {
            return Ok(());
        }
        writeln!(
            f,
            "services of messages of both: {} changed, {} removed, {} added",
            changed.len(),
            removed.len(),
            added.len()
        )?;
        for change in changed {
            writeln!(f, "  ~ {change}")?;
        }
        for item in removed {
            writeln!(f, "  - {item}")?;
        }
        for item in added {
            writeln!(f, "  + {item}")?;
        }
        Ok(())
    }

    fn write_modules(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Modules { added, removed, changed } = &self.modules;
        if added.is_empty() && removed.is_empty() && changed.is_empty() {
            return Ok(());
        }
        writeln!(
            f,
            "modules: {} with another CRC, {} removed, {} added",
            changed.len(),
            removed.len(),
            added.len()
        )?;
        for module in removed {
            writeln!(f, "  - {module}")?;
        }
        for module in added {
            writeln!(f, "  + {module}")?;
        }
        Ok(())
    }

    /// The comparison as JSON: a key for each kind of definition, everything in the order of names.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "messages": self.messages.to_json(),
            "types": self.types.to_json(),
            "enums": self.enums.to_json(),
            "services": {
                "added": items(&self.services.added),
                "removed": items(&self.services.removed),
                "changed": self.services.changed.iter().map(|ServiceChange { request, from, to }| json!({
                    "name": request.name, "module": request.module, "from": from, "to": to,
                })).collect::<Vec<_>>(),
            },
            "options": self.options.iter().map(|change| json!({
                "module": change.module, "message": change.message, "option": change.option,
                "from": change.from, "to": change.to,
            })).collect::<Vec<_>>(),
            "modules": {
                "added": self.modules.added,
                "removed": self.modules.removed,
                "changed": self.modules.changed.iter().map(|(name, from, to)| json!({
                    "name": name, "crc": {"from": crc(*from), "to": crc(*to)},
                })).collect::<Vec<_>>(),
            },
        })
    }
}

impl Section {
    fn to_json(&self) -> Value {
        json!({
            "added": items(&self.added),
            "removed": items(&self.removed),
            "moved": self.moved.iter().map(|Moved { name, from, to }| json!({
                "name": name, "from": from, "to": to,
            })).collect::<Vec<_>>(),
            "changed": self.changed.iter().map(Changed::to_json).collect::<Vec<_>>(),
            "refined": self.refined.iter().map(Changed::to_json).collect::<Vec<_>>(),
        })
    }
}

fn items(items: &[Item]) -> Value {
    items.iter().map(|item| json!({"name": item.name, "module": item.module})).collect()
}

fn crc(crc: u32) -> String {
    format!("{crc:08x}")
}

impl Changed {
    /// The change as JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut value = json!({"name": self.item.name, "module": self.item.module});
        if let Some((from, to)) = self.crcs {
            value["crc"] = json!({"from": crc(from), "to": crc(to)});
        }
        value["verdict"] = json!(self.verdict.name());
        value["reasons"] = json!(self.verdict.reasons());
        value["differences"] = self.differences.iter().map(Difference::to_json).collect();
        value
    }
}

impl Difference {
    /// The difference as JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut value = json!({"path": self.path, "kind": self.kind.name()});
        match &self.kind {
            Kind::Added { ty, default } => {
                value["type"] = json!(ty);
                value["default"] = json!(default);
            }
            Kind::Removed { ty } => value["type"] = json!(ty),
            Kind::Renamed { to } => value["to"] = json!(to),
            Kind::Resized { from, to }
            | Kind::Retyped { from, to }
            | Kind::TypeRenamed { from, to }
            | Kind::Counted { from, to } => set(&mut value, from.as_str(), to.as_str()),
            Kind::Length { from, to } => set(&mut value, *from, *to),
            Kind::Moved { from, to }
            | Kind::Default { from, to }
            | Kind::Discriminator { from, to }
            | Kind::Case { from, to } => set(&mut value, from.as_deref(), to.as_deref()),
            Kind::Limit { from, to } => set(&mut value, *from, *to),
            Kind::EnumeratorAdded { value: number } | Kind::EnumeratorRemoved { value: number } => {
                value["value"] = integer(*number);
            }
            Kind::Renumbered { from, to } => set(&mut value, integer(*from), integer(*to)),
            Kind::EnumeratorRenamed { to, value: number } => {
                value["to"] = json!(to);
                value["value"] = integer(*number);
            }
            Kind::Kind { from, to } => set(&mut value, *from, *to),
            Kind::Header { from, to } => set(&mut value, header_words(*from), header_words(*to)),
            Kind::AsAt { path } => value["as"] = json!(path),
            Kind::Untold => {}
        }
        match &self.effect {
            Effect::None => {}
            Effect::Limits(text) => value["limits"] = json!(text),
            Effect::Prevents(text) => value["prevents"] = json!(text),
        }
        value
    }
}

fn set<T>(value: &mut Value, from: T, to: T)
where
    Value: From<T>,
{
    value["from"] = from.into();
    value["to"] = to.into();
}

/// Values of enums exceed no integer that a message holds.
fn integer(value: i128) -> Value {
    i64::try_from(value)
        .map(Value::from)
        .or_else(|_| u64::try_from(value).map(Value::from))
        .unwrap_or(Value::Null)
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.module)
    }
}

impl fmt::Display for ServiceChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} -> {}", self.request, self.from, self.to)
    }
}

impl fmt::Display for OptionChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.message {
            Some(message) => write!(f, "{message} ({}): ", self.module)?,
            None => write!(f, "{}: ", self.module)?,
        }
        f.write_str(&self.option)?;
        match (self.from.as_deref(), self.to.as_deref()) {
            (None, Some("")) => f.write_str(" added"),
            (None, Some(to)) => write!(f, " added, {to}"),
            (Some(_), None) => f.write_str(" removed"),
            (from, to) => write!(f, " {:?} -> {:?}", from.unwrap_or_default(), to.unwrap_or_default()),
        }
    }
}

impl fmt::Display for Changed {
    /// What it is, on one line, and each difference on one of its own.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "  ~ {}", self.item)?;
        match self.crcs {
            Some((from, to)) if from != to => writeln!(f, ": {from:08x} -> {to:08x}")?,
            Some((crc, _)) if self.verdict.name() != "same" => {
                writeln!(f, ": {crc:08x} on both sides, with other bytes")?;
            }
            _ => writeln!(f)?,
        }
        for difference in &self.differences {
            writeln!(f, "      {difference}")?;
        }
        if self.crcs.is_some() && self.verdict.name() != "same" {
            writeln!(f, "      {}", self.verdict)?;
        }
        Ok(())
    }
}
