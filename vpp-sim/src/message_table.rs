//! The numbers of messages in one life of a VPP.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use vpp_schema::{Api, MessageId};

/// The module whose messages have the same numbers in every VPP, in the order of their definition, from 1.
const FIXED: &str = "memclnt";

/// The first number that a module loaded at run time may have.
const FIRST_FREE: u16 = 29;

/// Bytes of a name in the table, the final NUL included.
const NAME_LEN: usize = 64;

/// The numbers of all messages, and the table that tells clients of them.
#[derive(Debug)]
pub(crate) struct MessageTable {
    ids: Vec<Option<u16>>,
    messages: HashMap<u16, MessageId>,
    /// The table as `sockclnt_create_reply` carries it: count, then number and `<name>_<crc>` of each message.
    pub(crate) rows: Vec<u8>,
}

/// What clients are to see otherwise than the definitions say.
#[derive(Clone, Debug, Default)]
pub(crate) struct Deviations {
    /// Added to every number that VPP gives out at its start.
    pub(crate) shift: u16,
    /// Modules that are not loaded.
    pub(crate) absent: Vec<String>,
    /// CRCs of messages that are defined differently.
    pub(crate) crcs: HashMap<String, u32>,
}

impl MessageTable {
    pub(crate) fn new(api: &Api, deviations: &Deviations) -> Self {
        let mut ids = vec![None; api.messages.len()];
        let (fixed, others): (Vec<_>, Vec<_>) = api.modules.iter().partition(|module| module.name == FIXED);
        for (id, message) in (1..).zip(fixed.iter().flat_map(|module| &module.messages)) {
            ids[message.0 as usize] = Some(id);
        }
        let loaded = others.iter().filter(|module| !deviations.absent.contains(&module.name));
        for (id, message) in (FIRST_FREE + deviations.shift..).zip(loaded.flat_map(|module| &module.messages))
        {
            ids[message.0 as usize] = Some(id);
        }

        let known = (0..).map(MessageId).zip(&ids).filter_map(|(message, id)| Some((message, (*id)?)));
        let messages: HashMap<u16, MessageId> = known.map(|(message, id)| (id, message)).collect();
        let rows = rows(api, &messages, deviations);
        Self { ids, messages, rows }
    }

    /// The number of a message, unless its module is not loaded.
    pub(crate) fn id(&self, message: MessageId) -> Option<u16> {
        self.ids.get(message.0 as usize).copied().flatten()
    }

    pub(crate) fn message(&self, id: u16) -> Option<MessageId> {
        self.messages.get(&id).copied()
    }
}

/// The rows in the order of a hash table, as VPP sends them.
fn rows(api: &Api, messages: &HashMap<u16, MessageId>, deviations: &Deviations) -> Vec<u8> {
    let mut order: Vec<(u64, u16, String)> = messages
        .iter()
        .map(|(id, message)| {
            let definition = api.message(*message);
            let crc = deviations.crcs.get(&definition.name).copied().unwrap_or(definition.crc);
            let key = format!("{}_{crc:08x}", definition.name);
            // Fixed keys: the same order in every run.
            let mut hasher = DefaultHasher::new();
            key.hash(&mut hasher);
            (hasher.finish(), *id, key)
        })
        .collect();
    order.sort_unstable();
    // Numbers are 16 bits wide, so there are no more rows than a count can tell.
    let mut rows = u16::try_from(order.len()).unwrap_or(u16::MAX).to_be_bytes().to_vec();
    for (_, id, key) in order {
        let mut name = [0; NAME_LEN];
        let len = key.len().min(NAME_LEN - 1);
        name[..len].copy_from_slice(&key.as_bytes()[..len]);
        rows.extend(id.to_be_bytes());
        rows.extend(name);
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(deviations: &Deviations) -> MessageTable {
        MessageTable::new(vpp_api_json::api("26.06").unwrap(), deviations)
    }

    fn id(table: &MessageTable, name: &str) -> Option<u16> {
        table.id(vpp_api_json::api("26.06").unwrap().find_message(name).unwrap().0)
    }

    /// The numbers that a VPP 26.06 has.
    #[test]
    fn numbers_of_the_base_module_are_those_of_every_vpp() {
        let table = table(&Deviations { shift: 100, ..Deviations::default() });
        for (name, number) in [
            ("memclnt_create", 1),
            ("get_first_msg_id", 10),
            ("sockclnt_create", 15),
            ("sockclnt_create_reply", 16),
            ("sockclnt_delete_reply", 18),
            ("control_ping", 23),
            ("control_ping_reply", 24),
            ("get_api_json_reply", 28),
        ] {
            assert_eq!(id(&table, name), Some(number), "{name}");
        }
    }

    #[test]
    fn other_numbers_are_distinct_and_begin_behind_the_fixed_ones() {
        let plain = table(&Deviations::default());
        assert_eq!(plain.messages.len(), 2095);
        assert!(plain.message(28).is_some() && plain.message(29).is_some() && plain.message(0).is_none());
        let shifted = table(&Deviations { shift: 7, ..Deviations::default() });
        let number = id(&plain, "show_version").unwrap();
        assert_eq!(id(&shifted, "show_version"), Some(number + 7));
        assert_eq!(shifted.message(29), None);
    }

    #[test]
    fn the_rows_are_all_messages_in_no_visible_order() {
        let table = table(&Deviations::default());
        assert_eq!(table.rows.len(), 2 + 66 * 2095);
        assert_eq!(table.rows[..2], 2095u16.to_be_bytes());
        let names: Vec<&[u8]> = table.rows[2..].chunks(66).map(|row| &row[2..]).collect();
        assert!(!names.is_sorted());
        let wanted = b"sw_interface_dump_aa610c27\0";
        assert!(names.iter().any(|name| name.starts_with(wanted)));
    }

    #[test]
    fn a_module_that_is_not_loaded_has_no_numbers_and_a_crc_can_differ() {
        let deviations = Deviations {
            absent: vec!["nat44_ed".to_owned()],
            crcs: [("show_version".to_owned(), 0xdead)].into(),
            ..Deviations::default()
        };
        let table = table(&deviations);
        assert_eq!(id(&table, "nat44_ed_plugin_enable_disable"), None);
        let text = String::from_utf8_lossy(&table.rows).into_owned();
        assert!(!text.contains("nat44_ed_plugin_enable_disable_"));
        assert!(text.contains("show_version_0000dead\0"));
    }
}
