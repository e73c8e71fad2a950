//! VPPs that are killed and stopped.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use libtest_mimic::Failed;
use rustix::process::{Pid, Signal, kill_process};
use tokio::task::JoinSet;
use vpp_26_06::interface::{
    CreateLoopback, IfStatusFlags, SwInterfaceDump, SwInterfaceEvent, SwInterfaceSetFlags,
};
use vpp_26_06::vpe::ShowVersion;
use vpp_conn::{CallError, Connection, Gap, Lost, Notice, State, SupervisedEvents, Supervisor};
use vpp_sim::private_vpp::PrivateVpp;

use crate::{ALLOCATOR, LONG};

/// A VPP's process, stand-in or real.
pub(super) trait Vpp {
    fn socket(&self) -> &Path;
    fn pid(&self) -> u32;
    fn kill(&mut self);
    fn start_again(&mut self) -> Result<(), Failed>;
}

impl Vpp for PrivateVpp {
    fn socket(&self) -> &Path {
        self.socket()
    }

    fn pid(&self) -> u32 {
        self.pid().unwrap_or(0)
    }

    fn kill(&mut self) {
        self.kill();
    }

    fn start_again(&mut self) -> Result<(), Failed> {
        Ok(self.start_again()?)
    }
}

fn runtime() -> Result<tokio::runtime::Runtime, Failed> {
    Ok(tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?)
}

fn supervise(socket: &Path) -> Supervisor {
    let builder = Connection::builder().name("supervised").deadline(LONG).supervise();
    builder.backoff(Duration::from_millis(1), Duration::from_millis(50)).start(socket)
}

/// Tasks that have calls of every kind under way.
const CALLERS: usize = 16;

/// Rounds after which everything that is made once is there.
const WARM: usize = 8;

/// Kills a VPP again and again while calls, dumps and events are under way. Every call ends before VPP is back, each
/// connection is whole, and nothing is left of any: no descriptor, no memory, and so no context either.
pub(super) fn killed_under_load(mut vpp: impl Vpp, rounds: usize) -> Result<(), Failed> {
    let runtime = runtime()?;
    let supervisor = runtime.block_on(async { supervise(vpp.socket()) });
    let generations = Arc::new(AtomicUsize::new(0));
    let reader = runtime.spawn(read_events(supervisor.events(), Arc::clone(&generations)));
    let mut at_first = None;
    for round in 1..=rounds {
        let (connection, callers) = runtime.block_on(async {
            let connection = supervisor.ready(LONG).await?;
            let State::Connected(connected) = supervisor.state() else { return Err("lost by itself".into()) };
            assert_eq!(connected.generation, round as u64, "no connection was lost but by a kill");
            let sw_if_index = connection.call(&CreateLoopback::default()).await?.sw_if_index;
            let answered = Arc::new(AtomicUsize::new(0));
            let mut callers = JoinSet::new();
            for caller in 0..CALLERS {
                callers.spawn(load(connection.clone(), caller, sw_if_index, Arc::clone(&answered)));
            }
            // In the middle of it, never at the same place.
            while answered.load(Ordering::Relaxed) < CALLERS + round * 37 % 300 {
                tokio::task::yield_now().await;
            }
            Ok::<_, Failed>((connection, callers))
        })?;
        vpp.kill();
        let ended = runtime.block_on(async { tokio::time::timeout(LONG, callers.join_all()).await });
        let ended = ended.map_err(|_| format!("round {round}: calls hang though VPP is dead"))?;
        for error in ended {
            assert!(
                matches!(&error, CallError::Lost { lost: Lost::ClosedByVpp, .. }),
                "round {round}: {error}"
            );
        }
        assert_eq!(connection.lost(), Some(Lost::ClosedByVpp));
        assert_eq!(connection.counters().in_flight, 0, "round {round}: contexts are left");
        drop(connection);
        eventually(
            || generations.load(Ordering::Relaxed) == round,
            || "events of the last connection".into(),
        )?;
        match &at_first {
            None if round == WARM => at_first = Some(settled()?),
            Some(then) if round == rounds => held_no_more_than(then)?,
            _ => {}
        }
        vpp.start_again()?;
    }
    runtime.block_on(async {
        supervisor.ready(LONG).await?;
        supervisor.close().await?;
        let events = reader.await?;
        assert!(events > 0, "the load makes events");
        Ok(())
    })
}

