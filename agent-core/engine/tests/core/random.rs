//! Random graphs, random orders, random faults: what holds whatever happens.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use vpp_agent_engine::{Access, Action, Failure, Resync, Retry, Settings, State};
use vpp_agent_testkit::{Fault, Item, Need, Southbound};

use crate::{add, key, rest, start_on};

const KINDS: [&str; 3] = ["A", "B", "C"];
const ALL: [&str; 4] = ["A", "B", "C", "Dd"];
const NAMES: usize = 4;

/// Needs of an item of this rank: of lower ranks only, so that there is one answer to what can be there.
fn needs(rank: usize) -> BoxedStrategy<Vec<Need>> {
    if rank == 0 {
        return Just(Vec::new()).boxed();
    }
    let item = (0..rank).prop_map(|at| format!("{}/{}", KINDS[at / NAMES], at % NAMES));
    let part = (0..rank).prop_map(|at| format!("Dd/{}{}-x", KINDS[at / NAMES], at % NAMES));
    let version = 0..40u32;
    let leaf = prop_oneof![
        4 => item.clone().prop_map(Need::Item),
        2 => part.prop_map(Need::Item),
        2 => (item.clone(), version.clone()).prop_map(|(of, version)| Need::AtLeast(of, version)),
        1 => item.prop_map(Need::After),
        2 => (0..(rank / NAMES).max(1), proptest::option::of(version)).prop_map(move |(kind, version)| {
            // A whole lower kind, or nothing of the own one.
            if rank >= NAMES {
                Need::Any(KINDS[kind].to_owned(), String::new(), version)
            } else {
                Need::All(Vec::new())
            }
        }),
    ];
    let tree = leaf.prop_recursive(2, 6, 3, |of| {
        prop_oneof![
            proptest::collection::vec(of.clone(), 1..3).prop_map(Need::All),
            proptest::collection::vec(of, 1..3).prop_map(Need::OneOf),
        ]
    });
    proptest::collection::vec(tree, 0..3).boxed()
}

#[derive(Clone, Debug)]
enum Step {
    Set(Vec<Item>),
    Unset(Vec<String>),
    Behind(String),
    /// The southbound goes down, and is back after this many pauses; with what was there, or without.
    Outage(u32, bool),
    Check,
    Pause,
}

fn item() -> impl Strategy<Value = Item> {
    (0..KINDS.len() * NAMES).prop_flat_map(|rank| {
        let (kind, name) = (KINDS[rank / NAMES], rank % NAMES);
        let parts = proptest::collection::vec((needs(rank), 0..40u32, 0..2u32), 0..3);
        (needs(rank), 0..40u32, 0..2u32, parts).prop_map(move |(needs, version, mould, parts)| {
            let mut item = Item::new(kind, name.to_string()).version(version).mould(mould);
            item.needs = needs;
            for (at, (needs, version, mould)) in parts.into_iter().enumerate() {
                let mut part =
                    Item::new("Dd", format!("{kind}{name}-{}", ["x", "y"][at])).version(version).mould(mould);
                part.needs = needs;
                item.derived.push(part);
            }
            item
        })
    })
}

/// An engine compares version and mould; so that values with other needs differ for it too.
fn unlike(steps: &mut [Step]) {
    let mut next = 1;
    for step in steps {
        if let Step::Set(items) = step {
            for item in items {
                next += 1;
                item.mould += 2 * (next % 3);
                item.version = item.version * 1000 + next;
                for part in &mut item.derived {
                    next += 1;
                    part.version = part.version * 1000 + next;
                }
            }
        }
    }
}

fn scale(need: &mut Need) {
    match need {
        Need::AtLeast(_, version) | Need::Any(_, _, Some(version)) => *version *= 1000,
        Need::All(of) | Need::OneOf(of) => of.iter_mut().for_each(scale),
        _ => {}
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        5 => proptest::collection::vec(item(), 1..6).prop_map(Step::Set),
        2 => proptest::collection::vec(item().prop_map(|item| item.key()), 1..3).prop_map(Step::Unset),
        1 => item().prop_map(|item| Step::Behind(item.key())),
        1 => (0..4u32, any::<bool>()).prop_map(|(pauses, lost)| Step::Outage(pauses, lost)),
        1 => Just(Step::Check),
        2 => Just(Step::Pause),
    ];
    proptest::collection::vec(step, 1..14).prop_map(|mut steps| {
        unlike(&mut steps);
        for step in &mut steps {
            if let Step::Set(items) = step {
                for item in items {
                    item.needs.iter_mut().for_each(scale);
                    item.derived.iter_mut().for_each(|part| part.needs.iter_mut().for_each(scale));
                }
            }
        }
        steps
    })
}

