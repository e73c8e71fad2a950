//! The last transactions, bounded in bytes.

use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::time::Duration;

use crate::{Done, Item, Key, Report};

pub(crate) struct History {
    reports: VecDeque<(usize, Report)>,
    bytes: usize,
    most: usize,
    longest: Duration,
}

/// What a report takes, counted with what its strings take.
fn size(report: &Report) -> usize {
    let text: usize = report.errors.iter().map(String::len).sum();
    let failure =
        |failure: &Option<crate::Failure>| failure.as_ref().map_or(0, |failure| failure.message.len());
    let items: usize = report
        .items
        .iter()
        .map(|item| {
            let pending: usize = item.pending.iter().map(|reason| reason.len() + size_of::<String>()).sum();
            let failed = item.failure.as_ref().map_or(0, |(_, failure)| failure.message.len());
            size_of::<Item>() + item.key.as_str().len() + pending + failed
        })
        .sum();
    let done: usize = report
        .operations
        .iter()
        .map(|done| size_of::<Done>() + done.key.as_str().len() + failure(&done.failure))
        .sum();
    size_of::<Report>() + report.description.len() + text + items + done
}

/// Items and operations that failed first, then others, `most` of each.
fn shortened(report: &Report, most: usize) -> Report {
    let failed = |item: &&Item| item.failure.is_some() || item.invalid.is_some();
    let well = |item: &&Item| !failed(item);
    let items = report.items.iter().filter(failed).chain(report.items.iter().filter(well)).take(most);
    let operations = report.operations.iter().filter(|done| done.failure.is_some());
    let operations =
        operations.chain(report.operations.iter().filter(|done| done.failure.is_none())).take(most);
    let (all, done) = (report.items.len(), report.operations.len());
    let note = format!("history: too large; at most {most} of {all} items and of {done} operations are kept");
    Report {
        number: report.number,
        trigger: report.trigger.clone(),
        description: report.description.clone(),
        ending: report.ending,
        errors: report.errors.iter().take(most).cloned().chain([note]).collect(),
        items: items.cloned().collect(),
        operations: operations.cloned().collect(),
        started: report.started,
        ended: report.ended,
    }
}

impl History {
    pub(crate) const fn new(most: usize, longest: Duration) -> Self {
        Self { reports: VecDeque::new(), bytes: 0, most, longest }
    }

    pub(crate) fn add(&mut self, report: &Report) {
        if self.most == 0 {
            return;
        }
        let ended = report.ended;
        let mut kept = None;
        let mut bytes = size(report);
        // One transaction takes at most a quarter; of a larger one, what matters most is kept.
        let mut most = report.items.len() + report.operations.len();
        while bytes > self.most / 4 && most > 0 {
            most /= 4;
            let short = shortened(report, most);
            bytes = size(&short);
            kept = Some(short);
        }
        if bytes <= self.most {
            self.bytes += bytes;
            self.reports.push_back((bytes, kept.unwrap_or_else(|| report.clone())));
        }
        let old = |report: &Report| report.ended + self.longest < ended;
        while let Some((size, first)) = self.reports.front() {
            if self.bytes <= self.most && !old(first) {
                break;
            }
            self.bytes -= size;
            self.reports.pop_front();
        }
    }

    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn get(&self, number: u64) -> Option<Report> {
        self.reports.iter().map(|(_, report)| report).find(|report| report.number == number).cloned()
    }

    pub(crate) fn between(&self, times: &RangeInclusive<Duration>) -> Vec<Report> {
        let within = |report: &&Report| report.started <= *times.end() && report.ended >= *times.start();
        self.reports.iter().map(|(_, report)| report).filter(within).cloned().collect()
    }

    pub(crate) fn of(&self, key: &Key) -> Vec<(u64, Done)> {
        let of = |report: &Report| {
            let number = report.number;
            let done = report.operations.iter().filter(|done| done.key == *key);
            done.map(|done| (number, done.clone())).collect::<Vec<_>>()
        };
        self.reports.iter().flat_map(|(_, report)| of(report)).collect()
    }
}
