//! Clients that others wrote, against the stand-in: `vpp_papi` in Python, and VPP's own C client `vpp_api_test`.
//!
//! What is not there is listed as ignored: `python3` with `vpp_papi`, and the C client beside the VPP of `VPP_BIN`.
//! Where there is a VPP, the Python client talks to it, too, so that its expectations are VPP's.
//!
//! The Python client also packs random values of every message of every pinned release: the dynamic codec and the typed
//! one have to make the same bytes of them.

// Test code, though its own main hides that from the lints.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

#[path = "typed/vectors.rs"]
mod vectors;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output, Stdio};
use std::time::{Duration, Instant};

use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::{Map, Value, json};
use vpp_schema::Api;
use vpp_sim::Sim;
use vpp_sim::private_vpp::PrivateVpp;

/// No client takes longer than this, also on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(60);

const MAKE_VECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/make_vectors.py");

const PAPI_CLIENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/papi_client.py");
const PAPI_TEN_TASKS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/ten_tasks.py");

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let (vpp, c_client) = (PrivateVpp::find(), c_client());
    let has_papi = has_papi();
    if !arguments.list {
        for (is_there, what) in [
            (has_papi, "python3 with vpp_papi (pip install vpp_papi): the tests vpp_papi::* are ignored"),
            (
                c_client.is_some(),
                "vpp_api_test beside a VPP (set VPP_BIN): the test vpp_api_test::* is ignored",
            ),
        ] {
            if !is_there {
                eprintln!("no {what}");
            }
        }
    }
    let mut trials = vec![
        Trial::test("vpp_papi::stand_in", papi_on_stand_in).with_ignored_flag(!has_papi),
        Trial::test("vpp_papi::real_vpp", papi_on_real_vpp).with_ignored_flag(!has_papi || vpp.is_none()),
        Trial::test("vpp_papi::ten_tasks::stand_in", ten_tasks_on_stand_in).with_ignored_flag(!has_papi),
        Trial::test("vpp_papi::ten_tasks::real_vpp", ten_tasks_on_real_vpp)
            .with_ignored_flag(!has_papi || vpp.is_none()),
        Trial::test("vpp_api_test::stand_in", c_client_on_stand_in).with_ignored_flag(c_client.is_none()),
    ];
    // Floating-point numbers are the host's order on the wire, and the Python client says that of this host.
    trials.extend(vpp_api_json::releases().iter().map(|release| {
        Trial::test(format!("vpp_papi::random_values::{release}"), || random_values(release))
            .with_ignored_flag(!has_papi)
    }));
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn has_papi() -> bool {
    let python = Command::new("python3").args(["-c", "import vpp_papi"]).stderr(Stdio::null()).status();
    python.is_ok_and(|status| status.success())
}

/// VPP's C client and its plugins, which know the messages.
fn c_client() -> Option<(PathBuf, PathBuf)> {
    let bin = PrivateVpp::find()?.canonicalize().ok()?.parent()?.to_owned();
    let client = Some(bin.join("vpp_api_test")).filter(|client| client.is_file())?;
    let libraries = std::fs::read_dir(bin.parent()?.join("lib")).ok()?;
    let mut plugins = libraries.flatten().map(|entry| entry.path().join("vpp_api_test_plugins"));
    Some((client, plugins.find(|folder| folder.is_dir())?))
}

fn papi_on_stand_in() -> Result<(), Failed> {
    // The cursor stream is to be interrupted.
    let sim = Sim::release("26.06").chunk(2).start_blocking()?;
    papi(sim.socket())?;

    let loopback = sim.interface("loop0").ok_or("no loop0")?;
    assert!(loopback.admin_up);
    assert_eq!(loopback.addresses, ["10.0.0.1/24"]);
    assert_eq!(loopback.bridge_domain, Some(5));
    assert!(sim.routes().iter().any(|route| route.from_client && route.prefix == "10.1.0.0/16"));
    assert_eq!(sim.calls("ip_path_mtu_get"), 3, "5 entries in chunks of 2");
    assert_eq!((sim.calls("sockclnt_delete"), sim.clients()), (1, 0), "it took its leave");
    Ok(())
}

fn papi_on_real_vpp() -> Result<(), Failed> {
    let vpp = PrivateVpp::builder().start()?;
    papi(vpp.socket())
}

fn papi(socket: &Path) -> Result<(), Failed> {
    let mut client = Command::new("python3");
    let output = run(client.arg(PAPI_CLIENT).arg(socket), "")?;
    let printed = String::from_utf8_lossy(&output.stdout);
    if output.status.success() && printed.trim_end() == "done" {
        return Ok(());
    }
    Err(format!("{printed}{}", String::from_utf8_lossy(&output.stderr)).into())
}

/// The Python of the book.
fn ten_tasks_on_stand_in() -> Result<(), Failed> {
    let sim = Sim::release("26.06").start_blocking()?;
    ten_tasks(sim.socket())?;
    assert_eq!(sim.calls("ip_route_add_del_v2"), 10_001);
    assert_eq!(sim.interface("loop0"), None);
    Ok(())
}

fn ten_tasks_on_real_vpp() -> Result<(), Failed> {
    let vpp = PrivateVpp::builder().start()?;
    ten_tasks(vpp.socket())
}

