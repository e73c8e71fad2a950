//! Restarts of stand-ins in this process.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use libtest_mimic::{Failed, Trial};
use vpp_26_06::interface::{CreateLoopback, IfStatusFlags, SwInterfaceEvent, SwInterfaceSetFlags};
use vpp_conn::{
    AttemptError, CallError, ConnectCause, Connection, EventError, Gap, Lost, Notice, State,
    SupervisedEvents, Supervisor, SupervisorBuilder,
};
use vpp_sim::{Fault, Sim};

use crate::LONG;

/// So far away that nothing comes by time.
const HOUR: Duration = Duration::from_secs(3600);
const SHORT: Duration = Duration::from_millis(1);

macro_rules! trials {
    ($($case:ident),* $(,)?) => {
        vec![$(Trial::test(concat!("stand_in::", stringify!($case)), || run($case()))),*]
    };
}

pub(super) fn trials() -> Vec<Trial> {
    trials![
        a_vpp_that_appears_is_connected_at_once,
        a_place_that_cannot_be_watched_is_tried_by_time,
        in_flight_calls_end_when_vpp_dies,
        events_survive_a_restart_that_shifts_ids,
        streams_of_one_event_share_a_registration,
        events_that_this_vpp_does_not_have_come_with_one_that_has_them,
        a_connection_belongs_to_one_vpp,
        a_vpp_that_lacks_what_is_required_is_a_state_with_the_reason,
        hooks_run_on_each_connection_before_it_is_handed_out,
        a_hung_vpp_is_given_up,
        two_vpps_of_two_releases,
        many_restarts_leave_no_client_behind,
    ]
}

fn run(case: impl Future<Output = Result<(), Failed>>) -> Result<(), Failed> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let case = runtime.block_on(async { tokio::time::timeout(LONG, case).await });
    case.map_err(|_| "the case did not end")?
}

/// Attempts when something happens at the path, and otherwise as good as never.
fn noticing() -> SupervisorBuilder {
    Connection::builder().deadline(LONG).supervise().backoff(HOUR, HOUR)
}

/// Attempts by time.
fn trying() -> SupervisorBuilder {
    Connection::builder().deadline(LONG).supervise().backoff(SHORT, SHORT)
}

async fn generation(vpp: &Supervisor, wanted: u64) -> Result<Connection, Failed> {
    let mut states = vpp.watch();
    let state =
        states.wait_for(|state| matches!(state, State::Connected(now) if now.generation >= wanted)).await?;
    match &*state {
        State::Connected(now) if now.generation == wanted => Ok(now.connection.clone()),
        other => Err(format!("not generation {wanted}: {other:?}").into()),
    }
}

async fn a_vpp_that_appears_is_connected_at_once() -> Result<(), Failed> {
    let folder = tempfile::tempdir_in("/tmp")?;
    let socket = folder.path().join("run/vpp/api.sock");
    let vpp = noticing().start(&socket);
    assert!(vpp.ready(SHORT).await.is_err());
    std::fs::create_dir_all(folder.path().join("run/vpp"))?;
    assert!(vpp.ready(SHORT).await.is_err());
    let sim = Sim::release("26.06").socket(&socket).start().await?;
    let connection = vpp.ready(LONG).await?;
    let State::Connected(now) = vpp.state() else { return Err("lost".into()) };
    assert_eq!((now.generation, now.version.as_deref()), (1, Some("26.06-release")));
    assert_eq!(now.connection.client_index(), connection.client_index());

    // Also when the folder goes with it.
    sim.crash();
    assert!(matches!(connection.closed().await, Lost::ClosedByVpp));
    std::fs::remove_dir_all(folder.path().join("run"))?;
    std::fs::create_dir_all(folder.path().join("run/vpp"))?;
    sim.start_again()?;
    generation(&vpp, 2).await?;
    vpp.close().await?;
    assert_eq!((sim.calls("sockclnt_create"), sim.calls("sockclnt_delete")), (2, 1));
    Ok(())
}

async fn a_place_that_cannot_be_watched_is_tried_by_time() -> Result<(), Failed> {
    let folder = tempfile::tempdir_in("/tmp")?;
    let (link, target) = (folder.path().join("link"), folder.path().join("elsewhere"));
    std::os::unix::fs::symlink(&target, &link)?;
    let vpp = trying().start(link.join("api.sock"));
    std::fs::create_dir(&target)?;
    let sim = Sim::release("26.06").socket(target.join("api.sock")).start().await?;
    vpp.ready(LONG).await?;
    vpp.close().await?;
    drop(sim);
    Ok(())
}

