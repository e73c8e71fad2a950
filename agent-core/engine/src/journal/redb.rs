//! The journal in a file, by the embedded database `redb`.
//!
//! The file is a `redb` database with these tables:
//!
//! | Table | From | To |
//! |---|---|---|
//! | `about` | `format`, `version`, `numbered` | [`FORMAT`], [`VERSION`], the number with which another run begins |
//! | `sources` | name | number, in the order in which they were first told; whether it is kept |
//! | `owned` | key of an item | number of the source for which it was made |
//! | `wanted` | number of the source, key | value as JSON; retries as JSON, if there are any |

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::ops::Bound;
use std::path::{Path, PathBuf};

use ::redb::backends::FileBackend;
use ::redb::{
    CursorError, Database, DatabaseError, ReadableDatabase, ReadableTable, StorageError, Table,
    TableDefinition, TableHandle,
};
use foldhash::HashMap;

use super::{BoxError, Fact, Journal, Remembered, Wanted};
use crate::Key;

const ABOUT: TableDefinition<'_, &str, &str> = TableDefinition::new("about");
const SOURCES: TableDefinition<'_, &str, (u32, bool)> = TableDefinition::new("sources");
const OWNED: TableDefinition<'_, &str, u32> = TableDefinition::new("owned");
const WANTED: TableDefinition<'_, (u32, &str), (&str, Option<&str>)> = TableDefinition::new("wanted");

/// How such a database begins.
const MAGIC: &[u8] = b"redb\x1a\n";

/// In `about`.
const NUMBERED: &str = "numbered";
const FORMAT: &str = "vpp-agent-engine journal";
const VERSION: &str = "1";

/// By name: number, and whether it is kept.
type Sources = HashMap<String, (u32, bool)>;

/// Pages that are kept in memory. An append touches few, and the whole is read only once.
const CACHE: usize = 16 << 20;

/// Why the file of a journal cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// Another process has it open.
    #[error("journal {}: in use: stop the other agent, or give each a file of its own", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// A database, or another file, that is not a journal.
    #[error("journal {}: this file is something else ({found}): name another one", path.display())]
    Other {
        /// The file.
        path: PathBuf,
        /// What it says that it is.
        found: String,
    },
    /// The journal of another release.
    #[error(
        "journal {}: has format {found}, this agent reads format {VERSION}: run the release that wrote it, or \
         move the file away (then what was made is taken for foreign, and what was wanted has to be said again)",
        path.display()
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: String,
    },
    /// Its content is not what was written.
    #[error(
        "journal {}: damaged: {reason}: restore it, or move it away (then what was made is taken for foreign, and \
         what was wanted has to be said again)",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The file, or its disk.
    #[error("journal {}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
}

/// A journal in a file. One process can have it open; a change is on disk when [`Journal::append`] returns.
///
/// The file is readable by its owner only, since values may hold secrets. It survives the end of the process and of
/// the machine at any moment: what was being written is then not there.
pub struct RedbJournal {
    path: PathBuf,
    /// `None` after an error in writing: it has to be opened anew.
    database: Option<Database>,
    sources: Sources,
}

impl std::fmt::Debug for RedbJournal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedbJournal").field("path", &self.path).finish_non_exhaustive()
    }
}

