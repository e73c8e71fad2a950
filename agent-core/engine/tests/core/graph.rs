//! Dependencies and derived items.

use vpp_agent_engine::{Action, Ending, Failure, Settings, State};
use vpp_agent_testkit::{Fault, Item, Southbound, after, all, any, any_at_least, need, one_of};

use crate::{Shorthand, add, before, key, rest, sorted, start, start_on};

fn chain() -> Vec<Item> {
    vec![
        Item::new("A", "if"),
        Item::new("A", "vrf"),
        Item::new("B", "addr").needs(need("A/if")),
        Item::new("B", "member").needs(need("A/if")).needs(need("B/addr")),
        Item::new("C", "route").needs(all([need("A/vrf"), need("B/addr")])),
    ]
}

fn permutations(of: usize) -> Vec<Vec<usize>> {
    if of == 0 {
        return vec![Vec::new()];
    }
    let insert = |rest: Vec<usize>| {
        (0..of).map(move |at| {
            let mut order = rest.clone();
            order.insert(at, of - 1);
            order
        })
    };
    permutations(of - 1).into_iter().flat_map(insert).collect()
}

#[tokio::test(start_paused = true)]
async fn core_01_order_independence() {
    let items = chain();
    let mut creates: Vec<String> = items.iter().map(|item| format!("create {}", item.key())).collect();
    creates.sort();
    for (turn, order) in permutations(5).into_iter().enumerate() {
        // As one transaction, as five, and split at a place that differs.
        for split in [vec![5], vec![1; 5], vec![turn % 4 + 1, 4 - turn % 4]] {
            let (southbound, engine) = start().await;
            let mut left = order.iter().map(|&at| &items[at]);
            for size in split {
                let part: Vec<&Item> = left.by_ref().take(size).collect();
                assert!(engine.set(&part).await.is_applied());
            }
            assert_eq!(sorted(southbound.calls()), creates, "{order:?}");
            assert_eq!(southbound.violations(), [""; 0]);
            assert!(engine.statuses("").iter().all(|status| status.state == State::Configured));
        }
    }
}

/// `B2[x,y]`, `A1[y]`, `C3[x,y]`: `B2-y` needs `A1-x`, `B2-x` needs `A1`.
fn three() -> [Item; 3] {
    let part = |of: &str, name: &str| Item::new("Dd", format!("{of}-{name}"));
    [
        Item::new("B", "2")
            .derives(part("2", "x").needs(need("A/1")))
            .derives(part("2", "y").needs(need("Dd/1-x"))),
        Item::new("A", "1").with(&["y"]),
        Item::new("C", "3").with(&["x", "y"]),
    ]
}

