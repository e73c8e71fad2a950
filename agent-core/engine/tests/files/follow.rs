//! Desired state follows the files, whatever happens to them.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use vpp_agent_engine::Engine;
use vpp_agent_kernel::HealthState;

use crate::{Follower, key};

const A: &str = "loopbacks:\n  - { name: a }\n";
const AB: &str = "loopbacks:\n  - { name: a }\n  - { name: b }\n";

fn write(path: &Path, text: &str) {
    fs::write(path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

/// As editors save: a new file takes the name.
fn replace(path: &Path, text: &str) {
    let new = path.with_extension("new");
    write(&new, text);
    fs::rename(&new, path).expect("renamed");
}

/// Only what the system tells: nobody looks by himself.
const TOLD: &str = "check-every = 0";

/// L24: what makes an item is what deletes it: its lines in the file.
#[tokio::test]
async fn an_edited_file_is_followed() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("router.yaml");
    write(
        &file,
        "loopbacks:\n  - { name: loop-a, addresses: [10.0.0.1/24] }\nroutes:\n  \
         - { prefix: 10.1.0.0/16, via: 10.0.0.2, interface: loop-a }\n",
    );
    let follower = Follower::start(&file, TOLD).await;
    follower.configured(&["loopback/loop-a", "address/loop-a/10.0.0.1/24", "route/0/10.1.0.0/16"]).await;
    follower.ready().await;
    assert_eq!(follower.router.calls().len(), 3);
    let source = follower.agent.plugin::<vpp_agent_engine::file::FileSource>().expect("listed");
    let origin = source.origin(&key("route/0/10.1.0.0/16")).expect("written");
    assert_eq!(origin.to_string(), format!("{}:4", file.display()));
    // In place, by rename, and with nothing in it.
    write(&file, AB);
    follower.configured(&["loopback/a", "loopback/b"]).await;
    replace(&file, A);
    follower.configured(&["loopback/a"]).await;
    replace(&file, AB);
    follower.configured(&["loopback/a", "loopback/b"]).await;
    write(&file, "");
    follower.configured(&[]).await;
    assert_eq!(follower.router.there(), [""; 0]);
    drop(source);
    follower.agent.stop().await.expect("stops");
}

#[tokio::test]
async fn a_file_may_come_later_and_go() {
    let folder = tempfile::tempdir().expect("a folder");
    let deep = folder.path().join("etc/router");
    let file = deep.join("router.yaml");
    let follower = Follower::start(&file, TOLD).await;
    let why = follower
        .health(|state| matches!(state, HealthState::Waiting(why) if why.contains("cannot read")))
        .await;
    assert!(why.to_string().ends_with("router.yaml: No such file or directory (os error 2)"), "{why}");
    // L32: nobody else waits for it.
    let value = serde_json::json!({ "name": "local" });
    let local = follower.engine.transaction().set_json(key("loopback/local"), value);
    local.commit().await.expect("the engine runs");
    assert_eq!(follower.router.calls(), ["create loopback/local"]);
    let local = follower.engine.transaction().delete_key(key("loopback/local"));
    local.commit().await.expect("the engine runs");
    fs::create_dir_all(&deep).expect("made");
    write(&file, A);
    follower.configured(&["loopback/a"]).await;
    follower.ready().await;
    // What is not there wants nothing else than before.
    fs::remove_dir_all(folder.path().join("etc")).expect("removed");
    follower.health(|state| matches!(state, HealthState::Degraded(why) if why.contains("cannot read"))).await;
    follower.configured(&["loopback/a"]).await;
    fs::create_dir_all(&deep).expect("made");
    write(&file, AB);
    follower.configured(&["loopback/a", "loopback/b"]).await;
    follower.ready().await;
}

#[tokio::test]
async fn documents_of_a_directory_are_one_desired_state() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    write(&at("1.yaml"), "loopbacks: [{ name: a }]\n---\nloopback: [{ name: b }]\n");
    write(&at("2.json"), r#"{ "loopbacks": [{ "name": "c" }] }"#);
    write(&at("3.toml"), "[[loopbacks]]\nname = 'd'\n");
    write(&at(".hidden.yaml"), "loopbacks: [{ name: x }]");
    write(&at("notes.txt"), "no document");
    fs::create_dir(at("sub.yaml")).expect("made");
    let follower = Follower::start(folder.path(), TOLD).await;
    let all = ["loopback/a", "loopback/b", "loopback/c", "loopback/d"];
    follower.configured(&all).await;
    fs::remove_file(at("2.json")).expect("removed");
    follower.configured(&["loopback/a", "loopback/b", "loopback/d"]).await;
    write(&at("4.yaml"), "loopbacks: [{ name: a }]");
    let why = follower.health(|state| matches!(state, HealthState::Degraded(_))).await.to_string();
    assert!(
        why.contains("4.yaml:1: loopbacks[0]: loopback/a is wanted already by loopbacks[0] at "),
        "{why}"
    );
    assert!(why.ends_with("1.yaml:1"), "{why}");
    follower.configured(&["loopback/a", "loopback/b", "loopback/d"]).await;
    replace(&at("4.yaml"), "loopbacks: [{ name: e }]");
    follower.configured(&["loopback/a", "loopback/b", "loopback/d", "loopback/e"]).await;
    follower.ready().await;
}

/// A ConfigMap's volume: the files are links through `..data`, which is swapped for another directory.
#[tokio::test]
async fn a_config_map_is_followed() {
    let volume = tempfile::tempdir().expect("a folder");
    let at = |name: &str| volume.path().join(name);
    let publish = |version: &str, text: &str| {
        fs::create_dir(at(version)).expect("made");
        write(&at(version).join("router.yaml"), text);
        symlink(version, at("..data_tmp")).expect("linked");
        fs::rename(at("..data_tmp"), at("..data")).expect("swapped");
    };
    publish("..1", A);
    symlink("..data/router.yaml", at("router.yaml")).expect("linked");
    for path in [volume.path().to_owned(), at("router.yaml")] {
        let follower = Follower::start(&path, TOLD).await;
        follower.configured(&["loopback/a"]).await;
        let (next, last) = if path == volume.path() { ("..2", "..1") } else { ("..4", "..3") };
        publish(next, AB);
        fs::remove_dir_all(at(last)).expect("removed");
        follower.configured(&["loopback/a", "loopback/b"]).await;
        follower.ready().await;
        publish(if path == volume.path() { "..3" } else { "..5" }, A);
        fs::remove_dir_all(at(next)).expect("removed");
        follower.configured(&["loopback/a"]).await;
    }
}

#[tokio::test]
async fn a_link_to_elsewhere_is_followed() {
    let (here, there) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let (file, link) = (there.path().join("real.yaml"), here.path().join("router.yaml"));
    write(&file, A);
    symlink(&file, &link).expect("linked");
    let follower = Follower::start(&link, TOLD).await;
    follower.configured(&["loopback/a"]).await;
    replace(&file, AB);
    follower.configured(&["loopback/a", "loopback/b"]).await;
}

#[tokio::test]
async fn what_is_half_written_changes_nothing() {
    use std::io::Write;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("router.yaml");
    write(&file, AB);
    let follower = Follower::start(&file, TOLD).await;
    follower.configured(&["loopback/a", "loopback/b"]).await;
    follower.router.calls();
    // It can be read at each of these moments, and wants less than what it is about to.
    let mut writer = fs::File::create(&file).expect("opened");
    for line in ["loopbacks:\n", "  - { name: a }\n", "  - { name: b }\n"] {
        writer.write_all(line.as_bytes()).expect("written");
        writer.flush().expect("written");
        tokio::task::yield_now().await;
    }
    writer.write_all(b"  - { name: c }\n").expect("written");
    drop(writer);
    follower.configured(&["loopback/a", "loopback/b", "loopback/c"]).await;
    assert_eq!(follower.router.calls(), ["create loopback/c"]);
    // What cannot be read neither.
    write(&file, "loopbacks:\n  - { name: a");
    let why = follower.health(|state| matches!(state, HealthState::Degraded(_))).await.to_string();
    assert!(why.contains("router.yaml:"), "{why}");
    follower.configured(&["loopback/a", "loopback/b", "loopback/c"]).await;
    assert_eq!(follower.router.calls(), [""; 0]);
    write(&file, AB);
    follower.configured(&["loopback/a", "loopback/b"]).await;
    follower.ready().await;
}

/// Without the system's help, in made-up time.
#[tokio::test(start_paused = true)]
async fn files_are_also_looked_at_from_time_to_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("router.yaml");
    let follower = Follower::start(&file, "check-every = 3600").await;
    follower.health(|state| matches!(state, HealthState::Waiting(why) if why.contains("cannot read"))).await;
    write(&file, A);
    follower.configured(&["loopback/a"]).await;
}

