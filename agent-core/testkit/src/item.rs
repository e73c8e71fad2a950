//! Values that say themselves what they need and derive.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use vpp_agent_engine::{Invalid, Key, Needs};

use crate::kinds::{A, B, C, Dd};

/// What an [`Item`] needs, as data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Need {
    /// The item of this key.
    Item(String),
    /// That item with at least this version.
    AtLeast(String, u32),
    /// Any item of a kind whose name starts so, with at least this version if given.
    Any(String, String, Option<u32>),
    /// All of these.
    All(Vec<Self>),
    /// At least one of these.
    OneOf(Vec<Self>),
    /// Order only.
    After(String),
}

/// Needs the item of this key.
pub fn need(key: &str) -> Need {
    Need::Item(key.to_owned())
}

/// Needs any item of a kind whose name starts with the prefix.
pub fn any(kind: &str, prefix: &str) -> Need {
    Need::Any(kind.to_owned(), prefix.to_owned(), None)
}

/// Needs such an item with at least this version.
pub fn any_at_least(kind: &str, prefix: &str, version: u32) -> Need {
    Need::Any(kind.to_owned(), prefix.to_owned(), Some(version))
}

/// Needs all of these.
pub fn all(of: impl IntoIterator<Item = Need>) -> Need {
    Need::All(of.into_iter().collect())
}

/// Needs at least one of these.
pub fn one_of(of: impl IntoIterator<Item = Need>) -> Need {
    Need::OneOf(of.into_iter().collect())
}

/// Comes after the item of this key if both are to be made.
pub fn after(key: &str) -> Need {
    Need::After(key.to_owned())
}

impl Need {
    /// The same for the engine.
    pub fn to_needs(&self) -> Needs {
        let key = |key: &str| Key::parse(key).expect("a key: kind/name");
        match self {
            Self::Item(of) => Needs::key(key(of)),
            Self::AtLeast(of, version) => {
                let of = key(of);
                let version = *version;
                let name = of.name().to_owned();
                match of.kind() {
                    "A" => Needs::item_where::<A>(name, move |item| item.version >= version),
                    "B" => Needs::item_where::<B>(name, move |item| item.version >= version),
                    "C" => Needs::item_where::<C>(name, move |item| item.version >= version),
                    _ => Needs::item_where::<Dd>(name, move |item| item.version >= version),
                }
            }
            Self::Any(kind, prefix, None) => match kind.as_str() {
                "A" => Needs::any::<A>(prefix.clone()),
                "B" => Needs::any::<B>(prefix.clone()),
                "C" => Needs::any::<C>(prefix.clone()),
                _ => Needs::any::<Dd>(prefix.clone()),
            },
            Self::Any(kind, prefix, Some(version)) => {
                let version = *version;
                let passes = move |item: &Item| item.version >= version;
                match kind.as_str() {
                    "A" => Needs::any_where::<A>(prefix.clone(), passes),
                    "B" => Needs::any_where::<B>(prefix.clone(), passes),
                    "C" => Needs::any_where::<C>(prefix.clone(), passes),
                    _ => Needs::any_where::<Dd>(prefix.clone(), passes),
                }
            }
            Self::All(of) => Needs::all(of.iter().map(Self::to_needs)),
            Self::OneOf(of) => Needs::one_of(of.iter().map(Self::to_needs)),
            Self::After(of) => Needs::after(key(of)),
        }
    }

    /// Whether it holds for what is there.
    pub fn holds<'a>(&self, there: &'a std::collections::BTreeMap<String, impl AsRef<Item> + 'a>) -> bool {
        let passes =
            |item: &Item, version: Option<u32>| version.is_none_or(|version| item.version >= version);
        match self {
            Self::Item(key) => there.contains_key(key),
            Self::AtLeast(key, version) => {
                there.get(key).is_some_and(|item| passes(item.as_ref(), Some(*version)))
            }
            Self::Any(kind, prefix, version) => {
                let start = format!("{kind}/{prefix}");
                let named = there.range(start.clone()..).take_while(|(key, _)| key.starts_with(&start));
                named.into_iter().any(|(_, item)| passes(item.as_ref(), *version))
            }
            Self::All(of) => of.iter().all(|need| need.holds(there)),
            Self::OneOf(of) => of.iter().any(|need| need.holds(there)),
            Self::After(_) => true,
        }
    }
}

/// A made-up item of kind `A`, `B`, `C` or `Dd`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Item {
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// What an update changes.
    pub version: u32,
    /// If this differs from what is there, the item has to be created anew.
    pub mould: u32,
    /// What it needs.
    pub needs: Vec<Need>,
    /// What comes with it.
    pub derived: Vec<Self>,
    /// Fields to be rejected.
    pub bad: Vec<String>,
}

impl AsRef<Self> for Item {
    fn as_ref(&self) -> &Self {
        self
    }
}

impl Item {
    /// Version 0, without needs.
    pub fn new(kind: &str, name: impl Into<String>) -> Self {
        Self {
            kind: kind.to_owned(),
            name: name.into(),
            version: 0,
            mould: 0,
            needs: Vec::new(),
            derived: Vec::new(),
            bad: Vec::new(),
        }
    }

    /// Its key, as text.
    pub fn key(&self) -> String {
        format!("{}/{}", self.kind, self.name)
    }

    /// With another version.
    #[must_use]
    pub fn version(self, version: u32) -> Self {
        Self { version, ..self }
    }

    /// With another mould.
    #[must_use]
    pub fn mould(self, mould: u32) -> Self {
        Self { mould, ..self }
    }

    /// With one more need.
    #[must_use]
    pub fn needs(mut self, need: Need) -> Self {
        self.needs.push(need);
        self
    }

    /// With one more derived item.
    #[must_use]
    pub fn derives(mut self, item: Self) -> Self {
        self.derived.push(item);
        self
    }

    /// With derived items of kind `Dd` that are called `NAME-x` for each x.
    #[must_use]
    pub fn with(mut self, parts: &[&str]) -> Self {
        let part = |part: &&str| Self::new("Dd", format!("{}-{part}", self.name));
        self.derived = parts.iter().map(part).collect();
        self
    }

    /// With a field that will be rejected.
    #[must_use]
    pub fn bad(mut self, field: &str) -> Self {
        self.bad.push(field.to_owned());
        self
    }

    pub(crate) fn check(&self) -> Result<(), Invalid> {
        self.bad.iter().fold(Invalid::default(), |invalid, field| invalid.and(field, "not allowed")).check()
    }

    /// What is compared: derived items are items of their own.
    pub(crate) fn same(&self, other: &Self) -> bool {
        (self.version, self.mould) == (other.version, other.mould)
    }
}
