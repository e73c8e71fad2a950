//! Why a message cannot be carried over.

/// A message, or one payload of it, that has no counterpart in the other definition.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{obstacle}", place(message, counterpart, path))]
#[non_exhaustive]
pub struct MappingError {
    /// The message that was to be carried over.
    pub message: String,
    /// The message that it was to become; of the same name unless it is a declared successor or predecessor.
    pub counterpart: String,
    /// The field: `route.paths[2].weight`; empty for the message as a whole. A field that only the other definition has
    /// is named by its path there.
    pub path: String,
    /// What stands in the way.
    pub obstacle: Box<Obstacle>,
}

fn place(message: &str, counterpart: &str, path: &str) -> String {
    let mut text = message.to_owned();
    if message != counterpart {
        text = format!("{message} as {counterpart}");
    }
    if path.is_empty() { format!("{text}: ") } else { format!("{text}: {path}: ") }
}

/// What stands in the way of a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Obstacle {
    /// The other definition has no such field, and the value is not the one that may be left out.
    #[error("the other definition lacks the field, and {value} is not {neutral}, which could be left out")]
    Dropped {
        /// The value, as bytes in hexadecimal where it is no integer.
        value: String,
        /// The value that may be left out.
        neutral: String,
    },
    /// Only the other definition has the field, and there is nothing honest to put into it.
    #[error("only the other definition has the field ({ty}), and nothing can stand in for it: {why}")]
    Missing {
        /// Its type.
        ty: String,
        /// Why.
        why: &'static str,
    },
    /// The types do not go into each other.
    #[error("{from} does not become {to}")]
    Types {
        /// That of the source.
        from: String,
        /// That of the target.
        to: String,
    },
    /// Two structs or messages share no field.
    #[error("the two definitions have no field in common")]
    NothingInCommon,
    /// One of the messages has no context to match answers by.
    #[error("only one of the two definitions has a context to match answers by")]
    Header,
    /// Nothing tells which member of a union counts, and the unions differ.
    #[error("the unions differ, and nothing tells which member counts")]
    NoDiscriminator,
    /// The member of the union that counts is not in the other definition.
    #[error("the other definition's union has no member {member}")]
    NoMember {
        /// The member; a number where the discriminator names none.
        member: String,
    },
    /// The number does not fit.
    #[error("{value} does not fit {to}")]
    TooLarge {
        /// The number.
        value: i128,
        /// The other definition's type.
        to: &'static str,
    },
    /// The enum of the other definition has no such member.
    #[error("the other definition's enum has no {name} ({value})")]
    NoEnumerator {
        /// The member.
        name: String,
        /// Its value.
        value: i128,
    },
    /// Text, an array or a list is longer than the other definition allows.
    #[error("{len} {what}, the other definition takes {max}")]
    TooLong {
        /// `bytes` or `elements`.
        what: &'static str,
        /// How many there are.
        len: usize,
        /// How many are taken.
        max: usize,
    },
    /// Bytes that are to become text go on behind a NUL.
    #[error("the bytes are no text")]
    NotText,
    /// The payload ends before its definition does.
    #[error("the payload ends before the field does")]
    Truncated,
    /// A definition that asks for more than a message can have.
    #[error("more than {max} bytes")]
    TooMuch {
        /// The most there may be.
        max: usize,
    },
}
