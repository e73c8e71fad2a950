//! Why definitions cannot be read.

use std::io;
use std::path::PathBuf;

use crate::idl::LanguageError;

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

/// What is wrong with a definition.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The file as a whole has another shape than VPP's.
    #[error("{what} should be {expected}; is this one of VPP's *.api.json?")]
    NotDefinitions {
        /// The part: `"messages"`.
        what: String,
        /// Its shape: `a list`.
        expected: &'static str,
    },
    /// A part of a definition has another shape than VPP's.
    #[error("{what} should be {expected}")]
    Shape {
        /// The part: `a field`.
        what: String,
        /// Its shape: `a list [type, name, …]`.
        expected: &'static str,
    },
    /// A name that could not be one in C.
    #[error("{name:?} is no name; names are made of letters, digits and _")]
    Name {
        /// The name.
        name: String,
    },
    /// A name is defined twice in one file, differently.
    #[error("defined twice, differently; keep one definition")]
    DefinedTwice,
    /// Two fields or enumerators of one name.
    #[error("{name} occurs twice")]
    Repeated {
        /// The name.
        name: String,
    },
    /// No file defines a type.
    #[error("type {name} is defined neither here nor by an import; add the file that defines it")]
    UnknownType {
        /// The type as it is written.
        name: String,
    },
    /// Two imports define a type differently.
    #[error("type {name} is defined differently by {first} and by {second}, which are both imported")]
    AmbiguousType {
        /// The type.
        name: String,
        /// One file.
        first: String,
        /// The other.
        second: String,
    },
    /// A type contains itself.
    #[error("type {name} would contain itself")]
    Cycle {
        /// The type.
        name: String,
    },
    /// Types within types without end.
    #[error("types are nested deeper than {limit}")]
    TooDeep {
        /// The deepest allowed.
        limit: usize,
    },
    /// `crc` is missing or no hexadecimal number of 32 bits.
    #[error("its CRC should be eight hexadecimal digits, as in \"0x51077d14\"; found {found}")]
    Crc {
        /// What stands there.
        found: String,
    },
    /// The length of an array is 0, and no field counts it.
    #[error("an array needs a length or the field that counts it")]
    NoLength,
    /// A length or limit that is no number of 32 bits.
    #[error("{found} is not a length")]
    Length {
        /// What stands there.
        found: String,
    },
    /// The elements of an array take no bytes.
    #[error("its elements would take no bytes")]
    EmptyElement,
    /// The field that counts an array is missing.
    #[error("there is no field {name} before it that could count it")]
    NoCount {
        /// The count field.
        name: String,
    },
    /// The field that counts an array is not an integer.
    #[error("the field {name} that counts it is not an integer")]
    CountType {
        /// The count field.
        name: String,
    },
    /// A discriminator is missing.
    #[error("there is no field {name} before it that could be its discriminator")]
    NoDiscriminator {
        /// The discriminator.
        name: String,
    },
    /// A discriminator is not an enum.
    #[error("its discriminator {name} is not an enum")]
    DiscriminatorType {
        /// The discriminator.
        name: String,
    },
    /// A discriminator on something that is no union.
    #[error("has a discriminator, but is not a union")]
    NotUnion,
    /// A `case` names no enumerator of the discriminator.
    #[error(
        "the case {case} of the union's member {member} is no enumerator of the discriminator {discriminator}"
    )]
    Case {
        /// The case.
        case: String,
        /// The union's member.
        member: String,
        /// The discriminator.
        discriminator: String,
    },
    /// Two members of a union have the same `case`.
    #[error("two members of the union have the case {case}")]
    RepeatedCase {
        /// The case.
        case: String,
    },
    /// A member of a union that a discriminator selects has no `case`.
    #[error("has a discriminator, but the union's member {member} has no case")]
    NoCase {
        /// The union's member.
        member: String,
    },
    /// A member of a union of variable size.
    #[error("a member of a union cannot be of variable size")]
    VariableMember,
    /// The backing type of an enum is no integer.
    #[error("an enum's type is an integer, not {found}")]
    EnumType {
        /// What stands there.
        found: String,
    },
    /// An enumerator that does not fit its enum's type.
    #[error("{name} = {value} does not fit {repr}")]
    EnumValue {
        /// The enumerator.
        name: String,
        /// Its value.
        value: String,
        /// The enum's type.
        repr: &'static str,
    },
    /// A default that the field cannot have.
    #[error("the default {found} does not fit the type")]
    Default {
        /// What stands there.
        found: String,
    },
    /// A service names a message that does not exist.
    #[error("names message {name}, which is not defined")]
    UnknownMessage {
        /// The message.
        name: String,
    },
}
