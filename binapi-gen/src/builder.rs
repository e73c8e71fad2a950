//! Generation for others: a crate, or the modules of a `build.rs`.

use std::path::{Path, PathBuf};

use vpp_schema::Api;

use crate::build_script;
use crate::emit::{self, Paths, Provenance};
use crate::error::GenerateError;
use crate::input::Inputs;
use crate::output::{Output, Written};
use crate::pass::plan::{Plan, Release};
use crate::pass::{self, reuse};
use crate::selection::Selection;

/// Generates typed messages from any API definitions.
///
/// ```no_run
/// // build.rs of a program whose own VPP plugin has an API
/// fn main() -> Result<(), binapi_gen::GenerateError> {
///     binapi_gen::Builder::new()
///         .input("api/flowmon.api")       // or what VPP's tool made of it: flowmon.api.json
///         .reuse("vpp_26_06")             // ip_types and friends come from there
///         .out_dir("flowmon")?;           // below OUT_DIR
///     Ok(())
/// }
/// ```
///
/// In the program: `mod vpp { include!(concat!(env!("OUT_DIR"), "/flowmon/mod.rs")); }`, with `vpp-wire` and the crates
/// that are reused among its dependencies.
///
/// Run by a build script it tells cargo which files it read (`cargo:rerun-if-changed`), and relative folders to write
/// to are below `OUT_DIR`. Elsewhere it prints nothing, and folders are relative to the working directory.
#[derive(Clone, Debug)]
#[must_use]
pub struct Builder {
    inputs: Inputs,
    selection: Selection,
    reused: Vec<Reused>,
    release: Option<String>,
    runtime: String,
    command: String,
}

/// What stands before a module within somebody's crate, where only a part may be used and nothing may be exported.
const PART_IS_USED: &str = "#[allow(dead_code, unreachable_pub, unused_imports)]\n#[rustfmt::skip]\n";

/// A crate whose items are not generated again.
#[derive(Clone, Debug)]
struct Reused {
    /// Its path in Rust.
    path: String,
    /// What it was generated from, unless its name says it.
    api: Option<Box<Api>>,
}

/// The `Cargo.toml` of a generated crate.
#[derive(Clone, Debug)]
pub struct CrateOptions {
    /// The package's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What it depends on for the runtime, as `Cargo.toml` writes it behind `vpp-wire =`.
    pub runtime_dependency: String,
    /// For each crate that is reused, the name of its package and what `Cargo.toml` writes behind the name. The package
    /// is called as the crate, with `-` for `_`.
    pub reused_dependencies: Vec<(String, String)>,
}

impl Default for Builder {
    fn default() -> Self {
        Self::new()
    }
}

impl Builder {
    /// A generator without input.
    pub fn new() -> Self {
        Self {
            inputs: Inputs::default(),
            selection: Selection::default(),
            reused: Vec::new(),
            release: None,
            runtime: "vpp_wire".to_owned(),
            command: "binapi-gen".to_owned(),
        }
    }

    /// Reads a file or folder: `*.api.json` as VPP installs them (`/usr/share/vpp/api`), or `*.api` in VPP's API
    /// definition language, those of a plugin or of a whole tree of sources. A folder with both is read as JSON. May be
    /// called several times, for one kind of files.
    pub fn input(mut self, path: impl Into<PathBuf>) -> Self {
        self.inputs.paths.push(path.into());
        self
    }

    /// Looks for what `.api` files import in this folder too, before their own and those above it. What is found nowhere
    /// is taken from the releases that are reused.
    pub fn include(mut self, folder: impl Into<PathBuf>) -> Self {
        self.inputs.language.include.push(folder.into());
        self
    }

    /// How `.api` files are read, folders to look for imports in included.
    pub fn source_options(mut self, options: vpp_schema::SourceOptions) -> Self {
        self.inputs.language = options;
        self
    }

    /// Takes an API that is read already, in place of files.
    pub fn api(mut self, api: Api) -> Self {
        self.inputs.api = Some(Box::new(api));
        self
    }

    /// Generates of all that was read only these modules, others of [`Builder::module`] and [`Builder::message`], and
    /// what they need: types, replies, elements of streams, events. `*` stands for any letters, `?` for one.
    pub fn module(mut self, pattern: impl Into<String>) -> Self {
        self.selection.modules.push(pattern.into());
        self
    }

    /// As [`Builder::module`], by the names of messages.
    pub fn message(mut self, pattern: impl Into<String>) -> Self {
        self.selection.messages.push(pattern.into());
        self
    }

