//! Serde for values that read and write themselves as text: addresses, prefixes and MAC addresses of VPP's messages.
//!
//! ```
//! use vpp_agent_kernel::{schemars, serde};
//! use vpp_wire::Prefix;
//!
//! #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
//! # #[serde(crate = "vpp_agent_kernel::serde")]
//! # #[schemars(crate = "vpp_agent_kernel::schemars")]
//! struct Address {
//!     interface: String,
//!     #[serde(with = "vpp_agent_vpp::text")]
//!     #[schemars(with = "String")]
//!     address: Prefix,
//! }
//! ```

use std::fmt::Display;
use std::str::FromStr;

use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

/// Writes it as text.
///
/// # Errors
///
/// Those of the format.
pub fn serialize<T: Display, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(value)
}

/// Reads it from text.
///
/// # Errors
///
/// When the text is none, or not of the type.
pub fn deserialize<'de, T: FromStr<Err: Display>, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
    let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
    text.parse().map_err(|error| D::Error::custom(format_args!("{text:?}: {error}")))
}
