//! The pool against the pins of all releases: each definition once, and what makes definitions one.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use vpp_messages::registry;
use vpp_schema::{Answer, Api, Field, FieldType, LayoutHash, MessageId, TypeKind, TypeRef};

/// Every pinned release, the oldest first.
fn pins() -> Vec<(&'static str, &'static Api)> {
    let releases = vpp_api_json::releases();
    releases.iter().map(|release| (*release, vpp_api_json::api(release).expect("pinned"))).collect()
}

/// Every message of every pinned release.
fn messages() -> impl Iterator<Item = (&'static str, &'static Api, MessageId)> {
    pins().into_iter().flat_map(|(release, api)| {
        (0..api.messages.len() as u32).map(move |id| (release, api, MessageId(id)))
    })
}

/// What answers a request: part of what a message is in Rust, which the request's own CRC does not cover.
fn answer(api: &Api, id: MessageId) -> Vec<(&str, u32)> {
    let answers = match api.answer(id) {
        Some(Answer::Reply(reply)) => vec![reply],
        Some(Answer::Details(details)) => vec![details],
        Some(Answer::Stream { details, reply }) => vec![details, reply],
        Some(Answer::Nothing) | None => vec![],
    };
    answers.into_iter().map(|id| (api.message(id).name.as_str(), api.message(id).crc)).collect()
}

#[test]
fn the_pool_has_every_definition_of_the_pins_once() {
    let mut pairs = BTreeSet::new();
    let mut definitions = BTreeMap::new();
    for (_, api, id) in messages() {
        let message = api.message(id);
        pairs.insert((message.name.as_str(), message.crc));
        let definition =
            (message.name.as_str(), message.crc, api.layout_hash(id).to_string(), answer(api, id));
        *definitions.entry(definition).or_insert(0) += 1;
    }
    let pool: BTreeSet<_> = registry::entries().map(|entry| (entry.info.name, entry.info.crc)).collect();
    let items = registry::entries().count();
    println!(
        "{} releases, {} messages: {} pairs of name and CRC, {items} definitions with their answers",
        pins().len(),
        definitions.values().sum::<u32>(),
        pairs.len(),
    );
    assert_eq!(pool, pairs);
    assert_eq!(pairs.len(), 2546);
    assert_eq!(items, definitions.len());
}

/// All that a message's definition says about its fields, down to scalars: names, types, values of enums.
fn definition(api: &Api, id: MessageId) -> String {
    let message = api.message(id);
    let mut text = format!("{:?}", message.header);
    fields(api, &message.fields, &mut text);
    text
}

fn fields(api: &Api, fields: &[Field], text: &mut String) {
    for field in fields {
        text.push_str(&format!(" {}:", field.name));
        ty(api, field.ty, text);
    }
}

fn ty(api: &Api, of: FieldType, text: &mut String) {
    let element = match of {
        FieldType::One(element) => element,
        FieldType::Array(element, len) => {
            text.push_str(&format!("[{len}]"));
            element
        }
        FieldType::List(element, count) => {
            text.push_str(&format!("[@{count}]"));
            element
        }
        FieldType::FixedString(_) | FieldType::LongString => return text.push_str(&format!("{of:?}")),
    };
    let id = match element {
        TypeRef::Scalar(scalar) => return text.push_str(scalar.name()),
        TypeRef::Named(id) => id,
    };
    let definition = api.ty(id);
    text.push_str(&definition.name);
    match &definition.kind {
        TypeKind::Struct(parts) => fields(api, parts, text),
        TypeKind::Union(parts) => fields(api, parts, text),
        TypeKind::Alias(target) => ty(api, *target, text),
        TypeKind::Enum(found) => text.push_str(&format!("{:?}", found.members)),
    }
}

#[test]
fn of_equal_crc_is_of_equal_bytes() {
    let mut layouts: HashMap<(&str, u32), (LayoutHash, &str)> = HashMap::new();
    for (release, api, id) in messages() {
        let message = api.message(id);
        let layout = api.layout_hash(id);
        let (known, first) = *layouts.entry((&message.name, message.crc)).or_insert((layout, release));
        let (name, crc) = (&message.name, message.crc);
        assert_eq!(known, layout, "{name}_{crc:08x} has other bytes in {release} than in {first}");
    }
}

