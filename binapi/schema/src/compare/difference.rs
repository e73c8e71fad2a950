//! One difference of two definitions, and what it means for the two who hold them.

use std::fmt;

use vpp_wire::Header;

/// A place where two definitions differ.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference {
    /// The field, from the outermost: `route.paths[].weight`; an enumerator of the enum behind a field as
    /// `flags.ADMIN_UP`. Empty for the definition as a whole.
    pub path: String,
    /// How it differs.
    pub kind: DifferenceKind,
    /// What that does to a message of the other side.
    pub effect: Effect,
}

/// How a place differs. Types are written as definitions write them: `u32`, `address`, `fib_path[n_paths]`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DifferenceKind {
    /// A field or member of a union that only the second has.
    Added {
        /// Its type.
        ty: String,
        /// Its default, where it is not zero.
        default: Option<String>,
    },
    /// A field or member of a union that only the first has.
    Removed {
        /// Its type.
        ty: String,
    },
    /// A field of another name at the same place with the same type.
    Renamed {
        /// Its new name.
        to: String,
    },
    /// A field that stands elsewhere among those that both have.
    Moved {
        /// The field before it in the first; `None` at the start.
        from: Option<String>,
        /// The field before it in the second.
        to: Option<String>,
    },
    /// An integer of another width.
    Resized {
        /// The first's.
        from: String,
        /// The second's.
        to: String,
    },
    /// Another type.
    Retyped {
        /// The first's.
        from: String,
        /// The second's.
        to: String,
    },
    /// A type of another name; what differs in it is told by itself.
    TypeRenamed {
        /// The first's.
        from: String,
        /// The second's.
        to: String,
    },
    /// A fixed number of elements, or of bytes of a string.
    Length {
        /// The first's.
        from: u32,
        /// The second's.
        to: u32,
    },
    /// A list that another field counts.
    Counted {
        /// The field of the first.
        from: String,
        /// That of the second.
        to: String,
    },
    /// Another default; `None` is zero.
    Default {
        /// The first's.
        from: Option<String>,
        /// The second's.
        to: Option<String>,
    },
    /// Another longest string.
    Limit {
        /// The first's.
        from: Option<u32>,
        /// The second's.
        to: Option<u32>,
    },
    /// Another field tells which member of a union is meant.
    Discriminator {
        /// The field of the first.
        from: Option<String>,
        /// That of the second.
        to: Option<String>,
    },
    /// Another enumerator selects a member of a union.
    Case {
        /// The first's.
        from: Option<String>,
        /// The second's.
        to: Option<String>,
    },
    /// An enumerator that only the second has.
    EnumeratorAdded {
        /// Its value.
        value: i128,
    },
    /// An enumerator that only the first has.
    EnumeratorRemoved {
        /// Its value.
        value: i128,
    },
    /// An enumerator with another value.
    Renumbered {
        /// The first's.
        from: i128,
        /// The second's.
        to: i128,
    },
    /// A value that is called otherwise.
    EnumeratorRenamed {
        /// Its new name.
        to: String,
        /// The value.
        value: i128,
    },
    /// Another kind of definition: a struct that became a union, an enum that became flags.
    Kind {
        /// The first's.
        from: &'static str,
        /// The second's.
        to: &'static str,
    },
    /// Other words stand before the payload of a message.
    Header {
        /// The first's.
        from: Header,
        /// The second's.
        to: Header,
    },
    /// The type differs as it does at an earlier place of the same message.
    AsAt {
        /// That place.
        path: String,
    },
    /// The CRC is another, and the definitions do not tell why.
    Untold,
}

/// What a difference does to a message that one side wrote and the other is to read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Effect {
    /// Every value can be carried over.
    None,
    /// Values can be carried over as long as this holds.
    Limits(String),
    /// Values cannot be carried over.
    Prevents(String),
}

/// Whether the holders of two definitions understand each other.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// The CRC and the bytes are the same: no translation is needed.
    Same,
    /// Messages can be translated field by field, by names and types, within these limits. Without a translation they
    /// must not be sent.
    Mappable {
        /// What has to hold for a message to be translated without loss. Empty when nothing has to.
        limits: Vec<String>,
    },
    /// Messages cannot be translated.
    Unmappable {
        /// Why.
        reasons: Vec<String>,
    },
}

impl Verdict {
    pub(super) fn of(differences: &[Difference]) -> Self {
        let said =
            |path: &str, text: &str| if path.is_empty() { text.to_owned() } else { format!("{path} {text}") };
        let (mut limits, mut reasons) = (Vec::new(), Vec::new());
        for Difference { path, effect, .. } in differences {
            match effect {
                Effect::None => {}
                Effect::Limits(text) => limits.push(said(path, text)),
                Effect::Prevents(text) => reasons.push(said(path, text)),
            }
        }
        if reasons.is_empty() { Self::Mappable { limits } } else { Self::Unmappable { reasons } }
    }

    /// One word for programs: `same`, `mappable`, `unmappable`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Mappable { .. } => "mappable",
            Self::Unmappable { .. } => "unmappable",
        }
    }

    /// What has to hold, or why not.
    #[must_use]
    pub fn reasons(&self) -> &[String] {
        match self {
            Self::Same => &[],
            Self::Mappable { limits: reasons } | Self::Unmappable { reasons } => reasons,
        }
    }
}

