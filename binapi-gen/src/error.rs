//! What can go wrong between definitions and written files.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why nothing was generated.
///
/// `{:?}` is the same text as `{}`: it is what a failed build script shows.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum GenerateError {
    /// A definition that no Rust can be generated for.
    #[error("cannot generate {module}.{item}: {fault}")]
    Definition {
        /// The API module.
        module: String,
        /// VPP's name of the message or type.
        item: String,
        /// Why.
        fault: Box<Fault>,
    },
    /// No definitions were given.
    #[error("nothing to generate from: give a folder of *.api.json files or an API")]
    NoInput,
    /// Files of both kinds were given.
    #[error(
        "{} and {} are definitions of two kinds, *.api.json and *.api: give files of one kind",
        first.display(),
        other.display()
    )]
    MixedInputs {
        /// One.
        first: PathBuf,
        /// One of the other kind.
        other: PathBuf,
    },
    /// A pattern that names nothing.
    #[error("no {what} is called {pattern:?}{hint}")]
    NothingSelected {
        /// `module` or `message`.
        what: &'static str,
        /// The pattern.
        pattern: String,
        /// What may be meant.
        hint: String,
    },
    /// A crate to reuse that is none of a release.
    #[error(
        "cannot reuse {name}: it is not called as the crate of a release, such as vpp_26_06; give the definitions it \
         was generated from with Builder::reuse_api"
    )]
    NoRelease {
        /// The crate.
        name: String,
    },
    /// The definitions of a release are not at hand.
    #[cfg(feature = "pins")]
    #[error("cannot reuse {name}: {source}")]
    Reuse {
        /// The crate.
        name: String,
        /// Why.
        source: Box<vpp_api_json::PinError>,
    },
    /// The name of a file to write is none.
    #[error("cannot write to {}: it is no name of a file", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// The definitions cannot be read.
    #[error(transparent)]
    Read(Box<vpp_schema::ReadError>),
    /// The output cannot be written. What was there before is still there.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file that should be extended cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    ReadBack {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A `Cargo.toml` has no place for the features.
    #[error("{} has no lines {begin:?} and {end:?}: the features go between them", path.display())]
    NoMarkers {
        /// The file.
        path: PathBuf,
        /// The line before the features.
        begin: &'static str,
        /// The line behind them.
        end: &'static str,
    },
    /// The generator made a text that is no Rust. A fault of the generator.
    #[error("the code generated for {module} is no Rust: {source}")]
    Syntax {
        /// The API module.
        module: String,
        /// What the parser says.
        source: syn::Error,
    },
}

impl fmt::Debug for GenerateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<vpp_schema::ReadError> for GenerateError {
    fn from(error: vpp_schema::ReadError) -> Self {
        Self::Read(Box::new(error))
    }
}

/// Why no Rust can be generated for a definition.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// Two definitions of a module have one Rust name.
    #[error("its Rust name {name} is that of {other} too; give one of them another name")]
    NameTaken {
        /// The Rust name.
        name: String,
        /// VPP's name of the other.
        other: String,
    },
    /// Two fields, members or enumerators have one Rust name.
    #[error("{first} and {second} are both called {name} in Rust; give one of them another name")]
    MemberTaken {
        /// The Rust name.
        name: String,
        /// VPP's name of one.
        first: String,
        /// VPP's name of the other.
        second: String,
    },
    /// A name that cannot be a Rust identifier.
    #[error("{name:?} is no name; give it another")]
    NotAName {
        /// What the definition says.
        name: String,
    },
    /// A union that different fields select by discriminators of different types.
    #[error("it is selected by {first} in one place and by {second} in another")]
    TwoDiscriminators {
        /// The type of one discriminator.
        first: String,
        /// The type of the other.
        second: String,
    },
    /// A list whose count is no integer.
    #[error("list {list} is counted by {count}, which is no integer")]
    BadCount {
        /// The list.
        list: String,
        /// The count field.
        count: String,
    },
    /// Two lists with one count.
    #[error("lists {first} and {second} share the count {count}")]
    SharedCount {
        /// One list.
        first: String,
        /// The other.
        second: String,
        /// Their count.
        count: String,
    },
    /// An array or list whose element has no Rust type.
    #[error("{field} is an array of strings")]
    ArrayOfStrings {
        /// The field.
        field: String,
    },
    /// A default that its field cannot have.
    #[error("{field} cannot have the default {default}")]
    BadDefault {
        /// The field.
        field: String,
        /// The default, as the definition writes it.
        default: String,
    },
    /// An enumerator outside of its enum's integer.
    #[error("{member} = {value} does not fit {repr}")]
    BadMember {
        /// The enumerator.
        member: String,
        /// Its value.
        value: i128,
        /// The enum's integer.
        repr: &'static str,
    },
}
