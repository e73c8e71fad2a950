//! Start, stop and failure of plugins.

mod scripted;

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use scripted::{A, B, C, D, abcd, log, note, place, script};
use tokio_util::sync::CancellationToken;
use vpp_agent_kernel::{
    Agent, AgentError, Context, HealthState, Phase, Plugin, PluginError, Provided, Settings,
};

/// What started is stopped, each behind those that need it.
fn assert_reverse(log: &[String]) {
    for (user, need) in [("b", "a"), ("c", "a"), ("c", "b")] {
        if log.contains(&format!("{user} stops")) {
            assert!(place(log, &format!("{user} stopped")) < place(log, &format!("{need} stops")), "{log:?}");
        }
    }
    for plugin in ["a", "b", "c", "d"] {
        let is = |what| log.contains(&format!("{plugin} {what}"));
        assert_eq!(is("started"), is("stops"), "{plugin} in {log:?}");
    }
}

#[tokio::test]
async fn plugins_start_in_the_order_of_their_needs_and_stop_in_reverse() {
    let name = "order";
    let running = abcd().start(script(name, "")).await.expect("starts");
    let started = log(name);
    assert!(place(&started, "a started") < place(&started, "b starts"));
    assert!(place(&started, "b started") < place(&started, "c starts"), "an optional need that is there");
    let last =
        ["a", "b", "c", "d"].map(|plugin| place(&started, &format!("{plugin} started"))).into_iter().max();
    assert!(last < Some(place(&started, "a ready")), "ready is behind every start");
    assert!(place(&started, "a ready") < place(&started, "b ready"));
    running.stop().await.expect("stops");
    assert_reverse(&log(name));
    assert_eq!(log(name).len(), 4 * 5);
}

#[tokio::test]
async fn an_optional_need_may_be_missing() {
    let name = "optional";
    let agent = Agent::builder("optional").plugin::<C>().plugin::<A>();
    let running =
        agent.start(Settings::none().set(format!("a.log={name}")).set(format!("c.log={name}"))).await;
    assert!(running.expect("starts").plugin::<B>().is_none());
    assert!(place(&log(name), "a started") < place(&log(name), "c starts"));
}

#[tokio::test(start_paused = true)]
async fn independent_plugins_start_at_the_same_time() {
    let name = "concurrent";
    // Each ends its start only when the other has begun.
    let running = abcd().start(script(name, "a.start = 'meet'\nd.start = 'meet'")).await.expect("starts");
    // And they stop at the same time.
    running.stop().await.expect("stops");
    let running =
        abcd().start(script("concurrent stop", "c.stop = 'meet'\nd.stop = 'meet'")).await.expect("starts");
    running.stop().await.expect("stops");
}

#[tokio::test(start_paused = true)]
async fn a_start_that_takes_too_long_ends_the_agent() {
    let name = "late";
    let begun = tokio::time::Instant::now();
    let error = abcd().start(script(name, "b.start = 'hang'")).await.err().expect("late");
    assert_eq!(begun.elapsed().as_secs(), 30);
    assert_eq!(error.to_string(), "plugin `b` did not start: not done within 30 s");
    let log = log(name);
    assert!(place(&log, "b dropped") < place(&log, "a stops"), "{log:?}");
    assert!(!log.contains(&"c starts".to_owned()));
    assert_reverse(&log);
}

#[tokio::test(start_paused = true)]
async fn a_plugin_that_does_not_get_ready_ends_the_agent() {
    let error = abcd().start(script("unready", "c.ready = 'hang'")).await.err().expect("late");
    assert!(matches!(error, AgentError::Late { plugin: "c", phase: Phase::Ready, .. }), "{error}");
    assert_reverse(&log("unready"));
    let error = abcd().start(script("failed ready", "c.ready = 'fail'")).await.err().expect("fails");
    assert_eq!(error.to_string(), "plugin `c` did not get ready: as the script says");
    assert_reverse(&log("failed ready"));
}

#[tokio::test(start_paused = true)]
async fn a_failed_start_stops_the_others_in_reverse() {
    let name = "failed";
    let error = abcd().start(script(name, "c.start = 'fail'\na.task = 'hang'")).await.err().expect("fails");
    assert_eq!(error.to_string(), "plugin `c` did not start: as the script says");
    let log = log(name);
    assert!(place(&log, "b stopped") < place(&log, "a stops"));
    assert_reverse(&log);
}

#[tokio::test]
async fn a_failed_start_drops_those_that_still_start() {
    let name = "drops";
    let error = abcd().start(script(name, "d.start = 'hang'\nc.start = 'fail'")).await.err().expect("fails");
    assert!(error.to_string().contains("`c`"));
    assert!(log(name).contains(&"d dropped".to_owned()));
    assert_reverse(&log(name));
}

