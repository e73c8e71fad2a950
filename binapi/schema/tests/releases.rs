//! Real definitions: every release at hand, and what C makes of 26.06.

mod definitions;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use definitions::{owners, pinned, releases, without_comments};
use vpp_schema::{Answer, Api, Header, LayoutHash, MessageId, Service, TypeKind, pins};

/// Release, modules, messages, types (each definition of a name once).
const COUNTS: [(&str, usize, usize, usize); 14] = [
    ("20.09", 122, 1469, 246),
    ("21.10", 129, 1717, 281),
    ("22.06", 127, 1718, 268),
    ("22.10", 127, 1720, 269),
    ("23.06", 129, 1764, 273),
    ("23.10", 133, 1796, 273),
    ("24.02", 137, 1832, 283),
    ("24.06", 138, 1850, 287),
    ("24.10", 138, 1864, 290),
    ("25.02", 141, 1921, 291),
    ("25.06", 141, 1931, 291),
    ("25.10", 141, 1951, 293),
    // The module gateway repeats an enum of sfdp_types without importing it.
    ("26.02", 150, 2011, 315 + 1),
    ("26.06", 151, 2095, 322 + 1),
];

/// Every release at hand, read from VPP's own files once for all tests.
static RELEASES: LazyLock<Vec<(String, Api)>> = LazyLock::new(|| {
    let read = |(release, folder): (String, PathBuf)| {
        let api = Api::read_dir(&folder).unwrap_or_else(|error| panic!("{error}"));
        (release, without_comments(api))
    };
    releases().into_iter().map(read).collect()
});

#[test]
fn every_release_reads_and_reads_again_from_its_pins() {
    for (release, api) in &*RELEASES {
        let counts = (release.as_str(), api.modules.len(), api.messages.len(), api.types.len());
        assert!(COUNTS.contains(&counts), "{counts:?}");
        let again = Api::from_sources(&api.to_pins()).unwrap_or_else(|error| panic!("{release}: {error}"));
        for (module, again) in api.modules.iter().zip(&again.modules) {
            assert_eq!(module, again, "{release}");
        }
        assert!(again == *api, "{release}");
    }
}

#[test]
fn the_pins_are_those_of_vpps_files() {
    let pinned = pinned();
    assert_eq!((pinned.modules.len(), pinned.messages.len(), pinned.types.len()), (151, 2095, 323));
    let pins = pinned.to_pins();
    let bytes: usize = pins.iter().map(|pin| pin.text.len()).sum();
    assert!((450_000..550_000).contains(&bytes), "{bytes} bytes of pins");
    assert!(pins.iter().all(|pin| pin.text.ends_with("}\n")));
    if let Some((_, api)) = RELEASES.iter().find(|(release, _)| release == "26.06") {
        assert!(*api == pinned);
    }
}

/// Sizes, header words and retval as C has them, of every type and message.
#[test]
fn layouts_are_those_of_c() {
    let api = pinned();
    let mut compared = 0;
    let lines = include_str!("data/sizeof-26.06.txt").lines().filter(|line| !line.starts_with('#'));
    for line in lines {
        let mut words = line.split_whitespace();
        let (module, name) = (words.next().unwrap(), words.next().unwrap());
        let size: usize = words.next().unwrap().parse().unwrap();
        let offsets: HashMap<&str, usize> =
            words.map(|word| word.split_once('=').unwrap()).map(|(k, v)| (k, v.parse().unwrap())).collect();
        let (module, _) = api.find_module(module).unwrap();
        compared += 1;
        if let Some((_, message)) = api.find_message(name).filter(|(_, message)| message.module == module) {
            let payload: usize = message.fields.iter().map(|field| api.layout_of(field.ty).min_len()).sum();
            assert_eq!(message.header.len() + payload, size, "{line}");
            // Four messages have a client_index behind the context: payload.
            let client_index = offsets.get("client_index").copied().filter(|&offset| offset == 2);
            assert_eq!(message.header.client_index(), client_index, "{line}");
            assert_eq!(message.header.context(), offsets.get("context").copied(), "{line}");
            // Two test messages have an unsigned retval, which is no return code.
            let unsigned = name.starts_with("get_f64_");
            let retval = offsets.get("retval").copied().filter(|_| !unsigned);
            assert_eq!(message.retval(&api), retval, "{line}");
        } else {
            let ids = api.module(module).types.iter().copied();
            let id = ids.into_iter().find(|&id| api.ty(id).name == name).expect(line);
            assert_eq!(api.layout_of_type(id).min_len(), size, "{line}");
        }
    }
    assert_eq!(compared, 2095 + 323);
}

