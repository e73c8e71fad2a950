//! Which module owns a type.
//!
//! Decided by the import graph: of the modules that hold equal definitions of a name, one that reaches another of them
//! through its imports only repeats it. What is left owns it; two modules that do not know of each other own a copy
//! each.
//!
//! Imports may be unknown: files before VPP 20.05 have none, and a running VPP leaves out modules without messages.
//! Then the module with the fewest types owns what others of that kind hold too, since importers hold a superset, and
//! those are taken to import it, unless it means something else by a name they use.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::file::{Definition, File, Kind, Type};
use super::identity::{Identities, Identity, Place};

/// Per file: the files whose types it may use, itself excluded.
pub(super) type Reach = Vec<BTreeSet<usize>>;

/// What the imports say.
pub(super) fn reach(files: &[File]) -> Reach {
    let by_name: HashMap<&str, usize> =
        files.iter().enumerate().map(|(index, file)| (file.name.as_str(), index)).collect();
    let direct: Vec<Vec<usize>> = files
        .iter()
        .map(|file| {
            file.imports.iter().flatten().filter_map(|name| by_name.get(name.as_str()).copied()).collect()
        })
        .collect();
    (0..files.len())
        .map(|start| {
            let mut seen = BTreeSet::new();
            let mut open = direct[start].clone();
            while let Some(file) = open.pop() {
                if file != start && seen.insert(file) {
                    open.extend(&direct[file]);
                }
            }
            seen
        })
        .collect()
}

/// Types that a file repeats from a module it imports, but not as that module has them: the copy, and the original.
pub(super) fn different_copies<'a>(
    identities: &'a Identities<'_>,
    files: &'a [File],
    reach: &'a Reach,
) -> impl Iterator<Item = (Place, Place)> + 'a {
    identities.order().iter().flat_map(move |&copy| {
        let name = &files[copy.0].definitions[copy.1].name;
        reach[copy.0]
            .iter()
            .filter_map(move |&import| identities.local(import, name))
            .filter(move |&original| identities.get(original) != identities.get(copy))
            .map(move |original| (copy, original))
    })
}

/// Owners of all types.
pub(super) struct Owners {
    owners: HashMap<Identity, Vec<usize>>,
    /// Per file: the files whose types it may use.
    pub(super) imports: Reach,
}

impl Owners {
    pub(super) fn of(files: &[File], identities: &Identities<'_>, reach: &Reach) -> Self {
        let mut holders: BTreeMap<Identity, Vec<usize>> = BTreeMap::new();
        for &place in identities.order() {
            if let Some(identity) = identities.get(place) {
                holders.entry(identity).or_default().push(place.0);
            }
        }
        for holders in holders.values_mut() {
            holders.sort_by_key(|&file| (files[file].definitions.len(), files[file].messages.len(), file));
        }
        let imports = Guess::of(files, identities, reach).imports(&holders);
        let owners =
            holders.into_iter().map(|(identity, holders)| (identity, elect(&holders, &imports))).collect();
        Self { owners, imports }
    }

    /// The file that owns what a file means by a definition.
    pub(super) fn owner(&self, file: usize, identity: Identity) -> usize {
        let owners = self.owners.get(&identity).map_or(&[][..], Vec::as_slice);
        let candidates = std::iter::once(&file).chain(&self.imports[file]);
        candidates.copied().find(|candidate| owners.contains(candidate)).unwrap_or(file)
    }
}

/// Of the modules that hold a definition, in order of size, those that own it.
fn elect(holders: &[usize], reach: &Reach) -> Vec<usize> {
    let all: HashSet<usize> = holders.iter().copied().collect();
    let mut owners: Vec<usize> = Vec::new();
    for &file in holders {
        let mut reached = reach[file].iter().filter(|other| all.contains(other));
        // Of modules that import each other the smallest owns: it came first.
        if reached.all(|&other| reach[other].contains(&file) && !owners.contains(&other)) {
            owners.push(file);
        }
    }
    owners
}

