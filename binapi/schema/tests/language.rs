//! One construct of the language at a time.

mod definitions;

use definitions::{read, read_one};
use serde_json::{Value, json};
use vpp_schema::{
    Answer, Api, DefaultValue, Field, FieldType, Header, Layout, Scalar, TypeId, TypeKind, TypeRef,
};

const fn one(scalar: Scalar) -> FieldType {
    FieldType::One(TypeRef::Scalar(scalar))
}

/// The fields of a message with these fields, in a file with these types.
fn fields(types: Value, fields: Value) -> (Api, Vec<Field>) {
    let mut message = vec![json!("m"), json!(["u16", "_vl_msg_id"])];
    message.extend(fields.as_array().expect("a list").iter().cloned());
    message.push(json!({"crc": "0x00000001"}));
    let mut file = types;
    file["messages"] = json!([message]);
    let api = read_one(file);
    let fields = api.messages[0].fields.clone();
    (api, fields)
}

fn named(api: &Api, name: &str) -> TypeId {
    let index = api.types.iter().position(|ty| ty.name == name).expect(name);
    TypeId(u32::try_from(index).expect("small"))
}

#[test]
fn scalars_have_their_sizes() {
    for (name, size) in [
        ("u8", 1),
        ("i8", 1),
        ("bool", 1),
        ("u16", 2),
        ("i16", 2),
        ("u32", 4),
        ("i32", 4),
        ("u64", 8),
        ("i64", 8),
        ("f64", 8),
    ] {
        let (api, fields) = fields(json!({}), json!([[name, "x"]]));
        assert_eq!(fields[0].ty, one(Scalar::from_name(name).unwrap()));
        assert_eq!(api.layout_of(fields[0].ty), Layout::Fixed(size));
    }
}

#[test]
fn arrays_and_strings_in_all_their_spellings() {
    let (api, fields) = fields(
        json!({}),
        json!([
            ["u16", "fixed", 3],
            ["u8", "n"],
            ["string", "padded", 64],
            ["string", "old"],
            ["string", "limited", {"limit": 64}],
            ["string", "variable", 0],
            ["u32", "list", 0, "n"],
        ]),
    );
    let types: Vec<FieldType> = fields.iter().map(|field| field.ty).collect();
    assert_eq!(
        types,
        [
            FieldType::Array(TypeRef::Scalar(Scalar::U16), 3),
            one(Scalar::U8),
            FieldType::FixedString(64),
            FieldType::LongString,
            FieldType::LongString,
            FieldType::LongString,
            FieldType::List(TypeRef::Scalar(Scalar::U32), 1),
        ]
    );
    assert_eq!(fields[4].limit, Some(64));
    let layouts: Vec<Layout> = types.iter().map(|ty| api.layout_of(*ty)).collect();
    use Layout::{Fixed, Variable};
    assert_eq!(layouts, [Fixed(6), Fixed(1), Fixed(64), Variable(4), Variable(4), Variable(4), Variable(0)]);
    let offsets = api.offsets(&fields, 10);
    assert_eq!(offsets, [Some(10), Some(16), Some(17), Some(81), None, None, None]);
}

#[test]
fn a_type_is_named_with_or_without_decoration() {
    let types =
        json!({"types": [["pair", ["u8", "a"], ["u8", "b"]]], "aliases": {"vl_api_odd_t": {"type": "u64"}}});
    let (api, fields) = fields(types, json!([["vl_api_pair_t", "x"], ["pair", "y"], ["vl_api_odd_t", "z"]]));
    let pair = FieldType::One(TypeRef::Named(named(&api, "pair")));
    assert_eq!((fields[0].ty, fields[1].ty), (pair, pair));
    assert_eq!(api.layout_of(fields[2].ty), Layout::Fixed(8));
}

