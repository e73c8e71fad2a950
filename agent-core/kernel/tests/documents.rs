//! Documents as trees.

use std::collections::BTreeMap;

use serde::Deserialize;
use vpp_agent_kernel::document::{Format, Node, Origin, Value, parse};

fn one(text: &str, format: Format) -> Node {
    let mut documents = parse("d", text, format).unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(documents.len(), 1, "{text}");
    documents.remove(0)
}

fn refused(text: &str, format: Format) -> String {
    parse("d", text, format).expect_err(text).to_string()
}

fn line(node: &Node) -> usize {
    match node.origin {
        Origin::File { line, .. } => line,
        _ => 0,
    }
}

#[test]
fn every_value_knows_its_line() {
    let json = "{\n \"a\": [1,\n  {\"b\\u0041\": null}],\n\t\"c\":\n \"x\"}";
    let yaml = "a:\n- 1\n- bA: ~\n# more\nc: x";
    let toml = "a = [1,\n\n { bA = 0 }]\nc = 'x'";
    for (text, format, lines) in [
        (json, Format::Json, [2, 2, 3, 5]),
        (yaml, Format::Yaml, [2, 2, 3, 5]),
        (toml, Format::Toml, [1, 1, 3, 4]),
    ] {
        let node = one(text, format);
        let at = |path| line(node.nearest(path));
        assert_eq!([at("a"), at("a[0]"), at("a[1].bA"), at("c")], lines, "{text}");
        assert_eq!(at("a[1].none.other"), line(node.nearest("a[1]")));
    }
}

#[test]
fn a_name_given_twice_names_both_places() {
    for (text, format) in [("a: 1\n\na: 2", Format::Yaml), ("{\"a\": 1,\n\n\"a\": 2}", Format::Json)] {
        assert_eq!(refused(text, format), "d:3: a: this name is given already at d:1");
    }
    let inner = "a: { b: [{}, { c: 1, c: 2 }] }";
    assert_eq!(refused(inner, Format::Yaml), "d:1: a.b[1].c: this name is given already at d:1");
    let inner = "{\"a\": { \"b\": [{}, { \"c\": 1, \"c\": 2 }] }}";
    assert_eq!(refused(inner, Format::Json), "d:1: a.b[1].c: this name is given already at d:1");
    let many: String = (0..100).map(|n| format!("k{n}: {n}\n")).collect();
    assert_eq!(one(&many, Format::Yaml).entries().map(<[_]>::len), Some(100));
    let twice = format!("{many}k17: 0");
    assert_eq!(refused(&twice, Format::Yaml), "d:101: k17: this name is given already at d:18");
}

#[test]
fn yaml_scalars_are_those_of_the_core_schema() {
    let cases = [
        ("~", Value::Null),
        ("", Value::Null),
        ("true", Value::Bool(true)),
        ("yes", Value::String("yes".into())),
        ("off", Value::String("off".into())),
        ("-17", Value::Signed(-17)),
        ("+17", Value::Signed(17)),
        ("017", Value::Signed(17)),
        ("0x1F", Value::Signed(31)),
        ("0o17", Value::Signed(15)),
        ("0b1", Value::String("0b1".into())),
        ("1_000", Value::String("1_000".into())),
        ("18446744073709551615", Value::Unsigned(u64::MAX)),
        ("1e3", Value::Float(1000.0)),
        (".5", Value::Float(0.5)),
        ("5.", Value::Float(5.0)),
        ("-.inf", Value::Float(f64::NEG_INFINITY)),
        ("1.2.3.4", Value::String("1.2.3.4".into())),
        ("10.0.0.0/8", Value::String("10.0.0.0/8".into())),
        ("::1", Value::String("::1".into())),
        ("02:fe:00:00:00:01", Value::String("02:fe:00:00:00:01".into())),
        (".", Value::String(".".into())),
        ("-", Value::List(vec![Node { origin: Origin::Nowhere, value: Value::Null }])),
        ("'17'", Value::String("17".into())),
        ("!!str 17", Value::String("17".into())),
        ("! 17", Value::String("17".into())),
        ("!!float 17", Value::Float(17.0)),
    ];
    for (text, expected) in cases {
        let read = one(&format!("- {text}"), Format::Yaml);
        let Value::List(items) = read.value else { panic!("{text}") };
        match (&items[0].value, &expected) {
            (Value::List(read), Value::List(expected)) => assert_eq!(read.len(), expected.len()),
            (read, expected) => assert_eq!(read, expected, "{text}"),
        }
    }
    assert_eq!(refused("- !!int x", Format::Yaml), "d:1: this is not what tag `!!int` says");
    assert_eq!(refused("a: !route x", Format::Yaml), "d:1: tag `!route` is not known");
}

