//! What the toolkit does, in one go: `cargo run --example quickstart`.
//!
//! Talks to the VPP at `/run/vpp/api.sock` (or the socket given as argument) when one is there, else to the embedded
//! stand-in. Creates a loopback with an address and a route, shows them, and removes what it made.
#![allow(clippy::print_stdout)] // its output is what it is for

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result};
use vpp_26_06::interface::{
    CreateLoopback, DeleteLoopback, IfStatusFlags, SwInterfaceAddDelAddress, SwInterfaceDump,
    SwInterfaceEvent, SwInterfaceSetFlags,
};
use vpp_26_06::ip::{FibPath, IpAddressDump, IpRouteAddDelV2, IpRouteV2Dump};
use vpp_26_06::vpe::ShowVersion;
use vpp_conn::Connection;
use vpp_sim::Sim;
use vpp_wire::Prefix;

const DESTINATION: &str = "10.1.0.0/16";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let socket =
        std::env::args_os().nth(1).map_or_else(|| PathBuf::from(vpp_conn::DEFAULT_SOCKET), PathBuf::from);
    // Held until the end: the stand-in ends when it is dropped.
    let sim;
    let vpp = if socket.exists() {
        println!("VPP at {}", socket.display());
        Connection::connect(&socket).await?
    } else {
        sim = Sim::release(vpp_26_06::RELEASE).start().await?;
        println!("no VPP at {}: using the embedded stand-in ({})", socket.display(), vpp_26_06::RELEASE);
        Connection::connect(sim.socket()).await?
    };
    let version = vpp.call(&ShowVersion).await?;
    println!("{} {}\n", version.program, version.version);

    let started = Instant::now();
    let loopback = vpp.call(&CreateLoopback::default()).await?.sw_if_index;
    let shown = show(&vpp, loopback).await;
    // What was made is removed whatever happened meanwhile. The route goes by itself only where it was not added.
    let _route = vpp.call(&IpRouteAddDelV2::delete(0, DESTINATION.parse()?)).await;
    vpp.call(&DeleteLoopback { sw_if_index: loopback }).await?;
    shown?;
    println!("\ncleaned up after {:.1} ms", started.elapsed().as_secs_f64() * 1e3);
    vpp.close().await?;
    Ok(())
}

async fn show(vpp: &Connection, loopback: u32) -> Result<()> {
    let address: Prefix = "10.0.0.1/24".parse()?;
    let next_hop = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2));
    let destination: Prefix = DESTINATION.parse()?;

    let mut events = vpp.events::<SwInterfaceEvent>().await?;
    vpp.call(&SwInterfaceSetFlags { sw_if_index: loopback, flags: IfStatusFlags::ADMIN_UP }).await?;
    let event = loop {
        let event = events.next().await?;
        if event.sw_if_index == loopback {
            break event;
        }
    };
    let added = SwInterfaceAddDelAddress {
        sw_if_index: loopback,
        is_add: true,
        prefix: address,
        ..Default::default()
    };
    vpp.call(&added).await?;
    vpp.call(&IpRouteAddDelV2::add(0, destination, FibPath::via_interface(next_hop, loopback))).await?;

    let interfaces = vpp.dump(&SwInterfaceDump::default()).collect().await?;
    let name =
        |index: u32| interfaces.iter().find(|i| i.sw_if_index == index).map(|i| i.interface_name.as_str());
    let created = name(loopback).context("VPP does not show the loopback it created")?;
    let state = |flags: IfStatusFlags| if flags.contains(IfStatusFlags::ADMIN_UP) { "up" } else { "down" };
    println!(
        "{created} created, up, {address}                        event: {created} is {}\n",
        state(event.flags)
    );

    println!("{:>6}  {:<10} {:<6} {:<6} addresses", "index", "interface", "state", "MTU");
    for interface in &interfaces {
        let addresses =
            vpp.dump(&IpAddressDump { sw_if_index: interface.sw_if_index, is_ipv6: false }).collect().await?;
        let addresses: Vec<_> = addresses.iter().map(|a| a.prefix.to_string()).collect();
        let (index, name, mtu) = (interface.sw_if_index, &interface.interface_name, interface.mtu[0]);
        println!("{index:>6}  {name:<10} {:<6} {mtu:<6} {}", state(interface.flags), addresses.join(" "));
    }

    println!("\n{:<20} via", "prefix");
    let mut routes = vpp.dump(&IpRouteV2Dump::default());
    while let Some(route) = routes.next().await? {
        // Read in place: nothing is allocated for a route.
        let route = route.view().route();
        // VPP shows an interface's network with the interface's address in it.
        let prefix = route.prefix().network();
        if prefix != destination && prefix != address.network() {
            continue; // what VPP keeps for itself
        }
        let via: Vec<_> = route
            .paths()
            .iter()
            .map(|path| {
                let interface = name(path.sw_if_index).unwrap_or("");
                match path.next_hop() {
                    Some(next_hop) if !next_hop.is_unspecified() && interface.is_empty() => {
                        next_hop.to_string()
                    }
                    Some(next_hop) if !next_hop.is_unspecified() => format!("{next_hop}, {interface}"),
                    _ => interface.to_owned(),
                }
            })
            .collect();
        println!("{:<20} {}", prefix.to_string(), via.join("; "));
    }
    Ok(())
}