/// What is wanted at the end.
fn wanted(steps: &[Step]) -> BTreeMap<String, Item> {
    let mut wanted = BTreeMap::new();
    for step in steps {
        match step {
            Step::Set(items) => wanted.extend(items.iter().map(|item| (item.key(), item.clone()))),
            Step::Unset(keys) => wanted.retain(|key, _| !keys.contains(key)),
            _ => {}
        }
    }
    wanted
}

/// What can be there of it: whatever has its needs, from nothing up.
fn possible(wanted: &BTreeMap<String, Item>) -> BTreeMap<String, Item> {
    let mut there: BTreeMap<String, Item> = BTreeMap::new();
    loop {
        let before = there.len();
        for (key, item) in wanted {
            if item.needs.iter().all(|need| need.holds(&there)) {
                there.insert(key.clone(), item.clone());
            }
            if there.contains_key(key) {
                for part in &item.derived {
                    if part.needs.iter().all(|need| need.holds(&there)) {
                        there.insert(part.key(), part.clone());
                    }
                }
            }
        }
        if there.len() == before {
            return there;
        }
    }
}

fn versions(items: &BTreeMap<String, Item>) -> BTreeMap<String, (u32, u32)> {
    items.iter().map(|(key, item)| (key.clone(), (item.version, item.mould))).collect()
}

fn paused<T>(future: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().expect("a runtime");
    // What waits for ever fails, after a made-up day.
    let day = Duration::from_secs(24 * 3600);
    runtime.block_on(async { tokio::time::timeout(day, future).await.expect("it comes to rest") })
}

/// Runs the steps without waiting for any of them, and gives what is there when all has come to rest.
async fn run(
    steps: &[Step],
    faults: &[(Action, String, Fault)],
    latency: Duration,
) -> (Southbound, Vec<(String, State)>) {
    let southbound = Southbound::new();
    let engine = start_on(&southbound, Settings { calls: 7, ..Settings::default() }).await;
    southbound.set_latency(latency);
    for (action, of, fault) in faults {
        southbound.fault(*action, of, [fault.clone()]);
    }
    let mut running = Vec::new();
    for step in steps {
        let engine = engine.clone();
        match step.clone() {
            Step::Set(items) => running.push(tokio::spawn(async move {
                let items: Vec<&Item> = items.iter().collect();
                add(engine.transaction(), &items)
                    .retry(Retry::forever())
                    .commit()
                    .await
                    .expect("the engine runs");
            })),
            Step::Unset(keys) => running.push(tokio::spawn(async move {
                let all = keys.iter().fold(engine.transaction(), |all, of| all.delete_key(key(of)));
                all.retry(Retry::forever()).commit().await.expect("the engine runs");
            })),
            Step::Behind(of) => {
                if !faults.is_empty() {
                    southbound.remove(&of);
                }
            }
            Step::Outage(pauses, lost) => {
                if !faults.is_empty() {
                    southbound.go_down(lost);
                    tokio::time::sleep(latency / 2).await;
                    engine.set_access(ALL.map(|kind| (kind, Access::Closed("down".into()))));
                    tokio::time::sleep(latency * pauses).await;
                    southbound.come_up();
                    engine.set_access(ALL.map(|kind| (kind, Access::Open)));
                }
            }
            Step::Check => running.push(tokio::spawn(async move {
                engine.check().await.expect("the engine runs");
            })),
            Step::Pause => tokio::time::sleep(latency * 3 / 2).await,
        }
        tokio::task::yield_now().await;
    }
    for running in running {
        running.await.expect("the engine runs");
    }
    // Longer than all retries of what still fails: faults are used up.
    tokio::time::sleep(Duration::from_secs(1000)).await;
    rest(&engine).await;
    if !faults.is_empty() {
        engine.transaction().resync(Resync::Observed).commit().await.expect("the engine runs");
        tokio::time::sleep(Duration::from_secs(1000)).await;
        rest(&engine).await;
    }
    let states =
        engine.statuses("").into_iter().map(|status| (status.key.to_string(), status.state)).collect();
    (southbound, states)
}

