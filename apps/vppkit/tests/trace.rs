//! Recorded messages: shown, and sent again.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod program;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use program::{command, vppkit};
use serde_json::{Value, json};
use vpp_conn::MessageTable;
use vpp_conn::trace::ApiTrace;
use vpp_sim::Sim;
use vpp_sim::private_vpp::PrivateVpp;

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// What a VPP would have recorded of a client that makes two loopbacks and asks for them. Its ids are not those of any
/// VPP here.
fn recorded() -> Vec<u8> {
    let table = MessageTable::new([
        (2, "memclnt_delete_7e1c04e3"),
        (300, "create_loopback_42bb5d22"),
        (301, "sw_interface_dump_aa610c27"),
        (302, "control_ping_51077d14"),
        (303, "made_up_00000001"),
    ]);
    let head =
        |id: u16, context: u32| [&id.to_be_bytes()[..], &[0x80, 0, 0, 1], &context.to_be_bytes()].concat();
    let loopback = |context, last: u8| [head(300, context), vec![2, 0xfe, 0, 0, 0, last]].concat();
    let dump = [head(301, 9), vec![0xff; 4], vec![0; 6]].concat();
    let messages =
        [loopback(7, 1), loopback(8, 2), dump, head(302, 9), head(2, 0), vec![1, 47, 9], vec![5, 5, 1]];
    ApiTrace::write(&table, messages.iter().map(Vec::as_slice), false).unwrap()
}

fn file_with(content: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("api.trace");
    std::fs::write(&file, content).unwrap();
    (folder, file)
}

#[test]
fn a_trace_is_shown_line_by_line() {
    let (_folder, file) = file_with(&recorded());
    let shown = vppkit(&["trace", text(&file)]).ok();
    let lines: Vec<_> = shown.lines().collect();
    assert_eq!(
        lines[..4],
        [
            r#"     0  80000001           7  create_loopback  {"mac_address":"02:fe:00:00:00:01"}"#,
            r#"     1  80000001           8  create_loopback  {"mac_address":"02:fe:00:00:00:02"}"#,
            r#"     2  80000001           9  sw_interface_dump  {"sw_if_index":4294967295,"name_filter_valid":false,"name_filter":""}"#,
            "     3  80000001           9  control_ping  ",
        ]
    );
    // What the definitions do not have is shown as it is.
    assert_eq!(lines[5], "     5                        made_up  012f09 (not among the definitions)");
    assert_eq!(lines[6], "     6                        message 1285  050501 (not among the definitions)");
    assert_eq!(lines.len(), 7);

    let first = vppkit(&["trace", text(&file), "--json", "--count", "1"]).json();
    assert_eq!(
        first,
        json!({
            "_msgname": "create_loopback", "_crc": "42bb5d22", "_vl_msg_id": 300, "client_index": 0x8000_0001_u32,
            "context": 7, "mac_address": "02:fe:00:00:00:01",
        })
    );
}

