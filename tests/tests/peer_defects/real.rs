//! Defects seen with a real VPP that is stopped, so that it answers late, or never.

use std::task::Poll;

use libtest_mimic::Failed;
use rustix::process::{Pid, Signal, kill_process};
use tokio::task::JoinSet;
use vpp_26_06::memclnt::ControlPing;
use vpp_26_06::vpe::ShowVersion;
use vpp_conn::{CallError, Lost};
use vpp_sim::private_vpp::PrivateVpp;

use super::cases::{check, connect, is_good, request};

fn signal(vpp: &PrivateVpp, signal: Signal) -> Result<(), Failed> {
    let pid = vpp.pid().and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?)).ok_or("VPP does not run")?;
    Ok(kill_process(pid, signal)?)
}

/// Defect 3.
pub(super) async fn in_flight_calls_end_when_vpp_dies(mut vpp: PrivateVpp) -> Result<(), Failed> {
    let client = connect(vpp.socket()).await?;
    signal(&vpp, Signal::STOP)?;
    let mut calls = JoinSet::new();
    for _ in 0..37 {
        let client = client.clone();
        calls.spawn(async move { client.call(&ShowVersion {}).await });
    }
    while client.counters().in_flight < 37 {
        tokio::task::yield_now().await;
    }
    vpp.kill();
    while let Some(outcome) = calls.join_next().await {
        let error = outcome?.unwrap_err();
        assert!(matches!(&error, CallError::Lost { lost: Lost::ClosedByVpp, .. }), "{error}");
    }
    Ok(())
}

/// Defect 4. The stale replies come in front of those to the later calls.
pub(super) async fn a_stale_reply_never_reaches_a_later_call(vpp: PrivateVpp) -> Result<(), Failed> {
    const STALE: u32 = 20;
    let client = connect(vpp.socket()).await?;
    signal(&vpp, Signal::STOP)?;
    for number in 0..STALE {
        let stale = request(number);
        let mut given_up = Box::pin(client.call(&stale).into_future());
        let sent = std::future::poll_fn(|cx| Poll::Ready(given_up.as_mut().poll(cx).is_pending())).await;
        assert!(sent, "answered by a VPP that is stopped");
    }
    let mut later = JoinSet::new();
    for number in 0..STALE {
        // Of the other kind, so that a stale reply would be seen.
        let other = (number + 1..).find(|other| is_good(*other) != is_good(number)).unwrap_or_default();
        let client = client.clone();
        later.spawn(async move { (other, client.call(&request(other)).await.map(drop)) });
    }
    while client.counters().in_flight < u64::from(STALE) {
        tokio::task::yield_now().await;
    }
    signal(&vpp, Signal::CONT)?;
    while let Some(outcome) = later.join_next().await {
        let (number, outcome) = outcome?;
        check(number, outcome);
    }
    client.call(&ControlPing).await?;
    assert_eq!(client.counters().late, u64::from(STALE), "the stale replies came, and nobody got them");
    Ok(())
}