    /// Takes what the crate of a release has from there: `vpp_26_06`. Only definitions that are the same, all the way
    /// down, are; others are generated. May be called several times; the first crate that has a definition counts.
    ///
    /// The program depends on that crate, with the features of the modules that are taken.
    pub fn reuse(mut self, crate_name: impl Into<String>) -> Self {
        self.reused.push(Reused { path: crate_name.into(), api: None });
        self
    }

    /// As [`Builder::reuse`], of any crate or module that this generator made of `api`, by its path in Rust.
    pub fn reuse_api(mut self, path: impl Into<String>, api: Api) -> Self {
        self.reused.push(Reused { path: path.into(), api: Some(Box::new(api)) });
        self
    }

    /// The VPP release the definitions are of: `26.06`. Told in the generated files.
    pub fn release(mut self, release: impl Into<String>) -> Self {
        self.release = Some(release.into());
        self
    }

    /// The path of the runtime crate in the generated code, where it is not `vpp_wire`.
    pub fn runtime(mut self, path: impl Into<String>) -> Self {
        self.runtime = path.into();
        self
    }

    /// The command that the first line of each file names.
    pub fn command(mut self, command: impl Into<String>) -> Self {
        self.command = command.into();
        self
    }

    /// Writes the modules and a `mod.rs` to a folder; nothing is written on an error. Files that are right already are
    /// not touched.
    ///
    /// In a crate's `src` the folder is a module. From a `build.rs`:
    /// `include!(concat!(env!("OUT_DIR"), "/vpp/mod.rs"));`.
    ///
    /// # Errors
    ///
    /// When the definitions cannot be read, have no Rust form, or the files cannot be written.
    pub fn out_dir(self, dir: impl AsRef<Path>) -> Result<Written, GenerateError> {
        self.inputs.announce();
        self.modules()?.write(&build_script::place(dir.as_ref()))
    }

    /// Writes all modules to one file; nothing is written on an error, nor when it is right already.
    ///
    /// From a `build.rs`: `include!(concat!(env!("OUT_DIR"), "/flowmon.rs"));`.
    ///
    /// # Errors
    ///
    /// As [`Builder::out_dir`].
    pub fn out_file(self, file: impl AsRef<Path>) -> Result<Written, GenerateError> {
        self.inputs.announce();
        let file = build_script::place(file.as_ref());
        let name = file.file_name().ok_or_else(|| GenerateError::NotAFile { path: file.clone() })?;
        let folder = file.parent().unwrap_or(Path::new(""));
        self.one_file(name.as_ref())?.write(folder)
    }

    /// Writes a crate of its own to a folder; nothing is written on an error.
    ///
    /// # Errors
    ///
    /// As [`Builder::out_dir`].
    pub fn crate_dir(self, dir: impl AsRef<Path>, options: &CrateOptions) -> Result<Written, GenerateError> {
        self.inputs.announce();
        self.crate_files(options)?.write(&build_script::place(dir.as_ref()))
    }

    /// The modules and a `mod.rs`, in memory.
    ///
    /// # Errors
    ///
    /// When the definitions cannot be read or have no Rust form.
    pub fn modules(self) -> Result<Output, GenerateError> {
        let paths = self.paths("super");
        self.generate(|plan, provenance| {
            let mut output = Output::default();
            let mut declared = format!("// {}\n\n", provenance.line());
            for (vpp_name, module) in emit::module_list(plan) {
                output.add(format!("{module}.rs"), emit::module_file(plan, vpp_name, &paths, provenance)?);
                declared.push_str(&format!("{PART_IS_USED}pub mod {module};\n"));
            }
            output.add("mod.rs", declared);
            output.own("");
            Ok(output)
        })
    }

    fn one_file(self, name: &Path) -> Result<Output, GenerateError> {
        let paths = self.paths("super");
        self.generate(|plan, provenance| {
            let mut text = format!("// {}\n", provenance.line());
            for (vpp_name, module) in emit::module_list(plan) {
                let content = emit::module_file(plan, vpp_name, &paths, provenance)?;
                // Without its first line, which says the same.
                let content = content.split_once('\n').map_or("", |(_, content)| content);
                text.push_str(&format!("\n{PART_IS_USED}pub mod {module} {{{content}}}\n"));
            }
            let mut output = Output::default();
            output.add(name, text);
            Ok(output)
        })
    }

