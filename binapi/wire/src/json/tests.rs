use serde_json::{Value, json};

use super::{Block, Fields, Int, RawMember, from_value, to_value};
use crate::{Address, Prefix, TimeDelta, Timestamp, json_enum, json_union, open_enum, serde_impls};

#[derive(Clone, Copy, PartialEq, Eq)]
struct Level(u8);
open_enum!(Level(u8), &[("LOW", 0), ("HIGH", 1)]);
json_enum!(Level, "level", flags: false);

#[derive(Clone, Copy, PartialEq, Eq)]
struct Bits(u16);
open_enum!(Bits(u16), &[("NONE", 0), ("UP", 1), ("LINK", 2)]);
json_enum!(Bits, "bits", flags: true);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Number([u8; 4]);
json_union!(
    Number,
    "number",
    RawMember::of::<u32>("word"),
    RawMember::of::<u16>("half"),
    RawMember::text::<4>("text")
);

#[derive(Clone, Debug, Default, PartialEq)]
struct Inner {
    value: u64,
    time: f64,
}

impl Block for Inner {
    fn fields(&mut self, fields: &mut Fields<'_, '_>) {
        fields.structure("inner");
        fields.field("value", &mut self.value);
        fields.field("time", &mut self.time);
    }
}

#[derive(Clone, Debug, PartialEq)]
struct Outer {
    level: Level,
    bits: Bits,
    name: String,
    key: [u8; 3],
    inners: Vec<Inner>,
}

impl Default for Outer {
    fn default() -> Self {
        Self { level: Level(1), bits: Bits(0), name: String::new(), key: [0; 3], inners: Vec::new() }
    }
}

impl Block for Outer {
    fn fields(&mut self, fields: &mut Fields<'_, '_>) {
        fields.structure("outer");
        fields.field("level", &mut self.level);
        fields.field("bits", &mut self.bits);
        fields.text("name", &mut self.name, 7);
        fields.field("key", &mut self.key);
        fields.count("count", Int::U8, "inners", self.inners.len());
        fields.field("inners", &mut self.inners);
    }
}

serde_impls!(Outer);

fn outer() -> (Outer, Value) {
    let value = Outer {
        level: Level(7),
        bits: Bits(0x8003),
        name: "red".to_owned(),
        key: [1, 2, 0xff],
        inners: vec![Inner { value: u64::MAX, time: f64::INFINITY }, Inner::default()],
    };
    let shown = json!({
        "level": 7, "bits": ["UP", "LINK", 0x8000], "name": "red", "key": "0x0102ff", "count": 2,
        "inners": [{ "value": u64::MAX, "time": "inf" }, { "value": 0, "time": 0.0 }],
    });
    (value, shown)
}

#[test]
fn a_struct_is_shown_and_read_back() {
    let (value, shown) = outer();
    assert_eq!(to_value(&value).to_string(), shown.to_string());
    assert_eq!(from_value::<Outer>(&shown).unwrap(), value);
    // What is left out is the default.
    assert_eq!(from_value::<Outer>(&json!({})).unwrap(), Outer::default());
}

