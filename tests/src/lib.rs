//! End-to-end tests that cross crates or need a real process.

use std::time::Duration;

/// How long something may take that ends within `seconds` on a busy machine. Ten times as long where `VPPKIT_SLOW_TESTS`
/// is set while this is built, as by `cargo xtask sanitize`: what a sanitizer looks at is that much slower.
pub const fn limit(seconds: u64) -> Duration {
    let slower = if option_env!("VPPKIT_SLOW_TESTS").is_some() { 10 } else { 1 };
    Duration::from_secs(slower * seconds)
}