/// Makes calls of one kind until one fails.
async fn load(vpp: Connection, caller: usize, sw_if_index: u32, answered: Arc<AtomicUsize>) -> CallError {
    for turn in 0usize.. {
        let outcome = match caller % 4 {
            0 => vpp.call(&ShowVersion {}).await.map(drop),
            1 => vpp.dump(&SwInterfaceDump::default()).collect().await.map(drop),
            2 => {
                let flags = if turn % 2 == 0 { IfStatusFlags::ADMIN_UP } else { IfStatusFlags::default() };
                vpp.call(&SwInterfaceSetFlags { sw_if_index, flags }).await.map(drop)
            }
            // Given up on its way.
            _ => tokio::select! {
                biased;
                outcome = vpp.call(&ShowVersion {}) => outcome.map(drop),
                () = tokio::task::yield_now() => Ok(()),
            },
        };
        match outcome {
            Ok(()) => answered.fetch_add(1, Ordering::Relaxed),
            Err(error) => return error,
        };
    }
    unreachable!("no end but an error")
}

/// Reads events to the end of supervision; counts them, and the connections they come from.
async fn read_events(mut events: SupervisedEvents<SwInterfaceEvent>, generations: Arc<AtomicUsize>) -> usize {
    let mut count = 0;
    loop {
        match events.next().await {
            Ok(Notice::Event(_)) => count += 1,
            Ok(Notice::Gap(Gap::Subscribed { generation })) => {
                let before = generations.swap(generation as usize, Ordering::Relaxed);
                assert_eq!(before as u64 + 1, generation, "a connection without events");
            }
            Ok(Notice::Gap(_)) => {}
            Err(_) => return count,
        }
    }
}

/// What this process holds.
#[derive(Debug)]
struct Held {
    descriptors: usize,
    bytes: usize,
}

fn held() -> Result<Held, Failed> {
    let stats = ALLOCATOR.stats();
    Ok(Held {
        descriptors: std::fs::read_dir("/proc/self/fd")?.count(),
        bytes: stats.bytes_allocated.wrapping_sub(stats.bytes_deallocated),
    })
}

/// What it holds when the tasks that end have ended: the same a few times in a row.
fn settled() -> Result<Held, Failed> {
    let mut last = held()?;
    let mut same = 0;
    eventually(
        || {
            let Ok(now) = held() else { return false };
            same = if now.descriptors == last.descriptors && now.bytes.abs_diff(last.bytes) < 1024 {
                same + 1
            } else {
                0
            };
            last = now;
            same == 20
        },
        || "this process to come to rest".into(),
    )?;
    Ok(last)
}

/// Less than one connection's share of memory in all the rounds together.
const SLACK: usize = 16 << 10;

fn held_no_more_than(then: &Held) -> Result<(), Failed> {
    let fits = |now: &Held| now.descriptors <= then.descriptors && now.bytes <= then.bytes + SLACK;
    eventually(
        || held().is_ok_and(|now| fits(&now)),
        || format!("no more to be held than {then:?}, not {:?}", held().ok()),
    )
}

