//! What differs between two APIs, field by field, and whether one side can still understand the other.
//!
//! [`Api::compare`] pairs definitions by name; a type whose name several modules define is paired with that of the same
//! module first. A message is [changed](Section::changed) when its CRC or its bytes are others, and then told by every
//! place that differs, down through its types. A type is told by its own definition: what differs in a type it holds is
//! told there. Everything is in the order of names, so the same two APIs always compare to the same text.

mod block;
mod definition;
mod difference;
mod show;

use std::collections::{BTreeMap, BTreeSet};

pub use difference::{Difference, DifferenceKind, Effect, Verdict};

use crate::model::{Api, MessageId, Service, TypeDef, TypeId, TypeKind};
use block::Walk;
pub(crate) use block::{integer, is_count};

/// What differs between two APIs.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Comparison {
    /// Messages.
    pub messages: Section,
    /// Structs, unions and aliases.
    pub types: Section,
    /// Enums and sets of flags.
    pub enums: Section,
    /// Services, by their request.
    pub services: Services,
    /// Options of messages that both have, and of modules that both have.
    pub options: Vec<OptionChange>,
    /// Modules.
    pub modules: Modules,
}

/// Definitions of one kind that differ.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Section {
    /// Those that only the second API has.
    pub added: Vec<Item>,
    /// Those that only the first API has.
    pub removed: Vec<Item>,
    /// Those that both have, in modules of different names.
    pub moved: Vec<Moved>,
    /// Messages with another CRC or other bytes; types with another definition.
    pub changed: Vec<Changed>,
    /// Those with the same CRC and bytes of which one API tells more or other things: defaults, limits, discriminators.
    pub refined: Vec<Changed>,
}

/// A definition.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Item {
    /// Its name.
    pub name: String,
    /// The module that has it.
    pub module: String,
}

/// A definition that another module has now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// Its name.
    pub name: String,
    /// The module of the first API.
    pub from: String,
    /// The module of the second API.
    pub to: String,
}

/// A definition that both have, and how it differs.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Changed {
    /// The definition, in its module of the second API.
    pub item: Item,
    /// The CRCs of a message, the first API's first; `None` for a type, which has none.
    pub crcs: Option<(u32, u32)>,
    /// Where it differs, in the order of the fields.
    pub differences: Vec<Difference>,
    /// Whether the two sides understand each other.
    pub verdict: Verdict,
}

/// Services that differ.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Services {
    /// Requests that are requests only in the second API.
    pub added: Vec<Item>,
    /// Requests that are requests only in the first API.
    pub removed: Vec<Item>,
    /// Requests that are answered otherwise.
    pub changed: Vec<ServiceChange>,
}

/// A request that is answered otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceChange {
    /// The request, in its module of the second API.
    pub request: Item,
    /// The service of the first API, as definitions write it: `returns stream x_details`.
    pub from: String,
    /// That of the second.
    pub to: String,
}

/// An option of a message or module that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionChange {
    /// The module, by its name in the second API.
    pub module: String,
    /// The message; `None` for an option of the module.
    pub message: Option<String>,
    /// The option: `deprecated`, `version`.
    pub option: String,
    /// Its value in the first API: `None` without the option, empty for an option without value.
    pub from: Option<String>,
    /// That in the second.
    pub to: Option<String>,
}

/// Modules that differ.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Modules {
    /// Those that only the second API has.
    pub added: Vec<String>,
    /// Those that only the first API has.
    pub removed: Vec<String>,
    /// Those whose file has another CRC: name, CRC of the first API and of the second.
    pub changed: Vec<(String, u32, u32)>,
}

impl Comparison {
    /// Whether nothing differs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Section {
    /// Whether nothing differs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Api {
    /// What `other` has otherwise than this one, which is taken for the earlier.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Comparison {
        Comparison {
            messages: messages(self, other),
            types: types(self, other, |kind| !matches!(kind, TypeKind::Enum(_))),
            enums: types(self, other, |kind| matches!(kind, TypeKind::Enum(_))),
            services: services(self, other),
            options: options(self, other),
            modules: modules(self, other),
        }
    }

    /// How a message of this API differs from one of another; `None` where CRC, bytes and all that is told of its
    /// fields are the same.
    #[must_use]
    pub fn compare_message(&self, message: MessageId, other: &Self, theirs: MessageId) -> Option<Changed> {
        let (from, to) = (self.message(message), other.message(theirs));
        let is_same_layout = self.layout_hash(message) == other.layout_hash(theirs);
        let is_same = from.crc == to.crc && is_same_layout;
        let mut walk = Walk::new(self, other, !is_same);
        walk.header(from.header, to.header);
        walk.block("", &from.fields, &to.fields);
        let mut differences = walk.found;
        if is_same && differences.is_empty() {
            return None;
        }
        // A refinement changes no CRC.
        if !is_same && differences.iter().all(|difference| difference.kind.is_refinement()) {
            differences.push(Difference::untold());
        }
        let verdict = if is_same { Verdict::Same } else { Verdict::of(&differences) };
        let crcs = Some((from.crc, to.crc));
        Some(Changed { item: item(other, &to.name, to.module), crcs, differences, verdict })
    }
}

