//! What the planner asks of a kind: the pure half of a descriptor, without its type.

use std::sync::Arc;

use schemars::{Schema, SchemaGenerator};
use vpp_agent_kernel::document::{ConfigError, Node};

use crate::descriptor::{Change, Derived, Descriptor};
use crate::{AnyValue, Failure, Invalid, Key, Needs};

pub(crate) trait Rules: Send + Sync {
    fn kind(&self) -> &'static str;
    fn observe_after(&self) -> &'static [&'static str];
    fn has_metadata(&self) -> bool;
    fn schema(&self, generator: &mut SchemaGenerator) -> Schema;
    /// Reads a value of a document; errors name the field within it.
    fn read(&self, node: &Node) -> Result<(Key, AnyValue), ConfigError>;
    /// As `read`, of JSON that was in no document.
    fn decode(&self, json: &serde_json::Value) -> Result<(Key, AnyValue), Failure> {
        self.read(&Node::from_json(json)).map_err(|error| Failure::new(error).permanent())
    }
    fn holds_type(&self, value: &AnyValue) -> bool;
    fn validate(&self, value: &AnyValue) -> Result<(), Invalid>;
    fn equivalent(&self, a: &AnyValue, b: &AnyValue) -> bool;
    fn needs(&self, value: &AnyValue) -> Needs;
    fn derived(&self, value: &AnyValue) -> Vec<Derived>;
    fn change(&self, from: &AnyValue, to: &AnyValue) -> Change;
}

pub(crate) struct Typed<D>(pub(crate) Arc<D>);

impl<D: Descriptor> Rules for Typed<D> {
    fn kind(&self) -> &'static str {
        D::KIND
    }
    fn observe_after(&self) -> &'static [&'static str] {
        D::OBSERVE_AFTER
    }
    fn has_metadata(&self) -> bool {
        std::any::TypeId::of::<D::Metadata>() != std::any::TypeId::of::<()>()
    }
    fn schema(&self, generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<D::Value>()
    }
    fn read(&self, node: &Node) -> Result<(Key, AnyValue), ConfigError> {
        let value: D::Value = node.read("")?;
        Ok((D::key(&value), AnyValue::new(value)))
    }
    fn holds_type(&self, value: &AnyValue) -> bool {
        value.get::<D::Value>().is_some()
    }
    fn validate(&self, value: &AnyValue) -> Result<(), Invalid> {
        match value.get() {
            Some(value) => self.0.validate(value),
            // JSON that came before the descriptor and is not of its type; an earlier release may have kept it.
            None => Err(match self.read(&Node::from_json(&value.to_json())) {
                Ok((key, _)) => Invalid::field("value", format!("is of {key}, not of this key")),
                Err(error) if error.field.is_empty() => Invalid::field("value", error.reason),
                Err(error) => Invalid::field(error.field, error.reason),
            }),
        }
    }
    fn equivalent(&self, a: &AnyValue, b: &AnyValue) -> bool {
        matches!((a.get(), b.get()), (Some(a), Some(b)) if self.0.equivalent(a, b))
    }
    fn needs(&self, value: &AnyValue) -> Needs {
        value.get().map_or(Needs::none(), |value| self.0.needs(value))
    }
    fn derived(&self, value: &AnyValue) -> Vec<Derived> {
        value.get().map_or_else(Vec::new, |value| self.0.derived(value))
    }
    fn change(&self, from: &AnyValue, to: &AnyValue) -> Change {
        match (from.get(), to.get()) {
            (Some(from), Some(to)) => self.0.change(from, to),
            _ => Change::Recreate,
        }
    }
}
