//! Documents of desired state: a table of sections, each a list of values of one kind.

use std::collections::BTreeMap;
use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Value as Json, json};
use vpp_agent_kernel::document::{self, ConfigError, ConfigErrors, Node, Origin, Value};

use crate::needs::Expression;
use crate::rules::Rules;
use crate::{AnyValue, Engine, Invalid, Key};

/// An item as a document wants it.
#[derive(Clone, Debug)]
pub struct Written {
    /// Its key.
    pub key: Key,
    /// Its value, of its kind's type.
    pub value: AnyValue,
    /// Where it is written.
    pub origin: Origin,
    /// The key's.
    hash: u64,
    /// Its place in its section.
    index: u32,
    /// The section is called as the plural of the kind.
    is_plural: bool,
}

impl Written {
    /// Its path in the document: `routes[3]`.
    pub fn field(&self) -> String {
        let kind = self.key.kind();
        let index = self.index;
        if self.is_plural { format!("{}[{index}]", plural(kind)) } else { format!("{kind}[{index}]") }
    }

    fn error(&self, reason: impl std::fmt::Display) -> ConfigError {
        ConfigError::new(self.origin.clone(), self.field(), reason)
    }
}

/// A part of the items of documents, and a place in it.
type Place = (u32, u32);

fn at(parts: &[Vec<Written>], (part, place): Place) -> &Written {
    &parts[part as usize][place as usize]
}

/// The items of documents.
#[derive(Debug, Default)]
pub(crate) struct Items {
    /// In the order in which they are written. They stay in the memory in which the threads that read them have left them.
    parts: Vec<Vec<Written>>,
    /// Where each is, by the hashes of their keys.
    places: HashTable<Place>,
    hasher: RandomState,
}

#[cfg(feature = "file")]
impl Items {
    /// In the order in which they are written.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Written> + Clone {
        self.parts.iter().flatten()
    }

    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    /// Where an item is written.
    pub(crate) fn origin(&self, key: &Key) -> Option<&Origin> {
        let is_it = |&place: &Place| at(&self.parts, place).key == *key;
        let place = self.places.find(self.hasher.hash_one(key), is_it)?;
        Some(&at(&self.parts, *place).origin)
    }
}

/// Documents as the kinds that are registered say.
impl Engine {
    /// The items of documents, which together are one desired state. A section is called as its kind or as that kind's
    /// plural (`route`, `routes`; `address`, `addresses`), and is a list of values.
    ///
    /// # Errors
    /// One for each section and item that is wrong: a kind that nobody has registered, a field that is unknown, missing,
    /// of a wrong type or out of range, a value that its descriptor rejects, an item that is wanted twice.
    pub fn read(&self, documents: &[Node]) -> Result<Vec<Written>, ConfigErrors> {
        let mut reader = Reader::new(self);
        for document in documents {
            let made = document.lists(|section| reader.making(section));
            reader.add(document, made.into_iter().map(|list| vec![list]).collect());
        }
        Ok(reader.items()?.parts.into_iter().flatten().collect())
    }

    /// What items of documents need that no item of these documents is. It may come from elsewhere: from another source,
    /// or be there by itself.
    pub fn unknown_references<'a>(
        &self,
        items: impl IntoIterator<Item = &'a Written, IntoIter: Clone>,
    ) -> Vec<ConfigError> {
        let kinds = self.kinds();
        let mut known = Known::default();
        let items = items.into_iter();
        for item in items.clone() {
            known.add(&kinds, &item.key, &item.value);
        }
        known.names.sort_unstable();
        let missing = |item: &Written| {
            let rules = kinds.get(item.key.kind())?;
            let mut missing = Vec::new();
            each_of(&kinds, rules, &item.value, &mut |rules, value| {
                known.missing(&rules.needs(value).0, &mut missing);
            });
            missing.dedup();
            let needs = missing.join(" and ");
            (!needs.is_empty())
                .then(|| item.error(format_args!("{} needs {needs}, which no document wants", item.key)))
        };
        items.filter_map(missing).collect()
    }

    /// The JSON schema of documents.
    pub fn document_schema(&self) -> Json {
        let kinds = self.kinds();
        type Section<'a> = Box<dyn Fn(&mut SchemaGenerator) -> Schema + 'a>;
        let mut sections: BTreeMap<String, Section<'_>> = BTreeMap::new();
        for rules in kinds.values() {
            let (one, many) = (rules.kind(), plural(rules.kind()));
            let same = json!({ "$ref": format!("#/properties/{many}") });
            let list = |generator: &mut SchemaGenerator| {
                schema(json!({ "type": "array", "items": rules.schema(generator) }))
            };
            sections.insert(many, Box::new(list));
            sections.insert(one.to_owned(), Box::new(move |_| schema(same.clone())));
        }
        document::schema("Desired state", sections.iter().map(|(name, section)| (name.as_str(), &**section)))
    }
}

