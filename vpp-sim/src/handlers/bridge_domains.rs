//! Bridge domains and their ports.

use serde_json::{Value, json};
use vpp_wire::ApiError;

use super::{Call, Handler};
use crate::answer::Answer;
use crate::request::Fields;
use crate::state::bridge_domains::{BridgeDomain, Port, PortKind, Settings};

pub(super) const HANDLERS: &[(&str, Handler)] = &[
    ("bridge_domain_add_del", bridge_domain_add_del),
    ("bridge_domain_add_del_v2", bridge_domain_add_del_v2),
    ("bridge_domain_dump", bridge_domain_dump),
    ("sw_interface_set_l2_bridge", sw_interface_set_l2_bridge),
];

/// Bytes of a tag on the wire.
const TAG_LEN: usize = 64;

/// "No interface", "any bridge domain".
const ANY: u32 = u32::MAX;

fn bridge_domain_add_del(call: &mut Call<'_>) -> Answer {
    add_del(call, call.request.u32("bd_id")).into()
}

/// Number -1 asks for any that is free. VPP draws a random one.
fn bridge_domain_add_del_v2(call: &mut Call<'_>) -> Answer {
    let id = call.request.u32("bd_id");
    let is_any = id == ANY && call.request.flag("is_add");
    let Some(id) = (if is_any { call.vpp.bridge_domains.unused_id() } else { Some(id) }) else {
        return Answer::with(Err(ApiError::EAGAIN), json!({"bd_id": ANY}));
    };
    Answer::with(add_del(call, id), json!({"bd_id": id}))
}

fn add_del(call: &mut Call<'_>, id: u32) -> Result<(), ApiError> {
    match call.request.flag("is_add") {
        true => call.vpp.bridge_domains.add(id, settings(call.request)),
        false => call.vpp.bridge_domains.delete(id),
    }
}

fn settings(request: Fields<'_>) -> Settings {
    Settings {
        flood: request.flag("flood"),
        uu_flood: request.flag("uu_flood"),
        forward: request.flag("forward"),
        learn: request.flag("learn"),
        arp_term: request.flag("arp_term"),
        arp_ufwd: request.flag("arp_ufwd"),
        mac_age: request.u8("mac_age"),
        tag: request.text_for("bd_tag", TAG_LEN),
    }
}

/// VPP has no filter by interface: with one it lists nothing. Bridge domain 0 is never listed.
fn bridge_domain_dump(call: &mut Call<'_>) -> Answer {
    let id = call.request.u32("bd_id");
    let by_interface = call.request.u32("sw_if_index") != ANY;
    let domains = call.vpp.bridge_domains.iter();
    let chosen = domains.filter(|domain| !by_interface && (id == ANY || id == domain.id));
    Answer::Details(chosen.map(details).collect())
}

fn details(domain: &BridgeDomain) -> Value {
    let settings = &domain.settings;
    let ports: Vec<Value> =
        domain.ports.iter().map(|port| json!({"sw_if_index": port.sw_if_index, "shg": port.shg})).collect();
    json!({
        "bd_id": domain.id,
        "flood": settings.flood,
        "uu_flood": settings.uu_flood,
        "forward": settings.forward,
        "learn": settings.learn,
        "arp_term": settings.arp_term,
        "arp_ufwd": settings.arp_ufwd,
        "mac_age": settings.mac_age,
        "bd_tag": settings.tag,
        "bvi_sw_if_index": domain.bvi.unwrap_or(ANY),
        "uu_fwd_sw_if_index": domain.uu_forward.unwrap_or(ANY),
        "sw_if_details": ports,
    })
}

fn sw_interface_set_l2_bridge(call: &mut Call<'_>) -> Answer {
    let request = call.request;
    let sw_if_index = request.u32("rx_sw_if_index");
    if let Err(error) = call.vpp.interface(sw_if_index) {
        return Err(error).into();
    }
    let kind = match request.text("port_type") {
        "L2_API_PORT_TYPE_NORMAL" => PortKind::Normal,
        "L2_API_PORT_TYPE_BVI" => PortKind::Bvi,
        "L2_API_PORT_TYPE_UU_FWD" => PortKind::UnknownUnicast,
        _ => return Err(ApiError::INVALID_VALUE).into(),
    };
    if !request.flag("enable") {
        call.vpp.bridge_domains.remove_port(sw_if_index);
        return Ok(()).into();
    }
    let port = Port { sw_if_index, shg: request.u8("shg") };
    call.vpp.bridge_domains.set_port(request.u32("bd_id"), port, kind).into()
}
