//! What every descriptor has to hold, run against its own southbound (CORE-33).

use std::collections::BTreeMap;
use std::fmt;

use vpp_agent_engine::{AnyValue, Descriptor, Ended, Engine, Key, Report, Resync, Settings, State};

type Prepare<'a> = Box<dyn Fn(&Engine) + 'a>;

/// Runs a descriptor against its southbound, in a test of its author:
///
/// ```
/// # use vpp_agent_testkit::{A, Conformance, Item, Southbound};
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// let southbound = Southbound::new();
/// let conformance = Conformance::new(|| southbound.kinds().0);
/// // Pairs of values of the same item: each is made, changed into the other, and deleted.
/// let pairs = [[Item::new("A", "1"), Item::new("A", "1").version(2)]];
/// conformance.check_pairs(pairs).await?;
/// # Ok::<(), vpp_agent_testkit::Violations>(())
/// # }).unwrap();
/// ```
///
/// With proptest the values are random: a strategy of pairs goes into [`Conformance::check_pairs`], one of
/// [steps](Step) into [`Conformance::check_steps`].
pub struct Conformance<'a, D: Descriptor> {
    make: Box<dyn Fn() -> D + 'a>,
    prepare: Vec<Prepare<'a>>,
    needed: Vec<(Key, serde_json::Value)>,
}

/// What a descriptor does not hold: a sentence each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violations(pub Vec<String>);

impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for Violations {}

/// One change of a random course.
#[derive(Clone, Debug)]
pub enum Step<V> {
    /// These are wanted, in one transaction.
    Set(Vec<V>),
    /// The item of this value is not wanted any more.
    Unset(V),
    /// The agent ends, and another one begins beside what it left.
    Restart,
}

impl<'a, D: Descriptor> Conformance<'a, D> {
    /// `make` gives the descriptor, each time for the same southbound.
    pub fn new(make: impl Fn() -> D + 'a) -> Self {
        Self { make: Box::new(make), prepare: Vec::new(), needed: Vec::new() }
    }

    /// Registers another kind that these items need or derive.
    #[must_use]
    pub fn with<O: Descriptor>(mut self, make: impl Fn() -> O + 'a) -> Self {
        self.prepare.push(Box::new(move |engine| {
            engine.register(make());
        }));
        self
    }

    /// Wants an item that these items need.
    #[must_use]
    pub fn needing<O: Descriptor>(mut self, value: O::Value) -> Self {
        self.needed.push((O::key(&value), AnyValue::new(value).to_json()));
        self
    }

    /// An engine beside the southbound as it is, that wants what is needed and these items.
    async fn engine(&self, values: Vec<D::Value>) -> Result<(Engine, Report), Ended> {
        let engine = Engine::held(Settings::default());
        engine.register((self.make)());
        for prepare in &self.prepare {
            prepare(&engine);
        }
        engine.begin();
        let wanted = engine.transaction().set_all::<D>(values);
        let wanted =
            self.needed.iter().fold(wanted, |all, (key, value)| all.set_json(key.clone(), value.clone()));
        let report = wanted.resync(Resync::Full).commit().await?;
        Ok((engine, report))
    }

    /// What there is by the descriptor's own word.
    async fn observed(&self) -> Result<BTreeMap<Key, D::Value>, String> {
        let observed =
            (self.make)().observe().await.map_err(|failure| format!("cannot be observed: {failure}"))?;
        let mut there = BTreeMap::new();
        for item in observed.into_iter().filter(|item| !item.given) {
            if let Some(twice) = there.insert(D::key(&item.value), item.value) {
                return Err(format!("{}: observed twice", D::key(&twice)));
            }
        }
        Ok(there)
    }

    /// What is there, compared with what should be.
    async fn compare(&self, wanted: &BTreeMap<Key, D::Value>, when: &str, out: &mut Vec<String>) {
        let there = match self.observed().await {
            Ok(there) => there,
            Err(why) => return out.push(format!("{when}: {why}")),
        };
        let descriptor = (self.make)();
        for (key, value) in wanted {
            match there.get(key) {
                None => out.push(format!("{key}: {when}, it is not observed")),
                Some(found) if !descriptor.equivalent(found, value) => {
                    out.push(format!(
                        "{key}: {when}, {found:?} is observed, which is not equivalent to {value:?}"
                    ));
                }
                Some(_) => {}
            }
        }
        for key in there.keys().filter(|key| !wanted.contains_key(*key)) {
            out.push(format!("{key}: {when}, it is still observed"));
        }
    }

