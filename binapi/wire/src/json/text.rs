//! Types that stand in JSON as text: addresses, prefixes, times; and bytes.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde_json::Value;

use super::{JsonFault, float_to_json, time};
use crate::{Address, Ip4Prefix, Ip6Prefix, MacAddress, ParseAddressError, Prefix, TimeDelta, Timestamp};

/// A type whose values are text (for a duration and some points in time, a number).
pub trait TextForm: Sized {
    /// The text; `None` when it could not be read back: an unknown family, a length beyond the address. Then the parts
    /// have to be shown.
    fn show_text(&self) -> Option<Value>;

    /// The value of a text (and of a number, for times); `None` for JSON that shows the type's parts.
    ///
    /// # Errors
    ///
    /// When the text is not what it should be.
    fn parse_text(json: &Value) -> Option<Result<Self, JsonFault>> {
        match json {
            Value::String(text) => Some(Self::from_text(text)),
            _ => None,
        }
    }

    /// The value of a text.
    ///
    /// # Errors
    ///
    /// When the text is not what it should be.
    fn from_text(text: &str) -> Result<Self, JsonFault>;
}

/// `"0x…"` stands for the bytes of a type that is an array of bytes.
fn parse_unless_hex<T: TextForm>(json: &Value) -> Option<Result<T, JsonFault>> {
    match json {
        Value::String(text) if !text.starts_with("0x") => Some(T::from_text(text)),
        _ => None,
    }
}

fn parse_address<T: std::str::FromStr<Err = ParseAddressError>>(text: &str) -> Result<T, JsonFault> {
    text.parse().map_err(|error: ParseAddressError| JsonFault::text(text, error.expected))
}

impl TextForm for Address {
    fn show_text(&self) -> Option<Value> {
        address_text(*self).map(Value::from)
    }

    fn from_text(text: &str) -> Result<Self, JsonFault> {
        parse_address(text)
    }
}

impl TextForm for Prefix {
    fn show_text(&self) -> Option<Value> {
        let text = address_text(self.address)?;
        (self.len <= self.address.bits()).then(|| format!("{text}/{}", self.len).into())
    }

    fn from_text(text: &str) -> Result<Self, JsonFault> {
        parse_address(text)
    }
}

impl TextForm for Ip4Prefix {
    fn show_text(&self) -> Option<Value> {
        (self.len <= 32).then(|| self.to_string().into())
    }

    fn from_text(text: &str) -> Result<Self, JsonFault> {
        parse_address(text)
    }
}

impl TextForm for Ip6Prefix {
    fn show_text(&self) -> Option<Value> {
        (self.len <= 128).then(|| format!("{}/{}", ip6_text(self.address), self.len).into())
    }

    fn from_text(text: &str) -> Result<Self, JsonFault> {
        parse_address(text)
    }
}

impl TextForm for Ipv4Addr {
    fn show_text(&self) -> Option<Value> {
        Some(self.to_string().into())
    }

    fn parse_text(json: &Value) -> Option<Result<Self, JsonFault>> {
        parse_unless_hex(json)
    }

    fn from_text(text: &str) -> Result<Self, JsonFault> {
        text.parse().map_err(|_| JsonFault::text(text, "an IPv4 address (10.0.0.1)"))
    }
}

impl TextForm for Ipv6Addr {
    fn show_text(&self) -> Option<Value> {
        Some(ip6_text(*self).into())
    }

    fn parse_text(json: &Value) -> Option<Result<Self, JsonFault>> {
        parse_unless_hex(json)
    }

    fn from_text(text: &str) -> Result<Self, JsonFault> {
        text.parse().map_err(|_| JsonFault::text(text, "an IPv6 address (2001:db8::1)"))
    }
}

impl TextForm for MacAddress {
    fn show_text(&self) -> Option<Value> {
        Some(self.to_string().into())
    }

    fn parse_text(json: &Value) -> Option<Result<Self, JsonFault>> {
        parse_unless_hex(json)
    }

    fn from_text(text: &str) -> Result<Self, JsonFault> {
        parse_address(text)
    }
}

impl TextForm for Timestamp {
    fn show_text(&self) -> Option<Value> {
        Some(time::to_json(self.0))
    }

