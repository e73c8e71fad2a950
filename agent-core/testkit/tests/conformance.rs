//! CORE-33: the check finds what is wrong with a descriptor, and nothing with one that is right.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use proptest::prelude::*;
use vpp_agent_engine::{Batch, Change, Descriptor, Entry, Failure, Key, Needs, Observed, Outcomes};
use vpp_agent_testkit::{A, Conformance, Item, Southbound, Step, Violations, need};

type Table = Arc<Mutex<BTreeMap<String, u32>>>;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Bug {
    None,
    ObservesNothing,
    ObservesTwice,
    ForgetsTheMetric,
    UpdateDoesNothing,
    DeleteDoesNothing,
    CreateFails,
}

#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
struct Route {
    prefix: String,
    metric: u32,
}

struct Routes(Table, Bug);

impl Routes {
    fn each(&self, batch: &Batch<Self>, one: impl Fn(&mut BTreeMap<String, u32>, &Entry<Self>)) -> Outcomes {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        batch.iter().map(|entry| one(&mut table, entry)).map(Ok).collect()
    }
}

impl Descriptor for Routes {
    type Value = Route;
    type Metadata = ();
    const KIND: &'static str = "route";

    fn key(route: &Route) -> Key {
        Key::new(Self::KIND, &route.prefix)
    }
    fn needs(&self, _: &Route) -> Needs {
        Needs::item::<A>("loop")
    }
    fn change(&self, _: &Route, _: &Route) -> Change {
        Change::InPlace
    }
    async fn observe(&self) -> Result<Vec<Observed<Self>>, Failure> {
        let table = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let route = |(prefix, metric): (String, u32)| {
            let metric = if self.1 == Bug::ForgetsTheMetric { 0 } else { metric };
            Observed::new(Route { prefix, metric }, ())
        };
        Ok(match self.1 {
            Bug::ObservesNothing => Vec::new(),
            Bug::ObservesTwice => table.clone().into_iter().chain(table).map(route).collect(),
            _ => table.into_iter().map(route).collect(),
        })
    }
    async fn create(&self, batch: Batch<Self>) -> Outcomes {
        if self.1 == Bug::CreateFails {
            return batch.iter().map(|_| Err(Failure::new("as always"))).collect();
        }
        self.each(&batch, |table, entry| {
            table.insert(entry.value().prefix.clone(), entry.value().metric);
        })
    }
    async fn update(&self, batch: Batch<Self>) -> Outcomes {
        self.each(&batch, |table, entry| {
            if self.1 != Bug::UpdateDoesNothing {
                table.insert(entry.value().prefix.clone(), entry.value().metric);
            }
        })
    }
    async fn delete(&self, batch: Batch<Self>) -> Outcomes {
        self.each(&batch, |table, entry| {
            if self.1 != Bug::DeleteDoesNothing {
                table.remove(&entry.value().prefix);
            }
        })
    }
}

fn route(metric: u32) -> Route {
    Route { prefix: "10.0.0.0/8".into(), metric }
}

async fn pairs(bug: Bug) -> Result<(), Violations> {
    let (table, southbound) = (Table::default(), Southbound::new());
    Conformance::new(|| Routes(table.clone(), bug))
        .with(|| southbound.kinds().0)
        .needing::<A>(Item::new("A", "loop"))
        .check_pairs([[route(1), route(2)]])
        .await
}

#[tokio::test(start_paused = true)]
async fn core_33_descriptor_conformance() {
    assert_eq!(pairs(Bug::None).await, Ok(()));
    for (bug, says) in [
        (Bug::ObservesNothing, "created, it is not observed"),
        (Bug::ObservesTwice, "observed twice"),
        (
            Bug::ForgetsTheMetric,
            "created, Route { prefix: \"10.0.0.0/8\", metric: 0 } is observed, which is not equivalent",
        ),
        (Bug::UpdateDoesNothing, "changed, Route { prefix: \"10.0.0.0/8\", metric: 1 } is observed"),
        (Bug::DeleteDoesNothing, "deleted, it is still observed"),
        (Bug::CreateFails, "created, it is failed: as always"),
    ] {
        let violations = pairs(bug).await.expect_err("it is wrong");
        assert!(violations.to_string().contains(says), "{bug:?}: {violations}");
    }
    // An agent that starts beside it changes something: told, too.
    let violations = pairs(Bug::ForgetsTheMetric).await.expect_err("it is wrong").to_string();
    assert!(violations.contains("an agent that starts does update"), "{violations}");
}

#[tokio::test(start_paused = true)]
async fn what_is_needed_and_missing_is_told() {
    let table = Table::default();
    let conformance = Conformance::new(|| Routes(table.clone(), Bug::None));
    let violations = conformance.check_pairs([[route(1), route(1)]]).await.expect_err("it is pending");
    assert!(violations.to_string().contains("needs A/loop"), "{violations}");
}

fn steps() -> impl Strategy<Value = Vec<Step<Item>>> {
    let item = || {
        (0..4u32, 0..50u32, 0..3u32, any::<bool>()).prop_map(|(name, version, mould, needs)| {
            let item = Item::new("B", name.to_string()).version(version).mould(mould);
            if needs { item.needs(need("A/loop")) } else { item }
        })
    };
    let step = prop_oneof![
        4 => proptest::collection::vec(item(), 1..5).prop_map(Step::Set),
        2 => item().prop_map(Step::Unset),
        1 => Just(Step::Restart),
    ];
    proptest::collection::vec(step, 1..12)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// As the author of a plugin writes it.
    #[test]
    fn core_33_any_course_ends_as_it_is_wanted(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
        runtime.block_on(async {
            let southbound = Southbound::new();
            let conformance = Conformance::new(|| southbound.kinds().1)
                .with(|| southbound.kinds().0)
                .needing::<A>(Item::new("A", "loop"));
            conformance.check_steps(steps).await.expect("it holds");
            assert_eq!(southbound.violations(), [""; 0]);
            assert_eq!(southbound.keys(), ["A/loop"]);
        });
    }
}
