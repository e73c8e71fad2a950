//! What agents make of files, variables and arguments.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use schemars::JsonSchema;
use serde::Deserialize;
use vpp_agent_kernel::{Agent, AgentError, Builder, Context, Plugin, PluginError, Provided, Settings};

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case")]
struct Vpp {
    socket: String,
    connect_timeout: f64,
    limits: Limits,
    mode: Mode,
    mtu: Option<u16>,
    routes: Vec<Route>,
    labels: BTreeMap<String, String>,
    workers: BTreeMap<u8, bool>,
    #[schemars(with = "String")]
    probe: SocketAddr,
}

impl Default for Vpp {
    fn default() -> Self {
        Self {
            socket: "/run/vpp/api.sock".to_owned(),
            connect_timeout: 1.5,
            limits: Limits::default(),
            mode: Mode::Fast,
            mtu: None,
            routes: Vec::new(),
            labels: BTreeMap::new(),
            workers: BTreeMap::new(),
            probe: ([127, 0, 0, 1], 80).into(),
        }
    }
}

#[derive(Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default)]
struct Limits {
    rate: u32,
    is_hard: bool,
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Mode {
    Fast,
    Slow { by: u8 },
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
struct Route {
    prefix: String,
    #[schemars(with = "String")]
    via: IpAddr,
}

/// Keeps its configuration.
struct Holder(Vpp);

impl Plugin for Holder {
    const NAME: &'static str = "vpp";
    type Config = Vpp;
    type Needs = ();

    async fn start(config: Vpp, (): Provided<Self>, _: &Context) -> Result<Self, PluginError> {
        Ok(Self(config))
    }
}

#[derive(Deserialize, JsonSchema)]
struct Required {
    peer: String,
}

/// Has a field without a default.
struct Strict(Required);

impl Plugin for Strict {
    const NAME: &'static str = "strict-peer";
    type Config = Required;
    type Needs = ();

    async fn start(config: Required, (): Provided<Self>, _: &Context) -> Result<Self, PluginError> {
        Ok(Self(config))
    }
}

/// Has no configuration.
struct Plain;

impl Plugin for Plain {
    const NAME: &'static str = "plain";
    type Config = ();
    type Needs = ();

    async fn start(_: (), (): Provided<Self>, _: &Context) -> Result<Self, PluginError> {
        Ok(Self)
    }
}

fn agent() -> Builder {
    Agent::builder("edge-router").plugin::<Holder>().plugin::<Plain>()
}

async fn read(settings: Settings) -> Vpp {
    let running = agent().start(settings).await.unwrap_or_else(|error| panic!("{error}"));
    let holder = running.plugin::<Holder>().expect("there");
    running.stop().await.expect("stops");
    std::sync::Arc::into_inner(holder).expect("nobody else has it").0
}

async fn refused(settings: Settings) -> String {
    match agent().start(settings).await {
        Err(AgentError::Config(errors)) => errors.to_string(),
        Err(other) => panic!("another error: {other}"),
        Ok(_) => panic!("not refused"),
    }
}

fn variables<const N: usize>(variables: [(&str, &str); N]) -> Settings {
    Settings::none().variables(variables.map(|(name, value)| (name.to_owned(), value.to_owned())))
}

#[tokio::test]
async fn a_section_that_nobody_wrote_has_its_defaults() {
    assert_eq!(read(Settings::none()).await, Vpp::default());
    assert_eq!(read(Settings::toml("[vpp]\n[plain]")).await, Vpp::default());
    assert_eq!(read(Settings::yaml("vpp:\nplain: {}\n")).await, Vpp::default());
    assert_eq!(read(Settings::yaml("# nothing\n")).await, Vpp::default());
}

fn whole() -> Vpp {
    Vpp {
        socket: "/tmp/api.sock".to_owned(),
        connect_timeout: 3.0,
        limits: Limits { rate: 7, is_hard: true },
        mode: Mode::Slow { by: 3 },
        mtu: Some(9000),
        routes: vec![
            Route { prefix: "10.0.0.0/8".to_owned(), via: [10, 0, 0, 1].into() },
            Route { prefix: "::/0".to_owned(), via: "fe80::1".parse().expect("an address") },
        ],
        labels: [("zone".to_owned(), "7".to_owned())].into(),
        workers: [(3, true)].into(),
        probe: ([0, 0, 0, 0], 9191).into(),
    }
}

const TOML: &str = r#"
[vpp]
socket = "/tmp/api.sock"
connect-timeout = 3.0
limits = { rate = 7, is_hard = true }
mode.slow.by = 3
mtu = 9_000
labels.zone = "7"
workers = { 3 = true }
probe = "0.0.0.0:9191"

[[vpp.routes]]
prefix = "10.0.0.0/8"
via = "10.0.0.1"
[[vpp.routes]]
prefix = "::/0"
via = "fe80::1"
"#;

const YAML: &str = r#"
vpp:
  socket: /tmp/api.sock
  connect-timeout: 3.0
  limits: { rate: 7, is_hard: true }
  mode: { slow: { by: 3 } }
  mtu: 9000
  labels: { zone: "7" }
  workers: { 3: true }
  probe: 0.0.0.0:9191
  routes:
    - { prefix: 10.0.0.0/8, via: 10.0.0.1 }
    - { prefix: "::/0", via: "fe80::1" }
"#;

#[tokio::test]
async fn a_file_is_toml_or_yaml() {
    assert_eq!(read(Settings::toml(TOML)).await, whole());
    assert_eq!(read(Settings::yaml(YAML)).await, whole());
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("written");
        path
    };
    assert_eq!(read(Settings::file(path("a.toml", TOML))).await, whole());
    assert_eq!(read(Settings::file(path("a.yml", YAML))).await, whole());
    let json = r#"{"vpp": {"socket": "/tmp/x", "routes": [{"prefix": "a", "via": "::1"}]}}"#;
    assert_eq!(read(Settings::file(path("a.json", json))).await.routes.len(), 1);
    let error = refused(Settings::file(path("a.conf", TOML))).await;
    assert!(error.ends_with("is told by its name: .toml, .json, .yaml or .yml"), "{error}");
    let error = refused(Settings::file(folder.path().join("none.toml"))).await;
    assert!(error.starts_with("cannot read /") && error.contains("none.toml: No such file"), "{error}");
}

#[tokio::test]
async fn arguments_go_before_the_environment_and_that_before_the_file() {
    let file = || Settings::toml("[vpp]\nsocket = 'file'\nmtu = 1\nlimits.rate = 1");
    let variables = |settings: Settings| {
        let variables = [
            ("EDGE_ROUTER__VPP__MTU", "2"),
            ("EDGE_ROUTER__VPP__LIMITS__RATE", "2"),
            ("OTHER__VPP__MTU", "8"),
        ];
        settings.variables(variables.map(|(name, value)| (name.to_owned(), value.to_owned())))
    };
    let of_file = read(file()).await;
    assert_eq!((of_file.socket.as_str(), of_file.mtu, of_file.limits.rate), ("file", Some(1), 1));
    let both = read(variables(file())).await;
    assert_eq!((both.socket.as_str(), both.mtu, both.limits.rate), ("file", Some(2), 2));
    let all = read(variables(file()).set("vpp.limits.rate=3")).await;
    assert_eq!((all.socket.as_str(), all.mtu, all.limits.rate), ("file", Some(2), 3));
    let last = read(file().set("vpp.mtu=4").set("vpp.mtu=5")).await;
    assert_eq!(last.mtu, Some(5));
}

#[tokio::test]
async fn texts_of_variables_become_what_the_field_is() {
    let config = read(variables([
        ("EDGE_ROUTER__VPP__SOCKET", "17"),
        ("EDGE_ROUTER__VPP__CONNECT_TIMEOUT", "3.0"),
        ("EDGE_ROUTER__VPP__LIMITS", "{ rate = 7 }"),
        ("EDGE_ROUTER__VPP__LIMITS__IS_HARD", "true"),
        ("EDGE_ROUTER__VPP__MODE", "slow.by"),
        ("EDGE_ROUTER__VPP__LABELS__ZONE", "7"),
        ("EDGE_ROUTER__VPP__PROBE", "0.0.0.0:9191"),
    ]).set("vpp.mode={ slow = { by = 3 } }").set("vpp.mtu=9000").set("vpp.workers.3=true")
        .set(r#"vpp.routes=[{ prefix = "10.0.0.0/8", via = "10.0.0.1" }, { prefix = "::/0", via = "fe80::1" }]"#))
    .await;
    assert_eq!(config, Vpp { socket: "17".to_owned(), ..whole() });
    assert_eq!(read(Settings::none().set("vpp.mode=fast")).await.mode, Mode::Fast);
}

#[tokio::test]
async fn errors_name_place_field_and_reason() {
    let cases = [
        ("[vpp]\nsockt = 'x'", "configuration:2: vpp.sockt: there is no such field; did you mean `socket`?"),
        (
            "[vpp.limits]\n\n\nrat = 1",
            "configuration:4: vpp.limits.rat: there is no such field; did you mean `rate`?",
        ),
        (
            "[vpp.limits]\nxyz = 1",
            "configuration:2: vpp.limits.xyz: there is no such field; fields are `is_hard`, `rate`",
        ),
        ("[vpp]\nsocket = 5", "configuration:2: vpp.socket: this is integer `5`, and should be a string"),
        (
            "[vpp]\n\nmtu = 70000",
            "configuration:3: vpp.mtu: this is integer `70000`, and should be an integer from 0 to 65535",
        ),
        ("[vpp]\nmode = 'fsat'", "configuration:2: vpp.mode: `fsat` is no choice; did you mean `fast`?"),
        (
            "[vpp]\nmode.slow.by = 300",
            "configuration:2: vpp.mode.slow.by: this is integer `300`, and should be an integer from 0 to 255",
        ),
        ("[vpp]\nprobe = 'nowhere'", "configuration:2: vpp.probe: invalid socket address syntax"),
        (
            "[[vpp.routes]]\nprefix = 'a'\nvia = '::1'\n[[vpp.routes]]\nprefix = 'b'\nvia = '::g'",
            "configuration:6: vpp.routes[1].via: invalid IP address syntax",
        ),
        ("[[vpp.routes]]\nprefix = 'a'", "configuration:1: vpp.routes[0].via: this has to be given"),
        ("[vp]\n", "configuration:1: vp: this agent has no such plugin; did you mean `vpp`?"),
        ("[zzz]\n", "configuration:1: zzz: this agent has no such plugin; its plugins are `plain`, `vpp`"),
        ("[plain]\nx = 1", "configuration:2: plain.x: there is no such field; there are no fields"),
        ("vpp = 3", "configuration:1: vpp: this is integer `3`, and should be a table"),
        ("[vpp]\nlabels = []", "configuration:2: vpp.labels: this is a list, and should be a table"),
        ("[vpp]\nroutes.a = 1", "configuration:2: vpp.routes: this is a table, and should be a list"),
        ("[vpp]\nroutes = [1]", "configuration:2: vpp.routes[0]: this is integer `1`, and should be a table"),
        (
            "[vpp]\nlimits.is_hard = 'yes'",
            "configuration:2: vpp.limits.is_hard: this is string \"yes\", and should be a boolean",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(refused(Settings::toml(text)).await, expected, "{text}");
    }
}

#[tokio::test]
async fn yaml_has_lines_too() {
    let cases = [
        (
            "vpp:\n  limits:\n    rate: ~",
            "configuration:3: vpp.limits.rate: this is nothing, and should be an integer from 0 to 4294967295",
        ),
        (
            "vpp:\n  socket: x\n  sockt: x",
            "configuration:3: vpp.sockt: there is no such field; did you mean `socket`?",
        ),
        (
            "vpp:\n  limits:\n    rate: fast",
            "configuration:3: vpp.limits.rate: this is string \"fast\", and should be an integer from 0 to 4294967295",
        ),
        (
            "vpp:\n  limits:\n    rat:\n      - 1",
            "configuration:3: vpp.limits.rat: there is no such field; did you mean `rate`?",
        ),
        (
            "vpp:\n  routes:\n  - prefix: a\n    via: ::1\n  - prefix: b\n    via: c",
            "configuration:6: vpp.routes[1].via: invalid IP address syntax",
        ),
        (
            "- vpp",
            "configuration:1: a configuration is a table with a section for each plugin; this is a list",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(refused(Settings::yaml(text)).await, expected, "{text}");
    }
    for text in ["vpp: {socket: x", "vpp:\n  mtu: 1\n  mtu: 2", "vpp:\n\tmtu: 1"] {
        let error = refused(Settings::yaml(text)).await;
        assert!(error.starts_with("configuration:"), "{error}");
    }
}

#[tokio::test]
async fn errors_of_overrides_name_the_override() {
    assert_eq!(
        refused(variables([("EDGE_ROUTER__VPP__SOCKT", "x")])).await,
        "environment variable EDGE_ROUTER__VPP__SOCKT: vpp.sockt: there is no such field; did you mean `socket`?"
    );
    assert_eq!(
        refused(Settings::none().set("vpp.mtu=many")).await,
        "--set vpp.mtu=many: vpp.mtu: this is string \"many\", and should be an integer from 0 to 65535"
    );
    assert_eq!(
        refused(Settings::none().set("vp.mtu=1")).await,
        "--set vp.mtu=1: vp: this agent has no such plugin; did you mean `vpp`?"
    );
    assert_eq!(
        refused(Settings::toml("[vpp]\nsocket = 'x'").set("vpp.socket.path=1")).await,
        "--set vpp.socket.path=1: vpp.socket.path: what this would be in is a text (configuration:2), not a table"
    );
    for (argument, reason) in [
        ("vpp.mtu", "this should be FIELD=VALUE"),
        ("vpp..mtu=1", "a name is empty"),
        ("vpp=1", "names a section"),
    ] {
        let error = refused(Settings::none().set(argument)).await;
        assert!(error.contains(reason), "{error}");
    }
}

#[tokio::test]
async fn every_plugin_with_an_error_is_told_at_once() {
    let agent = || agent().plugin::<Strict>();
    let error =
        agent().start(Settings::toml("[vpp]\nmtu = -1\n[typo]")).await.err().expect("refused").to_string();
    assert_eq!(
        error,
        "configuration:3: typo: this agent has no such plugin; its plugins are `plain`, `strict-peer`, `vpp`\n\
         configuration:2: vpp.mtu: this is integer `-1`, and should be an integer from 0 to 65535\n\
         strict-peer.peer: this has to be given"
    );
    // A plugin's name in a variable has underscores.
    let variable =
        Settings::none().variables([("EDGE_ROUTER__STRICT_PEER__PEER".to_owned(), "x".to_owned())]);
    let running = agent().start(variable).await.expect("starts");
    assert_eq!(running.plugin::<Strict>().expect("there").0.peer, "x");
}

#[tokio::test]
async fn broken_toml_names_its_line() {
    let error = refused(Settings::toml("[vpp]\nmtu = 1\nmtu = 2")).await;
    assert!(error.starts_with("configuration:3: "), "{error}");
    let error = refused(Settings::toml("[vpp]\nsocket = 'x\n")).await;
    assert!(error.starts_with("configuration:2: "), "{error}");
}

#[test]
fn the_schema_says_what_is_read() {
    let schema = agent().plugin::<Strict>().schema();
    let section = |name: &str| &schema["properties"][name];
    assert_eq!(schema["additionalProperties"], false);
    assert_eq!(section("vpp")["additionalProperties"], false);
    assert_eq!(section("vpp")["properties"]["connect-timeout"]["default"], 1.5);
    assert_eq!(section("vpp")["properties"]["limits"]["additionalProperties"], false);
    assert_eq!(section("vpp")["properties"]["labels"]["additionalProperties"]["type"], "string");
    assert_eq!(section("strict-peer")["required"], serde_json::json!(["peer"]));
    assert_eq!(section("plain")["type"], "object");
}

proptest::proptest! {
    /// No file makes an agent panic, and what is refused says why.
    #[test]
    fn any_text_is_read_or_refused(text in "(\\[|\\]|vpp|mtu|=|:|-|\n| |\\{|\\}|'|\"|1|\\.|#|,|&a|\\*a|!!int|é){0,40}") {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        for settings in [Settings::toml(&text), Settings::yaml(&text), Settings::none().set(&text)] {
            if let Err(error) = runtime.block_on(agent().start(settings)) {
                proptest::prop_assert!(matches!(&error, AgentError::Config(errors) if !errors.0.is_empty()), "{}", error);
            }
        }
    }
}