fn item(api: &Api, name: &str, module: crate::ModuleId) -> Item {
    Item { name: name.to_owned(), module: api.module(module).name.clone() }
}

fn messages(from: &Api, to: &Api) -> Section {
    let mut section = Section::default();
    for (index, message) in from.messages.iter().enumerate() {
        let here = item(from, &message.name, message.module);
        let Some((theirs, there)) = to.find_message(&message.name) else {
            section.removed.push(here);
            continue;
        };
        section.place(here, item(to, &there.name, there.module));
        // An API has fewer messages than 32 bits can count.
        if let Some(changed) = from.compare_message(MessageId(index as u32), to, theirs) {
            let is_same = changed.verdict == Verdict::Same;
            if is_same { &mut section.refined } else { &mut section.changed }.push(changed);
        }
    }
    let added = to.messages.iter().filter(|message| from.find_message(&message.name).is_none());
    section.added = added.map(|message| item(to, &message.name, message.module)).collect();
    section.sort();
    section
}

fn types(from: &Api, to: &Api, is_wanted: fn(&TypeKind) -> bool) -> Section {
    let mut section = Section::default();
    let (mine, mut theirs) = (types_by_name(from, is_wanted), types_by_name(to, is_wanted));
    for (name, mine) in mine {
        let theirs = theirs.remove(name).unwrap_or_default();
        for (mine, theirs) in pairs(from, to, mine, theirs) {
            match (mine, theirs) {
                (Some(mine), Some(theirs)) => {
                    section.place(type_item(from, mine), type_item(to, theirs));
                    section.compare_types(from, to, mine, theirs);
                }
                (Some(mine), None) => section.removed.push(type_item(from, mine)),
                (None, Some(theirs)) => section.added.push(type_item(to, theirs)),
                (None, None) => {}
            }
        }
    }
    section.added.extend(theirs.into_values().flatten().map(|id| type_item(to, id)));
    section.sort();
    section
}

fn types_by_name(api: &Api, is_wanted: fn(&TypeKind) -> bool) -> BTreeMap<&str, Vec<TypeId>> {
    let mut by_name: BTreeMap<&str, Vec<TypeId>> = BTreeMap::new();
    for (id, TypeDef { name, kind, .. }) in (0..).map(TypeId).zip(&api.types) {
        if is_wanted(kind) {
            by_name.entry(name).or_default().push(id);
        }
    }
    by_name
}

/// Types of one name of two APIs: those of the same module, then the others in their order, then those left over.
fn pairs(
    from: &Api,
    to: &Api,
    mine: Vec<TypeId>,
    mut theirs: Vec<TypeId>,
) -> Vec<(Option<TypeId>, Option<TypeId>)> {
    let module = |api: &Api, id: TypeId| api.module(api.ty(id).module).name.clone();
    let mut pairs = Vec::new();
    let mut rest = Vec::new();
    for mine in mine {
        match theirs.iter().position(|&theirs| module(to, theirs) == module(from, mine)) {
            Some(at) => pairs.push((Some(mine), Some(theirs.remove(at)))),
            None => rest.push(mine),
        }
    }
    let mut theirs = theirs.into_iter();
    pairs.extend(rest.into_iter().map(|mine| (Some(mine), theirs.next())));
    pairs.extend(theirs.map(|theirs| (None, Some(theirs))));
    pairs
}

fn type_item(api: &Api, id: TypeId) -> Item {
    item(api, &api.ty(id).name, api.ty(id).module)
}

impl Section {
    fn place(&mut self, from: Item, to: Item) {
        if from.module != to.module {
            self.moved.push(Moved { name: to.name, from: from.module, to: to.module });
        }
    }

