//! Fields of two blocks, side by side.

use std::collections::{HashMap, HashSet};

use vpp_wire::Header;

use super::difference::{Difference, DifferenceKind as Kind, Effect};
use crate::model::{Api, DefaultValue, Field, FieldType, Scalar, TypeId, TypeKind, TypeRef};

/// A walk over two definitions, side by side, that collects where they differ.
pub(super) struct Walk<'a> {
    pub(super) from: &'a Api,
    pub(super) to: &'a Api,
    /// Whether types of the same name are walked, too.
    is_deep: bool,
    pub(super) found: Vec<Difference>,
    /// Pairs of types that were walked, with the place of the first where they differ. Each pair is walked once: a
    /// type may hold another many times, level upon level.
    walked: HashMap<(TypeId, TypeId), Option<String>>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(from: &'a Api, to: &'a Api, is_deep: bool) -> Self {
        Self { from, to, is_deep, found: Vec::new(), walked: HashMap::new() }
    }

    pub(super) fn push(&mut self, path: &str, kind: Kind, effect: Effect) {
        self.found.push(Difference { path: path.to_owned(), kind, effect });
    }

    /// Compares what stands before the payload of messages.
    pub(super) fn header(&mut self, from: Header, to: Header) {
        if from != to {
            let is_answered_alike = from.context().is_some() == to.context().is_some();
            let effect = if is_answered_alike {
                Effect::None
            } else {
                Effect::Prevents("one side has no context to match answers by".to_owned())
            };
            self.push("", Kind::Header { from, to }, effect);
        }
    }

    /// Compares the fields of two blocks by name.
    pub(super) fn block(&mut self, path: &str, from: &[Field], to: &[Field]) {
        let renamed = self.renamed(from, to);
        let theirs: HashMap<&str, usize> = places(to);
        let mine: HashMap<&str, usize> = places(from);
        let moved = moved(from, &theirs);
        let is_other = !from.is_empty()
            && !to.is_empty()
            && renamed.is_empty()
            && from.iter().all(|field| !theirs.contains_key(field.name.as_str()));
        // Told once for the whole block.
        let mut untold =
            is_other.then(|| "has no field in common with what the other side has in its place".to_owned());
        let mut absent = |unset: &str| match untold.take() {
            Some(reason) => Effect::Prevents(reason),
            None => Effect::Limits(format!("is {unset}")),
        };
        for (at, field) in from.iter().enumerate() {
            let here = join(path, &field.name);
            if let Some(other) = theirs.get(field.name.as_str()).map(|&there| &to[there]) {
                if moved.contains(&at) {
                    let before = |block: &[Field], at: usize| Some(block[at.checked_sub(1)?].name.clone());
                    let kind =
                        Kind::Moved { from: before(from, at), to: before(to, theirs[field.name.as_str()]) };
                    self.push(&here, kind, Effect::None);
                }
                self.field(&here, field, other, from, to);
            } else if let Some(&there) = renamed.get(&at) {
                self.push(
                    &here,
                    Kind::Renamed { to: to[there].name.clone() },
                    Effect::Limits(format!("means what {} means", to[there].name)),
                );
            } else {
                let unset = field.declared_default().map_or_else(|| "zero".to_owned(), default_text);
                let ty = type_text(self.from, field.ty, from);
                let effect = if is_count(from, at) { Effect::None } else { absent(&unset) };
                self.push(&here, Kind::Removed { ty }, effect);
            }
        }
        for (at, field) in to.iter().enumerate() {
            if mine.contains_key(field.name.as_str()) || renamed.values().any(|&there| there == at) {
                continue;
            }
            let default = field.declared_default().map(default_text);
            let unset = default.clone().unwrap_or_else(|| "zero".to_owned());
            let ty = type_text(self.to, field.ty, to);
            let effect = if is_count(to, at) { Effect::None } else { absent(&unset) };
            self.push(&join(path, &field.name), Kind::Added { ty, default }, effect);
        }
    }

    /// Fields that only one side has, of the same type behind the same field: the first's and the second's place.
    fn renamed(&self, from: &[Field], to: &[Field]) -> HashMap<usize, usize> {
        let (mine, theirs) = (places(from), places(to));
        // Each field that the other side lacks, by the nearest field before it that both have, and how far behind.
        let gaps = |block: &[Field], others: &HashMap<&str, usize>| {
            let (mut behind, mut distance) = (None, 0_usize);
            let mut gaps = Vec::new();
            for (at, field) in block.iter().enumerate() {
                if others.contains_key(field.name.as_str()) {
                    (behind, distance) = (Some(field.name.clone()), 0);
                } else {
                    gaps.push(((behind.clone(), distance), at));
                    distance += 1;
                }
            }
            gaps
        };
        let theirs_by_gap: HashMap<_, _> = gaps(to, &mine).into_iter().collect();
        gaps(from, &theirs)
            .into_iter()
            .filter_map(|(gap, at)| {
                let there = *theirs_by_gap.get(&gap)?;
                let is_alike = type_text(self.from, from[at].ty, from)
                    == type_text(self.to, to[there].ty, to)
                    && self.from.layout_of(from[at].ty) == self.to.layout_of(to[there].ty);
                is_alike.then_some((at, there))
            })
            .collect()
    }

    /// Compares two fields of the same name, or two members of a union.
    pub(super) fn field(
        &mut self,
        path: &str,
        from: &Field,
        to: &Field,
        from_block: &[Field],
        to_block: &[Field],
    ) {
        self.field_type(path, (from.ty, from_block), (to.ty, to_block));
        let default = |field: &Field| field.declared_default().map(default_text);
        if default(from) != default(to) {
            let kind = Kind::Default { from: default(from), to: default(to) };
            self.push(path, kind, Effect::None);
        }
        if from.limit != to.limit {
            let kind = Kind::Limit { from: from.limit, to: to.limit };
            self.push(path, kind, Effect::Limits("fits the lower limit".to_owned()));
        }
        let discriminator = |field: &Field, block: &[Field]| {
            field.declared_discriminator().and_then(|at| block.get(at)).map(|field| field.name.clone())
        };
        let (mine, theirs) = (discriminator(from, from_block), discriminator(to, to_block));
        if mine != theirs {
            self.push(path, Kind::Discriminator { from: mine, to: theirs }, Effect::None);
        }
        let case = |field: &Field| field.declared_case().map(str::to_owned);
        if case(from) != case(to) {
            let kind = Kind::Case { from: case(from), to: case(to) };
            self.push(path, kind, Effect::None);
        }
    }

    pub(super) fn field_type(&mut self, path: &str, from: (FieldType, &[Field]), to: (FieldType, &[Field])) {
        match (from.0, to.0) {
            (FieldType::One(mine), FieldType::One(theirs)) => self.reference(path, mine, theirs),
            (FieldType::Array(mine, len), FieldType::Array(theirs, other)) => {
                self.length(path, len, other);
                self.reference(&format!("{path}[]"), mine, theirs);
            }
            (FieldType::FixedString(len), FieldType::FixedString(other)) => self.length(path, len, other),
            (FieldType::List(mine, count), FieldType::List(theirs, other)) => {
                let name = |block: &[Field], at: usize| {
                    block.get(at).map(|field| field.name.clone()).unwrap_or_default()
                };
                let (count, other) = (name(from.1, count), name(to.1, other));
                if count != other {
                    self.push(path, Kind::Counted { from: count, to: other }, Effect::None);
                }
                self.reference(&format!("{path}[]"), mine, theirs);
            }
            (FieldType::LongString, FieldType::LongString) => {}
            _ => self.retyped(path, from, to),
        }
    }

    pub(super) fn length(&mut self, path: &str, from: u32, to: u32) {
        if from != to {
            let effect = Effect::Limits(format!("fits {}", from.min(to)));
            self.push(path, Kind::Length { from, to }, effect);
        }
    }

    /// Compares two types without an array around them.
    pub(super) fn reference(&mut self, path: &str, from: TypeRef, to: TypeRef) {
        match (from, to) {
            (TypeRef::Scalar(mine), TypeRef::Scalar(theirs)) if mine == theirs => {}
            (TypeRef::Named(mine), TypeRef::Named(theirs)) => {
                let (name, other) = (&self.from.ty(mine).name, &self.to.ty(theirs).name);
                let is_renamed = name != other;
                if is_renamed && self.is_same_kind(mine, theirs) {
                    let kind = Kind::TypeRenamed { from: name.clone(), to: other.clone() };
                    self.push(path, kind, Effect::None);
                }
                if is_renamed && !self.is_same_kind(mine, theirs) {
                    self.retyped(path, (FieldType::One(from), &[]), (FieldType::One(to), &[]));
                } else if self.is_deep {
                    self.nested(path, mine, theirs);
                }
            }
            _ => self.retyped(path, (FieldType::One(from), &[]), (FieldType::One(to), &[])),
        }
    }

    fn is_same_kind(&self, mine: TypeId, theirs: TypeId) -> bool {
        std::mem::discriminant(&self.from.ty(mine).kind) == std::mem::discriminant(&self.to.ty(theirs).kind)
    }

    fn nested(&mut self, path: &str, mine: TypeId, theirs: TypeId) {
        if let Some(first) = self.walked.get(&(mine, theirs)) {
            if let Some(first) = first.clone() {
                self.push(path, Kind::AsAt { path: first }, Effect::None);
            }
            return;
        }
        let before = self.found.len();
        self.definition(path, mine, theirs);
        // What neither CRC nor bytes depend on is told with the type.
        let mut place = 0;
        self.found.retain(|difference| {
            place += 1;
            place <= before || !difference.kind.is_refinement()
        });
        let is_different = self.found.len() > before;
        self.walked.insert((mine, theirs), is_different.then(|| path.to_owned()));
    }

    pub(super) fn retyped(&mut self, path: &str, from: (FieldType, &[Field]), to: (FieldType, &[Field])) {
        let (mine, theirs) = (type_text(self.from, from.0, from.1), type_text(self.to, to.0, to.1));
        let effect = self.carried(from.0, to.0);
        let is_resized = matches!((from.0, to.0), (
            FieldType::One(TypeRef::Scalar(mine)), FieldType::One(TypeRef::Scalar(theirs)),
        ) if mine.is_integer() && theirs.is_integer() && mine.size() != theirs.size());
        let kind = if is_resized {
            Kind::Resized { from: mine, to: theirs }
        } else {
            Kind::Retyped { from: mine, to: theirs }
        };
        self.push(path, kind, effect);
    }

    /// Whether values of a type can be carried over to another.
    pub(super) fn carried(&self, from: FieldType, to: FieldType) -> Effect {
        use FieldType::{Array, FixedString, List, LongString, One};
        let (mine, theirs) = (self.from.resolve(from), self.to.resolve(to));
        let different = || Effect::Prevents("has types that do not go into each other".to_owned());
        match (mine, theirs) {
            (One(mine), One(theirs)) => match (integer(self.from, mine), integer(self.to, theirs)) {
                (Some(mine), Some(theirs))
                    if mine.size() == theirs.size() && mine.is_signed() == theirs.is_signed() =>
                {
                    Effect::None
                }
                (Some(mine), Some(theirs)) => Effect::Limits(format!("fits both {mine} and {theirs}")),
                _ => different(),
            },
            (FixedString(_) | LongString, FixedString(_) | LongString) => {
                Effect::Limits("fits as text".to_owned())
            }
            (FixedString(len), Array(TypeRef::Scalar(Scalar::U8), other))
            | (Array(TypeRef::Scalar(Scalar::U8), len), FixedString(other)) => {
                Effect::Limits(format!("is text within {} bytes", len.min(other)))
            }
            (Array(mine, _) | List(mine, _), Array(theirs, _) | List(theirs, _)) => {
                match self.carried(One(mine), One(theirs)) {
                    Effect::Prevents(why) => Effect::Prevents(why),
                    _ => Effect::Limits("has as many elements as both allow".to_owned()),
                }
            }
            _ => different(),
        }
    }
}

