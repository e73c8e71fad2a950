//! A southbound that goes and comes back as another: what was numbered by the one means nothing to the next.
#![allow(clippy::unwrap_used)] // descriptors of a test

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use vpp_agent_engine::{
    Access, Batch, Descriptor, Engine, Failure, Family, Key, Needs, Observed, Outcomes, Registered, Settings,
    State,
};

/// Ports by name, with their numbers; and the numbers that carry a label.
#[derive(Default)]
struct Content {
    ports: BTreeMap<String, u32>,
    labels: Vec<u32>,
    created: Vec<String>,
}

#[derive(Clone)]
struct Southbound {
    content: Arc<Mutex<Content>>,
    /// A creation of a port takes one.
    permits: Arc<Semaphore>,
}

impl Southbound {
    fn new(ports: &[(&str, u32)], labels: &[u32]) -> Self {
        let southbound = Self { content: Arc::default(), permits: Arc::new(Semaphore::new(1000)) };
        southbound.become_another(ports, labels);
        southbound
    }

    fn become_another(&self, ports: &[(&str, u32)], labels: &[u32]) {
        let mut content = self.content.lock().unwrap();
        content.ports = ports.iter().map(|(name, number)| ((*name).to_owned(), *number)).collect();
        content.labels = labels.to_vec();
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Port {
    name: String,
}

struct Ports(Southbound);

impl Descriptor for Ports {
    type Value = Port;
    type Metadata = u32;
    const KIND: &'static str = "port";
    const CONCURRENCY: usize = 1;

    fn key(port: &Port) -> Key {
        Key::new(Self::KIND, &port.name)
    }
    async fn observe(&self) -> Result<Vec<Observed<Self>>, Failure> {
        // So that what comes after has every chance to be first.
        tokio::task::yield_now().await;
        let content = self.0.content.lock().unwrap();
        let port = |(name, number): (&String, &u32)| Observed::new(Port { name: name.clone() }, *number);
        Ok(content.ports.iter().map(port).collect())
    }
    async fn create(&self, batch: Batch<Self>) -> Outcomes<u32> {
        self.0.permits.acquire().await.unwrap().forget();
        let mut content = self.0.content.lock().unwrap();
        let number = content.ports.values().max().map_or(1, |last| last + 1);
        let name = batch[0].value().name.clone();
        content.created.push(name.clone());
        content.ports.insert(name, number);
        [Ok(number)].into_iter().collect()
    }
    async fn delete(&self, batch: Batch<Self>) -> Outcomes {
        batch
            .iter()
            .map(|entry| self.0.content.lock().unwrap().ports.remove(&entry.value().name))
            .map(|_| Ok(()))
            .collect()
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Label {
    port: String,
}

/// The ports come to be known behind its registration.
struct Labels(Southbound, Arc<OnceLock<Family<u32>>>);

impl Descriptor for Labels {
    type Value = Label;
    type Metadata = ();
    const KIND: &'static str = "label";

    fn key(label: &Label) -> Key {
        Key::new(Self::KIND, &label.port)
    }
    fn needs(&self, label: &Label) -> Needs {
        self.1.get().unwrap().needs(&label.port)
    }
    async fn observe(&self) -> Result<Vec<Observed<Self>>, Failure> {
        let ports = self.1.get().unwrap();
        let labels = self.0.content.lock().unwrap().labels.clone();
        let named = labels.iter().filter_map(|number| ports.name(number));
        Ok(named.map(|port| Observed::new(Label { port }, ())).collect())
    }
    async fn create(&self, batch: Batch<Self>) -> Outcomes {
        let label = |label: &Label| {
            let number = self.1.get().unwrap().get(&label.port)?;
            self.0.content.lock().unwrap().labels.push(number);
            Ok(())
        };
        batch.iter().map(|entry| label(entry.value())).collect()
    }
    async fn delete(&self, batch: Batch<Self>) -> Outcomes {
        batch.iter().map(|_| Ok(())).collect()
    }
}

/// Labels are registered first, though they are observed behind ports: those have metadata.
fn engine(southbound: &Southbound) -> (Engine, Registered<Ports>) {
    let engine = Engine::held(Settings::default());
    let family = Arc::new(OnceLock::new());
    engine.register_closed(Labels(southbound.clone(), family.clone()), "not yet");
    let ports = engine.register_closed(Ports(southbound.clone()), "not yet");
    assert!(family.set(Family::new().with(&ports)).is_ok());
    engine.set_access([("label", Access::Open)]);
    engine.set_access([("port", Access::Open)]);
    engine.begin();
    (engine, ports)
}

fn port(name: &str) -> (Key, Port) {
    (Key::new("port", name), Port { name: name.to_owned() })
}

#[tokio::test(start_paused = true)]
async fn what_was_observed_of_a_kind_is_known_to_those_observed_after_it() {
    let southbound = Southbound::new(&[("a", 1), ("b", 2)], &[1]);
    let (engine, ports) = engine(&southbound);
    let label = |port: &str| Key::new("label", port);
    let wanted = engine.transaction().set::<Ports>(port("a").1).set::<Labels>(Label { port: "a".into() });
    let report = wanted.commit().await.unwrap();
    assert!(report.is_applied() && report.operations.is_empty(), "all is there: {report}");
    assert_eq!(engine.status(&label("a")).unwrap().state, State::Configured);

    // Another one, where the number of `a` is that of `b`.
    let both = ["port", "label"];
    engine.set_access(both.map(|kind| (kind, Access::Closed("it is down".into()))));
    engine.idle(both).await;
    assert_eq!(ports.metadata("a"), None, "a number of something that has gone");
    southbound.become_another(&[("b", 1)], &[1]);
    engine.set_access(both.map(|kind| (kind, Access::Open)));
    let report = engine.transaction().set::<Ports>(port("b").1).commit().await.unwrap();
    assert!(report.is_applied(), "{report}");
    assert_eq!(engine.status(&label("b")).unwrap().state, State::Obtained, "the label is that of b");
    assert_eq!(engine.status(&label("a")).unwrap().state, State::Configured, "and that of a was made");
    assert_eq!(southbound.content.lock().unwrap().labels, [1, 2]);
    assert_eq!((ports.metadata("a"), ports.metadata("b")), (Some(2), Some(1)));

    // Somebody makes `b` anew: it is as wanted, and has another number.
    southbound.become_another(&[("a", 2), ("b", 9)], &[2]);
    engine.check().await.unwrap();
    assert_eq!(ports.metadata("b"), Some(9));
    let mut all = ports.all();
    all.sort_unstable();
    assert_eq!(all, [(port("a").0, 2), (port("b").0, 9)]);
}

#[tokio::test(start_paused = true)]
async fn nothing_that_was_planned_for_a_southbound_is_done_on_the_next() {
    let southbound = Southbound::new(&[], &[]);
    let (engine, _) = engine(&southbound);
    engine.transaction().commit().await.unwrap();
    southbound.permits.forget_permits(1000);
    let all = ["a", "b", "c"].map(|name| port(name).1);
    let commit = tokio::spawn({
        let engine = engine.clone();
        async move { engine.transaction().set_all::<Ports>(all).commit().await }
    });
    // One creation runs and waits; two wait for it.
    while engine.statuses("port/").is_empty() {
        tokio::task::yield_now().await;
    }
    engine.set_access([("port", Access::Closed("it is down".into()))]);
    let mut idle = std::pin::pin!(engine.idle(["port"]));
    let not_yet = tokio::time::timeout(std::time::Duration::from_secs(1), &mut idle).await;
    assert!(not_yet.is_err(), "a creation runs");
    southbound.permits.add_permits(1000);
    idle.await;
    assert_eq!(southbound.content.lock().unwrap().created, ["a"]);
    let report = commit.await.unwrap().unwrap();
    assert_eq!(report.items.iter().filter(|item| item.state == State::Pending).count(), 3, "{report}");

    southbound.become_another(&[], &[]);
    engine.set_access([("port", Access::Open)]);
    engine.transaction().set::<Ports>(port("d").1).commit().await.unwrap();
    let mut created = southbound.content.lock().unwrap().created.clone();
    created.sort();
    assert_eq!(created, ["a", "a", "b", "c", "d"]);
}

#[tokio::test(start_paused = true)]
async fn the_engine_is_not_ready_before_what_is_wanted_is_made_again() {
    let southbound = Southbound::new(&[], &[]);
    let (engine, _) = engine(&southbound);
    let all = ["a", "b", "c"].map(|name| port(name).1);
    engine.transaction().set_all::<Ports>(all).commit().await.unwrap();
    assert!(!engine.summary().observing);

    // It goes, and comes back with nothing.
    let both = ["port", "label"];
    engine.set_access(both.map(|kind| (kind, Access::Closed("it is down".into()))));
    engine.idle(both).await;
    southbound.become_another(&[], &[]);
    southbound.content.lock().unwrap().created.clear();
    engine.set_access(both.map(|kind| (kind, Access::Open)));
    engine.idle([]).await;
    assert!(engine.summaries().borrow().observing, "it has heard of it");
    engine.summaries().wait_for(|engine| !engine.observing).await.unwrap();
    assert_eq!(southbound.content.lock().unwrap().created.len(), 3);
}
