//! What handlers read.

use std::net::IpAddr;

use serde_json::{Map, Value};
use vpp_wire::MacAddress;

use crate::state::prefix::{Family, Prefix};

/// The fields of a request, or of a block in one. What is not there, or is of another kind in this release, reads as
/// zero.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields<'a>(pub(crate) &'a Map<String, Value>);

impl<'a> Fields<'a> {
    pub(crate) fn u32(self, name: &str) -> u32 {
        self.0.get(name).and_then(Value::as_u64).and_then(|value| u32::try_from(value).ok()).unwrap_or(0)
    }

    pub(crate) fn u8(self, name: &str) -> u8 {
        u8::try_from(self.u32(name)).unwrap_or(0)
    }

    pub(crate) fn f64(self, name: &str) -> f64 {
        self.0.get(name).and_then(Value::as_f64).unwrap_or(0.0)
    }

    /// A `bool`, or an integer used as one.
    pub(crate) fn flag(self, name: &str) -> bool {
        match self.0.get(name) {
            Some(Value::Bool(value)) => *value,
            _ => self.u32(name) != 0,
        }
    }

    /// A string, or the name of an enum's value; empty for a value without a name.
    pub(crate) fn text(self, name: &str) -> &'a str {
        self.0.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// A string that goes back in a field of `size` bytes, the last of which VPP keeps as NUL.
    pub(crate) fn text_for(self, name: &str, size: usize) -> String {
        let text = self.text(name);
        let mut end = text.len().min(size - 1);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text[..end].to_owned()
    }

    /// Whether a set of flags holds one. Sets that the definition calls an enum read as a name or, with several members,
    /// as a number.
    pub(crate) fn has(self, name: &str, member: &str, bit: u32) -> bool {
        match self.0.get(name) {
            Some(Value::Array(members)) => members.iter().any(|value| value.as_str() == Some(member)),
            Some(Value::String(only)) => only == member,
            _ => self.u32(name) & bit != 0,
        }
    }

    pub(crate) fn mac(self, name: &str) -> MacAddress {
        self.text(name).parse().unwrap_or_default()
    }

    /// `None` for an address of an unknown family. The length may exceed what the family has; then it is no text.
    pub(crate) fn prefix(self, name: &str) -> Option<Prefix> {
        match self.block(name) {
            Some(parts) => Some(Prefix::new(parts.address("address")?, parts.u8("len"))),
            None => self.text(name).parse().ok(),
        }
    }

    /// `None` for an address of an unknown family.
    pub(crate) fn address(self, name: &str) -> Option<IpAddr> {
        self.text(name).parse().ok()
    }

    /// The member of an `address_union` that a family outside of it selects.
    pub(crate) fn address_of(self, name: &str, family: Family) -> IpAddr {
        let member = if family.is_ip6() { "ip6" } else { "ip4" };
        self.block(name).and_then(|union| union.address(member)).unwrap_or(family.unspecified())
    }

    /// A nested block.
    pub(crate) fn block(self, name: &str) -> Option<Self> {
        self.0.get(name).and_then(Value::as_object).map(Self)
    }

    /// A list of blocks.
    pub(crate) fn blocks(self, name: &str) -> impl Iterator<Item = Self> {
        let elements = self.0.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        elements.iter().filter_map(Value::as_object).map(Self)
    }

    /// A list of integers.
    pub(crate) fn numbers<const N: usize>(self, name: &str) -> [u32; N] {
        let elements = self.0.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        std::array::from_fn(|index| {
            elements
                .get(index)
                .and_then(Value::as_u64)
                .and_then(|value| u32::try_from(value).ok())
                .unwrap_or(0)
        })
    }
}
