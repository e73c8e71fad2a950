//! What is said about definitions that cannot be read.

mod definitions;

use std::fmt::Write as _;

use definitions::{read, source};
use serde_json::{Value, json};
use vpp_schema::{Api, Group, Problem, ReadError, Source};

/// A file with a message of these fields, and with these types.
fn with(mut file: Value, fields: Value) -> Value {
    let mut message = vec![json!("m"), json!(["u16", "_vl_msg_id"])];
    message.extend(fields.as_array().expect("a list").iter().cloned());
    message.push(json!({"crc": "0x00000001"}));
    file["messages"] = json!([message]);
    file
}

fn message(name: &str, trailer: Value) -> Value {
    json!({"messages": [[name, ["u16", "_vl_msg_id"], trailer]]})
}

/// Every file here is wrong in one way; the snapshot is the list of what is said.
#[test]
fn every_fault_names_file_item_and_field() {
    let pair = json!({"types": [["pair", ["u8", "a"]]]});
    let union = |cases: [Option<&str>; 2]| {
        let member = |name: &str, case: Option<&str>| match case {
            Some(case) => json!(["u8", name, {"case": case}]),
            None => json!(["u8", name]),
        };
        json!({
            "enums": [["kind", ["K_4", 0], ["K_6", 1], {"enumtype": "u8"}]],
            "unions": [["un", member("four", cases[0]), member("six", cases[1])]],
        })
    };
    let told = union([Some("K_4"), Some("K_6")]);
    let select = json!([["vl_api_kind_t", "af"], ["vl_api_un_t", "un", {"discriminator": "af"}]]);
    let cases: Vec<(&str, Value)> = vec![
        ("no object", json!("text")),
        ("another JSON", json!({"name": "package", "version": "1.0.0"})),
        ("types is no list", json!({"types": {"a": 1}})),
        ("a type without name", json!({"types": [[1, 2]]})),
        ("a field that is a number", json!({"types": [["t", 7]]})),
        ("a field without name", json!({"types": [["t", ["u8"]]]})),
        ("a field with too much", json!({"types": [["t", ["u8", "x", 1, "n", {}, 5]]]})),
        ("a name that is none", json!({"types": [["../etc", ["u8", "x"]]]})),
        ("an empty name", json!({"types": [["", ["u8", "x"]]]})),
        ("a field's name that is none", json!({"types": [["t", ["u8", "x y"]]]})),
        ("an enumerator's name that is none", json!({"enums": [["e", ["A-B", 1]]]})),
        ("a field twice", json!({"types": [["t", ["u8", "x"], ["u16", "x"]]]})),
        ("an enumerator twice", json!({"enums": [["e", ["A", 1], ["A", 2]]]})),
        ("a type twice", json!({"types": [["t", ["u8", "x"]], ["t", ["u16", "x"]]]})),
        ("a message twice", json!({"messages": [["m", {"crc": "0x1"}], ["m", {"crc": "0x2"}]]})),
        ("an unknown type", with(json!({}), json!([["vl_api_nowhere_t", "x"]]))),
        ("an unknown type in a type", json!({"types": [["t", ["vl_api_nowhere_t", "x"]]]})),
        ("an unknown type in an alias", json!({"aliases": {"a": {"type": "vl_api_nowhere_t"}}})),
        ("a type in itself", json!({"types": [["t", ["vl_api_t_t", "x"]]]})),
        ("a type in itself, as a list", json!({"types": [["t", ["u8", "n"], ["vl_api_t_t", "x", 0, "n"]]]})),
        (
            "a type in itself, on a detour",
            json!({"types": [["a", ["vl_api_b_t", "x"]], ["b", ["vl_api_c_t", "x"]]],
            "aliases": {"c": {"type": "vl_api_a_t", "length": 2}}}),
        ),
        ("an alias of itself", json!({"aliases": {"a": {"type": "vl_api_a_t"}}})),
        ("no alias", json!({"aliases": {"a": "u8"}})),
        ("no CRC", message("m", json!({}))),
        ("a CRC that is a number", message("m", json!({"crc": 1}))),
        ("a CRC that is none", message("m", json!({"crc": "0xnothing"}))),
        ("a CRC that is too long", message("m", json!({"crc": "0x123456789"}))),
        ("a file CRC that is none", json!({"types": [], "vl_api_version": "v1"})),
        ("an id of 32 bits", json!({"messages": [["m", ["u32", "_vl_msg_id"], {"crc": "0x1"}]]})),
        ("an id behind", json!({"messages": [["m", ["u8", "x"], ["u16", "_vl_msg_id"], {"crc": "0x1"}]]})),
        ("a length of 0", with(json!({}), json!([["u8", "x", 0]]))),
        ("a negative length", with(json!({}), json!([["u8", "x", -1]]))),
        ("a length of 2^32", with(json!({}), json!([["u8", "x", 4_294_967_296u64]]))),
        ("an alias of length 0", json!({"aliases": {"a": {"type": "u8", "length": 0}}})),
        ("a length and a count", with(json!({}), json!([["u8", "n"], ["u8", "x", 4, "n"]]))),
        ("a counted string", with(json!({}), json!([["u8", "n"], ["string", "x", 0, "n"]]))),
        ("an array of nothing", with(json!({"types": [["none"]]}), json!([["vl_api_none_t", "x", 4]]))),
        ("a count that is not there", with(json!({}), json!([["u8", "x", 0, "n"]]))),
        ("a count that comes later", with(json!({}), json!([["u8", "x", 0, "n"], ["u8", "n"]]))),
        ("a count in the header", with(json!({}), json!([["u32", "context"], ["u8", "x", 0, "context"]]))),
        ("a count that is a type", with(pair.clone(), json!([["vl_api_pair_t", "n"], ["u8", "x", 0, "n"]]))),
        ("a count that is a float", with(json!({}), json!([["f64", "n"], ["u8", "x", 0, "n"]]))),
        (
            "a discriminator that is not there",
            with(told.clone(), json!([["vl_api_un_t", "un", {"discriminator": "af"}]])),
        ),
        (
            "a discriminator that is no enum",
            with(told.clone(), json!([["u8", "af"], ["vl_api_un_t", "un", {"discriminator": "af"}]])),
        ),
        (
            "a discriminator of no union",
            with(told, json!([["vl_api_kind_t", "af"], ["u8", "un", {"discriminator": "af"}]])),
        ),
        ("a case that is no enumerator", with(union([Some("K_4"), Some("K_7")]), select.clone())),
        ("a case that is missing", with(union([Some("K_4"), None]), select.clone())),
        ("a case twice", with(union([Some("K_4"), Some("K_4")]), select)),
        ("a member of variable size", json!({"unions": [["u", ["string", "x", 0]]]})),
        ("an enum of floats", json!({"enums": [["e", ["A", 1], {"enumtype": "f64"}]]})),
        ("an enum of nothing known", json!({"enums": [["e", ["A", 1], {"enumtype": "u128"}]]})),
        ("an enumerator too large", json!({"enums": [["e", ["A", 256], {"enumtype": "u8"}]]})),
        ("an enumerator too small", json!({"enums": [["e", ["A", -129], {"enumtype": "u8"}]]})),
        ("an enumerator that is no number", json!({"enums": [["e", ["A", "one"]]]})),
        ("an enumerator without value", json!({"enums": [["e", ["A"]]]})),
        ("a default of words", with(json!({}), json!([["u32", "x", {"default": "lots"}]]))),
        ("a default with a fraction", with(json!({}), json!([["u32", "x", {"default": 1.5}]]))),
        ("a default of a list", with(json!({}), json!([["u32", "x", {"default": [1]}]]))),
        ("a default of a type", with(pair, json!([["vl_api_pair_t", "x", {"default": 1}]]))),
        (
            "a default that is no number of a string",
            with(json!({}), json!([["string", "x", {"default": 1}]])),
        ),
        (
            "a service of nobody",
            json!({"messages": [["m", {"crc": "0x1"}]], "services": {"ask": {"reply": "m"}}}),
        ),
        (
            "a reply that is not there",
            json!({"messages": [["m", {"crc": "0x1"}]], "services": {"m": {"reply": "m_reply"}}}),
        ),
        (
            "an event that is not there",
            json!({"messages": [["m", {"crc": "0x1"}]], "services": {"m": {"reply": "null", "events": ["e"]}}}),
        ),
        ("services as a list", json!({"types": [], "services": [1]})),
        ("an import that is a number", json!({"types": [], "imports": [1]})),
        ("counters without name", json!({"types": [], "counters": [{}]})),
        ("paths without path", json!({"types": [], "paths": [[{"counter": "c"}]]})),
    ];
    let mut said = String::new();
    for (what, file) in cases {
        let error = read(&[("test", file)]).expect_err(what);
        writeln!(said, "{what}:\n    {error}").unwrap();
    }
    insta::assert_snapshot!(said);
}

