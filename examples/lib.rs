//! Programs to start from: `cargo run --example quickstart`, `cargo run --example first_program -- SOCKET`.
