//! What the connections of an agent did, in its registry.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use vpp_conn::{Connection, Counters, Latency};

use crate::Vpp;

/// The connections of each VPP together, counted when somebody looks.
#[derive(Clone, Debug)]
pub(crate) struct Numbers(Arc<Mutex<Vec<Of>>>);

#[derive(Debug)]
struct Of {
    vpp: String,
    connections: u64,
    /// Of connections that are no more.
    before: Counters,
    last: Option<Connection>,
}

impl Of {
    fn counters(&self) -> Counters {
        let mut all = self.before.clone();
        if let Some(last) = &self.last {
            all += &last.counters();
        }
        all
    }
}

impl Numbers {
    pub(crate) fn new(vpps: &[Vpp]) -> Self {
        let of = |vpp: &Vpp| Of {
            vpp: vpp.name().to_owned(),
            connections: 0,
            before: Counters::default(),
            last: None,
        };
        Self(Arc::new(Mutex::new(vpps.iter().map(of).collect())))
    }

    pub(crate) fn connected(&self, vpp: &str, connection: &Connection) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for of in all.iter_mut().filter(|of| of.vpp == vpp) {
            of.before = of.counters();
            of.last = Some(connection.clone());
            of.connections += 1;
        }
    }
}

type Read = fn(&Counters) -> u64;

/// Names and meanings are those of [`Counters`].
const COUNTERS: &[(&str, &str, Read)] = &[
    ("sent_messages", "Messages sent to VPP", |c| c.sent),
    ("sent_bytes", "Bytes of messages sent to VPP", |c| c.sent_bytes),
    ("received_messages", "Messages received from VPP", |c| c.received),
    ("received_bytes", "Bytes of messages received from VPP", |c| c.received_bytes),
    ("calls_answered", "Calls and dumps that VPP answered", |c| c.answered),
    ("calls_failed", "Calls and dumps that VPP did not answer to the end", |c| c.failed),
    ("calls_given_up", "Calls and dumps that were dropped before they ended", |c| c.given_up),
    ("events", "Events received", |c| c.events),
    ("events_lost", "Events given up because nobody read them", |c| c.events_lost),
    ("late_messages", "Answers to calls that had ended", |c| c.late),
    ("unasked_messages", "Messages that nothing waited for", |c| c.unasked),
];

impl Collector for Numbers {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let counted: Vec<_> = all.iter().map(|of| ([("vpp", of.vpp.as_str())], of, of.counters())).collect();

        let mut family = encoder.encode_descriptor(
            "connected",
            "1 while there is a connection",
            None,
            MetricType::Gauge,
        )?;
        for (labels, of, _) in &counted {
            let is_up = of.last.as_ref().is_some_and(|last| last.lost().is_none());
            ConstGauge::new(i64::from(is_up)).encode(family.encode_family(labels)?)?;
        }
        let mut family =
            encoder.encode_descriptor("connections", "Connections made", None, MetricType::Counter)?;
        for (labels, of, _) in &counted {
            ConstCounter::new(of.connections).encode(family.encode_family(labels)?)?;
        }
        for (name, help, read) in COUNTERS {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
            for (labels, _, counters) in &counted {
                ConstCounter::new(read(counters)).encode(family.encode_family(labels)?)?;
            }
        }
        let help = "Calls and dumps that wait";
        let mut family = encoder.encode_descriptor("calls_in_flight", help, None, MetricType::Gauge)?;
        for (labels, _, counters) in &counted {
            let waiting = i64::try_from(counters.in_flight).unwrap_or(i64::MAX);
            ConstGauge::new(waiting).encode(family.encode_family(labels)?)?;
        }
        let help = "How long calls and dumps took";
        let mut family =
            encoder.encode_descriptor("call_duration_seconds", help, None, MetricType::Histogram)?;
        for (labels, _, counters) in &counted {
            Durations(&counters.latency).encode(family.encode_family(labels)?)?;
        }
        Ok(())
    }
}

struct Durations<'a>(&'a Latency);

impl EncodeMetric for Durations<'_> {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), fmt::Error> {
        // They are told as sums, and wanted one by one.
        let (mut sum, mut buckets) = (0, Vec::new());
        for (time, below) in self.0.below() {
            buckets.push((time.as_secs_f64(), below - sum));
            sum = below;
        }
        buckets.push((f64::INFINITY, self.0.count() - sum));
        encoder.encode_histogram::<NoLabelSet>(self.0.sum().as_secs_f64(), self.0.count(), &buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Histogram
    }
}