fn ten_tasks(socket: &Path) -> Result<(), Failed> {
    let mut client = Command::new("python3");
    let output = run(client.arg(PAPI_TEN_TASKS).arg(socket), "")?;
    let printed = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{printed}{errors}");
    let (version, rest) = printed.split_once('\n').ok_or("it printed nothing")?;
    assert!(version.starts_with("version: 26.06"), "{version}");
    assert_eq!(
        rest,
        "interfaces: local0, loop0\nroutes: 10000\nevent: sw_interface_event\nrefused: no such interface\n\
         good for this program\non this VPP: local0, loop0\n"
    );
    Ok(())
}

/// Every message of a release with its defaults and with random values, the same on every run.
fn random_values(release: &str) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let [own, newest, out] = ["own", "newest", "vectors.jsonl"].map(|name| folder.path().join(name));
    let api = vpp_api_json::api(release)?;
    write_definitions(api, &own)?;
    write_definitions(vpp_api_json::api(vpp_api_json::newest())?, &newest)?;
    let mut python = Command::new("python3");
    python.arg(MAKE_VECTORS).args(["--rounds", "1", "--seed", release]);
    python.arg("--api-dir").arg(own).arg("--newest").arg(newest).arg("--out").arg(&out);
    let output = run(&mut python, "")?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    let vectors = vectors::vectors(api, &std::fs::read_to_string(out)?);
    let mut names: Vec<&str> = vectors.iter().map(|vector| vector.name.as_str()).collect();
    names.dedup();
    assert_eq!(names.len(), api.messages.len(), "no message is left out");
    let check = |vector| {
        let dynamic = vectors::check_dynamic(api, vector);
        dynamic.and_then(|()| vectors::check_typed(api, vector)).err()
    };
    let wrong: Vec<String> = vectors.iter().filter_map(check).collect();
    if wrong.is_empty() {
        return Ok(());
    }
    let first = wrong[..wrong.len().min(5)].join("\n");
    Err(format!("{} of {} are wrong, among them:\n{first}", wrong.len(), vectors.len()).into())
}

/// Writes pins as the Python client reads definitions: with all that a file refers to, here in one.
fn write_definitions(api: &Api, folder: &Path) -> Result<(), Failed> {
    let mut all = Map::new();
    for pin in api.to_pins() {
        let Value::Object(mut module) = serde_json::from_str(&pin.text)? else { continue };
        // Pins leave out the id, which every message begins with.
        for message in module.get_mut("messages").and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(message) = message.as_array_mut() {
                message.insert(1, json!(["u16", "_vl_msg_id"]));
            }
        }
        for (key, value) in module {
            match (all.entry(key).or_insert_with(|| value.clone()), value) {
                (Value::Array(all), Value::Array(more)) if *all != more => all.extend(more),
                (Value::Object(all), Value::Object(more)) => all.extend(more),
                _ => {}
            }
        }
    }
    std::fs::create_dir(folder)?;
    std::fs::write(folder.join("all.api.json"), Value::Object(all).to_string())?;
    Ok(())
}

fn c_client_on_stand_in() -> Result<(), Failed> {
    let (client, plugins) = c_client().ok_or("it was there a moment ago")?;
    let sim = Sim::release("26.06").start_blocking()?;
    let commands = "show_version\n\
                    create_loopback\n\
                    sw_interface_dump\n\
                    sw_interface_set_flags sw_if_index 1 admin-up\n\
                    sw_interface_add_del_address sw_if_index 1 10.9.0.1/24\n\
                    ip_route_add_del 10.5.0.0/16 via 10.9.0.3 sw_if_index 1\n\
                    dump_interface_table\n\
                    quit\n";
    let mut command = Command::new(client);
    let output = run(command.arg("plugin_path").arg(plugins).arg("socket-name").arg(sim.socket()), commands)?;
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(printed.contains("version: 26.06-release"), "{printed}");
    let row = printed.lines().find(|line| line.starts_with("loop0"));
    assert_eq!(row.and_then(|row| row.split_whitespace().nth(1)), Some("1"), "{printed}");

    let loopback = sim.interface("loop0").ok_or("no loop0")?;
    assert!(loopback.admin_up);
    assert_eq!(loopback.addresses, ["10.9.0.1/24"]);
    let routes = sim.routes();
    let route = routes.iter().find(|route| route.prefix == "10.5.0.0/16").ok_or("no route")?;
    assert_eq!(route.paths[0].next_hop, Some([10, 9, 0, 3].into()));
    Ok(())
}

/// Runs a program that reads `input` to its end, or kills it.
fn run(command: &mut Command, input: &str) -> Result<Output, Failed> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    // Closes the pipe behind what was written. What the clients print fits into the pipes.
    child.stdin.take().ok_or("no input")?.write_all(input.as_bytes())?;
    let started = Instant::now();
    while child.try_wait()?.is_none() {
        if started.elapsed() > TIMEOUT {
            child.kill()?;
            let output = child.wait_with_output()?;
            return Err(format!("still running after {TIMEOUT:?}: {output:?}").into());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(child.wait_with_output()?)
}
