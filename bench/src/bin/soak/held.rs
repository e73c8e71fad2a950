//! What this process and VPP hold.

use std::fmt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::ALLOCATOR;

/// What may come and go: less than a connection's share, in millions of calls.
const HEAP_SLACK: usize = 64 << 10;

/// What the allocator may keep of memory that was given back.
const RESIDENT_SLACK: usize = 16 << 20;

/// How long to wait for what ends in the background: good-byes, and VPP closing its side.
const PATIENCE: Duration = Duration::from_secs(20);

/// What is held at a point at which no call is under way.
#[derive(Clone, Debug, Default)]
pub(super) struct Held {
    descriptors: usize,
    /// Bytes that were allocated and not freed.
    heap: usize,
    resident: usize,
    /// VPP's: descriptors, and bytes of memory.
    vpp: Option<(usize, usize)>,
}

impl Held {
    fn now(vpp: Option<u32>) -> Result<Self> {
        let stats = ALLOCATOR.stats();
        let vpp = vpp
            .map(|pid| Ok::<_, anyhow::Error>((descriptors(&pid.to_string())?, resident(&pid.to_string())?)));
        Ok(Self {
            descriptors: descriptors("self")?,
            heap: stats.bytes_allocated.wrapping_sub(stats.bytes_deallocated),
            resident: resident("self")?,
            vpp: vpp.transpose()?,
        })
    }

    /// What is held when the connections that end have ended: the same a few times in a row.
    pub(super) fn settled(vpp: Option<u32>) -> Result<Self> {
        let started = Instant::now();
        let (mut last, mut same) = (Self::now(vpp)?, 0);
        while same < 20 {
            std::thread::sleep(Duration::from_millis(10));
            let now = Self::now(vpp)?;
            let is_same = now.counts() == last.counts() && now.heap.abs_diff(last.heap) < 4096;
            same = if is_same { same + 1 } else { 0 };
            last = now;
            if started.elapsed() > PATIENCE {
                bail!("this process does not come to rest: {last}");
            }
        }
        Ok(last)
    }

    /// What is held now, as soon as it is no more than before.
    pub(super) fn no_more_than(then: &Self, vpp: Option<u32>) -> Result<Self> {
        let started = Instant::now();
        loop {
            let now = Self::settled(vpp)?;
            let Some(grown) = now.grown_since(then) else { return Ok(now) };
            if started.elapsed() > PATIENCE {
                bail!("{grown} grew: held {then} after the first rounds, now {now}");
            }
        }
    }

    fn counts(&self) -> (usize, Option<usize>) {
        (self.descriptors, self.vpp.map(|(descriptors, _)| descriptors))
    }

    /// VPP's memory is told and not judged: it is not this client's.
    fn grown_since(&self, then: &Self) -> Option<&'static str> {
        if self.descriptors > then.descriptors {
            Some("the number of file descriptors")
        } else if self.heap > then.heap + HEAP_SLACK {
            Some("allocated memory")
        } else if self.resident > then.resident + RESIDENT_SLACK {
            Some("resident memory")
        } else if self.counts().1 > then.counts().1 {
            Some("the number of VPP's file descriptors")
        } else {
            None
        }
    }
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { descriptors, heap, resident, vpp } = self;
        write!(f, "{descriptors} fds, {} KiB heap, {:.1} MiB resident", heap >> 10, mebibytes(*resident))?;
        if let Some((descriptors, resident)) = vpp {
            write!(f, "; VPP: {descriptors} fds, {:.1} MiB resident", mebibytes(*resident))?;
        }
        Ok(())
    }
}

fn mebibytes(bytes: usize) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

fn descriptors(process: &str) -> Result<usize> {
    let folder = PathBuf::from(format!("/proc/{process}/fd"));
    let entries = std::fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
    Ok(entries.count())
}

fn resident(process: &str) -> Result<usize> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    let kibibytes: usize = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kibibytes << 10)
}
