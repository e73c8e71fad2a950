//! One file as it is written: names not yet resolved.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::json::{self, At};
use crate::error::{Problem, ReadError};
use crate::model::{Counter, CounterPath, CounterSet, DefaultValue, EnumDef, Group, Scalar};

/// One module as its file writes it.
pub(super) struct File {
    pub(super) name: String,
    pub(super) group: Group,
    pub(super) origin: String,
    pub(super) crc: u32,
    pub(super) options: Vec<(String, String)>,
    /// Names of modules; `None` where the file does not say.
    pub(super) imports: Option<Vec<String>>,
    pub(super) definitions: Vec<Definition>,
    pub(super) messages: Vec<Message>,
    pub(super) services: Vec<Service>,
    pub(super) counters: Vec<CounterSet>,
    pub(super) paths: Vec<CounterPath>,
}

/// A type; of equal ones in a file only the first is kept.
#[derive(PartialEq)]
pub(super) struct Definition {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) comment: Option<String>,
}

#[derive(PartialEq)]
pub(super) enum Kind {
    Struct(Vec<Field>),
    Union(Vec<Field>),
    Enum(EnumDef),
    Alias(Type),
}

#[derive(PartialEq)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) ty: Type,
    pub(super) default: Option<DefaultValue>,
    pub(super) limit: Option<u32>,
    pub(super) discriminator: Option<String>,
    pub(super) case: Option<String>,
}

/// A type as it is written.
#[derive(PartialEq)]
pub(super) enum Type {
    One(Name),
    Array(Name, u32),
    List(Name, String),
    FixedString(u32),
    LongString,
}

/// The name of a type, where it is not a base type.
#[derive(PartialEq)]
pub(super) enum Name {
    Scalar(Scalar),
    Defined(String),
}

#[derive(PartialEq)]
pub(super) struct Message {
    pub(super) name: String,
    pub(super) crc: u32,
    /// With the words of the header, without the id.
    pub(super) fields: Vec<Field>,
    pub(super) options: Vec<(String, Option<String>)>,
    pub(super) comment: Option<String>,
}

pub(super) struct Service {
    pub(super) request: String,
    pub(super) reply: Option<String>,
    pub(super) stream: bool,
    pub(super) stream_msg: Option<String>,
    pub(super) events: Vec<String>,
}

impl Definition {
    /// How errors call it.
    pub(super) fn title(&self) -> String {
        let kind = match &self.kind {
            Kind::Struct(_) => "type",
            Kind::Union(_) => "union",
            Kind::Enum(_) => "enum",
            Kind::Alias(_) => "alias",
        };
        format!("{kind} {}", self.name)
    }
}

impl Message {
    /// How errors call it.
    pub(super) fn title(&self) -> String {
        format!("message {}", self.name)
    }
}

/// Reads the object of one module.
pub(super) fn parse(root: &Value, name: &str, group: Group, origin: &str) -> Result<File, ReadError> {
    let at = At::file(origin);
    let Value::Object(root) = root else { return Err(at.shape("the file", "an object")) };
    if !["types", "messages", "enums", "unions", "aliases", "services", "vl_api_version"]
        .iter()
        .any(|key| root.contains_key(*key))
    {
        return Err(at.shape("the file", "an object with \"types\" and \"messages\""));
    }
    json::check_name(name, &at)?;
    let mut definitions = Definitions::default();
    for (key, title) in [("types", "type"), ("unions", "union"), ("enums", "enum"), ("enumflags", "enum")] {
        for item in json::list(root, key, &at)? {
            let (name, parts) = named(item, key, &at)?;
            let at = at.item(title, name);
            json::check_name(name, &at)?;
            let comment = trailer(parts, "comment").and_then(Value::as_str).map(str::to_owned);
            let kind = match key {
                "types" => Kind::Struct(fields(parts, &at)?),
                "unions" => Kind::Union(fields(parts, &at)?),
                _ => Kind::Enum(enumeration(parts, key == "enumflags", &at)?),
            };
            definitions.add(Definition { name: name.to_owned(), kind, comment }, &at)?;
        }
    }
    for (name, target) in json::entries(root, "aliases", &at)? {
        let at = at.item("alias", name);
        json::check_name(name, &at)?;
        let comment = target.get("comment").and_then(Value::as_str).map(str::to_owned);
        let kind = Kind::Alias(alias(target, &at)?);
        definitions.add(Definition { name: name.clone(), kind, comment }, &at)?;
    }
    let mut messages = Vec::new();
    for item in json::list(root, "messages", &at)? {
        let (name, parts) = named(item, "messages", &at)?;
        let at = at.item("message", name);
        json::check_name(name, &at)?;
        messages.push(message(name, parts, &at)?);
    }
    Ok(File {
        name: name.to_owned(),
        group: match root.get("group").and_then(Value::as_str) {
            Some("core") => Group::Core,
            Some("plugins") => Group::Plugins,
            _ => group,
        },
        origin: origin.to_owned(),
        crc: match root.get("vl_api_version") {
            None => 0,
            Some(crc) => json::crc(crc, &at)?,
        },
        options: json::options(root.get("options"), &at)?
            .into_iter()
            .map(|(key, value)| (key, value.unwrap_or_default()))
            .collect(),
        imports: imports(root, &at)?,
        definitions: definitions.list,
        messages,
        services: services(root, &at)?,
        counters: counters(root, &at)?,
        paths: paths(root, &at)?,
    })
}

