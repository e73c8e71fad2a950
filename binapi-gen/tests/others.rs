//! What others generate: a part of an API, a plugin on top of a release, in a build script or by hand.

mod definitions;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use binapi_gen::{Builder, CrateOptions, Output};
use definitions::{Module, api};
use vpp_schema::Api;

const REQUEST: &str = r#"["u16", "_vl_msg_id"], ["u32", "client_index"], ["u32", "context"]"#;
const REPLY: &str = r#"["u16", "_vl_msg_id"], ["u32", "context"]"#;

/// A VPP of two modules; `mode` is the members of an enum, `more` a field of a type.
fn vpp(mode: &str, more: &str) -> Api {
    let types = format!(
        r#"{{"enums": [["mode", {mode}, {{"enumtype": "u8"}}]],
        "unions": [["value", ["u8", "a"], ["u32", "b"]]],
        "types": [["place", ["vl_api_mode_t", "mode"]{more}], ["named", ["string", "name", 8]], ["boxed", ["vl_api_value_t", "value"]], ["unused", ["u8", "x"]]]}}"#
    );
    let core = format!(
        r#"{{"imports": ["types.api"],
        "messages": [
            ["go", {REQUEST}, ["vl_api_place_t", "place"], {{"crc": "0x1"}}],
            ["go_reply", {REPLY}, ["i32", "retval"], {{"crc": "0x2"}}],
            ["want_events", {REQUEST}, ["bool", "enable"], ["u32", "pid"], {{"crc": "0x3"}}],
            ["want_events_reply", {REPLY}, ["i32", "retval"], {{"crc": "0x2"}}],
            ["went", ["u16", "_vl_msg_id"], ["u32", "client_index"], ["u32", "pid"], ["vl_api_named_t", "who"], {{"crc": "0x4"}}],
            ["look_dump", {REQUEST}, {{"crc": "0x5"}}],
            ["look_details", {REPLY}, ["vl_api_boxed_t", "found"], {{"crc": "0x6"}}]
        ],
        "services": {{"go": {{"reply": "go_reply"}}, "want_events": {{"reply": "want_events_reply", "events": ["went"]}}, "look_dump": {{"reply": "look_details", "stream": true}}}}}}"#
    );
    api(&[Module { name: "types", json: &types }, Module { name: "core", json: &core }])
}

