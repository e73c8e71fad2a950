//! 100,000 routes from one file, beside a raw loop that adds the same routes with prepared bytes, in the same run:
//! `cargo bench -p custom-cnf`, on the VPP of `VPP_BIN` or `PATH`, else on the stand-in.
#![allow(clippy::print_stdout, clippy::print_stderr)] // its output is what it is for

#[path = "../tests/router/agent.rs"]
#[allow(dead_code)] // the tests use more of it
mod agent;
#[path = "routes/look.rs"]
mod look;
#[path = "routes/raw.rs"]
mod raw;

use std::fmt::Write as _;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use agent::Agent;
use libtest_mimic::Failed;
use vpp_sim::Sim;
use vpp_sim::private_vpp::PrivateVpp;

const LONG: Duration = Duration::from_secs(60);
const ROUTES: u32 = 100_000;
const ROUNDS: usize = 9;
/// How often it is looked at how far the agent is.
const EVERY: Duration = Duration::from_millis(5);

fn main() -> Result<(), Failed> {
    let (vpp, sim) = match PrivateVpp::find() {
        Some(binary) => (Some(PrivateVpp::builder().binary(binary).start()?), None),
        None => (None, Some(Sim::release(vpp_26_06::RELEASE).start_blocking()?)),
    };
    println!("{ROUTES} routes on {}", if vpp.is_some() { "a real VPP" } else { "the stand-in" });
    let socket = match (&vpp, &sim) {
        (Some(vpp), _) => vpp.socket(),
        (_, Some(sim)) => sim.socket(),
        (None, None) => return Err("no VPP".into()),
    };
    let mut agent = Agent::start(socket, &document(0))?;
    agent.until_health(|text| text.contains("200 OK"))?;
    let mut raw = raw::Raw::connect(socket)?;
    let look = look::Look::connect(socket)?;
    let best = |times: &[Duration]| times.iter().min().copied().unwrap_or_default();
    let (mut floor, mut reading) = (Vec::new(), Vec::new());
    let (mut whole, mut applying) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        // The first of several is slower, as what it uses was used for something else.
        raw.add(ROUTES)?;
        raw.delete(ROUTES)?;
        floor.push(raw.add(ROUTES)?);
        raw.delete(ROUTES)?;
        let before = answered(&agent)?;
        agent.write(&document(ROUTES))?;
        let saved = Instant::now();
        look.until_there(address(0))?;
        let first = saved.elapsed();
        look.until_there(address(ROUTES - 1))?;
        let mut last = saved.elapsed();
        // Calls run beside each other, so others may come behind the last.
        while answered(&agent)? < before + f64::from(ROUTES) {
            std::thread::sleep(EVERY);
            last = saved.elapsed();
        }
        reading.push(first);
        applying.push(last - first);
        whole.push(last);
        agent.write(&document(0))?;
        while answered(&agent)? < before + 2.0 * f64::from(ROUTES) {
            std::thread::sleep(EVERY);
        }
    }
    let rate = |time: Duration| f64::from(ROUTES) / time.as_secs_f64() / 1e3;
    let floor = best(&floor);
    println!("raw loop                            {floor:>8.1?}  {:>6.0} k/s", rate(floor));
    println!("file saved to first route in VPP    {:>8.1?}", best(&reading));
    for (name, time) in
        [("first to last route in VPP", best(&applying)), ("file saved to last route in VPP", best(&whole))]
    {
        let share = floor.as_secs_f64() / time.as_secs_f64();
        println!("{name:35} {time:>8.1?}  {:>6.0} k/s  {share:.2} of the raw loop's rate", rate(time));
    }
    agent.stop()
}

/// What VPP has answered to the agent so far.
fn answered(agent: &Agent) -> Result<f64, Failed> {
    agent.metric("vpp_calls_answered_total{vpp=\"vpp\"}")
}

fn document(routes: u32) -> String {
    let mut text = String::from(
        "loopbacks: [{ instance: 0 }]\naddresses: [{ interface: loop0, address: 10.0.0.1/24 }]\nroutes:\n",
    );
    for index in 0..routes {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "- {{ prefix: {}/32, via: 10.0.0.2, interface: loop0 }}", address(index));
    }
    text
}

fn address(index: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(0x1400_0000 + index)
}
