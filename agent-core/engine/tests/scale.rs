//! CORE-20: what the engine does per item does not grow with the number of items.
//!
//! This rules out L4 to L8: work per item that grows with the items, be it in values, pending operations, summaries, lists or keys.
//! Time is for `benches/engine.rs`. What is held here does not depend on the machine: how often and how much is allocated,
//! and what the southbound is asked.

use std::alloc::System;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use vpp_agent_engine::{
    Action, Batch, Derived, Descriptor, Engine, Failure, Key, Needs, Observed, Outcomes, Report, Resync,
    Retry, Settings, State,
};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
struct Thing {
    name: u32,
    members: u32,
}

impl Thing {
    const fn new(name: u32) -> Self {
        Self { name, members: 0 }
    }
}

/// What was asked of the southbound.
#[derive(Clone, Default)]
struct Asked(Arc<[AtomicUsize; 3]>);

impl Asked {
    fn add(&self, what: usize) {
        self.0[what].fetch_add(1, Ordering::Relaxed);
    }

    /// Dumps of routes since the last time this was asked.
    fn dumps(&self) -> usize {
        self.0[0].swap(0, Ordering::Relaxed)
    }

    fn fail(&self, name: u32) {
        self.0[1].store(name as usize + 1, Ordering::Relaxed);
    }

    /// What observations find.
    fn there(&self, count: u32) {
        self.0[2].store(count as usize, Ordering::Relaxed);
    }