    /// A crate: `Cargo.toml` with a feature per module, and `src`, in memory.
    ///
    /// # Errors
    ///
    /// When the definitions cannot be read or have no Rust form.
    pub fn crate_files(self, options: &CrateOptions) -> Result<Output, GenerateError> {
        let paths = self.paths("crate");
        let reused: Vec<_> =
            self.reused.iter().map(|reused| (reused.path.clone(), reused.path.replace('_', "-"))).collect();
        self.generate(|plan, provenance| {
            let mut output = Output::default();
            for (vpp_name, module) in emit::module_list(plan) {
                let text = emit::module_file(plan, vpp_name, &paths, provenance)?;
                output.add(format!("src/{module}.rs"), text);
            }
            let docs = format!(
                "Typed messages of the binary API of {}.\n\nA module per API module, each behind the feature of its name; `all-modules` is all of them.",
                provenance.source
            );
            let manifest = "mod manifest;\n\npub use manifest::{MANIFEST, RELEASE};\n\n";
            output.add("src/lib.rs", emit::library_file(plan, provenance, &docs, manifest));
            let manifest = emit::manifest_file(plan, 0);
            output.add(
                "src/manifest.rs",
                format!("// {}\n\n//! What this API has.\n\n{manifest}", provenance.line()),
            );
            let features = emit::pool_features(plan, |module| {
                let taken = emit::taken_modules(plan, module).into_iter();
                taken.filter_map(|path| feature_of(path, &reused)).collect()
            });
            output.add("Cargo.toml", cargo_toml(options, provenance, &features));
            output.own("src");
            Ok(output)
        })
    }

    fn paths(&self, root: &str) -> Paths {
        Paths { runtime: self.runtime.clone(), root: root.to_owned(), reexports: true }
    }

    fn generate(
        self,
        emit: impl FnOnce(&Plan<'_>, &Provenance) -> Result<Output, GenerateError>,
    ) -> Result<Output, GenerateError> {
        let mut reused = Vec::with_capacity(self.reused.len());
        for Reused { path, api } in &self.reused {
            let api = match api {
                Some(api) => &**api,
                None => release_of(path)?,
            };
            reused.push((path.as_str(), api));
        }
        let apis: Vec<&Api> = reused.iter().map(|(_, api)| *api).collect();
        let label = self.inputs.label();
        let api = self.selection.of(self.inputs.read(&apis)?)?;
        let release = self.release.or_else(|| api.release.clone());
        let (source, name) = match (release, label) {
            (Some(release), _) => (format!("VPP {release}"), release),
            (None, Some(label)) => (label.clone(), label),
            (None, None) => ("a VPP of unknown release".to_owned(), "unknown".to_owned()),
        };
        let mut plan = pass::decide(vec![Release { name: &name, api: &api }])?;
        for (path, api) in reused {
            let other = pass::decide(vec![Release { name: path, api }])?;
            reuse::decide(&mut plan, path, &other);
        }
        emit(&plan, &Provenance { command: self.command, source })
    }
}

/// The definitions that the crate of a release was generated from.
#[cfg(feature = "pins")]
fn release_of(crate_name: &str) -> Result<&'static Api, GenerateError> {
    let release = crate_name.strip_prefix("vpp_").filter(|release| {
        release.split('_').count() == 2 && release.chars().all(|c| c.is_ascii_digit() || c == '_')
    });
    let release = release.ok_or_else(|| GenerateError::NoRelease { name: crate_name.to_owned() })?;
    vpp_api_json::api(&release.replace('_', "."))
        .map_err(|source| GenerateError::Reuse { name: crate_name.to_owned(), source: Box::new(source) })
}

#[cfg(not(feature = "pins"))]
fn release_of(crate_name: &str) -> Result<&'static Api, GenerateError> {
    Err(GenerateError::NoRelease { name: crate_name.to_owned() })
}

/// `vpp-26-06/ip_types`, for a path like `vpp_26_06::ip_types`.
fn feature_of(path: &str, reused: &[(String, String)]) -> Option<String> {
    let (krate, module) = path.rsplit_once("::")?;
    let (_, package) = reused.iter().find(|(path, _)| path == krate)?;
    Some(format!("{package}/{}", module.trim_end_matches('_')))
}

fn cargo_toml(options: &CrateOptions, provenance: &Provenance, features: &str) -> String {
    let CrateOptions { name, version, runtime_dependency, reused_dependencies } = options;
    let reused = reused_dependencies.iter().map(|(name, dependency)| format!("{name} = {dependency}\n"));
    format!(
        "# {}\n[package]\nname = {name:?}\nversion = {version:?}\nedition = \"2024\"\ndescription = \"Typed messages of the binary API of {}\"\n\n[features]\n{features}\n[dependencies]\nvpp-wire = {runtime_dependency}\n{}",
        provenance.line(),
        provenance.source,
        reused.collect::<String>(),
    )
}
