//! The view of a received message: accessors that read the bytes in place.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{format_ident, quote};

use super::block::{Context, Kind, Part};
use super::docs;
use super::scope::tokens;
use crate::pass::layout;

/// The part of a view behind the fixed bytes.
struct Tail {
    /// Its field in the view.
    ident: Ident,
    ty: TokenStream,
    /// The view's field when nothing was received.
    zero: TokenStream,
    /// How it is read behind `fixed`.
    read: TokenStream,
    /// What the accessor returns, and how.
    returns: TokenStream,
    get: TokenStream,
}

impl<'a> Context<'_, 'a, '_> {
    /// The view, its accessors, and what makes it one.
    pub(super) fn view(&mut self, parts: &[Part<'a>]) -> Vec<TokenStream> {
        let owned = self.name();
        let name = Ident::new(&self.item.view_name(), Span::call_site());
        let tail_part = parts.last().filter(|part| self.fixed_len(part.field.ty).is_none());
        let fixed_len: usize = parts.iter().filter_map(|part| self.fixed_len(part.field.ty)).sum();
        let size = Literal::usize_unsuffixed(fixed_len);
        let tail = tail_part.map(|part| self.tail(part, parts));
        let accessors: Vec<_> = parts
            .iter()
            .filter(|part| part.is_kept())
            .map(|part| match &tail {
                Some(tail) if self.fixed_len(part.field.ty).is_none() => {
                    self.accessor(part, parts, &tail.returns, &tail.get)
                }
                _ => {
                    let (returns, get) = self.fixed_accessor(part, parts);
                    self.accessor(part, parts, &returns, &get)
                }
            })
            .collect();
        let owned_fields: Vec<_> =
            parts.iter().filter(|part| part.is_kept()).map(|part| self.owned_field(part)).collect();

        let has_fixed = fixed_len > 0;
        let mut fields = Vec::new();
        let mut zeros = Vec::new();
        let mut reads = Vec::new();
        // A fixed part of nothing but a count is read and left.
        let is_kept = parts.iter().any(|part| part.is_kept() && self.fixed_len(part.field.ty).is_some());
        if is_kept {
            fields.push(quote!(fixed: &'a [u8; #size]));
            zeros.push(quote!(fixed: &[0; #size]));
            reads.push(match tail {
                None => quote!(fixed: input.span()),
                Some(_) => quote!(fixed),
            });
        }
        if let Some(Tail { ident, ty, zero, read, .. }) = &tail {
            fields.push(quote!(#ident: #ty));
            zeros.push(quote!(#ident: #zero));
            reads.push(quote!(#ident: #read));
        }
        if has_fixed {
            self.scope.methods_of("Span");
        }
        let span = (has_fixed && tail.is_some()).then(|| quote!(let fixed = input.span::<#size>();));
        let input = if fields.is_empty() { tokens("_input") } else { tokens("input") };
        let [view, viewed, decoder] = ["View", "Viewed", "Decoder"].map(|name| self.scope.wire(name));
        let fmt = self.scope.std("std", "fmt");
        let view_docs = docs::lines(&[format!("A received [`{owned}`], read in place.")]);
        if fields.is_empty() {
            // Nothing to point at.
            let phantom = self.scope.std("std::marker", "PhantomData");
            fields.push(quote!(nothing: #phantom<&'a ()>));
            zeros.push(quote!(nothing: #phantom));
            reads.push(quote!(nothing: #phantom));
        }
        let owned_value =
            if owned_fields.is_empty() { quote!(#owned) } else { quote!(#owned { #(#owned_fields),* }) };
        let mut items = vec![quote! {
            #view_docs
            #[derive(Clone, Copy)]
            pub struct #name<'a> {
                #(#fields),*
            }
        }];
        if !accessors.is_empty() {
            items.push(quote!(impl<'a> #name<'a> { #(#accessors)* }));
        }
        items.push(quote! {
            impl<'a> #view<'a> for #name<'a> {
                type Owned = #owned;
                const ZERO: Self = Self { #(#zeros),* };
                fn read(#input: &mut #decoder<'a>) -> Self {
                    #span
                    Self { #(#reads),* }
                }
                fn into_owned(self) -> #owned {
                    #owned_value
                }
            }
        });
        items.push(quote! {
            impl #viewed for #owned {
                type View<'a> = #name<'a>;
            }
        });
        items.push(quote! {
            impl #fmt::Debug for #name<'_> {
                fn fmt(&self, f: &mut #fmt::Formatter<'_>) -> #fmt::Result {
                    self.into_owned().fmt(f)
                }
            }
        });
        items
    }

    fn accessor(
        &mut self,
        part: &Part<'a>,
        parts: &[Part<'a>],
        returns: &TokenStream,
        get: &TokenStream,
    ) -> TokenStream {
        let docs = docs::lines(&self.field_docs(part, parts));
        let ident = &part.ident;
        match ident.to_string().as_str() {
            "len" => self.scope.allow("clippy::len_without_is_empty"),
            "as_ref" | "borrow" | "clone" | "deref" => self.scope.allow("clippy::should_implement_trait"),
            name if ["from_", "into_", "to_"].iter().any(|start| name.starts_with(start)) => {
                self.scope.allow("clippy::wrong_self_convention");
            }
            _ => {}
        }
        quote! {
            #docs
            #[must_use]
            pub fn #ident(&self) -> #returns {
                #get
            }
        }
    }

    /// The view of a nested struct that has a heap part.
    fn nested_view(&mut self, part: &Part<'_>) -> Option<TokenStream> {
        let id = layout::viewed_type(self.plan, self.item, self.api, part.field.ty)?;
        let nested = self.plan.type_item(self.item, id);
        Some(self.scope.item(self.plan, nested, &nested.view_name()))
    }

    /// An accessor of the fixed part.
    fn fixed_accessor(&mut self, part: &Part<'a>, parts: &[Part<'a>]) -> (TokenStream, TokenStream) {
        let offset = part.offset.unwrap_or(0);
        let at = Literal::usize_unsuffixed(offset);
        let ty = &part.ty;
        if let Some(view) = self.nested_view(part) {
            let view_at = self.scope.wire("view_at");
            return (quote!(#view<'a>), quote!(#view_at(self.fixed, #at)));
        }
        match part.kind {
            Kind::Text(len) => {
                let [cow, text] = [self.scope.std("std::borrow", "Cow"), self.scope.wire("text")];
                let end = Literal::usize_unsuffixed(offset + len as usize);
                (quote!(#cow<'a, str>), quote!(#text(&self.fixed[#at..#end])))
            }
            Kind::Bytes => {
                let array_at = self.scope.wire("array_at");
                (quote!(#ty), quote!(#array_at(self.fixed, #at)))
            }
            Kind::Union { discriminator, .. } => {
                let union_at = self.scope.wire("union_at");
                let discriminator = Literal::usize_unsuffixed(parts[discriminator].offset.unwrap_or(0));
                (quote!(#ty), quote!(#union_at(self.fixed, #discriminator, #at)))
            }
            _ => {
                let value_at = self.scope.wire("value_at");
                (quote!(#ty), quote!(#value_at(self.fixed, #at)))
            }
        }
    }

    fn tail(&mut self, part: &Part<'a>, parts: &[Part<'a>]) -> Tail {
        let name = part.vpp_name();
        let ident = if part.ident == "fixed" { format_ident!("fixed_") } else { part.ident.clone() };
        let plain = |ty: TokenStream, zero, read| Tail {
            get: quote!(self.#ident),
            ident: ident.clone(),
            returns: ty.clone(),
            ty,
            zero,
            read,
        };
        let count = |scope: &mut super::scope::Scope<'_>, count: usize| {
            let Kind::Count { repr, .. } = parts[count].kind else { return quote!(0) };
            let (count_at, repr) = (scope.wire("count_at"), tokens(repr.name()));
            let at = Literal::usize_unsuffixed(parts[count].offset.unwrap_or(0));
            quote!(#count_at::<#repr, _>(fixed, #at))
        };
        match part.kind {
            Kind::LongText => {
                let [cow, text] = [self.scope.std("std::borrow", "Cow"), self.scope.wire("text")];
                Tail {
                    returns: quote!(#cow<'a, str>),
                    get: quote!(#text(self.#ident)),
                    ..plain(quote!(&'a [u8]), quote!(&[]), quote!(input.long_bytes(#name)))
                }
            }
            Kind::ByteList { count: at } => {
                let count = count(self.scope, at);
                plain(quote!(&'a [u8]), quote!(&[]), quote!(input.byte_list(#name, #count)))
            }
            Kind::List { count: at, element } => {
                let count = count(self.scope, at);
                let (items, element) = (self.scope.wire("Items"), self.element_type(element));
                plain(
                    quote!(#items<'a, #element>),
                    quote!(#items::new(&[])),
                    quote!(input.items(#name, #count)),
                )
            }
            _ => {
                // Of variable size and no list: a struct that ends in one.
                let nested = self.nested_view(part).unwrap_or_default();
                let view = self.scope.wire("View");
                plain(quote!(#nested<'a>), quote!(#nested::ZERO), quote!(#view::read(input)))
            }
        }
    }

    /// A field of the owned struct, from the accessor.
    fn owned_field(&mut self, part: &Part<'a>) -> TokenStream {
        let ident = &part.ident;
        let is_viewed = layout::viewed_type(self.plan, self.item, self.api, part.field.ty).is_some();
        let value = match part.kind {
            _ if is_viewed => quote!(self.#ident().into_owned()),
            Kind::Text(_) | Kind::LongText => quote!(self.#ident().into_owned()),
            Kind::ByteList { .. } | Kind::List { .. } => quote!(self.#ident().to_vec()),
            _ => quote!(self.#ident()),
        };
        quote!(#ident: #value)
    }
}
