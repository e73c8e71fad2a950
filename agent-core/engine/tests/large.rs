//! Transactions of many items: operations go out in portions, each behind the record of what it makes.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use vpp_agent_engine::{
    Batch, BoxError, Descriptor, Engine, Fact, Failure, Journal, Key, Observed, Outcomes, Remembered,
    Settings,
};

#[derive(Default)]
struct World {
    recorded: HashSet<Key>,
    there: HashSet<Key>,
}

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<World>>);

impl Shared {
    fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Journal for Shared {
    fn load(&mut self) -> Result<Remembered, BoxError> {
        Ok(Remembered::default())
    }
    fn append(&mut self, facts: &[Fact]) -> Result<(), BoxError> {
        let mut world = self.world();
        for fact in facts {
            let _ = match fact {
                Fact::Owned { key, .. } => world.recorded.insert(key.clone()),
                Fact::Gone { key } => world.recorded.remove(key),
                _ => true,
            };
        }
        Ok(())
    }
}

struct Numbers(Shared);

impl Descriptor for Numbers {
    type Value = u32;
    type Metadata = ();
    const KIND: &'static str = "number";
    const BATCH: usize = 1000;

    fn key(number: &u32) -> Key {
        Key::new(Self::KIND, number)
    }
    async fn observe(&self) -> Result<Vec<Observed<Self>>, Failure> {
        Ok(Vec::new())
    }
    async fn create(&self, batch: Batch<Self>) -> Outcomes {
        let world = &mut *self.0.world();
        let create = |key: &Key| {
            if !world.recorded.contains(key) {
                return Err(Failure::new("its record is not there"));
            }
            world.there.insert(key.clone());
            Ok(())
        };
        batch.iter().map(|entry| &entry.key).map(create).collect()
    }
    async fn delete(&self, batch: Batch<Self>) -> Outcomes {
        let mut world = self.0.world();
        let delete = |key: &Key| {
            world.there.remove(key);
            Ok(())
        };
        batch.iter().map(|entry| &entry.key).map(delete).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_created_is_recorded_before() {
    const ITEMS: u32 = 50_000;
    let shared = Shared::default();
    let journal = Some(Box::new(shared.clone()) as Box<dyn Journal>);
    let engine = Engine::start(Settings { journal, ..Settings::default() });
    engine.register(Numbers(shared.clone()));
    let report = engine.transaction().set_all::<Numbers>(0..ITEMS).commit().await.expect("the engine runs");
    assert!(report.is_applied(), "{report}");
    {
        let world = shared.world();
        assert_eq!((world.there.len(), world.recorded.len()), (ITEMS as usize, ITEMS as usize));
    }
    let all = (0..ITEMS).map(|number| (Numbers::key(&number), None));
    let report = engine.transaction().set_values(all).commit().await.expect("the engine runs");
    assert!(report.is_applied(), "{report}");
    let world = shared.world();
    assert_eq!((world.there.len(), world.recorded.len()), (0, 0));
}
