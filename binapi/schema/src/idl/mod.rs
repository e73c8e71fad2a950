//! VPP's API definition language: `*.api`.
//!
//! A file goes through [`parser`] to statements, which [`compile`] checks and brings, together with what they import,
//! into the JSON that VPP's own tool makes of it. The reader of that JSON makes the model of it.

mod compile;
mod crc;
mod dialect;
mod import;
mod lexer;
mod locate;
mod numbering;
mod parser;
mod print;
mod services;
mod syntax;
mod text;
mod tree;

use std::path::{Path, PathBuf};
use std::rc::Rc;

use serde_json::Value;

use crate::error::ReadError;
use crate::model::{Api, Group};
use crate::reader::Source;
use dialect::Dialect;
use import::{Loaded, Loader};
pub use numbering::Numbering;

/// How `.api` files are read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceOptions {
    /// Folders that imports are looked for in, before the file's own folder and those above it.
    pub include: Vec<PathBuf>,
    /// How enumerators are numbered that are written without a number. Where it is not said: as the tree of VPP's
    /// sources has it that the files or the included folders are part of, else as newer releases do.
    pub numbering: Option<Numbering>,
    /// Texts of what may be imported and is in none of the folders, by the name of the file: the
    /// [`Api::import_texts`] of the release that a plugin is for.
    pub known: Vec<Source>,
}

/// An `.api` file as VPP's own tool has it.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiFile {
    /// The name of the module.
    pub module: String,
    /// What VPP installs as `*.api.json`: with CRCs, services, and the types of imports.
    pub json: Value,
    /// The CRC of the file's own definitions: a running VPP calls the module by its name, `_`, and this in eight
    /// hexadecimal digits. The JSON's `vl_api_version` is another, that of the imports, too.
    pub own_crc: u32,
}

impl ApiFile {
    /// Reads a file, and what it imports.
    ///
    /// # Errors
    ///
    /// When a file cannot be read, is not written in VPP's API definition language, or defines what cannot be.
    pub fn read(path: &Path, options: &SourceOptions) -> Result<Self, ReadError> {
        let dialect = tree::dialect(std::slice::from_ref(&path.to_owned()), options);
        let mut loader = Loader::of_files(options.include.clone()).knowing(&options.known);
        let module = ModuleSource::load(&mut loader, path, Group::Other, &dialect)?;
        api(std::slice::from_ref(&module))?;
        Ok(module.file)
    }
}

impl Api {
    /// Reads `*.api` files: trees of VPP's sources, folders of plugins, or single files.
    ///
    /// Of a checkout of VPP only `src` is read. Imports are looked for in the folders of the options, the `src`,
    /// `plugins` and the folder itself of each root, and in the file's own folder and those above it. What is only
    /// imported is no module of the API; the importing modules hold its types.
    ///
    /// # Errors
    ///
    /// As [`ApiFile::read`]; when there is no such file; when the files do not fit together.
    pub fn read_api_sources(roots: &[PathBuf], options: &SourceOptions) -> Result<Self, ReadError> {
        let dialect = tree::dialect(roots, options);
        let mut include = options.include.clone();
        include.extend(tree::include(roots));
        let mut loader = Loader::of_files(include).knowing(&options.known);
        let modules = tree::files(roots)?
            .iter()
            .map(|(path, group)| ModuleSource::load(&mut loader, path, *group, &dialect))
            .collect::<Result<Vec<_>, _>>()?;
        api(&modules)
    }

    /// Reads texts of `*.api` files. Imports are found among their origins, as `vnet/ip/ip_types.api` is in
    /// `src/vnet/ip/ip_types.api`, else in the folders of the options.
    ///
    /// ```
    /// use vpp_schema::{Api, Group, Source, SourceOptions};
    ///
    /// let text = "autoreply define ping { u32 client_index; u32 context; u32 repeat [default=5]; };";
    /// let source = Source {
    ///     name: "ping".to_owned(),
    ///     group: Group::Plugins,
    ///     origin: "ping.api".to_owned(),
    ///     text: text.to_owned(),
    /// };
    /// let api = Api::from_api_texts(&[source], &SourceOptions::default())?;
    /// assert_eq!(api.messages[1].name, "ping_reply");
    /// assert_eq!(api.messages[1].crc, 0xe8d4_e804);
    /// # Ok::<(), vpp_schema::ReadError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Api::read_api_sources`].
    pub fn from_api_texts(sources: &[Source], options: &SourceOptions) -> Result<Self, ReadError> {
        let texts =
            sources.iter().map(|source| (PathBuf::from(&source.origin), source.text.as_str())).collect();
        let mut loader = Loader::of_texts(texts, options.include.clone()).knowing(&options.known);
        let dialect = tree::dialect(&[], options);
        let modules = sources
            .iter()
            .map(|source| {
                let path = Path::new(&source.origin);
                let loaded = loader.load(path)?;
                ModuleSource::compile(loaded, &source.name, source.group, &dialect)
            })
            .collect::<Result<Vec<_>, _>>()?;
        api(&modules)
    }
}

/// A file to become a module.
struct ModuleSource {
    loaded: Rc<Loaded>,
    group: Group,
    file: ApiFile,
}

impl ModuleSource {
    fn load(
        loader: &mut Loader<'_>,
        path: &Path,
        group: Group,
        dialect: &Dialect,
    ) -> Result<Self, ReadError> {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().replace('.', "_");
        Self::compile(loader.load(path)?, &name, group, dialect)
    }

    fn compile(loaded: Rc<Loaded>, name: &str, group: Group, dialect: &Dialect) -> Result<Self, ReadError> {
        let compiled = compile::compile(&loaded, name, dialect)?;
        let file = ApiFile { module: name.to_owned(), json: compiled.json, own_crc: compiled.own_crc };
        Ok(Self { loaded, group, file })
    }
}

fn api(modules: &[ModuleSource]) -> Result<Api, ReadError> {
    let values = modules.iter().map(|module| {
        let ApiFile { module: name, json, .. } = &module.file;
        (name.as_str(), module.group, module.loaded.file.text.path.as_str(), json)
    });
    Api::from_values(values).map_err(|error| locate::locate(error, modules))
}