fn check_states(states: &[(String, State)], wanted: &BTreeMap<String, Item>, there: &BTreeMap<String, Item>) {
    for (key, state) in states {
        let expected = if there.contains_key(key) { State::Configured } else { State::Pending };
        assert_eq!(*state, expected, "{key}");
    }
    for key in wanted.keys() {
        assert!(states.iter().any(|(of, _)| of == key), "{key} has a state");
    }
}

/// An item of a circle: all of its needs are of one of several others.
fn ring((at, needs): &(usize, Vec<Vec<usize>>)) -> Item {
    let one_of =
        |of: &Vec<usize>| Need::OneOf(of.iter().map(|at| Need::Item(format!("A/ring{at}"))).collect());
    let mut item = Item::new("A", format!("ring{at}"));
    item.needs = needs.iter().map(one_of).collect();
    item
}

fn fault() -> impl Strategy<Value = (Action, String, Fault)> {
    let action = prop_oneof![Just(Action::Create), Just(Action::Update), Just(Action::Delete)];
    let no = Failure::new("no");
    let fault = prop_oneof![
        Just(Fault::Fail(no.clone())),
        Just(Fault::FailAfter(no.uncertain())),
        Just(Fault::Hang),
        Just(Fault::HangAfter),
    ];
    let of = (item(), any::<bool>()).prop_map(|(item, part)| match item.derived.first() {
        Some(first) if part => first.key(),
        _ => item.key(),
    });
    (action, of, fault)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, max_shrink_iters: 2000, ..ProptestConfig::default() })]

    /// What is there is what is wanted, minus what is pending; the order of needs is never violated.
    #[test]
    fn what_is_there_is_what_can_be(steps in steps()) {
        paused(async {
            let (southbound, states) = run(&steps, &[], Duration::from_millis(10)).await;
            assert_eq!(southbound.violations(), [""; 0]);
            let wanted = wanted(&steps);
            let possible = possible(&wanted);
            assert_eq!(versions(&southbound.content()), versions(&possible));
            check_states(&states, &wanted, &possible);
        });
    }

    /// When faults stop, it converges.
    #[test]
    fn it_converges_when_faults_stop(steps in steps(), faults in proptest::collection::vec(fault(), 1..12)) {
        paused(async {
            let (southbound, states) = run(&steps, &faults, Duration::from_millis(10)).await;
            let wanted = wanted(&steps);
            let possible = possible(&wanted);
            assert_eq!(versions(&southbound.content()), versions(&possible));
            check_states(&states, &wanted, &possible);
        });
    }

    /// The same changes in any order, in any split: the same end.
    #[test]
    fn every_order_ends_the_same(
        items in proptest::collection::vec(item(), 1..10).prop_shuffle(),
        cuts in proptest::collection::vec(1..4usize, 10),
    ) {
        let mut steps = vec![Step::Set(items)];
        unlike(&mut steps);
        let items: Vec<Item> = wanted(&steps).into_values().collect();
        let (mut split, mut left) = (Vec::new(), items.iter().rev());
        for cut in cuts {
            split.push(Step::Set(left.by_ref().take(cut).cloned().collect()));
        }
        split.push(Step::Set(left.cloned().collect()));
        paused(async {
            let (one, states) = run(&[Step::Set(items.clone())], &[], Duration::ZERO).await;
            let (other, others) = run(&split, &[], Duration::from_millis(1)).await;
            assert_eq!(one.content(), other.content());
            assert_eq!(states, others);
            assert_eq!(one.calls().len(), other.calls().len(), "each item is made once");
        });
    }

    /// CORE-13: without faults, what is planned is what is done.
    #[test]
    fn core_13_dry_run_equals_execution(steps in steps(), change in proptest::collection::vec(item(), 1..6)) {
        let mut change = vec![Step::Set(change)];
        unlike(&mut change);
        let Some(Step::Set(change)) = change.pop() else { unreachable!() };
        paused(async {
            let southbound = Southbound::new();
            let engine = start_on(&southbound, Settings::default()).await;
            for step in &steps {
                if let Step::Set(items) = step {
                    add(engine.transaction(), &items.iter().collect::<Vec<_>>()).commit().await.unwrap();
                }
            }
            let change: Vec<&Item> = change.iter().collect();
            southbound.log();
            let before = engine.statuses("");
            let plan = add(engine.transaction(), &change).plan();
            assert_eq!(southbound.log(), []);
            assert_eq!(engine.statuses(""), before);
            add(engine.transaction(), &change).commit().await.unwrap();
            let planned: Vec<String> = plan.steps.iter().map(|step| format!("{} {}", step.action, step.key)).collect();
            // Calls that take no time end in the order in which they began.
            assert_eq!(planned, southbound.calls());
            // The edges lead backwards, so they have no circle.
            assert!(plan.steps.iter().enumerate().all(|(at, step)| step.after.iter().all(|&before| before < at)));
        });
    }

    /// Items that need each other in circles: whatever can be together is, and nothing else.
    #[test]
    fn circles_are_made_whole_or_not_at_all(
        graph in proptest::collection::vec(
            (0..8usize, proptest::collection::vec(proptest::collection::vec(0..8usize, 1..3), 0..3)), 1..16,
        ),
        gone in proptest::collection::vec(0..8usize, 0..4),
        again in any::<bool>(),
    ) {
        let mut steps: Vec<Step> = graph.iter().map(|of| Step::Set(vec![ring(of)])).collect();
        let restored = steps.last().cloned().filter(|_| again);
        steps.extend(gone.iter().map(|at| Step::Unset(vec![format!("A/ring{at}")])));
        steps.extend(restored);
        unlike(&mut steps);
        paused(async {
            let (southbound, states) = run(&steps, &[], Duration::from_millis(10)).await;
            let wanted = wanted(&steps);
            let mut together = wanted.clone();
            loop {
                let whole = together.clone();
                together.retain(|_, item| item.needs.iter().all(|need| need.holds(&whole)));
                if together.len() == whole.len() {
                    break;
                }
            }
            assert_eq!(versions(&southbound.content()), versions(&together));
            check_states(&states, &wanted, &together);
        });
    }
}

