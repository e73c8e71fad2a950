//! Desired state that lives elsewhere and is watched: a file, a database, another process.

use std::collections::HashSet;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use vpp_agent_kernel::HealthState;

use crate::transaction::Ending;
use crate::{AnyValue, Ended, Engine, Key, Report, Resync, Retry};

/// At most so many errors of one update are logged; health tells how many there are.
const MOST_TOLD: usize = 20;

/// What a store says.
#[derive(Clone, Debug)]
pub enum Update {
    /// All that is wanted: what it does not name is not wanted any more.
    All(Vec<(Key, AnyValue)>),
    /// Changes of what was said before; without a value the item is not wanted any more.
    Changes(Vec<(Key, Option<AnyValue>)>),
    /// What is there cannot be read, and all that is wrong with it: what was wanted before stays wanted until it can.
    Bad(Vec<String>),
}

/// A store cannot be asked. It is asked again after a while.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct StoreError {
    /// What was attempted, and why it failed.
    pub message: String,
    /// What it came from.
    #[source]
    pub source: Option<Box<dyn Error + Send + Sync>>,
}

impl StoreError {
    /// An error that says all itself.
    pub fn new(message: impl fmt::Display) -> Self {
        Self { message: message.to_string(), source: None }
    }
}

/// Desired state that lives elsewhere. [`Engine::follow`] makes a source of it.
///
/// Values are of their kinds' types ([`Engine::read`] makes them of documents), or JSON (`AnyValue::new(json)`), which gets
/// its type when its kind's descriptor is known.
pub trait Store: Send {
    /// Waits for news. The first one is [`Update::All`] or [`Update::Bad`], and so is the first one after an error.
    ///
    /// Dropping the future loses nothing.
    fn next(&mut self) -> impl Future<Output = Result<Update, StoreError>> + Send;
}

/// How what a store says is applied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Apply {
    /// As much as possible. What fails is tried again for ever, at most a minute apart.
    #[default]
    BestEffort,
    /// All of an update or nothing. One that fails is taken back, and tried again as a whole. While the southbound of
    /// anything in it is away it waits.
    AllOrNothing,
}

impl Engine {
    /// Makes a store a source: what it says is wanted, from now on until the engine ends or the future is dropped. What
    /// was wanted stays wanted then.
    ///
    /// `tell` gets how the following goes, whenever that may have changed: waiting until the store has said for the first
    /// time what is wanted, degraded while what is wanted is not what the store has now. How items are is the engine's
    /// to tell.
    pub async fn follow<S: Store>(
        &self,
        source: impl Into<String>,
        mut store: S,
        apply: Apply,
        mut tell: impl FnMut(HealthState) + Send,
    ) -> Ended {
        let source = source.into();
        let mut follower = Follower { engine: self, source: &source, apply, known: false, open: None };
        let mut errors = 0;
        loop {
            let again = async {
                match &follower.open {
                    Some(open) if open.is_held_up => self.until_open(&source, open).await,
                    Some(open) => tokio::time::sleep_until(open.next_try).await,
                    None => std::future::pending().await,
                }
            };
            let told = tokio::select! {
                update = store.next() => match update {
                    Ok(update) => {
                        errors = 0;
                        follower.take(update).await
                    }
                    Err(error) => {
                        tracing::warn!(source, "{error}");
                        tell(follower.trouble(error.message));
                        tokio::time::sleep(delay(errors)).await;
                        errors += 1;
                        continue;
                    }
                },
                () = again => follower.commit().await,
            };
            match told {
                Ok(state) => tell(state),
                Err(ended) => return ended,
            }
        }
    }
}

impl Engine {
    /// Why an update cannot be applied whole: southbounds that are away.
    fn away(&self, source: &str, open: &Open) -> Option<String> {
        let changes = open.changes.iter().map(|(key, value)| (key, value.as_ref()));
        let (kind, why) = self.closed_to(source, open.whole, changes).pop_first()?;
        Some(format!("{kind}: {why}"))
    }

    /// Waits until no southbound of an update is away, or the engine has ended.
    async fn until_open(&self, source: &str, open: &Open) {
        let mut summaries = self.summaries();
        while self.away(source, open).is_some() {
            // A kind that turns out to be unimplemented is no news of a summary.
            let news = tokio::time::timeout(Duration::from_secs(1), summaries.changed()).await;
            if matches!(news, Ok(Err(_))) {
                return;
            }
        }
    }
}