fn release() -> Api {
    vpp(r#"["MODE_A", 0], ["MODE_B", 1]"#, "")
}

fn texts(output: &Output) -> BTreeMap<PathBuf, String> {
    output.files().map(|(path, text)| (path.to_owned(), text.to_owned())).collect()
}

fn generate(builder: Builder) -> BTreeMap<PathBuf, String> {
    texts(&builder.modules().unwrap_or_else(|error| panic!("{error}")))
}

/// The structs of a file.
fn structs(text: &str) -> Vec<&str> {
    let lines = text.lines().filter_map(|line| line.strip_prefix("pub struct "));
    lines.map(|rest| rest.split([' ', '(', '<']).next().unwrap_or_default()).collect()
}

#[test]
fn a_message_comes_with_all_it_needs() {
    let files = generate(Builder::new().api(release()).message("go"));
    let of = |files: &BTreeMap<PathBuf, String>, file: &str| {
        files
            .get(Path::new(file))
            .map_or_else(Vec::new, |text| structs(text).into_iter().map(str::to_owned).collect())
    };
    assert_eq!(of(&files, "core.rs"), ["Go", "GoReply", "GoReplyView"]);
    assert_eq!(of(&files, "types.rs"), ["Mode", "Place"]);

    // An event comes with the request that switches it on.
    let files = generate(Builder::new().api(release()).message("wen?"));
    assert_eq!(
        of(&files, "core.rs"),
        ["WantEvents", "WantEventsReply", "WantEventsReplyView", "Went", "WentView"]
    );
    assert!(files[Path::new("core.rs")].contains("impl Subscribe for Went {"));
    assert_eq!(of(&files, "types.rs"), ["Named", "NamedView"]);

    // A module comes whole; what it does not use of others stays away.
    let files = generate(Builder::new().api(release()).module("co*"));
    assert_eq!(of(&files, "core.rs").len(), 11);
    assert!(!of(&files, "types.rs").contains(&"Unused".to_owned()));
    let all = generate(Builder::new().api(release()));
    assert!(of(&all, "types.rs").contains(&"Unused".to_owned()));
    assert_eq!(files[Path::new("core.rs")], all[Path::new("core.rs")]);
}

#[test]
fn a_part_of_a_release_is_what_the_whole_has() {
    let whole = vpp_api_json::api(vpp_api_json::newest()).unwrap();
    let messages =
        |name: &str| whole.modules.iter().find(|module| module.name == name).unwrap().messages.clone();
    let part = whole.subset(messages("ip").into_iter().chain(messages("memif")), []);
    assert!(part.modules.len() < 12, "{:?}", part.modules.iter().map(|m| &m.name).collect::<Vec<_>>());
    for (id, message) in (0..).map(vpp_schema::MessageId).zip(&part.messages) {
        let (there, _) = whole.find_message(&message.name).unwrap();
        assert_eq!(part.layout_hash(id), whole.layout_hash(there), "{}", message.name);
    }
    // It is an API like any other: it can be written and read again.
    let again = Api::from_sources(&part.to_pins()).unwrap();
    assert_eq!(again.messages.len(), part.messages.len());
}

#[test]
fn a_pattern_that_names_nothing_is_an_error() {
    let error = Builder::new().api(release()).message("goo").modules().unwrap_err();
    assert_eq!(error.to_string(), "no message is called \"goo\"; did you mean go?");
    let error = Builder::new().api(release()).module("x*").modules().unwrap_err();
    // What a build script that returns the error shows is the text.
    assert_eq!(format!("{error:?}"), "no module is called \"x*\"");
}

/// A plugin's own module beside those of its VPP.
fn plugin(vpp: &Api) -> Api {
    let json = format!(
        r#"{{"imports": ["types.api"],
        "types": [["route", ["vl_api_place_t", "from"], ["vl_api_place_t", "to"]]],
        "messages": [
            ["draw", {REQUEST}, ["vl_api_route_t", "route"], ["vl_api_value_t", "value"], {{"crc": "0x7"}}],
            ["draw_reply", {REPLY}, ["i32", "retval"], ["vl_api_named_t", "name"], {{"crc": "0x8"}}]
        ],
        "services": {{"draw": {{"reply": "draw_reply"}}}}}}"#
    );
    let mut sources = vpp.to_pins();
    sources.push(vpp_schema::Source {
        name: "plugin".to_owned(),
        group: vpp_schema::Group::Plugins,
        origin: "plugin.api.json".to_owned(),
        text: json,
    });
    Api::from_sources(&sources).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn what_a_release_has_is_taken_from_there() {
    let files = generate(Builder::new().api(plugin(&release())).reuse_api("my_vpp", release()));
    let plugin = &files[Path::new("plugin.rs")];
    assert!(plugin.contains("pub use my_vpp::types::{Mode, Named, Place};"), "{plugin}");
    assert!(plugin.contains("pub from: Place,"));
    assert!(plugin.contains("use my_vpp::types::NamedView;"));
    assert!(!files.contains_key(Path::new("core.rs")), "the release has it whole");
    // The form of a union depends on who holds it.
    assert_eq!(structs(&files[Path::new("types.rs")]), ["Value"]);
    assert!(plugin.contains("pub use super::types::Value;"));
}

