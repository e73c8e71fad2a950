//! Which pinned release a VPP is most like, and which it may be like by what it says of its version.

use vpp_conn::MessageTable;
use vpp_schema::MessageDef;

/// Of pinned releases the one with the most messages that a VPP has with the same CRC; the newest of several.
pub(crate) fn most_like(table: &MessageTable, candidates: &[&'static str]) -> &'static str {
    if let [only] = candidates {
        return only;
    }
    candidates
        .iter()
        .filter_map(|release| {
            let api = vpp_api_json::api(release).ok()?;
            let same = api.messages.iter().filter(|message| has(table, message)).count();
            Some((same, *release))
        })
        .max_by_key(|(same, _)| *same)
        .map_or(vpp_api_json::newest(), |(_, release)| release)
}

/// Whether a VPP has the very message.
pub(crate) fn has(table: &MessageTable, message: &MessageDef) -> bool {
    table.id_of_named(&message.name, message.crc).is_ok()
}

/// The pinned releases among which the one that is most like a VPP has to be looked for: that of its version where it
/// is pinned, else its neighbours, else (a version of somebody's own) all. Each takes time to parse.
pub(crate) fn releases<'a>(version: Option<&str>, pinned: &[&'a str]) -> Vec<&'a str> {
    let Some(version) = version.and_then(release_of) else { return pinned.to_vec() };
    if let Some(same) = pinned.iter().find(|pin| **pin == version) {
        return vec![same];
    }
    // Names of releases are in the order of time. A development version is between two of them.
    let newer = pinned.partition_point(|pin| *pin < version);
    let neighbours = [newer.checked_sub(1), Some(newer)];
    neighbours.into_iter().flatten().filter_map(|at| pinned.get(at).copied()).collect()
}

/// The release of a version: `25.10` of `25.10-release`, `25.10.1-4~g1a2b3c4` or `v25.10`.
fn release_of(version: &str) -> Option<&str> {
    let version = version.strip_prefix('v').unwrap_or(version);
    let release = version.get(..5)?;
    let is_release =
        release.char_indices().all(|(at, c)| if at == 2 { c == '.' } else { c.is_ascii_digit() });
    let is_whole = !version[5..].starts_with(|c: char| c.is_ascii_digit());
    (is_release && is_whole).then_some(release)
}

#[cfg(test)]
mod tests {
    use super::releases;

    const PINNED: [&str; 4] = ["20.09", "21.10", "25.10", "26.06"];

    #[test]
    fn a_pinned_release_is_its_own_likeness() {
        for version in ["25.10-release", "25.10", "v25.10.1-4~g1a2b3c4", "25.10-rc0~12-g1a2b3c4"] {
            assert_eq!(releases(Some(version), &PINNED), ["25.10"], "{version}");
        }
    }

    #[test]
    fn another_one_is_between_its_neighbours() {
        assert_eq!(releases(Some("26.02-release"), &PINNED), ["25.10", "26.06"]);
        assert_eq!(releases(Some("26.10-rc0~374-gb575ec2c5"), &PINNED), ["26.06"]);
        assert_eq!(releases(Some("19.08.3-release"), &PINNED), ["20.09"]);
    }

    #[test]
    fn a_version_that_says_nothing_leaves_all() {
        for version in
            [None, Some(""), Some("mine"), Some("25.101"), Some("2025.10"), Some("ää.10"), Some("25é10")]
        {
            assert_eq!(releases(version, &PINNED), PINNED, "{version:?}");
        }
    }
}
