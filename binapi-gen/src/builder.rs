//! Generation for others: a crate, or the modules of a `build.rs`.

use std::path::{Path, PathBuf};

use vpp_schema::Api;

use crate::emit::{self, Paths, Provenance};
use crate::error::GenerateError;
use crate::output::{Output, Written};
use crate::pass::plan::{Plan, Release};

/// Generates typed messages from any folder of API definitions.
///
/// ```no_run
/// // build.rs
/// binapi_gen::Builder::new()
///     .input("/usr/share/vpp/api")
///     .out_dir("src/vpp")?;
/// # Ok::<(), binapi_gen::GenerateError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Builder {
    input: Option<PathBuf>,
    api: Option<Api>,
    release: Option<String>,
    runtime: String,
    command: String,
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
            input: None,
            api: None,
            release: None,
            runtime: "vpp_wire".to_owned(),
            command: "binapi-gen".to_owned(),
        }
    }

    /// Reads the `*.api.json` of a folder (and its `core`, `plugins`).
    pub fn input(mut self, dir: impl Into<PathBuf>) -> Self {
        self.input = Some(dir.into());
        self
    }

    /// Takes an API that is read already, in place of a folder.
    pub fn api(mut self, api: Api) -> Self {
        self.api = Some(api);
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

    /// Writes the modules and a `mod.rs` to a folder; nothing is written on an error.
    ///
    /// In a crate's `src` the folder is a module. From a `build.rs`:
    /// `include!(concat!(env!("OUT_DIR"), "/vpp/mod.rs"));`.
    ///
    /// # Errors
    ///
    /// When the definitions cannot be read, have no Rust form, or the files cannot be written.
    pub fn out_dir(self, dir: impl AsRef<Path>) -> Result<Written, GenerateError> {
        self.modules()?.write(dir.as_ref())
    }

    /// Writes a crate of its own to a folder; nothing is written on an error.
    ///
    /// # Errors
    ///
    /// When the definitions cannot be read, have no Rust form, or the files cannot be written.
    pub fn crate_dir(self, dir: impl AsRef<Path>, options: &CrateOptions) -> Result<Written, GenerateError> {
        self.crate_files(options)?.write(dir.as_ref())
    }

    /// The modules and a `mod.rs`, in memory.
    ///
    /// # Errors
    ///
    /// When the definitions cannot be read or have no Rust form.
    pub fn modules(self) -> Result<Output, GenerateError> {
        let paths = Paths { runtime: self.runtime.clone(), root: "super".to_owned() };
        self.generate(|plan, provenance| {
            let mut output = Output::default();
            let mut declared = format!("// {}\n\n", provenance.line());
            for (vpp_name, module) in emit::module_list(plan) {
                output.add(format!("{module}.rs"), emit::module_file(plan, vpp_name, &paths, provenance)?);
                declared.push_str(&format!("pub mod {module};\n"));
            }
            output.add("mod.rs", declared);
            output.own("");
            Ok(output)
        })
    }

    /// A crate: `Cargo.toml` with a feature per module, and `src`, in memory.
    ///
    /// # Errors
    ///
    /// When the definitions cannot be read or have no Rust form.
    pub fn crate_files(self, options: &CrateOptions) -> Result<Output, GenerateError> {
        let paths = Paths { runtime: self.runtime.clone(), root: "crate".to_owned() };
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
            output.add("Cargo.toml", cargo_toml(options, provenance, &emit::pool_features(plan)));
            output.own("src");
            Ok(output)
        })
    }

    fn generate(
        self,
        emit: impl FnOnce(&Plan<'_>, &Provenance) -> Result<Output, GenerateError>,
    ) -> Result<Output, GenerateError> {
        let api = match (self.api, self.input) {
            (Some(api), _) => api,
            (None, Some(dir)) => Api::read_dir(&dir)?,
            (None, None) => return Err(GenerateError::NoInput),
        };
        let release = self.release.or_else(|| api.release.clone());
        let source = match &release {
            Some(release) => format!("VPP {release}"),
            None => "a VPP of unknown release".to_owned(),
        };
        let name = release.unwrap_or_else(|| "unknown".to_owned());
        let plan = Plan::new(vec![Release { name: &name, api: &api }])?;
        emit(&plan, &Provenance { command: self.command, source })
    }
}

fn cargo_toml(options: &CrateOptions, provenance: &Provenance, features: &str) -> String {
    let CrateOptions { name, version, runtime_dependency } = options;
    format!(
        "# {}\n[package]\nname = {name:?}\nversion = {version:?}\nedition = \"2024\"\ndescription = \"Typed messages of the binary API of {}\"\n\n[features]\n{features}\n[dependencies]\nvpp-wire = {runtime_dependency}\n",
        provenance.line(),
        provenance.source,
    )
}