impl Difference {
    pub(super) fn untold() -> Self {
        Self { path: String::new(), kind: DifferenceKind::Untold, effect: Effect::None }
    }
}

impl DifferenceKind {
    /// Whether it is something that neither the CRC nor the bytes depend on.
    #[must_use]
    pub const fn is_refinement(&self) -> bool {
        matches!(
            self,
            Self::Default { .. } | Self::Limit { .. } | Self::Discriminator { .. } | Self::Case { .. }
        )
    }

    /// One word for programs: `added`, `retyped`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Added { .. } => "added",
            Self::Removed { .. } => "removed",
            Self::Renamed { .. } => "renamed",
            Self::Moved { .. } => "moved",
            Self::Resized { .. } => "resized",
            Self::Retyped { .. } => "retyped",
            Self::TypeRenamed { .. } => "type_renamed",
            Self::Length { .. } => "length",
            Self::Counted { .. } => "counted",
            Self::Default { .. } => "default",
            Self::Limit { .. } => "limit",
            Self::Discriminator { .. } => "discriminator",
            Self::Case { .. } => "case",
            Self::EnumeratorAdded { .. } => "enumerator_added",
            Self::EnumeratorRemoved { .. } => "enumerator_removed",
            Self::Renumbered { .. } => "renumbered",
            Self::EnumeratorRenamed { .. } => "enumerator_renamed",
            Self::Kind { .. } => "kind",
            Self::Header { .. } => "header",
            Self::AsAt { .. } => "as_at",
            Self::Untold => "untold",
        }
    }
}

/// `a -> b`, with a word for what is not there.
fn arrow(from: Option<&impl fmt::Display>, to: Option<&impl fmt::Display>, absent: &str) -> String {
    let from = from.map_or_else(|| absent.to_owned(), ToString::to_string);
    let to = to.map_or_else(|| absent.to_owned(), ToString::to_string);
    format!("{from} -> {to}")
}

impl fmt::Display for DifferenceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let behind = |field: &Option<String>| match field {
            Some(field) => format!("behind {field}"),
            None => "first".to_owned(),
        };
        match self {
            Self::Added { ty, default: None } => write!(f, "added, {ty}"),
            Self::Added { ty, default: Some(default) } => write!(f, "added, {ty} with default {default}"),
            Self::Removed { ty } => write!(f, "removed, was {ty}"),
            Self::Renamed { to } => write!(f, "renamed to {to}"),
            Self::Moved { from, to } => write!(f, "moved, was {}, is {}", behind(from), behind(to)),
            Self::Resized { from, to } => write!(f, "resized, {from} -> {to}"),
            Self::Retyped { from, to } => write!(f, "another type, {from} -> {to}"),
            Self::TypeRenamed { from, to } => write!(f, "type renamed, {from} -> {to}"),
            Self::Length { from, to } => write!(f, "length {from} -> {to}"),
            Self::Counted { from, to } => write!(f, "counted by {from} -> {to}"),
            Self::Default { from, to } => write!(f, "default {}", arrow(from.as_ref(), to.as_ref(), "none")),
            Self::Limit { from, to } => write!(f, "limit {}", arrow(from.as_ref(), to.as_ref(), "none")),
            Self::Discriminator { from, to } => {
                write!(f, "discriminator {}", arrow(from.as_ref(), to.as_ref(), "none"))
            }
            Self::Case { from, to } => {
                write!(f, "selected by {}", arrow(from.as_ref(), to.as_ref(), "nothing"))
            }
            Self::EnumeratorAdded { value } => write!(f, "enumerator added, {value}"),
            Self::EnumeratorRemoved { value } => write!(f, "enumerator removed, was {value}"),
            Self::Renumbered { from, to } => write!(f, "renumbered, {from} -> {to}"),
            Self::EnumeratorRenamed { to, value } => write!(f, "enumerator of {value} renamed to {to}"),
            Self::Kind { from, to } => write!(f, "{from} -> {to}"),
            Self::Header { from, to } => write!(f, "header {} -> {}", header_words(*from), header_words(*to)),
            Self::AsAt { path } => write!(f, "as {path}"),
            Self::Untold => f.write_str("another CRC, for a reason that the definitions do not tell"),
        }
    }
}

/// What stands before the payload.
pub(super) const fn header_words(header: Header) -> &'static str {
    match header {
        Header::Bare => "id",
        Header::Context => "id, context",
        Header::Client => "id, client_index",
        Header::ClientContext => "id, client_index, context",
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            write!(f, "{}", self.kind)
        } else {
            write!(f, "{}: {}", self.path, self.kind)
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Same => f.write_str("understood as it is"),
            Self::Mappable { limits } if limits.is_empty() => f.write_str("can be translated"),
            Self::Mappable { limits } => write!(f, "can be translated as long as {}", limits.join("; ")),
            Self::Unmappable { reasons } => write!(f, "cannot be translated: {}", reasons.join("; ")),
        }
    }
}
