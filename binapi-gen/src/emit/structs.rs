//! A struct or message: the type, its default, and its wire encoding.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{format_ident, quote};
use vpp_schema::{FieldType, TypeRef};

use super::block::{Context, Kind, Part};
use super::docs;
use super::scope::tokens;
use crate::error::GenerateError;

impl<'a> Context<'_, 'a, '_> {
    /// The struct, its `Default`, `Wire` and, where it applies, `FixedSize`.
    pub(super) fn structure(&mut self, parts: &[Part<'a>]) -> Result<Vec<TokenStream>, GenerateError> {
        let name = self.name();
        let mut items = self.definition(&name, parts)?;
        items.push(self.wire_impl(&name, parts));
        if parts.iter().all(|part| self.fixed_len(part.field.ty).is_some()) {
            let fixed_size = self.scope.wire("FixedSize");
            items.push(quote!(impl #fixed_size for #name {}));
        }
        Ok(items)
    }

    /// The item's Rust name.
    pub(super) fn name(&self) -> Ident {
        Ident::new(&self.item.name, Span::call_site())
    }

    fn definition(&mut self, name: &Ident, parts: &[Part<'a>]) -> Result<Vec<TokenStream>, GenerateError> {
        let docs = docs::lines(&self.item_docs());
        let mut fields = Vec::new();
        let mut values = Vec::new();
        let mut derivable = true;
        for part in parts.iter().filter(|part| part.is_kept()) {
            let value = self.default_of(part, parts)?;
            derivable &= value.derivable;
            let (ident, code, ty) = (&part.ident, &value.code, &part.ty);
            values.push(quote!(#ident: #code));
            let docs = docs::lines(&self.field_docs(part, parts));
            fields.push(quote!(#docs pub #ident: #ty));
        }
        let default = derivable.then(|| quote!(, Default));
        let body = if fields.is_empty() { quote!(;) } else { quote!({ #(#fields),* }) };
        let mut items = vec![quote! {
            #docs
            #[derive(Clone, Debug #default, PartialEq)]
            pub struct #name #body
        }];
        if !derivable {
            let default = self.scope.prelude("Default");
            items.push(quote! {
                impl #default for #name {
                    fn default() -> Self {
                        Self { #(#values),* }
                    }
                }
            });
        }
        Ok(items)
    }

    fn wire_impl(&mut self, name: &Ident, parts: &[Part<'a>]) -> TokenStream {
        let (wire, encoder, decoder) =
            (self.scope.wire("Wire"), self.scope.wire("Encoder"), self.scope.wire("Decoder"));
        let min_len: usize = parts.iter().map(|part| self.api.layout_of(part.field.ty).min_len()).sum();
        let min_len = Literal::usize_unsuffixed(min_len);
        let encoded_len = self.encoded_len(parts);
        let encode: Vec<_> = parts.iter().map(|part| self.encode(part, parts)).collect();
        let decode = self.decode(parts);
        let (out, input) = match parts {
            [] => (tokens("_out"), tokens("_input")),
            _ => (tokens("out"), tokens("input")),
        };
        quote! {
            impl #wire for #name {
                const MIN_LEN: usize = #min_len;
                #encoded_len
                fn encode(&self, #out: &mut #encoder<'_>) {
                    #(#encode)*
                }
                fn decode(#input: &mut #decoder<'_>) -> Self {
                    #decode
                }
            }
        }
    }

    /// `encoded_len`, where values differ in it.
    fn encoded_len(&mut self, parts: &[Part<'a>]) -> Option<TokenStream> {
        let mut terms = Vec::new();
        for part in parts {
            if self.fixed_len(part.field.ty).is_some() {
                continue;
            }
            let field = &part.ident;
            terms.push(match part.kind {
                Kind::LongText | Kind::ByteList { .. } => quote!(+ self.#field.len()),
                Kind::List { element, .. } if self.fixed_len(FieldType::One(element)).is_some() => {
                    let size = self.size_of(element);
                    quote!(+ self.#field.len() * #size)
                }
                Kind::List { .. } => {
                    let wire = self.scope.wire("Wire");
                    quote!(+ self.#field.iter().map(#wire::encoded_len).sum::<usize>())
                }
                _ => {
                    let ty = &part.ty;
                    let min_len = match part.field.ty {
                        FieldType::One(_) => quote!(#ty::MIN_LEN),
                        _ => quote!(<#ty>::MIN_LEN),
                    };
                    quote!(- #min_len + self.#field.encoded_len())
                }
            });
        }
        (!terms.is_empty()).then(|| {
            quote! {
                fn encoded_len(&self) -> usize {
                    Self::MIN_LEN #(#terms)*
                }
            }
        })
    }

    /// The bytes of an element of fixed size, by name where it has one.
    fn size_of(&mut self, element: TypeRef) -> TokenStream {
        match element {
            TypeRef::Scalar(scalar) => {
                let size = Literal::usize_unsuffixed(scalar.size());
                quote!(#size)
            }
            TypeRef::Named(_) => {
                let ty = self.element_type(element);
                quote!(#ty::MIN_LEN)
            }
        }
    }

    fn encode(&mut self, part: &Part<'a>, parts: &[Part<'a>]) -> TokenStream {
        let (field, name) = (&part.ident, part.vpp_name());
        match part.kind {
            Kind::Value => quote!(out.write(&self.#field);),
            Kind::Bytes | Kind::ByteList { .. } => quote!(out.bytes(&self.#field);),
            Kind::Text(len) => {
                let len = Literal::u32_unsuffixed(len);
                quote!(out.string::<#len>(#name, &self.#field);)
            }
            Kind::LongText => quote!(out.long_string(#name, &self.#field);),
            Kind::List { .. } => quote!(out.list(&self.#field);),
            Kind::Count { repr, list } => {
                let (repr, list) = (tokens(repr.name()), &parts[list]);
                let (list, name) = (&list.ident, list.vpp_name());
                quote!(out.count::<#repr>(#name, self.#list.len());)
            }
            Kind::Discriminator { union } => {
                let union = &parts[union].ident;
                self.scope.methods_of("Union");
                quote!(out.write(&self.#union.discriminator());)
            }
            Kind::Union { first, .. } => {
                self.scope.methods_of("Union");
                let check = first.map(|first| {
                    let (first, fault) = (&parts[first].ident, self.scope.wire("EncodeFault"));
                    quote! {
                        if self.#field.discriminator() != self.#first.discriminator() {
                            out.fail(#fault::UnionMismatch { field: #name });
                        }
                    }
                });
                quote!(#check self.#field.encode_member(out);)
            }
        }
    }

    fn decode(&mut self, parts: &[Part<'a>]) -> TokenStream {
        if parts.is_empty() {
            return quote!(Self);
        }
        if parts.iter().all(Part::is_kept) {
            let fields = parts.iter().map(|part| {
                let (field, value) = (&part.ident, decode_part(part, parts));
                quote!(#field: #value)
            });
            return quote!(Self { #(#fields),* });
        }
        // Each field in its turn, then the struct: counts and discriminators are read on the way.
        let reads = parts.iter().map(|part| {
            let (local, value) = (local(part), decode_part(part, parts));
            quote!(let #local = #value;)
        });
        let fields = parts.iter().filter(|part| part.is_kept()).map(|part| {
            let (field, local) = (&part.ident, local(part));
            if *field == local { quote!(#field) } else { quote!(#field: #local) }
        });
        quote!(#(#reads)* Self { #(#fields),* })
    }
}

/// The variable that holds a field while the rest is read.
fn local(part: &Part<'_>) -> Ident {
    if part.ident == "input" { format_ident!("input_") } else { part.ident.clone() }
}

fn decode_part(part: &Part<'_>, parts: &[Part<'_>]) -> TokenStream {
    let name = part.vpp_name();
    match part.kind {
        Kind::Value | Kind::Discriminator { .. } => quote!(input.read()),
        Kind::Bytes => quote!(input.bytes()),
        Kind::Text(len) => {
            let len = Literal::u32_unsuffixed(len);
            quote!(input.string::<#len>())
        }
        Kind::LongText => quote!(input.long_string(#name)),
        Kind::ByteList { count } => {
            let count = local(&parts[count]);
            quote!(input.byte_list(#name, #count).to_vec())
        }
        Kind::List { count, .. } => {
            let count = local(&parts[count]);
            quote!(input.list(#name, #count))
        }
        Kind::Count { repr, .. } => {
            let repr = tokens(repr.name());
            quote!(input.count::<#repr>())
        }
        Kind::Union { discriminator, .. } => {
            let (ty, discriminator) = (&part.ty, local(&parts[discriminator]));
            quote!(#ty::decode_member(#discriminator, input))
        }
    }
}
