//! Private instances of a real VPP, for tests.
//!
//! A [`PrivateVpp`] runs with a folder, sockets and a shared-memory prefix of its own, little memory, no huge pages and
//! no hardware, beside whatever else the machine runs. It needs no root.
//!
//! ```no_run
//! use vpp_sim::private_vpp::PrivateVpp;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let Some(binary) = PrivateVpp::find() else {
//!     return Ok(()); // and say that the test was skipped
//! };
//! let vpp = PrivateVpp::builder().binary(binary).api_trace(true).start()?;
//! assert!(vpp.cli("show version")?.starts_with("vpp v"));
//! vpp.stop();
//! # Ok(())
//! # }
//! ```
//!
//! # What is left behind
//!
//! Nothing: [`PrivateVpp::stop`] and `Drop` end the process and remove its folder and its files in `/dev/shm`. When the
//! program that started it dies without running `Drop` (a signal, an abort), a small guard process, which notices the
//! end of a pipe, does the same.

mod cli;
mod config;
mod guard;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;

pub use cli::CliError;
use config::Config;
use guard::Guard;

/// How long [`PrivateVppBuilder::start`] waits for the API socket unless told otherwise. An idle machine needs 0.4 s.
const START_TIMEOUT: Duration = Duration::from_secs(30);

/// The longest path of a folder that still leaves room for a socket's name in it (107 bytes in all).
const MAX_FOLDER_LEN: usize = 80;

/// Where sockets may always be put.
const SHORT_TEMP: &str = "/tmp";

/// Where VPP's shared memory appears.
const SHARED_MEMORY: &str = "/dev/shm";

/// A running private VPP. Ends with the value.
#[derive(Debug)]
pub struct PrivateVpp {
    binary: PathBuf,
    config: Config,
    folder: TempDir,
    process: Option<Process>,
    start_timeout: Duration,
}

/// The process and what ends it if we cannot.
#[derive(Debug)]
struct Process {
    child: Child,
    guard: Guard,
}

/// How a [`PrivateVpp`] is to run.
#[derive(Clone, Debug)]
pub struct PrivateVppBuilder {
    binary: Option<PathBuf>,
    plugins: Option<PathBuf>,
    api_trace: bool,
    extra: String,
    start_timeout: Duration,
}

