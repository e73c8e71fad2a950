//! `vppkit show`.

use std::collections::BTreeSet;
use std::io::{self, Write};

use anyhow::bail;
use serde_json::{Map, Value, json};
use vpp_schema::{Answer, Api, Field, FieldType, Layout, MessageId, ModuleId, TypeId, TypeKind};

use super::ls::{kind, role, status};
use crate::cli::ShowArgs;
use crate::definitions::Definitions;
use crate::output::{Format, Output, Table, write_record};
use crate::place;
use crate::suggest::did_you_mean;

/// Shows one message or type.
pub(crate) async fn run(arguments: &ShowArgs, output: &mut Output) -> anyhow::Result<()> {
    let definitions = place::of_options(&arguments.place).await?;
    let api = &*definitions.api;
    let (module, name) = match arguments.name.split_once('.') {
        Some((module, name)) => (Some(module), name),
        None => (None, arguments.name.as_str()),
    };
    // Definitions of files are full of `vl_api_address_t`.
    let plain = name.strip_prefix("vl_api_").and_then(|name| name.strip_suffix("_t")).unwrap_or(name);
    let is_of = |id: ModuleId| module.is_none_or(|module| api.module(id).name == module);
    let message = api.find_message(name).filter(|(_, message)| is_of(message.module)).map(|(id, _)| id);
    let types: Vec<TypeId> = (0..)
        .map(TypeId)
        .zip(&api.types)
        .filter(|(_, ty)| ty.name == plain && is_of(ty.module))
        .map(|(id, _)| id)
        .collect();
    if message.is_none() && types.is_empty() {
        let known =
            api.messages.iter().map(|message| &message.name).chain(api.types.iter().map(|ty| &ty.name));
        bail!(
            "{} has no message or type {}{}",
            definitions.origin(),
            arguments.name,
            did_you_mean(name, known)
        );
    }
    let shown: Vec<Value> = message
        .into_iter()
        .map(|id| show_message(&definitions, id))
        .chain(types.into_iter().map(|id| show_type(&definitions, id)))
        .collect();
    match output.format {
        Format::Json if shown.len() == 1 => output.json_pretty(&shown[0])?,
        Format::Json => output.json_pretty(&shown)?,
        Format::Text => {
            for (index, shown) in shown.into_iter().enumerate() {
                if index > 0 {
                    writeln!(output)?;
                }
                write_shown(output, shown)?;
            }
        }
    }
    output.flush()?;
    Ok(())
}

/// What is known of a message. A key that says nothing is left out.
fn show_message(definitions: &Definitions, id: MessageId) -> Value {
    let api = &*definitions.api;
    let message = api.message(id);
    let module = &api.module(message.module).name;
    let layout = message
        .fields
        .iter()
        .fold(Layout::Fixed(message.header.len()), |layout, field| layout.then(api.layout_of(field.ty)));
    let mut shown = json!({
        "message": message.name,
        "module": module,
        "crc": format!("{:08x}", message.crc),
        "layout": api.layout_hash(id).to_string(),
        "size": layout.min_len(),
        "variable": layout.fixed_len().is_none(),
        "kind": role(api, id),
        "rust": rust_path(definitions, module, &message.name),
    });
    let name = |id: MessageId| api.message(id).name.clone();
    match api.answer(id) {
        Some(Answer::Reply(reply)) => shown["reply"] = json!(name(reply)),
        Some(Answer::Details(details)) => {
            shown["stream"] = json!(name(details));
            shown["ends_with"] = json!("control_ping_reply");
        }
        Some(Answer::Stream { details, reply }) => {
            shown["stream"] = json!(name(details));
            shown["ends_with"] = json!(name(reply));
        }
        Some(Answer::Nothing) | None => {}
    }
    let events: Vec<String> = api.events(id).map(name).collect();
    let answers: Vec<String> = requests_of(api, id).into_iter().map(name).collect();
    for (key, value) in
        [("events", events.join(", ")), ("answer_to", answers.join(", ")), ("status", status(message))]
    {
        if !value.is_empty() {
            shown[key] = json!(value);
        }
    }
    shown["releases"] = json!(releases(&message.name, message.crc));
    if let Some(comment) = &message.comment {
        shown["comment"] = json!(comment);
    }
    let mut fields = header_rows(message.header);
    fields.extend(field_rows(api, &message.fields, message.header.len()));
    shown["fields"] = json!(fields);
    shown["types"] = json!(types_below(api, &message.fields));
    shown
}

