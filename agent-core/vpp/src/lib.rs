//! VPP for agents: what joins the engine and a VPP. Neither knows the other.
//!
//! * [`VppConnection`] is the plugin: one connection for each VPP of the agent, shared by all plugins, kept while VPP comes
//!   and goes; its health and its numbers are the agent's.
//! * [`Vpp::register`] gives the engine a kind of item that lives in a VPP. While VPP is down its items wait; when it is
//!   back, all kinds are observed before anything is done. A kind whose messages this VPP does not have is unimplemented,
//!   and says which message it is.
//! * Verbs that make a descriptor short: a batch becomes a [pipeline](Vpp::pipeline), a dump becomes
//!   [observations](Vpp::dump), an [event](Vpp::on_event) an observed change, an error of a call a typed
//!   [`failure()`].
//!
//! A descriptor of VPP's routes, whole:
//!
//! ```
//! use std::net::IpAddr;
//!
//! use vpp_26_06::fib::FibSourceDump;
//! use vpp_26_06::ip::{FibPath, IpRouteAddDelV2, IpRouteV2Dump};
//! use vpp_agent_engine::{Batch, Descriptor, Failure, Key, Observed, Outcomes};
//! use vpp_agent_vpp::{Vpp, messages};
//! # use vpp_agent_kernel::{schemars::JsonSchema, serde::{Deserialize, Serialize}};
//! use vpp_wire::Prefix;
//!
//! #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
//! # #[serde(crate = "vpp_agent_kernel::serde")]
//! # #[schemars(crate = "vpp_agent_kernel::schemars")]
//! struct Route {
//!     prefix: Prefix,
//!     via: IpAddr,
//! }
//!
//! struct Routes(Vpp);
//!
//! impl Descriptor for Routes {
//!     type Value = Route;
//!     type Metadata = ();
//!     const KIND: &'static str = "route";
//!     const BATCH: usize = vpp_agent_vpp::BATCH;
//!
//!     fn key(route: &Route) -> Key {
//!         Key::new(Self::KIND, route.prefix)
//!     }
//!     async fn observe(&self) -> Result<Vec<Observed<Self>>, Failure> {
//!         let vpp = self.0.session()?;
//!         // Those that clients of the API made; others come with addresses and neighbours.
//!         let sources = vpp.dump([FibSourceDump]).await?;
//!         let src = sources.iter().find(|it| it.src.name == "API").map_or(0, |it| it.src.id);
//!         let routes = vpp.dump([IpRouteV2Dump { src, ..Default::default() }]).await?;
//!         Ok(Observed::values(routes, |it| {
//!             let via = it.route.paths.first()?.next_hop()?;
//!             Some(Route { prefix: it.route.prefix, via })
//!         }))
//!     }
//!     async fn create(&self, batch: Batch<Self>) -> Outcomes {
//!         self.0.pipeline(&batch, |it| Ok(IpRouteAddDelV2::add(0, it.prefix, FibPath::via(it.via)))).await
//!     }
//!     async fn delete(&self, batch: Batch<Self>) -> Outcomes {
//!         self.0.pipeline(&batch, |it| Ok(IpRouteAddDelV2::delete(0, it.prefix))).await
//!     }
//! }
//!
//! # fn register(vpp: Vpp) -> Result<(), vpp_agent_vpp::NoEngine> {
//! vpp.register(Routes(vpp.clone()), messages![FibSourceDump, IpRouteAddDelV2, IpRouteV2Dump])?;
//! # Ok(())
//! # }
//! ```

mod config;
mod failure;
mod messages;
mod metrics;
mod plugin;
pub mod prelude;
mod session;
mod vpp;

pub use {vpp_conn, vpp_wire};

pub use self::config::{Endpoint, Transport, VppConfig};
pub use self::failure::failure;
pub use self::messages::Messages;
#[doc(hidden)]
pub use self::messages::exchange;
pub use self::plugin::{UnknownVpp, VppConnection};
pub use self::session::Session;
pub use self::vpp::{NoEngine, Vpp};

/// A [`BATCH`](vpp_agent_engine::Descriptor::BATCH) for kinds whose items are one request each: enough to keep VPP busy,
/// and few enough that a batch is done long before its deadline, and that its memory serves for the next one.
pub const BATCH: usize = 512;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
