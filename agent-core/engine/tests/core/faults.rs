//! What goes wrong: retries, taking back, hanging calls, invalid values, failing dumps.

use std::time::Duration;

use vpp_agent_engine::{Action, Ending, Failure, OnPending, Resync, Retry, State, Watched, Why};
use vpp_agent_testkit::{A, Fault, Item, need};

use crate::{Shorthand, add, key, rest, sorted, start};

fn no() -> Failure {
    Failure::new("no")
}

#[tokio::test(start_paused = true)]
async fn core_09_revert() {
    let (southbound, engine) = start().await;
    let a1 = Item::new("A", "1").with(&["y"]);
    let c3 = Item::new("C", "3").with(&["x", "y"]);
    let b2 = Item::new("B", "2").derives(Item::new("Dd", "2-y").needs(need("Dd/1-x")));
    engine.set(&[&a1, &c3, &b2]).await;
    let there = southbound.content();
    let mut watch = engine.watch("A/1", 100);
    southbound.calls();
    // The update fails after it has taken effect.
    southbound.fault(Action::Update, "A/1", [Fault::FailAfter(no())]);
    let change = [&c3.clone().mould(1).with(&["x"]), &a1.clone().version(1).with(&["x"])];
    let report = add(engine.transaction(), &change).revert().commit().await.unwrap();
    assert_eq!(report.ending, Ending::Reverted);
    let failed: Vec<&str> =
        report.items.iter().filter_map(|item| item.failure.as_ref()).map(|(of, _)| of.as_str()).collect();
    assert_eq!(failed, ["A/1"]);
    let calls = southbound.calls();
    assert_eq!(calls.iter().filter(|call| *call == "look A/1").count(), 1, "{calls:?}");
    assert_eq!(southbound.content(), there);
    assert_eq!(engine.state("Dd/2-y"), State::Pending);
    assert!(report.operations.iter().any(|done| done.why == Why::Reverted && done.key == key("A/1")));
    let mut last = None;
    while let Some(Watched::Changed(status)) = watch.try_next() {
        last = Some(status.state);
    }
    assert_eq!(last, Some(State::Configured));
    assert_eq!(southbound.violations(), [""; 0]);
}

/// L14: who asks for it is tried for, also without end.
#[tokio::test(start_paused = true)]
async fn core_10_retry() {
    let item = Item::new("A", "1").with(&["x", "y"]);
    let retry = Retry::default();
    // Once it fails, then it works.
    let (southbound, engine) = start().await;
    southbound.fault(Action::Create, "Dd/1-y", [Fault::Fail(no())]);
    let report = add(engine.transaction(), &[&item]).retry(retry).commit().await.unwrap();
    assert_eq!(report.ending, Ending::Partly);
    let status = engine.status(&key("Dd/1-y")).unwrap();
    assert_eq!((status.state, status.attempts, status.failure), (State::Retrying, 1, Some(no())));
    assert_eq!(status.next_try, Some(status.since + Duration::from_secs(1)));
    southbound.calls();
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(southbound.calls(), ["create Dd/1-y"]);
    assert_eq!(engine.state("Dd/1-y"), State::Configured);
    let retried = engine.history(Duration::ZERO..=engine.now()).pop().unwrap();
    assert_eq!(retried.trigger, vpp_agent_engine::Trigger::Retry(report.number));
    // The value changes before the retry is due: that is done instead, and no retry follows.
    let (southbound, engine) = start().await;
    southbound.fault(Action::Create, "A/1", [Fault::Fail(no())]);
    add(engine.transaction(), &[&item]).retry(retry).commit().await.unwrap();
    engine.set(&[&item.clone().version(7)]).await;
    assert_eq!(engine.state("A/1"), State::Configured);
    southbound.calls();
    tokio::time::sleep(Duration::from_secs(100)).await;
    assert_eq!(southbound.calls(), [""; 0]);
    // After the last attempt it has failed: 1 + 3 calls at 0, 1, 3 and 7 seconds.
    let (southbound, engine) = start().await;
    southbound.fault(Action::Create, "A/1", vec![Fault::Fail(no()); 99]);
    add(engine.transaction(), &[&item]).retry(retry).commit().await.unwrap();
    tokio::time::sleep(Duration::from_millis(6_500)).await;
    assert_eq!((southbound.calls().len(), engine.state("A/1")), (3, State::Retrying));
    tokio::time::sleep(Duration::from_secs(1000)).await;
    assert_eq!((southbound.calls().len(), engine.state("A/1")), (1, State::Failed));
    // Without a limit it never ends; each waits at most a minute.
    add(engine.transaction(), &[&item]).retry(Retry::forever()).commit().await.unwrap();
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(engine.state("A/1"), State::Retrying);
    assert_eq!(southbound.calls().len(), 15);
    // What cannot be cured is not tried again.
    southbound.heal();
    southbound.fault(Action::Create, "A/2", [Fault::Fail(no().permanent())]);
    add(engine.transaction(), &[&Item::new("A", "2")]).retry(retry).commit().await.unwrap();
    assert_eq!(engine.state("A/2"), State::Failed);
}

