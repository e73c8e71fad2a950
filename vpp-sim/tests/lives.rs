//! Start, crash, restart and end of a stand-in, and what differs between two of them.

use std::io::ErrorKind;
use std::os::unix::net::{UnixListener, UnixStream};

use serde_json::json;
use vpp_26_06::interface::{CreateLoopback, SwInterfaceDump, SwInterfaceEvent, WantInterfaceEvents};
use vpp_26_06::nat44_ed::Nat44EdPluginEnableDisable;
use vpp_26_06::vpe::ShowVersion;
use vpp_conn::{CallError, ConnectCause, Connection, Incompatible};
use vpp_sim::{Fault, Sim, StartError};

#[tokio::test]
async fn nothing_is_left_behind() {
    let sim = Sim::release("26.06").start().await.unwrap();
    let (socket, folder) = (sim.socket().to_owned(), sim.socket().parent().unwrap().to_owned());
    assert!(UnixStream::connect(&socket).is_ok());
    sim.stop();
    assert!(!socket.exists() && !folder.exists());
}

#[test]
fn no_runtime_is_needed() {
    let sim = Sim::release("26.06").start_blocking().unwrap();
    assert!(UnixStream::connect(sim.socket()).is_ok());
    assert_eq!(sim.clients(), 0, "a connection is no client yet");
}

#[tokio::test]
async fn a_path_that_is_in_use_is_refused_and_a_forgotten_one_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("api.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let error = Sim::release("26.06").socket(&path).start().await.unwrap_err();
    let StartError::Socket { source, .. } = &error else { panic!("{error}") };
    assert_eq!(source.kind(), ErrorKind::AddrInUse);
    drop(listener);
    let sim = Sim::release("26.06").socket(&path).start().await.unwrap();
    Connection::connect(&path).await.unwrap();
    drop(sim);
    assert!(!path.exists() && folder.path().exists());
}

/// Their `show_version` is one definition in all of them.
#[tokio::test]
async fn every_pinned_release_stands_in() {
    assert_eq!(vpp_api_json::releases().len(), 14);
    for release in vpp_api_json::releases() {
        let sim = Sim::release(release).start().await.unwrap();
        let vpp = Connection::connect(sim.socket()).await.unwrap();
        let version = vpp.call(&ShowVersion {}).await.unwrap().version;
        assert_eq!(version.to_string(), format!("{release}-release"));
        vpp.close().await.unwrap();
    }
}

#[tokio::test]
async fn an_unknown_release_is_refused_by_name() {
    let error = Sim::release("19.04").start().await.unwrap_err();
    assert!(error.to_string().contains("19.04"), "{error}");
}

#[tokio::test]
async fn a_crash_ends_everything_and_a_new_life_begins_empty() {
    let sim = Sim::release("26.06").start().await.unwrap();
    let vpp = Connection::connect(sim.socket()).await.unwrap();
    vpp.call(&CreateLoopback::default()).await.unwrap();
    let before = vpp.table().get("show_version").unwrap().id;

    // A call that is waiting when it happens fails at once.
    sim.fault(Fault::drop_reply("show_version").once());
    let waiting = tokio::spawn({
        let vpp = vpp.clone();
        async move { vpp.call(&ShowVersion).await }
    });
    while sim.calls("show_version") == 0 {
        tokio::task::yield_now().await;
    }
    sim.crash();
    assert!(matches!(waiting.await.unwrap(), Err(CallError::Lost { .. })));
    let error = Connection::connect(sim.socket()).await.unwrap_err();
    assert!(matches!(error.cause, ConnectCause::NotThere), "{error}");

    sim.shift_ids(100);
    sim.start_again().unwrap();
    let vpp = Connection::connect(sim.socket()).await.unwrap();
    assert_eq!(vpp.table().get("show_version").unwrap().id, before + 100);
    assert_eq!(vpp.dump(&SwInterfaceDump::default()).collect().await.unwrap().len(), 1);
    assert_eq!(sim.calls("create_loopback"), 1, "counts stay");

    sim.restart().unwrap();
    assert!(matches!(vpp.call(&ShowVersion).await, Err(CallError::Lost { .. })));
    Connection::connect(sim.socket()).await.unwrap().call(&ShowVersion).await.unwrap();
}

#[tokio::test]
async fn an_absent_plugin_and_another_definition() {
    let sim =
        Sim::release("26.06").without_module("nat44_ed").crc("show_version", 0xdead).start().await.unwrap();
    let vpp = Connection::connect(sim.socket()).await.unwrap();
    let incompatible = |result: Result<(), Incompatible>| result.unwrap_err().to_string();
    let absent = incompatible(vpp.check::<Nat44EdPluginEnableDisable>());
    assert!(absent.contains("nat44_ed_plugin_enable_disable"), "{absent}");
    let changed = incompatible(vpp.check::<ShowVersion>());
    assert!(changed.contains("0000dead") && changed.contains("51077d14"), "{changed}");
}

#[tokio::test]
async fn events_can_be_sent_on_order() {
    let sim = Sim::release("26.06").start().await.unwrap();
    let vpp = Connection::connect(sim.socket()).await.unwrap();
    let other = Connection::connect(sim.socket()).await.unwrap();
    let mut unasked = other.listen::<SwInterfaceEvent>().unwrap();
    let mut events = vpp.events::<SwInterfaceEvent>().await.unwrap();
    sim.send_event("sw_interface_event", &json!({"pid": 7, "sw_if_index": 3, "deleted": true}));
    let event = events.next().await.unwrap();
    assert_eq!((event.pid, event.sw_if_index, event.deleted), (7, 3, true));
    sim.send_event("sw_interface_event", &json!({"sw_if_index": 4}));
    assert_eq!(events.next().await.unwrap().pid, std::process::id(), "as the client gave it");

    // Who did not ask gets nothing: what is first is the event that came after asking.
    other.call(&WantInterfaceEvents { enable_disable: 1, pid: 11 }).await.unwrap();
    sim.send_event("sw_interface_event", &json!({"sw_if_index": 5}));
    let event = unasked.next().await.unwrap();
    assert_eq!((event.sw_if_index, event.pid), (5, 11));
}
