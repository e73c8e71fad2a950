//! From a file and its imports to the JSON that VPP's own tool writes.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value, json};

use super::crc::{self, Known};
use super::dialect::{Dialect, Folding};
use super::import::{Item, Loaded};
use super::numbering::Numbering;
use super::parser::integer;
use super::services;
use super::syntax::{Enum, Field, Kind, Length, Message, Name, Statement, Type};
use super::text::{Span, Text};
use crate::error::{LanguageError, LanguageFault};
use crate::model::Scalar;

/// How many types the CRCs of a file may walk through; VPP's largest files take some thousand.
const MAX_TYPES_IN_CRCS: usize = 1_000_000;
/// Below it a name is no misspelling of another.
const SIMILAR: f64 = 0.9;

/// A message of a file, or the reply that one with `autoreply` has.
pub(super) struct Defined<'a> {
    pub(super) name: String,
    /// Of the name; a generated reply has that of its request.
    pub(super) span: Span,
    fields: &'a [Field],
    options: &'a Map<String, Value>,
    comment: Option<&'a str>,
}

pub(super) struct Compiled {
    pub(super) json: Value,
    /// The CRC of the file's own definitions alone.
    pub(super) own_crc: u32,
}

/// Brings a file into VPP's JSON form.
pub(super) fn compile(
    loaded: &Loaded,
    module: &str,
    dialect: &Dialect,
) -> Result<Compiled, Box<LanguageError>> {
    let items = loaded.unfold()?;
    let numbering = dialect.numbering;
    let types = types(&items, numbering)?;
    let generated = generated_reply();
    let messages = messages(&items, &generated)?;
    let services = services::of(&loaded.file, &messages)?;
    let (file_crc, own_crc) = file_crcs(&items, &types, dialect);

    let mut lists = Lists::default();
    for item in &items {
        match item.statement {
            Statement::Type(ty) => lists.add(ty, numbering),
            Statement::Import(name) => lists.imports.push(json!(name.text)),
            Statement::Option(option) => {
                lists.options.insert(option.name.text.clone(), option.value.clone());
            }
            Statement::Counters(counters) => {
                lists.counters.push(json!({"name": counters.name, "elements": counters.elements}));
            }
            Statement::Paths(paths) => lists.paths.push(paths.iter().map(path).collect()),
            Statement::Message(_) | Statement::Service(_) => {}
        }
    }
    let mut crcs = crc::Messages { types: &types, folding: dialect.folding, fuel: MAX_TYPES_IN_CRCS };
    let messages: Vec<_> = messages
        .iter()
        .map(|message| {
            let crc = crcs.crc(message.fields).ok_or_else(|| {
                let fault = LanguageFault::TooManyTypes { name: message.name.clone() };
                loaded.file.text.error(message.span, fault)
            })?;
            let crc = dialect.crc(&message.name, crc);
            let mut trailer = Map::new();
            trailer.insert("crc".to_owned(), json!(format!("{crc:#010x}")));
            trailer.insert("options".to_owned(), Value::Object(message.options.clone()));
            if let Some(comment) = message.comment {
                trailer.insert("comment".to_owned(), json!(comment));
            }
            let mut parts = vec![json!(message.name), json!(["u16", "_vl_msg_id"])];
            parts.extend(message.fields.iter().map(field));
            parts.push(Value::Object(trailer));
            Ok(Value::Array(parts))
        })
        .collect::<Result<_, Box<LanguageError>>>()?;
    let json = json!({
        "module": module,
        "types": lists.types,
        "messages": messages,
        "unions": lists.unions,
        "enums": lists.enums,
        "enumflags": lists.flags,
        "services": services,
        "options": lists.options,
        "aliases": lists.aliases,
        "vl_api_version": format!("{file_crc:#x}"),
        "imports": lists.imports,
        "counters": lists.counters,
        "paths": lists.paths,
    });
    Ok(Compiled { json, own_crc })
}

