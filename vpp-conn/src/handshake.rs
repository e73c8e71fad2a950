//! The messages that begin and end a connection. Their ids are the same in every VPP since 18.07.

use vpp_wire::{Decoder, Header};

use crate::frame;
use crate::mux::MessageKind;
use crate::table::MessageTable;

/// `sockclnt_create`: `{u16 id, u32 context, u8 name[64]}`.
const CREATE: u16 = 15;
/// `sockclnt_create_reply`.
const CREATE_REPLY: u16 = 16;
/// `sockclnt_delete`: `{u16 id, client_index, context, u32 index}`.
pub(crate) const DELETE: MessageKind = MessageKind { id: 17, header: Header::ClientContext };
/// `sockclnt_delete_reply`: `{u16 id, u32 context, i32 response}`; 1 is success.
pub(crate) const DELETE_REPLY: MessageKind = MessageKind { id: 18, header: Header::Context };

/// Messages of the shared-memory transport. Their numbers are in the host's byte order where VPP leaves them so.
#[cfg(shared_memory)]
pub(crate) mod shared_memory {
    use super::{MessageKind, NAME_LEN, put_name};
    use vpp_wire::Header;

    /// `sock_init_shm`: `{u16 id, client_index, context, u32 requested_size, u8 nitems, u64 configs[]}`.
    const INIT: u16 = 19;
    /// `sock_init_shm_reply`: `{u16 id, u32 context, i32 retval}`.
    pub(crate) const INIT_REPLY: MessageKind = MessageKind { id: 20, header: Header::Context };
    /// What VPP sends along with the descriptor of a segment.
    pub(crate) const DESCRIPTOR: &[u8; 5] = b"fdmsg";
    /// `memclnt_create`, and what has its place from 22.06 on.
    const CREATE: u16 = 1;
    const CREATE_V2: u16 = 25;
    /// `memclnt_create_reply`: `{u16 id, u32 context, i32 response, u64 handle, u32 index, u64 message_table}`.
    const CREATE_REPLY: u16 = 2;
    const CREATE_V2_REPLY: u16 = 26;
    /// `memclnt_delete`: `{u16 id, u32 index, u64 handle, u8 do_cleanup}`.
    const DELETE: u16 = 3;
    /// `memclnt_delete_reply`: `{u16 id, i32 response, u64 handle}`.
    pub(crate) const DELETE_REPLY: u16 = 4;
    /// `memclnt_keepalive`: VPP asks whether the client lives.
    pub(crate) const KEEPALIVE: u16 = 21;
    const KEEPALIVE_REPLY: u16 = 22;
    /// `control_ping` since 22.02, for a client that there is not.
    const PING_FOR_NOBODY: [u8; 10] = [0, 23, 0x80, 0xff, 0xff, 0xff, 0, 0, 0, 0];

    /// Asks for a segment.
    pub(crate) fn init(client_index: [u8; 4], size: u32, rings: &[u64]) -> Vec<u8> {
        let mut message = [&INIT.to_be_bytes()[..], &client_index, &[0; 4], &size.to_ne_bytes()].concat();
        message.push(u8::try_from(rings.len()).unwrap_or(u8::MAX));
        rings.iter().take(255).for_each(|ring| message.extend(ring.to_ne_bytes()));
        message
    }

    /// VPP's answer to [`init`]: its `retval`.
    pub(crate) fn initialised(message: &[u8]) -> Option<i32> {
        let id = message.first_chunk().map(|id| u16::from_be_bytes(*id))?;
        let retval = message.get(6..)?.first_chunk()?;
        (id == INIT_REPLY.id).then(|| i32::from_be_bytes(*retval))
    }

    /// Introduces a client whose receive queue VPP finds at this address.
    pub(crate) fn create(name: &str, queue: u64, v2: bool) -> Vec<u8> {
        let mut message = vec![0; if v2 { 115 } else { 114 }];
        message[..2].copy_from_slice(&if v2 { CREATE_V2 } else { CREATE }.to_be_bytes());
        message[10..18].copy_from_slice(&queue.to_ne_bytes());
        put_name(&mut message[18..18 + NAME_LEN], name);
        if v2 {
            // Without it VPP would keep the segment of a client that died.
            message[114] = 1;
        }
        message
    }

