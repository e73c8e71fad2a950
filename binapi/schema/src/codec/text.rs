//! Types that stand in JSON as text: addresses, prefixes, times.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde_json::Value;
use vpp_wire::json::{JsonFault, TextForm};
use vpp_wire::{Address, Ip4Prefix, Ip6Prefix, MacAddress, Prefix, TimeDelta, Timestamp, Wire};

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
        match self {
            Self::Address => show::<Address>(bytes),
            Self::Prefix => show::<Prefix>(bytes),
            Self::Ip4Address => show::<Ipv4Addr>(bytes),
            Self::Ip6Address => show::<Ipv6Addr>(bytes),
            Self::Ip4Prefix => show::<Ip4Prefix>(bytes),
            Self::Ip6Prefix => show::<Ip6Prefix>(bytes),
            Self::MacAddress => show::<MacAddress>(bytes),
            Self::Timestamp => show::<Timestamp>(bytes),
            Self::TimeDelta => show::<TimeDelta>(bytes),
        }
    }

    /// The bytes of a text (and of a number, for times); `None` for JSON that shows the type's parts.
    pub(super) fn parse(self, json: &Value) -> Option<Result<Vec<u8>, JsonFault>> {
        match self {
            Self::Address => parse::<Address>(json),
            Self::Prefix => parse::<Prefix>(json),
            Self::Ip4Address => parse::<Ipv4Addr>(json),
            Self::Ip6Address => parse::<Ipv6Addr>(json),
            Self::Ip4Prefix => parse::<Ip4Prefix>(json),
            Self::Ip6Prefix => parse::<Ip6Prefix>(json),
            Self::MacAddress => parse::<MacAddress>(json),
            Self::Timestamp => parse::<Timestamp>(json),
            Self::TimeDelta => parse::<TimeDelta>(json),
        }
    }
}

fn show<T: Wire + TextForm>(bytes: &[u8]) -> Option<Value> {
    vpp_wire::decode::<T>(bytes).ok()?.show_text()
}

fn parse<T: Wire + TextForm>(json: &Value) -> Option<Result<Vec<u8>, JsonFault>> {
    // These types have a fixed size and neither strings nor lists.
    let what = "a value has no bytes";
    let bytes = |value: T| vpp_wire::encode_to_vec(&value).map_err(|_| JsonFault::Definition { what });
    Some(T::parse_text(json)?.and_then(bytes))
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
