//! Which definitions of which releases are one: a message is one with another of the same name, CRC and bytes, a type
//! with one of the same name, fields and values.
//!
//! The newest release that has a definition gives its comments and how it is used, and enums that only grew hold the
//! members of all. (Defaults and what selects unions are the same in all: the reader of definitions sees to it.) A request
//! whose answer changed is another item, although its own definition did not change: a type has one reply.

use std::collections::HashMap;
use std::fmt::Write as _;

use vpp_schema::{Answer, Api, EnumDef, FieldType, MessageId, TypeId, TypeKind, TypeRef};

use super::names;
use super::plan::{Definition, Item, ItemId, Plan, UnionUse};
use super::unions;
use crate::error::{Fault, GenerateError};
use crate::special_cases;

/// Items by what makes definitions one.
#[derive(Default)]
struct Known {
    /// Types other than enums, by name and fields; messages, by name, CRC, fields and answer.
    by_shape: HashMap<String, Vec<ItemId>>,
    /// Enums, by name and integer.
    enums: HashMap<String, Vec<ItemId>>,
    /// The enums that select the members of the present release's unions.
    selectors: HashMap<TypeId, TypeId>,
}

/// Makes the items of all definitions of all releases, in the order of the modules and of their definitions.
pub(crate) fn collect(plan: &mut Plan<'_>) -> Result<(), GenerateError> {
    let mut known = Known::default();
    for release in 0..plan.releases.len() {
        let api = plan.releases[release].api;
        known.selectors = unions::selectors(api);
        let mut types = vec![None; api.types.len()];
        for index in 0..api.types.len() {
            type_item(plan, &mut known, release, TypeId(index as u32), &mut types);
        }
        for index in 0..api.messages.len() {
            let item = message_item(plan, &mut known, release, MessageId(index as u32), &mut types);
            plan.places[release].messages.push(item);
        }
        plan.places[release].types = types.into_iter().flatten().collect();
        for module in &api.modules {
            let planned = plan.modules.entry(module.name.clone()).or_default();
            planned.releases.push(release);
            planned.name = names::snake_name(&module.name).map_err(|fault| GenerateError::Definition {
                module: module.name.clone(),
                item: "module".to_owned(),
                fault: Box::new(fault),
            })?;
        }
    }
    let mut items: Vec<_> = (0..plan.items.len()).map(ItemId).collect();
    // Types first. Within each kind the order is the newest release's, then what only older ones have.
    items.sort_by_key(|id| matches!(plan.item(*id).definition, Definition::Message(_)));
    for id in items {
        let module = plan.item(id).module.clone();
        plan.modules.entry(module).or_default().items.push(id);
    }
    Ok(())
}

/// The item of a type; those it refers to come before it.
fn type_item(
    plan: &mut Plan<'_>,
    known: &mut Known,
    release: usize,
    id: TypeId,
    done: &mut Vec<Option<ItemId>>,
) -> ItemId {
    if let Some(item) = done[id.0 as usize] {
        return item;
    }
    let api = plan.releases[release].api;
    let definition = api.ty(id);
    let mut shape = definition.name.clone();
    match &definition.kind {
        TypeKind::Struct(fields) => {
            shape.push_str(" struct");
            for field in fields {
                let ty = describe(plan, known, release, field.ty, done);
                let _ = write!(shape, " {}:{ty}", field.name);
            }
        }
        TypeKind::Union(members) => {
            shape.push_str(" union");
            if let Some(selector) = known.selectors.get(&id).copied() {
                let selector = type_item(plan, known, release, selector, done);
                let _ = write!(shape, " by #{}", selector.0);
            }
            for member in members {
                let ty = describe(plan, known, release, member.ty, done);
                let _ = write!(shape, " {}:{ty}", member.name);
            }
        }
        TypeKind::Alias(target) => {
            let ty = describe(plan, known, release, *target, done);
            let _ = write!(shape, " alias {ty}");
        }
        TypeKind::Enum(found) => {
            let _ = write!(shape, " enum {}", found.repr);
        }
    }
    let module = &api.module(definition.module).name;
    let candidates = match &definition.kind {
        TypeKind::Enum(_) => known.enums.entry(shape),
        _ => known.by_shape.entry(shape),
    }
    .or_default();
    let same = candidates.iter().copied().find(|id| {
        let item = plan.item(*id);
        // Two modules of one release that define the same each have it; a module may get another name in time.
        let same_place = item.module == *module || !item.releases.contains(&release);
        let same_values = match (&definition.kind, &item.enumeration) {
            (TypeKind::Enum(found), Some(merged)) => agree(found, merged),
            _ => true,
        };
        same_place && same_values
    });
    let item = same.unwrap_or_else(|| {
        let id = add(plan, release, module, &definition.name, Definition::Type(id));
        candidates.push(id);
        id
    });
    let merged = &mut plan.items[item.0];
    if merged.releases.last() != Some(&release) {
        merged.releases.push(release);
    }
    if let TypeKind::Enum(found) = &definition.kind {
        let all = merged.enumeration.get_or_insert_with(|| EnumDef { members: Vec::new(), ..found.clone() });
        all.is_flags |= found.is_flags || special_cases::is_flag_set(&definition.name);
        for member in &found.members {
            if !all.members.iter().any(|(name, _)| *name == member.0) {
                all.members.push(member.clone());
            }
        }
    }
    done[id.0 as usize] = Some(item);
    item
}