/// Definitions by name.
#[derive(Default)]
struct Definitions {
    list: Vec<Definition>,
    by_name: HashMap<String, usize>,
}

impl Definitions {
    /// A file repeats the types of its imports, some of them several times.
    fn add(&mut self, definition: Definition, at: &At<'_>) -> Result<(), ReadError> {
        match self.by_name.get(&definition.name).map(|&index| &self.list[index]) {
            None => {
                self.by_name.insert(definition.name.clone(), self.list.len());
                self.list.push(definition);
                Ok(())
            }
            Some(other) if other.kind == definition.kind => Ok(()),
            Some(_) => Err(at.error(Problem::DefinedTwice)),
        }
    }
}

/// `[name, part…]`.
fn named<'a>(item: &'a Value, key: &str, at: &At<'_>) -> Result<(&'a str, &'a [Value]), ReadError> {
    match item.as_array().map(Vec::as_slice) {
        Some([Value::String(name), parts @ ..]) => Ok((name, parts)),
        _ => Err(at.shape(&format!("an element of \"{key}\""), "a list that starts with a name")),
    }
}

/// A value of the objects that follow an item's fields.
fn trailer<'a>(parts: &'a [Value], key: &str) -> Option<&'a Value> {
    parts.iter().filter_map(Value::as_object).find_map(|object| object.get(key))
}

fn message(name: &str, parts: &[Value], at: &At<'_>) -> Result<Message, ReadError> {
    let mut fields = fields(parts, at)?;
    if let Some(id) = fields.iter().position(|field| field.name == "_vl_msg_id") {
        if id != 0 || fields[id].ty != Type::One(Name::Scalar(Scalar::U16)) {
            return Err(at.field("_vl_msg_id").shape("the id", "the first field, a u16"));
        }
        fields.remove(0);
    }
    Ok(Message {
        name: name.to_owned(),
        crc: json::crc(trailer(parts, "crc").unwrap_or(&Value::Null), at)?,
        fields,
        options: json::options(trailer(parts, "options"), at)?,
        comment: trailer(parts, "comment").and_then(Value::as_str).map(str::to_owned),
    })
}

fn fields(parts: &[Value], at: &At<'_>) -> Result<Vec<Field>, ReadError> {
    let mut fields: Vec<Field> = Vec::with_capacity(parts.len());
    let mut names = HashSet::with_capacity(parts.len());
    for part in parts {
        match part {
            Value::Array(part) => {
                let field = field(part, at)?;
                if !names.insert(field.name.clone()) {
                    return Err(at.error(Problem::Repeated { name: field.name }));
                }
                fields.push(field);
            }
            Value::Object(_) => {}
            _ => return Err(at.shape("a field", "a list [type, name, …]")),
        }
    }
    Ok(fields)
}