#[test]
fn a_text_that_is_not_json_is_named_with_line_and_column() {
    let source = Source { text: "{\n  \"types\": [,]\n}".to_owned(), ..source("test", &json!({})) };
    let error = Api::from_sources(&[source]).unwrap_err().to_string();
    assert_eq!(error, "test.api.json is not JSON: expected value at line 2 column 13");
}

#[test]
fn what_two_files_cannot_both_say() {
    let types = json!({"types": []});
    let twice = read(&[("one", types.clone()), ("one", types)]).unwrap_err();
    assert!(matches!(&twice, ReadError::DuplicateModule { module, .. } if module == "one"), "{twice}");

    let ask = message("ask", json!({"crc": "0x1"}));
    let error = read(&[("one", ask.clone()), ("two", ask)]).unwrap_err().to_string();
    assert_eq!(
        error,
        "message ask is defined by one.api.json and by two.api.json; a message belongs to one module"
    );

    let one = json!({"types": [["state", ["u8", "x"]]], "imports": []});
    let two = json!({"types": [["state", ["u16", "x"]]], "imports": []});
    let in_type = json!({"types": [["mine", ["vl_api_state_t", "x"]]], "imports": ["one", "two"]});
    let in_message =
        json!({"messages": [["m", ["vl_api_state_t", "x"], {"crc": "0x1"}]], "imports": ["one", "two"]});
    for (item, user) in [("type mine", in_type), ("message m", in_message)] {
        let files = [("user", user), ("one", one.clone()), ("two", two.clone())];
        assert_eq!(
            read(&files).unwrap_err().to_string(),
            format!(
                "user.api.json: {item}, field x: type state is defined differently by one.api.json and by \
                 two.api.json, which are both imported"
            )
        );
    }
}

