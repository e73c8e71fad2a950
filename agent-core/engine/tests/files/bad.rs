//! Documents that are wrong: one error each, with document, path and reason.

use std::fs;
use std::sync::Arc;

use vpp_agent_engine::file::FileStore;
use vpp_agent_engine::{Engine, Settings, State, Store, Update};
use vpp_agent_kernel::HealthState;
use vpp_agent_kernel::document::{Format, parse};

use crate::kinds::{Kinds, Router};
use crate::{Follower, key, southbound};

async fn engine() -> Arc<Engine> {
    southbound(&Router::new());
    let agent = vpp_agent_kernel::Agent::builder("test").plugin::<Engine>().plugin::<Kinds>();
    let agent = agent.start(vpp_agent_kernel::Settings::none()).await.expect("starts");
    let engine = agent.plugin::<Engine>().expect("listed");
    // Reading needs no engine that runs.
    agent.stop().await.expect("stops");
    engine
}

fn errors(engine: &Engine, text: &str) -> String {
    let documents = match parse("router.yaml", text, Format::Yaml) {
        Ok(documents) => documents,
        Err(error) => return error.to_string(),
    };
    match engine.read(&documents) {
        Err(errors) => errors.to_string(),
        Ok(items) => {
            let unknown: Vec<String> =
                engine.unknown_references(&items).iter().map(ToString::to_string).collect();
            unknown.join("\n")
        }
    }
}

#[tokio::test]
async fn each_gets_one_error_with_document_path_and_reason() {
    let engine = engine().await;
    let cases = [
        (
            "nothing wrong",
            "loopbacks:\n- { name: a, addresses: [10.0.0.1/24] }\nroutes:\n- { prefix: 0.0.0.0/0, via: 10.0.0.2, interface: a }",
        ),
        ("unknown section", "loopback:\n- { name: a }\nruotes: []"),
        ("unknown field", "loopbacks:\n- name: a\n- name: b\n  mut: 1500"),
        ("unknown field, twice in one item", "loopbacks:\n- nam: a\n  mut: 1500"),
        ("missing field", "routes:\n- { prefix: 0.0.0.0/0, via: 10.0.0.2 }"),
        ("wrong type", "loopbacks:\n- name: a\n  mtu: large"),
        ("wrong type of a list", "loopbacks:\n- name: a\n  addresses: 10.0.0.1/24"),
        ("wrong type of a section", "loopbacks: { name: a }"),
        ("wrong type of a document", "- a\n- b"),
        ("not an address", "routes:\n- prefix: 0.0.0.0/0\n  via: 10.0.0\n  interface: a"),
        ("out of range", "loopbacks:\n- name: a\n  mtu: 65536"),
        ("rejected by its descriptor", "loopbacks:\n- name: ''\n  addresses: []\n  mtu: 5"),
        ("derived item rejected", "loopbacks:\n- name: a\n  addresses: [10.0.0.1]"),
        ("duplicate", "loopbacks:\n- name: a\n- name: b\n---\nloopback:\n- name: a"),
        ("duplicate field", "loopbacks:\n- name: a\n  name: b"),
        ("duplicate section", "loopbacks: []\nloopbacks: []"),
        (
            "unknown reference",
            "loopbacks:\n- name: loop-a\nroutes:\n- { prefix: 10.1.0.0/16, via: 10.0.0.2, interface: loop-a }\n- { prefix: 10.2.0.0/16, via: 10.0.0.2, interface: loop-b }",
        ),
        ("not YAML", "loopbacks:\n- name: a\n  - name: b"),
        ("all at once", "loopbacks:\n- name: 5\n- name: a\n- mtu: 1\nroutes:\n- {}"),
    ];
    let told: String =
        cases.iter().map(|(what, text)| format!("{what}:\n{}\n", errors(&engine, text))).collect();
    insta::assert_snapshot!(told);
}

/// A long list is read in parts, which nobody can tell from what is told.
#[tokio::test]
async fn a_long_document_is_told_as_any_other() {
    let engine = engine().await;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("long.yaml");
    let name = path.to_string_lossy().into_owned();
    let line =
        |n: u32| format!("- {{ prefix: 10.{}.{}.0/24, via: 10.0.0.2, interface: a }}\n", n >> 8, n & 255);
    for wrong in [vec![], vec![2_500, 9_999], vec![4_000, 4_001, 8_000]] {
        let mut text = "loopbacks:\n- name: a\nroutes:\n".to_owned();
        for n in 0..10_000 {
            match wrong.contains(&n) {
                false => text += &line(n),
                true if n % 2 == 1 => text += &line(7),
                true => text += "- { prefix: 10.0.0.0/8, wai: 10.0.0.2, interface: a }\n",
            }
        }
        fs::write(&path, &text).expect("written");
        let read = engine.read(&parse(&name, &text, Format::Yaml).expect("a document"));
        match (FileStore::new((*engine).clone(), vec![path.clone()]).next().await, read) {
            (Ok(Update::All(wanted)), Ok(items)) => {
                let items = items.into_iter().map(|item| (item.key, item.value));
                assert_eq!((wanted.len(), wanted), (10_001, items.collect()));
            }
            (Ok(Update::Bad(told)), Err(errors)) => {
                let lines: Vec<String> =
                    wrong.iter().map(|n| format!("{name}:{}: routes[{n}]", n + 4)).collect();
                assert!(told.iter().zip(&lines).all(|(told, line)| told.starts_with(line)), "{told:?}");
                assert_eq!((told.len(), told.join("\n")), (wrong.len(), errors.to_string()));
            }
            (store, read) => panic!("{store:?} and {read:?}"),
        }
    }
}