#[test]
fn serde_has_the_same_form() {
    let (value, shown) = outer();
    assert_eq!(serde_json::to_string(&value).unwrap(), shown.to_string());
    assert_eq!(serde_json::from_str::<Outer>(&shown.to_string()).unwrap(), value);
    assert_eq!(
        serde_json::from_str::<Outer>(r#"{"nmae":"red"}"#).unwrap_err().to_string(),
        "outer: nmae: no such field; did you mean name?; there are level, bits, name, key, count, inners"
    );
    let prefix: Prefix = serde_json::from_str(r#""10.0.0.1/24""#).unwrap();
    assert_eq!(serde_json::to_string(&prefix).unwrap(), r#""10.0.0.1/24""#);
}

#[test]
fn faults_name_the_place() {
    for (json, expected) in [
        (json!([]), "outer: expected an object (outer), found an array of 0 elements"),
        (
            json!({ "inners": [{}, { "time": true }] }),
            "outer: inners[1].time: expected a number, \"NaN\", \"inf\" or \"-inf\", found true",
        ),
        (
            json!({ "inners": [{ "value": -1 }] }),
            "outer: inners[0].value: -1 does not fit u64 (0 to 18446744073709551615)",
        ),
        (json!({ "name": "too long" }), "outer: name: the text is 8 bytes long, the field holds 7"),
        (json!({ "name": "a\0b" }), "outer: name: the text contains a NUL"),
        (json!({ "key": "0x01" }), "outer: key: expected 3 elements, found 1"),
        (
            json!({ "level": "HIHG" }),
            "outer: level: \"HIHG\" is no member of level; did you mean HIGH?; there are LOW, HIGH",
        ),
        (
            json!({ "count": 2, "inners": [] }),
            "outer: count: 2 contradicts inners, which has 0 elements; leave it out, it is derived",
        ),
        (
            json!({ "inners": vec![json!({}); 256] }),
            "outer: count: 256 elements are more than the u8 of its count can tell",
        ),
    ] {
        assert_eq!(from_value::<Outer>(&json).unwrap_err().to_string(), expected);
    }
}

#[test]
fn a_union_without_a_discriminator_shows_the_members_that_hold_its_bytes() {
    for (bytes, shown) in [
        // A text loses the bytes behind its end, so it is left out.
        ([0, 0, 0, 7], json!({ "word": 7, "half": 0 })),
        (*b"abc\0", json!({ "word": 0x6162_6300, "half": 0x6162, "text": "abc" })),
        ([0xff, 0, 0, 0], json!({ "word": 0xff00_0000_u32, "half": 0xff00 })),
    ] {
        assert_eq!(to_value(&Number(bytes)), shown);
        assert_eq!(from_value::<Number>(&shown).unwrap(), Number(bytes));
    }
    assert_eq!(from_value::<Number>(&json!({ "half": 0x6162 })).unwrap(), Number(*b"ab\0\0"));
    assert_eq!(
        from_value::<Number>(&json!({ "half": 1, "word": 7 })).unwrap_err().to_string(),
        "number: word and half have different bytes; give one of them"
    );
}

#[test]
fn what_text_cannot_hold_is_an_object_of_parts() {
    let unknown = Address::Unknown { family: 9, bytes: [1; 16] };
    let hex = format!("0x{}", "01".repeat(16));
    for (prefix, shown) in [
        (Prefix { address: unknown, len: 0 }, json!({ "address": { "af": 9, "un": hex }, "len": 0 })),
        (Prefix { address: Address::default(), len: 33 }, json!({ "address": "0.0.0.0", "len": 33 })),
    ] {
        assert_eq!(to_value(&prefix), shown);
        assert_eq!(from_value::<Prefix>(&shown).unwrap(), prefix);
    }
    let parts = json!({ "af": "ADDRESS_IP6", "un": { "ip6": "2001:db8::1" } });
    assert_eq!(from_value::<Address>(&parts).unwrap(), "2001:db8::1".parse().unwrap());
    // What selects the member follows from it.
    assert_eq!(from_value::<Address>(&json!({ "un": { "ip6": "::1" } })).unwrap(), "::1".parse().unwrap());
    assert_eq!(
        from_value::<Address>(&json!({ "af": 0, "un": { "ip6": "::1" } })).unwrap_err().to_string(),
        "address: af: 0 contradicts un, which has ip6 (ADDRESS_IP6); leave it out, it is derived"
    );
}

#[test]
fn times() {
    assert_eq!(to_value(&Timestamp(946_684_800.25)), "2000-01-01T00:00:00.250000Z");
    assert_eq!(from_value::<Timestamp>(&json!(1.5)).unwrap(), Timestamp(1.5));
    assert_eq!(to_value(&TimeDelta(1.5)), json!(1.5));
}
