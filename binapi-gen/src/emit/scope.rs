//! The names of one generated file: its own items, and what it imports.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use proc_macro2::TokenStream;

use super::crates::{REEXPORTS, foreign_types};
use crate::pass::plan::{Item, Plan};
use crate::special_cases::RuntimeType;

/// Where generated code finds what it refers to.
#[derive(Clone, Debug)]
pub(crate) struct Paths {
    /// The runtime crate: `vpp_wire`.
    pub(crate) runtime: String,
    /// The module that holds the API modules: `crate`, `super`.
    pub(crate) root: String,
    /// Whether a module re-exports the types of other modules that its own are made of. The pool leaves that to the
    /// crates of releases.
    pub(crate) reexports: bool,
}

/// Resolves names within a file. A name is imported when it is free there, else written with its path, so that no
/// definition of an API can shadow anything.
pub(super) struct Scope<'p> {
    module: &'p str,
    paths: &'p Paths,
    /// The file's own names; where from, for those that are re-exported.
    local: HashMap<String, Option<String>>,
    /// Names of other modules that are re-exported, by where they are from.
    reexports: BTreeMap<String, BTreeSet<String>>,
    /// Imported names and where from.
    imports: BTreeMap<String, String>,
    /// Traits whose names are taken, imported for their methods.
    nameless: BTreeSet<&'static str>,
    /// Lints that names of VPP's own choice run into.
    allowed: BTreeSet<&'static str>,
}

/// Names of the standard library's prelude that generated code uses, and where they are when a definition took them.
const PRELUDE: &[(&str, &str)] =
    &[("Default", "std::default"), ("String", "std::string"), ("Vec", "std::vec")];

/// Traits of the runtime whose methods are called outside of their own implementations.
const METHOD_TRAITS: &[&str] = &["Message", "Span", "Union", "View"];

impl<'p> Scope<'p> {
    pub(super) fn new(plan: &'p Plan<'_>, module: &'p str, paths: &'p Paths) -> Self {
        let items = plan.modules.get(module).map(|module| &module.items[..]).unwrap_or_default();
        let mut local = HashMap::new();
        for item in items.iter().map(|id| plan.item(*id)) {
            let from = match item.runtime {
                Some(RuntimeType::Wire(known)) if known == item.name => Some(paths.runtime.clone()),
                _ => None,
            };
            let from = item.elsewhere.clone().or(from);
            local.extend(item.names().into_iter().map(|name| (name, from.clone())));
        }
        let mut reexports: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let reached = if paths.reexports { foreign_types(plan, 0, module) } else { BTreeMap::new() };
        for (name, item) in reached {
            // A name that is taken, or stands for two types, is found in its own module.
            let Some((item, _)) = item.filter(|_| !local.contains_key(name)) else { continue };
            let from = home(plan, item, paths);
            local.insert(name.to_owned(), Some(from.clone()));
            reexports.entry(from).or_default().insert(name.to_owned());
        }
        Self {
            module,
            paths,
            local,
            reexports,
            imports: BTreeMap::new(),
            nameless: BTreeSet::new(),
            allowed: BTreeSet::new(),
        }
    }

    /// A name of the runtime crate.
    pub(super) fn wire(&mut self, name: &str) -> TokenStream {
        let runtime = self.paths.runtime.clone();
        if let (true, Some(name)) =
            (self.local.contains_key(name), METHOD_TRAITS.iter().find(|known| **known == name))
        {
            self.nameless.insert(name);
        }
        self.path(&runtime, name)
    }

    /// A name of the runtime's module of JSON forms.
    pub(super) fn json(&mut self, name: &str) -> TokenStream {
        let path = format!("{}::json", self.paths.runtime);
        self.path(&path, name)
    }

