//! Defects seen with a VPP that behaves, and some with one that ends or is slow.

use std::path::Path;
use std::task::Poll;
use std::time::Duration;

use libtest_mimic::Failed;
use vpp_26_06::interface::{
    CreateLoopback, IfStatusFlags, SwInterfaceDump, SwInterfaceEvent, SwInterfaceSetFlags,
};
use vpp_26_06::memclnt::ControlPing;
use vpp_26_06::vpe::{ShowVersion, ShowVpeSystemTime};
use vpp_conn::{CallError, Connection, EventError, Lost, State};
use vpp_sim::{Fault, Sim};
use vpp_wire::ApiError;

use crate::LONG;

/// So far away that nothing comes by time.
const HOUR: Duration = Duration::from_secs(3600);

/// A connection on which nothing ends by its deadline before the case has failed.
pub(super) async fn connect(socket: &Path) -> Result<Connection, Failed> {
    Ok(Connection::builder().deadline(HOUR).connect(socket).await?)
}

async fn create_loopbacks(vpp: &Connection, count: usize) -> Result<(), Failed> {
    let loopbacks = std::iter::repeat_n(CreateLoopback::default(), count);
    vpp.pipeline(loopbacks).collect().await.map_err(|(_, error)| error)?;
    Ok(())
}

/// Defect 1. GoVPP gave 981 of them and a clean end.
pub(super) async fn a_slow_consumer_of_a_1000_entry_dump_gets_1000(socket: &Path) -> Result<(), Failed> {
    let vpp = connect(socket).await?;
    create_loopbacks(&vpp, 999).await?;
    let mut dump = vpp.dump(&SwInterfaceDump::default());
    let mut seen: Vec<_> = dump.next().await?.iter().map(|first| first.view().sw_if_index()).collect();
    // The reader is busy until all of the dump has come, and more behind it.
    for _ in 0..3 {
        vpp.call(&ControlPing).await?;
    }
    while let Some(next) = dump.next().await? {
        seen.push(next.view().sw_if_index());
    }
    seen.sort_unstable();
    assert!(seen.iter().copied().eq(0..1000), "{} entries", seen.len());
    Ok(())
}

/// Defect 2. A ping waited 10 s there.
pub(super) async fn a_ping_behind_an_undrained_dump_answers_at_once(socket: &Path) -> Result<(), Failed> {
    let vpp = connect(socket).await?;
    create_loopbacks(&vpp, 199).await?;
    let mut dump = vpp.dump(&SwInterfaceDump::default());
    assert!(dump.next().await?.is_some());
    let before = vpp.counters();
    vpp.call(&ControlPing).await?;
    // It waits for VPP alone: all of the dump has come before it, and nobody has read any.
    let after = vpp.counters();
    assert!(after.received > before.received && after.in_flight == 0, "{after:?}");
    let mut left = 0;
    while dump.next().await?.is_some() {
        left += 1;
    }
    assert_eq!(left, 199);
    Ok(())
}

/// No interface has it.
const NO_INTERFACE: u32 = 0x7fff_0000;

/// A request whose answer tells whether it is the answer to this request.
pub(super) fn request(number: u32) -> SwInterfaceSetFlags {
    let sw_if_index = if is_good(number) { 0 } else { NO_INTERFACE };
    SwInterfaceSetFlags { sw_if_index, flags: IfStatusFlags::default() }
}

pub(super) fn is_good(number: u32) -> bool {
    // No short period.
    number.wrapping_mul(0x9e37_79b9) >> 31 == 0
}

pub(super) fn check(number: u32, outcome: Result<(), CallError>) {
    match outcome {
        Ok(()) if is_good(number) => {}
        Err(CallError::Refused { error: ApiError::INVALID_SW_IF_INDEX, .. }) if !is_good(number) => {}
        other => panic!("request {number} got the answer of another: {other:?}"),
    }
}

