//! Files as a store of desired state.

use std::path::PathBuf;
use std::sync::PoisonError;
use std::time::Duration;

use vpp_agent_kernel::document::ConfigErrors;

use super::look::Look;
use super::watch::Watch;
use super::{Origins, UnknownReferences};
use crate::{Engine, Store, StoreError, Update, Written};

/// Documents that change are read when they have not changed for this long.
const SETTLED: Duration = Duration::from_millis(30);
/// At most so many references are told one by one.
const MOST_TOLD: usize = 10;

/// Documents at some paths: what they want now, and whenever they change.
pub struct FileStore {
    engine: Engine,
    paths: Vec<PathBuf>,
    watch: Watch,
    /// What was read last.
    read: Option<Look>,
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
    async fn settled(&mut self) -> Look {
        loop {
            let mut look = self.look().await;
            if self.read.as_ref() == Some(&look) {
                let timer = async {
                    match self.check_every {
                        Some(every) => tokio::time::sleep(every).await,
                        None => std::future::pending().await,
                    }
                };
                tokio::select! {
                    () = self.watch.changed() => {}
                    () = timer => {}
                }
                continue;
            }
            // Whoever starts finds what was written before.
            let started = self.read.is_none();
            while !started || self.watch.is_open() {
                tokio::time::sleep(SETTLED).await;
                let now = self.look().await;
                if now == look && !self.watch.is_open() {
                    break;
                }
                look = now;
            }
            if self.read.as_ref() != Some(&look) {
                return look;
            }
        }
    }

    fn take(&self, items: Vec<Written>) -> Update {
        if self.references == UnknownReferences::Pending {
            let unknown = self.engine.unknown_references(&items);
            for error in unknown.iter().take(MOST_TOLD) {
                tracing::warn!("{error}");
            }
            if unknown.len() > MOST_TOLD {
                tracing::warn!("and {} more need what no document wants", unknown.len() - MOST_TOLD);
            }
        }
        let origins = items.iter().map(|item| (item.key.clone(), item.origin.clone())).collect();
        *self.origins.write().unwrap_or_else(PoisonError::into_inner) = origins;
        Update::All(items.into_iter().map(|item| (item.key, item.value)).collect())
    }
}

impl Store for FileStore {
    async fn next(&mut self) -> Result<Update, StoreError> {
        loop {
            let look = self.settled().await;
            let (engine, references, now) = (self.engine.clone(), self.references, look.clone());
            let items = blocking(move || read(&engine, &now, references)).await;
            // What changed while it was read is read again.
            if self.look().await != look && self.read.is_some() {
                continue;
            }
            self.read = Some(look);
            return Ok(match items {
                Ok(items) => self.take(items),
                Err(errors) => Update::Bad(errors.to_string()),
            });
        }
    }
}

/// The items of the documents, or all that is wrong with them.
pub(super) fn read(
    engine: &Engine,
    look: &Look,
    references: UnknownReferences,
) -> Result<Vec<Written>, ConfigErrors> {
    let (documents, mut errors) = look.load();
    let items = engine.read(&documents).unwrap_or_else(|more| {
        errors.extend(more.0);
        Vec::new()
    });
    if !errors.is_empty() {
        return Err(ConfigErrors(errors));
    }
    if references == UnknownReferences::Reject {
        let unknown = engine.unknown_references(&items);
        if !unknown.is_empty() {
            return Err(ConfigErrors(unknown));
        }
    }
    Ok(items)
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
