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

/// How much of a definition is written down.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Detail {
    /// Types by name, down to scalars.
    Types,
    /// With the names of fields.
    Fields,
    /// With the members of enums: all that a CRC covers.
    Enums,
}

impl Detail {
    fn message(self, api: &Api, id: MessageId) -> String {
        let message = api.message(id);
        let mut text = format!("{:?}", message.header);
        self.fields(api, &message.fields, &mut text);
        text
    }

    fn fields(self, api: &Api, fields: &[Field], text: &mut String) {
        for field in fields {
            let name = if self >= Self::Fields { &field.name } else { "" };
            text.push_str(&format!(" {name}:"));
            self.ty(api, field.ty, text);
        }
    }

    fn ty(self, api: &Api, of: FieldType, text: &mut String) {
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
            TypeKind::Struct(parts) | TypeKind::Union(parts) => self.fields(api, parts, text),
            TypeKind::Alias(target) => self.ty(api, *target, text),
            TypeKind::Enum(found) if self >= Self::Enums => text.push_str(&format!("{:?}", found.members)),
            TypeKind::Enum(_) => {}
        }
    }
}

/// Why two messages of one name and layout have other CRCs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reason {
    /// The CRC covers the names of types.
    TypeNames,
    /// The CRC covers the names of fields.
    FieldNames,
    /// The CRC covers names and values of enumerators.
    Enumerators,
    /// Nothing differs: the tool of 20.09 kept values of an older computation for some messages.
    Algorithm,
}

/// Where a message of each CRC is first.
type ByCrc = BTreeMap<u32, (&'static Api, MessageId)>;

/// `CRC equal <=> layout equal`, of messages of one name, over all pins.
///
/// `=>` holds without exception. `<=` holds where the whole definition is equal, since the CRC covers more than bytes:
/// each of two CRCs of a layout is explained by what differs. What nothing in the definitions explains are CRCs of 20.09.
#[test]
fn of_equal_crc_is_of_equal_layout_and_the_way_back_up_to_what_else_the_crc_covers() {
    let mut layouts: HashMap<(&str, u32), (LayoutHash, &str)> = HashMap::new();
    // The CRCs of each name and layout, each with where it is first.
    let mut crcs: BTreeMap<(&str, LayoutHash), ByCrc> = BTreeMap::new();
    let mut last: HashMap<(&str, u32), &str> = HashMap::new();
    for (release, api, id) in messages() {
        let message = api.message(id);
        let layout = api.layout_hash(id);
        let (name, crc) = (message.name.as_str(), message.crc);
        let (known, first) = *layouts.entry((name, crc)).or_insert((layout, release));
        assert_eq!(known, layout, "{name}_{crc:08x} has other bytes in {release} than in {first}");
        crcs.entry((name, layout)).or_default().entry(crc).or_insert((api, id));
        last.insert((name, crc), release);
    }
    crcs.retain(|_, crcs| crcs.len() > 1);
    let mut reasons: BTreeMap<Reason, usize> = BTreeMap::new();
    for ((name, _), crcs) in &crcs {
        let definitions: Vec<_> = crcs.iter().collect();
        for (at, (one, (api, id))) in definitions.iter().enumerate() {
            for (other, (other_api, other_id)) in &definitions[at + 1..] {
                let same = |detail: Detail| detail.message(api, *id) == detail.message(other_api, *other_id);
                let reason = if !same(Detail::Types) {
                    Reason::TypeNames
                } else if !same(Detail::Fields) {
                    Reason::FieldNames
                } else if !same(Detail::Enums) {
                    Reason::Enumerators
                } else {
                    let of_20_09 = |crc: u32| last[&(*name, crc)] == "20.09";
                    assert!(of_20_09(**one) != of_20_09(**other), "{name}: {one:08x} and {other:08x}");
                    Reason::Algorithm
                };
                *reasons.entry(reason).or_default() += 1;
            }
        }
    }
    println!("{} layouts have several CRCs; pairs of these by what differs: {reasons:?}", crcs.len());
    assert_eq!(crcs.len(), 294);
    let expected = [
        (Reason::TypeNames, 2),
        (Reason::FieldNames, 5),
        (Reason::Enumerators, 35),
        (Reason::Algorithm, 268),
    ];
    assert_eq!(reasons, BTreeMap::from(expected));
}

/// What CRC and layout do not cover is the same in all releases that share a message: the newest declares it, or the
/// table in `vpp-schema` says why not.
#[test]
fn what_completes_a_definition_is_what_the_newest_release_says() {
    // Without a discriminator the cases of a union's members say nothing.
    fn facts(api: &Api, fields: &[Field], is_selected: bool, text: &mut String) {
        for field in fields {
            let by = field.discriminator.map(|at| fields[at].name.as_str());
            let case = field.case.as_ref().filter(|_| is_selected);
            text.push_str(&format!(" {} {:?} {by:?} {case:?}", field.name, field.default));
            let mut ty = field.ty;
            while let Some(id) = ty.named() {
                match &api.ty(id).kind {
                    TypeKind::Struct(parts) | TypeKind::Union(parts) => {
                        facts(api, parts, by.is_some(), text);
                    }
                    TypeKind::Alias(target) => {
                        ty = *target;
                        continue;
                    }
                    TypeKind::Enum(_) => {}
                }
                break;
            }
        }
    }
    let mut known: HashMap<(&str, u32), (String, &str)> = HashMap::new();
    let newest_first = pins().into_iter().rev();
    let all = newest_first.flat_map(|(release, api)| api.messages.iter().map(move |one| (release, api, one)));
    for (release, api, message) in all {
        let mut text = String::new();
        facts(api, &message.fields, false, &mut text);
        let key = (message.name.as_str(), message.crc);
        let (newest, of) = known.entry(key).or_insert_with(|| (text.clone(), release));
        assert!(*newest == text, "{} of {release}:{text}\nof {of}:{newest}", message.name);
    }
    // It is not declared everywhere, so there is something to complete.
    let completed = |release: &str| {
        let api = vpp_api_json::api(release).expect("pinned");
        let of_type = |kind: &'static TypeKind| match kind {
            TypeKind::Struct(fields) | TypeKind::Union(fields) => &fields[..],
            TypeKind::Enum(_) | TypeKind::Alias(_) => &[],
        };
        let fields = api.types.iter().flat_map(|ty| of_type(&ty.kind));
        let fields = fields.chain(api.messages.iter().flat_map(|message| &message.fields));
        fields.filter(|field| field.completed.is_some()).count()
    };
    assert_eq!(completed("26.06"), 2, "the two unions of mprefix");
    assert_eq!(completed("20.09"), 32, "members of unions, their unions, four defaults");
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
