//! The two doors of VPP: shared memory and the socket, and the order of what goes through them.
//!
//! VPP handles what comes through one door in order, but looks at the doors when it pleases. So that requests of one
//! connection do not overtake one another, the door is changed only when VPP has handled what went through the other: a
//! ping goes behind it, and until that is answered everything is held back.

use std::collections::VecDeque;

use vpp_wire::Header;

/// A door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Path {
    Rings,
    Socket,
}

/// The context of a ping between doors. That of a call is never 0.
const CONTEXT: [u8; 4] = [0; 4];

/// How many requests under way make the socket the better door to a VPP that sleeps: it handles all that it finds there
/// when it is woken, and of shared memory one request.
const MANY: usize = 8;

/// Bytes of requests of which that is so: longer ones cost VPP more on the socket than to be woken for each.
const SHORT: usize = 64;

/// A group of requests, as far as their door depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Request {
    /// Shared memory cannot carry it.
    HasNoPlace,
    /// VPP polls, or it is to be seen whether it does.
    Passes,
    /// VPP has to be woken for each request, and where it looks at other clients' memory too, several times.
    Wakes { len: usize, is_shared: bool },
}

/// Which door requests take.
#[derive(Debug)]
pub(crate) struct Doors {
    /// The socket may be taken for what shared memory could carry.
    chooses: bool,
    /// Ids of `control_ping` and of its reply, where VPP has them.
    ping: Option<(u16, u16)>,
    /// The door of the last request.
    open: Path,
    /// A ping that is to be sent, or was sent, through this door, and is not answered yet.
    fence: Option<Fence>,
    held: VecDeque<(Path, Vec<u8>)>,
    /// The door of the group that is being written.
    path: Path,
    /// How many requests are expected to be under way at once.
    many: usize,
    /// A request may be on its way that nobody waits for any more.
    loose: bool,
}

#[derive(Clone, Copy, Debug)]
struct Fence {
    path: Path,
    is_sent: bool,
}

impl Doors {
    pub(crate) fn new(chooses: bool, ping: Option<(u16, u16)>) -> Self {
        Self {
            chooses,
            ping,
            open: Path::Rings,
            fence: None,
            held: VecDeque::new(),
            path: Path::Rings,
            many: 0,
            loose: false,
        }
    }

    pub(super) fn expect_many(&mut self, many: usize) {
        self.many = many;
    }

    pub(super) fn given_up(&mut self) {
        self.loose = true;
    }

    /// Chooses the door of a group of requests, while so many others are not answered.
    pub(super) fn begin(&mut self, request: Request, others: usize) -> Path {
        let by_socket = match request {
            Request::HasNoPlace => true,
            Request::Passes => false,
            Request::Wakes { len, is_shared } => {
                self.chooses && self.many.max(others) > MANY && (len <= SHORT || is_shared)
            }
        };
        self.path = if by_socket { Path::Socket } else { Path::Rings };
        if self.fence.is_none() && self.held.is_empty() && self.path != self.open {
            if others > 0 || self.loose {
                self.change();
            } else {
                self.open = self.path;
            }
        }
        self.path
    }

    /// The other door is to be opened when VPP has handled what went through this one.
    fn change(&mut self) {
        if self.ping.is_some() {
            self.fence = Some(Fence { path: self.open, is_sent: false });
        }
        self.open = match self.open {
            Path::Rings => Path::Socket,
            Path::Socket => Path::Rings,
        };
    }

    /// The ping that is to be sent, and through which door; by the client's indexes behind each.
    pub(super) fn fence(&mut self, rings: [u8; 4], socket: [u8; 4]) -> Option<(Path, [u8; 10])> {
        let (fence, (request, _)) = (self.fence.as_mut().filter(|fence| !fence.is_sent)?, self.ping?);
        fence.is_sent = true;
        // What was given up before is behind it.
        self.loose = false;
        let mut ping = [0; Header::ClientContext.len()];
        ping[..2].copy_from_slice(&request.to_be_bytes());
        ping[2..6].copy_from_slice(if fence.path == Path::Rings { &rings } else { &socket });
        ping[6..].copy_from_slice(&CONTEXT);
        Some((fence.path, ping))
    }

    /// Whether a message is the answer to that ping. Then what was held back goes on.
    pub(super) fn is_passed(&mut self, message: &[u8]) -> bool {
        let (Some(_), Some((_, reply))) = (self.fence, self.ping) else { return false };
        if message.get(..2) != Some(&reply.to_be_bytes()) || message.get(2..6) != Some(&CONTEXT) {
            return false;
        }
        self.fence = None;
        true
    }

    /// The next message that was held back and may go now.
    pub(super) fn next(&mut self) -> Option<(Path, Vec<u8>)> {
        if self.fence.is_some() {
            return None;
        }
        if self.held.front()?.0 != self.open {
            self.change();
            if self.fence.is_some() {
                return None;
            }
        }
        self.held.pop_front()
    }