    /// A new engine finds all as it is wanted and does nothing; its metadata come from observation.
    async fn again(
        &self,
        wanted: &BTreeMap<Key, D::Value>,
        when: &str,
        out: &mut Vec<String>,
    ) -> Result<(), Ended> {
        let (engine, report) = self.engine(wanted.values().cloned().collect()).await?;
        for done in &report.operations {
            out.push(format!(
                "{}: {when}, an agent that starts does {} ({:?})",
                done.key, done.action, done.why
            ));
        }
        engine.stop().await;
        Ok(())
    }

    /// For each pair of values of the same item: created, it is observed as it was wanted, and a new agent does nothing;
    /// changed, it is as if the other value had been created; deleted, nothing is left. Items of the kind that were there
    /// before are left alone, so begin with an empty southbound.
    ///
    /// # Errors
    /// All that does not hold.
    pub async fn check_pairs(
        &self,
        pairs: impl IntoIterator<Item = [D::Value; 2]>,
    ) -> Result<(), Violations> {
        let mut out = Vec::new();
        for [first, then] in pairs {
            let key = D::key(&first);
            if D::key(&then) != key {
                out.push(format!("{key} and {}: a pair is of one item", D::key(&then)));
                continue;
            }
            if self.pair(key, first, then, &mut out).await.is_err() {
                out.push("the engine ended".to_owned());
            }
        }
        finish(out)
    }

    async fn pair(
        &self,
        key: Key,
        first: D::Value,
        then: D::Value,
        out: &mut Vec<String>,
    ) -> Result<(), Ended> {
        let of = |value: &D::Value| BTreeMap::from([(key.clone(), value.clone())]);
        let (engine, report) = self.engine(vec![first.clone()]).await?;
        expect(&report, &key, "created", out);
        self.compare(&of(&first), "created", out).await;
        self.again(&of(&first), "created", out).await?;
        let report = engine.transaction().set::<D>(then.clone()).commit().await?;
        expect(&report, &key, "changed", out);
        self.compare(&of(&then), "changed", out).await;
        self.again(&of(&then), "changed", out).await?;
        let report = engine.transaction().delete_key(key.clone()).commit().await?;
        for item in report.items.iter().filter_map(|item| item.failure.as_ref()) {
            out.push(format!("{}: not deleted: {}", item.0, item.1));
        }
        self.compare(&BTreeMap::new(), "deleted", out).await;
        engine.stop().await;
        Ok(())
    }

    /// After any course of changes and restarts, what is there is what is wanted at its end, and nothing is left when
    /// nothing is wanted.
    ///
    /// # Errors
    /// All that does not hold.
    pub async fn check_steps(
        &self,
        steps: impl IntoIterator<Item = Step<D::Value>>,
    ) -> Result<(), Violations> {
        let mut out = Vec::new();
        if self.steps(steps, &mut out).await.is_err() {
            out.push("the engine ended".to_owned());
        }
        finish(out)
    }

    async fn steps(
        &self,
        steps: impl IntoIterator<Item = Step<D::Value>>,
        out: &mut Vec<String>,
    ) -> Result<(), Ended> {
        let mut wanted: BTreeMap<Key, D::Value> = BTreeMap::new();
        let (mut engine, _) = self.engine(Vec::new()).await?;
        for step in steps {
            match step {
                Step::Set(values) => {
                    wanted.extend(values.iter().map(|value| (D::key(value), value.clone())));
                    let report = engine.transaction().set_all::<D>(values).commit().await?;
                    for item in &report.items {
                        expect(&report, &item.key, "set", out);
                    }
                }
                Step::Unset(value) => {
                    wanted.remove(&D::key(&value));
                    engine.transaction().delete_key(D::key(&value)).commit().await?;
                }
                Step::Restart => {
                    engine.stop().await;
                    engine = self.engine(wanted.values().cloned().collect()).await?.0;
                }
            }
        }
        self.compare(&wanted, "at the end", out).await;
        self.again(&wanted, "at the end", out).await?;
        let none = wanted.keys().fold(engine.transaction(), |all, key| all.delete_key(key.clone()));
        none.commit().await?;
        self.compare(&BTreeMap::new(), "when all is deleted", out).await;
        engine.stop().await;
        Ok(())
    }
}

fn expect(report: &Report, key: &Key, what: &str, out: &mut Vec<String>) {
    let Some(item) = report.items.iter().find(|item| item.key == *key) else { return };
    if item.state != State::Configured {
        let why = item.failure.as_ref().map(|(_, failure)| failure.to_string());
        let why = why.or_else(|| item.invalid.as_ref().map(ToString::to_string));
        out.push(format!(
            "{key}: {what}, it is {}: {}",
            item.state,
            why.unwrap_or_else(|| item.pending.join("; "))
        ));
    }
}

fn finish(mut out: Vec<String>) -> Result<(), Violations> {
    out.dedup();
    if out.is_empty() { Ok(()) } else { Err(Violations(out)) }
}
