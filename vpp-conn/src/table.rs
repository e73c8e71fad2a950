//! The messages of a running VPP and their ids.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use vpp_wire::{Message, MessageInfo};

use crate::before_20_05::{MARKS, OTHER_BYTES};

/// The messages that a VPP told of when the connection was made, with the ids it gave them.
///
/// Ids hold for the life of that VPP process and no longer.
#[derive(Debug, Default)]
pub struct MessageTable {
    entries: Vec<Entry>,
    by_key: HashMap<u64, u32, BuildHasherDefault<KeyHasher>>,
    by_name: HashMap<Arc<str>, u32>,
    by_id: Vec<u32>,
}

/// A message of a running VPP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: Arc<str>,
    /// The CRC of its definition.
    pub crc: u32,
    /// The id this VPP gave it.
    pub id: u16,
}

/// What a message's name and CRC are looked up by; computed when the program is compiled.
pub(crate) const fn key(name: &str, crc: u32) -> u64 {
    // FNV-1a: good enough to tell a few thousand names apart, and a lookup compares the name itself.
    let bytes = name.as_bytes();
    let mut hash = 0xcbf2_9ce4_8422_2325 ^ crc as u64;
    let mut at = 0;
    while at < bytes.len() {
        hash = (hash ^ bytes[at] as u64).wrapping_mul(0x0100_0000_01b3);
        at += 1;
    }
    hash
}

/// The key of a message type.
pub(crate) struct KeyOf<M>(std::marker::PhantomData<M>);

impl<M: Message> KeyOf<M> {
    pub(crate) const KEY: u64 = key(M::INFO.name, M::INFO.crc);
}

/// Keys are hashes already.
#[derive(Default)]
struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
}

impl MessageTable {
    /// A table of rows `<name>_<crc, 8 hex digits>` with their ids. Rows of another form are left out: no message can
    /// match them.
    pub fn new<'a>(rows: impl IntoIterator<Item = (u16, &'a str)>) -> Self {
        let mut table = Self::default();
        for (id, row) in rows {
            let Some((name, crc)) = row.rsplit_once('_') else { continue };
            let Some(crc) =
                Some(crc).filter(|crc| crc.len() == 8).and_then(|crc| u32::from_str_radix(crc, 16).ok())
            else {
                continue;
            };
            let index = table.entries.len() as u32;
            let name: Arc<str> = name.into();
            table.by_key.insert(key(&name, crc), index);
            table.by_name.insert(Arc::clone(&name), index);
            if table.by_id.len() <= usize::from(id) {
                table.by_id.resize(usize::from(id) + 1, u32::MAX);
            }
            table.by_id[usize::from(id)] = index;
            table.entries.push(Entry { name, crc, id });
        }
        table.hide_other_bytes();
        table
    }

    /// Makes that nobody finds the messages of a VPP before 20.05 whose bytes are not what their CRC says.
    fn hide_other_bytes(&mut self) {
        if MARKS.iter().all(|(name, crc)| self.resolve(key(name, *crc), name, *crc).is_err()) {
            return;
        }
        for (name, crc) in OTHER_BYTES {
            if self.resolve(key(name, *crc), name, *crc).is_ok() {
                self.by_key.remove(&key(name, *crc));
            }
        }
    }

    /// Number of messages.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// All messages in the order VPP told them (none in particular).
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Entry> {
        self.entries.iter()
    }

    /// The message of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Entry> {
        Some(&self.entries[*self.by_name.get(name)? as usize])
    }

    /// The message of an id.
    #[must_use]
    pub fn by_id(&self, id: u16) -> Option<&Entry> {
        self.entries.get(*self.by_id.get(usize::from(id))? as usize)
    }

    /// The name of an id, for what is said to a person.
    pub(crate) fn name_of(&self, id: u16) -> Arc<str> {
        self.by_id(id).map_or_else(|| format!("message {id}").into(), |entry| Arc::clone(&entry.name))
    }

    /// The id of a message type.
    #[inline]
    pub(crate) fn id_of<M: Message>(&self) -> Result<u16, Incompatible> {
        self.resolve(KeyOf::<M>::KEY, M::INFO.name, M::INFO.crc)
    }

    /// The id of the message of a name and CRC: what this VPP takes and sends is what the definition of that CRC says.
    ///
    /// # Errors
    ///
    /// When this VPP does not have the message, or has it with other bytes.
    pub fn id_of_named(&self, name: &str, crc: u32) -> Result<u16, Incompatible> {
        self.resolve(key(name, crc), name, crc)
    }

    pub(crate) fn id_of_info(&self, info: &MessageInfo) -> Result<u16, Incompatible> {
        self.id_of_named(info.name, info.crc)
    }

    #[inline]
    fn resolve(&self, key: u64, name: &str, crc: u32) -> Result<u16, Incompatible> {
        match self.by_key.get(&key).map(|&index| &self.entries[index as usize]) {
            Some(entry) if entry.crc == crc && *entry.name == *name => Ok(entry.id),
            _ => Err(self.incompatible(name, crc)),
        }
    }

    #[cold]
    fn incompatible(&self, name: &str, crc: u32) -> Incompatible {
        let name = name.to_owned();
        match self.get(&name) {
            Some(entry) if entry.crc == crc => Incompatible::OtherBytes { name, crc },
            Some(entry) => Incompatible::OtherCrc { name, crc, theirs: entry.crc },
            None => Incompatible::Absent { name, crc },
        }
    }
}

