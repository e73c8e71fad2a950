//! Clients of shared memory that end, stall, hold on or are killed, on the stand-in and on a real VPP.
//!
//! A real VPP is what `VPP_BIN` names, else `vpp` in `PATH`. Without one those tests are listed as ignored.

// Test code, though its own main hides that from the lints.
#![allow(clippy::unwrap_used, clippy::print_stderr, clippy::print_stdout)]

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use libtest_mimic::{Arguments, Failed, Trial};
use vpp_26_06::fib_types::{FibPath, FibPathType};
use vpp_26_06::interface::{CreateLoopback, SwInterfaceDump};
use vpp_26_06::ip::{IpRoute, IpRouteAddDel, IpTableAddDel};
use vpp_26_06::memclnt::ControlPing;
use vpp_26_06::vlib::CliInband;
use vpp_26_06::vpe::ShowVersion;
use vpp_conn::{Builder, Connection, RingConfig, SharedMemoryConfig, Transport};
use vpp_sim::Sim;
use vpp_sim::private_vpp::PrivateVpp;
use vpp_wire::Prefix;
use vppkit_tests::limit;

/// Set for a process that is to be a client: the socket.
const CHILD: &str = "VPPKIT_TEST_CHILD";
/// What that client does.
const ROLE: &str = "VPPKIT_TEST_ROLE";

/// No test takes longer than this, also on a busy machine.
const TIMEOUT: Duration = limit(60);

type Case = fn(&Path) -> Result<(), Failed>;

macro_rules! cases {
    ($($case:ident),* $(,)?) => { &[$((stringify!($case), $case as Case)),*] };
}

/// What holds on both.
const BOTH: &[(&str, Case)] = cases![
    forty_connections_end_in_order,
    held_messages_hold_up_nobody,
    a_blocked_runtime_does_not_hold_vpp_up,
    messages_that_fit_no_ring_come_and_go,
    more_requests_than_places,
    pipelines_that_begin_beside_other_requests_end,
    auto_is_shared_memory_where_there_is_one,
    requests_of_one_connection_do_not_overtake_one_another,
    calls_and_elements_of_dumps_allocate_nothing,
];

/// What only a process of its own can show.
const KILLED: &[(&str, Case)] = cases![
    vpp_survives_a_client_of_twelve_connections_that_is_killed,
    vpp_survives_clients_that_are_killed_while_they_write,
    a_stopped_client_holds_up_nobody_and_goes_on,
];

fn main() -> ExitCode {
    if let Some(socket) = std::env::var_os(CHILD) {
        return within_a_runtime(child(&PathBuf::from(socket)))
            .map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS);
    }
    let mut arguments = Arguments::from_args();
    // Clients and servers spin here: with a dozen cases at once some wait longer for a core than an orderly end may take.
    arguments.test_threads.get_or_insert(2);
    let binary = PrivateVpp::find();
    if binary.is_none() && !arguments.list {
        eprintln!("no VPP (VPP_BIN is not set, PATH has no vpp): the tests real_vpp::* are ignored");
    }
    let cases = || BOTH.iter().chain(KILLED);
    let stand_in = cases().map(|&(name, case)| {
        Trial::test(format!("stand_in::{name}"), move || {
            let sim = Sim::release("26.06").start_blocking()?;
            case(sim.socket())
        })
    });
    let real = cases().map(|&(name, case)| {
        let binary = binary.clone();
        let is_missing = binary.is_none();
        Trial::test(format!("real_vpp::{name}"), move || {
            let vpp = PrivateVpp::builder().binary(binary.unwrap_or_default()).start()?;
            case(vpp.socket())
        })
        .with_ignored_flag(is_missing)
    });
    let keepalives = [
        Trial::test("stand_in::keepalives_are_answered", keepalives_are_answered),
        Trial::test("real_vpp::keepalives_are_answered", {
            let binary = binary.clone();
            move || keepalives_of_vpp_are_answered(binary.unwrap_or_default())
        })
        .with_ignored_flag(binary.is_none()),
    ];
    let trials = stand_in.chain(real).chain(keepalives);
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

