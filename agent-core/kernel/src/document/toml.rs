//! TOML.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::lines::Lines;
use super::{ConfigError, Entry, Node, Origin, Value};

pub(super) fn document(file: &Arc<str>, text: &str) -> Result<Node, ConfigError> {
    let lines = Lines::new(file, text);
    let table = DeTable::parse(text).map_err(|error| {
        let origin = lines.at(error.span().unwrap_or_default().start);
        ConfigError::new(origin, "", error.message().trim_end().replace('\n', ", "))
    })?;
    let origin = |span: Range<usize>| lines.at(span.start);
    Ok(Node { origin: lines.line(1), value: table_of(table.get_ref(), &origin) })
}

/// A text as the value of a TOML document, with one origin for all of it.
pub(crate) fn value(text: &str, origin: &Origin) -> Option<Node> {
    let value = DeValue::parse(text).ok()?;
    Some(Node { origin: origin.clone(), value: value_of(value.get_ref(), &|_| origin.clone()) })
}

fn table_of(table: &DeTable<'_>, origin: &impl Fn(Range<usize>) -> Origin) -> Value {
    let entry = |(key, node): (&Spanned<Cow<'_, str>>, &Spanned<DeValue<'_>>)| {
        let value = value_of(node.get_ref(), origin);
        let key_origin = origin(key.span());
        // What a `[header]` opens is where the header stands.
        let node_origin =
            if matches!(value, Value::Table(_)) { key_origin.clone() } else { origin(node.span()) };
        Entry { key: (**key.get_ref()).into(), origin: key_origin, node: Node { origin: node_origin, value } }
    };
    let mut entries: Vec<_> =
        table.iter().map(|(key, node)| (key.span().start, entry((key, node)))).collect();
    // The parser sorts by name; people by what belongs together.
    entries.sort_by_key(|(at, _)| *at);
    Value::Table(entries.into_iter().map(|(_, entry)| entry).collect())
}

fn value_of(value: &DeValue<'_>, origin: &impl Fn(Range<usize>) -> Origin) -> Value {
    match value {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Integer(integer) => {
            let (digits, radix) = (integer.as_str(), integer.radix());
            // One that fits neither is told by whoever reads it.
            let signed = i64::from_str_radix(digits, radix).map(Value::Signed);
            let unsigned = signed.or_else(|_| u64::from_str_radix(digits, radix).map(Value::Unsigned));
            unsigned.unwrap_or_else(|_| Value::Float(digits.parse().unwrap_or(f64::NAN)))
        }
        DeValue::Float(float) => Value::Float(float.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(is) => Value::Bool(*is),
        DeValue::Datetime(time) => Value::String(time.to_string()),
        DeValue::Array(items) => Value::List(
            items
                .iter()
                .map(|item| Node { origin: origin(item.span()), value: value_of(item.get_ref(), origin) })
                .collect(),
        ),
        DeValue::Table(table) => table_of(table, origin),
    }
}