/// The integer that a type is in the end: bool and enums are as well.
pub(crate) fn integer(api: &Api, ty: TypeRef) -> Option<Scalar> {
    match ty {
        TypeRef::Scalar(Scalar::F64) => None,
        TypeRef::Scalar(scalar) => Some(scalar),
        TypeRef::Named(id) => match &api.ty(id).kind {
            TypeKind::Enum(definition) => Some(definition.repr),
            TypeKind::Struct(_) | TypeKind::Union(_) | TypeKind::Alias(_) => None,
        },
    }
}

fn places(block: &[Field]) -> HashMap<&str, usize> {
    block.iter().enumerate().map(|(at, field)| (field.name.as_str(), at)).collect()
}

/// Whether a field counts the elements of another. Its value follows from them.
pub(crate) fn is_count(block: &[Field], at: usize) -> bool {
    block.iter().any(|field| matches!(field.ty, FieldType::List(_, count) if count == at))
}

/// The fewest fields of a block that have to be moved for those that both have to stand in the same order.
fn moved(block: &[Field], theirs: &HashMap<&str, usize>) -> HashSet<usize> {
    let common: Vec<(usize, usize)> = block
        .iter()
        .enumerate()
        .filter_map(|(at, field)| Some((at, *theirs.get(field.name.as_str())?)))
        .collect();
    // The longest run of rising places stays: for each field the length of the best run up to it, and its last but one.
    let mut best: Vec<(usize, Option<usize>)> = Vec::with_capacity(common.len());
    // Ends of runs: `ends[n]` is the field that ends the run of n + 1 fields with the lowest place.
    let mut ends: Vec<usize> = Vec::new();
    for (index, &(_, there)) in common.iter().enumerate() {
        let len = ends.partition_point(|&end| common[end].1 < there);
        best.push((len, len.checked_sub(1).map(|before| ends[before])));
        match ends.get_mut(len) {
            Some(end) => *end = index,
            None => ends.push(index),
        }
    }
    let mut moved: HashSet<usize> = common.iter().map(|&(at, _)| at).collect();
    let mut next = ends.last().copied();
    while let Some(index) = next {
        moved.remove(&common[index].0);
        next = best[index].1;
    }
    moved
}

