//! From files to an API: every type once, every name resolved, every field checked.

use std::collections::HashMap;

use vpp_wire::Header;

use super::file::{self, File, Kind, Name, Type};
use super::identity::{Identities, Place};
use super::ownership::{Owners, different_copies, reach};
use crate::error::{Problem, ReadError};
use crate::model::{
    Api, Field, FieldType, MessageDef, MessageId, Module, ModuleId, Scalar, Service, TypeDef, TypeId,
    TypeKind, TypeRef,
};

/// What a module reaches is kept per module: chains of imports take space by the square of their number.
const MAX_MODULES: usize = 4096;

/// Brings files in the order of their modules, of which each may occur once.
pub(super) fn sort(files: &mut [File]) -> Result<(), ReadError> {
    if files.len() > MAX_MODULES {
        return Err(ReadError::TooManyModules { count: files.len(), limit: MAX_MODULES });
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    match files.windows(2).find(|pair| pair[0].name == pair[1].name) {
        None => Ok(()),
        Some(twice) => Err(ReadError::DuplicateModule {
            module: twice[0].name.clone(),
            first: twice[0].origin.clone(),
            second: twice[1].origin.clone(),
        }),
    }
}

/// Makes one API of files, each of another module.
pub(super) fn assemble(mut files: Vec<File>) -> Result<Api, ReadError> {
    sort(&mut files)?;
    let reach = reach(&files);
    let identities = Identities::of(&files, &reach)?;
    if let Some((copy, original)) = different_copies(&identities, &files, &reach).next() {
        return Err(ReadError::DifferentCopy {
            name: files[copy.0].definitions[copy.1].name.clone(),
            copy: files[copy.0].origin.clone(),
            definition: files[original.0].origin.clone(),
        });
    }
    let owners = Owners::of(&files, &identities, &reach);
    let mut owned = Vec::new();
    let mut types = HashMap::new();
    for (file, definitions) in files.iter().map(|file| file.definitions.len()).enumerate() {
        for definition in 0..definitions {
            let place = (file, definition);
            if identities.get(place).is_some_and(|identity| owners.owner(file, identity) == file) {
                types.insert(place, TypeId(index(owned.len())));
                owned.push(place);
            }
        }
    }
    let assembly = Assembly { files: &files, identities: &identities, owners: &owners, types };
    assembly.api(&owned)
}

struct Assembly<'a> {
    files: &'a [File],
    identities: &'a Identities<'a>,
    owners: &'a Owners,
    types: HashMap<Place, TypeId>,
}

