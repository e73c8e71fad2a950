//! What the program tells of definitions: differences, lists, lints, exports, and whether a VPP is good for a program.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod program;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use program::{vppkit, with_input};
use serde_json::{Value, json};
use vpp_sim::Sim;
use vpp_sim::private_vpp::PrivateVpp;

/// VPP's own files of a release, where they are beside the repository.
fn release(name: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vpp-api").join(name);
    if !folder.is_dir() {
        eprintln!("skipped: there is no folder {}", folder.display());
        return None;
    }
    Some(folder)
}

/// Definitions of a plugin, a file in a folder of its own.
fn plugin(definitions: &Value) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("mine.api.json"), definitions.to_string()).unwrap();
    folder
}

fn message(fields: Value, crc: &str) -> Value {
    let mut line = vec![
        json!("set"),
        json!(["u16", "_vl_msg_id"]),
        json!(["u32", "client_index"]),
        json!(["u32", "context"]),
    ];
    line.extend(fields.as_array().unwrap().iter().cloned());
    line.push(json!({"crc": crc}));
    json!({"messages": [line], "options": {"version": "1.0.0"}})
}

#[test]
fn a_changed_message_is_told_by_field_as_text_and_json() {
    let from = plugin(&message(json!([["u8", "level"]]), "0x00000001"));
    let to =
        plugin(&message(json!([["u32", "level"], ["bool", "is_new", {"default": "true"}]]), "0x00000002"));
    let [from, to] = [&from, &to].map(|folder| folder.path().to_str().unwrap());
    assert_eq!(
        vppkit(&["diff", from, to]).ok(),
        "messages: 1 changed, 0 removed, 0 added\n  ~ set (mine): 00000001 -> 00000002\n      \
         level: resized, u8 -> u32\n      is_new: added, bool with default true\n      \
         can be translated as long as level fits both u8 and u32; is_new is true\n"
    );
    let json = vppkit(&["diff", from, to, "--json"]).json();
    let changed = &json["messages"]["changed"][0];
    assert_eq!((&changed["name"], &changed["verdict"]), (&json!("set"), &json!("mappable")));
    assert_eq!(
        changed["differences"][0],
        json!({"path": "level", "kind": "resized", "from": "u8", "to": "u32", "limits": "fits both u8 and u32"})
    );
    assert_eq!(vppkit(&["diff", from, to, "--exit-code"]).error(1), format!("{from} and {to} differ"));
    assert_eq!(vppkit(&["diff", from, from, "--exit-code"]).ok(), "nothing differs\n");
    let unknown = vppkit(&["diff", from, "99.01"]).error(1);
    assert!(unknown.starts_with("99.01 is no release that this program knows ("), "{unknown}");
}

#[test]
fn releases_differ_as_they_do() {
    let outcome = vppkit(&["diff", "26.02", "26.06", "--json", "--exit-code"]);
    assert_eq!(outcome.code, 1);
    let json: Value = serde_json::from_str(&outcome.stdout).unwrap();
    let count = |kind: &str| json["messages"][kind].as_array().unwrap().len();
    assert_eq!((count("changed"), count("removed"), count("added")), (7, 4, 88));
    let changed: Vec<(&str, Vec<&str>)> = json["messages"]["changed"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| {
            let places = change["differences"].as_array().unwrap().iter();
            (change["name"].as_str().unwrap(), places.map(|it| it["path"].as_str().unwrap()).collect())
        })
        .collect();
    let session_types =
        vec!["session_type.SFDP_API_SESSION_TYPE_IP6", "session_type.SFDP_API_SESSION_TYPE_USER"];
    let expected = [
        (
            "cnat_session_details",
            vec![
                "session.src",
                "session.dst",
                "session.new",
                "session.ip_proto",
                "session.location",
                "session.timestamp",
                "session.tuple",
                "session.ts_index",
                "session.flags",
            ],
        ),
        ("cnat_set_snat_policy", vec!["policy.CNAT_POLICY_DNAT"]),
        ("ikev2_profile_details", vec!["profile.ike_ts.prf_alg"]),
        ("ikev2_set_ike_transforms", vec!["tr.prf_alg"]),
        ("sfdp_interface_input_set", vec!["is_ip6"]),
        ("sfdp_session_details", session_types.clone()),
        ("sfdp_tcp_session_details", session_types),
    ];
    assert_eq!(changed, expected);
}

