//! What can only be checked with all types known: counts, discriminators, cases, defaults.

use std::collections::HashSet;

use super::json::whole;
use crate::error::{Problem, ReadError};
use crate::layout::Layout;
use crate::model::{Api, DefaultValue, EnumDef, Field, FieldType, Scalar, TypeKind, TypeRef};

/// Checks every block of fields, and brings defaults into the form of their types.
pub(super) fn check(api: &mut Api, origins: &[&str]) -> Result<(), ReadError> {
    for index in 0..api.types.len() {
        let (is_union, fields) = match &api.types[index].kind {
            TypeKind::Struct(fields) => (false, fields),
            TypeKind::Union(members) => (true, members),
            TypeKind::Alias(target) => {
                element_has_bytes(api, *target).map_err(|problem| {
                    error(origins, api.types[index].module.0, "alias", &api.types[index].name, None, problem)
                })?;
                continue;
            }
            TypeKind::Enum(_) => continue,
        };
        let definition = &api.types[index];
        let kind = if is_union { "union" } else { "type" };
        let at = |field: &Field, problem| {
            error(origins, definition.module.0, kind, &definition.name, Some(&field.name), problem)
        };
        let defaults = check_block(api, fields, is_union).map_err(|(field, problem)| at(field, problem))?;
        if let TypeKind::Struct(fields) | TypeKind::Union(fields) = &mut api.types[index].kind {
            set_defaults(fields, defaults);
        }
    }
    for index in 0..api.messages.len() {
        let message = &api.messages[index];
        let defaults = check_block(api, &message.fields, false).map_err(|(field, problem)| {
            error(origins, message.module.0, "message", &message.name, Some(&field.name), problem)
        })?;
        set_defaults(&mut api.messages[index].fields, defaults);
    }
    Ok(())
}

fn error(
    origins: &[&str],
    module: u32,
    kind: &str,
    name: &str,
    field: Option<&str>,
    problem: Problem,
) -> ReadError {
    ReadError::Definition {
        origin: origins.get(module as usize).copied().unwrap_or_default().to_owned(),
        item: format!("{kind} {name}"),
        field: field.map(str::to_owned),
        problem: Box::new(problem),
    }
}

fn set_defaults(fields: &mut [Field], defaults: Vec<Option<DefaultValue>>) {
    for (field, default) in fields.iter_mut().zip(defaults) {
        field.default = default;
    }
}

/// Checks the fields of a block; returns their defaults.
fn check_block<'a>(
    api: &Api,
    fields: &'a [Field],
    is_union: bool,
) -> Result<Vec<Option<DefaultValue>>, (&'a Field, Problem)> {
    let mut defaults = Vec::with_capacity(fields.len());
    for field in fields {
        let mut check = || {
            element_has_bytes(api, field.ty)?;
            if let FieldType::List(_, count) = field.ty {
                let count = &fields[count];
                if !matches!(resolved(api, count.ty), Resolved::Scalar(scalar) if scalar.is_integer()) {
                    return Err(Problem::CountType { name: count.name.clone() });
                }
            }
            if let Some(discriminator) = field.discriminator {
                check_discriminator(api, field, &fields[discriminator])?;
            }
            if is_union && matches!(api.layout_of(field.ty), Layout::Variable(_)) {
                return Err(Problem::VariableMember);
            }
            defaults.push(match &field.default {
                None => None,
                Some(default) => default_of(api, field.ty, default)?,
            });
            Ok(())
        };
        check().map_err(|problem| (field, problem))?;
    }
    Ok(defaults)
}

fn element_has_bytes(api: &Api, ty: FieldType) -> Result<(), Problem> {
    match ty {
        // Else a count could stand for any number of elements without a byte behind it.
        FieldType::Array(element, _) | FieldType::List(element, _)
            if api.layout_of_ref(element).min_len() == 0 =>
        {
            Err(Problem::EmptyElement)
        }
        _ => Ok(()),
    }
}

/// A type through its aliases.
enum Resolved<'a> {
    Scalar(Scalar),
    Enum(&'a EnumDef),
    String,
    Other,
}

fn resolved(api: &Api, ty: FieldType) -> Resolved<'_> {
    match api.resolve(ty) {
        FieldType::One(TypeRef::Scalar(scalar)) => Resolved::Scalar(scalar),
        FieldType::One(TypeRef::Named(id)) => match &api.ty(id).kind {
            TypeKind::Enum(definition) => Resolved::Enum(definition),
            _ => Resolved::Other,
        },
        FieldType::FixedString(_) | FieldType::LongString => Resolved::String,
        FieldType::Array(..) | FieldType::List(..) => Resolved::Other,
    }
}

