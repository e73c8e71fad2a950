//! `serde`: shown and read by the same walk as everything else.

use std::cell::RefCell;

use ::serde::ser::{SerializeMap, SerializeSeq};
pub use ::serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::block::FieldSink;
use super::{Json, Shown};

/// `Serialize` of any type with a JSON form. The walk is that of reading too, so it goes over a copy of the value; text is
/// made a field at a time.
///
/// # Errors
///
/// Those of the serializer.
pub fn serialize<T: Json + Clone, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    Lent::new(value.clone().show()).serialize(serializer)
}

/// `Deserialize` of any type with a JSON form, from a format that tells what it has (JSON, YAML, TOML).
///
/// # Errors
///
/// Those of the deserializer, and when what it has is no value of the type.
pub fn deserialize<'de, T: Json, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    let json = Value::deserialize(deserializer)?;
    super::from_value(&json).map_err(|error| match error.path.as_str() {
        // Where the value stands is known to the format.
        "" => ::serde::de::Error::custom(error.fault),
        _ => ::serde::de::Error::custom(error),
    })
}

/// What is being written: it is lent mutably, but a serializer takes shared references.
struct Lent<'a>(RefCell<Shown<'a>>);

impl<'a> Lent<'a> {
    const fn new(shown: Shown<'a>) -> Self {
        Self(RefCell::new(shown))
    }
}

impl Serialize for Lent<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &mut *self.0.borrow_mut() {
            Shown::Leaf(value) => value.serialize(serializer),
            Shown::Text(text) => serializer.serialize_str(text),
            Shown::Bytes(bytes) => serializer.serialize_str(&super::hex(bytes)),
            Shown::List(items) => {
                let mut array = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    array.serialize_element(&Lent::new(item.show()))?;
                }
                array.end()
            }
            Shown::Object(block) => {
                let mut object = Object { map: serializer.serialize_map(None)?, error: None };
                super::block::show(*block, &mut object);
                object.error.map_or_else(|| object.map.end(), Err)
            }
            Shown::Member(name, member) => {
                let mut object = serializer.serialize_map(Some(1))?;
                object.serialize_entry(name, &Lent::new(member.show()))?;
                object.end()
            }
        }
    }
}

/// An object that is being written, and the error that ended it.
struct Object<M: SerializeMap> {
    map: M,
    error: Option<M::Error>,
}

impl<M: SerializeMap> FieldSink for Object<M> {
    fn shown(&mut self, name: &'static str, value: Shown<'_>) {
        if self.error.is_none() {
            self.error = self.map.serialize_entry(name, &Lent::new(value)).err();
        }
    }
}

/// `serde`'s traits for types that have a JSON form.
#[macro_export]
macro_rules! serde_impls {
    ($($name:ident),* $(,)?) => {$(
        impl $crate::json::Serialize for $name {
            fn serialize<S: $crate::json::Serializer>(&self, to: S) -> ::core::result::Result<S::Ok, S::Error> {
                $crate::json::serialize(self, to)
            }
        }

        impl<'de> $crate::json::Deserialize<'de> for $name {
            fn deserialize<D: $crate::json::Deserializer<'de>>(from: D) -> ::core::result::Result<Self, D::Error> {
                $crate::json::deserialize(from)
            }
        }
    )*};
}
