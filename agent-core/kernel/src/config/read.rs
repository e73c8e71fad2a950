//! Files into trees.

use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::node::{Entry, Node, Origin, Value};
use super::{ConfigError, Source};

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Toml,
    #[cfg(feature = "yaml")]
    Yaml,
}

impl Format {
    /// By the ending of a file's name.
    fn of(name: &str) -> Result<Self, String> {
        match name.rsplit_once('.').map(|(_, ending)| ending) {
            Some("toml") => Ok(Self::Toml),
            #[cfg(feature = "yaml")]
            Some("yaml" | "yml" | "json") => Ok(Self::Yaml),
            _ if cfg!(feature = "yaml") => {
                Err("what a configuration is written in is told by its name: .toml, .yaml, .yml or .json"
                    .to_owned())
            }
            _ => Err("this agent reads configurations in TOML: name it .toml".to_owned()),
        }
    }
}

/// The tree of a source; a table.
pub(crate) fn read(source: &Source) -> Result<Node, ConfigError> {
    let (file, text, format): (Arc<str>, _, _) = match source {
        Source::Text(format, text) => ("configuration".into(), text.clone(), *format),
        Source::File(path) => {
            let file: Arc<str> = path.to_string_lossy().into();
            let fail = |reason| ConfigError { origin: Origin::Nowhere, field: String::new(), reason };
            let format = Format::of(&file).map_err(|why| fail(format!("{file}: {why}")))?;
            let text = std::fs::read_to_string(path);
            (Arc::clone(&file), text.map_err(|error| fail(format!("cannot read {file}: {error}")))?, format)
        }
    };
    let node = match format {
        Format::Toml => toml(&file, &text),
        #[cfg(feature = "yaml")]
        Format::Yaml => yaml(&file, &text),
    }?;
    match node.value {
        Value::Table(_) => Ok(node),
        Value::Null => Ok(Node::table(node.origin)),
        other => Err(ConfigError {
            origin: node.origin,
            field: String::new(),
            reason: format!(
                "a configuration is a table with a section for each plugin; this is {}",
                other.kind()
            ),
        }),
    }
}

/// Lines of a text by offset.
struct Lines {
    file: Arc<str>,
    starts: Vec<usize>,
}

impl Lines {
    fn new(file: &Arc<str>, text: &str) -> Self {
        let starts = text.match_indices('\n').map(|(at, _)| at + 1).collect();
        Self { file: Arc::clone(file), starts }
    }

    fn origin(&self, span: Range<usize>) -> Origin {
        let line = 1 + self.starts.partition_point(|start| *start <= span.start);
        Origin::File { file: Arc::clone(&self.file), line }
    }
}

fn toml(file: &Arc<str>, text: &str) -> Result<Node, ConfigError> {
    let lines = Lines::new(file, text);
    let table = DeTable::parse(text).map_err(|error| ConfigError {
        origin: lines.origin(error.span().unwrap_or_default()),
        field: String::new(),
        reason: error.message().trim_end().replace('\n', ", "),
    })?;
    let origin = |span| lines.origin(span);
    Ok(Node { origin: origin(0..0), value: table_of(table.get_ref(), &origin) })
}

/// A text as the value of a TOML document, with one origin for all of it.
pub(super) fn toml_value(text: &str, origin: &Origin) -> Option<Node> {
    let value = DeValue::parse(text).ok()?;
    Some(Node { origin: origin.clone(), value: value_of(value.get_ref(), &|_| origin.clone()) })
}