fn check_discriminator(api: &Api, union: &Field, discriminator: &Field) -> Result<(), Problem> {
    let Resolved::Enum(selector) = resolved(api, discriminator.ty) else {
        return Err(Problem::DiscriminatorType { name: discriminator.name.clone() });
    };
    let element = match api.resolve(union.ty) {
        FieldType::One(element) => api.resolve(FieldType::One(element)),
        FieldType::Array(element, _) | FieldType::List(element, _) => api.resolve(FieldType::One(element)),
        other => other,
    };
    let FieldType::One(TypeRef::Named(id)) = element else { return Err(Problem::NotUnion) };
    let TypeKind::Union(members) = &api.ty(id).kind else { return Err(Problem::NotUnion) };
    let mut seen = HashSet::new();
    for member in members {
        let Some(case) = &member.case else {
            return Err(Problem::NoCase { member: member.name.clone() });
        };
        if !seen.insert(case) {
            return Err(Problem::RepeatedCase { case: case.clone() });
        }
        if !selector.members.iter().any(|(name, _)| name == case) {
            return Err(Problem::Case {
                case: case.clone(),
                member: member.name.clone(),
                discriminator: discriminator.name.clone(),
            });
        }
    }
    Ok(())
}

/// The default in the form of the field's type: numbers for integers and enums, text for strings only.
fn default_of(api: &Api, ty: FieldType, default: &DefaultValue) -> Result<Option<DefaultValue>, Problem> {
    use DefaultValue::{Bool, Float, Int, Text};
    let refused = || Problem::Default {
        found: match default {
            Int(value) => value.to_string(),
            Float(value) => value.to_string(),
            Bool(value) => value.to_string(),
            Text(text) => format!("{text:?}"),
        },
    };
    Ok(Some(match (resolved(api, ty), default) {
        (Resolved::Scalar(Scalar::Bool), Text(text)) => match text.to_ascii_lowercase().as_str() {
            "true" => Bool(true),
            "false" => Bool(false),
            _ => Int(text_to_int(text).ok_or_else(refused)?),
        },
        (Resolved::Scalar(Scalar::Bool), Bool(_) | Int(_)) => default.clone(),
        (Resolved::Scalar(Scalar::F64), Int(_) | Float(_)) => default.clone(),
        (Resolved::Scalar(Scalar::F64), Text(text)) => {
            Float(text.parse().ok().filter(|value: &f64| value.is_finite()).ok_or_else(refused)?)
        }
        (Resolved::Scalar(_) | Resolved::Enum(_), Int(value)) => Int(*value),
        (Resolved::Scalar(scalar), Bool(value)) if scalar.is_integer() => Int(i128::from(*value)),
        (Resolved::Scalar(_) | Resolved::Enum(_), Float(value)) => Int(whole(*value).ok_or_else(refused)?),
        (Resolved::Scalar(_), Text(text)) => {
            Int(text_to_int(text).or_else(|| enumerator(api, text)).ok_or_else(refused)?)
        }
        (Resolved::Enum(definition), Text(text)) => {
            let member = definition.members.iter().find(|(name, _)| name == text).map(|(_, value)| *value);
            Int(member.or_else(|| text_to_int(text)).ok_or_else(refused)?)
        }
        (Resolved::String, Text(_)) => default.clone(),
        // Zero is what an unset field of any type is anyway.
        (_, Int(0) | Bool(false)) => return Ok(None),
        _ => return Err(refused()),
    }))
}

fn text_to_int(text: &str) -> Option<i128> {
    let (digits, radix) = match text.strip_prefix("0x") {
        Some(digits) => (digits, 16),
        None => (text, 10),
    };
    i64::from_str_radix(digits, radix)
        .map(i128::from)
        .or_else(|_| u64::from_str_radix(digits, radix).map(i128::from))
        .ok()
}

/// The value of an enumerator of any enum; VPP's are unique by name.
fn enumerator(api: &Api, text: &str) -> Option<i128> {
    api.types.iter().find_map(|definition| match &definition.kind {
        TypeKind::Enum(definition) => {
            definition.members.iter().find(|(name, _)| name == text).map(|(_, value)| *value)
        }
        _ => None,
    })
}
