//! Ten tasks of a program that controls VPP: `cargo run --example ten_tasks -- SOCKET [SOCKET]`.
//!
//! The book puts them beside GoVPP and `vpp_papi` (`docs/book/src/from-govpp.md`, `from-vpp-papi.md`). A second VPP, of
//! whatever release, shows the last one better.
#![allow(clippy::print_stdout)] // its output is what it is for

use std::net::{IpAddr, Ipv4Addr};

// ANCHOR: use
use anyhow::{Context, Result};
use vpp_26_06::interface::{
    CreateLoopback, DeleteLoopback, IfStatusFlags, SwInterfaceDetails, SwInterfaceDump, SwInterfaceEvent,
    SwInterfaceSetFlags,
};
use vpp_26_06::ip::{FibPath, IpRouteAddDelV2};
use vpp_26_06::vpe::ShowVersion;
use vpp_conn::{CallError, Connection};
use vpp_wire::{ApiError, messages};
// ANCHOR_END: use

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let mut sockets = std::env::args().skip(1);
    let socket = sockets.next().unwrap_or_else(|| vpp_conn::DEFAULT_SOCKET.to_owned());

    let vpp = connect(&socket).await?;
    println!("version: {}", version(&vpp).await?);
    let loopback = create_loopback(&vpp).await?;
    println!("interfaces: {}", interfaces(&vpp).await?.join(", "));
    add_route(&vpp, loopback).await?;
    println!("routes: {}", add_routes(&vpp, loopback, 10_000).await?);
    println!("event: {:?}", next_event(&vpp, loopback).await?);
    println!("refused: {}", refused(&vpp).await?);
    match check(&socket).await {
        Ok(()) => println!("good for this program"),
        Err(error) => println!("not good for this program: {error}"),
    }
    println!("on this VPP: {}", names_on_any_release(&vpp).await?.join(", "));
    vpp.call(&DeleteLoopback { sw_if_index: loopback }).await?;
    vpp.close().await?;

    if let Some(socket) = sockets.next() {
        let other = Connection::connect(&socket).await?;
        println!("on the other: {}", names_on_any_release(&other).await?.join(", "));
        other.close().await?;
    }
    Ok(())
}

// ANCHOR: connect
async fn connect(socket: &str) -> Result<Connection> {
    Ok(Connection::connect(socket).await?)
}
// ANCHOR_END: connect

// ANCHOR: version
async fn version(vpp: &Connection) -> Result<String> {
    Ok(vpp.call(&ShowVersion).await?.version)
}
// ANCHOR_END: version

// ANCHOR: loopback
async fn create_loopback(vpp: &Connection) -> Result<u32> {
    let loopback = vpp.call(&CreateLoopback::default()).await?.sw_if_index;
    vpp.call(&SwInterfaceSetFlags { sw_if_index: loopback, flags: IfStatusFlags::ADMIN_UP }).await?;
    Ok(loopback)
}
// ANCHOR_END: loopback

// ANCHOR: interfaces
async fn interfaces(vpp: &Connection) -> Result<Vec<String>> {
    let interfaces = vpp.dump(&SwInterfaceDump::default()).collect().await?;
    Ok(interfaces.into_iter().map(|interface| interface.interface_name).collect())
}
// ANCHOR_END: interfaces

// ANCHOR: route
async fn add_route(vpp: &Connection, loopback: u32) -> Result<()> {
    let path = FibPath::via_interface(Ipv4Addr::new(10, 0, 0, 2), loopback);
    vpp.call(&IpRouteAddDelV2::add(0, "10.1.0.0/16".parse()?, path)).await?;
    Ok(())
}
// ANCHOR_END: route

// ANCHOR: routes
async fn add_routes(vpp: &Connection, loopback: u32, count: u32) -> Result<usize> {
    let path = FibPath::via_interface(Ipv4Addr::new(10, 0, 0, 2), loopback);
    let first = u32::from(Ipv4Addr::new(11, 0, 0, 0));
    let routes = (first..first + count).map(|address| {
        let host = IpAddr::V4(address.into());
        IpRouteAddDelV2::add(0, host.into(), path.clone())
    });
    // How many are under way at once adapts to what VPP handles.
    let mut added = vpp.pipeline(routes);
    let mut done = 0;
    while let Some((_, result)) = added.next().await {
        result?;
        done += 1;
    }
    Ok(done)
}
// ANCHOR_END: routes

// ANCHOR: events
async fn next_event(vpp: &Connection, loopback: u32) -> Result<SwInterfaceEvent> {
    let mut events = vpp.events::<SwInterfaceEvent>().await?;
    vpp.call(&SwInterfaceSetFlags { sw_if_index: loopback, flags: IfStatusFlags::default() }).await?;
    Ok(events.next().await?) // dropping the stream unsubscribes
}
// ANCHOR_END: events

// ANCHOR: refused
async fn refused(vpp: &Connection) -> Result<String> {
    match vpp.call(&DeleteLoopback { sw_if_index: 99_999 }).await {
        Err(CallError::Refused { error: ApiError::INVALID_SW_IF_INDEX, .. }) => {
            Ok("no such interface".into())
        }
        Err(error) => Err(error).context("nothing was deleted"),
        Ok(_) => Ok("it was there".into()),
    }
}
// ANCHOR_END: refused

// ANCHOR: check
async fn check(socket: &str) -> Result<()> {
    // All that is lacking is in one error, which says of each message whether it is absent or another.
    let required = messages![CreateLoopback, SwInterfaceDump, SwInterfaceDetails, IpRouteAddDelV2];
    let vpp = Connection::builder().require(required).connect(socket).await?;
    vpp.close().await?;
    Ok(())
}
// ANCHOR_END: check

// ANCHOR: releases
async fn names_on_any_release(vpp: &Connection) -> Result<Vec<String>> {
    if vpp.supports::<SwInterfaceDetails>() {
        return interfaces(vpp).await;
    }
    // What differs has a type for each release; what does not is one type, whichever crate names it.
    let old = vpp.dump(&vpp_20_09::interface::SwInterfaceDump::default()).collect().await?;
    Ok(old.into_iter().map(|interface| interface.interface_name).collect())
}
// ANCHOR_END: releases
