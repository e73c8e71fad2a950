//! Entries as JSON: VPP's own shape, values by thread and then by index.

use serde_json::{Value as Json, json};
use vpp_conn::stats::{Combined, Entry, Value};

/// An entry with all it holds.
pub(super) fn entry(entry: &Entry<'_>) -> Json {
    let name = entry.name();
    let pair = |counter: Combined| json!({ "packets": counter.packets, "bytes": counter.bytes });
    match entry.value() {
        Value::Scalar(number) => json!({ "name": name, "kind": "scalar", "value": number }),
        Value::Gauge(number) => json!({ "name": name, "kind": "gauge", "value": number }),
        Value::Simple(counters) => {
            let values: Vec<Vec<u64>> =
                (0..counters.threads()).map(|thread| counters.thread(thread).collect()).collect();
            json!({ "name": name, "kind": "simple", "symlink": entry.is_symlink(), "values": values })
        }
        Value::Combined(counters) => {
            let values: Vec<Vec<Json>> =
                (0..counters.threads()).map(|thread| counters.thread(thread).map(pair).collect()).collect();
            json!({ "name": name, "kind": "combined", "symlink": entry.is_symlink(), "values": values })
        }
        Value::Names(names) => {
            let values: Vec<_> = (0..names.len()).map(|index| names.get(index)).collect();
            json!({ "name": name, "kind": "names", "values": values })
        }
        Value::Histogram(histogram) => {
            let threads: Vec<_> = (0..histogram.threads())
                .map(|thread| {
                    json!({ "first_exponent": histogram.first_exponent(thread), "bins": histogram.bins(thread) })
                })
                .collect();
            json!({ "name": name, "kind": "histogram", "values": threads })
        }
        Value::Ring(ring) => {
            let written: Vec<_> = (0..ring.threads()).map(|thread| ring.written(thread)).collect();
            json!({
                "name": name,
                "kind": "ring",
                "slots": ring.slots(),
                "record_length": ring.entry_len(),
                "schema_version": ring.schema_version(),
                "schema": String::from_utf8_lossy(ring.schema()),
                "written": written,
            })
        }
        _ => json!({ "name": name, "kind": "absent" }),
    }
}

/// Whether an entry counts and has counted nothing.
pub(super) fn is_zero(entry: &Entry<'_>) -> bool {
    match entry.value() {
        Value::Scalar(number) | Value::Gauge(number) => number == 0,
        Value::Simple(counters) => {
            (0..counters.threads()).all(|thread| counters.thread(thread).all(|value| value == 0))
        }
        Value::Combined(counters) => (0..counters.threads())
            .all(|thread| counters.thread(thread).all(|value| value == Combined::default())),
        Value::Histogram(histogram) => {
            (0..histogram.threads()).all(|thread| histogram.bins(thread).iter().all(|bin| *bin == 0))
        }
        Value::Absent => true,
        _ => false,
    }
}
