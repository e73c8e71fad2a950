//! The fields of a struct or message, and how each is written and read.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::quote;
use vpp_schema::{Api, Field, FieldType, Scalar, TypeId, TypeRef};

use super::scope::Scope;
use super::scope::tokens;
use crate::error::{Fault, GenerateError};
use crate::pass::plan::{Item, Plan};
use crate::pass::{names, unions};

/// What the emission of one item needs.
pub(super) struct Context<'p, 'a, 's> {
    pub(super) plan: &'p Plan<'a>,
    pub(super) item: &'p Item,
    pub(super) api: &'a Api,
    pub(super) scope: &'s mut Scope<'p>,
}

/// One field of a definition.
pub(super) struct Part<'a> {
    pub(super) field: &'a Field,
    /// Its Rust name.
    pub(super) ident: Ident,
    pub(super) kind: Kind,
    /// Its type through aliases.
    pub(super) resolved: FieldType,
    /// Bytes from the start of the block, where they are the same in all values.
    pub(super) offset: Option<usize>,
    /// The Rust type.
    pub(super) ty: TokenStream,
}

/// How a field is written and read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// As a value with a [`vpp_wire::Wire`] of its own.
    Value,
    /// `u8[N]`.
    Bytes,
    /// `string[N]`.
    Text(u32),
    /// `string[]`.
    LongText,
    /// A list of `u8`.
    ByteList {
        /// Its count.
        count: usize,
    },
    /// A list.
    List {
        /// Its count.
        count: usize,
        /// Its elements.
        element: TypeRef,
    },
    /// The count of a list: no field in Rust.
    Count {
        /// The integer on the wire.
        repr: Scalar,
        /// The list.
        list: usize,
    },
    /// What selects the member of a union: no field in Rust.
    Discriminator {
        /// The first union it selects.
        union: usize,
    },
    /// A union behind its discriminator.
    Union {
        discriminator: usize,
        /// The first union that the discriminator selects, where this is another.
        first: Option<usize>,
    },
}

impl Part<'_> {
    /// Whether the Rust struct has it.
    pub(super) fn is_kept(&self) -> bool {
        !matches!(self.kind, Kind::Count { .. } | Kind::Discriminator { .. })
    }

    /// VPP's name as a literal.
    pub(super) fn vpp_name(&self) -> Literal {
        Literal::string(&self.field.name)
    }
}

