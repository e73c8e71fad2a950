//! Smoke.
#![allow(missing_docs)]
use vpp_agent_engine::{Engine, Settings, State, Key};
use vpp_agent_testkit::*;

#[tokio::test(start_paused = true)]
async fn one_after_the_other() {
    let southbound = Southbound::new();
    let engine = Engine::start(Settings::default());
    southbound.register_all(&engine);
    let report = engine.transaction().set::<B>(Item::new("B", "r").needs(need("A/loop"))).commit().await.unwrap();
    println!("{report}");
    assert_eq!(engine.status(&Key::new("B", "r")).unwrap().state, State::Pending);
    let plan = engine.transaction().set::<A>(Item::new("A", "loop").with(&["x", "y"])).plan();
    println!("{plan}\n{}", plan.dot());
    let report = engine.transaction().set::<A>(Item::new("A", "loop").with(&["x", "y"])).commit().await.unwrap();
    println!("{report}");
    println!("{:?}", southbound.calls());
    let report = engine.transaction().delete(Key::new("A", "loop")).commit().await.unwrap();
    println!("{report}");
    println!("{:?} {:?}", southbound.calls(), engine.statuses(""));
    assert!(southbound.violations().is_empty());
}
