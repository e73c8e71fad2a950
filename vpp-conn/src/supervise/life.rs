//! How a connection's end is noticed: at once when VPP closes the socket, by its silence when it hangs.

use std::future::poll_fn;
use std::time::Duration;

use crate::call::Exchange;
use crate::connection::Connection;
use crate::dump::End;
use crate::error::{CallError, Lost};

/// When a silent VPP is asked, and how long it may think.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keepalive {
    pub(super) silence: Duration,
    pub(super) patience: Duration,
}

/// Waits for the end of a connection; brings it about where VPP gives no sign of life.
pub(super) async fn end_of(connection: &Connection, keepalive: Option<Keepalive>) -> Lost {
    let hangs = async {
        match keepalive {
            Some(keepalive) => silence(connection, keepalive).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        biased;
        lost = connection.closed() => lost,
        lost = hangs => {
            connection.shared().give_up(lost);
            connection.closed().await
        }
    }
}

/// Waits until VPP has been silent for too long. Whatever it sends is a sign of life; it is asked for one only where
/// nothing comes anyway.
async fn silence(connection: &Connection, Keepalive { silence, patience }: Keepalive) -> Lost {
    let shared = connection.shared();
    loop {
        let heard = shared.heard();
        tokio::time::sleep(silence).await;
        if shared.heard() != heard {
            continue;
        }
        let Ok(End::ControlPing { ping, reply }) = End::ping(connection) else {
            // No VPP is without it, and one that were could not be asked.
            return std::future::pending().await;
        };
        let mut exchange = Exchange::new(connection, ping, reply);
        let answer = poll_fn(|cx| exchange.poll(cx, patience, || 0, |_| Ok(()))).await;
        match answer {
            // Behind a long stream the answer has its turn late; the stream is a sign of life as good.
            Err(CallError::DeadlineExceeded { .. }) if shared.heard() == heard => {
                return Lost::Unresponsive { silent: silence.saturating_add(patience) };
            }
            _ => {}
        }
    }
}