    fn parse_text(json: &Value) -> Option<Result<Self, JsonFault>> {
        Some(time::from_json(json).map(Self))
    }

    fn from_text(text: &str) -> Result<Self, JsonFault> {
        time::parse(text).map(Self)
    }
}

impl TextForm for TimeDelta {
    fn show_text(&self) -> Option<Value> {
        Some(float_to_json(self.0))
    }

    fn parse_text(json: &Value) -> Option<Result<Self, JsonFault>> {
        Some(time::from_json(json).map(Self))
    }

    fn from_text(text: &str) -> Result<Self, JsonFault> {
        time::parse(text).map(Self)
    }
}

fn address_text(address: Address) -> Option<String> {
    match address {
        Address::V4(address) => Some(address.to_string()),
        Address::V6(address) => Some(ip6_text(address)),
        Address::Unknown { .. } => None,
    }
}

/// As VPP writes it: `::ffff:a00:1`. VPP would read `::ffff:10.0.0.1` as another address without complaint.
fn ip6_text(address: Ipv6Addr) -> String {
    match (address.to_ipv4_mapped(), address.segments()) {
        (Some(_), [.., high, low]) => format!("::ffff:{high:x}:{low:x}"),
        (None, _) => address.to_string(),
    }
}

/// Bytes as `0x…`.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(2 + 2 * bytes.len());
    text.push_str("0x");
    for byte in bytes {
        text.push(DIGITS[usize::from(byte >> 4)].into());
        text.push(DIGITS[usize::from(byte & 15)].into());
    }
    text
}

/// The bytes of `0x…`.
///
/// # Errors
///
/// When the text is something else.
pub fn from_hex(text: &str) -> Result<Vec<u8>, JsonFault> {
    let bad = || JsonFault::text(text, "bytes in hexadecimal (0x00ff)");
    let digits = text.strip_prefix("0x").ok_or_else(bad)?;
    if !digits.len().is_multiple_of(2) {
        return Err(bad());
    }
    let value = |digit: u8| char::from(digit).to_digit(16).map(|value| value as u8).ok_or_else(bad);
    digits.as_bytes().chunks_exact(2).map(|pair| Ok(value(pair[0])? << 4 | value(pair[1])?)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn addresses_as_vpp_writes_them() {
        let mapped: Ipv6Addr = "::ffff:10.0.0.1".parse().unwrap();
        assert_eq!(mapped.show_text(), Some(json!("::ffff:a00:1")));
        for text in ["::ffff:a00:1", "::ffff:10.0.0.1"] {
            assert_eq!(Ipv6Addr::parse_text(&json!(text)), Some(Ok(mapped)));
        }
        assert_eq!(Ipv6Addr::UNSPECIFIED.show_text(), Some(json!("::")));
        assert_eq!(
            Ipv4Addr::parse_text(&json!("10.0.0")).unwrap().unwrap_err().to_string(),
            "\"10.0.0\" is not an IPv4 address (10.0.0.1)"
        );
    }

    #[test]
    fn what_text_cannot_hold_is_left_to_the_parts() {
        let v4 = Address::default();
        let v6 = Address::V6(Ipv6Addr::UNSPECIFIED);
        let unknown = Address::Unknown { family: 2, bytes: [0; 16] };
        assert_eq!(Prefix { address: v4, len: 33 }.show_text(), None);
        assert_eq!(Prefix { address: v6, len: 33 }.show_text(), Some(json!("::/33")));
        assert_eq!(Prefix { address: unknown, len: 33 }.show_text(), None);
        assert_eq!(unknown.show_text(), None);
        assert_eq!(Ip4Prefix { address: Ipv4Addr::new(10, 0, 0, 1), len: 33 }.show_text(), None);
    }

    #[test]
    fn hexadecimal_both_ways() {
        assert_eq!(hex(&[]), "0x");
        assert_eq!(hex(&[0, 0xaf]), "0x00af");
        assert_eq!(from_hex("0x00aF").unwrap(), [0, 0xaf]);
        for bad in ["", "00", "0x0", "0x0g", "0x+1", "0xé"] {
            assert!(from_hex(bad).is_err(), "{bad}");
        }
    }
}