    /// The path of the runtime crate.
    pub(super) fn runtime_crate(&self) -> &'p str {
        &self.paths.runtime
    }

    /// A name of the standard library.
    pub(super) fn std(&mut self, module: &str, name: &str) -> TokenStream {
        self.path(module, name)
    }

    /// A name of the prelude.
    pub(super) fn prelude(&self, name: &str) -> TokenStream {
        match PRELUDE.iter().find(|(known, _)| *known == name) {
            Some((_, module)) if self.local.contains_key(name) => tokens(&format!("::{module}::{name}")),
            _ => tokens(name),
        }
    }

    /// A generated name of an item: its own, its view's.
    pub(super) fn item(&mut self, plan: &Plan<'_>, item: &Item, name: &str) -> TokenStream {
        if item.module == self.module {
            return tokens(name);
        }
        self.path(&home(plan, item, self.paths), name)
    }

    /// A hand-written type.
    pub(super) fn runtime(&mut self, ty: RuntimeType) -> TokenStream {
        match ty {
            RuntimeType::Std(module, name) => self.std(module, name),
            RuntimeType::Wire(name) => self.wire(name),
        }
    }

    /// Takes a trait of the runtime crate into scope, for its methods.
    pub(super) fn methods_of(&mut self, name: &str) {
        let _ = self.wire(name);
    }

    fn path(&mut self, from: &str, name: &str) -> TokenStream {
        if self.local.get(name).is_some_and(|there| there.as_deref() == Some(from)) {
            return tokens(name);
        }
        let is_free = !self.local.contains_key(name)
            && self.imports.get(name).is_none_or(|there| there == from)
            && !PRELUDE.iter().any(|(known, _)| *known == name);
        if is_free {
            self.imports.insert(name.to_owned(), from.to_owned());
            return tokens(name);
        }
        tokens(&format!("{from}::{name}"))
    }

    /// Allows a lint in the file.
    pub(super) fn allow(&mut self, lint: &'static str) {
        self.allowed.insert(lint);
    }

    /// The lints allowed in the file.
    pub(super) fn allowances(&self) -> String {
        self.allowed.iter().map(|lint| format!("#![allow({lint})]\n")).collect()
    }

    /// What of this module is defined in another crate.
    pub(super) fn elsewhere(&self, plan: &Plan<'_>) -> String {
        let items = plan.modules.get(self.module).map(|module| &module.items[..]).unwrap_or_default();
        let mut names: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for item in items.iter().map(|id| plan.item(*id)) {
            if let Some(from) = &item.elsewhere {
                names.entry(from).or_default().extend(item.names());
            }
        }
        names
            .iter()
            .map(|(from, names)| super::format::use_line("pub use", from, names.iter().map(String::as_str)))
            .collect()
    }

    /// The types of other modules.
    pub(super) fn reexports(&self) -> String {
        let line = |(from, names): (&String, &BTreeSet<String>)| {
            let line = super::format::use_line("pub use", from, names.iter().map(String::as_str));
            format!("#[doc(no_inline)]\n{line}")
        };
        let lines: String = self.reexports.iter().map(line).collect();
        if lines.is_empty() { lines } else { format!("{REEXPORTS}{lines}") }
    }

    /// The `use` lines: the standard library, the runtime, other modules.
    pub(super) fn uses(&self) -> String {
        let mut by_path: BTreeMap<(u8, &str), BTreeSet<&str>> = BTreeMap::new();
        for (name, from) in &self.imports {
            let group = match from {
                from if *from == "std" || from.starts_with("std::") => 0,
                from if from.starts_with(&self.paths.runtime) => 1,
                _ => 2,
            };
            by_path.entry((group, from)).or_default().insert(name);
        }
        let mut groups: BTreeMap<u8, Vec<String>> = BTreeMap::new();
        for ((group, from), names) in by_path {
            let line = super::format::use_line("use", from, names.into_iter());
            groups.entry(group).or_default().push(line);
        }
        for name in &self.nameless {
            let line = format!("#[allow(unused_imports)]\nuse {}::{name} as _;\n", self.paths.runtime);
            groups.entry(1).or_default().push(line);
        }
        groups.values_mut().for_each(|lines| lines.sort());
        let groups: Vec<_> = groups.into_values().map(|lines| lines.concat()).collect();
        groups.join("\n")
    }
}

/// The module that an item is in, as this output calls it.
fn home(plan: &Plan<'_>, item: &Item, paths: &Paths) -> String {
    item.elsewhere.clone().unwrap_or_else(|| {
        let module = plan.modules.get(&item.module).map_or(item.module.as_str(), |module| &module.name);
        format!("{}::{module}", paths.root)
    })
}

/// Tokens of a text of our own making.
pub(super) fn tokens(text: &str) -> TokenStream {
    // Names are checked identifiers and paths are made of them.
    text.parse().unwrap_or_default()
}
