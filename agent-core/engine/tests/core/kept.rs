//! What outlives the engine: desired state of sources that cannot say it again, and the order of record and deed.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use vpp_agent_engine::{
    Action, BoxError, Ending, Engine, Fact, Failure, Journal, MemoryJournal, OnPending, Remembered, Replay,
    Resync, Retry, Settings, State,
};
use vpp_agent_testkit::{A, Fault, Item, Southbound, need};

use crate::life::Place;
use crate::{Shorthand, add, key, rest, sorted, start_on};

async fn start_kept(southbound: &Southbound, journal: Box<dyn Journal>) -> Engine {
    start_on(southbound, Settings { journal: Some(journal), ..Settings::default() }).await
}

fn wanted_of(remembered: &Remembered) -> Vec<String> {
    let text = |wanted: &vpp_agent_engine::Wanted| {
        format!("{} {} {}", wanted.source, wanted.key, wanted.value["version"])
    };
    remembered.wanted.iter().map(text).collect()
}

#[tokio::test(start_paused = true)]
async fn core_34_desired_state_without_store() {
    for place in Place::all() {
        let southbound = Southbound::new();
        let engine = start_kept(&southbound, place.journal()).await;
        let base = Item::new("A", "if").with(&["ip"]);
        let parts: Vec<Item> =
            (0..9).map(|n| Item::new("B", n.to_string()).needs(need("Dd/if-ip"))).collect();
        let lonely = Item::new("C", "lonely").needs(need("A/none"));
        let all: Vec<&Item> = [&base, &lonely].into_iter().chain(&parts).collect();
        add(engine.transaction(), &all).retry(Retry::forever()).commit().await.unwrap();
        engine.unset(&["B/0"]).await;
        engine.set(&[&parts[1].clone().version(5)]).await;
        // All or nothing: one that ends well, one that is taken back.
        let two = [&parts[2].clone().version(6), &Item::new("C", "new")];
        assert!(add(engine.transaction(), &two).revert().commit().await.unwrap().is_applied());
        southbound.fault(Action::Create, "C/bad", [Fault::Fail(Failure::new("no"))]);
        let bad = [&parts[3].clone().version(7), &Item::new("C", "bad")];
        let report = add(engine.transaction(), &bad).revert().commit().await.unwrap();
        assert_eq!(report.ending, Ending::Reverted);
        // Another source says it again itself, so nothing of it is kept.
        engine.transaction().set::<A>(Item::new("A", "file")).source("file").commit().await.unwrap();
        engine.stop().await;
        let there = southbound.content();
        let mut expected: Vec<String> = (3..9).map(|n| format!("local B/{n} 0")).collect();
        expected
            .extend(["A/if 0", "B/1 5", "B/2 6", "C/lonely 0", "C/new 0"].map(|of| format!("local {of}")));
        assert_eq!(sorted(wanted_of(&place.remembered())), sorted(expected));
        southbound.calls();

        // CORE-17: nothing is done, and all is as it was.
        let engine = start_kept(&southbound, place.journal()).await;
        assert_eq!(southbound.calls(), [""; 0]);
        assert_eq!(southbound.content(), there);
        assert_eq!(
            engine.state("A/file"),
            State::Discovered,
            "a source that says it again has not said it yet"
        );
        assert_eq!(engine.state("C/lonely"), State::Pending);
        assert_eq!((engine.state("B/0"), engine.state("C/bad")), (State::Nonexistent, State::Nonexistent));
        let configured =
            engine.statuses("").iter().filter(|status| status.state == State::Configured).count();
        assert_eq!(configured, 1 + 1 + 8 + 1);
        let status = engine.status(&key("B/1")).unwrap();
        assert_ne!(status.revision, 0, "somebody wanted it before");
        // What fails is tried again, as in the run before.
        southbound.fault(Action::Create, "C/lonely", vec![Fault::Fail(Failure::new("no")); 9]);
        engine.set(&[&Item::new("A", "none")]).await;
        tokio::time::sleep(Duration::from_secs(3600)).await;
        assert_eq!(engine.state("C/lonely"), State::Configured);
        engine.stop().await;

        // While nobody was there an item went, another one changed.
        southbound.remove("B/5");
        southbound.put(parts[6].clone().version(99));
        southbound.calls();
        let engine = start_kept(&southbound, place.journal()).await;
        assert_eq!(sorted(southbound.calls()), ["create B/5", "update B/6"]);
        // A resync says all that is wanted: the rest is forgotten, too.
        add(engine.transaction(), &[&base]).resync(Resync::Desired).commit().await.unwrap();
        engine.stop().await;
        assert_eq!(southbound.keys(), ["A/file", "A/if", "Dd/if-ip"]);
        assert_eq!(wanted_of(&place.remembered()), ["local A/if 0"]);
        assert_eq!(southbound.violations(), [""; 0]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_began_with_a_memory_is_replayed() {
    let southbound = Southbound::new();
    let journal = MemoryJournal::default();
    let engine = start_kept(&southbound, Box::new(journal.clone())).await;
    engine.set(&[&Item::new("A", "1"), &Item::new("B", "1").needs(need("A/1")), &Item::new("A", "2")]).await;
    engine.stop().await;
    southbound.remove("A/1");
    southbound.remove("B/1");
    southbound.calls();
    let settings =
        Settings { journal: Some(Box::new(journal.clone())), record: 1 << 20, ..Settings::default() };
    let engine = start_on(&southbound, settings).await;
    engine.unset(&["A/2"]).await;
    let calls = southbound.calls();
    assert_eq!(calls, ["create A/1", "create B/1", "delete A/2"]);
    let (a, b, c, d) = Southbound::new().kinds();
    let replay = Replay::new().descriptor(a).descriptor(b).descriptor(c).descriptor(d);
    let decisions = replay.run(&engine.record()).unwrap().decisions;
    let decided = |call: &String| decisions.iter().any(|decision| decision.contains(call.as_str()));
    assert!(calls.iter().all(decided), "{decisions:#?}");
    let operations = ["  create ", "  update ", "  delete "];
    let count =
        decisions.iter().filter(|of| operations.iter().any(|operation| of.contains(operation))).count();
    assert_eq!(count, calls.len(), "{decisions:#?}");
}

#[tokio::test(start_paused = true)]
async fn what_was_unwanted_before_a_crash_goes_at_the_start() {
    for place in Place::all() {
        let southbound = Southbound::new();
        let engine = start_kept(&southbound, place.journal()).await;
        engine.set(&[&Item::new("A", "1"), &Item::new("A", "2")]).await;
        engine.stop().await;
        // As if the engine had ended between the record and the deletion.
        place.journal().append(&[Fact::Unwanted { source: "local".into(), key: key("A/1") }]).unwrap();
        southbound.calls();
        let engine = start_kept(&southbound, place.journal()).await;
        assert_eq!(southbound.calls(), ["delete A/1"]);
        engine.stop().await;
        assert_eq!(place.remembered().owned, [(key("A/2"), "local".to_owned())]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_source_that_was_not_kept_before_loses_nothing() {
    let journal = MemoryJournal::default();
    let southbound = Southbound::new();
    let settings = |keep: &[&str]| Settings {
        journal: Some(Box::new(journal.clone())),
        keep: keep.iter().map(|&source| source.into()).collect(),
        ..Settings::default()
    };
    let engine = start_on(&southbound, settings(&[])).await;
    engine.set(&[&Item::new("A", "1"), &Item::new("A", "2")]).await;
    engine.stop().await;
    assert_eq!(journal.remembered().wanted, []);
    southbound.calls();
    // From now on it is kept; but what it wants was said in a run that did not keep it.
    for _ in 0..2 {
        let engine = start_on(&southbound, settings(&["local"])).await;
        assert_eq!((southbound.calls(), engine.state("A/2")), (vec![], State::Discovered));
        engine.set(&[&Item::new("A", "1")]).await;
        engine.stop().await;
    }
    // It says what it wants, whole: that is all from then on.
    let engine = start_on(&southbound, settings(&["local"])).await;
    engine.transaction().set::<A>(Item::new("A", "1")).resync(Resync::Desired).commit().await.unwrap();
    assert_eq!(southbound.calls(), ["delete A/2"]);
    engine.stop().await;
    assert_eq!(journal.remembered().kept, ["local"]);
    // A source that is kept from the middle of a run on.
    let engine = start_on(&southbound, settings(&[])).await;
    engine.transaction().set::<A>(Item::new("A", "3")).source("grpc").commit().await.unwrap();
    engine.keep("grpc");
    rest(&engine).await;
    engine.stop().await;
    southbound.calls();
    let engine = start_on(&southbound, settings(&[])).await;
    assert_eq!((engine.state("A/1"), engine.state("A/3")), (State::Configured, State::Configured));
    assert_eq!(southbound.calls(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn kept_values_whose_kind_has_changed_or_gone() {
    let mut journal = MemoryJournal::default();
    let southbound = Southbound::new();
    let wanted = |of: &str, value: &str| Fact::Wanted {
        source: "local".into(),
        key: key(of),
        value: value.to_owned(),
        retry: None,
    };
    let owned = |of: &str| Fact::Owned { source: "local".into(), key: key(of) };
    southbound.put(Item::new("A", "old"));
    journal
        .append(&[
            Fact::Kept { source: "local".into() },
            owned("A/old"),
            wanted("A/old", r#"{"name":"old","colour":"red"}"#),
            wanted("zebra/1", "{}"),
            wanted("B/1", &serde_json::to_string(&Item::new("B", "2")).unwrap()),
        ])
        .unwrap();
    let engine = start_kept(&southbound, Box::new(journal.clone())).await;
    assert_eq!(southbound.calls(), [""; 0], "it is left as it is");
    let invalid = engine.status(&key("A/old")).unwrap().invalid.unwrap().to_string();
    assert!(invalid.starts_with("colour: there is no such field; fields are "), "{invalid}");
    let invalid = engine.status(&key("B/1")).unwrap().invalid.unwrap().to_string();
    assert_eq!(invalid, "value: is of B/2, not of this key");
    assert_eq!(engine.state("zebra/1"), State::Unimplemented);
    engine.set(&[&Item::new("A", "old").version(1)]).await;
    assert_eq!(southbound.calls(), ["update A/old"]);
    engine.unset(&["zebra/1", "B/1"]).await;
    assert_eq!(wanted_of(&journal.remembered()), ["local A/old 1"]);
}

/// A journal that appends when it is told to, and fails if told so.
struct Slow {
    journal: MemoryJournal,
    appended: Arc<Mutex<Vec<usize>>>,
    go: Receiver<Result<(), &'static str>>,
}

impl Journal for Slow {
    fn load(&mut self) -> Result<Remembered, BoxError> {
        self.journal.load()
    }
    fn append(&mut self, facts: &[Fact]) -> Result<(), BoxError> {
        self.appended.lock().expect("a journal").push(facts.len());
        self.go.recv()??;
        self.journal.append(facts)
    }
}

type Appended = Arc<Mutex<Vec<usize>>>;

async fn start_slow() -> (Southbound, Engine, MemoryJournal, Sender<Result<(), &'static str>>, Appended) {
    let southbound = Southbound::new();
    let (say, go) = channel();
    let (journal, appended) = (MemoryJournal::default(), Appended::default());
    let slow = Slow { journal: journal.clone(), appended: appended.clone(), go };
    for _ in 0..2 {
        say.send(Ok(())).expect("a journal");
    }
    let engine = start_kept(&southbound, Box::new(slow)).await;
    let first = std::mem::take(&mut *appended.lock().expect("a journal"));
    assert_eq!(first, [1, 1], "its numbers, and that it is kept");
    southbound.calls();
    (southbound, engine, journal, say, appended)
}

/// Until the first append waits for its permission.
async fn until_appending(appended: &Appended) {
    while appended.lock().expect("a journal").is_empty() {
        tokio::task::yield_now().await;
    }
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_done_or_told_before_it_is_recorded() {
    let (southbound, engine, journal, say, appended) = start_slow().await;
    let commit = |n: u32| {
        let engine = engine.clone();
        tokio::spawn(async move { engine.set(&[&Item::new("A", n.to_string())]).await })
    };
    let first = commit(0);
    until_appending(&appended).await;
    let others: Vec<_> = (1..100).map(commit).collect();
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    assert_eq!(southbound.calls(), [""; 0]);
    assert!(!first.is_finished());
    assert_eq!(engine.state("A/0"), State::Pending, "readers are not held up");
    say.send(Ok(())).unwrap();
    assert!(first.await.unwrap().is_applied());
    assert_eq!(southbound.calls(), ["create A/0"]);
    assert!(others.iter().all(|other| !other.is_finished()));
    say.send(Ok(())).unwrap();
    for other in others {
        assert!(other.await.unwrap().is_applied());
    }
    // What comes while the disk is busy goes together: a want and an owner for each.
    assert_eq!(*appended.lock().unwrap(), [2, 2 * 99]);
    assert_eq!(journal.remembered().wanted.len(), 100);
    // A deletion waits for the record that it is not wanted, its report for the record that it is gone.
    let deleted = tokio::spawn({
        let engine = engine.clone();
        async move { engine.unset(&["A/0"]).await }
    });
    appended.lock().unwrap().clear();
    until_appending(&appended).await;
    assert_eq!(southbound.keys().len(), 100);
    say.send(Ok(())).unwrap();
    while appended.lock().unwrap().len() < 2 {
        tokio::task::yield_now().await;
    }
    assert_eq!(southbound.keys().len(), 99);
    assert!(!deleted.is_finished());
    say.send(Ok(())).unwrap();
    assert!(deleted.await.unwrap().is_applied());
    assert!(!journal.remembered().owned.iter().any(|(of, _)| *of == key("A/0")));
}

#[tokio::test(start_paused = true)]
async fn all_or_nothing_is_recorded_when_it_has_ended_well() {
    let (southbound, engine, journal, say, appended) = start_slow().await;
    let commit = tokio::spawn({
        let engine = engine.clone();
        async move { add(engine.transaction(), &[&Item::new("A", "1")]).revert().commit().await.unwrap() }
    });
    until_appending(&appended).await;
    say.send(Ok(())).unwrap();
    while appended.lock().unwrap().len() < 2 {
        tokio::task::yield_now().await;
    }
    assert_eq!(southbound.keys(), ["A/1"]);
    assert_eq!((journal.remembered().owned.len(), journal.remembered().wanted), (1, vec![]));
    assert!(!commit.is_finished());
    say.send(Ok(())).unwrap();
    assert!(commit.await.unwrap().is_applied());
    assert_eq!(wanted_of(&journal.remembered()), ["local A/1 0"]);
    // One that is taken back because something stays pending too long leaves nothing.
    say.send(Ok(())).unwrap();
    say.send(Ok(())).unwrap();
    say.send(Ok(())).unwrap();
    let items = [&Item::new("A", "2"), &Item::new("B", "1").needs(need("A/none"))];
    let wait = OnPending::Wait(Duration::from_secs(1));
    let report = add(engine.transaction(), &items).on_pending(wait).commit().await.unwrap();
    assert_eq!(report.ending, Ending::Reverted);
    assert_eq!(wanted_of(&journal.remembered()), ["local A/1 0"]);
    assert_eq!(journal.remembered().owned, [(key("A/1"), "local".to_owned())]);
}

#[tokio::test(start_paused = true)]
async fn a_journal_that_cannot_be_written() {
    let (southbound, engine, journal, say, _) = start_slow().await;
    say.send(Ok(())).unwrap();
    engine.set(&[&Item::new("A", "old"), &Item::new("A", "older")]).await;
    southbound.calls();
    // Recorded neither at the beginning, nor when it is tried again for the report.
    for _ in 0..2 {
        say.send(Err("disk full")).unwrap();
    }
    let report = engine.set(&[&Item::new("A", "new"), &Item::new("A", "old").version(1)]).await;
    assert_eq!(report.ending, Ending::Partly);
    assert_eq!(report.errors, ["not recorded in the journal: disk full: a restart may forget it"]);
    let failure = &report.items[0].failure.as_ref().unwrap().1.message;
    assert_eq!(failure, "not recorded in the journal, so not created: disk full");
    assert_eq!(southbound.calls(), ["update A/old"]);
    assert_eq!(engine.report(report.number).unwrap().errors, report.errors);
    // An item whose record failed once is not created later without one.
    for _ in 0..2 {
        say.send(Err("disk full")).unwrap();
    }
    let report = engine.set(&[&Item::new("A", "new")]).await;
    assert_eq!((report.ending, southbound.calls()), (Ending::Partly, vec![]));
    // There is room again: what was left is recorded with what comes.
    say.send(Ok(())).unwrap();
    say.send(Ok(())).unwrap();
    let report = engine.unset(&["A/older"]).await;
    assert!(report.is_applied(), "{report}");
    assert_eq!(sorted(wanted_of(&journal.remembered())), ["local A/new 0", "local A/old 1"]);
    say.send(Ok(())).unwrap();
    assert!(engine.set(&[&Item::new("A", "new")]).await.is_applied());
    engine.stop().await;
    let engine = start_kept(&southbound, Box::new(journal)).await;
    southbound.calls();
    assert_eq!(sorted(engine.statuses("").iter().map(|of| of.key.to_string()).collect()), ["A/new", "A/old"]);
}

#[tokio::test(start_paused = true)]
async fn a_journal_that_cannot_be_read() {
    struct Unreadable;
    impl Journal for Unreadable {
        fn load(&mut self) -> Result<Remembered, BoxError> {
            Err("torn".into())
        }
        fn append(&mut self, _: &[Fact]) -> Result<(), BoxError> {
            panic!("what could not be read is not written over")
        }
    }
    let southbound = Southbound::new();
    southbound.put(Item::new("A", "there"));
    let engine = start_kept(&southbound, Box::new(Unreadable)).await;
    let report = engine.set(&[&Item::new("A", "1")]).await;
    assert_eq!(report.ending, Ending::Partly);
    assert_eq!(
        report.errors,
        ["not recorded in the journal: it could not be read: torn: a restart may forget it"]
    );
    assert_eq!(southbound.keys(), ["A/there"]);
}

/// L20: a revision that somebody read before the agent was restarted is not that of another change by accident.
#[tokio::test(start_paused = true)]
async fn revisions_are_not_given_twice() {
    for place in Place::all() {
        let southbound = Southbound::new();
        let mut highest = 0;
        for run in 0..3 {
            let engine = start_kept(&southbound, place.journal()).await;
            if run > 0 {
                let status = engine.status(&key("A/1")).unwrap();
                assert!(status.revision > highest, "what is wanted is as before, but is read again");
            }
            for version in 0..5 {
                let set = engine.transaction().set::<A>(Item::new("A", "1").version(version));
                let stale = set.expect(highest).commit().await.unwrap();
                let expected = if run == 0 && version == 0 { Ending::Applied } else { Ending::Rejected };
                assert_eq!(stale.ending, expected, "{stale}");
            }
            let report = engine.set(&[&Item::new("A", "1").version(10 + run)]).await;
            assert!(report.number > highest);
            highest = report.number;
            assert_eq!(engine.status(&key("A/1")).unwrap().revision, highest);
            // One that changes nothing that is kept has a number too.
            let source = engine.transaction().source("other").set::<A>(Item::new("A", "2"));
            highest = source.commit().await.unwrap().number;
            engine.stop().await;
        }
        // Runs in which nothing is changed give numbers as well.
        for _ in 0..2 {
            let engine = start_kept(&southbound, place.journal()).await;
            let before = std::mem::replace(&mut highest, engine.status(&key("A/1")).unwrap().revision);
            assert!(highest > before);
            engine.stop().await;
        }
    }
}

/// Else a run that is killed at its beginning has told numbers that the next one gives again.
#[tokio::test(start_paused = true)]
async fn no_number_is_told_before_it_is_recorded() {
    let (southbound, engine, journal, say, appended) = start_slow().await;
    for _ in 0..2 {
        say.send(Ok(())).unwrap();
    }
    engine.set(&[&Item::new("A", "1")]).await;
    engine.stop().await;
    let (say, go) = channel();
    appended.lock().unwrap().clear();
    let slow = Slow { journal: journal.clone(), appended: appended.clone(), go };
    let engine = Engine::start(Settings { journal: Some(Box::new(slow)), ..Settings::default() });
    southbound.register_all(&engine);
    until_appending(&appended).await;
    assert_eq!(engine.statuses(""), []);
    let before = journal.remembered().numbered;
    say.send(Ok(())).unwrap();
    rest(&engine).await;
    let revision = engine.status(&key("A/1")).unwrap().revision;
    assert!((before..journal.remembered().numbered).contains(&revision), "{revision}");
}