#[test]
fn a_trace_is_sent_again_with_other_ids() {
    let (folder, file) = file_with(&recorded());
    let sim = Sim::release("26.06").start_blocking().unwrap();
    let socket = text(sim.socket());
    let outcome = vppkit(&["replay", text(&file), "--socket", socket, "--keep-going"]);
    assert_eq!(
        outcome.stdout.lines().collect::<Vec<_>>(),
        [
            r#"     0  done     create_loopback  {"sw_if_index":1}"#,
            r#"     1  done     create_loopback  {"sw_if_index":2}"#,
            r#"     2  done     sw_interface_dump  {"details":3}"#,
            "     3  done     control_ping  {\"client_index\":",
        ]
        .iter()
        .zip(outcome.stdout.lines())
        // Which index a client has is VPP's matter.
        .map(|(expected, line)| if line.starts_with(expected) { line } else { expected })
        .chain([
            "     4  skipped  memclnt_delete  is about the connection it came over",
            "     5  failed   made_up  this VPP has no made_up; the plugin that defines it is not loaded, or its release is another",
            "     6  failed   message 1285  this VPP has no message 1285; the plugin that defines it is not loaded, or its release is another",
        ])
        .collect::<Vec<_>>()
    );
    assert_eq!(outcome.code, 1, "{outcome:?}");
    assert!(
        outcome
            .stderr
            .starts_with("note: 4 done, 2 failed, 1 skipped\nerror: message 5: this VPP has no made_up"),
        "{outcome:?}"
    );
    assert_eq!(sim.calls("create_loopback"), 2);

    // The JSON form is sent as well; a refusal ends it with the exit code of refusals.
    let json = vppkit(&["trace", text(&file), "--json", "--count", "2"]).ok();
    let lines = folder.path().join("api.jsonl");
    std::fs::write(&lines, &json).unwrap();
    let outcome = vppkit(&["replay", text(&lines), "--socket", socket]);
    assert_eq!((outcome.code, sim.calls("create_loopback")), (0, 4), "{outcome:?}");
    let delete = r#"[{"_msgname": "delete_loopback", "_crc": "f9e6675e", "sw_if_index": 77}]"#;
    std::fs::write(&lines, delete).unwrap();
    let outcome = vppkit(&["replay", text(&lines), "--socket", socket]);
    assert_eq!(outcome.code, 2, "{outcome:?}");
    assert!(outcome.stderr.contains("error: message 0: delete_loopback: VPP refused: "), "{outcome:?}");
}

