//! What the program does without a VPP.
#![allow(clippy::unwrap_used)]

mod program;

use std::fs;

use program::{command, vppkit, with_input};
use serde_json::{Value, json};

#[test]
fn a_message_becomes_the_bytes_that_vpp_gets_and_back() {
    // Counted by hand: id, client index and context are zero; interface 7; enumerator 1; both big endian.
    let fields = r#"{"sw_if_index": 7, "flags": "IF_STATUS_API_FLAG_ADMIN_UP"}"#;
    let hex = "0000 00000000 00000000 00000007 00000001".replace(' ', "");
    assert_eq!(vppkit(&["encode", "sw_interface_set_flags", fields]).ok(), format!("{hex}\n"));
    assert_eq!(
        vppkit(&["decode", "--name", "sw_interface_set_flags", &hex]).json(),
        json!({
            "_msgname": "sw_interface_set_flags", "_crc": "f5aec1b8",
            "sw_if_index": 7, "flags": "IF_STATUS_API_FLAG_ADMIN_UP",
        })
    );
    assert_eq!(with_input(&["encode", "sw_interface_set_flags", "-"], fields).ok(), format!("{hex}\n"));
    assert_eq!(
        with_input(&["decode", "--name", "control_ping", "-"], "0x0017 80000001 0000002a\n").json(),
        json!({"_msgname": "control_ping", "_crc": "51077d14"})
    );
}

#[test]
fn each_pinned_release_has_its_own_definitions() {
    // The same fields in both; VPP computed its CRCs in another way when 20.09 was made.
    let crc = |release: &str| {
        let decoded =
            vppkit(&["decode", "--release", release, "--name", "bond_create", &"00".repeat(64)]).json();
        decoded["_crc"].as_str().unwrap().to_owned()
    };
    assert_eq!((crc("20.09"), crc("21.10")), ("48883c7e".to_owned(), "f1dbd4ff".to_owned()));
    let fields = r#"{"sw_if_index": 7, "flags": "IF_STATUS_API_FLAG_ADMIN_UP"}"#;
    let hex = "0000 00000000 00000000 00000007 00000001".replace(' ', "");
    let encode = ["encode", "--release", "21.10", "sw_interface_set_flags", fields];
    assert_eq!(vppkit(&encode).ok(), format!("{hex}\n"));
}

#[test]
fn the_header_is_shown_when_it_is_asked_for() {
    assert_eq!(
        vppkit(&["decode", "--header", "--name", "control_ping", "0017800000010000002a"]).json(),
        json!({
            "_msgname": "control_ping", "_crc": "51077d14",
            "_vl_msg_id": 23, "client_index": 0x8000_0001_u32, "context": 42,
        })
    );
}

#[test]
fn a_batch_gives_a_line_for_each_line() {
    let input = concat!(
        r#"{"name": "control_ping"}"#,
        "\n\n",
        r#"{"name": "control_ping", "id": 23, "client_index": 2147483649, "context": 42, "fields": {}}"#,
        "\nnonsense\n",
        r#"{"name": "control_ping", "fields": {"colour": 1}}"#,
        "\n",
        r#"{"fields": {}}"#,
        "\n",
        r#"{"name": "control_ping", "id": 65536}"#,
        "\n",
        r#"{"name": "control_ping", "feilds": {}}"#,
    );
    let outcome = with_input(&["encode", "--batch"], input);
    let lines: Vec<_> = outcome.stdout.lines().collect();
    assert_eq!(lines.len(), 8, "{lines:?}");
    assert_eq!(lines[..3], ["00000000000000000000", "", "0017800000010000002a"]);
    let error =
        |line: &str| serde_json::from_str::<Value>(line).unwrap()["error"].as_str().unwrap().to_owned();
    assert!(error(lines[3]).starts_with("the line is not JSON: "), "{}", lines[3]);
    assert!(error(lines[4]).contains("control_ping: colour: no such field"), "{}", lines[4]);
    assert_eq!(error(lines[5]), "the line has no name");
    assert_eq!(error(lines[6]), "id is to be a number of 16 bits; got 65536");
    assert!(error(lines[7]).contains("feilds"), "{}", lines[7]);
    assert_eq!(outcome.error(1), "5 of 8 lines failed; see the results with an error");
}

