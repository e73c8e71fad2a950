//! Enums and sets of flags: names of numbers.

use serde_json::Value;

use super::{Int, JsonFault, Reader, int_to_json, parse_int, whole};
use crate::OpenEnum;

/// An enum as its definition says: its integer on the wire and the names of its values.
#[derive(Clone, Debug)]
pub struct EnumNames<'n, M> {
    /// VPP's name of the enum.
    pub of: &'n str,
    /// The integer on the wire.
    pub int: Int,
    /// Whether values are sets of bits, so that they stand in JSON as an array.
    pub is_flags: bool,
    /// The names and their values, in the order of the definition. Values beyond the integer count by their low bits.
    pub members: M,
}

impl<'n, M: Iterator<Item = (&'n str, i128)> + Clone> EnumNames<'n, M> {
    /// The value of a member, as it stands on the wire.
    pub fn value_of(&self, name: &str) -> Option<i128> {
        let (_, value) = self.members.clone().find(|(member, _)| *member == name)?;
        Some(self.int.wrap(value))
    }

    /// Members without bits say nothing in an array; what no member names is one number behind them.
    pub fn show(&self, value: i128) -> Value {
        if !self.is_flags {
            let member = self.members.clone().find(|(_, member)| self.int.wrap(*member) == value);
            return member.map_or_else(|| int_to_json(value), |(name, _)| name.into());
        }
        let bits = self.bits(value);
        let mut named = 0;
        let mut array = Vec::new();
        for (name, member) in self.members.clone() {
            let member = self.bits(member);
            if member != 0 && bits & member == member {
                array.push(name.into());
                named |= member;
            }
        }
        if bits & !named != 0 {
            array.push(int_to_json(bits & !named));
        }
        Value::Array(array)
    }

    /// A name or a number; for flags also an array of them.
    ///
    /// # Errors
    ///
    /// When the value is neither, or the number does not fit.
    pub fn parse(&self, value: &Value) -> Result<i128, JsonFault> {
        match value {
            Value::Array(elements) if self.is_flags => {
                elements.iter().try_fold(0, |bits, element| Ok(bits | self.member(element)?))
            }
            _ => self.member(value),
        }
    }

    fn member(&self, value: &Value) -> Result<i128, JsonFault> {
        let number = match value {
            Value::Number(number) => whole(number),
            Value::String(text) => match self.value_of(text).or_else(|| parse_int(text)) {
                Some(number) => Some(number),
                None => {
                    let members = self.members.clone().map(|(member, _)| member);
                    return Err(JsonFault::unknown_name(text, self.of, members));
                }
            },
            _ => None,
        };
        let expected = if self.is_flags { "names or bits of" } else { "a name or a number of" };
        let number = number.ok_or_else(|| JsonFault::kind(format!("{expected} {}", self.of), value))?;
        let (min, max) = self.int.range();
        // Bits above the sign are the same bits.
        let max = if self.is_flags { max - min } else { max };
        self.int.within(number, (min, max)).map(|number| self.int.wrap(number))
    }

    fn bits(&self, value: i128) -> i128 {
        value & ((1 << (8 * self.int.size)) - 1)
    }
}

/// The JSON form of a generated enum: VPP's name of it, and whether its definition calls it a set of flags.
#[macro_export]
macro_rules! json_enum {
    ($name:ident, $vpp_name:literal, flags: $is_flags:literal) => {
        impl $crate::json::Json for $name {
            fn fresh() -> Self {
                Self(0)
            }

            fn vpp_name(&self) -> &'static str {
                $vpp_name
            }

            fn show(&mut self) -> $crate::json::Shown<'_> {
                $crate::json::Shown::Leaf($crate::json::show_enum(*self, $is_flags))
            }

            fn read<'v>(&mut self, json: &'v $crate::json::Value, reader: &mut $crate::json::Reader<'v>) {
                $crate::json::read_enum(self, $vpp_name, $is_flags, json, reader);
            }
        }
    };
}

/// The JSON form of a generated enum's value.
pub fn show_enum<E: OpenEnum>(value: E, is_flags: bool) -> Value {
    names::<E>("", is_flags).show(value.value().into())
}

/// Reads a generated enum's value.
pub fn read_enum<'v, E>(
    value: &mut E,
    of: &'static str,
    is_flags: bool,
    json: &'v Value,
    reader: &mut Reader<'v>,
) where
    E: OpenEnum,
    E::Repr: TryFrom<i128>,
{
    match names::<E>(of, is_flags).parse(json) {
        // It is in range.
        Ok(number) => *value = E::Repr::try_from(number).map_or(*value, E::from_value),
        Err(fault) => reader.fail(fault),
    }
}

fn names<E: OpenEnum>(
    of: &'static str,
    is_flags: bool,
) -> EnumNames<'static, impl Iterator<Item = (&'static str, i128)> + Clone> {
    let int = Int {
        name: std::any::type_name::<E::Repr>(),
        size: size_of::<E::Repr>(),
        // The name of a primitive type is what it is called.
        signed: std::any::type_name::<E::Repr>().starts_with('i'),
    };
    EnumNames { of, int, is_flags, members: E::MEMBERS.iter().map(|(name, value)| (*name, (*value).into())) }
}
