//! `cargo xtask sanitize`: the connection's tests, and those of memory shared with VPP, under a sanitizer.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use clap::ValueEnum;

/// What is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Sanitizer {
    /// Memory that is used wrongly or never freed
    Address,
    /// Data races. Needs the standard library's source: rustup component add rust-src
    Thread,
}

/// A race that the thread sanitizer sees in tokio where none is: the runtime makes the state of a socket on one thread and
/// hands it to another through the kernel's epoll, which the sanitizer does not take for an order of events.
const SUPPRESSIONS: &str = "race:RegistrationSet*allocate\n";

/// Whose tests: the connection's own, and those that cross crates of what shares memory with VPP.
const TESTS: [&str; 13] = [
    "--package=vpp-conn",
    "--package=vppkit-tests",
    "--features=vpp-conn/bridge,vpp-conn/stats",
    "--lib",
    "--test=pipeline",
    "--test=seeing",
    "--test=shared_memory",
    "--test=socket",
    "--test=stats",
    "--test=stats_allocation",
    "--test=supervise",
    "--test=supervision",
    "--no-fail-fast",
];

/// Runs the tests with everything built anew for it, in a target folder of its own.
pub(crate) fn run(root: &Path, sanitizer: Sanitizer, options: &[OsString]) -> Result<()> {
    let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let folder = root.join("target/sanitize");
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let suppressions = folder.join("suppressions");
    std::fs::write(&suppressions, SUPPRESSIONS)?;
    let name = match sanitizer {
        Sanitizer::Address => "address",
        Sanitizer::Thread => "thread",
    };
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(root).arg("test").args(TESTS);
    // With a target named, what runs while building is built without the sanitizer.
    command.args(["--target", &target]);
    if sanitizer == Sanitizer::Thread {
        // A standard library that the sanitizer does not see into would make it see races that are none.
        command.arg("-Zbuild-std");
    }
    let status = command
        .args(options)
        // Sanitizers are options of nightly compilers; a stable one takes them when told so.
        .env("RUSTC_BOOTSTRAP", "1")
        // A mapping that was made or given back without the C library would be unknown to the sanitizer, which then takes
        // the next one at the same place for the same memory.
        .env("RUSTFLAGS", format!("-Zsanitizer={name} --cfg=rustix_use_libc"))
        .env("CARGO_TARGET_DIR", folder.join(name))
        .env("TSAN_OPTIONS", format!("suppressions={}", suppressions.display()))
        .status()
        .context("cannot run cargo")?;
    ensure!(status.success(), "tests failed under the {name} sanitizer: {status}");
    Ok(())
}