#[test]
fn a_release_is_told_as_vpps_own_files_are() {
    let Some(earlier) = release("26.02") else { return };
    let of_files = vppkit(&["diff", earlier.to_str().unwrap(), "26.06"]).ok();
    assert_eq!(of_files, vppkit(&["diff", "26.02", "26.06"]).ok());
}

#[test]
fn releases_are_listed_with_what_became_of_them() {
    let json = vppkit(&["releases", "--json"]).json();
    let rows = json["releases"].as_array().unwrap();
    let names: Vec<_> = rows.iter().map(|row| row["release"].as_str().unwrap()).collect();
    assert_eq!(names, vpp_api_json::releases());
    assert_eq!(names.len(), 14);
    assert_eq!(rows[0].get("added"), None);
    let count = |key: &str| rows[13][key].as_u64().unwrap();
    assert_eq!((count("changed"), count("removed"), count("added"), count("same")), (7, 4, 88, 2000));
    assert_eq!(json["pool"], json!({"messages": 25639, "pairs": 2546, "definitions": 2675}));
    let text = vppkit(&["releases"]).ok();
    assert_eq!(text.lines().count(), 1 + 14 + 1, "{text}");
}

#[test]
fn every_release_is_known() {
    let releases: Vec<&str> = vpp_api_json::releases().to_vec();
    let shown = vppkit(&["show", "show_version", "--json"]).json();
    assert_eq!(shown["releases"], json!(releases));
    for release in releases {
        let api = vpp_api_json::api(release).unwrap();
        let listed = vppkit(&["ls", "messages", "--release", release, "--json"]).json();
        assert_eq!(listed.as_array().unwrap().len(), api.messages.len(), "{release}");
    }
    // Of a release and in another one: the same name with another CRC is said to be one.
    let old = vppkit(&["show", "sw_interface_details", "--release", "20.09", "--json"]).json();
    assert_eq!((&old["crc"], &old["releases"][0]), (&json!("17b69fa2"), &json!("20.09")));
    assert_eq!(old["releases"][13], "26.06 as 6c221fc7");
    assert_eq!(old["rust"], "vpp_20_09::interface::SwInterfaceDetails");
}

