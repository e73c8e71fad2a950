//! Against a real VPP, with its own clients as judges: every entry, by name and value.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::{Value as Json, json};
use vpp_conn::stats::{Selection, Stats, Value};
use vpp_sim::private_vpp::PrivateVpp;

/// A VPP with traffic behind it, whose periodic statistics are those of its start, so that all readers see the same.
fn vpp(test: &str) -> Option<PrivateVpp> {
    let Some(binary) = PrivateVpp::find() else {
        eprintln!("skipped: {test}: no VPP; set VPP_BIN");
        return None;
    };
    let config = "statseg { per-node-counters on update-interval 3600 }";
    let vpp = PrivateVpp::builder().binary(binary).config(config).start().unwrap();
    for command in [
        "create loopback interface",
        "create loopback interface",
        "set interface state loop0 up",
        "set interface ip address loop0 10.0.0.1/24",
        "packet-generator new { name s limit 37 size 100-100 interface loop0 node ip4-input data { UDP: 10.0.0.9 -> 10.9.0.1 UDP: 1 -> 2 incrementing 8 } }",
        "packet-generator enable-stream s",
    ] {
        vpp.cli(command).unwrap();
    }
    Some(vpp)
}

/// What we read, in the form of `vpp_papi`.
fn as_papi(selection: &Selection) -> BTreeMap<String, Json> {
    let pair = |counter: vpp_conn::stats::Combined| json!([counter.packets, counter.bytes]);
    selection
        .entries()
        .map(|entry| {
            let value = match entry.value() {
                Value::Scalar(number) | Value::Gauge(number) => json!(number),
                Value::Simple(counters) if entry.is_symlink() => {
                    json!(counters.column(0).threads().collect::<Vec<_>>())
                }
                Value::Combined(counters) if entry.is_symlink() => {
                    json!(counters.column(0).threads().map(pair).collect::<Vec<_>>())
                }
                Value::Simple(counters) => {
                    (0..counters.threads()).map(|t| counters.thread(t).collect::<Vec<_>>()).collect()
                }
                Value::Combined(counters) => {
                    (0..counters.threads()).map(|t| counters.thread(t).map(pair).collect::<Json>()).collect()
                }
                Value::Names(names) => names.iter().map(|(_, name)| name).collect(),
                other => panic!("{entry:?} {other:?}"),
            };
            (entry.name().to_owned(), value)
        })
        .collect()
}

/// What we read, in the lines of `vpp_get_stats dump machine`.
fn as_lines(selection: &Selection) -> Vec<String> {
    let mut lines = Vec::new();
    for entry in selection.entries() {
        let name = entry.name();
        match entry.value() {
            Value::Scalar(number) => lines.push(format!("1:{number}.00:{name}")),
            Value::Gauge(number) => lines.push(format!("9:{number}.00:{name}")),
            Value::Simple(counters) => {
                for thread in 0..counters.threads() {
                    let counters = counters.thread(thread).enumerate();
                    lines.extend(counters.map(|(i, value)| format!("2:{i}:{thread}:{value}:{name}")));
                }
            }
            Value::Combined(counters) => {
                for thread in 0..counters.threads() {
                    lines.extend(counters.thread(thread).enumerate().map(|(i, value)| {
                        format!("3:{i}:{thread}:{}:{}:{name}", value.packets, value.bytes)
                    }));
                }
            }
            Value::Names(names) => lines.extend(names.iter().map(|(i, text)| format!("4:{i}:{text}:{name}"))),
            other => panic!("{entry:?} {other:?}"),
        }
    }
    lines.sort_unstable();
    lines
}

/// Reads, asks a judge, and reads again until nothing moved meanwhile; VPP counts its own work.
fn judged<T: PartialEq + std::fmt::Debug>(
    socket: &Path,
    ours: impl Fn(&Selection) -> T,
    judge: impl Fn() -> T,
) -> T {
    let mut selection = Stats::connect(socket).unwrap().select("").unwrap();
    for _ in 0..100 {
        selection.refresh().unwrap();
        let before = ours(&selection);
        let theirs = judge();
        selection.refresh().unwrap();
        if before == ours(&selection) {
            assert_eq!(before, theirs);
            return before;
        }
    }
    panic!("VPP's statistics never stood still");
}

