//! What an item needs before it can be.

use std::fmt;
use std::sync::Arc;

use crate::{AnyValue, Descriptor, Key};

pub(crate) type Predicate = Arc<dyn Fn(&AnyValue) -> bool + Send + Sync>;

/// What an item needs: it is pending until that holds, and is withdrawn before it ends. A clone is a reference count or two.
///
/// ```
/// # use vpp_agent_engine::{Key, Needs};
/// let needs = Needs::all([
///     Needs::key(Key::new("vrf", 7)),
///     Needs::one_of([Needs::key(Key::new("loopback", "a")), Needs::key(Key::new("tap", "a"))]),
/// ]);
/// assert_eq!(needs.to_string(), "vrf/7 and (loopback/a or tap/a)");
/// ```
#[derive(Clone)]
pub struct Needs(pub(crate) Expression);

#[derive(Clone)]
pub(crate) enum Expression {
    Nothing,
    All(Arc<[Self]>),
    OneOf(Arc<[Self]>),
    Item(Key),
    Where(Key, Predicate),
    Any { kind: &'static str, prefix: String, predicate: Option<Predicate> },
    After(Key),
}

impl Needs {
    /// Nothing.
    pub const fn none() -> Self {
        Self(Expression::Nothing)
    }

    /// The item of this key.
    pub const fn key(key: Key) -> Self {
        Self(Expression::Item(key))
    }

    /// The item `name` of a descriptor's kind.
    pub fn item<D: Descriptor>(name: impl fmt::Display) -> Self {
        Self::key(Key::new(D::KIND, name))
    }

    /// The item `name`, and its value has to pass.
    pub fn item_where<D: Descriptor>(
        name: impl fmt::Display,
        passes: impl Fn(&D::Value) -> bool + Send + Sync + 'static,
    ) -> Self {
        Self(Expression::Where(Key::new(D::KIND, name), typed::<D>(passes)))
    }

    /// Any item of a kind whose name starts with `prefix` (`""`: any item of the kind).
    pub fn any<D: Descriptor>(prefix: impl Into<String>) -> Self {
        Self::any_of(D::KIND, prefix)
    }

    /// As [`Needs::any`], for a kind by its name: a property has no descriptor.
    pub fn any_of(kind: &'static str, prefix: impl Into<String>) -> Self {
        Self(Expression::Any { kind, prefix: prefix.into(), predicate: None })
    }

    /// Any item of a kind whose name starts with `prefix` and whose value passes.
    pub fn any_where<D: Descriptor>(
        prefix: impl Into<String>,
        passes: impl Fn(&D::Value) -> bool + Send + Sync + 'static,
    ) -> Self {
        Self(Expression::Any { kind: D::KIND, prefix: prefix.into(), predicate: Some(typed::<D>(passes)) })
    }

    /// All of these.
    pub fn all(needs: impl IntoIterator<Item = Self>) -> Self {
        let all: Arc<[_]> = needs.into_iter().map(|needs| needs.0).collect();
        Self(if all.is_empty() { Expression::Nothing } else { Expression::All(all) })
    }

    /// At least one of these.
    pub fn one_of(needs: impl IntoIterator<Item = Self>) -> Self {
        Self(Expression::OneOf(needs.into_iter().map(|needs| needs.0).collect()))
    }

    /// Order only: if that item is to be created too, it goes first; if both are to be deleted, it goes last. An
    /// item that nobody wants, or that failed, is not waited for.
    pub const fn after(key: Key) -> Self {
        Self(Expression::After(key))
    }
}

fn typed<D: Descriptor>(passes: impl Fn(&D::Value) -> bool + Send + Sync + 'static) -> Predicate {
    Arc::new(move |value| value.get::<D::Value>().is_some_and(&passes))
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |f: &mut fmt::Formatter<'_>, of: &[Self], word: &str| {
            of.iter().enumerate().try_for_each(|(i, needs)| {
                let word = if i == 0 { "" } else { word };
                match needs {
                    Self::All(inner) | Self::OneOf(inner) if inner.len() > 1 => write!(f, "{word}({needs})"),
                    _ => write!(f, "{word}{needs}"),
                }
            })
        };
        match self {
            Self::Nothing => f.write_str("nothing"),
            Self::All(of) => list(f, of, " and "),
            Self::OneOf(of) => list(f, of, " or "),
            Self::Item(key) => write!(f, "{key}"),
            Self::Where(key, _) => write!(f, "{key} with a certain content"),
            Self::Any { kind, prefix, predicate } => {
                write!(f, "any {kind}/{prefix}*")?;
                if predicate.is_some() { f.write_str(" with a certain content") } else { Ok(()) }
            }
            Self::After(key) => write!(f, "after {key}"),
        }
    }
}

impl fmt::Display for Needs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Needs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}
