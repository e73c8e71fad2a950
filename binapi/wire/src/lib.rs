//! The runtime of generated VPP binary-API messages.
//!
//! A generated message is a plain struct that carries payload only. Its message id, client index and context belong
//! to the connection; count fields and union discriminators are derived by the encoder. What every message has in
//! common is here: the traits that name a message and what answers it ([`Message`], [`Request`], [`Dump`],
//! [`Event`]), the [`Encoder`] and [`Decoder`] of VPP's packed big-endian encoding, [`View`]s that read received
//! bytes in place, and the types that stand for VPP's addresses and times.
//!
//! # Invariants
//!
//! * Bytes of a peer never panic and never allocate more than a small multiple of their own length. The
//!   [`Decoder`] returns zeros past the end and remembers the first fault; [`Decoder::finish`] reports it.
//! * Encoding writes exactly [`Wire::encoded_len`] bytes into the caller's buffer or reports why not. A string that
//!   does not fit is an error and never cut.
//! * Unknown enum values, flag bits and union members survive a round trip.
//!
//! ```
//! use vpp_wire::{Prefix, Wire};
//!
//! let prefix: Prefix = "10.1.0.0/16".parse()?;
//! let mut bytes = [0; 18];
//! vpp_wire::encode(&prefix, &mut bytes)?;
//! assert_eq!(bytes[..6], [0, 10, 1, 0, 0, 0]);
//! assert_eq!(vpp_wire::decode::<Prefix>(&bytes)?, prefix);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod api_error;
mod decode;
mod encode;
#[cfg(feature = "json")]
pub mod json;
mod message;
mod net;
mod open_enum;
mod time;
mod union;
mod view;
mod wire_type;

pub use api_error::ApiError;
pub use decode::{DecodeError, DecodeFault, Decoder, decode};
pub use encode::{EncodeError, EncodeFault, Encoder, encode, encode_to_vec};
pub use message::{Cursor, Dump, Event, Header, Message, MessageInfo, Request, Stream, StreamEnd, Subscribe};
pub use net::{Address, Ip4Prefix, Ip6Prefix, MacAddress, ParseAddressError, Prefix};
pub use open_enum::{OpenEnum, ParseEnumError, format_flags, format_open_enum, parse_flags, parse_open_enum};
pub use time::{TimeDelta, Timestamp};
pub use union::{Union, member_bytes};
pub use view::{
    Items, ItemsIter, Span, View, Viewed, array_at, count_at, f64_at, text, union_at, value_at, view_at,
};
pub use wire_type::{Count, FixedSize, Wire};