fn within_a_runtime(future: impl Future<Output = Result<(), Failed>>) -> Result<(), Failed> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async { tokio::time::timeout(TIMEOUT, future).await? })
}

fn shared_memory() -> Builder {
    Connection::builder().transport(Transport::SharedMemory).deadline(limit(30))
}

/// Small enough that everything runs out.
fn small() -> SharedMemoryConfig {
    let rings = [RingConfig { size: 232, count: 24 }, RingConfig { size: 1000, count: 8 }];
    SharedMemoryConfig::default().depth(16).requests(4).hold(4).receive_rings(rings).send_rings(rings)
}

async fn pings(socket: &Path) -> Result<(), Failed> {
    for transport in [Transport::Socket, Transport::SharedMemory] {
        let vpp = Connection::builder().transport(transport).connect(socket).await?;
        for _ in 0..20 {
            vpp.call(&ControlPing).await?;
        }
        vpp.close().await?;
    }
    Ok(())
}

async fn loopbacks(vpp: &Connection, count: usize) -> Result<(), Failed> {
    for _ in 0..count {
        vpp.call(&CreateLoopback::default()).await?;
    }
    Ok(())
}

fn forty_connections_end_in_order(socket: &Path) -> Result<(), Failed> {
    within_a_runtime(async {
        let mut connections = Vec::new();
        for _ in 0..40 {
            let vpp = shared_memory().connect(socket).await?;
            vpp.call(&ControlPing).await?;
            connections.push(vpp);
        }
        let closing: Vec<_> = connections.into_iter().map(|vpp| tokio::spawn(vpp.close())).collect();
        for closed in closing {
            closed.await??;
        }
        pings(socket).await
    })
}

fn held_messages_hold_up_nobody(socket: &Path) -> Result<(), Failed> {
    within_a_runtime(async {
        let vpp = shared_memory().shared_memory(small()).connect(socket).await?;
        loopbacks(&vpp, 100).await?;
        let mut held = Vec::new();
        let mut dump = vpp.dump(&SwInterfaceDump::default());
        while let Some(interface) = dump.next().await? {
            held.push(interface);
        }
        drop(dump);
        assert_eq!(held.len(), 101);
        for _ in 0..200 {
            vpp.call(&ControlPing).await?;
        }
        assert_eq!(vpp.dump(&SwInterfaceDump::default()).collect().await?.len(), 101);
        // What is held is still what it was.
        let mut indexes: Vec<_> = held.iter().map(|interface| interface.view().sw_if_index()).collect();
        indexes.sort_unstable();
        assert_eq!(indexes, (0..101).collect::<Vec<u32>>());
        vpp.close().await?;
        // Also when VPP has given the memory up.
        assert_eq!(held[100].view().interface_name().as_ref(), "loop99");
        Ok(())
    })
}

fn a_blocked_runtime_does_not_hold_vpp_up(socket: &Path) -> Result<(), Failed> {
    within_a_runtime(async {
        let vpp = shared_memory().shared_memory(small()).connect(socket).await?;
        loopbacks(&vpp, 100).await?;
        let mut dump = vpp.dump(&SwInterfaceDump::default());
        let first = dump.next().await?.is_some();
        assert!(first);
        // VPP wants to send a hundred messages into a queue of sixteen, and this thread does nothing for it.
        let (told, done) = mpsc::channel();
        let path = socket.to_owned();
        let other = std::thread::spawn(move || {
            let outcome = within_a_runtime(async { pings(&path).await });
            told.send(()).unwrap();
            outcome
        });
        done.recv_timeout(TIMEOUT)?;
        other.join().unwrap()?;
        let mut rest = 0;
        while dump.next().await?.is_some() {
            rest += 1;
        }
        assert_eq!(rest, 100);
        drop(dump);
        vpp.close().await?;
        Ok(())
    })
}

