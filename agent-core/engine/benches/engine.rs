//! What the engine costs, on a southbound that does nothing and takes no time.
//!
//! `cargo bench -p vpp-agent-engine`. The figures of 1M items are taken once, not sampled: `-- million`.

#![allow(missing_docs, clippy::print_stdout)]

use std::alloc::System;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use tokio::runtime::Runtime;
use vpp_agent_engine::{
    Batch, Descriptor, Engine, Failure, Family, Key, MemoryJournal, Needs, Observed, Outcomes, Report,
    Resync, Settings,
};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Route {
    id: u32,
    needs: Option<u32>,
}

/// Routes whose southbound is a number: how many there are, for observations.
struct Routes<const BATCH: usize> {
    there: u32,
    fails: Option<u32>,
    latency: Duration,
}

impl<const BATCH: usize> Routes<BATCH> {
    const IDLE: Self = Self { there: 0, fails: None, latency: Duration::ZERO };

    async fn all(&self, batch: Batch<Self>) -> Outcomes {
        if !self.latency.is_zero() {
            delay::pass(self.latency).await;
        }
        let end = |id: u32| if self.fails == Some(id) { Err(Failure::new("no")) } else { Ok(()) };
        batch.iter().map(|entry| end(entry.value().id)).collect()
    }
}

impl<const BATCH: usize> Descriptor for Routes<BATCH> {
    type Value = Route;
    type Metadata = ();
    const KIND: &'static str = "route";
    const BATCH: usize = BATCH;

    fn key(route: &Route) -> Key {
        Key::new(Self::KIND, route.id)
    }
    fn needs(&self, route: &Route) -> Needs {
        route.needs.map_or(Needs::none(), Needs::item::<Self>)
    }
    async fn observe(&self) -> Result<Vec<Observed<Self>>, Failure> {
        Ok((0..self.there).map(|id| Observed::new(Route { id, needs: None }, ())).collect())
    }
    async fn create(&self, batch: Batch<Self>) -> Outcomes {
        self.all(batch).await
    }
    async fn delete(&self, batch: Batch<Self>) -> Outcomes {
        self.all(batch).await
    }
}

/// Items that the southbound numbers.
struct Ports(u32);

impl Descriptor for Ports {
    type Value = Route;
    type Metadata = u32;
    const KIND: &'static str = "port";
    const BATCH: usize = PIPELINE;

    fn key(port: &Route) -> Key {
        Key::new(Self::KIND, port.id)
    }
    async fn observe(&self) -> Result<Vec<Observed<Self>>, Failure> {
        Ok((0..self.0).map(|id| Observed::new(Route { id, needs: None }, id)).collect())
    }
    async fn create(&self, batch: Batch<Self>) -> Outcomes<u32> {
        batch.iter().map(|entry| Ok(entry.id)).collect()
    }
    async fn delete(&self, batch: Batch<Self>) -> Outcomes {
        batch.iter().map(|_| Ok(())).collect()
    }
}

/// A southbound that answers just so late. The runtime's own timers go by whole milliseconds, so that one of them takes up
/// to two: half of what would be measured.
mod delay {
    use std::collections::VecDeque;
    use std::sync::{Condvar, Mutex, OnceLock};
    use std::time::{Duration, Instant};

    use tokio::sync::oneshot;

    struct Line {
        /// All wait equally long, so the first to come is the first to go.
        waiting: Mutex<VecDeque<(Instant, oneshot::Sender<()>)>>,
        came: Condvar,
    }

    fn serve(line: &Line) {
        let mut waiting = line.waiting.lock().expect("nobody panics");
        loop {
            let now = Instant::now();
            while waiting.front().is_some_and(|(at, _)| *at <= now) {
                let (_, done) = waiting.pop_front().expect("looked at");
                let _ = done.send(());
            }
            waiting = match waiting.front().map(|(at, _)| *at - now) {
                Some(left) => line.came.wait_timeout(waiting, left).expect("nobody panics").0,
                None => line.came.wait(waiting).expect("nobody panics"),
            };
        }
    }

    pub(super) async fn pass(time: Duration) {
        static LINE: OnceLock<&'static Line> = OnceLock::new();
        let line = LINE.get_or_init(|| {
            let line = Box::leak(Box::new(Line { waiting: Mutex::default(), came: Condvar::new() }));
            std::thread::spawn(|| serve(line));
            line
        });
        let (done, passed) = oneshot::channel();
        line.waiting.lock().expect("nobody panics").push_back((Instant::now() + time, done));
        line.came.notify_one();
        passed.await.expect("the line is served");
    }
}

const PIPELINE: usize = 1024;

fn routes(count: u32, needs: Option<u32>) -> Vec<Route> {
    (0..count).map(|id| Route { id, needs }).collect()
}

async fn set<const BATCH: usize>(engine: &Engine, routes: Vec<Route>) -> Report {
    engine.transaction().set_all::<Routes<BATCH>>(routes).commit().await.expect("the engine runs")
}

