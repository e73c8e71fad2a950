//! A union: an enum with an arm per member where something selects the member, else its bytes.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{format_ident, quote};
use vpp_schema::{Field, FieldType, TypeId, TypeKind};

use super::block::Context;
use super::docs;
use super::scope::tokens;
use crate::error::GenerateError;
use crate::pass::{layout, names, unions};

impl Context<'_, '_, '_> {
    /// The forms of a union that its holders use.
    pub(super) fn union(&mut self, id: TypeId) -> Result<Vec<TokenStream>, GenerateError> {
        let used = self.item.union;
        let mut items = Vec::new();
        if let Some(selector) = used.selected_by.filter(|_| used.runtime.is_none())
            && let Some(own) = self.plan.places[self.item.home].types.iter().position(|id| *id == selector)
        {
            items.extend(self.selected(id, TypeId(own as u32))?);
        }
        if used.raw || used.runtime.is_some() {
            items.extend(self.raw(id)?);
        }
        Ok(items)
    }

    fn selected(&mut self, id: TypeId, selector: TypeId) -> Result<Vec<TokenStream>, GenerateError> {
        let (plan, item, api) = (self.plan, self.item, self.api);
        let arms = unions::arms(api, id, selector);
        let idents: Vec<Ident> = names::arm_names(arms.iter().map(|arm| arm.member.name.as_str()))
            .map_err(|fault| plan.error(item, fault))?
            .iter()
            .map(|name| Ident::new(name, Span::call_site()))
            .collect();
        let selector_item = plan.type_item(item, selector);
        let selector_type = self.scope.item(plan, selector_item, &selector_item.name);
        let refuse = |fault| plan.error(item, fault);
        let cases = self.cases(&arms, selector_item).map_err(refuse)?;
        let name = self.name();
        let size = Literal::usize_unsuffixed(api.layout_of_type(id).min_len());
        let [union, encoder, decoder] = ["Union", "Encoder", "Decoder"].map(|name| self.scope.wire(name));
        let default = self.scope.prelude("Default");
        let item_docs = docs::lines(&self.item_docs());
        let types: Vec<_> = arms.iter().map(|arm| self.rust_type(arm.member.ty)).collect();
        let writes: Vec<_> = arms.iter().map(|arm| self.write_member(arm.member)).collect();
        let reads: Vec<_> = arms.iter().map(|arm| self.read_member(arm.member)).collect();
        self.scope.allow("clippy::large_enum_variant");
        let variants = arms.iter().zip(&idents).zip(&types).map(|((arm, ident), ty)| {
            let docs = docs::lines(&[format!("`{}`, selected by `{}`.", arm.member.name, arm.case)]);
            quote!(#docs #ident(#ty))
        });
        let zero = match arms.iter().position(|arm| arm.value == 0) {
            Some(at) => {
                let (ident, value) = (&idents[at], self.zero(arms[at].member.ty).code);
                quote!(Self::#ident(#value))
            }
            None => quote!(Self::Unknown { discriminator: #selector_type(0), bytes: [0; #size] }),
        };
        Ok(vec![
            quote! {
                #item_docs
                #[derive(Clone, Debug, PartialEq)]
                pub enum #name {
                    #(#variants,)*
                    /// A value that selects no member, with its bytes as they came.
                    Unknown {
                        /// What should select the member.
                        discriminator: #selector_type,
                        /// The bytes of the union.
                        bytes: [u8; #size],
                    },
                }
            },
            quote! {
                impl #default for #name {
                    fn default() -> Self {
                        #zero
                    }
                }
            },
            quote! {
                impl #union for #name {
                    type Discriminator = #selector_type;
                    const LEN: usize = #size;
                    fn discriminator(&self) -> #selector_type {
                        match self {
                            #(Self::#idents(_) => #cases,)*
                            Self::Unknown { discriminator, .. } => *discriminator,
                        }
                    }
                    fn encode_member(&self, out: &mut #encoder<'_>) {
                        let end = out.position() + Self::LEN;
                        match self {
                            #(Self::#idents(member) => #writes,)*
                            Self::Unknown { bytes, .. } => out.bytes(bytes),
                        }
                        out.pad_to(end);
                    }
                    fn decode_member(discriminator: #selector_type, input: &mut #decoder<'_>) -> Self {
                        let bytes = input.bytes();
                        let mut member = #decoder::new(&bytes);
                        match discriminator {
                            #(#cases => Self::#idents(#reads),)*
                            _ => Self::Unknown { discriminator, bytes },
                        }
                    }
                }
            },
        ])
    }

    /// Writes `member` to `out`.
    fn write_member(&self, member: &Field) -> TokenStream {
        match self.api.resolve(member.ty) {
            FieldType::FixedString(len) => {
                let (len, name) = (Literal::u32_unsuffixed(len), Literal::string(&member.name));
                quote!(out.string::<#len>(#name, member))
            }
            _ => quote!(out.write(member)),
        }
    }

    /// Reads from `member`.
    fn read_member(&self, member: &Field) -> TokenStream {
        match self.api.resolve(member.ty) {
            FieldType::FixedString(len) => {
                let len = Literal::u32_unsuffixed(len);
                quote!(member.string::<#len>())
            }
            _ => quote!(member.read()),
        }
    }

    /// The enumerators of the arms, as code.
    fn cases(
        &mut self,
        arms: &[unions::Arm<'_>],
        selector: &super::Item,
    ) -> Result<Vec<TokenStream>, crate::error::Fault> {
        let Some(definition) = &selector.enumeration else { return Ok(Vec::new()) };
        let names = names::member_names(&selector.vpp_name, definition)?;
        let ty = self.scope.item(self.plan, selector, &selector.name);
        Ok(arms
            .iter()
            .map(|arm| {
                let at = definition.members.iter().position(|(name, _)| name == arm.case);
                let member = tokens(&names[at.unwrap_or(0)]);
                quote!(#ty::#member)
            })
            .collect())
    }

    fn raw(&mut self, id: TypeId) -> Result<Vec<TokenStream>, GenerateError> {
        let (plan, item, api) = (self.plan, self.item, self.api);
        let TypeKind::Union(members) = &api.ty(id).kind else { return Ok(Vec::new()) };
        let idents = names::field_names(members.iter().map(|member| member.name.as_str()))
            .map_err(|fault| plan.error(item, fault))?;
        let name = Ident::new(&item.raw_name(), Span::call_site());
        let len = api.layout_of_type(id).min_len();
        let size = Literal::usize_unsuffixed(len);
        let [wire, fixed_size, encoder, decoder] =
            ["Wire", "FixedSize", "Encoder", "Decoder"].map(|name| self.scope.wire(name));
        let mut docs = self.item_docs();
        docs.push(String::new());
        docs.push(
            "Nothing here tells which member the bytes are: what does stands elsewhere, or nowhere."
                .to_owned(),
        );
        let docs = docs::lines(&docs);
        let accessors: Vec<_> = members
            .iter()
            .zip(&idents)
            .map(|(member, ident)| self.raw_accessors(member, ident, &size))
            .collect();
        let (derive, manual) = match len <= 32 {
            true => (quote!(, Default), None),
            false => {
                let default = self.scope.prelude("Default");
                let manual = quote! {
                    impl #default for #name {
                        fn default() -> Self {
                            Self([0; #size])
                        }
                    }
                };
                (quote!(), Some(manual))
            }
        };
        let definition = quote! {
            #docs
            #[derive(Clone, Copy, Debug #derive, PartialEq, Eq)]
            pub struct #name(pub [u8; #size]);
        };
        let rest = [
            quote!(impl #name { #(#accessors)* }),
            quote! {
                impl #wire for #name {
                    const MIN_LEN: usize = #size;
                    fn encode(&self, out: &mut #encoder<'_>) {
                        out.bytes(&self.0);
                    }
                    fn decode(input: &mut #decoder<'_>) -> Self {
                        Self(input.bytes())
                    }
                }
            },
            quote!(impl #fixed_size for #name {}),
        ];
        Ok(std::iter::once(definition).chain(manual).chain(rest).collect())
    }

    /// The constructor from a member, and the member.
    fn raw_accessors(&mut self, member: &Field, ident: &str, size: &Literal) -> TokenStream {
        let ty = self.rust_type(member.ty);
        let getter = match ident.starts_with("from_") {
            true => format_ident!("as_{ident}"),
            false => Ident::new(ident, Span::call_site()),
        };
        let constructor = format_ident!("from_{}", ident.trim_end_matches('_'));
        let [encoder, decoder] = ["Encoder", "Decoder"].map(|name| self.scope.wire(name));
        let from = docs::lines(&[format!("The union that holds `{}`.", member.name)]);
        let get = docs::lines(&[format!("The bytes as `{}`.", member.name)]);
        let (write, read) = (self.write_member(member), self.read_member(member));
        let constructor = if layout::field_has_heap(self.plan, self.item, member.ty) {
            let error = self.scope.wire("EncodeError");
            let errors = docs::lines(&[
                String::new(),
                "# Errors".to_owned(),
                String::new(),
                "When a string does not fit its field.".to_owned(),
            ]);
            quote! {
                #from
                #errors
                pub fn #constructor(member: &#ty) -> Result<Self, #error> {
                    let mut bytes = [0; #size];
                    let mut out = #encoder::new(&mut bytes);
                    #write;
                    out.finish()?;
                    Ok(Self(bytes))
                }
            }
        } else {
            quote! {
                #from
                #[must_use]
                pub fn #constructor(member: #ty) -> Self {
                    let mut bytes = [0; #size];
                    #encoder::new(&mut bytes).write(&member);
                    Self(bytes)
                }
            }
        };
        quote! {
            #constructor
            #get
            #[must_use]
            pub fn #getter(&self) -> #ty {
                let mut member = #decoder::new(&self.0);
                #read
            }
        }
    }
}
