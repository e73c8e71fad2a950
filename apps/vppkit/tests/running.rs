//! What the program does with a VPP: with the stand-in, and with a real one when there is a binary (`VPP_BIN`).
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod program;

use std::io::{BufRead, BufReader, Read};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use program::{Outcome, command, vppkit, with_input};
use serde_json::{Value, json};
use tempfile::TempDir;
use vpp_sim::private_vpp::PrivateVpp;
use vpp_sim::{Fault, Sim};

/// `vppkit sim`, as long as this lives.
struct StandIn {
    folder: TempDir,
    child: Child,
}

impl StandIn {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("api.sock");
        let mut child =
            command(&["sim", "--socket", socket.to_str().unwrap()]).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(
            line,
            format!(
                "standing in for VPP 26.06 at {}, statistics at {}; Ctrl-C ends it\n",
                socket.display(),
                socket.with_file_name("stats.sock").display()
            )
        );
        Self { folder, child }
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("api.sock")
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A real VPP; without one the test says by name that it did nothing.
fn real_vpp(test: &str) -> Option<PrivateVpp> {
    let Some(binary) = PrivateVpp::find() else {
        eprintln!("skipped: {test}: no VPP; set VPP_BIN");
        return None;
    };
    Some(PrivateVpp::builder().binary(binary).start().unwrap())
}

/// The program, talking to one VPP.
struct Peer<'a> {
    socket: &'a str,
}

impl<'a> Peer<'a> {
    fn at(socket: &'a Path) -> Self {
        Self { socket: socket.to_str().unwrap() }
    }

    fn run(&self, arguments: &[&str]) -> Outcome {
        vppkit(&[arguments, &["--socket", self.socket]].concat())
    }

    fn json(&self, arguments: &[&str]) -> Value {
        self.run(&[arguments, &["--json"]].concat()).json()
    }

    /// Starts `events`, which may take a moment to be subscribed.
    fn events(&self, arguments: &[&str]) -> Child {
        let mut command = command(&[&["events"], arguments, &["--socket", self.socket]].concat());
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }
}

fn everything(peer: &Peer<'_>) {
    calls(peer);
    dumps(peer);
    refusals(peer);
    confusions(peer);
    events(peer);
}

fn calls(peer: &Peer<'_>) {
    let version = peer.json(&["call", "show_version"]);
    assert_eq!(version["_msgname"], "show_version_reply");
    assert_eq!(version["program"], "vpe");
    assert!(version["version"].as_str().unwrap().starts_with("26.06"), "{version}");
    // The same, as text.
    let text = peer.run(&["call", "show_version"]).ok();
    assert!(text.starts_with("program          vpe\nversion          26.06"), "{text}");

    let fields = r#"{"mac_address": "02:fe:00:00:00:07"}"#;
    let reply = peer.json(&["call", "create_loopback", fields]);
    assert_eq!(reply["retval"], 0, "{reply}");
    // From standard input, with definitions of a release instead of VPP's own.
    let input = with_input(
        &["call", "create_loopback", "-", "--release", "26.06", "--socket", peer.socket],
        r#"{"mac_address": "02:fe:00:00:00:08"}"#,
    );
    assert_eq!(input.ok(), "sw_if_index  2\n");
    // A reply without anything to say.
    let up = r#"{"sw_if_index": 1, "flags": "IF_STATUS_API_FLAG_ADMIN_UP"}"#;
    assert_eq!(peer.run(&["call", "sw_interface_set_flags", up]).ok(), "");
}

