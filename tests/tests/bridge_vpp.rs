//! Programs of other releases against a real VPP (`VPP_BIN`), with bridging allowed.
//!
//! A case is ignored, by name, where the VPP is of the very release that its program is built for, or where there is no
//! VPP.

// Test code, though its own main hides that from the lints.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use libtest_mimic::{Arguments, Failed, Trial};
use vpp_conn::{Bridge, CallError, Connection};
use vpp_sim::private_vpp::PrivateVpp;

/// No case takes longer than this, also on a busy machine.
const CASE_TIMEOUT: Duration = Duration::from_secs(60);

/// A case: its name, the release that its program is built for, whether it needs a VPP before that.
struct Case {
    name: &'static str,
    release: &'static str,
    run: fn(Arc<PrivateVpp>) -> Result<(), Failed>,
}

macro_rules! case {
    ($release:literal, $module:ident :: $case:ident) => {
        Case {
            name: concat!(stringify!($module), "::", stringify!($case)),
            release: $release,
            run: |real| on(&real, async |vpp| $module::$case(vpp, &real).await),
        }
    };
}

const CASES: &[Case] = &[
    case!("20.09", program_of_20_09::interfaces),
    case!("20.09", program_of_20_09::routes),
    case!("20.09", program_of_20_09::neighbors_and_their_events),
    case!("20.09", program_of_20_09::tunnels),
    case!("25.10", program_of_25_10::ikev2_transforms),
    case!("26.06", program_of_26_06::ikev2_transforms),
    case!("26.06", program_of_26_06::tunnels_with_keys),
];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let real = PrivateVpp::find().map(|binary| {
        let real = PrivateVpp::builder().binary(binary).start().unwrap_or_else(|error| panic!("{error}"));
        let version = real.cli("show version").unwrap_or_else(|error| panic!("{error}"));
        // `vpp v26.06-release built by ...`
        let release = version.split_once(" v").map_or("", |(_, rest)| rest).get(..5).unwrap_or_default();
        (release.to_owned(), Arc::new(real))
    });
    if !arguments.list {
        match &real {
            None => eprintln!("no VPP (VPP_BIN is not set, PATH has no vpp): all tests are ignored"),
            Some((release, _)) => eprintln!("VPP {release}: tests of programs of {release} are ignored"),
        }
    }
    let trials = CASES.iter().map(|case| {
        // 25.10 declares that a reply ends its dumps of GRE tunnels, and never sends it: with its own definitions, too.
        let is_unanswered = |release: &str| release == "25.10" && case.name.contains("tunnels");
        let is_ignored =
            real.as_ref().is_none_or(|(release, _)| release == case.release || is_unanswered(release));
        let real = real.as_ref().map(|(_, real)| Arc::clone(real));
        let test = move || (case.run)(real.ok_or("no VPP")?);
        Trial::test(case.name, test).with_ignored_flag(is_ignored)
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

fn on(real: &PrivateVpp, case: impl AsyncFnOnce(&Connection) -> Result<(), Failed>) -> Result<(), Failed> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let vpp = Connection::builder().bridge(Bridge::pinned()).connect(real.socket()).await?;
        tokio::time::timeout(CASE_TIMEOUT, case(&vpp)).await??;
        vpp.close().await?;
        Ok(())
    })
}

/// Whether VPP itself has the very message: then nothing is bridged, and nothing is shown.
fn has<M: vpp_wire::Message>(vpp: &Connection) -> bool {
    vpp.table().get(M::NAME).is_some_and(|entry| entry.crc == M::CRC)
}

mod program_of_20_09 {
    use vpp_20_09::fib_types::FibPath;
    use vpp_20_09::gre::{GreTunnel, GreTunnelAddDel, GreTunnelDump};
    use vpp_20_09::interface::{
        CreateLoopback, SwInterfaceAddDelAddress, SwInterfaceDetails, SwInterfaceDump, SwInterfaceSetFlags,
    };
    use vpp_20_09::interface_types::IfStatusFlags;
    use vpp_20_09::ip::{IpRoute, IpRouteAddDel, IpRouteDump};
    use vpp_20_09::ip_neighbor::{
        IpNeighbor, IpNeighborAddDel, IpNeighborDump, IpNeighborEvent, WantIpNeighborEvents,
    };

    use super::*;

