//! Names of items.

use std::fmt::{self, Write};
use std::sync::Arc;

/// The name of an item: its kind and its name within the kind, written `kind/name`.
///
/// A kind has no `/`, so the first one ends it and the name may hold anything: two keys are equal exactly when kind
/// and name are, and nothing is cleaned or normalised. A clone is a reference count.
///
/// ```
/// # use vpp_agent_engine::Key;
/// let key = Key::of("address", &[&"loop/a", &"10.0.0.1/24"]);
/// assert_eq!(key.to_string(), "address/loop%2Fa/10.0.0.1/24");
/// assert_eq!(key.parts::<2>().unwrap(), ["loop/a", "10.0.0.1/24"]);
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(Arc<str>);

impl Key {
    /// The key of `name` in `kind`. The name is taken as it is.
    pub fn new(kind: &str, name: impl fmt::Display) -> Self {
        debug_assert!(!kind.contains('/'), "a kind has no slash: {kind}");
        Self::written(|text| write!(text, "{kind}/{name}"))
    }

    /// The key that is written.
    fn written(write: impl FnOnce(&mut String) -> fmt::Result) -> Self {
        // Nearly all are shorter, and so not moved while they are written.
        let mut text = String::with_capacity(80);
        // Nothing fails but what a `Display` makes fail by itself.
        let _ = write(&mut text);
        Self(text.into())
    }

    /// A key whose name has several parts. In all but the last one `/` and `%` are written `%2F` and `%25`, so that
    /// different parts are different keys.
    pub fn of(kind: &str, parts: &[&dyn fmt::Display]) -> Self {
        Self::written(|text| {
            text.write_str(kind)?;
            for (i, part) in parts.iter().enumerate() {
                text.write_str("/")?;
                match i + 1 < parts.len() {
                    true => write!(Escaped(text), "{part}")?,
                    false => write!(text, "{part}")?,
                }
            }
            Ok(())
        })
    }

    /// Reads `kind/name`. `None` without a kind or without a slash.
    pub fn parse(text: &str) -> Option<Self> {
        (text.find('/')? > 0).then(|| Self(text.into()))
    }

    /// What comes before the first slash.
    pub fn kind(&self) -> &str {
        self.slash().map_or(&*self.0, |at| &self.0[..at])
    }

    /// What comes after the first slash.
    pub fn name(&self) -> &str {
        self.slash().map_or("", |at| &self.0[at + 1..])
    }

    /// Kinds are short: a search for one letter in long texts takes longer to begin.
    fn slash(&self) -> Option<usize> {
        self.0.bytes().position(|letter| letter == b'/')
    }

    /// The parts of a key that [`Key::of`] made of `N` parts.
    pub fn parts<const N: usize>(&self) -> Option<[String; N]> {
        let parts: Vec<&str> = self.name().splitn(N, '/').collect();
        let last = parts.len().wrapping_sub(1);
        let plain = |(i, part): (usize, &&str)| {
            if i == last { (*part).to_owned() } else { part.replace("%2F", "/").replace("%25", "%") }
        };
        parts.iter().enumerate().map(plain).collect::<Vec<_>>().try_into().ok()
    }

    /// The whole key.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A part of a name that has a part behind it.
struct Escaped<'a>(&'a mut String);

impl Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for letter in text.chars() {
            match letter {
                '/' => self.0.push_str("%2F"),
                '%' => self.0.push_str("%25"),
                letter => self.0.push(letter),
            }
        }
        Ok(())
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl serde::Serialize for Key {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for Key {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom(format!("not a key (kind/name): {text:?}")))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn parts_are_what_they_were(parts in prop::array::uniform3("(a|é|/|%|%2F|25|-){0,4}|x{200}")) {
            let [one, two, last] = &parts;
            let key = Key::of("kind", &[one, two, last]);
            prop_assert_eq!(key.parts(), Some(parts.clone()));
            let escaped = |part: &str| part.replace('%', "%25").replace('/', "%2F");
            let text = format!("kind/{}/{}/{last}", escaped(one), escaped(two));
            prop_assert_eq!(key.as_str(), &text);
            prop_assert_eq!(Key::new("kind", &text["kind/".len()..]), key);
        }
    }
}
