//! Patterns of names.

/// What names are looked for.
pub(crate) struct Pattern<'a> {
    text: Option<&'a str>,
}

impl<'a> Pattern<'a> {
    /// Names that contain the text; with `*` (any letters) or `?` (one letter) in it those that fit it as a whole; all
    /// names without a text.
    pub(crate) fn new(text: Option<&'a str>) -> Self {
        Self { text }
    }

    /// Whether a name is looked for.
    pub(crate) fn fits(&self, name: &str) -> bool {
        match self.text {
            None => true,
            Some(text) if text.contains(['*', '?']) => fits(text.as_bytes(), name.as_bytes()),
            Some(text) => name.contains(text),
        }
    }
}

/// Goes back to the last `*` only: the shortest that the earlier ones took is enough.
fn fits(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(&letter) if letter == b'?' || letter == name[n] => {
                p += 1;
                n += 1;
            }
            _ => match &mut star {
                Some((at, taken)) => {
                    *taken += 1;
                    (p, n) = (*at + 1, *taken);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&letter| letter == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_contained_and_a_pattern_fits_as_a_whole() {
        let fits = |pattern, name| Pattern::new(Some(pattern)).fits(name);
        assert!(Pattern::new(None).fits("anything"));
        assert!(fits("route", "ip_route_dump") && !fits("routes", "ip_route_dump"));
        assert!(fits("ip_*_dump", "ip_route_dump") && !fits("ip_*_dump", "ip_route_dump_v2"));
        assert!(fits("*_v?", "ip_route_dump_v2") && !fits("*_v?", "ip_route_dump_v"));
        assert!(fits("*a*b*", "xaxbx") && !fits("*a*b", "xbxa") && fits("*", ""));
        assert!(fits("a*ab", "aaab"));
    }
}