#[test]
fn yaml_aliases_stand_for_what_they_name() {
    let text = "base: &base { mtu: 1500, up: true }\na: { <<: *base, mtu: 9000 }\nb: { <<: [{ up: no }, *base] }\nc: *base";
    let node = one(text, Format::Yaml);
    assert_eq!(node.nearest("a.mtu").value, Value::Signed(9000));
    assert_eq!(node.nearest("a.up").value, Value::Bool(true));
    assert_eq!(node.nearest("b.up").value, Value::String("no".into()));
    assert_eq!(node.nearest("b.mtu").value, Value::Signed(1500));
    assert_eq!((&node.nearest("c.mtu").value, line(node.nearest("c.mtu"))), (&Value::Signed(1500), 1));
    assert_eq!(one("'<<': 1", Format::Yaml).nearest("<<").value, Value::Signed(1), "in quotes, a name");
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for n in 1..9 {
        let items = format!("*a{}, ", n - 1).repeat(10);
        bomb += &format!("a{n}: &a{n} [{items}]\n");
    }
    assert!(refused(&bomb, Format::Yaml).contains("aliases stand for more than"));
    let long_text = format!("- &a {}\n{}", "x".repeat(100_000), "- *a\n".repeat(1_000));
    assert!(refused(&long_text, Format::Yaml).contains("aliases stand for more than"));
    // Each anchor keeps what is in it.
    let anchors: String = (0..100).map(|n| format!("&b{n} [")).collect();
    let list = format!("- &a [{}]\n", "1, ".repeat(1_000));
    let nested = format!("{list}- {anchors}{}{}", "*a, ".repeat(100), "]".repeat(100));
    assert!(refused(&nested, Format::Yaml).contains("aliases stand for more than"));
    let large = format!("- &a [{}]\n{}", "1, ".repeat(100_000), "- *a\n".repeat(11));
    assert!(
        parse("d", &large, Format::Yaml).is_ok(),
        "the larger a document, the more its aliases may stand for"
    );
    assert!(refused("a: &a [*a]", Format::Yaml).starts_with("d:1: "));
    assert!(refused("a: *b", Format::Yaml).starts_with("d:1: "));
    assert_eq!(refused("? [a]\n: 1", Format::Yaml), "d:1: a name has to be a text");
}

#[test]
fn several_documents_of_a_text() {
    let documents = parse("d", "a: 1\n---\nb: 2\n---\n", Format::Yaml).expect("three");
    assert_eq!(documents.len(), 3);
    assert_eq!((line(&documents[1]), &documents[2].value), (3, &Value::Null));
    assert_eq!(one("", Format::Yaml).value, Value::Null);
    assert_eq!(one(" \n", Format::Json).value, Value::Null);
}

#[test]
fn depth_has_an_end() {
    for (open, format) in
        [("[", Format::Json), ("{\"a\":", Format::Json), ("[", Format::Yaml), ("- ", Format::Yaml)]
    {
        assert!(refused(&open.repeat(100_000), format).starts_with("d:1: "), "{open}");
    }
}

#[test]
fn json_errors_name_their_line() {
    assert_eq!(refused("{\n\"a\": 1,\n17}", Format::Json), "d:3: key must be a string");
    assert_eq!(refused("{} x", Format::Json), "d:1: trailing characters");
    assert_eq!(refused("{\n\"a\": 1e999}", Format::Json), "d:2: a: number out of range");
}