async fn in_flight_calls_end_when_vpp_dies() -> Result<(), Failed> {
    use vpp_26_06::vpe::{ShowVersion, ShowVpeSystemTime};
    let sim = Sim::release("26.06").start().await?;
    sim.fault(Fault::drop_reply("show_vpe_system_time"));
    let vpp = noticing().start(sim.socket());
    let connection = vpp.ready(LONG).await?;
    let calls: Vec<_> = (0..37)
        .map(|_| {
            let connection = connection.clone();
            tokio::spawn(async move { connection.call(&ShowVpeSystemTime {}).await })
        })
        .collect();
    while sim.calls("show_vpe_system_time") < 37 {
        tokio::time::sleep(SHORT).await;
    }
    sim.crash();
    for call in calls {
        let error = call.await?.unwrap_err();
        assert!(matches!(&error, CallError::Lost { lost: Lost::ClosedByVpp, .. }), "{error}");
    }
    let mut states = vpp.watch();
    drop(states.wait_for(|state| matches!(state, State::Reconnecting { .. })).await?);
    let error = vpp.connection().unwrap_err();
    let State::Reconnecting { loss, .. } = &*error.state else { return Err(error.into()) };
    assert_eq!((loss.waiting, &loss.lost), (37, &Lost::ClosedByVpp));
    let text = error.to_string();
    let lost = "connection to VPP lost while 37 calls were waiting (VPP closed the socket)";
    assert!(text.starts_with(lost) && text.contains("; reconnecting "), "{text}");

    // Who can wait gets the next one.
    let next = tokio::spawn({
        let vpp = vpp.clone();
        async move { vpp.ready(LONG).await.map(|vpp| vpp.client_index()) }
    });
    sim.start_again()?;
    next.await??;
    vpp.connection()?.call(&ShowVersion {}).await?;
    vpp.close().await?;
    Ok(())
}

/// Reads up to the event that fits; a gap is none.
async fn until(
    events: &mut SupervisedEvents<SwInterfaceEvent>,
    fits: impl Fn(&SwInterfaceEvent) -> bool,
) -> Result<SwInterfaceEvent, Failed> {
    loop {
        match events.next().await? {
            Notice::Event(event) if fits(&event) => return Ok(event),
            Notice::Event(_) => {}
            Notice::Gap(gap) => return Err(format!("unexpected: {gap}").into()),
        }
    }
}

/// Reads up to the next gap.
async fn next_gap(events: &mut SupervisedEvents<SwInterfaceEvent>) -> Result<Gap, EventError> {
    loop {
        if let Notice::Gap(gap) = events.next().await? {
            return Ok(gap);
        }
    }
}

async fn events_survive_a_restart_that_shifts_ids() -> Result<(), Failed> {
    let sim = Sim::release("26.06").start().await?;
    let vpp = noticing().start(sim.socket());
    // Before there is a connection, and while there is one.
    let mut early = vpp.events::<SwInterfaceEvent>();
    vpp.ready(LONG).await?;
    let mut late = vpp.events::<SwInterfaceEvent>();
    let mut ids = Vec::new();
    for round in 1..=3u16 {
        for events in [&mut early, &mut late] {
            assert_eq!(next_gap(events).await?, Gap::Subscribed { generation: round.into() });
        }
        // By now it is handed out, and VPP sends events.
        let connection = vpp.connection()?;
        ids.push(connection.table().get("sw_interface_event").ok_or("no such event")?.id);
        let sw_if_index = connection.call(&CreateLoopback::default()).await?.sw_if_index;
        let flags = IfStatusFlags::ADMIN_UP;
        connection.call(&SwInterfaceSetFlags { sw_if_index, flags }).await?;
        for events in [&mut early, &mut late] {
            assert_eq!(until(events, |event| event.flags.contains(flags)).await?.sw_if_index, sw_if_index);
        }
        sim.shift_ids(round * 11);
        sim.restart()?;
    }
    assert!(ids[0] < ids[1] && ids[1] < ids[2], "{ids:?}");
    vpp.close().await?;
    // What the last connection brought comes first.
    let end = loop {
        if let Err(end) = next_gap(&mut early).await {
            break end;
        }
    };
    assert!(matches!(end, EventError::Lost { lost: Lost::Closed, .. }), "{end}");
    Ok(())
}