fn schema(json: Json) -> Schema {
    // Objects are schemas.
    json.try_into().unwrap_or_default()
}

/// As English has it, for words that name things: `address`, `policy`, `route`.
fn plural(kind: &str) -> String {
    let consonant = |c: char| c.is_ascii_alphabetic() && !"aeiou".contains(c);
    if let Some(stem) = kind.strip_suffix('y').filter(|stem| stem.ends_with(consonant)) {
        return format!("{stem}ies");
    }
    let hisses = ["s", "x", "z", "ch", "sh"].iter().any(|end| kind.ends_with(end));
    format!("{kind}{}", if hisses { "es" } else { "s" })
}

/// A value of a document.
pub(crate) enum Made {
    /// An item. Its place is not known yet.
    Item(Written),
    /// What is wrong with it.
    Wrong(Box<ConfigError>),
    /// Its section names no kind.
    Unknown,
}

/// The kind that a section is of.
fn of_section<'a>(kinds: &'a Kinds, name: &str) -> Option<&'a Arc<dyn Rules>> {
    kinds.get(name).or_else(|| kinds.values().find(|rules| plural(rules.kind()) == name))
}

/// Reads documents, which together are one desired state.
pub(crate) struct Reader {
    kinds: Kinds,
    items: Items,
    errors: Vec<ConfigError>,
}

impl Reader {
    pub(crate) fn new(engine: &Engine) -> Self {
        Self { kinds: engine.kinds(), items: Items::default(), errors: Vec::new() }
    }

    /// What becomes of a value in a section of this name. All that can be done for each value by itself is done here, where
    /// several threads are at it.
    pub(crate) fn making<'a>(&'a self, section: &str) -> impl Fn(&Node) -> Made + Sync + use<'a> {
        let rules = of_section(&self.kinds, section);
        let is_plural = rules.is_some_and(|rules| rules.kind() != section);
        move |node| match rules.map(|rules| typed(&self.kinds, &**rules, node)) {
            Some(Ok((key, value))) => {
                let hash = self.items.hasher.hash_one(&key);
                Made::Item(Written { key, value, origin: node.origin.clone(), hash, index: 0, is_plural })
            }
            Some(Err(error)) => Made::Wrong(Box::new(error)),
            None => Made::Unknown,
        }
    }

    /// A document, and what was made of the values in its sections, part by part.
    pub(crate) fn add(&mut self, document: &Node, made: Vec<Vec<Vec<Made>>>) {
        match &document.value {
            Value::Null => {}
            Value::Table(sections) => {
                for (section, made) in sections.iter().zip(made) {
                    self.section(&section.key, &section.origin, &section.node, made);
                }
            }
            other => self.errors.push(ConfigError::new(
                document.origin.clone(),
                "",
                format_args!("desired state is a table with a list for each kind; this is {}", other.kind()),
            )),
        }
    }

    /// The items of all documents, or all that is wrong with them.
    pub(crate) fn items(self) -> Result<Items, ConfigErrors> {
        if self.errors.is_empty() { Ok(self.items) } else { Err(ConfigErrors(self.errors)) }
    }

    /// The next part of a section, in which so many values come before.
    fn part(&mut self, name: &str, made: Vec<Made>, before: u32) {
        let mut errors = Vec::new();
        let placed = made.into_iter().zip(before..).filter_map(|(made, index)| match made {
            Made::Item(item) => Some(Written { index, ..item }),
            Made::Wrong(error) => {
                errors.push((index, *error));
                None
            }
            Made::Unknown => None,
        });
        // The memory that it was read into serves for what becomes of it.
        self.items.parts.push(placed.collect());
        self.items.know_last(|index, error| errors.push((index, error)));
        errors.sort_by_key(|(index, _)| *index);
        let within = |(index, error): (u32, ConfigError)| error.within(format_args!("{name}[{index}]"));
        self.errors.extend(errors.into_iter().map(within));
    }

    fn section(&mut self, name: &Arc<str>, origin: &Origin, node: &Node, made: Vec<Vec<Made>>) {
        if of_section(&self.kinds, name).is_none() {
            let plurals: Vec<String> = self.kinds.keys().map(|kind| plural(kind)).collect();
            let near = document::nearest(name, plurals.iter().map(String::as_str), "kinds");
            let reason = format!("this agent has no such kind{near}");
            return self.errors.push(ConfigError::new(origin.clone(), &**name, reason));
        }
        match &node.value {
            Value::Null => {}
            Value::List(_) => {
                self.items.expect(made.iter().map(Vec::len).sum());
                let mut before = 0;
                for part in made {
                    let count = part.len() as u32;
                    self.part(name, part, before);
                    before += count;
                }
            }
            other => self.errors.push(ConfigError::new(
                node.origin.clone(),
                &**name,
                format_args!("this is {}, and should be a list", other.kind()),
            )),
        }
    }
}