    /// A loopback with an address, up.
    async fn loopback(vpp: &Connection, address: &str) -> Result<u32, Failed> {
        let sw_if_index = vpp.call(&CreateLoopback::default()).await?.sw_if_index;
        let up = SwInterfaceSetFlags { sw_if_index, flags: IfStatusFlags::ADMIN_UP };
        vpp.call(&up).await?;
        let prefix = address.parse()?;
        let add = SwInterfaceAddDelAddress { sw_if_index, is_add: true, prefix, ..Default::default() };
        vpp.call(&add).await?;
        Ok(sw_if_index)
    }

    pub(super) async fn interfaces(vpp: &Connection, _: &PrivateVpp) -> Result<(), Failed> {
        assert!(!has::<SwInterfaceDetails>(vpp));
        let sw_if_index = loopback(vpp, "10.0.1.1/24").await?;
        let all = vpp.dump(&SwInterfaceDump::default()).collect().await?;
        let found = all.iter().find(|it| it.sw_if_index == sw_if_index).ok_or("no loopback")?;
        assert!(found.interface_name.starts_with("loop"), "{found:?}");
        assert!(found.flags.contains(IfStatusFlags::ADMIN_UP));
        // What VPP says in its own words.
        assert!((found.link_mtu, found.mtu[0]) == (9000, 9000), "{found:?}");
        Ok(())
    }

    pub(super) async fn routes(vpp: &Connection, real: &PrivateVpp) -> Result<(), Failed> {
        assert!(!has::<IpRouteAddDel>(vpp));
        let sw_if_index = loopback(vpp, "10.0.2.1/24").await?;
        let path = FibPath { sw_if_index, weight: 1, ..FibPath::default() };
        let route = |paths| IpRoute { prefix: "10.20.0.0/16".parse().unwrap(), paths, ..IpRoute::default() };
        let add = |is_add, paths| IpRouteAddDel { is_add, is_multipath: false, route: route(paths) };
        vpp.call(&add(true, vec![path.clone()])).await?;
        let shown = real.cli("show ip fib 10.20.0.0/16")?;
        assert!(shown.contains("10.20.0.0/16") && shown.contains("loop"), "{shown}");
        let routes = vpp.dump(&IpRouteDump::default()).collect().await?;
        let found = routes.iter().find(|it| it.route.prefix.to_string() == "10.20.0.0/16");
        assert_eq!(found.ok_or("no route")?.route.paths[0].sw_if_index, sw_if_index);
        vpp.call(&add(false, vec![path])).await?;
        assert!(!real.cli("show ip fib")?.contains("10.20.0.0/16"));
        Ok(())
    }

    pub(super) async fn neighbors_and_their_events(
        vpp: &Connection,
        real: &PrivateVpp,
    ) -> Result<(), Failed> {
        assert!(!has::<IpNeighborAddDel>(vpp) && !has::<IpNeighborEvent>(vpp));
        let sw_if_index = loopback(vpp, "10.0.3.1/24").await?;
        let mut events = vpp.listen::<IpNeighborEvent>()?;
        let want = WantIpNeighborEvents { enable: true, pid: 77, sw_if_index, ..Default::default() };
        vpp.call(&want).await?;
        let neighbor = IpNeighbor {
            sw_if_index,
            mac_address: [2, 0, 0, 0, 0, 9].into(),
            ip_address: "10.0.3.9".parse::<std::net::IpAddr>()?.into(),
            ..IpNeighbor::default()
        };
        vpp.call(&IpNeighborAddDel { is_add: true, neighbor: neighbor.clone() }).await?;
        let event = events.next().await?;
        assert_eq!(
            (event.neighbor.sw_if_index, event.neighbor.mac_address),
            (sw_if_index, neighbor.mac_address)
        );
        assert!(real.cli("show ip neighbors")?.contains("02:00:00:00:00:09"));
        let all = vpp.dump(&IpNeighborDump { sw_if_index, ..IpNeighborDump::default() }).collect().await?;
        assert_eq!(all.len(), 1, "{all:?}");
        assert_eq!(all[0].neighbor.ip_address, neighbor.ip_address);
        Ok(())
    }

    pub(super) async fn tunnels(vpp: &Connection, real: &PrivateVpp) -> Result<(), Failed> {
        assert!(!has::<GreTunnelAddDel>(vpp));
        let address = |text: &str| text.parse::<std::net::IpAddr>().unwrap().into();
        let tunnel = GreTunnel {
            instance: 42,
            src: address("10.9.0.1"),
            dst: address("10.9.0.2"),
            ..GreTunnel::default()
        };
        let sw_if_index = vpp.call(&GreTunnelAddDel { is_add: true, tunnel }).await?.sw_if_index;
        assert!(real.cli("show gre tunnel")?.contains("10.9.0.2"));
        let all = vpp.dump(&GreTunnelDump { sw_if_index }).collect().await?;
        assert_eq!((all.len(), all[0].tunnel.instance), (1, 42), "{all:?}");
        assert_eq!(all[0].tunnel.dst, address("10.9.0.2"));
        Ok(())
    }
}

