//! Programs of one release against stand-ins of another, with bridging allowed.

// Test code, though the lint takes helpers beside tests for something else.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use serde_json::{Value, json};
use vpp_conn::{Bridge, BridgeError, CallError, ConnectCause, Connection, Incompatible};
use vpp_schema::bridge::Obstacle;
use vpp_schema::{Api, Source};
use vpp_sim::Sim;

async fn bridged(sim: &Sim) -> Connection {
    Connection::builder().bridge(Bridge::pinned()).connect(sim.socket()).await.unwrap()
}

/// The obstacle and the path of a value that was refused.
#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T, CallError>) -> (String, Obstacle) {
    match result {
        Err(CallError::Bridge(error)) => (error.path, *error.obstacle),
        other => panic!("{other:?}"),
    }
}

mod new_program_old_vpp {
    use vpp_26_06::fib_types::FibPath;
    use vpp_26_06::gre::GreTunnelV2Dump;
    use vpp_26_06::ikev2::{Ikev2IkeTransforms, Ikev2SetIkeTransforms};
    use vpp_26_06::interface::{CreateLoopback, SwInterfaceDetails, SwInterfaceDump};
    use vpp_26_06::ip::{
        IpRouteAddDelV2, IpRouteAddDelV2Reply, IpRouteV2, IpRouteV2Dump, IpTable, IpTableAddDelV2,
        IpTableDump,
    };
    use vpp_26_06::ip_neighbor::IpNeighborEventV2;
    use vpp_26_06::vpe::ShowVersion;

    use super::*;

    fn route(sw_if_index: u32, src: u8) -> IpRouteAddDelV2 {
        let paths = vec![FibPath { sw_if_index, weight: 1, ..FibPath::default() }];
        let prefix = "10.1.0.0/16".parse().unwrap();
        IpRouteAddDelV2 {
            is_add: true,
            is_multipath: false,
            route: IpRouteV2 { prefix, src, paths, ..IpRouteV2::default() },
        }
    }

    /// VPP 20.09 has other details of interfaces, other routes, and no `_v2` of those; it tells no definitions.
    #[tokio::test]
    async fn of_20_09() {
        let sim = Sim::release("20.09").start().await.unwrap();
        let vpp = bridged(&sim).await;
        assert_eq!(vpp.call(&ShowVersion).await.unwrap().version, "20.09-release");
        let sw_if_index = vpp.call(&CreateLoopback::default()).await.unwrap().sw_if_index;

        // The request is the same, its details are not.
        let interfaces = vpp.dump(&SwInterfaceDump::default()).collect().await.unwrap();
        let names: Vec<&str> = interfaces.iter().map(|it| it.interface_name.as_str()).collect();
        assert_eq!((names, interfaces[1].sw_if_index), (vec!["local0", "loop0"], sw_if_index));

        // The predecessors stand in.
        let table = IpTable { table_id: 7, name: "red".to_owned(), ..IpTable::default() };
        vpp.call(&IpTableAddDelV2 { table, ..IpTableAddDelV2::default() }).await.unwrap();
        assert!(vpp.dump(&IpTableDump).collect().await.unwrap().iter().any(|it| it.table.name == "red"));
        vpp.call(&route(sw_if_index, 0)).await.unwrap();
        assert_eq!((sim.calls("ip_table_add_del"), sim.calls("ip_route_add_del")), (1, 1));
        assert!(sim.routes().iter().any(|route| route.prefix == "10.1.0.0/16" && route.from_client));

        // Many at once; one of them has something to lose.
        let requests = [route(sw_if_index, 0), route(sw_if_index, 9), route(sw_if_index, 0)];
        let mut added = vpp.pipeline(requests.into_iter());
        let mut outcomes = Vec::new();
        while let Some((index, result)) = added.next().await {
            outcomes.push((index, result.is_ok()));
        }
        outcomes.sort_unstable();
        assert_eq!(outcomes, [(0, true), (1, false), (2, true)]);
        assert_eq!(sim.calls("ip_route_add_del"), 3);

        // In place as well as owned.
        let mut routes = vpp.dump(&IpRouteV2Dump::default());
        let mut found = None;
        while let Some(route) = routes.next().await.unwrap() {
            if route.view().route().prefix().to_string() == "10.1.0.0/16" {
                found = Some(route.into_owned().route);
            }
        }
        let found = found.expect("the route");
        assert_eq!((found.paths[0].sw_if_index, found.src), (sw_if_index, 0));
        vpp.close().await.unwrap();
    }

