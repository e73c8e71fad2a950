//! An agent of two plugins: one watches whether a peer can be reached, one stands on it. The book walks through it.

// ANCHOR: main
use std::process::ExitCode;

use agent_core::{Agent, Probes};

fn main() -> ExitCode {
    Agent::builder("uplink-agent")
        .version(env!("CARGO_PKG_VERSION"))
        .plugin::<Probes>()
        .plugin::<Uplink>()
        .plugin::<Announcer>()
        .main()
}
// ANCHOR_END: main

// ANCHOR: config
use std::net::SocketAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Section `uplink`.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct UplinkConfig {
    /// The peer's address and TCP port. It has no default: it has to be given.
    #[schemars(with = "String")]
    peer: SocketAddr,
    /// Seconds from one try to the next.
    #[serde(default = "default_interval")]
    interval: f64,
}

fn default_interval() -> f64 {
    5.0
}
// ANCHOR_END: config

// ANCHOR: plugin
use std::time::Duration;

use agent_core::prometheus_client::metrics::counter::Counter;
use agent_core::{Context, Plugin, PluginError, Provided};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

/// Watches whether the peer can be reached.
pub struct Uplink {
    is_up: watch::Receiver<bool>,
}

impl Uplink {
    /// Whether the peer could be reached at the last try, and a signal when that changes.
    pub fn is_up(&self) -> watch::Receiver<bool> {
        self.is_up.clone()
    }
}

impl Plugin for Uplink {
    const NAME: &'static str = "uplink";
    type Config = UplinkConfig;
    type Needs = ();

    async fn start(config: UplinkConfig, (): Provided<Self>, cx: &Context) -> Result<Self, PluginError> {
        let interval = Duration::try_from_secs_f64(config.interval)?;
        let tries = Counter::<u64>::default();
        cx.metrics(|registry| registry.register("tries", "Tries to reach the peer", tries.clone()));

        // The peer may be down for hours: the plugin has started, and is not ready until the peer is there.
        cx.health().waiting(format_args!("{} was not reached yet", config.peer));
        let (sender, is_up) = watch::channel(false);
        let health = cx.health().clone();
        cx.spawn_until_stop("watch", async move {
            loop {
                tries.inc();
                let reached = timeout(interval, TcpStream::connect(config.peer)).await;
                let is_up = matches!(reached, Ok(Ok(_)));
                match is_up {
                    true => health.ready(),
                    false => health.waiting(format_args!("{} cannot be reached", config.peer)),
                }
                sender.send_if_modified(|was| std::mem::replace(was, is_up) != is_up);
                sleep(interval).await;
            }
        });
        Ok(Self { is_up })
    }
}
// ANCHOR_END: plugin

// ANCHOR: needs
use std::sync::Arc;

/// Says when the uplink comes and goes.
pub struct Announcer;

impl Plugin for Announcer {
    const NAME: &'static str = "announcer";
    type Config = ();
    type Needs = Uplink;

    async fn start(_: (), uplink: Arc<Uplink>, cx: &Context) -> Result<Self, PluginError> {
        let mut is_up = uplink.is_up();
        cx.spawn_until_stop("announce", async move {
            while is_up.changed().await.is_ok() {
                agent_core::tracing::info!("the uplink is {}", if *is_up.borrow() { "up" } else { "down" });
            }
        });
        Ok(Self)
    }
}
// ANCHOR_END: needs

// ANCHOR: test
#[cfg(test)]
mod tests {
    use agent_core::Settings;
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn the_uplink_is_ready_when_its_peer_is_there() {
        let peer = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = peer.local_addr().expect("bound");
        let agent = Agent::builder("test").plugin::<Uplink>().plugin::<Announcer>();
        let running =
            agent.start(Settings::toml(format!("[uplink]\npeer = '{address}'"))).await.expect("starts");
        let mut health = running.health();
        health.wait_for(|health| health.is_ready()).await.expect("the agent is there");
        assert!(*running.plugin::<Uplink>().expect("listed").is_up().borrow());
        running.stop().await.expect("stops");
    }
}
// ANCHOR_END: test