/// What somebody else made is left alone.
#[tokio::test]
async fn a_restart_beside_what_is_right_does_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("router.yaml");
    write(&file, AB);
    let first = Follower::start(&file, TOLD).await;
    first.configured(&["loopback/a", "loopback/b"]).await;
    let router = first.router.clone();
    first.agent.stop().await.expect("stops");
    router.calls();
    router.put::<crate::kinds::Loopbacks>(
        serde_json::from_value(serde_json::json!({ "name": "x" })).expect("one"),
    );
    let second = Follower::on(router.clone(), &file, TOLD).await;
    second.configured(&["loopback/a", "loopback/b"]).await;
    second.ready().await;
    assert_eq!(router.calls(), [""; 0]);
}

/// What `plan` does: it looks, and whatever is wanted of it then, it does nothing.
#[tokio::test(start_paused = true)]
async fn an_onlooker_does_nothing() {
    use crate::kinds::{Kinds, Loopback, Loopbacks, Router};
    let router = Router::new();
    crate::southbound(&router);
    let engine = Engine::held(vpp_agent_engine::Settings::default());
    Kinds::register(&engine);
    let value: Loopback = serde_json::from_value(serde_json::json!({ "name": "x" })).expect("one");
    let set = || engine.transaction().set::<Loopbacks>(value.clone());
    assert_eq!(engine.look(None, std::time::Duration::from_secs(5)).await, [""; 0]);
    let never = tokio::time::timeout(std::time::Duration::from_secs(3600), set().commit()).await;
    assert!(never.is_err());
    assert_eq!(router.calls(), [""; 0]);
    assert_eq!(set().plan().steps.len(), 1);
}

