//! Restarts: of the agent, of the southbound.

use vpp_agent_engine::{Foreign, MemoryJournal, Resync, Settings, State};
use vpp_agent_testkit::{A, B, C, Dd, Item, Southbound, need};

use crate::{Shorthand, add, key, rest, sorted, start_on};

fn with(journal: &MemoryJournal, foreign: Foreign) -> Settings {
    Settings { journal: Box::new(journal.clone()), foreign, ..Settings::default() }
}

fn wanted() -> Vec<Item> {
    let mut items = vec![Item::new("A", "if").with(&["ip"])];
    items.extend((0..50).map(|n| Item::new("B", n.to_string()).needs(need("Dd/if-ip"))));
    items
}

#[tokio::test(start_paused = true)]
async fn core_17_undisturbed_restart() {
    let southbound = Southbound::new();
    let journal = MemoryJournal::default();
    let items = wanted();
    let all: Vec<&Item> = items.iter().collect();
    {
        let engine = start_on(&southbound, with(&journal, Foreign::Ignore)).await;
        add(engine.transaction(), &all).resync(Resync::Full).commit().await.unwrap();
    }
    let number = southbound.number("A/if");
    southbound.calls();
    let engine = start_on(&southbound, with(&journal, Foreign::Ignore)).await;
    // L1: before the sources have said what they want, nothing is done.
    assert_eq!(engine.state("A/if"), State::Discovered);
    assert_eq!(southbound.calls(), [""; 0]);
    add(engine.transaction(), &all).resync(Resync::Full).commit().await.unwrap();
    assert_eq!(southbound.calls(), [""; 0]);
    assert!(engine.statuses("").iter().all(|status| status.state == State::Configured));
    assert_eq!(southbound.number("A/if"), number);
    // Also when the source says it piece by piece.
    let engine = start_on(&southbound, with(&journal, Foreign::Ignore)).await;
    for item in all.iter().rev() {
        engine.set(&[item]).await;
    }
    assert_eq!(southbound.calls(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn core_18_stale_and_foreign_objects() {
    for foreign in [Foreign::Ignore, Foreign::Adopt, Foreign::Remove] {
        let southbound = Southbound::new();
        let journal = MemoryJournal::default();
        let items = wanted();
        let all: Vec<&Item> = items.iter().collect();
        {
            let engine = start_on(&southbound, with(&journal, foreign)).await;
            add(engine.transaction(), &all).resync(Resync::Full).commit().await.unwrap();
        }
        southbound.remove("B/7");
        southbound.put(Item::new("C", "vppctl"));
        southbound.calls();
        let engine = start_on(&southbound, with(&journal, foreign)).await;
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
        assert_eq!(journal.content().len(), 11);
        // All is stale: gone in order, parts before their item, and the journal is empty.
        let engine = start_on(&southbound, with(&journal, foreign)).await;
        engine.transaction().resync(Resync::Full).commit().await.unwrap();
        let calls = southbound.calls();
        assert_eq!(calls.len(), 11);
        assert_eq!(&calls[9..], ["delete Dd/if-ip", "delete A/if"]);
        assert!(journal.content().is_empty());
        assert_eq!(southbound.violations(), [""; 0]);
    }
}

#[tokio::test(start_paused = true)]
async fn core_18_crash_between_journal_and_creation() {
    let southbound = Southbound::new();
    let mut journal = MemoryJournal::default();
    use vpp_agent_engine::{Journal, Ownership};
    // One was created after its record, the other was not: the engine ended before.
    let record = |name: &str| Ownership { key: key(name), source: Some("local".into()) };
    journal.append(&[record("A/made"), record("A/not-made")]).unwrap();
    southbound.put(Item::new("A", "made"));
    let engine = start_on(&southbound, with(&journal, Foreign::Ignore)).await;
    engine.transaction().resync(Resync::Full).commit().await.unwrap();
    assert_eq!(southbound.calls(), ["delete A/made"]);
    assert!(journal.content().is_empty());
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
