//! Restarts: of the agent, of the southbound.

use std::time::Duration;

use vpp_agent_engine::{
    Access, Ending, Engine, Foreign, Journal, MemoryJournal, OnPending, Remembered, Resync, Settings, State,
};
use vpp_agent_testkit::{A, B, C, Dd, Item, Southbound, need};

use crate::{Shorthand, add, key, rest, sorted, start, start_on};

/// Where it is kept what outlives an engine.
pub(crate) enum Place {
    Memory(MemoryJournal),
    #[cfg(feature = "redb")]
    File(tempfile::TempDir),
}

impl Place {
    pub(crate) fn all() -> Vec<Self> {
        vec![
            Self::Memory(MemoryJournal::default()),
            #[cfg(feature = "redb")]
            Self::File(tempfile::tempdir().expect("a journal")),
        ]
    }

    pub(crate) fn journal(&self) -> Box<dyn Journal> {
        match self {
            Self::Memory(journal) => Box::new(journal.clone()),
            #[cfg(feature = "redb")]
            Self::File(folder) => Box::new(
                vpp_agent_engine::RedbJournal::open(folder.path().join("state.redb")).expect("a journal"),
            ),
        }
    }

    /// What is in it. A file can only be read when no engine has it open.
    pub(crate) fn remembered(&self) -> Remembered {
        self.journal().load().expect("a journal")
    }
}

/// An engine whose sources say again what they want.
async fn start_with(southbound: &Southbound, place: &Place, foreign: Foreign) -> Engine {
    let journal = Some(place.journal());
    start_on(southbound, Settings { journal, keep: vec![], foreign, ..Settings::default() }).await
}

fn wanted() -> Vec<Item> {
    let mut items = vec![Item::new("A", "if").with(&["ip"])];
    items.extend((0..50).map(|n| Item::new("B", n.to_string()).needs(need("Dd/if-ip"))));
    items
}

#[tokio::test(start_paused = true)]
async fn core_17_undisturbed_restart() {
    for place in Place::all() {
        let southbound = Southbound::new();
        let items = wanted();
        let all: Vec<&Item> = items.iter().collect();
        let engine = start_with(&southbound, &place, Foreign::Ignore).await;
        add(engine.transaction(), &all).resync(Resync::Full).commit().await.unwrap();
        engine.stop().await;
        let number = southbound.number("A/if");
        southbound.calls();
        let engine = start_with(&southbound, &place, Foreign::Ignore).await;
        // L1: before the sources have said what they want, nothing is done.
        assert_eq!(engine.state("A/if"), State::Discovered);
        assert_eq!(southbound.calls(), [""; 0]);
        add(engine.transaction(), &all).resync(Resync::Full).commit().await.unwrap();
        assert_eq!(southbound.calls(), [""; 0]);
        assert!(engine.statuses("").iter().all(|status| status.state == State::Configured));
        assert_eq!(southbound.number("A/if"), number);
        engine.stop().await;
        // Also when the source says it piece by piece.
        let engine = start_with(&southbound, &place, Foreign::Ignore).await;
        for item in all.iter().rev() {
            engine.set(&[item]).await;
        }
        assert_eq!(southbound.calls(), [""; 0]);
    }
}

#[tokio::test(start_paused = true)]
async fn core_18_stale_and_foreign_objects() {
    let policies = [Foreign::Ignore, Foreign::Adopt, Foreign::Remove];
    for (place, foreign) in
        policies.iter().flat_map(|&foreign| Place::all().into_iter().map(move |place| (place, foreign)))
    {
        let southbound = Southbound::new();
        let items = wanted();
        let all: Vec<&Item> = items.iter().collect();
        let engine = start_with(&southbound, &place, foreign).await;
        add(engine.transaction(), &all).resync(Resync::Full).commit().await.unwrap();
        engine.stop().await;
        southbound.remove("B/7");
        southbound.put(Item::new("C", "vppctl"));
        southbound.calls();
        let engine = start_with(&southbound, &place, foreign).await;
        let changed = items[9].clone().version(1);
        let mut now: Vec<&Item> = items[..9].iter().collect();
        now.push(&changed);
        add(engine.transaction(), &now).resync(Resync::Full).commit().await.unwrap();
        // 1 and 8 stay, 7 was lost, 8 is changed; 9 to 49 are stale.
        let calls = southbound.calls();
        let mut expected = vec!["create B/7".to_owned(), "update B/8".to_owned()];
        expected.extend((9..50).map(|n| format!("delete B/{n}")));
        if foreign == Foreign::Remove {
            expected.push("delete C/vppctl".to_owned());
        }
        assert_eq!(sorted(calls), sorted(expected), "L2, L3: {foreign:?}");
        let state = match foreign {
            Foreign::Ignore => State::Obtained,
            Foreign::Adopt => State::Discovered,
            Foreign::Remove => State::Nonexistent,
        };
        assert_eq!(engine.state("C/vppctl"), state);
        engine.stop().await;
        assert_eq!(place.remembered().owned.len(), 11);
        // All is stale: gone in order, parts before their item, and the journal is empty.
        let engine = start_with(&southbound, &place, foreign).await;
        engine.transaction().resync(Resync::Full).commit().await.unwrap();
        let calls = southbound.calls();
        assert_eq!(calls.len(), 11);
        assert_eq!(&calls[9..], ["delete Dd/if-ip", "delete A/if"]);
        engine.stop().await;
        assert_eq!(place.remembered().owned, []);
        assert_eq!(southbound.violations(), [""; 0]);
    }
}

