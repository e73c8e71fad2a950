//! A stand-in for VPP that speaks its API protocol, and a launcher of private VPP instances, for tests.
//!
//! [`Sim`] runs in the test's process, on a socket of its own. It speaks VPP's protocol to the byte, takes its messages
//! from the pinned definitions of a release, keeps state, and breaks on order:
//!
//! ```
//! use std::time::Duration;
//! use vpp_26_06::interface::{CreateLoopback, SwInterfaceSetFlags};
//! use vpp_26_06::interface_types::IfStatusFlags;
//! use vpp_conn::Connection;
//! use vpp_sim::{Fault, Sim};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let sim = Sim::release("26.06").start().await?;
//! let vpp = Connection::connect(sim.socket()).await?;
//! let sw_if_index = vpp.call(&CreateLoopback::default()).await?.sw_if_index;
//!
//! // The request arrives, its reply does not.
//! sim.fault(Fault::drop_reply("sw_interface_set_flags").once());
//! let up = SwInterfaceSetFlags { sw_if_index, flags: IfStatusFlags::ADMIN_UP };
//! assert!(vpp.call(&up).deadline(Duration::from_millis(20)).await.is_err());
//!
//! assert!(sim.interface("loop0").unwrap().admin_up);
//! assert_eq!(sim.calls("sw_interface_set_flags"), 1);
//! # vpp.close().await?;
//! # Ok(())
//! # }
//! ```
//!
//! [`private_vpp::PrivateVpp`] starts a real VPP for tests that need one.
//!
//! # Messages with behaviour
//!
//! | Topic | Messages |
//! |---|---|
//! | Session | `sockclnt_create`, `sockclnt_delete`, `sock_init_shm`, `memclnt_create` (and `_v2`), `memclnt_delete`, `control_ping`, `get_first_msg_id`, `api_versions`, `get_api_json` |
//! | VPP | `show_version`, `show_vpe_system_time`, `get_f64_endian_value`, `get_f64_increment_by_one` |
//! | Command line | `cli_inband`: `show version`, `show interface [NAME…] [address]`, `show ip fib`, `show ip6 fib [table N]` |
//! | Interfaces | `create_loopback`, `create_loopback_instance`, `delete_loopback`, `sw_interface_dump`, `sw_interface_set_flags`, `sw_interface_set_interface_name`, `sw_interface_tag_add_del`, `sw_interface_set_mtu`, `hw_interface_set_mtu`, `sw_interface_get_mac_address`, `sw_interface_set_mac_address`, `want_interface_events` with `sw_interface_event` |
//! | Host interfaces | `af_packet_create` (and `_v2`, `_v3`), `af_packet_delete`, `af_packet_dump`, on devices named by [`SimBuilder::host_device`] |
//! | Addresses | `sw_interface_add_del_address`, `ip_address_dump` |
//! | Tables | `ip_table_add_del` (and `_v2`), `ip_table_allocate`, `ip_table_dump`, `ip_table_flush`, `sw_interface_set_table`, `sw_interface_get_table` |
//! | Routes | `ip_route_add_del` (and `_v2`), `ip_route_dump`, `ip_route_v2_dump`, `ip_route_lookup` (and `_v2`), `fib_source_dump` |
//! | Bridge domains | `bridge_domain_add_del` (and `_v2`), `bridge_domain_dump`, `sw_interface_set_l2_bridge` |
//! | Path MTUs | `ip_path_mtu_update`, and `ip_path_mtu_get`: the stream that VPP interrupts with a cursor |
//!
//! The API of another plugin is loaded with [`SimBuilder::plugin`], and [`SimBuilder::on`] says what answers its messages,
//! or any other.
//!
//! Every other message of the release is known and refused: its reply carries `retval` −9 (`UNIMPLEMENTED`), a dump is
//! empty, a stream with a cursor is empty and ends with −9. A request whose reply has no `retval` stays without an
//! answer: there is no way to say no, and a reply would be a lie. As in VPP, what is no request, is too short, or has an
//! unknown number is dropped in silence.
//!
//! # Where it differs from VPP
//!
//! A release other than the newest takes a feature: `all-releases`, or that of the release in `vpp-api-json`.
//!
//! Behaviour was compared with VPP 26.06, and one suite of tests runs on both. What differs:
//!
//! | Matter | VPP | The stand-in |
//! |---|---|---|
//! | Modules | those whose plugins are loaded | all of the release, but those left out on order |
//! | Host interfaces | on any device of the host; also without Ethernet (mode IP) | on those that a test names, without packets; mode IP is refused with −9 |
//! | Statistics | all error counters, heaps, buffer pools, nodes on order | interfaces, `/sys`, and errors that a test counted; no traffic |
//! | Events of a test's own | as the plugin has it | to those whose `want_*` request was not refused, without its filters |
//! | Order of routes in a dump | by length, then that of a hash table; IPv6 in that of a hash table | by length, then by address |
//! | `stats_index` | the number of an internal object | a number of its own, as stable |
//! | Routes to resolve others (sources adjacency, recursive-resolution) | appear in dumps | do not exist |
//! | Kinds of paths | 11 | normal, local, drop, ICMP unreachable and prohibited; others are refused with −9. `rpf_id` does not count |
//! | An address with a length beyond its kind | depends on memory behind a table | −59 (`ADDRESS_LENGTH_MISMATCH`) |
//! | Free ids of tables and bridge domains on request | random | the lowest |
//! | `local0` as a port of a bridge domain | listed before loopbacks | listed in the order of addition |
//! | `get_first_msg_id` | compares the CRC of the module's file | looks at the module's name alone |
//! | `control_ping_reply.client_index` | not initialised up to 26.06 | the asking client's |
//! | Command line | hundreds of commands; counters in `show interface` | the four above; no traffic, so no counters; numbers of internal objects in `show ip fib` differ |
//! | Events | once per interface and burst of requests that VPP handles together | once per interface and burst that arrives together |
//! | A frame that claims 4 GiB, an empty frame | VPP dies of one and reads stray memory at the other | the connection is closed; nothing happens |
//! | Shared memory | the segment of a client whose socket closed stays until VPP asks in vain, 40 s or more | it ends with the socket |
//! | A VPP that sleeps | handles one request of one client's shared memory each time it is woken, and some more when it was busy before | handles one request of that client, always |
//! | `rpc_call` | calls whatever address the client names | refused with −9 |
//!
//! Like VPP, it queues without a bound for a client that does not read its socket, and stands still, with all its clients,
//! while one's queue in shared memory is full.

mod answer;
mod clients;
mod core;
mod fault;
mod handlers;
mod message_table;
pub mod private_vpp;
mod request;
mod server;
mod shared_core;
#[cfg_attr(
    not(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64")),
    path = "no_shared_memory.rs"
)]
mod shared_memory;
mod sim;
mod snapshot;
mod state;
pub mod stats;

pub use answer::Answer;
pub use fault::Fault;
pub use sim::{Sim, SimBuilder, StartError};
pub use snapshot::{BridgeDomainState, InterfaceState, PathState, RouteState};
