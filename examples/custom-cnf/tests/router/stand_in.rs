//! A stand-in for a VPP that has our plugin, on a host with the devices `lan` and `wan`.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use vpp_schema::{Api, Group, Source, SourceOptions};
use vpp_sim::{Answer, Sim, SimBuilder};

/// The interfaces that the plugin samples, and how many packets of each make a sample.
type Sampled = Arc<Mutex<BTreeMap<u64, Value>>>;

/// A stand-in, and what its plugin does.
pub struct StandIn {
    pub sim: Sim,
    sampled: Sampled,
}

fn lock(sampled: &Sampled) -> MutexGuard<'_, BTreeMap<u64, Value>> {
    sampled.lock().unwrap_or_else(PoisonError::into_inner)
}

impl StandIn {
    /// Starts one at a socket.
    pub async fn start(socket: &Path) -> anyhow::Result<Self> {
        let sampled = Sampled::default();
        let sim = with_plugin(Sim::release(vpp_26_06::RELEASE).plugin(plugin()?), &sampled);
        let sim = sim.host_device("lan").host_device("wan").socket(socket).start().await?;
        Ok(Self { sim, sampled })
    }

    /// Dies, and begins a new life in which nothing is configured.
    pub fn restart(&self) -> anyhow::Result<()> {
        self.sim.crash();
        lock(&self.sampled).clear();
        Ok(self.sim.start_again()?)
    }

    /// How many packets of an interface make a sample, where it is sampled.
    pub fn sampled(&self, sw_if_index: u32) -> Option<u64> {
        lock(&self.sampled).get(&sw_if_index.into())?.as_u64()
    }
}

/// The API of the plugin.
fn plugin() -> anyhow::Result<Api> {
    let source = Source {
        name: "sampler".to_owned(),
        group: Group::Plugins,
        origin: "api/sampler.api".to_owned(),
        text: include_str!("../../api/sampler.api").to_owned(),
    };
    let known = vpp_api_json::api(vpp_26_06::RELEASE)?.import_texts();
    Ok(Api::from_api_texts(&[source], &SourceOptions { known, ..SourceOptions::default() })?)
}

/// What the plugin does with its messages.
fn with_plugin(sim: SimBuilder, sampled: &Sampled) -> SimBuilder {
    let (switched, dumped) = (Arc::clone(sampled), Arc::clone(sampled));
    sim.on("sampler_enable_disable", move |request| {
        let index = request["sw_if_index"].as_u64().unwrap_or_default();
        match request["enable"] == true {
            true => lock(&switched).insert(index, request["one_of"].clone()),
            false => lock(&switched).remove(&index),
        };
        Answer::Reply(json!({}))
    })
    .on("sampler_dump", move |_| {
        let details = |(index, one_of): (&u64, &Value)| json!({"sw_if_index": index, "one_of": one_of});
        Answer::Details(lock(&dumped).iter().map(details).collect())
    })
}