/// L9: one call that hangs holds up nobody.
#[tokio::test(start_paused = true)]
async fn core_22_hung_callback() {
    let (southbound, engine) = start().await;
    southbound.fault(Action::Create, "A/7", [Fault::HangAfter]);
    let items: Vec<Item> = (0..100).map(|n| Item::new("A", n.to_string())).collect();
    let waiting = {
        let (engine, items) = (engine.clone(), items.clone());
        tokio::spawn(async move {
            let items: Vec<&Item> = items.iter().collect();
            add(engine.transaction(), &items).retry(Retry::default()).commit().await.unwrap()
        })
    };
    // Long before the deadline the others are there, and other transactions and readers are not held up.
    tokio::time::sleep(Duration::from_millis(10)).await;
    let configured = engine.statuses("A/").iter().filter(|status| status.state == State::Configured).count();
    assert_eq!(configured, 99);
    assert!(engine.set(&[&Item::new("B", "1")]).await.is_applied());
    assert!(!waiting.is_finished());
    let report = waiting.await.unwrap();
    let failures: Vec<String> = report
        .items
        .iter()
        .filter_map(|item| item.failure.as_ref())
        .map(|(of, why)| format!("{of}: {why}"))
        .collect();
    assert_eq!(failures, ["A/7: timed out: no outcome within 10s"]);
    assert_eq!(engine.state("A/7"), State::Retrying);
    // It had taken effect all the same: looking tells, and it is not made twice.
    southbound.calls();
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(southbound.calls(), ["look A/7"]);
    assert_eq!(engine.state("A/7"), State::Configured);
    // A panic is a failure of its item.
    southbound.fault(Action::Create, "C/1", [Fault::Panic]);
    let report = engine.set(&[&Item::new("C", "1"), &Item::new("C", "2")]).await;
    assert_eq!(report.state(&key("C/2")), Some(State::Configured));
    assert!(report.items[0].failure.as_ref().unwrap().1.message.contains("as the script says"));
    // A hanging call does not hold up the end.
    southbound.fault(Action::Create, "C/3", [Fault::Hang]);
    let hanging = tokio::spawn({
        let engine = engine.clone();
        async move { add(engine.transaction(), &[&Item::new("C", "3")]).commit().await }
    });
    tokio::time::sleep(Duration::from_millis(1)).await;
    engine.stop().await;
    assert!(hanging.await.unwrap().is_err());
    assert_eq!(southbound.violations(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn core_23_invalid_values() {
    let (southbound, engine) = start().await;
    let bad = Item::new("A", "2").bad("vxlan.dst").bad("mtu");
    let items = [&Item::new("A", "1"), &bad, &Item::new("A", "3")];
    let report = add(engine.transaction(), &items).revert().commit().await.unwrap();
    assert_eq!((report.ending, southbound.calls().len()), (Ending::Rejected, 0));
    assert_eq!(report.errors, ["A/2: vxlan.dst: not allowed; mtu: not allowed"]);
    let report = engine.set(&items).await;
    assert_eq!(report.ending, Ending::Partly);
    assert_eq!(sorted(southbound.calls()), ["create A/1", "create A/3"]);
    let invalid = engine.status(&key("A/2")).unwrap().invalid.unwrap();
    let paths: Vec<&str> = invalid.fields.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, ["vxlan.dst", "mtu"]);
    engine.set(&[&Item::new("A", "2")]).await;
    assert_eq!(engine.state("A/2"), State::Configured);
    // A bad change of a good value: what is there stays, and goes when it is not wanted any more.
    engine.set(&[&bad]).await;
    assert_eq!((engine.state("A/2"), southbound.calls().len()), (State::Invalid, 1));
    engine.unset(&["A/2"]).await;
    assert_eq!(southbound.calls(), ["delete A/2"]);
}

/// L15: a failed observation is never acted on.
#[tokio::test(start_paused = true)]
async fn core_25_failing_dump() {
    let (southbound, engine) = start().await;
    engine
        .set(&[&Item::new("A", "1"), &Item::new("A", "2"), &Item::new("B", "1"), &Item::new("B", "2")])
        .await;
    southbound.remove("A/1");
    southbound.remove("B/1");
    southbound.fail_dumps("B", 1);
    southbound.calls();
    let wanted = [&Item::new("A", "1"), &Item::new("B", "1"), &Item::new("A", "3")];
    let report = add(engine.transaction(), &wanted).resync(Resync::Full).commit().await.unwrap();
    assert_eq!(report.errors, ["B: cannot be observed: no dump of B"]);
    assert_eq!(report.ending, Ending::Partly);
    assert_eq!(sorted(southbound.calls()), ["create A/1", "create A/3", "delete A/2", "delete B/2"]);
    assert_eq!(engine.state("B/1"), State::Configured, "as known before");
    // It is observed again by itself, and then what is missing is made.
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(southbound.calls(), ["create B/1"]);
    // At the start: what has never been observed is not touched.
    let (southbound, _) = start().await;
    southbound.put(Item::new("B", "1"));
    southbound.fail_dumps("B", 1);
    let engine = crate::start_on(&southbound, vpp_agent_engine::Settings::default()).await;
    engine.set(&[&Item::new("B", "1"), &Item::new("A", "1")]).await;
    assert_eq!(southbound.calls(), ["create A/1"]);
    assert_eq!(engine.pending("B/1"), "B cannot be observed: no dump of B");
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!((engine.state("B/1"), southbound.calls().len()), (State::Configured, 0));
}

/// L13, L33: pending is no success unless accepted, and what waits is told at once when it ends.
#[tokio::test(start_paused = true)]
async fn core_26_atomic_with_pending() {
    let (southbound, engine) = start().await;
    let items = [&Item::new("A", "1"), &Item::new("B", "1").needs(need("A/2"))];
    let commit = |policy| add(engine.transaction(), &items).on_pending(policy).commit();
    let report = commit(OnPending::Fail).await.unwrap();
    assert_eq!(report.ending, Ending::Rejected);
    assert_eq!(report.errors, ["B/1: would be pending: needs A/2, which nobody wants"]);
    assert_eq!(southbound.calls(), [""; 0]);
    // It comes too late: all is taken back.
    let report = commit(OnPending::Wait(Duration::from_secs(1))).await.unwrap();
    assert_eq!(report.ending, Ending::Reverted);
    assert_eq!(report.errors, ["B/1: still pending: needs A/2, which nobody wants"]);
    assert_eq!(southbound.keys(), [""; 0]);
    // It comes in time.
    let (waiting, _) = tokio::join!(commit(OnPending::Wait(Duration::from_secs(1))), async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        engine.set(&[&Item::new("A", "2")]).await;
    });
    assert_eq!(waiting.unwrap().ending, Ending::Applied);
    engine.unset(&["A/1", "A/2", "B/1"]).await;
    assert_eq!(commit(OnPending::Accept).await.unwrap().ending, Ending::Applied);
    assert_eq!(engine.state("B/1"), State::Pending);
}

#[tokio::test(start_paused = true)]
async fn core_30_cancelled_client() {
    let (southbound, engine) = start().await;
    southbound.set_latency(Duration::from_millis(50));
    let items: Vec<Item> = (0..10).map(|n| Item::new("A", n.to_string())).collect();
    {
        let items: Vec<&Item> = items.iter().collect();
        let commit = add(engine.transaction(), &items).commit();
        // The client goes away in the middle.
        assert!(tokio::time::timeout(Duration::from_millis(10), commit).await.is_err());
    }
    rest(&engine).await;
    assert_eq!(southbound.keys().len(), 10);
    // The engine goes away: what is there stays.
    engine.stop().await;
    drop(engine);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(southbound.keys().len(), 10);
}

#[tokio::test(start_paused = true)]
async fn one_failing_item_costs_no_dump() {
    let (southbound, engine) = start().await;
    southbound.log();
    southbound.fault(Action::Create, "A/1", [Fault::Fail(no())]);
    engine.transaction().set::<A>(Item::new("A", "1")).commit().await.unwrap();
    assert_eq!(southbound.log().len(), 1, "L7: a failed key costs a full dump of its descriptor");
}
