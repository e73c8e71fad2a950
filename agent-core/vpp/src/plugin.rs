//! The plugin: keeps the connections, and opens and closes kinds with them.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::{Arc, Mutex, PoisonError};

use vpp_agent_engine::Engine;
use vpp_agent_kernel::{Context, Health, HealthState, Plugin, PluginError, Provided};
use vpp_conn::{Attempts, Connection, State};

use crate::metrics::Numbers;
use crate::{Vpp, VppConfig};

/// The VPPs of an agent, each with one connection that all plugins share and that is kept while VPP comes and goes.
///
/// An agent starts whether or not VPP runs. Until it does, and whenever it does not, the plugin is *waiting*; and
/// *degraded* where VPP lacks messages of some kind of item. In an agent with an [`Engine`] descriptors are registered by
/// [`Vpp::register`].
#[derive(Debug)]
pub struct VppConnection {
    vpps: Vec<Vpp>,
}

/// The configuration has no such VPP.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnknownVpp {
    /// Several are configured, and it was not said which one is meant.
    #[error("vpp.instances has several VPPs ({}), and the agent works with one", .0.join(", "))]
    Several(Vec<String>),
    /// None of the name.
    #[error("vpp.instances has no `{name}`; there are {}", .known.join(", "))]
    Name {
        /// What was asked for.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
}

impl VppConnection {
    /// The VPP, in an agent that works with one.
    ///
    /// # Errors
    ///
    /// When several are configured.
    pub fn vpp(&self) -> Result<Vpp, UnknownVpp> {
        match self.vpps.as_slice() {
            [only] => Ok(only.clone()),
            _ => Err(UnknownVpp::Several(self.names())),
        }
    }

    /// The VPP of a name in `vpp.instances`.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn named(&self, name: &str) -> Result<Vpp, UnknownVpp> {
        let found = self.vpps.iter().find(|vpp| vpp.name() == name).cloned();
        found.ok_or_else(|| UnknownVpp::Name { name: name.to_owned(), known: self.names() })
    }

    /// All VPPs, by the order of their names.
    #[must_use]
    pub fn all(&self) -> &[Vpp] {
        &self.vpps
    }

    fn names(&self) -> Vec<String> {
        self.vpps.iter().map(|vpp| vpp.name().to_owned()).collect()
    }
}

impl Plugin for VppConnection {
    const NAME: &'static str = "vpp";
    type Config = VppConfig;
    type Needs = Option<Engine>;

    async fn start(config: VppConfig, engine: Provided<Self>, cx: &Context) -> Result<Self, PluginError> {
        let client = cx.agent();
        let vpps = config.endpoints()?.into_iter().map(|(name, endpoint)| {
            let builder = Connection::builder().name(client).transport(endpoint.transport.into());
            let supervisor = builder.supervise().start(endpoint.socket);
            Vpp::new(name, supervisor, engine.clone(), cx.clone())
        });
        let vpps: Vec<Vpp> = vpps.collect();
        cx.health().waiting("not connected yet");
        let numbers = Numbers::new(&vpps);
        cx.metrics(|registry| registry.register_collector(Box::new(numbers.clone())));
        // The engine does nothing before all have registered, and then opens together what may be opened.
        let condition = Condition::new(cx.health().clone(), &vpps);
        for vpp in &vpps {
            let keep = keep(vpp.clone(), Arc::clone(&condition), numbers.clone());
            cx.spawn_until_stop(format!("connection to {}", vpp.name()), keep);
        }
        Ok(Self { vpps })
    }

    async fn stop(&self, _: &Context) {
        for vpp in &self.vpps {
            vpp.end().await;
        }
    }
}

/// Opens and closes the kinds of a VPP as it comes and goes.
async fn keep(vpp: Vpp, condition: Arc<Condition>, numbers: Numbers) {
    let mut states = vpp.supervisor().watch();
    let (mut open, mut is_settled) = (0, true);
    loop {
        states.borrow_and_update();
        // As it is now: a connection that has ended meanwhile is none.
        match vpp.supervisor().state() {
            State::Connected(connected) if connected.generation != open => {
                vpp.close().await;
                open = connected.generation;
                numbers.connected(vpp.name(), &connected.connection);
                vpp.open(&connected.connection);
                is_settled = false;
                condition.tell(vpp.name(), HealthState::Waiting("observes what is there".to_owned()));
            }
            // Who is told that it is ready finds there what is wanted.
            State::Connected(_) if is_settled => condition.tell(vpp.name(), health(&vpp)),
            State::Connected(_) => {}
            State::Stopped => return,
            State::Reconnecting { loss, attempts } => {
                condition.tell(vpp.name(), away(&loss, &attempts));
                vpp.close().await;
            }
            State::Connecting(attempts) => {
                let what = format!("connecting to VPP at {}", vpp.path().display());
                condition.tell(vpp.name(), away(&what, &attempts));
            }
            // States that are yet to come are none with a connection.
            _ => vpp.close().await,
        }
        tokio::select! {
            changed = states.changed() => if changed.is_err() {
                return;
            },
            () = vpp.0.registered.notified() => {}
            () = vpp.settled(), if !is_settled => is_settled = true,
        }
    }
}

/// Why there is no connection: told anew when there is another reason, not at each attempt.
fn away(what: &dyn Display, attempts: &Attempts) -> HealthState {
    HealthState::Waiting(match &attempts.last_error {
        Some(error) => format!("{what}; {error}"),
        None => what.to_string(),
    })
}

/// How a VPP is that is there.
fn health(vpp: &Vpp) -> HealthState {
    let lacking = vpp.lacking();
    if lacking.is_empty() {
        return HealthState::Ready;
    }
    let lacking = lacking.iter().map(|(kind, why)| format!("{kind} is unimplemented: {why}"));
    HealthState::Degraded(lacking.collect::<Vec<_>>().join("; "))
}

/// How all VPPs are: as the worst of them.
struct Condition {
    health: Health,
    states: Mutex<BTreeMap<String, HealthState>>,
}

impl Condition {
    fn new(health: Health, vpps: &[Vpp]) -> Arc<Self> {
        let waiting =
            |vpp: &Vpp| (vpp.name().to_owned(), HealthState::Waiting("not connected yet".to_owned()));
        Arc::new(Self { health, states: Mutex::new(vpps.iter().map(waiting).collect()) })
    }

    fn tell(&self, vpp: &str, state: HealthState) {
        let mut states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        states.insert(vpp.to_owned(), state);
        if let Some(worst) = states.values().max() {
            self.health.set(worst.clone());
        }
    }
}
