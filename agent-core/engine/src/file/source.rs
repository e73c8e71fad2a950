//! Files as a store of desired state.

use std::path::PathBuf;
use std::sync::PoisonError;
use std::time::Duration;

use vpp_agent_kernel::document::{ConfigError, ConfigErrors};

use super::look::Look;
use super::watch::Watch;
use super::{Origins, UnknownReferences};
use crate::{Engine, Store, StoreError, Update, Written};

/// A look follows an event by this, and documents are read when two looks this far apart find the same. So events of what
/// is beside them cost at most a look each time.
const SETTLED: Duration = Duration::from_millis(20);
/// At most so many references are told one by one.
const MOST_TOLD: usize = 10;

/// Documents at some paths: what they want now, and whenever they change.
pub struct FileStore {
    engine: Engine,
    paths: Vec<PathBuf>,
    watch: Watch,
    /// What was read last, and by how many kinds: one that is registered later may be what was not known.
    read: Option<(Look, usize)>,
    pub(super) origins: Origins,
    pub(super) references: UnknownReferences,
    pub(super) check_every: Option<Duration>,
}

impl FileStore {
    /// Files and directories, read as the kinds of the engine say.
    pub fn new(engine: Engine, paths: Vec<PathBuf>) -> Self {
        Self {
            engine,
            paths,
            watch: Watch::new(),
            read: None,
            origins: Origins::default(),
            references: UnknownReferences::default(),
            check_every: None,
        }
    }

    async fn look(&mut self) -> Look {
        // What changes behind this is told, and what changed before is seen.
        self.watch.watch(&self.paths);
        let paths = self.paths.clone();
        blocking(move || Look::at(&paths)).await
    }

    /// Waits until there is something else than was read last, and nobody is at it.
    async fn settled(&mut self) -> (Look, usize) {
        loop {
            let mut look = self.look().await;
            let kinds = self.engine.kinds().len();
            if self.read.as_ref().is_some_and(|read| read.0 == look && read.1 == kinds) {
                let timer = async {
                    match self.check_every {
                        Some(every) => tokio::time::sleep(every).await,
                        None => std::future::pending().await,
                    }
                };
                tokio::select! {
                    () = self.watch.changed() => tokio::time::sleep(SETTLED).await,
                    () = timer => {}
                }
                continue;
            }
            // Whoever starts finds what was written before.
            let started = self.read.is_none();
            while !started || self.watch.is_open(&look) {
                tokio::time::sleep(SETTLED).await;
                let now = self.look().await;
                if now == look && !self.watch.is_open(&look) {
                    break;
                }
                look = now;
            }
            if self.read.as_ref().is_none_or(|read| read.0 != look || read.1 != kinds) {
                return (look, kinds);
            }
        }
    }

    fn take(&self, read: Read) -> Update {
        let Read { items, unknown } = read;
        for error in unknown.iter().take(MOST_TOLD) {
            tracing::warn!("{error}");
        }
        if unknown.len() > MOST_TOLD {
            tracing::warn!("and {} more need what no document wants", unknown.len() - MOST_TOLD);
        }
        let origins = items.iter().map(|item| (item.key.clone(), item.origin.clone())).collect();
        *self.origins.write().unwrap_or_else(PoisonError::into_inner) = origins;
        Update::All(items.into_iter().map(|item| (item.key, item.value)).collect())
    }
}

impl Store for FileStore {
    async fn next(&mut self) -> Result<Update, StoreError> {
        loop {
            let (look, kinds) = self.settled().await;
            let (engine, now) = (self.engine.clone(), look.clone());
            let read = blocking(move || read(&engine, &now)).await;
            // What changed while it was read is read again.
            if self.look().await != look && self.read.is_some() {
                continue;
            }
            self.read = Some((look, kinds));
            return Ok(match read {
                Ok(read) if self.references == UnknownReferences::Reject && !read.unknown.is_empty() => {
                    bad(&read.unknown)
                }
                Ok(read) => self.take(read),
                Err(errors) => bad(&errors.0),
            });
        }
    }
}

fn bad(errors: &[ConfigError]) -> Update {
    Update::Bad(errors.iter().map(ToString::to_string).collect())
}

/// What documents want.
pub(super) struct Read {
    pub(super) items: Vec<Written>,
    /// What they need and do not name.
    pub(super) unknown: Vec<ConfigError>,
}

/// The items of the documents, or all that is wrong with them.
pub(super) fn read(engine: &Engine, look: &Look) -> Result<Read, ConfigErrors> {
    let (documents, mut errors) = look.load();
    let items = engine.read(&documents).unwrap_or_else(|more| {
        errors.extend(more.0);
        Vec::new()
    });
    if !errors.is_empty() {
        return Err(ConfigErrors(errors));
    }
    Ok(Read { unknown: engine.unknown_references(&items), items })
}

/// Runs what waits for disks where that holds up nobody.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime ends, and with it who waits.
            Err(_) => std::future::pending().await,
        },
    }
}