#[tokio::test(start_paused = true)]
async fn core_02_pending_reasons() {
    let (southbound, engine) = start().await;
    let [b2, a1, c3] = three();
    let plan = add(engine.transaction(), &[&b2, &a1, &c3]).plan();
    assert_eq!(southbound.calls(), [""; 0], "a plan makes no calls");
    let report = engine.set(&[&b2, &a1, &c3]).await;
    assert_eq!(report.ending, Ending::Applied);
    let calls = southbound.calls();
    let planned: Vec<String> =
        plan.steps.iter().map(|step| format!("{} {}", step.action, step.key)).collect();
    assert_eq!(sorted(planned), sorted(calls.clone()));
    assert_eq!(calls.len(), 7);
    assert!(before(&calls, "create A/1", "create Dd/1-y"));
    assert!(before(&calls, "create A/1", "create Dd/2-x"));
    assert!(before(&calls, "create B/2", "create Dd/2-x"));
    assert!(before(&calls, "create C/3", "create Dd/3-y"));
    assert_eq!(engine.state("B/2"), State::Configured);
    assert_eq!(engine.state("Dd/2-y"), State::Pending);
    assert_eq!(engine.pending("Dd/2-y"), "needs Dd/1-x, which nobody wants");
    assert_eq!(plan.pending, [(key("Dd/2-y"), vec!["needs Dd/1-x, which nobody wants".to_owned()])]);
    assert_eq!(southbound.violations(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn core_03_un_pend_cascade() {
    let (southbound, engine) = start().await;
    let [b2, a1, c3] = three();
    engine.set(&[&b2, &a1, &c3]).await;
    let (a_before, c_before) = (southbound.number("A/1"), southbound.number("C/3"));
    southbound.calls();
    let from = engine.now();
    let report = engine.set(&[&c3.clone().mould(1).with(&["x"]), &a1.clone().version(1).with(&["x"])]).await;
    assert!(report.is_applied());
    let calls = southbound.calls();
    let expected = [
        "create C/3",
        "create Dd/1-x",
        "create Dd/2-y",
        "create Dd/3-x",
        "delete C/3",
        "delete Dd/1-y",
        "delete Dd/3-x",
        "delete Dd/3-y",
        "update A/1",
    ];
    assert_eq!(sorted(calls.clone()), expected);
    for (first, then) in [
        ("delete Dd/3-x", "delete C/3"),
        ("delete Dd/3-y", "delete C/3"),
        ("delete C/3", "create C/3"),
        ("create C/3", "create Dd/3-x"),
        ("delete Dd/1-y", "update A/1"),
        ("update A/1", "create Dd/1-x"),
        ("create Dd/1-x", "create Dd/2-y"),
    ] {
        assert!(before(&calls, first, then), "{first} before {then}: {calls:?}");
    }
    assert_eq!(engine.state("Dd/2-y"), State::Configured);
    assert_ne!(southbound.number("C/3"), c_before);
    assert_eq!(southbound.number("A/1"), a_before);
    let history = engine.history(from..=engine.now());
    assert_eq!(history.last().map(|report| report.number), Some(report.number));
}

#[tokio::test(start_paused = true)]
async fn core_04_delete_cascade_and_restore() {
    let (southbound, engine) = start().await;
    let items = chain();
    engine.set(&items.iter().collect::<Vec<_>>()).await;
    southbound.calls();
    engine.unset(&["A/if", "A/vrf"]).await;
    let calls = southbound.calls();
    for (first, then) in [
        ("delete C/route", "delete A/vrf"),
        ("delete C/route", "delete B/addr"),
        ("delete B/member", "delete B/addr"),
        ("delete B/addr", "delete A/if"),
    ] {
        assert!(before(&calls, first, then), "{first} before {then}: {calls:?}");
    }
    assert_eq!(calls.len(), 5);
    assert_eq!(engine.state("C/route"), State::Pending);
    assert_eq!(engine.pending("C/route"), "needs A/vrf, which nobody wants; needs B/addr, which is pending");
    assert_eq!(engine.state("A/if"), State::Nonexistent);
    engine.set(&[&items[0], &items[1]]).await;
    assert!(engine.statuses("").iter().all(|status| status.state == State::Configured));
    assert_eq!(southbound.violations(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn core_05_recreate_bounces_dependents() {
    let (southbound, engine) = start().await;
    let base = Item::new("A", "1").with(&["x"]);
    let one = Item::new("B", "1").needs(need("A/1"));
    let two = Item::new("C", "1").needs(need("B/1")).needs(need("Dd/1-x"));
    let aside = Item::new("B", "2").needs(need("A/2"));
    engine.set(&[&base, &one, &two, &aside, &Item::new("A", "2")]).await;
    southbound.calls();
    engine.set(&[&base.mould(1)]).await;
    let calls = southbound.calls();
    assert_eq!(
        sorted(calls.clone()),
        [
            "create A/1",
            "create B/1",
            "create C/1",
            "create Dd/1-x",
            "delete A/1",
            "delete B/1",
            "delete C/1",
            "delete Dd/1-x",
        ]
    );
    for (first, then) in [
        ("delete C/1", "delete B/1"),
        ("delete C/1", "delete Dd/1-x"),
        ("delete B/1", "delete A/1"),
        ("delete Dd/1-x", "delete A/1"),
        ("delete A/1", "create A/1"),
        ("create A/1", "create Dd/1-x"),
        ("create B/1", "create C/1"),
        ("create Dd/1-x", "create C/1"),
    ] {
        assert!(before(&calls, first, then), "{first} before {then}: {calls:?}");
    }
    assert_eq!(southbound.violations(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn core_06_dependency_cycle() {
    let (southbound, engine) = start().await;
    let one = Item::new("A", "ring1").needs(need("A/ring2"));
    let two = Item::new("A", "ring2").needs(need("A/ring3"));
    let three = Item::new("A", "ring3").needs(need("A/ring1")).needs(need("A/4"));
    engine.set(&[&one, &two, &three]).await;
    assert_eq!(southbound.calls(), [""; 0]);
    for of in ["A/ring1", "A/ring2", "A/ring3"] {
        assert_eq!(engine.state(of), State::Pending);
        assert_ne!(engine.pending(of), "");
    }
    engine.set(&[&Item::new("A", "4")]).await;
    let calls = southbound.calls();
    assert_eq!(sorted(calls.clone()), ["create A/4", "create A/ring1", "create A/ring2", "create A/ring3"]);
    assert_eq!(calls[0], "create A/4");
    southbound.fault(Action::Delete, "A/ring2", [Fault::Fail(Failure::new("as planned"))]);
    let report = engine.unset(&["A/ring2"]).await;
    assert_eq!(southbound.calls(), ["delete A/ring3", "delete A/ring1", "delete A/ring2"]);
    assert_eq!(
        report.items[0].failure.as_ref().map(|(of, why)| (of.as_str(), why.to_string())),
        Some(("A/ring2", "as planned".to_owned()))
    );
    assert_eq!(engine.state("A/ring1"), State::Pending);
    assert_eq!(engine.state("A/ring3"), State::Pending);
    let status = engine.status(&key("A/ring2")).unwrap();
    assert_eq!((status.state, status.last), (State::Failed, Some(Action::Delete)));
    engine.set(&[&two]).await;
    assert!(
        engine.statuses("").iter().all(|status| status.state == State::Configured),
        "{:?}",
        engine.statuses("")
    );
    assert_eq!(southbound.keys(), ["A/4", "A/ring1", "A/ring2", "A/ring3"]);
}

#[tokio::test(start_paused = true)]
async fn core_07_any_of() {
    let (southbound, engine) = start().await;
    let user = Item::new("C", "u").needs(any_at_least("A", "p-", 1));
    engine.set(&[&user, &Item::new("A", "q-1").version(1), &Item::new("A", "p-0")]).await;
    assert_eq!(engine.state("C/u"), State::Pending);
    southbound.calls();
    engine.set(&[&Item::new("A", "p-1").version(1)]).await;
    assert_eq!(southbound.calls(), ["create A/p-1", "create C/u"]);
    engine.set(&[&Item::new("A", "p-2").version(1)]).await;
    assert_eq!(southbound.calls(), ["create A/p-2"]);
    engine.unset(&["A/p-1"]).await;
    assert_eq!(southbound.calls(), ["delete A/p-1"]);
    // The last one stays, but with a content that does not pass: what stood on it goes first.
    engine.set(&[&Item::new("A", "p-2").version(2)]).await;
    assert_eq!(southbound.calls(), ["update A/p-2"]);
    engine.unset(&["A/p-2"]).await;
    assert_eq!(southbound.calls(), ["delete C/u", "delete A/p-2"]);
    assert_eq!(engine.state("C/u"), State::Pending);
    // Many members come and go; the item that needs any of them is made once and withdrawn once.
    let many: Vec<Item> = (0..10_000).map(|n| Item::new("A", format!("p-m{n}")).version(1)).collect();
    engine.set(&many.iter().collect::<Vec<_>>()).await;
    let keys: Vec<String> = many.iter().map(Item::key).collect();
    engine.unset(&keys.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let calls = southbound.calls();
    assert_eq!(calls.len(), 20_002);
    assert_eq!(southbound.violations(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn needs_or_and_order() {
    let (southbound, engine) = start().await;
    let either = Item::new("B", "e").needs(one_of([all([need("A/1"), need("A/2")]), need("A/3")]));
    engine.set(&[&either, &Item::new("A", "1")]).await;
    assert_eq!(engine.pending("B/e"), "needs A/1 and A/2, which nobody wants or A/3, which nobody wants");
    engine.set(&[&Item::new("A", "3")]).await;
    assert_eq!(engine.state("B/e"), State::Configured);
    engine.set(&[&Item::new("A", "2")]).await;
    southbound.calls();
    engine.unset(&["A/3"]).await;
    assert_eq!(southbound.calls(), ["delete A/3"], "it stands on the other leg");
    engine.unset(&["A/1"]).await;
    assert_eq!(southbound.calls(), ["delete B/e", "delete A/1"]);
    // Order only: first if it comes too, last if it goes too, and not waited for otherwise.
    let late = Item::new("B", "late").needs(after("C/z"));
    engine.set(&[&late, &Item::new("C", "z")]).await;
    assert_eq!(southbound.calls(), ["create C/z", "create B/late"]);
    engine.unset(&["C/z", "B/late"]).await;
    assert_eq!(southbound.calls(), ["delete B/late", "delete C/z"]);
    engine.set(&[&late]).await;
    assert_eq!(southbound.calls(), ["create B/late"]);
    // An order that cannot be had is given up.
    let x = Item::new("B", "x").needs(after("B/y"));
    let y = Item::new("B", "y").needs(after("B/x"));
    assert!(engine.set(&[&x, &y]).await.is_applied());
    assert_eq!(southbound.calls().len(), 2);
    // Any member without looking at its content, withdrawn when the content need of another one ends.
    let watch = Item::new("C", "w").needs(any("Dd", "w-"));
    engine.set(&[&watch, &Item::new("A", "9").derives(Item::new("Dd", "w-1"))]).await;
    assert_eq!(engine.state("C/w"), State::Configured);
    assert_eq!(southbound.violations(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn core_08_derived_failure_isolates_the_base() {
    let (southbound, engine) = start().await;
    let a1 = Item::new("A", "1").with(&["x"]);
    engine.set(&[&a1]).await;
    southbound.fault(Action::Delete, "Dd/1-x", [Fault::Fail(Failure::new("no"))]);
    southbound.calls();
    let report = engine.unset(&["A/1"]).await;
    assert_eq!(southbound.calls(), ["delete Dd/1-x"]);
    assert_eq!(report.items[0].failure.as_ref().map(|(of, _)| of.as_str()), Some("Dd/1-x"));
    assert_eq!((engine.state("A/1"), engine.state("Dd/1-x")), (State::Configured, State::Failed));
    // (b) The part has to be made anew: its deletion works, its creation does not.
    let (southbound, engine) = start().await;
    engine.set(&[&a1]).await;
    southbound.fault(Action::Create, "Dd/1-x", [Fault::Fail(Failure::new("no"))]);
    southbound.calls();
    let changed = Item::new("A", "1").version(1).derives(Item::new("Dd", "1-x").mould(1));
    let report = engine.set(&[&changed]).await;
    assert_eq!(report.items[0].failure.as_ref().map(|(of, _)| of.as_str()), Some("Dd/1-x"));
    assert_eq!((engine.state("A/1"), engine.state("Dd/1-x")), (State::Configured, State::Failed));
    assert_eq!(southbound.keys(), ["A/1"]);
}

/// L16: parts have parts.
#[tokio::test(start_paused = true)]
async fn core_32_n_level_derivation() {
    let (southbound, engine) = start().await;
    let deep = |version: u32| {
        Item::new("A", "1").version(version).derives(
            Item::new("B", "1-b")
                .derives(Item::new("C", "1-c").version(version).derives(Item::new("Dd", "1-d"))),
        )
    };
    engine.set(&[&deep(0)]).await;
    assert_eq!(southbound.calls(), ["create A/1", "create B/1-b", "create C/1-c", "create Dd/1-d"]);
    assert!(southbound.number("Dd/1-d").is_some());
    engine.set(&[&deep(1)]).await;
    // What it comes from directly did not change, so neither waits for the other.
    assert_eq!(sorted(southbound.calls()), ["update A/1", "update C/1-c"]);
    southbound.fault(Action::Delete, "C/1-c", [Fault::Fail(Failure::new("no"))]);
    engine.unset(&["A/1"]).await;
    assert_eq!(southbound.calls(), ["delete Dd/1-d", "delete C/1-c"]);
    assert_eq!(southbound.keys(), ["A/1", "B/1-b", "C/1-c"]);
    assert_eq!(engine.state("C/1-c"), State::Failed);
    engine.set(&[&deep(1)]).await;
    rest(&engine).await;
    assert_eq!(southbound.keys(), ["A/1", "B/1-b", "C/1-c", "Dd/1-d"]);
    southbound.calls();
    engine.unset(&["A/1"]).await;
    assert_eq!(southbound.calls(), ["delete Dd/1-d", "delete C/1-c", "delete B/1-b", "delete A/1"]);
}

/// Keys are not cleaned like paths.
#[tokio::test(start_paused = true)]
async fn core_31_hostile_names() {
    let southbound = Southbound::new();
    let engine = start_on(&southbound, Settings::default()).await;
    let names = ["a/b", "a//b", "a/../b", "..", "a b", "ä→", "", "a%2Fb", "a/", "/a"];
    let items: Vec<Item> = names.iter().map(|name| Item::new("A", *name)).collect();
    assert!(engine.set(&items.iter().collect::<Vec<_>>()).await.is_applied());
    assert_eq!(southbound.keys().len(), names.len());
    for item in &items {
        let key = key(&item.key());
        assert_eq!((key.kind(), key.name()), ("A", item.name.as_str()));
        assert_eq!(engine.state(&item.key()), State::Configured);
    }
    engine
        .unset(
            &items.iter().map(Item::key).collect::<Vec<_>>().iter().map(String::as_str).collect::<Vec<_>>(),
        )
        .await;
    assert_eq!(southbound.keys(), [""; 0]);
    // Parts of a name cannot run into each other.
    use vpp_agent_engine::Key;
    assert_ne!(Key::of("x", &[&"a/b", &"c"]), Key::of("x", &[&"a", &"b/c"]));
    assert_eq!(Key::of("x", &[&"a/%", &"b/c"]).parts::<2>().unwrap(), ["a/%", "b/c"]);
}
