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

/// Bytes of a client's name on the wire, the final NUL included.
const NAME_LEN: usize = 64;
/// Bytes of a row of the message table: id, then `<name>_<crc>`.
const ROW_LEN: usize = 2 + 64;

/// The frame that introduces a client. A longer name is cut: it is only shown to people.
pub(crate) fn create(name: &str) -> Vec<u8> {
    let mut end = name.len().min(NAME_LEN - 1);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    let mut message = vec![0; 6 + NAME_LEN];
    message[..2].copy_from_slice(&CREATE.to_be_bytes());
    message[6..6 + end].copy_from_slice(&name.as_bytes()[..end]);
    let header = frame::header(message.len()).unwrap_or_default();
    [&header[..], &message].concat()
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