    fn compare_types(&mut self, from: &Api, to: &Api, mine: TypeId, theirs: TypeId) {
        let mut walk = Walk::new(from, to, false);
        walk.definition("", mine, theirs);
        let differences = walk.found;
        if differences.is_empty() {
            return;
        }
        let is_refined = differences.iter().all(|difference| difference.kind.is_refinement());
        let verdict = if is_refined { Verdict::Same } else { Verdict::of(&differences) };
        let changed = Changed { item: type_item(to, theirs), crcs: None, differences, verdict };
        if is_refined { &mut self.refined } else { &mut self.changed }.push(changed);
    }

    fn sort(&mut self) {
        self.added.sort();
        self.removed.sort();
        self.moved.sort_by(|a, b| (&a.name, &a.to).cmp(&(&b.name, &b.to)));
        self.changed.sort_by(|a, b| a.item.cmp(&b.item));
        self.refined.sort_by(|a, b| a.item.cmp(&b.item));
    }
}

fn services(from: &Api, to: &Api) -> Services {
    let (mine, mut theirs) = (services_by_request(from), services_by_request(to));
    let mut services = Services::default();
    for (request, (here, mine)) in mine {
        match theirs.remove(request) {
            None => services.removed.push(here),
            Some((there, theirs)) => {
                let (from, to) = (from.service_text(mine), to.service_text(theirs));
                if from != to {
                    services.changed.push(ServiceChange { request: there, from, to });
                }
            }
        }
    }
    services.added = theirs.into_values().map(|(there, _)| there).collect();
    services
}

fn services_by_request(api: &Api) -> BTreeMap<&str, (Item, &Service)> {
    let services = api.modules.iter().flat_map(|module| &module.services);
    services
        .map(|service| {
            let request = api.message(service.request);
            (request.name.as_str(), (item(api, &request.name, request.module), service))
        })
        .collect()
}

impl Api {
    /// A service behind its request, as definitions write it: `returns stream x_details`.
    #[must_use]
    pub fn service_text(&self, service: &Service) -> String {
        let name = |id: &MessageId| self.message(*id).name.as_str();
        let mut text = String::from("returns ");
        if service.stream && service.stream_msg.is_none() {
            text.push_str("stream ");
        }
        text.push_str(service.reply.as_ref().map_or("null", name));
        if let Some(element) = &service.stream_msg {
            text.push_str(" stream ");
            text.push_str(name(element));
        }
        if !service.events.is_empty() {
            text.push_str(" events ");
            text.push_str(&service.events.iter().map(name).collect::<Vec<_>>().join(", "));
        }
        text
    }
}

fn options(from: &Api, to: &Api) -> Vec<OptionChange> {
    let mut changes = Vec::new();
    for module in &to.modules {
        if let Some((_, earlier)) = from.find_module(&module.name) {
            let pick = |options: &[(String, String)]| {
                options.iter().map(|(option, value)| (option.clone(), value.clone())).collect()
            };
            differing(&module.name, None, pick(&earlier.options), pick(&module.options), &mut changes);
        }
    }
    for message in &to.messages {
        if let Some((_, earlier)) = from.find_message(&message.name) {
            let pick = |options: &[(String, Option<String>)]| {
                options
                    .iter()
                    .map(|(option, value)| (option.clone(), value.clone().unwrap_or_default()))
                    .collect()
            };
            let module = &to.module(message.module).name;
            let (from, to) = (pick(&earlier.options), pick(&message.options));
            differing(module, Some(&message.name), from, to, &mut changes);
        }
    }
    changes.sort_by(|a, b| (&a.message, &a.module, &a.option).cmp(&(&b.message, &b.module, &b.option)));
    changes
}

fn differing(
    module: &str,
    message: Option<&str>,
    from: BTreeMap<String, String>,
    to: BTreeMap<String, String>,
    changes: &mut Vec<OptionChange>,
) {
    let names: BTreeSet<&String> = from.keys().chain(to.keys()).collect();
    for option in names.into_iter().filter(|option| from.get(*option) != to.get(*option)) {
        changes.push(OptionChange {
            module: module.to_owned(),
            message: message.map(str::to_owned),
            option: option.clone(),
            from: from.get(option).cloned(),
            to: to.get(option).cloned(),
        });
    }
}

fn modules(from: &Api, to: &Api) -> Modules {
    let mut modules = Modules::default();
    for module in &from.modules {
        match to.find_module(&module.name) {
            None => modules.removed.push(module.name.clone()),
            Some((_, theirs)) if theirs.crc != module.crc => {
                modules.changed.push((module.name.clone(), module.crc, theirs.crc));
            }
            Some(_) => {}
        }
    }
    let added = to.modules.iter().filter(|module| from.find_module(&module.name).is_none());
    modules.added = added.map(|module| module.name.clone()).collect();
    modules
}