impl<'p, 'a> Context<'p, 'a, '_> {
    /// The parts of the item's block.
    pub(super) fn parts(&mut self) -> Result<Vec<Part<'a>>, GenerateError> {
        let fields = self.plan.fields(self.item);
        let names = names::field_names(fields.iter().map(|field| field.name.as_str()))
            .map_err(|fault| self.plan.error(self.item, fault))?;
        let offsets = self.api.offsets(fields, 0);
        let mut parts = Vec::with_capacity(fields.len());
        for (at, ((field, name), offset)) in fields.iter().zip(names).zip(offsets).enumerate() {
            let (kind, resolved) =
                self.kind(fields, at).map_err(|fault| self.plan.error(self.item, fault))?;
            let ty = self.field_type(field.ty, kind);
            let ident = Ident::new(&name, Span::call_site());
            parts.push(Part { field, ident, kind, resolved, offset, ty });
        }
        Ok(parts)
    }

    fn kind(&self, fields: &[Field], at: usize) -> Result<(Kind, FieldType), Fault> {
        let resolved = self.api.resolve(fields[at].ty);
        let mut lists = (at + 1..fields.len())
            .filter(|list| matches!(fields[*list].ty, FieldType::List(_, count) if count == at));
        if let Some(list) = lists.next() {
            if let Some(second) = lists.next() {
                return Err(Fault::SharedCount {
                    first: fields[list].name.clone(),
                    second: fields[second].name.clone(),
                    count: fields[at].name.clone(),
                });
            }
            let FieldType::One(TypeRef::Scalar(repr)) = resolved else {
                return Err(Fault::BadCount {
                    list: fields[list].name.clone(),
                    count: fields[at].name.clone(),
                });
            };
            return Ok((Kind::Count { repr, list }, resolved));
        }
        let selects = |union: usize| {
            unions::discriminator(self.api, fields, union).is_some_and(|(found, _)| found == at)
        };
        if let Some(union) = (at + 1..fields.len()).find(|union| selects(*union)) {
            return Ok((Kind::Discriminator { union }, resolved));
        }
        if let Some((discriminator, _)) = unions::discriminator(self.api, fields, at) {
            let first = (0..at).find(|before| {
                unions::discriminator(self.api, fields, *before)
                    .is_some_and(|(found, _)| found == discriminator)
            });
            return Ok((Kind::Union { discriminator, first }, resolved));
        }
        let is_text = |element: TypeRef| {
            matches!(
                self.api.resolve(FieldType::One(element)),
                FieldType::FixedString(_) | FieldType::LongString
            )
        };
        let kind = match resolved {
            FieldType::Array(element, _) | FieldType::List(element, _) if is_text(element) => {
                return Err(Fault::ArrayOfStrings { field: fields[at].name.clone() });
            }
            FieldType::Array(TypeRef::Scalar(Scalar::U8), _) => Kind::Bytes,
            FieldType::One(_) | FieldType::Array(..) => Kind::Value,
            FieldType::FixedString(len) => Kind::Text(len),
            FieldType::LongString => Kind::LongText,
            FieldType::List(TypeRef::Scalar(Scalar::U8), count) => Kind::ByteList { count },
            FieldType::List(element, count) => Kind::List { count, element },
        };
        // A hand-written type may stand for an array of bytes.
        let is_runtime = matches!(fields[at].ty, FieldType::One(TypeRef::Named(id)) if self.plan.type_item(self.item, id).runtime.is_some());
        Ok((if is_runtime { Kind::Value } else { kind }, resolved))
    }

    fn field_type(&mut self, ty: FieldType, kind: Kind) -> TokenStream {
        if let Kind::Union { .. } = kind
            && let FieldType::One(TypeRef::Named(id)) = self.api.resolve(ty)
        {
            return self.selected_union(id);
        }
        self.rust_type(ty)
    }

    /// The Rust type of a union behind a discriminator.
    pub(super) fn selected_union(&mut self, id: TypeId) -> TokenStream {
        let item = self.plan.type_item(self.item, id);
        match item.union.runtime {
            Some(runtime) => self.scope.runtime(runtime),
            None => self.scope.item(self.plan, item, &item.name),
        }
    }

    /// The Rust type of a field.
    pub(super) fn rust_type(&mut self, ty: FieldType) -> TokenStream {
        match ty {
            FieldType::One(element) => self.element_type(element),
            FieldType::Array(element, count) => {
                let (element, count) = (self.element_type(element), Literal::u32_unsuffixed(count));
                quote!([#element; #count])
            }
            FieldType::List(element, _) => {
                let (vec, element) = (self.scope.prelude("Vec"), self.element_type(element));
                quote!(#vec<#element>)
            }
            FieldType::FixedString(_) | FieldType::LongString => self.scope.prelude("String"),
        }
    }

    /// The Rust type of an element.
    pub(super) fn element_type(&mut self, element: TypeRef) -> TokenStream {
        let id = match element {
            TypeRef::Scalar(scalar) => return tokens(scalar.name()),
            TypeRef::Named(id) => id,
        };
        let item = self.plan.type_item(self.item, id);
        match item.runtime {
            Some(runtime @ crate::special_cases::RuntimeType::Std(..)) => self.scope.runtime(runtime),
            _ => self.scope.item(self.plan, item, &item.raw_name()),
        }
    }

    /// Bytes of a field where they are the same in all values.
    pub(super) fn fixed_len(&self, ty: FieldType) -> Option<usize> {
        self.api.layout_of(ty).fixed_len()
    }
}
