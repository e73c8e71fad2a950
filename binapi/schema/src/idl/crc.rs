//! CRCs of definitions, as VPP's tool computes them.
//!
//! The CRC-32 of zlib, over a text of the definition: Python's way to write lists, which is what that tool is made of.

use std::collections::HashMap;
use std::fmt::Write;

use crc32fast::Hasher;

use super::dialect::Folding;
use super::numbering::Numbering;
use super::syntax::{Field, Kind, Length, Type};
use super::text::Text;

/// How deep types may be nested here; an API as a whole is stricter.
const MAX_DEPTH: usize = 128;

/// Goes on with a CRC.
pub(super) fn continued(crc: u32, text: &str) -> u32 {
    let mut hasher = Hasher::new_with_initial(crc);
    hasher.update(text.as_bytes());
    hasher.finalize()
}

/// The text of a message, struct or union: `[['u32', 'n'], ['u8', 'data', 0, 'n']]`. Options do not enter.
pub(super) fn block(fields: &[Field]) -> String {
    list(fields, |text, field| text.push_str(&self::field(field)))
}

/// The text of a field. In the CRC of a file up to VPP 20.05 it is that of an alias, too.
pub(super) fn field(Field { ty, name, length, .. }: &Field) -> String {
    let (ty, name) = (&ty.text, &name.text);
    match length {
        Length::One => format!("['{ty}', '{name}']"),
        Length::Fixed(length) => format!("['{ty}', '{name}', {length}, None]"),
        Length::Counted(count) => format!("['{ty}', '{name}', 0, '{}']", count.text),
        Length::Open => format!("['{ty}', '{name}', 0, None]"),
    }
}

/// The text of a type. An alias has that of an empty block.
pub(super) fn text(ty: &Type, numbering: Numbering) -> String {
    match &ty.kind {
        Kind::Struct(fields) | Kind::Union(fields) => block(fields),
        Kind::Alias(_) => block(&[]),
        Kind::Enum(definition) => {
            let members: Vec<_> = numbering.values(definition).collect();
            let members: Vec<_> =
                members.iter().filter(|(member, _)| !member.is_backwards_compatible).collect();
            list(&members, |text, (member, value)| {
                // Writing to a string does not fail.
                let _ = write!(text, "['{}', {value}]", member.name.text);
            })
        }
    }
}

fn list<T>(items: &[T], mut write_item: impl FnMut(&mut String, &T)) -> String {
    let mut text = String::from("[");
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            text.push_str(", ");
        }
        write_item(&mut text, item);
    }
    text.push(']');
    text
}

/// A type as CRCs know it.
pub(super) struct Known<'a> {
    pub(super) ty: &'a Type,
    /// Where it is defined.
    pub(super) source: &'a Text,
    /// What enters CRCs.
    pub(super) text: String,
    /// Whether it varies in size, as far as VPP's tool sees: not through an alias.
    pub(super) is_variable: bool,
}

/// Computes CRCs of messages.
pub(super) struct Messages<'a> {
    /// By their decorated names; without cycles, since each was defined before its use.
    pub(super) types: &'a HashMap<String, Known<'a>>,
    pub(super) folding: Folding,
    /// So many more types may be walked through: types that hold two of another double at each step.
    pub(super) fuel: usize,
}

impl Messages<'_> {
    /// The CRC of a message: of its text, then of the types of its fields, each with those of its own fields behind it.
    /// None when that would take too long.
    pub(super) fn crc(&mut self, fields: &[Field]) -> Option<u32> {
        self.nested(continued(0, &block(fields)), fields, MAX_DEPTH)
    }

    fn nested(&mut self, mut crc: u32, fields: &[Field], depth: usize) -> Option<u32> {
        for field in fields {
            let Some(known) = self.types.get(&field.ty.text) else { continue };
            self.fuel = self.fuel.checked_sub(1)?;
            let depth = depth.checked_sub(1)?;
            crc = continued(crc, &known.text);
            if let Kind::Struct(fields) | Kind::Union(fields) = &known.ty.kind {
                crc = self.nested(crc, fields, depth)?;
            }
            if self.folding == Folding::FirstOnly && !matches!(known.ty.kind, Kind::Enum(_)) {
                break;
            }
        }
        Some(crc)
    }
}
