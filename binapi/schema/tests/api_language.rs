//! VPP's API definition language: what each construct means, and what is said about mistakes.

mod definitions;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use serde_json::Value;
use vpp_schema::{Api, ApiFile, Group, MessageId, Numbering, ReadError, Source, SourceOptions};

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/idl").join(name)
}

fn text(name: &str, text: &str) -> Source {
    Source {
        name: name.to_owned(),
        group: Group::Plugins,
        origin: format!("{name}.api"),
        text: text.to_owned(),
    }
}

fn read(api: &str) -> Result<Api, ReadError> {
    Api::from_api_texts(&[text("test", api)], &SourceOptions::default())
}

fn crc(api: &Api, message: &str) -> u32 {
    api.find_message(message).unwrap_or_else(|| panic!("no {message}")).1.crc
}

/// The JSON, with all its CRCs, is what VPP 26.06's own tool wrote for this file.
#[test]
fn every_construct_becomes_what_vpps_tool_makes_of_it() {
    let read = ApiFile::read(&data("every.api"), &SourceOptions::default())
        .unwrap_or_else(|error| panic!("{error}"));
    let expected = std::fs::read_to_string(data("every.api.json")).expect("a file");
    let expected: Value = serde_json::from_str(&expected).expect("JSON");
    for (key, expected) in expected.as_object().expect("an object") {
        assert_eq!(read.json.get(key), Some(expected), "{key}");
    }
    assert_eq!(read.json, expected);
    assert_eq!(read.module, "every");
    // From the header that the same tool writes: what a running VPP is asked for.
    assert_eq!(read.own_crc, 0x2091_59ec, "{:#010x}", read.own_crc);
}

#[test]
fn the_model_is_that_of_the_json() {
    let roots = [data("every.api")];
    let from_source =
        Api::read_api_sources(&roots, &SourceOptions::default()).unwrap_or_else(|error| panic!("{error}"));
    let json = Source {
        name: "every".to_owned(),
        group: Group::Plugins,
        origin: "every.api.json".to_owned(),
        text: std::fs::read_to_string(data("every.api.json")).expect("a file"),
    };
    assert!(from_source == Api::from_sources(&[json]).expect("as VPP's tool wrote it"));

    // As a folder both are modules, and each type belongs to where it is defined.
    let folder = Api::read_api_sources(&[data("")], &SourceOptions::default())
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(folder.modules.len(), 2);
    assert_eq!(definitions::owners(&folder, "color"), ["base_types"]);
}

/// The CRCs are those of VPP's tools of 21.06 and 26.06.
#[test]
fn enumerators_were_once_numbered_from_one() {
    let source = text(
        "test",
        "enum plain { PLAIN_A, PLAIN_B, PLAIN_C = 9, PLAIN_D, };
         autoreply define m { u32 client_index; u32 context; vl_api_plain_t p; };",
    );
    for (numbering, expected) in [(Numbering::FromZero, 0xfbd7_1259), (Numbering::FromOne, 0xf6fb_95aa)] {
        let options = SourceOptions { numbering: Some(numbering), ..SourceOptions::default() };
        let api = Api::from_api_texts(std::slice::from_ref(&source), &options).expect("well written");
        assert_eq!(crc(&api, "m"), expected, "{numbering:?}");
    }
}

#[test]
fn what_does_not_count_does_not_enter_the_crc() {
    let plain = read("autoreply define m { u32 client_index; u32 context; u8 x; };").expect("well written");
    let decorated = read(
        "// words\r\noption version = \"9.9.9\"; dont_trace autoreply /* here */ define\tm {\r\n\
         u32 client_index; u32 context; option in_progress; u8 x [default=7, limit=9]; /* there */ };",
    );
    assert_eq!(crc(&plain, "m"), crc(&decorated.expect("well written"), "m"));
    let other = read("autoreply define m { u32 client_index; u32 context; u8 y; };").expect("well written");
    assert_ne!(crc(&plain, "m"), crc(&other, "m"));
}

/// A comment describes what begins on the line after it at the latest.
#[test]
fn comments_describe_what_follows() {
    let api = read(
        "/* far */\n\ntypedef a { u8 x; };\n/* near */\ntypedef b { u8 x; };\n\
         /* not for an alias */\ntypedef u8 c;\n// goes on to\ntypedef d { u8 x; };",
    )
    .expect("well written");
    let comments: BTreeMap<_, _> =
        api.types.iter().map(|ty| (ty.name.as_str(), ty.comment.as_deref())).collect();
    let expected = [("a", None), ("b", Some("/* near */")), ("c", None), ("d", Some("// goes on to"))];
    assert_eq!(comments, BTreeMap::from(expected));
}

#[test]
fn words_of_the_counters_are_names_of_fields() {
    let fields = "u8 type; u8 severity; u8 description; u8 counters; u8 paths;";
    read(&format!("autoreply define m {{ u32 client_index; u32 context; {fields} }};"))
        .expect("well written");
}

