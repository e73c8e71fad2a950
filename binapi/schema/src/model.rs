//! What a definition is: modules, types, messages and services of one VPP's API, with every name resolved.

use std::collections::HashMap;
use std::fmt;

use vpp_wire::Header;

use crate::layout::Measure;

/// The API of one VPP: every module, each type once, in the module that owns it.
///
/// Made by reading definitions ([`Api::read_dir`], [`Api::from_sources`], [`Api::from_running`]): every id in it is one of
/// its own, nothing contains itself, and what a field says of others (counts, discriminators) holds.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Api {
    /// The VPP release, where it is known: `26.06`.
    pub release: Option<String>,
    /// By name.
    pub modules: Vec<Module>,
    /// In the order of their modules, then of their definition. [`TypeId`] is the index.
    pub types: Vec<TypeDef>,
    /// In the order of their modules, then of their definition. [`MessageId`] is the index.
    pub messages: Vec<MessageDef>,
    /// By [`TypeId`].
    pub(crate) measures: Vec<Measure>,
    pub(crate) messages_by_name: HashMap<String, MessageId>,
    pub(crate) modules_by_name: HashMap<String, ModuleId>,
}

/// Index of a module in its [`Api`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ModuleId(pub u32);

/// Index of a type in its [`Api`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TypeId(pub u32);

/// Index of a message in its [`Api`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageId(pub u32);

/// What one `.api` file defines.
#[derive(Clone, Debug, PartialEq)]
pub struct Module {
    /// The file's name without its ending: `ip_types`.
    pub name: String,
    /// Which folder of an installed VPP holds it.
    pub group: Group,
    /// `vl_api_version`: the CRC of the file with its imports.
    pub crc: u32,
    /// File options in their order; `version` is the one that matters.
    pub options: Vec<(String, String)>,
    /// The modules whose types this one may use, by name; with those they import themselves.
    pub imports: Vec<String>,
    /// The types it owns.
    pub types: Vec<TypeId>,
    /// Its messages.
    pub messages: Vec<MessageId>,
    /// Its services, in the order of their definition.
    pub services: Vec<Service>,
    /// Sets of error counters.
    pub counters: Vec<CounterSet>,
    /// Where the counters stand in the stats segment.
    pub paths: Vec<CounterPath>,
}

/// Which folder of an installed VPP holds a module.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Group {
    /// `core`.
    Core,
    /// `plugins`.
    Plugins,
    /// Another, or not from a folder.
    #[default]
    Other,
}

/// A type.
#[derive(Clone, Debug, PartialEq)]
pub struct TypeDef {
    /// The module that owns it.
    pub module: ModuleId,
    /// Its name without decoration: `address`.
    pub name: String,
    /// What it is.
    pub kind: TypeKind,
    /// VPP's comment, where the source has one. Pins hold none.
    pub comment: Option<String>,
}

/// What a type is.
#[derive(Clone, Debug, PartialEq)]
pub enum TypeKind {
    /// Fields one behind the other.
    Struct(Vec<Field>),
    /// Members in the same place. `case` of a member says which discriminator selects it.
    Union(Vec<Field>),
    /// Named values of an integer.
    Enum(EnumDef),
    /// Another name for a type, or for an array of it.
    Alias(FieldType),
}

/// An enum or a set of flags.
#[derive(Clone, Debug, PartialEq)]
pub struct EnumDef {
    /// The integer on the wire.
    pub repr: Scalar,
    /// Whether the definition says `enumflag`.
    pub is_flags: bool,
    /// Names and values in the order of the definition.
    pub members: Vec<(String, i128)>,
}

/// A field of a struct or message, or a member of a union.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// VPP's name.
    pub name: String,
    /// Its type.
    pub ty: FieldType,
    /// What a field that nobody set is sent as, where it is not zero.
    pub default: Option<DefaultValue>,
    /// The longest string allowed (VPP 19.08).
    pub limit: Option<u32>,
    /// For a union: the field before it, in the same block, whose value selects the member.
    pub discriminator: Option<usize>,
    /// For a member of a union: the enumerator that selects it.
    pub case: Option<String>,
    /// Which of the three the definition itself does not say: a fact of another release.
    pub completed: Option<Completed>,
}

/// What another release tells of a field, where neither CRC nor bytes differ.
#[derive(Clone, Debug, PartialEq)]
pub enum Completed {
    /// [`Field::default`].
    Default {
        /// What the definition itself says.
        declared: Option<DefaultValue>,
    },
    /// [`Field::discriminator`].
    Discriminator,
    /// [`Field::case`].
    Case,
}

/// The type of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FieldType {
    /// One value.
    One(TypeRef),
    /// A fixed number of elements, without a count.
    Array(TypeRef, u32),
    /// As many elements as an earlier field of the same block (its index) says.
    List(TypeRef, usize),
    /// `string x[N]`: so many bytes, padded with NULs.
    FixedString(u32),
    /// `string x[]`: a `u32` length and so many bytes.
    LongString,
}

