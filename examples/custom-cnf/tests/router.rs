//! The router as a process, on a stand-in and on a real VPP: what its file says is there, follows when the file is edited,
//! comes back with VPP, and stays untouched when the agent is killed and started again.
//!
//! On a real VPP (what `VPP_BIN` names, else `vpp` in `PATH`) packets go through it, between two network namespaces that
//! are joined to it by veth and af_packet. That needs root and `ip`; without them, or without a VPP, the tests are listed
//! as ignored.
#![allow(clippy::unwrap_used, clippy::print_stderr)] // tests, though their own main hides that from the lints

#[path = "router/agent.rs"]
#[allow(dead_code)] // the bench uses more of it
mod agent;
#[path = "router/host_devices.rs"]
mod host_devices;
#[path = "router/network.rs"]
mod network;
#[path = "router/stand_in.rs"]
mod stand_in;
#[path = "router/worlds.rs"]
mod worlds;

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use libtest_mimic::{Arguments, Failed, Trial};
use vpp_sim::private_vpp::PrivateVpp;

use crate::agent::Agent;
use crate::worlds::World;

/// Nothing takes longer than this, also on a busy machine.
const LONG: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    if let Some(code) = network::ping_main() {
        return code;
    }
    let arguments = Arguments::from_args();
    let why_not = match (PrivateVpp::find(), network::is_permitted()) {
        (None, _) => Some("no VPP (VPP_BIN is not set, PATH has no vpp)"),
        (_, false) => Some("no network namespaces (they need root and `ip`)"),
        _ => None,
    };
    if let Some(why_not) = why_not.filter(|_| !arguments.list) {
        eprintln!("{why_not}: the tests real_vpp::* are ignored");
    }
    let real = |name: &str, case: fn(&mut dyn World) -> Result<(), Failed>| {
        let run = move || case(&mut worlds::Real::new()?);
        Trial::test(format!("real_vpp::{name}"), run).with_ignored_flag(why_not.is_some())
    };
    let stand_in = |name: &str, case: fn(&mut dyn World) -> Result<(), Failed>| {
        Trial::test(format!("stand_in::{name}"), move || case(&mut worlds::StandIn::new()?))
    };
    let mut trials = Vec::new();
    for (name, case) in [
        ("routes", routes as fn(&mut dyn World) -> _),
        ("plan", plan),
        ("host_devices", host_devices::behave),
    ] {
        trials.extend([stand_in(name, case), real(name, case)]);
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// What the file of the tests says, for these devices, and what VPP has then.
struct Wanted {
    document: String,
    there: BTreeSet<String>,
}

fn wanted([lan, wan]: [&str; 2], routes: &[&str]) -> Wanted {
    let mut document = format!(
        "host-interfaces:\n\
         - {{ device: {lan}, mac: '02:fe:00:00:00:01' }}\n\
         - {{ device: {wan}, mac: '02:fe:00:00:00:02' }}\n\
         loopbacks: [{{ instance: 7 }}]\n\
         samples: [{{ interface: host-{lan}, one_of: 100 }}]\n\
         addresses:\n\
         - {{ interface: host-{lan}, address: 10.1.0.1/24 }}\n\
         - {{ interface: host-{wan}, address: 10.2.0.1/24 }}\n\
         - {{ interface: loop7, address: 192.0.2.1/32 }}\n\
         routes:\n"
    );
    let mut there = BTreeSet::from([
        format!("host-{lan} up"),
        format!("host-{wan} up"),
        "loop7 up".to_owned(),
        format!("host-{lan} 10.1.0.1/24"),
        format!("host-{wan} 10.2.0.1/24"),
        "loop7 192.0.2.1/32".to_owned(),
    ]);
    for route in routes {
        document.push_str(&format!("- {{ prefix: {route}, via: 10.2.0.2, interface: host-{wan} }}\n"));
        there.insert(format!("{route} via 10.2.0.2, host-{wan}"));
    }
    Wanted { document, there }
}

/// Behind the far side, where `network` puts an address of it.
const FAR: &str = "198.51.100.0/24";
const FAR_HOST: &str = "198.51.100.1";

/// Waits until VPP has just this; how long that took.
fn until(world: &dyn World, agent: &mut Agent, there: &BTreeSet<String>) -> Result<Duration, Failed> {
    let started = Instant::now();
    loop {
        let now = world.there().unwrap_or_default();
        if now == *there {
            return Ok(started.elapsed());
        }
        if started.elapsed() > LONG || !agent.runs() {
            let missing: Vec<_> = there.difference(&now).collect();
            let more: Vec<_> = now.difference(there).collect();
            return Err(format!("missing {missing:?}, too much {more:?}\n{}", agent.log()).into());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Waits until the agent is ready: then VPP has just this, since ready is who has made what is wanted.
fn ready_with(world: &dyn World, agent: &mut Agent, there: &BTreeSet<String>) -> Result<(), Failed> {
    agent.until_health(|text| text.contains("200 OK"))?;
    match world.there()? {
        now if now == *there => Ok(()),
        now => Err(format!("ready too early: {now:?}").into()),
    }
}

/// The life of a router.
fn routes(world: &mut dyn World) -> Result<(), Failed> {
    let devices = world.devices();
    let devices = [devices[0].as_str(), devices[1].as_str()];
    let mut agent = Agent::start(world.socket(), &wanted(devices, &[FAR]).document)?;
    ready_with(world, &mut agent, &wanted(devices, &[FAR]).there)?;
    world.packets_pass("10.2.0.2")?;
    world.packets_pass(FAR_HOST)?;
    world.check_sampling(&mut agent)?;

    // The file is edited.
    agent.write(&wanted(devices, &["203.0.113.0/24", "2001:db8::/32"][..1]).document)?;
    until(world, &mut agent, &wanted(devices, &["203.0.113.0/24"]).there)?;
    agent.write(&wanted(devices, &["203.0.113.0/24", FAR]).document)?;
    let all = wanted(devices, &["203.0.113.0/24", FAR]);
    until(world, &mut agent, &all.there)?;
    world.packets_pass(FAR_HOST)?;

    // Routes get another next hop, and an interface is shut down, where they are: one request for each.
    let before = world.mutations()?;
    let change = |text: &str| text.replace("10.2.0.2", "10.2.0.3").replace("loop7 up", "loop7 down");
    agent.write(&change(&all.document).replace("instance: 7", "instance: 7, shutdown: true"))?;
    until(world, &mut agent, &all.there.iter().map(|it| change(it)).collect())?;
    let changed = since(before, world.mutations()?);
    if changed != [("ip_route_add_del_v2".to_owned(), 2), ("sw_interface_set_flags".to_owned(), 1)] {
        return Err(format!("not where they are: {changed:?}").into());
    }
    agent.write(&all.document)?;
    until(world, &mut agent, &all.there)?;
    world.packets_pass(FAR_HOST)?;

    // A document that is wrong changes nothing, and says where it is.
    agent.write(&all.document.replace("192.0.2.1/32", "192.0.2.1/33"))?;
    agent.until_health(|text| text.contains("192.0.2.1/33"))?;
    if world.there()? != all.there {
        return Err("a wrong document changed something".into());
    }
    agent.write(&all.document)?;
    agent.until_health(|text| !text.contains("192.0.2.1/33"))?;

    // VPP is killed.
    world.restart()?;
    let api_up = Instant::now();
    let there = until(world, &mut agent, &all.there)?;
    world.packets_pass(FAR_HOST)?;
    eprintln!(
        "after VPP was killed: all is there {there:.1?} behind its API, packets pass after {:.1?}",
        api_up.elapsed()
    );

    // The agent is killed. What it finds is right, and the one thing that was added meanwhile is all that it does.
    agent.kill();
    let before = world.mutations()?;
    let more = wanted(devices, &["203.0.113.0/24", FAR, "233.252.0.0/24"]);
    agent.write(&more.document)?;
    agent.start_again()?;
    ready_with(world, &mut agent, &more.there)?;
    if since(before, world.mutations()?) != [("ip_route_add_del_v2".to_owned(), 1)] {
        return Err(format!("more than the new route: {:?}", world.mutations()?).into());
    }

    // An empty file: nothing is wanted.
    agent.write("")?;
    until(world, &mut agent, &BTreeSet::new())?;
    agent.stop()
}

/// How often each message came meanwhile.
fn since(before: BTreeMap<String, i64>, mut after: BTreeMap<String, i64>) -> Vec<(String, i64)> {
    for (message, times) in before {
        *after.entry(message).or_default() -= times;
    }
    after.into_iter().filter(|(_, times)| *times != 0).collect()
}

/// What would be done is told, and nothing is done.
fn plan(world: &mut dyn World) -> Result<(), Failed> {
    let devices = world.devices();
    let all = wanted([&devices[0], &devices[1]], &[FAR]);
    let before = world.mutations()?;
    let plan = agent::plan(world.socket(), &all.document)?;
    let route = format!("+ route/{FAR}");
    if !plan.contains(&route) || !plan.contains(&format!("after host-interface/host-{}", devices[1])) {
        return Err(plan.into());
    }
    if world.mutations()? != before || !world.there()?.is_empty() {
        return Err("something was done".into());
    }
    Ok(())
}