    #[tokio::test]
    async fn what_would_be_lost_is_refused() {
        let sim = Sim::release("20.09").start().await.unwrap();
        let vpp = bridged(&sim).await;
        let (path, obstacle) = refused(vpp.call(&route(0, 9)).await);
        assert_eq!(path, "route.src");
        assert_eq!(obstacle, Obstacle::Dropped { value: "9".to_owned(), neutral: "zero".to_owned() });
        let without = IpTableAddDelV2 { create_mfib: false, ..IpTableAddDelV2::default() };
        assert_eq!(
            vpp.call(&without).await.unwrap_err().to_string(),
            "cannot be bridged to this VPP: ip_table_add_del_v2 as ip_table_add_del: create_mfib: the other \
             definition lacks the field, and zero is not 1, which could be left out"
        );
        assert_eq!(sim.calls("ip_route_add_del") + sim.calls("ip_table_add_del"), 0);
        // Events that differ in what they mean are no pair.
        let error = vpp.listen::<IpNeighborEventV2>().unwrap_err();
        assert!(matches!(
            error,
            CallError::Incompatible(Incompatible::Unbridgeable(error))
                if matches!(&*error, BridgeError::Absent { message, .. } if message == "ip_neighbor_event_v2")
        ));
        vpp.close().await.unwrap();
    }

    /// Without being allowed nothing is bridged.
    #[tokio::test]
    async fn off_by_default() {
        let sim = Sim::release("20.09").start().await.unwrap();
        let vpp = Connection::connect(sim.socket()).await.unwrap();
        let error = vpp.call(&route(0, 0)).await.unwrap_err();
        assert!(matches!(error, CallError::Incompatible(Incompatible::Absent { .. })), "{error}");
        let error = vpp.dump(&SwInterfaceDump::default()).collect().await.unwrap_err();
        assert!(error.to_string().contains("allow bridging"), "{error}");
        assert!(!vpp.supports::<IpRouteAddDelV2>() && sim.calls("show_version") == 0);
        vpp.close().await.unwrap();
    }

    #[tokio::test]
    async fn what_is_required_may_be_bridged() {
        let sim = Sim::release("20.09").start().await.unwrap();
        let needed =
            vpp_wire::messages![IpRouteAddDelV2, IpRouteAddDelV2Reply, SwInterfaceDetails, ShowVersion];
        let connect = |bridge: Option<Bridge>, needed| {
            let mut builder = Connection::builder().require(needed);
            if let Some(bridge) = bridge {
                builder = builder.bridge(bridge);
            }
            builder.connect(sim.socket())
        };
        let vpp = connect(Some(Bridge::pinned()), needed).await.unwrap();
        assert!(vpp.supports::<IpRouteAddDelV2>() && vpp.supports::<SwInterfaceDetails>());
        assert!(!vpp.supports::<IpNeighborEventV2>());
        vpp.close().await.unwrap();

        let ConnectCause::Incompatible { lacking } = connect(None, needed).await.unwrap_err().cause else {
            panic!("another error")
        };
        assert_eq!(lacking.len(), 3);
        let needed = vpp_wire::messages![IpNeighborEventV2];
        let error = connect(Some(Bridge::pinned()), needed).await.unwrap_err().to_string();
        assert!(error.contains("this VPP (20.09) has no ip_neighbor_event_v2"), "{error}");
    }

    /// VPP 25.10 tells its definitions. What it refuses it refuses through the bridge, too.
    #[tokio::test]
    async fn of_25_10() {
        let sim = Sim::release("25.10").start().await.unwrap();
        let vpp = bridged(&sim).await;
        assert_eq!(sim.calls("get_api_json"), 1);
        let set = |prf_alg| Ikev2SetIkeTransforms {
            name: "peer".to_owned(),
            tr: Ikev2IkeTransforms { crypto_alg: 12, dh_group: 14, prf_alg, ..Ikev2IkeTransforms::default() },
        };
        assert_eq!(refused(vpp.call(&set(5)).await).0, "tr.prf_alg");
        assert_eq!(sim.calls("ikev2_set_ike_transforms"), 0);
        let error = vpp.call(&set(0)).await.unwrap_err();
        assert!(matches!(error, CallError::Refused { .. }), "{error}");
        assert_eq!(sim.calls("ikev2_set_ike_transforms"), 1);

        // A dump that ends with a reply there and with a ping here.
        let error = vpp.dump(&GreTunnelV2Dump::default()).collect().await.unwrap_err();
        assert!(
            matches!(&error, CallError::Refused { request, .. } if &**request == "gre_tunnel_dump_v2"),
            "{error}"
        );
        vpp.close().await.unwrap();
    }
}