/// Of replies awaited in reverse order GoVPP loses the first.
pub(super) async fn replies_awaited_in_reverse_order_all_come(socket: &Path) -> Result<(), Failed> {
    let vpp = connect(socket).await?;
    let calls: Vec<_> = (0..200)
        .map(|number| {
            let vpp = vpp.clone();
            tokio::spawn(async move { (number, vpp.call(&request(number)).await.map(drop)) })
        })
        .collect();
    for call in calls.into_iter().rev() {
        let (number, outcome) = call.await?;
        check(number, outcome);
    }
    Ok(())
}

/// GoVPP has 16 bits to number requests by.
pub(super) async fn calls_far_beyond_16_bits_of_sequence_are_not_confused(
    socket: &Path,
) -> Result<(), Failed> {
    const COUNT: u32 = 70_000;
    let vpp = connect(socket).await?;
    // Unanswered all the while.
    let mut events = vpp.listen::<SwInterfaceEvent>()?;
    let mut pipeline = vpp.pipeline((0..COUNT).map(request)).window(30);
    let mut seen = 0;
    while let Some((index, outcome)) = pipeline.next().await {
        check(u32::try_from(index)?, outcome.map(drop));
        seen += 1;
    }
    assert_eq!(seen, COUNT);
    drop(pipeline);
    let nothing = std::future::poll_fn(|cx| Poll::Ready(std::pin::pin!(events.next()).poll(cx).is_pending()));
    assert!(nothing.await, "no reply is taken for an event");
    Ok(())
}

/// Defect 3. There they end by their own deadline only.
pub(super) async fn in_flight_calls_end_when_vpp_dies() -> Result<(), Failed> {
    let sim = Sim::release("26.06").start().await?;
    sim.fault(Fault::drop_reply("show_vpe_system_time"));
    let vpp = connect(sim.socket()).await?;
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..37 {
        let vpp = vpp.clone();
        calls.spawn(async move { vpp.call(&ShowVpeSystemTime {}).await });
    }
    while sim.calls("show_vpe_system_time") < 37 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    sim.crash();
    while let Some(outcome) = calls.join_next().await {
        let error = outcome?.unwrap_err();
        assert!(matches!(&error, CallError::Lost { lost: Lost::ClosedByVpp, .. }), "{error}");
    }
    Ok(())
}

/// Defect 7, and 3 of a plain connection. There it takes the next ping, up to a second later, or is never noticed.
pub(super) async fn the_end_of_an_idle_connection_is_noticed_without_a_ping() -> Result<(), Failed> {
    let sim = Sim::release("26.06").start().await?;
    let vpp = connect(sim.socket()).await?;
    vpp.call(&ShowVersion {}).await?;
    // What is attempted by time would be attempted in an hour.
    let supervisor =
        Connection::builder().supervise().keepalive(HOUR, HOUR).backoff(HOUR, HOUR).start(sim.socket());
    supervisor.ready(LONG).await?;
    let mut states = supervisor.watch();
    sim.crash();
    assert_eq!(vpp.closed().await, Lost::ClosedByVpp);
    drop(states.wait_for(|state| matches!(state, State::Reconnecting { .. })).await?);
    assert_eq!(sim.calls("control_ping"), 0, "nothing was asked");
    supervisor.close().await?;
    Ok(())
}

/// Defect 4. There the next receive gives the earlier reply.
pub(super) async fn a_stale_reply_never_reaches_a_later_call() -> Result<(), Failed> {
    let sim = Sim::release("26.06").start().await?;
    let vpp = connect(sim.socket()).await?;
    for number in 0..20 {
        // Its answer comes while those behind it are under way.
        sim.fault(Fault::overtaken("sw_interface_set_flags", Duration::from_millis(50)).once());
        let late = vpp.counters().late;
        let stale = request(number);
        let mut given_up = Box::pin(vpp.call(&stale).into_future());
        let sent = std::future::poll_fn(|cx| Poll::Ready(given_up.as_mut().poll(cx).is_pending())).await;
        assert!(sent, "answered at once");
        drop(given_up);
        loop {
            // Of the other kind, so that the stale reply would be seen.
            let other = (number + 1..).find(|other| is_good(*other) != is_good(number)).unwrap_or_default();
            check(other, vpp.call(&request(other)).await.map(drop));
            if vpp.counters().late > late {
                break;
            }
        }
    }
    Ok(())
}