/// Waits until something is so.
fn eventually(mut is_so: impl FnMut() -> bool, what: impl Fn() -> String) -> Result<(), Failed> {
    let started = Instant::now();
    while !is_so() {
        if started.elapsed() > LONG {
            return Err(format!("waited in vain for {}", what()).into());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

pub(super) fn stopped_and_continued(vpp: impl Vpp) -> Result<(), Failed> {
    stopped_and_continued_of(vpp).map(drop)
}

/// A VPP that hangs with its socket open: given up by its silence, and taken again when it goes on.
pub(super) fn stopped_and_continued_of<V: Vpp>(vpp: V) -> Result<V, Failed> {
    runtime()?.block_on(async {
        let supervisor = Connection::builder()
            .name("supervised")
            .deadline(LONG)
            .connect_timeout(Duration::from_millis(200))
            .supervise()
            .keepalive(Duration::from_millis(100), Duration::from_millis(400))
            .backoff(Duration::from_millis(50), Duration::from_millis(100))
            .start(vpp.socket());
        let connection = supervisor.ready(LONG).await?;
        let pid = Pid::from_raw(vpp.pid() as i32).ok_or("no process")?;
        kill_process(pid, Signal::STOP)?;
        let status = format!("/proc/{}/stat", vpp.pid());
        eventually(
            || std::fs::read_to_string(&status).is_ok_and(|status| status.contains(") T ")),
            || "the process to stop".into(),
        )?;
        let call = connection.call(&ShowVersion {});
        let error = tokio::time::timeout(LONG, call).await.map_err(|_| "the call hangs")?.unwrap_err();
        assert!(matches!(&error, CallError::Lost { lost: Lost::Unresponsive { .. }, .. }), "{error}");
        let mut states = supervisor.watch();
        let attempt = states.wait_for(|state| match state {
            State::Reconnecting { attempts, .. } => attempts.failed >= 2,
            _ => false,
        });
        drop(tokio::time::timeout(LONG, attempt).await.map_err(|_| "no attempts")??);
        let text = supervisor.connection().unwrap_err().to_string();
        assert!(
            text.starts_with(
                "connection to VPP lost while a call was waiting (VPP has sent nothing for 500ms); "
            ),
            "{text}"
        );
        kill_process(pid, Signal::CONT)?;
        supervisor.ready(LONG).await?.call(&ShowVersion {}).await?;
        supervisor.close().await?;
        Ok(vpp)
    })
}

/// A real VPP lists no socket client but the one that asks.
pub(super) fn knows_no_client(vpp: &PrivateVpp) -> Result<(), Failed> {
    let mut clients = String::new();
    eventually(
        || {
            clients = vpp.cli("show api clients").unwrap_or_default();
            !clients.is_empty() && !clients.contains("supervised")
        },
        || "VPP to forget its clients".into(),
    )
    .map_err(|error| format!("{}: {clients}", error.message().unwrap_or_default()).into())
}

/// Two real VPPs, one after the other, behind one path: the second has fewer plugins and so other ids.
pub(super) fn events_survive_a_restart_that_shifts_ids() -> Result<(), Failed> {
    let folder = tempfile::tempdir_in("/tmp")?;
    let socket = folder.path().join("api.sock");
    let first = PrivateVpp::builder().start()?;
    std::os::unix::fs::symlink(first.socket(), &socket)?;
    runtime()?.block_on(async {
        // What is at the path is noticed; time does not help.
        let hour = Duration::from_secs(3600);
        let supervisor = Connection::builder().supervise().backoff(hour, hour).start(&socket);
        let mut events = supervisor.events::<SwInterfaceEvent>();
        let mut ids = Vec::new();
        let mut vpp = Some(first);
        for generation in 1..=2 {
            // What the first VPP sent last may come before.
            let gap = loop {
                if let Notice::Gap(gap) = tokio::time::timeout(LONG, events.next()).await?? {
                    break gap;
                }
            };
            assert_eq!(gap, Gap::Subscribed { generation });
            let connection = supervisor.connection()?;
            ids.push(connection.table().get("sw_interface_event").ok_or("no such event")?.id);
            let sw_if_index = connection.call(&CreateLoopback::default()).await?.sw_if_index;
            let up = SwInterfaceSetFlags { sw_if_index, flags: IfStatusFlags::ADMIN_UP };
            connection.call(&up).await?;
            loop {
                match tokio::time::timeout(LONG, events.next()).await?? {
                    Notice::Event(event) if event.sw_if_index == sw_if_index => break,
                    Notice::Event(_) => {}
                    Notice::Gap(gap) => return Err(format!("unexpected: {gap}").into()),
                }
            }
            if generation == 1 {
                drop(vpp.take());
                let other = PrivateVpp::builder().config("plugins { plugin default { disable } }").start()?;
                let next = folder.path().join("next");
                std::os::unix::fs::symlink(other.socket(), &next)?;
                std::fs::rename(&next, &socket)?;
                vpp = Some(other);
            }
        }
        assert_ne!(ids[0], ids[1], "the restart was to shift ids");
        supervisor.close().await?;
        Ok(())
    })
}
