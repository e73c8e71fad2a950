//! A stand-in for a VPP that has the plugin.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};
use vpp_schema::{Api, Group, Source, SourceOptions};
use vpp_sim::{Answer, Sim};

/// Starts it. Like the plugin it counts where it was told to, and nowhere else.
pub(crate) async fn start() -> anyhow::Result<Sim> {
    let release = vpp_26_06::RELEASE;
    let source = Source {
        name: "flowmon".to_owned(),
        group: Group::Plugins,
        origin: "api/flowmon.api".to_owned(),
        text: include_str!("../api/flowmon.api").to_owned(),
    };
    let imports = vpp_api_json::api(release)?.import_texts();
    let options = SourceOptions { known: imports, ..SourceOptions::default() };
    let plugin = Api::from_api_texts(&[source], &options)?;

    let counted = Arc::new(Mutex::new(Vec::<Value>::new()));
    let asked = Arc::clone(&counted);
    let sim = Sim::release(release)
        .plugin(plugin)
        .on("flowmon_enable_disable", move |request| {
            let mut counted = counted.lock().unwrap_or_else(PoisonError::into_inner);
            counted.retain(|interface| *interface != request["sw_if_index"]);
            if request["enable"] == true {
                counted.push(request["sw_if_index"].clone());
            }
            Answer::Reply(json!({}))
        })
        .on("flowmon_flow_dump", move |request| {
            let counted = asked.lock().unwrap_or_else(PoisonError::into_inner);
            let wanted = &request["sw_if_index"];
            let interfaces = counted.iter().filter(|counts| *counts == wanted || *wanted == u32::MAX);
            let details =
                |interface| json!({"sw_if_index": interface, "flow": flow(1200), "application": "https"});
            Answer::Details(interfaces.map(details).collect())
        })
        .on("want_flowmon_events", |_| Answer::Reply(json!({})));
    Ok(sim.start().await?)
}

/// What the plugin does when a flow was idle for long enough.
pub(crate) fn end_a_flow(sim: &Sim, sw_if_index: u32) {
    sim.send_event("flowmon_flow_ended", &json!({"sw_if_index": sw_if_index, "flow": flow(1500)}));
}

fn flow(bytes: u64) -> Value {
    json!({
        "proto": "IP_API_PROTO_TCP", "src": "10.0.0.1", "dst": "2001:db8::1", "src_port": 40000, "dst_port": 443,
        "packets": 12, "bytes": bytes,
    })
}