/// `[type, name]`, then a length, the field that counts, options: each where there is one.
fn field(part: &[Value], at: &At<'_>) -> Result<Field, ReadError> {
    let [Value::String(ty), Value::String(name), rest @ ..] = part else {
        return Err(at.shape("a field", "a list [type, name, …]"));
    };
    let at = at.field(name);
    json::check_name(name, &at)?;
    let (length, rest) = match rest {
        [length @ Value::Number(_), rest @ ..] => (Some(json::length(length, &at)?), rest),
        _ => (None, rest),
    };
    let (count, rest) = match rest {
        [Value::String(count), rest @ ..] => (Some(count.as_str()), rest),
        _ => (None, rest),
    };
    let none = Map::new();
    let options = match rest {
        [] => &none,
        [Value::Object(options)] => options,
        _ => return Err(at.shape("a field", "[type, name, length, count field, {options}]")),
    };
    let text = |key: &str| match options.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(at.shape(&format!("\"{key}\""), "a name")),
    };
    Ok(Field {
        name: name.clone(),
        ty: type_of(ty, length, count, &at)?,
        default: json::default(options.get("default"), &at)?,
        limit: match options.get("limit") {
            None | Some(Value::Null) => None,
            Some(limit) => Some(json::length(limit, &at)?),
        },
        discriminator: text("discriminator")?,
        case: text("case")?,
    })
}

fn type_of(ty: &str, length: Option<u32>, count: Option<&str>, at: &At<'_>) -> Result<Type, ReadError> {
    if ty == "string" {
        return match (length, count) {
            (None | Some(0), None) => Ok(Type::LongString),
            (Some(length), None) => Ok(Type::FixedString(length)),
            (_, Some(_)) => Err(at.shape("a string", "without a field that counts it")),
        };
    }
    let element = match Scalar::from_name(ty) {
        Some(scalar) => Name::Scalar(scalar),
        None => Name::Defined(ty.to_owned()),
    };
    match (length, count) {
        (None, None) => Ok(Type::One(element)),
        (None | Some(0), Some(count)) => Ok(Type::List(element, count.to_owned())),
        (Some(0), None) => Err(at.error(Problem::NoLength)),
        (Some(length), None) => Ok(Type::Array(element, length)),
        (Some(_), Some(_)) => Err(at.shape("an array", "of a fixed length or counted, not both")),
    }
}

fn alias(target: &Value, at: &At<'_>) -> Result<Type, ReadError> {
    let Some(ty) = target.get("type").and_then(Value::as_str) else {
        return Err(at.shape("an alias", "an object {\"type\": …}"));
    };
    let length = match target.get("length") {
        None | Some(Value::Null) => None,
        Some(length) => Some(json::length(length, at)?),
    };
    type_of(ty, length, None, at)
}

fn enumeration(parts: &[Value], is_flags: bool, at: &At<'_>) -> Result<EnumDef, ReadError> {
    let repr = match trailer(parts, "enumtype") {
        None | Some(Value::Null) => Scalar::U32,
        Some(ty) => ty
            .as_str()
            .and_then(Scalar::from_name)
            .filter(|scalar| scalar.is_integer())
            .ok_or_else(|| at.error(Problem::EnumType { found: ty.to_string() }))?,
    };
    let mut members: Vec<(String, i128)> = Vec::with_capacity(parts.len());
    let mut values = HashMap::with_capacity(parts.len());
    for part in parts {
        let (name, value) = match part {
            Value::Object(_) => continue,
            Value::Array(part) => match part.as_slice() {
                [Value::String(name), value, ..] => (name, value),
                _ => return Err(at.shape("an enumerator", "a list [name, value]")),
            },
            _ => return Err(at.shape("an enumerator", "a list [name, value]")),
        };
        json::check_name(name, at)?;
        let value = json::integer(value).and_then(|value| wrap(value, repr)).ok_or_else(|| {
            at.error(Problem::EnumValue { name: name.clone(), value: value.to_string(), repr: repr.name() })
        })?;
        match values.insert(name, value) {
            None => members.push((name.clone(), value)),
            Some(other) if other == value => {}
            Some(_) => return Err(at.error(Problem::Repeated { name: name.clone() })),
        }
    }
    Ok(EnumDef { repr, is_flags, members })
}

/// The value as its type holds it. C writes -1 for the largest unsigned one, and `0xff…` for a signed -1.
fn wrap(value: i128, repr: Scalar) -> Option<i128> {
    let modulus = 1i128 << (8 * repr.size());
    if !(-modulus / 2..modulus).contains(&value) {
        return None;
    }
    let value = value.rem_euclid(modulus);
    Some(if repr.is_signed() && value >= modulus / 2 { value - modulus } else { value })
}