#[test]
fn names_are_what_a_type_asks_for() {
    #[derive(Deserialize, PartialEq, Debug)]
    #[serde(transparent)]
    struct Number(u16);
    #[derive(Deserialize, PartialEq, Eq, PartialOrd, Ord, Debug)]
    #[serde(rename_all = "lowercase")]
    enum Side {
        In,
        Out,
    }
    #[derive(Deserialize, PartialEq, Debug)]
    struct Maps {
        by_number: BTreeMap<u16, Number>,
        by_side: BTreeMap<Side, String>,
        any: serde_json::Value,
    }
    let text = "by_number: { 1: 2 }\nby_side: { in: a, out: b }\nany: { x: [1, 2.5, ~, true] }";
    let maps: Maps = one(text, Format::Yaml).read("").expect("read");
    assert_eq!(maps.by_number, [(1, Number(2))].into());
    assert_eq!(maps.by_side, [(Side::In, "a".to_owned()), (Side::Out, "b".to_owned())].into());
    assert_eq!(maps.any, serde_json::json!({ "x": [1, 2.5, null, true] }));
    assert_eq!(Node::from_json(&maps.any).nearest("x[1]").value, Value::Float(2.5));
    let error = one("by_number: { 70000: 2 }", Format::Yaml).read::<Maps>("maps").unwrap_err();
    assert_eq!(
        error.to_string(),
        "d:1: maps.by_number: this is integer `70000`, and should be an integer from 0 to 65535"
    );
}

fn plain(node: &Node) -> serde_json::Value {
    match &node.value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(value) => (*value).into(),
        Value::Signed(value) => (*value).into(),
        Value::Unsigned(value) => (*value).into(),
        Value::Float(value) => (*value).into(),
        Value::String(text) | Value::Text(text) => text.as_str().into(),
        Value::List(items) => items.iter().map(plain).collect(),
        Value::Table(entries) => {
            entries.iter().map(|entry| (entry.key.to_string(), plain(&entry.node))).collect()
        }
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 500, ..Default::default() })]

    /// Whatever JSON is: it is read as serde_json reads it, also as YAML.
    #[test]
    fn json_is_json_and_yaml(value in json(), pretty in proptest::bool::ANY) {
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) };
        let text = text.expect("text");
        proptest::prop_assert_eq!(plain(&one(&text, Format::Json)), value.clone());
        // What follows a long name on its line has to be within 1024 characters of it in YAML.
        if pretty {
            proptest::prop_assert_eq!(plain(&one(&text, Format::Yaml)), value);
        }
    }

    /// What both readers take, both take for the same.
    #[test]
    fn yaml_is_what_another_reader_reads(
        text in "(a|b|- |: |\n|\n  |\n    |\\{|\\}|\\[|\\]|,|17|0x1f|1\\.5|~|true|null|'x y'|\"q\\\\n\"|# c|&a |\\*a|\\||>|é|!!str ){0,25}"
    ) {
        let mine = parse("d", &text, Format::Yaml);
        let options = serde_saphyr::options! { strict_booleans: true };
        let theirs = serde_saphyr::from_multiple_with_options::<serde_json::Value>(&text, options);
        if let (Ok(mine), Ok(theirs)) = (mine, theirs) {
            let mine: Vec<_> = mine.iter().map(plain).collect();
            // An empty text is a document here, and none there.
            if !theirs.is_empty() {
                proptest::prop_assert_eq!(mine, theirs, "{}", text);
            }
        }
    }

    /// No text makes a reader panic.
    #[test]
    fn any_text_is_read_or_refused(text in "(\\[|\\]|=|:|-|\n| |\\{|\\}|'|\"|1|\\.|#|,|&a|\\*a|!!int|!|é|\\?|<<|---|\t|\\\\|\\|){0,40}") {
        for format in [Format::Toml, Format::Json, Format::Yaml] {
            let _ = parse("d", &text, format);
        }
    }
}

fn json() -> impl proptest::strategy::Strategy<Value = serde_json::Value> {
    use proptest::prelude::*;
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        (-1e9..1e9f64).prop_map(|value| (value + 0.5).into()),
        "[ -~é\n\t]{0,12}".prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Into::into),
            prop::collection::btree_map("[ -~é]{0,8}", inner, 0..5)
                .prop_map(|map| map.into_iter().collect::<serde_json::Map<_, _>>().into()),
        ]
    })
}