fn messages_that_fit_no_ring_come_and_go(socket: &Path) -> Result<(), Failed> {
    within_a_runtime(async {
        let tiny = [RingConfig { size: 128, count: 2 }];
        let config = SharedMemoryConfig::default().receive_rings(tiny).send_rings(tiny).heap(4 << 20);
        let vpp = shared_memory().shared_memory(config).connect(socket).await?;
        // 362 bytes, 30,000 times: far more than the heap holds unless every block is given back.
        for _ in 0..30_000 {
            assert!(!vpp.call(&ShowVersion).await?.version.is_empty());
        }
        // Larger than a place for requests: over the socket.
        let mut table = IpTableAddDel { is_add: true, ..IpTableAddDel::default() };
        table.table.table_id = 7;
        vpp.call(&table).await?;
        let reply = vpp.call(&CliInband { cmd: "show version".to_owned() }).await?;
        assert!(reply.reply.contains("vpp"), "{}", reply.reply);
        vpp.close().await?;
        Ok(())
    })
}

fn more_requests_than_places(socket: &Path) -> Result<(), Failed> {
    within_a_runtime(async {
        let vpp = shared_memory().shared_memory(small()).connect(socket).await?;
        let calls: Vec<_> = (0..2000)
            .map(|_| {
                let vpp = vpp.clone();
                tokio::spawn(async move { vpp.call(&ControlPing).await.map(drop) })
            })
            .collect();
        for call in calls {
            call.await??;
        }
        vpp.close().await?;
        Ok(())
    })
}

/// While it is tried out whether VPP polls, no more requests are worth sending than are on their way already: of a pipeline
/// that has none there, one goes all the same.
fn pipelines_that_begin_beside_other_requests_end(socket: &Path) -> Result<(), Failed> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let work = async {
        // It is tried out mostly when a connection is young.
        for _ in 0..60 {
            let vpp = shared_memory().connect(socket).await?;
            let mut tasks = tokio::task::JoinSet::new();
            for task in 0..12 {
                let vpp = vpp.clone();
                tasks.spawn(async move {
                    for round in 0..8 {
                        let pings = vpp.pipeline(std::iter::repeat_n(ControlPing, 8 + (task + round) % 8));
                        pings.collect().await.map_err(|(_, error)| error)?;
                    }
                    Ok::<_, vpp_conn::CallError>(())
                });
            }
            while let Some(ended) = tasks.join_next().await {
                ended??;
            }
            vpp.close().await?;
        }
        Ok(())
    };
    runtime.block_on(async { tokio::time::timeout(TIMEOUT, work).await? })
}

fn auto_is_shared_memory_where_there_is_one(socket: &Path) -> Result<(), Failed> {
    within_a_runtime(async {
        let vpp = Connection::builder().transport(Transport::Auto).connect(socket).await?;
        assert_eq!(vpp.transport(), Transport::SharedMemory);
        vpp.call(&ControlPing).await?;
        vpp.close().await?;
        let vpp = Connection::connect(socket).await?;
        assert_eq!(vpp.transport(), Transport::Socket);
        vpp.close().await?;
        Ok(())
    })
}

/// What is too large for a ring goes over the socket, and VPP looks at that when it pleases. Yet a route comes behind its
/// table, and goes before it, though nobody waits for an answer in between.
fn requests_of_one_connection_do_not_overtake_one_another(socket: &Path) -> Result<(), Failed> {
    within_a_runtime(async {
        let tables_only = [RingConfig { size: 128, count: 64 }];
        let config = SharedMemoryConfig::default().send_rings(tables_only);
        for transport in [Transport::SharedMemory, Transport::Auto] {
            let builder = Connection::builder().transport(transport).shared_memory(config.clone());
            let vpp = builder.connect(socket).await?;
            for round in 0..100 {
                let table = |is_add| {
                    let mut table = IpTableAddDel { is_add, ..IpTableAddDel::default() };
                    table.table.table_id = 1000 + round;
                    table
                };
                let route = |is_add| {
                    let path = FibPath { type_: FibPathType::DROP, weight: 1, ..FibPath::default() };
                    let prefix = Prefix::new(Ipv4Addr::new(10, 0, 0, 1), 32).unwrap_or_default();
                    let route =
                        IpRoute { table_id: 1000 + round, prefix, paths: vec![path], ..IpRoute::default() };
                    IpRouteAddDel { is_add, is_multipath: false, route }
                };
                let requests = (table(true), route(true), route(false), table(false));
                let (made, added, removed, gone) = tokio::join!(
                    vpp.call(&requests.0),
                    vpp.call(&requests.1),
                    vpp.call(&requests.2),
                    vpp.call(&requests.3),
                );
                made?;
                added?;
                removed?;
                gone?;
            }
            vpp.close().await?;
        }
        Ok(())
    })
}

