//! Types of an API as `.api` texts, for files that import them where VPP's sources are not at hand.
//!
//! Which enumerators are `backwards_compatible` is in no definition but the sources. CRCs leave those out, so the CRCs of
//! the messages that hold an enum tell.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;

use vpp_wire::Header;

use super::crc::continued;
use crate::model::{Api, EnumDef, Field, FieldType, Group, MessageDef, TypeId, TypeKind, TypeRef};
use crate::reader::Source;

impl Api {
    /// The types of each module as a text in VPP's API definition language, for
    /// [`SourceOptions::known`](super::SourceOptions::known).
    ///
    /// Messages of who imports them get the CRCs that VPP's own files would give, as far as this API's messages
    /// tell: an enum that none of them holds is taken to have no enumerator that came later.
    #[must_use]
    pub fn import_texts(&self) -> Vec<Source> {
        let printer = Printer { api: self, counted: counted(self) };
        let text = |module: &crate::model::Module| Source {
            name: module.name.clone(),
            group: Group::Other,
            origin: format!("{}.api", module.name),
            text: printer.module(&module.types),
        };
        self.modules.iter().map(text).collect()
    }
}

/// How often the CRC of a message is computed before its enums stay unknown.
const MAX_TRIES: usize = 4096;

struct Printer<'a> {
    api: &'a Api,
    /// How many enumerators of an enum enter CRCs, where it is not all.
    counted: HashMap<TypeId, usize>,
}

impl Printer<'_> {
    /// Types of a module, each behind those it is made of, and the imports they need.
    fn module(&self, types: &[TypeId]) -> String {
        let mut imports = BTreeSet::new();
        let (mut order, mut done) = (Vec::new(), BTreeSet::new());
        for id in types {
            self.order(*id, types, &mut imports, &mut order, &mut done);
        }
        let mut text: String = imports.iter().map(|name| format!("import \"{name}.api\";\n")).collect();
        for id in order {
            self.definition(id, &mut text);
        }
        text
    }

    fn order<'a>(
        &'a self,
        id: TypeId,
        own: &[TypeId],
        imports: &mut BTreeSet<&'a str>,
        order: &mut Vec<TypeId>,
        done: &mut BTreeSet<TypeId>,
    ) {
        if !done.insert(id) {
            return;
        }
        if !own.contains(&id) {
            imports.insert(&self.api.module(self.api.ty(id).module).name);
            return;
        }
        for nested in parts(&self.api.ty(id).kind) {
            self.order(nested, own, imports, order, done);
        }
        order.push(id);
    }

    // Writing to a string does not fail.
    fn definition(&self, id: TypeId, text: &mut String) {
        let definition = self.api.ty(id);
        let name = &definition.name;
        let _ = match &definition.kind {
            TypeKind::Struct(fields) => writeln!(text, "typedef {name} {{{}}};", self.fields(fields)),
            TypeKind::Union(members) => writeln!(text, "union {name} {{{}}};", self.fields(members)),
            TypeKind::Alias(target) => {
                let field = declaration(self.api, *target, name, &[]);
                writeln!(text, "typedef {field};")
            }
            TypeKind::Enum(definition) => {
                let keyword = if definition.is_flags { "enumflag" } else { "enum" };
                let counted = self.counted.get(&id).copied().unwrap_or(definition.members.len());
                let mut members = String::new();
                for (at, (member, value)) in definition.members.iter().enumerate() {
                    let later = if at < counted { "" } else { " [backwards_compatible]" };
                    let _ = write!(members, " {member} = {value}{later},");
                }
                writeln!(text, "{keyword} {name} : {} {{{members} }};", definition.repr)
            }
        };
    }

    fn fields(&self, fields: &[Field]) -> String {
        let mut text = String::new();
        for field in fields {
            let mut options = Vec::new();
            if let Some(discriminator) = field.discriminator {
                options.push(format!("discriminator={}", fields[discriminator].name));
            }
            if let Some(case) = &field.case {
                options.push(format!("case={case}"));
            }
            let _ = write!(text, " {}", declaration(self.api, field.ty, &field.name, fields));
            if !options.is_empty() {
                let _ = write!(text, " [{}]", options.join(", "));
            }
            text.push(';');
        }
        text.push(' ');
        text
    }
}

/// `vl_api_address_t addresses[n_addresses]`.
fn declaration(api: &Api, ty: FieldType, name: &str, block: &[Field]) -> String {
    let element = |element| type_name(api, element);
    match ty {
        FieldType::One(of) => format!("{} {name}", element(of)),
        FieldType::Array(of, len) => format!("{} {name}[{len}]", element(of)),
        FieldType::List(of, count) => {
            let count = block.get(count).map_or("", |field| field.name.as_str());
            format!("{} {name}[{count}]", element(of))
        }
        FieldType::FixedString(len) => format!("string {name}[{len}]"),
        FieldType::LongString => format!("string {name}[]"),
    }
}

fn type_name(api: &Api, element: TypeRef) -> String {
    match element {
        TypeRef::Scalar(scalar) => scalar.name().to_owned(),
        TypeRef::Named(id) => format!("vl_api_{}_t", api.ty(id).name),
    }
}

