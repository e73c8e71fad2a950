//! What a file writes: names are not resolved yet.

use serde_json::{Map, Value};

use super::text::{Span, Text};

/// A file.
#[derive(Debug)]
pub(super) struct File {
    pub(super) text: Text,
    pub(super) statements: Vec<Statement>,
}

/// A name, and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Name {
    pub(super) text: String,
    pub(super) span: Span,
}

#[derive(Debug)]
pub(super) enum Statement {
    Option(Setting),
    Import(Name),
    Message(Message),
    Type(Type),
    Service(Vec<Rpc>),
    Counters(Counters),
    /// Lists of path and counter.
    Paths(Vec<(String, String)>),
}

/// `option name = value;`.
#[derive(Debug)]
pub(super) struct Setting {
    pub(super) name: Name,
    /// Null where there is none.
    pub(super) value: Value,
}

#[derive(Debug)]
pub(super) struct Message {
    pub(super) name: Name,
    pub(super) is_autoreply: bool,
    pub(super) fields: Vec<Field>,
    pub(super) options: Map<String, Value>,
    pub(super) comment: Option<String>,
}

#[derive(Debug)]
pub(super) struct Type {
    pub(super) name: Name,
    pub(super) kind: Kind,
    pub(super) comment: Option<String>,
}

#[derive(Debug)]
pub(super) enum Kind {
    Struct(Vec<Field>),
    Union(Vec<Field>),
    Enum(Enum),
    Alias(Field),
}

#[derive(Debug)]
pub(super) struct Enum {
    pub(super) is_flags: bool,
    pub(super) repr: &'static str,
    pub(super) members: Vec<Enumerator>,
}

#[derive(Debug)]
pub(super) struct Enumerator {
    pub(super) name: Name,
    pub(super) value: Option<i128>,
    pub(super) is_backwards_compatible: bool,
}

#[derive(Debug)]
pub(super) struct Field {
    /// A base type, or `vl_api_…_t`.
    pub(super) ty: Name,
    pub(super) name: Name,
    pub(super) length: Length,
    pub(super) options: Map<String, Value>,
}

#[derive(Debug)]
pub(super) enum Length {
    /// Not an array.
    One,
    /// `[16]`
    Fixed(u64),
    /// `[count]`
    Counted(Name),
    /// `[]`
    Open,
}

#[derive(Debug)]
pub(super) struct Rpc {
    pub(super) request: Name,
    /// `null` where nothing comes back.
    pub(super) reply: Name,
    pub(super) stream: bool,
    pub(super) stream_message: Option<Name>,
    pub(super) events: Vec<Name>,
}

#[derive(Debug)]
pub(super) struct Counters {
    pub(super) name: String,
    /// Objects as VPP's JSON has them.
    pub(super) elements: Vec<Value>,
}