#[test]
fn folders_that_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing");
    let error = Api::read_dir(&missing).unwrap_err();
    assert!(matches!(&error, ReadError::Folder { path, .. } if *path == missing), "{error}");
    assert!(error.to_string().contains("/usr/share/vpp/api"), "{error}");

    let error = Api::read_dir(folder.path()).unwrap_err();
    assert!(matches!(&error, ReadError::NoDefinitions { .. }), "{error}");

    let file = folder.path().join("bytes.api.json");
    std::fs::write(&file, [0xff, 0xfe]).unwrap();
    let error = Api::read_dir(folder.path()).unwrap_err();
    assert!(matches!(&error, ReadError::File { path, .. } if *path == file), "{error}");

    let error = Api::read_dir(&file).unwrap_err();
    assert!(matches!(&error, ReadError::Folder { .. }), "{error}");
}

#[test]
fn a_folder_is_read_with_core_and_plugins_below() {
    let folder = tempfile::tempdir().unwrap();
    for (path, types) in [("core/a", "ta"), ("plugins/b", "tb"), ("c", "tc"), ("x/y/z/deep", "td")] {
        let path = folder.path().join(format!("{path}.api.json"));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, json!({"types": [[types, ["u8", "x"]]]}).to_string()).unwrap();
    }
    std::fs::write(folder.path().join("core/notes.json"), "no definition").unwrap();
    std::fs::create_dir_all(folder.path().join("x/y/z/far")).unwrap();
    std::fs::write(folder.path().join("x/y/z/far/off.api.json"), "too deep").unwrap();
    let api = Api::read_dir(folder.path()).unwrap();
    let modules: Vec<(&str, Group)> = api.modules.iter().map(|m| (m.name.as_str(), m.group)).collect();
    let expected = [("a", Group::Core), ("b", Group::Plugins), ("c", Group::Other), ("deep", Group::Other)];
    assert_eq!(modules, expected);
    // An error names the path.
    std::fs::write(folder.path().join("core/a.api.json"), "[").unwrap();
    let error = Api::read_dir(folder.path()).unwrap_err().to_string();
    assert!(
        error.starts_with(&format!("{}/core/a.api.json is not JSON", folder.path().display())),
        "{error}"
    );
}

