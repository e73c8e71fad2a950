//! `vppkit top`: printed once, and on a terminal; on the stand-in, and on a real VPP when there is a binary (`VPP_BIN`).
#![cfg(feature = "top")]
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod program;

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use program::{command, vppkit};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::OFlags;
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};
use vpp_sim::Sim;
use vpp_sim::private_vpp::PrivateVpp;

/// What switches to the other screen of a terminal, and back.
const ENTER: &str = "\x1b[?1049h";
const LEAVE: &str = "\x1b[?1049l";

/// How long a text may take. A program that does not write it fails the test, and does not hold it up.
const PATIENCE: Duration = Duration::from_secs(30);

fn sim_with_loopback() -> Sim {
    let sim = Sim::release("26.06").start_blocking().unwrap();
    vppkit(&["call", "create_loopback", "--socket", sim.socket().to_str().unwrap()]).ok();
    sim
}

fn sockets(sim: &Sim) -> [&str; 4] {
    ["--socket", sim.socket().to_str().unwrap(), "--stats-socket", sim.stats_socket().to_str().unwrap()]
}

fn once(sim: &Sim, arguments: &[&str]) -> String {
    vppkit(&[&["top", "--once", "--interval", "0.2"], &sockets(sim)[..], arguments].concat()).ok()
}

#[test]
fn one_frame_is_printed_for_pipes() {
    let sim = sim_with_loopback();
    sim.count_rx("loop0", 1_500, 90_000);
    sim.count_error("ip4-input", "ip4 ttl <= 1", 7);
    let text = once(&sim, &[]);
    let lines: Vec<_> = text.lines().collect();
    assert!(lines[0].starts_with(" VPP 26.06-release  up "), "{text}");
    assert!(lines[0].contains(" s  0 workers  vectors/call 0"), "{text}");
    assert_eq!(lines.len(), 5, "{text}");
    assert!(lines[3].starts_with(" local0 ") && lines[4].starts_with(" loop0 "), "{text}");
    assert!(!text.contains('\x1b'), "{text}");
    let wide = command(&[&["top", "--once", "--interval", "0.1"], &sockets(&sim)[..]].concat())
        .env("COLUMNS", "130")
        .output()
        .unwrap();
    let wide = String::from_utf8(wide.stdout).unwrap();
    assert!(wide.contains("rx pkts") && wide.contains("1.50k"), "{wide}");
    assert!(!once(&sim, &["--filter", "LOCAL"]).contains("loop0"));
    let errors = once(&sim, &["--view", "errors"]);
    let line = errors.lines().find(|line| line.contains("ip4 ttl <= 1")).unwrap();
    assert!(line.starts_with(" ip4-input ") && line.ends_with(" 7"), "{errors}");
    assert!(once(&sim, &["--view", "nodes"]).contains("VPP does not count by node"));
    let client = once(&sim, &["--view", "client"]);
    assert!(client.contains("connection    number 1") && client.contains("last ping"), "{client}");
}

#[test]
fn what_cannot_be_shown_is_said() {
    let error =
        vppkit(&["top", "--once", "--socket", "/nowhere/a.sock", "--stats-socket", "/nowhere/b.sock"]);
    assert!(error.error(3).starts_with("cannot read VPP's statistics at /nowhere/b.sock"));
    assert!(vppkit(&["top"]).error(1).starts_with("top needs a terminal; --once prints"));
    assert!(vppkit(&["top", "--once", "--json"]).error(1).contains("vppkit stats --watch --json"));
}

/// The program on a terminal of its own.
struct Terminal {
    child: Child,
    master: File,
    slave: OwnedFd,
    /// What it wrote.
    seen: String,
}

impl Terminal {
    /// `vppkit top`, twenty frames a second.
    fn top(sim: &Sim) -> Self {
        Self::start(&[&["top", "--interval", "0.05"], &sockets(sim)[..]].concat(), 80, 24)
    }

