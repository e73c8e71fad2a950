//! The plan: which items are generated, under which names, in which modules.

use std::collections::BTreeMap;

use vpp_schema::{Answer, Api, EnumDef, Field, FieldType, MessageDef, MessageId, TypeDef, TypeId, TypeKind};

use super::services::{self, Received, Role};
use crate::error::{Fault, GenerateError};
use crate::special_cases::RuntimeType;

/// The API of one VPP release.
#[derive(Clone, Copy, Debug)]
pub struct Release<'a> {
    /// How the release is called: `26.06`.
    pub name: &'a str,
    /// Its definitions.
    pub api: &'a Api,
}

/// What is generated from a list of releases: every distinct definition once.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    /// Newest first.
    pub(crate) releases: Vec<Release<'a>>,
    /// The messages' roles, per release.
    pub(crate) roles: Vec<Vec<Role>>,
    pub(crate) items: Vec<Item>,
    /// By API module.
    pub(crate) modules: BTreeMap<String, ModulePlan>,
    pub(crate) places: Vec<Places>,
}

/// Which items stand for the definitions of a release, by their ids.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places {
    pub(crate) types: Vec<ItemId>,
    pub(crate) messages: Vec<ItemId>,
}

/// Index of an [`Item`] in its [`Plan`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ItemId(pub(crate) usize);

/// One type or message to generate.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    /// VPP's name.
    pub(crate) vpp_name: String,
    /// The API module it is generated in.
    pub(crate) module: String,
    /// The Rust name in a crate of one release.
    pub(crate) clean_name: String,
    /// The Rust name among all releases.
    pub(crate) name: String,
    /// The newest release that has it: an index of [`Plan::releases`]. Its definition is the one generated.
    pub(crate) home: usize,
    /// The definition in that release.
    pub(crate) definition: Definition,
    /// All releases that have it, newest first.
    pub(crate) releases: Vec<usize>,
    /// For an enum: the members of all releases.
    pub(crate) enumeration: Option<EnumDef>,
    /// The hand-written type it stands for.
    pub(crate) runtime: Option<RuntimeType>,
    /// For a union: how its holders use it.
    pub(crate) union: UnionUse,
    /// Whether an owned value has a heap part: a string or list.
    pub(crate) heap: bool,
    /// Whether it gets a view.
    pub(crate) view: bool,
    /// The module of another crate that has it, where it is not generated here: `vpp_26_06::ip_types`.
    pub(crate) elsewhere: Option<String>,
}

/// How the holders of a union use it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct UnionUse {
    /// The enum that selects its member, where a holder has one.
    pub(crate) selected_by: Option<ItemId>,
    /// The hand-written type that stands for it there.
    pub(crate) runtime: Option<RuntimeType>,
    /// Whether a holder has no discriminator: then only its bytes are known.
    pub(crate) raw: bool,
}

impl UnionUse {
    /// Whether a type is generated for each of the two uses.
    pub(crate) fn both(self) -> bool {
        self.raw && self.selected_by.is_some() && self.runtime.is_none()
    }
}

/// A definition of a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Definition {
    /// A type.
    Type(TypeId),
    /// A message.
    Message(MessageId),
}

/// A module to generate.
#[derive(Clone, Debug, Default)]
pub(crate) struct ModulePlan {
    /// The Rust name.
    pub(crate) name: String,
    /// Its items: types, then messages, each in the order of the newest release; then what only older releases have.
    pub(crate) items: Vec<ItemId>,
    /// The API modules whose items its own refer to.
    pub(crate) uses: Vec<String>,
    /// Releases that have the module, newest first.
    pub(crate) releases: Vec<usize>,
}

impl<'a> Plan<'a> {
    /// Nothing is decided yet. `releases` are newest first.
    pub(super) fn undecided(releases: Vec<Release<'a>>) -> Self {
        let roles = releases.iter().map(|release| services::roles(release.api)).collect();
        Self {
            places: vec![Places::default(); releases.len()],
            releases,
            roles,
            items: Vec::new(),
            modules: BTreeMap::new(),
        }
    }