/// What modules import whose imports are unknown.
struct Guess<'a> {
    files: &'a [File],
    identities: &'a Identities<'a>,
    reach: Reach,
    /// Whether all imports of a file are there.
    complete: Vec<bool>,
    /// Per file: its names of types, and what they mean.
    meanings: Vec<HashMap<&'a str, Identity>>,
}

impl<'a> Guess<'a> {
    fn of(files: &'a [File], identities: &'a Identities<'a>, reach: &Reach) -> Self {
        let present: HashSet<&str> = files.iter().map(|file| file.name.as_str()).collect();
        let is_complete = |file: &File| {
            file.imports
                .as_ref()
                .is_some_and(|names| names.iter().all(|name| present.contains(name.as_str())))
        };
        let complete: Vec<bool> = files.iter().map(is_complete).collect();
        let meanings = if complete.contains(&false) {
            (0..files.len()).map(|file| meanings(file, files, identities)).collect()
        } else {
            Vec::new()
        };
        Self { files, identities, reach: reach.clone(), complete, meanings }
    }

    /// The imports, the guessed ones included.
    fn imports(mut self, holders: &BTreeMap<Identity, Vec<usize>>) -> Reach {
        if !self.complete.contains(&false) {
            return self.reach;
        }
        // One guess may turn an owner of something else into a module that repeats it.
        loop {
            let mut is_changed = false;
            for holders in holders.values().filter(|holders| holders.len() > 1) {
                let owners = elect(holders, &self.reach);
                let mut lenders: Vec<usize> = Vec::new();
                for file in owners {
                    if self.complete[file] {
                        continue;
                    }
                    match lenders.iter().copied().find(|&lender| self.may_import(file, lender)) {
                        Some(lender) => {
                            self.import(file, lender);
                            is_changed = true;
                        }
                        None => lenders.push(file),
                    }
                }
            }
            if !is_changed {
                return self.reach;
            }
        }
    }

    /// Whether all would still mean the same if a file imported another.
    fn may_import(&self, file: usize, other: usize) -> bool {
        self.with_importers(file).all(|user| {
            std::iter::once(&other).chain(&self.reach[other]).all(|&used| {
                user == used
                    || self.files[used].definitions.iter().enumerate().all(
                        |(index, Definition { name, .. })| {
                            let meaning = self.meanings[user].get(name.as_str()).copied();
                            meaning.is_none_or(|meaning| self.identities.get((used, index)) == Some(meaning))
                        },
                    )
            })
        })
    }

    fn import(&mut self, file: usize, other: usize) {
        let mut reached = self.reach[other].clone();
        reached.insert(other);
        let users: Vec<usize> = self.with_importers(file).collect();
        for user in users {
            self.reach[user].extend(reached.iter().filter(|&&used| used != user));
        }
    }

    fn with_importers(&self, file: usize) -> impl Iterator<Item = usize> + '_ {
        (0..self.files.len()).filter(move |&user| user == file || self.reach[user].contains(&file))
    }
}

fn meanings<'a>(file: usize, files: &'a [File], identities: &Identities<'a>) -> HashMap<&'a str, Identity> {
    let own = (0..files[file].definitions.len()).map(|index| (file, index));
    let types = files[file].definitions.iter().flat_map(|definition| -> Vec<&Type> {
        match &definition.kind {
            Kind::Struct(fields) | Kind::Union(fields) => fields.iter().map(|field| &field.ty).collect(),
            Kind::Alias(ty) => vec![ty],
            Kind::Enum(_) => Vec::new(),
        }
    });
    let fields = files[file].messages.iter().flat_map(|message| &message.fields);
    let used = types.chain(fields.map(|field| &field.ty)).filter_map(Type::defined);
    own.chain(used.filter_map(|name| identities.find(file, name)))
        .filter_map(|place| Some((files[place.0].definitions[place.1].name.as_str(), identities.get(place)?)))
        .collect()
}
