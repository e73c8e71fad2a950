//! Why definitions cannot be read.

use std::io;
use std::path::PathBuf;

use super::{LanguageError, Problem};

/// Why definitions of an API cannot be read. The text says which file, which item of it, what is wrong and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// A folder cannot be listed.
    #[error(
        "cannot read the folder of API definitions {path}: {source}; an installed VPP has it at /usr/share/vpp/api",
        path = .path.display()
    )]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file cannot be read.
    #[error("cannot read the API definition {path}: {source}", path = .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A folder holds nothing to read.
    #[error(
        "no *.api.json in {path}, nor in folders below it; name the folder of an installed VPP's definitions \
         (usually /usr/share/vpp/api)", path = .path.display()
    )]
    NoDefinitions {
        /// The folder.
        path: PathBuf,
    },
    /// A tree of sources holds no definitions.
    #[error(
        "no *.api in {path}, nor in folders below it; name VPP's sources, the folder of a plugin, or one file",
        path = .path.display()
    )]
    NoSources {
        /// The folder.
        path: PathBuf,
    },
    /// Something is wrong at a place of an `.api` file.
    #[error(transparent)]
    Language(Box<LanguageError>),
    /// A text is not JSON.
    #[error("{origin} is not JSON: {problem}")]
    NotJson {
        /// The file.
        origin: String,
        /// What the JSON parser says, with line and column.
        problem: String,
    },
    /// More modules than an API can have.
    #[error("{count} modules; an API has at most {limit}")]
    TooManyModules {
        /// So many were given.
        count: usize,
        /// The most allowed.
        limit: usize,
    },
    /// Two files define the same module.
    #[error("module {module} is defined by {first} and by {second}; name one of them only")]
    DuplicateModule {
        /// The module.
        module: String,
        /// One file.
        first: String,
        /// The other.
        second: String,
    },
    /// Two files define a message of the same name.
    #[error("message {message} is defined by {first} and by {second}; a message belongs to one module")]
    DuplicateMessage {
        /// The message.
        message: String,
        /// One file.
        first: String,
        /// The other.
        second: String,
    },
    /// A file repeats a type of an import, but not as the import defines it.
    #[error(
        "type {name} in {copy} is not as in {definition}, which it is imported from; the files are of different VPPs"
    )]
    DifferentCopy {
        /// The type.
        name: String,
        /// The file that repeats it.
        copy: String,
        /// The file that defines it.
        definition: String,
    },
    /// A definition is wrong.
    #[error("{origin}: {at}{problem}", at = place(.item, .field))]
    Definition {
        /// The file.
        origin: String,
        /// What is wrong in it: `message show_version`; empty for the file as a whole.
        item: String,
        /// The item's field, where it is one field.
        field: Option<String>,
        /// What is wrong.
        problem: Box<Problem>,
    },
}

impl From<Box<LanguageError>> for ReadError {
    fn from(error: Box<LanguageError>) -> Self {
        Self::Language(error)
    }
}

fn place(item: &str, field: &Option<String>) -> String {
    match field {
        Some(field) => format!("{item}, field {field}: "),
        None if item.is_empty() => String::new(),
        None => format!("{item}: "),
    }
}