#[test]
fn aliases_of_everything() {
    let (api, fields) = fields(
        json!({
            "types": [["pair", ["u8", "a"], ["u8", "b"]]],
            "enums": [["color", ["RED", 1], {"enumtype": "u16"}]],
            "aliases": {
                "index": {"type": "u32"},
                "mac": {"type": "u8", "length": 6},
                "pair2": {"type": "vl_api_pair_t"},
                "paint": {"type": "vl_api_color_t"},
                "index2": {"type": "vl_api_index_t"},
                "macs": {"type": "vl_api_mac_t", "length": 2},
                "text": {"type": "string", "length": 16},
                "any": {"type": "string"},
            },
        }),
        json!([
            ["vl_api_index2_t", "a"],
            ["vl_api_mac_t", "b"],
            ["vl_api_pair2_t", "c"],
            ["vl_api_paint_t", "d"],
            ["vl_api_macs_t", "e", 3],
            ["vl_api_text_t", "f"],
            ["vl_api_any_t", "g"],
        ]),
    );
    let layouts: Vec<Layout> = fields.iter().map(|field| api.layout_of(field.ty)).collect();
    use Layout::{Fixed, Variable};
    assert_eq!(layouts, [Fixed(4), Fixed(6), Fixed(2), Fixed(2), Fixed(36), Fixed(16), Variable(4)]);
    assert_eq!(api.resolve(fields[0].ty), one(Scalar::U32));
    assert_eq!(api.resolve(fields[1].ty), FieldType::Array(TypeRef::Scalar(Scalar::U8), 6));
    assert_eq!(api.resolve(fields[3].ty), FieldType::One(TypeRef::Named(named(&api, "color"))));
}

#[test]
fn enums_of_every_integer() {
    let api = read_one(json!({
        "enums": [
            ["plain", ["P_A", 0], ["P_B", 1]],
            ["small", ["S_A", -1], ["S_B", 127], {"enumtype": "i8"}],
            ["negative", ["N_A", -2_147_483_648i64], ["N_B", 4_294_967_295u64], {"enumtype": "i32"}],
            ["wide", ["W_A", u64::MAX], ["W_B", -1], {"enumtype": "u64"}],
            ["signed", ["I_A", i64::MIN], {"enumtype": "i64"}],
        ],
        "enumflags": [["bits", ["B_1", 1], ["B_8", 128], {"enumtype": "u8"}]],
    }));
    let members = |name: &str| match &api.ty(named(&api, name)).kind {
        TypeKind::Enum(definition) => (
            definition.repr,
            definition.is_flags,
            definition.members.iter().map(|(_, value)| *value).collect(),
        ),
        other => panic!("{other:?}"),
    };
    let expect = |repr, is_flags, values: &[i128]| (repr, is_flags, values.to_vec());
    assert_eq!(members("plain"), expect(Scalar::U32, false, &[0, 1]));
    assert_eq!(members("small"), expect(Scalar::I8, false, &[-1, 127]));
    // C takes 0xffffffff for -1 of 32 bits, and -1 for the largest of 64.
    assert_eq!(members("negative"), expect(Scalar::I32, false, &[-2_147_483_648, -1]));
    assert_eq!(members("wide"), expect(Scalar::U64, false, &[u64::MAX.into(), u64::MAX.into()]));
    assert_eq!(members("signed"), expect(Scalar::I64, false, &[i64::MIN.into()]));
    assert_eq!(members("bits"), expect(Scalar::U8, true, &[1, 128]));
}

