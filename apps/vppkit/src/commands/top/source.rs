//! What is shown, and how it is read.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use vpp_conn::Counters;
use vpp_conn::stats::{Column, Combined, Errors, Interfaces, Nodes, Stats, StatsError, System};

/// Numbers of a row, at most.
pub(super) const NUMBERS: usize = 10;

/// VPP and this client at one time. Its memory is used again for the next.
#[derive(Debug, Default)]
pub(super) struct Snapshot {
    /// Since when VPP does not answer, and why; the rest is as it was then.
    pub(super) away: Option<Away>,
    pub(super) uptime: Option<Duration>,
    pub(super) workers: Option<u64>,
    pub(super) vector_rate: Option<u64>,
    pub(super) input_rate: Option<u64>,
    pub(super) interfaces: Rows,
    /// Empty where VPP does not count by node.
    pub(super) nodes: Rows,
    pub(super) errors: Rows,
    pub(super) client: Client,
}

/// VPP is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Away {
    pub(super) since: SystemTime,
    pub(super) time: Duration,
    pub(super) why: String,
}

/// This program as a client.
#[derive(Debug, Default)]
pub(super) struct Client {
    /// The API socket.
    pub(super) path: String,
    pub(super) version: Option<Arc<str>>,
    /// The number of the connection.
    pub(super) generation: u64,
    pub(super) counters: Option<Counters>,
    /// Why there is no connection.
    pub(super) trouble: Option<String>,
    /// The last round trips, in microseconds, oldest first.
    pub(super) pings: Vec<u64>,
}

/// Things with a name and some numbers.
#[derive(Debug, Default)]
pub(super) struct Rows {
    rows: Vec<Row>,
    len: usize,
}

/// A thing with a name and some numbers, as the columns of its table have them.
#[derive(Clone, Debug, Default)]
pub(super) struct Row {
    pub(super) name: String,
    /// More of its name.
    pub(super) detail: String,
    pub(super) numbers: [f64; NUMBERS],
}

impl Rows {
    pub(super) fn as_slice(&self) -> &[Row] {
        &self.rows[..self.len]
    }

    fn clear(&mut self) {
        self.len = 0;
    }

    /// One more row, in memory that was a row's before where there is some.
    pub(super) fn push(&mut self, name: &str, detail: &str, numbers: &[f64]) {
        if self.len == self.rows.len() {
            self.rows.push(Row::default());
        }
        let row = &mut self.rows[self.len];
        self.len += 1;
        for (text, new) in [(&mut row.name, name), (&mut row.detail, detail)] {
            text.clear();
            text.push_str(new);
        }
        row.numbers = [0.0; NUMBERS];
        row.numbers.iter_mut().zip(numbers).for_each(|(number, new)| *number = *new);
    }
}

/// Where statistics come from.
pub(super) struct Source {
    socket: PathBuf,
    groups: Option<Groups>,
    away: Option<(SystemTime, String)>,
}

struct Groups {
    system: System,
    interfaces: Interfaces,
    nodes: Nodes,
    errors: Errors,
    /// VPP's update that nodes were read at.
    nodes_of: Option<u64>,
}

impl Groups {
    fn connect(socket: &Path) -> Result<Self, StatsError> {
        let stats = Stats::connect(socket)?;
        let system = stats.system()?;
        Ok(Self {
            interfaces: stats.interfaces()?,
            nodes: stats.nodes()?,
            errors: stats.errors()?,
            nodes_of: system.heartbeat(),
            system,
        })
    }

    fn refresh(&mut self) -> Result<(), StatsError> {
        self.system.refresh()?;
        self.interfaces.refresh()?;
        self.errors.refresh()?;
        // VPP writes what nodes did at its updates alone, 10 seconds apart: rates are from one to the next.
        let update = self.system.heartbeat();
        if update != self.nodes_of {
            self.nodes.refresh()?;
            self.nodes_of = update;
        }
        Ok(())
    }
}

