//! `vppkit ls`.

use std::io::{self, Write};

use serde_json::{Map, Value, json};
use vpp_schema::{Answer, Api, MessageDef, MessageId, Module, TypeDef, TypeId, TypeKind};

use crate::cli::{Listed, LsArgs};
use crate::output::{Format, Output, Table};
use crate::pattern::Pattern;
use crate::place;

/// Lists modules, messages, types or services.
pub(crate) async fn run(arguments: &LsArgs, output: &mut Output) -> anyhow::Result<()> {
    let definitions = place::of_options(&arguments.place).await?;
    let api = &*definitions.api;
    let pattern = Pattern::new(arguments.pattern.as_deref());
    match (output.format, arguments.tree) {
        (Format::Text, true) => write_tree(api, arguments.what, &pattern, output)?,
        (Format::Text, false) => {
            let mut table = Table::default();
            for row in rows(api, arguments.what, &pattern) {
                table.push(row);
            }
            // A name is worth more than the width of a terminal.
            table.write(output, None)?;
        }
        (Format::Json, true) => {
            let modules: Vec<Value> = api
                .modules
                .iter()
                .map(|module| (module, below(api, module, arguments.what, &pattern)))
                .filter(|(module, below)| is_listed(module, below, arguments.what, &pattern))
                .map(|(module, below)| {
                    let mut row = module_row(module);
                    row.insert(
                        "holds".to_owned(),
                        json!(below.into_iter().map(|(_, row)| row).collect::<Vec<_>>()),
                    );
                    Value::Object(row)
                })
                .collect();
            output.json_pretty(&modules)?;
        }
        (Format::Json, false) => output.json_pretty(&rows(api, arguments.what, &pattern))?,
    }
    output.flush()?;
    Ok(())
}

fn rows(api: &Api, what: Listed, pattern: &Pattern<'_>) -> Vec<Map<String, Value>> {
    let modules = api.modules.iter();
    if what == Listed::Modules {
        return modules.filter(|module| pattern.fits(&module.name)).map(module_row).collect();
    }
    modules.flat_map(|module| below(api, module, what, pattern)).map(|(_, row)| row).collect()
}

/// What a module holds of the kind, by what it is called in a tree.
fn below(
    api: &Api,
    module: &Module,
    what: Listed,
    pattern: &Pattern<'_>,
) -> Vec<(String, Map<String, Value>)> {
    let mut rows = Vec::new();
    let is_whole = what == Listed::Modules;
    let fits = |name: &str| is_whole || pattern.fits(name);
    if is_whole || what == Listed::Types {
        for &id in &module.types {
            let definition = api.ty(id);
            if fits(&definition.name) {
                let what = format!("{} {}", kind(definition), definition.name);
                rows.push((what, type_row(api, module, id)));
            }
        }
    }
    if is_whole || what == Listed::Messages {
        for &id in &module.messages {
            let message = api.message(id);
            if fits(&message.name) {
                rows.push((format!("{} {:08x}", message.name, message.crc), message_row(api, module, id)));
            }
        }
    }
    if what == Listed::Services {
        for service in &module.services {
            let request = &api.message(service.request).name;
            if fits(request) {
                let text = api.service_text(service);
                let row = row([
                    ("request", json!(request)),
                    ("answer", json!(text)),
                    ("module", json!(module.name)),
                ]);
                rows.push((format!("{request} {text}"), row));
            }
        }
    }
    rows
}

fn is_listed(
    module: &Module,
    below: &[(String, Map<String, Value>)],
    what: Listed,
    pattern: &Pattern<'_>,
) -> bool {
    if what == Listed::Modules { pattern.fits(&module.name) } else { !below.is_empty() }
}

fn write_tree(api: &Api, what: Listed, pattern: &Pattern<'_>, output: &mut Output) -> io::Result<()> {
    for module in &api.modules {
        let below = below(api, module, what, pattern);
        if is_listed(module, &below, what, pattern) {
            writeln!(output, "{} {}", module.name, module.option("version").unwrap_or_default())?;
            for (text, row) in below {
                let status = row.get("status").and_then(Value::as_str).unwrap_or_default();
                let status = if status.is_empty() { String::new() } else { format!(" ({status})") };
                writeln!(output, "  {text}{status}")?;
            }
        }
    }
    Ok(())
}

fn row<const N: usize>(cells: [(&str, Value); N]) -> Map<String, Value> {
    cells.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn module_row(module: &Module) -> Map<String, Value> {
    row([
        ("module", json!(module.name)),
        ("version", json!(module.option("version").unwrap_or_default())),
        ("crc", json!(format!("{:08x}", module.crc))),
        ("messages", json!(module.messages.len())),
        ("types", json!(module.types.len())),
        ("services", json!(module.services.len())),
    ])
}

fn message_row(api: &Api, module: &Module, id: MessageId) -> Map<String, Value> {
    let message = api.message(id);
    row([
        ("message", json!(message.name)),
        ("crc", json!(format!("{:08x}", message.crc))),
        ("kind", json!(role(api, id))),
        ("module", json!(module.name)),
        ("status", json!(status(message))),
    ])
}

fn type_row(api: &Api, module: &Module, id: TypeId) -> Map<String, Value> {
    let layout = api.layout_of_type(id);
    row([
        ("type", json!(api.ty(id).name)),
        ("kind", json!(kind(api.ty(id)))),
        ("size", json!(layout.min_len())),
        ("variable", json!(layout.fixed_len().is_none())),
        ("module", json!(module.name)),
    ])
}

/// What a definition is.
pub(super) fn kind(definition: &TypeDef) -> &'static str {
    match &definition.kind {
        TypeKind::Struct(_) => "struct",
        TypeKind::Union(_) => "union",
        TypeKind::Enum(definition) if definition.is_flags => "flags",
        TypeKind::Enum(_) => "enum",
        TypeKind::Alias(_) => "alias",
    }
}

/// What a message is for.
pub(super) fn role(api: &Api, id: MessageId) -> &'static str {
    match api.answer(id) {
        Some(Answer::Reply(_)) => return "request",
        Some(Answer::Details(_) | Answer::Stream { .. }) => return "dump",
        Some(Answer::Nothing) => return "unanswered",
        None => {}
    }
    for service in api.modules.iter().flat_map(|module| &module.services) {
        if service.stream_msg == Some(id)
            || (service.stream && service.reply == Some(id) && service.stream_msg.is_none())
        {
            return "details";
        }
        if service.reply == Some(id) {
            return "reply";
        }
        if api.events(service.request).any(|event| event == id) {
            return "event";
        }
    }
    ""
}

/// What a message says of its future.
pub(super) fn status(message: &MessageDef) -> String {
    let mut words = Vec::new();
    if let Some(since) = message.option("deprecated") {
        words
            .push(since.map_or_else(|| "deprecated".to_owned(), |since| format!("deprecated since {since}")));
    }
    if message.option("in_progress").is_some() || message.option("status") == Some(Some("in_progress")) {
        words.push("in progress".to_owned());
    }
    if let Some(Some(successor)) = message.option("replaced_by") {
        words.push(format!("replaced by {successor}"));
    }
    words.join(", ")
}