#[tokio::test]
async fn a_panic_at_the_start_is_an_error_of_the_plugin() {
    let name = "panic";
    let error = abcd().start(script(name, "b.start = 'panic'")).await.err().expect("fails");
    assert_eq!(error.to_string(), "plugin `b` did not start: it panicked: a scripted panic");
    assert_reverse(&log(name));
}

#[tokio::test]
async fn a_panic_in_a_task_fails_its_plugin_and_nobody_else() {
    let running = abcd().start(script("task panic", "b.task = 'panic'")).await.expect("starts");
    let mut health = running.health();
    let health = health.wait_for(|health| !health.is_live()).await.expect("the agent is there").clone();
    let failed = health.of("b").expect("there").to_string();
    assert_eq!(failed, "failed: task `scripted` panicked: a scripted panic");
    assert!(["a", "c", "d"].iter().all(|plugin| health.of(plugin).is_some_and(|state| state.is_ready())));
    assert!(running.plugin::<B>().is_some());
    running.stop().await.expect("stops");
    assert_reverse(&log("task panic"));
}

#[tokio::test(start_paused = true)]
async fn what_goes_wrong_at_the_stop_holds_up_nobody() {
    let running = abcd().start(script("stop panic", "c.stop = 'panic'")).await.expect("starts");
    let error = running.stop().await.expect_err("a panic");
    assert_eq!(error.to_string(), "plugin `c` did not stop: it panicked: a scripted panic");
    assert!(log("stop panic").contains(&"a stopped".to_owned()));

    let running = abcd().start(script("stop late", "b.stop = 'hang'")).await.expect("starts");
    let begun = tokio::time::Instant::now();
    let error = running.stop().await.expect_err("late");
    assert_eq!(
        (begun.elapsed().as_secs(), error.to_string().as_str()),
        (10, "plugin `b` did not stop: not done within 10 s")
    );
    let log = log("stop late");
    assert!(place(&log, "b dropped") < place(&log, "a stops"), "{log:?}");
}

#[tokio::test(start_paused = true)]
async fn tasks_are_waited_for_and_dropped_in_the_end() {
    let name = "tasks";
    let running = abcd().start(script(name, "b.task = 'orderly'\nc.task = 'hang'")).await.expect("starts");
    let error = running.stop().await.expect_err("a task hangs");
    assert!(matches!(error, AgentError::Late { plugin: "c", phase: Phase::Stop, .. }), "{error}");
    let log = log(name);
    // Of c first, whose task hangs for 10 s and is dropped; b's task may use a until it ends.
    assert!(place(&log, "c stopped") < place(&log, "c dropped"), "{log:?}");
    assert!(place(&log, "c dropped") < place(&log, "b stops"), "{log:?}");
    assert!(place(&log, "b task ended") < place(&log, "a stops"), "{log:?}");
}

#[tokio::test]
async fn nothing_is_left_of_an_agent() {
    let running = abcd().start(script("left", "")).await.expect("starts");
    let (a, c) = (running.plugin::<A>().expect("there"), running.plugin::<C>().expect("there"));
    let (weak_a, weak_c) = (Arc::downgrade(&a), Arc::downgrade(&c));
    drop((a, c));
    running.stop().await.expect("stops");
    assert!(weak_a.upgrade().is_none() && weak_c.upgrade().is_none());
}