#[test]
fn unions_with_and_without_a_discriminator() {
    let (api, fields) = fields(
        json!({
            "enums": [["kind", ["K_4", 0], ["K_6", 1], {"enumtype": "u8"}]],
            "unions": [
                ["told", ["u8", "four", {"case": "K_4"}], ["vl_api_six_t", "six", {"case": "K_6"}]],
                ["untold", ["u8", "a"], ["u32", "b"]],
            ],
            "aliases": {"six": {"type": "u8", "length": 16}, "told2": {"type": "vl_api_told_t"}},
        }),
        json!([
            ["u32", "client_index"], ["u32", "context"], ["vl_api_kind_t", "af"],
            ["vl_api_told_t", "un", {"discriminator": "af"}],
            ["vl_api_told2_t", "un2", {"discriminator": "af"}],
            ["vl_api_untold_t", "free"],
        ]),
    );
    // The index counts fields of the payload.
    assert_eq!(fields[1].discriminator, Some(0));
    assert_eq!(fields[2].discriminator, Some(0));
    assert_eq!(fields[3].discriminator, None);
    assert_eq!(api.layout_of(fields[1].ty), Layout::Fixed(16));
    assert_eq!(api.layout_of(fields[3].ty), Layout::Fixed(4));
    let TypeKind::Union(members) = &api.ty(named(&api, "told")).kind else { panic!("a union") };
    let cases: Vec<Option<&str>> = members.iter().map(|member| member.case.as_deref()).collect();
    assert_eq!(cases, [Some("K_4"), Some("K_6")]);
}

#[test]
fn a_type_that_ends_in_a_list_makes_what_holds_it_variable() {
    let (api, fields) = fields(
        json!({"types": [
            ["route", ["u32", "table"], ["u8", "n"], ["vl_api_path_t", "paths", 0, "n"]],
            ["path", ["u32", "index"], ["u8", "weight"]],
            ["outer", ["u8", "is_add"], ["vl_api_route_t", "route"]],
        ]}),
        json!([["vl_api_outer_t", "outer"]]),
    );
    assert_eq!(api.layout_of(fields[0].ty), Layout::Variable(6));
    assert_eq!(api.layout_of(fields[0].ty).fixed_len(), None);
}

#[test]
fn defaults_take_the_form_of_their_type() {
    let types = json!({
        "enums": [["mode", ["M_A", 0], ["M_B", 3], {"enumtype": "u8"}]],
        "aliases": {"index": {"type": "u32"}, "paint": {"type": "vl_api_mode_t"}},
        "types": [["pair", ["u8", "a"]]],
    });
    let default = |ty: &str, value: Value| {
        let (_, fields) = fields(types.clone(), json!([[ty, "x", {"default": value}]]));
        fields[0].default.clone()
    };
    use DefaultValue::{Bool, Float, Int, Text};
    assert_eq!(default("bool", json!("true")), Some(Bool(true)));
    assert_eq!(default("bool", json!(false)), Some(Bool(false)));
    assert_eq!(default("bool", json!(4_294_967_295u64)), Some(Int(4_294_967_295)));
    assert_eq!(default("u16", json!(4_294_967_295u64)), Some(Int(4_294_967_295)));
    assert_eq!(default("i32", json!(-7)), Some(Int(-7)));
    assert_eq!(default("u64", json!(u64::MAX)), Some(Int(u64::MAX.into())));
    assert_eq!(default("u32", json!("0xff")), Some(Int(255)));
    assert_eq!(default("u32", json!("12")), Some(Int(12)));
    assert_eq!(default("u32", json!(1.0)), Some(Int(1)));
    assert_eq!(default("u32", json!("M_B")), Some(Int(3)));
    assert_eq!(default("u8", json!(true)), Some(Int(1)));
    assert_eq!(default("vl_api_index_t", json!(4_294_967_295u64)), Some(Int(4_294_967_295)));
    assert_eq!(default("vl_api_mode_t", json!(3)), Some(Int(3)));
    assert_eq!(default("vl_api_paint_t", json!("M_B")), Some(Int(3)));
    assert_eq!(default("f64", json!(1.5)), Some(Float(1.5)));
    assert_eq!(default("f64", json!("1.5")), Some(Float(1.5)));
    assert_eq!(default("f64", json!(2)), Some(Int(2)));
    assert_eq!(default("string", json!("eth0")), Some(Text("eth0".to_owned())));
    assert_eq!(default("u8", json!(null)), None);
    assert_eq!(default("vl_api_pair_t", json!(0)), None);
}