#[tokio::test(start_paused = true)]
async fn core_18_crash_between_journal_and_creation() {
    use vpp_agent_engine::Fact;
    for place in Place::all() {
        let southbound = Southbound::new();
        // One was created after its record, the other was not: the engine ended before.
        let record = |name: &str| Fact::Owned { key: key(name), source: "local".into() };
        place.journal().append(&[record("A/made"), record("A/not-made")]).unwrap();
        southbound.put(Item::new("A", "made"));
        let engine = start_with(&southbound, &place, Foreign::Ignore).await;
        engine.transaction().resync(Resync::Full).commit().await.unwrap();
        assert_eq!(southbound.calls(), ["delete A/made"]);
        engine.stop().await;
        assert_eq!(place.remembered().owned, []);
    }
}

#[tokio::test(start_paused = true)]
async fn core_19_southbound_restart() {
    let southbound = Southbound::new();
    let engine = start_on(&southbound, Settings::default()).await;
    let items = wanted();
    engine.set(&items.iter().collect::<Vec<_>>()).await;
    southbound.calls();
    // All is lost; whoever notices asks for an observation.
    for of in southbound.keys() {
        southbound.remove(&of);
    }
    let report = engine.transaction().resync(Resync::Observed).commit().await.unwrap();
    assert!(report.is_applied(), "{report}");
    assert_eq!(southbound.calls().len(), 52);
    assert_eq!(southbound.violations(), [""; 0]);
    assert!(engine.statuses("").iter().all(|status| status.state == State::Configured));
}

#[tokio::test(start_paused = true)]
async fn core_19_outage_shows_and_nothing_is_tried_before_it_ends() {
    for lost in [false, true] {
        let southbound = Southbound::new();
        let engine = start_on(&southbound, Settings::default()).await;
        let items = wanted();
        engine.set(&items.iter().collect::<Vec<_>>()).await;
        southbound.log();
        let all = ["A", "B", "C", "Dd"];
        southbound.go_down(lost);
        engine.set_access(all.map(|kind| (kind, Access::Closed("VPP is down".into()))));
        rest(&engine).await;
        assert_eq!(engine.state("A/if"), State::Pending);
        assert_eq!(engine.pending("B/7"), "VPP is down");
        // A client is told at once, and changes are taken.
        let report = engine.set(&[&Item::new("C", "new")]).await;
        assert_eq!(report.state(&key("C/new")), Some(State::Pending));
        engine.unset(&["B/3"]).await;
        engine.check().await.unwrap();
        tokio::time::sleep(std::time::Duration::from_secs(60)).await;
        assert_eq!(southbound.log(), [], "nothing is asked of a southbound that is down");
        southbound.come_up();
        engine.set_access(all.map(|kind| (kind, Access::Open)));
        rest(&engine).await;
        let expected = match lost {
            // Interface, its part, 49 of 50, the new one.
            true => 52,
            false => 2,
        };
        assert_eq!(southbound.calls().len(), expected);
        assert_eq!(southbound.violations(), [""; 0]);
        assert!(engine.statuses("").iter().all(|status| status.state == State::Configured));
    }
}

