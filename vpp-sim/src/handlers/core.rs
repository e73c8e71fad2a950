//! Messages about VPP itself.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;
use vpp_wire::ApiError;

use super::{Call, Handler, api_json};
use crate::answer::Answer;

pub(super) const HANDLERS: &[(&str, Handler)] = &[
    ("control_ping", control_ping),
    ("show_version", show_version),
    ("show_vpe_system_time", show_vpe_system_time),
    ("get_first_msg_id", get_first_msg_id),
    ("api_versions", api_versions),
    ("get_api_json", get_api_json),
    ("get_f64_endian_value", get_f64_endian_value),
    ("get_f64_increment_by_one", get_f64_increment_by_one),
];

/// When the stand-in pretends to have been built.
const BUILD_DATE: &str = "2026-06-24T12:00:00";

/// The version as VPP prints it.
pub(super) fn version(call: &Call<'_>) -> String {
    format!("{}-release", call.server.api.release.as_deref().unwrap_or("0.0"))
}

/// What `show version` prints.
pub(super) fn version_line(call: &Call<'_>) -> String {
    format!("vpp v{} built by vppkit on vpp-sim at {BUILD_DATE}\n", version(call))
}

fn control_ping(call: &mut Call<'_>) -> Answer {
    let client_index = u32::from_be_bytes(call.client_index);
    Answer::Reply(json!({"client_index": client_index, "vpe_pid": std::process::id()}))
}

fn show_version(call: &mut Call<'_>) -> Answer {
    Answer::Reply(json!({
        "program": "vpe",
        "version": version(call),
        "build_date": BUILD_DATE,
        "build_directory": "/vpp-sim",
    }))
}

fn show_vpe_system_time(_: &mut Call<'_>) -> Answer {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Answer::Reply(json!({"vpe_system_time": now.as_secs_f64()}))
}

/// VPP compares a CRC of the module's file without its imports, which the definitions do not tell: only the module's
/// name counts here.
fn get_first_msg_id(call: &mut Call<'_>) -> Answer {
    let name = call.request.text("name");
    let module = name.rsplit_once('_').and_then(|(module, _crc)| call.server.api.find_module(module));
    let first = module.and_then(|(_, module)| module.messages.first());
    match first.and_then(|message| call.server.table.id(*message)) {
        Some(id) => Answer::with(Ok(()), json!({"first_msg_id": id})),
        None => Answer::with(Err(ApiError::INVALID_VALUE), json!({"first_msg_id": u16::MAX})),
    }
}

/// VPP 26.06 lists nothing here.
fn api_versions(_: &mut Call<'_>) -> Answer {
    Answer::done(Ok(()))
}

/// Checks that the client sends its floating-point numbers in VPP's byte order. The return code is unsigned here.
fn get_f64_endian_value(call: &mut Call<'_>) -> Answer {
    let is_one = call.request.f64("f64_one") == 1.0;
    let retval = if is_one { 0 } else { ApiError::API_ENDIAN_FAILED.0.cast_unsigned() };
    Answer::Reply(json!({"retval": retval, "f64_one_result": 1.0}))
}

fn get_f64_increment_by_one(call: &mut Call<'_>) -> Answer {
    Answer::Reply(json!({"f64_value": call.request.f64("f64_value") + 1.0}))
}

fn get_api_json(call: &mut Call<'_>) -> Answer {
    Answer::with(Ok(()), json!({"json": api_json::of_running(call.server.api, call.server.table)}))
}
