//! What VPP's own tool did otherwise in some releases, as a tree of VPP's sources tells by the tool it has.

use std::collections::HashMap;
use std::path::Path;

use super::numbering::Numbering;

/// How definitions become numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Dialect {
    pub(super) numbering: Numbering,
    pub(super) folding: Folding,
    /// CRCs that are given in the place of computed ones: 20.09 and 21.01 kept those of 20.05 for some messages.
    pub(super) replaced: HashMap<(String, u32), u32>,
}

/// How the types of its fields enter the CRC of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Folding {
    /// All of them: VPP 20.09 and later.
    #[default]
    All,
    /// Those up to the first that is no enum: VPP up to 20.05.
    FirstOnly,
}

impl Dialect {
    /// That of a tree of VPP's sources. `src` is the folder of that name.
    pub(super) fn of_tree(src: &Path) -> Option<Self> {
        let tool = std::fs::read_to_string(src.join("tools/vppapigen/vppapigen.py")).ok()?;
        Some(Self {
            numbering: Numbering::of_tool(&tool),
            folding: if tool.contains("def crc_block_combine") { Folding::FirstOnly } else { Folding::All },
            replaced: replaced(&tool),
        })
    }

    /// The CRC of a message for which this one was computed.
    pub(super) fn crc(&self, message: &str, computed: u32) -> u32 {
        if self.replaced.is_empty() {
            return computed;
        }
        self.replaced.get(&(message.to_owned(), computed)).copied().unwrap_or(computed)
    }
}

/// The table that the tools of 20.09 and 21.01 have: `"name": { 0xcomputed: 0xgiven },` a line each.
fn replaced(tool: &str) -> HashMap<(String, u32), u32> {
    let lines = tool.lines().skip_while(|line| !line.starts_with("fixup_crc_dict"));
    lines.skip(1).take_while(|line| !line.starts_with('}')).filter_map(replacement).collect()
}

fn replacement(line: &str) -> Option<((String, u32), u32)> {
    let (name, crcs) = line.split_once(':')?;
    let (computed, given) = crcs.split_once(':')?;
    let plain = |text: &str| text.trim_matches(|c: char| " \t\"'{},".contains(c)).to_owned();
    let crc = |text: &str| u32::from_str_radix(plain(text).strip_prefix("0x")?, 16).ok();
    Some(((plain(name), crc(computed)?), crc(given)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_of_crcs_is_read() {
        let tool = "fixup_crc_dict = {\n    \"a_b\": { 0xc613: 0xee66f93e },\n    'c': {0x1: 0x2},\n    # remark\n}\n\"d\": { 0x3: 0x4 },\n";
        let found = replaced(tool);
        assert_eq!(found.len(), 2, "{found:?}");
        let dialect = Dialect { replaced: found, ..Dialect::default() };
        assert_eq!(dialect.crc("a_b", 0xc613), 0xee66_f93e);
        assert_eq!((dialect.crc("c", 1), dialect.crc("c", 3), dialect.crc("d", 3)), (2, 3, 3));
        assert_eq!(replaced("nothing of the kind").len(), 0);
    }
}
