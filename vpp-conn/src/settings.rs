//! What a connection is made with.

use std::path::PathBuf;
use std::time::Duration;

use crate::connect::Transport;
#[cfg(shared_memory)]
use crate::watch::Receive;

/// What a connection was made with.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) name: String,
    pub(crate) connect_timeout: Duration,
    pub(crate) deadline: Duration,
    pub(crate) close_timeout: Duration,
    pub(crate) max_message: usize,
    pub(crate) stream_limit: usize,
    pub(crate) event_capacity: usize,
    /// Bytes for the last messages, where they are to be kept.
    pub(crate) trace: Option<usize>,
    pub(crate) transport: Transport,
    #[cfg(shared_memory)]
    pub(crate) shared_memory: crate::shared_memory::Config,
    #[cfg(shared_memory)]
    pub(crate) receive: Receive,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            name: std::env::args()
                .next()
                .and_then(|path| Some(PathBuf::from(path).file_name()?.to_string_lossy().into_owned()))
                .unwrap_or_else(|| "vpp-conn".to_owned()),
            connect_timeout: Duration::from_secs(5),
            deadline: Duration::from_secs(10),
            close_timeout: Duration::from_secs(1),
            max_message: crate::frame::DEFAULT_MAX_LEN,
            stream_limit: 256 << 20,
            event_capacity: 1024,
            trace: None,
            transport: Transport::default(),
            #[cfg(shared_memory)]
            shared_memory: crate::shared_memory::Config::default(),
            #[cfg(shared_memory)]
            receive: Receive::default(),
        }
    }
}