/// What it remembers is part of what it sees, and stays as it is.
#[tokio::test(start_paused = true)]
async fn an_onlooker_reads_the_journal() {
    use crate::kinds::{Kinds, Loopback, Loopbacks, Router};
    use vpp_agent_engine::{MemoryJournal, Resync, Settings};
    let (router, journal) = (Router::new(), MemoryJournal::default());
    crate::southbound(&router);
    let value = |name: &str| -> Loopback {
        serde_json::from_value(serde_json::json!({ "name": name })).expect("one")
    };
    let first = Engine::start(Settings { journal: Some(Box::new(journal.clone())), ..Settings::default() });
    Kinds::register(&first);
    let of_file = first.transaction().source("file").set::<Loopbacks>(value("old"));
    of_file.commit().await.expect("the engine runs");
    first.transaction().set::<Loopbacks>(value("kept")).commit().await.expect("the engine runs");
    first.stop().await;
    let before = format!("{journal:?}");
    // Somebody took away what a kept source wants: an agent would make it again.
    router.take("loopback/kept");
    router.calls();
    let engine = Engine::held(Settings::default());
    Kinds::register(&engine);
    let look = engine.look(Some(Box::new(journal.clone())), std::time::Duration::from_secs(5));
    assert_eq!(look.await, [""; 0]);
    let plan =
        engine.transaction().source("file").set::<Loopbacks>(value("new")).resync(Resync::Desired).plan();
    let mut steps: Vec<String> =
        plan.steps.iter().map(|step| format!("{} {}", step.action, step.key)).collect();
    steps.sort();
    assert_eq!(steps, ["create loopback/kept", "create loopback/new", "delete loopback/old"]);
    assert_eq!((router.calls(), router.there()), (vec![], vec!["loopback/old".to_owned()]));
    assert_eq!(format!("{journal:?}"), before);
}

/// A kind may be registered when the documents that want its items have been read, and found wrong.
#[tokio::test(start_paused = true)]
async fn a_late_kind_is_found() {
    use crate::kinds::{Kinds, Router};
    use vpp_agent_engine::file::FileSource;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("router.yaml");
    write(&file, A);
    let settings = format!("[file]\npath = '{}'", file.display());
    let agent = vpp_agent_kernel::Agent::builder("test").plugin::<Engine>().plugin::<FileSource>();
    let agent = agent.start(vpp_agent_kernel::Settings::toml(settings)).await.expect("starts");
    let mut health = agent.health();
    let no_kind = |health: &vpp_agent_kernel::AgentHealth| {
        health.of("file").is_some_and(|state| state.to_string().ends_with("no such kind; there are no kinds"))
    };
    health.wait_for(no_kind).await.expect("the agent runs");
    let engine = agent.plugin::<Engine>().expect("listed");
    crate::southbound(&Router::new());
    Kinds::register(&engine);
    crate::configured(&engine, &["loopback/a"]).await;
}