/// What is known of a type.
fn show_type(definitions: &Definitions, id: TypeId) -> Value {
    let api = &*definitions.api;
    let ty = api.ty(id);
    let module = &api.module(ty.module).name;
    let mut shown = json!({
        "type": ty.name,
        "module": module,
        "kind": kind(ty),
        "size": api.layout_of_type(id).min_len(),
        "variable": api.layout_of_type(id).fixed_len().is_none(),
        "rust": rust_path(definitions, module, &ty.name),
    });
    if let Some(comment) = &ty.comment {
        shown["comment"] = json!(comment);
    }
    let users =
        api.messages.iter().filter(|message| types_reached(api, &message.fields).contains(&id)).count();
    shown["messages"] = json!(users);
    add_definition(api, id, &mut shown);
    if let TypeKind::Struct(fields) | TypeKind::Union(fields) = &ty.kind {
        shown["types"] = json!(types_below(api, fields));
    }
    shown
}

/// What a type is made of: fields, members, or what it stands for.
fn add_definition(api: &Api, id: TypeId, shown: &mut Value) {
    match &api.ty(id).kind {
        TypeKind::Struct(fields) => shown["fields"] = json!(field_rows(api, fields, 0)),
        TypeKind::Union(members) => {
            let mut rows = field_rows(api, members, 0);
            for row in &mut rows {
                row.insert("offset".to_owned(), json!(0));
            }
            shown["fields"] = json!(rows);
        }
        TypeKind::Enum(definition) => {
            shown["integer"] = json!(definition.repr.name());
            let members = definition.members.iter().map(|(name, value)| {
                // Values fit their integer.
                let value =
                    i64::try_from(*value).map(Value::from).unwrap_or_else(|_| json!(value.to_string()));
                json!({"value": value, "name": name})
            });
            shown["members"] = members.collect();
        }
        TypeKind::Alias(target) => shown["is"] = json!(api.type_text(*target, &[])),
    }
}

/// Requests that a message answers, or that subscribe to it.
fn requests_of(api: &Api, id: MessageId) -> Vec<MessageId> {
    let services = api.modules.iter().flat_map(|module| &module.services);
    services
        .filter(|service| {
            service.reply == Some(id) || service.stream_msg == Some(id) || service.events.contains(&id)
        })
        .map(|service| service.request)
        .collect()
}

/// The name in Rust; without the crate where the release is not known.
fn rust_path(definitions: &Definitions, module: &str, name: &str) -> Option<String> {
    let name = binapi_gen::rust_name(name)?;
    Some(match definitions.known_release() {
        Some(release) => format!("vpp_{}::{module}::{name}", release.replace('.', "_")),
        None => format!("{module}::{name}"),
    })
}

/// The pinned releases that have a message; with another CRC it is said which.
fn releases(name: &str, crc: u32) -> Vec<String> {
    vpp_api_json::releases()
        .iter()
        .filter_map(|release| {
            let (_, message) = vpp_api_json::api(release).ok()?.find_message(name)?;
            let is_same = message.crc == crc;
            Some(if is_same { (*release).to_owned() } else { format!("{release} as {:08x}", message.crc) })
        })
        .collect()
}

fn header_rows(header: vpp_schema::Header) -> Vec<Map<String, Value>> {
    let words =
        [("_vl_msg_id", Some(0)), ("client_index", header.client_index()), ("context", header.context())];
    words
        .into_iter()
        .filter_map(|(name, offset)| {
            let (size, ty) = if name == "_vl_msg_id" { (2, "u16") } else { (4, "u32") };
            Some(field_row(json!(offset?), json!(size), ty.to_owned(), name, String::new()))
        })
        .collect()
}