#[test]
fn imports_are_found_in_texts_and_folders() {
    let types = text("src/vnet/ip_types", "typedef address { u8 bytes[4]; };");
    let user = text(
        "plugin",
        "import \"vnet/ip_types.api\";\n\
         autoreply define m { u32 client_index; u32 context; vl_api_address_t a; };",
    );
    let types = Source { name: "ip_types".to_owned(), ..types };
    let api = Api::from_api_texts(&[user.clone(), types], &SourceOptions::default());
    let api = api.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(definitions::owners(&api, "address"), ["ip_types"]);

    let folder = tempfile::tempdir().expect("a folder");
    let plugin = folder.path().join("plugin");
    let include = folder.path().join("include");
    for (path, content) in [
        (plugin.join("plugin.api"), user.text.as_str()),
        (include.join("vnet/ip_types.api"), "typedef address { u8 bytes[4]; };"),
    ] {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, content).expect("written");
    }
    let error = Api::read_api_sources(std::slice::from_ref(&plugin), &SourceOptions::default())
        .expect_err("it is elsewhere")
        .to_string();
    assert!(error.contains("plugin.api:1:8: there is no vnet/ip_types.api in "), "{error}");
    assert!(error.contains(&plugin.display().to_string()), "{error}");
    let options = SourceOptions { include: vec![include], ..SourceOptions::default() };
    let read = Api::read_api_sources(&[plugin], &options).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(crc(&read, "m"), crc(&api, "m"));
    assert_eq!(read.modules.len(), 1, "what is only imported is no module");

    let nothing = tempfile::tempdir().expect("a folder");
    let error = Api::read_api_sources(&[nothing.path().to_owned()], &SourceOptions::default());
    assert!(error.expect_err("it is empty").to_string().starts_with("no *.api in "));
}

/// Every text here is wrong in one way; the snapshot is what is said.
#[test]
fn every_fault_has_its_place() {
    let message = "u32 client_index; u32 context;";
    let case = |text: &str| text.replace("HEAD", message);
    let cases = [
        "",
        "defin m { u8 x; };",
        "define m { u8 x; }",
        "define m { };",
        "define { u8 x; };",
        "define m { u8; };",
        "define m { u8 x };",
        "typedef t {\n\tu8 x;\n\tu8 y z;\n};",
        "typedef t { u8 x[-1]; };",
        "typedef t { u8 x[1.5]; };",
        "typedef t { u8 x[]; };",
        "typedef t { u8 x[n]; };",
        "typedef t { u8 x[0]; };",
        "typedef t { string x; };",
        "typedef t { string x[]; u8 y; };",
        "typedef t { u8 n; u8 x[n]; };\ntypedef s { vl_api_t_t t; u8 y; };",
        "typedef t { u8 x; option bad; };",
        "typedef t { u8 x [default=]; };",
        "typedef t { u8 x [default=300 };",
        "typedef t { u8 x [default=99999999999999999999]; };",
        "typedef address { u8 x; };\ntypedef t { vl_api_adress_t x; };",
        "typedef address { u8 x; };\ntypedef t { address x; };",
        "typedef t { vl_api_t_t x; };",
        "typedef t { u8 x; };\nenum t { A, };",
        "typedef t { u8 x; u16 x; };",
        "typeonly define t { u8 x; };",
        "enum e { A };",
        "enum e : u64 { A, };",
        "enum e : u8 { A = 255, B, };",
        "enum e { A = 1.5, };",
        "enum e { A [backwards_compatible], B, };",
        "enum e { A, B, A = 7, };",
        "enumflag e : u8 { A = 3, };",
        "enumflag e : i8 { A = 1, };",
        "enum kind : u8 { A, B, };\nunion un { u8 a [case=A]; u8 c [case=C]; };\n\
         typedef t { vl_api_kind_t k; vl_api_un_t u [discriminator=k]; };",
        "import vnet/ip.api;",
        "import \"test.api\";",
        "import \"nowhere.api\";",
        "define m { HEAD };",
        "define m_reply { u32 context; i32 retval; };",
        "define m_dump { HEAD };",
        "define m_details { u32 context; };",
        "define m_get { HEAD };\ndefine m_get_reply { u32 context; i32 retval; };\ndefine m_details { u32 context; };",
        "autoreply define m { HEAD };\ndefine m_reply { u32 context; i32 retval; };",
        "autoreply define m { HEAD };\nservice { rpc m returns m; };",
        "autoreply define m { HEAD };\nservice { rpc m returns m_reply events m_event; };",
        "autoreply define m { HEAD };\nservice { rpc m returns; };",
        "counters c { c { severity error; colour red; }; };",
        "paths { \"/err\" };",
        "option version = \"1.0.0;\n",
        "/* without end",
        "define m { u8 größe; };",
        "typedef t { u8 x; };;",
    ];
    let mut told = String::new();
    for text in cases.map(case) {
        let error = read(&text).expect_err(&text).to_string();
        let _ = writeln!(told, "{error}\n");
    }
    insta::assert_snapshot!(told);
}