impl RedbJournal {
    /// Opens a journal, or makes a new one if there is no such file. All of the file is read and checked.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, JournalError> {
        let path = path.into();
        if !path.try_exists().map_err(|error| JournalError::Io { path: path.clone(), error })? {
            make(&path).map_err(|error| error.of(&path))?;
        }
        let (database, sources) = open(&path).map_err(|error| error.of(&path))?;
        Ok(Self { path, database: Some(database), sources })
    }

    fn read(&mut self) -> Result<Remembered, Trouble> {
        let transaction = self.database()?.begin_read()?;
        let mut sources: Vec<_> = self.sources.iter().map(|(name, at)| (at.0, name, at.1)).collect();
        sources.sort_unstable();
        let names: HashMap<u32, &str> =
            sources.iter().map(|(number, name, _)| (*number, name.as_str())).collect();
        let source = |number: u32| match names.get(&number) {
            Some(name) => Ok((*name).to_owned()),
            None => Err(Trouble::Damaged(format!("no source has number {number}"))),
        };
        let mut owned = Vec::new();
        for entry in transaction.open_table(OWNED)?.iter()? {
            let (key, number) = entry?;
            owned.push((named(key.value())?, source(number.value())?));
        }
        let mut wanted = Vec::new();
        for entry in transaction.open_table(WANTED)?.iter()? {
            let (at, what) = entry?;
            let ((number, key), (value, retry)) = (at.value(), what.value());
            let bad = |error| Trouble::Damaged(format!("what is wanted of {key}: {error}"));
            wanted.push(Wanted {
                source: source(number)?,
                key: named(key)?,
                value: serde_json::from_str(value).map_err(bad)?,
                retry: retry.map(serde_json::from_str).transpose().map_err(bad)?,
            });
        }
        let numbered = match transaction.open_table(ABOUT)?.get(NUMBERED)? {
            Some(text) => text.value().parse().map_err(|_| {
                Trouble::Damaged(format!("a number of transactions that is none: {}", text.value()))
            })?,
            None => 0,
        };
        let kept = sources.iter().filter(|(.., kept)| *kept);
        Ok(Remembered {
            numbered,
            kept: kept.map(|(_, name, _)| (*name).clone()).collect(),
            sources: sources.iter().map(|(_, name, _)| (*name).clone()).collect(),
            owned,
            wanted,
        })
    }

    fn database(&mut self) -> Result<&Database, Trouble> {
        if self.database.is_none() {
            let (database, sources) = open(&self.path)?;
            self.database = Some(database);
            self.sources = sources;
        }
        self.database.as_ref().ok_or_else(|| Trouble::Damaged("cannot be opened".to_owned()))
    }

    fn write(&mut self, facts: &[Fact]) -> Result<(), Trouble> {
        let transaction = self.database()?.begin_write()?;
        let mut sources = self.sources.clone();
        {
            let mut table = transaction.open_table(SOURCES)?;
            for fact in facts {
                let (source, kept) = match fact {
                    Fact::Kept { source } => (source, true),
                    Fact::Owned { source, .. } | Fact::Wanted { source, .. } => (source, false),
                    Fact::Gone { .. } | Fact::Unwanted { .. } | Fact::Numbered { .. } => continue,
                };
                let next = sources.len() as u32;
                match sources.get_mut(&**source) {
                    Some(at) if !kept || at.1 => continue,
                    Some(at) => at.1 = true,
                    None => {
                        sources.insert(source.to_string(), (next, kept));
                    }
                }
                table.insert(&**source, sources[&**source])?;
            }
        }
        let number = |source: &str| sources.get(source).map(|at| at.0);
        let retries = facts.iter().map(|fact| match fact {
            Fact::Wanted { retry: Some(retry), .. } => serde_json::to_string(retry).ok(),
            _ => None,
        });
        let retries: Vec<Option<String>> = retries.collect();
        let mut owned = Vec::new();
        let mut wanted = Vec::new();
        for (fact, retry) in facts.iter().zip(&retries) {
            match fact {
                Fact::Owned { key, source } => owned.push((key.as_str(), number(source))),
                Fact::Gone { key } => owned.push((key.as_str(), None)),
                Fact::Wanted { source, key, value, .. } => {
                    let what = (value.as_str(), retry.as_deref());
                    wanted.extend(number(source).map(|number| ((number, key.as_str()), Some(what))));
                }
                // A source without a number has never wanted anything.
                Fact::Unwanted { source, key } => {
                    wanted.extend(number(source).map(|number| ((number, key.as_str()), None)));
                }
                Fact::Numbered { below } => {
                    transaction.open_table(ABOUT)?.insert(NUMBERED, below.to_string().as_str())?;
                }
                Fact::Kept { .. } => {}
            }
        }
        if !owned.is_empty() {
            put(&mut transaction.open_table(OWNED)?, owned)?;
        }
        if !wanted.is_empty() {
            put(&mut transaction.open_table(WANTED)?, wanted)?;
        }
        transaction.commit()?;
        self.sources = sources;
        Ok(())
    }
}

impl Journal for RedbJournal {
    fn load(&mut self) -> Result<Remembered, BoxError> {
        self.read().map_err(|error| error.of(&self.path).into())
    }

    fn append(&mut self, facts: &[Fact]) -> Result<(), BoxError> {
        self.write(facts).map_err(|error| {
            self.database = None;
            error.of(&self.path).into()
        })
    }
}

fn named(key: &str) -> Result<Key, Trouble> {
    Key::parse(key).ok_or_else(|| Trouble::Damaged(format!("not a key: {key:?}")))
}