#[tokio::test(start_paused = true)]
async fn core_19_operations_that_an_outage_cut_off_are_no_failures() {
    let southbound = Southbound::new();
    let engine = start_on(&southbound, Settings::default()).await;
    southbound.set_latency(std::time::Duration::from_secs(1));
    let items = wanted();
    let set = tokio::spawn({
        let (engine, items) = (engine.clone(), items.clone());
        async move { engine.set(&items.iter().collect::<Vec<_>>()).await }
    });
    tokio::time::sleep(std::time::Duration::from_millis(2500)).await;
    southbound.go_down(true);
    // What runs fails before anybody is told why.
    tokio::time::sleep(std::time::Duration::from_secs(5)).await;
    engine.set_access(["A", "B", "C", "Dd"].map(|kind| (kind, Access::Closed("VPP is down".into()))));
    set.await.unwrap();
    rest(&engine).await;
    for status in engine.statuses("") {
        assert_eq!(status.state, State::Pending, "{status:?}");
    }
    southbound.come_up();
    engine.set_access(["A", "B", "C", "Dd"].map(|kind| (kind, Access::Open)));
    rest(&engine).await;
    assert_eq!(southbound.content().len(), 52);
    assert_eq!(southbound.violations(), [""; 0]);
    assert!(engine.statuses("").iter().all(|status| status.state == State::Configured));
}