mod program_of_25_10 {
    use vpp_25_10::ikev2::{
        Ikev2IkeTransforms, Ikev2ProfileAddDel, Ikev2ProfileDetails, Ikev2ProfileDump, Ikev2SetIkeTransforms,
    };

    use super::*;

    pub(super) async fn ikev2_transforms(vpp: &Connection, _: &PrivateVpp) -> Result<(), Failed> {
        if vpp.table().get("ikev2_profile_dump").is_none() {
            return Err("this VPP has no ikev2 plugin".into());
        }
        let is_other = !has::<Ikev2SetIkeTransforms>(vpp) && !has::<Ikev2ProfileDetails>(vpp);
        let name = "vppkit-old".to_owned();
        vpp.call(&Ikev2ProfileAddDel { name: name.clone(), is_add: true }).await?;
        let tr = Ikev2IkeTransforms { crypto_alg: 12, crypto_key_size: 256, integ_alg: 12, dh_group: 14 };
        vpp.call(&Ikev2SetIkeTransforms { name: name.clone(), tr: tr.clone() }).await?;
        let all = vpp.dump(&Ikev2ProfileDump).collect().await?;
        let found = all.iter().find(|it| it.profile.name == name).ok_or("no profile")?;
        assert_eq!(found.profile.ike_ts, tr, "bridged: {is_other}");
        // What VPP refuses is refused by its own word.
        let unknown = Ikev2SetIkeTransforms { name: "no such".to_owned(), tr };
        assert!(matches!(vpp.call(&unknown).await, Err(CallError::Refused { .. })));
        Ok(())
    }
}

mod program_of_26_06 {
    use vpp_26_06::gre::{GreTunnelAddDelV2, GreTunnelV2, GreTunnelV2Dump};
    use vpp_26_06::ikev2::{Ikev2IkeTransforms, Ikev2ProfileAddDel, Ikev2ProfileDump, Ikev2SetIkeTransforms};

    use super::*;

    pub(super) async fn ikev2_transforms(vpp: &Connection, _: &PrivateVpp) -> Result<(), Failed> {
        assert!(!has::<Ikev2SetIkeTransforms>(vpp));
        let name = "vppkit-new".to_owned();
        vpp.call(&Ikev2ProfileAddDel { name: name.clone(), is_add: true }).await?;
        let tr = |prf_alg| Ikev2IkeTransforms {
            crypto_alg: 12,
            crypto_key_size: 256,
            integ_alg: 12,
            prf_alg,
            dh_group: 14,
        };
        let error = vpp.call(&Ikev2SetIkeTransforms { name: name.clone(), tr: tr(5) }).await.unwrap_err();
        assert!(matches!(&error, CallError::Bridge(error) if error.path == "tr.prf_alg"), "{error}");
        vpp.call(&Ikev2SetIkeTransforms { name: name.clone(), tr: tr(0) }).await?;
        let all = vpp.dump(&Ikev2ProfileDump).collect().await?;
        let found = all.iter().find(|it| it.profile.name == name).ok_or("no profile")?;
        assert_eq!(found.profile.ike_ts, tr(0));
        Ok(())
    }

    /// By the name that the dump had in 25.10, or without keys before that.
    pub(super) async fn tunnels_with_keys(vpp: &Connection, _: &PrivateVpp) -> Result<(), Failed> {
        assert!(!has::<GreTunnelV2Dump>(vpp));
        let address = |text: &str| text.parse::<std::net::IpAddr>().unwrap().into();
        let tunnel = GreTunnelV2 {
            instance: 43,
            src: address("10.9.1.1"),
            dst: address("10.9.1.2"),
            ..GreTunnelV2::default()
        };
        let sw_if_index = vpp.call(&GreTunnelAddDelV2 { is_add: true, tunnel }).await?.sw_if_index;
        let all = vpp.dump(&GreTunnelV2Dump { sw_if_index }).collect().await?;
        assert_eq!((all.len(), all[0].tunnel.instance, all[0].tunnel.key), (1, 43, 0), "{all:?}");
        Ok(())
    }
}
