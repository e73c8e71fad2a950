//! Stores of any make, as an author of one has them: here a script.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;
use vpp_agent_engine::{Access, AnyValue, Apply, Ended, Engine, Key, Settings, Store, StoreError, Update};
use vpp_agent_kernel::HealthState;

use crate::kinds::{Kinds, Router};
use crate::{configured, key};

struct Script(mpsc::UnboundedReceiver<Result<Update, StoreError>>);

impl Store for Script {
    async fn next(&mut self) -> Result<Update, StoreError> {
        match self.0.recv().await {
            Some(said) => said,
            None => std::future::pending().await,
        }
    }
}

struct Following {
    router: Router,
    engine: Engine,
    say: mpsc::UnboundedSender<Result<Update, StoreError>>,
    told: Arc<Mutex<Vec<HealthState>>>,
    task: tokio::task::JoinHandle<Ended>,
}

impl Following {
    fn start(apply: Apply) -> Self {
        let router = Router::new();
        crate::southbound(&router);
        let engine = Engine::start(Settings::default());
        Kinds::register(&engine);
        let (say, said) = mpsc::unbounded_channel();
        let told = Arc::<Mutex<Vec<HealthState>>>::default();
        let (follower, tell) = (engine.clone(), told.clone());
        let task = tokio::spawn(async move {
            let tell = move |state| tell.lock().expect("nobody panics").push(state);
            follower.follow("script", Script(said), apply, tell).await
        });
        Self { router, engine, say, told, task }
    }

    fn say(&self, update: Update) {
        self.say.send(Ok(update)).expect("somebody listens");
    }

    async fn configured(&self, keys: &[&str]) {
        configured(&self.engine, keys).await;
    }

    fn told(&self) -> Vec<String> {
        self.told.lock().expect("nobody panics").drain(..).map(|state| state.to_string()).collect()
    }
}

fn loopback(name: &str) -> (Key, AnyValue) {
    (key(&format!("loopback/{name}")), AnyValue::new(serde_json::json!({ "name": name })))
}

fn set(name: &str) -> (Key, Option<AnyValue>) {
    let (key, value) = loopback(name);
    (key, Some(value))
}

/// L30: what a store says at once is one transaction.
#[tokio::test(start_paused = true)]
async fn what_a_store_says_is_wanted() {
    let following = Following::start(Apply::BestEffort);
    following.say(Update::All(vec![loopback("a"), loopback("b")]));
    following.configured(&["loopback/a", "loopback/b"]).await;
    following.say(Update::Changes(vec![set("c"), (key("loopback/a"), None)]));
    following.configured(&["loopback/b", "loopback/c"]).await;
    let before = following.engine.history(Duration::ZERO..=following.engine.now()).len();
    following.say(Update::Changes(vec![set("d"), set("e"), set("f")]));
    following.configured(&["loopback/b", "loopback/c", "loopback/d", "loopback/e", "loopback/f"]).await;
    tokio::time::sleep(Duration::from_millis(1)).await;
    let reports = following.engine.history(Duration::ZERO..=following.engine.now());
    assert_eq!((reports.len(), reports.last().expect("one").items.len()), (before + 1, 3));
    // What another source wants stays.
    let (of, value) = loopback("z");
    let local = following.engine.transaction().set_values([(of, Some(value))]);
    local.commit().await.expect("the engine runs");
    following.say(Update::All(Vec::new()));
    following.configured(&["loopback/z"]).await;
    following.engine.stop().await;
    following.say(Update::All(Vec::new()));
    assert_eq!(following.task.await.expect("no panic"), Ended);
}

/// L32: a store that does not answer holds up nobody.
#[tokio::test(start_paused = true)]
async fn a_store_that_cannot_be_asked_changes_nothing() {
    let following = Following::start(Apply::BestEffort);
    following.say.send(Err(StoreError::new("no route to etcd"))).expect("somebody listens");
    let (of, value) = loopback("z");
    let local = following.engine.transaction().set_values([(of, Some(value))]);
    local.commit().await.expect("the engine runs");
    following.configured(&["loopback/z"]).await;
    following.say(Update::All(vec![loopback("a")]));
    following.configured(&["loopback/a", "loopback/z"]).await;
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(following.told(), ["waiting: no route to etcd", "ready"]);
    let began = Instant::now();
    for _ in 0..3 {
        following.say.send(Err(StoreError::new("no route to etcd"))).expect("somebody listens");
    }
    following.say(Update::Bad(vec!["a: no JSON".to_owned(), "b: no JSON".to_owned()]));
    following.say(Update::All(vec![loopback("b")]));
    following.configured(&["loopback/b", "loopback/z"]).await;
    assert_eq!(began.elapsed().as_secs(), 1 + 2 + 4, "it is asked again, less and less often");
    tokio::time::sleep(Duration::from_millis(1)).await;
    let lost = "degraded: no route to etcd";
    assert_eq!(following.told(), [lost, lost, lost, "degraded: a: no JSON (and 1 more)", "ready"]);
}

#[tokio::test(start_paused = true)]
async fn changes_that_could_not_be_applied_are_not_forgotten() {
    let following = Following::start(Apply::AllOrNothing);
    following.say(Update::All(vec![loopback("a")]));
    following.configured(&["loopback/a"]).await;
    following.router.fail("loopback/b", true);
    following.say(Update::Changes(vec![set("b"), set("c")]));
    following.say(Update::Changes(vec![set("d"), (key("loopback/c"), None)]));
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(following.router.there(), ["loopback/a"]);
    following.router.fail("loopback/b", false);
    following.configured(&["loopback/a", "loopback/b", "loopback/d"]).await;
    let told = following.told();
    assert_eq!(told[0], "ready");
    assert_eq!(told[1], "degraded: not applied, since it cannot be applied whole: loopback/b: out of memory");
}

#[tokio::test(start_paused = true)]
async fn all_or_nothing_waits_for_a_southbound_that_is_away() {
    let following = Following::start(Apply::AllOrNothing);
    following.engine.set_access([("loopback", Access::Closed("VPP is down".into()))]);
    following.say(Update::All(vec![loopback("a")]));
    following.say(Update::Changes(vec![set("b")]));
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(following.told(), ["waiting: not applied yet: loopback: VPP is down"; 2]);
    assert_eq!(following.router.calls(), [""; 0]);
    let before = Instant::now();
    following.engine.set_access([("loopback", Access::Open)]);
    following.configured(&["loopback/a", "loopback/b"]).await;
    assert!(before.elapsed() < Duration::from_secs(1), "nothing is waited for any more");
    assert_eq!(following.told(), ["ready"]);
}

/// L14: what fails is tried again for as long as it is wanted.
#[tokio::test(start_paused = true)]
async fn best_effort_never_gives_up() {
    let following = Following::start(Apply::BestEffort);
    following.router.fail("loopback/b", true);
    following.say(Update::All(vec![loopback("a"), loopback("b")]));
    following.configured(&["loopback/a"]).await;
    tokio::time::sleep(Duration::from_secs(24 * 3600)).await;
    following.router.fail("loopback/b", false);
    following.configured(&["loopback/a", "loopback/b"]).await;
}