/// A message that the program and the VPP it talks to do not share.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Incompatible {
    /// VPP has no message of the name. Load the plugin that defines it, or use what the release has instead.
    #[error("this VPP has no {name}: the plugin that defines it is not loaded, or its release is another")]
    Absent {
        /// The message.
        name: String,
        /// The CRC the program knows.
        crc: u32,
    },
    /// VPP has a message of the name with another definition. Build against the crate of its release, or allow bridging
    /// (`Builder::bridge`).
    #[error(
        "this VPP speaks another {name}: it has {theirs:08x}, the program {crc:08x}; allow bridging on the connection, or build \
         against its release"
    )]
    OtherCrc {
        /// The message.
        name: String,
        /// The CRC the program knows.
        crc: u32,
        /// VPP's CRC.
        theirs: u32,
    },
    /// VPP is of 20.01 or 19.08, whose message of this name and CRC has other bytes than that of all later releases. No
    /// byte of it is sent or read. Use VPP 20.05 or later.
    #[error(
        "this VPP is 20.01 or older: its {name} has the same CRC {crc:08x} as that of later releases, but other bytes \
         (addresses are longer there); use VPP 20.05 or later"
    )]
    OtherBytes {
        /// The message.
        name: String,
        /// The CRC of both.
        crc: u32,
    },
    /// VPP has it otherwise, and what it has cannot be bridged.
    #[cfg(feature = "bridge")]
    #[error(transparent)]
    Unbridgeable(Box<crate::bridge::BridgeError>),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_found_by_name_and_crc_and_by_id() {
        let table = MessageTable::new([
            (3, "show_version_51077d14"),
            (900, "a_b_00000001"),
            (901, "odd"),
            (902, "x_123"),
        ]);
        assert_eq!(table.len(), 2);
        assert_eq!(table.id_of_named("show_version", 0x5107_7d14), Ok(3));
        assert_eq!(table.by_id(900).unwrap().name.as_ref(), "a_b");
        assert_eq!(table.by_id(4), None);
        assert_eq!(table.name_of(4).as_ref(), "message 4");
    }

    /// Rows of a VPP of 20.01 or, without the mark, of a later one.
    fn rows(mark: Option<(&str, u32)>) -> MessageTable {
        let all = OTHER_BYTES.iter().chain(&[("show_version", 0x5107_7d14)]).copied().chain(mark);
        let rows: Vec<_> = all.zip(10..).map(|((name, crc), id)| (id, format!("{name}_{crc:08x}"))).collect();
        MessageTable::new(rows.iter().map(|(id, row)| (*id, row.as_str())))
    }

    #[test]
    fn a_vpp_of_20_01_is_known_by_each_mark_and_its_other_bytes_are_not_to_be_had() {
        assert_eq!(OTHER_BYTES.len(), 78);
        assert!(OTHER_BYTES.is_sorted(), "for whoever reads it");
        for mark in MARKS {
            let table = rows(Some(*mark));
            for (name, crc) in OTHER_BYTES {
                let refused = Incompatible::OtherBytes { name: (*name).to_owned(), crc: *crc };
                assert_eq!(table.id_of_named(name, *crc), Err(refused));
                let other = Incompatible::OtherCrc { name: (*name).to_owned(), crc: 1, theirs: *crc };
                assert_eq!(table.id_of_named(name, 1), Err(other));
            }
            assert_eq!(table.id_of_named("show_version", 0x5107_7d14), Ok(88), "as every other message");
            assert_eq!(table.id_of_named(mark.0, mark.1), Ok(89));
            assert_eq!(table.get("bfd_udp_add").map(|entry| entry.id), Some(11), "it is there all the same");
        }
        let error =
            rows(Some(MARKS[0])).id_of_named("ip_address_details", 0xb119_9745).unwrap_err().to_string();
        assert_eq!(
            error,
            "this VPP is 20.01 or older: its ip_address_details has the same CRC b1199745 as that of later releases, \
             but other bytes (addresses are longer there); use VPP 20.05 or later"
        );
    }

    #[test]
    fn the_same_messages_of_a_later_vpp_are_what_they_say() {
        for mark in [None, Some(("add_node_next", 1))] {
            let table = rows(mark);
            assert!(OTHER_BYTES.iter().all(|(name, crc)| table.id_of_named(name, *crc).is_ok()));
        }
    }

    #[test]
    fn the_error_tells_absent_from_different() {
        let table = MessageTable::new([(3, "show_version_51077d14")]);
        assert_eq!(
            table.id_of_named("show_version", 1).unwrap_err().to_string(),
            "this VPP speaks another show_version: it has 51077d14, the program 00000001; allow bridging on the connection, or build against its release"
        );
        assert_eq!(
            table.id_of_named("nat64_add", 1).unwrap_err().to_string(),
            "this VPP has no nat64_add: the plugin that defines it is not loaded, or its release is another"
        );
    }
}
