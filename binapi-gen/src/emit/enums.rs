//! An enum or a set of flags: a newtype over its wire integer.

use proc_macro2::TokenStream;
use quote::quote;
use vpp_schema::EnumDef;

use super::Piece;
use super::block::Context;
use super::defaults::{cut, integer};
use super::docs;
use super::scope::tokens;
use crate::error::{Fault, GenerateError};
use crate::pass::names;

impl Context<'_, '_, '_> {
    pub(super) fn enumeration(&mut self, definition: &EnumDef) -> Result<Vec<Piece>, GenerateError> {
        let refuse = |fault| self.plan.error(self.item, fault);
        let names = names::member_names(&self.item.vpp_name, definition).map_err(refuse)?;
        let repr = definition.repr;
        let mut constants = Vec::new();
        let mut table = Vec::new();
        for ((vpp_name, value), name) in definition.members.iter().zip(&names) {
            let in_range = cut(repr, *value) == *value;
            // A mask may be written as a negative number.
            if !in_range && cut(repr, *value) != cut(repr, value.rem_euclid(1 << (8 * repr.size()))) {
                let fault = Fault::BadMember { member: vpp_name.clone(), value: *value, repr: repr.name() };
                return Err(refuse(fault));
            }
            let value = integer(repr, cut(repr, *value));
            let (name, docs) = (tokens(name), docs::lines(&[format!("VPP's `{vpp_name}`.")]));
            constants.push(quote!(#docs pub const #name: Self = Self(#value);));
            table.push(format!("        ({vpp_name:?}, {}),\n", value.to_string().replace(' ', "")));
        }
        let name = self.name();
        let item_docs = docs::lines(&self.item_docs());
        let repr_type = tokens(repr.name());
        let mut pieces = vec![Piece::Tokens(quote! {
            #item_docs
            #[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
            pub struct #name(pub #repr_type);
        })];
        if !constants.is_empty() {
            pieces.push(Piece::Tokens(quote!(impl #name { #(#constants)* })));
        }
        pieces.push(Piece::Text(self.behaviour(definition, &table)));
        Ok(pieces)
    }

    /// What all enums have, from a macro of the runtime.
    fn behaviour(&mut self, definition: &EnumDef, table: &[String]) -> String {
        let macro_name = if definition.is_flags { "flag_set" } else { "open_enum" };
        let path: TokenStream = self.scope.wire(macro_name);
        let path = path.to_string().replace(' ', "");
        let head = format!("{}({})", self.item.name, definition.repr);
        match table {
            [] => format!("{path}!({head}, &[]);\n"),
            _ => format!("{path}!(\n    {head},\n    &[\n{}    ]\n);\n", table.concat()),
        }
    }
}