#[test]
fn headers_in_every_order() {
    let header = |words: Value| {
        let (api, fields) = fields(json!({}), words);
        (api.messages[0].header, fields.iter().map(|field| field.name.clone()).collect::<Vec<_>>().join(" "))
    };
    let expect = |header, payload: &str| (header, payload.to_owned());
    assert_eq!(header(json!([])), expect(Header::Bare, ""));
    assert_eq!(header(json!([["u32", "context"], ["i32", "retval"]])), expect(Header::Context, "retval"));
    assert_eq!(header(json!([["u32", "client_index"], ["u32", "pid"]])), expect(Header::Client, "pid"));
    let both = json!([["u32", "client_index"], ["u32", "context"], ["u8", "a"]]);
    assert_eq!(header(both), expect(Header::ClientContext, "a"));
    let turned = json!([["u32", "context"], ["u32", "client_index"]]);
    assert_eq!(header(turned), expect(Header::Context, "client_index"));
    assert_eq!(header(json!([["u8", "a"], ["u32", "context"]])), expect(Header::Bare, "a context"));
    assert_eq!(header(json!([["u16", "context"]])), expect(Header::Bare, "context"));
    assert_eq!(header(json!([["u32", "context", 2]])), expect(Header::Bare, "context"));
}

#[test]
fn retval_and_cursor_are_found_where_they_stand() {
    let (api, _) = fields(
        json!({}),
        json!([
            ["u32", "context"],
            ["u8", "name", 3],
            ["i32", "retval"],
            ["u32", "cursor"],
            ["string", "text", 0]
        ]),
    );
    let message = &api.messages[0];
    assert_eq!((message.retval(&api), message.cursor(&api)), (Some(9), Some(13)));
    let (api, _) = fields(json!({}), json!([["u32", "context"], ["u32", "retval"]]));
    assert_eq!(api.messages[0].retval(&api), None, "not an i32");
    let (api, _) = fields(json!({}), json!([["string", "text"], ["i32", "retval"]]));
    assert_eq!(api.messages[0].retval(&api), None, "behind a field of variable size");
}

fn messages(names: &[&str]) -> Vec<Value> {
    names.iter().map(|name| json!([name, ["u16", "_vl_msg_id"], {"crc": "0x1"}])).collect()
}

#[test]
fn services_of_every_kind() {
    let names = [
        "a",
        "a_reply",
        "b_dump",
        "b_details",
        "c_get",
        "c_get_reply",
        "c_details",
        "want_d",
        "want_d_reply",
        "d_event",
        "e",
    ];
    let api = read_one(json!({
        "messages": messages(&names),
        "services": {
            "a": {"reply": "a_reply"},
            "b_dump": {"reply": "b_details", "stream": true},
            "c_get": {"reply": "c_get_reply", "stream": true, "stream_msg": "c_details"},
            "want_d": {"reply": "want_d_reply", "events": ["d_event"]},
            "e": {"reply": "null"},
        },
    }));
    let id = |name: &str| api.find_message(name).expect(name).0;
    assert_eq!(api.answer(id("a")), Some(Answer::Reply(id("a_reply"))));
    assert_eq!(api.answer(id("b_dump")), Some(Answer::Details(id("b_details"))));
    let stream = Answer::Stream { details: id("c_details"), reply: id("c_get_reply") };
    assert_eq!(api.answer(id("c_get")), Some(stream));
    assert_eq!(api.answer(id("e")), Some(Answer::Nothing));
    assert_eq!(api.answer(id("d_event")), None);
    assert_eq!(api.service(id("want_d")).expect("a service").events, [id("d_event")]);
}

#[test]
fn a_service_may_name_a_message_of_another_module() {
    let api = read(&[
        ("one", json!({"messages": messages(&["ask"]), "services": {"ask": {"reply": "answer"}}})),
        ("two", json!({"messages": messages(&["answer"])})),
    ])
    .unwrap();
    let (ask, answer) = (api.find_message("ask").unwrap().0, api.find_message("answer").unwrap().0);
    assert_eq!(api.answer(ask), Some(Answer::Reply(answer)));
}

