//! Where the bytes of a definition stand, and a hash that tells whether two stand alike.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};
use vpp_wire::Header;

use crate::layout::{Layout, LayoutHash, Measure};
use crate::model::{Api, Field, FieldType, MessageId, Scalar, TypeId, TypeKind, TypeRef};

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