fn calls_and_elements_of_dumps_allocate_nothing(socket: &Path) -> Result<(), Failed> {
    const CALLS: usize = 2000;
    const INTERFACES: usize = 300;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let vpp = runtime.block_on(shared_memory().connect(socket))?;
    runtime.block_on(loopbacks(&vpp, INTERFACES))?;
    let calls = async || -> Result<(), Failed> {
        for _ in 0..CALLS {
            vpp.call(&ControlPing).await?;
        }
        Ok(())
    };
    let pipelined = async || -> Result<(), Failed> {
        let mut pings = vpp.pipeline((0..CALLS).map(|_| ControlPing)).window(64);
        while let Some((_, pong)) = pings.next().await {
            pong?;
        }
        Ok(())
    };
    let dumped = async || -> Result<(), Failed> {
        let (mut dump, mut came) = (vpp.dump(&SwInterfaceDump::default()), 0);
        while let Some(interface) = dump.next().await? {
            came += usize::from(!interface.view().interface_name().is_empty());
        }
        assert_eq!(came, INTERFACES + 1);
        Ok(())
    };
    let allocated = |work: &dyn Fn() -> Result<(), Failed>| -> Result<u64, Failed> {
        // Buffers grow once.
        work()?;
        let mut result = Ok(());
        let counted = allocation_counter::measure(|| result = work());
        result.map(|()| counted.count_total)
    };
    assert_eq!(allocated(&|| runtime.block_on(calls()))?, 0, "calls, one after another");
    let for_all = allocated(&|| runtime.block_on(pipelined()))?;
    assert!(for_all < 50, "{for_all} for a pipeline of {CALLS} calls");
    let for_all = allocated(&|| runtime.block_on(dumped()))?;
    assert!(for_all < 50, "{for_all} for a dump of {INTERFACES} elements");
    runtime.block_on(vpp.close())?;
    Ok(())
}

fn keepalives_are_answered() -> Result<(), Failed> {
    let sim = Sim::release("26.06").start_blocking()?;
    within_a_runtime(async {
        let clients =
            [shared_memory().connect(sim.socket()).await?, shared_memory().connect(sim.socket()).await?];
        let by_socket = Connection::connect(sim.socket()).await?;
        let before = sim.calls("memclnt_keepalive_reply");
        assert_eq!(sim.send_keepalives(), 2, "clients of the socket are not asked");
        while sim.calls("memclnt_keepalive_reply") < before + 2 {
            // The stand-in has threads of its own, and within_a_runtime has a limit.
            tokio::task::yield_now().await;
        }
        for vpp in clients.into_iter().chain([by_socket]) {
            vpp.call(&ControlPing).await?;
            vpp.close().await?;
        }
        Ok(())
    })
}

