//! Stands between a client and VPP, and remembers what clients send.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream, unix};
use vpp_conn::frame::{self, FrameReader};
use vpp_sim::private_vpp::PrivateVpp;

/// The bytes that each client sent, in the order the clients came.
type Sent = Arc<Mutex<Vec<Vec<u8>>>>;

pub(super) struct Proxy {
    socket: PathBuf,
    sent: Sent,
}

impl Proxy {
    /// Listens in the instance's folder; ends with the runtime.
    pub(super) fn start(vpp: &PrivateVpp) -> io::Result<Self> {
        let socket = vpp.folder().join("proxy.sock");
        let listener = UnixListener::bind(&socket)?;
        let (target, sent) = (vpp.socket().to_owned(), Sent::default());
        tokio::spawn(accept(listener, target, Arc::clone(&sent)));
        Ok(Self { socket, sent })
    }

    pub(super) fn socket(&self) -> &Path {
        &self.socket
    }

    /// The messages that each client sent.
    pub(super) fn recorded(&self) -> io::Result<Vec<Vec<Bytes>>> {
        let sent = self.sent.lock().expect("no writer panics");
        sent.iter()
            .map(|bytes| {
                let mut frames = FrameReader::new(frame::DEFAULT_MAX_LEN);
                frames.buffer().extend_from_slice(bytes);
                let mut messages = Vec::new();
                while let Some(message) = frames.next_frame().map_err(io::Error::other)? {
                    messages.push(message);
                }
                Ok(messages)
            })
            .collect()
    }
}

async fn accept(listener: UnixListener, target: PathBuf, sent: Sent) {
    while let Ok((client, _)) = listener.accept().await {
        let Ok(vpp) = UnixStream::connect(&target).await else { return };
        let number = {
            let mut sent = sent.lock().expect("no writer panics");
            sent.push(Vec::new());
            sent.len() - 1
        };
        let (from_client, to_client) = client.into_split();
        let (from_vpp, to_vpp) = vpp.into_split();
        let keep = Arc::clone(&sent);
        tokio::spawn(copy(from_client, to_vpp, move |bytes| {
            keep.lock().expect("no writer panics")[number].extend_from_slice(bytes);
        }));
        tokio::spawn(copy(from_vpp, to_client, |_| {}));
    }
}

async fn copy(mut from: unix::OwnedReadHalf, mut to: unix::OwnedWriteHalf, keep: impl Fn(&[u8])) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(len @ 1..) = from.read(&mut buffer).await {
        // Before it goes on: VPP must not have seen what is not remembered.
        keep(&buffer[..len]);
        if to.write_all(&buffer[..len]).await.is_err() {
            return;
        }
    }
}
