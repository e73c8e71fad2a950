//! Each verified defect of GoVPP that concerns a client of a running VPP, as a test that passes here.
//!
//! On the stand-in, or on a peer of few lines where the stand-in cannot misbehave in that way; `real_vpp::*` on a real
//! VPP where `VPP_BIN` names one or `vpp` is in `PATH`. Defects that other tests are about:
//!
//! | Defect of GoVPP | Test |
//! |---|---|
//! | In-flight calls hang when VPP dies | also `supervision`, `stand_in::in_flight_calls_end_when_vpp_dies` |
//! | Events are lost behind a restart | `supervision`, `stand_in::` and `real_vpp::events_survive_a_restart_that_shifts_ids` |
//! | Statistics are gone behind an absence of 3 s | `stats`, `stats_survive_a_10_s_absence` and `..._of_a_real_vpp` |
//! | Lists of statistics end at a removed entry | `stats`, `removed_entries_leave_holes_that_are_passed_over` |
//! | Gauges read as zero | `stats`, `gauges_were_numbers_before` and `groups_tell_what_the_cli_tells` |
//! | Symlinks stale after an update | `stats`, `links_that_are_added_or_renamed_without_a_new_epoch_are_seen` |
//! | Crashes from a damaged segment | `stats`, module `hostile` |
//! | A frame that claims 4 GiB is allocated | `vpp-conn`, `socket`: `a_frame_over_the_limit_ends_the_connection` |
//! | Counts are allocated before they are checked | `typed_allocation`, `no_message_makes_much_of_little` |
//! | A frame below 6 bytes ends the reader in silence | `vpp-conn`, `socket`: `a_wrong_answer_fails_its_call_and_nothing_else` |
//! | Data races | the runs under the thread sanitizer: `cargo xtask sanitize thread` |
//! | 14 allocations per call | `cargo xtask bench` |
//! | Generated unions of wrong size | the generator's own tests |

// Test code, though its own main hides that from the lints.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

#[path = "peer_defects/cases.rs"]
mod cases;
#[path = "peer_defects/real.rs"]
mod real;

use std::process::ExitCode;
use std::time::Duration;

use libtest_mimic::{Arguments, Failed, Trial};
use vpp_sim::Sim;
use vpp_sim::private_vpp::PrivateVpp;

/// Nothing takes longer than this, also on a busy machine.
const LONG: Duration = Duration::from_secs(60);

macro_rules! on_both {
    ($trials:ident, $has_vpp:expr, $($case:ident),* $(,)?) => {$(
        $trials.push(Trial::test(concat!("stand_in::", stringify!($case)), || run(async {
            let sim = Sim::release("26.06").start().await?;
            cases::$case(sim.socket()).await
        })));
        $trials.push(Trial::test(concat!("real_vpp::", stringify!($case)), || run(async {
            let vpp = PrivateVpp::builder().start()?;
            cases::$case(vpp.socket()).await
        })).with_ignored_flag(!$has_vpp));
    )*};
}

macro_rules! on_vpp {
    ($trials:ident, $has_vpp:expr, $($module:ident::$case:ident),* $(,)?) => {$(
        $trials.push(Trial::test(concat!("real_vpp::", stringify!($case)), || run(async {
            $module::$case(PrivateVpp::builder().start()?).await
        })).with_ignored_flag(!$has_vpp));
    )*};
}

macro_rules! on_stand_in {
    ($trials:ident, $($module:ident::$case:ident),* $(,)?) => {$(
        $trials.push(Trial::test(concat!("stand_in::", stringify!($case)), || run($module::$case())));
    )*};
}

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // Each has a VPP of its own, and hundreds of messages of it under way.
    arguments.test_threads = arguments.test_threads.or(Some(2));
    let has_vpp = PrivateVpp::find().is_some();
    if !has_vpp && !arguments.list {
        eprintln!("no VPP (VPP_BIN is not set, PATH has no vpp): the tests real_vpp::* are ignored");
    }
    let mut trials = Vec::new();
    on_both!(
        trials,
        has_vpp,
        a_slow_consumer_of_a_1000_entry_dump_gets_1000,
        a_ping_behind_an_undrained_dump_answers_at_once,
        replies_awaited_in_reverse_order_all_come,
        calls_far_beyond_16_bits_of_sequence_are_not_confused,
    );
    on_vpp!(
        trials,
        has_vpp,
        real::in_flight_calls_end_when_vpp_dies,
        real::a_stale_reply_never_reaches_a_later_call,
    );
    on_stand_in!(
        trials,
        cases::in_flight_calls_end_when_vpp_dies,
        cases::the_end_of_an_idle_connection_is_noticed_without_a_ping,
        cases::a_stale_reply_never_reaches_a_later_call,
        cases::a_reply_of_another_kind_fails_its_call_before_it_is_decoded,
        cases::a_vpp_that_is_away_for_long_is_connected_again,
        cases::events_that_nobody_reads_are_counted,
        cases::two_vpps_of_one_process_do_not_share_ids,
    );
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn run(case: impl Future<Output = Result<(), Failed>>) -> Result<(), Failed> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let case = runtime.block_on(async { tokio::time::timeout(LONG, case).await });
    case.map_err(|_| "the case did not end")?
}
