//! What the parent wants: made up at random, and remembered as far as it was reported.

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Order;

/// A port, or a route that needs one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Thing {
    pub(crate) name: String,
    pub(crate) version: u32,
    pub(crate) port: Option<String>,
    /// The southbound refuses it.
    pub(crate) bad: bool,
}

/// One change of what is wanted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Change {
    pub(crate) key: String,
    pub(crate) value: Option<Thing>,
}

impl Change {
    pub(crate) fn is_bad(&self) -> bool {
        self.value.as_ref().is_some_and(|thing| thing.bad)
    }
}

const PORTS: u32 = 6;
const ROUTES: u32 = 14;

#[derive(Clone, Default)]
pub(crate) struct Wishes(BTreeMap<String, Thing>);

impl Wishes {
    pub(crate) fn json(&self) -> BTreeMap<String, serde_json::Value> {
        let json = |thing: &Thing| serde_json::to_value(thing).expect("JSON");
        self.0.iter().map(|(key, thing)| (key.clone(), json(thing))).collect()
    }

    /// What can be there: a route needs its port.
    pub(crate) fn possible(&self) -> BTreeMap<String, Thing> {
        let can = |thing: &Thing| {
            thing.port.as_ref().is_none_or(|port| self.0.contains_key(&format!("port/{port}")))
        };
        self.0
            .iter()
            .filter(|(_, thing)| can(thing))
            .map(|(key, thing)| (key.clone(), thing.clone()))
            .collect()
    }

    pub(crate) fn apply(&mut self, order: &Order) {
        if order.whole {
            self.0.clear();
        }
        for change in &order.changes {
            match &change.value {
                Some(thing) => self.0.insert(change.key.clone(), thing.clone()),
                None => self.0.remove(&change.key),
            };
        }
    }

    pub(crate) fn with(&self, order: &Order) -> Self {
        let mut with = self.clone();
        with.apply(order);
        with
    }

    /// The items whose wishes the order changes.
    pub(crate) fn touched<'a>(&'a self, order: &'a Order) -> Vec<&'a String> {
        let mut touched: BTreeSet<&String> = order.changes.iter().map(|change| &change.key).collect();
        if order.whole {
            touched.extend(self.0.keys());
        }
        touched.into_iter().collect()
    }

    /// Something that those under way do not touch; `None`: they touch all.
    pub(crate) fn order(&self, random: &mut Rng, number: u32, open: &[Order]) -> Option<Order> {
        let whole = random.u32(..15) == 0;
        if open.iter().any(|order| order.whole) || (whole && !open.is_empty()) {
            return None;
        }
        let revert = random.u32(..3) == 0;
        let mut keys: Vec<u32> = (0..PORTS + ROUTES).collect();
        random.shuffle(&mut keys);
        keys.truncate(random.usize(1..8));
        let change = |at: u32| {
            let (kind, name) = if at < PORTS { ("port", at) } else { ("route", at - PORTS) };
            let key = format!("{kind}/{name}");
            if open.iter().any(|order| order.changes.iter().any(|change| change.key == key)) {
                return None;
            }
            if !whole && random.u32(..3) == 0 {
                return self.0.contains_key(&key).then_some(Change { key, value: None });
            }
            let port = (kind == "route").then(|| random.u32(..PORTS).to_string());
            let bad = revert && port.is_none() && random.bool();
            Some(Change { key, value: Some(Thing { name: name.to_string(), version: number, port, bad }) })
        };
        let changes: Vec<Change> = keys.into_iter().filter_map(change).collect();
        (!changes.is_empty()).then_some(Order { number, changes, revert, whole })
    }
}
