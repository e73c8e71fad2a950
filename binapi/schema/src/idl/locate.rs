//! The place in an `.api` file of what the reader of JSON finds wrong.

use super::ModuleSource;
use super::syntax::{Field, File, Kind, Name, Statement};
use crate::error::{LanguageFault, Problem, ReadError};

/// The error with line and column, where it is about a definition.
pub(super) fn locate(error: ReadError, modules: &[ModuleSource]) -> ReadError {
    let ReadError::Definition { origin, item, field, problem } = &error else { return error };
    let Some(module) = modules.iter().find(|module| module.loaded.file.text.path == *origin) else {
        return error;
    };
    let Some((kind, name)) = item.split_once(' ') else { return error };
    let mut files = Vec::new();
    module.loaded.files(&mut files);
    let found = files.iter().find_map(|file| {
        let place = find(file, kind, name, field.as_deref(), problem)?;
        let fault = LanguageFault::Definition(problem.clone());
        Some(file.text.error(place.span, fault))
    });
    found.map_or(error, ReadError::from)
}

fn find<'a>(
    file: &'a File,
    kind: &str,
    name: &str,
    field: Option<&str>,
    problem: &Problem,
) -> Option<&'a Name> {
    let field = match problem {
        Problem::Repeated { name } => Some(name.as_str()),
        _ => field,
    };
    file.statements.iter().find_map(|statement| match (statement, kind) {
        (Statement::Message(message), "message") if message.name.text == name => {
            Some(part(&message.fields, field).unwrap_or(&message.name))
        }
        (Statement::Service(rpcs), "service") => {
            rpcs.iter().map(|rpc| &rpc.request).find(|request| request.text == name)
        }
        (Statement::Type(ty), "type" | "union" | "enum" | "alias") if ty.name.text == name => {
            let part = match (&ty.kind, problem) {
                (Kind::Struct(fields) | Kind::Union(fields), _) => part(fields, field),
                (Kind::Enum(definition), Problem::EnumValue { name, .. } | Problem::Repeated { name }) => {
                    // Of two of a name the second one is wrong.
                    definition
                        .members
                        .iter()
                        .rev()
                        .map(|member| &member.name)
                        .find(|other| other.text == *name)
                }
                (Kind::Enum(_) | Kind::Alias(_), _) => None,
            };
            Some(part.unwrap_or(&ty.name))
        }
        _ => None,
    })
}

/// Of two fields of a name the second one is wrong.
fn part<'a>(fields: &'a [Field], name: Option<&str>) -> Option<&'a Name> {
    fields.iter().rev().map(|field| &field.name).find(|field| Some(field.text.as_str()) == name)
}