/// A type without an array around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TypeRef {
    /// A base type.
    Scalar(Scalar),
    /// A defined type.
    Named(TypeId),
}

/// The base types.
#[allow(missing_docs)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scalar {
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    U64,
    I64,
    F64,
    Bool,
}

/// A field's default as the definition writes it. It may exceed the field's type; then its low bits count.
#[derive(Clone, Debug, PartialEq)]
pub enum DefaultValue {
    /// An integer, or an enum's value.
    Int(i128),
    /// A number with a fraction.
    Float(f64),
    /// `true` or `false`.
    Bool(bool),
    /// An enumerator, or the text of a string field.
    Text(String),
}

/// A message.
#[derive(Clone, Debug, PartialEq)]
pub struct MessageDef {
    /// The module that defines it.
    pub module: ModuleId,
    /// Its name.
    pub name: String,
    /// The CRC of its definition.
    pub crc: u32,
    /// What stands before the payload: the leading `client_index` and `context`.
    pub header: Header,
    /// The payload: the fields behind the header.
    pub fields: Vec<Field>,
    /// Options in their order: `deprecated`, `in_progress`, `status`, `replaced_by`, `vat_help`.
    pub options: Vec<(String, Option<String>)>,
    /// VPP's comment, where the source has one. Pins hold none.
    pub comment: Option<String>,
}

/// How a request is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// The request.
    pub request: MessageId,
    /// The reply; for a stream without [`Service::stream_msg`] the element. `None` for `null`: no answer at all.
    pub reply: Option<MessageId>,
    /// Whether elements are streamed.
    pub stream: bool,
    /// The element of a stream that ends with `reply`.
    pub stream_msg: Option<MessageId>,
    /// Events that the request switches on, as declared; see [`Api::events`].
    pub events: Vec<MessageId>,
}

/// How a message is answered, as a client sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// One reply.
    Reply(MessageId),
    /// Elements, ended by the reply to a `control_ping` that the client sends behind.
    Details(MessageId),
    /// Elements, ended by a reply.
    Stream {
        /// The element.
        details: MessageId,
        /// The end.
        reply: MessageId,
    },
    /// Nothing.
    Nothing,
}

/// A set of error counters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CounterSet {
    /// Its name.
    pub name: String,
    /// Its counters in their order.
    pub elements: Vec<Counter>,
}

/// An error counter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counter {
    /// Its name.
    pub name: String,
    /// `info`, `warning`, `error`.
    pub severity: String,
    /// `counter64`.
    pub ty: String,
    /// `packets`, `bytes`.
    pub units: String,
    /// VPP's description, where the source has one. Pins hold none.
    pub description: Option<String>,
}

/// Where a set of counters stands in the stats segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CounterPath {
    /// The path: `/err/ip4-input`.
    pub path: String,
    /// The [`CounterSet`]'s name.
    pub counter: String,
}

impl Api {
    /// The type of an id of this API.
    #[must_use]
    pub fn ty(&self, id: TypeId) -> &TypeDef {
        &self.types[id.0 as usize]
    }

    /// The message of an id of this API.
    #[must_use]
    pub fn message(&self, id: MessageId) -> &MessageDef {
        &self.messages[id.0 as usize]
    }

    /// The module of an id of this API.
    #[must_use]
    pub fn module(&self, id: ModuleId) -> &Module {
        &self.modules[id.0 as usize]
    }

    /// The message of a name.
    #[must_use]
    pub fn find_message(&self, name: &str) -> Option<(MessageId, &MessageDef)> {
        let id = *self.messages_by_name.get(name)?;
        Some((id, self.message(id)))
    }

    /// The module of a name.
    #[must_use]
    pub fn find_module(&self, name: &str) -> Option<(ModuleId, &Module)> {
        let id = *self.modules_by_name.get(name)?;
        Some((id, self.module(id)))
    }

    /// The service a message requests, where it is a request.
    #[must_use]
    pub fn service(&self, request: MessageId) -> Option<&Service> {
        self.module(self.message(request).module).services.iter().find(|service| service.request == request)
    }

    /// How a request is answered; `None` for a message that is none.
    #[must_use]
    pub fn answer(&self, request: MessageId) -> Option<Answer> {
        let service = self.service(request)?;
        let details_among_events = service.events.iter().copied().find(|event| self.answers(*event));
        Some(match (service.stream, service.stream_msg.or(details_among_events), service.reply) {
            (_, _, None) => Answer::Nothing,
            (true, None, Some(details)) => Answer::Details(details),
            (_, Some(details), Some(reply)) => Answer::Stream { details, reply },
            (false, None, Some(reply)) => Answer::Reply(reply),
        })
    }