/// The types by their decorated names, checked.
fn types<'a>(
    items: &[Item<'a>],
    numbering: Numbering,
) -> Result<HashMap<String, Known<'a>>, Box<LanguageError>> {
    let mut types: HashMap<String, Known<'a>> = HashMap::new();
    for item in items {
        let (source, ty) = match item.statement {
            Statement::Type(ty) => (item.source, ty),
            Statement::Message(message) => {
                check_block(item.source, &message.fields, &types)?;
                continue;
            }
            _ => continue,
        };
        let decorated = format!("vl_api_{}_t", ty.name.text);
        match types.get(&decorated) {
            // Its file is imported several times.
            Some(other) if std::ptr::eq(other.ty, ty) => continue,
            Some(other) => {
                let first = other.source.locate(other.ty.name.span);
                let fault = LanguageFault::TypeTwice { name: ty.name.text.clone(), first };
                return Err(source.error(ty.name.span, fault));
            }
            None => {}
        }
        let is_variable = match &ty.kind {
            Kind::Struct(fields) | Kind::Union(fields) => check_block(source, fields, &types)?,
            Kind::Alias(target) => {
                check_type(source, &target.ty, &types)?;
                false
            }
            Kind::Enum(definition) => {
                check_enum(source, definition, numbering)?;
                false
            }
        };
        let text = crc::text(ty, numbering);
        types.insert(decorated, Known { ty, source, text, is_variable });
    }
    Ok(types)
}

/// Whether the block varies in size.
fn check_block(
    source: &Text,
    fields: &[Field],
    types: &HashMap<String, Known<'_>>,
) -> Result<bool, Box<LanguageError>> {
    let mut variable: Option<&Name> = None;
    for field in fields {
        if let Some(name) = variable {
            let fault = LanguageFault::NotLast { name: name.text.clone() };
            return Err(source.error(name.span, fault));
        }
        let is_variable_type = check_type(source, &field.ty, types)?;
        let is_open_string = field.ty.text == "string" && matches!(field.length, Length::Fixed(0));
        if is_variable_type || is_open_string || matches!(field.length, Length::Counted(_) | Length::Open) {
            variable = Some(&field.name);
        }
    }
    Ok(variable.is_some())
}

/// Whether the type varies in size.
fn check_type(
    source: &Text,
    ty: &Name,
    types: &HashMap<String, Known<'_>>,
) -> Result<bool, Box<LanguageError>> {
    if let Some(known) = types.get(&ty.text) {
        return Ok(known.is_variable);
    }
    if ty.text == "string" || Scalar::from_name(&ty.text).is_some() {
        return Ok(false);
    }
    let name = ty.text.clone();
    let fault = if types.contains_key(&format!("vl_api_{name}_t")) {
        LanguageFault::Undecorated { name }
    } else {
        let rate = |known: &&String| strsim::jaro_winkler(known, &name);
        let similar = types.keys().filter(|known| rate(known) >= SIMILAR);
        let similar = similar.max_by(|a, b| rate(a).total_cmp(&rate(b)).then_with(|| b.cmp(a))).cloned();
        LanguageFault::UnknownType { name, similar }
    };
    Err(source.error(ty.span, fault))
}

fn check_enum(source: &Text, definition: &Enum, numbering: Numbering) -> Result<(), Box<LanguageError>> {
    let mut is_compatible = false;
    for (member, value) in numbering.values(definition) {
        let name = || member.name.text.clone();
        let error = |fault| source.error(member.name.span, fault);
        if is_compatible && !member.is_backwards_compatible {
            return Err(error(LanguageFault::NotCompatible { name: name() }));
        }
        is_compatible = member.is_backwards_compatible;
        if definition.is_flags && value.unsigned_abs().count_ones() > 1 {
            return Err(error(LanguageFault::NotFlag { name: name(), value }));
        }
    }
    Ok(())
}

/// What `autoreply` stands for.
fn generated_reply() -> [Field; 2] {
    [("u32", "context"), ("i32", "retval")].map(|(ty, name)| {
        let name_of = |text: &str| Name { text: text.to_owned(), span: Span::default() };
        Field { ty: name_of(ty), name: name_of(name), length: Length::One, options: Map::new() }
    })
}

