//! The hand-written types: text, or their parts where text cannot hold them.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde_json::Value;

use super::{Block, Case, Fields, Json, Reader, Selected, Shown, TextForm, float_to_json, hex};
use crate::{
    Address, Ip4Prefix, Ip6Prefix, MacAddress, Prefix, TimeDelta, Timestamp, Union, json_enum, open_enum,
    serde_impls,
};

/// The family of an address.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Family(u8);

open_enum!(Family(u8), &[("ADDRESS_IP4", 0), ("ADDRESS_IP6", 1)]);
json_enum!(Family, "address_family", flags: false);

impl Selected for Address {
    const MEMBERS: &'static [&'static str] = &["ip4", "ip6"];
    const CASES: &'static [Case] = &[
        Case { member: "ip4", case: "ADDRESS_IP4", value: 0 },
        Case { member: "ip6", case: "ADDRESS_IP6", value: 1 },
    ];

    fn show_member(&mut self) -> Shown<'_> {
        match self {
            Self::V4(address) => Shown::Member("ip4", address),
            Self::V6(address) => Shown::Member("ip6", address),
            Self::Unknown { bytes, .. } => Shown::Bytes(bytes),
        }
    }

    fn read_member<'v>(case: usize, json: &'v Value, reader: &mut Reader<'v>) -> Self {
        match case {
            0 => Self::V4(reader.member(json)),
            _ => Self::V6(reader.member(json)),
        }
    }
}

/// The parts of a type that is text where it can be.
macro_rules! parts {
    ($($parts:ident of $name:ident($vpp_name:literal) { $($field:literal: $part:ident),* })*) => {$(
        #[derive(Clone, Default)]
        struct $parts($name);

        impl Block for $parts {
            fn fields(&mut self, fields: &mut Fields<'_, '_>) {
                fields.structure($vpp_name);
                $(fields.field($field, &mut self.0.$part);)*
            }
        }
    )*};
}

parts! {
    PrefixParts of Prefix("prefix") { "address": address, "len": len }
    Ip4PrefixParts of Ip4Prefix("ip4_prefix") { "address": address, "len": len }
    Ip6PrefixParts of Ip6Prefix("ip6_prefix") { "address": address, "len": len }
}

#[derive(Clone, Default)]
struct AddressParts(Address);

impl Block for AddressParts {
    fn fields(&mut self, fields: &mut Fields<'_, '_>) {
        fields.structure("address");
        let af = fields.discriminator("af", Family(self.0.discriminator()), &[("un", Address::CASES)]);
        fields.union("un", &mut self.0, "af", af.0);
    }
}

/// Types that are text, and what they are where they are not.
macro_rules! texts {
    ($($name:ident($vpp_name:literal), fresh: $fresh:expr, show: $show:expr, read: $read:expr;)*) => {$(
        impl Json for $name {
            fn fresh() -> Self {
                $fresh
            }

            fn vpp_name(&self) -> &'static str {
                $vpp_name
            }

            fn show(&mut self) -> Shown<'_> {
                let parts: fn(Self) -> Value = $show;
                Shown::Leaf(self.show_text().unwrap_or_else(|| parts(*self)))
            }

            fn read<'v>(&mut self, json: &'v Value, reader: &mut Reader<'v>) {
                let parts: fn(&'v Value, &mut Reader<'v>) -> Self = $read;
                match Self::parse_text(json) {
                    Some(text) => reader.take(self, text),
                    None => *self = parts(json, reader),
                }
            }
        }
    )*};
}

texts! {
    Address("address"), fresh: Self::default(),
        show: |address| AddressParts(address).show().into_value(),
        read: |json, reader| reader.member::<AddressParts>(json).0;
    Prefix("prefix"), fresh: Self::default(),
        show: |prefix| PrefixParts(prefix).show().into_value(),
        read: |json, reader| reader.member::<PrefixParts>(json).0;
    Ip4Prefix("ip4_prefix"), fresh: Self::default(),
        show: |prefix| Ip4PrefixParts(prefix).show().into_value(),
        read: |json, reader| reader.member::<Ip4PrefixParts>(json).0;
    Ip6Prefix("ip6_prefix"), fresh: Self::default(),
        show: |prefix| Ip6PrefixParts(prefix).show().into_value(),
        read: |json, reader| reader.member::<Ip6PrefixParts>(json).0;
    Ipv4Addr("ip4_address"), fresh: Self::UNSPECIFIED,
        show: |address| hex(&address.octets()).into(),
        read: |json, reader| reader.member::<[u8; 4]>(json).into();
    Ipv6Addr("ip6_address"), fresh: Self::UNSPECIFIED,
        show: |address| hex(&address.octets()).into(),
        read: |json, reader| reader.member::<[u8; 16]>(json).into();
    MacAddress("mac_address"), fresh: Self::ZERO,
        show: |address| hex(&address.0).into(),
        read: |json, reader| reader.member::<[u8; 6]>(json).into();
    Timestamp("timestamp"), fresh: Self::default(),
        show: |time| float_to_json(time.0),
        read: |json, reader| reader.member::<f64>(json).into();
    TimeDelta("timedelta"), fresh: Self::default(),
        show: |span| float_to_json(span.0),
        read: |json, reader| reader.member::<f64>(json).into();
}

serde_impls!(Address, Prefix, Ip4Prefix, Ip6Prefix, MacAddress, Timestamp, TimeDelta);