/// `vnet/ip/ip_types.api` names module `ip_types`; pins name the module.
fn imports(root: &Map<String, Value>, at: &At<'_>) -> Result<Option<Vec<String>>, ReadError> {
    if !root.contains_key("imports") {
        return Ok(None);
    }
    let mut modules = Vec::new();
    for import in json::list(root, "imports", at)? {
        let Some(path) = import.as_str() else {
            return Err(at.shape("an element of \"imports\"", "the name of a file"));
        };
        let file = path.rsplit('/').next().unwrap_or(path);
        let module = file.strip_suffix(".api").unwrap_or(file).to_owned();
        if !modules.contains(&module) {
            modules.push(module);
        }
    }
    Ok(Some(modules))
}

fn services(root: &Map<String, Value>, at: &At<'_>) -> Result<Vec<Service>, ReadError> {
    let mut services = Vec::new();
    for (request, service) in json::entries(root, "services", at)? {
        let at = at.item("service", request);
        let text = |key: &str| match service.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(at.shape(&format!("\"{key}\""), "the name of a message")),
        };
        let mut events = Vec::new();
        for event in service.as_object().map_or(Ok(&[][..]), |service| json::list(service, "events", &at))? {
            match event {
                Value::String(event) => events.push(event.clone()),
                _ => return Err(at.shape("an event", "the name of a message")),
            }
        }
        if !service.is_object() {
            return Err(at.shape("a service", "an object {\"reply\": …}"));
        }
        services.push(Service {
            request: request.clone(),
            reply: text("reply")?.filter(|reply| reply != "null"),
            stream: service.get("stream").and_then(Value::as_bool).unwrap_or(false),
            stream_msg: text("stream_msg")?,
            events,
        });
    }
    Ok(services)
}

/// `[{"name": …, "elements": […]}]`, or an object name -> elements.
fn counters(root: &Map<String, Value>, at: &At<'_>) -> Result<Vec<CounterSet>, ReadError> {
    let set = |name: &str, elements: &Value| {
        let at = at.item("counters", name);
        let elements = elements.get("elements").unwrap_or(elements);
        let Some(elements) = elements.as_array() else { return Err(at.shape("the counters", "a list")) };
        let elements = elements.iter().map(|element| counter(element, &at)).collect::<Result<_, _>>()?;
        Ok(CounterSet { name: name.to_owned(), elements })
    };
    match root.get("counters") {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(sets)) => sets
            .iter()
            .map(|value| match value.get("name") {
                Some(Value::String(name)) => set(name, value),
                _ => Err(at.shape("an element of \"counters\"", "an object with a \"name\"")),
            })
            .collect(),
        Some(Value::Object(sets)) => sets.iter().map(|(name, value)| set(name, value)).collect(),
        Some(_) => Err(at.shape("\"counters\"", "a list")),
    }
}

fn counter(element: &Value, at: &At<'_>) -> Result<Counter, ReadError> {
    let text = |key: &str| element.get(key).and_then(Value::as_str).map(str::to_owned);
    let name = text("name").ok_or_else(|| at.shape("a counter", "an object with a \"name\""))?;
    Ok(Counter {
        name,
        severity: text("severity").unwrap_or_default(),
        ty: text("type").unwrap_or_default(),
        units: text("units").unwrap_or_default(),
        description: text("description"),
    })
}

/// `[[{"path": …, "counter": …}]]`, the same without the inner list, or an object path -> counter.
fn paths(root: &Map<String, Value>, at: &At<'_>) -> Result<Vec<CounterPath>, ReadError> {
    let path = |value: &Value| match (value.get("path"), value.get("counter")) {
        (Some(Value::String(path)), Some(Value::String(counter))) => {
            Ok(CounterPath { path: path.clone(), counter: counter.clone() })
        }
        _ => Err(at.shape("an element of \"paths\"", "an object with \"path\" and \"counter\"")),
    };
    match root.get("paths") {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(groups)) => groups
            .iter()
            .flat_map(|group| group.as_array().map_or(std::slice::from_ref(group), Vec::as_slice))
            .map(path)
            .collect(),
        Some(Value::Object(paths)) => paths
            .iter()
            .map(|(path, counter)| match counter.as_str() {
                Some(counter) => Ok(CounterPath { path: path.clone(), counter: counter.to_owned() }),
                None => Err(at.shape("an entry of \"paths\"", "the name of a counter set")),
            })
            .collect(),
        Some(_) => Err(at.shape("\"paths\"", "a list")),
    }
}
