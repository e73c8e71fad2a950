//! A part of an API that stands on its own.

use std::collections::BTreeSet;

use crate::model::{
    Api, Field, FieldType, MessageId, Module, ModuleId, Service, TypeDef, TypeId, TypeKind, TypeRef,
};

impl Api {
    /// These messages and types with all that they need: the types of fields, what answers a request, the events it
    /// switches on, and of an event the requests that switch it on. Modules that nothing is left of go; everything
    /// keeps its order.
    #[must_use]
    pub fn subset(
        &self,
        messages: impl IntoIterator<Item = MessageId>,
        types: impl IntoIterator<Item = TypeId>,
    ) -> Self {
        let messages = self.with_answers(messages);
        let fields = messages.iter().flat_map(|id| &self.message(*id).fields);
        let types = self.with_nested(fields.filter_map(|field| field.ty.named()).chain(types));
        let is_kept = |module: &Module| {
            module.types.iter().any(|id| types.contains(id))
                || module.messages.iter().any(|id| messages.contains(id))
        };
        let modules = (0..).map(ModuleId).zip(&self.modules).filter(|(_, module)| is_kept(module));
        Part {
            api: self,
            modules: modules.map(|(id, _)| id).collect(),
            types: types.iter().copied().collect(),
            messages: messages.iter().copied().collect(),
        }
        .cut()
    }

    /// Messages with what answers them, what they switch on and what switches them on.
    fn with_answers(&self, messages: impl IntoIterator<Item = MessageId>) -> BTreeSet<MessageId> {
        let mut open: Vec<MessageId> = messages.into_iter().collect();
        let mut found = BTreeSet::new();
        while let Some(id) = open.pop() {
            if !found.insert(id) {
                continue;
            }
            for service in self.modules.iter().flat_map(|module| &module.services) {
                if service.request == id {
                    open.extend(service.events.iter().chain(&service.reply).chain(&service.stream_msg));
                } else if service.events.contains(&id) {
                    open.push(service.request);
                }
            }
        }
        found
    }

    /// Types with all they are made of.
    pub(crate) fn with_nested(&self, types: impl IntoIterator<Item = TypeId>) -> BTreeSet<TypeId> {
        let mut open: Vec<TypeId> = types.into_iter().collect();
        let mut found = BTreeSet::new();
        while let Some(id) = open.pop() {
            if !found.insert(id) {
                continue;
            }
            match &self.ty(id).kind {
                TypeKind::Struct(fields) | TypeKind::Union(fields) => {
                    open.extend(fields.iter().filter_map(|field| field.ty.named()));
                }
                TypeKind::Alias(target) => open.extend(target.named()),
                TypeKind::Enum(_) => {}
            }
        }
        found
    }
}

/// What is cut out, in order. The new ids are the positions.
struct Part<'a> {
    api: &'a Api,
    modules: Vec<ModuleId>,
    types: Vec<TypeId>,
    messages: Vec<MessageId>,
}

impl Part<'_> {
    fn cut(&self) -> Api {
        let mut part = Api { release: self.api.release.clone(), ..Api::default() };
        for id in &self.types {
            let definition = self.api.ty(*id);
            let kind = match &definition.kind {
                TypeKind::Struct(fields) => TypeKind::Struct(self.fields(fields)),
                TypeKind::Union(members) => TypeKind::Union(self.fields(members)),
                TypeKind::Alias(target) => TypeKind::Alias(self.ty(*target)),
                TypeKind::Enum(definition) => TypeKind::Enum(definition.clone()),
            };
            let module = ModuleId(place(&self.modules, definition.module));
            part.types.push(TypeDef { module, kind, ..definition.clone() });
            part.measures.push(self.api.measures[id.0 as usize].clone());
        }
        for id in &self.messages {
            let mut message = self.api.message(*id).clone();
            message.module = ModuleId(place(&self.modules, message.module));
            message.fields = self.fields(&message.fields);
            part.messages_by_name.insert(message.name.clone(), self.message(*id));
            part.messages.push(message);
        }
        for id in &self.modules {
            let mut module = self.api.module(*id).clone();
            module.types.retain(|id| self.types.binary_search(id).is_ok());
            module.types.iter_mut().for_each(|id| *id = self.type_id(*id));
            module.messages.retain(|id| self.messages.binary_search(id).is_ok());
            module.messages.iter_mut().for_each(|id| *id = self.message(*id));
            module.services.retain(|service| self.messages.binary_search(&service.request).is_ok());
            module.services.iter_mut().for_each(|service| *service = self.service(service));
            module.imports.retain(|name| {
                self.api
                    .find_module(name)
                    .is_some_and(|(import, _)| self.modules.binary_search(&import).is_ok())
            });
            part.modules_by_name.insert(module.name.clone(), ModuleId(place(&self.modules, *id)));
            part.modules.push(module);
        }
        part
    }

    fn fields(&self, fields: &[Field]) -> Vec<Field> {
        fields.iter().map(|field| Field { ty: self.ty(field.ty), ..field.clone() }).collect()
    }

    fn ty(&self, ty: FieldType) -> FieldType {
        let element = |element| match element {
            TypeRef::Named(id) => TypeRef::Named(self.type_id(id)),
            TypeRef::Scalar(_) => element,
        };
        match ty {
            FieldType::One(of) => FieldType::One(element(of)),
            FieldType::Array(of, len) => FieldType::Array(element(of), len),
            FieldType::List(of, count) => FieldType::List(element(of), count),
            FieldType::FixedString(_) | FieldType::LongString => ty,
        }
    }

    fn service(&self, service: &Service) -> Service {
        Service {
            request: self.message(service.request),
            reply: service.reply.map(|id| self.message(id)),
            stream: service.stream,
            stream_msg: service.stream_msg.map(|id| self.message(id)),
            events: service.events.iter().map(|id| self.message(*id)).collect(),
        }
    }

    fn type_id(&self, id: TypeId) -> TypeId {
        TypeId(place(&self.types, id))
    }

    fn message(&self, id: MessageId) -> MessageId {
        MessageId(place(&self.messages, id))
    }
}

/// The position of a member. What is kept refers to nothing else.
fn place<T: Ord>(kept: &[T], of: T) -> u32 {
    kept.binary_search(&of).ok().and_then(|place| u32::try_from(place).ok()).unwrap_or_default()
}
