//! Files as a source: read, watched, refused, planned.

mod bad;
mod follow;
mod kinds;
mod stores;

use std::cell::RefCell;
use std::path::Path;
use std::sync::Arc;

use vpp_agent_engine::file::FileSource;
use vpp_agent_engine::{Engine, Key, State};
use vpp_agent_kernel::{Agent, HealthState, Running, Settings};

use kinds::{Kinds, Router};

thread_local! {
    /// A plugin is made by the kernel: this is how a test gives it its southbound.
    static SOUTHBOUND: RefCell<Router> = RefCell::default();
}

pub(crate) fn southbound(router: &Router) {
    SOUTHBOUND.set(router.clone());
}

pub(crate) fn current() -> Router {
    SOUTHBOUND.with_borrow(Clone::clone)
}

/// An agent that follows a path, and the dataplane that it configures.
pub(crate) struct Follower {
    pub(crate) router: Router,
    pub(crate) agent: Running,
    pub(crate) engine: Arc<Engine>,
}

impl Follower {
    pub(crate) async fn start(path: &Path, more: &str) -> Self {
        Self::on(Router::new(), path, more).await
    }

    pub(crate) async fn on(router: Router, path: &Path, more: &str) -> Self {
        let settings = format!("[file]\npath = '{}'\n{more}", path.display());
        southbound(&router);
        let agent = Agent::builder("test").plugin::<Engine>().plugin::<Kinds>().plugin::<FileSource>();
        let agent = agent.start(Settings::toml(settings)).await.unwrap_or_else(|error| panic!("{error}"));
        let engine = agent.plugin::<Engine>().expect("listed");
        Self { router, agent, engine }
    }

    /// Waits until the plugin's health is as it should be.
    pub(crate) async fn health(&self, is: impl Fn(&HealthState) -> bool) -> HealthState {
        let mut health = self.agent.health();
        let state = |health: &vpp_agent_kernel::AgentHealth| health.of("file").expect("listed").clone();
        let now = health.wait_for(|health| is(&state(health))).await.expect("the agent runs");
        state(&now)
    }

    pub(crate) async fn ready(&self) {
        self.health(|state| *state == HealthState::Ready).await;
    }

    /// Waits until just these items are configured.
    pub(crate) async fn configured(&self, keys: &[&str]) {
        configured(&self.engine, keys).await;
    }
}

pub(crate) async fn configured(engine: &Engine, keys: &[&str]) {
    // Before the first look: what changes meanwhile is told.
    let mut changes = engine.watch("", 10_000);
    let mut wanted: Vec<String> = keys.iter().map(ToString::to_string).collect();
    wanted.sort();
    loop {
        let mut there = engine.statuses("");
        there.retain(|status| status.state == State::Configured);
        if there.iter().map(|status| status.key.as_str()).eq(&wanted) {
            return;
        }
        changes.next().await.expect("the engine runs");
    }
}

pub(crate) fn key(text: &str) -> Key {
    Key::parse(text).expect("a key")
}
