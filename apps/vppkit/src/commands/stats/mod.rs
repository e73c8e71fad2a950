//! `vppkit stats`.

mod json;
mod prometheus;
mod rows;

use std::io::Write;
use std::time::Duration;

use vpp_conn::stats::{Interfaces, Nodes, Pattern, Selection, Stats, StatsError};

use crate::cli::StatsArgs;
use crate::interrupt::Interrupt;
use crate::output::{Format, Output, Table, note};

/// Shows statistics: once, or until it is interrupted.
pub(crate) async fn run(arguments: &StatsArgs, output: &mut Output) -> anyhow::Result<()> {
    let mut read = Read::new(arguments)?;
    if read.selection.is_empty() && !arguments.patterns.is_empty() {
        note("VPP has no entry that fits; vppkit stats without a pattern shows all of them");
    }
    let Some(pause) = arguments.watch else { return read.show(arguments, output) };
    let mut interrupt = Interrupt::new()?;
    let mut shown = 0;
    loop {
        read.show(arguments, output)?;
        shown += 1;
        if arguments.count == Some(shown) {
            return Ok(());
        }
        tokio::select! {
            () = interrupt.wait() => return Ok(()),
            outcome = read.next(pause) => outcome?,
        }
    }
}

/// What is shown, and what its indices mean.
struct Read {
    selection: Selection,
    labels: Labels,
}

impl Read {
    fn new(arguments: &StatsArgs) -> Result<Self, StatsError> {
        let stats = Stats::connect(&arguments.stats_socket)?;
        let patterns = if arguments.patterns.is_empty() { &[String::new()][..] } else { &arguments.patterns };
        let patterns = patterns.iter().map(|text| Pattern::parse(text)).collect::<Result<Vec<_>, _>>()?;
        let labels = Labels { interfaces: stats.interfaces()?, nodes: stats.nodes()? };
        Ok(Self { selection: stats.select_all(patterns)?, labels })
    }

    fn refresh(&mut self) -> Result<(), StatsError> {
        self.labels.interfaces.refresh()?;
        self.labels.nodes.refresh()?;
        self.selection.refresh()
    }

    /// Waits for the next values: for VPP, too, when it has gone away.
    async fn next(&mut self, pause: Duration) -> Result<(), StatsError> {
        let mut is_away = false;
        loop {
            tokio::time::sleep(pause).await;
            match self.refresh() {
                Err(error @ (StatsError::Connect { .. } | StatsError::Busy(_))) => {
                    if !is_away {
                        note(format_args!("{error}; waiting for it"));
                    }
                    is_away = true;
                }
                outcome => return outcome,
            }
        }
    }

    fn show(&self, arguments: &StatsArgs, output: &mut Output) -> anyhow::Result<()> {
        match output.format {
            _ if arguments.prom => {
                prometheus::write(output, &self.selection, &self.labels)?;
                if arguments.watch.is_some() {
                    output.write_all(b"\n")?;
                }
            }
            Format::Json => {
                let entries: Vec<_> = self
                    .selection
                    .entries()
                    .filter(|entry| !arguments.no_zeros || !json::is_zero(entry))
                    .map(|entry| json::entry(&entry))
                    .collect();
                // One line each time, or a line for each entry where there is one time.
                match arguments.watch {
                    Some(_) => output.json_line(&entries)?,
                    None => {
                        for (index, entry) in entries.iter().enumerate() {
                            output.write_all(if index == 0 { b"[\n" } else { b",\n" })?;
                            serde_json::to_writer(&mut *output, entry)?;
                        }
                        output.write_all(if entries.is_empty() { b"[]\n" } else { b"\n]\n" })?;
                    }
                }
            }
            Format::Text => {
                let mut table = Table::default();
                rows::push(&mut table, &self.selection, &self.labels, arguments);
                match (output.width, arguments.watch) {
                    (Some(_), Some(_)) => {
                        let mut text = Vec::new();
                        table.write(&mut text, None)?;
                        output.screenful(&String::from_utf8_lossy(&text))?;
                    }
                    (_, watch) => {
                        // In a pipe the tables follow each other.
                        if watch.is_some() && self.selection.interval().is_some() {
                            output.write_all(b"\n")?;
                        }
                        table.write(output, None)?;
                    }
                }
            }
        }
        output.flush()?;
        Ok(())
    }
}

/// What the indices of counters stand for.
struct Labels {
    interfaces: Interfaces,
    nodes: Nodes,
}

impl Labels {
    /// The name of what an index of an entry's counters stands for.
    fn of(&self, entry: &str, index: usize) -> Option<&str> {
        let index = u32::try_from(index).ok()?;
        if entry.starts_with("/if/") {
            self.interfaces.get(index).map(|interface| interface.name())
        } else if entry.starts_with("/sys/node/") {
            self.nodes.get(index).map(|node| node.name())
        } else {
            None
        }
    }
}
