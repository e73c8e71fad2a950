//! What the system tells about files.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use notify::event::{AccessKind, AccessMode, EventKind, ModifyKind};
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::Notify;

use super::look::Look;

/// For how long a file that was written to is taken to be open still, unless the system tells that it was closed. Some
/// file systems never do.
const OPEN_FOR: Duration = Duration::from_secs(2);

#[derive(Default)]
struct Activity {
    /// Files that were written to and not closed since, and when.
    open: Mutex<HashMap<PathBuf, Instant>>,
    wake: Notify,
}

/// Watches the directories in which something has to happen for the documents at some paths to change.
///
/// It only says when to look: what is there is for a look to tell. So nothing depends on which events come, and a file
/// system that sends none costs time and nothing else.
pub(super) struct Watch {
    /// `None`: the system gives no more watches.
    watcher: Option<RecommendedWatcher>,
    /// With device and inode: what comes back after it was removed is another directory.
    directories: HashMap<PathBuf, (u64, u64)>,
    activity: Arc<Activity>,
}

impl Watch {
    pub(super) fn new() -> Self {
        let activity = Arc::new(Activity::default());
        let told = activity.clone();
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            if let Ok(event) = event {
                told.take(&event);
            } else {
                told.wake.notify_one();
            }
        });
        let watcher = watcher.inspect_err(|error| {
            tracing::warn!("files are not watched, only looked at from time to time: {error}");
        });
        Self { watcher: watcher.ok(), directories: HashMap::new(), activity }
    }

    /// Watches what is to be watched now. What happens behind this wakes [`Watch::changed`].
    pub(super) fn watch(&mut self, paths: &[PathBuf]) {
        let Some(watcher) = &mut self.watcher else { return };
        let wanted = directories(paths);
        self.directories.retain(|path, known| {
            let keep = wanted.get(path) == Some(known);
            if !keep {
                // An error: the directory has gone, and its watch with it.
                let _ = watcher.unwatch(path);
            }
            keep
        });
        for (path, id) in wanted {
            if self.directories.contains_key(&path) {
                continue;
            }
            match watcher.watch(&path, RecursiveMode::NonRecursive) {
                Ok(()) => {
                    self.directories.insert(path, id);
                }
                // It may have gone meanwhile, of which the directory above tells.
                Err(error) => tracing::debug!(path = %path.display(), "cannot be watched: {error}"),
            }
        }
    }

    /// Something has happened since this was waited for last.
    pub(super) async fn changed(&self) {
        self.activity.wake.notified().await;
    }

    /// Whether somebody is writing to one of these documents.
    pub(super) fn is_open(&self, documents: &Look) -> bool {
        self.activity.open().keys().any(|path| documents.has(path))
    }
}

impl Activity {
    /// Those that are open still.
    fn open(&self) -> MutexGuard<'_, HashMap<PathBuf, Instant>> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, since| since.elapsed() < OPEN_FOR);
        open
    }

    fn take(&self, event: &notify::Event) {
        let mut open = self.open();
        match event.kind {
            EventKind::Modify(ModifyKind::Data(_)) => {
                open.extend(event.paths.iter().map(|path| (path.clone(), Instant::now())));
            }
            // A rename takes the file away from who writes it, or is the end of writing.
            EventKind::Access(AccessKind::Close(AccessMode::Write))
            | EventKind::Remove(_)
            | EventKind::Modify(ModifyKind::Name(_)) => open.retain(|path, _| !event.paths.contains(path)),
            // Reading changes nothing.
            EventKind::Access(_) => return,
            _ => {}
        }
        drop(open);
        self.wake.notify_one();
    }
}

/// For each path: itself if it is a directory, the one that it is in, and the same of what it points to; of what is not
/// there the nearest directory above that is.
fn directories(paths: &[PathBuf]) -> HashMap<PathBuf, (u64, u64)> {
    let mut found = HashMap::new();
    for path in paths {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
        let target = fs::canonicalize(&path).ok();
        for path in [Some(&path), target.as_ref()].into_iter().flatten() {
            add(path, &mut found);
            // The first that is there, and none above it.
            path.ancestors().skip(1).any(|above| add(above, &mut found));
        }
    }
    found
}

fn add(path: &Path, to: &mut HashMap<PathBuf, (u64, u64)>) -> bool {
    match fs::metadata(path) {
        Ok(directory) if directory.is_dir() => {
            to.insert(path.to_owned(), (directory.dev(), directory.ino()));
            true
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use notify::event::{DataChange, RenameMode};

    use super::*;

    #[test]
    fn a_document_is_open_until_its_writer_is_done() {
        let folder = tempfile::tempdir().expect("a folder");
        let (document, log) = (folder.path().join("a.yaml"), folder.path().join("log"));
        for path in [&document, &log] {
            fs::write(path, "").expect("written");
        }
        let look = Look::at(&[folder.path().to_owned()]);
        let watch = Watch { watcher: None, directories: HashMap::new(), activity: Arc::default() };
        let tell =
            |kind, path: &PathBuf| watch.activity.take(&notify::Event::new(kind).add_path(path.clone()));
        let written = EventKind::Modify(ModifyKind::Data(DataChange::Any));
        let ends = [
            EventKind::Access(AccessKind::Close(AccessMode::Write)),
            EventKind::Modify(ModifyKind::Name(RenameMode::To)),
        ];
        // Another file in the same directory is nobody's matter.
        tell(written, &log);
        for end in ends {
            assert!(!watch.is_open(&look));
            tell(written, &document);
            assert!(watch.is_open(&look), "{end:?}");
            tell(EventKind::Access(AccessKind::Close(AccessMode::Read)), &document);
            assert!(watch.is_open(&look), "{end:?}");
            tell(end, &document);
        }
        assert!(!watch.is_open(&look));
    }
}