/// Defect 4. There a ping's reply is decoded as whatever is waited for. The stand-in gives the number of a request, which
/// no call waits for, so the deadline ends it; the number of another reply ends it at once, which `vpp-conn`, `socket`:
/// `a_wrong_answer_fails_its_call_and_nothing_else` shows.
pub(super) async fn a_reply_of_another_kind_fails_its_call_before_it_is_decoded() -> Result<(), Failed> {
    let sim = Sim::release("26.06").start().await?;
    let vpp = connect(sim.socket()).await?;
    sim.fault(Fault::wrong_reply_id("show_version").once());
    let error = vpp.call(&ShowVersion {}).deadline(Duration::from_millis(50)).await.unwrap_err();
    assert!(matches!(error, CallError::DeadlineExceeded { .. }), "{error}");
    assert!(!vpp.call(&ShowVersion {}).await?.version.is_empty(), "the connection stays usable");
    // Of the right kind and too short: an error, too, and not a half-filled value.
    sim.fault(Fault::short_reply("show_version").once());
    let error = vpp.call(&ShowVersion {}).await.unwrap_err();
    assert!(matches!(error, CallError::Decode(_)), "{error}");
    vpp.call(&ShowVersion {}).await?;
    Ok(())
}

/// Defect 6. There it ends as failed behind 3 attempts. The attempts here are counted, not timed.
pub(super) async fn a_vpp_that_is_away_for_long_is_connected_again() -> Result<(), Failed> {
    let sim = Sim::release("26.06").start().await?;
    let short = Duration::from_millis(1);
    let supervisor = Connection::builder().supervise().backoff(short, short).start(sim.socket());
    supervisor.ready(LONG).await?.call(&ShowVersion {}).await?;
    let mut states = supervisor.watch();
    sim.crash();
    let away = |state: &State| matches!(state, State::Reconnecting { attempts, .. } if attempts.failed > 100);
    drop(states.wait_for(away).await?);
    sim.start_again()?;
    supervisor.ready(LONG).await?.call(&ShowVersion {}).await?;
    supervisor.close().await?;
    Ok(())
}

/// Defect 17. There the 101st is dropped with a line in the log.
pub(super) async fn events_that_nobody_reads_are_counted() -> Result<(), Failed> {
    let sim = Sim::release("26.06").start().await?;
    let vpp = Connection::builder().event_capacity(100).connect(sim.socket()).await?;
    let mut events = vpp.events::<SwInterfaceEvent>().await?;
    for sw_if_index in 0..250 {
        sim.send_event("sw_interface_event", &serde_json::json!({ "sw_if_index": sw_if_index }));
    }
    vpp.call(&ControlPing).await?;
    match events.next().await {
        Err(EventError::Overrun { lost: 150, .. }) => {}
        other => panic!("{other:?}"),
    }
    for sw_if_index in 150..250 {
        assert_eq!(events.next().await?.sw_if_index, sw_if_index);
    }
    assert_eq!(vpp.counters().events_lost, 150);
    Ok(())
}

/// Defect 18. There a number may stand for a message of another release.
pub(super) async fn two_vpps_of_one_process_do_not_share_ids() -> Result<(), Failed> {
    let old = Sim::release("25.10").shift_ids(3).start().await?;
    let new = Sim::release("26.06").start().await?;
    let (on_old, on_new) = (connect(old.socket()).await?, connect(new.socket()).await?);
    let id = |vpp: &Connection| vpp.table().get("show_version").map(|entry| entry.id);
    assert_ne!(id(&on_old), id(&on_new));
    for _ in 0..10 {
        assert!(on_old.call(&vpp_25_10::vpe::ShowVersion {}).await?.version.starts_with("25.10"));
        assert!(on_new.call(&ShowVersion {}).await?.version.starts_with("26.06"));
    }
    Ok(())
}