#[test]
fn options_comments_and_counters_are_kept() {
    let api = read_one(json!({
        "module": "test",
        "options": {"version": "1.2.3"},
        "vl_api_version": "0x0000beef",
        "types": [["t", ["u8", "x"], {"comment": "/* t */"}]],
        "messages": [["m", ["u16", "_vl_msg_id"], {
            "crc": "0x0badcafe",
            "options": {"deprecated": null, "replaced_by": "m_v2", "vat_help": "", "rank": 7},
            "comment": "/** \\brief m */",
        }]],
        "counters": [{"name": "ip4", "elements": [
            {"name": "drop", "severity": "error", "type": "counter64", "units": "packets", "description": "Dropped"},
        ]}],
        "paths": [[{"path": "/err/ip4-input", "counter": "ip4"}, {"path": "/err/ip4-local", "counter": "ip4"}]],
    }));
    let (_, module) = api.find_module("test").unwrap();
    assert_eq!((module.crc, module.option("version")), (0xbeef, Some("1.2.3")));
    let message = &api.messages[0];
    assert_eq!((message.crc, message.comment.as_deref()), (0x0bad_cafe, Some("/** \\brief m */")));
    assert_eq!(message.option("deprecated"), Some(None));
    assert_eq!(message.option("replaced_by"), Some(Some("m_v2")));
    assert_eq!(message.option("rank"), Some(Some("7")));
    assert_eq!(message.option("status"), None);
    assert_eq!(api.types[0].comment.as_deref(), Some("/* t */"));
    assert_eq!(module.counters[0].elements[0].description.as_deref(), Some("Dropped"));
    let paths: Vec<&str> = module.paths.iter().map(|path| path.path.as_str()).collect();
    assert_eq!(paths, ["/err/ip4-input", "/err/ip4-local"]);

    let other = read_one(json!({
        "counters": {"ip4": [{"name": "drop", "severity": "error", "type": "counter64", "units": "packets"}]},
        "paths": {"/err/ip4-input": "ip4", "/err/ip4-local": "ip4"},
        "types": [],
    }));
    assert_eq!(other.modules[0].paths, module.paths);
    assert_eq!(other.modules[0].counters[0].elements[0].units, "packets");
}

/// VPP 18.10 to 20.01: no imports, no enumflags, CRCs on types, services as an empty list, options of one letter.
#[test]
fn old_files_read() {
    let api = read_one(json!({
        "types": [["t", ["u8", "x"], {"crc": "0x12345678"}]],
        "messages": [["show_version", ["u16", "_vl_msg_id"], ["string", "program"], ["string", "version"], {"crc": "0x00000001"}]],
        "unions": [],
        "enums": [["e", ["E_A", 0], {"enumtype": "u32"}]],
        "services": [],
        "options": {"e": "r"},
        "vl_api_version": "0xabcdef12",
    }));
    assert_eq!((api.types.len(), api.messages.len()), (2, 1));
    assert_eq!(api.messages[0].fields[1].ty, FieldType::LongString);
}

#[test]
fn repeated_definitions_count_once() {
    let pair = json!(["pair", ["u8", "a"]]);
    let with_comment = json!(["pair", ["u8", "a"], {"comment": "/* again */"}]);
    let message = json!(["m", ["u16", "_vl_msg_id"], ["vl_api_pair_t", "p"], {"crc": "0x1"}]);
    let api = read_one(json!({"types": [pair, with_comment, pair], "messages": [message, message]}));
    assert_eq!((api.types.len(), api.messages.len()), (1, 1));
}