fn dumps(peer: &Peer<'_>) {
    let interfaces = peer.json(&["dump", "sw_interface_dump"]);
    let addresses: Vec<_> =
        interfaces.as_array().unwrap().iter().map(|interface| &interface["l2_address"]).collect();
    assert_eq!(addresses, ["00:00:00:00:00:00", "02:fe:00:00:00:07", "02:fe:00:00:00:08"]);
    let table = peer.run(&["dump", "sw_interface_dump"]).ok();
    let lines: Vec<_> = table.lines().collect();
    assert_eq!(lines.len(), 4, "{table}");
    assert!(lines[0].starts_with(" sw_if_index  sup_sw_if_index  l2_address "), "{table}");
    assert!(lines[2].contains(" 02:fe:00:00:00:07 ") && !table.contains('\u{1b}'), "{table}");
    // A stream with nothing in it.
    assert_eq!(peer.json(&["dump", "bridge_domain_dump"]), json!([]));
    assert_eq!(peer.run(&["dump", "bridge_domain_dump"]).ok(), "");
}

fn refusals(peer: &Peer<'_>) {
    let up = r#"{"sw_if_index": 99, "flags": "IF_STATUS_API_FLAG_ADMIN_UP"}"#;
    let outcome = peer.run(&["call", "sw_interface_set_flags", up, "--json"]);
    let reply: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(reply["retval"], -2);
    assert_eq!(
        outcome.error(2),
        "sw_interface_set_flags: VPP refused: INVALID_SW_IF_INDEX (-2), interface index does not exist"
    );
}

fn confusions(peer: &Peer<'_>) {
    let error = |arguments: &[&str]| peer.run(arguments).error(1);
    assert_eq!(
        error(&["call", "sw_interface_dump"]),
        "sw_interface_dump is answered by many messages; use: vppkit dump sw_interface_dump"
    );
    assert_eq!(
        error(&["dump", "show_version"]),
        "show_version is answered by one message; use: vppkit call show_version"
    );
    assert_eq!(
        error(&["call", "sw_interface_details"]),
        "sw_interface_details is what VPP sends; use: vppkit dump sw_interface_dump"
    );
    assert_eq!(
        error(&["events", "want_interface_events"]),
        "want_interface_events subscribes to events; use: vppkit events sw_interface_event"
    );
    assert_eq!(
        error(&["call", "show_versoin"]),
        "the running VPP has no message show_versoin; did you mean show_version?"
    );
    let field = error(&["call", "create_loopback", r#"{"mac": "02:fe:00:00:00:07"}"#]);
    assert!(field.contains("mac: no such field; did you mean mac_address?"), "{field}");
}

fn events(peer: &Peer<'_>) {
    let mut watcher = peer.events(&["sw_interface_event", "--count", "2", "--timeout", "20", "--json"]);
    let mut lines = BufReader::new(watcher.stdout.take().unwrap());
    // Nothing tells when the subscription stands, so the interface goes up and down until its events are there.
    let text = std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut text = String::new();
            lines.read_to_string(&mut text).unwrap();
            text
        });
        while !reader.is_finished() {
            for flags in ["0", r#""IF_STATUS_API_FLAG_ADMIN_UP""#] {
                let fields = format!(r#"{{"sw_if_index": 2, "flags": {flags}}}"#);
                peer.run(&["call", "sw_interface_set_flags", &fields]).ok();
            }
        }
        reader.join().unwrap()
    });
    let events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events.len(), 2, "{events:?}");
    for event in events {
        assert_eq!((&event["_msgname"], &event["sw_if_index"]), (&json!("sw_interface_event"), &json!(2)));
        assert_eq!(event["pid"], watcher.id());
    }
    assert!(watcher.wait().unwrap().success());

    let outcome = peer.run(&["events", "sw_interface_event", "--count", "1", "--timeout", "0.2"]);
    assert_eq!(outcome.error(1), "sw_interface_event: 0 of 1 came in time");
    // Without a count, the end of the time is what was asked for.
    assert_eq!(peer.run(&["events", "sw_interface_event", "--timeout", "0.2"]).ok(), "");
}

#[test]
fn everything_on_the_stand_in() {
    let vpp = StandIn::start();
    everything(&Peer::at(&vpp.socket()));
}

#[test]
fn everything_on_a_real_vpp() {
    let Some(vpp) = real_vpp("everything_on_a_real_vpp") else { return };
    everything(&Peer::at(vpp.socket()));
}

