//! What holds the modules: `lib.rs`, features, the thin crate of a release.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt::Write as _;

use vpp_schema::{TypeKind, pins};

use super::Provenance;
use super::format::{fill, use_line};
use crate::pass::plan::{Item, ModulePlan, Plan};

/// What stands above re-exports.
pub(super) const REEXPORTS: &str = "// The types of other modules that these messages hold.\n";

/// Widest line of lists in `Cargo.toml`.
const WIDTH: usize = 110;

/// Each API module that is generated: VPP's name, which is that of the feature, and the Rust name. Modules that other
/// crates have whole are not.
pub(crate) fn module_list<'p>(plan: &'p Plan<'_>) -> impl Iterator<Item = (&'p str, &'p str)> {
    let is_elsewhere = |module: &ModulePlan| {
        !module.items.is_empty() && module.items.iter().all(|id| plan.item(*id).elsewhere.is_some())
    };
    plan.modules
        .iter()
        .filter(move |(_, module)| !is_elsewhere(module))
        .map(|(vpp_name, module)| (vpp_name.as_str(), module.name.as_str()))
}

/// `pub mod` lines, each behind its feature.
///
/// rustfmt is kept out of the modules: they are formatted by the generator, the same everywhere.
fn module_lines(plan: &Plan<'_>, inner: &str) -> String {
    let mut text = String::new();
    for (feature, module) in module_list(plan) {
        let _ = write!(
            text,
            "{inner}#[cfg(feature = \"{feature}\")]\n{inner}#[rustfmt::skip]\n{inner}pub mod {module};\n"
        );
    }
    text
}

/// `lib.rs` of a crate that holds the messages themselves.
pub(crate) fn library_file(plan: &Plan<'_>, provenance: &Provenance, docs: &str, extra: &str) -> String {
    let docs: String = docs.lines().map(|line| format!("//! {line}").trim_end().to_owned() + "\n").collect();
    format!("// {}\n\n{docs}\n{extra}{}", provenance.line(), module_lines(plan, ""))
}

/// `RELEASE` and `MANIFEST`.
pub(crate) fn manifest_file(plan: &Plan<'_>, release: usize) -> String {
    let release = plan.releases[release];
    let mut messages: Vec<_> =
        release.api.messages.iter().map(|message| (message.name.as_str(), message.crc)).collect();
    messages.sort_unstable();
    let mut text = format!(
        "/// The VPP release these messages are of.\npub const RELEASE: &str = {:?};\n\n/// Every message of the release, whatever features are on: name and CRC, by name.\n#[rustfmt::skip]\npub const MANIFEST: &[(&str, u32)] = &[\n",
        release.name
    );
    for (name, crc) in messages {
        let _ = writeln!(text, "    ({name:?}, 0x{crc:08x}),");
    }
    text.push_str("];\n");
    text
}

/// The module of a release crate: the pool's items under their clean names.
pub(crate) fn release_file(
    plan: &Plan<'_>,
    release: usize,
    module: &str,
    pool: &str,
    provenance: &Provenance,
) -> Option<String> {
    let names = release_names(plan, release, module)?;
    let mut text = format!("// {}\n\n//! API module `{module}`.\n\n", provenance.line());
    let homes: BTreeSet<_> = names.iter().map(|(home, _)| home.as_str()).collect();
    for home in homes {
        let names = names.iter().filter(|(from, _)| from == home).map(|(_, name)| name.as_str());
        let sorted: BTreeSet<_> = names.collect();
        text.push_str(&use_line("pub use", &format!("{pool}::{home}"), sorted.into_iter()));
    }
    let own: BTreeSet<_> = names.iter().filter_map(|(_, name)| name.split(' ').next_back()).collect();
    let mut foreign: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let reached = foreign_types(plan, release, module);
    for (name, item) in &reached {
        // A name that is taken, or stands for two types, is found in its own module.
        if let (Some(item), false) = (item, own.contains(name)) {
            foreign.entry(item.1).or_default().insert(name);
        }
    }
    if !foreign.is_empty() {
        text.push('\n');
        text.push_str(REEXPORTS);
    }
    for (home, names) in foreign {
        text.push_str("#[doc(no_inline)]\n");
        text.push_str(&use_line("pub use", &format!("crate::{home}"), names.into_iter()));
    }
    Some(text)
}

/// The types of other modules that a module's definitions reach, by clean name: what they are and the Rust name of
/// their module, or `None` for a name of two types.
pub(super) fn foreign_types<'p>(
    plan: &'p Plan<'_>,
    release: usize,
    module: &str,
) -> BTreeMap<&'p str, Option<(&'p Item, &'p str)>> {
    let api = plan.releases[release].api;
    let Some((id, definition)) = api.find_module(module) else { return BTreeMap::new() };
    let messages = definition.messages.iter().flat_map(|id| &api.message(*id).fields);
    let mut open: Vec<_> =
        messages.filter_map(|field| field.ty.named()).chain(definition.types.iter().copied()).collect();
    let mut seen = HashSet::new();
    let mut found = BTreeMap::new();
    while let Some(ty) = open.pop() {
        if !seen.insert(ty) {
            continue;
        }
        match &api.ty(ty).kind {
            TypeKind::Struct(fields) | TypeKind::Union(fields) => {
                open.extend(fields.iter().filter_map(|field| field.ty.named()));
            }
            TypeKind::Alias(target) => open.extend(target.named()),
            TypeKind::Enum(_) => {}
        }
        let home = api.ty(ty).module;
        if home != id {
            let item = plan.item(plan.places[release].types[ty.0 as usize]);
            let home = plan.modules[&api.module(home).name].name.as_str();
            let name = item.clean_name.as_str();
            found.entry(name).and_modify(|known| *known = None).or_insert(Some((item, home)));
        }
    }
    found
}