/// Types in each other, `depth` of them, the outermost first or last.
fn nested(depth: usize, outermost_first: bool) -> Value {
    let mut types: Vec<Value> = (0..depth)
        .map(|level| match level {
            0 => json!(["t0", ["u8", "x"]]),
            _ => json!([format!("t{level}"), [format!("vl_api_t{}_t", level - 1), "x"]]),
        })
        .collect();
    if outermost_first {
        types.reverse();
    }
    json!({"types": types})
}

#[test]
fn types_nested_without_end_are_refused() {
    for outermost_first in [true, false] {
        for depth in [66, 10_000] {
            let error = read(&[("test", nested(depth, outermost_first))]).unwrap_err();
            let ReadError::Definition { problem, .. } = &error else { panic!("{error}") };
            assert!(matches!(**problem, Problem::TooDeep { .. }), "{error}");
        }
        assert!(read(&[("test", nested(65, outermost_first))]).is_ok());
    }
    let aliases: serde_json::Map<String, Value> = (0..10_000)
        .map(|level| (format!("a{level}"), json!({"type": format!("vl_api_a{}_t", level + 1)})))
        .chain([("a10000".to_owned(), json!({"type": "u8"}))])
        .collect();
    let error = read(&[("test", json!({"aliases": aliases}))]).unwrap_err().to_string();
    assert!(error.contains("nested deeper"), "{error}");
    let text = "[".repeat(100_000);
    let error = Api::from_sources(&[Source { text, ..source("test", &json!({})) }]).unwrap_err();
    assert!(matches!(error, ReadError::NotJson { .. }), "{error}");
}

/// Each level doubles what is written out, and multiplies its bytes: neither may be done.
#[test]
fn types_that_grow_without_end_are_measured() {
    let types: Vec<Value> = (0..60)
        .map(|level| {
            let of = if level == 0 { "u64".to_owned() } else { format!("vl_api_t{}_t", level - 1) };
            json!([format!("t{level}"), [of, "a", u32::MAX], [of, "b", u32::MAX]])
        })
        .collect();
    let api = definitions::read_one(json!({
        "types": types,
        "messages": [["m", ["vl_api_t59_t", "x"], ["i32", "retval"], {"crc": "0x1"}]],
    }));
    let (id, message) = api.find_message("m").unwrap();
    assert_eq!(api.layout_of(message.fields[0].ty).min_len(), usize::MAX);
    assert_eq!(message.retval(&api), Some(usize::MAX));
    assert_ne!(api.layout_hash(id).0, 0);
}

#[test]
fn too_many_modules_are_refused() {
    let modules: Vec<Value> =
        (0..5000).map(|number| json!({"module": format!("m{number}"), "types": []})).collect();
    let error = Api::from_running(&Value::Array(modules).to_string(), None).unwrap_err();
    assert!(matches!(error, ReadError::TooManyModules { count: 5000, .. }), "{error}");
}
