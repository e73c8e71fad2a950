//! A socket that the runtime watches, and does not while it rests.
//!
//! VPP writes each answer by itself. A socket that is watched wakes a thread for nearly each of them: that costs the client more
//! than the answer is worth, and VPP, which has to wake it, a quarter of its time. So while many answers are to come the socket
//! may rest: nobody is told of what comes, until the time is over.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream as Unwatched;
use std::task::{Context as TaskContext, Poll, Waker};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, recv, send};
use tokio::io::Interest;
use tokio::net::UnixStream;
use tokio::runtime::Handle;

use super::alarm::Alarm;
use crate::error::Lost;
use crate::frame::FrameReader;

/// Bytes of a read past the runtime: the answers to some hundred calls.
const PIECE: usize = 16 << 10;

#[derive(Debug)]
pub(super) struct Stream {
    state: State,
    /// Who watches it.
    runtime: Handle,
    alarm: Alarm,
}

#[derive(Debug)]
enum State {
    Watched(UnixStream),
    /// Not looked at before this.
    Resting(Unwatched, Instant),
    /// The runtime takes it no more.
    Gone,
}

/// What a read brought.
#[derive(Debug)]
pub(super) enum Read {
    /// Nothing; the waker is told when something comes.
    Nothing,
    /// Something, and there may be more.
    Some,
    /// All there was.
    All,
    /// The peer closed.
    Ended,
    Failed(Lost),
}

impl Stream {
    /// In the runtime that watches the stream.
    pub(super) fn new(stream: UnixStream) -> Self {
        Self { state: State::Watched(stream), runtime: Handle::current(), alarm: Alarm::default() }
    }

    /// Reads what has come, without waiting.
    pub(super) fn fill(&mut self, reader: &mut FrameReader, waker: &Waker) -> Read {
        if let State::Resting(stream, until) = &self.state {
            match self.alarm.poll(*until, waker) {
                Poll::Pending => return Read::Nothing,
                Poll::Ready(Err(_)) => return Read::Failed(Lost::RuntimeEnded),
                Poll::Ready(Ok(())) => {}
            }
            match read_now(stream, reader) {
                Ok(0) => return Read::Ended,
                Ok(len) => return if len == PIECE { Read::Some } else { Read::All },
                Err(Errno::AGAIN | Errno::INTR) => self.watch(),
                Err(error) => return Read::Failed(io::Error::from(error).into()),
            }
        }
        let State::Watched(stream) = &self.state else { return Read::Failed(Lost::RuntimeEnded) };
        loop {
            match stream.poll_read_ready(&mut TaskContext::from_waker(waker)) {
                Poll::Pending => return Read::Nothing,
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(_)) => return Read::Failed(Lost::RuntimeEnded),
            }
            let buffer = reader.buffer();
            let room = buffer.capacity() - buffer.len();
            let mut read = None;
            // A read that leaves room has taken all there was; saying so spares another read that finds nothing. It is
            // said of the readiness from before the read: what comes meanwhile makes the stream ready anew, and that
            // must stand.
            let waited = stream.try_io(Interest::READABLE, || match stream.try_read_buf(buffer)? {
                len if 0 < len && len < room => {
                    read = Some(len);
                    Err(io::ErrorKind::WouldBlock.into())
                }
                len => Ok(len),
            });
            match read.map_or(waited, Ok) {
                Ok(0) => return Read::Ended,
                Ok(_) => return if read.is_some() { Read::All } else { Read::Some },
                Err(error)
                    if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
                Err(error) => return Read::Failed(error.into()),
            }
        }
    }

    /// Nobody is told of what comes for so long; then the waker is. `false`: look now, since that cannot be had, or is over.
    pub(super) fn rest(&mut self, time: Duration, waker: &Waker) -> bool {
        let until = Instant::now() + time;
        let _runtime = self.runtime.enter();
        if !self.alarm.set(time) {
            return false;
        }
        match std::mem::replace(&mut self.state, State::Gone) {
            State::Watched(stream) => match stream.into_std() {
                Ok(stream) => self.state = State::Resting(stream, until),
                // The runtime has ended, and the stream with it.
                Err(_) => return false,
            },
            State::Resting(stream, _) => self.state = State::Resting(stream, until),
            State::Gone => return false,
        }
        self.alarm.poll(until, waker).is_pending()
    }

    /// From now on the runtime tells of what comes.
    fn watch(&mut self) {
        self.state = match std::mem::replace(&mut self.state, State::Gone) {
            State::Resting(stream, _) => {
                let _runtime = self.runtime.enter();
                UnixStream::from_std(stream).map_or(State::Gone, State::Watched)
            }
            state => state,
        };
    }

    /// Sends what goes without waiting; of nothing, the waker is told when it goes on, or when the rest is over.
    pub(super) fn send(&mut self, bytes: &[u8], waker: &Waker) -> Poll<Result<usize, Lost>> {
        let stream = match &self.state {
            State::Watched(stream) => stream,
            State::Resting(stream, _) => {
                return match send_now(stream, bytes) {
                    Ok(len) => Poll::Ready(Ok(len)),
                    // VPP has enough to do meanwhile.
                    Err(Errno::AGAIN | Errno::INTR) => Poll::Pending,
                    Err(error) => Poll::Ready(Err(io::Error::from(error).into())),
                };
            }
            State::Gone => return Poll::Ready(Err(Lost::RuntimeEnded)),
        };
        loop {
            match stream.try_write(bytes) {
                Ok(len) => return Poll::Ready(Ok(len)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    match stream.poll_write_ready(&mut TaskContext::from_waker(waker)) {
                        Poll::Pending => return Poll::Pending,
                        Poll::Ready(Ok(())) => {}
                        Poll::Ready(Err(_)) => return Poll::Ready(Err(Lost::RuntimeEnded)),
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Poll::Ready(Err(error.into())),
            }
        }
    }

    /// The stream as the system knows it, unless it is gone.
    pub(super) fn file(&self) -> Option<BorrowedFd<'_>> {
        match &self.state {
            State::Watched(stream) => Some(stream.as_fd()),
            State::Resting(stream, _) => Some(stream.as_fd()),
            State::Gone => None,
        }
    }
}