/// What outlives the engine.
#[derive(Clone, Copy, PartialEq)]
enum Kept {
    Nothing,
    /// Ownership and desired state, in memory.
    Memory,
    /// Ownership, in a file.
    #[cfg(feature = "redb")]
    Ownership,
    /// Ownership and desired state, in a file.
    #[cfg(feature = "redb")]
    All,
}

/// The folder goes with what is given back.
fn settings(kept: Kept) -> (Settings, Option<tempfile::TempDir>) {
    let mut settings = Settings::default();
    match kept {
        Kept::Nothing => {}
        Kept::Memory => settings.journal = Some(Box::new(MemoryJournal::default())),
        #[cfg(feature = "redb")]
        Kept::Ownership | Kept::All => {
            let folder = tempfile::tempdir().expect("a folder");
            let journal = vpp_agent_engine::RedbJournal::open(folder.path().join("state"));
            settings.journal = Some(Box::new(journal.expect("a journal")));
            if kept == Kept::Ownership {
                settings.keep.clear();
            }
            return (settings, Some(folder));
        }
    }
    (settings, None)
}

/// The time of the part that counts.
async fn created(count: u32, kept: Kept, fails: Option<u32>) -> Duration {
    let (settings, _folder) = settings(kept);
    let engine = Engine::start(settings);
    engine.register(Routes::<PIPELINE> { fails, ..Routes::IDLE });
    set::<PIPELINE>(&engine, vec![]).await;
    let routes = routes(count, None);
    let start = Instant::now();
    let report = set::<PIPELINE>(&engine, routes).await;
    let took = start.elapsed();
    assert_eq!(report.operations.len(), count as usize);
    took
}

/// Pending on one that is missing, then released.
async fn released(count: u32) -> (Duration, Duration) {
    let engine = Engine::start(Settings::default());
    engine.register(Routes::<PIPELINE>::IDLE);
    set::<PIPELINE>(&engine, vec![]).await;
    let routes = routes(count, Some(u32::MAX));
    let start = Instant::now();
    let report = set::<PIPELINE>(&engine, routes).await;
    let pending = start.elapsed();
    assert!(report.operations.is_empty());
    let start = Instant::now();
    let report = set::<PIPELINE>(&engine, vec![Route { id: u32::MAX, needs: None }]).await;
    assert_eq!(report.operations.len(), count as usize + 1);
    (pending, start.elapsed())
}

/// In sync, with a number for each item or without. Numbers are indexed the other way round, as those of interfaces are.
async fn resynced(count: u32, numbered: bool) -> Duration {
    let engine = Engine::start(Settings::default());
    let _family = if numbered {
        let family = Family::new().with(&engine.register(Ports(count)));
        engine.transaction().set_all::<Ports>(routes(count, None)).commit().await.expect("the engine runs");
        Some(family)
    } else {
        engine.register(Routes::<PIPELINE> { there: count, ..Routes::IDLE });
        set::<PIPELINE>(&engine, routes(count, None)).await;
        None
    };
    let start = Instant::now();
    let report = engine.transaction().resync(Resync::Observed).commit().await.expect("the engine runs");
    assert!(report.operations.is_empty() && report.is_applied());
    start.elapsed()
}

async fn with_latency(count: u32) -> Duration {
    let engine = Engine::start(Settings { calls: 256, ..Settings::default() });
    engine.register(Routes::<1> { latency: Duration::from_millis(1), ..Routes::IDLE });
    set::<1>(&engine, vec![]).await;
    let routes = routes(count, None);
    let start = Instant::now();
    set::<1>(&engine, routes).await;
    start.elapsed()
}

fn repeat<T: AsMut<Runtime>>(mut runtime: T, times: u64, mut one: impl AsyncFnMut() -> Duration) -> Duration {
    (0..times).map(|_| runtime.as_mut().block_on(one())).sum()
}

struct Own(Runtime);

impl AsMut<Runtime> for Own {
    fn as_mut(&mut self) -> &mut Runtime {
        &mut self.0
    }
}

