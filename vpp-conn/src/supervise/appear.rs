//! Notices when something happens at a socket's path.
//!
//! inotify shortens the wait between attempts and does nothing else: where it does not work, or misses something (a
//! symbolic link that changes, an ancestor that moves), the next attempt comes by time.

use std::ffi::OsStr;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use rustix::io::Errno;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// The nearest folder above a path that exists, under watch for what leads to the path.
#[derive(Debug)]
pub(super) struct SocketWatch {
    path: PathBuf,
    events: AsyncFd<OwnedFd>,
    armed: Option<Armed>,
}

/// What is watched: `child` in a folder.
#[derive(Debug)]
struct Armed {
    watch: i32,
    child: Vec<u8>,
}

impl SocketWatch {
    /// Begins to watch.
    pub(super) fn new(path: &Path) -> io::Result<Self> {
        let events = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        // What replaces it is unsafe, for descriptors that may change under it; an `OwnedFd` does not.
        #[allow(deprecated)]
        let events = AsyncFd::with_interest(events, Interest::READABLE)?;
        let mut watch = Self { path: path.to_owned(), events, armed: None };
        watch.arm();
        Ok(watch)
    }

    /// Something happened at the path. Dropping the future loses nothing.
    pub(super) async fn changed(&mut self) {
        loop {
            if self.take() {
                return;
            }
            match self.events.readable().await {
                // Before reading: what comes after the last read sets it again.
                Ok(mut ready) => ready.clear_ready(),
                Err(_) => std::future::pending().await,
            }
            if self.take() {
                return;
            }
        }
    }

    /// Takes what has happened so far; says whether any of it was at the path.
    pub(super) fn take(&mut self) -> bool {
        let (mut seen, mut moved) = (false, false);
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut reader = inotify::Reader::new(self.events.get_ref(), &mut buffer);
        loop {
            let event = match reader.next() {
                Ok(event) => event,
                Err(Errno::INTR) => continue,
                Err(_) => break,
            };
            if event.events().contains(ReadFlags::QUEUE_OVERFLOW) {
                moved = true;
            }
            let Some(armed) = self.armed.as_ref().filter(|armed| armed.watch == event.wd()) else { continue };
            if event.events().intersects(ReadFlags::DELETE_SELF | ReadFlags::MOVE_SELF | ReadFlags::IGNORED) {
                moved = true;
            } else {
                // Without a name it is the folder itself, which may be open to this process now.
                seen |= event.file_name().is_none_or(|name| name.to_bytes() == armed.child);
            }
        }
        // The child may be a folder on the way.
        if seen || moved {
            self.arm();
        }
        seen || moved
    }

    /// Watches the nearest folder that exists.
    fn arm(&mut self) {
        let mut below = self.path.as_path();
        let mut found: Option<(i32, &Path)> = None;
        let mut folder = parent(below);
        while let Some(candidate) = folder {
            match inotify::add_watch(self.events.get_ref(), candidate, FLAGS) {
                Ok(watch) => {
                    // The same number as before, where the folder is the same.
                    if let Some((old, _)) = found.replace((watch, below)).filter(|(old, _)| *old != watch) {
                        self.forget(old);
                    }
                    // The folder below may have been made between the two looks.
                    let deeper = Some(below).filter(|below| *below != self.path && below.is_dir());
                    match deeper {
                        Some(deeper) => {
                            below = child_towards(&self.path, deeper);
                            folder = Some(deeper);
                        }
                        None => break,
                    }
                }
                Err(error) => {
                    if !matches!(error, Errno::NOENT | Errno::NOTDIR) {
                        tracing::debug!(folder = %candidate.display(), %error, "cannot watch for VPP's socket");
                    }
                    if found.is_some() {
                        break;
                    }
                    below = candidate;
                    folder = parent(candidate);
                }
            }
        }
        let armed = found.map(|(watch, below)| Armed {
            watch,
            child: below.file_name().map(OsStr::as_bytes).unwrap_or_default().to_vec(),
        });
        let old = std::mem::replace(&mut self.armed, armed);
        if let Some(old) = old.filter(|old| self.armed.as_ref().is_none_or(|armed| armed.watch != old.watch))
        {
            self.forget(old.watch);
        }
    }

    fn forget(&self, watch: i32) {
        // It is gone already where its folder is.
        let _gone = inotify::remove_watch(self.events.get_ref(), watch);
    }
}

const FLAGS: WatchFlags = WatchFlags::CREATE
    .union(WatchFlags::MOVED_TO)
    .union(WatchFlags::ATTRIB)
    .union(WatchFlags::DELETE_SELF)
    .union(WatchFlags::MOVE_SELF)
    .union(WatchFlags::ONLYDIR);

/// The folder of a path; the present one for a bare name.
fn parent(path: &Path) -> Option<&Path> {
    path.parent().map(|parent| if parent.as_os_str().is_empty() { Path::new(".") } else { parent })
}

/// The path's ancestor, or the path itself, that lies right in `folder`.
fn child_towards<'a>(path: &'a Path, folder: &Path) -> &'a Path {
    path.ancestors().find(|ancestor| parent(ancestor) == Some(folder)).unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::net::UnixListener;

    /// Whether anything is told; it has happened already, so there is nothing to wait for.
    fn told(watch: &mut SocketWatch) -> bool {
        watch.take()
    }

    #[tokio::test]
    async fn a_socket_that_is_made_again_is_told_each_time_and_nothing_else_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("api.sock");
        let mut watch = SocketWatch::new(&path).unwrap();
        for _ in 0..3 {
            assert!(!told(&mut watch));
            let socket = UnixListener::bind(&path).unwrap();
            watch.changed().await;
            fs::write(folder.path().join("other"), "x").unwrap();
            assert!(!told(&mut watch), "another file");
            drop(socket);
            fs::remove_file(&path).unwrap();
            let _gone = told(&mut watch);
        }
        UnixListener::bind(folder.path().join("made-elsewhere")).unwrap();
        assert!(!told(&mut watch));
        fs::rename(folder.path().join("made-elsewhere"), &path).unwrap();
        assert!(told(&mut watch), "moved into place");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o777);
        fs::set_permissions(&path, mode).unwrap();
        assert!(told(&mut watch), "permitted");
    }

    #[tokio::test]
    async fn folders_that_come_and_go_are_followed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run/vpp/api.sock");
        let mut watch = SocketWatch::new(&path).unwrap();
        for _ in 0..3 {
            fs::create_dir(folder.path().join("run")).unwrap();
            let _on_the_way = told(&mut watch);
            fs::create_dir(folder.path().join("run/vpp")).unwrap();
            let _on_the_way = told(&mut watch);
            assert!(!told(&mut watch));
            UnixListener::bind(&path).unwrap();
            assert!(told(&mut watch));
            fs::remove_dir_all(folder.path().join("run")).unwrap();
            // First the folder's end, then, from its parent, that of the parent.
            while told(&mut watch) {}
        }
        // All at once, before anything was read.
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        UnixListener::bind(&path).unwrap();
        assert!(told(&mut watch));
        fs::remove_file(&path).unwrap();
        while told(&mut watch) {}
        UnixListener::bind(&path).unwrap();
        assert!(told(&mut watch), "the folder is the one under watch now");
    }
}
