//! Why the JSON and the bytes of a message do not become each other.

pub use vpp_wire::json::JsonFault;

/// A message that cannot be encoded from its JSON form, or bytes that cannot be decoded to it.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CodecError {
    /// The JSON is not a value of the message. Correct what stands at the path.
    #[error("cannot encode {message}: {}{fault}", place(path))]
    Encode {
        /// VPP's name of the message.
        message: String,
        /// Where in the JSON: `route.paths[2].nh.address`; empty for the whole of it.
        path: String,
        /// What is wrong there.
        fault: Box<JsonFault>,
    },
    /// The bytes are not the message: it was cut, or its definition is another one than the sender's.
    #[error("cannot decode {message}: {}payload byte {offset}: {fault}", place(path))]
    Decode {
        /// VPP's name of the message.
        message: String,
        /// The field that was being read; empty before the first.
        path: String,
        /// Offset of the fault from the start of the payload.
        offset: usize,
        /// What is wrong there.
        fault: ByteFault,
    },
    /// The bytes end within the words before the payload.
    #[error("cannot decode {message}: its header takes {needed} bytes, there are {len}")]
    NoHeader {
        /// VPP's name of the message.
        message: String,
        /// Bytes of the header.
        needed: usize,
        /// Bytes given.
        len: usize,
    },
}

fn place(path: &str) -> String {
    if path.is_empty() { String::new() } else { format!("{path}: ") }
}

/// What is wrong with the bytes of a message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ByteFault {
    /// The message ends before the field does.
    #[error("{needed} bytes expected, {room} are left")]
    Truncated {
        /// Bytes of the field.
        needed: usize,
        /// Bytes left.
        room: usize,
    },
    /// A count tells of more elements than the message has bytes for.
    #[error("{count} elements of at least {size} bytes claimed, {room} bytes are left")]
    CountTooLarge {
        /// The count on the wire.
        count: u64,
        /// The fewest bytes an element takes.
        size: usize,
        /// Bytes left.
        room: usize,
    },
    /// The definition itself contradicts itself here.
    #[error("the definition is at fault: {what}")]
    Definition {
        /// How.
        what: &'static str,
    },
}
