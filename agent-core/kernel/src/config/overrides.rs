//! What the environment and the command line change.

use serde_json::Value as Json;

use super::Settings;
use crate::document::{ConfigError, Entry, Node, Origin, Value, is_same, nearest, property};

/// What an agent's variables begin with, less the two underscores: `edge-router` has `EDGE_ROUTER`.
pub(crate) fn environment_prefix(agent: &str) -> String {
    agent.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect()
}

/// Puts the values of variables and arguments into the tree.
pub(crate) fn apply(root: &mut Node, settings: &Settings, agent: &str, schema: &Json) -> Vec<ConfigError> {
    let mut errors = Vec::new();
    let prefix = format!("{}__", environment_prefix(agent));
    let mut variables: Vec<_> = settings
        .variables
        .iter()
        .filter_map(|(name, value)| Some((name, name.strip_prefix(&prefix)?, value)))
        .collect();
    // The environment has no order; a table comes before its fields.
    variables.sort_unstable();
    for (name, path, value) in variables {
        let path: Vec<_> = path.split("__").map(str::to_ascii_lowercase).collect();
        let origin = Origin::Variable(name.as_str().into());
        errors.extend(put(root, &path, value, origin, schema).err());
    }
    for argument in &settings.arguments {
        let origin = Origin::Argument(argument.as_str().into());
        match argument.split_once('=') {
            Some((path, value)) => {
                let path: Vec<_> = path.trim().split('.').map(str::to_owned).collect();
                errors.extend(put(root, &path, value, origin, schema).err());
            }
            None => errors.push(ConfigError {
                origin,
                field: String::new(),
                reason: "this should be FIELD=VALUE, as in vpp.socket=/run/vpp/api.sock".to_owned(),
            }),
        }
    }
    errors
}

fn put(
    root: &mut Node,
    path: &[String],
    text: &str,
    origin: Origin,
    schema: &Json,
) -> Result<(), ConfigError> {
    let (mut node, mut schema) = (root, Some(schema));
    for (depth, name) in path.iter().enumerate() {
        let field = path[..=depth].join(".");
        let fail = |reason| ConfigError { origin: origin.clone(), field: field.clone(), reason };
        if name.is_empty() {
            return Err(fail("a name is empty".to_owned()));
        }
        if depth == 0 && path.len() == 1 && !text.trim_start().starts_with('{') {
            return Err(fail("this names a section; name a field in it".to_owned()));
        }
        if let Value::Text(text) = &node.value {
            *node = Node::of_text(text, &node.origin);
        }
        if node.value == Value::Null {
            node.value = Value::Table(Vec::new());
        }
        let entries = match &mut node.value {
            Value::Table(entries) => entries,
            other => {
                let (kind, place) = (other.kind(), &node.origin);
                return Err(fail(format!("what this would be in is {kind} ({place}), not a table")));
            }
        };
        let known = schema.and_then(|schema| property(schema, name));
        // Names of the schema as they are there, those of free tables as they are here.
        let key = known.map_or(name.as_str(), |(name, _)| name);
        let found = entries.iter().position(|entry| *entry.key == *key);
        let found = found.or_else(|| entries.iter().position(|entry| is_same(&entry.key, key)));
        let at = found.unwrap_or_else(|| {
            let node = Node::table(origin.clone());
            entries.push(Entry { key: key.into(), origin: origin.clone(), node });
            entries.len() - 1
        });
        node = &mut entries[at].node;
        schema = known.map(|(_, schema)| schema).or_else(|| schema?.get("additionalProperties"));
    }
    *node = Node { origin: Origin::clone(&origin), value: Value::Text(text.to_owned()) };
    Ok(())
}

/// The sections of a tree that no plugin has.
pub(crate) fn strangers(root: &Node, plugins: &[&str]) -> Vec<ConfigError> {
    let Value::Table(entries) = &root.value else { return Vec::new() };
    let strangers = entries.iter().filter(|entry| !plugins.contains(&&*entry.key));
    strangers
        .map(|entry| {
            let nearest = nearest(&entry.key, plugins.iter().copied(), "its plugins");
            ConfigError {
                origin: entry.origin.clone(),
                field: entry.key.to_string(),
                reason: format!("this agent has no such plugin{nearest}"),
            }
        })
        .collect()
}

/// The section of a plugin; one that nobody wrote is empty.
pub(crate) fn section_of(root: &Node, plugin: &str) -> Node {
    let Value::Table(entries) = &root.value else { return root.clone() };
    let written = entries.iter().find(|entry| *entry.key == *plugin);
    match written.map(|entry| &entry.node) {
        // `plugin:` in YAML with nothing behind it.
        Some(Node { origin, value: Value::Null }) => Node::table(origin.clone()),
        Some(node) => node.clone(),
        None => Node::table(Origin::Nowhere),
    }
}