#[test]
fn what_differs_is_generated_anew_with_all_that_holds_it() {
    let (newer, older) = (vpp(r#"["MODE_A", 0], ["MODE_B", 1]"#, r#", ["u8", "more"]"#), release());
    let files = generate(Builder::new().api(plugin(&newer)).reuse_api("my_vpp", older));
    let types = &files[Path::new("types.rs")];
    assert_eq!(structs(types), ["Place", "Value"]);
    assert!(types.contains("pub use my_vpp::types::{"), "what is the same is there under both names");
    assert!(files[Path::new("plugin.rs")].contains("pub use super::types::{Place, Value};"));
    // `go` holds a place, though its CRC is the same; its reply is the old one.
    let core = &files[Path::new("core.rs")];
    assert_eq!(structs(core), ["Go"]);
    assert!(core.contains("type Reply = GoReply;") && core.contains("pub use my_vpp::core::{"), "{core}");

    // A value that is another, too; one that only the release has does no harm.
    let renumbered = vpp(r#"["MODE_A", 0], ["MODE_B", 2]"#, "");
    let files = generate(Builder::new().api(plugin(&renumbered)).reuse_api("my_vpp", release()));
    assert_eq!(structs(&files[Path::new("types.rs")]), ["Mode", "Place", "Value"]);
    let fewer = vpp(r#"["MODE_A", 0]"#, "");
    let files = generate(Builder::new().api(plugin(&fewer)).reuse_api("my_vpp", release()));
    assert_eq!(structs(&files[Path::new("types.rs")]), ["Value"]);
}

const FLOWS: &str = "import \"vnet/ip/ip_types.api\";
autoreply define watch { u32 client_index; u32 context; vl_api_prefix_t prefix; vl_api_ip_proto_t proto; };\n";

#[test]
fn a_file_of_the_language_needs_no_sources_of_vpp() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("flows.api");
    fs::write(&file, FLOWS).unwrap();
    let files = generate(Builder::new().input(&file).reuse("vpp_26_06"));
    assert_eq!(files.keys().collect::<Vec<_>>(), [Path::new("flows.rs"), Path::new("mod.rs")]);
    let text = &files[Path::new("flows.rs")];
    assert!(
        text.contains("pub prefix: Prefix,") && text.contains("pub use vpp_26_06::ip_types::{"),
        "{text}"
    );
    assert!(text.contains("In flows.api."));

    // Without a release nobody knows the import, and the error says where it stands.
    let error = Builder::new().input(&file).modules().unwrap_err().to_string();
    assert!(error.contains("flows.api:1:8") && error.contains("vnet/ip/ip_types.api"), "{error}");
    let error = Builder::new().input(&file).reuse("my_vpp").modules().unwrap_err().to_string();
    assert!(error.contains("Builder::reuse_api"), "{error}");

    // A file that is at hand goes before the release.
    let folder = dir.path().join("vnet/ip");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("ip_types.api"), "enum ip_proto : u8 { P = 9, }; typedef prefix { u8 len; };")
        .unwrap();
    let files = generate(Builder::new().input(&file).reuse("vpp_26_06"));
    assert_eq!(
        structs(&files[Path::new("flows.rs")]),
        ["Prefix", "IpProto", "Watch", "WatchReply", "WatchReplyView"]
    );

    let json = dir.path().join("x.api.json");
    fs::write(&json, "{}").unwrap();
    let error = Builder::new().input(&file).input(&json).modules().unwrap_err().to_string();
    assert!(error.contains("x.api.json") && error.contains("files of one kind"), "{error}");
}

#[test]
fn only_what_changed_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("vpp");
    let first = Builder::new().api(release()).out_dir(&out).unwrap();
    assert_eq!((first.changed.len(), first.unchanged), (3, 0));
    let again = Builder::new().api(release()).out_dir(&out).unwrap();
    assert_eq!((again.changed.len(), again.unchanged), (0, 3));
    let changed = vpp(r#"["MODE_A", 0], ["MODE_B", 1], ["MODE_C", 2]"#, "");
    let third = Builder::new().api(changed).out_dir(&out).unwrap();
    assert_eq!((third.changed, third.unchanged), (vec![PathBuf::from("types.rs")], 2));
    let fewer = Builder::new().api(release()).module("types").out_dir(&out).unwrap();
    assert_eq!(fewer.removed, [PathBuf::from("core.rs")]);
}

#[test]
fn one_file_holds_all_modules() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("vpp.rs");
    let written = Builder::new().api(release()).out_file(&file).unwrap();
    assert_eq!(written.changed, [PathBuf::from("vpp.rs")]);
    let text = fs::read_to_string(&file).unwrap();
    let parsed = syn::parse_file(&text).unwrap();
    assert_eq!(parsed.items.len(), 2, "a module each");
    assert!(parsed.attrs.is_empty(), "it can be included");
    assert_eq!(Builder::new().api(release()).out_file(&file).unwrap().unchanged, 1);
}

#[test]
fn a_crate_names_what_it_takes_of_others() {
    let options = CrateOptions {
        name: "plugin".to_owned(),
        version: "0.1.0".to_owned(),
        runtime_dependency: "\"0.1\"".to_owned(),
        reused_dependencies: vec![("my-vpp".to_owned(), "\"2\"".to_owned())],
    };
    let builder = Builder::new().api(plugin(&release())).reuse_api("my_vpp", release());
    let files = texts(&builder.crate_files(&options).unwrap());
    let manifest = &files[Path::new("Cargo.toml")];
    assert!(manifest.contains("plugin = [\"types\", \"my-vpp/types\"]"), "{manifest}");
    assert!(manifest.ends_with("vpp-wire = \"0.1\"\nmy-vpp = \"2\"\n"), "{manifest}");
}
