//! A desired-state engine: say what should be there; it compares that with what is there, plans, and carries out.
//!
//! * An **item** has a [`Key`] and a value. A [`Descriptor`] says what a kind of item needs and how it is made.
//! * **Sources** want items, by [transactions](Transaction). Where two want the same one, the higher priority has it;
//!   it goes when the last one lets go.
//! * What an item [needs](Needs) has to be there first. Until then it is pending, with the reason; and it is withdrawn
//!   before that ends.
//! * Nothing is done with a kind before it was observed, so an engine that starts beside a southbound that is already
//!   right does nothing.
//!
//! A descriptor and an agent, whole:
//!
//! ```
//! use std::collections::BTreeMap;
//! use std::sync::{Arc, Mutex};
//! use vpp_agent_engine::{Batch, Descriptor, Engine, Failure, Key, Needs, Observed, Outcomes, Settings, State};
//!
//! /// A dataplane.
//! type Table = Arc<Mutex<BTreeMap<String, Route>>>;
//!
//! #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
//! struct Route {
//!     prefix: String,
//!     via: Option<String>,
//! }
//!
//! struct Routes(Table);
//!
//! impl Descriptor for Routes {
//!     type Value = Route;
//!     type Metadata = ();
//!     const KIND: &'static str = "route";
//!
//!     fn key(route: &Route) -> Key {
//!         Key::new(Self::KIND, &route.prefix)
//!     }
//!     fn needs(&self, route: &Route) -> Needs {
//!         route.via.as_ref().map_or(Needs::none(), Needs::item::<Self>)
//!     }
//!     async fn observe(&self) -> Result<Vec<Observed<Self>>, Failure> {
//!         Ok(self.0.lock().unwrap().values().map(|route| Observed::new(route.clone(), ())).collect())
//!     }
//!     async fn create(&self, batch: Batch<Self>) -> Outcomes {
//!         let mut table = self.0.lock().unwrap();
//!         let add = |route: &Route| table.insert(route.prefix.clone(), route.clone());
//!         batch.iter().map(|entry| entry.value()).map(add).map(|_| Ok(())).collect()
//!     }
//!     async fn delete(&self, batch: Batch<Self>) -> Outcomes {
//!         let mut table = self.0.lock().unwrap();
//!         batch.iter().map(|entry| table.remove(&entry.value().prefix)).map(|_| Ok(())).collect()
//!     }
//! }
//!
//! # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
//! let table = Table::default();
//! let engine = Engine::start(Settings::default());
//! engine.register(Routes(table.clone()));
//!
//! let far = Route { prefix: "10.2.0.0/16".into(), via: Some("10.1.0.0/16".into()) };
//! let near = Route { prefix: "10.1.0.0/16".into(), via: None };
//! engine.transaction().set::<Routes>(far).commit().await?;
//! let status = engine.status(&Key::new("route", "10.2.0.0/16")).unwrap();
//! assert_eq!(status.state, State::Pending);
//! assert_eq!(status.pending, ["needs route/10.1.0.0/16, which nobody wants"]);
//!
//! let plan = engine.transaction().set::<Routes>(near.clone()).plan();
//! assert_eq!(plan.to_string(), "\
//! + route/10.1.0.0/16   create
//! + route/10.2.0.0/16   create   after route/10.1.0.0/16
//! 2 operations in 2 steps");
//! engine.transaction().set::<Routes>(near).commit().await?;
//! assert_eq!(table.lock().unwrap().len(), 2);
//! # Ok::<(), vpp_agent_engine::Ended>(())
//! # }).unwrap();
//! ```

mod descriptor;
mod documents;
mod driver;
mod engine;
mod failure;
mod family;
#[cfg(feature = "file")]
pub mod file;
mod history;
mod journal;
mod key;
mod metadata;
mod metrics;
mod needs;
mod plan;
mod planner;
mod plugin;
mod record;
mod rules;
mod status;
mod store;
mod transaction;
mod value;
mod watch;

pub use descriptor::{Batch, Change, Derived, Descriptor, Entry, Observed, Outcomes};
pub use documents::Written;
pub use engine::{Ended, Engine, Settings, Transaction};
pub use failure::{Failure, Invalid};
pub use family::Family;
pub use journal::{BoxError, Fact, Journal, MemoryJournal, Remembered, Wanted};
#[cfg(feature = "redb")]
pub use journal::{JournalError, RedbJournal};
pub use key::Key;
pub use metadata::{Registered, Reverse};
pub use needs::Needs;
pub use plan::{Graph, Plan, Step};
pub use planner::{Access, Drift, Foreign};
pub use plugin::EngineConfig;
pub use record::{Record, Replay, ReplayError, Replayed};
pub use status::{State, Status, Summary};
pub use store::{Apply, Store, StoreError, Update};
pub use transaction::{Action, Done, Ending, Item, OnPending, Report, Resync, Retry, Trigger, Why};
pub use value::{AnyValue, Value};
pub use watch::{Watch, Watched};