#[test]
fn headers_are_counted_as_in_vpp() {
    let api = pinned();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for message in &api.messages {
        *counts
            .entry(match message.header {
                Header::Bare => "bare",
                Header::Context => "context",
                Header::Client => "client",
                Header::ClientContext => "client, context",
            })
            .or_default() += 1;
    }
    assert_eq!(
        format!("{counts:?}"),
        r#"{"bare": 6, "client": 15, "client, context": 1032, "context": 1042}"#
    );
}

#[test]
fn services_are_counted_as_in_vpp() {
    let api = pinned();
    let (mut simple, mut details, mut stream, mut nothing, mut events) = (0, 0, 0, 0, 0);
    for service in api.modules.iter().flat_map(|module| &module.services) {
        let kind = match service {
            Service { reply: None, .. } => &mut nothing,
            Service { stream: true, stream_msg: Some(_), .. } => &mut stream,
            Service { stream: true, .. } => &mut details,
            Service { events, .. } if events.is_empty() => &mut simple,
            Service { .. } => &mut events,
        };
        *kind += 1;
        assert_eq!(api.answer(service.request) == Some(Answer::Nothing), service.reply.is_none());
    }
    assert_eq!((simple, details, stream, nothing, events), (782, 207, 20, 4, 17));
}

#[test]
fn owners_are_the_modules_that_define() {
    let api = pinned();
    assert_eq!(owners(&api, "address"), ["ip_types"]);
    assert_eq!(owners(&api, "fib_path"), ["fib_types"]);
    assert_eq!(owners(&api, "mac_address"), ["ethernet_types"]);
    assert_eq!(owners(&api, "interface_index"), ["interface_types"]);
    assert_eq!(owners(&api, "sfdp_session_direction"), ["gateway", "sfdp_types"]);
    for (index, module) in api.modules.iter().enumerate() {
        for &id in &module.types {
            assert_eq!(api.ty(id).module.0 as usize, index);
        }
        for &id in &module.messages {
            assert_eq!(api.message(id).module.0 as usize, index);
        }
    }
}

#[test]
fn what_a_module_uses_is_its_own_or_imported() {
    let api = pinned();
    for module in &api.modules {
        let blocks = module.messages.iter().map(|&id| &api.message(id).fields);
        let blocks = blocks.chain(module.types.iter().filter_map(|&id| match &api.ty(id).kind {
            TypeKind::Struct(fields) | TypeKind::Union(fields) => Some(fields),
            TypeKind::Enum(_) | TypeKind::Alias(_) => None,
        }));
        for id in blocks.flatten().filter_map(|field| field.ty.named()) {
            let owner = &api.module(api.ty(id).module).name;
            assert!(*owner == module.name || module.imports.contains(owner), "{} uses {owner}", module.name);
        }
    }
}

#[test]
fn equal_names_and_crcs_of_neighbouring_releases_have_equal_bytes() {
    let mut seen: HashMap<(String, u32), (String, LayoutHash)> = HashMap::new();
    for (release, api) in &*RELEASES {
        for (id, message) in (0..).map(MessageId).zip(&api.messages) {
            let hash = api.layout_hash(id);
            let key = (message.name.clone(), message.crc);
            let (first, known) = seen.entry(key).or_insert_with(|| (release.clone(), hash));
            assert_eq!(*known, hash, "{} of {first} and {release}", message.name);
        }
    }
}

/// A floor against a slip into the square of something; the figure of an optimised build is some 35 ms.
#[test]
fn reading_takes_a_moment() {
    let pins = pinned().to_pins();
    let start = Instant::now();
    let api = Api::from_sources(&pins).unwrap_or_else(|error| panic!("{error}"));
    for id in (0..api.messages.len()).map(|id| MessageId(u32::try_from(id).unwrap())) {
        assert_ne!(api.layout_hash(id).0, 0);
    }
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

#[test]
fn a_folder_of_pins_is_written_whole_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("26.06");
    let api = pinned();
    let files = pins::files(&api, "26.06", "a \"test\"");
    pins::write(&folder, &files).unwrap();
    std::fs::write(folder.join("gone_module.json"), "{}").unwrap();
    pins::write(&folder, &files).unwrap();
    assert!(pins::read(&folder).unwrap() == api);
    let source = std::fs::read_to_string(folder.join(pins::SOURCE_FILE)).unwrap();
    assert!(source.contains("release = \"26.06\"\nmodules = 151\nmessages = 2095\n"), "{source}");
    assert!(source.contains(r#"made-from = "a \"test\"""#), "{source}");
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 151 + 1);
}
