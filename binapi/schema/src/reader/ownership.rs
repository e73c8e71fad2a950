//! Which module owns a type.
//!
//! Decided by the import graph: of the modules that hold equal definitions of a name, a module that reaches another of
//! them through its imports only repeats it. Where imports are unknown (files before VPP 20.05 have none, a running VPP
//! leaves out modules without messages), the module with the fewest types owns it, since importers hold a superset.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::error::ReadError;
use super::file::{Definition, File};
use super::identity::{Identities, Identity, Place};

/// Per file: the files whose types it may use, itself excluded, those it names first.
pub(super) fn reach(files: &[File]) -> Vec<Vec<usize>> {
    let by_name: HashMap<&str, usize> =
        files.iter().enumerate().map(|(i, file)| (file.name.as_str(), i)).collect();
    let direct: Vec<Vec<usize>> = files
        .iter()
        .map(|file| {
            file.imports.iter().flatten().filter_map(|name| by_name.get(name.as_str()).copied()).collect()
        })
        .collect();
    close(&direct)
}

/// Follows edges to the end.
fn close(direct: &[Vec<usize>]) -> Vec<Vec<usize>> {
    (0..direct.len())
        .map(|start| {
            let mut seen = HashSet::from([start]);
            let mut list: Vec<usize> = Vec::new();
            let mut next = 0;
            let mut from = start;
            loop {
                list.extend(direct[from].iter().filter(|&&to| seen.insert(to)));
                let Some(&following) = list.get(next) else { break list };
                from = following;
                next += 1;
            }
        })
        .collect()
}

/// Types that a file repeats from a module it imports, but not as that module has them: the copy, and the original.
pub(super) fn different_copies<'a>(
    identities: &'a Identities<'_>,
    files: &'a [File],
    reach: &'a [Vec<usize>],
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
    /// Per file and identity held in it: the file that owns it.
    owner: HashMap<(usize, Identity), usize>,
    /// Per file: the files whose types it may use.
    pub(super) imports: Vec<Vec<usize>>,
}

impl Owners {
    pub(super) fn of(
        files: &[File],
        identities: &Identities<'_>,
        reach: &[Vec<usize>],
    ) -> Result<Self, ReadError> {
        if let Some((copy, original)) = different_copies(identities, files, reach).next() {
            return Err(ReadError::DifferentCopy {
                name: files[copy.0].definitions[copy.1].name.clone(),
                copy: files[copy.0].origin.clone(),
                definition: files[original.0].origin.clone(),
            });
        }
        let mut holders: BTreeMap<Identity, Vec<usize>> = BTreeMap::new();
        for &place in identities.order() {
            if let Some(identity) = identities.get(place) {
                holders.entry(identity).or_default().push(place.0);
            }
        }
        let present: HashSet<&str> = files.iter().map(|file| file.name.as_str()).collect();
        let complete: Vec<bool> = files
            .iter()
            .map(|file| {
                file.imports
                    .as_ref()
                    .is_some_and(|imports| imports.iter().all(|name| present.contains(name.as_str())))
            })
            .collect();
        let size = |&file: &usize| (files[file].definitions.len(), files[file].messages.len(), file);

        let mut owner = HashMap::new();
        let mut imports = reach.to_vec();
        for (identity, mut holders) in holders {
            let all: HashSet<usize> = holders.iter().copied().collect();
            // The smallest first: it owns what others with unknown imports hold.
            holders.sort_by_key(size);
            let sinks =
                holders.iter().filter(|&&file| reach[file].iter().all(|import| !all.contains(import)));
            let mut owners: Vec<usize> = Vec::new();
            let mut lenders: Vec<usize> = Vec::new();
            for &file in sinks {
                if complete[file] {
                    owners.push(file);
                } else if !lenders.iter().any(|&lender| may_import(identities, files, reach, file, lender)) {
                    owners.push(file);
                    lenders.push(file);
                }
            }
            for &file in &holders {
                let of = std::iter::once(&file)
                    .chain(&reach[file])
                    .find(|file| owners.contains(file))
                    .or_else(|| {
                        lenders.iter().find(|&&lender| may_import(identities, files, reach, file, lender))
                    })
                    // Modules that import each other have no sink.
                    .copied()
                    .unwrap_or(file);
                owner.insert((file, identity), of);
                if of == file {
                    owners.push(file);
                } else if !imports[file].contains(&of) {
                    imports[file].push(of);
                }
            }
        }
        Ok(Self { owner, imports: close(&imports) })
    }

    /// The file that owns what a file holds.
    pub(super) fn owner(&self, file: usize, identity: Identity) -> usize {
        self.owner.get(&(file, identity)).copied().unwrap_or(file)
    }
}

/// Whether a file would still mean the same if it imported another.
fn may_import(
    identities: &Identities<'_>,
    files: &[File],
    reach: &[Vec<usize>],
    file: usize,
    other: usize,
) -> bool {
    std::iter::once(&other).chain(&reach[other]).all(|&other| {
        files[other].definitions.iter().enumerate().all(|(definition, Definition { name, .. })| {
            identities
                .local(file, name)
                .is_none_or(|own| identities.get(own) == identities.get((other, definition)))
        })
    })
}
