//! Messages of one definition as messages of another: what lets a program talk to a VPP whose release has a message
//! otherwise.
//!
//! A [`Mapping`] is made once from two definitions, then carries any number of payloads over, bytes to bytes.
//!
//! | Difference | What is done |
//! |---|---|
//! | order of fields, names of types | fields are found by name |
//! | a field that only the source has | [a request](Rules::Request): refused unless it says nothing; an answer: left out |
//! | a field that only the target has | its default; else the value that says nothing |
//! | integers of another width, `bool`, enums in place of integers | the number, where it fits |
//! | enums, flags | by the names of their members |
//! | unions | the member whose case the discriminator names |
//! | `string[64]`, `string[]`, `u8[64]` | as text, where it fits |
//! | `x[8]`, `x[16]` | elements one by one; the rest has to be zero, or is |
//! | `x[8]`, `x[count]` | elements one by one; as many as there are |
//!
//! What *says nothing* is the default that the definition declares. Without one it is zero (the empty text or list), but
//! for an index it is all ones, VPP's word for "none": an index of zero names the first object, of interfaces `local0`.
//! So a request is never given an index that the program did not write, and an enum that has no member of value zero is
//! never left to chance: these mappings are refused when they are made, as is a reply without the `retval` that the
//! program will look at.
//!
//! What can be told from the definitions alone fails when the mapping is made. What depends on values is told by
//! [`Mapping::conditions`] and fails when a payload breaks one of them: nothing is ever lost silently.

mod carry;
mod compile;
mod error;
mod neutral;
mod overlay;

pub use error::{MappingError, Obstacle};
pub use overlay::{Successor, counterparts, successors};

use crate::codec::number;
use crate::model::{Api, MessageId, Scalar};

/// How much may be lost between two definitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rules {
    /// What a program sends arrives whole or not at all.
    Request,
    /// What VPP answers is read as the program's definition has it: what that one has no field for is left out, since a
    /// program cannot miss what it does not know. Fields that VPP does not tell read as what says nothing.
    Answer,
    /// What VPP answers is read whole or not at all: what the program has no field for has to say nothing, and a field
    /// that VPP does not tell needs a declared default.
    StrictAnswer,
}

/// How payloads of one definition become payloads of another.
#[derive(Clone, Debug)]
pub struct Mapping {
    message: String,
    counterpart: String,
    conditions: Vec<String>,
    plan: Plan,
}

impl Mapping {
    /// How to carry a message of `from` over to one of `to`.
    ///
    /// # Errors
    ///
    /// When the definitions show already that it cannot be done; see the [module's table](self).
    pub fn new(
        from: &Api,
        message: MessageId,
        to: &Api,
        counterpart: MessageId,
        rules: Rules,
    ) -> Result<Self, MappingError> {
        let (plan, conditions) = compile::compile(from, message, to, counterpart, rules)?;
        Ok(Self {
            message: from.message(message).name.clone(),
            counterpart: to.message(counterpart).name.clone(),
            conditions,
            plan,
        })
    }

    /// The message that is carried over.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The message that it becomes.
    #[must_use]
    pub fn counterpart(&self) -> &str {
        &self.counterpart
    }

    /// Whether the bytes are the same and mean the same, so that nothing is to be done.
    #[must_use]
    pub fn is_identity(&self) -> bool {
        self.plan.root.is_none()
    }

    /// What has to hold for a payload to be carried over, each as a sentence behind "as long as". Empty when nothing
    /// has to.
    #[must_use]
    pub fn conditions(&self) -> &[String] {
        &self.conditions
    }

    /// Carries a payload over: the bytes behind the header of one message become those of the other.
    ///
    /// # Errors
    ///
    /// When a value has no place in the other definition, or the payload is not of the first one. The error names the
    /// field.
    pub fn carry(&self, payload: &[u8]) -> Result<Vec<u8>, MappingError> {
        let carried = match self.plan.root {
            None => Ok(payload.to_vec()),
            Some(root) => carry::Carrier::new(&self.plan, payload).run(root),
        };
        carried.map_err(|fault| MappingError {
            message: self.message.clone(),
            counterpart: self.counterpart.clone(),
            path: fault.path(),
            obstacle: Box::new(fault.obstacle),
        })
    }
}

/// A mapping as it is carried out. Blocks are named by their place: a type may be held many times, level upon level.
#[derive(Clone, Debug, Default)]
struct Plan {
    /// The message's block; `None` when the bytes stay as they are.
    root: Option<usize>,
    blocks: Vec<Block>,
    enums: Vec<EnumMap>,
    unions: Vec<UnionMap>,
    /// Extents of the fields of source types whose values differ in size.
    measures: Vec<Vec<Extent>>,
}

/// The fields of a message or struct.
#[derive(Clone, Debug, Default)]
struct Block {
    /// Names and extents of the fields of the source, in their order.
    source: Vec<(String, Extent)>,
    /// Fields of the source that have to have these bytes, for the target has no place for others.
    dropped: Vec<(usize, Vec<u8>)>,
    /// The fields of the target, in their order.
    target: Vec<Target>,
}