    fn outcome(&self, name: u32) -> Result<(), Failure> {
        let fails =
            self.0[1].compare_exchange(name as usize + 1, 0, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if fails { Err(Failure::new("once")) } else { Ok(()) }
    }
}

macro_rules! kind {
    ($name:ident, $kind:literal, $needs:expr, $derived:expr) => {
        struct $name(Asked);

        impl Descriptor for $name {
            type Value = Thing;
            type Metadata = ();
            const KIND: &'static str = $kind;
            const BATCH: usize = 256;

            fn key(thing: &Thing) -> Key {
                Key::new(Self::KIND, thing.name)
            }
            fn needs(&self, thing: &Thing) -> Needs {
                let needs: fn(&Thing) -> Needs = $needs;
                needs(thing)
            }
            fn derived(&self, thing: &Thing) -> Vec<Derived> {
                let derived: fn(&Thing) -> Vec<Derived> = $derived;
                derived(thing)
            }
            async fn observe(&self) -> Result<Vec<Observed<Self>>, Failure> {
                let routes =
                    if Self::KIND == "route" { self.0.0[2].load(Ordering::Relaxed) as u32 } else { 0 };
                if Self::KIND == "route" {
                    self.0.add(0);
                } else if self.0.0[2].load(Ordering::Relaxed) > 0 && Self::KIND != "port" {
                    return Ok(vec![Observed::new(Thing::new(0), ())]);
                }
                Ok((0..routes).map(|name| Observed::new(Thing::new(name), ())).collect())
            }
            async fn observe_keys(&self, keys: &[Key]) -> Result<Vec<Observed<Self>>, Failure> {
                assert!(keys.len() <= 256);
                Ok(Vec::new())
            }
            async fn create(&self, batch: Batch<Self>) -> Outcomes {
                batch.iter().map(|entry| self.0.outcome(entry.value().name)).collect()
            }
            async fn delete(&self, batch: Batch<Self>) -> Outcomes {
                batch.iter().map(|_| Ok(())).collect()
            }
        }
    };
}

kind!(Interfaces, "interface", |_| Needs::none(), |_| Vec::new());
kind!(Vrfs, "vrf", |_| Needs::none(), |_| Vec::new());
kind!(Routes, "route", |_| Needs::all([Needs::item::<Interfaces>(0), Needs::item::<Vrfs>(0)]), |_| Vec::new(
));
kind!(Bridges, "bridge", |_| Needs::none(), |bridge| (0..bridge.members)
    .map(|name| Derived::item::<Ports>(Thing::new(name)))
    .collect());
kind!(Ports, "port", |_| Needs::none(), |_| Vec::new());

async fn start() -> (Engine, Asked) {
    let asked = Asked::default();
    let engine = Engine::start(Settings { history: 0, ..Settings::default() });
    engine.register(Interfaces(asked.clone()));
    engine.register(Vrfs(asked.clone()));
    engine.register(Routes(asked.clone()));
    engine.register(Bridges(asked.clone()));
    engine.register(Ports(asked.clone()));
    // What was observed at first.
    engine.transaction().commit().await.expect("the engine runs");
    asked.dumps();
    (engine, asked)
}

async fn base(engine: &Engine) -> Report {
    let both = engine.transaction().set::<Interfaces>(Thing::new(0)).set::<Vrfs>(Thing::new(0));
    both.commit().await.expect("the engine runs")
}

async fn set(engine: &Engine, names: std::ops::Range<u32>) -> Report {
    engine.transaction().set_all::<Routes>(names.map(Thing::new)).commit().await.expect("the engine runs")
}

async fn configured(count: u32) -> (Engine, Asked) {
    let (engine, asked) = start().await;
    base(&engine).await;
    set(&engine, 0..count).await;
    assert_eq!(engine.summary().items(State::Configured), count as usize + 2);
    (engine, asked)
}

/// How often, and how many bytes.
#[derive(Clone, Copy, Debug)]
struct Cost {
    times: f64,
    bytes: f64,
}

async fn cost<T>(work: impl Future<Output = T>) -> (T, Cost) {
    let region = Region::new(ALLOCATOR);
    let outcome = work.await;
    let change = region.change();
    (
        outcome,
        Cost {
            times: (change.allocations + change.reallocations) as f64,
            bytes: change.bytes_allocated as f64,
        },
    )
}

/// A scenario with so many items, and what it costs.
type Scenario = fn(u32) -> std::pin::Pin<Box<dyn Future<Output = Cost>>>;

fn run(scenario: Scenario, count: u32) -> Cost {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(scenario(count))
}

/// Sixteen times as many items cost at most 1.2 times sixteen times as much.
fn linear(name: &str, scenario: Scenario) {
    const FEW: u32 = 500;
    let (few, many) = (run(scenario, FEW), run(scenario, FEW * 16));
    assert!(many.times <= few.times * 16.0 * 1.2, "{name}: {few:?}, of sixteen times as many {many:?}");
    assert!(many.bytes <= few.bytes * 16.0 * 1.2, "{name}: {few:?}, of sixteen times as many {many:?}");
}

/// However many items there are, it costs the same.
fn constant(name: &str, scenario: Scenario) {
    let (few, many) = (run(scenario, 500), run(scenario, 8_000));
    assert!(many.times <= few.times * 1.2 + 20.0, "{name}: {few:?}, among 16 times as many {many:?}");
    assert!(many.bytes <= few.bytes * 1.2 + 20_000.0, "{name}: {few:?}, among 16 times as many {many:?}");
}

/// One test for all, so that nothing else allocates meanwhile.
#[test]
fn core_20_scale() {
    linear("A: N created in one transaction", |count| {
        Box::pin(async move {
            let (engine, _) = start().await;
            base(&engine).await;
            cost(set(&engine, 0..count)).await.1
        })
    });
    linear("B1: N pending", |count| {
        Box::pin(async move {
            let (engine, _) = start().await;
            let (_, cost) = cost(set(&engine, 0..count)).await;
            assert_eq!(engine.summary().items(State::Pending), count as usize);
            cost
        })
    });
    linear("B2: what they need arrives", |count| {
        Box::pin(async move {
            let (engine, _) = start().await;
            set(&engine, 0..count).await;
            let (_, cost) = cost(base(&engine)).await;
            assert_eq!(engine.summary().items(State::Configured), count as usize + 2);
            cost
        })
    });
    constant("C: one more, with N there", |count| {
        Box::pin(async move {
            let (engine, _) = configured(count).await;
            // The list of items has just been full: it has grown with this one.
            set(&engine, count..count + 1).await;
            cost(set(&engine, count + 1..count + 2)).await.1
        })
    });
    constant("D: one fails, is looked at, and tried again, with N there", |count| {
        Box::pin(async move {
            let (engine, asked) = configured(count - 1).await;
            set(&engine, count - 1..count).await;
            asked.fail(count);
            let (report, cost) = cost(async {
                let one = engine.transaction().set::<Routes>(Thing::new(count)).retry(Retry::default());
                let report = one.commit().await.expect("the engine runs");
                while engine.summary().items(State::Configured) < count as usize + 3 {
                    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                }
                report
            })
            .await;
            assert_eq!(report.operations.iter().filter(|done| done.failure.is_some()).count(), 1);
            assert_eq!(asked.dumps(), 0, "L7: a failed item costs no dump");
            cost
        })
    });
    linear("E: N observed, in sync", |count| {
        Box::pin(async move {
            let (engine, asked) = configured(count).await;
            asked.there(count);
            let (report, cost) = cost(async {
                engine.transaction().resync(Resync::Observed).commit().await.expect("the engine runs")
            })
            .await;
            assert_eq!((report.operations.len(), asked.dumps()), (0, 1));
            cost
        })
    });
    linear("F: N deleted in one transaction", |count| {
        Box::pin(async move {
            let (engine, _) = configured(count).await;
            let all =
                (0..count).fold(engine.transaction(), |all, name| all.delete_key(Key::new("route", name)));
            let (report, cost) = cost(async { all.commit().await.expect("the engine runs") }).await;
            assert_eq!(report.operations.len(), count as usize);
            cost
        })
    });
    linear("G: what N need goes, and is back", |count| {
        Box::pin(async move {
            let (engine, _) = configured(count).await;
            let (report, cost) = cost(async {
                let gone = engine
                    .transaction()
                    .delete_key(Key::new("vrf", 0))
                    .commit()
                    .await
                    .expect("the engine runs");
                base(&engine).await;
                gone
            })
            .await;
            let last = report.operations.last().expect("the VRF goes last");
            assert_eq!((last.action, last.key.as_str()), (Action::Delete, "vrf/0"));
            assert_eq!(engine.summary().items(State::Configured), count as usize + 2);
            cost
        })
    });
    linear("N members of one item", |count| {
        Box::pin(async move {
            let (engine, _) = start().await;
            let bridge = Thing { name: 0, members: count };
            let (_, cost) = cost(async {
                engine.transaction().set::<Bridges>(bridge).commit().await.expect("the engine runs")
            })
            .await;
            assert_eq!(engine.summary().items(State::Configured), count as usize + 1);
            cost
        })
    });
}
