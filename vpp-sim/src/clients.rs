//! Who is connected.

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;

use crate::state::pool::Pool;

/// What a connection is to do next. Without a bound, as in VPP: a client that does not read costs memory.
#[derive(Debug)]
pub(crate) enum Outgoing {
    /// Send bytes.
    Bytes(Vec<u8>),
    /// Send nothing for a while.
    Wait(Duration),
    /// Pass a descriptor, behind everything sent before.
    Descriptor(OwnedFd),
    /// Close.
    Close,
}

/// A connection, client or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ConnectionId(u64);

/// The bit of a client's index that tells socket clients from others.
const SOCKET_CLIENT: u32 = 1 << 31;

/// Bits of the index of a client of shared memory that tell its VPP's restarts.
const EPOCH_BITS: u32 = 8;

/// All connections and clients.
#[derive(Debug)]
pub(crate) struct Clients {
    connections: HashMap<ConnectionId, UnboundedSender<Outgoing>>,
    /// By the number in their index. Number 0 is VPP's own.
    clients: Pool<ConnectionId>,
    /// Those of shared memory, by their own numbers.
    in_memory: Pool<ConnectionId>,
    next: u64,
}

impl Clients {
    pub(crate) fn new() -> Self {
        let mut clients = Pool::default();
        clients.insert(ConnectionId(0));
        Self { connections: HashMap::new(), clients, in_memory: Pool::default(), next: 1 }
    }

    pub(crate) fn connected(&mut self, outgoing: UnboundedSender<Outgoing>) -> ConnectionId {
        let connection = ConnectionId(self.next);
        self.next += 1;
        self.connections.insert(connection, outgoing);
        connection
    }

    /// Forgets a connection; gives the index of its client.
    pub(crate) fn disconnected(&mut self, connection: ConnectionId) -> Option<[u8; 4]> {
        self.connections.remove(&connection);
        let in_memory =
            self.in_memory.iter().find(|(_, known)| **known == connection).map(|(number, _)| number);
        if let Some(number) = in_memory {
            self.in_memory.remove(number);
            return Some(memory_index(number));
        }
        let number = self.number(connection)?;
        self.clients.remove(number);
        Some(index_bytes(number))
    }

    /// The index of the client behind a connection, which becomes one now if it is none yet.
    pub(crate) fn create(&mut self, connection: ConnectionId) -> [u8; 4] {
        index_bytes(self.number(connection).unwrap_or_else(|| self.clients.insert(connection)))
    }

    /// The index of a new client of shared memory.
    pub(crate) fn create_in_memory(&mut self, connection: ConnectionId) -> [u8; 4] {
        memory_index(self.in_memory.insert(connection))
    }

    /// The connection of a client. Any client may use any client's index, as in VPP.
    pub(crate) fn connection(&self, index: [u8; 4]) -> Option<ConnectionId> {
        match u32::from_be_bytes(index).checked_sub(SOCKET_CLIENT) {
            Some(number) => self.clients.get(number).copied().filter(|_| number > 0),
            None => self.in_memory.get(u32::from_ne_bytes(index) >> EPOCH_BITS).copied(),
        }
    }

    pub(crate) fn outgoing(&self, connection: ConnectionId) -> Option<&UnboundedSender<Outgoing>> {
        self.connections.get(&connection)
    }

    /// Every client's index and connection.
    pub(crate) fn iter(&self) -> impl Iterator<Item = ([u8; 4], ConnectionId)> {
        let by_socket = self.clients.iter().skip(1);
        by_socket.map(|(number, connection)| (index_bytes(number), *connection)).chain(self.in_memory())
    }

    /// The index and connection of every client of shared memory.
    pub(crate) fn in_memory(&self) -> impl Iterator<Item = ([u8; 4], ConnectionId)> {
        self.in_memory.iter().map(|(number, connection)| (memory_index(number), *connection))
    }

    fn number(&self, connection: ConnectionId) -> Option<u32> {
        self.clients.iter().skip(1).find(|(_, known)| **known == connection).map(|(number, _)| number)
    }
}

fn index_bytes(number: u32) -> [u8; 4] {
    (SOCKET_CLIENT | number).to_be_bytes()
}

/// In the byte order of the host, as VPP leaves it.
fn memory_index(number: u32) -> [u8; 4] {
    (number << EPOCH_BITS).to_ne_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_client_is_number_one_and_numbers_are_used_again() {
        let mut clients = Clients::new();
        let (outgoing, _queue) = tokio::sync::mpsc::unbounded_channel();
        let first = clients.connected(outgoing.clone());
        let second = clients.connected(outgoing);
        assert_eq!(clients.create(second), [0x80, 0, 0, 1]);
        assert_eq!(clients.create(second), [0x80, 0, 0, 1]);
        assert_eq!(clients.create(first), [0x80, 0, 0, 2]);
        assert_eq!(clients.disconnected(second), Some([0x80, 0, 0, 1]));
        assert_eq!(clients.create(first), [0x80, 0, 0, 2]);
        assert_eq!(clients.connection([0x80, 0, 0, 1]), None);
        assert_eq!(clients.connection([0x80, 0, 0, 2]), Some(first));
        assert_eq!(clients.connection([0x80, 0, 0, 0]), None);
        assert_eq!(clients.connection([0, 0, 0, 2]), None);
    }
}