/// The pool's module (Rust name) and `Name` or `Name as CleanName` of everything a release's module has.
fn release_names(plan: &Plan<'_>, release: usize, module: &str) -> Option<Vec<(String, String)>> {
    let api = plan.releases[release].api;
    let (_, definition) = api.find_module(module)?;
    let places = &plan.places[release];
    let types = definition.types.iter().map(|id| places.types[id.0 as usize]);
    let messages = definition.messages.iter().map(|id| places.messages[id.0 as usize]);
    let mut names = Vec::new();
    for id in types.chain(messages) {
        let item = plan.item(id);
        let home = plan.modules.get(&item.module).map_or(item.module.clone(), |module| module.name.clone());
        for name in item.names() {
            let clean = name.replacen(&item.name, &item.clean_name, 1);
            let name = if name == clean { name } else { format!("{name} as {clean}") };
            names.push((home.clone(), name));
        }
    }
    Some(names)
}

/// The features of the crate that holds the messages; `others` are the features of other crates that a module needs.
pub(crate) fn pool_features(plan: &Plan<'_>, others: impl Fn(&str) -> Vec<String>) -> String {
    let features = module_list(plan).map(|(name, _)| {
        let used = plan.modules[name].uses.iter().cloned();
        (name, used.chain(others(name)).collect())
    });
    features_text(features)
}

/// The modules of other crates that a module takes something from: `vpp_26_06::ip_types`.
pub(crate) fn taken_modules<'p>(plan: &'p Plan<'_>, module: &'p str) -> BTreeSet<&'p str> {
    let own = plan.modules[module].items.iter().map(|id| plan.item(*id));
    let reached = foreign_types(plan, 0, module).into_values().flatten().map(|(item, _)| item);
    own.chain(reached).filter_map(|item| item.elsewhere.as_deref()).collect()
}

/// The features of the crate of a release: those of the pool's modules that hold its items.
pub(crate) fn release_features(plan: &Plan<'_>, release: usize, pool: &str) -> String {
    let api = plan.releases[release].api;
    let places = &plan.places[release];
    let features = api.modules.iter().map(|module| {
        let types = module.types.iter().map(|id| places.types[id.0 as usize]);
        let messages = module.messages.iter().map(|id| places.messages[id.0 as usize]);
        let homes: BTreeSet<&str> = types
            .chain(messages)
            .map(|id| plan.item(id).module.as_str())
            .chain([module.name.as_str()])
            .collect();
        // The clean names of imported types are useful too.
        let uses: BTreeSet<&str> = plan.modules[&module.name]
            .uses
            .iter()
            .map(String::as_str)
            .filter(|used| api.find_module(used).is_some())
            .collect();
        let edges =
            uses.into_iter().map(str::to_owned).chain(homes.into_iter().map(|home| format!("{pool}/{home}")));
        (module.name.as_str(), edges.collect())
    });
    let mut features: Vec<_> = features.collect();
    features.sort_unstable();
    let text = features_text(features.into_iter());
    format!(
        "{text}# Every message of the release by name: its payload as JSON and back.\nregistry = [\"{pool}/registry\"]\n# `Serialize` and `Deserialize`, in VPP's JSON form.\nserde = [\"{pool}/serde\"]\n"
    )
}

/// The messages of a release by name, out of the pool's registry.
pub(crate) fn release_registry(pool: &str, provenance: &Provenance) -> String {
    format!(
        r#"// {}

//! Every message of the release by name, to what can be done with its payload whatever its type.
//!
//! Messages of modules whose features are off are not there.

pub use {pool}::registry::{{Entry, Error}};

use crate::RELEASE;

/// The messages of all modules that are on.
pub fn entries() -> impl Iterator<Item = &'static Entry> {{
    {pool}::registry::entries().filter(|entry| entry.releases().any(|release| release == RELEASE))
}}

/// The message of a name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Entry> {{
    {pool}::registry::find_in(RELEASE, name)
}}
"#,
        provenance.line()
    )
}

/// The features of the crate of pins: one per release. Definitions are large, and a program seldom needs all of them.
pub(crate) fn pin_features(newest_first: &[&str]) -> String {
    let features: Vec<_> = newest_first.iter().rev().map(|release| pins::feature(release)).collect();
    let names = features.iter().map(|feature| format!("{feature:?},"));
    let mut text = format!(
        "default = []\n# Every pinned release.\nall-releases = [\n{}\n]\n",
        fill(names, "    ", WIDTH)
    );
    for feature in &features {
        let _ = writeln!(text, "{feature} = []");
    }
    text
}

fn features_text<'f>(features: impl Iterator<Item = (&'f str, Vec<String>)>) -> String {
    let features: Vec<_> = features.collect();
    let names = features.iter().map(|(name, _)| format!("\"{name}\","));
    let mut text =
        format!("default = []\n# Every API module.\nall-modules = [\n{}\n]\n", fill(names, "    ", WIDTH));
    for (name, edges) in &features {
        let edges: Vec<_> = edges.iter().map(|edge| format!("{edge:?}")).collect();
        let _ = writeln!(text, "{name} = [{}]", edges.join(", "));
    }
    text
}