#[tokio::test]
async fn bad_json_names_the_field() {
    let router = Router::new();
    southbound(&router);
    let agent = vpp_agent_kernel::Agent::builder("test").plugin::<Engine>().plugin::<Kinds>();
    let agent = agent.start(vpp_agent_kernel::Settings::none()).await.expect("starts");
    let engine = agent.plugin::<Engine>().expect("listed");
    let bad = serde_json::json!({ "name": "a", "mtu": 70000 });
    let good = serde_json::json!({ "name": "b" });
    let set = engine.transaction().set_json(key("loopback/a"), bad).set_json(key("loopback/b"), good);
    let report = set.commit().await.expect("the engine runs");
    assert_eq!(
        report.errors,
        ["loopback/a: mtu: this is integer `70000`, and should be an integer from 0 to 65535"]
    );
    assert_eq!(router.there(), ["loopback/b"]);
}

const BOTH: &str =
    "loopbacks:\n- name: a\n- name: b\nroutes:\n- { prefix: 10.0.0.0/8, via: 10.0.0.2, interface: b }\n";

#[tokio::test(start_paused = true)]
async fn all_or_nothing_leaves_nothing_behind() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("router.yaml");
    fs::write(&file, "loopbacks:\n- name: a\n- name: old\n").expect("written");
    let follower = Follower::start(&file, "apply = 'all-or-nothing'").await;
    follower.configured(&["loopback/a", "loopback/old"]).await;
    follower.ready().await;
    follower.router.fail("route/0/10.0.0.0/8", true);
    fs::write(&file, BOTH).expect("written");
    let why = follower.health(|state| matches!(state, HealthState::Degraded(_))).await;
    assert_eq!(
        why.to_string(),
        "degraded: not applied, since it cannot be applied whole: route/0/10.0.0.0/8: out of memory"
    );
    assert_eq!(follower.router.there(), ["loopback/a", "loopback/old"]);
    follower.configured(&["loopback/a", "loopback/old"]).await;
    // It is tried again by itself.
    follower.router.fail("route/0/10.0.0.0/8", false);
    follower.ready().await;
    follower.configured(&["loopback/a", "loopback/b", "route/0/10.0.0.0/8"]).await;
    assert_eq!(follower.router.there(), ["loopback/a", "loopback/b", "route/0/10.0.0.0/8"]);
}

#[tokio::test(start_paused = true)]
async fn best_effort_lists_what_is_in_place_and_what_is_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("router.yaml");
    fs::write(&file, BOTH.to_owned() + "- { prefix: 11.0.0.0/8, via: 10.0.0.2, interface: c }\n")
        .expect("written");
    let router = Router::new();
    router.fail("loopback/b", true);
    let follower = Follower::on(router, &file, "").await;
    follower.configured(&["loopback/a"]).await;
    follower.ready().await;
    let report = follower
        .engine
        .history(std::time::Duration::ZERO..=follower.engine.now())
        .into_iter()
        .find(|report| !report.items.is_empty())
        .expect("applied");
    insta::assert_snapshot!(format!("{report}\n{report:#}"));
    follower.router.fail("loopback/b", false);
    follower.configured(&["loopback/a", "loopback/b", "route/0/10.0.0.0/8"]).await;
    let status = follower.engine.status(&key("route/0/11.0.0.0/8")).expect("wanted");
    assert_eq!(
        (status.state, status.pending),
        (State::Pending, vec!["needs loopback/c, which nobody wants".to_owned()])
    );
}

#[tokio::test(start_paused = true)]
async fn references_may_have_to_be_known() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("router.yaml");
    fs::write(
        &file,
        "loopbacks:\n- name: a\nroutes:\n- { prefix: 10.0.0.0/8, via: 10.0.0.2, interface: b }\n",
    )
    .expect("written");
    let follower = Follower::start(&file, "unknown-references = 'reject'").await;
    let why =
        follower.health(|state| matches!(state, HealthState::Waiting(why) if why.contains("needs"))).await;
    assert!(
        why.to_string().ends_with(
            "router.yaml:4: routes[0]: route/0/10.0.0.0/8 needs loopback/b, which no document wants"
        ),
        "{why}"
    );
    assert_eq!(follower.router.there(), [""; 0]);
    fs::write(&file, BOTH).expect("written");
    follower.configured(&["loopback/a", "loopback/b", "route/0/10.0.0.0/8"]).await;
    follower.ready().await;
}

/// An engine alone, without an agent, reads as well.
#[tokio::test]
async fn an_engine_without_kinds_says_so() {
    let engine = Engine::start(Settings::default());
    assert_eq!(
        errors(&engine, "routes: []"),
        "router.yaml:1: routes: this agent has no such kind; there are no kinds"
    );
}
