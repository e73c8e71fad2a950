//! Two hosts on either side of the router: network namespaces, each joined to it by a veth. And a ping.

use std::net::Ipv4Addr;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use libtest_mimic::Failed;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketAddrV4, SocketType, ipproto, sockopt};

/// The argument that makes this program a ping.
const ROLE: &str = "--ping";

/// Hosts and the devices that join them to the router. They go with the value.
pub(super) struct Network {
    name: String,
}

/// Whether such a network can be made here.
pub(super) fn is_permitted() -> bool {
    let name = format!("cnf-{}", std::process::id());
    let made = ip(&format!("netns add {name}")).is_ok();
    made && ip(&format!("netns del {name}")).is_ok()
}

fn ip(arguments: &str) -> Result<(), Failed> {
    let output = Command::new("ip").args(arguments.split_whitespace()).output()?;
    match output.status.success() {
        true => Ok(()),
        false => Err(format!("ip {arguments}: {}", String::from_utf8_lossy(&output.stderr)).into()),
    }
}

impl Network {
    /// `10.1.0.2` on one side; `10.2.0.2` and `198.51.100.1` on the other.
    pub(super) fn new(name: String) -> Result<Self, Failed> {
        let network = Self { name };
        for (side, number) in ["lan", "wan"].into_iter().zip(1..) {
            let (host, device) = (network.host(side), network.device(side));
            ip(&format!("netns add {host}"))?;
            ip(&format!("link add {device} type veth peer name eth0 netns {host}"))?;
            ip(&format!("link set {device} up"))?;
            ip(&format!("-n {host} link set lo up"))?;
            ip(&format!("-n {host} link set eth0 up"))?;
            ip(&format!("-n {host} address add 10.{number}.0.2/24 dev eth0"))?;
            ip(&format!("-n {host} route add default via 10.{number}.0.1"))?;
        }
        ip(&format!("-n {} address add {}/32 dev lo", network.host("wan"), super::FAR_HOST))?;
        Ok(network)
    }

    /// The router's end.
    pub(super) fn device(&self, side: &str) -> String {
        format!("{side}{}", self.name)
    }

    fn host(&self, side: &str) -> String {
        format!("cnf-{side}{}", self.name)
    }

    /// Sends echo requests from the one side until an answer comes back.
    pub(super) fn ping(&self, to: &str) -> Result<(), Failed> {
        let program = std::env::current_exe()?;
        let host = self.host("lan");
        let output =
            Command::new("ip").args(["netns", "exec", &host]).arg(program).args([ROLE, to]).output()?;
        match output.status.success() {
            true => Ok(()),
            false => Err(format!("no answer from {to}: {}", String::from_utf8_lossy(&output.stderr)).into()),
        }
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for side in ["lan", "wan"] {
            // What was not made cannot be deleted. The veth goes with its end in the namespace, which the kernel deletes a
            // moment later than it says.
            let _ = ip(&format!("link del {}", self.device(side)));
            let _ = ip(&format!("netns del {}", self.host(side)));
        }
    }
}

/// Pings where this process was started for it.
pub(super) fn ping_main() -> Option<ExitCode> {
    let mut arguments = std::env::args().skip(1);
    if arguments.next()? != ROLE {
        return None;
    }
    let to = arguments.next()?.parse().ok()?;
    match ping(to) {
        Ok(()) => Some(ExitCode::SUCCESS),
        Err(error) => {
            eprintln!("{error}");
            Some(ExitCode::FAILURE)
        }
    }
}

/// An echo request of ICMP, each 20 ms until an answer comes.
fn ping(to: Ipv4Addr) -> Result<(), Box<dyn std::error::Error>> {
    let socket = rustix::net::socket(AddressFamily::INET, SocketType::RAW, Some(ipproto::ICMP))?;
    sockopt::set_socket_timeout(&socket, sockopt::Timeout::Recv, Some(Duration::from_millis(20)))?;
    let id = std::process::id().to_be_bytes();
    let mut request = [8, 0, 0, 0, id[2], id[3], 0, 1];
    let words = request.chunks(2).map(|word| u32::from(u16::from_be_bytes([word[0], word[1]])));
    let sum: u32 = words.sum();
    let checksum = !((sum & 0xffff) + (sum >> 16)) as u16;
    request[2..4].copy_from_slice(&checksum.to_be_bytes());
    let (started, mut packet) = (Instant::now(), [0; 1500]);
    while started.elapsed() < super::LONG {
        // No way there yet is no answer yet.
        let _ = rustix::net::sendto(&socket, &request, SendFlags::empty(), &SocketAddrV4::new(to, 0));
        while let Ok((len, _)) = rustix::net::recv(&socket, &mut packet[..], RecvFlags::empty()) {
            let header = usize::from(packet[0] & 0xf) * 4;
            let answer = packet.get(header..len).unwrap_or_default();
            if packet[12..16] == to.octets()
                && answer.first() == Some(&0)
                && answer.get(4..6) == Some(&id[2..])
            {
                return Ok(());
            }
        }
    }
    Err("it waited in vain".into())
}
