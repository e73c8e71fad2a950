//! The agent's process.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use libtest_mimic::Failed;
use tempfile::TempDir;

use crate::LONG;

/// The program under test.
const PROGRAM: &str = env!("CARGO_BIN_EXE_custom-cnf");

pub(super) struct Agent {
    folder: TempDir,
    probes: SocketAddr,
    child: Option<Child>,
}

impl Agent {
    /// Starts one beside a VPP, with this document as its file.
    pub(super) fn start(vpp: &Path, document: &str) -> Result<Self, Failed> {
        let folder = tempfile::tempdir()?;
        let probes = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let config = format!(
            "vpp:\n  socket: {}\nengine:\n  state: {}\nfile:\n  path: {}\nprobes:\n  listen: {probes}\n",
            vpp.display(),
            folder.path().join("state").display(),
            folder.path().join("router.yaml").display()
        );
        fs::write(folder.path().join("agent.yaml"), config)?;
        let mut agent = Self { folder, probes, child: None };
        agent.write(document)?;
        agent.start_again()?;
        Ok(agent)
    }

    pub(super) fn start_again(&mut self) -> Result<(), Failed> {
        let log = fs::File::options().create(true).append(true).open(self.log_file())?;
        let config = self.folder.path().join("agent.yaml");
        let child =
            Command::new(PROGRAM).arg("--config").arg(config).stdin(Stdio::null()).stderr(log).spawn()?;
        self.child = Some(child);
        Ok(())
    }

    /// Saves the file as editors do: another takes its place.
    pub(super) fn write(&self, document: &str) -> Result<(), Failed> {
        let new = self.folder.path().join(".router.yaml.new");
        fs::write(&new, document)?;
        Ok(fs::rename(new, self.folder.path().join("router.yaml"))?)
    }

    pub(super) fn runs(&mut self) -> bool {
        self.child.as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(None)))
    }

    /// Ends it as `kill -9` does.
    pub(super) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended by itself, which the test finds by other means.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Ends it in the orderly way.
    pub(super) fn stop(mut self) -> Result<(), Failed> {
        let mut child = self.child.take().ok_or("it does not run")?;
        let pid = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM)?;
        let status = child.wait()?;
        if status.success() { Ok(()) } else { Err(format!("{status}\n{}", self.log()).into()) }
    }

    /// Waits until this holds of what its readiness probe tells.
    pub(super) fn until_health(&mut self, holds: impl Fn(&str) -> bool) -> Result<(), Failed> {
        let started = Instant::now();
        loop {
            let text = self.get("/readyz").unwrap_or_else(|_| "waiting".to_owned());
            if holds(&text) {
                return Ok(());
            }
            if started.elapsed() > LONG || !self.runs() {
                return Err(format!("{text}\n{}", self.log()).into());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// One of its numbers, by name and labels.
    pub(super) fn metric(&self, name: &str) -> Result<f64, Failed> {
        let text = self.get("/metrics")?;
        let line = text.lines().find_map(|line| line.strip_prefix(name)).ok_or("no such metric")?;
        Ok(line.trim().parse()?)
    }

    fn get(&self, path: &str) -> std::io::Result<String> {
        let mut stream = TcpStream::connect(self.probes)?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: agent\r\nConnection: close\r\n\r\n")?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        Ok(text)
    }

    pub(super) fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("log")
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.kill();
    }
}

/// What the subcommand `plan` tells.
pub(super) fn plan(vpp: &Path, document: &str) -> Result<String, Failed> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("router.yaml");
    fs::write(&file, document)?;
    let output = Command::new(PROGRAM)
        .args(["--set", &format!("vpp.socket={}", vpp.display()), "plan"])
        .args(["--wait", &LONG.as_secs().to_string()])
        .arg(file)
        .output()?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr))
}
