//! Rules about bytes and names that bring trouble to who reads or generates.

use std::collections::HashMap;

use vpp_schema::{Api, DefaultValue, EnumDef, FieldType, Scalar, TypeKind, TypeRef};

use super::{Report, blocks};

/// What has no fixed size stands last.
pub(super) fn variable_not_last(api: &Api, report: &mut Report<'_>) {
    for module in &api.modules {
        for (name, fields) in blocks(api, module) {
            let before_last = fields.split_last().map_or(&[][..], |(_, rest)| rest);
            for field in before_last.iter().filter(|field| api.layout_of(field.ty).fixed_len().is_none()) {
                let text = "has no fixed size and is not last: fields behind it have no fixed place";
                report.item(module, format!("{name}.{}", field.name), text);
            }
        }
    }
}

/// Two names of a module stay two in CamelCase.
pub(super) fn name_collision(api: &Api, report: &mut Report<'_>) {
    for module in &api.modules {
        let types = module.types.iter().map(|&id| api.ty(id).name.as_str());
        let messages = module.messages.iter().map(|&id| api.message(id).name.as_str());
        let mut taken: HashMap<String, &str> = HashMap::new();
        for name in types.chain(messages) {
            let Some(rust) = binapi_gen::rust_name(name) else {
                report.item(module, name, "is no name in Rust");
                continue;
            };
            if let Some(first) = taken.get(&rust) {
                report.item(module, name, format!("is called {rust} in Rust, as {first} is"));
            } else {
                taken.insert(rust, name);
            }
        }
    }
}

/// The enum that a type is in the end.
fn enum_of(api: &Api, ty: FieldType) -> Option<(&str, &EnumDef)> {
    let FieldType::One(TypeRef::Named(id)) = api.resolve(ty) else { return None };
    match &api.ty(id).kind {
        TypeKind::Enum(definition) => Some((&api.ty(id).name, definition)),
        TypeKind::Struct(_) | TypeKind::Union(_) | TypeKind::Alias(_) => None,
    }
}

/// A field that nobody sets has a value that its enum knows. No flag at all is one.
pub(super) fn enum_without_zero(api: &Api, report: &mut Report<'_>) {
    for module in &api.modules {
        for (name, fields) in blocks(api, module) {
            for field in fields.iter().filter(|field| field.default.is_none()) {
                let Some((enum_name, definition)) = enum_of(api, field.ty) else { continue };
                if !definition.is_flags && definition.members.iter().all(|(_, value)| *value != 0) {
                    let text = format!(
                        "is zero when nobody sets it, and {enum_name} has no enumerator of that value; give it a default"
                    );
                    report.item(module, format!("{name}.{}", field.name), text);
                }
            }
        }
    }
}

/// A default fits its field, and is one of its enumerators.
pub(super) fn default_out_of_range(api: &Api, report: &mut Report<'_>) {
    for module in &api.modules {
        for (name, fields) in blocks(api, module) {
            for field in fields {
                let Some(DefaultValue::Int(default)) = field.default else { continue };
                let text = match (api.resolve(field.ty), enum_of(api, field.ty)) {
                    (_, Some((_, definition))) if definition.is_flags => continue,
                    (_, Some((enum_name, definition))) => {
                        if definition.members.iter().any(|(_, value)| *value == default) {
                            continue;
                        }
                        format!("defaults to {default}, which is no enumerator of {enum_name}")
                    }
                    (FieldType::One(TypeRef::Scalar(scalar)), None) if !holds(scalar, default) => {
                        format!("defaults to {default}, which no {scalar} holds")
                    }
                    _ => continue,
                };
                report.item(module, format!("{name}.{}", field.name), text);
            }
        }
    }
}

fn holds(scalar: Scalar, value: i128) -> bool {
    let bits = 8 * scalar.size();
    match scalar {
        Scalar::F64 => true,
        Scalar::Bool => matches!(value, 0 | 1),
        _ if scalar.is_signed() => (-(1_i128 << (bits - 1))..1_i128 << (bits - 1)).contains(&value),
        _ => (0..1_i128 << bits).contains(&value),
    }
}

/// A field before a union says which member is meant.
pub(super) fn union_without_discriminator(api: &Api, report: &mut Report<'_>) {
    for module in &api.modules {
        for (name, fields) in blocks(api, module) {
            for field in fields.iter().filter(|field| field.discriminator.is_none()) {
                let Some(id) = api.resolve(field.ty).named() else { continue };
                if matches!(api.ty(id).kind, TypeKind::Union(_)) {
                    let text = format!("nothing says which member of {} is meant", api.ty(id).name);
                    report.item(module, format!("{name}.{}", field.name), text);
                }
            }
        }
    }
}

/// The members of a union take the same bytes.
pub(super) fn uneven_union(api: &Api, report: &mut Report<'_>) {
    for module in &api.modules {
        for &id in &module.types {
            let TypeKind::Union(members) = &api.ty(id).kind else { continue };
            let lens = members.iter().map(|member| api.layout_of(member.ty).min_len());
            let (Some(shortest), Some(longest)) = (lens.clone().min(), lens.max()) else { continue };
            if shortest != longest {
                let text = format!(
                    "has members of {shortest} to {longest} bytes: what is behind the shorter ones is undefined"
                );
                report.item(module, &api.ty(id).name, text);
            }
        }
    }
}

/// `client_index` and `context` stand first, in this order.
pub(super) fn header_words(api: &Api, report: &mut Report<'_>) {
    for message in &api.messages {
        for field in &message.fields {
            if matches!(field.name.as_str(), "client_index" | "context") {
                report.item(
                    api.module(message.module),
                    format!("{}.{}", message.name, field.name),
                    "stands behind the header and is taken for payload",
                );
            }
        }
    }
}

/// Keywords of Rust that are no names, and of C that VPP's own tools would stumble over.
const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "auto", "await", "become", "box", "break", "case", "char", "const",
    "continue", "crate", "default", "do", "double", "dyn", "else", "enum", "extern", "final", "float", "fn",
    "for", "gen", "goto", "if", "impl", "in", "inline", "int", "let", "long", "loop", "macro", "match",
    "mod", "move", "mut", "override", "priv", "pub", "ref", "register", "restrict", "return", "self",
    "short", "signed", "sizeof", "static", "struct", "super", "switch", "trait", "try", "type", "typedef",
    "typeof", "union", "unsafe", "unsigned", "unsized", "use", "virtual", "void", "volatile", "where",
    "while", "yield",
];

/// A field's name is lower case and no keyword.
pub(super) fn field_name(api: &Api, report: &mut Report<'_>) {
    for module in &api.modules {
        for (name, fields) in blocks(api, module) {
            for field in fields {
                let text = if field.name.chars().any(|c| c.is_ascii_uppercase()) {
                    "is not lower case"
                } else if KEYWORDS.contains(&field.name.as_str()) {
                    "is a keyword"
                } else {
                    continue;
                };
                report.item(module, format!("{name}.{}", field.name), text);
            }
        }
    }
}
