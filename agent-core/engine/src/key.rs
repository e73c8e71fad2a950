//! Names of items.

use std::fmt;
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
        Self(format!("{kind}/{name}").into())
    }

    /// A key whose name has several parts. In all but the last one `/` and `%` are written `%2F` and `%25`, so that
    /// different parts are different keys.
    pub fn of(kind: &str, parts: &[&dyn fmt::Display]) -> Self {
        use fmt::Write;
        let mut text = String::from(kind);
        for (i, part) in parts.iter().enumerate() {
            text.push('/');
            let at = text.len();
            // Writing into a String cannot fail.
            let _ = write!(text, "{part}");
            if i + 1 < parts.len() && text[at..].contains(['/', '%']) {
                let escaped = text[at..].replace('%', "%25").replace('/', "%2F");
                text.truncate(at);
                text.push_str(&escaped);
            }
        }
        Self(text.into())
    }

    /// Reads `kind/name`. `None` without a kind or without a slash.
    pub fn parse(text: &str) -> Option<Self> {
        (text.find('/')? > 0).then(|| Self(text.into()))
    }

    /// What comes before the first slash.
    pub fn kind(&self) -> &str {
        self.0.split_once('/').map_or(&*self.0, |(kind, _)| kind)
    }

    /// What comes after the first slash.
    pub fn name(&self) -> &str {
        self.0.split_once('/').map_or("", |(_, name)| name)
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
