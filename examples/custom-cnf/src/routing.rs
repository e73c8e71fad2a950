//! Addresses of interfaces, and routes of the default table.

use agent_core::prelude::*;
use vpp_26_06::fib::FibSourceDump;
use vpp_26_06::interface::SwInterfaceAddDelAddress;
use vpp_26_06::ip::{FibPath, IpAddressDump, IpRouteAddDelV2, IpRouteV2Dump, IpTable};

/// An address of an interface.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Address {
    interface: String,
    address: Prefix,
}

pub struct Addresses(pub Vpp, pub Family<u32>);

pub const ADDRESS: Messages = messages![SwInterfaceAddDelAddress, IpAddressDump];

impl Descriptor for Addresses {
    type Value = Address;
    type Metadata = ();
    const KIND: &'static str = "address";
    const BATCH: usize = BATCH;

    fn key(address: &Address) -> Key {
        Key::of(Self::KIND, &[&address.interface, &address.address])
    }
    fn needs(&self, address: &Address) -> Needs {
        self.1.needs(&address.interface)
    }
    async fn observe(&self) -> Result<Vec<Observed<Self>>, Failure> {
        let both = |(_, sw_if_index)| [false, true].map(|is_ipv6| IpAddressDump { sw_if_index, is_ipv6 });
        let addresses = self.0.dump(self.1.all().into_iter().flat_map(both)).await?;
        Ok(Observed::values(addresses, |it| {
            Some(Address { interface: self.1.name(&it.sw_if_index)?, address: it.prefix })
        }))
    }
    async fn create(&self, batch: Batch<Self>) -> Outcomes {
        let add =
            |it: &Entry<Self>| Ok(SwInterfaceAddDelAddress::add(self.1.get(&it.interface)?, it.address));
        self.0.pipeline(&batch, add).await
    }
    async fn delete(&self, batch: Batch<Self>) -> Outcomes {
        let delete =
            |it: &Entry<Self>| Ok(SwInterfaceAddDelAddress::delete(self.1.get(&it.interface)?, it.address));
        self.0.pipeline(&batch, delete).await
    }
}

// ANCHOR: route
/// A route to a next hop on an interface.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Route {
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
    fn change(&self, _: &Route, _: &Route) -> Change {
        Change::InPlace
    }
    async fn observe(&self) -> Result<Vec<Observed<Self>>, Failure> {
        let vpp = self.0.session()?;
        // Those that clients of the API made; others come with addresses and neighbours.
        let sources = vpp.dump([FibSourceDump]).await?;
        let src = sources.iter().find(|it| it.src.name == "API").map_or(0, |it| it.src.id);
        let table = |is_ip6| IpTable { is_ip6, ..Default::default() };
        let both = [false, true].map(|is_ip6| IpRouteV2Dump { src, table: table(is_ip6) });
        Ok(Observed::values(vpp.dump(both).await?, |it| {
            let path = it.route.paths.first()?;
            let interface = self.1.name(&path.sw_if_index)?;
            Some(Route { prefix: it.route.prefix, via: path.next_hop()?, interface })
        }))
    }
    async fn create(&self, batch: Batch<Self>) -> Outcomes {
        let add = |it: &Entry<Self>| {
            Ok(IpRouteAddDelV2::add(0, it.prefix, FibPath::via_interface(it.via, self.1.get(&it.interface)?)))
        };
        self.0.pipeline(&batch, add).await
    }
    async fn delete(&self, batch: Batch<Self>) -> Outcomes {
        self.0.pipeline(&batch, |it| Ok(IpRouteAddDelV2::delete(0, it.prefix))).await
    }
}
// ANCHOR_END: route