    /// A client of shared memory: all bytes as VPP gave them.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) struct Client {
        pub(crate) index: [u8; 4],
        pub(crate) handle: [u8; 8],
    }

    /// VPP's answer to [`create`]; an error is its negative response.
    pub(crate) fn created(message: &[u8]) -> Option<Result<Client, i32>> {
        let message: &[u8; 22] = message.first_chunk()?;
        if ![CREATE_REPLY, CREATE_V2_REPLY].contains(&u16::from_be_bytes([message[0], message[1]])) {
            return None;
        }
        let response = i32::from_be_bytes(*message[6..].first_chunk()?);
        let client = Client { handle: *message[10..].first_chunk()?, index: *message[18..].first_chunk()? };
        Some(if response < 0 { Err(response) } else { Ok(client) })
    }

    /// Ends a client. With `silent` VPP does not answer.
    pub(crate) fn delete(client: Client, silent: bool) -> Vec<u8> {
        [&DELETE.to_be_bytes()[..], &client.index, &client.handle, &[u8::from(silent)]].concat()
    }

    /// Says that the client lives. VPP does nothing else with it, and frees the block it came in.
    pub(crate) fn alive(client_index: [u8; 4]) -> [u8; 10] {
        let mut message = [0; 10];
        message[..2].copy_from_slice(&KEEPALIVE_REPLY.to_be_bytes());
        message[2..6].copy_from_slice(&client_index);
        message
    }

    /// The first bytes of a long message that wakes VPP with each of its bytes and does nothing when it is complete.
    pub(crate) const FILLER: [u8; 10] = PING_FOR_NOBODY;
}

/// Bytes of a client's name on the wire, the final NUL included.
const NAME_LEN: usize = 64;
/// Bytes of a row of the message table: id, then `<name>_<crc>`.
const ROW_LEN: usize = 2 + 64;

/// The frame that introduces a client. A longer name is cut: it is only shown to people.
pub(crate) fn create(name: &str) -> Vec<u8> {
    let mut message = vec![0; 6 + NAME_LEN];
    message[..2].copy_from_slice(&CREATE.to_be_bytes());
    put_name(&mut message[6..], name);
    let header = frame::header(message.len()).unwrap_or_default();
    [&header[..], &message].concat()
}

fn put_name(place: &mut [u8], name: &str) {
    let mut end = name.len().min(NAME_LEN - 1);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    place[..end].copy_from_slice(&name.as_bytes()[..end]);
}

/// The frame that ends a client's connection, without waiting for anything else.
pub(crate) fn delete(client_index: [u8; 4]) -> Vec<u8> {
    let message = [&DELETE.id.to_be_bytes()[..], &client_index, &[0; 4], &client_index].concat();
    let header = frame::header(message.len()).unwrap_or_default();
    [&header[..], &message].concat()
}

/// VPP's answer to [`create`].
#[derive(Debug)]
pub(crate) enum Created {
    /// Welcome.
    Client { client_index: [u8; 4], table: MessageTable },
    /// A negative response.
    Refused(i32),
}

/// Reads the answer to [`create`]; `None` for another message.
pub(crate) fn created(message: &[u8]) -> Option<Created> {
    let mut input = Decoder::new(message);
    let id: u16 = input.read();
    let _client_index: [u8; 4] = input.bytes();
    let _context: u32 = input.read();
    let response: i32 = input.read();
    let client_index = input.bytes();
    let count: u16 = input.read();
    let rows = input.byte_list("message_table", usize::from(count) * ROW_LEN);
    if id != CREATE_REPLY || input.finish().is_err() {
        return None;
    }
    if response < 0 {
        return Some(Created::Refused(response));
    }
    let rows: Vec<_> = rows
        .chunks_exact(ROW_LEN)
        .map(|row| (u16::from_be_bytes([row[0], row[1]]), vpp_wire::text(&row[2..])))
        .collect();
    let table = MessageTable::new(rows.iter().map(|(id, name)| (*id, name.as_ref())));
    Some(Created::Client { client_index, table })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_is_the_one_of_the_protocol() {
        let frame = create("probe");
        assert_eq!(frame.len(), 16 + 70);
        assert_eq!(frame[8..12], [0, 0, 0, 70]);
        assert_eq!(frame[16..28], *b"\0\x0f\0\0\0\0probe\0");
        assert_eq!(create(&"ä".repeat(40)).len(), 16 + 70);
        assert_eq!(delete([0x80, 0, 0, 1])[16..], [0, 17, 0x80, 0, 0, 1, 0, 0, 0, 0, 0x80, 0, 0, 1]);
    }

    #[test]
    fn a_reply_gives_index_and_table_and_everything_else_is_refused() {
        let mut reply =
            [&[0, 16][..], &[0; 4], &[0; 4], &[0; 4], &[0x80, 0, 0, 1], &[0, 1], &[3, 0x8e]].concat();
        let mut name = [0; 64];
        name[..21].copy_from_slice(b"show_version_51077d14");
        reply.extend_from_slice(&name);
        let Some(Created::Client { client_index, table }) = created(&reply) else { panic!("not taken") };
        assert_eq!(client_index, [0x80, 0, 0, 1]);
        assert_eq!(table.get("show_version").unwrap().id, 910);

        assert!(created(&reply[..reply.len() - 1]).is_none(), "a table that is cut off");
        assert!(created(b"\xff\xfb\x01").is_none(), "the greeting of VPP's command-line socket");
        reply[10] = 0xff;
        assert!(matches!(created(&reply), Some(Created::Refused(i32::MIN..=-1))));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_of_a_peer_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..400)) {
            let _answer = created(&bytes);
            // As far into the reply as bytes by chance never come.
            let _answer = created(&[&[0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 0][..], &bytes].concat());
        }
    }
}
