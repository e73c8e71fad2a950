//! Entries as rows of a table.

use serde_json::{Map, Value as Json, json};
use vpp_conn::stats::{Column, Combined, CombinedRate, Counter, Entry, Selection, Value};

use super::Labels;
use crate::cli::StatsArgs;
use crate::output::Table;

/// Adds the rows of all entries.
pub(super) fn push(table: &mut Table, selection: &Selection, labels: &Labels, arguments: &StatsArgs) {
    let mut rows = Rows { table, labels, arguments };
    for entry in selection.entries() {
        rows.entry(&entry);
    }
}

struct Rows<'a> {
    table: &'a mut Table,
    labels: &'a Labels,
    arguments: &'a StatsArgs,
}

/// What is shown of a counter.
trait Shown: Counter {
    fn is_zero(self) -> bool;
    fn put(self, row: &mut Map<String, Json>);
    fn put_rate(rate: Self::Rate, row: &mut Map<String, Json>);
}

impl Shown for u64 {
    fn is_zero(self) -> bool {
        self == 0
    }

    fn put(self, row: &mut Map<String, Json>) {
        row.insert("value".to_owned(), json!(self));
    }

    fn put_rate(rate: f64, row: &mut Map<String, Json>) {
        row.insert("per_second".to_owned(), per_second(rate));
    }
}

impl Shown for Combined {
    fn is_zero(self) -> bool {
        self == Self::default()
    }

    fn put(self, row: &mut Map<String, Json>) {
        row.insert("value".to_owned(), json!(self.packets));
        row.insert("bytes".to_owned(), json!(self.bytes));
    }

    fn put_rate(rate: CombinedRate, row: &mut Map<String, Json>) {
        row.insert("per_second".to_owned(), per_second(rate.packets));
        row.insert("bytes_per_second".to_owned(), per_second(rate.bytes));
    }
}

/// A rate, rounded to a tenth: beyond that it says more of the clock than of VPP.
fn per_second(rate: f64) -> Json {
    json!((rate * 10.0).round() / 10.0)
}

impl Rows<'_> {
    fn entry(&mut self, entry: &Entry<'_>) {
        let keeps = |count: u64| count > 0 || !self.arguments.no_zeros;
        match entry.value() {
            Value::Scalar(number) | Value::Gauge(number) if keeps(number) => {
                let mut row = head(entry);
                number.put(&mut row);
                self.table.push(row);
            }
            Value::Simple(counters) => counters.columns().for_each(|column| self.column(entry, column)),
            Value::Combined(counters) => counters.columns().for_each(|column| self.column(entry, column)),
            Value::Names(names) => {
                for (index, name) in names.iter() {
                    let mut row = head(entry);
                    row.insert("index".to_owned(), json!(index));
                    row.insert("of".to_owned(), json!(name));
                    self.table.push(row);
                }
            }
            Value::Histogram(histogram) => {
                for thread in 0..histogram.threads() {
                    for (bin, count) in histogram.bins(thread).iter().enumerate() {
                        if !keeps(*count) {
                            continue;
                        }
                        let mut row = head(entry);
                        let bound = histogram.bound(thread, bin);
                        let bound = bound.map_or("more".to_owned(), |bound| format!("<= {bound}"));
                        row.insert("of".to_owned(), json!(bound));
                        row.insert("thread".to_owned(), json!(thread));
                        count.put(&mut row);
                        self.table.push(row);
                    }
                }
            }
            Value::Ring(ring) => {
                for thread in 0..ring.threads() {
                    let mut row = head(entry);
                    row.insert("of".to_owned(), json!("records"));
                    row.insert("thread".to_owned(), json!(thread));
                    ring.written(thread).put(&mut row);
                    self.table.push(row);
                }
            }
            // Nothing is there to be shown, or nothing but zero.
            _ => {}
        }
    }

    fn column<T: Shown>(&mut self, entry: &Entry<'_>, column: Column<'_, T>) {
        if !self.arguments.threads {
            return self.counter(entry, &column, None, column.sum(), column.rate());
        }
        for (thread, counter) in column.threads().enumerate() {
            self.counter(entry, &column, Some(thread), counter, column.thread_rate(thread));
        }
    }

    fn counter<T: Shown>(
        &mut self,
        entry: &Entry<'_>,
        column: &Column<'_, T>,
        thread: Option<usize>,
        counter: T,
        rate: Option<T::Rate>,
    ) {
        if counter.is_zero() && self.arguments.no_zeros {
            return;
        }
        let mut row = head(entry);
        // A link is one column, whose number is that of another entry.
        if !entry.is_symlink() {
            row.insert("index".to_owned(), json!(column.index()));
            if let Some(label) = self.labels.of(entry.name(), column.index()) {
                row.insert("of".to_owned(), json!(label));
            }
        }
        if let Some(thread) = thread {
            row.insert("thread".to_owned(), json!(thread));
        }
        counter.put(&mut row);
        if let Some(rate) = rate {
            T::put_rate(rate, &mut row);
        }
        self.table.push(row);
    }
}

fn head(entry: &Entry<'_>) -> Map<String, Json> {
    Map::from_iter([("name".to_owned(), json!(entry.name()))])
}
