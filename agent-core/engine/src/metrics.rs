//! What the engine counts, for Prometheus.

use std::fmt;
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::{Report, State, Summary};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Ended {
    ending: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Operated {
    kind: String,
    action: String,
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Called {
    kind: String,
}

type Histograms = Family<Called, Histogram, fn() -> Histogram>;

pub(crate) struct Metrics {
    transactions: Family<Ended, Counter>,
    operations: Family<Operated, Counter>,
    calls: Histograms,
    seconds: Histogram,
    unrecorded: Counter,
}

/// From 100 microseconds to a bit over half a minute.
fn histogram() -> Histogram {
    Histogram::new((0..10).map(|power| 0.000_1 * 4f64.powi(power)))
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            transactions: Family::default(),
            operations: Family::default(),
            calls: Family::new_with_constructor(histogram),
            seconds: histogram(),
            unrecorded: Counter::default(),
        }
    }
}

impl Metrics {
    /// A transaction has ended.
    pub(crate) fn ended(&self, report: &Report) {
        self.transactions
            .get_or_create(&Ended { ending: format!("{:?}", report.ending).to_lowercase() })
            .inc();
        self.seconds.observe((report.ended.saturating_sub(report.started)).as_secs_f64());
        // Operations come in runs of the same kind: a look at the family for each would cost more than the operation.
        let mut done = report.operations.iter().peekable();
        while let Some(first) = done.next() {
            let same = |next: &&crate::Done| {
                next.action == first.action
                    && next.failure.is_some() == first.failure.is_some()
                    && next.key.kind() == first.key.kind()
            };
            let mut count = 1;
            while done.next_if(same).is_some() {
                count += 1;
            }
            let operated = Operated {
                kind: first.key.kind().to_owned(),
                action: first.action.to_string(),
                result: if first.failure.is_some() { "failed" } else { "done" },
            };
            self.operations.get_or_create(&operated).inc_by(count);
        }
    }

    /// A call of a descriptor has returned.
    pub(crate) fn called(&self, kind: &str, took: Duration) {
        self.calls.get_or_create(&Called { kind: kind.to_owned() }).observe(took.as_secs_f64());
    }

    /// Something could not be written into the journal.
    pub(crate) fn unrecorded(&self) {
        self.unrecorded.inc();
    }

    /// `now` tells how the engine stands and how many notices wait; nothing once it has ended.
    pub(crate) fn register(
        &self,
        registry: &mut Registry,
        now: impl Fn() -> Option<(Summary, usize)> + Send + Sync + 'static,
    ) {
        registry.register("transactions", "Transactions by how they ended", self.transactions.clone());
        registry.register("operations", "Operations by kind, action and result", self.operations.clone());
        registry.register("call_seconds", "Time of calls of descriptors", self.calls.clone());
        registry.register("transaction_seconds", "Time of transactions", self.seconds.clone());
        registry.register("journal_errors", "Writes into the journal that failed", self.unrecorded.clone());
        registry.register_collector(Box::new(Now(Box::new(now))));
    }
}

/// How the engine stands when it is asked.
struct Now(Box<dyn Fn() -> Option<(Summary, usize)> + Send + Sync>);

impl fmt::Debug for Now {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Now")
    }
}

impl Collector for Now {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let Some((summary, notices)) = (self.0)() else { return Ok(()) };
        let mut items = encoder.encode_descriptor("items", "Items by state", None, MetricType::Gauge)?;
        for state in State::ALL.into_iter().filter(|state| *state != State::Nonexistent) {
            let count = ConstGauge::new(i64::try_from(summary.items(state)).unwrap_or(i64::MAX));
            count.encode(items.encode_family(&[("state", state.to_string())])?)?;
        }
        let gauges = [
            ("transactions_open", "Transactions that have not ended", summary.transactions),
            ("operations_open", "Operations that have not ended", summary.operations),
            ("kinds_unobserved", "Kinds that could not be observed", summary.unobserved.len()),
            ("notices_waiting", "Changes of the southbound that wait to be looked at", notices),
        ];
        for (name, help, value) in gauges {
            let gauge = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
            gauge.encode(encoder.encode_descriptor(name, help, None, MetricType::Gauge)?)?;
        }
        let drifts = prometheus_client::metrics::counter::ConstCounter::new(summary.drifts);
        drifts.encode(encoder.encode_descriptor(
            "drifts",
            "Items found otherwise than they were made",
            None,
            MetricType::Counter,
        )?)
    }
}