#[test]
fn dumps_are_what_vpps_own_client_prints() {
    let Some(vpp) = real_vpp("dumps_are_what_vpps_own_client_prints") else { return };
    let vat2 = vpp.binary().with_file_name("vat2");
    if !vat2.is_file() {
        eprintln!("skipped: dumps_are_what_vpps_own_client_prints: no {}", vat2.display());
        return;
    }
    // VPP's client talks over shared memory, which the configuration names.
    let config = std::fs::read_to_string(vpp.folder().join("startup.conf")).unwrap();
    let (_, rest) = config.split_once("api-segment { prefix ").unwrap();
    let prefix = rest.split_whitespace().next().unwrap();
    let peer = Peer::at(vpp.socket());
    for _ in 0..2 {
        peer.run(&["call", "create_loopback"]).ok();
    }
    peer.run(&[
        "call",
        "sw_interface_set_flags",
        r#"{"sw_if_index": 1, "flags": "IF_STATUS_API_FLAG_ADMIN_UP"}"#,
    ])
    .ok();
    let address = r#"{"sw_if_index": 1, "is_add": true, "prefix": "10.0.0.1/24"}"#;
    peer.run(&["call", "sw_interface_add_del_address", address]).ok();

    let interfaces = json!({"sw_if_index": u32::MAX, "name_filter_valid": false, "name_filter": ""});
    for (dump, fields) in [
        ("sw_interface_dump", interfaces),
        ("ip_address_dump", json!({"sw_if_index": 1, "is_ipv6": false})),
        ("ip_route_dump", json!({"table": {"table_id": 0, "is_ip6": false, "name": ""}})),
        ("ip_table_dump", json!({})),
    ] {
        let fields = fields.to_string();
        let output = Command::new(&vat2).args(["-s", prefix, dump, &fields]).output().unwrap();
        let theirs: Value = serde_json::from_slice(&output.stdout).unwrap();
        let ours = peer.json(&["dump", dump, &fields]);
        assert!(ours.as_array().is_some_and(|all| !all.is_empty()), "{dump}");
        assert_same(dump, &ours, &theirs);
    }
}

/// Ours is theirs, but for what their form loses: an enum's value without a name, and union members nobody selected.
fn assert_same(path: &str, ours: &Value, theirs: &Value) {
    match (ours, theirs) {
        (Value::Number(_), Value::String(lost)) if lost == "Invalid ENUM" => {}
        (Value::Object(ours), Value::Object(theirs)) => {
            assert_eq!(ours.keys().collect::<Vec<_>>(), theirs.keys().collect::<Vec<_>>(), "{path}");
            for (name, theirs) in theirs {
                assert_same(&format!("{path}.{name}"), &ours[name], theirs);
            }
        }
        (Value::Array(ours), Value::Array(theirs)) => {
            assert_eq!(ours.len(), theirs.len(), "{path}");
            for (index, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
                assert_same(&format!("{path}[{index}]"), ours, theirs);
            }
        }
        _ => assert_eq!(ours, theirs, "{path}"),
    }
}

