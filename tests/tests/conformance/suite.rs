//! The list of cases, and how each runs on its targets.

mod addresses;
mod bridge_domains;
mod commands;
mod interfaces;
mod path_mtus;
mod proxy;
mod routes;
mod sessions;
mod tables;
mod trace;
mod wire;

use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::ExitCode;
use std::time::Duration;

use libtest_mimic::{Arguments, Failed, Trial};
use vpp_conn::{CallError, ConnectError, Connection, Transport};
use vpp_sim::Sim;
use vpp_sim::private_vpp::PrivateVpp;
use vpp_wire::ApiError;
use vppkit_tests::limit;

/// No case takes longer than this, also on a busy machine.
const CASE_TIMEOUT: Duration = limit(60);

/// A case, on a VPP that has just started.
type Case = for<'a> fn(&'a Connection) -> Pin<Box<dyn Future<Output = ()> + 'a>>;

macro_rules! cases {
    ($($module:ident :: $case:ident),* $(,)?) => {
        &[$((concat!(stringify!($module), "::", stringify!($case)), |vpp| Box::pin($module::$case(vpp)))),*]
    };
}

const CASES: &[(&str, Case)] = cases![
    sessions::the_table_names_every_message_used_here,
    sessions::another_definition_and_an_absent_message_are_told_apart,
    sessions::clients_do_not_disturb_each_other,
    sessions::an_orderly_end_is_confirmed,
    sessions::many_calls_at_once_find_their_replies,
    wire::handshake_and_orderly_end,
    wire::context_comes_back_bit_for_bit,
    wire::what_is_not_understood_is_dropped_in_silence,
    wire::frames_may_be_cut_and_joined_anywhere,
    wire::replies_go_to_the_client_whose_index_is_given,
    wire::f64_is_native,
    commands::version_and_ping,
    commands::the_command_line_prints_what_it_prints,
    commands::the_command_line_complains,
    commands::definitions_of_the_running_vpp,
    interfaces::loopback_lifecycle_with_events,
    interfaces::events_are_switched_on_and_off_once,
    interfaces::several_subscribers_share_one_registration,
    interfaces::who_subscribes_while_the_last_leaves_gets_events,
    interfaces::instances_and_mac_addresses,
    interfaces::numbers_are_used_again,
    interfaces::dumps_with_filters,
    interfaces::tags_and_mtus,
    interfaces::unknown_interfaces_are_refused,
    addresses::addresses_come_and_go,
    addresses::conflicting_addresses_are_refused,
    addresses::routes_come_with_an_address_while_its_interface_is_up,
    tables::tables_come_and_go,
    tables::interfaces_belong_to_tables,
    routes::a_route_comes_and_goes,
    routes::a_v2_route_tells_its_source,
    routes::ipv6_routes,
    routes::paths_of_a_multipath_route,
    routes::special_paths,
    routes::bad_routes_are_refused,
    routes::lookup,
    routes::routes_of_clients_give_way_to_addresses,
    routes::a_large_table_comes_back_whole,
    bridge_domains::bridge_domains_come_and_go,
    bridge_domains::ports,
    bridge_domains::bad_bridge_domains_are_refused,
    path_mtus::a_cursor_stream_is_read_to_its_end,
];

pub(super) fn run() -> ExitCode {
    let arguments = Arguments::from_args();
    let binary = PrivateVpp::find();
    if binary.is_none() && !arguments.list {
        eprintln!("no VPP (VPP_BIN is not set, PATH has no vpp): the tests real_vpp::* are ignored");
    }
    let stand_in = |peer: &str, transport| {
        let peer = format!("stand_in{peer}");
        CASES.iter().map(move |&(name, case)| {
            Trial::test(format!("{peer}::{name}"), move || on_stand_in(case, transport))
        })
    };
    let real = |peer: &str, transport| {
        let (peer, binary) = (format!("real_vpp{peer}"), binary.clone());
        CASES.iter().map(move |&(name, case)| {
            let binary = binary.clone();
            let is_missing = binary.is_none();
            let test = move || on_real_vpp(binary.unwrap_or_default(), case, transport);
            Trial::test(format!("{peer}::{name}"), test).with_ignored_flag(is_missing)
        })
    };
    let trials = stand_in("", Transport::Socket)
        .chain(stand_in("_shared_memory", Transport::SharedMemory))
        .chain(real("", Transport::Socket))
        .chain(real("_shared_memory", Transport::SharedMemory));
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

fn on_stand_in(case: Case, transport: Transport) -> Result<(), Failed> {
    within_a_runtime(async {
        // Small chunks, so that streams are interrupted.
        let sim = Sim::release("26.06").chunk(3).start().await?;
        let vpp = connect(transport, sim.socket()).await?;
        run_case(case, &vpp).await?;
        vpp.close().await?;
        Ok(())
    })
}

fn on_real_vpp(binary: PathBuf, case: Case, transport: Transport) -> Result<(), Failed> {
    let real = PrivateVpp::builder().binary(binary).api_trace(true).start()?;
    let outcome = within_a_runtime(async {
        if transport == Transport::SharedMemory {
            // Nothing can stand between.
            let vpp = connect(transport, real.socket()).await?;
            run_case(case, &vpp).await?;
            vpp.close().await?;
            return Ok(());
        }
        let proxy = proxy::Proxy::start(&real)?;
        let vpp = connect(Transport::Socket, proxy.socket()).await?;
        run_case(case, &vpp).await?;
        trace::compare(&real, vpp.table(), &proxy.recorded()?)?;
        vpp.close().await?;
        Ok(())
    });
    outcome.map_err(|failed: Failed| {
        let said = failed.message().unwrap_or("panicked, see above");
        format!("{said}\nVPP printed:\n{}", real.output()).into()
    })
}

async fn connect(transport: Transport, socket: &Path) -> Result<Connection, ConnectError> {
    Connection::builder().transport(transport).deadline(limit(10)).connect(socket).await
}

/// Runs a case to its end; a panic in it is its failure.
async fn run_case(case: Case, vpp: &Connection) -> Result<(), Failed> {
    // What a failed case leaves behind is thrown away.
    let case = AssertUnwindSafe(case(vpp));
    tokio::time::timeout(CASE_TIMEOUT, case).await.map_err(|_| "the case did not end".into())
}

fn within_a_runtime(future: impl Future<Output = Result<(), Failed>>) -> Result<(), Failed> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(future)
}

/// The return code of a call, 0 for success.
fn retval<T>(outcome: Result<T, CallError>) -> i32 {
    match outcome {
        Ok(_) => 0,
        Err(CallError::Refused { error: ApiError(code), .. }) => code,
        Err(other) => panic!("{other}"),
    }
}
