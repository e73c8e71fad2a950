//! How a supervised connection is.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::connection::Connection;
use crate::error::{ConnectCause, ConnectError, Lost};

/// How a supervised connection is.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum State {
    /// There was no connection yet.
    Connecting(Attempts),
    /// There is a connection.
    Connected(Connected),
    /// The connection is gone, and the next is not made yet.
    Reconnecting {
        /// How it went.
        loss: Loss,
        /// The attempts since.
        attempts: Attempts,
    },
    /// The supervisor was closed, all its handles were dropped, or the runtime ended.
    Stopped,
}

impl State {
    /// The same; but a connection that has ended is gone, also before the supervisor's task has come to tell it. Who was
    /// just told so by a call shall not get it again.
    pub(super) fn up_to_date(&self, now: Instant) -> Self {
        let lost = match self {
            Self::Connected(connected) => connected.connection.lost().map(|lost| (lost, connected)),
            _ => None,
        };
        match lost {
            Some((lost, connected)) => Self::Reconnecting {
                loss: Loss { lost, waiting: connected.connection.shared().cut_off() },
                attempts: Attempts { since: now, failed: 0, last_error: None, next: None },
            },
            None => self.clone(),
        }
    }
}

/// A connection that is handed out.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Connected {
    /// The number of the connection, from 1. Another number is another connection, and mostly another VPP, where
    /// nothing that was configured is left and interfaces have other indexes.
    pub generation: u64,
    /// What VPP says of its version: `26.06-release`. `None` where it has no `show_version` that this crate knows.
    pub version: Option<Arc<str>>,
    /// Since when.
    pub since: Instant,
    /// The connection.
    pub connection: Connection,
}

/// Attempts to connect.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Attempts {
    /// When the supervisor was started, or the last connection was lost.
    pub since: Instant,
    /// How many attempts failed.
    pub failed: u32,
    /// Why the last of them did.
    pub last_error: Option<AttemptError>,
    /// When the next begins, unless VPP's socket appears before; `None` while one is under way.
    pub next: Option<Instant>,
}

/// Why an attempt to connect failed.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AttemptError {
    /// The connection could not be made, or this VPP lacks a message that is
    /// [required](crate::Builder::require).
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The connection was made, and ended before it was handed out.
    #[error("before it was handed out: {0}")]
    Lost(Lost),
    /// What was to be done before the connection is handed out failed.
    #[error("an on_connect hook failed: {0}")]
    Hook(Arc<dyn std::error::Error + Send + Sync>),
}

impl AttemptError {
    /// Whether another attempt on the same socket will end the same way.
    pub(super) fn lasts(&self) -> bool {
        let Self::Connect(ConnectError { cause, .. }) = self else { return false };
        matches!(
            cause,
            ConnectCause::Incompatible { .. }
                | ConnectCause::NotASocket
                | ConnectCause::FolderDenied { .. }
                | ConnectCause::PermissionDenied { .. }
        )
    }
}

/// How a connection was lost.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Loss {
    /// What happened.
    pub lost: Lost,
    /// How many calls and dumps were waiting; each of them failed.
    pub waiting: usize,
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.lost {
            Lost::Closed => "connection to VPP closed",
            _ => "connection to VPP lost",
        })?;
        match self.waiting {
            0 => {}
            1 => f.write_str(" while a call was waiting")?,
            many => write!(f, " while {many} calls were waiting")?,
        }
        write!(f, " ({})", self.lost.reason())
    }
}

/// There is no connection now.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NotConnected {
    /// VPP's API socket.
    pub path: PathBuf,
    /// Why: any state but [`State::Connected`].
    pub state: Box<State>,
    /// How long until the next attempt, seen from when this was made; `None` while one is under way, or when there
    /// will be none.
    pub retry_in: Option<Duration>,
}

impl NotConnected {
    pub(super) fn new(path: PathBuf, state: State, now: Instant) -> Self {
        let next = match &state {
            State::Connecting(attempts) | State::Reconnecting { attempts, .. } => attempts.next,
            State::Connected(_) | State::Stopped => None,
        };
        Self { path, retry_in: next.map(|next| next.saturating_duration_since(now)), state: state.into() }
    }
}

impl std::error::Error for NotConnected {}

impl fmt::Display for NotConnected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (attempts, again) = match &*self.state {
            State::Connecting(attempts) => {
                write!(f, "not connected to VPP at {}", self.path.display())?;
                (attempts, "connecting")
            }
            State::Reconnecting { loss, attempts } => {
                write!(f, "{loss}")?;
                (attempts, "reconnecting")
            }
            // Not a state of this error, but its fields are public.
            State::Connected(_) => return write!(f, "connected to VPP at {}", self.path.display()),
            State::Stopped => {
                return write!(
                    f,
                    "the connection to VPP at {} was given up by the program",
                    self.path.display()
                );
            }
        };
        if let Some(error) = &attempts.last_error {
            match attempts.failed {
                0 | 1 => write!(f, "; {error}")?,
                many => write!(f, "; {many} attempts failed, the last: {error}")?,
            }
        }
        match self.retry_in {
            Some(time) => write!(f, "; {again} in {:.1} s", time.as_secs_f64()),
            None => write!(f, "; {again} now"),
        }
    }
}
