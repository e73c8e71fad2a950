//! A configuration as the agent sees it: every value with where it comes from.

use std::fmt::Write;

use serde_json::Value as Json;
use toml::Value as Toml;

use crate::document::{Node, Value, property};

/// The sections as TOML. A value that nobody wrote is its default, as far as the schema knows it.
pub(crate) fn print<'a>(sections: impl Iterator<Item = (&'a str, &'a Node)>, schema: &Json) -> String {
    let mut text = String::new();
    for (name, node) in sections {
        let schema = property(schema, name).map_or(&Json::Null, |(_, schema)| schema);
        let mut lines = Vec::new();
        given(node, schema, "", &mut lines);
        defaults(node, schema, "", &mut lines);
        let _ = writeln!(text, "{}[{name}]", if text.is_empty() { "" } else { "\n" });
        let width = lines.iter().map(|(line, _)| line.chars().count()).max().unwrap_or(0).min(50);
        for (line, origin) in lines {
            let _ = writeln!(text, "{line:width$}  # {origin}");
        }
    }
    text
}

type Lines = Vec<(String, String)>;

fn path(of: &str, key: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let key = match !key.is_empty() && key.chars().all(is_bare) {
        true => key.to_owned(),
        false => Toml::from(key).to_string(),
    };
    if of.is_empty() { key } else { format!("{of}.{key}") }
}

fn given(node: &Node, schema: &Json, at: &str, lines: &mut Lines) {
    match &node.value {
        Value::Table(entries) if at.is_empty() || !entries.is_empty() => {
            for entry in entries {
                let schema = property(schema, &entry.key).map_or(&Json::Null, |(_, schema)| schema);
                given(&entry.node, schema, &path(at, &entry.key), lines);
            }
        }
        _ => {
            if let Some(value) = toml(node, schema) {
                lines.push((format!("{at} = {value}"), node.origin.to_string()));
            }
        }
    }
}

fn toml(node: &Node, schema: &Json) -> Option<Toml> {
    Some(match &node.value {
        Value::Null => return None,
        Value::Bool(value) => Toml::Boolean(*value),
        Value::Signed(value) => Toml::Integer(*value),
        // TOML's integers are signed.
        Value::Unsigned(value) => Toml::String(value.to_string()),
        Value::Float(value) => Toml::Float(*value),
        Value::String(value) => Toml::String(value.clone()),
        Value::Text(text) if is_text(schema) => Toml::String(text.clone()),
        Value::Text(text) => return toml(&Node::of_text(text, &node.origin), schema),
        Value::List(items) => {
            let schema = schema.get("items").unwrap_or(&Json::Null);
            Toml::Array(items.iter().filter_map(|item| toml(item, schema)).collect())
        }
        Value::Table(entries) => Toml::Table(
            entries
                .iter()
                .filter_map(|entry| {
                    let schema = property(schema, &entry.key).map_or(&Json::Null, |(_, schema)| schema);
                    Some((entry.key.to_string(), toml(&entry.node, schema)?))
                })
                .collect(),
        ),
    })
}

fn is_text(schema: &Json) -> bool {
    match schema.get("type") {
        Some(Json::String(kind)) => kind == "string",
        Some(Json::Array(kinds)) => kinds.iter().any(|kind| kind == "string"),
        _ => false,
    }
}

/// The fields that nobody wrote.
fn defaults(node: &Node, schema: &Json, at: &str, lines: &mut Lines) {
    let Some(properties) = schema.get("properties").and_then(Json::as_object) else { return };
    let Value::Table(entries) = &node.value else { return };
    for (key, schema) in properties {
        if let Some(entry) = entries.iter().find(|entry| *entry.key == **key) {
            defaults(&entry.node, schema, &path(at, key), lines);
        } else if let Some(value) = schema.get("default").and_then(|value| Toml::try_from(value).ok()) {
            lines.push((format!("{} = {value}", path(at, key)), "default".to_owned()));
        }
    }
}