mod old_program_new_vpp {
    use vpp_20_09::fib_types::FibPath;
    use vpp_20_09::interface::{CreateLoopback, SwInterfaceDump};
    use vpp_20_09::ip::{IpRoute, IpRouteAddDel, IpRouteDump};
    use vpp_20_09::punt::{Punt, PuntL4, PuntUnion, SetPunt};

    use super::*;

    #[tokio::test]
    async fn of_26_06() {
        let sim = Sim::release("26.06").start().await.unwrap();
        let vpp = bridged(&sim).await;
        let sw_if_index = vpp.call(&CreateLoopback::default()).await.unwrap().sw_if_index;
        let interfaces = vpp.dump(&SwInterfaceDump::default()).collect().await.unwrap();
        assert_eq!(interfaces.last().unwrap().interface_name, "loop0");

        let paths = vec![FibPath { sw_if_index, weight: 1, ..FibPath::default() }];
        let route = IpRoute { prefix: "10.1.0.0/16".parse().unwrap(), paths, ..IpRoute::default() };
        vpp.call(&IpRouteAddDel { is_add: true, is_multipath: false, route }).await.unwrap();
        let routes = vpp.dump(&IpRouteDump::default()).collect().await.unwrap();
        let found = routes.iter().find(|it| it.route.prefix.to_string() == "10.1.0.0/16").unwrap();
        assert_eq!(found.route.paths[0].sw_if_index, sw_if_index);

        // An enum whose values were given other numbers: by their names.
        let punt = Punt { punt: PuntUnion::L4(PuntL4::default()) };
        let error = vpp.call(&SetPunt { is_add: true, punt }).await.unwrap_err();
        assert!(matches!(error, CallError::Refused { .. }), "{error}");
        assert_eq!(sim.calls("set_punt"), 1);
        vpp.close().await.unwrap();
    }
}

/// A VPP of a release to come: 26.06 with some messages changed.
fn next_release() -> Api {
    let pins = vpp_api_json::api("26.06").unwrap().to_pins();
    let sources: Vec<Source> = pins
        .into_iter()
        .map(|mut source| {
            let mut file: Value = serde_json::from_str(&source.text).unwrap();
            if source.name == "interface" {
                for message in file["messages"].as_array_mut().unwrap() {
                    change(message.as_array_mut().unwrap());
                }
            }
            source.text = file.to_string();
            source
        })
        .collect();
    let mut api = Api::from_sources(&sources).unwrap();
    api.release = Some("26.10".to_owned());
    api
}

/// Another CRC for each message that changes, and what changes.
fn change(message: &mut Vec<Value>) {
    let field = |name: &str| message.iter().position(|field| field[1] == name);
    match message[0].as_str().unwrap() {
        "sw_interface_event" => {
            let at = field("sw_if_index").unwrap();
            message.insert(at, json!(["u8", "reason"]));
        }
        "want_interface_events" => {
            let at = field("enable_disable").unwrap();
            message[at] = json!(["u8", "enable_disable"]);
            message.insert(at, json!(["u8", "verbosity", {"default": 3}]));
        }
        "create_loopback_reply" => {
            let at = field("sw_if_index").unwrap();
            message.insert(at, json!(["string", "name", 0]));
        }
        "sw_interface_set_mtu" => {
            let at = field("mtu").unwrap();
            message[at] = json!(["u16", "mtu", 4]);
        }
        "sw_interface_get_mac_address_reply" => {
            let at = field("retval").unwrap();
            message.remove(at);
        }
        _ => return,
    }
    message.last_mut().unwrap()["crc"] = json!("0xbadc0ffe");
}

mod a_release_to_come {
    use vpp_26_06::interface::{
        CreateLoopback, SwInterfaceEvent, SwInterfaceGetMacAddress, SwInterfaceSetFlags, SwInterfaceSetMtu,
    };
    use vpp_26_06::interface_types::IfStatusFlags;

    use super::*;

