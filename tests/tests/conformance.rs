//! One suite for the stand-in and a real VPP, over the socket and over shared memory: whatever holds on one has to hold
//! on the others.
//!
//! A real VPP is what `VPP_BIN` names, else `vpp` in `PATH`; each test has an instance of its own. Without one these
//! tests are listed as ignored. What a real VPP saw is compared with what was sent: see `conformance/trace.rs`.

// Test code, though its own main hides that from the lints.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

#[path = "conformance/suite.rs"]
mod suite;

fn main() -> std::process::ExitCode {
    suite::run()
}
