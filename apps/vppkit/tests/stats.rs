//! `vppkit stats`: on the stand-in's segments, and on a real VPP when there is a binary (`VPP_BIN`).
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod program;

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};

use program::{Outcome, command, vppkit};
use serde_json::{Value, json};
use vpp_sim::private_vpp::PrivateVpp;
use vpp_sim::stats::{Format, Segment, StatsSim};

fn sim() -> StatsSim {
    let mut segment = Segment::with_threads(Format::Current, 2, 4 << 20);
    segment.add_interface("loop0");
    segment.count("/if/rx", 0, 1, &[10, 640]);
    segment.count("/if/rx", 1, 1, &[5, 320]);
    segment.count("/if/rx-miss", 0, 1, &[3]);
    segment.add_error("ip4-input", "a \"quoted\" \\ reason");
    segment.count_error(1, 0, 4);
    segment.histogram("/h", 1, 2, 3);
    segment.count_bin("/h", 0, 0, 1);
    segment.count_bin("/h", 0, 2, 2);
    StatsSim::with_segment(segment).unwrap()
}

fn stats(sim: &StatsSim, arguments: &[&str]) -> Outcome {
    vppkit(&[&["stats", "--stats-socket", sim.socket().to_str().unwrap()], arguments].concat())
}

#[test]
fn a_table_sums_threads_and_names_interfaces() {
    let sim = sim();
    assert_eq!(
        stats(&sim, &["/if/rx", "--no-zeros"]).ok(),
        " name         index  of     value  bytes\n\
         \x20/if/rx-miss      1  loop0      3\n\
         \x20/if/rx           1  loop0     15    960\n"
    );
    assert_eq!(
        stats(&sim, &["/if/rx*", "--no-zeros", "--threads"]).ok(),
        " name         index  of     thread  value  bytes\n\
         \x20/if/rx-miss      1  loop0       0      3\n\
         \x20/if/rx           1  loop0       0     10    640\n\
         \x20/if/rx           1  loop0       1      5    320\n"
    );
    assert_eq!(
        stats(&sim, &["^/err/", "/sys/num_worker"]).ok().lines().collect::<Vec<_>>(),
        [
            " name                                value",
            " /sys/num_worker_threads                 1",
            " /err/ip4-input/a \"quoted\" \\ reason      4"
        ]
    );
}

#[test]
fn json_keeps_threads_and_indices_apart() {
    let sim = sim();
    let entries = stats(&sim, &["/interfaces/loop0/rx", "/if/names", "--json", "--no-zeros"]).json();
    assert_eq!(
        entries,
        json!([
            { "name": "/if/names", "kind": "names", "values": ["local0", "loop0"] },
            { "name": "/interfaces/loop0/rx-miss", "kind": "simple", "symlink": true, "values": [[3], [0]] },
            {
                "name": "/interfaces/loop0/rx",
                "kind": "combined",
                "symlink": true,
                "values": [[{ "packets": 10, "bytes": 640 }], [{ "packets": 5, "bytes": 320 }]],
            },
        ])
    );
    assert_eq!(stats(&sim, &["/nothing", "--json"]).stdout, "[]\n");
}

#[test]
fn prometheus_reads_it() {
    let sim = sim();
    assert_eq!(
        stats(&sim, &["^/err/|^/if/rx$|/h|^/interfaces/loop0/rx$|/if/names|/sys/heartbeat", "--prom"]).ok(),
        r#"# TYPE _h histogram
_h_bucket{le="7",thread="0"} 1
_h_bucket{le="15",thread="0"} 1
_h_bucket{le="+Inf",thread="0"} 3
_h_count{thread="0"} 3
# TYPE _if_names_info gauge
_if_names_info{index="0",name="local0"} 1
_if_names_info{index="1",name="loop0"} 1
# TYPE _if_rx_bytes counter
_if_rx_bytes{interface="0",name="local0",thread="0"} 0
_if_rx_bytes{interface="0",name="local0",thread="1"} 0
_if_rx_bytes{interface="1",name="loop0",thread="0"} 640
_if_rx_bytes{interface="1",name="loop0",thread="1"} 320
# TYPE _if_rx_packets counter
_if_rx_packets{interface="0",name="local0",thread="0"} 0
_if_rx_packets{interface="0",name="local0",thread="1"} 0
_if_rx_packets{interface="1",name="loop0",thread="0"} 10
_if_rx_packets{interface="1",name="loop0",thread="1"} 5
# TYPE err counter
err{node="ip4-input",error="a \"quoted\" \\ reason",index="0",thread="0"} 0
err{node="ip4-input",error="a \"quoted\" \\ reason",index="0",thread="1"} 4
# TYPE interfaces_rx_bytes counter
interfaces_rx_bytes{interface="loop0",index="0",thread="0"} 640
interfaces_rx_bytes{interface="loop0",index="0",thread="1"} 320
# TYPE interfaces_rx_packets counter
interfaces_rx_packets{interface="loop0",index="0",thread="0"} 10
interfaces_rx_packets{interface="loop0",index="0",thread="1"} 5
# TYPE sys_heartbeat gauge
sys_heartbeat 0
"#
    );
}

#[test]
fn prometheus_may_be_written_to_again_and_again() {
    let sim = sim();
    let twice = stats(&sim, &["/sys/heartbeat", "--prom", "--watch=0.01", "--count", "2"]).ok();
    assert_eq!(twice, "# TYPE sys_heartbeat gauge\nsys_heartbeat 0\n\n".repeat(2));
}

