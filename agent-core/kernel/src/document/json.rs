//! JSON. Values are read from the inside of the text itself, so where they stand in it is known.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::lines::Lines;
use super::table::{Names, Table};
use super::{ConfigError, Node, Value};

/// As deep as the parser itself goes.
const DEEPEST: usize = 128;

pub(super) fn document(file: &Arc<str>, text: &str) -> Result<Node, ConfigError> {
    let lines = Lines::new(file, text);
    if text.trim().is_empty() {
        return Ok(Node { origin: lines.line(1), value: Value::Null });
    }
    // The whole is looked through first, so an error behind this is none of syntax.
    let whole: &RawValue = serde_json::from_str(text)
        .map_err(|error| ConfigError::new(lines.line(error.line().max(1)), "", reason(&error)))?;
    Reader { lines, text, names: Names::default() }.node(whole, 0)
}

/// What is wrong, without the place: that is counted from where the parser began.
fn reason(error: &serde_json::Error) -> String {
    let reason = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    reason.strip_suffix(&place).map(str::to_owned).unwrap_or(reason)
}

struct Reader<'a> {
    lines: Lines,
    text: &'a str,
    names: Names,
}

/// One level of a text.
enum Level<'a> {
    Scalar(Value),
    List(Vec<&'a RawValue>),
    Table(Vec<(Cow<'a, str>, &'a RawValue)>),
}

impl Reader<'_> {
    fn node(&mut self, raw: &RawValue, depth: usize) -> Result<Node, ConfigError> {
        // Both are addresses within the same text.
        let offset = (raw.get().as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize);
        let origin = self.lines.at(offset);
        let fail = |reason: String| ConfigError::new(origin.clone(), "", reason);
        if depth > DEEPEST {
            return Err(fail("this is nested too deeply".to_owned()));
        }
        let level = serde_json::from_str(raw.get()).map_err(|error| fail(reason(&error)))?;
        let value = match level {
            Level::Scalar(value) => value,
            Level::List(items) => {
                let item = |(index, item): (usize, &RawValue)| {
                    self.node(item, depth + 1).map_err(|error| error.within(format_args!("[{index}]")))
                };
                Value::List(items.into_iter().enumerate().map(item).collect::<Result<_, _>>()?)
            }
            Level::Table(entries) => {
                let mut table = Table::default();
                for (key, raw) in entries {
                    let node = self.node(raw, depth + 1).map_err(|error| error.within(&key))?;
                    table.add(self.names.get(&key), node.origin.clone(), node)?;
                }
                table.value()
            }
        };
        Ok(Node { origin, value })
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Level<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LevelVisitor)
    }
}

struct LevelVisitor;

impl<'de> Visitor<'de> for LevelVisitor {
    type Value = Level<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Level<'de>, E> {
        Ok(Level::Scalar(Value::Bool(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Level<'de>, E> {
        Ok(Level::Scalar(Value::Signed(value)))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Level<'de>, E> {
        Ok(Level::Scalar(i64::try_from(value).map_or(Value::Unsigned(value), Value::Signed)))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Level<'de>, E> {
        Ok(Level::Scalar(Value::Float(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Level<'de>, E> {
        Ok(Level::Scalar(Value::String(value.to_owned())))
    }

    fn visit_unit<E>(self) -> Result<Level<'de>, E> {
        Ok(Level::Scalar(Value::Null))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Level<'de>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Level::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Level<'de>, A::Error> {
        let mut entries = Vec::new();
        while let Some(Name(key)) = access.next_key()? {
            entries.push((key, access.next_value()?));
        }
        Ok(Level::Table(entries))
    }
}

/// A name; borrowed where it has no escapes.
struct Name<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Name<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;
        impl<'de> Visitor<'de> for NameVisitor {
            type Value = Name<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }
            fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Borrowed(name)))
            }
            fn visit_str<E>(self, name: &str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Owned(name.to_owned())))
            }
        }
        deserializer.deserialize_str(NameVisitor)
    }
}
