//! What was measured, as a table for people and as JSON.

use std::fmt;

use serde_json::{Map, Value, json};

/// The figures of one subject, the floor first.
#[derive(Debug)]
pub(crate) struct Table {
    /// Short, for programs.
    pub(crate) subject: String,
    /// What is done, and against whom.
    pub(crate) about: String,
    pub(crate) rows: Vec<Row>,
}

/// The figures of one way. What was not measured is not there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Row {
    pub(crate) way: String,
    pub(crate) transport: Option<&'static str>,
    /// Half of the operations took less.
    pub(crate) p50_us: Option<f64>,
    /// 99 of 100 operations took less.
    pub(crate) p99_us: Option<f64>,
    /// One operation when many are done together; the median of the rounds.
    pub(crate) each_us: Option<f64>,
    pub(crate) ratio: Option<Ratio>,
    /// For each operation.
    pub(crate) allocations: Option<f64>,
    /// For each operation, of the whole process.
    pub(crate) cpu_us: Option<f64>,
    pub(crate) syscalls_per_1000: Option<f64>,
}

/// How a way compares with the floor of the same round.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ratio {
    /// The median of the rounds.
    median: f64,
    /// A quarter of the rounds lies below the first, a quarter above the second.
    quartiles: [f64; 2],
    limit: Option<Limit>,
}

/// What a ratio is allowed to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Limit {
    AtMost(f64),
    AtLeast(f64),
}

impl Ratio {
    pub(crate) fn of(mut rounds: Vec<f64>, limit: Option<Limit>) -> Self {
        rounds.sort_unstable_by(f64::total_cmp);
        let at = |part: f64| {
            let place = rounds.len().saturating_sub(1) as f64 * part;
            let get = |place: f64| rounds.get(place as usize).copied().unwrap_or(f64::NAN);
            get(place.floor()) + (get(place.ceil()) - get(place.floor())) * place.fract()
        };
        Self { median: at(0.5), quartiles: [at(0.25), at(0.75)], limit }
    }

    /// The ratio alone, where what is allowed says nothing.
    pub(crate) fn without_limit(self) -> Self {
        Self { limit: None, ..self }
    }

    fn is_met(&self) -> Option<bool> {
        Some(match self.limit? {
            Limit::AtMost(limit) => self.median <= limit,
            Limit::AtLeast(limit) => self.median >= limit,
        })
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtMost(limit) => write!(f, "<= {limit}"),
            Self::AtLeast(limit) => write!(f, ">= {limit}"),
        }
    }
}