fn own() -> Own {
    Own(tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime"))
}

fn benches(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("engine");
    group.sample_size(10).measurement_time(Duration::from_secs(3)).warm_up_time(Duration::from_millis(500));
    for count in [10_000, 100_000] {
        group.bench_function(BenchmarkId::new("create", count), |b| {
            b.iter_custom(|times| repeat(own(), times, async || created(count, Kept::Nothing, None).await));
        });
    }
    group.bench_function("create, journal in memory/100000", |b| {
        b.iter_custom(|times| repeat(own(), times, async || created(100_000, Kept::Memory, None).await));
    });
    group.bench_function("create, one fails/100000", |b| {
        b.iter_custom(|times| {
            repeat(own(), times, async || created(100_000, Kept::Nothing, Some(50_000)).await)
        });
    });
    group.bench_function("pending/100000", |b| {
        b.iter_custom(|times| repeat(own(), times, async || released(100_000).await.0));
    });
    group.bench_function("release/100000", |b| {
        b.iter_custom(|times| repeat(own(), times, async || released(100_000).await.1));
    });
    group.bench_function("resync in sync/100000", |b| {
        b.iter_custom(|times| repeat(own(), times, async || resynced(100_000, false).await));
    });
    group.bench_function("resync in sync, numbered/100000", |b| {
        b.iter_custom(|times| repeat(own(), times, async || resynced(100_000, true).await));
    });
    group.bench_function("1 ms southbound, 256 at once/10000", |b| {
        b.iter_custom(|times| repeat(own(), times, async || with_latency(10_000).await));
    });
    #[cfg(feature = "redb")]
    for (name, kept) in [("ownership", Kept::Ownership), ("ownership and desired state", Kept::All)] {
        group.bench_function(format!("create, journal in a file, {name}/100000"), |b| {
            b.iter_custom(|times| repeat(own(), times, async || created(100_000, kept, None).await));
        });
    }
    #[cfg(feature = "redb")]
    group.bench_function("one item, journal in a file/0 there", |b| {
        let runtime = own().0;
        let (settings, _folder) = settings(Kept::All);
        let engine = runtime.block_on(async { Engine::start(settings) });
        runtime.block_on(async { engine.register(Routes::<PIPELINE>::IDLE) });
        let mut id = 0;
        b.iter(|| {
            id += 1;
            runtime.block_on(set::<PIPELINE>(&engine, vec![Route { id, needs: None }]))
        });
    });
    let many = |runtime: &Runtime| {
        runtime.block_on(async {
            let engine = Engine::start(Settings::default());
            engine.register(Routes::<PIPELINE>::IDLE);
            set::<PIPELINE>(&engine, routes(100_000, None)).await;
            engine
        })
    };
    let plan = |engine: &Engine| {
        let plan = engine.transaction().set::<Routes<PIPELINE>>(Route { id: 999_999, needs: None }).plan();
        assert_eq!(plan.steps.len(), 1);
    };
    group.bench_function("one item/100000 there", |b| {
        let runtime = own().0;
        let engine = many(&runtime);
        let mut id = 1_000_000;
        b.iter(|| {
            id += 1;
            runtime.block_on(set::<PIPELINE>(&engine, vec![Route { id, needs: None }]))
        });
    });
    group.bench_function("plan of one item/100000 there", |b| {
        let runtime = own().0;
        let engine = many(&runtime);
        b.iter(|| plan(&engine));
    });
    // What a commit takes that begins with a plan.
    group.bench_function("one item beside a plan/100000 there", |b| {
        let runtime = own().0;
        let engine = many(&runtime);
        let mut id = 1_000_000;
        b.iter_custom(|times| {
            let mut took = Duration::ZERO;
            for _ in 0..times {
                let both = std::sync::Barrier::new(2);
                std::thread::scope(|scope| {
                    let planning = scope.spawn(|| {
                        both.wait();
                        plan(&engine);
                    });
                    id += 1;
                    both.wait();
                    let start = Instant::now();
                    runtime.block_on(set::<PIPELINE>(&engine, vec![Route { id, needs: None }]));
                    took += start.elapsed();
                    planning.join().expect("it plans");
                });
            }
            took
        });
    });
    group.finish();
}

/// 10,000 and 1M items, each once and with memory that nobody used before: time, and bytes that are kept of each.
fn million() {
    let runtime = own().0;
    let mut first = None;
    for count in [10_000, 1_000_000] {
        let before = ALLOCATOR.stats();
        let took = runtime.block_on(async {
            let engine = Engine::start(Settings { history: 0, ..Settings::default() });
            engine.register(Routes::<PIPELINE>::IDLE);
            set::<PIPELINE>(&engine, vec![]).await;
            let routes = routes(count, None);
            let start = Instant::now();
            drop(set::<PIPELINE>(&engine, routes).await);
            let took = start.elapsed();
            let now = ALLOCATOR.stats();
            // What a reallocation grows or shrinks by is counted in both.
            let in_use =
                |stats: stats_alloc::Stats| stats.bytes_allocated as i64 - stats.bytes_deallocated as i64;
            let kept = (in_use(now) - in_use(before)) / i64::from(count);
            println!("create {count}: {took:.1?}, {kept} bytes kept of each, value and key included");
            engine.stop().await;
            took
        });
        let each = took / count;
        let growth = each.as_secs_f64() / first.get_or_insert(each).as_secs_f64();
        println!("{each:.2?} each, {growth:.2} of the first");
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    println!("{}", status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or("VmHWM unknown"));
}

fn main() {
    if std::env::args().any(|argument| argument == "million") {
        return million();
    }
    let mut criterion = Criterion::default().configure_from_args();
    benches(&mut criterion);
    criterion.final_summary();
}
