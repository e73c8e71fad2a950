//! A supervised connection while VPPs die, hang and come back as others.
//!
//! Cases of `restarts` run on stand-ins in this process. Those of `processes` kill and stop a whole process: a stand-in
//! that this program starts of itself, and a real VPP where `VPP_BIN` names one or `vpp` is in `PATH`.

// Test code, though its own main hides that from the lints.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

#[path = "supervision/processes.rs"]
mod processes;
#[path = "supervision/restarts.rs"]
mod restarts;
#[path = "supervision/stand_in.rs"]
mod stand_in;

use std::process::ExitCode;
use std::time::Duration;

use libtest_mimic::{Arguments, Failed, Trial};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use vpp_sim::private_vpp::PrivateVpp;
use vppkit_tests::limit;

/// Counts what is allocated, so that nothing can leak unseen.
#[global_allocator]
static ALLOCATOR: &StatsAlloc<std::alloc::System> = &INSTRUMENTED_SYSTEM;

/// Nothing takes longer than this, also on a busy machine.
const LONG: Duration = limit(60);

/// Kills of a stand-in, which is back within milliseconds, and of a real VPP, which needs a second.
const KILLS: (usize, usize) = (200, 20);

fn main() -> ExitCode {
    if let Some(code) = stand_in::main() {
        return code;
    }
    let mut arguments = Arguments::from_args();
    // Descriptors and memory are those of the one that runs.
    arguments.test_threads = Some(1);
    let binary = PrivateVpp::find();
    if binary.is_none() && !arguments.list {
        eprintln!("no VPP (VPP_BIN is not set, PATH has no vpp): the tests real_vpp::* are ignored");
    }
    let real = |name: &str, case: fn() -> Result<(), Failed>| {
        Trial::test(format!("real_vpp::{name}"), case).with_ignored_flag(binary.is_none())
    };
    let mut trials = restarts::trials();
    trials.extend([
        Trial::test("stand_in::killed_under_load", || {
            processes::killed_under_load(stand_in::start()?, KILLS.0)
        }),
        Trial::test("stand_in::stopped_and_continued", || {
            processes::stopped_and_continued(stand_in::start()?)
        }),
        real("killed_under_load", || processes::killed_under_load(start_vpp()?, KILLS.1)),
        real("stopped_and_continued", || {
            let vpp = processes::stopped_and_continued_of(start_vpp()?)?;
            // Of all the connections that it took while it was stopped, and of the one that was given up, none is left.
            processes::knows_no_client(&vpp)
        }),
        real("events_survive_a_restart_that_shifts_ids", processes::events_survive_a_restart_that_shifts_ids),
    ]);
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn start_vpp() -> Result<PrivateVpp, Failed> {
    Ok(PrivateVpp::builder().start()?)
}