#[test]
fn a_signal_ends_the_stand_in_and_takes_its_socket_away() {
    let mut vpp = StandIn::start();
    let killed = Command::new("kill").args(["-TERM", &vpp.child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    assert!(vpp.child.wait().unwrap().success());
    assert!(!vpp.socket().exists());
}

#[test]
fn no_connection_is_exit_code_3_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("api.sock");
    let peer = Peer::at(&path);
    let error = peer.run(&["call", "show_version"]).error(3);
    assert!(error.contains(peer.socket) && error.contains("no socket at this path"), "{error}");

    let listener = UnixListener::bind(&path).unwrap();
    let closing = std::thread::spawn(move || drop(listener.accept()));
    let error = peer.run(&["call", "show_version"]).error(3);
    assert!(error.contains(peer.socket) && error.contains("not VPP's API socket"), "{error}");
    closing.join().unwrap();

    let error = peer.run(&["call", "show_version"]).error(3);
    assert!(error.contains(peer.socket) && error.contains("nobody listens"), "{error}");
}

#[test]
fn the_environment_may_name_the_socket() {
    let vpp = StandIn::start();
    let mut command = command(&["call", "show_version", "--json"]);
    let output = command.env("VPP_API_SOCKET", vpp.socket()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn a_vpp_that_does_not_tell_its_definitions_is_understood() {
    // Before 24.06 there is no such message; here it has a CRC nobody knows.
    let sim = Sim::release("26.06").crc("get_api_json", 1).start_blocking().unwrap();
    let peer = Peer::at(sim.socket());
    let outcome = peer.run(&["call", "show_version", "--json"]);
    assert_eq!(
        outcome.stderr,
        "note: this VPP does not tell its definitions (before 24.06); taking those of 26.06, which are most like it\n"
    );
    let reply: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!((outcome.code, &reply["program"]), (0, &json!("vpe")));
}

#[test]
fn no_message_is_sent_that_vpp_defines_otherwise_or_lacks() {
    let sim = Sim::release("26.06")
        .crc("show_threads", 0x1234)
        .without_module("nat44_ed")
        .start_blocking()
        .unwrap();
    let peer = Peer::at(sim.socket());
    assert_eq!(
        peer.run(&["call", "show_threads", "--release", "26.06"]).error(1),
        "this VPP has another show_threads: 00001234, where VPP 26.06 has 51077d14; \
         its own definition is used without --api-dir and --release"
    );
    assert_eq!(sim.calls("show_threads"), 0);
    assert_eq!(
        peer.run(&["dump", "nat44_user_dump", "--release", "26.06"]).error(1),
        "this VPP has no nat44_user_dump: module nat44_ed is not loaded, or is of another release"
    );
}

#[test]
fn a_vpp_that_goes_away_or_stays_silent_ends_the_program() {
    let sim = Sim::release("26.06").start_blocking().unwrap();
    let peer = Peer::at(sim.socket());
    sim.fault(Fault::drop_reply("show_version").once());
    let error = peer.run(&["call", "show_version", "--release", "26.06", "--timeout", "0.3"]).error(1);
    assert_eq!(error, "show_version: no answer within 300ms");

    let watcher = peer.events(&["sw_interface_event", "--release", "26.06"]);
    let begun = std::time::Instant::now();
    while sim.calls("want_interface_events") == 0 {
        assert!(begun.elapsed().as_secs() < 20, "it never subscribed");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    sim.crash();
    let output = watcher.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("connection to VPP lost"), "{error}");
}

#[test]
fn a_signal_ends_events_and_the_subscription() {
    let sim = Sim::release("26.06").start_blocking().unwrap();
    let peer = Peer::at(sim.socket());
    let watcher = peer.events(&["sw_interface_event", "--release", "26.06"]);
    let begun = std::time::Instant::now();
    while sim.calls("want_interface_events") == 0 {
        assert!(begun.elapsed().as_secs() < 20, "it never subscribed");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let told = Command::new("kill").args(["-INT", &watcher.id().to_string()]).status().unwrap();
    assert!(told.success());
    let output = watcher.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(sim.calls("want_interface_events"), 2);
    assert_eq!(sim.calls("sockclnt_delete"), 1);
}

#[test]
fn colours_come_when_they_are_asked_for() {
    let sim = Sim::release("26.06").start_blocking().unwrap();
    let peer = Peer::at(sim.socket());
    let dump = ["dump", "ip_table_dump", "--release", "26.06"];
    assert!(!peer.run(&dump).ok().contains('\u{1b}'));
    assert!(
        peer.run(&[&dump[..], &["--color", "always"]].concat()).ok().starts_with("\u{1b}[1m table.table_id")
    );
    let error = vppkit(&["encode", "nothing_at_all", "--color", "always"]);
    assert!(error.stderr.starts_with("\u{1b}["), "{error:?}");
}
