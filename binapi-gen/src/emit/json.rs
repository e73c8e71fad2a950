//! What the JSON form needs of a type: its fields or members by VPP's names. In files of their own, so that a module's
//! page stays what a person reads.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{format_ident, quote};
use vpp_schema::{Field, FieldType, TypeId, TypeKind};

use super::block::{Context, Kind, Part};
use super::defaults::cut;
use super::format;
use super::scope::{Scope, tokens};
use super::{Paths, Piece, Provenance};
use crate::error::GenerateError;
use crate::pass::plan::{Definition, Item, Plan};
use crate::pass::{names, unions};

/// Widest line of a list.
const WIDTH: usize = 110;

/// The JSON forms of a module's types; `None` for a module that has none.
pub(crate) fn json_file(
    plan: &Plan<'_>,
    module: &str,
    paths: &Paths,
    provenance: &Provenance,
) -> Result<Option<String>, GenerateError> {
    let planned = &plan.modules[module];
    let mut scope = Scope::new(plan, module, paths);
    // Most types of fields are not named in these files, so what they would import goes nowhere.
    let mut unused = Scope::new(plan, module, paths);
    let mut body = String::new();
    let mut forms = Vec::new();
    for id in &planned.items {
        let item = plan.item(*id);
        let parts = Context { plan, item, api: plan.api(item), scope: &mut unused }.parts()?;
        let mut context = Context { plan, item, api: plan.api(item), scope: &mut scope };
        for form in context.json(&parts)? {
            body.push('\n');
            match form.code {
                Piece::Tokens(tokens) => body.push_str(&format::item(module, tokens)?),
                Piece::Text(text) => body.push_str(&text),
            }
            forms.extend(form.serde);
        }
    }
    if body.is_empty() {
        return Ok(None);
    }
    if !forms.is_empty() {
        let serde = scope.wire("serde_impls").to_string().replace(' ', "");
        let names = forms.iter().map(|name| format!("{name},"));
        body.push_str(&format!("\n{serde}!(\n{}\n);\n", format::fill(names, "    ", WIDTH)));
    }
    let own = format!("use {}::{}::*;\n", paths.root, planned.name);
    let uses = scope.uses();
    Ok(Some(format!(
        "// {}\n\n//! JSON form of the API module `{module}`.\n\n{uses}{}{own}{body}",
        provenance.line(),
        if uses.is_empty() { "" } else { "\n" },
    )))
}

/// `json/mod.rs`: the modules that have a JSON form.
pub(crate) fn json_modules(modules: &[(&str, &str)], provenance: &Provenance) -> String {
    let lines: String = modules
        .iter()
        .map(|(feature, module)| {
            format!("#[cfg(feature = \"{feature}\")]\n#[rustfmt::skip]\nmod {module};\n")
        })
        .collect();
    format!("// {}\n\n//! The JSON form of each module's types.\n\n{lines}", provenance.line())
}

/// The JSON form of one generated type.
struct Form {
    code: Piece,
    /// The type's name, where the form can stand alone.
    serde: Option<String>,
}

