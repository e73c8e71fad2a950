//! End-to-end tests that cross crates or need a real process.
