//! Entries in the text format of Prometheus.
//!
//! Names and labels are those of VPP's own exporter (`vpp_prometheus_export … v2`), so that dashboards made for it go
//! on working. What is otherwise here, because Prometheus does not take what that exporter writes:
//!
//! * All samples of a metric stand together, below its type.
//! * Values of labels are escaped.
//! * Buckets of histograms are called so, and their bounds are the largest value that they count.
//! * Numbers that VPP sets, and may set back, are gauges.
//! * Vectors whose index is no interface's label it `index`; those of interfaces carry the name as well.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};

use vpp_conn::stats::{Combined, Entry, Selection, Value};

use super::Labels;

/// A metric: its type and samples.
#[derive(Default)]
struct Family {
    kind: &'static str,
    samples: String,
}

/// Writes all entries.
pub(super) fn write(out: &mut impl Write, selection: &Selection, labels: &Labels) -> io::Result<()> {
    let mut families = Families { families: BTreeMap::new(), labels };
    for entry in selection.entries() {
        families.entry(&entry);
    }
    for (name, Family { kind, samples }) in families.families {
        writeln!(out, "# TYPE {name} {kind}")?;
        out.write_all(samples.as_bytes())?;
    }
    Ok(())
}

struct Families<'a> {
    families: BTreeMap<String, Family>,
    labels: &'a Labels,
}

/// What an entry is called: the metric, and labels that say of what.
struct Called<'a> {
    metric: String,
    labels: Vec<(&'static str, &'a str)>,
}

/// What VPP's exporter calls an entry.
fn called(name: &str) -> Called<'_> {
    let called = |metric: String, labels| Called { metric: metric_name(&metric), labels };
    // Interfaces, nodes and pools may have strokes in their names; what is counted of them has none.
    for (kind, metric, label) in [
        ("/interfaces/", "interfaces", "interface"),
        ("/nodes/", "nodes", "node"),
        ("/buffer-pools/", "buffer_pools", "pool"),
    ] {
        if let Some((of, what)) = name.strip_prefix(kind).and_then(|rest| rest.rsplit_once('/')) {
            return called(format!("{metric}_{what}"), vec![(label, of)]);
        }
    }
    if let Some((node, reason)) = name.strip_prefix("/err/").and_then(|rest| rest.split_once('/')) {
        return called("err".to_owned(), vec![("node", node), ("error", reason)]);
    }
    if let Some(rest) = name.strip_prefix("/mem/") {
        return match rest.rsplit_once('/') {
            Some((heap, what @ ("used" | "total" | "free"))) => {
                called(format!("mem_{what}"), vec![("heap", heap)])
            }
            _ => called("mem".to_owned(), vec![("heap", rest)]),
        };
    }
    match name.strip_prefix("/sys/") {
        Some(what) if !what.contains('/') => called(format!("sys_{what}"), Vec::new()),
        _ => called(name.to_owned(), Vec::new()),
    }
}

/// A name that Prometheus takes.
fn metric_name(name: &str) -> String {
    let letter = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '_' };
    let name: String = name.chars().map(letter).collect();
    if name.starts_with(|first: char| first.is_ascii_digit()) { format!("_{name}") } else { name }
}

