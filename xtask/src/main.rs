//! What a contributor runs: cargo xtask gen, bench.

fn main() {}
