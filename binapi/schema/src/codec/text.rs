//! Types that stand in JSON as text: addresses, prefixes, times; and bytes.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde_json::Value;
use vpp_wire::{Address, Ip4Prefix, Ip6Prefix, MacAddress, Prefix, Wire};

use super::{error::JsonFault, time};
use crate::layout::Layout;
use crate::model::{Api, Field, FieldType, Scalar, TypeId, TypeKind, TypeRef};

/// A type whose values are text. Others that merely have the same name are what their definition says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TextType {
    Address,
    Prefix,
    Ip4Address,
    Ip6Address,
    Ip4Prefix,
    Ip6Prefix,
    MacAddress,
    Timestamp,
    TimeDelta,
}

impl TextType {
    /// What the type of an id is. Aliases of these types need no mention, they lead here.
    pub(super) fn of(api: &Api, id: TypeId) -> Option<Self> {
        let definition = api.ty(id);
        Some(match (definition.name.as_str(), &definition.kind) {
            ("address", TypeKind::Struct(fields)) if is_address(api, fields) => Self::Address,
            ("prefix", TypeKind::Struct(fields)) if is_prefix(api, fields, Self::Address) => Self::Prefix,
            ("ip4_address", TypeKind::Alias(BYTES_4)) => Self::Ip4Address,
            ("ip6_address", TypeKind::Alias(BYTES_16)) => Self::Ip6Address,
            ("ip4_prefix", TypeKind::Struct(fields)) if is_prefix(api, fields, Self::Ip4Address) => {
                Self::Ip4Prefix
            }
            ("ip6_prefix", TypeKind::Struct(fields)) if is_prefix(api, fields, Self::Ip6Address) => {
                Self::Ip6Prefix
            }
            ("mac_address", TypeKind::Alias(BYTES_6)) => Self::MacAddress,
            ("timestamp", TypeKind::Alias(FLOAT)) => Self::Timestamp,
            ("timedelta", TypeKind::Alias(FLOAT)) => Self::TimeDelta,
            _ => return None,
        })
    }

    /// Bytes of a value.
    pub(super) const fn len(self) -> usize {
        match self {
            Self::Address => Address::MIN_LEN,
            Self::Prefix => Prefix::MIN_LEN,
            Self::Ip4Address => Ipv4Addr::MIN_LEN,
            Self::Ip6Address => Ipv6Addr::MIN_LEN,
            Self::Ip4Prefix => Ip4Prefix::MIN_LEN,
            Self::Ip6Prefix => Ip6Prefix::MIN_LEN,
            Self::MacAddress => MacAddress::MIN_LEN,
            Self::Timestamp | Self::TimeDelta => f64::MIN_LEN,
        }
    }

    /// The text of [`TextType::len`] bytes (for a duration and some points in time, a number); `None` when it could not be
    /// read back: an unknown family, a length beyond the address. Then the parts have to be shown.
    pub(super) fn show(self, bytes: &[u8]) -> Option<Value> {
        Some(match self {
            Self::Address => address_text(value(bytes)?)?.into(),
            Self::Prefix => {
                let prefix: Prefix = value(bytes)?;
                let text = address_text(prefix.address)?;
                (prefix.len <= prefix.address.bits()).then(|| format!("{text}/{}", prefix.len))?.into()
            }
            Self::Ip4Address => value::<Ipv4Addr>(bytes)?.to_string().into(),
            Self::Ip6Address => ip6_text(value(bytes)?).into(),
            Self::Ip4Prefix => {
                let prefix: Ip4Prefix = value(bytes)?;
                (prefix.len <= 32).then(|| prefix.to_string())?.into()
            }
            Self::Ip6Prefix => {
                let prefix: Ip6Prefix = value(bytes)?;
                (prefix.len <= 128).then(|| format!("{}/{}", ip6_text(prefix.address), prefix.len))?.into()
            }
            Self::MacAddress => value::<MacAddress>(bytes)?.to_string().into(),
            Self::Timestamp => time::to_json(value(bytes)?),
            Self::TimeDelta => super::number::float_to_json(value(bytes)?),
        })
    }

    /// The bytes of a text (and of a number, for times); `None` for JSON that shows the type's parts.
    pub(super) fn parse(self, json: &Value) -> Option<Result<Vec<u8>, JsonFault>> {
        match (self, json) {
            (Self::Timestamp | Self::TimeDelta, _) => {
                Some(time::from_json(json).and_then(|time| bytes(&time)))
            }
            (Self::Ip4Address | Self::Ip6Address | Self::MacAddress, Value::String(text))
                if text.starts_with("0x") =>
            {
                None
            }
            (_, Value::String(text)) => Some(self.parse_text(text)),
            _ => None,
        }
    }

