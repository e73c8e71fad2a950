//! Each fault, as a client meets it.

#![allow(clippy::unwrap_used)] // what is outside of the test functions is test code, too

use std::time::{Duration, Instant};

use vpp_26_06::interface::{CreateLoopback, SwInterfaceDump};
use vpp_26_06::memclnt::ControlPing;
use vpp_26_06::vpe::ShowVersion;
use vpp_conn::{CallError, Connection};
use vpp_sim::{Fault, Sim};
use vpp_wire::ApiError;

const SHORT: Duration = Duration::from_millis(50);

async fn start() -> (Sim, Connection) {
    let sim = Sim::release("26.06").start().await.unwrap();
    let vpp = Connection::connect(sim.socket()).await.unwrap();
    (sim, vpp)
}

#[tokio::test]
async fn a_dropped_reply_belongs_to_a_request_that_was_carried_out() {
    let (sim, vpp) = start().await;
    sim.fault(Fault::drop_reply("create_loopback").once());
    let error = vpp.call(&CreateLoopback::default()).deadline(SHORT).await.unwrap_err();
    assert!(matches!(error, CallError::DeadlineExceeded { .. }), "{error}");
    assert!(sim.interface("loop0").is_some());
    assert_eq!(vpp.call(&CreateLoopback::default()).await.unwrap().sw_if_index, 2);
    assert_eq!(sim.calls("create_loopback"), 2);
}

#[tokio::test]
async fn a_delayed_reply_holds_up_what_comes_behind() {
    let (sim, vpp) = start().await;
    sim.fault(Fault::delay("show_version", SHORT).once());
    let started = Instant::now();
    let (version, ping) =
        tokio::join!(async { vpp.call(&ShowVersion).await.map(|_| started.elapsed()) }, async {
            vpp.call(&ControlPing).await.map(|_| started.elapsed())
        },);
    assert!(version.unwrap() >= SHORT);
    assert!(ping.unwrap() >= SHORT);
}

#[tokio::test]
async fn an_overtaken_reply_holds_up_nothing() {
    let (sim, vpp) = start().await;
    sim.fault(Fault::overtaken("show_version", SHORT * 4).once());
    let started = Instant::now();
    let (version, ping) =
        tokio::join!(async { vpp.call(&ShowVersion).await.map(|_| started.elapsed()) }, async {
            vpp.call(&ControlPing).await.map(|_| started.elapsed())
        },);
    let (version, ping) = (version.unwrap(), ping.unwrap());
    assert!(version >= SHORT * 4 && ping < version, "{ping:?} {version:?}");
}

#[tokio::test]
async fn a_refused_request_is_not_carried_out() {
    let (sim, vpp) = start().await;
    sim.fault(Fault::refuse("create_loopback", -167).times(2));
    for _ in 0..2 {
        let error = vpp.call(&CreateLoopback::default()).await.unwrap_err();
        assert!(matches!(error, CallError::Refused { error: ApiError::BUSY, .. }), "{error}");
    }
    assert!(sim.interface("loop0").is_none());
    assert_eq!(vpp.call(&CreateLoopback::default()).await.unwrap().sw_if_index, 1);
}

#[tokio::test]
async fn another_message_and_a_short_one_are_errors_of_their_call_only() {
    let (sim, vpp) = start().await;
    sim.fault(Fault::wrong_reply_id("show_version").once());
    let error = vpp.call(&ShowVersion).deadline(SHORT).await.unwrap_err();
    assert!(!matches!(error, CallError::Lost { .. }), "{error}");
    sim.fault(Fault::short_reply("show_version").once());
    let error = vpp.call(&ShowVersion).await.unwrap_err();
    assert!(matches!(error, CallError::Decode(_)), "{error}");
    assert_eq!(vpp.call(&ShowVersion).await.unwrap().program, "vpe");
}

#[tokio::test]
async fn garbage_ends_the_connection_and_no_other() {
    let (sim, vpp) = start().await;
    let other = Connection::connect(sim.socket()).await.unwrap();
    sim.fault(Fault::garbage("show_version", [0xff; 64]).once());
    let error = vpp.call(&ShowVersion).await.unwrap_err();
    assert!(matches!(error, CallError::Lost { .. }), "{error}");
    other.call(&ShowVersion).await.unwrap();
}

#[tokio::test]
async fn a_connection_is_closed_on_a_message_or_after_many() {
    let (sim, vpp) = start().await;
    sim.fault(Fault::close_on("create_loopback"));
    let error = vpp.call(&CreateLoopback::default()).await.unwrap_err();
    assert!(matches!(error, CallError::Lost { .. }), "{error}");
    assert!(sim.interface("loop0").is_none());
    sim.clear_faults();

    let vpp = Connection::connect(sim.socket()).await.unwrap();
    sim.fault(Fault::close_after(3));
    for _ in 0..3 {
        vpp.call(&ControlPing).await.unwrap();
    }
    let error = vpp.call(&ControlPing).await.unwrap_err();
    assert!(matches!(error, CallError::Lost { .. }), "{error}");
}

#[tokio::test]
async fn a_dump_loses_its_details_or_its_end() {
    let (sim, vpp) = start().await;
    sim.fault(Fault::drop_reply("sw_interface_dump").once());
    assert!(vpp.dump(&SwInterfaceDump::default()).collect().await.unwrap().is_empty());
    sim.fault(Fault::drop_reply("control_ping").once());
    let dump = vpp.dump(&SwInterfaceDump::default()).deadline(SHORT);
    assert!(matches!(dump.collect().await.unwrap_err(), CallError::DeadlineExceeded { .. }));
    assert_eq!(vpp.dump(&SwInterfaceDump::default()).collect().await.unwrap().len(), 1);
}
