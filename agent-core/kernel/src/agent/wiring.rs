//! Who stands on whom, checked before anything starts.

use std::collections::BTreeSet;

use super::entry::Entry;
use crate::needs::Need;

/// For each plugin those that it needs, by their places in the list. Otherwise all that is wrong.
pub(super) fn wire(entries: &[Entry]) -> Result<Vec<Vec<usize>>, Vec<String>> {
    let mut faults = Vec::new();
    for (at, entry) in entries.iter().enumerate() {
        let is_letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if entry.name.is_empty() || !entry.name.chars().all(is_letter) {
            faults.push(format!(
                "{} is called `{}`: a name has lower-case letters, digits and dashes",
                entry.type_name, entry.name
            ));
        }
        for other in &entries[..at] {
            if other.id == entry.id {
                faults.push(format!("plugin `{}` ({}) is listed twice", entry.name, entry.type_name));
            } else if other.name == entry.name {
                faults.push(format!(
                    "{} and {} are both called `{}`",
                    other.type_name, entry.type_name, entry.name
                ));
            }
        }
        for command in &entry.commands {
            let who = format!("command `{}` of plugin `{}`", command.name, entry.name);
            let others = entries[..at].iter().flat_map(|other| &other.commands);
            if others.clone().any(|other| other.name == command.name) {
                faults.push(format!("{who} is there twice"));
            }
            needed(entries, &who, &command.needs, &mut faults);
        }
    }
    let needs: Vec<_> = entries
        .iter()
        .map(|entry| needed(entries, &format!("plugin `{}`", entry.name), &entry.needs, &mut faults))
        .collect();
    if let Some(cycle) = cycle(&needs) {
        let names: Vec<_> = cycle.iter().map(|at| format!("`{}`", entries[*at].name)).collect();
        faults.push(format!("plugins need each other: {}", names.join(" needs ")));
    }
    if faults.is_empty() { Ok(needs) } else { Err(faults) }
}

/// The places of what is needed; what is missing is a fault.
fn needed(entries: &[Entry], who: &str, needs: &[Need], faults: &mut Vec<String>) -> Vec<usize> {
    let mut places = BTreeSet::new();
    for need in needs {
        match entries.iter().position(|entry| entry.id == need.id) {
            Some(place) => drop(places.insert(place)),
            None if need.is_optional => {}
            None => faults.push(format!(
                "{who} needs plugin `{}`, which is not there: add .plugin::<{}>()",
                need.name, need.type_name
            )),
        }
    }
    places.into_iter().collect()
}

/// A way from a plugin back to itself, which is named at both ends.
fn cycle(needs: &[Vec<usize>]) -> Option<Vec<usize>> {
    /// Walks on from the end of the path; what was left is done.
    fn walk(needs: &[Vec<usize>], at: usize, path: &mut Vec<usize>, done: &mut [bool]) -> Option<Vec<usize>> {
        if let Some(from) = path.iter().position(|earlier| *earlier == at) {
            path.push(at);
            return Some(path.split_off(from));
        }
        if done[at] {
            return None;
        }
        path.push(at);
        for next in &needs[at] {
            if let Some(cycle) = walk(needs, *next, path, done) {
                return Some(cycle);
            }
        }
        path.pop();
        done[at] = true;
        None
    }
    let mut done = vec![false; needs.len()];
    (0..needs.len()).find_map(|at| walk(needs, at, &mut Vec::new(), &mut done))
}

/// Who needs each plugin.
pub(super) fn reverse(needs: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut users = vec![Vec::new(); needs.len()];
    for (user, needs) in needs.iter().enumerate() {
        for need in needs {
            users[*need].push(user);
        }
    }
    users
}

/// What a command starts: what it needs, what stands on that, and what these need.
pub(super) fn for_command(entries: &[Entry], needs: &[Vec<usize>], command: &[Need]) -> BTreeSet<usize> {
    let named = command.iter().filter_map(|need| entries.iter().position(|entry| entry.id == need.id));
    let upwards = closure(named.collect(), &reverse(needs));
    closure(upwards, needs)
}

fn closure(from: BTreeSet<usize>, edges: &[Vec<usize>]) -> BTreeSet<usize> {
    let mut open: Vec<_> = from.iter().copied().collect();
    let mut all = from;
    while let Some(at) = open.pop() {
        open.extend(edges[at].iter().filter(|next| all.insert(**next)));
    }
    all
}
