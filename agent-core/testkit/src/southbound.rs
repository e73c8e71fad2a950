//! The mock itself.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use vpp_agent_engine::{Action, Engine, Failure, Key};

use crate::Item;
use crate::kinds::{A, B, C, Dd};

/// What goes wrong with one call.
#[derive(Clone, Debug)]
pub enum Fault {
    /// It fails and changes nothing.
    Fail(Failure),
    /// It fails after it has taken effect.
    FailAfter(Failure),
    /// It never returns, and has no effect.
    Hang,
    /// It never returns, and has taken effect.
    HangAfter,
    /// It panics.
    Panic,
}

/// A call that the mock saw: when it began, not when it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// A whole kind was observed.
    Observe(String),
    /// These items were looked at.
    Look(Vec<String>),
    /// An item was operated on.
    Operate(Action, String),
}

#[derive(Default)]
struct World {
    there: BTreeMap<String, Thing>,
    /// Keys of those that need something.
    needy: BTreeSet<String>,
    calls: Vec<Call>,
    faults: HashMap<(Action, String), VecDeque<Fault>>,
    failing_dumps: HashMap<String, u32>,
    down: bool,
    latency: Duration,
    next: u32,
    violations: Vec<String>,
    busy: HashMap<String, u32>,
    most_busy: usize,
}

/// A southbound. A clone is the same one; it outlives engines, as a dataplane does.
#[derive(Clone, Default)]
pub struct Southbound(Arc<Mutex<World>>);

type There = (Item, u32, bool);

struct Thing(Item, u32, bool);

impl Thing {
    fn told(&self) -> There {
        (self.0.clone(), self.1, self.2)
    }
}

impl AsRef<Item> for Thing {
    fn as_ref(&self) -> &Item {
        &self.0
    }
}

impl Southbound {
    /// Empty, without faults, at once.
    pub fn new() -> Self {
        Self::default()
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Registers all kinds.
    pub fn register_all(&self, engine: &Engine) {
        engine.register(A(self.clone()));
        engine.register(B(self.clone()));
        engine.register(C(self.clone()));
        engine.register(Dd(self.clone()));
    }

    /// The descriptors one by one.
    pub fn kinds(&self) -> (A, B, C, Dd) {
        (A(self.clone()), B(self.clone()), C(self.clone()), Dd(self.clone()))
    }

    /// Every call takes this long.
    pub fn set_latency(&self, latency: Duration) {
        self.world().latency = latency;
    }

    /// The next such calls go wrong, one fault per call.
    pub fn fault(&self, action: Action, key: &str, faults: impl IntoIterator<Item = Fault>) {
        self.world().faults.entry((action, key.to_owned())).or_default().extend(faults);
    }

    /// No more faults.
    pub fn heal(&self) {
        let mut world = self.world();
        world.faults.clear();
        world.failing_dumps.clear();
    }

    /// The next observations of a kind fail.
    pub fn fail_dumps(&self, kind: &str, times: u32) {
        self.world().failing_dumps.insert(kind.to_owned(), times);
    }

    /// It goes down: calls fail, those that run do so without effect. With `lost` all that is there is gone, but what
    /// belongs to it.
    pub fn go_down(&self, lost: bool) {
        let mut world = self.world();
        world.down = true;
        if lost {
            world.there.retain(|_, thing| thing.2);
            world.needy.clear();
        }
    }

    /// It is back.
    pub fn come_up(&self) {
        self.world().down = false;
    }

    fn is_there(&self) -> Result<(), Failure> {
        match self.world().down {
            true => Err(Failure::new("the southbound is down").uncertain()),
            false => Ok(()),
        }
    }

    /// Somebody else makes an item, or changes it.
    pub fn put(&self, item: Item) {
        self.insert(item, false);
    }

    /// An item belongs to the southbound.
    pub fn put_given(&self, item: Item) {
        self.insert(item, true);
    }

    fn insert(&self, item: Item, given: bool) {
        let mut world = self.world();
        world.next += 1;
        let number = world.next;
        world.insert(Thing(item, number, given));
    }

    /// Somebody else deletes an item.
    pub fn remove(&self, key: &str) {
        let mut world = self.world();
        world.there.remove(key);
        world.needy.remove(key);
    }

    /// What is there.
    pub fn content(&self) -> BTreeMap<String, Item> {
        self.world().there.iter().map(|(key, thing)| (key.clone(), thing.0.clone())).collect()
    }

    /// The keys of what is there.
    pub fn keys(&self) -> Vec<String> {
        self.world().there.keys().cloned().collect()
    }

    /// The metadata of an item that is there: another number each time it is created.
    pub fn number(&self, key: &str) -> Option<u32> {
        self.world().there.get(key).map(|thing| thing.1)
    }

    /// All calls but observations since the last time this was asked, as `create A/1`; looks at items as `look A/1`.
    pub fn calls(&self) -> Vec<String> {
        let text = |call| match call {
            Call::Observe(_) => None,
            Call::Look(keys) => Some(format!("look {}", keys.join(" "))),
            Call::Operate(action, key) => Some(format!("{action} {key}")),
        };
        std::mem::take(&mut self.world().calls).into_iter().filter_map(text).collect()
    }

    /// All calls since the last time one of both was asked.
    pub fn log(&self) -> Vec<Call> {
        std::mem::take(&mut self.world().calls)
    }

    /// What a real southbound would have refused: something made without what it needs, taken from under what stands
    /// on it, made twice, or operated on twice at once. There should be none.
    pub fn violations(&self) -> Vec<String> {
        self.world().violations.clone()
    }

    /// How many calls ran at once, at most.
    pub fn most_at_once(&self) -> usize {
        self.world().most_busy
    }

    async fn wait(&self) {
        let latency = self.world().latency;
        if !latency.is_zero() {
            tokio::time::sleep(latency).await;
        }
    }

    pub(crate) async fn observe(&self, kind: &str) -> Result<Vec<There>, Failure> {
        let fails = {
            let mut world = self.world();
            world.calls.push(Call::Observe(kind.to_owned()));
            match world.failing_dumps.get_mut(kind) {
                Some(times) if *times > 0 => {
                    *times -= 1;
                    true
                }
                _ => false,
            }
        };
        self.wait().await;
        self.is_there()?;
        if fails {
            return Err(Failure::new(format!("no dump of {kind}")));
        }
        let world = self.world();
        Ok(world.there.values().filter(|thing| thing.0.kind == kind).map(Thing::told).collect())
    }

    pub(crate) async fn look(&self, keys: &[Key]) -> Result<Vec<There>, Failure> {
        self.world().calls.push(Call::Look(keys.iter().map(Key::to_string).collect()));
        self.wait().await;
        self.is_there()?;
        let world = self.world();
        Ok(keys.iter().filter_map(|key| world.there.get(key.as_str()).map(Thing::told)).collect())
    }

    /// Does an operation, or what the script says.
    pub(crate) async fn operate(&self, action: Action, item: Item) -> Result<u32, Failure> {
        let key = item.key();
        let fault = {
            let mut world = self.world();
            world.calls.push(Call::Operate(action, key.clone()));
            world.faults.get_mut(&(action, key.clone())).and_then(VecDeque::pop_front)
        };
        let _busy = Busy::new(self, &key, action);
        self.wait().await;
        self.is_there()?;
        match fault {
            None => self.world().apply(action, item),
            Some(Fault::Fail(failure)) => Err(failure),
            Some(Fault::FailAfter(failure)) => {
                self.world().apply(action, item)?;
                Err(failure)
            }
            Some(Fault::Hang) => std::future::pending().await,
            Some(Fault::HangAfter) => {
                self.world().apply(action, item)?;
                std::future::pending().await
            }
            Some(Fault::Panic) => panic!("as the script says"),
        }
    }
}

struct Busy<'a>(&'a Southbound, String);

