//! A mock southbound: items of made-up kinds whose needs, derived items and ways to change are written in their
//! values, and a southbound that can be slow, fail, hang and change by itself.
//!
//! ```
//! use vpp_agent_engine::{Engine, Settings, State};
//! use vpp_agent_testkit::{A, B, Item, Southbound, need};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(async {
//! let southbound = Southbound::new();
//! let engine = Engine::start(Settings::default());
//! southbound.register_all(&engine);
//! let route = Item::new("B", "r").needs(need("A/loop"));
//! engine.transaction().set::<B>(route).commit().await.unwrap();
//! assert_eq!(southbound.calls(), [""; 0]);
//! engine.transaction().set::<A>(Item::new("A", "loop")).commit().await.unwrap();
//! assert_eq!(southbound.calls(), ["create A/loop", "create B/r"]);
//! # });
//! ```

mod conformance;
mod item;
mod kinds;
mod southbound;

pub use conformance::{Conformance, Step, Violations};
pub use item::{Item, Need, after, all, any, any_at_least, need, one_of};
pub use kinds::{A, B, C, Dd, KINDS};
pub use southbound::{Call, Fault, Southbound};
