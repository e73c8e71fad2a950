//! What is measured, one file for each subject.

mod bridged;
mod codec;
mod dump;
mod pipelined;
mod requests;
mod round_trip;
mod routes;
mod stats;
mod syscalls;
mod transports;

use std::path::Path;

use anyhow::Result;

use crate::report::Table;

pub(crate) use stats::ENTRIES;
pub(crate) use syscalls::{Counted, run as run_counted};

/// Against whom, and how much.
pub(crate) struct Setup<'a> {
    pub(crate) socket: &'a Path,
    pub(crate) stats_socket: &'a Path,
    /// VPP, or the stand-in.
    pub(crate) peer: &'a str,
    pub(crate) calls: usize,
    pub(crate) pipelined: usize,
    pub(crate) routes: usize,
    pub(crate) rounds: usize,
}

/// What can be measured by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Subject {
    /// One call after another
    RoundTrip,
    /// One call now and then, to a VPP that sleeps between them
    Pauses,
    /// Many requests under way
    Pipelined,
    /// Requests per second, one after another and all at once
    Requests,
    /// Calls over shared memory, one after another and many under way
    SharedMemory,
    /// Each transport and the one that is chosen automatically, in all that a program does
    Transports,
    /// Adding and deleting routes
    Routes,
    /// A dump of the routes
    Dump,
    /// Encoding and decoding
    Codec,
    /// Reading 3,000 statistics
    Stats,
    /// Calls by the message of another release
    Bridged,
    /// System calls for each message
    Syscalls,
}

impl Subject {
    pub(crate) const ALL: [Self; 12] = [
        Self::RoundTrip,
        Self::Pauses,
        Self::Pipelined,
        Self::Requests,
        Self::SharedMemory,
        Self::Transports,
        Self::Routes,
        Self::Dump,
        Self::Codec,
        Self::Stats,
        Self::Bridged,
        Self::Syscalls,
    ];

    pub(crate) fn measure(self, setup: &Setup<'_>) -> Result<Vec<Table>> {
        match self {
            Self::RoundTrip => round_trip::measure(setup),
            Self::Pauses => round_trip::measure_pauses(setup),
            Self::Pipelined => pipelined::measure(setup),
            Self::Requests => requests::measure(setup),
            Self::SharedMemory => {
                let mut tables = round_trip::measure_memory(setup)?;
                tables.extend(pipelined::measure_memory(setup)?);
                Ok(tables)
            }
            Self::Transports => transports::measure(setup),
            Self::Routes => routes::measure(setup),
            Self::Dump => dump::measure(setup),
            Self::Codec => codec::measure(setup),
            Self::Stats => stats::measure(setup),
            Self::Bridged => bridged::measure(setup),
            Self::Syscalls => syscalls::measure(setup),
        }
    }
}