    #[tokio::test]
    async fn calls_and_events() {
        let sim = Sim::api(next_release()).start().await.unwrap();
        let vpp = bridged(&sim).await;
        let sw_if_index = vpp.call(&CreateLoopback::default()).await.unwrap().sw_if_index;

        let mut events = vpp.events::<SwInterfaceEvent>().await.unwrap();
        vpp.call(&SwInterfaceSetFlags { sw_if_index, flags: IfStatusFlags::ADMIN_UP }).await.unwrap();
        let event = tokio::time::timeout(Duration::from_secs(20), events.next()).await.unwrap().unwrap();
        assert_eq!((event.sw_if_index, event.deleted), (sw_if_index, false));
        assert!(event.flags.contains(IfStatusFlags::ADMIN_UP));
        // The request that switches them off is bridged as well.
        drop(events);
        vpp.call(&SwInterfaceSetFlags { sw_if_index, flags: IfStatusFlags::ADMIN_UP }).await.unwrap();
        assert_eq!(sim.calls("want_interface_events"), 2);

        let mtu = |mtu| SwInterfaceSetMtu { sw_if_index, mtu: [mtu, 0, 0, 0] };
        vpp.call(&mtu(1400)).await.unwrap();
        let (path, obstacle) = refused(vpp.call(&mtu(70_000)).await);
        assert_eq!((path.as_str(), obstacle), ("mtu[0]", Obstacle::TooLarge { value: 70_000, to: "u16" }));

        // Nothing says whether it was refused.
        let error = vpp.call(&SwInterfaceGetMacAddress { sw_if_index }).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "this VPP (26.10) speaks another sw_interface_get_mac_address_reply, which cannot be bridged: \
             sw_interface_get_mac_address_reply: retval: only the other definition has the field (i32), and nothing \
             can stand in for it: it says whether the request was refused; build against its release"
        );
        vpp.close().await.unwrap();
    }

    #[tokio::test]
    async fn strictly() {
        let sim = Sim::api(next_release()).start().await.unwrap();
        let strict = Connection::builder().bridge(Bridge::pinned().strict());
        let vpp = strict.connect(sim.socket()).await.unwrap();
        // The stand-in tells no name, and an empty one says nothing.
        let sw_if_index = vpp.call(&CreateLoopback::default()).await.unwrap().sw_if_index;
        let mut events = vpp.events::<SwInterfaceEvent>().await.unwrap();
        sim.send_event("sw_interface_event", &json!({"sw_if_index": sw_if_index, "reason": 4}));
        let error = tokio::time::timeout(Duration::from_secs(20), events.next()).await.unwrap().unwrap_err();
        assert!(error.to_string().contains("reason: "), "{error}");
        sim.send_event("sw_interface_event", &json!({"sw_if_index": sw_if_index}));
        let event = tokio::time::timeout(Duration::from_secs(20), events.next()).await.unwrap().unwrap();
        assert_eq!(event.sw_if_index, sw_if_index);
        vpp.close().await.unwrap();
    }

    /// Its answers are hostile: cut off anywhere they are errors.
    #[tokio::test]
    async fn a_reply_that_is_cut_off() {
        let sim = Sim::api(next_release()).start().await.unwrap();
        let vpp = bridged(&sim).await;
        sim.fault(vpp_sim::Fault::short_reply("create_loopback").once());
        assert_eq!(refused(vpp.call(&CreateLoopback::default()).await).1, Obstacle::Truncated);
        vpp.call(&CreateLoopback::default()).await.unwrap();
        vpp.close().await.unwrap();
    }
}

/// A message of a plugin that nobody pinned: its definition has to be given.
#[tokio::test]
async fn definitions_that_a_program_gives() {
    use vpp_26_06::interface::CreateLoopback;

    // VPP tells another CRC of the message than any definition has: its definition is not known.
    let sim = Sim::release("26.06").crc("create_loopback", 0x0bad_f00d).start().await.unwrap();
    let vpp = bridged(&sim).await;
    let error = vpp.call(&CreateLoopback::default()).await.unwrap_err();
    assert!(
        matches!(&error, CallError::Incompatible(Incompatible::Unbridgeable(error))
            if matches!(**error, BridgeError::UntoldMessage { theirs: 0x0bad_f00d, .. })),
        "{error}"
    );
    vpp.close().await.unwrap();

    let pins = vpp_api_json::api("26.06").unwrap().to_pins();
    let sources: Vec<Source> = pins
        .into_iter()
        .map(|mut source| {
            if source.name == "interface" {
                let mut file: Value = serde_json::from_str(&source.text).unwrap();
                for message in file["messages"].as_array_mut().unwrap() {
                    if message[0] == "create_loopback" {
                        message.as_array_mut().unwrap().last_mut().unwrap()["crc"] = json!("0x0badf00d");
                    }
                }
                source.text = file.to_string();
            }
            source
        })
        .collect();
    let bridge = Bridge::pinned().definitions(Api::from_sources(&sources).unwrap());
    let vpp = Connection::builder().bridge(bridge).connect(sim.socket()).await.unwrap();
    vpp.call(&CreateLoopback::default()).await.unwrap();
    vpp.close().await.unwrap();
}
