//! Trees into types: serde's deserializer that tells which value of which document an error is about.

use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error as _, Expected, IntoDeserializer,
    MapAccess, SeqAccess, Unexpected, VariantAccess, Visitor,
};

use super::{ConfigError, Entry, Node, Origin, Value, nearest};

impl Node {
    /// Reads it as a type. `field` is its path in the document, with which errors begin.
    ///
    /// Unknown fields are refused whatever the type says, except inside of types with `flatten`, `tag` or `untagged`,
    /// which read a copy that serde makes.
    ///
    /// # Errors
    /// The first value that does not fit: its place, path, and why.
    pub fn read<T: DeserializeOwned>(&self, field: &str) -> Result<T, ConfigError> {
        T::deserialize(At::new(self)).map_err(|fault| {
            let fault = fault.in_node(self);
            let path = fault.path.iter().rev().fold(field.to_owned(), |mut path, step| {
                if !step.starts_with('[') && !path.is_empty() {
                    path.push('.');
                }
                path.push_str(step);
                path
            });
            ConfigError { origin: fault.origin.unwrap_or(Origin::Nowhere), field: path, reason: fault.reason }
        })
    }
}

/// An error on its way out of the tree.
#[derive(Debug)]
struct Fault {
    /// From the inside to the outside.
    path: Vec<String>,
    origin: Option<Origin>,
    reason: String,
}

impl Fault {
    fn in_node(mut self, node: &Node) -> Self {
        self.origin.get_or_insert_with(|| node.origin.clone());
        self
    }

    fn behind(mut self, step: String, node: &Node) -> Self {
        self.path.push(step);
        self.in_node(node)
    }

    fn unknown(field: &str, fields: &[&str], origin: Option<Origin>) -> Self {
        let reason = format!("there is no such field{}", nearest(field, fields.iter().copied(), "fields"));
        Self { path: vec![field.to_owned()], origin, reason }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Fault {}

impl serde::de::Error for Fault {
    fn custom<T: fmt::Display>(reason: T) -> Self {
        Self { path: Vec::new(), origin: None, reason: reason.to_string() }
    }

    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::custom(other_than(unexpected, expected))
    }

    fn invalid_value(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::custom(other_than(unexpected, expected))
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        let nearest = nearest(variant, expected.iter().copied(), "choices");
        Self::custom(format_args!("`{variant}` is no choice{nearest}"))
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self::unknown(field, expected, None)
    }

    fn missing_field(field: &'static str) -> Self {
        Self { path: vec![field.to_owned()], origin: None, reason: "this has to be given".to_owned() }
    }
}

/// What is there and what should be, in the words of a file and not of Rust.
fn other_than(unexpected: Unexpected<'_>, expected: &dyn Expected) -> String {
    let is = match unexpected {
        Unexpected::Unit | Unexpected::Option => "nothing".to_owned(),
        Unexpected::Seq => "a list".to_owned(),
        Unexpected::Map => "a table".to_owned(),
        Unexpected::Bool(is) => format!("`{is}`"),
        other => other.to_string(),
    };
    let expected = match expected.to_string() {
        table if table.starts_with("struct ") || table == "a map" => "a table".to_owned(),
        list if list.starts_with("a sequence") => "a list".to_owned(),
        other => number(&other).unwrap_or(other),
    };
    format!("this is {is}, and should be {expected}")
}

/// Rust's numbers by what fits in.
fn number(name: &str) -> Option<String> {
    let range = |least: i64, most: i64| Some(format!("an integer from {least} to {most}"));
    match name {
        "u8" => range(0, u8::MAX.into()),
        "u16" => range(0, u16::MAX.into()),
        "u32" => range(0, u32::MAX.into()),
        "u64" | "u128" | "usize" => Some("an integer of 0 or more".to_owned()),
        "i8" => range(i8::MIN.into(), i8::MAX.into()),
        "i16" => range(i16::MIN.into(), i16::MAX.into()),
        "i32" => range(i32::MIN.into(), i32::MAX.into()),
        "i64" | "i128" | "isize" => Some("an integer".to_owned()),
        "f32" | "f64" => Some("a number".to_owned()),
        _ => None,
    }
}

/// A node to be read.
#[derive(Clone, Copy)]
struct At<'a> {
    node: &'a Node,
    /// The fields of the type of whose table this is an entry.
    fields: Option<(&'a Entry, &'static [&'static str])>,
}

impl<'a> At<'a> {
    fn new(node: &'a Node) -> Self {
        Self { node, fields: None }
    }

    /// Gives what is there to a visitor, texts as what they look like.
    fn visit<'de, V: Visitor<'de>>(
        self,
        visitor: V,
        fields: Option<&'static [&'static str]>,
    ) -> Result<V::Value, Fault> {
        let outcome = match &self.node.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Signed(value) => visitor.visit_i64(*value),
            Value::Unsigned(value) => visitor.visit_u64(*value),
            Value::Float(value) => visitor.visit_f64(*value),
            Value::String(value) => visitor.visit_str(value),
            Value::Text(text) => {
                return At::new(&Node::of_text(text, &self.node.origin)).visit(visitor, fields);
            }
            Value::List(items) => {
                let mut access = Items { items: items.iter().enumerate() };
                let value = visitor.visit_seq(&mut access)?;
                match access.items.len() {
                    0 => Ok(value),
                    more => Err(Fault::custom(format_args!("{more} values too many"))),
                }
            }
            Value::Table(entries) => {
                visitor.visit_map(Entries { entries: entries.iter(), value: None, fields })
            }
        };
        outcome.map_err(|fault| fault.in_node(self.node))
    }
}

