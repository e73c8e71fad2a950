//! Files as a store of desired state.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use vpp_agent_kernel::document::{ConfigError, ConfigErrors, Lists};

use super::look::Look;
use super::watch::Watch;
use super::{Origins, UnknownReferences};
use crate::documents::{Items, Reader};
use crate::{Engine, Store, StoreError, Update};

/// What documents say counts when a look this long after finds them as they were.
const SETTLED: Duration = Duration::from_millis(20);
/// Looks are so many times as far apart as they take. So events of what is beside the documents cost a twentieth of the time at
/// most, and what is saved behind such an event is seen at once.
const APART: u32 = 20;
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
    /// What was handed out last.
    applied: Option<Arc<Items>>,
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
            applied: None,
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
    async fn changed(&mut self) -> (Look, usize) {
        loop {
            let looked = Instant::now();
            let look = self.look().await;
            let next = Instant::now() + looked.elapsed() * APART;
            let kinds = self.engine.kinds().len();
            if self.read.as_ref().is_some_and(|read| read.0 == look && read.1 == kinds) {
                let timer = async {
                    match self.check_every {
                        Some(every) => tokio::time::sleep(every).await,
                        None => std::future::pending().await,
                    }
                };
                tokio::select! {
                    () = self.watch.changed() => tokio::time::sleep_until(next).await,
                    () = timer => {}
                }
            } else if self.watch.is_open(&look) {
                tokio::time::sleep(SETTLED).await;
            } else {
                return (look, kinds);
            }
        }
    }

    fn take(&mut self, items: Items) -> Update {
        let items = Arc::new(items);
        *self.origins.write().unwrap_or_else(PoisonError::into_inner) = items.clone();
        let wanted = items.iter().map(|item| (item.key.clone(), item.value.clone())).collect();
        self.applied = Some(items);
        Update::All(wanted)
    }
}

impl Store for FileStore {
    async fn next(&mut self) -> Result<Update, StoreError> {
        // What was read before is applied now: what it lacks is not what that has to wait for.
        if let Some(items) = self.applied.take().filter(|_| self.references == UnknownReferences::Pending) {
            let engine = self.engine.clone();
            tokio::task::spawn_blocking(move || tell(&engine.unknown_references(items.iter())));
        }
        loop {
            let (look, kinds) = self.changed().await;
            let (engine, references, now) = (self.engine.clone(), self.references, look.clone());
            let read = blocking(move || {
                let items = read(&engine, &now)?;
                let unknown = match references {
                    UnknownReferences::Pending => Vec::new(),
                    UnknownReferences::Reject => engine.unknown_references(items.iter()),
                };
                if unknown.is_empty() { Ok(items) } else { Err(ConfigErrors(unknown)) }
            });
            let read = match self.read {
                // Whoever starts finds what was written before.
                None => read.await,
                // It is read while it is seen whether it stays.
                Some(_) => {
                    let (read, ()) = tokio::join!(read, tokio::time::sleep(SETTLED));
                    if self.look().await != look || self.watch.is_open(&look) {
                        continue;
                    }
                    read
                }
            };
            self.read = Some((look, kinds));
            return Ok(match read {
                Ok(items) => self.take(items),
                Err(errors) => Update::Bad(errors.0.iter().map(ToString::to_string).collect()),
            });
        }
    }
}

/// Logs what documents need and do not name.
fn tell(unknown: &[ConfigError]) {
    for error in unknown.iter().take(MOST_TOLD) {
        tracing::warn!("{error}");
    }
    if unknown.len() > MOST_TOLD {
        tracing::warn!("and {} more need what no document wants", unknown.len() - MOST_TOLD);
    }
}

/// The items of the documents, or all that is wrong with them.
pub(super) fn read(engine: &Engine, look: &Look) -> Result<Items, ConfigErrors> {
    let mut reader = Reader::new(engine);
    let (documents, mut errors) = look.load(|section| reader.making(section));
    for Lists { node, made } in documents {
        reader.add(&node, made);
    }
    match reader.items() {
        Ok(items) if errors.is_empty() => Ok(items),
        items => {
            errors.extend(items.err().into_iter().flat_map(|more| more.0));
            Err(ConfigErrors(errors))
        }
    }
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
