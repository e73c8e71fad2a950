//! Documents: YAML, JSON and TOML as trees, and trees as types. An error with its place, or a tree that is not much larger
//! than its text.
//!
//! The first byte tells the format: `j` and `t`, all others are YAML.
#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use serde_json::Value as Json;
use vpp_agent_kernel::document::{ConfigError, Format, Node, Origin, Value, parse};
use vpp_agent_kernel::serde::{self, Deserialize};

/// A bit of everything that types ask for.
#[derive(Deserialize)]
#[serde(crate = "serde")]
#[allow(dead_code)]
struct Typed {
    a: Option<u8>,
    b: Option<Vec<Typed>>,
    c: Option<BTreeMap<i16, String>>,
    d: Option<Choice>,
    e: Option<(f64, char)>,
    f: Option<Untagged>,
    g: Option<bool>,
    h: Option<Flat>,
}

#[derive(Deserialize)]
#[serde(crate = "serde", rename_all = "kebab-case")]
#[allow(dead_code)]
enum Choice {
    Unit,
    New(i64),
    Tuple(u64, ()),
    Table { x: Option<Box<Choice>> },
}

#[derive(Deserialize)]
#[serde(crate = "serde", untagged)]
#[allow(dead_code)]
enum Untagged {
    Number(f32),
    Text(String),
    List(Vec<Untagged>),
}

#[derive(Deserialize)]
#[serde(crate = "serde")]
#[allow(dead_code)]
struct Flat {
    #[serde(flatten)]
    rest: BTreeMap<String, Json>,
}

/// Values and bytes of a tree.
fn size(node: &Node) -> usize {
    1 + match &node.value {
        Value::String(text) | Value::Text(text) => text.len(),
        Value::List(items) => items.iter().map(size).sum(),
        Value::Table(entries) => entries.iter().map(|entry| size(&entry.node)).sum(),
        _ => 0,
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((format, text)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let format = match format {
        b'j' => Format::Json,
        b't' => Format::Toml,
        _ => Format::Yaml,
    };
    let lines = 2 + text.matches(['\n', '\r']).count();
    let is_there = |origin: &Origin| matches!(origin, Origin::File { line, .. } if (1..=lines).contains(line));
    let told = |error: ConfigError| assert!(is_there(&error.origin) && !error.reason.is_empty(), "{error}");
    let documents = match parse("fuzz", text, format) {
        Ok(documents) => documents,
        Err(error) => return told(error),
    };
    for node in &documents {
        assert!(size(node) <= 70_000_000 + 100 * text.len(), "{} bytes became too many", text.len());
        assert!(is_there(&node.origin));
        let json = node.read::<Json>("all").expect("any value will do");
        let _ = node.read::<Typed>("").map_err(told);
        let _ = node.nearest("b[0].c.1");
        if format == Format::Json && !text.trim().is_empty() {
            assert_eq!(serde_json::from_str::<Json>(text).expect("read by another"), json);
        }
    }
});
