//! What a message is, and what answers it.

use crate::{DecodeError, EncodeError, View, Viewed, Wire};

/// The words between a message's id and its payload, in the order they appear.
///
/// Every message starts with its id (`u16`, big endian). Requests go on with the client's index and a context; replies
/// and details with the context; events with the client's index. A few do otherwise (VPP 26.06: nine replies and
/// details start like requests, six messages have neither), so positions are a property of the message and never
/// guessed from its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Header {
    /// `id`: 2 bytes.
    Bare,
    /// `id, context`: 6 bytes. Most replies and details.
    Context,
    /// `id, client_index`: 6 bytes. Most events.
    Client,
    /// `id, client_index, context`: 10 bytes. Requests, and a few replies and details.
    ClientContext,
}

impl Header {
    /// Bytes before the payload, the id included.
    #[must_use]
    #[allow(clippy::len_without_is_empty)] // a header is never empty
    pub const fn len(self) -> usize {
        match self {
            Self::Bare => 2,
            Self::Context | Self::Client => 6,
            Self::ClientContext => 10,
        }
    }

    /// Offset of the client index (4 opaque bytes) from the start of the message.
    #[must_use]
    pub const fn client_index(self) -> Option<usize> {
        match self {
            Self::Client | Self::ClientContext => Some(2),
            Self::Bare | Self::Context => None,
        }
    }

    /// Offset of the context (`u32`, big endian, returned by VPP bit for bit) from the start of the message.
    #[must_use]
    pub const fn context(self) -> Option<usize> {
        match self {
            Self::Context => Some(2),
            Self::ClientContext => Some(6),
            Self::Bare | Self::Client => None,
        }
    }
}

/// The facts of a message that need no knowledge of its fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MessageInfo {
    /// VPP's name, for example `sw_interface_dump`.
    pub name: &'static str,
    /// The CRC of the definition. Name and CRC together identify a message to a running VPP.
    pub crc: u32,
    /// What stands before the payload.
    pub header: Header,
    /// Offset of `retval` (`i32`, big endian) from the start of the message, where the message has one.
    pub retval: Option<usize>,
}

impl MessageInfo {
    /// The key of the message in VPP's message table: `<name>_<crc, 8 hex digits>`.
    #[must_use]
    pub fn table_key(&self) -> String {
        format!("{}_{:08x}", self.name, self.crc)
    }
}

/// A message of VPP's binary API: a payload with a name and a CRC.
///
/// Implemented by generated code. The struct holds the payload only; a connection writes what stands before it.
pub trait Message: Wire + Clone + std::fmt::Debug + Send + Sync + 'static {
    /// Name, CRC, header and position of the return code.
    const INFO: MessageInfo;

    /// VPP's name of the message.
    const NAME: &'static str = Self::INFO.name;

    /// The CRC of the message's definition.
    const CRC: u32 = Self::INFO.crc;

    /// Reads a payload (what follows the header). Bytes after the end are ignored, as VPP's own are.
    ///
    /// # Errors
    ///
    /// When the payload is shorter than the message.
    fn from_payload(payload: &[u8]) -> Result<Self, DecodeError> {
        crate::decode(payload).map_err(|error| error.of(Self::NAME))
    }

    /// Reads a payload in place.
    ///
    /// # Errors
    ///
    /// When the payload is shorter than the message.
    fn view_payload(payload: &[u8]) -> Result<Self::View<'_>, DecodeError>
    where
        Self: Viewed,
    {
        <Self::View<'_> as View<'_>>::parse(payload).map_err(|error| error.of(Self::NAME))
    }

    /// Writes the payload into `buffer`, whose first [`Wire::encoded_len`] bytes are filled; returns that length.
    ///
    /// # Errors
    ///
    /// When a string or list does not fit its field, or the buffer is too small.
    fn encode_payload(&self, buffer: &mut [u8]) -> Result<usize, EncodeError> {
        crate::encode(self, buffer).map_err(|error| error.of(Self::NAME))
    }
}

/// The names and CRCs of message types, as a list that a connection can be asked for.
///
/// ```
/// use vpp_wire::MessageInfo;
///
/// const NEEDED: &[MessageInfo] = vpp_wire::messages![];
/// ```
#[macro_export]
macro_rules! messages {
    ($($message:ty),* $(,)?) => {
        &[$(<$message as $crate::Message>::INFO),*]
    };
}

/// A message that VPP answers with one reply.
pub trait Request: Message {
    /// The reply. Its `retval`, where it has one, is below zero when VPP refused.
    type Reply: Message;
}

/// A message that VPP answers with a stream of details.
pub trait Dump: Message {
    /// An element of the stream.
    type Details: Message;

    /// What ends the stream.
    const END: StreamEnd;
}

/// A [`Dump`] whose stream ends with a reply of its own.
pub trait Stream: Dump {
    /// The message that ends the stream.
    type Reply: Message;
}

/// What ends the stream of details that answers a [`Dump`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamEnd {
    /// Nothing of its own: the client sends a `control_ping` right behind, whose reply cannot overtake the details.
    ControlPing,
    /// A reply with the request's context.
    Reply {
        /// The reply.
        reply: &'static MessageInfo,
        /// Where the position to continue from stands, for streams that VPP may interrupt.
        cursor: Option<Cursor>,
    },
}

/// Where the `cursor` (`u32`, big endian) of an interruptible stream stands, in bytes from the start of the message.
///
/// VPP ends a part with `retval` −165 (`EAGAIN`); the client repeats the request with the reply's cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// In the request.
    pub request: usize,
    /// In the reply. Valid only together with `EAGAIN`.
    pub reply: usize,
}

/// A message that VPP sends unasked to clients that registered for it.
pub trait Event: Message {}

/// An [`Event`] that a request with nothing to choose switches on and off.
pub trait Subscribe: Event {
    /// The request, for example `want_interface_events`.
    type Registration: Request;

    /// The request that switches the events on or off. `pid` comes back in each event; by convention it is the
    /// client's process id.
    fn registration(enable: bool, pid: u32) -> Self::Registration;
}