#[test]
fn batches_invert_each_other() {
    let messages = [
        ("show_version_reply", json!({"retval": -7, "program": "vpe", "version": "26.06"})),
        ("sw_interface_event", json!({"pid": 5, "sw_if_index": 1, "flags": 3, "deleted": true})),
        (
            "ip_route_add_del",
            json!({"is_add": true, "route": {"prefix": "2001:db8::/32", "paths": [{}, {"weight": 2}]}}),
        ),
        ("cli_inband", json!({"cmd": "show interface\n\"quoted\" \u{e9}"})),
    ];
    let mut input = String::new();
    for (context, (name, fields)) in messages.iter().enumerate() {
        let line = json!({"name": name, "fields": fields, "id": 1000, "context": context});
        input += &format!("{line}\n");
    }
    let encoded = with_input(&["encode", "--batch"], &input).ok();
    let lines = messages.iter().zip(encoded.lines());
    let hex: String =
        lines.map(|((name, _), hex)| format!("{}\n", json!({"name": name, "hex": hex}))).collect();
    let decoded = with_input(&["decode", "--batch", "--header"], &hex).ok();
    for ((name, _), line) in messages.iter().zip(decoded.lines()) {
        let message: Value = serde_json::from_str(line).unwrap();
        assert_eq!(message["_msgname"], *name);
        assert_eq!(message["_vl_msg_id"], 1000);
    }
    assert_eq!(with_input(&["encode", "--batch"], &decoded).ok(), encoded);
}

