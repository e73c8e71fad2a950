//! What is wrong with a JSON value.

use serde_json::Value;

/// What is wrong with a JSON value.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonFault {
    /// The message or type has no field of this name.
    #[error("no such field{}; there {}", hint(nearest), listed(known))]
    UnknownField {
        /// The name that is most like it.
        nearest: Option<String>,
        /// The fields there are.
        known: Vec<String>,
    },
    /// The enum has no member of this name.
    #[error("{name:?} is no member of {of}{}; there {}", hint(nearest), listed(known))]
    UnknownName {
        /// The name given.
        name: String,
        /// The enum.
        of: String,
        /// The name that is most like it.
        nearest: Option<String>,
        /// The members there are.
        known: Vec<String>,
    },
    /// Another kind of JSON value belongs here.
    #[error("expected {expected}, found {found}")]
    Kind {
        /// What belongs here.
        expected: String,
        /// What stands here.
        found: String,
    },
    /// The number does not fit its type.
    #[error("{number} does not fit {ty} ({min} to {max})")]
    Range {
        /// The number given.
        number: String,
        /// The type.
        ty: &'static str,
        /// Its least value.
        min: i128,
        /// Its greatest value.
        max: i128,
    },
    /// The text is not what it should be.
    #[error("{text:?} is not {expected}")]
    Text {
        /// The text given.
        text: String,
        /// What it should be, with an example.
        expected: String,
    },
    /// The text is longer than its field holds. Shorten it: VPP would see it cut.
    #[error("the text is {len} bytes long, the field holds {max}")]
    StringTooLong {
        /// Bytes of the text.
        len: usize,
        /// Bytes that fit, the final NUL not counted.
        max: usize,
    },
    /// The text has a NUL inside, where VPP would see it end.
    #[error("the text contains a NUL")]
    StringHasNul,
    /// An array of fixed size has another number of elements.
    #[error("expected {expected} elements, found {found}")]
    Length {
        /// Elements of the array.
        expected: usize,
        /// Elements given.
        found: usize,
    },
    /// The list has more elements than its count can tell.
    #[error("{len} elements are more than the {ty} of its count can tell")]
    ListTooLong {
        /// Elements given.
        len: usize,
        /// Type of the count.
        ty: &'static str,
    },
    /// A field that follows from another one says otherwise. Leave it out.
    #[error("{given} contradicts {field}, which has {has}; leave it out, it is derived")]
    Contradiction {
        /// What the field says.
        given: String,
        /// The field it follows from.
        field: String,
        /// What that one has.
        has: String,
    },
    /// Not exactly one member of a union is given, and nothing else says which one counts.
    #[error("expected one member of the union, found {found}; there {}", listed(known))]
    Members {
        /// Members given.
        found: usize,
        /// The members there are.
        known: Vec<String>,
    },
    /// The discriminator selects no member: only bytes can stand here.
    #[error("{discriminator} is {value}, which selects no member; give the bytes as \"0x…\"")]
    NotSelected {
        /// The discriminator's field.
        discriminator: String,
        /// Its value.
        value: i128,
    },
    /// Two members of a union without a discriminator have different bytes. Give one of them.
    #[error("{first} and {second} have different bytes; give one of them")]
    MembersDiffer {
        /// One member.
        first: String,
        /// The other.
        second: String,
    },
    /// `_msgname` names another message.
    #[error("this is a {found}")]
    OtherMessage {
        /// The name given.
        found: String,
    },
    /// `_crc` is that of another definition of the message.
    #[error("{found} is another definition of the message; this one is {expected:08x}")]
    OtherCrc {
        /// The CRC given.
        found: String,
        /// The CRC of this definition.
        expected: u32,
    },
    /// The message would exceed the size that is ever sent.
    #[error("the message exceeds {max} bytes")]
    TooLarge {
        /// The most bytes of a payload.
        max: usize,
    },
    /// The definition itself contradicts itself here.
    #[error("the definition is at fault: {what}")]
    Definition {
        /// How.
        what: &'static str,
    },
}

impl JsonFault {
    /// Another kind of value than belongs here.
    pub fn kind(expected: impl Into<String>, found: &Value) -> Self {
        Self::Kind { expected: expected.into(), found: describe(found) }
    }

    /// A text that is not what it should be.
    pub fn text(text: &str, expected: impl Into<String>) -> Self {
        Self::Text { text: shortened(text), expected: expected.into() }
    }

    /// A field that is not among those there are.
    pub fn unknown_field<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Self {
        let known: Vec<String> = known.map(str::to_owned).collect();
        Self::UnknownField { nearest: nearest(name, &known), known }
    }

    /// A name that is not among the members of an enum.
    pub fn unknown_name<'n>(name: &str, of: &str, known: impl Iterator<Item = &'n str>) -> Self {
        let known: Vec<String> = known.map(str::to_owned).collect();
        Self::UnknownName {
            name: shortened(name),
            of: of.to_owned(),
            nearest: nearest(&name.to_uppercase(), &known),
            known,
        }
    }
}

/// The name most like another, where one is like it at all.
fn nearest(name: &str, known: &[String]) -> Option<String> {
    known
        .iter()
        .map(|candidate| (strsim::jaro_winkler(name, candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate.clone())
}

fn hint(nearest: &Option<String>) -> String {
    nearest.as_ref().map(|name| format!("; did you mean {name}?")).unwrap_or_default()
}

/// `are a, b, c`; long lists are cut: `vppkit show` prints them whole.
fn listed(known: &[String]) -> String {
    const SHOWN: usize = 40;
    match known {
        [] => "is none".to_owned(),
        [one] => format!("is {one}"),
        _ if known.len() > SHOWN => {
            format!("are {} and {} more", known[..SHOWN].join(", "), known.len() - SHOWN)
        }
        _ => format!("are {}", known.join(", ")),
    }
}

/// A value as an error shows it: short, whatever its size.
fn describe(value: &Value) -> String {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::String(text) => format!("{:?}", shortened(text)),
        Value::Array(elements) => format!("an array of {} elements", elements.len()),
        Value::Object(fields) => format!("an object of {} fields", fields.len()),
    }
}

fn shortened(text: &str) -> String {
    const SHOWN: usize = 60;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