/// How far a value of the source reaches.
#[derive(Clone, Debug)]
enum Extent {
    Fixed(usize),
    /// A struct whose values differ in size, in [`Plan::measures`].
    Measured(usize),
    /// So many elements of at least so many bytes.
    Array(usize, usize, Box<Self>),
    /// As many elements as the field of that index says, an integer of that kind.
    List {
        count: usize,
        repr: Scalar,
        min_len: usize,
        element: Box<Self>,
    },
    /// A `u32` and as many bytes.
    LongString,
}

/// A field of the target.
#[derive(Clone, Debug)]
struct Target {
    name: String,
    write: Write,
}

/// How a field of the target is written.
#[derive(Clone, Debug)]
enum Write {
    /// Always these bytes.
    Constant(Vec<u8>),
    /// The number of elements of the list that this field counts.
    Count { elements: Elements, repr: Scalar },
    /// What a field of the source becomes.
    Field { at: usize, how: Convert },
}

/// How many elements a list of the target gets.
#[derive(Clone, Copy, Debug)]
enum Elements {
    /// So many.
    Fixed(usize),
    /// As many as the source's field of that index counts.
    Counted { count: usize, repr: Scalar },
}

/// How a value of the source becomes one of the target.
#[derive(Clone, Debug)]
enum Convert {
    Copy,
    Integer { from: Scalar, to: Scalar, names: Option<usize> },
    Struct(usize),
    Union { map: usize, discriminator: usize, repr: Scalar },
    Text { from: Text, to: Text },
    Elements { elements: Elements, extent: Box<Extent>, how: Box<Self>, room: Room },
}

/// What an array or list of the target takes.
#[derive(Clone, Debug)]
enum Room {
    /// Any number.
    List,
    /// Exactly so many.
    Exactly(usize),
    /// So many; missing ones are these bytes, surplus ones have to be zero.
    Padded(usize, Vec<u8>),
}

/// Where text stands.
#[derive(Clone, Copy, Debug)]
enum Text {
    /// So many bytes, the last of which is a NUL.
    Fixed(usize),
    /// So many bytes.
    Bytes(usize),
    /// As many as a `u32` says.
    Long,
}

/// The values of one enum in another.
#[derive(Clone, Debug)]
struct EnumMap {
    is_flags: bool,
    /// Value of the source, its name, value of the target where it has that name.
    members: Vec<(i128, String, Option<i128>)>,
    /// Values that the target names.
    taken: Vec<i128>,
    /// Whether a value without counterpart may stay the number it is.
    is_open: bool,
}

/// The members of one union in another.
#[derive(Clone, Debug)]
struct UnionMap {
    from_len: usize,
    to_len: usize,
    /// Value of the discriminator, the member, and what becomes of it.
    cases: Vec<(i128, String, Option<Convert>, Extent)>,
}

impl EnumMap {
    /// The value in the other enum.
    fn map(&self, value: i128) -> Result<i128, Obstacle> {
        if self.is_flags { self.map_flags(value) } else { self.map_value(value) }
    }

    fn map_value(&self, value: i128) -> Result<i128, Obstacle> {
        let mut named = None;
        for (from, name, to) in self.members.iter().filter(|(from, ..)| *from == value) {
            match to {
                Some(to) => return Ok(*to),
                None => named = Some((*from, name)),
            }
        }
        match named {
            Some((_, name)) if !self.is_open || self.taken.contains(&value) => {
                Err(Obstacle::NoEnumerator { name: name.clone(), value })
            }
            None if self.taken.contains(&value) => {
                Err(Obstacle::NoEnumerator { name: "a value without a name".to_owned(), value })
            }
            _ => Ok(value),
        }
    }

    fn map_flags(&self, value: i128) -> Result<i128, Obstacle> {
        let (mut mapped, mut done) = (0, 0);
        for (from, _, to) in self.members.iter().filter(|(from, ..)| *from != 0 && value & from == *from) {
            if let Some(to) = to {
                mapped |= to;
                done |= from;
            }
        }
        let rest = value & !done;
        if rest == 0 {
            return Ok(mapped);
        }
        let name = self.members.iter().find(|(from, ..)| *from != 0 && rest & from == *from);
        let is_taken = self.taken.iter().any(|taken| taken & rest != 0);
        match name {
            Some((from, name, _)) if !self.is_open || is_taken => {
                Err(Obstacle::NoEnumerator { name: name.clone(), value: *from })
            }
            None if is_taken => {
                Err(Obstacle::NoEnumerator { name: "a bit without a name".to_owned(), value: rest })
            }
            _ => Ok(mapped | rest),
        }
    }
}

/// Whether a number is one of the scalar's.
fn fits(scalar: Scalar, value: i128) -> bool {
    match scalar {
        Scalar::Bool => value == 0 || value == 1,
        _ => number::wrap(scalar, value) == value,
    }
}