/// The way back is from definitions, of which the CRC covers more than the bytes: names, and the values of enums.
///
/// Exceptions are between 20.09 and the releases behind it only: VPP computes CRCs in another way since then.
#[test]
fn of_another_crc_is_another_definition() {
    let mut layouts: BTreeMap<(&str, String), BTreeSet<u32>> = BTreeMap::new();
    let mut definitions: BTreeMap<(&str, String), BTreeMap<u32, &str>> = BTreeMap::new();
    for (release, api, id) in messages() {
        let message = api.message(id);
        let layout = api.layout_hash(id).to_string();
        layouts.entry((&message.name, layout)).or_default().insert(message.crc);
        let crcs = definitions.entry((&message.name, definition(api, id))).or_default();
        crcs.entry(message.crc).or_insert(release);
    }
    definitions.retain(|_, crcs| crcs.len() > 1);
    for ((name, _), crcs) in &definitions {
        let of_20_09 = crcs.len() == 2 && crcs.values().any(|first| *first == "20.09");
        assert!(of_20_09, "{name}: {crcs:x?}");
    }
    let layouts = layouts.values().filter(|crcs| crcs.len() > 1).count();
    println!("several CRCs of a name share {layouts} layouts and {} definitions", definitions.len());
    assert_eq!((layouts, definitions.len()), (294, 268));
}

#[test]
fn the_manifest_of_each_release_is_that_of_its_pins() {
    let crates = [
        (vpp_20_09::RELEASE, vpp_20_09::MANIFEST),
        (vpp_21_10::RELEASE, vpp_21_10::MANIFEST),
        (vpp_22_06::RELEASE, vpp_22_06::MANIFEST),
        (vpp_22_10::RELEASE, vpp_22_10::MANIFEST),
        (vpp_23_06::RELEASE, vpp_23_06::MANIFEST),
        (vpp_23_10::RELEASE, vpp_23_10::MANIFEST),
        (vpp_24_02::RELEASE, vpp_24_02::MANIFEST),
        (vpp_24_06::RELEASE, vpp_24_06::MANIFEST),
        (vpp_24_10::RELEASE, vpp_24_10::MANIFEST),
        (vpp_25_02::RELEASE, vpp_25_02::MANIFEST),
        (vpp_25_06::RELEASE, vpp_25_06::MANIFEST),
        (vpp_25_10::RELEASE, vpp_25_10::MANIFEST),
        (vpp_26_02::RELEASE, vpp_26_02::MANIFEST),
        (vpp_26_06::RELEASE, vpp_26_06::MANIFEST),
    ];
    let releases: Vec<_> = crates.iter().map(|(release, _)| *release).collect();
    assert_eq!(releases, vpp_api_json::releases());
    for ((release, manifest), (_, api)) in crates.into_iter().zip(pins()) {
        let mut pinned: Vec<_> =
            api.messages.iter().map(|message| (message.name.as_str(), message.crc)).collect();
        pinned.sort_unstable();
        assert_eq!(manifest, pinned, "{release}");
    }
}

/// A program names what a release calls it, however many of a name the pool has.
#[test]
fn every_release_calls_its_own_by_the_clean_name() {
    let binapi = Path::new(env!("CARGO_MANIFEST_DIR")).join("../binapi");
    let mut renamed = BTreeMap::new();
    for (release, api) in pins() {
        for module in &api.modules {
            let path =
                binapi.join(vpp_schema::pins::feature(release)).join(format!("src/{}.rs", module.name));
            let text = std::fs::read_to_string(&path).unwrap();
            let words: Vec<&str> =
                text.split([' ', ',', '{', '}', '\n', ';']).filter(|word| !word.is_empty()).collect();
            for (at, word) in words.iter().enumerate() {
                let Some((clean, until)) = word.split_once("Until") else { continue };
                if until.len() < 4 || !until.as_bytes()[..4].iter().all(u8::is_ascii_digit) {
                    continue;
                }
                let clean = format!("{clean}{}", &until[4..]);
                assert_eq!(words[at + 1..at + 3], ["as", &clean], "{word} in {}", path.display());
                *renamed.entry(release).or_insert(0) += 1;
            }
        }
    }
    assert_eq!(renamed.get("26.06"), None, "the newest release has all clean names");
    assert_eq!(renamed.len(), pins().len() - 1, "{renamed:?}");
}