/// Writes entries (or removes them), of several with the same key the last one.
///
/// In the order of the table, because runs of new keys that are neighbours then take a sixth of the time.
fn put<'a, K: ::redb::Key + 'static, V: ::redb::Value + 'static>(
    table: &mut Table<'_, K, V>,
    mut entries: Vec<(K::SelfType<'a>, Option<V::SelfType<'a>>)>,
) -> Result<(), Trouble>
where
    K::SelfType<'a>: Ord,
{
    entries.sort_by(|one, other| one.0.cmp(&other.0));
    entries.dedup_by(|later, earlier| {
        let same = later.0 == earlier.0;
        if same {
            std::mem::swap(later, earlier);
        }
        same
    });
    let mut entries = entries.iter().peekable();
    while let Some((key, value)) = entries.next() {
        let Some(value) = value else {
            table.remove(key)?;
            continue;
        };
        let new = table.insert(key, value)?.is_none();
        if !new || entries.peek().is_none() {
            continue;
        }
        // Where one is new the next ones may be, too.
        let mut gap = table.upper_bound_mut(Bound::Included(key))?;
        while let Some((key, Some(value))) = entries.peek() {
            match gap.insert_before(key, value) {
                Ok(()) => drop(entries.next()),
                Err(CursorError::UnorderedKey) => break,
                Err(error) => return Err(::redb::Error::from(error).into()),
            }
        }
        gap.close()?;
    }
    Ok(())
}

/// A file that comes to be whole: under another name first, so that no half-made one is ever found.
fn make(path: &Path) -> Result<(), Trouble> {
    let mut other = path.as_os_str().to_owned();
    other.push(format!(".{}.new", std::process::id()));
    let other = PathBuf::from(other);
    match std::fs::remove_file(&other) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(&other)?;
    let made = connect(file).and_then(|database| Ok(database.close()?));
    // Where somebody else has made it meanwhile, that one is taken.
    let linked = made.and_then(|()| match std::fs::hard_link(&other, path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error.into()),
        _ => Ok(()),
    });
    std::fs::remove_file(&other)?;
    linked?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    Ok(File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?)
}

fn connect(file: File) -> Result<Database, Trouble> {
    let database = Database::builder()
        .set_cache_size(CACHE)
        .set_check_integrity_on_open(true)
        .create_with_backend(FileBackend::new(file)?)?;
    if database.begin_read()?.list_tables()?.next().is_none() {
        let transaction = database.begin_write()?;
        {
            let mut about = transaction.open_table(ABOUT)?;
            about.insert("format", FORMAT)?;
            about.insert("version", VERSION)?;
            transaction.open_table(SOURCES)?;
            transaction.open_table(OWNED)?;
            transaction.open_table(WANTED)?;
        }
        transaction.commit()?;
    }
    Ok(database)
}

fn open(path: &Path) -> Result<(Database, Sources), Trouble> {
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    let mut start = Vec::new();
    (&mut file).take(MAGIC.len() as u64).read_to_end(&mut start)?;
    if !start.is_empty() && start != MAGIC {
        return Err(Trouble::Other("not a database of redb".to_owned()));
    }
    let database = connect(file)?;
    let transaction = database.begin_read()?;
    if !transaction.list_tables()?.any(|table| table.name() == ABOUT.name()) {
        return Err(Trouble::Other("a database of redb".to_owned()));
    }
    let about = transaction.open_table(ABOUT)?;
    let say =
        |what| Ok::<_, Trouble>(about.get(what)?.map_or_else(String::new, |text| text.value().to_owned()));
    let (format, version) = (say("format")?, say("version")?);
    if format != FORMAT {
        return Err(Trouble::Other(format!("a database of redb: {format}")));
    }
    if version != VERSION {
        return Err(Trouble::Version(version));
    }
    let mut sources = HashMap::default();
    for entry in transaction.open_table(SOURCES)?.iter()? {
        let (name, at) = entry?;
        sources.insert(name.value().to_owned(), at.value());
    }
    Ok((database, sources))
}

/// An error that does not know the file yet.
enum Trouble {
    InUse,
    Other(String),
    Version(String),
    Damaged(String),
    Io(io::Error),
}

impl Trouble {
    fn of(self, path: &Path) -> JournalError {
        let path = path.to_owned();
        match self {
            Self::InUse => JournalError::InUse { path },
            Self::Other(found) => JournalError::Other { path, found },
            Self::Version(found) => JournalError::Version { path, found },
            Self::Damaged(reason) => JournalError::Damaged { path, reason },
            Self::Io(error) => JournalError::Io { path, error },
        }
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<::redb::Error> for Trouble {
    fn from(error: ::redb::Error) -> Self {
        use ::redb::Error;
        match error {
            Error::DatabaseAlreadyOpen | Error::LockProtocolMismatch => Self::InUse,
            Error::Io(error) => Self::Io(error),
            Error::UpgradeRequired(of) => Self::Version(format!("of a redb file of version {of}")),
            error => Self::Damaged(error.to_string()),
        }
    }
}

macro_rules! from_redb {
    ($($error:ty),*) => {$(
        impl From<$error> for Trouble {
            fn from(error: $error) -> Self {
                ::redb::Error::from(error).into()
            }
        }
    )*};
}

from_redb!(DatabaseError, StorageError, ::redb::TableError, ::redb::TransactionError, ::redb::CommitError);