/// What `vpp_papi` reads. Its form of names leaves free indices out.
const PAPI: &str = r#"
import json, sys
from vpp_papi.vpp_stats import VPPStats
stats = VPPStats(sys.argv[1])
stats.connect()
print(json.dumps({name: stats[name] for name, _ in stats if name}))
"#;

#[test]
fn every_entry_and_value_is_what_vpp_papi_reads() {
    const TEST: &str = "every_entry_and_value_is_what_vpp_papi_reads";
    let Some(vpp) = vpp(TEST) else { return };
    let python =
        |code: &str| Command::new("python3").args(["-c", code]).arg(vpp.stats_socket()).output().unwrap();
    if !python("import vpp_papi.vpp_stats").status.success() {
        eprintln!("skipped: {TEST}: python3 has no vpp_papi");
        return;
    }
    let entries = judged(vpp.stats_socket(), as_papi, || {
        let output = python(PAPI);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    });
    assert!(entries.len() > 3000, "{}", entries.len());
    assert_eq!(entries["/if/names"], json!(["local0", "loop0", "loop1", "pg-1"]));
    let errors: u64 = entries
        .iter()
        .filter(|(name, _)| name.starts_with("/err/"))
        .flat_map(|(_, threads)| threads.as_array().unwrap())
        .map(|count| count.as_u64().unwrap())
        .sum();
    assert!(errors >= 37, "the traffic was counted: {errors}");
}

#[test]
fn every_line_is_what_vpp_get_stats_prints() {
    const TEST: &str = "every_line_is_what_vpp_get_stats_prints";
    let Some(vpp) = vpp(TEST) else { return };
    let tool = vpp.binary().with_file_name("vpp_get_stats");
    if !tool.exists() {
        eprintln!("skipped: {TEST}: no {}", tool.display());
        return;
    }
    let lines = judged(vpp.stats_socket(), as_lines, || {
        let mut command = Command::new(&tool);
        command.arg("socket-name").arg(vpp.stats_socket()).args(["dump", "machine", "/"]);
        let output = command.output().unwrap();
        let mut lines: Vec<String> =
            String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
        lines.sort_unstable();
        lines
    });
    assert!(lines.len() > 3000, "{}", lines.len());
}

#[test]
fn groups_tell_what_the_cli_tells() {
    let Some(vpp) = vpp("groups_tell_what_the_cli_tells") else { return };
    let stats = Stats::connect(vpp.stats_socket()).unwrap();
    let nodes = stats.nodes().unwrap();
    let names: Vec<_> = nodes.iter().map(|node| node.name().to_owned()).collect();
    assert!(names.len() > 500 && names.iter().any(|name| name == "ip4-input"), "{}", names.len());
    let system = stats.system().unwrap();
    assert_eq!(system.worker_threads(), Some(0));
    assert_eq!(system.threads().count(), 1);
    assert!(system.heartbeat().unwrap() >= 1 && system.boottime().unwrap() > 1_700_000_000);
    let memory = stats.memory().unwrap();
    let heaps = memory.heaps();
    let main = heaps.iter().find(|heap| heap.name == "main heap").unwrap();
    assert_eq!(main.total, 512 << 20);
    assert!(main.used > 0 && main.used + main.free == main.total, "{main:?}");
    let buffers = stats.buffers().unwrap();
    let [pool] = buffers.pools()[..] else { panic!("{buffers:?}") };
    assert_eq!(pool.name, "default-numa-0");
    // `show errors`: count, node, reason, severity.
    let errors = stats.errors().unwrap();
    let shown = vpp.cli("show errors").unwrap();
    let counted: Vec<_> = errors.iter().filter(|error| error.count.sum() > 0).collect();
    assert!(!counted.is_empty());
    for error in counted {
        let is_shown = shown.lines().any(|line| {
            let mut words = line.split_whitespace();
            words.next().and_then(|count| count.parse().ok()) == Some(error.count.sum())
                && words.next() == Some(error.node)
        });
        assert!(is_shown, "{error:?}\n{shown}");
    }
}
