//! The definitions of a running VPP, as it tells them itself.

use std::collections::HashSet;

use serde_json::Value;

use super::file::{self, File};
use super::identity::Identities;
use super::json::At;
use super::{assemble, ownership};
use crate::error::ReadError;
use crate::model::{Api, Group};

impl Api {
    /// Reads the answer to `get_api_json` (VPP 24.06 and later): a JSON array with a description of each module.
    ///
    /// The answer lacks `memclnt`, modules that define types only, and a few plugins. `complete`, best the pinned
    /// definitions of the same release, supplies every module that the answer lacks and that contradicts nothing in it.
    /// So the API may hold messages that this VPP does not have: its message table tells.
    ///
    /// Before 26.06 the answer does not name its modules; then a module is named after the one of `complete` that has
    /// its first known message, else `unnamed_` and its position.
    ///
    /// # Errors
    ///
    /// As [`Api::from_sources`]; the answer is called `get_api_json`.
    pub fn from_running(json: &str, complete: Option<&Self>) -> Result<Self, ReadError> {
        // The C string's end is sent along.
        let root = super::parse_json(json.trim_end_matches('\0'), ORIGIN)?;
        let Value::Array(modules) = &root else {
            return Err(At::file(ORIGIN).shape("the answer", "a list of modules"));
        };
        let mut files = self::modules(modules, ORIGIN, complete)?;
        if let Some(complete) = complete {
            add_missing(&mut files, complete)?;
        }
        assemble::assemble(files)
    }
}

const ORIGIN: &str = "get_api_json";

/// Reads the descriptions of several modules.
pub(super) fn modules(
    modules: &[Value],
    origin: &str,
    complete: Option<&Api>,
) -> Result<Vec<File>, ReadError> {
    let mut files = Vec::with_capacity(modules.len());
    for (position, module) in modules.iter().enumerate() {
        let known = known_module(module, complete);
        let name = match (module.get("module").and_then(Value::as_str), known) {
            (Some(name), _) | (None, Some((name, _))) => name.to_owned(),
            (None, None) => format!("unnamed_{position}"),
        };
        let group = known.map_or(Group::Other, |(_, group)| group);
        files.push(file::parse(module, &name, group, &format!("{origin}, module {name}"))?);
    }
    Ok(files)
}

/// The module of `complete` that a description is of.
fn known_module<'a>(module: &Value, complete: Option<&'a Api>) -> Option<(&'a str, Group)> {
    let complete = complete?;
    let found = match module.get("module").and_then(Value::as_str) {
        Some(name) => complete.find_module(name).map(|(_, module)| module),
        None => module.get("messages")?.as_array()?.iter().find_map(|message| {
            let (_, message) = complete.find_message(message.get(0)?.as_str()?)?;
            Some(complete.module(message.module))
        }),
    };
    found.map(|module| (module.name.as_str(), module.group))
}

/// Adds the modules of `complete` that are missing, except those that define anything otherwise.
fn add_missing(files: &mut Vec<File>, complete: &Api) -> Result<(), ReadError> {
    let told: HashSet<String> = files.iter().map(|file| file.name.clone()).collect();
    let messages: HashSet<String> =
        files.iter().flat_map(|file| &file.messages).map(|message| message.name.clone()).collect();
    for module in complete.modules.iter().filter(|module| !told.contains(&module.name)) {
        if module.messages.iter().any(|&id| messages.contains(&complete.message(id).name)) {
            continue;
        }
        let source = complete.pin_with_types(module);
        let root = super::parse_json(&source.text, &source.origin)?;
        files.push(file::parse(&root, &source.name, source.group, &source.origin)?);
    }
    loop {
        assemble::sort(files)?;
        let reach = ownership::reach(files);
        let identities = Identities::of(files, &reach)?;
        let contradicting: HashSet<usize> = ownership::different_copies(&identities, files, &reach)
            .flat_map(|(copy, original)| [copy.0, original.0])
            .filter(|&file| !told.contains(&files[file].name))
            .collect();
        if contradicting.is_empty() {
            return Ok(());
        }
        let mut index = 0..;
        files.retain(|_| !index.next().is_some_and(|index| contradicting.contains(&index)));
    }
}
