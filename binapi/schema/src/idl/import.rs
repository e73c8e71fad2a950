//! Files and what they import.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::parser;
use super::syntax::{File, Name, Statement};
use super::text::Text;
use crate::error::{LanguageError, LanguageFault, ReadError};
use crate::reader::Source;

/// How deep imports may be nested; VPP's are three deep.
const MAX_DEPTH: usize = 64;
/// How many files the imports of one may unfold to; repetitions count.
const MAX_UNFOLDED: usize = 10_000;

/// A file with those it imports.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) file: File,
    /// One for each statement of import, in order.
    imports: Vec<Rc<Self>>,
}

/// A statement of a file, or of one that it imports.
#[derive(Clone, Copy)]
pub(super) struct Item<'a> {
    pub(super) source: &'a Text,
    pub(super) statement: &'a Statement,
    pub(super) is_own: bool,
}

impl Loaded {
    /// The statements of the file, those of each import behind it; of those only types and further imports.
    ///
    /// Files that are imported several times are there several times: VPP's file CRC has it so.
    pub(super) fn unfold(&self) -> Result<Vec<Item<'_>>, Box<LanguageError>> {
        let mut items = Vec::new();
        let mut fuel = MAX_UNFOLDED;
        let place = self.file.statements.iter().find_map(|statement| match statement {
            Statement::Import(name) => Some(name.span),
            _ => None,
        });
        if self.collect(true, &mut items, &mut fuel) {
            Ok(items)
        } else {
            let fault = LanguageFault::TooManyImports { limit: MAX_UNFOLDED };
            Err(self.file.text.error(place.unwrap_or_default(), fault))
        }
    }

    /// Whether all fitted.
    fn collect<'a>(&'a self, is_own: bool, items: &mut Vec<Item<'a>>, fuel: &mut usize) -> bool {
        let mut imports = self.imports.iter();
        for statement in &self.file.statements {
            let is_import = matches!(statement, Statement::Import(_));
            if !is_own && !is_import && !matches!(statement, Statement::Type(_)) {
                continue;
            }
            items.push(Item { source: &self.file.text, statement, is_own });
            if is_import && let Some(import) = imports.next() {
                let Some(left) = fuel.checked_sub(1) else { return false };
                *fuel = left;
                if !import.collect(false, items, fuel) {
                    return false;
                }
            }
        }
        true
    }

    /// The file and all it imports, each once or more.
    pub(super) fn files<'a>(&'a self, seen: &mut Vec<&'a File>) {
        if !seen.iter().any(|file| std::ptr::eq(*file, &raw const self.file)) {
            seen.push(&self.file);
            for import in &self.imports {
                import.files(seen);
            }
        }
    }
}

/// Reads each file once.
#[derive(Default)]
pub(super) struct Loader<'a> {
    /// Where imports are looked for first.
    include: Vec<PathBuf>,
    /// Texts that stand for files, by their paths. Where there are any, only `include` is looked through beside them.
    texts: HashMap<PathBuf, &'a str>,
    /// Texts of files that are nowhere else, by their names.
    known: HashMap<PathBuf, &'a str>,
    loaded: HashMap<PathBuf, Rc<Loaded>>,
    /// The files that are being read, each imported by the one before.
    open: Vec<PathBuf>,
}

impl<'a> Loader<'a> {
    /// Reads files.
    pub(super) fn of_files(include: Vec<PathBuf>) -> Self {
        Self { include, ..Self::default() }
    }

    /// Reads texts.
    pub(super) fn of_texts(texts: HashMap<PathBuf, &'a str>, include: Vec<PathBuf>) -> Self {
        Self { include, texts, ..Self::default() }
    }

    /// Takes the texts of what is in no folder.
    pub(super) fn knowing(mut self, known: &'a [Source]) -> Self {
        self.known = known
            .iter()
            .map(|source| (PathBuf::from(format!("{}.api", source.name)), source.text.as_str()))
            .collect();
        self
    }

    /// Reads a file and what it imports.
    pub(super) fn load(&mut self, path: &Path) -> Result<Rc<Loaded>, ReadError> {
        let text = self.read(path).map_err(|source| ReadError::File { path: path.to_owned(), source })?;
        self.open.clear();
        Ok(self.parse(self.identity(path), path, &text)?)
    }

    fn parse(
        &mut self,
        identity: PathBuf,
        path: &Path,
        text: &str,
    ) -> Result<Rc<Loaded>, Box<LanguageError>> {
        if let Some(loaded) = self.loaded.get(&identity) {
            return Ok(Rc::clone(loaded));
        }
        self.open.push(identity.clone());
        let file = parser::parse(Text::new(path.display().to_string(), text))?;
        let mut imports = Vec::new();
        for statement in &file.statements {
            if let Statement::Import(name) = statement {
                imports.push(self.import(&file, path, name)?);
            }
        }
        self.open.pop();
        let loaded = Rc::new(Loaded { file, imports });
        self.loaded.insert(identity, Rc::clone(&loaded));
        Ok(loaded)
    }

    fn import(
        &mut self,
        importer: &File,
        path: &Path,
        name: &Name,
    ) -> Result<Rc<Loaded>, Box<LanguageError>> {
        let error = |fault| importer.text.error(name.span, fault);
        let found = self
            .find(path, &name.text)
            .map_err(|searched| error(LanguageFault::NoImport { name: name.text.clone(), searched }))?;
        let identity = self.identity(&found);
        if let Some(loaded) = self.loaded.get(&identity) {
            return Ok(Rc::clone(loaded));
        }
        if let Some(first) = self.open.iter().position(|open| *open == identity) {
            let names = self.open[first..].iter().chain([&identity]);
            let chain: Vec<_> = names
                .map(|path| path.file_name().unwrap_or_default().to_string_lossy().into_owned())
                .collect();
            let chain = chain.join(" imports ");
            return Err(error(LanguageFault::ImportCycle { name: name.text.clone(), chain }));
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(error(LanguageFault::TooManyImports { limit: MAX_DEPTH }));
        }
        let text = self.read(&found).map_err(|problem| {
            error(LanguageFault::UnreadableImport { path: found.clone(), problem: problem.to_string() })
        })?;
        self.parse(identity, &found, &text)
    }

    /// The file of an import, or the folders it is not in.
    fn find(&self, importer: &Path, name: &str) -> Result<PathBuf, Vec<PathBuf>> {
        let text = self.texts.keys().filter(|path| path.ends_with(name)).min();
        if let Some(path) = text {
            return Ok(path.clone());
        }
        let mut searched = self.include.clone();
        if self.texts.is_empty() {
            // Its own folder, and those above: a file in a tree of sources finds the tree.
            let folders = importer.ancestors().skip(1).map(Path::to_owned);
            searched.extend(folders.filter(|folder| !self.include.contains(folder)));
        }
        // Not anything else that can be opened: a named pipe would wait for ever.
        match searched.iter().map(|folder| folder.join(name)).find(|path| path.is_file()) {
            Some(path) => Ok(path),
            None => Path::new(name)
                .file_name()
                .map(PathBuf::from)
                .filter(|name| self.known.contains_key(name))
                .ok_or(searched),
        }
    }

    fn read(&self, path: &Path) -> std::io::Result<String> {
        match self.texts.get(path).or_else(|| self.known.get(path)) {
            Some(text) => Ok((*text).to_owned()),
            None => fs::read_to_string(path),
        }
    }

    /// One path for each file.
    fn identity(&self, path: &Path) -> PathBuf {
        if self.texts.contains_key(path) || self.known.contains_key(path) {
            return path.to_owned();
        }
        fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
    }
}
