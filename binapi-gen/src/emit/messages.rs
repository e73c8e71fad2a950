//! What makes a struct a message: its name, CRC and header, and what answers it.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::quote;
use vpp_schema::{Answer, MessageDef, MessageId, Scalar};

use super::block::Context;
use super::scope::tokens;
use crate::pass::plan::Item;
use crate::pass::services::{self, Received, Role};

impl<'a> Context<'_, 'a, '_> {
    /// `impl Message`, and what its services give.
    pub(super) fn message(&mut self, definition: &'a MessageDef) -> Vec<TokenStream> {
        let name = self.name();
        let mut items = vec![self.message_impl(&name, definition)];
        let Some(role) = self.plan.role(self.item).cloned() else { return items };
        items.extend(self.answer_impls(&name, definition, &role));
        items.extend(self.event_impls(&name, &role));
        items
    }

    fn message_impl(&mut self, name: &Ident, definition: &MessageDef) -> TokenStream {
        let [message, info, header] = ["Message", "MessageInfo", "Header"].map(|name| self.scope.wire(name));
        let vpp_name = Literal::string(&definition.name);
        let crc = tokens(&format!("0x{:08x}", definition.crc));
        let kind = tokens(&format!("{:?}", definition.header));
        let retval = option(definition.retval(self.api));
        quote! {
            impl #message for #name {
                const INFO: #info = #info {
                    name: #vpp_name,
                    crc: #crc,
                    header: #header::#kind,
                    retval: #retval,
                };
            }
        }
    }

    fn answer_impls(&mut self, name: &Ident, definition: &MessageDef, role: &Role) -> Vec<TokenStream> {
        match role.answer {
            None | Some(Answer::Nothing) => Vec::new(),
            Some(Answer::Reply(reply)) => {
                let (request, reply) = (self.scope.wire("Request"), self.named(reply));
                vec![quote! { impl #request for #name { type Reply = #reply; } }]
            }
            Some(Answer::Details(details)) => {
                let end = self.scope.wire("StreamEnd");
                vec![self.dump_impl(name, details, &quote!(#end::ControlPing))]
            }
            Some(Answer::Stream { details, reply }) => {
                let cursor = self.cursor(definition, self.api.message(reply));
                let [end, stream] = ["StreamEnd", "Stream"].map(|name| self.scope.wire(name));
                let reply = self.named(reply);
                let end = quote!(#end::Reply { reply: &#reply::INFO, cursor: #cursor });
                vec![
                    self.dump_impl(name, details, &end),
                    quote! { impl #stream for #name { type Reply = #reply; } },
                ]
            }
        }
    }

    fn dump_impl(&mut self, name: &Ident, details: MessageId, end: &TokenStream) -> TokenStream {
        let [dump, stream_end] = ["Dump", "StreamEnd"].map(|name| self.scope.wire(name));
        let details = self.named(details);
        quote! {
            impl #dump for #name {
                type Details = #details;
                const END: #stream_end = #end;
            }
        }
    }

    /// Where an interruptible stream goes on, when both sides have a cursor.
    fn cursor(&mut self, request: &MessageDef, reply: &MessageDef) -> TokenStream {
        match (request.cursor(self.api), reply.cursor(self.api)) {
            (Some(request), Some(reply)) => {
                let cursor = self.scope.wire("Cursor");
                let (request, reply) = (Literal::usize_unsuffixed(request), Literal::usize_unsuffixed(reply));
                quote!(Some(#cursor { request: #request, reply: #reply }))
            }
            _ => quote!(None),
        }
    }

    fn event_impls(&mut self, name: &Ident, role: &Role) -> Vec<TokenStream> {
        let is_event = role.received.iter().any(|received| matches!(received, Received::Event(_)));
        if !is_event {
            return Vec::new();
        }
        let event = self.scope.wire("Event");
        let mut items = vec![quote!(impl #event for #name {})];
        if let Some(request) = role.registration
            && let Some(switch) = services::subscription(self.api, request)
        {
            let (subscribe, registration) = (self.scope.wire("Subscribe"), self.named(request));
            let field = tokens(&switch.name);
            let enable = match switch.ty {
                vpp_schema::FieldType::One(vpp_schema::TypeRef::Scalar(Scalar::Bool)) => quote!(enable),
                _ => quote!(enable.into()),
            };
            let value = if switch.name == "enable" && enable.to_string() == "enable" {
                quote!(enable)
            } else {
                quote!(#field: #enable)
            };
            items.push(quote! {
                impl #subscribe for #name {
                    type Registration = #registration;
                    fn registration(enable: bool, pid: u32) -> #registration {
                        #registration { #value, pid }
                    }
                }
            });
        }
        items
    }

    /// The Rust name of a message of the item's own API.
    fn named(&mut self, id: MessageId) -> TokenStream {
        let item: &Item = self.plan.message_item(self.item, id);
        self.scope.item(self.plan, item, &item.name)
    }
}

fn option(value: Option<usize>) -> TokenStream {
    match value {
        Some(value) => {
            let value = Literal::usize_unsuffixed(value);
            quote!(Some(#value))
        }
        None => quote!(None),
    }
}
