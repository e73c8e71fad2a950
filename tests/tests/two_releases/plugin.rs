//! What a program does with its VPP. It names no release: `vpp` is the crate of one.

use std::error::Error;

use vpp_conn::Connection;

use super::vpp::interface::{CreateLoopback, SwInterfaceDump, SwInterfaceSetFlags};
use super::vpp::interface_types::IfStatusFlags;
use super::vpp::vpe::ShowVersion;

/// Makes a loopback interface and sets it up: the version of the VPP, and its interfaces that are up.
pub(crate) async fn run(vpp: &Connection) -> Result<(String, Vec<String>), Box<dyn Error>> {
    let version = vpp.call(&ShowVersion {}).await?.version;
    let loopback = vpp.call(&CreateLoopback::default()).await?;
    let up = SwInterfaceSetFlags { sw_if_index: loopback.sw_if_index, flags: IfStatusFlags::ADMIN_UP };
    vpp.call(&up).await?;
    let interfaces = vpp.dump(&SwInterfaceDump::default()).collect().await?;
    let up = interfaces.into_iter().filter(|interface| interface.flags.contains(IfStatusFlags::ADMIN_UP));
    Ok((version.to_string(), up.map(|interface| interface.interface_name.to_string()).collect()))
}
