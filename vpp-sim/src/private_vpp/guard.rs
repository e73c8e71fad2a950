//! Ends a private VPP whose owner died without saying so.
//!
//! The owner holds the writing end of a pipe. A shell waits for a line of it: one that comes means that the owner has
//! tidied up itself, the end of the pipe means that the owner is gone. `PR_SET_PDEATHSIG` would do the same only for the
//! thread that started the process, and setting it takes unsafe code.

use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Arguments: process id, folder, prefix in `/dev/shm`. The command line is compared because the id of a VPP that ended
/// long ago may belong to another process by now. A signal to the whole terminal must not end the guard first.
const SCRIPT: &str = r#"
trap '' HUP INT TERM
read -r line && exit
tr '\0' ' ' < "/proc/$1/cmdline" 2>/dev/null | grep -qF "$2" && kill -KILL "$1"
rm -rf "$2"
rm -f "/dev/shm/$3"-*
"#;

/// The waiting shell. Without one (no `sh`), a killed owner leaves its VPP behind; everything else works.
#[derive(Debug)]
pub(super) struct Guard(Option<Child>);

impl Guard {
    pub(super) fn watch(pid: u32, folder: &Path, prefix: &str) -> Self {
        let shell = Command::new("sh")
            .args(["-c", SCRIPT, "sh", &pid.to_string()])
            .arg(folder)
            .arg(prefix)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Self(shell.inspect_err(|error| tracing::warn!(%error, "no guard for a private VPP")).ok())
    }

    /// Ends the guard: its VPP is gone.
    pub(super) fn dismiss(self) {
        let Some(mut shell) = self.0 else { return };
        if let Some(pipe) = shell.stdin.as_mut() {
            // A guard that is gone needs no word.
            let _ = pipe.write_all(b"done\n");
        }
        // Closes the pipe, so the shell ends in any case.
        let _ = shell.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    #[test]
    fn the_end_of_the_pipe_ends_the_process_and_removes_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.keep();
        let file = path.join("startup.conf");
        std::fs::write(&file, "").unwrap();
        // The folder stands in its command line, as in VPP's.
        let mut child = Command::new("tail").arg("-f").arg(&file).spawn().unwrap();
        let mut guard = Guard::watch(child.id(), &path, "vpp-guard-test");
        let mut shell = guard.0.take().unwrap();
        drop(shell.stdin.take()); // the owner died
        shell.wait().unwrap();
        let started = Instant::now();
        while child.try_wait().unwrap().is_none() {
            assert!(started.elapsed() < Duration::from_secs(5), "still running");
            std::thread::sleep(Duration::from_millis(5));
        }
        assert!(!path.exists());
    }

    #[test]
    fn a_dismissed_guard_touches_nothing() {
        let folder = tempfile::tempdir().unwrap();
        Guard::watch(std::process::id(), folder.path(), "vpp-guard-test").dismiss();
        assert!(folder.path().exists());
    }
}
