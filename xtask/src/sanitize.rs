//! `cargo xtask sanitize`: the connection's tests, and those of memory shared with VPP, under a sanitizer or Miri.

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
    /// What the language forbids, in the queues and messages of shared memory: Miri interprets their tests. Needs a
    /// nightly toolchain: rustup toolchain install nightly --component miri,rust-src
    Miri,
}

/// A race that the thread sanitizer sees in tokio where none is: the runtime makes the state of a socket on one thread and
/// hands it to another through the kernel's epoll, which the sanitizer does not take for an order of events.
const SUPPRESSIONS: &str = "race:RegistrationSet*allocate\n";

/// Whose tests: the connection's own, and those that cross crates of what shares memory with VPP.
const TESTS: [&str; 14] = [
    "--package=vpp-conn",
    "--package=vppkit-tests",
    "--features=vpp-conn/bridge,vpp-conn/stats",
    "--lib",
    "--test=conformance",
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

/// What is no default of Miri's: the time of the day, by which locks wait, and no guesses at what a late store may look
/// like, since Miri ends where words are written byte by byte and read as a whole. Loom goes through these
/// (`vpp-conn/model`).
const MIRI: &str = "-Zmiri-disable-isolation -Zmiri-disable-weak-memory-emulation";

/// Runs the tests under a sanitizer or under Miri.
pub(crate) fn run(root: &Path, sanitizer: Sanitizer, options: &[OsString]) -> Result<()> {
    match sanitizer {
        Sanitizer::Address => sanitize(root, "address", options),
        Sanitizer::Thread => sanitize(root, "thread", options),
        Sanitizer::Miri => interpret(root, options),
    }
}

/// Interprets the tests of shared memory, each with a few random cases.
fn interpret(root: &Path, options: &[OsString]) -> Result<()> {
    let mut command = Command::new("rustup");
    // Which cargo and which compiler: those of the other toolchain.
    for set in ["CARGO", "RUSTC", "RUSTDOC", "RUSTUP_TOOLCHAIN"] {
        command.env_remove(set);
    }
    let status = command
        .current_dir(root)
        .args(["run", "nightly", "cargo", "miri", "test", "--package=vpp-conn", "--lib", "shared_memory::"])
        .args(options)
        .env("MIRIFLAGS", MIRI)
        .env("PROPTEST_CASES", "16")
        .env("CARGO_TARGET_DIR", root.join("target/sanitize/miri"))
        .status()
        .context("cannot run rustup")?;
    ensure!(status.success(), "tests failed under Miri: {status}");
    Ok(())
}

/// Runs the tests with everything built anew for it, in a target folder of its own.
fn sanitize(root: &Path, name: &str, options: &[OsString]) -> Result<()> {
    let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let folder = root.join("target/sanitize");
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let suppressions = folder.join("suppressions");
    std::fs::write(&suppressions, SUPPRESSIONS)?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(root).arg("test").args(TESTS);
    // With a target named, what runs while building is built without the sanitizer.
    command.args(["--target", &target]);
    if name == "thread" {
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
        .env("VPPKIT_SLOW_TESTS", "")
        .env("TSAN_OPTIONS", format!("suppressions={}", suppressions.display()))
        .status()
        .context("cannot run cargo")?;
    ensure!(status.success(), "tests failed under the {name} sanitizer: {status}");
    Ok(())
}