    fn parse_text(self, text: &str) -> Result<Vec<u8>, JsonFault> {
        let bad = |error: vpp_wire::ParseAddressError| JsonFault::text(text, error.expected);
        match self {
            Self::Address => bytes(&text.parse::<Address>().map_err(bad)?),
            Self::Prefix => bytes(&text.parse::<Prefix>().map_err(bad)?),
            Self::Ip4Prefix => bytes(&text.parse::<Ip4Prefix>().map_err(bad)?),
            Self::Ip6Prefix => bytes(&text.parse::<Ip6Prefix>().map_err(bad)?),
            Self::MacAddress => bytes(&text.parse::<MacAddress>().map_err(bad)?),
            Self::Ip4Address => match text.parse::<Ipv4Addr>() {
                Ok(address) => bytes(&address),
                Err(_) => Err(JsonFault::text(text, "an IPv4 address (10.0.0.1)")),
            },
            Self::Ip6Address => match text.parse::<Ipv6Addr>() {
                Ok(address) => bytes(&address),
                Err(_) => Err(JsonFault::text(text, "an IPv6 address (2001:db8::1)")),
            },
            Self::Timestamp | Self::TimeDelta => bytes(&time::parse(text)?),
        }
    }
}

const BYTES_4: FieldType = FieldType::Array(TypeRef::Scalar(Scalar::U8), 4);
const BYTES_6: FieldType = FieldType::Array(TypeRef::Scalar(Scalar::U8), 6);
const BYTES_16: FieldType = FieldType::Array(TypeRef::Scalar(Scalar::U8), 16);
const BYTE: FieldType = FieldType::One(TypeRef::Scalar(Scalar::U8));
const FLOAT: FieldType = FieldType::One(TypeRef::Scalar(Scalar::F64));

/// Up to VPP 20.01 the family takes four bytes: such an address is shown in its parts.
fn is_address(api: &Api, fields: &[Field]) -> bool {
    let [family, union] = fields else { return false };
    let FieldType::One(TypeRef::Named(id)) = union.ty else { return false };
    let TypeKind::Union(members) = &api.ty(id).kind else { return false };
    let [ip4, ip6] = members.as_slice() else { return false };
    api.layout_of(family.ty) == Layout::Fixed(1)
        && is(api, ip4.ty, TextType::Ip4Address)
        && is(api, ip6.ty, TextType::Ip6Address)
}

fn is_prefix(api: &Api, fields: &[Field], of: TextType) -> bool {
    matches!(fields, [address, len] if is(api, address.ty, of) && len.ty == BYTE)
}

fn is(api: &Api, ty: FieldType, expected: TextType) -> bool {
    matches!(ty, FieldType::One(TypeRef::Named(id)) if TextType::of(api, id) == Some(expected))
}

fn value<T: Wire>(bytes: &[u8]) -> Option<T> {
    vpp_wire::decode(bytes).ok()
}

fn bytes<T: Wire>(value: &T) -> Result<Vec<u8>, JsonFault> {
    // These types have a fixed size and neither strings nor lists.
    vpp_wire::encode_to_vec(value).map_err(|_| JsonFault::Definition { what: "a value has no bytes" })
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
pub(super) fn hex(bytes: &[u8]) -> String {
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
pub(super) fn from_hex(text: &str) -> Result<Vec<u8>, JsonFault> {
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
        let mut mapped = [0; 16];
        mapped[10..].copy_from_slice(&[0xff, 0xff, 10, 0, 0, 1]);
        assert_eq!(TextType::Ip6Address.show(&mapped), Some(json!("::ffff:a00:1")));
        for text in ["::ffff:a00:1", "::ffff:10.0.0.1"] {
            assert_eq!(TextType::Ip6Address.parse(&json!(text)).unwrap().unwrap(), mapped);
        }
        assert_eq!(TextType::Ip6Address.show(&[0; 16]), Some(json!("::")));
        assert_eq!(
            TextType::Ip4Address.parse(&json!("10.0.0")).unwrap().unwrap_err().to_string(),
            "\"10.0.0\" is not an IPv4 address (10.0.0.1)"
        );
    }

    #[test]
    fn what_text_cannot_hold_is_left_to_the_parts() {
        let mut prefix = [0; 18];
        prefix[17] = 33;
        assert_eq!(TextType::Prefix.show(&prefix), None);
        prefix[0] = 1;
        assert_eq!(TextType::Prefix.show(&prefix), Some(json!("::/33")));
        prefix[0] = 2;
        assert_eq!(TextType::Prefix.show(&prefix), None);
        assert_eq!(TextType::Address.show(&prefix[..17]), None);
        assert_eq!(TextType::Ip4Prefix.show(&[10, 0, 0, 1, 33]), None);
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
