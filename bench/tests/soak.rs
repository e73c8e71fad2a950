//! A short soak on the stand-in. `cargo xtask soak` makes long ones.
#![allow(missing_docs, clippy::unwrap_used)]

use std::process::Command;

#[test]
fn nothing_is_left_of_50_000_random_calls() {
    let soak = Command::new(env!("CARGO_BIN_EXE_soak"))
        .args(["--calls", "50000", "--rounds", "8"])
        .output()
        .unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&soak.stdout), String::from_utf8_lossy(&soak.stderr));
    assert!(soak.status.success() && said.contains("flat: "), "{said}");
}
