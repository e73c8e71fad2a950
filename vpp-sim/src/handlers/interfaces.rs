//! Interfaces: creation, state, dump, events.

use serde_json::{Value, json};
use vpp_wire::ApiError;

use super::{Call, Handler};
use crate::answer::Answer;
use crate::state::interfaces::{Device, Interface};

pub(super) const HANDLERS: &[(&str, Handler)] = &[
    ("create_loopback", create_loopback),
    ("create_loopback_instance", create_loopback_instance),
    ("delete_loopback", delete_loopback),
    ("sw_interface_dump", sw_interface_dump),
    ("sw_interface_set_flags", sw_interface_set_flags),
    ("sw_interface_set_interface_name", sw_interface_set_interface_name),
    ("sw_interface_tag_add_del", sw_interface_tag_add_del),
    ("sw_interface_set_mtu", sw_interface_set_mtu),
    ("hw_interface_set_mtu", hw_interface_set_mtu),
    ("sw_interface_get_mac_address", sw_interface_get_mac_address),
    ("sw_interface_set_mac_address", sw_interface_set_mac_address),
    ("want_interface_events", want_interface_events),
];

/// Bytes of a tag on the wire.
const TAG_LEN: usize = 64;

/// Bytes of an interface's name on the wire.
const NAME_LEN: usize = 64;

/// "No interface": what replies carry when nothing was created.
const NONE: u32 = u32::MAX;

fn create_loopback(call: &mut Call<'_>) -> Answer {
    created(call.vpp.create_loopback(call.request.mac("mac_address"), None))
}

fn create_loopback_instance(call: &mut Call<'_>) -> Answer {
    let request = call.request;
    let instance = request.flag("is_specified").then(|| request.u32("user_instance"));
    created(call.vpp.create_loopback(request.mac("mac_address"), instance))
}

fn created(result: Result<u32, ApiError>) -> Answer {
    let sw_if_index = result.unwrap_or(NONE);
    Answer::with(result.map(|_| ()), json!({"sw_if_index": sw_if_index}))
}

fn delete_loopback(call: &mut Call<'_>) -> Answer {
    call.vpp.delete_loopback(call.request.u32("sw_if_index")).into()
}

/// Without a name to look for, 0 and -1 mean all interfaces and another index that one. With one, the index does not
/// count, and every interface matches whose name contains it in any case.
fn sw_interface_dump(call: &mut Call<'_>) -> Answer {
    let name = call.request.text("name_filter").to_lowercase();
    let by_name = call.request.flag("name_filter_valid");
    let only = Some(call.request.u32("sw_if_index")).filter(|index| !by_name && ![0, NONE].contains(index));
    let interfaces = call.vpp.interfaces.iter();
    let chosen = interfaces.filter(|(index, interface)| match only {
        Some(only) => *index == only,
        None => !by_name || interface.name.to_lowercase().contains(&name),
    });
    Answer::Details(chosen.map(|(index, interface)| details(index, interface)).collect())
}

fn details(index: u32, interface: &Interface) -> Value {
    json!({
        "sw_if_index": index,
        "sup_sw_if_index": index,
        "l2_address": interface.mac.to_string(),
        "flags": interface.flags(),
        "link_mtu": interface.link_mtu,
        "mtu": interface.mtu,
        "interface_name": interface.name,
        "interface_dev_type": interface.class(),
        "tag": interface.tag,
    })
}

/// The state of the link is a fact and no wish: VPP ignores its flag.
fn sw_interface_set_flags(call: &mut Call<'_>) -> Answer {
    let up = call.request.has("flags", "IF_STATUS_API_FLAG_ADMIN_UP", 1);
    call.vpp.set_admin_up(call.request.u32("sw_if_index"), up).into()
}

/// VPP takes any name, also one that another interface has.
fn sw_interface_set_interface_name(call: &mut Call<'_>) -> Answer {
    let name = call.request.text_for("name", NAME_LEN);
    let interface = call.vpp.interface_mut(call.request.u32("sw_if_index"));
    let result = interface.and_then(|interface| {
        if name.is_empty() {
            return Err(ApiError::INVALID_VALUE);
        }
        interface.name = name;
        Ok(())
    });
    result.into()
}

fn sw_interface_tag_add_del(call: &mut Call<'_>) -> Answer {
    let (is_add, tag) = (call.request.flag("is_add"), call.request.text_for("tag", TAG_LEN));
    let interface = call.vpp.interface_mut(call.request.u32("sw_if_index"));
    let result = interface.and_then(|interface| {
        if is_add && tag.is_empty() {
            return Err(ApiError::INVALID_VALUE);
        }
        interface.tag = if is_add { tag } else { String::new() };
        Ok(())
    });
    result.into()
}

fn sw_interface_set_mtu(call: &mut Call<'_>) -> Answer {
    let mtu = call.request.numbers("mtu");
    let interface = call.vpp.interface_mut(call.request.u32("sw_if_index"));
    interface.map(|interface| interface.mtu = mtu).into()
}

/// `local0` is no Ethernet, and loopbacks refuse.
fn hw_interface_set_mtu(call: &mut Call<'_>) -> Answer {
    let mtu = call.request.u32("mtu");
    let interface = call.vpp.interface_mut(call.request.u32("sw_if_index"));
    let result = interface.and_then(|interface| match interface.device {
        Device::Host(_) => {
            interface.link_mtu = mtu;
            interface.mtu[0] = mtu;
            Ok(())
        }
        Device::Loopback(_) => Err(ApiError::UNSUPPORTED),
        Device::Local => Err(ApiError::FEATURE_DISABLED),
    });
    result.into()
}

fn sw_interface_get_mac_address(call: &mut Call<'_>) -> Answer {
    let interface = call.vpp.interface(call.request.u32("sw_if_index"));
    let mac = interface.as_ref().map(|interface| interface.mac).unwrap_or_default();
    Answer::with(interface.map(|_| ()), json!({"mac_address": mac.to_string()}))
}

fn sw_interface_set_mac_address(call: &mut Call<'_>) -> Answer {
    let mac = call.request.mac("mac_address");
    let interface = call.vpp.interface_mut(call.request.u32("sw_if_index"));
    let result = interface.and_then(|interface| {
        if !interface.is_ethernet() {
            return Err(ApiError::UNIMPLEMENTED);
        }
        interface.mac = mac;
        Ok(())
    });
    result.into()
}

/// To enable twice, or to disable what is not enabled, is an error.
fn want_interface_events(call: &mut Call<'_>) -> Answer {
    let pid = call.request.u32("pid");
    let watchers = &mut call.vpp.interface_watchers;
    let is_known = watchers.contains_key(&call.client_index);
    let result = match (call.request.flag("enable_disable"), is_known) {
        (true, false) => {
            watchers.insert(call.client_index, pid);
            Ok(())
        }
        (false, true) => {
            watchers.remove(&call.client_index);
            Ok(())
        }
        _ => Err(ApiError::INVALID_REGISTRATION),
    };
    result.into()
}