#[tokio::test]
async fn whoever_lets_go_of_an_agent_has_no_tasks_left() {
    let name = "let go";
    let running = abcd().start(script(name, "d.task = 'hang'")).await.expect("starts");
    drop(running);
    while !log(name).contains(&"d dropped".to_owned()) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_plugin_that_gives_up_ends_the_agent() {
    for phase in ["start", "ready", "task"] {
        let name = format!("gives up: {phase}");
        let outcome = abcd().run(script(&name, &format!("b.{phase} = 'giveup'")), pending()).await;
        assert_eq!(outcome.expect_err("gives up").to_string(), "plugin `b` gave up: enough");
        assert_reverse(&log(&name));
    }
}

#[tokio::test]
async fn an_agent_runs_until_it_is_told_to_stop() {
    let name = "run";
    let shutdown = CancellationToken::new();
    let agent = tokio::spawn(abcd().run(script(name, ""), shutdown.clone().cancelled_owned()));
    while !log(name).contains(&"c ready".to_owned()) {
        tokio::task::yield_now().await;
    }
    shutdown.cancel();
    agent.await.expect("no panic").expect("stops");
    assert_reverse(&log(name));
}

#[tokio::test]
async fn an_agent_that_starts_can_be_told_to_stop() {
    let name = "interrupted";
    let shutdown = CancellationToken::new();
    let agent =
        tokio::spawn(abcd().run(script(name, "c.start = 'hang'"), shutdown.clone().cancelled_owned()));
    while !log(name).contains(&"c starts".to_owned()) {
        tokio::task::yield_now().await;
    }
    shutdown.cancel();
    agent.await.expect("no panic").expect("stops");
    assert!(log(name).contains(&"c dropped".to_owned()));
    assert_reverse(&log(name));
}

/// Blocks the thread at its start, which no deadline can take back.
struct Blocking;

impl Plugin for Blocking {
    const NAME: &'static str = "blocking";
    const START_WITHIN: Duration = Duration::from_millis(50);
    type Config = ();
    type Needs = ();

    async fn start(_: (), (): Provided<Self>, cx: &Context) -> Result<Self, PluginError> {
        // Until the kernel gives up on it.
        let shutdown = cx.shutdown().clone();
        while !shutdown.is_cancelled() {
            std::thread::yield_now();
        }
        Ok(Self)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_that_blocks_its_thread_is_late_too() {
    let error = Agent::builder("blocked").plugin::<Blocking>().plugin::<D>().start(Settings::none()).await;
    assert!(matches!(error.err(), Some(AgentError::Late { plugin: "blocking", phase: Phase::Start, .. })));
}

/// Does not notice that its start was given up, and is done with it behind that.
struct Unaware;

impl Plugin for Unaware {
    const NAME: &'static str = "unaware";
    type Config = ();
    type Needs = ();

    async fn start(_: (), (): Provided<Self>, cx: &Context) -> Result<Self, PluginError> {
        note("unaware", "starts");
        let starting = HealthState::Waiting("starting".to_owned());
        while cx.agent_health().borrow().of("unaware") == Some(&starting) {
            std::thread::yield_now();
        }
        Ok(Self)
    }

    async fn stop(&self, _: &Context) {
        note("unaware", "stops");
    }
}

/// Fails when that one has begun.
struct Failing;

impl Plugin for Failing {
    const NAME: &'static str = "failing";
    type Config = ();
    type Needs = ();

    async fn start(_: (), (): Provided<Self>, _: &Context) -> Result<Self, PluginError> {
        while log("unaware").is_empty() {
            tokio::task::yield_now().await;
        }
        Err("as it should".into())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_plugin_that_starts_behind_a_failure_is_stopped_too() {
    let agent = Agent::builder("unaware").plugin::<Unaware>().plugin::<Failing>();
    let error = agent.start(Settings::none()).await.err().expect("fails");
    assert_eq!(error.to_string(), "plugin `failing` did not start: as it should");
    assert_eq!(log("unaware"), ["starts", "stops"]);
}

struct Chicken;
struct Egg;

impl Plugin for Chicken {
    const NAME: &'static str = "chicken";
    type Config = ();
    type Needs = (D, Option<Egg>);

    async fn start(_: (), _: Provided<Self>, _: &Context) -> Result<Self, PluginError> {
        Ok(Self)
    }
}

impl Plugin for Egg {
    const NAME: &'static str = "egg";
    type Config = ();
    type Needs = Chicken;

    async fn start(_: (), _: Provided<Self>, _: &Context) -> Result<Self, PluginError> {
        Ok(Self)
    }
}

#[tokio::test]
async fn plugins_that_do_not_fit_together_are_told_at_once() {
    let text = async |agent: vpp_agent_kernel::Builder| {
        agent.start(Settings::none()).await.err().expect("does not fit").to_string()
    };
    assert_eq!(
        text(Agent::builder("cyclic").plugin::<Egg>().plugin::<D>().plugin::<Chicken>()).await,
        "the plugins of cyclic do not fit together:\n  plugins need each other: `egg` needs `chicken` needs `egg`"
    );
    let missing = text(Agent::builder("missing").plugin::<Egg>().plugin::<C>()).await;
    assert_eq!(
        missing,
        "the plugins of missing do not fit together:\n  \
         plugin `egg` needs plugin `chicken`, which is not there: add .plugin::<lifecycle::Chicken>()\n  \
         plugin `c` needs plugin `a`, which is not there: add .plugin::<lifecycle::scripted::Scripted<'a'>>()"
    );
    let twice = text(Agent::builder("twice").plugin::<D>().plugin::<D>()).await;
    assert!(twice.contains("plugin `d` (lifecycle::scripted::Scripted<'d'>) is listed twice"), "{twice}");
    let name =
        text(Agent::builder("name").plugin::<scripted::Scripted<'x'>>().plugin::<scripted::Scripted<'y'>>())
            .await;
    assert!(name.contains("are both called `other`"), "{name}");
}