/// Found by the test before, once in some ten thousand cases: 2 and 6 need each other, 6 was in a circle with 0, too, and 0
/// was the last to go.
#[test]
fn a_circle_does_not_wait_for_one_that_leaves_it() {
    let none = Vec::new;
    let graph = [
        (3, none()),
        (6, vec![vec![2, 0]]),
        (2, vec![vec![6]]),
        (0, none()),
        (1, none()),
        (0, vec![vec![7], vec![5]]),
        (2, vec![vec![6]]),
        (5, vec![vec![6, 1]]),
        (4, none()),
        (1, none()),
    ];
    let mut steps: Vec<Step> = graph.iter().map(|of| Step::Set(vec![ring(of)])).collect();
    unlike(&mut steps);
    paused(async {
        let (southbound, _) = run(&steps, &[], Duration::from_millis(10)).await;
        let there = southbound.content();
        assert!(there.contains_key("A/ring2") && there.contains_key("A/ring6"), "{:?}", there.keys());
    });
}

/// Found by the first of these tests, once in some thousand cases.
#[test]
fn what_an_update_will_need_stays_until_the_update_has_ended() {
    let needed = Item::new("A", "1");
    let before = Item::new("B", "0");
    let mut after = Item { version: before.version + 1, ..before.clone() };
    after.needs = vec![Need::Item(needed.key())];
    let (gone, instead) =
        (Step::Unset(vec![needed.key()]), Item { version: after.version + 1, ..before.clone() });
    for last in [gone, Step::Set(vec![instead, Item { mould: needed.mould + 1, ..needed.clone() }])] {
        let steps = [
            Step::Set(vec![needed.clone(), before.clone()]),
            Step::Pause,
            Step::Set(vec![after.clone()]),
            last,
        ];
        paused(async {
            let (southbound, _) = run(&steps, &[], Duration::from_millis(10)).await;
            assert_eq!(southbound.violations(), [""; 0]);
        });
    }
}