async fn streams_of_one_event_share_a_registration() -> Result<(), Failed> {
    let sim = Sim::release("26.06").start().await?;
    let vpp = noticing().start(sim.socket());
    let mut streams: Vec<_> = (0..3).map(|_| vpp.events::<SwInterfaceEvent>()).collect();
    for events in &mut streams {
        assert!(matches!(events.next().await?, Notice::Gap(_)));
    }
    let connection = vpp.connection()?;
    let sw_if_index = connection.call(&CreateLoopback::default()).await?.sw_if_index;
    for flags in [IfStatusFlags::ADMIN_UP, IfStatusFlags::default(), IfStatusFlags::ADMIN_UP] {
        connection.call(&SwInterfaceSetFlags { sw_if_index, flags }).await?;
        for events in &mut streams {
            until(events, |event| event.flags.contains(IfStatusFlags::ADMIN_UP) != flags.is_empty()).await?;
        }
        // The others lose nothing by it.
        streams.truncate(2);
    }
    let asked = sim.calls("want_interface_events");
    drop(streams);
    // The last one takes the registration with it, and a restart brings none back.
    connection.call(&SwInterfaceSetFlags { sw_if_index, flags: IfStatusFlags::ADMIN_UP }).await?;
    assert_eq!(sim.calls("want_interface_events"), asked + 1);
    sim.restart()?;
    generation(&vpp, 2).await?;
    assert_eq!(sim.calls("want_interface_events"), asked + 1);
    vpp.close().await?;
    Ok(())
}

async fn events_that_this_vpp_does_not_have_come_with_one_that_has_them() -> Result<(), Failed> {
    let folder = tempfile::tempdir_in("/tmp")?;
    let socket = folder.path().join("api.sock");
    let vpp = noticing().start(&socket);
    let mut events = vpp.events::<SwInterfaceEvent>();
    let sim = Sim::release("26.06").without_module("interface").socket(&socket).start().await?;
    let error = events.next().await.unwrap_err();
    assert!(matches!(&error, EventError::Unavailable { error: CallError::Incompatible(_), .. }), "{error}");
    assert!(
        error.to_string().starts_with("cannot subscribe to sw_interface_event: this VPP has no "),
        "{error}"
    );
    drop(sim);
    let sim = Sim::release("26.06").socket(&socket).start().await?;
    assert_eq!(events.next().await?, Notice::Gap(Gap::Subscribed { generation: 2 }));
    drop(events);
    vpp.close().await?;
    drop(sim);
    Ok(())
}

async fn a_connection_belongs_to_one_vpp() -> Result<(), Failed> {
    use vpp_26_06::interface::DeleteLoopback;
    let sim = Sim::release("26.06").start().await?;
    let vpp = noticing().start(sim.socket());
    let connection = vpp.ready(LONG).await?;
    let sw_if_index = connection.call(&CreateLoopback::default()).await?.sw_if_index;
    sim.restart()?;
    let next = generation(&vpp, 2).await?;
    let other = next.call(&CreateLoopback::default()).await?.sw_if_index;
    assert_eq!(sw_if_index, other, "the index means another interface now");
    let error = connection.call(&DeleteLoopback { sw_if_index }).await.unwrap_err();
    assert!(matches!(error, CallError::Lost { .. }));
    assert!(sim.interface("loop0").is_some(), "what was begun with the old VPP does not reach the new one");

    vpp.close().await?;

    // A connection that the program itself closes is made again, too.
    let vpp = trying().start(sim.socket());
    vpp.ready(LONG).await?.close().await?;
    generation(&vpp, 2).await?;
    vpp.close().await?;
    Ok(())
}

async fn a_vpp_that_lacks_what_is_required_is_a_state_with_the_reason() -> Result<(), Failed> {
    use vpp_26_06::nat44_ed::Nat44EdPluginEnableDisable;
    let folder = tempfile::tempdir_in("/tmp")?;
    let socket = folder.path().join("api.sock");
    let sim = Sim::release("26.06").socket(&socket).start().await?;
    let builder = Connection::builder().require(vpp_wire::messages![Nat44EdPluginEnableDisable]);
    // However often it would be tried: what lasts is not.
    let vpp = builder.supervise().backoff(SHORT, HOUR).start(&socket);
    vpp.ready(LONG).await?;
    drop(sim);
    let lacking = Sim::release("26.06").without_module("nat44_ed").socket(&socket).start().await?;
    let mut states = vpp.watch();
    let wanted = |state: &State| match state {
        State::Reconnecting { attempts, .. } => match &attempts.last_error {
            Some(AttemptError::Connect(error)) => matches!(error.cause, ConnectCause::Incompatible { .. }),
            _ => false,
        },
        _ => false,
    };
    drop(states.wait_for(wanted).await?);
    let text = vpp.connection().unwrap_err().to_string();
    assert!(text.contains("this VPP has no nat44_ed_plugin_enable_disable"), "{text}");
    for _ in 0..20 {
        tokio::time::sleep(SHORT).await;
        assert!(wanted(&vpp.state()));
    }
    assert_eq!(lacking.calls("sockclnt_create"), 1, "it is not asked again and again");
    assert_eq!(lacking.calls("sockclnt_delete"), 1, "and was left in the orderly way");
    drop(lacking);
    let sim = Sim::release("26.06").socket(&socket).start().await?;
    generation(&vpp, 2).await?;
    vpp.close().await?;
    drop(sim);
    Ok(())
}