#[test]
fn that_nothing_fits_is_said() {
    let shown = stats(&sim(), &["/nothing"]);
    assert_eq!((shown.code, shown.stdout.as_str()), (0, ""), "{shown:?}");
    assert!(shown.stderr.contains("VPP has no entry that fits"), "{shown:?}");
}

#[test]
fn watching_goes_on_over_a_restart_of_vpp() {
    let mut sim = sim();
    let socket = sim.socket().to_str().unwrap().to_owned();
    let mut watch = command(&["stats", "--stats-socket", &socket, "/if/rx-miss", "--watch=0.05", "--json"]);
    let mut watch = watch.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(watch.stdout.take().unwrap()).lines();
    let mut next = |expected: u64| loop {
        let entries: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        if entries[0]["values"][0][1] == json!(expected) {
            return;
        }
    };
    next(3);
    sim.segment().count("/if/rx-miss", 0, 1, &[4]);
    next(4);
    sim.kill();
    // It says once that VPP is away.
    let mut said = String::new();
    BufReader::new(watch.stderr.as_mut().unwrap()).read_line(&mut said).unwrap();
    assert!(
        said.starts_with("note: cannot read VPP's statistics at ") && said.ends_with("waiting for it\n"),
        "{said}"
    );
    let mut segment = Segment::with_threads(Format::Current, 2, 4 << 20);
    segment.add_interface("loop0");
    segment.count("/if/rx-miss", 0, 1, &[77]);
    sim.start_again(segment).unwrap();
    next(77);
    watch.kill().unwrap();
    watch.wait().unwrap();
}

#[test]
fn watching_shows_rates_and_ends_after_a_count() {
    let sim = sim();
    let text = stats(&sim, &["/if/rx-miss", "--no-zeros", "--watch=0.01", "--count", "2"]).ok();
    let tables: Vec<_> = text.split("\n\n").collect();
    assert_eq!(tables.len(), 2, "{text}");
    assert!(!tables[0].contains("per_second") && tables[1].contains("per_second"), "{text}");
}

#[test]
fn what_is_not_there_has_the_exit_code_of_no_connection() {
    let error = vppkit(&["stats", "--stats-socket", "/nowhere/stats.sock"]).error(3);
    assert!(
        error.starts_with("cannot read VPP's statistics at /nowhere/stats.sock: there is no socket"),
        "{error}"
    );
    let error = stats(&sim(), &["^("]).error(1);
    assert!(error.starts_with("\"^(\" is no regular expression"), "{error}");
}

/// The samples of a text, with their values as numbers.
fn samples(text: &str) -> HashMap<String, f64> {
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let (name, value) = line.rsplit_once(' ').unwrap();
            (name.to_owned(), value.parse().unwrap())
        })
        .collect()
}

/// What VPP's exporter answers to one who scrapes.
fn scrape(tool: &Path, stats_socket: &str, patterns: &[&str]) -> String {
    // A port that was free a moment ago.
    let port = TcpListener::bind("[::1]:0").unwrap().local_addr().unwrap().port();
    let mut exporter = Command::new(tool)
        .args(["socket-name", stats_socket, "port", &port.to_string(), "v2"])
        .args(patterns)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stream = loop {
        match TcpStream::connect(("::1", port)) {
            Ok(stream) => break stream,
            Err(error) => assert!(exporter.try_wait().unwrap().is_none(), "{error}"),
        }
    };
    stream.write_all(b"GET /metrics HTTP/1.0\r\nHost: x\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    exporter.kill().unwrap();
    exporter.wait().unwrap();
    text.split_once("\r\n\r\n").unwrap().1.to_owned()
}

/// VPP's own exporter is the judge of names, labels and values.
#[test]
fn a_real_vpp_is_told_as_by_its_own_exporter() {
    const TEST: &str = "a_real_vpp_is_told_as_by_its_own_exporter";
    let Some(binary) = PrivateVpp::find() else {
        eprintln!("skipped: {TEST}: no VPP; set VPP_BIN");
        return;
    };
    let config = "statseg { per-node-counters on update-interval 3600 }";
    let vpp = PrivateVpp::builder().binary(&binary).config(config).start().unwrap();
    vpp.cli("create loopback interface").unwrap();
    let socket = vpp.stats_socket().to_str().unwrap();
    let ours = vppkit(&["stats", "--stats-socket", socket, "--prom"]).ok();
    let mut families: Vec<_> = ours.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
    let count = families.len();
    families.dedup_by_key(|line| line.split(' ').next());
    assert_eq!(families.len(), count, "each metric has its type once");

    let tool = binary.with_file_name("vpp_prometheus_export");
    if !tool.exists() {
        eprintln!("skipped: {TEST}: no {}", tool.display());
        return;
    }
    let patterns = ["^/interfaces/", "^/nodes/", "^/err/", "^/mem/", "^/buffer-pools/", "^/sys/[a-z_]*$"];
    let theirs = samples(&scrape(&tool, socket, &patterns));
    let ours = samples(&ours);
    assert!(theirs.len() > 3000, "{}", theirs.len());
    let missing: Vec<_> = theirs
        .iter()
        // Worked out from the clock when it is asked for.
        .filter(|(name, _)| *name != "sys_uptime")
        .filter(|(name, value)| ours.get(*name) != Some(value))
        .collect();
    assert!(
        missing.is_empty(),
        "{} of {}: {:?}",
        missing.len(),
        theirs.len(),
        &missing[..missing.len().min(9)]
    );
}