/// The messages of the file itself, generated replies behind their requests.
fn messages<'a>(items: &[Item<'a>], generated: &'a [Field]) -> Result<Vec<Defined<'a>>, Box<LanguageError>> {
    let mut messages: Vec<Defined<'a>> = Vec::new();
    let mut names: HashMap<String, Span> = HashMap::new();
    for item in items {
        let Statement::Message(message) = item.statement else { continue };
        let Message { name, fields, options, .. } = message;
        let mut add = |defined: Defined<'a>| {
            if let Some(first) = names.insert(defined.name.clone(), defined.span) {
                let fault =
                    LanguageFault::MessageTwice { name: defined.name, first: item.source.locate(first) };
                return Err(item.source.error(defined.span, fault));
            }
            messages.push(defined);
            Ok(())
        };
        let comment = message.comment.as_deref();
        add(Defined { name: name.text.clone(), span: name.span, fields, options, comment })?;
        if message.is_autoreply {
            let reply = format!("{}_reply", name.text);
            add(Defined { name: reply, span: name.span, fields: generated, options, comment: None })?;
        }
    }
    Ok(messages)
}

/// The CRC of a file with its imports, and that of its own definitions alone.
fn file_crcs(items: &[Item<'_>], types: &HashMap<String, Known<'_>>, dialect: &Dialect) -> (u32, u32) {
    let mut crcs = (0, 0);
    for item in items {
        let text = match item.statement {
            Statement::Message(message) => crc::block(&message.fields),
            Statement::Option(option) => option.name.text.clone(),
            Statement::Type(Type { kind: Kind::Alias(target), .. })
                if dialect.folding == Folding::FirstOnly =>
            {
                crc::field(target)
            }
            Statement::Type(ty) => match types.get(&format!("vl_api_{}_t", ty.name.text)) {
                Some(known) => known.text.clone(),
                None => crc::text(ty, dialect.numbering),
            },
            _ => continue,
        };
        crcs.0 = crc::continued(crcs.0, &text);
        if item.is_own {
            crcs.1 = crc::continued(crcs.1, &text);
        }
    }
    crcs
}

/// Types of a file, by how the JSON sorts them.
#[derive(Default)]
struct Lists {
    types: Vec<Value>,
    unions: Vec<Value>,
    enums: Vec<Value>,
    flags: Vec<Value>,
    aliases: Map<String, Value>,
    options: Map<String, Value>,
    imports: Vec<Value>,
    counters: Vec<Value>,
    paths: Vec<Value>,
}

impl Lists {
    fn add(&mut self, ty: &Type, numbering: Numbering) {
        let name = &ty.name.text;
        match &ty.kind {
            Kind::Struct(fields) => {
                let mut parts = vec![json!(name)];
                parts.extend(fields.iter().map(field));
                parts.extend(ty.comment.as_ref().map(|comment| json!({"comment": comment})));
                self.types.push(Value::Array(parts));
            }
            Kind::Union(fields) => {
                self.unions.push(std::iter::once(json!(name)).chain(fields.iter().map(field)).collect());
            }
            Kind::Enum(definition) => {
                let mut parts = vec![json!(name)];
                let values = numbering.values(definition);
                parts.extend(values.map(|(member, value)| json!([member.name.text, integer(value)])));
                parts.push(json!({"enumtype": definition.repr}));
                let list = if definition.is_flags { &mut self.flags } else { &mut self.enums };
                list.push(Value::Array(parts));
            }
            Kind::Alias(target) => {
                let ty = &target.ty.text;
                let alias = match &target.length {
                    Length::One => json!({"type": ty}),
                    Length::Fixed(length) => json!({"type": ty, "length": length}),
                    Length::Counted(_) | Length::Open => json!({"type": ty, "length": 0}),
                };
                self.aliases.insert(name.clone(), alias);
            }
        }
    }
}

fn field(field: &Field) -> Value {
    let (ty, name) = (&field.ty.text, &field.name.text);
    match &field.length {
        Length::One if field.options.is_empty() => json!([ty, name]),
        Length::One => json!([ty, name, field.options]),
        Length::Fixed(length) => json!([ty, name, length]),
        Length::Counted(count) => json!([ty, name, 0, count.text]),
        Length::Open => json!([ty, name, 0]),
    }
}

fn path((path, counter): &(String, String)) -> Value {
    json!({"path": path, "counter": counter})
}

/// The names of messages.
pub(super) fn names<'a>(messages: &'a [Defined<'_>]) -> HashSet<&'a str> {
    messages.iter().map(|message| message.name.as_str()).collect()
}
