//! Two types, side by side.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::block::{Walk, join};
use super::difference::{DifferenceKind as Kind, Effect};
use crate::model::{EnumDef, Field, FieldType, TypeId, TypeKind, TypeRef};

impl Walk<'_> {
    /// Compares two definitions.
    pub(super) fn definition(&mut self, path: &str, mine: TypeId, theirs: TypeId) {
        match (&self.from.ty(mine).kind, &self.to.ty(theirs).kind) {
            (TypeKind::Struct(from), TypeKind::Struct(to)) => self.block(path, from, to),
            (TypeKind::Union(from), TypeKind::Union(to)) => self.union(path, from, to),
            (TypeKind::Enum(from), TypeKind::Enum(to)) => self.enumeration(path, from, to),
            (TypeKind::Alias(from), TypeKind::Alias(to)) => self.alias(path, *from, *to),
            (from, to) => {
                let (from_type, to_type) =
                    (FieldType::One(TypeRef::Named(mine)), FieldType::One(TypeRef::Named(theirs)));
                let effect = self.carried(from_type, to_type);
                self.push(path, Kind::Kind { from: kind_name(from), to: kind_name(to) }, effect);
            }
        }
    }

    /// Members by name; the place in the list says nothing, for they share their bytes.
    fn union(&mut self, path: &str, from: &[Field], to: &[Field]) {
        let known: HashSet<&str> = to.iter().map(|member| member.name.as_str()).collect();
        let mine: HashMap<&str, &Field> = from.iter().map(|member| (member.name.as_str(), member)).collect();
        let selected = || Effect::Limits("is not the member that is meant".to_owned());
        for member in from.iter().filter(|member| !known.contains(member.name.as_str())) {
            let ty = self.from.type_text(member.ty, from);
            self.push(&join(path, &member.name), Kind::Removed { ty }, selected());
        }
        for member in to {
            let here = join(path, &member.name);
            match mine.get(member.name.as_str()) {
                Some(earlier) => self.field(&here, earlier, member, from, to),
                None => {
                    let ty = self.to.type_text(member.ty, to);
                    self.push(&here, Kind::Added { ty, default: None }, selected());
                }
            }
        }
    }

    fn enumeration(&mut self, path: &str, from: &EnumDef, to: &EnumDef) {
        if from.repr != to.repr {
            let kind = Kind::Resized { from: from.repr.name().to_owned(), to: to.repr.name().to_owned() };
            self.push(path, kind, Effect::Limits(format!("fits both {} and {}", from.repr, to.repr)));
        }
        if from.is_flags != to.is_flags {
            let name = |definition: &EnumDef| if definition.is_flags { "enumflag" } else { "enum" };
            self.push(path, Kind::Kind { from: name(from), to: name(to) }, Effect::None);
        }
        let values =
            |definition: &EnumDef| -> BTreeMap<String, i128> { definition.members.iter().cloned().collect() };
        let (mine, theirs) = (values(from), values(to));
        // A value that only one name of each side has is the same thing under another name.
        let names_of = |names: &BTreeMap<String, i128>, other: &BTreeMap<String, i128>| {
            let mut by_value: HashMap<i128, Option<String>> = HashMap::new();
            for (name, value) in names {
                let only = by_value.entry(*value).or_insert_with(|| Some(name.clone()));
                if only.as_ref() != Some(name) {
                    *only = None;
                }
            }
            by_value.retain(|_, name| name.as_ref().is_some_and(|name| !other.contains_key(name)));
            by_value
        };
        let (only_mine, only_theirs) = (names_of(&mine, &theirs), names_of(&theirs, &mine));
        let renamed =
            |value: i128| Some((only_mine.get(&value)?.clone()?, only_theirs.get(&value)?.clone()?));
        for (name, value) in &from.members {
            let here = join(path, name);
            match theirs.get(name) {
                Some(other) if other == value => {}
                Some(other) => self.push(&here, Kind::Renumbered { from: *value, to: *other }, Effect::None),
                None => match renamed(*value) {
                    Some((_, to)) => {
                        let effect = Effect::Limits(format!("means what {to} means"));
                        self.push(&here, Kind::EnumeratorRenamed { to, value: *value }, effect);
                    }
                    None => {
                        let effect = Effect::Limits("is not used".to_owned());
                        self.push(&here, Kind::EnumeratorRemoved { value: *value }, effect);
                    }
                },
            }
        }
        for (name, value) in &to.members {
            if !mine.contains_key(name) && renamed(*value).is_none() {
                let effect = Effect::Limits("is not used".to_owned());
                self.push(&join(path, name), Kind::EnumeratorAdded { value: *value }, effect);
            }
        }
    }

    fn alias(&mut self, path: &str, from: FieldType, to: FieldType) {
        self.field_type(path, (from, &[]), (to, &[]));
    }
}

fn kind_name(kind: &TypeKind) -> &'static str {
    match kind {
        TypeKind::Struct(_) => "struct",
        TypeKind::Union(_) => "union",
        TypeKind::Enum(definition) if definition.is_flags => "enumflag",
        TypeKind::Enum(_) => "enum",
        TypeKind::Alias(_) => "alias",
    }
}
