//! What is wrong with an `.api` file, and where.

use std::fmt;
use std::path::PathBuf;

use super::Problem;

/// What is wrong with an `.api` file, the place of it, and the line with a caret below.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LanguageError {
    /// The file.
    pub path: String,
    /// The line, from 1.
    pub line: usize,
    /// The character of the line, from 1.
    pub column: usize,
    /// What is wrong.
    pub fault: LanguageFault,
    /// The whole line.
    pub(crate) source_line: String,
    /// So many characters of it are meant, at least one.
    pub(crate) width: usize,
}

impl std::error::Error for LanguageError {}

impl fmt::Display for LanguageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}:{}:{}: {}", self.path, self.line, self.column, self.fault)?;
        writeln!(f, "{:>5} | {}", self.line, self.source_line)?;
        // A tab stays a tab, so that the caret stands below what it points at.
        let before = self.source_line.chars().take(self.column - 1);
        let indent: String = before.map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
        write!(f, "      | {indent}{}", "^".repeat(self.width))
    }
}

/// What is wrong at a place of an `.api` file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LanguageFault {
    /// Something else should stand here.
    #[error("expected {expected}, found {found}")]
    Unexpected {
        /// What could stand here.
        expected: String,
        /// What does.
        found: String,
    },
    /// A character that has no meaning outside of comments and quotes.
    #[error("unexpected character {found:?}")]
    Character {
        /// The character.
        found: char,
    },
    /// A comment without its end.
    #[error("this comment has no end; close it with */")]
    UnclosedComment,
    /// A quoted text without its end.
    #[error("this text has no end; close it with \" on the same line")]
    UnclosedText,
    /// A number outside of 64 bits.
    #[error("{text} is no number of 64 bits")]
    Number {
        /// The number as it is written.
        text: String,
    },
    /// A type that is not defined before its use.
    #[error(
        "type {name} is defined neither above nor by an import{hint}",
        hint = .similar.as_deref().map(|similar| format!("; did you mean {similar}?")).unwrap_or_default()
    )]
    UnknownType {
        /// The type.
        name: String,
        /// A known type of a similar name.
        similar: Option<String>,
    },
    /// A type is referred to without its decoration.
    #[error("a type is referred to as vl_api_{name}_t")]
    Undecorated {
        /// The type.
        name: String,
    },
    /// A type of that name is there already.
    #[error("type {name} is defined already, at {first}")]
    TypeTwice {
        /// The type.
        name: String,
        /// File and line of the other.
        first: String,
    },
    /// A message of that name is there already.
    #[error("message {name} is defined already, at {first}")]
    MessageTwice {
        /// The message.
        name: String,
        /// File and line of the other.
        first: String,
    },
    /// No field before an array counts it.
    #[error("there is no field {name} before it that could count it")]
    NoCount {
        /// The name between the brackets.
        name: String,
    },
    /// An array without length.
    #[error("an array needs a length or the field that counts it; only a string may do without")]
    NoLength,
    /// A string without brackets.
    #[error("a string needs brackets: [] where its length may vary, or [N]")]
    BareString,
    /// A field of variable size that is not the last one.
    #[error("{name} varies in size, so no field may follow it")]
    NotLast {
        /// The field.
        name: String,
    },
    /// An `option` outside of a message.
    #[error("only messages have options")]
    OptionOfType,
    /// `typeonly define`, the way before VPP 18.07.
    #[error("`typeonly define` is gone from the language; write `typedef`")]
    TypeOnly,
    /// An enumerator without the mark after one with it.
    #[error("{name} follows enumerators that are marked backwards_compatible, so it must be, too")]
    NotCompatible {
        /// The enumerator.
        name: String,
    },
    /// An enumerator of a set of flags with more than one bit.
    #[error("{name} = {value} is no flag: it has more than one bit; an enum may have it, an enumflag not")]
    NotFlag {
        /// The enumerator.
        name: String,
        /// Its value.
        value: i128,
    },
    /// A service with a message that the file does not define.
    #[error("this file defines no message {name}")]
    UnknownMessage {
        /// The message.
        name: String,
    },
    /// A service whose request is the reply of another.
    #[error("{name} is the reply of a service, so it cannot be a request")]
    ReplyAsRequest {
        /// The message.
        name: String,
    },
    /// A service that answers a request with itself.
    #[error("{name} cannot be its own reply")]
    OwnReply {
        /// The message.
        name: String,
    },
    /// A message that is no part of any service.
    #[error(
        "nothing answers {name}: define {name}_reply, put `autoreply` before it, or give it a service \
         (`service {{ rpc {name} returns null; }};` where nothing comes back)"
    )]
    NoReply {
        /// The message.
        name: String,
    },
    /// A reply without its request.
    #[error("{name} answers nothing: there is no message {request}")]
    NoRequest {
        /// The reply.
        name: String,
        /// The request it should have.
        request: String,
    },
    /// A dump without its details.
    #[error("{name} dumps nothing: there is no message {details}, and no service says what it returns")]
    NoDetails {
        /// The dump.
        name: String,
        /// The details it should have.
        details: String,
    },
    /// Details without a dump or get.
    #[error("{name} are details of nothing: there is neither {stem}_dump nor {stem}_get")]
    NoDump {
        /// The details.
        name: String,
        /// Their name without `_details`.
        stem: String,
    },
    /// A get with details, but without a stream service.
    #[error(
        "{stem}_get needs a service to bring {stem}_details: \
         `service {{ rpc {stem}_get returns {stem}_get_reply stream {stem}_details; }};`"
    )]
    NoStream {
        /// The name without `_details`.
        stem: String,
    },
    /// An import that is in none of the folders.
    #[error(
        "there is no {name}{}",
        if .searched.is_empty() { String::new() } else { format!(" in {}", folders(.searched)) }
    )]
    NoImport {
        /// The import as it is written.
        name: String,
        /// The folders that were looked through, in order.
        searched: Vec<PathBuf>,
    },
    /// An import that cannot be read.
    #[error("cannot read {path}: {problem}", path = .path.display())]
    UnreadableImport {
        /// The file.
        path: PathBuf,
        /// Why.
        problem: String,
    },
    /// A file imports itself, by way of others or not.
    #[error("{name} imports itself: {chain}")]
    ImportCycle {
        /// The import as it is written.
        name: String,
        /// The files on the way, from the one that is imported to the one that imports it again.
        chain: String,
    },
    /// Imports that import others many times.
    #[error("the imports of this file unfold to more than {limit} files")]
    TooManyImports {
        /// The most allowed.
        limit: usize,
    },
    /// Types that hold others many times over.
    #[error("the types of {name} unfold to too many")]
    TooManyTypes {
        /// The message.
        name: String,
    },
    /// What is wrong in any form of the definitions.
    #[error(transparent)]
    Definition(Box<Problem>),
}

fn folders(searched: &[PathBuf]) -> String {
    let folders: Vec<_> = searched
        .iter()
        .map(|folder| {
            let folder = folder.display().to_string();
            if folder.is_empty() { ".".to_owned() } else { folder }
        })
        .collect();
    folders.join(", nor in ")
}
