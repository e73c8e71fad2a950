//! How agents say that they are, in the program and over HTTP.

mod scripted;

use std::net::SocketAddr;

use scripted::{A, D};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use vpp_agent_kernel::prometheus_client::metrics::counter::Counter;
use vpp_agent_kernel::{
    Agent, AgentHealth, Context, Health, HealthState, Plugin, PluginError, Probes, Provided, Running,
    Settings,
};

/// A plugin that lets the test say how it is.
struct Told<const LETTER: char> {
    health: Health,
    packets: Counter,
}

impl<const LETTER: char> Plugin for Told<LETTER> {
    const NAME: &'static str = match LETTER {
        'x' => "told-x",
        _ => "told-y",
    };
    type Config = ();
    type Needs = ();

    async fn start(_: (), (): Provided<Self>, cx: &Context) -> Result<Self, PluginError> {
        let packets = Counter::default();
        cx.metrics(|registry| registry.register("packets", "Packets", packets.clone()));
        if LETTER == 'y' {
            cx.health().waiting("VPP is down");
        }
        Ok(Self { health: cx.health().clone(), packets })
    }
}

type X = Told<'x'>;
type Y = Told<'y'>;

async fn start() -> (Running, Health, Health) {
    let agent = Agent::builder("told").version("1.2.3").plugin::<X>().plugin::<Y>().plugin::<Probes>();
    let running = agent.start(Settings::none().set("probes.listen=127.0.0.1:0")).await.expect("starts");
    let (x, y) = (running.plugin::<X>().expect("there"), running.plugin::<Y>().expect("there"));
    let (x, y) = (x.health.clone(), y.health.clone());
    (running, x, y)
}

fn now(running: &Running) -> AgentHealth {
    running.health().borrow().clone()
}

#[tokio::test]
async fn l28_an_agent_is_as_its_worst_plugin_whoever_spoke_last() {
    let (running, x, y) = start().await;
    let health = now(&running);
    assert_eq!(health.of("told-x"), Some(&HealthState::Ready), "one that started and says nothing");
    assert_eq!(
        health.of("told-y"),
        Some(&HealthState::Waiting("VPP is down".to_owned())),
        "what it said stays"
    );
    assert!(health.is_live() && !health.is_ready());

    // A later "ready" of another hides nothing.
    x.waiting("for a moment");
    x.ready();
    let health = now(&running);
    assert!(!health.is_ready());
    assert_eq!(health.worst().map(|worst| worst.plugin), Some("told-y"));

    y.degraded("one route is wrong");
    assert!(now(&running).is_ready());
    y.ready();
    assert!(now(&running).is_ready());

    x.failed("broken");
    y.waiting("VPP is down");
    y.ready();
    let health = now(&running);
    assert!(!health.is_live() && !health.is_ready());
    assert_eq!(health.worst().map(|worst| worst.state.to_string()), Some("failed: broken".to_owned()));

    let watched = running.health();
    running.stop().await.expect("stops");
    let health = watched.borrow().clone();
    assert_eq!(health.of("told-y"), Some(&HealthState::Waiting("stopped".to_owned())));
    assert_eq!(
        health.of("told-x"),
        Some(&HealthState::Failed("broken".to_owned())),
        "a failure stays to be seen"
    );
}

/// The status and the body of a page.
async fn page(at: SocketAddr, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(at).await.expect("listens");
    let request = format!("GET {path} HTTP/1.1\r\nhost: agent\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("asked");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("answered");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    (head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status"), body.to_owned())
}

#[tokio::test]
async fn probes_answer_over_http() {
    let (running, x, y) = start().await;
    let at = running.plugin::<Probes>().expect("there").address();
    assert_eq!(page(at, "/livez").await.0, 200);
    let (status, body) = page(at, "/readyz").await;
    assert_eq!(status, 503);
    let line = body.lines().find(|line| line.starts_with("told-y")).expect("a line");
    assert!(line.contains("waiting") && line.ends_with("VPP is down"), "{body}");

    y.ready();
    assert_eq!(page(at, "/readyz").await.0, 200);
    x.failed("broken");
    assert_eq!((page(at, "/livez").await.0, page(at, "/readyz").await.0), (503, 503));
    assert_eq!(page(at, "/other").await.0, 404);
    // A connection that stays open does not hold up the end.
    let _open = TcpStream::connect(at).await.expect("listens");
    running.stop().await.expect("stops");
    assert!(TcpStream::connect(at).await.is_err());
}

#[tokio::test]
async fn metrics_of_all_plugins_are_on_one_page() {
    let (running, _, _) = start().await;
    running.plugin::<X>().expect("there").packets.inc_by(7);
    let at = running.plugin::<Probes>().expect("there").address();
    let (status, text) = page(at, "/metrics").await;
    assert_eq!(status, 200);
    for line in [
        "told_x_packets_total 7",
        "told_y_packets_total 0",
        "agent_info{name=\"told\",version=\"1.2.3\"} 1",
        "agent_plugin_ready{plugin=\"told-x\"} 1",
        "agent_plugin_ready{plugin=\"told-y\"} 0",
        "agent_plugin_live{plugin=\"told-y\"} 1",
        "# EOF",
    ] {
        assert!(text.lines().any(|other| other == line), "no `{line}` in\n{text}");
    }
}

#[tokio::test]
async fn probes_answer_while_others_start() {
    let agent = Agent::builder("slow").plugin::<Probes>().plugin::<A>().plugin::<D>();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let at = taken.local_addr().expect("bound");
    drop(taken);
    let settings = Settings::none().set(format!("probes.listen={at}")).set("a.start=meet").set("a.log=slow");
    let starting = tokio::spawn(agent.start(settings.set("d.log=slow")));
    let (status, body) = loop {
        match TcpStream::connect(at).await {
            Ok(_) => break page(at, "/readyz").await,
            Err(_) => tokio::task::yield_now().await,
        }
    };
    assert_eq!(status, 503);
    assert!(body.contains("starting"), "{body}");
    assert_eq!(page(at, "/livez").await.0, 200);
    starting.abort();
}

#[tokio::test]
async fn a_port_that_is_taken_is_told() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let at = taken.local_addr().expect("bound");
    let agent = Agent::builder("taken").plugin::<Probes>();
    let error = agent.start(Settings::none().set(format!("probes.listen={at}"))).await.err().expect("taken");
    let expected = format!(
        "plugin `probes` did not start: cannot listen at {at} (probes.listen): Address already in use"
    );
    assert!(error.to_string().starts_with(&expected), "{error}");
}