/// Whether no member of one enum has another value in the other.
fn agree(one: &EnumDef, other: &EnumDef) -> bool {
    one.members.iter().all(|(name, value)| {
        other.members.iter().all(|(other_name, other_value)| other_name != name || other_value == value)
    })
}

fn describe(
    plan: &mut Plan<'_>,
    known: &mut Known,
    release: usize,
    ty: FieldType,
    done: &mut Vec<Option<ItemId>>,
) -> String {
    let element = match ty {
        FieldType::One(element) | FieldType::Array(element, _) | FieldType::List(element, _) => element,
        FieldType::FixedString(len) => return format!("string[{len}]"),
        FieldType::LongString => return "string[]".to_owned(),
    };
    let mut text = match element {
        TypeRef::Scalar(scalar) => scalar.name().to_owned(),
        TypeRef::Named(id) => format!("#{}", type_item(plan, known, release, id, done).0),
    };
    let _ = match ty {
        FieldType::Array(_, count) => write!(text, "[{count}]"),
        FieldType::List(_, count) => write!(text, "[@{count}]"),
        _ => Ok(()),
    };
    text
}

fn message_item(
    plan: &mut Plan<'_>,
    known: &mut Known,
    release: usize,
    id: MessageId,
    types: &mut Vec<Option<ItemId>>,
) -> ItemId {
    let api = plan.releases[release].api;
    let definition = api.message(id);
    let mut shape = format!("{} {:08x} {:?}", definition.name, definition.crc, definition.header);
    for field in &definition.fields {
        let ty = describe(plan, known, release, field.ty, types);
        let _ = write!(shape, " {}:{ty}", field.name);
    }
    describe_answer(plan, release, api, id, &mut shape);
    let candidates = known.by_shape.entry(shape).or_default();
    let item = match candidates.first() {
        Some(item) => *item,
        None => {
            let module = &api.module(definition.module).name;
            let item = add(plan, release, module, &definition.name, Definition::Message(id));
            candidates.push(item);
            item
        }
    };
    plan.items[item.0].releases.push(release);
    item
}

/// What answers a request, and what switches an event on: part of what a message is in Rust.
fn describe_answer(plan: &Plan<'_>, release: usize, api: &Api, id: MessageId, shape: &mut String) {
    let role = &plan.roles[release][id.0 as usize];
    let mut tell = |what: &str, id: MessageId| {
        let message = api.message(id);
        let _ = write!(shape, " {what} {} {:08x}", message.name, message.crc);
    };
    match role.answer {
        Some(Answer::Reply(reply)) => tell("reply", reply),
        Some(Answer::Details(details)) => tell("dump", details),
        Some(Answer::Stream { details, reply }) => {
            tell("stream", details);
            tell("end", reply);
        }
        Some(Answer::Nothing) | None => {}
    }
    if let Some(registration) = role.registration {
        tell("registration", registration);
    }
}

fn add(plan: &mut Plan<'_>, release: usize, module: &str, vpp_name: &str, definition: Definition) -> ItemId {
    let id = ItemId(plan.items.len());
    plan.items.push(Item {
        vpp_name: vpp_name.to_owned(),
        module: module.to_owned(),
        clean_name: String::new(),
        name: String::new(),
        home: release,
        definition,
        releases: Vec::new(),
        enumeration: None,
        runtime: None,
        union: UnionUse::default(),
        heap: false,
        view: false,
        elsewhere: None,
    });
    id
}

/// Names all items: the newest of a name has it as it is, older ones say the last release that has them.
pub(crate) fn name(plan: &mut Plan<'_>) -> Result<(), GenerateError> {
    for index in 0..plan.items.len() {
        let item = &plan.items[index];
        let clean = names::type_name(&item.vpp_name).map_err(|fault| plan.error(item, fault))?;
        let taken = plan.modules[&item.module]
            .items
            .iter()
            .any(|other| other.0 < index && plan.item(*other).vpp_name == item.vpp_name);
        let last_release: String =
            plan.releases[item.releases[0]].name.chars().filter(char::is_ascii_alphanumeric).collect();
        let name = if taken { format!("{clean}Until{last_release}") } else { clean.clone() };
        let item = &mut plan.items[index];
        item.clean_name = clean;
        item.name = name;
    }
    for module in plan.modules.values() {
        let mut taken: HashMap<String, ItemId> = HashMap::new();
        for id in &module.items {
            let item = plan.item(*id);
            for name in item.names() {
                if let Some(other) = taken.insert(name.clone(), *id) {
                    let other = plan.item(other).vpp_name.clone();
                    return Err(plan.error(item, Fault::NameTaken { name, other }));
                }
            }
        }
    }
    Ok(())
}

impl Item {
    /// The Rust names it takes in its module.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names = vec![self.name.clone()];
        if self.view {
            names.push(self.view_name());
        }
        if self.union.both() {
            names.push(self.raw_name());
        }
        names
    }

    /// The name of its view.
    pub(crate) fn view_name(&self) -> String {
        format!("{}View", self.name)
    }

    /// For a union: the name of its form without a discriminator.
    pub(crate) fn raw_name(&self) -> String {
        if self.union.both() { format!("{}Bytes", self.name) } else { self.name.clone() }
    }
}
