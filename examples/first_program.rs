//! The program of the project's README: `cargo run --example first_program -- /run/vpp/api.sock`.
#![allow(clippy::print_stdout)] // its output is what it is for

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let socket = std::env::args().nth(1).unwrap_or_else(|| vpp_conn::DEFAULT_SOCKET.to_owned());
    run(&socket).await
}

// ANCHOR: README
use vpp_26_06::interface::{CreateLoopback, IfStatusFlags, SwInterfaceEvent, SwInterfaceSetFlags};
use vpp_conn::Connection;

async fn run(socket: &str) -> anyhow::Result<()> {
    let vpp = Connection::connect(socket).await?;

    // A request names its reply. A negative retval is an error value.
    let loopback = vpp.call(&CreateLoopback::default()).await?.sw_if_index;

    // Subscribing is one step.
    let mut events = vpp.events::<SwInterfaceEvent>().await?;
    vpp.call(&SwInterfaceSetFlags { sw_if_index: loopback, flags: IfStatusFlags::ADMIN_UP }).await?;
    println!("{:?}", events.next().await?);

    vpp.close().await?;
    Ok(())
}
// ANCHOR_END: README