fn delay(failures: u32) -> Duration {
    let retry = Retry::forever();
    retry.delay(failures + 1).unwrap_or(retry.longest)
}

struct Follower<'a> {
    engine: &'a Engine,
    source: &'a str,
    apply: Apply,
    /// The store has said what is wanted, and it was applied.
    known: bool,
    /// What is not applied.
    open: Option<Open>,
}

struct Open {
    changes: Vec<(Key, Option<AnyValue>)>,
    whole: bool,
    failures: u32,
    next_try: Instant,
    /// A southbound is away, and nothing is tried before it is back.
    is_held_up: bool,
}

impl Follower<'_> {
    fn trouble(&self, why: String) -> HealthState {
        if self.known { HealthState::Degraded(why) } else { HealthState::Waiting(why) }
    }

    async fn take(&mut self, update: Update) -> Result<HealthState, Ended> {
        let (changes, whole) = match update {
            Update::All(items) => {
                (items.into_iter().map(|(key, value)| (key, Some(value))).collect::<Vec<_>>(), true)
            }
            Update::Changes(changes) => (changes, false),
            Update::Bad(errors) => {
                tracing::warn!(source = self.source, "what was wanted before stays wanted");
                for error in errors.iter().take(MOST_TOLD) {
                    tracing::warn!(source = self.source, "{error}");
                }
                return Ok(self.trouble(summary(&errors)));
            }
        };
        match &mut self.open {
            // What was not applied before is not forgotten; of one item the last change counts.
            Some(open) if !whole => {
                let newer: HashSet<&Key> = changes.iter().map(|(key, _)| key).collect();
                open.changes.retain(|(key, _)| !newer.contains(key));
                open.changes.extend(changes);
                open.failures = 0;
            }
            open => {
                let next_try = Instant::now();
                *open = Some(Open { changes, whole, failures: 0, next_try, is_held_up: false });
            }
        }
        self.commit().await
    }

    async fn commit(&mut self) -> Result<HealthState, Ended> {
        let Some(open) = &mut self.open else { return Ok(HealthState::Ready) };
        if self.apply == Apply::AllOrNothing {
            let why = self.engine.away(self.source, open);
            open.is_held_up = why.is_some();
            if let Some(why) = why {
                return Ok(self.trouble(format!("not applied yet: {why}")));
            }
        }
        let changes = match self.apply {
            Apply::BestEffort => std::mem::take(&mut open.changes),
            // It may come to nothing.
            Apply::AllOrNothing => open.changes.clone(),
        };
        let transaction = self.engine.transaction().source(self.source).set_values(changes);
        let transaction = if open.whole { transaction.resync(Resync::Desired) } else { transaction };
        let report = match self.apply {
            Apply::BestEffort => transaction.retry(Retry::forever()),
            Apply::AllOrNothing => transaction.revert(),
        };
        let report = report.commit().await?;
        log(self.source, &report);
        Ok(match report.ending {
            Ending::Applied | Ending::Partly => {
                self.open = None;
                self.known = true;
                HealthState::Ready
            }
            Ending::Reverted | Ending::Rejected => {
                open.next_try = Instant::now() + delay(open.failures);
                open.failures += 1;
                let failures = report.items.iter().filter_map(|item| item.failure.as_ref());
                let mut why =
                    report.errors.iter().cloned().chain(failures.map(|(key, why)| format!("{key}: {why}")));
                let why = why.next().unwrap_or_default();
                self.trouble(format!("not applied, since it cannot be applied whole: {why}"))
            }
        })
    }
}

fn log(source: &str, report: &Report) {
    if report.is_applied() {
        tracing::info!(source, "{}", report.to_string().trim_end());
    } else {
        tracing::warn!(source, "{}", report.to_string().trim_end());
    }
}

/// The first error, and how many more there are.
fn summary(errors: &[String]) -> String {
    let first = errors.first().cloned().unwrap_or_default();
    match errors.len() {
        0 | 1 => first,
        all => format!("{first} (and {} more)", all - 1),
    }
}