impl Assembly<'_> {
    fn api(&self, owned: &[Place]) -> Result<Api, ReadError> {
        let mut api = Api::default();
        for &(file, definition) in owned {
            let definition = &self.files[file].definitions[definition];
            let title = || definition.title();
            let kind = match &definition.kind {
                Kind::Struct(fields) => TypeKind::Struct(self.fields(file, fields, &title)?),
                Kind::Union(fields) => TypeKind::Union(self.fields(file, fields, &title)?),
                Kind::Enum(definition) => TypeKind::Enum(definition.clone()),
                Kind::Alias(ty) => TypeKind::Alias(
                    self.ty(file, ty, &HashMap::new())
                        .map_err(|problem| self.error(file, title(), None, problem))?,
                ),
            };
            api.types.push(TypeDef {
                module: ModuleId(index(file)),
                name: definition.name.clone(),
                kind,
                comment: definition.comment.clone(),
            });
        }
        for (number, file) in self.files.iter().enumerate() {
            let first = api.messages.len();
            for message in &file.messages {
                self.message(number, message, &mut api)?;
            }
            let module = ModuleId(index(number));
            let types = (0..).map(TypeId).zip(owned).filter(|(_, place)| place.0 == number).map(|(id, _)| id);
            api.modules_by_name.insert(file.name.clone(), module);
            api.modules.push(Module {
                name: file.name.clone(),
                group: file.group,
                crc: file.crc,
                options: file.options.clone(),
                imports: self.owners.imports[number]
                    .iter()
                    .map(|&import| self.files[import].name.clone())
                    .collect(),
                types: types.collect(),
                messages: (first..api.messages.len()).map(|id| MessageId(index(id))).collect(),
                services: Vec::new(),
                counters: file.counters.clone(),
                paths: file.paths.clone(),
            });
        }
        for (number, file) in self.files.iter().enumerate() {
            let services = file.services.iter().map(|service| self.service(number, service, &api));
            api.modules[number].services = services.collect::<Result<_, _>>()?;
        }
        // Equal definitions were numbered behind those they refer to.
        let mut order: Vec<_> =
            (0..).map(TypeId).zip(owned.iter().map(|&place| self.identities.get(place))).collect();
        order.sort_by_key(|(_, identity)| *identity);
        api.measure(order.into_iter().map(|(id, _)| id));
        let origins: Vec<&str> = self.files.iter().map(|file| file.origin.as_str()).collect();
        super::check::check(&mut api, &origins)?;
        super::facts::complete(&mut api);
        Ok(api)
    }

    fn message(&self, file: usize, message: &file::Message, api: &mut Api) -> Result<(), ReadError> {
        if let Some((_, other)) = api.find_message(&message.name) {
            let first = other.module.0 as usize;
            if first != file {
                return Err(ReadError::DuplicateMessage {
                    message: message.name.clone(),
                    first: self.files[first].origin.clone(),
                    second: self.files[file].origin.clone(),
                });
            }
            let same =
                self.files[file].messages.iter().find(|other| other.name == message.name) == Some(message);
            return if same {
                Ok(())
            } else {
                Err(self.error(file, message.title(), None, Problem::DefinedTwice))
            };
        }
        let word = |index: usize, name: &str| {
            message
                .fields
                .get(index)
                .is_some_and(|field| field.name == name && field.ty == Type::One(Name::Scalar(Scalar::U32)))
        };
        let (header, words) = match (word(0, "client_index"), word(1, "context"), word(0, "context")) {
            (true, true, _) => (Header::ClientContext, 2),
            (true, false, _) => (Header::Client, 1),
            (_, _, true) => (Header::Context, 1),
            _ => (Header::Bare, 0),
        };
        let id = MessageId(index(api.messages.len()));
        api.messages_by_name.insert(message.name.clone(), id);
        api.messages.push(MessageDef {
            module: ModuleId(index(file)),
            name: message.name.clone(),
            crc: message.crc,
            header,
            fields: self.fields(file, &message.fields[words..], &|| message.title())?,
            options: message.options.clone(),
            comment: message.comment.clone(),
        });
        Ok(())
    }

    fn service(&self, file: usize, service: &file::Service, api: &Api) -> Result<Service, ReadError> {
        let message = |name: &str| {
            api.find_message(name).map(|(id, _)| id).ok_or_else(|| {
                let problem = Problem::UnknownMessage { name: name.to_owned() };
                self.error(file, format!("service {}", service.request), None, problem)
            })
        };
        Ok(Service {
            request: message(&service.request)?,
            reply: service.reply.as_deref().map(message).transpose()?,
            stream: service.stream,
            stream_msg: service.stream_msg.as_deref().map(message).transpose()?,
            events: service.events.iter().map(|event| message(event)).collect::<Result<_, _>>()?,
        })
    }

    fn fields(
        &self,
        file: usize,
        fields: &[file::Field],
        title: &dyn Fn() -> String,
    ) -> Result<Vec<Field>, ReadError> {
        let mut built: Vec<Field> = Vec::with_capacity(fields.len());
        let mut before: HashMap<&str, usize> = HashMap::with_capacity(fields.len());
        for (number, field) in fields.iter().enumerate() {
            let error = |problem| self.error(file, title(), Some(&field.name), problem);
            let discriminator = match &field.discriminator {
                None => None,
                Some(name) => Some(
                    *before
                        .get(name.as_str())
                        .ok_or_else(|| error(Problem::NoDiscriminator { name: name.clone() }))?,
                ),
            };
            built.push(Field {
                name: field.name.clone(),
                ty: self.ty(file, &field.ty, &before).map_err(error)?,
                default: field.default.clone(),
                limit: field.limit,
                discriminator,
                case: field.case.clone(),
                completed: None,
            });
            before.insert(&field.name, number);
        }
        Ok(built)
    }

    /// `before`: the fields before it, by name.
    fn ty(&self, file: usize, ty: &Type, before: &HashMap<&str, usize>) -> Result<FieldType, Problem> {
        Ok(match ty {
            Type::One(name) => FieldType::One(self.reference(file, name)?),
            Type::Array(name, length) => FieldType::Array(self.reference(file, name)?, *length),
            Type::List(name, count) => {
                let position = before.get(count.as_str());
                let position = *position.ok_or_else(|| Problem::NoCount { name: count.clone() })?;
                FieldType::List(self.reference(file, name)?, position)
            }
            Type::FixedString(length) => FieldType::FixedString(*length),
            Type::LongString => FieldType::LongString,
        })
    }

    fn reference(&self, file: usize, name: &Name) -> Result<TypeRef, Problem> {
        let name = match name {
            Name::Scalar(scalar) => return Ok(TypeRef::Scalar(*scalar)),
            Name::Defined(name) => name,
        };
        let unknown = || Problem::UnknownType { name: name.clone() };
        let place = self.identities.find(file, name).ok_or_else(unknown)?;
        self.identities.unambiguous(file, place)?;
        let identity = self.identities.get(place).ok_or_else(unknown)?;
        let owner = self.owners.owner(file, identity);
        let definition = &self.files[place.0].definitions[place.1];
        let place = self.identities.local(owner, &definition.name).ok_or_else(unknown)?;
        self.types.get(&place).copied().map(TypeRef::Named).ok_or_else(unknown)
    }

    fn error(&self, file: usize, item: String, field: Option<&str>, problem: Problem) -> ReadError {
        ReadError::Definition {
            origin: self.files[file].origin.clone(),
            item,
            field: field.map(str::to_owned),
            problem: Box::new(problem),
        }
    }
}

/// An index of the model. Definitions are counted in thousands.
fn index(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