/// A label's value between its quotes.
fn escaped(text: &str) -> String {
    text.replace('\\', r"\\").replace('"', r#"\""#).replace('\n', r"\n")
}

impl Families<'_> {
    fn entry(&mut self, entry: &Entry<'_>) {
        let Called { metric, labels } = called(entry.name());
        let labels: Vec<(&str, String)> = labels.iter().map(|(name, of)| (*name, (*of).to_owned())).collect();
        match entry.value() {
            Value::Scalar(number) | Value::Gauge(number) => {
                self.sample(&metric, "gauge", "", &labels, number)
            }
            Value::Simple(counters) => {
                // Heaps and rates go down as well.
                let is_level = entry.name().starts_with("/mem/") || entry.name().starts_with("/sys/");
                let kind =
                    if is_level && !entry.name().starts_with("/sys/node/") { "gauge" } else { "counter" };
                for column in counters.columns() {
                    let labels = [&labels[..], &self.index(entry, column.index())].concat();
                    for (thread, value) in column.threads().enumerate() {
                        let labels = [&labels[..], &[("thread", thread.to_string())]].concat();
                        self.sample(&metric, kind, "", &labels, value);
                    }
                }
            }
            Value::Combined(counters) => {
                for column in counters.columns() {
                    let labels = [&labels[..], &self.index(entry, column.index())].concat();
                    for (thread, Combined { packets, bytes }) in column.threads().enumerate() {
                        let labels = [&labels[..], &[("thread", thread.to_string())]].concat();
                        self.sample(&format!("{metric}_packets"), "counter", "", &labels, packets);
                        self.sample(&format!("{metric}_bytes"), "counter", "", &labels, bytes);
                    }
                }
            }
            Value::Names(names) => {
                for (index, name) in names.iter() {
                    let labels = [("index", index.to_string()), ("name", name.to_owned())];
                    self.sample(&format!("{metric}_info"), "gauge", "", &labels, 1);
                }
            }
            Value::Histogram(histogram) => {
                for thread in 0..histogram.threads() {
                    let mut count = 0_u64;
                    let thread_label = ("thread", thread.to_string());
                    for (bin, of_bin) in histogram.bins(thread).iter().enumerate() {
                        count = count.wrapping_add(*of_bin);
                        let bound = histogram.bound(thread, bin);
                        let bound = bound.map_or("+Inf".to_owned(), |bound| bound.to_string());
                        let labels = [("le", bound), thread_label.clone()];
                        self.sample(&metric, "histogram", "_bucket", &labels, count);
                    }
                    self.sample(&metric, "histogram", "_count", &[thread_label], count);
                }
            }
            Value::Ring(ring) => {
                for thread in 0..ring.threads() {
                    let labels = [("thread", thread.to_string())];
                    self.sample(&format!("{metric}_written"), "counter", "", &labels, ring.written(thread));
                }
            }
            // Nothing is there to be told.
            _ => {}
        }
    }

    /// Labels of an index.
    fn index(&self, entry: &Entry<'_>, index: usize) -> Vec<(&'static str, String)> {
        let name = self.labels.of(entry.name(), index);
        if entry.name().starts_with("/if/") {
            let name = name.map(|name| ("name", name.to_owned()));
            [Some(("interface", index.to_string())), name].into_iter().flatten().collect()
        } else {
            let name = name.map(|name| ("node", name.to_owned()));
            [Some(("index", index.to_string())), name].into_iter().flatten().collect()
        }
    }

    fn sample(
        &mut self,
        metric: &str,
        kind: &'static str,
        suffix: &str,
        labels: &[(&str, String)],
        value: u64,
    ) {
        // A name of two meanings would be no metric; the later one steps aside.
        let is_taken = self.families.get(metric).is_some_and(|family| family.kind != kind);
        let name = if is_taken { format!("{metric}_{kind}") } else { metric.to_owned() };
        let family = self.families.entry(name.clone()).or_default();
        family.kind = kind;
        let labels: Vec<String> =
            labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        // Writing to a String cannot fail.
        let _ = writeln!(family.samples, "{name}{suffix}{labels} {value}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_called_as_by_vpps_exporter() {
        let name = |name| {
            let Called { metric, labels } = called(name);
            let labels: Vec<_> = labels.iter().map(|(name, of)| format!("{name}={of}")).collect();
            format!("{metric} {}", labels.join(" "))
        };
        assert_eq!(name("/interfaces/Gi0/8/0/rx-miss"), "interfaces_rx_miss interface=Gi0/8/0");
        assert_eq!(name("/nodes/ip4-input/clocks"), "nodes_clocks node=ip4-input");
        assert_eq!(name("/err/a/b / c"), "err node=a error=b / c");
        assert_eq!(name("/mem/main heap"), "mem heap=main heap");
        assert_eq!(name("/mem/main heap/used"), "mem_used heap=main heap");
        assert_eq!(name("/buffer-pools/default-numa-0/used"), "buffer_pools_used pool=default-numa-0");
        assert_eq!(name("/sys/heartbeat"), "sys_heartbeat ");
        assert_eq!(name("/sys/node/clocks"), "_sys_node_clocks ");
        assert_eq!(name("/if/rx-miss"), "_if_rx_miss ");
        assert_eq!(metric_name("4to6 \"x\""), "_4to6__x_");
        assert_eq!(escaped("a\"b\\c\nd"), r#"a\"b\\c\nd"#);
    }
}
