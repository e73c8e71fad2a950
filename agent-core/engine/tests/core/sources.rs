//! Sources, notifications, watching, late descriptors, history.

use std::collections::BTreeMap;
use std::time::Duration;

use vpp_agent_engine::{Drift, Ending, Engine, MemoryJournal, Observed, Resync, Settings, State, Watched};
use vpp_agent_testkit::{A, B, Call, Item, KINDS, Southbound, need};

use crate::{Shorthand, add, key, rest, sorted, start, start_on};

#[tokio::test(start_paused = true)]
async fn core_11_southbound_notification() {
    let (southbound, engine) = start().await;
    let b2 = Item::new("B", "2")
        .needs(need("A/1"))
        .derives(Item::new("Dd", "2-x"))
        .derives(Item::new("Dd", "2-y").needs(need("A/1-y")));
    engine.set(&[&b2]).await;
    assert_eq!(engine.state("B/2"), State::Pending);
    let appear = |item: Item| {
        southbound.put(item.clone());
        engine.appeared::<A>(Observed::new(item, 0));
    };
    appear(Item::new("A", "1"));
    rest(&engine).await;
    assert_eq!(engine.state("A/1"), State::Obtained);
    assert_eq!(southbound.calls(), ["create B/2", "create Dd/2-x"]);
    appear(Item::new("A", "1-y"));
    rest(&engine).await;
    assert_eq!(southbound.calls(), ["create Dd/2-y"]);
    engine.disappeared([key("A/1")]);
    rest(&engine).await;
    let calls = southbound.calls();
    assert_eq!(sorted(calls.clone()), ["delete B/2", "delete Dd/2-x", "delete Dd/2-y"]);
    assert_eq!(calls[2], "delete B/2");
    assert_eq!(engine.state("B/2"), State::Pending);
    // About an item that a source wants and that is as wanted, nothing is done.
    appear(Item::new("A", "1"));
    rest(&engine).await;
    southbound.calls();
    engine.appeared::<B>(Observed::new(b2.clone(), 0));
    rest(&engine).await;
    assert_eq!(southbound.calls(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn core_12_resync() {
    // (a) Nothing: one dump per descriptor, no calls, recorded.
    let (southbound, engine) = start().await;
    southbound.log();
    let report = engine.transaction().resync(Resync::Full).commit().await.unwrap();
    let dumps: Vec<Call> = southbound.log();
    assert_eq!(dumps.len(), KINDS.len());
    assert!(engine.report(report.number).is_some());
    // (e) In the order that the descriptors ask for.
    let order = |kind: &str| dumps.iter().position(|call| *call == Call::Observe(kind.to_owned()));
    assert!(order("A") < order("B") && order("B") < order("C"));
    // (b) An empty southbound is filled and emptied again.
    let two = [&Item::new("A", "1"), &Item::new("B", "1").needs(need("A/1"))];
    add(engine.transaction(), &two).resync(Resync::Full).commit().await.unwrap();
    assert_eq!(southbound.calls(), ["create A/1", "create B/1"]);
    engine.transaction().resync(Resync::Full).commit().await.unwrap();
    assert_eq!(southbound.calls(), ["delete B/1", "delete A/1"]);
    assert_eq!(engine.state("A/1"), State::Nonexistent);
    // (c) What is there differs.
    let southbound = Southbound::new();
    for item in ["A/1", "A/2", "A/3"].map(|of| Item::new("A", key(of).name())) {
        southbound.put(item.with(&["x"]));
    }
    for part in ["1-x", "2-x", "3-x"] {
        southbound.put(Item::new("Dd", part));
    }
    let engine =
        start_on(&southbound, Settings { foreign: vpp_agent_engine::Foreign::Remove, ..Settings::default() })
            .await;
    let pending = Item::new("Dd", "2-y").needs(need("A/9"));
    let wanted = [
        &Item::new("A", "1").version(1).with(&["y"]),
        &Item::new("A", "2").version(1).with(&["x"]).derives(pending),
        &Item::new("A", "3").mould(1).with(&["x", "y"]),
    ];
    let report = add(engine.transaction(), &wanted).resync(Resync::Full).commit().await.unwrap();
    assert!(report.is_applied(), "{report}");
    let calls = southbound.calls();
    assert_eq!(
        sorted(calls),
        [
            "create A/3",
            "create Dd/1-y",
            "create Dd/3-x",
            "create Dd/3-y",
            "delete A/3",
            "delete Dd/1-x",
            "delete Dd/3-x",
            "update A/1",
            "update A/2",
        ]
    );
    assert_eq!(engine.state("Dd/2-y"), State::Pending);
    // (d) An item of the southbound satisfies a need and is never touched.
    let southbound = Southbound::new();
    southbound.put_given(Item::new("A", "local0"));
    let engine =
        start_on(&southbound, Settings { foreign: vpp_agent_engine::Foreign::Remove, ..Settings::default() })
            .await;
    let user = Item::new("B", "1").needs(need("A/local0"));
    add(engine.transaction(), &[&user]).resync(Resync::Full).commit().await.unwrap();
    assert_eq!(southbound.calls(), ["create B/1"]);
    assert_eq!(engine.state("A/local0"), State::Obtained);
    // The desired side alone: nothing is observed. The observed side alone: what is wanted stays.
    southbound.log();
    add(engine.transaction(), &[&Item::new("B", "2")]).resync(Resync::Desired).commit().await.unwrap();
    assert!(southbound.log().iter().all(|call| matches!(call, Call::Operate(..))));
    southbound.remove("B/2");
    engine.transaction().resync(Resync::Observed).commit().await.unwrap();
    assert_eq!(southbound.calls(), ["create B/2"]);
    let with_values =
        add(engine.transaction(), &[&Item::new("B", "3")]).resync(Resync::Observed).commit().await.unwrap();
    assert_eq!(with_values.ending, Ending::Rejected);
}

#[tokio::test(start_paused = true)]
async fn core_14_history() {
    let southbound = Southbound::new();
    let settings =
        Settings { history: 200_000, history_age: Duration::from_secs(6 * 3600), ..Settings::default() };
    let engine = start_on(&southbound, settings).await;
    // A thousand transactions over a day.
    let mut numbers = BTreeMap::new();
    for n in 0..1000u32 {
        let report = engine.set(&[&Item::new("A", (n % 10).to_string()).version(n)]).await;
        numbers.insert(n, (report.number, engine.now()));
        tokio::time::sleep(Duration::from_secs(86)).await;
    }
    let (number, at) = numbers[&950];
    assert_eq!(engine.report(number).unwrap().items[0].key, key("A/0"));
    assert_eq!(engine.history(at..=at + Duration::from_secs(1)).len(), 1);
    assert!(engine.report(numbers[&1].0).is_none(), "too old");
    let timeline = engine.timeline(&key("A/0"));
    assert_eq!(timeline.last().map(|(number, _)| *number), Some(numbers[&990].0));
    assert!(
        engine
            .history(Duration::ZERO..=engine.now())
            .iter()
            .all(|of| of.ended + Duration::from_secs(6 * 3600) >= at)
    );
    // L17: large transactions do not grow it past its bound, and are not left out either.
    for version in 0..5 {
        let items: Vec<Item> = (0..500).map(|n| Item::new("B", n.to_string()).version(version)).collect();
        engine.set(&items.iter().collect::<Vec<_>>()).await;
        assert!(engine.history_bytes() <= 200_000);
        let last = engine.history(Duration::ZERO..=engine.now()).pop().unwrap();
        assert!(last.errors[0].ends_with("of 500 items and of 500 operations are kept"), "{:?}", last.errors);
        assert!(!last.items.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn core_15_status_watch() {
    let (_southbound, engine) = start().await;
    let mut fast = engine.watch("A/", 100_000);
    let mut slow = engine.watch("A/", 100);
    let mut told = BTreeMap::new();
    for round in 0..10u32 {
        let items: Vec<Item> = (0..100).map(|n| Item::new("A", n.to_string()).mould(round)).collect();
        engine.set(&items.iter().collect::<Vec<_>>()).await;
        if round % 2 == 1 {
            let keys: Vec<String> = items.iter().map(Item::key).collect();
            engine.unset(&keys.iter().map(String::as_str).collect::<Vec<_>>()).await;
        }
    }
    let mut fast_states: BTreeMap<String, Vec<State>> = BTreeMap::new();
    while let Some(change) = fast.try_next() {
        match change {
            Watched::Changed(status) => {
                fast_states.entry(status.key.to_string()).or_default().push(status.state)
            }
            Watched::Lagged(_) => panic!("it never lagged"),
        }
    }
    // Every change, in order: made, taken away, over and over.
    let states = &fast_states["A/7"];
    assert_eq!(states[..3], [State::Pending, State::Configured, State::Pending]);
    assert_eq!(states.iter().filter(|state| **state == State::Removed).count(), 5);
    let mut lagged = 0;
    while let Some(change) = slow.try_next() {
        match change {
            Watched::Changed(status) => {
                told.insert(status.key.to_string(), status.state);
            }
            Watched::Lagged(by) => lagged += by,
        }
    }
    assert!(lagged > 0, "L10: a slow watcher is told");
    assert_eq!(told.len(), 100);
    assert!(told.values().all(|state| *state == State::Removed), "and gets the latest state of each item");
}

/// L32: kinds may be registered at any time.
#[tokio::test(start_paused = true)]
async fn core_16_late_plugin() {
    let southbound = Southbound::new();
    let engine = Engine::start(Settings::default());
    let (a, b, ..) = southbound.kinds();
    engine.register(b);
    let json = serde_json::to_value(Item::new("A", "1").with(&["x"])).unwrap();
    let typed = engine.transaction().set::<A>(Item::new("A", "2").bad("mtu")).set_json(key("A/1"), json);
    let report = typed.set::<B>(Item::new("B", "1").needs(need("A/1"))).commit().await.unwrap();
    assert_eq!(report.ending, Ending::Applied, "{report}");
    assert_eq!(engine.state("A/1"), State::Unimplemented);
    assert_eq!(engine.state("B/1"), State::Pending);
    engine.register(a);
    rest(&engine).await;
    assert_eq!(southbound.calls(), ["create A/1", "create B/1"]);
    assert_eq!((engine.state("A/2"), engine.state("Dd/1-x")), (State::Invalid, State::Unimplemented));
    let metadata = engine.register(southbound.kinds().3);
    rest(&engine).await;
    assert_eq!(engine.state("Dd/1-x"), State::Configured);
    let by_number = metadata.by(|number| *number);
    let number = metadata.metadata("1-x").unwrap();
    assert_eq!(by_number.get(&number), Some(key("Dd/1-x")));
    let mut changes = metadata.changes();
    changes.mark_unchanged();
    engine.unset(&["A/1"]).await;
    assert!(changes.has_changed().unwrap());
    assert_eq!((by_number.get(&number), metadata.metadata("1-x")), (None, None));
}

#[tokio::test(start_paused = true)]
async fn core_21_two_sources() {
    for file_first in [true, false] {
        let (southbound, engine) = start().await;
        engine.set_priority("file", 1);
        engine.set_priority("grpc", 2);
        let set = |source: &'static str, version| {
            engine.transaction().set::<A>(Item::new("A", "1").version(version)).source(source).commit()
        };
        if file_first {
            set("file", 1).await.unwrap();
            set("grpc", 2).await.unwrap();
        } else {
            set("grpc", 2).await.unwrap();
            set("file", 1).await.unwrap();
        }
        assert_eq!(southbound.content()["A/1"].version, 2, "L27: the higher priority, whatever the order");
        engine.transaction().set::<A>(Item::new("A", "file")).source("file").commit().await.unwrap();
        engine.transaction().delete::<A>("1").source("grpc").commit().await.unwrap();
        assert_eq!(southbound.content()["A/1"].version, 1, "the other's value shows");
        set("grpc", 2).await.unwrap();
        // The file does not want it any more; the other's items are not touched by that.
        engine.transaction().source("file").resync(Resync::Full).commit().await.unwrap();
        assert_eq!(southbound.keys(), ["A/1"]);
        assert_eq!(southbound.content()["A/1"].version, 2);
        engine.transaction().delete::<A>("1").source("grpc").commit().await.unwrap();
        assert_eq!(southbound.keys(), [""; 0]);
    }
}

#[tokio::test(start_paused = true)]
async fn core_24_queue_overflow() {
    let southbound = Southbound::new();
    let engine = start_on(&southbound, Settings { transactions: 8, ..Settings::default() }).await;
    engine
        .set(
            &(0..50)
                .map(|n| Item::new("B", n.to_string()).needs(need(&format!("A/{n}"))))
                .collect::<Vec<_>>()
                .iter()
                .collect::<Vec<_>>(),
        )
        .await;
    southbound.set_latency(Duration::from_secs(1));
    // 10,000 notifications for 100 items; the last word on each counts, removals too.
    for round in 0..100u32 {
        for n in 0..100u32 {
            if (round + n) % 2 == 0 || round == 99 && n < 50 {
                engine.appeared::<A>(Observed::new(Item::new("A", n.to_string()).version(round), 0));
            } else {
                engine.disappeared([key(&format!("A/{n}"))]);
            }
        }
    }
    let commits: Vec<_> = (0..1000u32)
        .map(|n| {
            let engine = engine.clone();
            tokio::spawn(async move { engine.set(&[&Item::new("C", (n % 10).to_string()).version(n)]).await })
        })
        .collect();
    for commit in commits {
        assert!(commit.await.unwrap().is_applied());
    }
    rest(&engine).await;
    for n in 0..100 {
        let there = n < 50 || n % 2 == 1;
        let state = if there { State::Obtained } else { State::Nonexistent };
        assert_eq!(engine.state(&format!("A/{n}")), state, "A/{n}");
        if n < 50 {
            assert_eq!(engine.state(&format!("B/{n}")), State::Configured);
        }
    }
    assert_eq!(engine.statuses("C/").len(), 10);
    assert!(engine.statuses("C/").iter().all(|status| status.state == State::Configured));
}

#[tokio::test(start_paused = true)]
async fn core_27_notification_batch() {
    let (southbound, engine) = start().await;
    engine.set(&[&Item::new("A", "mine")]).await;
    southbound.calls();
    for reversed in [false, true] {
        let mut batch = vec![
            Item::new("A", "mine"),
            Item::new("A", "one"),
            Item::new("A", "two").version(1),
            Item::new("A", "two").version(2),
        ];
        if reversed {
            batch.reverse();
        }
        for item in batch {
            engine.appeared::<A>(Observed::new(item, 0));
        }
        rest(&engine).await;
        assert_eq!(southbound.calls(), [""; 0]);
        assert_eq!(engine.state("A/mine"), State::Configured);
        assert_eq!((engine.state("A/one"), engine.state("A/two")), (State::Obtained, State::Obtained), "L11");
        engine.disappeared([key("A/one")]);
        engine.disappeared([key("A/two")]);
        rest(&engine).await;
    }
}

/// L14, L19: what is not there yet is pending, and it is looked for by itself.
#[tokio::test(start_paused = true)]
async fn core_28_missing_becomes_configured() {
    let southbound = Southbound::new();
    let settings = || Settings { check_every: Some(Duration::from_secs(60)), ..Settings::default() };
    let engine = start_on(&southbound, settings()).await;
    engine.set(&[&Item::new("A", "1"), &Item::new("B", "1").needs(need("A/1"))]).await;
    southbound.calls();
    // Deleted behind the agent's back, noticed by the timer.
    southbound.remove("B/1");
    tokio::time::sleep(Duration::from_secs(61)).await;
    assert_eq!(southbound.calls(), ["create B/1"]);
    // Noticed by what the southbound says.
    let mut watch = engine.watch("B/1", 10);
    southbound.remove("B/1");
    engine.disappeared([key("B/1")]);
    rest(&engine).await;
    assert_eq!(southbound.calls(), ["create B/1"]);
    let states: Vec<State> = std::iter::from_fn(|| watch.try_next())
        .map(|change| match change {
            Watched::Changed(status) => status.state,
            Watched::Lagged(_) => State::Nonexistent,
        })
        .collect();
    assert_eq!(states, [State::Missing, State::Configured]);
    // Where policy says so it is only reported, until somebody asks for a repair.
    let engine = start_on(&southbound, Settings { drift: Drift::Report, ..settings() }).await;
    engine.set(&[&Item::new("A", "1"), &Item::new("B", "1").needs(need("A/1"))]).await;
    southbound.remove("B/1");
    engine.check().await.unwrap();
    assert_eq!((engine.state("B/1"), southbound.calls().len()), (State::Missing, 0));
    engine.transaction().resync(Resync::Observed).commit().await.unwrap();
    assert_eq!(southbound.calls(), ["create B/1"]);
}

/// L12, L21: readers and writers wait for nobody who waits.
#[tokio::test(start_paused = true)]
async fn core_29_concurrent_clients() {
    let (southbound, engine) = start().await;
    let clients: Vec<_> = (0..32u32)
        .map(|client| {
            let engine = engine.clone();
            tokio::spawn(async move {
                for n in 0..100 {
                    let item = Item::new("A", format!("{client}-{}", n % 10)).version(n);
                    assert!(engine.set(&[&item]).await.is_applied());
                    assert_eq!(engine.state(&item.key()), State::Configured);
                }
            })
        })
        .collect();
    for client in clients {
        client.await.unwrap();
    }
    assert!(southbound.content().values().all(|item| item.version >= 90), "each client's last word counts");
    // L20: a lost update is refused.
    let set = |version| engine.transaction().set::<A>(Item::new("A", "x").version(version));
    let first = set(1).expect(0).commit().await.unwrap();
    assert_eq!(engine.status(&key("A/x")).unwrap().revision, first.number);
    assert!(set(2).expect(first.number).commit().await.unwrap().is_applied());
    let lost = set(3).expect(first.number).commit().await.unwrap();
    assert_eq!(lost.ending, Ending::Rejected);
    assert!(lost.errors[0].starts_with("A/x: its revision is "), "{:?}", lost.errors);
    assert_eq!(southbound.content()["A/x"].version, 2);
}

/// What was observed of an item is old when it was deleted meanwhile, also if nobody knows the item any more.
#[tokio::test(start_paused = true)]
async fn an_old_observation_does_not_bring_back_what_is_gone() {
    let (southbound, engine) = start().await;
    engine.set(&[&Item::new("A", "1")]).await;
    southbound.set_latency(Duration::from_millis(10));
    // A is observed until 10 ms, B until 20, C until 30; then it is concluded.
    let check = tokio::spawn({
        let engine = engine.clone();
        async move { engine.check().await }
    });
    tokio::time::sleep(Duration::from_millis(5)).await;
    engine.unset(&["A/1"]).await;
    assert_eq!(southbound.keys(), [""; 0]);
    let report = engine.set(&[&Item::new("B", "1").needs(need("A/1"))]).await;
    check.await.expect("no panic").expect("the engine runs");
    rest(&engine).await;
    assert_eq!(report.state(&key("B/1")), Some(State::Pending));
    assert_eq!(engine.pending("B/1"), "needs A/1, which nobody wants");
    assert_eq!(southbound.violations(), [""; 0]);
    assert_eq!(southbound.keys(), [""; 0]);
}

/// L32: a source that never says what it wants holds up nobody, and loses nothing.
#[tokio::test(start_paused = true)]
async fn a_source_that_never_comes_holds_up_nobody() {
    let southbound = Southbound::new();
    let journal = MemoryJournal::default();
    let settings = || Settings { journal: Some(Box::new(journal.clone())), ..Settings::default() };
    {
        let engine = start_on(&southbound, settings()).await;
        for (source, name) in [("silent", "1"), ("punctual", "2"), ("punctual", "3")] {
            let one = engine.transaction().set::<A>(Item::new("A", name));
            one.source(source).commit().await.expect("the engine runs");
        }
    }
    southbound.calls();
    let engine = start_on(&southbound, settings()).await;
    let whole = engine.transaction().set::<A>(Item::new("A", "2")).set::<A>(Item::new("A", "4"));
    whole.source("punctual").resync(Resync::Full).commit().await.expect("the engine runs");
    assert_eq!(sorted(southbound.calls()), ["create A/4", "delete A/3"]);
    assert_eq!(engine.state("A/1"), State::Discovered);
}