impl Source {
    pub(super) fn new(socket: &Path) -> Self {
        Self { socket: socket.to_owned(), groups: None, away: None }
    }

    /// Obtains the statistics for the first time.
    pub(super) fn connect(&mut self) -> Result<(), StatsError> {
        self.groups = Some(Groups::connect(&self.socket)?);
        Ok(())
    }

    /// Reads what VPP counted by now. Where VPP is away it says so, and leaves what was read last.
    pub(super) fn read(&mut self, snapshot: &mut Snapshot) {
        let read = match &mut self.groups {
            Some(groups) => groups.refresh(),
            None => self.connect(),
        };
        let now = SystemTime::now();
        match read {
            Ok(()) => self.away = None,
            Err(error) => {
                let since = self.away.take().map_or(now, |(since, _)| since);
                self.away = Some((since, error.to_string()));
            }
        }
        snapshot.away = self.away.as_ref().map(|(since, why)| Away {
            since: *since,
            time: now.duration_since(*since).unwrap_or_default(),
            why: why.clone(),
        });
        if let Some(groups) = &self.groups {
            groups.fill(snapshot, now);
        }
    }
}

impl Groups {
    fn fill(&self, snapshot: &mut Snapshot, now: SystemTime) {
        let started = self.system.boottime().map(|seconds| UNIX_EPOCH + Duration::from_secs(seconds));
        snapshot.uptime = started.and_then(|started| now.duration_since(started).ok());
        snapshot.workers = self.system.worker_threads();
        snapshot.vector_rate = self.system.vector_rate();
        snapshot.input_rate = self.system.input_rate();
        self.fill_interfaces(&mut snapshot.interfaces);
        self.fill_nodes(&mut snapshot.nodes);
        snapshot.errors.clear();
        for error in self.errors.iter() {
            let total = error.count.sum();
            if total > 0 {
                let numbers = [error.count.rate().unwrap_or(0.0), total as f64];
                snapshot.errors.push(error.node, error.reason, &numbers);
            }
        }
    }

    fn fill_interfaces(&self, rows: &mut Rows) {
        rows.clear();
        for interface in &self.interfaces {
            let (rx, tx) = (interface.rx(), interface.tx());
            let [(rx_packets, rx_bits), (tx_packets, tx_bits)] = [rx, tx].map(rates);
            let troubles =
                [interface.rx_error(), interface.tx_error(), interface.rx_miss(), interface.rx_no_buf()];
            let errors: f64 = troubles.iter().filter_map(Column::rate).sum();
            let numbers = [
                rx_packets,
                rx_bits,
                tx_packets,
                tx_bits,
                interface.drops().rate().unwrap_or(0.0),
                errors,
                rx.sum().packets as f64,
                tx.sum().packets as f64,
                interface.drops().sum() as f64,
                troubles.iter().map(Column::sum).sum::<u64>() as f64,
            ];
            rows.push(interface.name(), "", &numbers);
        }
    }

    fn fill_nodes(&self, rows: &mut Rows) {
        rows.clear();
        let all: f64 = self.nodes.iter().filter_map(|node| node.clocks().rate()).sum();
        for node in self.nodes.iter() {
            let [clocks, vectors, calls, suspends] =
                [node.clocks(), node.vectors(), node.calls(), node.suspends()]
                    .map(|column| column.rate().unwrap_or(0.0));
            let part = |of: f64, by: f64| if by > 0.0 { of / by } else { 0.0 };
            let numbers = [
                100.0 * part(clocks, all),
                vectors,
                calls,
                part(vectors, calls),
                part(clocks, vectors),
                suspends,
            ];
            rows.push(node.name(), "", &numbers);
        }
    }
}

/// Packets and bits per second.
fn rates(column: Column<'_, Combined>) -> (f64, f64) {
    column.rate().map_or((0.0, 0.0), |rate| (rate.packets, 8.0 * rate.bytes))
}
