//! What another crate of generated messages has already, and this one takes from there.
//!
//! A type is taken where the other has one of its name, fields and values, all the way down; a message where CRC, fields
//! and answer are the same, too. What differs is generated anew, under its own name. The form of a union depends on who
//! holds it, so one that is held by something generated here is generated here as well.

use std::collections::{HashMap, HashSet};

use vpp_schema::{Answer, Api, Field, FieldType, MessageId, TypeId, TypeKind, TypeRef};

use super::plan::{ItemId, Plan};

/// Marks the items of `plan` (of one release) that the crate at `path`, made of `other`, has. Types and messages of
/// earlier calls stay where they are.
pub(crate) fn decide(plan: &mut Plan<'_>, path: &str, other: &Plan<'_>) {
    let mut same = Same {
        own: plan.releases[0].api,
        other: other.releases[0].api,
        names: names(other.releases[0].api),
        types: HashMap::new(),
    };
    let mut taken: HashMap<ItemId, ItemId> = HashMap::new();
    for (index, id) in plan.places[0].types.iter().enumerate() {
        if let Some(found) = same.find_type(TypeId(index as u32)) {
            let found = other.places[0].types[found.0 as usize];
            let has_view = !plan.item(*id).view || other.item(found).view;
            if has_view {
                taken.insert(*id, found);
            }
        }
    }
    for (index, id) in plan.places[0].messages.iter().enumerate() {
        if let Some(found) = same.message(MessageId(index as u32)) {
            taken.insert(*id, other.places[0].messages[found.0 as usize]);
        }
    }
    keep_whole(plan, &mut taken);
    for (id, found) in taken {
        let found = other.item(found);
        let module = other.modules.get(&found.module).map_or(found.module.as_str(), |module| &module.name);
        plan.items[id.0].elsewhere.get_or_insert_with(|| format!("{path}::{module}"));
    }
    super::features::decide(plan);
}

/// Gives back what is not to be had alone: what holds something that is generated here, and unions held here.
fn keep_whole(plan: &Plan<'_>, taken: &mut HashMap<ItemId, ItemId>) {
    loop {
        let before = taken.len();
        let own: HashSet<ItemId> = (0..plan.items.len())
            .map(ItemId)
            .filter(|id| !taken.contains_key(id) && plan.item(*id).elsewhere.is_none())
            .collect();
        for id in &own {
            let item = plan.item(*id);
            for ty in plan.parts(item) {
                let union = match plan.api(item).resolve(ty) {
                    FieldType::One(TypeRef::Named(ty))
                    | FieldType::Array(TypeRef::Named(ty), _)
                    | FieldType::List(TypeRef::Named(ty), _)
                        if matches!(plan.api(item).ty(ty).kind, TypeKind::Union(_)) =>
                    {
                        plan.type_id(item, ty)
                    }
                    _ => continue,
                };
                taken.remove(&union);
            }
        }
        let held: Vec<ItemId> = taken
            .keys()
            .copied()
            .filter(|id| {
                let item = plan.item(*id);
                let types = plan.parts(item).into_iter().filter_map(FieldType::named);
                let mut needs: Vec<_> = types.map(|ty| plan.type_id(item, ty)).collect();
                needs.extend(plan.answers(item));
                // The union that `address` holds may be here as well; the `address` there has its own.
                needs.iter().any(|need| own.contains(need) && !is_union(plan, *need))
            })
            .collect();
        held.iter().for_each(|id| _ = taken.remove(id));
        if taken.len() == before {
            return;
        }
    }
}

fn is_union(plan: &Plan<'_>, id: ItemId) -> bool {
    let item = plan.item(id);
    plan.type_def(item).is_some_and(|definition| matches!(definition.kind, TypeKind::Union(_)))
}

fn names(api: &Api) -> HashMap<&str, Vec<TypeId>> {
    let mut names: HashMap<&str, Vec<TypeId>> = HashMap::new();
    for (id, definition) in (0..).map(TypeId).zip(&api.types) {
        names.entry(definition.name.as_str()).or_default().push(id);
    }
    names
}

/// Compares definitions of two APIs.
struct Same<'a> {
    own: &'a Api,
    other: &'a Api,
    /// The types of the other.
    names: HashMap<&'a str, Vec<TypeId>>,
    /// What was found of own types.
    types: HashMap<TypeId, Option<TypeId>>,
}

impl Same<'_> {
    /// The type of the other API that is the same.
    fn find_type(&mut self, id: TypeId) -> Option<TypeId> {
        if let Some(found) = self.types.get(&id) {
            return *found;
        }
        let definition = self.own.ty(id);
        let candidates = self.names.get(definition.name.as_str()).cloned().unwrap_or_default();
        let found = candidates.into_iter().find(|other| {
            match (&definition.kind, &self.other.ty(*other).kind) {
                (TypeKind::Struct(own), TypeKind::Struct(other))
                | (TypeKind::Union(own), TypeKind::Union(other)) => self.fields(own, other),
                (TypeKind::Alias(own), TypeKind::Alias(other)) => self.field_type(*own, *other),
                // Members that are only there do no harm.
                (TypeKind::Enum(own), TypeKind::Enum(other)) => {
                    own.repr == other.repr
                        && own.is_flags == other.is_flags
                        && own.members.iter().all(|member| other.members.contains(member))
                }
                _ => false,
            }
        });
        self.types.insert(id, found);
        found
    }

    fn fields(&mut self, own: &[Field], other: &[Field]) -> bool {
        own.len() == other.len()
            && own.iter().zip(other).all(|(own, other)| {
                own.name == other.name
                    && own.default == other.default
                    && own.discriminator == other.discriminator
                    && own.case == other.case
                    && self.field_type(own.ty, other.ty)
            })
    }

    fn field_type(&mut self, own: FieldType, other: FieldType) -> bool {
        let mut element = |own, other| match (own, other) {
            (TypeRef::Scalar(own), TypeRef::Scalar(other)) => own == other,
            (TypeRef::Named(own), TypeRef::Named(other)) => self.find_type(own) == Some(other),
            _ => false,
        };
        match (own, other) {
            (FieldType::One(own), FieldType::One(other)) => element(own, other),
            (FieldType::Array(own, len), FieldType::Array(other, other_len)) => {
                len == other_len && element(own, other)
            }
            (FieldType::List(own, count), FieldType::List(other, other_count)) => {
                count == other_count && element(own, other)
            }
            (own, other) => own == other,
        }
    }

    fn message(&mut self, id: MessageId) -> Option<MessageId> {
        let own = self.own.message(id);
        let (found, other) = self.other.find_message(&own.name)?;
        let same = own.crc == other.crc
            && own.header == other.header
            && self.fields(&own.fields, &other.fields)
            && self.answers(id, found);
        same.then_some(found)
    }

    /// Whether two requests have the same answer and events, by name and CRC.
    fn answers(&self, own: MessageId, other: MessageId) -> bool {
        let told = |api: &Api, id: MessageId| {
            let key = |id| {
                let message = api.message(id);
                (message.name.clone(), message.crc)
            };
            let answer = match api.answer(id) {
                None => (0, Vec::new()),
                Some(Answer::Nothing) => (1, Vec::new()),
                Some(Answer::Reply(reply)) => (2, vec![key(reply)]),
                Some(Answer::Details(details)) => (3, vec![key(details)]),
                Some(Answer::Stream { details, reply }) => (4, vec![key(details), key(reply)]),
            };
            (answer, api.events(id).map(key).collect::<Vec<_>>())
        };
        told(self.own, own) == told(self.other, other)
    }
}