#[test]
fn api_files_are_definitions_wherever_json_is() {
    let folder = tempfile::tempdir().unwrap();
    let types = "typedef level { u8 value; };";
    let mine = "option version = \"1.0.0\"; import \"shared/level_types.api\";
        autoreply define set_level { u32 client_index; u32 context; vl_api_level_t level; };";
    fs::create_dir_all(folder.path().join("include/shared")).unwrap();
    fs::create_dir(folder.path().join("mine")).unwrap();
    fs::write(folder.path().join("include/shared/level_types.api"), types).unwrap();
    let file = folder.path().join("mine/mine.api");
    fs::write(&file, mine).unwrap();
    let [include, mine] = ["include", "mine"].map(|name| folder.path().join(name).display().to_string());
    let sources = ["--api-src", &mine, "-I", &include];
    let with = |arguments: &[&str]| vppkit(&[arguments, &sources[..]].concat());

    let messages = with(&["ls", "messages", "--json"]).json();
    assert_eq!(messages[0]["message"], "set_level");
    assert_eq!(with(&["show", "set_level", "--json"]).json()["size"], 11);
    assert_eq!(with(&["encode", "set_level", r#"{"level": {"value": 7}}"#]).ok(), "0000000000000000000007\n");
    assert_eq!(with(&["lint"]).ok(), "");
    let unknown = with(&["show", "set_lvel"]).error(1);
    assert!(unknown.starts_with(&format!("{mine} has no message or type set_lvel; did you mean set_level")));
    let without = vppkit(&["ls", "--api-src", &mine]).error(1);
    assert!(without.contains("shared/level_types.api"), "{without}");

    // What a word names for `diff`: folders of either kind, and one file.
    let out = folder.path().join("json").display().to_string();
    with(&["export", "--out", &out]).ok();
    fs::write(
        &file,
        "option version = \"1.0.0\"; autoreply define set_level { u32 client_index; u32 context; };",
    )
    .unwrap();
    let told = vppkit(&["diff", &out, &mine]).ok();
    assert!(told.contains("set_level (mine): ") && told.contains("level: removed, was level"), "{told}");
    assert_eq!(vppkit(&["diff", &out, file.to_str().unwrap()]).ok(), told);
    let nothing = vppkit(&["diff", &folder.path().join("include/..").display().to_string(), "/no/such"]);
    assert_eq!(nothing.code, 1, "{nothing:?}");
}

#[test]
fn a_running_vpp_differs_by_what_it_lacks() {
    let sim =
        Sim::release("26.06").without_module("nat44_ed").crc("show_threads", 1).start_blocking().unwrap();
    let socket = sim.socket().to_str().unwrap();
    let json = vppkit(&["diff", "26.06", socket, "--json"]).json();
    let removed = json["messages"]["removed"].as_array().unwrap();
    assert!(removed.len() > 30, "{removed:?}");
    assert!(removed.iter().all(|message| message["module"] == "nat44_ed"), "{removed:?}");
    assert_eq!(json["messages"]["changed"][0]["name"], "show_threads");
    assert_eq!(json["messages"]["added"], json!([]));
    assert!(!vppkit(&["ls", "messages", "nat44_ed*", "--socket", socket]).ok().contains("nat44_ed"));
}

#[test]
fn a_vpp_is_good_for_a_program_or_not() {
    let sim = Sim::release("26.06")
        .without_module("nat44_ed")
        .crc("show_threads", 0x1234)
        .start_blocking()
        .unwrap();
    let socket = sim.socket().to_str().unwrap();
    let outcome = vppkit(&["check", "--release", "26.06", "--socket", socket]);
    let lines: Vec<&str> = outcome.stdout.lines().collect();
    assert!(lines[0].contains(" absent, 1 changed; "), "{}", lines[0]);
    let absent: Vec<_> = lines.iter().filter(|line| line.starts_with("absent")).collect();
    assert_eq!(absent.len(), 1, "{absent:?}");
    assert!(absent[0].starts_with("absent, of module nat44_ed, which is not loaded or not known: nat44_"));
    assert!(outcome.stdout.contains("~ show_threads: 51077d14 -> 00001234"), "{}", outcome.stdout);
    assert!(lines.contains(&"deprecated: tap_create_v2, use tap_create_v3"), "{lines:?}");
    assert!(outcome.error(1).starts_with("this VPP lacks "));

    let list = with_input(
        &["check", "--manifest", "/dev/stdin", "--socket", socket, "--json"],
        "show_version_51077d14\nshow_threads 51077d14 # changed\nno_such 0x00000001\n",
    );
    let all: Value = serde_json::from_str(&list.stdout).unwrap();
    let states: Vec<_> = all.as_array().unwrap().iter().map(|it| it["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["same", "changed", "absent"]);
    assert_eq!(list.error(1), "this VPP lacks 2 of 3 messages that the program uses");
}

#[test]
fn a_crate_is_checked_by_what_its_sources_name() {
    let sim = Sim::release("26.06").start_blocking().unwrap();
    let socket = sim.socket().to_str().unwrap();
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("main.rs"),
        "use vpp_26_06::{vpe::ShowVersion, interface::SwInterfaceDump};",
    )
    .unwrap();
    let path = folder.path().to_str().unwrap();
    let all = vppkit(&["check", "--crate-uses", path, "--socket", socket, "--json"]).json();
    let names: Vec<_> = all.as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap()).collect();
    let expected = [
        "control_ping",
        "control_ping_reply",
        "show_version",
        "show_version_reply",
        "sw_interface_details",
        "sw_interface_dump",
    ];
    assert_eq!(names, expected);
    fs::write(folder.path().join("main.rs"), "fn main() {}").unwrap();
    let error = vppkit(&["check", "--crate-uses", path, "--socket", socket]).error(1);
    assert!(error.contains("names no messages"), "{error}");
}

#[test]
fn a_check_tells_what_bridging_would_carry() {
    let sim = Sim::release("25.10").start_blocking().unwrap();
    let socket = sim.socket().to_str().unwrap();
    let check = ["check", "--socket", socket, "--release", "26.06"];
    let all = vppkit(&[&check[..], &["--json"]].concat());
    let all: Value = serde_json::from_str(&all.stdout).unwrap();
    let bridge = |name: &str| {
        let found = all.as_array().unwrap().iter().find(|it| it["name"] == name);
        found.unwrap_or_else(|| panic!("no {name}"))["bridge"].clone()
    };
    assert_eq!(
        bridge("ikev2_set_ike_transforms"),
        json!({
            "carried": true,
            "from": "ikev2_set_ike_transforms",
            "to": "ikev2_set_ike_transforms",
            "conditions": ["tr.prf_alg is zero"],
        })
    );
    assert_eq!(bridge("gre_tunnel_v2_dump")["to"], "gre_tunnel_dump_v2");
    assert_eq!(bridge("cnat_session_details")["path"], "session");
    assert_eq!(bridge("show_version"), Value::Null);
    let text = vppkit(&check).stdout;
    for line in [
        "      bridging carries it as long as tr.prf_alg is zero",
        "      bridging cannot carry it: cnat_session_details: session: the two definitions have no field in common",
        "absent, gre_tunnel_v2_dump: bridging carries it as gre_tunnel_dump_v2",
    ] {
        assert!(text.lines().any(|it| it == line), "{line}\n{text}");
    }
}

#[test]
fn a_message_is_shown_with_its_places() {
    let shown = vppkit(&["show", "ip_route_add_del", "--json"]).json();
    assert_eq!(shown["rust"], "vpp_26_06::ip::IpRouteAddDel");
    assert_eq!(
        (&shown["size"], &shown["variable"], &shown["reply"]),
        (&json!(39), &json!(true), &json!("ip_route_add_del_reply"))
    );
    assert!(shown["releases"].as_array().unwrap().contains(&json!("26.06")));
    let places: Vec<_> = shown["fields"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["field"].as_str().unwrap(), row["offset"].as_u64().unwrap()))
        .collect();
    assert_eq!(
        places,
        [
            ("_vl_msg_id", 0),
            ("client_index", 2),
            ("context", 6),
            ("is_add", 10),
            ("is_multipath", 11),
            ("route", 12)
        ]
    );
    assert_eq!(vppkit(&["show", "sw_interface_dump", "--json"]).json()["stream"], "sw_interface_details");
    assert_eq!(vppkit(&["show", "want_interface_events", "--json"]).json()["events"], "sw_interface_event");
    assert_eq!(vppkit(&["show", "vl_api_prefix_t", "--json"]).json()["size"], 18);
    // A name that two modules have is shown for both, or one.
    let both = vppkit(&["show", "sfdp_session_direction", "--json"]).json();
    assert_eq!(both.as_array().unwrap().len(), 2);
    assert_eq!(vppkit(&["show", "gateway.sfdp_session_direction", "--json"]).json()["module"], "gateway");
    let unknown = vppkit(&["show", "ip_route_ad_del"]).error(1);
    assert!(
        unknown
            .starts_with("VPP 26.06 has no message or type ip_route_ad_del; did you mean ip_route_add_del,")
    );
}

#[test]
fn every_message_and_type_can_be_shown() {
    let api = vpp_api_json::api("26.06").unwrap();
    for module in api.modules.iter().step_by(30) {
        let messages = module.messages.iter().map(|&id| &api.message(id).name);
        for name in messages.chain(module.types.iter().map(|&id| &api.ty(id).name)).take(3) {
            vppkit(&["show", name]).ok();
        }
    }
}

#[test]
fn lists_hold_everything() {
    let api = vpp_api_json::api("26.06").unwrap();
    let count =
        |what: &str| vppkit(&["ls", what, "--release", "26.06", "--json"]).json().as_array().unwrap().len();
    assert_eq!(
        (count("modules"), count("messages"), count("types")),
        (api.modules.len(), api.messages.len(), api.types.len())
    );
    assert_eq!(count("services"), api.modules.iter().map(|module| module.services.len()).sum::<usize>());
    let tree = vppkit(&["ls", "--tree"]).ok();
    assert_eq!(tree.lines().count(), api.modules.len() + api.messages.len() + api.types.len());
}

#[test]
fn lints_are_chosen_and_may_fail() {
    let folder = plugin(&json!({"messages": []}));
    let folder = folder.path().to_str().unwrap();
    let finding = "mine: has no version; write: option version = \"1.0.0\"; [file-basics]\n";
    assert_eq!(vppkit(&["lint", "--api-dir", folder]).ok(), finding);
    assert_eq!(vppkit(&["lint", "--api-dir", folder, "--rule", "same-status", "--exit-code"]).ok(), "");
    let outcome = vppkit(&["lint", "--api-dir", folder, "--exit-code"]);
    assert_eq!((outcome.stdout.as_str(), outcome.code), (finding, 1));
    assert_eq!(vppkit(&["lint", "--rule", "nonsense"]).code, 1);
}

#[test]
fn an_export_is_read_back_and_has_its_checksums() {
    let folder = tempfile::tempdir().unwrap();
    let out = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    vppkit(&["export", "--out", &out("all")]).ok();
    assert_eq!(vppkit(&["diff", &out("all"), "26.06"]).ok(), "nothing differs\n");
    let sums =
        Command::new("sha256sum").args(["--check", "--quiet", "SHA256SUMS"]).current_dir(out("all")).status();
    assert!(sums.unwrap().success());
    let source = fs::read_to_string(folder.path().join("all/SOURCE.toml")).unwrap();
    assert!(source.contains("release = \"26.06\"\n") && source.contains("messages = 2095\n"), "{source}");
    assert!(vppkit(&["export", "--out", &out("all")]).error(1).contains("holds something already"));

    // The same bytes each time, and of a folder the very files.
    vppkit(&["export", "--out", &out("a.tar.gz")]).ok();
    fs::rename(out("a.tar.gz"), out("b")).unwrap();
    vppkit(&["export", "--out", &out("a.tar.gz")]).ok();
    assert!(fs::read(out("a.tar.gz")).unwrap() == fs::read(out("b")).unwrap());
    let unpacked = Command::new("tar").args(["xzf", "a.tar.gz"]).current_dir(folder.path()).status();
    assert!(unpacked.unwrap().success());
    assert_eq!(vppkit(&["diff", &out("a"), &out("all")]).ok(), "nothing differs\n");
    let mine = plugin(&json!({"messages": [], "comment": "as it is"}));
    vppkit(&["export", "--api-dir", mine.path().to_str().unwrap(), "--out", &out("mine")]).ok();
    let text = fs::read(folder.path().join("mine/mine.api.json")).unwrap();
    assert!(text == fs::read(mine.path().join("mine.api.json")).unwrap());
}

fn commands(socket: &Path) {
    let socket = socket.to_str().unwrap();
    let version = vppkit(&["cli", "--socket", socket, "show", "version"]).ok();
    assert!(version.starts_with("vpp v26.06"), "{version}");
    // VPP's own options are not this program's.
    let refused = vppkit(&["cli", "--socket", socket, "show", "no-such-thing", "--json"]);
    assert!(refused.stdout.contains("unknown input"), "{refused:?}");
    assert!(refused.error(2).starts_with("show no-such-thing --json: VPP refused: "));

    let lines = "# a remark\nshow version\n\nno such\nshow version\n";
    let outcome = with_input(&["cli", "--socket", socket], lines);
    assert_eq!(outcome.stdout.matches("vpp v26.06").count(), 1, "{outcome:?}");
    assert!(outcome.error(2).starts_with("line 4: no such: VPP refused: "));
    let outcome = with_input(&["cli", "--socket", socket, "--keep-going", "--json"], lines);
    let replies: Vec<Value> =
        outcome.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let is_done: Vec<bool> = replies.iter().map(|reply| reply["retval"] == 0).collect();
    assert_eq!((is_done, outcome.code), (vec![true, false, true], 2));
}

#[test]
fn commands_of_the_debug_cli_on_the_stand_in() {
    let sim = Sim::release("26.06").start_blocking().unwrap();
    commands(sim.socket());
    assert_eq!(vppkit(&["cli", "--socket", "/no/such/socket", "show", "version"]).code, 3);
}

#[test]
fn a_real_vpp_is_told_as_it_is() {
    let Some(binary) = PrivateVpp::find() else {
        eprintln!("skipped: a_real_vpp_is_told_as_it_is: no VPP; set VPP_BIN");
        return;
    };
    let vpp = PrivateVpp::builder().binary(binary).start().unwrap();
    commands(vpp.socket());
    let socket = vpp.socket().to_str().unwrap();
    let json = vppkit(&["diff", "26.06", socket, "--json"]).json();
    for kind in ["changed", "added"] {
        assert_eq!(json["messages"][kind], json!([]), "{kind}");
    }
    assert_eq!(json["types"]["changed"], json!([]));
    let messages = vppkit(&["ls", "messages", "--socket", socket, "--json"]).json();
    assert!(messages.as_array().unwrap().len() > 500);
    let checked = vppkit(&["check", "--release", "26.06", "--socket", socket, "--json"]);
    let all: Vec<Value> = serde_json::from_str(&checked.stdout).unwrap();
    let states = |state: &str| all.iter().filter(|it| it["state"] == state).count();
    assert_eq!((states("changed"), states("same")), (0, messages.as_array().unwrap().len()));
}