#[test]
fn the_hash_tells_bytes_and_not_names() {
    let hash = |file: Value| {
        let api = read_one(file);
        let (id, _) = api.find_message("m").unwrap();
        api.layout_hash(id).to_string()
    };
    let with = |types: Value, field: Value| {
        let mut file = types;
        file["messages"] = json!([["m", ["u16", "_vl_msg_id"], ["u32", "context"], field, {"crc": "0x1"}]]);
        hash(file)
    };
    let base = with(json!({"types": [["t", ["u8", "a"], ["u16", "b"]]]}), json!(["vl_api_t_t", "x"]));
    assert_eq!(base.len(), 16);
    let renamed = json!({
        "types": [["s", ["vl_api_byte_t", "c"], ["vl_api_two_t", "d"]]],
        "enums": [["two", ["T_A", 0], {"enumtype": "u16"}]],
        "aliases": {"byte": {"type": "u8"}},
    });
    assert_eq!(with(renamed, json!(["vl_api_s_t", "y"])), base);
    let swapped = json!({"types": [["t", ["u16", "b"], ["u8", "a"]]]});
    assert_ne!(with(swapped, json!(["vl_api_t_t", "x"])), base);
    let wider = json!({"types": [["t", ["u8", "a"], ["u32", "b"]]]});
    assert_ne!(with(wider, json!(["vl_api_t_t", "x"])), base);
    let union = json!({"unions": [["t", ["u8", "a"], ["u16", "b"]]]});
    assert_ne!(with(union, json!(["vl_api_t_t", "x"])), base);
    let bare = json!({"types": [["t", ["u8", "a"], ["u16", "b"]]], "messages": [["m", ["vl_api_t_t", "x"], {"crc": "0x1"}]]});
    assert_ne!(hash(bare), base, "another header");
    // Fixed for good: the hash may be stored.
    assert_eq!(base, "f602e3b87abf4189");
}

#[test]
fn pins_of_every_construct() {
    let api = read_one(json!({
        "types": [
            ["pair", ["u8", "a", {"default": 5}], ["string", "b", 8], {"comment": "/* a pair */"}],
            ["route", ["u8", "n"], ["vl_api_pair_t", "pairs", 0, "n"]],
            ["either", ["vl_api_kind_t", "kind"], ["vl_api_told_t", "un", {"discriminator": "kind"}]],
        ],
        "messages": [
            ["ask", ["u16", "_vl_msg_id"], ["u32", "client_index"], ["u32", "context"],
                ["bool", "is_add", {"default": "true"}], ["vl_api_mac_t", "mac"], ["vl_api_route_t", "route"],
                {"crc": "0x0badcafe", "options": {"deprecated": null}, "comment": "/* ask */"}],
            ["ask_reply", ["u16", "_vl_msg_id"], ["u32", "context"], ["i32", "retval"], ["f64", "load", {"default": 1.5}],
                ["u16", "raw", 4], ["string", "text", {"limit": 32}], {"crc": "0x00000002", "options": {}}],
            ["ask_event", ["u16", "_vl_msg_id"], ["u32", "client_index"], ["u32", "pid"], {"crc": "0x00000003"}],
        ],
        "unions": [["told", ["u8", "four", {"case": "K_4"}], ["u64", "six", {"case": "K_6"}]]],
        "enums": [["kind", ["K_4", 0], ["K_6", -1], {"enumtype": "i8"}]],
        "enumflags": [["bits", ["B_1", 1], {"enumtype": "u64"}]],
        "services": {"ask": {"reply": "ask_reply", "events": ["ask_event"]}},
        "options": {"version": "1.0.0"},
        "aliases": {"mac": {"type": "u8", "length": 6}, "index": {"type": "u32"}},
        "vl_api_version": "0x1",
        "imports": [],
        "counters": [{"name": "c", "elements": [{"name": "drop", "severity": "error", "type": "counter64", "units": "packets", "description": "Dropped"}]}],
        "paths": [[{"path": "/err/c", "counter": "c"}]],
    }));
    let pins = api.to_pins();
    insta::assert_snapshot!(pins[0].text);
    assert!(Api::from_sources(&pins).unwrap() == definitions::without_comments(api));
}
