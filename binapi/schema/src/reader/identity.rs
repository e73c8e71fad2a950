//! Which of the definitions in all files are the same.
//!
//! Files repeat the types of their imports. Two definitions are the same if they are equal with all they refer to, so
//! each gets a number, and equal ones get the same.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::file::{Field, File, Kind, Name, Type};
use super::ownership::Reach;
use crate::error::{Problem, ReadError};

/// Types within types: VPP's own go seven deep.
const MAX_DEPTH: usize = 64;

/// A definition by its place: the file, and the definition in it.
pub(super) type Place = (usize, usize);

/// The number that equal definitions share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Identity(pub(super) usize);

/// The identities of all definitions.
pub(super) struct Identities<'a> {
    files: &'a [File],
    /// Per file: the modules it may use, as files.
    reach: &'a Reach,
    names: Vec<HashMap<&'a str, usize>>,
    states: Vec<Vec<State>>,
    numbers: HashMap<String, Identity>,
    /// Places in an order in which every type comes behind those it refers to.
    order: Vec<Place>,
}

#[derive(Clone, Copy)]
enum State {
    New,
    Open,
    Done { identity: Identity, depth: usize },
}

impl<'a> Identities<'a> {
    pub(super) fn of(files: &'a [File], reach: &'a Reach) -> Result<Self, ReadError> {
        let mut identities = Self {
            files,
            reach,
            names: files
                .iter()
                .map(|file| file.definitions.iter().enumerate().map(|(i, d)| (d.name.as_str(), i)).collect())
                .collect(),
            states: files.iter().map(|file| vec![State::New; file.definitions.len()]).collect(),
            numbers: HashMap::new(),
            order: Vec::new(),
        };
        for (file, definitions) in files.iter().map(|file| file.definitions.len()).enumerate() {
            for definition in 0..definitions {
                identities.visit((file, definition), 0)?;
            }
        }
        Ok(identities)
    }

    /// The identity of a definition.
    pub(super) fn get(&self, (file, definition): Place) -> Option<Identity> {
        match self.states[file][definition] {
            State::Done { identity, .. } => Some(identity),
            State::New | State::Open => None,
        }
    }

    /// All definitions, each behind those it refers to.
    pub(super) fn order(&self) -> &[Place] {
        &self.order
    }

    /// The definition that a name of a file means: its own, else that of an import.
    pub(super) fn find(&self, file: usize, written: &str) -> Option<Place> {
        let bare = written.strip_prefix("vl_api_").and_then(|rest| rest.strip_suffix("_t"));
        bare.into_iter().chain([written]).find_map(|name| {
            std::iter::once(&file)
                .chain(&self.reach[file])
                .find_map(|&holder| self.names[holder].get(name).map(|&definition| (holder, definition)))
        })
    }

    /// The definition of a name in one file, without its imports.
    pub(super) fn local(&self, file: usize, name: &str) -> Option<Place> {
        self.names[file].get(name).map(|&definition| (file, definition))
    }

    fn visit(&mut self, place: Place, depth: usize) -> Result<(Identity, usize), ReadError> {
        let definition = &self.files[place.0].definitions[place.1];
        let title = definition.title();
        match self.states[place.0][place.1] {
            State::Done { identity, depth: below } if depth + below <= MAX_DEPTH => {
                return Ok((identity, below));
            }
            State::New if depth <= MAX_DEPTH => {}
            State::Open => {
                let name = definition.name.clone();
                return Err(self.error(place.0, &title, None, Problem::Cycle { name }));
            }
            State::New | State::Done { .. } => {
                return Err(self.error(place.0, &title, None, Problem::TooDeep { limit: MAX_DEPTH }));
            }
        }
        self.states[place.0][place.1] = State::Open;
        let mut text = format!("{} {} ", definition.name, definition.kind.name());
        let mut below = 0;
        match &definition.kind {
            Kind::Struct(fields) | Kind::Union(fields) => {
                for field in fields {
                    let identity =
                        self.visit_type(place.0, &title, Some(&field.name), &field.ty, depth, &mut below)?;
                    describe_field(field, identity, &mut text);
                }
            }
            Kind::Alias(ty) => {
                let identity = self.visit_type(place.0, &title, None, ty, depth, &mut below)?;
                describe_type(ty, identity, &mut text);
            }
            Kind::Enum(definition) => {
                // Writing to a String cannot fail.
                let _ = write!(text, "{definition:?}");
            }
        }
        let next = Identity(self.numbers.len());
        let identity = *self.numbers.entry(text).or_insert(next);
        self.states[place.0][place.1] = State::Done { identity, depth: below };
        self.order.push(place);
        Ok((identity, below))
    }