/// Why there is no private VPP.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PrivateVppError {
    /// No binary was named and none was found.
    #[error("no VPP to start: set VPP_BIN to its binary, or put `vpp` into PATH")]
    NotFound,
    /// The file system refused something before VPP was started.
    #[error("cannot prepare a private VPP: {what} {}: {source}", path.display())]
    Prepare {
        /// What was tried.
        what: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The binary could not be run.
    #[error("cannot run {}: {source}; check VPP_BIN", binary.display())]
    Run {
        /// The binary.
        binary: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// VPP ended instead of opening its API socket.
    #[error("{} ended at start ({status}); its last words:\n{output}", binary.display())]
    Died {
        /// The binary.
        binary: PathBuf,
        /// How it ended.
        status: std::process::ExitStatus,
        /// The end of what it printed.
        output: String,
    },
    /// VPP runs but its API socket did not appear in time.
    #[error("{} did not open {} within {waited:?}; its last words:\n{output}", binary.display(), socket.display())]
    NotReady {
        /// The binary.
        binary: PathBuf,
        /// The socket.
        socket: PathBuf,
        /// How long was waited.
        waited: Duration,
        /// The end of what it printed.
        output: String,
    },
}

impl PrivateVpp {
    /// The VPP to start when none is named: what `VPP_BIN` holds, else the first `vpp` in `PATH`.
    #[must_use]
    pub fn find() -> Option<PathBuf> {
        if let Some(binary) = std::env::var_os("VPP_BIN").filter(|value| !value.is_empty()) {
            return Some(binary.into());
        }
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path).map(|folder| folder.join("vpp")).find(|file| file.is_file())
    }

    /// A builder with everything at its default.
    #[must_use]
    pub fn builder() -> PrivateVppBuilder {
        PrivateVppBuilder {
            binary: None,
            plugins: None,
            api_trace: false,
            extra: String::new(),
            start_timeout: START_TIMEOUT,
        }
    }

    /// Its API socket.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.config.api_socket
    }

    /// Its stats socket.
    #[must_use]
    pub fn stats_socket(&self) -> &Path {
        &self.config.stats_socket
    }

    /// Its CLI socket, for `vppctl -s`.
    #[must_use]
    pub fn cli_socket(&self) -> &Path {
        &self.config.cli_socket
    }

    /// Its folder. What is put here goes with it.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The binary it runs.
    #[must_use]
    pub fn binary(&self) -> &Path {
        &self.binary
    }

    /// Its process id, while it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(|process| process.child.id())
    }

    /// What it printed so far.
    #[must_use]
    pub fn output(&self) -> String {
        // Not every byte of a log must be text, and no log is no output.
        fs::read(&self.config.output)
            .map(|text| String::from_utf8_lossy(&text).into_owned())
            .unwrap_or_default()
    }

    /// Runs a CLI command over the API and gives what it prints. Blocks.
    ///
    /// # Errors
    ///
    /// When VPP does not run, does not answer within ten seconds, or says that the command failed.
    pub fn cli(&self, command: &str) -> Result<String, CliError> {
        cli::run(self.socket(), command)
    }

    /// Ends the process as a crash would, and keeps folder and configuration for [`PrivateVpp::start_again`].
    pub fn kill(&mut self) {
        if let Some(Process { mut child, guard }) = self.process.take() {
            // Either it has ended already, or it ends now.
            let _ = child.kill();
            let _ = child.wait();
            guard.dismiss();
        }
        self.remove_shared_memory();
    }

    /// Starts it again after [`PrivateVpp::kill`], on the same sockets.
    ///
    /// # Errors
    ///
    /// When it does not come up; see [`PrivateVppError`].
    pub fn start_again(&mut self) -> Result<(), PrivateVppError> {
        self.kill();
        for socket in [&self.config.api_socket, &self.config.cli_socket, &self.config.stats_socket] {
            // What a killed process leaves would look like a socket that is ready.
            let _ = fs::remove_file(socket);
        }
        self.spawn()
    }

    /// Ends the process and removes what it left. The same happens on drop.
    pub fn stop(self) {
        drop(self);
    }

    fn spawn(&mut self) -> Result<(), PrivateVppError> {
        let output = fs::File::create(&self.config.output)
            .and_then(|file| Ok((file.try_clone()?, file)))
            .map_err(prepare("create", &self.config.output))?;
        let child = Command::new(&self.binary)
            .arg("-c")
            .arg(&self.config.file)
            .stdin(Stdio::null())
            .stdout(output.0)
            .stderr(output.1)
            .spawn()
            .map_err(|source| PrivateVppError::Run { binary: self.binary.clone(), source })?;
        let guard = Guard::watch(child.id(), self.folder.path(), &self.config.prefix);
        self.process = Some(Process { child, guard });
        self.wait_until_ready()
    }

    fn wait_until_ready(&mut self) -> Result<(), PrivateVppError> {
        let started = Instant::now();
        loop {
            if std::os::unix::net::UnixStream::connect(&self.config.api_socket).is_ok() {
                return Ok(());
            }
            let ended = self.process.as_mut().map(|process| process.child.try_wait());
            if let Some(Ok(Some(status))) = ended {
                return Err(PrivateVppError::Died {
                    binary: self.binary.clone(),
                    status,
                    output: last_lines(&self.output(), 10),
                });
            }
            if started.elapsed() > self.start_timeout {
                return Err(PrivateVppError::NotReady {
                    binary: self.binary.clone(),
                    socket: self.config.api_socket.clone(),
                    waited: self.start_timeout,
                    output: last_lines(&self.output(), 10),
                });
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn remove_shared_memory(&self) {
        let own = format!("{}-", self.config.prefix);
        let Ok(entries) = fs::read_dir(SHARED_MEMORY) else { return };
        for entry in entries.flatten() {
            if entry.file_name().to_string_lossy().starts_with(&own) {
                // Another may have removed it meanwhile.
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

impl Drop for PrivateVpp {
    fn drop(&mut self) {
        self.kill();
    }
}

impl PrivateVppBuilder {
    /// The binary to run, instead of what [`PrivateVpp::find`] gives.
    #[must_use]
    pub fn binary(mut self, binary: impl Into<PathBuf>) -> Self {
        self.binary = Some(binary.into());
        self
    }

    /// The folder of its plugins, instead of the one beside the binary (`../lib/vpp_plugins`, `../lib/*/vpp_plugins`).
    #[must_use]
    pub fn plugins(mut self, folder: impl Into<PathBuf>) -> Self {
        self.plugins = Some(folder.into());
        self
    }

    /// Whether it records every API message it receives, for `api trace save-json FILE` on its CLI.
    #[must_use]
    pub fn api_trace(mut self, on: bool) -> Self {
        self.api_trace = on;
        self
    }

    /// More of `startup.conf`: appended as it is.
    #[must_use]
    pub fn config(mut self, sections: &str) -> Self {
        self.extra.push_str(sections);
        self.extra.push('\n');
        self
    }

    /// How long [`PrivateVppBuilder::start`] waits for the API socket. Default: 30 s.
    #[must_use]
    pub fn start_timeout(mut self, timeout: Duration) -> Self {
        self.start_timeout = timeout;
        self
    }

    /// Starts it and waits until its API socket takes connections. Blocks.
    ///
    /// # Errors
    ///
    /// When there is no binary, it cannot be run, ends at once, or does not open its socket; see [`PrivateVppError`].
    pub fn start(self) -> Result<PrivateVpp, PrivateVppError> {
        static COUNT: AtomicU32 = AtomicU32::new(0);

        let binary = self.binary.or_else(PrivateVpp::find).ok_or(PrivateVppError::NotFound)?;
        let parent = short_temp();
        let folder = tempfile::Builder::new()
            .prefix("vpp-")
            .tempdir_in(&parent)
            .map_err(prepare("make a folder in", &parent))?;
        let plugins = self.plugins.or_else(|| plugins_beside(&binary));
        let prefix = format!("vpp-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let config = Config::in_folder(folder.path(), prefix);
        let text = config.text(folder.path(), plugins.as_deref(), self.api_trace, &self.extra);
        fs::write(&config.file, text).map_err(prepare("write", &config.file))?;

        let start_timeout = self.start_timeout;
        let mut vpp = PrivateVpp { binary, config, folder, process: None, start_timeout };
        vpp.spawn()?;
        Ok(vpp)
    }
}

/// The temporary folder, or a shorter one when its path leaves no room for a socket's.
pub(crate) fn short_temp() -> PathBuf {
    let temp = std::env::temp_dir();
    if temp.as_os_str().len() > MAX_FOLDER_LEN { SHORT_TEMP.into() } else { temp }
}

/// The plugins of an installed or packaged VPP; `None` leaves the choice to VPP.
fn plugins_beside(binary: &Path) -> Option<PathBuf> {
    let binary = fs::canonicalize(binary).ok()?;
    let lib = binary.parent()?.parent()?.join("lib");
    let mut folders = vec![lib.join("vpp_plugins")];
    folders.extend(fs::read_dir(&lib).ok()?.flatten().map(|entry| entry.path().join("vpp_plugins")));
    folders.into_iter().find(|folder| folder.is_dir())
}

fn prepare<'a>(what: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> PrivateVppError + 'a {
    move |source| PrivateVppError::Prepare { what, path: path.to_owned(), source }
}

fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_binary_that_ends_is_an_error_with_its_last_words() {
        let folder = tempfile::tempdir().unwrap();
        let binary = folder.path().join("not-vpp");
        fs::write(&binary, "#!/bin/sh\necho cannot map memory >&2\nexit 3\n").unwrap();
        fs::set_permissions(&binary, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let error = PrivateVpp::builder().binary(&binary).start().unwrap_err();
        assert!(matches!(error, PrivateVppError::Died { .. }), "{error}");
        assert!(error.to_string().ends_with("cannot map memory"), "{error}");
    }

    #[test]
    fn a_binary_that_never_opens_its_socket_is_killed_and_leaves_no_folder() {
        let folder = tempfile::tempdir().unwrap();
        let binary = folder.path().join("sleeps");
        fs::write(&binary, "#!/bin/sh\nexec sleep 600\n").unwrap();
        fs::set_permissions(&binary, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let error = PrivateVpp::builder()
            .binary(&binary)
            .start_timeout(Duration::from_millis(50))
            .start()
            .unwrap_err();
        let PrivateVppError::NotReady { socket, .. } = &error else { panic!("{error}") };
        assert!(!socket.parent().unwrap().exists());
    }

    #[test]
    fn a_missing_binary_is_named() {
        let error = PrivateVpp::builder().binary("/nowhere/vpp").start().unwrap_err();
        assert!(error.to_string().starts_with("cannot run /nowhere/vpp"), "{error}");
    }
}