fn field_rows(api: &Api, fields: &[Field], start: usize) -> Vec<Map<String, Value>> {
    let offsets = api.offsets(fields, start);
    let rows = fields.iter().zip(offsets).map(|(field, offset)| {
        let layout = api.layout_of(field.ty);
        let mut notes = Vec::new();
        if layout.fixed_len().is_none() {
            notes.push("and more".to_owned());
        }
        if let Some(default) = &field.default {
            notes.push(format!("default {default}"));
        }
        if let Some(limit) = field.limit {
            notes.push(format!("at most {limit} bytes"));
        }
        if let Some(by) = field.discriminator.and_then(|at| fields.get(at)) {
            notes.push(format!("selected by {}", by.name));
        }
        if let Some(case) = &field.case {
            notes.push(format!("when {case}"));
        }
        // Behind a field of variable size nothing has a place of its own.
        let offset = offset.map_or_else(|| json!("-"), |offset| json!(offset));
        field_row(
            offset,
            json!(layout.min_len()),
            api.type_text(field.ty, fields),
            &field.name,
            notes.join(", "),
        )
    });
    rows.collect()
}

fn field_row(offset: Value, size: Value, ty: String, name: &str, note: String) -> Map<String, Value> {
    let cells = [
        ("offset", offset),
        ("size", size),
        ("type", json!(ty)),
        ("field", json!(name)),
        ("note", json!(note)),
    ];
    cells.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The types that fields hold, at any depth, each once.
fn types_reached(api: &Api, fields: &[Field]) -> BTreeSet<TypeId> {
    let mut open: Vec<TypeId> = fields.iter().filter_map(|field| field.ty.named()).collect();
    let mut reached = BTreeSet::new();
    while let Some(id) = open.pop() {
        if reached.insert(id) {
            match &api.ty(id).kind {
                TypeKind::Struct(fields) | TypeKind::Union(fields) => {
                    open.extend(fields.iter().filter_map(|field| field.ty.named()));
                }
                TypeKind::Alias(target) => open.extend(FieldType::named(*target)),
                TypeKind::Enum(_) => {}
            }
        }
    }
    reached
}

fn types_below(api: &Api, fields: &[Field]) -> Vec<Value> {
    types_reached(api, fields)
        .into_iter()
        .map(|id| {
            let ty = api.ty(id);
            let mut shown = json!({
                    "type": ty.name,
                    "module": api.module(ty.module).name,
                    "kind": kind(ty),
                    "size": api.layout_of_type(id).min_len(),
            "variable": api.layout_of_type(id).fixed_len().is_none(),
                });
            add_definition(api, id, &mut shown);
            shown
        })
        .collect()
}

fn write_shown(output: &mut Output, shown: Value) -> io::Result<()> {
    let Value::Object(mut shown) = shown else { return Ok(()) };
    let types = shown.shift_remove("types");
    write_block(output, &mut shown, |output, head| write_record(output, head, 0))?;
    for ty in types.as_ref().and_then(Value::as_array).into_iter().flatten() {
        let Value::Object(mut ty) = ty.clone() else { continue };
        writeln!(output)?;
        write_block(output, &mut ty, |output, head| {
            let text = |key: &str| {
                head.get(key).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
            };
            let of =
                |key: &str, before: &str| text(key).map(|it| format!("{before}{it}")).unwrap_or_default();
            writeln!(
                output,
                "{}{}{}{}{}",
                of("kind", ""),
                of("type", " "),
                of("is", " is "),
                of("integer", ", "),
                of("module", ", of "),
            )
        })?;
    }
    Ok(())
}

fn write_block(
    output: &mut Output,
    shown: &mut Map<String, Value>,
    write_head: impl FnOnce(&mut Output, &Map<String, Value>) -> io::Result<()>,
) -> io::Result<()> {
    let lists: Vec<Value> =
        ["fields", "members"].into_iter().filter_map(|key| shown.shift_remove(key)).collect();
    write_head(output, shown)?;
    for list in lists {
        let Value::Array(rows) = list else { continue };
        let mut table = Table::default();
        for row in rows {
            if let Value::Object(row) = row {
                table.push(row);
            }
        }
        table.write(output, None)?;
    }
    Ok(())
}