    fn start(arguments: &[&str], columns: u16, rows: u16) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        // Not this process's own terminal.
        let flags = i32::try_from(OFlags::NOCTTY.bits()).unwrap();
        let open = || {
            let mut options = File::options();
            options.read(true).write(true).custom_flags(flags).open(name.to_str().unwrap()).unwrap()
        };
        let slave = open();
        let mut terminal = Self {
            child: {
                // The program asks its controlling terminal for the size, which is not to be that of who runs the test.
                let vppkit = command(arguments);
                let mut program = Command::new("setsid");
                program.arg("-c").arg(vppkit.get_program()).args(vppkit.get_args());
                program.env("TERM", "xterm-256color").env_remove("NO_COLOR").env_remove("RUST_LOG");
                let stdio = || Stdio::from(open());
                program.stdin(stdio()).stdout(stdio()).stderr(stdio());
                resize(&slave, columns, rows);
                program.spawn().unwrap()
            },
            master: File::from(master),
            slave: slave.into(),
            seen: String::new(),
        };
        terminal.seen.reserve(1 << 16);
        terminal
    }

    /// Waits until it has written a text behind what was waited for before.
    fn wait_for(&mut self, text: &str) {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(at) = self.seen.find(text) {
                self.seen.drain(..at + text.len());
                return;
            }
            assert!(self.read(until), "{text:?} did not come: {:?}", self.seen);
        }
    }

    /// Reads what it writes next; false if it is too late for that.
    fn read(&mut self, until: Instant) -> bool {
        let mut ready = [PollFd::new(&self.master, PollFlags::IN)];
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() || poll(&mut ready, Some(&left.try_into().unwrap())).unwrap() == 0 {
            return false;
        }
        let mut bytes = [0; 4096];
        let len = self.master.read(&mut bytes).unwrap_or_else(|error| panic!("{error}: {:?}", self.seen));
        self.seen += &String::from_utf8_lossy(&bytes[..len]);
        true
    }

    fn press(&mut self, keys: &str) {
        self.master.write_all(keys.as_bytes()).unwrap();
    }

    /// Whether lines are read as a shell wants them: with echo, and only when they are complete.
    fn is_as_before(&self) -> bool {
        tcgetattr(&self.slave).unwrap().local_modes.contains(LocalModes::ECHO | LocalModes::ICANON)
    }

    /// Waits for the end, which gives the terminal back.
    fn end(mut self) -> i32 {
        self.wait_for(LEAVE);
        let status = self.child.wait().unwrap();
        assert!(self.is_as_before());
        status.code().unwrap()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn resize(terminal: impl std::os::fd::AsFd, columns: u16, rows: u16) {
    let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(terminal, size).unwrap();
}

#[test]
fn it_lives_on_a_terminal_over_a_restart_of_vpp() {
    let sim = sim_with_loopback();
    let mut terminal = Terminal::top(&sim);
    terminal.wait_for(ENTER);
    terminal.wait_for("loop0");
    assert!(!terminal.is_as_before());
    // Only what changed is written: no screen is cleared once it runs.
    terminal.seen.clear();
    terminal.press("4");
    terminal.wait_for("socket");
    assert!(!terminal.seen.contains("\x1b[2J"), "{:?}", terminal.seen);
    terminal.press("1");
    terminal.wait_for("local0");
    sim.crash();
    terminal.wait_for("away since");
    sim.start_again().unwrap();
    terminal.press("4");
    terminal.wait_for("number");
    // The next frame has the new size.
    resize(&terminal.slave, 140, 40);
    terminal.press("1");
    terminal.wait_for("rx pkts");
    terminal.press("q");
    assert_eq!(terminal.end(), 0);
}

/// Both wake the program at once then, and neither may hide the other.
#[test]
fn no_key_is_lost_while_the_terminal_changes_its_size() {
    let sim = sim_with_loopback();
    let mut terminal = Terminal::top(&sim);
    terminal.wait_for("loop0");
    for columns in 80..180 {
        resize(&terminal.slave, columns, 24);
        let (key, text) = if columns % 2 == 0 { ("4", "number") } else { ("1", "loop0") };
        terminal.press(key);
        terminal.wait_for(text);
    }
}

#[test]
fn signals_and_control_c_give_the_terminal_back() {
    let sim = sim_with_loopback();
    let arguments = [&["top"], &sockets(&sim)[..]].concat();
    for signal in [Some(Signal::TERM), Some(Signal::INT), Some(Signal::HUP), None] {
        let mut terminal = Terminal::start(&arguments, 80, 24);
        terminal.wait_for("loop0");
        match signal {
            Some(signal) => kill_process(Pid::from_child(&terminal.child), signal).unwrap(),
            None => terminal.press("\x03"),
        }
        assert_eq!(terminal.end(), 0, "{signal:?}");
    }
}

#[test]
fn it_ends_with_its_terminal() {
    let sim = sim_with_loopback();
    let mut terminal = Terminal::top(&sim);
    terminal.wait_for("loop0");
    let nowhere = || File::options().read(true).write(true).open("/dev/null").unwrap();
    terminal.slave = nowhere().into();
    terminal.master = nowhere();
    let until = Instant::now() + PATIENCE;
    while terminal.child.try_wait().unwrap().is_none() {
        assert!(Instant::now() < until, "it goes on without a terminal");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn watched_statistics_fit_the_terminal() {
    let sim = sim_with_loopback();
    let arguments = ["stats", "/if/", "--watch=0.05", "--stats-socket", sim.stats_socket().to_str().unwrap()];
    let mut terminal = Terminal::start(&arguments, 40, 10);
    // A name, seven rows, and what says that there are more; the cursor has the last line.
    terminal.wait_for("\x1b[H");
    terminal.wait_for("\x1b[J");
    terminal.wait_for("\x1b[H");
    let until = Instant::now() + PATIENCE;
    while !terminal.seen.contains("\x1b[J") {
        assert!(terminal.read(until), "{:?}", terminal.seen);
    }
    let frame = terminal.seen.split("\x1b[J").next().unwrap();
    assert_eq!(frame.matches('\n').count(), 9, "{frame:?}");
    assert!(frame.contains("more; a pattern"), "{frame:?}");
}

#[test]
fn a_real_vpp_is_shown() {
    const TEST: &str = "a_real_vpp_is_shown";
    let Some(binary) = PrivateVpp::find() else {
        eprintln!("skipped: {TEST}: no VPP; set VPP_BIN");
        return;
    };
    let config = "statseg { per-node-counters on update-interval 0.2 }";
    let vpp = PrivateVpp::builder().binary(&binary).config(config).start().unwrap();
    for line in
        ["create loopback interface", "create loopback interface", "delete loopback interface intfc loop0"]
    {
        vpp.cli(line).unwrap();
    }
    let [api, stats] = [vpp.socket(), vpp.stats_socket()].map(|path| path.to_str().unwrap());
    let once = |view: &str| {
        vppkit(&["top", "--once", "--view", view, "--socket", api, "--stats-socket", stats]).ok()
    };
    let text = once("interfaces");
    let names: Vec<_> = text.lines().skip(3).map(|line| line.split_whitespace().next().unwrap()).collect();
    assert_eq!(names, ["local0", "loop1"], "one that was deleted is none: {text}");
    assert!(text.lines().next().unwrap().contains("workers"), "{text}");
    // Processes of VPP's run all the time.
    let nodes = once("nodes");
    assert!(nodes.contains("clocks") && nodes.lines().count() > 5, "{nodes}");
    let client = once("client");
    assert!(client.contains("answered") && client.contains("last ping"), "{client}");
}

/// The stand-in's statistics are those of a VPP that did the same.
#[test]
fn the_stand_in_counts_as_a_real_vpp() {
    const TEST: &str = "the_stand_in_counts_as_a_real_vpp";
    let Some(binary) = PrivateVpp::find() else {
        eprintln!("skipped: {TEST}: no VPP; set VPP_BIN");
        return;
    };
    let vpp = PrivateVpp::builder().binary(&binary).start().unwrap();
    let sim = Sim::release("26.06").start_blocking().unwrap();
    let [real, made] = [[vpp.socket(), vpp.stats_socket()], [sim.socket(), sim.stats_socket()]]
        .map(|sockets| sockets.map(|path| path.to_str().unwrap().to_owned()));
    let told = |[api, stats]: &[String; 2]| {
        for (request, fields) in [
            ("create_loopback", "{}"),
            ("create_loopback", "{}"),
            ("create_loopback", "{}"),
            ("delete_loopback", r#"{"sw_if_index": 1}"#),
            ("delete_loopback", r#"{"sw_if_index": 3}"#),
            ("sw_interface_set_interface_name", r#"{"sw_if_index": 2, "name": "renamed"}"#),
            ("create_loopback_instance", r#"{"is_specified": true, "user_instance": 9}"#),
        ] {
            vppkit(&["call", request, fields, "--socket", api]).ok();
        }
        vppkit(&["stats", "--stats-socket", stats, "/if/", "/interfaces/", "--json"]).json()
    };
    let sorted = |entries: serde_json::Value| {
        let mut entries = entries.as_array().unwrap().clone();
        entries.sort_by_key(|entry| entry["name"].to_string());
        entries
    };
    let (real, made) = (sorted(told(&real)), sorted(told(&made)));
    for (real, made) in real.iter().zip(&made) {
        assert_eq!(real, made);
    }
    assert_eq!(real.len(), made.len());
}
