//! Probes and metrics over HTTP.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

use crate::{AgentHealth, Context, Plugin, PluginError, Provided};

/// Answers probes over HTTP. It needs no other plugin and so answers while the others start and stop.
///
/// | Path | 200 | 503 |
/// |---|---|---|
/// | `/livez` | no plugin has failed for good | one has: start the agent anew |
/// | `/readyz` | every plugin does its work | one starts, waits, stops or has failed |
/// | `/metrics` | all metrics in the OpenMetrics text format | |
///
/// The body of the first two has a line for each plugin, with its reason.
pub struct Probes {
    address: SocketAddr,
}

/// Section `probes`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ProbesConfig {
    /// The address and port to listen at; port 0 takes a free one.
    #[schemars(with = "String")]
    pub listen: SocketAddr,
}

impl Default for ProbesConfig {
    fn default() -> Self {
        Self { listen: (Ipv4Addr::UNSPECIFIED, 9191).into() }
    }
}

impl Probes {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Plugin for Probes {
    const NAME: &'static str = "probes";
    type Config = ProbesConfig;
    type Needs = ();

    async fn start(config: ProbesConfig, (): Provided<Self>, cx: &Context) -> Result<Self, PluginError> {
        let fail = |error: io::Error| format!("cannot listen at {} (probes.listen): {error}", config.listen);
        let listener = TcpListener::bind(config.listen).await.map_err(fail)?;
        let address = listener.local_addr()?;
        let (served, health) = (router(cx), cx.health().clone());
        // Dropped at the end, so that whoever keeps a connection open does not hold it up.
        cx.spawn_until_stop("http", async move {
            if let Err(error) = axum::serve(listener, served).await {
                health.failed(error);
            }
        });
        Ok(Self { address })
    }
}

fn router(cx: &Context) -> Router {
    let probe = |holds: fn(&AgentHealth) -> bool| {
        let health = cx.agent_health();
        get(async move || {
            let health = health.borrow().clone();
            let status = if holds(&health) { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
            (status, health.to_string())
        })
    };
    let metrics = cx.clone();
    let metrics = async move || {
        let kind = [(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")];
        (kind, metrics.metrics_text()).into_response()
    };
    Router::new()
        .route("/livez", probe(AgentHealth::is_live))
        .route("/readyz", probe(AgentHealth::is_ready))
        .route("/metrics", get(metrics))
}