/// The types a type is made of.
fn parts(kind: &TypeKind) -> Vec<TypeId> {
    match kind {
        TypeKind::Struct(fields) | TypeKind::Union(fields) => {
            fields.iter().filter_map(|field| field.ty.named()).collect()
        }
        TypeKind::Alias(target) => target.named().into_iter().collect(),
        TypeKind::Enum(_) => Vec::new(),
    }
}

/// Enums of which only the first so many members enter CRCs.
fn counted(api: &Api) -> HashMap<TypeId, usize> {
    let mut counted: HashMap<TypeId, usize> = HashMap::new();
    let mut known: BTreeSet<TypeId> = BTreeSet::new();
    let holders: Vec<_> = api
        .messages
        .iter()
        .map(|message| (message, enums(api, message)))
        .filter(|(_, enums)| !enums.is_empty())
        .collect();
    let mut tried: HashMap<&str, usize> = HashMap::new();
    loop {
        let before = known.len();
        for (message, enums) in &holders {
            let open: Vec<_> = enums.iter().copied().filter(|id| !known.contains(id)).collect();
            if open.is_empty() {
                continue;
            }
            // Nothing is found of what was searched for before.
            if tried.insert(message.name.as_str(), open.len()) == Some(open.len()) {
                continue;
            }
            let mut fuel = MAX_TRIES;
            if search(api, message, &open, &mut counted, &mut fuel) {
                known.extend(open);
            } else {
                open.iter().for_each(|id| _ = counted.remove(id));
            }
        }
        if known.len() == before {
            return counted;
        }
    }
}

/// Whether a message has its CRC with so and so many members of these enums; which, is left in `counted`.
fn search(
    api: &Api,
    message: &MessageDef,
    open: &[TypeId],
    counted: &mut HashMap<TypeId, usize>,
    fuel: &mut usize,
) -> bool {
    let Some((first, rest)) = open.split_first() else {
        let Some(left) = fuel.checked_sub(1) else { return false };
        *fuel = left;
        return crc(api, message, counted) == message.crc;
    };
    let TypeKind::Enum(EnumDef { members, .. }) = &api.ty(*first).kind else { return false };
    // As most have it first: all of them.
    (1..=members.len()).rev().any(|members| {
        counted.insert(*first, members);
        search(api, message, rest, counted, fuel)
    })
}

/// The enums that a message's CRC covers: those behind aliases are not among them.
fn enums(api: &Api, message: &MessageDef) -> BTreeSet<TypeId> {
    let mut open: Vec<TypeId> = message.fields.iter().filter_map(|field| field.ty.named()).collect();
    let mut enums = BTreeSet::new();
    while let Some(id) = open.pop() {
        match &api.ty(id).kind {
            TypeKind::Enum(_) => _ = enums.insert(id),
            TypeKind::Alias(_) => {}
            kind => open.extend(parts(kind)),
        }
    }
    enums
}

/// The CRC of a message as [`super::crc`] has it.
fn crc(api: &Api, message: &MessageDef, counted: &HashMap<TypeId, usize>) -> u32 {
    let words: &[&str] = match message.header {
        Header::Bare => &[],
        Header::Context => &["context"],
        Header::Client => &["client_index"],
        Header::ClientContext => &["client_index", "context"],
    };
    let words = words.iter().map(|word| format!("['u32', '{word}']"));
    let text = list(words.chain(message.fields.iter().map(|field| item(api, field, &message.fields))));
    nested(api, continued(0, &text), &message.fields, counted)
}

fn nested(api: &Api, crc: u32, fields: &[Field], counted: &HashMap<TypeId, usize>) -> u32 {
    fields.iter().filter_map(|field| field.ty.named()).fold(crc, |crc, id| match &api.ty(id).kind {
        TypeKind::Struct(fields) | TypeKind::Union(fields) => {
            let text = list(fields.iter().map(|field| item(api, field, fields)));
            nested(api, continued(crc, &text), fields, counted)
        }
        TypeKind::Alias(_) => continued(crc, "[]"),
        TypeKind::Enum(EnumDef { members, .. }) => {
            let counted = counted.get(&id).copied().unwrap_or(members.len());
            let members = members.iter().take(counted);
            continued(crc, &list(members.map(|(name, value)| format!("['{name}', {value}]"))))
        }
    })
}

fn item(api: &Api, field: &Field, block: &[Field]) -> String {
    let name = &field.name;
    match field.ty {
        FieldType::One(of) => format!("['{}', '{name}']", type_name(api, of)),
        FieldType::Array(of, len) => format!("['{}', '{name}', {len}, None]", type_name(api, of)),
        FieldType::List(of, count) => {
            format!("['{}', '{name}', 0, '{}']", type_name(api, of), block[count].name)
        }
        FieldType::FixedString(len) => format!("['string', '{name}', {len}, None]"),
        FieldType::LongString => format!("['string', '{name}', 0, None]"),
    }
}

fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(", "))
}