/// Types that hold two of the one before would take for ever to walk through; imports of imports as well.
#[test]
fn what_unfolds_without_end_is_refused() {
    let mut types = "typedef t0 { u8 a; };".to_owned();
    for index in 1..60 {
        let below = index - 1;
        let _ = write!(types, "typedef t{index} {{ vl_api_t{below}_t a; vl_api_t{below}_t b; }};");
    }
    types.push_str("autoreply define m { u32 client_index; u32 context; vl_api_t59_t t; };");
    let error = read(&types).expect_err("too much").to_string();
    assert!(error.contains("the types of m unfold to too many"), "{error}");

    let mut files = vec![text("f0", "typedef t { u8 a; };")];
    for index in 1..20 {
        let below = format!("import \"f{}.api\";", index - 1);
        files.push(text(&format!("f{index}"), &below.repeat(2)));
    }
    let error = Api::from_api_texts(&files, &SourceOptions::default()).expect_err("too much").to_string();
    assert!(error.contains("the imports of this file unfold to more than 10000 files"), "{error}");

    let circle = [text("a", "import \"b.api\";"), text("b", "import \"a.api\";")];
    let error = Api::from_api_texts(&circle, &SourceOptions::default()).expect_err("a circle").to_string();
    assert!(error.contains("a.api imports itself: a.api imports b.api imports a.api"), "{error}");
}

/// Reads a text, and uses what comes out.
fn use_text(api: &str) {
    if let Ok(api) = read(api) {
        for (id, message) in (0..).map(MessageId).zip(&api.messages) {
            let _ = (api.layout_hash(id), api.answer(id), api.offsets(&message.fields, 0));
        }
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in ".{0,200}") {
        use_text(&text);
    }

    /// Words of the language in any order.
    #[test]
    fn no_words_make_it_panic(words in prop::collection::vec(prop::sample::select(vec![
        "define", "typedef", "enum", "enumflag", "union", "service", "rpc", "returns", "stream", "events", "null",
        "option", "import", "counters", "paths", "autoreply", "typeonly", "u8", "string", "vl_api_a_t", "a", "a_reply",
        "{", "}", "[", "]", ";", "=", ",", ":", "-1", "0x10", "4294967296", "1.5", "\"x\"", "/* c */", "// c\n", "\n",
        "default", "typedef a { u8 n; u8 x[n]; };", "enum e { A, };", "é", "\\", "\"", "\r",
    ]), 0..60)) {
        use_text(&words.join(" "));
    }

    /// A real file with a part cut out.
    #[test]
    fn no_cut_makes_it_panic(start in 0_usize..2500, length in 0_usize..60) {
        let base = text("base_types", &std::fs::read_to_string(data("base_types.api")).expect("a file"));
        let mut every = std::fs::read_to_string(data("every.api")).expect("a file");
        let start = start.min(every.len());
        every.replace_range(start..(start + length).min(every.len()), "");
        let sources = [text("every", &every), base];
        if let Err(error) = Api::from_api_texts(&sources, &SourceOptions::default()) {
            prop_assert!(error.to_string().starts_with("every.api:"), "{error}");
        }
    }
}

/// A file as two of VPP's tools number it: what the tools of 20.01 and 20.09 printed.
#[test]
fn a_tree_tells_how_its_release_computes_crcs() {
    let text = "option version = \"1.0.0\";
enum color : u8 { RED = 3, GREEN, };
typedef u8 mac[6];
typedef u32 index;
typedef pair { u32 a; vl_api_mac_t mac; vl_api_color_t color; };
union both { u32 number; vl_api_mac_t mac; };
autoreply define first { u32 client_index; u32 context; vl_api_color_t color; vl_api_pair_t pair; vl_api_index_t index; };
autoreply define second { u32 client_index; u32 context; u8 count; vl_api_index_t index; vl_api_both_t both; vl_api_pair_t pairs[count]; };
";
    let until_20_05 = "def crc_block_combine(block, crc):\n";
    let table = "fixup_crc_dict = {\n    \"first\": { 0x661149a: 0x12345678 },\n}\n";
    for (tool, file, first, second) in [
        (until_20_05, "0x9dab6a8c", 0x57cb_a9f5, 0xeaad_a0a0),
        ("", "0xe2947e3d", 0x0661_149a, 0xf991_5d24),
        (table, "0xe2947e3d", 0x1234_5678, 0xf991_5d24),
    ] {
        let tree = tempfile::tempdir().expect("a folder");
        let folder = |name: &str| {
            let folder = tree.path().join("src").join(name);
            std::fs::create_dir_all(&folder).expect("a folder");
            folder
        };
        std::fs::write(folder("tools/vppapigen").join("vppapigen.py"), tool).expect("a file");
        let path = folder("vnet").join("mine.api");
        std::fs::write(&path, text).expect("a file");
        let read = ApiFile::read(&path, &SourceOptions::default()).expect("it is right");
        assert_eq!(read.json["vl_api_version"], file);
        let api = Api::read_api_sources(&[tree.path().to_owned()], &SourceOptions::default()).expect("read");
        let crc = |name: &str| api.find_message(name).expect("defined").1.crc;
        assert_eq!((crc("first"), crc("second"), crc("first_reply")), (first, second, 0xe8d4_e804));
    }
}
