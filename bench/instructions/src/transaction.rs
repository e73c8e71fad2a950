//! A transaction of the engine over a southbound that does nothing.

use anyhow::{Result, ensure};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::runtime::Runtime;
use vpp_agent_engine::{
    Batch, Descriptor, Engine, Failure, Key, Needs, Observed, Outcomes, Report, Settings,
};

/// One in so many items is needed by those behind it.
const NEEDED: u32 = 10;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Route {
    id: u32,
    metric: u32,
}

/// Routes that are made at once, in batches as a pipeline of requests takes them.
struct Routes;

impl Descriptor for Routes {
    type Value = Route;
    type Metadata = ();
    const KIND: &'static str = "route";
    const BATCH: usize = 256;

    fn key(route: &Route) -> Key {
        Key::new(Self::KIND, route.id)
    }
    fn needs(&self, route: &Route) -> Needs {
        let needed = route.id - route.id % NEEDED;
        if needed == route.id { Needs::none() } else { Needs::item::<Self>(needed) }
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

/// An engine that has observed its southbound, and a runtime of one thread for it.
pub(crate) fn engine() -> Result<(Runtime, Engine)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let engine = runtime.block_on(async {
        let engine = Engine::start(Settings::default());
        engine.register(Routes);
        set(&engine, 0).await?;
        Ok::<_, anyhow::Error>(engine)
    })?;
    Ok((runtime, engine))
}

/// One transaction that wants so many items that are not there.
pub(crate) fn commit(runtime: &Runtime, engine: &Engine, count: usize) -> Result<()> {
    let report = runtime.block_on(set(engine, u32::try_from(count)?))?;
    ensure!(report.operations.len() == count && report.is_applied(), "{report:?}");
    Ok(())
}

async fn set(engine: &Engine, count: u32) -> Result<Report> {
    let routes = (0..count).map(|id| Route { id, metric: id }).collect::<Vec<_>>();
    Ok(engine.transaction().set_all::<Routes>(routes).commit().await?)
}
