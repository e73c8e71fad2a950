//! Addresses as VPP writes them, convertible from and to `std::net` and text.

mod address;
mod mac;
mod prefix;

pub use address::Address;
pub use mac::MacAddress;
pub use prefix::{Ip4Prefix, Ip6Prefix, Prefix};

/// A text that is not the address it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not {expected}")]
#[non_exhaustive]
pub struct ParseAddressError {
    /// The text.
    pub text: String,
    /// What it should be, with an example.
    pub expected: &'static str,
}

impl ParseAddressError {
    fn new(text: &str, expected: &'static str) -> Self {
        Self { text: text.to_owned(), expected }
    }
}