fn table_of(table: &DeTable<'_>, origin: &impl Fn(Range<usize>) -> Origin) -> Value {
    let entry = |(key, node): (&Spanned<_>, &Spanned<DeValue<'_>>)| {
        let value = value_of(node.get_ref(), origin);
        let key_origin = origin(key.span());
        // What a `[header]` opens is where the header stands.
        let node_origin =
            if matches!(value, Value::Table(_)) { key_origin.clone() } else { origin(node.span()) };
        let key: &std::borrow::Cow<'_, str> = key.get_ref();
        Entry { key: key.to_string(), origin: key_origin, node: Node { origin: node_origin, value } }
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

#[cfg(feature = "yaml")]
use self::yaml::yaml;

#[cfg(feature = "yaml")]
mod yaml {
    use std::fmt;
    use std::sync::Arc;

    use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
    use serde_saphyr::{Location, Spanned};

    use super::{ConfigError, Entry, Node, Origin, Value};

    /// A value as YAML has it.
    enum Yaml {
        Scalar(Value),
        List(Vec<Spanned<Self>>),
        Table(Vec<(Spanned<String>, Spanned<Self>)>),
    }

    pub(super) fn yaml(file: &Arc<str>, text: &str) -> Result<Node, ConfigError> {
        let origin = |at: Location| Origin::File {
            file: Arc::clone(file),
            line: usize::try_from(at.line()).unwrap_or_default().max(1),
        };
        let document = serde_saphyr::from_str::<Spanned<Option<Yaml>>>(text).map_err(|error| {
            let error = error.without_snippet();
            ConfigError {
                origin: error.location().map_or(Origin::Nowhere, origin),
                field: String::new(),
                reason: error.to_string(),
            }
        })?;
        let value = document.value.map_or(Value::Null, |yaml| value_of(yaml, &origin));
        Ok(Node { origin: origin(document.referenced), value })
    }

    fn value_of(yaml: Yaml, origin: &impl Fn(Location) -> Origin) -> Value {
        let node =
            |of: Spanned<Yaml>| Node { origin: origin(of.referenced), value: value_of(of.value, origin) };
        match yaml {
            Yaml::Scalar(value) => value,
            Yaml::List(items) => Value::List(items.into_iter().map(node).collect()),
            Yaml::Table(entries) => Value::Table(
                entries
                    .into_iter()
                    .map(|(key, value)| {
                        let key_origin = origin(key.referenced);
                        let mut node = node(value);
                        if matches!(node.value, Value::Table(_)) {
                            node.origin = key_origin.clone();
                        }
                        Entry { key: key.value, origin: key_origin, node }
                    })
                    .collect(),
            ),
        }
    }

    impl<'de> Deserialize<'de> for Yaml {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_any(YamlVisitor)
        }
    }

    struct YamlVisitor;

    impl<'de> Visitor<'de> for YamlVisitor {
        type Value = Yaml;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a value")
        }

        fn visit_bool<E>(self, value: bool) -> Result<Yaml, E> {
            Ok(Yaml::Scalar(Value::Bool(value)))
        }

        fn visit_i64<E>(self, value: i64) -> Result<Yaml, E> {
            Ok(Yaml::Scalar(Value::Signed(value)))
        }

        fn visit_u64<E>(self, value: u64) -> Result<Yaml, E> {
            Ok(Yaml::Scalar(i64::try_from(value).map_or(Value::Unsigned(value), Value::Signed)))
        }

        fn visit_f64<E>(self, value: f64) -> Result<Yaml, E> {
            Ok(Yaml::Scalar(Value::Float(value)))
        }

        fn visit_str<E>(self, value: &str) -> Result<Yaml, E> {
            Ok(Yaml::Scalar(Value::String(value.to_owned())))
        }

        fn visit_unit<E>(self) -> Result<Yaml, E> {
            Ok(Yaml::Scalar(Value::Null))
        }

        fn visit_none<E>(self) -> Result<Yaml, E> {
            Ok(Yaml::Scalar(Value::Null))
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Yaml, A::Error> {
            let mut items = Vec::new();
            while let Some(item) = access.next_element()? {
                items.push(item);
            }
            Ok(Yaml::List(items))
        }

        fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Yaml, A::Error> {
            let mut entries = Vec::new();
            while let Some(entry) = access.next_entry()? {
                entries.push(entry);
            }
            Ok(Yaml::Table(entries))
        }
    }
}