/// VPP asks a client that is silent for ten seconds or more, in a place of the client's own rings, which the client does not
/// count. Its health is questionable until it has answered; VPP asks again after ten seconds only. A client of the socket
/// keeps it looking.
fn keepalives_of_vpp_are_answered(binary: PathBuf) -> Result<(), Failed> {
    let vpp = PrivateVpp::builder().binary(binary).start()?;
    within_a_runtime(async {
        let silent = shared_memory().name("silent").connect(vpp.socket()).await?;
        let busy = Connection::connect(vpp.socket()).await?;
        let asked = || -> Result<bool, Failed> {
            let rings = vpp.cli("show api ring-stats")?;
            let (_, rings) = rings.split_once("silent segment rings").ok_or("VPP has no such client")?;
            let rings = rings.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
            Ok(rings.filter(|ring| ring.first() == Some(&"clnt")).any(|ring| ring.get(3) != Some(&"0")))
        };
        while !asked()? {
            busy.call(&ShowVersion).await?;
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        let answered = async {
            while vpp.cli("show api clients")?.contains("questionable") {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Ok::<_, Failed>(())
        };
        tokio::time::timeout(limit(5), answered).await??;
        silent.call(&ControlPing).await?;
        silent.close().await?;
        busy.close().await?;
        Ok(())
    })
}

/// A client in a process of its own.
struct Client(Child);

impl Client {
    /// Starts one and waits until it is at work.
    fn start(socket: &Path, role: &str) -> Result<Self, Failed> {
        let mut child = Command::new(std::env::current_exe()?)
            .env(CHILD, socket)
            .env(ROLE, role)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line)?;
        assert_eq!(line, "ready\n");
        Ok(Self(child))
    }

    fn signal(&self, signal: &str) -> Result<(), Failed> {
        let sent = Command::new("kill").arg(signal).arg(self.0.id().to_string()).status()?;
        if sent.success() { Ok(()) } else { Err("no signal was sent".into()) }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _gone = self.0.kill();
        let _gone = self.0.wait();
    }
}

/// What the process of a [`Client`] does.
async fn child(socket: &Path) -> Result<(), Failed> {
    let role = std::env::var(ROLE)?;
    let ready = || -> std::io::Result<()> {
        println!("ready");
        std::io::stdout().flush()
    };
    match role.as_str() {
        "twelve" => {
            let mut connections = Vec::new();
            for _ in 0..12 {
                let vpp = shared_memory().connect(socket).await?;
                vpp.call(&ControlPing).await?;
                connections.push(vpp);
            }
            ready()?;
            std::future::pending::<()>().await;
        }
        "busy" => {
            let vpp = shared_memory().connect(socket).await?;
            ready()?;
            loop {
                let _version = vpp.call(&ShowVersion).await?;
                let calls: Vec<_> = (0..16).map(|_| vpp.clone()).collect();
                let calls: Vec<_> = calls
                    .into_iter()
                    .map(|vpp| tokio::spawn(async move { vpp.call(&ControlPing).await.map(drop) }))
                    .collect();
                for call in calls {
                    call.await??;
                }
            }
        }
        "stopped" => {
            let vpp = shared_memory().connect(socket).await?;
            ready()?;
            let (told, mut ended) = tokio::sync::oneshot::channel();
            std::thread::spawn(move || {
                let mut line = String::new();
                // The end of the parent is the end, too.
                let _read = std::io::stdin().read_line(&mut line);
                let _told = told.send(());
            });
            while ended.try_recv().is_err() {
                vpp.call(&ControlPing).await?;
            }
            vpp.close().await?;
        }
        other => return Err(format!("no role {other}").into()),
    }
    Ok(())
}

fn vpp_survives_a_client_of_twelve_connections_that_is_killed(socket: &Path) -> Result<(), Failed> {
    let client = Client::start(socket, "twelve")?;
    client.signal("-KILL")?;
    drop(client);
    within_a_runtime(pings(socket))
}

fn vpp_survives_clients_that_are_killed_while_they_write(socket: &Path) -> Result<(), Failed> {
    for _ in 0..8 {
        // At work when it says so; wherever it is by the time the signal comes.
        let client = Client::start(socket, "busy")?;
        client.signal("-KILL")?;
        drop(client);
        within_a_runtime(pings(socket))?;
    }
    Ok(())
}

fn a_stopped_client_holds_up_nobody_and_goes_on(socket: &Path) -> Result<(), Failed> {
    let mut client = Client::start(socket, "stopped")?;
    for _ in 0..3 {
        client.signal("-STOP")?;
        within_a_runtime(pings(socket))?;
        client.signal("-CONT")?;
    }
    client.0.stdin.as_mut().unwrap().write_all(b"\n")?;
    let ended = client.0.wait()?;
    assert!(ended.success(), "{ended}");
    within_a_runtime(pings(socket))
}
