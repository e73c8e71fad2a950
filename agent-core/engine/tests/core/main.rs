//! The scenarios CORE-01 to CORE-34, as far as the engine alone shows them, on the mock southbound and in made-up time.
//!
//! Each test has its scenario's name. Scenarios that need a transport, a real VPP or a CNI are with those.

mod faults;
mod graph;
mod kept;
mod life;
mod random;
mod sources;

use std::time::Duration;

use vpp_agent_engine::{Engine, Key, Report, Settings, State};
use vpp_agent_testkit::{A, B, C, Dd, Item, Southbound};

pub(crate) fn key(text: &str) -> Key {
    Key::parse(text).expect("a key")
}

/// A southbound and an engine that has observed it.
pub(crate) async fn start() -> (Southbound, Engine) {
    let southbound = Southbound::new();
    let engine = start_on(&southbound, Settings::default()).await;
    (southbound, engine)
}

pub(crate) async fn start_on(southbound: &Southbound, settings: Settings) -> Engine {
    let engine = Engine::start(settings);
    southbound.register_all(&engine);
    rest(&engine).await;
    engine
}

/// Waits until nothing runs. Time is made up, so this takes none.
pub(crate) async fn rest(engine: &Engine) {
    // What was sent to the engine is taken before it answers this.
    engine.set_priority("nobody", 0);
    for _ in 0..3 {
        tokio::task::yield_now().await;
    }
    let begun = engine.now();
    while !engine.is_at_rest() {
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(engine.now() - begun < Duration::from_secs(300), "never at rest: {:#?}", engine.statuses(""));
    }
}

pub(crate) trait Shorthand {
    /// Sets items of any of the kinds in one transaction.
    async fn set(&self, items: &[&Item]) -> Report;
    async fn unset(&self, keys: &[&str]) -> Report;
    fn state(&self, key: &str) -> State;
    fn pending(&self, key: &str) -> String;
}

pub(crate) fn add<'a>(
    transaction: vpp_agent_engine::Transaction<'a>,
    items: &[&Item],
) -> vpp_agent_engine::Transaction<'a> {
    items.iter().fold(transaction, |transaction, item| {
        let item = (*item).clone();
        match item.kind.as_str() {
            "A" => transaction.set::<A>(item),
            "B" => transaction.set::<B>(item),
            "C" => transaction.set::<C>(item),
            _ => transaction.set::<Dd>(item),
        }
    })
}

impl Shorthand for Engine {
    async fn set(&self, items: &[&Item]) -> Report {
        add(self.transaction(), items).commit().await.expect("the engine runs")
    }

    async fn unset(&self, keys: &[&str]) -> Report {
        keys.iter()
            .fold(self.transaction(), |all, of| all.delete_key(key(of)))
            .commit()
            .await
            .expect("the engine runs")
    }

    fn state(&self, of: &str) -> State {
        self.status(&key(of)).map_or(State::Nonexistent, |status| status.state)
    }

    fn pending(&self, of: &str) -> String {
        self.status(&key(of)).map_or_else(String::new, |status| status.pending.join("; "))
    }
}

/// Whether `first` comes before `then` in the calls.
pub(crate) fn before(calls: &[String], first: &str, then: &str) -> bool {
    let at = |call: &str| {
        calls.iter().position(|of| of == call).unwrap_or_else(|| panic!("no {call} in {calls:?}"))
    };
    at(first) < at(then)
}

pub(crate) fn sorted(mut calls: Vec<String>) -> Vec<String> {
    calls.sort();
    calls
}