#[test]
fn a_batch_answers_each_line_before_the_next_comes() {
    use std::io::{BufRead, BufReader, Write};
    use std::process::Stdio;

    let mut child = command(&["decode", "--batch", "--name", "control_ping"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    for _ in 0..3 {
        stdin.write_all(b"00000000000000000000\n").unwrap();
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        assert_eq!(line, "{\"_msgname\":\"control_ping\",\"_crc\":\"51077d14\"}\n");
    }
    drop(stdin);
    assert!(child.wait().unwrap().success());
}

#[test]
fn definitions_come_from_a_folder_when_one_is_given() {
    let folder = tempfile::tempdir().unwrap();
    let definition = json!({
        "types": [], "unions": [], "enums": [], "enumflags": [], "aliases": {}, "options": {}, "services": {},
        "messages": [["greet", ["u16", "_vl_msg_id"], ["u32", "client_index"], ["u32", "context"],
                      ["string", "name", 8], {"crc": "0x00000001"}]],
        "vl_api_version": "0x1",
    });
    fs::write(folder.path().join("greeting.api.json"), definition.to_string()).unwrap();
    let folder = folder.path().to_str().unwrap();
    assert_eq!(
        vppkit(&["encode", "greet", r#"{"name": "you"}"#, "--api-dir", folder]).ok(),
        "00000000000000000000796f750000000000\n"
    );
    let error = vppkit(&["encode", "control_ping", "--api-dir", folder]).error(1);
    assert_eq!(error, format!("{folder} has no message control_ping"));
}

#[test]
fn a_crate_is_generated_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (definitions, out) = (path("api"), path("my-vpp"));
    fs::create_dir(&definitions).unwrap();
    let file = folder.path().join("api/greeting.api.json");
    let message = |ty: &str| {
        json!({
            "messages": [["greet", ["u16", "_vl_msg_id"], ["u32", "client_index"], ["u32", "context"],
                          [ty, "colour"], {"crc": "0x00000001"}]],
        })
    };
    let generate = ["gen", "--api-dir", &definitions, "--out", &out];

    fs::write(&file, message("vl_api_nothing_t").to_string()).unwrap();
    let error = vppkit(&generate).error(1);
    assert!(error.contains("greeting.api.json") && error.contains("nothing"), "{error}");
    assert!(!folder.path().join("my-vpp").exists());

    fs::write(&file, message("u32").to_string()).unwrap();
    let said = vppkit(&generate).ok();
    assert!(said.starts_with(&format!("my-vpp in {out}: ")) && said.contains(" 0 unchanged"), "{said}");
    let module = fs::read_to_string(folder.path().join("my-vpp/src/greeting.rs")).unwrap();
    assert!(module.contains("pub struct Greet") && module.contains("pub colour: u32"), "{module}");
    let again = vppkit(&[&generate[..], &["--json"]].concat()).json();
    assert_eq!((&again["written"], &again["crate"]), (&json!(0), &json!("my-vpp")));

    // What somebody wrote by hand stays.
    fs::write(folder.path().join("my-vpp/Cargo.toml"), "[package]\n").unwrap();
    let error = vppkit(&generate).error(1);
    assert!(error.contains("Cargo.toml is not of vppkit's making"), "{error}");
    assert_eq!(fs::read_to_string(folder.path().join("my-vpp/Cargo.toml")).unwrap(), "[package]\n");
}

#[test]
fn bad_input_gives_a_line_that_says_where_and_what() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let file = folder.path().join("x.api.json");
    let encode = |name: &str| vppkit(&["encode", name, "--api-dir", path]).error(1);
    let names = |error: String, words: &[&str]| {
        assert_eq!(error.lines().count(), 1, "{error}");
        for word in words {
            assert!(error.contains(word), "{word:?} is missing in: {error}");
        }
    };

    names(
        vppkit(&["encode", "a", "--api-dir", "/no/such/folder"]).error(1),
        &["/no/such/folder", "No such file"],
    );
    names(encode("a"), &[path, "api.json"]);
    fs::write(&file, "{\"types\": [").unwrap();
    names(encode("a"), &["x.api.json", "JSON"]);
    let message = |ty: &str| json!(["m", ["u16", "_vl_msg_id"], [ty, "colour"], {"crc": "0x00000001"}]);
    fs::write(&file, json!({"messages": [message("vl_api_nothing_t")]}).to_string()).unwrap();
    names(encode("m"), &["x.api.json", "m", "colour", "nothing"]);
    fs::write(&file, json!({"messages": [message("u32"), message("u8")]}).to_string()).unwrap();
    names(encode("m"), &["x.api.json", "m"]);

    names(
        vppkit(&["encode", "sw_interface_set_flag"]).error(1),
        &["VPP 26.06", "did you mean sw_interface_set_flags"],
    );
    names(
        vppkit(&["encode", "sw_interface_set_flags", r#"{"sw_if": 1}"#]).error(1),
        &["sw_if: no such field", "sw_if_index, flags"],
    );
    names(vppkit(&["encode", "sw_interface_set_flags", "[1]"]).error(1), &["JSON object", "[1]"]);
    names(vppkit(&["encode", "sw_interface_set_flags", "{1}"]).error(1), &["not JSON", "{1}"]);
    names(vppkit(&["encode", "a", "--release", "1.0"]).error(1), &["VPP 1.0", "26.06", "--api-dir"]);
    names(vppkit(&["decode", "--name", "control_ping", "0x0z"]).error(1), &["'z' at 1"]);
    names(vppkit(&["decode", "--name", "control_ping", "0017"]).error(1), &["control_ping", "10 bytes", "2"]);
}

#[test]
fn wrong_use_is_exit_code_1_and_help_is_0() {
    assert_eq!(vppkit(&["encode"]).code, 1);
    assert_eq!(vppkit(&["nonsense"]).code, 1);
    assert_eq!(vppkit(&["call", "show_version", "--timeout", "soon"]).code, 1);
    let help = vppkit(&["--help"]).ok();
    assert!(
        help.contains("Exit codes: 0 done; 1 used wrongly or failed; 2 VPP refused; 3 no connection to VPP")
    );
    assert!(vppkit(&["--version"]).ok().starts_with("vppkit "));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    use std::io::{BufRead, BufReader, Write};
    use std::process::Stdio;

    let mut command = command(&["encode", "--batch"]);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    stdin.write_all(b"{\"name\": \"control_ping\"}\n").unwrap();
    stdout.read_line(&mut String::new()).unwrap();
    drop(stdout);
    // The program may have ended by the second of them.
    for _ in 0..2 {
        let _ = stdin.write_all(b"{\"name\": \"control_ping\"}\n");
    }
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert!(output.status.success());
}

/// What Bash is offered for the last of these words.
fn offered(words: &[&str]) -> Vec<String> {
    let mut command = command(&["--", "vppkit"]);
    command.args(words).env("COMPLETE", "bash").env("_CLAP_COMPLETE_INDEX", words.len().to_string());
    let output = command.env("_CLAP_COMPLETE_COMP_TYPE", "9").env("_CLAP_IFS", "\n").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn a_shell_is_told_messages_fields_and_enumerators() {
    assert_eq!(offered(&["call", "create_loop"]), ["create_loopback", "create_loopback_instance"]);
    assert_eq!(offered(&["dump", "sw_interface_d"]), ["sw_interface_dump"]);
    assert_eq!(offered(&["events", "sw_interface_e"]), ["sw_interface_event"]);
    assert_eq!(offered(&["encode", "x", "--release", ""])[0], "26.06");
    let flags = ["call", "sw_interface_set_flags"];
    assert_eq!(
        offered(&[&flags[..], &["{\"f"]].concat()),
        ["{\"flags\":", "{\"flags\": ..."],
        "one candidate alone would close the quote"
    );
    assert_eq!(
        offered(&[&flags[..], &["{\"flags\":\"IF_STATUS"]].concat()),
        ["{\"flags\":\"IF_STATUS_API_FLAG_ADMIN_UP\"", "{\"flags\":\"IF_STATUS_API_FLAG_LINK_UP\""]
    );
    // The fields of an event are those of the request for it.
    assert!(offered(&["events", "sw_interface_event", "{"]).contains(&"{\"enable_disable\":".to_owned()));
}

#[test]
fn every_shell_has_its_script() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = vppkit(&["completions", shell]).ok();
        assert!(script.contains("vppkit") && script.contains("COMPLETE"), "{shell}: {script}");
    }
}

#[test]
fn an_api_file_becomes_vpps_json_and_a_crate() {
    let folder = tempfile::tempdir().unwrap();
    let include = folder.path().join("include");
    fs::create_dir(&include).unwrap();
    fs::write(include.join("my_types.api"), "enum color : u8 { RED, GREEN, };\n").unwrap();
    let file = folder.path().join("my.api");
    let text = "import \"my_types.api\";\n\
                autoreply define my_paint { u32 client_index; u32 context; vl_api_color_t color; };\n";
    fs::write(&file, text).unwrap();
    let (file, include) = (file.to_str().unwrap(), include.to_str().unwrap());

    let json = vppkit(&["json", file, "-I", include]).json();
    assert_eq!(json["module"], "my");
    assert_eq!(json["services"], json!({"my_paint": {"reply": "my_paint_reply"}}));
    assert_eq!(json["enums"], json!([["color", ["RED", 0], ["GREEN", 1], {"enumtype": "u8"}]]));
    let json = vppkit(&["json", file, "-I", include, "--enums-from", "1"]).json();
    assert_eq!(json["enums"], json!([["color", ["RED", 1], ["GREEN", 2], {"enumtype": "u8"}]]));

    let out = folder.path().join("my-api");
    vppkit(&["gen", "--api-src", file, "-I", include, "--out", out.to_str().unwrap()]).ok();
    assert!(fs::read_to_string(out.join("src/my.rs")).unwrap().contains("MyPaint"));

    let error = vppkit(&["json", file]).error(1);
    assert!(error.contains("my.api:1:8: there is no my_types.api in "), "{error}");
}