pub(super) fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn default_text(default: &DefaultValue) -> String {
    match default {
        DefaultValue::Int(value) => value.to_string(),
        DefaultValue::Float(value) => value.to_string(),
        DefaultValue::Bool(value) => value.to_string(),
        DefaultValue::Text(text) => text.clone(),
    }
}

/// A type as definitions write it; a list with the name of its count.
pub(super) fn type_text(api: &Api, ty: FieldType, block: &[Field]) -> String {
    let element = |ty: TypeRef| match ty {
        TypeRef::Scalar(scalar) => scalar.name(),
        TypeRef::Named(id) => api.ty(id).name.as_str(),
    };
    match ty {
        FieldType::One(ty) => element(ty).to_owned(),
        FieldType::Array(ty, len) => format!("{}[{len}]", element(ty)),
        FieldType::List(ty, count) => {
            format!("{}[{}]", element(ty), block.get(count).map_or("", |field| &field.name))
        }
        FieldType::FixedString(len) => format!("string[{len}]"),
        FieldType::LongString => "string[]".to_owned(),
    }
}

impl Api {
    /// A field's type as definitions write it: `u32`, `address`, `fib_path[n_paths]`; `block` is where the field stands.
    #[must_use]
    pub fn type_text(&self, ty: FieldType, block: &[Field]) -> String {
        type_text(self, ty, block)
    }
}

impl std::fmt::Display for DefaultValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&default_text(self))
    }
}