async fn hooks_run_on_each_connection_before_it_is_handed_out() -> Result<(), Failed> {
    let sim = Sim::release("26.06").start().await?;
    let runs = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&runs);
    let vpp = noticing()
        .on_connect(|vpp| async move { vpp.call(&CreateLoopback::default()).await.map(drop) })
        .on_connect(move |_| {
            counted.fetch_add(1, Ordering::Relaxed);
            async { Ok::<_, CallError>(()) }
        })
        .start(sim.socket());
    for round in 1..=3 {
        generation(&vpp, round.into()).await?;
        assert!(sim.interface("loop0").is_some(), "made before the connection was handed out");
        assert_eq!(runs.load(Ordering::Relaxed), round);
        sim.restart()?;
    }
    vpp.close().await?;
    Ok(())
}

async fn a_hung_vpp_is_given_up() -> Result<(), Failed> {
    use vpp_26_06::vpe::ShowVersion;
    let sim = Sim::release("26.06").start().await?;
    let vpp = trying().keepalive(Duration::from_millis(20), Duration::from_millis(200)).start(sim.socket());
    let connection = vpp.ready(LONG).await?;
    connection.call(&ShowVersion {}).await?;
    sim.fault(Fault::hang());
    let error = connection.call(&ShowVersion {}).await.unwrap_err();
    assert!(matches!(&error, CallError::Lost { lost: Lost::Unresponsive { .. }, .. }), "{error}");
    assert!(sim.calls("control_ping") >= 1);
    sim.clear_faults();
    generation(&vpp, 2).await?.call(&ShowVersion {}).await?;
    vpp.close().await?;
    Ok(())
}

async fn two_vpps_of_two_releases() -> Result<(), Failed> {
    let (old, new) = (Sim::release("25.10").start().await?, Sim::release("26.06").start().await?);
    let (of_old, of_new) = (noticing().start(old.socket()), noticing().start(new.socket()));
    let version = |vpp: &Supervisor| match vpp.state() {
        State::Connected(now) => now.version.map(|version| version.to_string()),
        _ => None,
    };
    for round in 1..=3 {
        let (on_old, on_new) = (generation(&of_old, round).await?, generation(&of_new, 1).await?);
        assert_eq!(version(&of_old).as_deref(), Some("25.10-release"));
        assert_eq!(version(&of_new).as_deref(), Some("26.06-release"));
        let one = on_old.call(&vpp_25_10::interface::CreateLoopback::default()).await?.sw_if_index;
        let other = on_new.call(&vpp_26_06::interface::CreateLoopback::default()).await?.sw_if_index;
        assert_eq!((one, u64::from(other)), (1, round), "each has its own life");
        // Only one of them restarts.
        old.shift_ids(round as u16);
        old.restart()?;
    }
    assert!(Path::new(of_old.path()) != of_new.path());
    of_old.close().await?;
    of_new.close().await?;
    assert_eq!(new.calls("sockclnt_create"), 1);
    Ok(())
}

async fn many_restarts_leave_no_client_behind() -> Result<(), Failed> {
    use vpp_26_06::vpe::ShowVersion;
    let sim = Sim::release("26.06").start().await?;
    let vpp = noticing().start(sim.socket());
    for round in 1..=30 {
        generation(&vpp, round).await?.call(&ShowVersion {}).await?;
        assert_eq!(sim.clients(), 1);
        if round < 30 {
            sim.restart()?;
        }
    }
    vpp.close().await?;
    while sim.clients() > 0 {
        tokio::time::sleep(SHORT).await;
    }
    Ok(())
}
