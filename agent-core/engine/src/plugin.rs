//! The engine as a plugin of an agent.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use vpp_agent_kernel::{Context, HealthState, Plugin, PluginError, Provided};

use crate::{Drift, Engine, Foreign, Settings, State, Summary};

/// Section `engine`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case")]
pub struct EngineConfig {
    /// What is done about items that nobody wants and that this agent did not make.
    pub foreign: Foreign,
    /// What is done about items that are not any more as they were made.
    pub drift: Drift,
    /// Seconds from one look for drift to the next; 0: only on demand.
    pub check_every: u64,
    /// How many calls of descriptors run at once, all kinds together.
    pub calls: usize,
    /// How many transactions may be under way; further ones wait.
    pub transactions: usize,
    /// Bytes of history; 0 for none.
    pub history_bytes: usize,
    /// Seconds for which history is kept.
    pub history_age: u64,
    /// Bytes of a record of what the engine is told, for a replay; 0 for none.
    pub record_bytes: usize,
    /// The file in which it is kept what this agent made, and what the sources of `keep` want; without one nothing
    /// outlives the agent. Of this agent alone.
    #[cfg(feature = "redb")]
    pub state: Option<std::path::PathBuf>,
    /// Sources that cannot say again after a restart what they want.
    pub keep: Vec<String>,
}

impl Default for EngineConfig {
    fn default() -> Self {
        let settings = Settings::default();
        Self {
            foreign: settings.foreign,
            drift: settings.drift,
            check_every: settings.check_every.map_or(0, |every| every.as_secs()),
            calls: settings.calls,
            transactions: settings.transactions,
            history_bytes: settings.history,
            history_age: settings.history_age.as_secs(),
            record_bytes: settings.record,
            #[cfg(feature = "redb")]
            state: None,
            keep: settings.keep,
        }
    }
}

impl EngineConfig {
    fn settings(&self) -> Settings {
        Settings {
            foreign: self.foreign,
            drift: self.drift,
            check_every: (self.check_every > 0).then(|| Duration::from_secs(self.check_every)),
            calls: self.calls,
            transactions: self.transactions,
            history: self.history_bytes,
            history_age: Duration::from_secs(self.history_age),
            record: self.record_bytes,
            keep: self.keep.clone(),
            ..Settings::default()
        }
    }
}

/// Plugins that need it register their kinds in `start`. Its work begins when every plugin has started, so that kinds of
/// different plugins are observed together.
impl Plugin for Engine {
    const NAME: &'static str = "engine";
    type Config = EngineConfig;
    type Needs = ();

    async fn start(config: EngineConfig, (): Provided<Self>, cx: &Context) -> Result<Self, PluginError> {
        #[cfg_attr(not(feature = "redb"), allow(unused_mut))]
        let mut engine = Self::held(config.settings());
        #[cfg(feature = "redb")]
        {
            engine.state = config.state.map(Into::into);
        }
        cx.metrics(|registry| engine.register_metrics(registry));
        cx.health().waiting("waits for the other plugins");
        let (health, mut summaries) = (cx.health().clone(), engine.summaries());
        cx.spawn_until_stop("health", async move {
            while summaries.changed().await.is_ok() {
                health.set(health_of(&summaries.borrow_and_update()));
            }
        });
        Ok(engine)
    }

    async fn ready(&self, _: &Context) -> Result<(), PluginError> {
        // Not before: a command needs no journal, and another process may have it.
        #[cfg(feature = "redb")]
        if let Some(path) = &self.state {
            self.begin_with(crate::RedbJournal::open(&**path)?);
        }
        self.begin();
        Ok(())
    }

    async fn stop(&self, _: &Context) {
        Self::stop(self).await;
    }
}

fn health_of(summary: &Summary) -> HealthState {
    if summary.observing {
        return HealthState::Waiting("observes what is there, and makes what is missing".to_owned());
    }
    let mut troubles: Vec<String> = summary
        .unobserved
        .iter()
        .map(|(kind, failure)| format!("{kind} cannot be observed: {failure}"))
        .collect();
    let states = [
        (State::Failed, "failed"),
        (State::Retrying, "failed and will be tried again"),
        (State::Invalid, "not valid"),
        (State::Unimplemented, "of a kind that cannot be made here"),
    ];
    let count = |(state, what): (State, &str)| match summary.items(state) {
        0 => None,
        1 => Some(format!("1 item is {what}").replace("is failed", "failed")),
        many => Some(format!("{many} items are {what}").replace("are failed", "failed")),
    };
    troubles.extend(states.into_iter().filter_map(count));
    if troubles.is_empty() { HealthState::Ready } else { HealthState::Degraded(troubles.join("; ")) }
}
