//! 100,000 routes from a document: the tree, and the items.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::hint::black_box;
use std::net::IpAddr;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use vpp_agent_engine::{Batch, Descriptor, Engine, Failure, Key, Observed, Outcomes, Settings};
use vpp_agent_kernel::document::{Format, parse};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Route {
    #[serde(default)]
    table: u32,
    prefix: String,
    #[schemars(with = "String")]
    via: IpAddr,
    interface: String,
}

struct Routes;

impl Descriptor for Routes {
    type Value = Route;
    type Metadata = ();
    const KIND: &'static str = "route";

    fn key(route: &Route) -> Key {
        Key::of(Self::KIND, &[&route.table, &route.prefix])
    }
    async fn observe(&self) -> Result<Vec<Observed<Self>>, Failure> {
        Ok(Vec::new())
    }
    async fn create(&self, batch: Batch<Self>) -> Outcomes {
        batch.iter().map(|_| Ok(())).collect()
    }
    async fn delete(&self, batch: Batch<Self>) -> Outcomes {
        batch.iter().map(|_| Ok(())).collect()
    }
}

fn texts() -> BTreeMap<&'static str, (Format, String)> {
    let prefixes = || (0..100_000u32).map(|n| format!("10.{}.{}.{}/32", n >> 16, (n >> 8) & 255, n & 255));
    let mut flow = "routes:\n".to_owned();
    let mut block = flow.clone();
    let mut toml = String::new();
    for prefix in prefixes() {
        // Writing into a String cannot fail.
        let _ = writeln!(flow, "  - {{ prefix: {prefix}, via: 10.0.0.2, interface: loop-a }}");
        let _ = writeln!(block, "  - prefix: {prefix}\n    via: 10.0.0.2\n    interface: loop-a");
        let _ = writeln!(toml, "[[routes]]\nprefix = '{prefix}'\nvia = '10.0.0.2'\ninterface = 'loop-a'");
    }
    let foreign = format!("---\n# Sélection\n{block}").replace('\n', "\r\n");
    let route = |prefix| serde_json::json!({ "prefix": prefix, "via": "10.0.0.2", "interface": "loop-a" });
    let json = serde_json::json!({ "routes": prefixes().map(route).collect::<Vec<_>>() }).to_string();
    [
        ("yaml, flow", (Format::Yaml, flow)),
        ("yaml, block", (Format::Yaml, block)),
        ("yaml, block, not in ASCII", (Format::Yaml, foreign)),
        ("json", (Format::Json, json)),
        ("toml", (Format::Toml, toml)),
    ]
    .into()
}

fn documents(bench: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let engine = runtime.block_on(async {
        let engine = Engine::held(Settings::default());
        engine.register(Routes);
        engine
    });
    let mut group = bench.benchmark_group("100,000 routes");
    group.sample_size(10);
    for (name, (format, text)) in texts() {
        group.bench_function(format!("{name}: tree"), |bench| {
            let tree = |()| parse("routes", black_box(&text), format).expect("a document");
            bench.iter_batched(|| (), tree, BatchSize::PerIteration);
        });
        let documents = parse("routes", &text, format).expect("a document");
        group.bench_function(format!("{name}: items"), |bench| {
            let items = |()| engine.read(black_box(&documents)).expect("items");
            bench.iter_batched(|| (), items, BatchSize::PerIteration);
        });
        let items = engine.read(&documents).expect("items");
        group.bench_function(format!("{name}: references"), |bench| {
            bench.iter(|| engine.unknown_references(black_box(&items)));
        });
    }
    group.finish();
}

criterion_group!(benches, documents);
criterion_main!(benches);