impl<'a> Context<'_, 'a, '_> {
    fn json(&mut self, parts: &[Part<'a>]) -> Result<Vec<Form>, GenerateError> {
        let id = match self.item.definition {
            Definition::Message(_) => return Ok(vec![self.block_form(parts)]),
            Definition::Type(_) if self.item.runtime.is_some() => return Ok(Vec::new()),
            Definition::Type(id) => id,
        };
        match &self.api.ty(id).kind {
            TypeKind::Struct(_) => Ok(vec![self.block_form(parts)]),
            TypeKind::Enum(definition) => Ok(vec![self.enum_form(definition.is_flags)]),
            TypeKind::Union(members) => self.union_forms(id, members),
            TypeKind::Alias(_) => Ok(Vec::new()),
        }
    }

    fn enum_form(&mut self, is_flags: bool) -> Form {
        let path = self.scope.wire("json_enum").to_string().replace(' ', "");
        let Item { name, vpp_name, .. } = self.item;
        Form {
            code: Piece::Text(format!("{path}!({name}, {vpp_name:?}, flags: {is_flags});\n")),
            serde: Some(name.clone()),
        }
    }

    fn block_form(&mut self, parts: &[Part<'a>]) -> Form {
        let name = self.name();
        let [block, walk] = ["Block", "Fields"].map(|name| self.scope.json(name));
        let kind = match self.item.definition {
            Definition::Message(_) => {
                self.scope.methods_of("Message");
                quote!(fields.message(&Self::INFO);)
            }
            Definition::Type(_) => {
                let name = Literal::string(&self.item.vpp_name);
                quote!(fields.structure(#name);)
            }
        };
        let lines: Vec<_> = parts.iter().enumerate().map(|(at, part)| self.line(at, part, parts)).collect();
        let code = quote! {
            impl #block for #name {
                fn fields(&mut self, fields: &mut #walk<'_, '_>) {
                    #kind
                    #(#lines)*
                }
            }
        };
        Form { code: Piece::Tokens(code), serde: Some(self.item.name.clone()) }
    }

    /// The line of a field.
    fn line(&mut self, at: usize, part: &Part<'a>, parts: &[Part<'a>]) -> TokenStream {
        let (field, name) = (&part.ident, part.vpp_name());
        let limit = part.field.limit.map(|limit| limit.saturating_sub(1));
        match part.kind {
            Kind::Text(len) => {
                let max = len.saturating_sub(1).min(limit.unwrap_or(u32::MAX));
                let max = Literal::u32_unsuffixed(max);
                quote!(fields.text(#name, &mut self.#field, #max);)
            }
            Kind::LongText if limit.is_some() => {
                let max = Literal::u32_unsuffixed(limit.unwrap_or(u32::MAX));
                quote!(fields.text(#name, &mut self.#field, #max);)
            }
            Kind::Count { repr, list } => {
                let int = self.scope.json("Int");
                let kind = tokens(&repr.name().to_uppercase());
                let (list, list_name) = (&parts[list].ident, parts[list].vpp_name());
                quote!(fields.count(#name, #int::#kind, #list_name, self.#list.len());)
            }
            Kind::Discriminator { union } => {
                let selected = self.scope.json("Selected");
                let unions: Vec<_> = parts
                    .iter()
                    .filter(|other| matches!(other.kind, Kind::Union { discriminator, .. } if discriminator == at))
                    .filter_map(|union| {
                        let (name, id) = (union.vpp_name(), unions::union_of(self.api, union.field)?);
                        let ty = self.selected_union(id);
                        Some(quote!((#name, <#ty as #selected>::CASES)))
                    })
                    .collect();
                let (local, unset) = (selector(part), self.discriminator_of(part, &parts[union]));
                quote!(let #local = fields.discriminator(#name, #unset, &[#(#unions),*]);)
            }
            Kind::Union { discriminator, .. } => {
                let by = &parts[discriminator];
                let (local, by_name) = (selector(by), by.vpp_name());
                let number = self.is_runtime_union(part).then(|| quote!(.0));
                quote!(fields.union(#name, &mut self.#field, #by_name, #local #number);)
            }
            _ => quote!(fields.field(#name, &mut self.#field);),
        }
    }

    /// What selects the member that a union holds, as the enum of its definition.
    fn discriminator_of(&mut self, part: &Part<'a>, union: &Part<'a>) -> TokenStream {
        self.scope.methods_of("Union");
        let field = &union.ident;
        if !self.is_runtime_union(union) {
            return quote!(self.#field.discriminator());
        }
        let ty = self.rust_type(part.field.ty);
        quote!(#ty(self.#field.discriminator()))
    }

    fn is_runtime_union(&self, part: &Part<'a>) -> bool {
        unions::union_of(self.api, part.field)
            .is_some_and(|id| self.plan.type_item(self.item, id).union.runtime.is_some())
    }

    fn union_forms(&mut self, id: TypeId, members: &[Field]) -> Result<Vec<Form>, GenerateError> {
        let used = self.item.union;
        let mut forms = Vec::new();
        if let Some(selector) = used.selected_by.filter(|_| used.runtime.is_none())
            && let Some(own) = self.plan.places[self.item.home].types.iter().position(|id| *id == selector)
        {
            forms.push(self.selected_form(id, TypeId(own as u32), members)?);
        }
        if used.raw || used.runtime.is_some() {
            forms.push(self.raw_form(members));
        }
        Ok(forms)
    }

    fn selected_form(
        &mut self,
        id: TypeId,
        selector: TypeId,
        members: &[Field],
    ) -> Result<Form, GenerateError> {
        let arms = unions::arms(self.api, id, selector);
        let idents: Vec<Ident> = names::arm_names(arms.iter().map(|arm| arm.member.name.as_str()))
            .map_err(|fault| self.plan.error(self.item, fault))?
            .iter()
            .map(|name| Ident::new(name, Span::call_site()))
            .collect();
        let name = self.name();
        let [selected, case, shown, reader, value] =
            ["Selected", "Case", "Shown", "Reader", "Value"].map(|name| self.scope.json(name));
        let all = members.iter().map(|member| Literal::string(&member.name));
        let repr = match &self.api.ty(selector).kind {
            TypeKind::Enum(definition) => definition.repr,
            _ => vpp_schema::Scalar::U32,
        };
        let cases = arms.iter().map(|arm| {
            let (member, enumerator) = (Literal::string(&arm.member.name), Literal::string(arm.case));
            let value = Literal::i128_unsuffixed(cut(repr, arm.value));
            quote!(#case { member: #member, case: #enumerator, value: #value })
        });
        let arm_names: Vec<_> = arms.iter().map(|arm| Literal::string(&arm.member.name)).collect();
        let reads = arms.iter().zip(&idents).enumerate().map(|(at, (arm, ident))| {
            let at = Literal::usize_unsuffixed(at);
            match self.api.resolve(arm.member.ty) {
                FieldType::FixedString(len) => {
                    let max = Literal::u32_unsuffixed(len.saturating_sub(1));
                    quote!(#at => Self::#ident(reader.text(json, #max)))
                }
                _ => quote!(#at => Self::#ident(reader.member(json))),
            }
        });
        let code = quote! {
            impl #selected for #name {
                const MEMBERS: &'static [&'static str] = &[#(#all),*];
                const CASES: &'static [#case] = &[#(#cases),*];
                fn show_member(&mut self) -> #shown<'_> {
                    match self {
                        #(Self::#idents(member) => #shown::Member(#arm_names, member),)*
                        Self::Unknown { bytes, .. } => #shown::Bytes(bytes),
                    }
                }
                fn read_member<'v>(case: usize, json: &'v #value, reader: &mut #reader<'v>) -> Self {
                    match case {
                        #(#reads,)*
                        _ => Self::default(),
                    }
                }
            }
        };
        Ok(Form { code: Piece::Tokens(code), serde: None })
    }

    fn raw_form(&mut self, members: &[Field]) -> Form {
        let path = self.scope.wire("json_union").to_string().replace(' ', "");
        let name = self.item.raw_name();
        let mut text = format!("{path}!(\n    {name}, {:?},\n", self.item.vpp_name);
        for member in members {
            let raw = self.scope.json("RawMember").to_string().replace(' ', "");
            let kind = match self.api.resolve(member.ty) {
                FieldType::FixedString(len) => format!("text::<{len}>"),
                _ => {
                    let ty = self.rust_type(member.ty).to_string();
                    format!(
                        "of::<{}>",
                        ty.replace(" ;", ";").replace("[ ", "[").replace(" ]", "]").replace(" :: ", "::")
                    )
                }
            };
            text.push_str(&format!("    {raw}::{kind}({:?}),\n", member.name));
        }
        text.push_str(");\n");
        Form { code: Piece::Text(text), serde: Some(name) }
    }
}

/// The variable that holds what selects a union's member.
fn selector(part: &Part<'_>) -> Ident {
    if part.ident == "fields" { format_ident!("fields_") } else { part.ident.clone() }
}
