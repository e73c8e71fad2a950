//! The messages of a running VPP and their ids.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use vpp_wire::{Message, MessageInfo};

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
        table
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

    /// The id of a message told at run time.
    pub(crate) fn id_of_named(&self, name: &str, crc: u32) -> Result<u16, Incompatible> {
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
