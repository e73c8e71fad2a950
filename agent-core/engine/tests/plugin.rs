//! The engine as a plugin: with others that register kinds, its health and its metrics.

use std::sync::Arc;
use std::time::Duration;

use vpp_agent_engine::{Access, Action, Engine, Failure, Retry, State};
use vpp_agent_kernel::{Agent, Context, HealthState, Plugin, PluginError, Settings};
use vpp_agent_testkit::{A, B, Call, Fault, Item, Southbound};

/// Registers a kind, and is slow about it.
struct Kinds;

thread_local! {
    static SOUTHBOUND: Southbound = Southbound::new();
}

fn southbound() -> Southbound {
    SOUTHBOUND.with(Clone::clone)
}

impl Plugin for Kinds {
    const NAME: &'static str = "kinds";
    type Config = ();
    type Needs = Engine;

    async fn start(_: (), engine: Arc<Engine>, _: &Context) -> Result<Self, PluginError> {
        let (a, b, ..) = southbound().kinds();
        engine.register(a);
        tokio::time::sleep(Duration::from_secs(5)).await;
        engine.register(b);
        Ok(Self)
    }
}

fn health(agent: &vpp_agent_kernel::Running) -> HealthState {
    let health = agent.health();
    let now = health.borrow();
    now.plugins.iter().find(|plugin| plugin.plugin == "engine").expect("listed").state.clone()
}

#[tokio::test(start_paused = true)]
async fn kinds_of_all_plugins_are_observed_together_and_health_follows() {
    let southbound = southbound();
    let agent = Agent::builder("test").plugin::<Engine>().plugin::<Kinds>();
    let agent =
        agent.start(Settings::toml("[engine]\ndrift = 'report'\ncheck-every = 60")).await.expect("starts");
    let engine = agent.plugin::<Engine>().expect("listed");
    let mut states = agent.health();
    states.wait_for(|health| health.is_ready()).await.expect("the agent is there");
    assert_eq!(southbound.log(), [Call::Observe("A".into()), Call::Observe("B".into())]);

    southbound.fault(Action::Create, "A/1", [Fault::Fail(Failure::new("no"))]);
    let wanted = engine.transaction().set::<A>(Item::new("A", "1")).set::<B>(Item::new("B", "1"));
    let report = wanted.retry(Retry::default()).commit().await.expect("the engine runs");
    assert_eq!(report.items.len(), 2);
    tokio::task::yield_now().await;
    let why = "1 item failed and will be tried again";
    assert_eq!(health(&agent), HealthState::Degraded(why.to_owned()));
    states
        .wait_for(|health| health.plugins.iter().all(|plugin| plugin.state == HealthState::Ready))
        .await
        .unwrap();
    assert_eq!(engine.summary().items(State::Configured), 2);

    engine.set_access([("B", Access::Unimplemented("no such messages".into()))]);
    states
        .wait_for(|health| {
            health.plugins.iter().any(|plugin| matches!(plugin.state, HealthState::Degraded(_)))
        })
        .await
        .unwrap();

    let text = agent.metrics_text();
    for line in [
        "engine_operations_total{kind=\"A\",action=\"create\",result=\"failed\"} 1",
        "engine_operations_total{kind=\"A\",action=\"create\",result=\"done\"} 1",
        "engine_items{state=\"configured\"} 1",
        "engine_items{state=\"unimplemented\"} 1",
        "engine_transactions_total{ending=\"partly\"} 1",
        "engine_operations_open 0",
    ] {
        assert!(text.contains(line), "{line} in\n{text}");
    }
    agent.stop().await.expect("stops");
}

#[tokio::test(start_paused = true)]
async fn drift_is_looked_for_as_often_as_configured() {
    let southbound = southbound();
    let agent = Agent::builder("test").plugin::<Engine>().plugin::<Kinds>();
    let agent = agent.start(Settings::toml("[engine]\ncheck-every = 60")).await.expect("starts");
    let engine = agent.plugin::<Engine>().expect("listed");
    engine.transaction().set::<A>(Item::new("A", "1")).commit().await.expect("the engine runs");
    southbound.remove("A/1");
    let mut watch = engine.watch("A/1", 10);
    while southbound.content().is_empty() {
        watch.next().await;
    }
    assert!(agent.metrics_text().contains("engine_drifts_total 1"), "{}", agent.metrics_text());
    agent.stop().await.expect("stops");
}
