//! Runs the examples, and holds the README against them.

use std::path::{Path, PathBuf};
use std::process::Command;

use vpp_sim::Sim;
use vpp_sim::private_vpp::PrivateVpp;

/// The program of an example: cargo builds them beside the tests.
fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test knows where it is");
    let profile = test.ancestors().nth(2).expect("tests lie in target/<profile>/deps");
    profile.join("examples").join(name)
}

fn run(name: &str, socket: &Path) -> String {
    run_on(name, &[socket])
}

fn run_on(name: &str, sockets: &[&Path]) -> String {
    let output = Command::new(example(name)).args(sockets).output().expect("the example starts");
    let text = String::from_utf8(output.stdout).expect("an example prints text");
    assert!(output.status.success(), "{name}: {text}{}", String::from_utf8_lossy(&output.stderr));
    text
}

/// What the quickstart prints below its first line, which says what it talks to.
const QUICKSTART: &str = "\
vpe 26.06-release

loop0 created, up, 10.0.0.1/24                        event: loop0 is up

 index  interface  state  MTU    addresses
     0  local0     down   0
     1  loop0      up     9000   10.0.0.1/24

prefix               via
10.1.0.0/16          10.0.0.2, loop0
10.0.0.0/24          loop0
";

fn check_quickstart(output: &str, first_line: &str) {
    let lines: Vec<_> = output.lines().map(str::trim_end).collect();
    assert_eq!(lines[0], first_line);
    let (shown, end) = lines[1..].split_at(lines.len() - 3);
    assert_eq!(shown.join("\n") + "\n", QUICKSTART);
    assert!(end[1].starts_with("cleaned up after "), "{end:?}");
}

#[test]
fn quickstart_on_the_stand_in() {
    let output = run("quickstart", Path::new("/nowhere/api.sock"));
    check_quickstart(&output, "no VPP at /nowhere/api.sock: using the embedded stand-in (26.06)");
}

#[test]
fn quickstart_on_a_real_vpp_where_there_is_one() {
    let Some(binary) = PrivateVpp::find() else {
        eprintln!("skipped: no VPP (VPP_BIN is not set, and there is no vpp in PATH)");
        return;
    };
    let vpp = PrivateVpp::builder().binary(binary).start().expect("VPP starts");
    for _ in 0..2 {
        // Twice: the first run has left nothing behind.
        check_quickstart(&run("quickstart", vpp.socket()), &format!("VPP at {}", vpp.socket().display()));
    }
}

#[tokio::test]
async fn the_first_program_gets_its_event() {
    let sim = Sim::release("26.06").start().await.expect("the stand-in starts");
    let socket = sim.socket().to_owned();
    let output = tokio::task::spawn_blocking(move || run("first_program", &socket)).await.expect("it ran");
    assert!(output.starts_with("SwInterfaceEvent {") && output.contains("ADMIN_UP"), "{output}");
    assert_eq!(sim.calls("create_loopback"), 1);
}

/// What the ten tasks print on a VPP of 26.06; the event in between is told in Rust's own form.
fn check_ten_tasks(output: &str, version: &str) {
    let (begin, rest) = output.split_once("event: ").expect("an event");
    let (event, rest) = rest.split_once('\n').expect("more than the event");
    let (told, begin) = begin.split_once('\n').expect("a version");
    assert!(told.starts_with("version: ") && told.contains(version), "{told}");
    assert_eq!(begin, "interfaces: local0, loop0\nroutes: 10000\n");
    assert!(event.starts_with("SwInterfaceEvent {") && event.contains("sw_if_index: 1"), "{event}");
    assert!(
        rest.starts_with("refused: no such interface\ngood for this program\non this VPP: local0, loop0\n"),
        "{rest}"
    );
}

#[test]
fn the_ten_tasks_on_the_stand_in_and_an_older_one() {
    let sim = Sim::release("26.06").start_blocking().expect("the stand-in starts");
    let older = Sim::release("20.09").start_blocking().expect("the stand-in starts");
    let output = run_on("ten_tasks", &[sim.socket(), older.socket()]);
    check_ten_tasks(&output, "26.06");
    assert!(output.ends_with("on the other: local0\n"), "{output}");
    assert_eq!(sim.calls("ip_route_add_del_v2"), 10_001);
    assert_eq!((sim.interface("loop0"), sim.clients()), (None, 0), "it cleaned up");
}

#[test]
fn the_ten_tasks_on_a_real_vpp_where_there_is_one() {
    let Some(binary) = PrivateVpp::find() else {
        eprintln!("skipped: no VPP (VPP_BIN is not set, and there is no vpp in PATH)");
        return;
    };
    let vpp = PrivateVpp::builder().binary(binary).start().expect("VPP starts");
    check_ten_tasks(&run("ten_tasks", vpp.socket()), "26.06");
}

#[test]
fn the_readme_shows_the_first_program() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: PathBuf| std::fs::read_to_string(&path).expect("it is there");
    let program = read(folder.join("first_program.rs"));
    let shown = program
        .split("// ANCHOR: README\n")
        .nth(1)
        .and_then(|rest| rest.split("// ANCHOR_END: README").next())
        .expect("the program marks what is shown");
    assert!(
        read(folder.join("../README.md")).contains(shown.trim()),
        "README.md shows another program than first_program.rs"
    );
}
