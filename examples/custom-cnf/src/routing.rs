//! Addresses of interfaces, and routes of the default table.

use std::net::IpAddr;

use agent_core::vpp::prelude::*;
use vpp_26_06::fib::FibSourceDump;
use vpp_26_06::interface::SwInterfaceAddDelAddress;
use vpp_26_06::ip::{FibPath, IpAddressDump, IpRouteAddDelV2, IpRouteV2Details, IpRouteV2Dump, IpTable};

use crate::interface;

/// An address of an interface.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Address {
    interface: String,
    #[serde(with = "text")]
    #[schemars(with = "String")]
    address: Prefix,
}

pub struct Addresses(pub Vpp, pub Family<u32>);

pub const ADDRESS: Messages = messages![SwInterfaceAddDelAddress, IpAddressDump];

impl Addresses {
    async fn set(&self, is_add: bool, batch: &Batch<Self>) -> Outcomes {
        let request = |it: &Entry<Self>| {
            let (sw_if_index, prefix) = (self.1.get(&it.value().interface)?, it.value().address);
            Ok(SwInterfaceAddDelAddress { sw_if_index, is_add, prefix, ..Default::default() })
        };
        self.0.pipeline(batch, request).await
    }
}

impl Descriptor for Addresses {
    type Value = Address;
    type Metadata = ();
    const KIND: &'static str = "address";
    const OBSERVE_AFTER: &'static [&'static str] = interface::KINDS;
    const BATCH: usize = BATCH;

    fn key(address: &Address) -> Key {
        Key::of(Self::KIND, &[&address.interface, &address.address])
    }
    fn needs(&self, address: &Address) -> Needs {
        self.1.needs(&address.interface)
    }
    async fn observe(&self) -> Result<Vec<Observed<Self>>, Failure> {
        let (vpp, mut all) = (self.0.session()?, Vec::new());
        for (key, sw_if_index) in self.1.all() {
            let address = |address| Address { interface: key.name().to_owned(), address };
            for is_ipv6 in [false, true] {
                let addresses = IpAddressDump { sw_if_index, is_ipv6 };
                all.extend(vpp.observe(&addresses, |it| Some(Observed::new(address(it.prefix), ()))).await?);
            }
        }
        Ok(all)
    }
    async fn create(&self, batch: Batch<Self>) -> Outcomes {
        self.set(true, &batch).await
    }
    async fn delete(&self, batch: Batch<Self>) -> Outcomes {
        self.set(false, &batch).await
    }
}

// ANCHOR: route
/// A route to a next hop on an interface.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Route {
    #[serde(with = "text")]
    #[schemars(with = "String")]
    prefix: Prefix,
    via: IpAddr,
    interface: String,
}

pub struct Routes(pub Vpp, pub Family<u32>);

pub const ROUTE: Messages = messages![IpRouteAddDelV2, IpRouteV2Dump, FibSourceDump];

impl Descriptor for Routes {
    type Value = Route;
    type Metadata = ();
    const KIND: &'static str = "route";
    const OBSERVE_AFTER: &'static [&'static str] = interface::KINDS;
    const BATCH: usize = BATCH;

    fn key(route: &Route) -> Key {
        Key::new(Self::KIND, route.prefix)
    }
    fn validate(&self, route: &Route) -> Result<(), Invalid> {
        Invalid::unless(route.prefix == route.prefix.network(), "prefix", "has bits of a host")
    }
    fn needs(&self, route: &Route) -> Needs {
        self.1.needs(&route.interface)
    }
    async fn observe(&self) -> Result<Vec<Observed<Self>>, Failure> {
        let (vpp, mut all) = (self.0.session()?, Vec::new());
        // Those that clients of the API made; others come with addresses and neighbours.
        let sources = vpp.dump(&FibSourceDump).await?;
        let src = sources.iter().find(|it| it.src.name == "API").map_or(0, |it| it.src.id);
        for is_ip6 in [false, true] {
            let table = IpTable { is_ip6, ..Default::default() };
            let route = |it: IpRouteV2Details| {
                let path = it.route.paths.first()?;
                let interface = self.1.name(&path.sw_if_index)?;
                Some(Observed::new(Route { prefix: it.route.prefix, via: path.next_hop()?, interface }, ()))
            };
            all.extend(vpp.observe(&IpRouteV2Dump { src, table }, route).await?);
        }
        Ok(all)
    }
    async fn create(&self, batch: Batch<Self>) -> Outcomes {
        let add = |it: &Entry<Self>| {
            let Route { prefix, via, interface } = it.value();
            Ok(IpRouteAddDelV2::add(0, *prefix, FibPath::via_interface(*via, self.1.get(interface)?)))
        };
        self.0.pipeline(&batch, add).await
    }
    async fn delete(&self, batch: Batch<Self>) -> Outcomes {
        self.0.pipeline(&batch, |it| Ok(IpRouteAddDelV2::delete(0, it.value().prefix))).await
    }
}
// ANCHOR_END: route
