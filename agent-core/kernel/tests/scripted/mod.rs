//! Plugins that do what their configuration says, and write down what was done.
#![allow(dead_code, reason = "each test uses its part")]

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use tokio::sync::Barrier;
use vpp_agent_kernel::{Agent, Builder, Context, Needs, Plugin, PluginError, Provided};

/// What was done, by test.
static LOGS: Mutex<BTreeMap<String, Vec<String>>> = Mutex::new(BTreeMap::new());
/// Where two plugins of a test meet.
static BARRIERS: Mutex<BTreeMap<String, Arc<Barrier>>> = Mutex::new(BTreeMap::new());

/// Writes down what was done.
pub(crate) fn note(log: &str, what: impl Into<String>) {
    let mut logs = LOGS.lock().unwrap_or_else(PoisonError::into_inner);
    logs.entry(log.to_owned()).or_default().push(what.into());
}

/// What was done so far.
pub(crate) fn log(of: &str) -> Vec<String> {
    LOGS.lock().unwrap_or_else(PoisonError::into_inner).get(of).cloned().unwrap_or_default()
}

/// The place of an entry in a log.
pub(crate) fn place(log: &[String], entry: &str) -> usize {
    log.iter().position(|other| other == entry).unwrap_or_else(|| panic!("no `{entry}` in {log:?}"))
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Act {
    #[default]
    Fine,
    Fail,
    Panic,
    /// Never ends; says when it is dropped.
    Hang,
    /// Ends when two are there.
    Meet,
    /// Waits for its shutdown, and a second longer.
    Orderly,
    GiveUp,
}

#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Script {
    log: String,
    start: Act,
    ready: Act,
    stop: Act,
    task: Act,
}

struct Dropped(String, &'static str);

impl Drop for Dropped {
    fn drop(&mut self) {
        note(&self.0, format!("{} dropped", self.1));
    }
}

impl Act {
    async fn play(self, log: &str, cx: &Context) -> Result<(), PluginError> {
        match self {
            Self::Fine => {}
            Self::Fail => return Err("as the script says".into()),
            Self::Panic => panic!("a scripted panic"),
            Self::Hang => {
                let _dropped = Dropped(log.to_owned(), cx.plugin());
                std::future::pending().await
            }
            Self::Meet => {
                let barrier = {
                    let mut barriers = BARRIERS.lock().unwrap_or_else(PoisonError::into_inner);
                    Arc::clone(barriers.entry(log.to_owned()).or_insert_with(|| Arc::new(Barrier::new(2))))
                };
                barrier.wait().await;
            }
            Self::Orderly => {
                cx.shutdown().cancelled().await;
                tokio::time::sleep(Duration::from_secs(1)).await;
                note(log, format!("{} task ended", cx.plugin()));
            }
            Self::GiveUp => cx.give_up("enough"),
        }
        Ok(())
    }
}

/// A scripted plugin with a name of one letter.
pub(crate) struct Scripted<const LETTER: char, N: Needs = ()> {
    script: Script,
    needs: PhantomData<fn() -> N>,
}

impl<const LETTER: char, N: Needs> Plugin for Scripted<LETTER, N> {
    const NAME: &'static str = match LETTER {
        'a' => "a",
        'b' => "b",
        'c' => "c",
        'd' => "d",
        _ => "other",
    };
    type Config = Script;
    type Needs = N;

    async fn start(script: Script, _: Provided<Self>, cx: &Context) -> Result<Self, PluginError> {
        note(&script.log, format!("{} starts", Self::NAME));
        if script.task != Act::Fine {
            let (script, context) = (script.clone(), cx.clone());
            cx.spawn("scripted", async move {
                script.task.play(&script.log, &context).await.expect("a task returns nothing");
            });
        }
        script.start.play(&script.log, cx).await?;
        note(&script.log, format!("{} started", Self::NAME));
        Ok(Self { script, needs: PhantomData })
    }

    async fn ready(&self, cx: &Context) -> Result<(), PluginError> {
        note(&self.script.log, format!("{} ready", Self::NAME));
        self.script.ready.play(&self.script.log, cx).await
    }

    async fn stop(&self, cx: &Context) {
        note(&self.script.log, format!("{} stops", Self::NAME));
        let _ = self.script.stop.play(&self.script.log, cx).await;
        note(&self.script.log, format!("{} stopped", Self::NAME));
    }
}

pub(crate) type A = Scripted<'a'>;
pub(crate) type B = Scripted<'b', A>;
pub(crate) type C = Scripted<'c', (A, Option<B>)>;
pub(crate) type D = Scripted<'d'>;

/// An agent of all four.
pub(crate) fn abcd() -> Builder {
    // Listed the wrong way around: the order is that of the needs.
    Agent::builder("scripted").plugin::<D>().plugin::<C>().plugin::<B>().plugin::<A>()
}

/// A script for them.
pub(crate) fn script(log: &str, rest: &str) -> vpp_agent_kernel::Settings {
    let settings = vpp_agent_kernel::Settings::toml(rest);
    ["a", "b", "c", "d"].iter().fold(settings, |settings, name| settings.set(format!("{name}.log={log}")))
}