impl Items {
    /// So many more are to come.
    fn expect(&mut self, count: usize) {
        let Self { parts, places, .. } = self;
        places.reserve(count, |&place| at(parts, place).hash);
    }

    /// The items of the part that was added last become known. Those that are there already are told, by their places.
    fn know_last(&mut self, mut told: impl FnMut(u32, ConfigError)) {
        let Self { parts, places, .. } = self;
        let Some(last) = parts.len().checked_sub(1) else { return };
        for (index, new) in parts[last].iter().enumerate() {
            let is_same = |&other: &Place| at(parts, other).key == new.key;
            match places.entry(new.hash, is_same, |&other| at(parts, other).hash) {
                Entry::Vacant(free) => drop(free.insert((last as u32, index as u32))),
                Entry::Occupied(taken) => {
                    let first = at(parts, *taken.get());
                    let reason =
                        format!("{} is wanted already by {} at {}", new.key, first.field(), first.origin);
                    told(new.index, ConfigError::new(new.origin.clone(), "", reason));
                }
            }
        }
    }
}

/// The key and value of an item, if they are right.
fn typed(kinds: &Kinds, rules: &dyn Rules, node: &Node) -> Result<(Key, AnyValue), ConfigError> {
    let (key, value) = rules.read(node)?;
    if let Some((of, invalid)) = invalid(kinds, rules, &value) {
        let (field, reason) = invalid.fields.first().cloned().unwrap_or_default();
        let more = invalid.fields.iter().skip(1).map(|(field, reason)| format!("; {field}: {reason}"));
        let origin = node.nearest(&field).origin.clone();
        let reason = format!("{reason}{}", more.collect::<String>());
        return Err(match of {
            None => ConfigError::new(origin, field, reason),
            Some(of) => ConfigError::new(node.origin.clone(), "", format_args!("{of}: {field}: {reason}")),
        });
    }
    Ok((key, value))
}

type Kinds = BTreeMap<&'static str, Arc<dyn Rules>>;

/// What is wrong with a value, or with one that is derived from it, and with which.
fn invalid(kinds: &Kinds, rules: &dyn Rules, value: &AnyValue) -> Option<(Option<Key>, Invalid)> {
    if let Err(invalid) = rules.validate(value) {
        return Some((None, invalid));
    }
    rules.derived(value).into_iter().find_map(|derived| {
        let rules = kinds.get(derived.key.kind())?;
        let (of, invalid) = invalid(kinds, &**rules, &derived.value)?;
        Some((of.or(Some(derived.key)), invalid))
    })
}

/// An item and all that is derived from it.
fn each_of(
    kinds: &Kinds,
    rules: &Arc<dyn Rules>,
    value: &AnyValue,
    f: &mut dyn FnMut(&dyn Rules, &AnyValue),
) {
    f(&**rules, value);
    for derived in rules.derived(value) {
        if let Some(rules) = kinds.get(derived.key.kind()) {
            each_of(kinds, rules, &derived.value, f);
        }
    }
}

/// The keys that documents name, also by what is derived from their items.
#[derive(Default)]
struct Known {
    names: Vec<Key>,
}

impl Known {
    fn add(&mut self, kinds: &Kinds, key: &Key, value: &AnyValue) {
        self.names.push(key.clone());
        if let Some(rules) = kinds.get(key.kind()) {
            for derived in rules.derived(value) {
                self.add(kinds, &derived.key, &derived.value);
            }
        }
    }

    fn holds(&self, need: &Expression) -> bool {
        match need {
            Expression::Nothing => true,
            Expression::All(of) => of.iter().all(|need| self.holds(need)),
            Expression::OneOf(of) => of.iter().any(|need| self.holds(need)),
            Expression::Item(key) | Expression::Where(key, _) => self.names.binary_search(key).is_ok(),
            Expression::Any { kind, prefix, .. } => {
                let start = Key::new(kind, prefix);
                let at = self.names.partition_point(|key| *key < start);
                self.names.get(at).is_some_and(|key| key.as_str().starts_with(start.as_str()))
            }
            Expression::After(_) => true,
        }
    }

    /// The parts of a need that no document meets.
    fn missing(&self, need: &Expression, out: &mut Vec<String>) {
        match need {
            Expression::All(of) => of.iter().for_each(|need| self.missing(need, out)),
            need if self.holds(need) => {}
            need => out.push(need.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn plurals() {
        let words = [("route", "routes"), ("address", "addresses"), ("policy", "policies"), ("box", "boxes")];
        for (one, many) in words.into_iter().chain([("gateway", "gateways"), ("af-packet", "af-packets")]) {
            assert_eq!(super::plural(one), many);
        }
    }
}
