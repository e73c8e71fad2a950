//! Where the bytes of a definition stand.

use crate::model::{Api, FieldType, Scalar, TypeId, TypeKind, TypeRef};

/// The bytes of a type.
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
}

impl Api {
    /// The layout of a field of this type.
    #[must_use]
    pub fn layout_of(&self, ty: FieldType) -> Layout {
        match ty {
            FieldType::One(element) => self.layout_of_ref(element),
            FieldType::Array(element, count) => match self.layout_of_ref(element) {
                Layout::Fixed(len) => Layout::Fixed(len.saturating_mul(count as usize)),
                Layout::Variable(len) => Layout::Variable(len.saturating_mul(count as usize)),
            },
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
        match &self.ty(id).kind {
            TypeKind::Struct(fields) => {
                fields.iter().fold(Layout::Fixed(0), |layout, field| layout.then(self.layout_of(field.ty)))
            }
            TypeKind::Union(members) => Layout::Fixed(
                members.iter().map(|member| self.layout_of(member.ty).min_len()).max().unwrap_or(0),
            ),
            TypeKind::Enum(definition) => Layout::Fixed(definition.repr.size()),
            TypeKind::Alias(target) => self.layout_of(*target),
        }
    }

    /// Offset of each field from the start of its block; `None` behind a field of variable size.
    #[must_use]
    pub fn offsets(&self, fields: &[crate::model::Field], start: usize) -> Vec<Option<usize>> {
        let mut at = Some(start);
        fields
            .iter()
            .map(|field| {
                let here = at;
                at = here.zip(self.layout_of(field.ty).fixed_len()).map(|(at, len)| at + len);
                here
            })
            .collect()
    }

    /// Appends the recursive wire layout of a field as text: the same text means the same bytes, whatever the names.
    pub(crate) fn describe_layout(&self, ty: FieldType, text: &mut String) {
        use std::fmt::Write as _;
        // Writing to a String cannot fail.
        let _ = match ty {
            FieldType::One(element) => {
                self.describe_ref(element, text);
                Ok(())
            }
            FieldType::Array(element, count) => {
                self.describe_ref(element, text);
                write!(text, "[{count}]")
            }
            FieldType::List(element, count_field) => {
                self.describe_ref(element, text);
                write!(text, "[@{count_field}]")
            }
            FieldType::FixedString(len) => write!(text, "string[{len}]"),
            FieldType::LongString => write!(text, "string[]"),
        };
    }

    fn describe_ref(&self, ty: TypeRef, text: &mut String) {
        let id = match ty {
            TypeRef::Scalar(Scalar::Bool) => return text.push_str("bool"),
            TypeRef::Scalar(scalar) => return text.push_str(scalar.name()),
            TypeRef::Named(id) => id,
        };
        match &self.ty(id).kind {
            TypeKind::Struct(fields) => {
                self.describe_block('{', fields.iter().map(|field| field.ty), '}', text)
            }
            TypeKind::Union(members) => {
                self.describe_block('<', members.iter().map(|member| member.ty), '>', text)
            }
            TypeKind::Enum(definition) => text.push_str(definition.repr.name()),
            TypeKind::Alias(target) => self.describe_layout(*target, text),
        }
    }

    pub(crate) fn describe_block(
        &self,
        open: char,
        fields: impl Iterator<Item = FieldType>,
        close: char,
        text: &mut String,
    ) {
        text.push(open);
        for (index, field) in fields.enumerate() {
            if index > 0 {
                text.push(' ');
            }
            self.describe_layout(field, text);
        }
        text.push(close);
    }
}