impl<'a> Busy<'a> {
    fn new(southbound: &'a Southbound, key: &str, action: Action) -> Self {
        let mut world = southbound.world();
        let count = world.busy.entry(key.to_owned()).or_default();
        *count += 1;
        if *count > 1 {
            world.violations.push(format!("{action} {key}: while another operation on it runs"));
        }
        world.most_busy = world.most_busy.max(world.busy.len());
        Self(southbound, key.to_owned())
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        let mut world = self.0.world();
        if let Some(count) = world.busy.get_mut(&self.1) {
            *count -= 1;
            if *count == 0 {
                world.busy.remove(&self.1);
            }
        }
    }
}

/// An item that needs itself, by whatever way, cannot have all it needs before it is there.
fn may_be_circular(item: &Item) -> bool {
    item.name.starts_with("ring")
}

impl World {
    fn insert(&mut self, thing: Thing) {
        let key = thing.0.key();
        if thing.0.needs.is_empty() {
            self.needy.remove(&key);
        } else {
            self.needy.insert(key.clone());
        }
        self.there.insert(key, thing);
    }

    fn apply(&mut self, action: Action, item: Item) -> Result<u32, Failure> {
        let key = item.key();
        if action != Action::Delete && !may_be_circular(&item) {
            for need in item.needs.iter().filter(|need| !need.holds(&self.there)) {
                self.violations.push(format!("{action} {key}: without {need:?}"));
            }
        }
        let there = self.there.get(&key).map(|thing| thing.1);
        match (action, there) {
            (Action::Create, None) => {
                self.next += 1;
                let number = self.next;
                self.insert(Thing(item, number, false));
                Ok(number)
            }
            (Action::Update, Some(number)) => {
                let stood: Vec<String> =
                    self.needy.iter().filter(|of| **of != key && self.stands(of)).cloned().collect();
                self.insert(Thing(item, number, false));
                for of in stood {
                    if !self.stands(&of) && !may_be_circular(&self.there[&of].0) {
                        self.violations.push(format!("update {key}: {of} stands on its content"));
                    }
                }
                Ok(number)
            }
            (Action::Delete, Some(_)) => {
                self.delete(&key);
                Ok(0)
            }
            (_, there) => {
                let state = if there.is_some() { "it is there" } else { "it is not there" };
                self.violations.push(format!("{action} {key}: {state}"));
                Err(Failure::new(state))
            }
        }
    }

    fn stands(&self, key: &str) -> bool {
        self.there.get(key).is_some_and(|thing| thing.0.needs.iter().all(|need| need.holds(&self.there)))
    }

    /// What stood before a deletion has to stand after it.
    fn delete(&mut self, key: &str) {
        self.needy.remove(key);
        let Some(gone) = self.there.remove(key) else { return };
        let doubtful = |key: &&String| !self.stands(key) && !may_be_circular(&self.there[*key].0);
        let doubtful: Vec<String> = self.needy.iter().filter(doubtful).cloned().collect();
        if doubtful.is_empty() {
            return;
        }
        self.there.insert(key.to_owned(), gone);
        for user in doubtful {
            if self.stands(&user) {
                self.violations.push(format!("delete {key}: {user} stands on it"));
            }
        }
        self.there.remove(key);
    }
}
