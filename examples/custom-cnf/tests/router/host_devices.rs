//! What the stand-in does with devices of the host is what VPP does.

use agent_core::vpp::vpp_conn::{CallError, Connection};
use libtest_mimic::Failed;
use vpp_26_06::af_packet::{AfPacketCreateV3, AfPacketDelete, AfPacketDump, AfPacketMode};
use vpp_26_06::fib::FibSourceDump;
use vpp_26_06::interface::{
    DeleteLoopback, HwInterfaceSetMtu, IfStatusFlags, SwInterfaceAddDelAddress, SwInterfaceDetails,
    SwInterfaceDump, SwInterfaceSetMacAddress,
};

use crate::worlds::World;

/// What VPP refused it with; 0 where it did not.
fn retval<T>(result: Result<T, CallError>) -> Result<i32, Failed> {
    match result {
        Ok(_) => Ok(0),
        Err(CallError::Refused { error, .. }) => Ok(error.0),
        Err(error) => Err(error.into()),
    }
}

fn expect<T: PartialEq + std::fmt::Debug>(what: &str, is: T, expected: T) -> Result<(), Failed> {
    if is == expected { Ok(()) } else { Err(format!("{what}: {is:?}, not {expected:?}").into()) }
}

pub(super) fn behave(world: &mut dyn World) -> Result<(), Failed> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let [device, _] = world.devices();
    runtime.block_on(async {
        let vpp = Connection::connect(world.socket()).await?;
        let result = talk(&vpp, &device).await;
        vpp.close().await?;
        result
    })
}

async fn talk(vpp: &Connection, device: &str) -> Result<(), Failed> {
    let on = |device: &str, mode| AfPacketCreateV3 {
        mode,
        host_if_name: device.to_owned(),
        hw_addr: "02:fe:00:00:00:77".parse().unwrap_or_default(),
        ..Default::default()
    };
    let create = on(device, AfPacketMode::ETHERNET);
    expect(
        "a device that is not there",
        retval(vpp.call(&on("nosuch", AfPacketMode::ETHERNET)).await)?,
        -71,
    )?;
    expect("an unknown mode", retval(vpp.call(&on(device, AfPacketMode(7))).await)?, -7)?;
    let sw_if_index = vpp.call(&create).await?.sw_if_index;
    let again = vpp.call(&create).unchecked().await?;
    expect("a second one", (again.retval, again.sw_if_index), (-79, sw_if_index))?;

    let dump = vpp.dump(&AfPacketDump).collect().await?;
    let all: Vec<_> = dump.iter().map(|it| (it.sw_if_index, it.host_if_name.as_str())).collect();
    expect("all", all, vec![(sw_if_index, device)])?;
    let it = interface(vpp, sw_if_index).await?;
    expect("its name", it.interface_name, format!("host-{device}"))?;
    expect("its kind", it.interface_dev_type.as_str(), "af-packet")?;
    expect("its state", it.flags, IfStatusFlags::LINK_UP)?;
    expect("its MTUs", (it.link_mtu, it.mtu), (9000, [9000, 0, 0, 0]))?;
    expect("its address", it.l2_address.to_string().as_str(), "02:fe:00:00:00:77")?;

    let mac_address = "02:fe:00:00:00:09".parse()?;
    vpp.call(&SwInterfaceSetMacAddress { sw_if_index, mac_address }).await?;
    vpp.call(&HwInterfaceSetMtu { sw_if_index, mtu: 1400 }).await?;
    let it = interface(vpp, sw_if_index).await?;
    expect("its new address", it.l2_address, mac_address)?;
    expect("its new MTUs", (it.link_mtu, it.mtu), (1400, [1400, 0, 0, 0]))?;
    let prefix = "10.9.0.1/24".parse()?;
    let address = SwInterfaceAddDelAddress { sw_if_index, is_add: true, prefix, ..Default::default() };
    expect("an address", retval(vpp.call(&address).await)?, 0)?;
    expect("it is no loopback", retval(vpp.call(&DeleteLoopback { sw_if_index }).await)?, -2)?;

    let delete = |device: &str| AfPacketDelete { host_if_name: device.to_owned() };
    expect("deleting what is not there", retval(vpp.call(&delete("nosuch")).await)?, -11)?;
    expect("deleting", retval(vpp.call(&delete(device)).await)?, 0)?;
    expect("all behind it", vpp.dump(&AfPacketDump).collect().await?.len(), 0)?;
    expect("interfaces behind it", vpp.dump(&SwInterfaceDump::default()).collect().await?.len(), 1)?;

    let sources = vpp.dump(&FibSourceDump).collect().await?;
    let named =
        |name: &str| sources.iter().find(|it| it.src.name == name).map(|it| (it.src.id, it.src.priority));
    expect("routes of clients", named("API"), Some((8, 128)))?;
    expect("routes of interfaces", named("interface"), Some((4, 3)))?;
    expect("routes of neighbours", named("adjacency"), Some((15, 208)))?;
    expect("sources", sources.len() >= 22, true)
}

async fn interface(vpp: &Connection, sw_if_index: u32) -> Result<SwInterfaceDetails, Failed> {
    let all = vpp.dump(&SwInterfaceDump::default()).collect().await?;
    Ok(all.into_iter().find(|it| it.sw_if_index == sw_if_index).ok_or("it is not there")?)
}
