//! Addresses of interfaces.

use serde_json::json;
use vpp_wire::ApiError;

use super::{Call, Handler};
use crate::answer::Answer;
use crate::state::prefix::Family;

pub(super) const HANDLERS: &[(&str, Handler)] =
    &[("sw_interface_add_del_address", sw_interface_add_del_address), ("ip_address_dump", ip_address_dump)];

fn sw_interface_add_del_address(call: &mut Call<'_>) -> Answer {
    let request = call.request;
    let index = request.u32("sw_if_index");
    let result = match request.prefix("prefix") {
        _ if request.flag("del_all") => call.vpp.delete_all_addresses(index),
        None => Err(ApiError::INVALID_ADDRESS_FAMILY),
        Some(address) if request.flag("is_add") => call.vpp.add_address(index, address),
        Some(address) => call.vpp.delete_address(index, address),
    };
    result.into()
}

fn ip_address_dump(call: &mut Call<'_>) -> Answer {
    let index = call.request.u32("sw_if_index");
    let family = Family::of(call.request.flag("is_ipv6"));
    let addresses = call.vpp.interface(index).map(|interface| interface.addresses.as_slice());
    let chosen = addresses.unwrap_or_default().iter().filter(|address| address.family() == family);
    Answer::Details(
        chosen.map(|address| json!({"sw_if_index": index, "prefix": address.to_string()})).collect(),
    )
}