    /// The events that a request switches on.
    pub fn events(&self, request: MessageId) -> impl Iterator<Item = MessageId> {
        let declared = self.service(request).map_or(&[][..], |service| &service.events);
        declared.iter().copied().filter(|event| !self.answers(*event))
    }

    /// Whether a message declared as event is an element of an answer. `gre_tunnel_dump` of VPP 25.10 and 26.02 and
    /// its v2 declare their details so. What answers a request carries its context, what comes unasked does not.
    fn answers(&self, event: MessageId) -> bool {
        self.message(event).header.context().is_some()
    }

    /// What a type is in the end: through aliases of single values, up to an array or a definition that is no alias.
    #[must_use]
    pub fn resolve(&self, mut ty: FieldType) -> FieldType {
        // Cycles are refused when the API is read.
        while let FieldType::One(TypeRef::Named(id)) = ty {
            match &self.ty(id).kind {
                TypeKind::Alias(target) => ty = *target,
                _ => break,
            }
        }
        ty
    }
}

impl Field {
    /// The default as the definition itself has it.
    #[must_use]
    pub fn declared_default(&self) -> Option<&DefaultValue> {
        match &self.completed {
            Some(Completed::Default { declared }) => declared.as_ref(),
            _ => self.default.as_ref(),
        }
    }

    /// The discriminator that the definition itself names.
    #[must_use]
    pub fn declared_discriminator(&self) -> Option<usize> {
        self.discriminator.filter(|_| self.completed != Some(Completed::Discriminator))
    }

    /// The case that the definition itself names.
    #[must_use]
    pub fn declared_case(&self) -> Option<&str> {
        self.case.as_deref().filter(|_| self.completed != Some(Completed::Case))
    }
}

impl FieldType {
    /// The definition it refers to, alone or as the element of an array.
    #[must_use]
    pub const fn named(self) -> Option<TypeId> {
        match self {
            Self::One(TypeRef::Named(id))
            | Self::Array(TypeRef::Named(id), _)
            | Self::List(TypeRef::Named(id), _) => Some(id),
            _ => None,
        }
    }
}

impl MessageDef {
    /// Offset of `retval` from the start of the message: the field of that name if it is an `i32` at a fixed place.
    #[must_use]
    pub fn retval(&self, api: &Api) -> Option<usize> {
        self.offset_of("retval", FieldType::One(TypeRef::Scalar(Scalar::I32)), api)
    }

    /// Offset of `cursor` from the start of the message: the field of that name if it is a `u32` at a fixed place.
    #[must_use]
    pub fn cursor(&self, api: &Api) -> Option<usize> {
        self.offset_of("cursor", FieldType::One(TypeRef::Scalar(Scalar::U32)), api)
    }

    /// The value of an option; `Some(None)` for one without a value.
    #[must_use]
    pub fn option(&self, name: &str) -> Option<Option<&str>> {
        self.options.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_deref())
    }

    fn offset_of(&self, name: &str, ty: FieldType, api: &Api) -> Option<usize> {
        let mut offset = self.header.len();
        for field in &self.fields {
            if field.name == name {
                return (field.ty == ty).then_some(offset);
            }
            offset = offset.saturating_add(api.layout_of(field.ty).fixed_len()?);
        }
        None
    }
}

impl Module {
    /// The value of a file option.
    #[must_use]
    pub fn option(&self, name: &str) -> Option<&str> {
        self.options.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

impl Scalar {
    /// The base type of a name, as the definitions write it.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "u8" => Self::U8,
            "i8" => Self::I8,
            "u16" => Self::U16,
            "i16" => Self::I16,
            "u32" => Self::U32,
            "i32" => Self::I32,
            "u64" => Self::U64,
            "i64" => Self::I64,
            "f64" => Self::F64,
            "bool" => Self::Bool,
            _ => return None,
        })
    }

    /// Its name, as the definitions write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::U8 => "u8",
            Self::I8 => "i8",
            Self::U16 => "u16",
            Self::I16 => "i16",
            Self::U32 => "u32",
            Self::I32 => "i32",
            Self::U64 => "u64",
            Self::I64 => "i64",
            Self::F64 => "f64",
            Self::Bool => "bool",
        }
    }

    /// Its bytes on the wire.
    #[must_use]
    pub const fn size(self) -> usize {
        match self {
            Self::U8 | Self::I8 | Self::Bool => 1,
            Self::U16 | Self::I16 => 2,
            Self::U32 | Self::I32 => 4,
            Self::U64 | Self::I64 | Self::F64 => 8,
        }
    }

    /// Whether it is an integer with a sign.
    #[must_use]
    pub const fn is_signed(self) -> bool {
        matches!(self, Self::I8 | Self::I16 | Self::I32 | Self::I64)
    }

    /// Whether it is an integer.
    #[must_use]
    pub const fn is_integer(self) -> bool {
        !matches!(self, Self::F64 | Self::Bool)
    }
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