/// L13: what could not be tried is neither all nor nothing.
#[tokio::test(start_paused = true)]
async fn core_19_all_or_nothing_is_not_had_while_a_southbound_is_away() {
    let (southbound, engine) = start().await;
    let down = || engine.set_access([("A", Access::Closed("VPP is down".into()))]);
    let up = || engine.set_access([("A", Access::Open)]);
    let items = [&Item::new("A", "1"), &Item::new("B", "1")];
    let commit = |policy| add(engine.transaction(), &items).on_pending(policy).commit();
    down();
    for policy in [OnPending::Accept, OnPending::Fail] {
        let report = commit(policy).await.unwrap();
        assert_eq!(report.ending, Ending::Rejected);
        assert_eq!(report.errors, ["A: VPP is down: all of it cannot be done now"]);
    }
    assert_eq!((southbound.calls(), engine.statuses("").len()), (vec![], 0));
    // Whoever waits gets it when the southbound is back, or not.
    let second = Duration::from_secs(1);
    let report = commit(OnPending::Wait(second)).await.unwrap();
    assert_eq!(report.ending, Ending::Reverted);
    assert_eq!(report.errors, ["A/1: still pending: VPP is down"]);
    assert_eq!(southbound.keys(), [""; 0]);
    let (waiting, _) = tokio::join!(commit(OnPending::Wait(second)), async {
        tokio::time::sleep(second / 2).await;
        up();
    });
    assert!(waiting.unwrap().is_applied());
    assert_eq!(southbound.keys(), ["A/1", "B/1"]);

    // Deleting is part of all, and so is what a resync leaves out.
    down();
    let delete = engine.transaction().delete_key(key("A/1")).revert().commit().await.unwrap();
    assert_eq!(delete.ending, Ending::Rejected);
    let all = add(engine.transaction(), &items[1..]).resync(Resync::Desired).revert().commit().await.unwrap();
    assert_eq!(all.ending, Ending::Rejected);
    let other = add(engine.transaction(), &[&Item::new("B", "2")]).revert().commit().await.unwrap();
    assert!(other.is_applied(), "it has nothing to do with A: {other}");
    up();
    rest(&engine).await;
    engine.unset(&["A/1", "B/1", "B/2"]).await;

    // A southbound that goes in the middle takes all of it along.
    southbound.set_latency(second);
    let items = [&Item::new("B", "1"), &Item::new("A", "1").needs(need("B/1"))];
    let (report, ()) = tokio::join!(add(engine.transaction(), &items).revert().commit(), async {
        tokio::time::sleep(second / 2).await;
        down();
    });
    let report = report.unwrap();
    assert_eq!(report.ending, Ending::Reverted, "{report}");
    assert_eq!(report.errors, ["A/1: still pending: VPP is down"]);
    assert_eq!(southbound.keys(), [""; 0]);

    // One that cannot be observed is as little known.
    southbound.set_latency(Duration::ZERO);
    southbound.fail_dumps("A", 1000);
    up();
    let report = add(engine.transaction(), &items).revert().commit().await.unwrap();
    assert_eq!(report.ending, Ending::Reverted, "{report}");
    assert!(report.errors[0].starts_with("A/1: still pending: A cannot be observed: "), "{report}");
    assert_eq!(southbound.keys(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn core_19_another_release_lacks_a_kind() {
    let southbound = Southbound::new();
    let engine = start_on(&southbound, Settings::default()).await;
    engine.set(&[&Item::new("A", "1"), &Item::new("B", "1").needs(need("A/1")), &Item::new("C", "1")]).await;
    southbound.calls();
    southbound.go_down(true);
    engine.set_access(["A", "B", "C", "Dd"].map(|kind| (kind, Access::Closed("VPP is down".into()))));
    southbound.come_up();
    let lacks = Access::Unimplemented("this VPP has no messages for A".into());
    engine.set_access([("A", lacks), ("B", Access::Open), ("C", Access::Open), ("Dd", Access::Open)]);
    rest(&engine).await;
    assert_eq!(southbound.calls(), ["create C/1"], "nothing else suffers");
    assert_eq!(engine.state("A/1"), State::Unimplemented);
    assert_eq!(engine.pending("A/1"), "this VPP has no messages for A");
    assert_eq!(engine.pending("B/1"), "needs A/1, which is unimplemented");
    // All of what cannot be had whole is refused, and nothing is left of it.
    let both = [&Item::new("C", "2"), &Item::new("A", "2")];
    for policy in [OnPending::Accept, OnPending::Fail] {
        let report = add(engine.transaction(), &both).on_pending(policy).commit().await.unwrap();
        assert_eq!(report.ending, Ending::Rejected);
        assert_eq!(report.errors, ["A: this VPP has no messages for A: all of it cannot be done here"]);
    }
    let waited = add(engine.transaction(), &both).on_pending(OnPending::Wait(Duration::from_secs(1)));
    let report = waited.commit().await.unwrap();
    assert_eq!(report.ending, Ending::Reverted);
    assert_eq!(report.errors, ["A/2: still pending: this VPP has no messages for A"]);
    let nobodys =
        engine.transaction().set_json(key("X/1"), serde_json::json!({})).revert().commit().await.unwrap();
    assert_eq!(
        nobodys.errors,
        ["X: no descriptor of this kind is registered: all of it cannot be done here"]
    );
    assert_eq!(southbound.calls(), ["create C/2", "delete C/2"]);
    engine.set_access([("A", Access::Open)]);
    rest(&engine).await;
    assert_eq!(southbound.calls(), ["create A/1", "create B/1"]);
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_is_held_observes_its_kinds_together() {
    let southbound = Southbound::new();
    southbound.put(Item::new("B", "stale"));
    let engine = Engine::held(Settings::default());
    southbound.register_all(&engine);
    let commit = engine.transaction().set::<A>(Item::new("A", "1"));
    let committed = tokio::spawn({
        let engine = engine.clone();
        async move { engine.check().await }
    });
    tokio::time::sleep(std::time::Duration::from_secs(10)).await;
    assert_eq!(southbound.log(), []);
    assert!(engine.summary().observing || !committed.is_finished());
    engine.begin();
    commit.commit().await.unwrap();
    committed.await.unwrap().unwrap();
    assert_eq!(engine.state("A/1"), State::Configured);
    assert_eq!(engine.summary().items(State::Configured), 1);
    assert_eq!(engine.summary().items(State::Obtained), 1);
}

#[tokio::test(start_paused = true)]
async fn replay_gives_the_same_operations() {
    let southbound = Southbound::new();
    let engine = start_on(&southbound, Settings { record: 1 << 20, ..Settings::default() }).await;
    let items = wanted();
    use vpp_agent_engine::{Action, Failure, Replay, Retry};
    use vpp_agent_testkit::Fault;
    southbound.fault(Action::Create, "B/3", [Fault::Fail(Failure::new("no"))]);
    add(engine.transaction(), &items.iter().collect::<Vec<_>>())
        .retry(Retry::default())
        .commit()
        .await
        .unwrap();
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    engine.unset(&["A/if"]).await;
    rest(&engine).await;
    let calls = southbound.calls();
    let record = engine.record();
    assert!(!record.truncated);
    let silent = Southbound::new();
    let (a, b, c, d) = silent.kinds();
    let replay = Replay::new().descriptor::<A>(a).descriptor::<B>(b).descriptor::<C>(c).descriptor::<Dd>(d);
    let replayed = replay.run(&record).unwrap();
    let operation = |line: &String| {
        let mut words = line.split_whitespace().skip(1);
        let action = words.next()?;
        ["create", "update", "delete"]
            .contains(&action)
            .then(|| format!("{action} {}", words.next().unwrap_or("")))
    };
    let decided: Vec<String> = replayed.decisions.iter().filter_map(operation).collect();
    assert_eq!(decided, calls);
    assert_eq!(silent.log(), []);
    let states: Vec<(String, State)> =
        engine.statuses("").into_iter().map(|status| (status.key.to_string(), status.state)).collect();
    let again: Vec<(String, State)> =
        replayed.states.into_iter().map(|(key, state)| (key.to_string(), state)).collect();
    assert_eq!(again, states);
    assert_eq!(replay.run(&record).unwrap().decisions, replayed.decisions);
}
