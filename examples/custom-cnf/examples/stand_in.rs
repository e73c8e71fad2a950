//! A VPP for the first minutes without one: `cargo run -p custom-cnf --example stand_in [SOCKET]`. Ends with Ctrl-C; with
//! Enter it dies and starts again, as a VPP that crashes.
#![allow(clippy::print_stdout)] // its output is what it is for

#[path = "../tests/router/stand_in.rs"]
#[allow(dead_code)] // the tests use more of it
mod stand_in;

use std::path::PathBuf;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let socket = std::env::args_os().nth(1).map_or_else(|| "/tmp/router-vpp.sock".into(), PathBuf::from);
    let vpp = stand_in::StandIn::start(&socket).await?;
    println!("a VPP {} stands in at {}; Enter restarts it", vpp_26_06::RELEASE, socket.display());
    let (entered, mut enter) = tokio::sync::mpsc::unbounded_channel();
    std::thread::spawn(move || {
        while std::io::stdin().read_line(&mut String::new()).is_ok_and(|len| len > 0)
            && entered.send(()).is_ok()
        {}
    });
    loop {
        tokio::select! {
            Some(()) = enter.recv() => {
                vpp.restart()?;
                println!("died, and started again: nothing is configured");
            }
            end = tokio::signal::ctrl_c() => return Ok(end?),
        }
    }
}