/// A column of the table: its head, and what a row has for it.
type Column = (&'static str, fn(&Row) -> Option<String>);

const COLUMNS: [Column; 10] = [
    ("transport", |row| row.transport.map(str::to_owned)),
    ("p50", |row| row.p50_us.map(time)),
    ("p99", |row| row.p99_us.map(time)),
    ("each", |row| row.each_us.map(time)),
    ("a second", |row| row.each_us.map(|micros| format!("{:.0}", 1e6 / micros))),
    ("to floor", |row| {
        row.ratio.map(|Ratio { median, quartiles: [low, high], .. }| {
            format!("{median:.3} ({low:.2} to {high:.2})")
        })
    }),
    ("limit", |row| {
        let ratio = row.ratio?;
        let verdict = if ratio.is_met()? { "met" } else { "MISSED" };
        ratio.limit.map(|limit| format!("{limit} {verdict}"))
    }),
    ("allocations", |row| row.allocations.map(|count| format!("{count:.4}"))),
    ("CPU", |row| row.cpu_us.map(time)),
    ("syscalls/1000", |row| row.syscalls_per_1000.map(|count| format!("{count:.0}"))),
];

/// Microseconds, in a unit that leaves digits to read.
fn time(micros: f64) -> String {
    match micros {
        ..0.1 => format!("{:.1} ns", micros * 1e3),
        ..10.0 => format!("{micros:.3} us"),
        ..10_000.0 => format!("{micros:.1} us"),
        _ => format!("{:.1} ms", micros / 1e3),
    }
}

impl Table {
    pub(crate) fn new(subject: impl Into<String>, about: impl Into<String>, rows: Vec<Row>) -> Self {
        Self { subject: subject.into(), about: about.into(), rows }
    }

    pub(crate) fn json(&self) -> Value {
        let rows: Vec<Value> = self.rows.iter().map(Row::json).collect();
        json!({ "subject": self.subject, "about": self.about, "ways": rows })
    }
}

impl Row {
    fn json(&self) -> Value {
        let ratio = self.ratio.map(|ratio| {
            let limit = ratio.limit.map(|limit| limit.to_string());
            json!({ "median": ratio.median, "quartiles": ratio.quartiles, "limit": limit, "met": ratio.is_met() })
        });
        let figures = [
            ("way", Some(json!(self.way))),
            ("transport", self.transport.map(Value::from)),
            ("p50_us", self.p50_us.map(Value::from)),
            ("p99_us", self.p99_us.map(Value::from)),
            ("each_us", self.each_us.map(Value::from)),
            ("per_second", self.each_us.map(|micros| json!((1e6 / micros).round()))),
            ("to_floor", ratio),
            ("allocations", self.allocations.map(Value::from)),
            ("cpu_us", self.cpu_us.map(Value::from)),
            ("syscalls_per_1000", self.syscalls_per_1000.map(Value::from)),
        ];
        let figures = figures.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
        Value::Object(figures.collect::<Map<_, _>>())
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.about)?;
        let columns: Vec<(&str, Vec<String>)> = COLUMNS
            .iter()
            .map(|(head, of)| (*head, self.rows.iter().map(|row| of(row).unwrap_or_default()).collect()))
            .filter(|(_, cells): &(_, Vec<String>)| cells.iter().any(|cell| !cell.is_empty()))
            .collect();
        let width = |head: &str, cells: &[String]| {
            cells.iter().map(|cell| cell.chars().count()).chain([head.len()]).max().unwrap_or(0)
        };
        let first = self.rows.iter().map(|row| row.way.len()).max().unwrap_or(0);
        write!(f, "{:<first$}", "")?;
        for (head, cells) in &columns {
            write!(f, "  {head:>width$}", width = width(head, cells))?;
        }
        writeln!(f)?;
        for (index, row) in self.rows.iter().enumerate() {
            write!(f, "{:<first$}", row.way)?;
            for (head, cells) in &columns {
                write!(f, "  {:>width$}", cells[index], width = width(head, cells))?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_told_by_their_median_and_quartiles() {
        let ratio = Ratio::of(vec![1.4, 1.0, 1.2, 1.1, 1.3], Some(Limit::AtMost(1.2)));
        assert_eq!((ratio.median, ratio.quartiles, ratio.is_met()), (1.2, [1.1, 1.3], Some(true)));
        let ratio = Ratio::of(vec![0.5, 1.0], Some(Limit::AtLeast(0.8)));
        assert_eq!((ratio.median, ratio.is_met()), (0.75, Some(false)));
        assert_eq!(ratio.without_limit().is_met(), None);
        assert!(Ratio::of(Vec::new(), None).median.is_nan());
    }

    #[test]
    fn a_table_has_the_columns_that_were_measured() {
        let ratio = Some(Ratio::of(vec![1.5], Some(Limit::AtMost(1.1))));
        let floor = Row { way: "floor".to_owned(), each_us: Some(0.05), ..Row::default() };
        let slow = Row { way: "slow".to_owned(), each_us: Some(12_500.0), ratio, ..Row::default() };
        let table = Table::new("subject", "what", vec![floor, slow]);
        let text = table.to_string();
        assert!(
            text.contains("50.0 ns") && text.contains("12.5 ms") && text.contains("<= 1.1 MISSED"),
            "{text}"
        );
        assert!(!text.contains("p50") && !text.contains("allocations"), "{text}");
        let json = table.json();
        assert_eq!(json["ways"][1]["to_floor"]["met"], false);
        assert_eq!(json["ways"][1]["per_second"], 80.0);
        assert_eq!(json["ways"][0].get("p50_us"), None);
    }
}
