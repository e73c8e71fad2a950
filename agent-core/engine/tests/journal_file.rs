//! The journal in a file: what it says about files that it cannot use, and what it makes of torn and damaged ones.

use std::path::{Path, PathBuf};

use tempfile::TempDir;
use vpp_agent_engine::{Fact, Journal, JournalError, Key, MemoryJournal, RedbJournal, Remembered, Retry};

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a journal");
    let path = folder.path().join("state.redb");
    (folder, path)
}

fn key(name: &str) -> Key {
    Key::new("route", name)
}

fn owned(name: &str) -> Fact {
    Fact::Owned { key: key(name), source: "local".into() }
}

fn wanted(name: &str, value: &str, retry: Option<Retry>) -> Fact {
    Fact::Wanted { source: "local".into(), key: key(name), value: value.into(), retry }
}

fn read(path: &Path) -> Remembered {
    RedbJournal::open(path).expect("a journal").load().expect("a journal")
}

fn error_of(path: &Path) -> String {
    let error = RedbJournal::open(path).expect_err("it cannot be used");
    let text = error.to_string();
    assert!(text.starts_with(&format!("journal {}: ", path.display())), "{text}");
    text
}

#[test]
fn what_is_told_is_remembered() {
    let (folder, path) = folder();
    let mut journal = RedbJournal::open(&path).unwrap();
    assert_eq!(journal.load().unwrap(), Remembered::default());
    let retry = Some(Retry::forever());
    let b = Fact::Owned { key: key("b"), source: "file".into() };
    journal.append(&[b, owned("a"), wanted("a", r#"{"via":"x"}"#, retry)]).unwrap();
    // The last word on each counts, also within one append.
    journal
        .append(&[owned("c"), Fact::Gone { key: key("c") }, owned("d"), Fact::Gone { key: key("b") }])
        .unwrap();
    journal
        .append(&[Fact::Gone { key: key("d") }, owned("d"), wanted("d", "1", None), wanted("d", "2", None)])
        .unwrap();
    let unwanted = |name: &str| Fact::Unwanted { source: "local".into(), key: key(name) };
    journal.append(&[wanted("e", "3", None), unwanted("e"), Fact::Kept { source: "local".into() }]).unwrap();
    journal.append(&[]).unwrap();
    drop(journal);
    let remembered = read(&path);
    assert_eq!(remembered.sources, ["file", "local"], "in the order in which they came");
    assert_eq!(remembered.kept, ["local"]);
    assert_eq!(remembered.owned, [(key("a"), "local".to_owned()), (key("d"), "local".to_owned())]);
    let values: Vec<String> = remembered.wanted.iter().map(|of| format!("{} {}", of.key, of.value)).collect();
    assert_eq!(values, [r#"route/a {"via":"x"}"#, "route/d 2"]);
    assert_eq!((remembered.wanted[0].retry, remembered.wanted[1].retry), (retry, None));
    // Nothing is left beside it, and values are nobody else's business.
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn files_that_cannot_be_used() {
    let (folder, path) = folder();
    let journal = RedbJournal::open(&path).unwrap();
    assert!(error_of(&path).ends_with("in use: stop the other agent, or give each a file of its own"));
    drop(journal);

    let text = folder.path().join("text");
    std::fs::write(&text, "interfaces:\n  - loop0\n").unwrap();
    assert!(
        error_of(&text).ends_with("this file is something else (not a database of redb): name another one")
    );
    assert_eq!(std::fs::read(&text).unwrap(), b"interfaces:\n  - loop0\n", "and is left as it is");

    const NOTES: redb::TableDefinition<'_, &str, &str> = redb::TableDefinition::new("notes");
    const ABOUT: redb::TableDefinition<'_, &str, &str> = redb::TableDefinition::new("about");
    let put = |path: &Path, table, key, value| {
        let database = redb::Database::create(path).unwrap();
        let transaction = database.begin_write().unwrap();
        transaction.open_table::<&str, &str>(table).unwrap().insert(key, value).unwrap();
        transaction.commit().unwrap();
    };
    let other = folder.path().join("other");
    put(&other, NOTES, "a", "b");
    assert!(error_of(&other).ends_with("this file is something else (a database of redb): name another one"));
    put(&other, ABOUT, "format", "photographs");
    assert!(error_of(&other).contains("a database of redb: photographs"));

    put(&path, ABOUT, "version", "2");
    let error = error_of(&path);
    assert!(
        error.contains("has format 2, this agent reads format 1: run the release that wrote it, or move"),
        "{error}"
    );

    let nowhere = folder.path().join("no/such/folder/state");
    assert!(error_of(&nowhere).contains("No such file or directory"));
    assert!(matches!(RedbJournal::open(folder.path()), Err(JournalError::Io { .. })));
    // An empty one is a new one.
    let empty = folder.path().join("empty");
    std::fs::write(&empty, "").unwrap();
    assert_eq!(read(&empty), Remembered::default());
}

/// A journal after some appends, as its file was after the last two: both taken while it was open, as a crash would
/// leave it.
fn images(path: &Path) -> [(Vec<u8>, Remembered); 2] {
    let mut journal = RedbJournal::open(path).expect("a journal");
    let facts = |n: u32| [owned(&n.to_string()), wanted(&n.to_string(), "{}", None)];
    for tens in 0..30 {
        journal.append(&(10 * tens..10 * (tens + 1)).flat_map(facts).collect::<Vec<_>>()).expect("a journal");
    }
    let mut image = |name: &str| {
        journal
            .append(&[owned(name), wanted(name, "{}", None), Fact::Gone { key: key("7") }])
            .expect("a journal");
        (std::fs::read(path).expect("a journal"), journal.load().expect("a journal"))
    };
    [image("before"), image("last")]
}

const PAGE: usize = 4096;

/// What a journal of this content remembers. The file is another one each time: an old one may still be open.
fn opened(folder: &TempDir, content: &[u8]) -> Result<Remembered, String> {
    let path = folder.path().join("damaged.redb");
    std::fs::write(&path, content).expect("a journal");
    let opened = RedbJournal::open(&path).map_err(|error| error.to_string());
    let result = opened.and_then(|mut journal| journal.load().map_err(|error| error.to_string()));
    if let Err(error) = &result {
        assert!(error.starts_with(&format!("journal {}: ", path.display())), "{error}");
    }
    result
}

#[test]
fn a_torn_last_append_is_as_if_it_had_not_been() {
    let (folder, path) = folder();
    let [(before, earlier), (after, later)] = images(&path);
    assert_ne!(earlier, later);
    assert_eq!(opened(&folder, &before).unwrap(), earlier);
    assert_eq!(opened(&folder, &after).unwrap(), later);
    let mut longer = before.clone();
    longer.resize(after.len(), 0);
    let page = |at: usize| at * PAGE..((at + 1) * PAGE).min(after.len());
    let changed: Vec<usize> =
        (1..after.len().div_ceil(PAGE)).filter(|&at| longer[page(at)] != after[page(at)]).collect();
    assert!(changed.len() > 2, "{changed:?}");
    // The header is on disk and a page is not, or is only by half.
    let mut torn = 0;
    for &at in &changed {
        for half in [page(at).start, page(at).start + PAGE / 2] {
            let mut content = after.clone();
            content[half..page(at).end].copy_from_slice(&longer[half..page(at).end]);
            let remembered = opened(&folder, &content).unwrap();
            assert!(remembered == earlier || remembered == later);
            torn += usize::from(remembered == earlier);
        }
    }
    assert!(torn > 0, "no page of the last append counts?");
    // All pages are missing; or all are there, and the header is not.
    let mut content = longer.clone();
    content[..PAGE].copy_from_slice(&after[..PAGE]);
    assert_eq!(opened(&folder, &content).unwrap(), earlier);
    let mut content = after.clone();
    content[..PAGE].copy_from_slice(&before[..PAGE]);
    assert_eq!(opened(&folder, &content).unwrap(), earlier);
}

#[test]
fn damage_is_told_and_never_a_panic() {
    let (folder, path) = folder();
    let [(_, earlier), (_, later)] = images(&path);
    // Closed in order this time.
    let whole = std::fs::read(&path).unwrap();
    assert_eq!(opened(&folder, &whole).unwrap(), later);
    let mut random = fastrand::Rng::with_seed(6);
    let (mut told, mut fallen_back) = (0, 0);
    for round in 0..120 {
        let mut content = whole.clone();
        match round % 3 {
            0 => content[random.usize(..whole.len())] ^= 1 << random.u8(..8),
            1 => {
                let at = random.usize(..whole.len() / 512) * 512;
                content[at..at + 512].fill(random.u8(..));
            }
            _ => content.truncate(random.usize(1..whole.len())),
        }
        match opened(&folder, &content) {
            Ok(remembered) if remembered == later => {}
            Ok(remembered) => {
                assert_eq!(remembered, earlier, "round {round}");
                fallen_back += 1;
            }
            Err(_) => told += 1,
        }
    }
    assert!(told > 10, "{told} told, {fallen_back} fallen back");
    println!("{told} of 120 told, {fallen_back} taken for a torn append");
}

/// Many facts of few items in any order, in appends of any size: as a journal in memory takes them.
#[test]
fn many_facts_at_once() {
    let (_folder, path) = folder();
    let mut random = fastrand::Rng::with_seed(14);
    let mut memory = MemoryJournal::default();
    let mut file = RedbJournal::open(&path).unwrap();
    for _ in 0..60 {
        let most = [2, 30, 3000][random.usize(..3)];
        let names = [10, 1000][random.usize(..2)];
        let source = |random: &mut fastrand::Rng| ["local", "file", "grpc"][random.usize(..3)].into();
        let fact = |_| {
            let key = key(&random.u32(..names).to_string());
            match random.u32(..11) {
                0..4 => Fact::Owned { key, source: source(&mut random) },
                4 => Fact::Gone { key },
                5..9 => {
                    let retry = random.bool().then(Retry::default);
                    Fact::Wanted { source: source(&mut random), key, value: random.u8(..).to_string(), retry }
                }
                9 => Fact::Unwanted { source: source(&mut random), key },
                _ => Fact::Numbered { below: random.u64(..) },
            }
        };
        let facts: Vec<Fact> = (0..most).map(fact).collect();
        memory.append(&facts).unwrap();
        file.append(&facts).unwrap();
        let (mut one, mut other) = (memory.remembered(), file.load().unwrap());
        assert_eq!(one.sources, other.sources);
        for of in [&mut one, &mut other] {
            of.wanted.sort_by_key(|of| (of.source.clone(), of.key.clone()));
        }
        assert_eq!(one, other);
    }
}
