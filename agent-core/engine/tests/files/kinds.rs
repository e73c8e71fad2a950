//! A router in small: loopbacks with their addresses, and routes.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use vpp_agent_engine::{
    Batch, Derived, Descriptor, Engine, Failure, Invalid, Key, Needs, Observed, Outcomes,
};
use vpp_agent_kernel::{Context, Plugin, PluginError};

#[derive(Default)]
struct World {
    there: BTreeMap<String, Json>,
    calls: Vec<String>,
    failing: BTreeSet<String>,
}

/// What is configured. A clone is the same.
#[derive(Clone, Default)]
pub(crate) struct Router(Arc<Mutex<World>>);

impl Router {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().expect("nobody panics")
    }

    /// Calls since this was asked last.
    pub(crate) fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.world().calls)
    }

    #[allow(dead_code, reason = "not every test that has these kinds asks")]
    pub(crate) fn there(&self) -> Vec<String> {
        self.world().there.keys().cloned().collect()
    }

    /// Operations on this item fail from now on, or no more.
    #[allow(dead_code, reason = "not every test that has these kinds asks")]
    pub(crate) fn fail(&self, key: &str, fails: bool) {
        let mut world = self.world();
        if fails {
            world.failing.insert(key.to_owned())
        } else {
            world.failing.remove(key)
        };
    }

    /// Somebody else takes an item away.
    #[allow(dead_code, reason = "not every test that has these kinds asks")]
    pub(crate) fn take(&self, key: &str) {
        self.world().there.remove(key);
    }

    /// Somebody else makes an item.
    pub(crate) fn put<D: Descriptor>(&self, value: D::Value) {
        let json = serde_json::to_value(&value).expect("JSON");
        self.world().there.insert(D::key(&value).to_string(), json);
    }

    fn observe<D: Descriptor<Metadata = ()>>(&self) -> Vec<Observed<D>> {
        let prefix = format!("{}/", D::KIND);
        let world = self.world();
        let of_kind = world.there.iter().filter(|(key, _)| key.starts_with(&prefix));
        of_kind
            .map(|(_, json)| Observed::new(serde_json::from_value(json.clone()).expect("a value"), ()))
            .collect()
    }

    fn operate<D: Descriptor>(&self, batch: &Batch<D>, makes: bool) -> Outcomes {
        let mut world = self.world();
        let one = |entry: &vpp_agent_engine::Entry<D>| {
            let key = entry.key.to_string();
            world.calls.push(format!("{} {key}", if makes { "create" } else { "delete" }));
            if world.failing.contains(&key) {
                return Err(Failure::new("out of memory"));
            }
            if makes {
                world.there.insert(key, serde_json::to_value(entry.value()).expect("JSON"));
            } else {
                world.there.remove(&key);
            }
            Ok(())
        };
        batch.iter().map(one).collect()
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Loopback {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) addresses: Vec<String>,
    #[serde(default)]
    pub(crate) mtu: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Address {
    interface: String,
    address: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Route {
    #[serde(default)]
    table: u32,
    prefix: String,
    #[schemars(with = "String")]
    via: IpAddr,
    interface: String,
}

pub(crate) struct Loopbacks(Router);
pub(crate) struct Addresses(Router);
pub(crate) struct Routes(Router);

macro_rules! southbound {
    () => {
        async fn observe(&self) -> Result<Vec<Observed<Self>>, Failure> {
            Ok(self.0.observe())
        }
        async fn create(&self, batch: Batch<Self>) -> Outcomes {
            self.0.operate(&batch, true)
        }
        async fn delete(&self, batch: Batch<Self>) -> Outcomes {
            self.0.operate(&batch, false)
        }
    };
}

impl Descriptor for Loopbacks {
    type Value = Loopback;
    type Metadata = ();
    const KIND: &'static str = "loopback";

    fn key(loopback: &Loopback) -> Key {
        Key::new(Self::KIND, &loopback.name)
    }
    fn validate(&self, loopback: &Loopback) -> Result<(), Invalid> {
        let mut invalid = Invalid::default();
        if loopback.name.is_empty() {
            invalid = invalid.and("name", "it is empty");
        }
        if loopback.mtu.is_some_and(|mtu| mtu < 64) {
            invalid = invalid.and("mtu", "it is less than 64");
        }
        invalid.check()
    }
    fn equivalent(&self, a: &Loopback, b: &Loopback) -> bool {
        (&a.name, a.mtu) == (&b.name, b.mtu)
    }
    fn derived(&self, loopback: &Loopback) -> Vec<Derived> {
        let address =
            |address: &String| Address { interface: loopback.name.clone(), address: address.clone() };
        loopback.addresses.iter().map(address).map(Derived::item::<Addresses>).collect()
    }
    southbound!();
}

impl Descriptor for Addresses {
    type Value = Address;
    type Metadata = ();
    const KIND: &'static str = "address";

    fn key(address: &Address) -> Key {
        Key::of(Self::KIND, &[&address.interface, &address.address])
    }
    fn validate(&self, address: &Address) -> Result<(), Invalid> {
        match address.address.contains('/') {
            true => Ok(()),
            false => Err(Invalid::field("address", "it has no length")),
        }
    }
    fn needs(&self, address: &Address) -> Needs {
        Needs::item::<Loopbacks>(&address.interface)
    }
    southbound!();
}

impl Descriptor for Routes {
    type Value = Route;
    type Metadata = ();
    const KIND: &'static str = "route";

    fn key(route: &Route) -> Key {
        Key::of(Self::KIND, &[&route.table, &route.prefix])
    }
    fn needs(&self, route: &Route) -> Needs {
        Needs::item::<Loopbacks>(&route.interface)
    }
    southbound!();
}

pub(crate) struct Kinds;

impl Plugin for Kinds {
    const NAME: &'static str = "kinds";
    type Config = ();
    type Needs = Engine;

    async fn start(_: (), engine: Arc<Engine>, _: &Context) -> Result<Self, PluginError> {
        Self::register(&engine);
        Ok(Self)
    }
}

impl Kinds {
    pub(crate) fn register(engine: &Engine) {
        let router = crate::current();
        engine.register(Loopbacks(router.clone()));
        engine.register(Addresses(router.clone()));
        engine.register(Routes(router));
    }
}