    pub(crate) fn item(&self, id: ItemId) -> &Item {
        &self.items[id.0]
    }

    /// The API that holds an item's definition.
    pub(crate) fn api(&self, item: &Item) -> &'a Api {
        self.releases[item.home].api
    }

    /// The item that stands for a type of an item's own API.
    pub(crate) fn type_item(&self, item: &Item, id: TypeId) -> &Item {
        self.item(self.type_id(item, id))
    }

    pub(crate) fn type_id(&self, item: &Item, id: TypeId) -> ItemId {
        self.places[item.home].types[id.0 as usize]
    }

    /// The item that stands for a message of an item's own API.
    pub(crate) fn message_item(&self, item: &Item, id: MessageId) -> &Item {
        self.item(self.places[item.home].messages[id.0 as usize])
    }

    /// The type an item stands for, where it is one.
    pub(crate) fn type_def(&self, item: &Item) -> Option<&'a TypeDef> {
        match item.definition {
            Definition::Type(id) => Some(self.api(item).ty(id)),
            Definition::Message(_) => None,
        }
    }

    /// The message an item stands for, where it is one.
    pub(crate) fn message_def(&self, item: &Item) -> Option<&'a MessageDef> {
        match item.definition {
            Definition::Type(_) => None,
            Definition::Message(id) => Some(self.api(item).message(id)),
        }
    }

    /// The fields of an item: a struct's or a message's; none for others.
    pub(crate) fn fields(&self, item: &Item) -> &'a [Field] {
        match item.definition {
            Definition::Message(id) => &self.api(item).message(id).fields,
            Definition::Type(id) => match &self.api(item).ty(id).kind {
                TypeKind::Struct(fields) => fields,
                TypeKind::Union(_) | TypeKind::Enum(_) | TypeKind::Alias(_) => &[],
            },
        }
    }

    /// The types that an item is made of.
    pub(crate) fn parts(&self, item: &Item) -> Vec<FieldType> {
        match self.type_def(item).map(|definition| &definition.kind) {
            Some(TypeKind::Alias(target)) => vec![*target],
            Some(TypeKind::Union(members)) => members.iter().map(|member| member.ty).collect(),
            _ => self.fields(item).iter().map(|field| field.ty).collect(),
        }
    }

    /// The messages that answer an item, and where it is an event, the request that switches it on.
    pub(crate) fn answers(&self, item: &Item) -> Vec<ItemId> {
        let Some(role) = self.role(item) else { return Vec::new() };
        let mut answers = Vec::new();
        match role.answer {
            Some(Answer::Reply(reply)) => answers.push(reply),
            Some(Answer::Details(details)) => answers.push(details),
            Some(Answer::Stream { details, reply }) => answers.extend([details, reply]),
            Some(Answer::Nothing) | None => {}
        }
        answers.extend(role.received.iter().filter_map(|received| match received {
            Received::Event(request) => Some(*request),
            Received::Reply(_) | Received::Element(_) | Received::End(_) => None,
        }));
        answers.into_iter().map(|id| self.places[item.home].messages[id.0 as usize]).collect()
    }

    /// The items of a module that are generated here.
    pub(crate) fn generated(&self, module: &str) -> impl Iterator<Item = &Item> {
        let items = self.modules.get(module).map(|module| &module.items[..]).unwrap_or_default();
        items.iter().map(|id| self.item(*id)).filter(|item| item.elsewhere.is_none())
    }

    /// The role of an item; an empty one for types.
    pub(crate) fn role(&self, item: &Item) -> Option<&Role> {
        match item.definition {
            Definition::Message(id) => self.roles[item.home].get(id.0 as usize),
            Definition::Type(_) => None,
        }
    }

    /// An error about an item.
    pub(crate) fn error(&self, item: &Item, fault: Fault) -> GenerateError {
        GenerateError::Definition {
            module: item.module.clone(),
            item: item.vpp_name.clone(),
            fault: Box::new(fault),
        }
    }
}
