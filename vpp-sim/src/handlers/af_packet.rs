//! Interfaces on devices of the host.

use serde_json::json;
use vpp_wire::ApiError;

use super::{Call, Handler};
use crate::answer::Answer;
use crate::state::interfaces::Device;

pub(super) const HANDLERS: &[(&str, Handler)] = &[
    ("af_packet_create", af_packet_create),
    ("af_packet_create_v2", af_packet_create),
    ("af_packet_create_v3", af_packet_create_v3),
    ("af_packet_delete", af_packet_delete),
    ("af_packet_dump", af_packet_dump),
];

/// Bytes of a device's name on the wire.
const NAME_LEN: usize = 64;

/// "No interface".
const NONE: u32 = u32::MAX;

fn af_packet_create(call: &mut Call<'_>) -> Answer {
    let request = call.request;
    let mac = (!request.flag("use_random_hw_addr")).then(|| request.mac("hw_addr"));
    let result = call.vpp.create_host_interface(&request.text_for("host_if_name", NAME_LEN), mac);
    let (result, sw_if_index) = match result {
        Ok(index) => (Ok(()), index),
        Err((error, index)) => (Err(error), index),
    };
    Answer::with(result, json!({"sw_if_index": sw_if_index}))
}

/// The mode says whether the interface is Ethernet's. That without, VPP has, too.
fn af_packet_create_v3(call: &mut Call<'_>) -> Answer {
    let refused = |error| Answer::with(Err(error), json!({"sw_if_index": NONE}));
    match call.request.text("mode") {
        "AF_PACKET_API_MODE_ETHERNET" => af_packet_create(call),
        "AF_PACKET_API_MODE_IP" => refused(ApiError::UNIMPLEMENTED),
        _ => refused(ApiError::INVALID_VALUE),
    }
}

fn af_packet_delete(call: &mut Call<'_>) -> Answer {
    call.vpp.delete_host_interface(&call.request.text_for("host_if_name", NAME_LEN)).into()
}

fn af_packet_dump(call: &mut Call<'_>) -> Answer {
    let host = call.vpp.interfaces.iter().filter_map(|(index, interface)| match &interface.device {
        Device::Host(device) => Some(json!({"sw_if_index": index, "host_if_name": device})),
        _ => None,
    });
    Answer::Details(host.collect())
}