/// Sends what goes without waiting, past the runtime.
pub(super) fn send_now(stream: impl AsFd, bytes: &[u8]) -> rustix::io::Result<usize> {
    send(stream, bytes, SendFlags::DONTWAIT | SendFlags::NOSIGNAL)
}

/// Reads a piece of what has come, past the runtime.
pub(super) fn read_now(stream: impl AsFd, reader: &mut FrameReader) -> rustix::io::Result<usize> {
    let mut piece = [0; PIECE];
    let (len, _) = recv(stream, &mut piece[..], RecvFlags::DONTWAIT)?;
    reader.buffer().extend_from_slice(&piece[..len]);
    Ok(len)
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use super::*;

    const LONG: Duration = Duration::from_secs(10);

    /// How often it was woken, and who waits for that.
    #[derive(Default)]
    struct Woken(AtomicUsize, tokio::sync::Notify);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
            self.1.notify_one();
        }
    }

    impl Woken {
        fn times(&self) -> usize {
            self.0.load(Ordering::Relaxed)
        }
    }

    struct Ends {
        stream: Stream,
        reader: FrameReader,
        vpp: Unwatched,
        woken: Arc<Woken>,
        waker: Waker,
    }

    impl Ends {
        fn new() -> Self {
            let (ours, vpp) = Unwatched::pair().expect("a pair of sockets");
            ours.set_nonblocking(true).expect("set");
            let woken = Arc::<Woken>::default();
            Self {
                stream: Stream::new(UnixStream::from_std(ours).expect("watched")),
                reader: FrameReader::new(1 << 20),
                vpp,
                waker: Waker::from(woken.clone()),
                woken,
            }
        }

        fn fill(&mut self) -> Read {
            self.stream.fill(&mut self.reader, &self.waker)
        }

        fn rest(&mut self, time: Duration) -> bool {
            self.stream.rest(time, &self.waker)
        }

        fn say(&mut self, len: usize) {
            self.vpp.write_all(&vec![0; len]).expect("sent");
        }

        /// Looks until something comes, whenever it is woken: so many bytes there are then.
        async fn until(&mut self, len: usize) {
            while self.reader.buffer().len() < len {
                match self.fill() {
                    Read::Nothing => {
                        tokio::time::timeout(LONG, self.woken.1.notified()).await.expect("woken");
                    }
                    Read::Some | Read::All => {}
                    other => panic!("{other:?}"),
                }
            }
        }
    }

    #[tokio::test]
    async fn while_it_rests_nobody_is_told_of_what_comes() {
        let mut ends = Ends::new();
        assert!(matches!(ends.fill(), Read::Nothing));
        ends.say(30);
        ends.until(30).await;
        let before = ends.woken.times();
        assert!(ends.rest(LONG));
        for _ in 0..100 {
            ends.say(30);
            tokio::task::yield_now().await;
            assert!(matches!(ends.fill(), Read::Nothing));
        }
        assert_eq!(ends.woken.times(), before);
        assert!(ends.rest(Duration::from_millis(1)));
        ends.until(3030).await;
        assert_eq!(ends.woken.times() - before, 1, "at the end");
        // It is watched again when there is nothing more.
        assert!(matches!(ends.fill(), Read::Nothing));
        ends.say(30);
        ends.until(3060).await;
        assert_eq!(ends.woken.times() - before, 2);
    }

    #[tokio::test]
    async fn one_rest_follows_another_and_more_than_a_piece_is_read_behind_them() {
        let mut ends = Ends::new();
        let mut said = 0;
        for len in [10, PIECE, PIECE + 1, 3 * PIECE] {
            ends.rest(Duration::from_micros(50));
            ends.say(len);
            said += len;
            ends.until(said).await;
        }
    }

    #[tokio::test]
    async fn the_end_is_found_behind_a_rest() {
        let mut ends = Ends::new();
        assert!(ends.rest(Duration::from_millis(1)));
        ends.vpp.shutdown(std::net::Shutdown::Both).expect("shut");
        loop {
            match ends.fill() {
                Read::Nothing => {
                    tokio::time::timeout(LONG, ends.woken.1.notified()).await.expect("woken");
                }
                Read::Ended => return,
                other => panic!("{other:?}"),
            }
        }
    }

    #[tokio::test]
    async fn what_finds_no_room_goes_on_behind_the_rest() {
        let mut ends = Ends::new();
        assert!(ends.rest(Duration::from_millis(1)));
        let (bytes, mut sent) = (vec![7; 1 << 20], 0);
        while let Poll::Ready(len) = ends.stream.send(&bytes, &ends.waker) {
            sent += len.expect("sent");
        }
        let mut took = vec![0; sent];
        ends.vpp.read_exact(&mut took).expect("read");
        tokio::time::timeout(LONG, ends.woken.1.notified()).await.expect("woken");
        assert!(matches!(ends.fill(), Read::Nothing));
        while ends.stream.send(b"more", &ends.waker).is_pending() {
            tokio::time::timeout(LONG, ends.woken.1.notified()).await.expect("woken");
        }
        let mut more = [0; 4];
        ends.vpp.read_exact(&mut more).expect("read");
        assert_eq!(&more, b"more");
    }

    #[test]
    fn without_its_runtime_it_has_ended() {
        for rests in [false, true] {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("built");
            let mut ends = runtime.block_on(async {
                let mut ends = Ends::new();
                assert!(!rests || ends.rest(Duration::from_millis(1)));
                ends
            });
            drop(runtime);
            let over = Instant::now() + Duration::from_millis(1);
            while Instant::now() < over {}
            assert!(matches!(ends.fill(), Read::Failed(Lost::RuntimeEnded)), "{rests}");
            assert!(!ends.rest(Duration::from_secs(1)));
        }
    }
}
