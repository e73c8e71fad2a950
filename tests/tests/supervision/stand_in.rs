//! A stand-in in a process of its own, which can be killed.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};

use libtest_mimic::Failed;
use tempfile::TempDir;
use vpp_sim::Sim;

use crate::processes::Vpp;

/// The argument that makes this program a stand-in.
const ROLE: &str = "--stand-in";

/// Few modules, so that it is there within milliseconds.
const MODULES: [&str; 8] =
    ["ethernet_types", "interface", "interface_types", "ip_types", "memclnt", "vlib", "vpe", "vpe_types"];

/// Stands in where this process was started for it, until its input ends: that is the end of who started it, too.
pub(super) fn main() -> Option<ExitCode> {
    let mut arguments = std::env::args().skip(1);
    if arguments.next()? != ROLE {
        return None;
    }
    let (socket, pins, shift) = (arguments.next()?, arguments.next()?, arguments.next()?.parse().ok()?);
    let api = vpp_schema::pins::read(Path::new(&pins)).expect("the pins are good");
    let _sim = Sim::api(api).socket(socket).shift_ids(shift).start_blocking().expect("the socket is free");
    let _end = std::io::stdin().read(&mut [0]);
    Some(ExitCode::SUCCESS)
}

/// A stand-in's process. Each of its lives gives messages other ids.
pub(super) struct StandIn {
    folder: TempDir,
    socket: PathBuf,
    lives: u16,
    child: Option<Child>,
}

/// Starts one.
pub(super) fn start() -> Result<StandIn, Failed> {
    let folder = tempfile::Builder::new().prefix("vpp-").tempdir_in("/tmp")?;
    let pins = Path::new(env!("CARGO_MANIFEST_DIR")).join("../api-json/26.06");
    std::fs::create_dir(folder.path().join("pins"))?;
    for module in MODULES {
        let file = format!("{module}.json");
        std::fs::copy(pins.join(&file), folder.path().join("pins").join(&file))?;
    }
    let socket = folder.path().join("api.sock");
    let mut stand_in = StandIn { folder, socket, lives: 0, child: None };
    stand_in.start_again()?;
    Ok(stand_in)
}

impl Vpp for StandIn {
    fn socket(&self) -> &Path {
        &self.socket
    }

    fn pid(&self) -> u32 {
        self.child.as_ref().map_or(0, Child::id)
    }

    fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ended = child.kill();
            let _ended = child.wait();
        }
    }

    /// Does not wait until it is ready.
    fn start_again(&mut self) -> Result<(), Failed> {
        self.lives += 1;
        let child = Command::new(std::env::current_exe()?)
            .arg(ROLE)
            .arg(&self.socket)
            .arg(self.folder.path().join("pins"))
            .arg((self.lives % 50).to_string())
            .stdin(Stdio::piped())
            .spawn()?;
        self.child = Some(child);
        Ok(())
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.kill();
    }
}
