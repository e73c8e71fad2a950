//! Aliases, and names that hand-written types stand behind.

use proc_macro2::TokenStream;
use quote::quote;
use vpp_schema::FieldType;

use super::block::Context;
use super::docs;
use crate::special_cases::RuntimeType;

impl Context<'_, '_, '_> {
    pub(super) fn alias(&mut self, target: FieldType) -> TokenStream {
        let (name, docs) = (self.name(), docs::lines(&self.item_docs()));
        let target = self.rust_type(target);
        quote! {
            #docs
            pub type #name = #target;
        }
    }

    /// VPP's name for a hand-written type.
    pub(super) fn runtime_type(&mut self, ty: RuntimeType) -> String {
        let (vpp_name, name) = (&self.item.vpp_name, &self.item.name);
        let docs = format!("/// `{vpp_name}`.\n");
        match ty {
            RuntimeType::Wire(known) => {
                let runtime = self.scope.runtime_crate();
                match known == name {
                    true => format!("{docs}pub use {runtime}::{known};\n"),
                    false => format!("{docs}pub use {runtime}::{known} as {name};\n"),
                }
            }
            RuntimeType::Std(module, known) => {
                let target = self.scope.std(module, known);
                format!("{docs}pub type {name} = {target};\n")
            }
        }
    }
}
