//! What VPP was asked to tell of: once for each kind of event, however many streams there are.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::connection::Connection;

/// The `want_*` requests of a connection.
#[derive(Debug, Default)]
pub(crate) struct Registrations {
    /// By the name of the request: what one asks for may be several events.
    wanted: Mutex<HashMap<&'static str, Arc<Wanted>>>,
}

impl Registrations {
    pub(crate) fn of(&self, request: &'static str) -> Arc<Wanted> {
        let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        wanted.entry(request).or_default().clone()
    }
}

/// What one request asks for.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    /// Held by the stream that asks VPP. Streams that begin meanwhile wait for its answer.
    pub(crate) asking: tokio::sync::Mutex<()>,
    standing: Mutex<Standing>,
}

#[derive(Debug, Default)]
struct Standing {
    streams: u32,
    is_registered: bool,
}

impl Wanted {
    /// One stream more. Whether VPP is still to be asked.
    pub(crate) fn join(self: Arc<Self>, leave: fn(&Connection)) -> (Share, bool) {
        let is_registered = {
            let mut standing = self.standing();
            standing.streams += 1;
            standing.is_registered
        };
        (Share { wanted: self, leave }, !is_registered)
    }

    /// VPP was asked and agreed.
    pub(crate) fn registered(&self) {
        self.standing().is_registered = true;
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One stream's part in a registration.
#[derive(Debug)]
pub(crate) struct Share {
    wanted: Arc<Wanted>,
    /// Tells VPP that nobody wants the events any more.
    leave: fn(&Connection),
}

impl Share {
    /// Ends it; the last tells VPP.
    pub(crate) fn end(&self, connection: &Connection) {
        let mut standing = self.wanted.standing();
        standing.streams = standing.streams.saturating_sub(1);
        if standing.streams == 0 {
            standing.is_registered = false;
            // Under the lock: who asks next asks behind it.
            (self.leave)(connection);
        }
    }
}
