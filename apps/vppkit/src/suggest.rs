//! What a user may have meant.

/// How many names are worth reading.
const MOST: usize = 4;

/// The known names nearest to one that is unknown, nearest first: those that contain all its words, then those that
/// differ in a few letters.
pub(crate) fn nearest<'a>(unknown: &str, known: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let unknown = unknown.to_ascii_lowercase().replace('-', "_");
    let words: Vec<&str> = unknown.split('_').filter(|word| !word.is_empty()).collect();
    let mut scored: Vec<(f64, &str)> = known
        .filter_map(|name| {
            let likeness = strsim::normalized_damerau_levenshtein(&unknown, name);
            let has_words = !words.is_empty() && words.iter().all(|word| name.contains(word));
            (has_words || likeness > 0.7).then_some((if has_words { 1.0 + likeness } else { likeness }, name))
        })
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    // Next to one that is much nearer, the others would only distract.
    let best = scored.first().map_or(0.0, |(likeness, _)| *likeness);
    let enough = if best > 1.0 { best - 0.3 } else { best - 0.1 };
    let near = scored.into_iter().filter(|(likeness, _)| *likeness >= enough);
    near.take(MOST).map(|(_, name)| name).collect()
}

/// `; did you mean a, b or c?`, or nothing.
pub(crate) fn did_you_mean(unknown: &str, known: impl Iterator<Item = impl AsRef<str>>) -> String {
    let known: Vec<_> = known.collect();
    let names = nearest(unknown, known.iter().map(AsRef::as_ref));
    match names.split_last() {
        None => String::new(),
        Some((only, [])) => format!("; did you mean {only}?"),
        Some((last, rest)) => format!("; did you mean {} or {last}?", rest.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 5] = [
        "sw_interface_dump",
        "sw_interface_details",
        "ip_route_add_del",
        "ip_route_add_del_v2",
        "show_version",
    ];

    #[test]
    fn a_slip_of_the_finger_and_parts_of_a_name_are_understood() {
        assert_eq!(nearest("sw_interface_dmp", NAMES.into_iter()), ["sw_interface_dump"]);
        assert_eq!(nearest("route_add", NAMES.into_iter()), ["ip_route_add_del", "ip_route_add_del_v2"]);
        assert_eq!(nearest("Show-Version", NAMES.into_iter()), ["show_version"]);
        assert!(nearest("completely_else", NAMES.into_iter()).is_empty());
    }

    #[test]
    fn the_names_read_as_a_question() {
        assert_eq!(did_you_mean("show_versoin", NAMES.iter()), "; did you mean show_version?");
        assert_eq!(
            did_you_mean("route_add", NAMES.iter()),
            "; did you mean ip_route_add_del or ip_route_add_del_v2?"
        );
        assert_eq!(did_you_mean("", NAMES.iter()), "");
    }
}