macro_rules! any {
    ($($name:ident)*) => {
        $(fn $name<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            self.visit(visitor, None)
        })*
    };
}

/// What takes a text as it was written.
macro_rules! texts {
    ($($name:ident)*) => {
        $(fn $name<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            match &self.node.value {
                Value::Text(text) => visitor.visit_str(text).map_err(|fault: Fault| fault.in_node(self.node)),
                _ => self.visit(visitor, None),
            }
        })*
    };
}

impl<'de> Deserializer<'de> for At<'_> {
    type Error = Fault;

    any! {
        deserialize_any deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_i128 deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64 deserialize_seq deserialize_map
    }

    texts! { deserialize_char deserialize_str deserialize_string deserialize_bytes deserialize_byte_buf deserialize_identifier }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.node.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.node.value {
            // A plugin without configuration.
            Value::Table(entries) => match entries.first() {
                None => visitor.visit_unit(),
                Some(entry) => Err(Fault::unknown(&entry.key, &[], Some(entry.origin.clone()))),
            },
            _ => self.visit(visitor, None),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self).map_err(|fault| fault.in_node(self.node))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Fault> {
        self.visit(visitor, None)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.visit(visitor, None)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.visit(visitor, Some(fields))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let outcome = match &self.node.value {
            Value::Table(entries) => match entries.as_slice() {
                [entry] => visitor.visit_enum(Variant { entry }),
                _ => Err(Fault::custom("this should be a table with one entry, named as the choice")),
            },
            Value::Text(text) => match Node::of_text(text, &self.node.origin) {
                table @ Node { value: Value::Table(_), .. } => {
                    return At::new(&table).deserialize_enum(name, variants, visitor);
                }
                _ => visitor.visit_enum(StrDeserializer::new(text)),
            },
            Value::String(text) => visitor.visit_enum(StrDeserializer::new(text)),
            other => Err(Fault::custom(format_args!("this is {}, and should name a choice", other.kind()))),
        };
        outcome.map_err(|fault: Fault| fault.in_node(self.node))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        // A derived type ignores just what it does not know.
        match self.fields {
            Some((entry, fields)) => {
                let mut fault = Fault::unknown(&entry.key, fields, Some(entry.origin.clone()));
                fault.path.clear();
                Err(fault)
            }
            None => visitor.visit_unit(),
        }
    }
}

struct Items<'a> {
    items: std::iter::Enumerate<std::slice::Iter<'a, Node>>,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Fault> {
        let Some((index, node)) = self.items.next() else { return Ok(None) };
        seed.deserialize(At::new(node)).map(Some).map_err(|fault| fault.behind(format!("[{index}]"), node))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

struct Entries<'a> {
    entries: std::slice::Iter<'a, Entry>,
    value: Option<&'a Entry>,
    fields: Option<&'static [&'static str]>,
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        self.value = self.entries.next();
        let Some(entry) = self.value else { return Ok(None) };
        seed.deserialize(Name(entry)).map(Some).map_err(|mut fault| {
            fault.origin.get_or_insert_with(|| entry.origin.clone());
            fault
        })
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        let entry = self.value.take().ok_or_else(|| Fault::custom("a value was read without its key"))?;
        let at = At { node: &entry.node, fields: self.fields.map(|fields| (entry, fields)) };
        seed.deserialize(at).map_err(|fault| fault.behind(entry.key.to_string(), &entry.node))
    }
}

/// The name of an entry. It is a text, also where a type wants a number of it.
struct Name<'a>(&'a Entry);

impl Name<'_> {
    fn node(&self) -> Node {
        Node { origin: self.0.origin.clone(), value: Value::Text(self.0.key.to_string()) }
    }
}

macro_rules! names {
    ($($name:ident)*) => {
        $(fn $name<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            At::new(&self.node()).$name(visitor)
        })*
    };
}

impl<'de> Deserializer<'de> for Name<'_> {
    type Error = Fault;

    // What nearly all names are.
    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_str(&self.0.key)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_str(&self.0.key)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_str(&self.0.key)
    }

    names! {
        deserialize_any deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_i128 deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64 deserialize_seq deserialize_map deserialize_char deserialize_bytes
        deserialize_byte_buf deserialize_option deserialize_unit deserialize_ignored_any
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        At::new(&self.node()).deserialize_struct(name, fields, visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        At::new(&self.node()).deserialize_enum(name, variants, visitor)
    }
}

/// `choice = content`.
struct Variant<'a> {
    entry: &'a Entry,
}

impl Variant<'_> {
    fn in_entry<T>(&self, outcome: Result<T, Fault>) -> Result<T, Fault> {
        outcome.map_err(|fault| fault.behind(self.entry.key.to_string(), &self.entry.node))
    }
}

impl<'de> EnumAccess<'de> for Variant<'_> {
    type Error = Fault;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Fault> {
        let name: StrDeserializer<'_, Fault> = (*self.entry.key).into_deserializer();
        let variant = seed.deserialize(name).map_err(|mut fault| {
            fault.origin.get_or_insert_with(|| self.entry.origin.clone());
            fault
        })?;
        Ok((variant, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_> {
    type Error = Fault;

    fn unit_variant(self) -> Result<(), Fault> {
        let outcome = serde::Deserialize::deserialize(At::new(&self.entry.node));
        self.in_entry(outcome)
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Fault> {
        let outcome = seed.deserialize(At::new(&self.entry.node));
        self.in_entry(outcome)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Fault> {
        let outcome = At::new(&self.entry.node).visit(visitor, None);
        self.in_entry(outcome)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let outcome = At::new(&self.entry.node).visit(visitor, Some(fields));
        self.in_entry(outcome)
    }
}