#[test]
fn what_is_no_trace_is_said() {
    let (_folder, file) = file_with(&recorded()[..40]);
    let error = vppkit(&["trace", text(&file)]).error(1);
    assert!(error.contains("ends within the message table, at byte 9: the file was cut off"), "{error}");
    std::fs::write(&file, r#"[{"sw_if_index": 1}]"#).unwrap();
    let error = vppkit(&["replay", text(&file)]).error(1);
    assert!(error.ends_with(r#"a message has no _msgname: {"sw_if_index":1}"#), "{error}");
    assert!(vppkit(&["trace"]).stderr.contains("FILE"));
}

/// A real VPP that records; without one the test says by name that it did nothing.
fn real_vpp(test: &str) -> Option<PrivateVpp> {
    let Some(binary) = PrivateVpp::find() else {
        eprintln!("skipped: {test}: no VPP; set VPP_BIN");
        return None;
    };
    Some(PrivateVpp::builder().binary(binary).api_trace(true).start().unwrap())
}

/// A file that VPP itself writes. It takes a name only, and writes to /tmp.
struct VppFile(PathBuf);

impl VppFile {
    fn save(vpp: &PrivateVpp, command: &str) -> Self {
        let name = format!("vppkit-{}-{}", std::process::id(), command.replace(' ', "-"));
        let said = vpp.cli(&format!("{command} {name}")).unwrap();
        let path = Path::new("/tmp").join(name);
        assert!(said.contains("API trace saved to"), "{said}");
        Self(path)
    }
}

impl Drop for VppFile {
    fn drop(&mut self) {
        // Nothing is lost where it is gone already.
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn what_a_real_vpp_recorded_is_shown_and_does_the_same_to_another() {
    let Some(first) = real_vpp("what_a_real_vpp_recorded_is_shown_and_does_the_same_to_another") else {
        return;
    };
    let vppkit_at = |vpp: &PrivateVpp, arguments: &[&str]| {
        vppkit(&[arguments, &["--socket", text(vpp.socket())]].concat())
    };
    vppkit_at(&first, &["call", "create_loopback", r#"{"mac_address": "02:fe:00:00:00:07"}"#]).ok();
    let up = r#"{"sw_if_index": 1, "flags": "IF_STATUS_API_FLAG_ADMIN_UP"}"#;
    vppkit_at(&first, &["call", "sw_interface_set_flags", up]).ok();
    let address = r#"{"sw_if_index": 1, "is_add": true, "prefix": "10.7.0.1/24"}"#;
    vppkit_at(&first, &["call", "sw_interface_add_del_address", address]).ok();
    vppkit_at(&first, &["dump", "sw_interface_dump"]).ok();

    let (binary, json) =
        (VppFile::save(&first, "api trace save"), VppFile::save(&first, "api trace save-json"));
    let lines = vppkit(&["trace", "--json", text(&binary.0)]).ok();
    let ours: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let theirs: Vec<Value> = serde_json::from_slice(&std::fs::read(&json.0).unwrap()).unwrap();
    let name = |message: &Value| message["_msgname"].as_str().unwrap().to_owned();
    // The one that was saved later holds the command that saved the other.
    assert_eq!(ours.len() + 1, theirs.len());
    for (ours, theirs) in ours.iter().zip(&theirs) {
        assert_eq!(name(ours), name(theirs));
        for (field, value) in theirs.as_object().unwrap() {
            // VPP prints enumerators of some flags by name, where they are a number; both are read.
            if field != "_crc" && !value.is_array() {
                assert_eq!(&ours[field], value, "{}.{field}", name(ours));
            }
        }
    }

    let second = real_vpp("").unwrap();
    for (file, vpp) in [(&binary, &second), (&json, &real_vpp("").unwrap())] {
        let outcome = vppkit_at(vpp, &["replay", text(&file.0)]);
        assert_eq!(outcome.code, 0, "{outcome:?}");
        for command in ["show interface", "show interface address", "show ip fib 10.7.0.0/24"] {
            assert_eq!(vpp.cli(command).unwrap(), first.cli(command).unwrap(), "{command}");
        }
    }

    // VPP reads the file that we write.
    let trace = ApiTrace::parse(std::fs::read(&binary.0).unwrap().into()).unwrap();
    let written = ApiTrace::write(trace.table(), trace.messages().iter().map(|m| &m[..]), false).unwrap();
    let (_folder, file) = file_with(&written);
    let read = second.cli(&format!("api trace tojson {}", file.display())).unwrap();
    assert!(read.contains("sw_interface_add_del_address") && read.contains("10.7.0.1/24"), "{read}");
}

#[test]
fn what_clients_send_to_a_real_vpp_is_shown_as_it_comes() {
    let Some(vpp) = real_vpp("what_clients_send_to_a_real_vpp_is_shown_as_it_comes") else { return };
    vpp.cli("api trace off").unwrap();
    let socket = text(vpp.socket());
    let mut watcher = command(&["trace", "--live", "--json", "--count", "1", "--socket", socket])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let begun = std::time::Instant::now();
    while !vpp.cli("api trace status").unwrap().contains("is enabled") {
        assert!(begun.elapsed().as_secs() < 20, "it never began");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    // It may not have seen yet how far the trace is; what comes later it sees for sure.
    let seen = std::thread::scope(|scope| {
        let line = scope.spawn(|| {
            let mut line = String::new();
            BufReader::new(watcher.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
            line
        });
        while !line.is_finished() {
            assert!(begun.elapsed().as_secs() < 40, "it never showed anything");
            vppkit(&["call", "show_version", "--release", "26.06", "--socket", socket]).ok();
        }
        line.join().unwrap()
    });
    assert!(seen.contains("_msgname"), "{seen}");
    assert!(watcher.wait().unwrap().success());
    assert!(!vpp.cli("api trace status").unwrap().contains("is enabled"), "it is off again");
}

/// What an invocation exchanged is written, shown, and sent again.
#[test]
fn an_invocation_writes_its_own_trace() {
    let sim = Sim::release("26.06").start_blocking().unwrap();
    writes_its_own_trace(text(sim.socket()));
}

#[test]
fn an_invocation_writes_its_own_trace_of_a_real_vpp() {
    let Some(binary) = PrivateVpp::find() else {
        eprintln!("skipped: an_invocation_writes_its_own_trace_of_a_real_vpp: no VPP; set VPP_BIN");
        return;
    };
    let vpp = PrivateVpp::builder().binary(binary).start().unwrap();
    writes_its_own_trace(text(vpp.socket()));
}

/// Not at its end, which a program that is killed does not come to.
#[test]
fn an_invocation_that_is_killed_leaves_its_trace() {
    let sim = Sim::release("26.06").start_blocking().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("events");
    let socket = text(sim.socket());
    let mut program = command(&["events", "sw_interface_event", "--socket", socket, "--trace", text(&file)])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let begun = std::time::Instant::now();
    let names = || -> Vec<String> {
        let written = std::fs::read_to_string(&file).unwrap_or_default();
        let messages = written.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        messages.map(|message| message["_msgname"].as_str().unwrap_or_default().to_owned()).collect()
    };
    while !names().iter().any(|name| name == "want_interface_events_reply") {
        assert!(begun.elapsed().as_secs() < 40, "it is not written: {:?}", names());
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    program.kill().unwrap();
    program.wait().unwrap();
    let shown = vppkit(&["trace", text(&file)]).ok();
    assert!(shown.lines().last().unwrap().contains("want_interface_events_reply"), "{shown}");

    // In the middle of a line, where there is no room left for example.
    let cut = folder.path().join("cut");
    let written = std::fs::read(&file).unwrap();
    std::fs::write(&cut, &written[..written.len() - 7]).unwrap();
    let shown = vppkit(&["trace", text(&cut)]);
    assert_eq!(shown.code, 0, "{shown:?}");
    assert!(shown.stderr.contains("the last message of the file is cut off"), "{shown:?}");
    assert!(shown.stdout.lines().last().unwrap().contains("want_interface_events"), "{shown:?}");
}

fn writes_its_own_trace(socket: &str) {
    let folder = tempfile::tempdir().unwrap();
    let [calls, dumps, again] = ["calls", "dumps", "again"].map(|name| folder.path().join(name));
    let mac = r#"{"mac_address":"02:fe:00:00:00:07"}"#;
    vppkit(&["call", "create_loopback", mac, "--socket", socket, "--trace", text(&calls)]).ok();
    vppkit(&["dump", "sw_interface_dump", "--socket", socket, "--trace", text(&dumps)]).ok();

    let lines = |file: &Path| -> Vec<Value> {
        let content = std::fs::read_to_string(file).unwrap();
        content.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let sent = |file: &Path| -> Vec<String> {
        let lines = lines(file);
        let sent = lines.iter().filter(|line| line["_direction"] == "sent");
        sent.map(|line| line["_msgname"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(sent(&calls), ["show_version", "get_api_json", "create_loopback"]);
    let lines = lines(&calls);
    let request = lines.iter().find(|line| line["_msgname"] == "create_loopback").unwrap();
    assert_eq!(request["mac_address"], "02:fe:00:00:00:07");
    let reply = lines.iter().find(|line| line["_msgname"] == "create_loopback_reply").unwrap();
    assert_eq!((&reply["_direction"], &reply["sw_if_index"]), (&json!("received"), &json!(1)));
    assert_eq!(reply["context"], request["context"]);
    assert!(lines.iter().all(|line| line["_time"].as_f64().unwrap() > 1.7e9 && line.get("hex").is_none()));

    // Requests are sent again; what VPP sent is left out.
    let shown = vppkit(&["trace", text(&calls)]).ok();
    assert!(shown.contains(r#"create_loopback  {"mac_address":"02:fe:00:00:00:07"}"#), "{shown}");
    let file = text(&calls);
    let replayed = vppkit(&["replay", file, "--socket", socket, "--trace", text(&again)]);
    assert_eq!(replayed.code, 0, "{replayed:?}");
    assert!(replayed.stdout.contains("done     create_loopback  {\"sw_if_index\":2}"), "{replayed:?}");
    assert!(sent(&again).contains(&"create_loopback".to_owned()));

    let error = vppkit(&["call", "show_version", "--socket", socket, "--trace", "/nowhere/trace"]).error(1);
    assert!(error.starts_with("cannot write /nowhere/trace"), "{error}");
}