    /// The door of the group that is being written.
    pub(super) fn path(&self) -> Path {
        self.path
    }

    /// Whether that group is held back.
    pub(super) fn holds(&self) -> bool {
        self.fence.is_some() || !self.held.is_empty()
    }

    /// Holds the group back.
    pub(super) fn hold(&mut self, messages: impl Iterator<Item = Vec<u8>>) {
        let path = self.path;
        self.held.extend(messages.map(|message| (path, message)));
    }

    /// How many messages are held back.
    pub(super) fn held(&self) -> usize {
        self.held.len()
    }

    /// Where what is waited for comes from.
    pub(super) fn waits_for(&self) -> Path {
        self.fence.map_or(self.open, |fence| fence.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPLY: [u8; 18] = [0, 24, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

    /// What became of a request: sent through a door, or held back.
    fn send(doors: &mut Doors, name: u8, has_no_place: bool, others: usize) -> Vec<(Path, u8)> {
        let request = if has_no_place { Request::HasNoPlace } else { Request::Passes };
        let path = doors.begin(request, others);
        let mut sent: Vec<_> = doors.fence([7; 4], [8; 4]).map(|(path, _)| (path, 0)).into_iter().collect();
        if doors.holds() {
            doors.hold(std::iter::once(vec![name]));
        } else {
            sent.push((path, name));
        }
        sent
    }

    fn answer(doors: &mut Doors) -> Vec<(Path, u8)> {
        assert!(doors.is_passed(&REPLY));
        let mut sent: Vec<_> =
            std::iter::from_fn(|| doors.next()).map(|(path, message)| (path, message[0])).collect();
        sent.extend(doors.fence([7; 4], [8; 4]).map(|(path, _)| (path, 0)));
        sent
    }

    #[test]
    fn who_waits_for_each_answer_changes_doors_freely() {
        let mut doors = Doors::new(false, Some((23, 24)));
        assert_eq!(send(&mut doors, 1, false, 0), [(Path::Rings, 1)]);
        assert_eq!(send(&mut doors, 2, true, 0), [(Path::Socket, 2)]);
        assert_eq!(send(&mut doors, 3, false, 0), [(Path::Rings, 3)]);
    }

    #[test]
    fn requests_under_way_are_not_overtaken() {
        let mut doors = Doors::new(false, Some((23, 24)));
        assert_eq!(send(&mut doors, 1, false, 0), [(Path::Rings, 1)]);
        assert_eq!(send(&mut doors, 2, true, 1), [(Path::Rings, 0)], "a ping, and the request is held back");
        assert!(doors.waits_for() == Path::Rings && !doors.is_passed(&[0, 24, 0, 0, 0, 5]));
        assert_eq!(send(&mut doors, 3, true, 2), []);
        assert_eq!(send(&mut doors, 4, false, 3), []);
        assert_eq!(answer(&mut doors), [(Path::Socket, 2), (Path::Socket, 3), (Path::Socket, 0)]);
        assert!(doors.waits_for() == Path::Socket);
        assert_eq!(answer(&mut doors), [(Path::Rings, 4)]);
        assert_eq!(send(&mut doors, 5, false, 4), [(Path::Rings, 5)]);
    }

    #[test]
    fn neither_are_those_that_nobody_waits_for_any_more() {
        let mut doors = Doors::new(false, Some((23, 24)));
        send(&mut doors, 1, false, 0);
        doors.given_up();
        assert_eq!(send(&mut doors, 2, true, 0), [(Path::Rings, 0)]);
        assert_eq!(answer(&mut doors), [(Path::Socket, 2)]);
        assert_eq!(send(&mut doors, 3, false, 0), [(Path::Rings, 3)]);
    }

    #[test]
    fn a_vpp_that_has_to_be_woken_gets_many_short_requests_over_the_socket() {
        let wakes = |len, is_shared| Request::Wakes { len, is_shared };
        let mut doors = Doors::new(true, Some((23, 24)));
        assert_eq!(doors.begin(wakes(10, false), 8), Path::Rings);
        doors.expect_many(256);
        assert_eq!(doors.begin(wakes(200, false), 0), Path::Rings);
        assert_eq!(doors.begin(wakes(10, false), 0), Path::Socket);
        assert_eq!(doors.begin(wakes(200, true), 0), Path::Socket);
        assert_eq!(doors.begin(Request::Passes, 0), Path::Rings);
        let mut other = Doors::new(false, None);
        other.expect_many(256);
        assert_eq!(other.begin(wakes(10, true), 9), Path::Rings, "where it is not to choose");
    }

    #[test]
    fn without_a_ping_there_is_no_waiting() {
        let mut doors = Doors::new(false, None);
        assert_eq!(send(&mut doors, 1, false, 0), [(Path::Rings, 1)]);
        assert_eq!(send(&mut doors, 2, true, 1), [(Path::Socket, 2)]);
    }
}
