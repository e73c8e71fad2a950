//! Where the bytes of a definition stand, and a hash that tells whether two stand alike.

use std::fmt::{self, Write as _};

use sha2::{Digest as _, Sha256};
use vpp_wire::Header;

use crate::model::{Api, Field, FieldType, MessageId, Scalar, TypeId, TypeKind, TypeRef};

/// The bytes of a type. Lengths saturate: a definition may ask for more than there can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Every value takes exactly so many.
    Fixed(usize),
    /// Values end in a list or string; without its elements they take so many.
    Variable(usize),
}

impl Layout {
    /// The fewest bytes a value takes.
    #[must_use]
    pub const fn min_len(self) -> usize {
        match self {
            Self::Fixed(len) | Self::Variable(len) => len,
        }
    }

    /// The bytes of every value, where they are the same.
    #[must_use]
    pub const fn fixed_len(self) -> Option<usize> {
        match self {
            Self::Fixed(len) => Some(len),
            Self::Variable(_) => None,
        }
    }

    /// One behind the other.
    #[must_use]
    pub const fn then(self, next: Self) -> Self {
        let len = self.min_len().saturating_add(next.min_len());
        match (self, next) {
            (Self::Fixed(_), Self::Fixed(_)) => Self::Fixed(len),
            _ => Self::Variable(len),
        }
    }

    /// So many of them.
    #[must_use]
    pub const fn times(self, count: usize) -> Self {
        match self {
            Self::Fixed(len) => Self::Fixed(len.saturating_mul(count)),
            Self::Variable(len) => Self::Variable(len.saturating_mul(count)),
        }
    }
}

/// 64 bits that two messages share if their bytes stand alike, whatever their names: header, fields, and the fields of
/// their types all the way down.
///
/// VPP's CRC does not tell (20.01 has 78 messages whose CRC a later release carries with other bytes).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LayoutHash(pub u64);

impl fmt::Display for LayoutHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// What is known of a type's bytes once those it refers to are measured.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Measure {
    layout: Layout,
    /// The same text means the same bytes. That of a struct or union is a hash: written out, it could double with each
    /// level of nesting.
    shape: String,
}

impl Api {
    /// The layout of a field of this type.
    #[must_use]
    pub fn layout_of(&self, ty: FieldType) -> Layout {
        match ty {
            FieldType::One(element) => self.layout_of_ref(element),
            FieldType::Array(element, count) => self.layout_of_ref(element).times(count as usize),
            FieldType::List(..) => Layout::Variable(0),
            FieldType::FixedString(len) => Layout::Fixed(len as usize),
            FieldType::LongString => Layout::Variable(4),
        }
    }

    /// The layout of a base type or definition.
    #[must_use]
    pub fn layout_of_ref(&self, ty: TypeRef) -> Layout {
        match ty {
            TypeRef::Scalar(scalar) => Layout::Fixed(scalar.size()),
            TypeRef::Named(id) => self.layout_of_type(id),
        }
    }

    /// The layout of a definition.
    #[must_use]
    pub fn layout_of_type(&self, id: TypeId) -> Layout {
        self.measures[id.0 as usize].layout
    }

    /// Offset of each field from the start of its block; `None` behind a field of variable size.
    #[must_use]
    pub fn offsets(&self, fields: &[Field], start: usize) -> Vec<Option<usize>> {
        let mut at = Some(start);
        fields
            .iter()
            .map(|field| {
                let here = at;
                at = here.zip(self.layout_of(field.ty).fixed_len()).map(|(at, len)| at.saturating_add(len));
                here
            })
            .collect()
    }

    /// The hash of a message's bytes.
    #[must_use]
    pub fn layout_hash(&self, message: MessageId) -> LayoutHash {
        let message = self.message(message);
        let header = match message.header {
            Header::Bare => "id",
            Header::Context => "id context",
            Header::Client => "id client_index",
            Header::ClientContext => "id client_index context",
        };
        let digest = Sha256::digest(format!("{header} {}", self.shape_of_block('{', &message.fields, '}')));
        LayoutHash(digest.iter().take(8).fold(0, |hash, byte| hash << 8 | u64::from(*byte)))
    }

    /// Measures all types, in an order in which each comes behind those it refers to.
    pub(crate) fn measure(&mut self, order: impl IntoIterator<Item = TypeId>) {
        self.measures = vec![Measure { layout: Layout::Fixed(0), shape: String::new() }; self.types.len()];
        for id in order {
            let measure = self.measure_one(id);
            self.measures[id.0 as usize] = measure;
        }
    }

    fn measure_one(&self, id: TypeId) -> Measure {
        match &self.ty(id).kind {
            TypeKind::Struct(fields) => {
                let layout = fields
                    .iter()
                    .fold(Layout::Fixed(0), |layout, field| layout.then(self.layout_of(field.ty)));
                Measure { layout, shape: hashed(&self.shape_of_block('{', fields, '}')) }
            }
            TypeKind::Union(members) => {
                let lens = members.iter().map(|member| self.layout_of(member.ty).min_len());
                let layout = Layout::Fixed(lens.max().unwrap_or(0));
                Measure { layout, shape: hashed(&self.shape_of_block('<', members, '>')) }
            }
            TypeKind::Enum(definition) => Measure {
                layout: Layout::Fixed(definition.repr.size()),
                shape: definition.repr.name().to_owned(),
            },
            TypeKind::Alias(target) => {
                Measure { layout: self.layout_of(*target), shape: self.shape_of(*target) }
            }
        }
    }

    fn shape_of_block(&self, open: char, fields: &[Field], close: char) -> String {
        let shapes: Vec<String> = fields.iter().map(|field| self.shape_of(field.ty)).collect();
        format!("{open}{}{close}", shapes.join(" "))
    }

    fn shape_of(&self, ty: FieldType) -> String {
        let element = |element| match element {
            TypeRef::Scalar(scalar) => Scalar::name(scalar),
            TypeRef::Named(id) => &self.measures[id.0 as usize].shape,
        };
        match ty {
            FieldType::One(of) => element(of).to_owned(),
            FieldType::Array(of, count) => format!("{}[{count}]", element(of)),
            FieldType::List(of, count_field) => format!("{}[@{count_field}]", element(of)),
            FieldType::FixedString(len) => format!("string[{len}]"),
            FieldType::LongString => "string[]".to_owned(),
        }
    }
}

fn hashed(text: &str) -> String {
    Sha256::digest(text).iter().fold(String::with_capacity(64), |mut hex, byte| {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