    /// The identity of the definition a type refers to. `below` becomes the depth of the deepest one.
    fn visit_type(
        &mut self,
        file: usize,
        title: &str,
        field: Option<&str>,
        ty: &Type,
        depth: usize,
        below: &mut usize,
    ) -> Result<Option<Identity>, ReadError> {
        let Some(name) = ty.defined() else { return Ok(None) };
        let Some(place) = self.find(file, name) else {
            return Err(self.error(file, title, field, Problem::UnknownType { name: name.to_owned() }));
        };
        if matches!(self.states[place.0][place.1], State::Open) {
            let name = self.files[place.0].definitions[place.1].name.clone();
            return Err(self.error(file, title, field, Problem::Cycle { name }));
        }
        let (identity, deeper) = self.visit(place, depth + 1)?;
        *below = (*below).max(deeper + 1);
        for other in self.namesakes(file, place) {
            self.visit(other, depth + 1)?;
        }
        self.unambiguous(file, place).map_err(|problem| self.error(file, title, field, problem))?;
        Ok(Some(identity))
    }

    /// Where a file does not have a definition itself: those that its imports have under the same name.
    fn namesakes(&self, file: usize, place: Place) -> Vec<Place> {
        if place.0 == file {
            return Vec::new();
        }
        let name = &self.files[place.0].definitions[place.1].name;
        self.reach[file].iter().filter_map(|&import| self.local(import, name)).collect()
    }

    /// Whether all imports mean the same.
    pub(super) fn unambiguous(&self, file: usize, place: Place) -> Result<(), Problem> {
        match self.namesakes(file, place).into_iter().find(|&other| self.get(other) != self.get(place)) {
            None => Ok(()),
            Some(other) => Err(Problem::AmbiguousType {
                name: self.files[place.0].definitions[place.1].name.clone(),
                first: self.files[place.0].origin.clone(),
                second: self.files[other.0].origin.clone(),
            }),
        }
    }

    fn error(&self, file: usize, item: &str, field: Option<&str>, problem: Problem) -> ReadError {
        ReadError::Definition {
            origin: self.files[file].origin.clone(),
            item: item.to_owned(),
            field: field.map(str::to_owned),
            problem: Box::new(problem),
        }
    }
}

impl Kind {
    fn name(&self) -> &'static str {
        match self {
            Self::Struct(_) => "struct",
            Self::Union(_) => "union",
            Self::Enum(_) => "enum",
            Self::Alias(_) => "alias",
        }
    }
}

impl Type {
    /// The name of the definition it refers to.
    pub(super) fn defined(&self) -> Option<&str> {
        match self {
            Self::One(Name::Defined(name))
            | Self::Array(Name::Defined(name), _)
            | Self::List(Name::Defined(name), _) => Some(name),
            _ => None,
        }
    }
}

fn describe_field(field: &Field, identity: Option<Identity>, text: &mut String) {
    let Field { name, ty, default, limit, discriminator, case } = field;
    describe_type(ty, identity, text);
    // Writing to a String cannot fail.
    let _ = write!(text, " {name} {default:?} {limit:?} {discriminator:?} {case:?};");
}

fn describe_type(ty: &Type, identity: Option<Identity>, text: &mut String) {
    let element = |name: &Name| match (name, identity) {
        (Name::Scalar(scalar), _) => scalar.name().to_owned(),
        (Name::Defined(_), Some(Identity(number))) => format!("#{number}"),
        (Name::Defined(name), None) => name.clone(),
    };
    let _ = match ty {
        Type::One(name) => write!(text, "{}", element(name)),
        Type::Array(name, length) => write!(text, "{}[{length}]", element(name)),
        Type::List(name, count) => write!(text, "{}[{count:?}]", element(name)),
        Type::FixedString(length) => write!(text, "string[{length}]"),
        Type::LongString => write!(text, "string[]"),
    };
}
