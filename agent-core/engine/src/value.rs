//! Values of items: typed outside, shared and type-erased inside.

use std::any::Any;
use std::fmt::{self, Debug};
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};

/// What an item is made of. Every type with these traits is one.
pub trait Value:
    Serialize + DeserializeOwned + JsonSchema + PartialEq + Clone + Debug + Send + Sync + 'static
{
}

impl<T: Serialize + DeserializeOwned + JsonSchema + PartialEq + Clone + Debug + Send + Sync + 'static> Value
    for T
{
}

trait Erased: Any + Debug + Send + Sync {
    fn same(&self, other: &dyn Any) -> bool;
    fn json(&self) -> serde_json::Value;
    fn text(&self) -> serde_json::Result<String>;
    fn any(&self) -> &dyn Any;
}

impl<V: Value> Erased for V {
    fn same(&self, other: &dyn Any) -> bool {
        other.downcast_ref::<V>() == Some(self)
    }
    fn json(&self) -> serde_json::Value {
        // A value that does not serialise is shown by what it says of itself rather than lost.
        serde_json::to_value(self).unwrap_or_else(|_| serde_json::Value::String(format!("{self:?}")))
    }
    fn text(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }
    fn any(&self) -> &dyn Any {
        self
    }
}

/// A value of any kind. A clone is a reference count: the engine holds each value once.
#[derive(Clone)]
pub struct AnyValue(Arc<dyn Erased>);

impl AnyValue {
    /// Takes a value in.
    pub fn new<V: Value>(value: V) -> Self {
        Self(Arc::new(value))
    }

    /// The value as its own type, if it is of that type.
    pub fn get<V: Value>(&self) -> Option<&V> {
        self.0.any().downcast_ref()
    }

    /// The value as JSON.
    pub fn to_json(&self) -> serde_json::Value {
        self.0.json()
    }

    /// The value as text of JSON.
    pub(crate) fn to_text(&self) -> serde_json::Result<String> {
        self.0.text()
    }

    /// Whether both are the same allocation.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl PartialEq for AnyValue {
    fn eq(&self, other: &Self) -> bool {
        self.is(other) || self.0.same(other.0.any())
    }
}

impl Debug for AnyValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What creating an item returned, for other descriptors (a `sw_if_index`).
pub(crate) type AnyMetadata = Arc<dyn Any + Send + Sync>;
