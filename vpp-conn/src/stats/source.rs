//! The VPP behind a socket, over all its lives.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::error::{StatsCause, StatsError};
use super::segment::Segment;

/// How long VPP may take to hand out its segment.
const TIMEOUT: Duration = Duration::from_secs(1);

/// How often VPP is asked for its segment again, only to see whether it is there, where the system does not tell.
const PROBE: Duration = Duration::from_secs(1);

/// Where segments come from.
#[derive(Debug)]
pub(super) struct VppSource {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    life: Option<Life>,
    /// How many segments there were.
    generation: u64,
    /// VPP did not answer in time; until then it is not asked again.
    patience: Option<(Instant, StatsCause)>,
}

/// A VPP whose segment we have.
#[derive(Debug)]
struct Life {
    segment: Arc<Segment>,
    /// When VPP handed it out last.
    obtained: Instant,
    /// Device, number and time of the socket's file then.
    socket: Option<(u64, u64, i64, i64)>,
}

impl VppSource {
    pub(super) fn connect(path: &Path) -> Result<Self, StatsError> {
        let state = State { life: None, generation: 0, patience: None };
        let source = Self { path: path.to_owned(), state: Mutex::new(state) };
        source.current()?;
        Ok(source)
    }

    /// A copy of a segment, which never changes.
    pub(super) fn of_bytes(bytes: Vec<u8>) -> Result<Self, StatsError> {
        let path = PathBuf::from("(a copy)");
        let segment =
            Segment::of_bytes(bytes).map_err(|cause| StatsError::Connect { path: path.clone(), cause })?;
        let life = Some(Life { segment: Arc::new(segment), obtained: Instant::now(), socket: None });
        Ok(Self { path, state: Mutex::new(State { life, generation: 1, patience: None }) })
    }

    /// The segment of the VPP that runs now, and how many there were with it.
    pub(super) fn current(&self) -> Result<(Arc<Segment>, u64), StatsError> {
        // A panic elsewhere leaves no half-made state.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(life) = &state.life
            && life.is_on(&self.path)
        {
            return Ok((life.segment.clone(), state.generation));
        }
        let failed = |cause| StatsError::Connect { path: self.path.clone(), cause };
        if let Some((until, cause)) = &state.patience
            && Instant::now() < *until
        {
            return Err(failed(cause.clone()));
        }
        state.patience = None;
        match Segment::obtain(&self.path, TIMEOUT) {
            Ok(segment) => {
                let socket = socket_file(&self.path);
                match &mut state.life {
                    // The socket's file was replaced or touched, and it is still the same VPP.
                    Some(life) if life.segment.identity == segment.identity => {
                        (life.socket, life.obtained) = (socket, Instant::now());
                    }
                    life => {
                        *life = Some(Life { segment: Arc::new(segment), obtained: Instant::now(), socket });
                        state.generation += 1;
                        tracing::debug!(path = %self.path.display(), generation = state.generation, "have VPP's statistics");
                    }
                }
                let segment = state.life.as_ref().map(|life| life.segment.clone());
                segment.map(|segment| (segment, state.generation)).ok_or(failed(StatsCause::NoSegment))
            }
            Err(cause) => {
                if state.life.take().is_some() {
                    tracing::debug!(path = %self.path.display(), %cause, "VPP's statistics are gone");
                }
                if matches!(cause, StatsCause::TimedOut(_)) {
                    // Who refreshes often is not to be held up each time.
                    state.patience = Some((Instant::now() + TIMEOUT, cause.clone()));
                }
                Err(failed(cause))
            }
        }
    }
}

impl Life {
    /// Whether this VPP still runs, as far as can be told without asking it.
    fn is_on(&self, path: &Path) -> bool {
        if self.segment.identity == Segment::COPY {
            return true;
        }
        // A VPP that starts makes the socket anew; one that is killed leaves it.
        let is_known_alive = self.segment.is_process_alive();
        is_known_alive.unwrap_or_else(|| self.obtained.elapsed() < PROBE)
            && self.socket.is_some()
            && self.socket == socket_file(path)
    }
}

fn socket_file(path: &Path) -> Option<(u64, u64, i64, i64)> {
    let file = std::fs::metadata(path).ok()?;
    Some((file.dev(), file.ino(), file.ctime(), file.ctime_nsec()))
}
