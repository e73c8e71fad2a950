//! Numbers and names of numbers: integers, floating-point numbers, enums and flags.

use serde_json::Value;

use super::error::JsonFault;
use crate::model::{DefaultValue, EnumDef, Scalar};

/// The integer in a scalar's bytes, big endian. A boolean counts as an unsigned byte.
pub(crate) fn read(scalar: Scalar, bytes: &[u8]) -> i128 {
    let bits = bytes.iter().fold(0, |bits: i128, byte| bits << 8 | i128::from(*byte));
    wrap(scalar, bits)
}

/// Appends an integer's bytes, big endian. It has to be in the scalar's range.
pub(crate) fn write(scalar: Scalar, value: i128, out: &mut Vec<u8>) {
    out.extend_from_slice(&value.to_be_bytes()[16 - scalar.size()..]);
}

/// The low bits of an integer, as a value of the scalar.
pub(crate) fn wrap(scalar: Scalar, value: i128) -> i128 {
    let spare = 128 - 8 * scalar.size() as u32;
    let high = value << spare;
    if scalar.is_signed() { high >> spare } else { ((high as u128) >> spare) as i128 }
}

fn range(scalar: Scalar) -> (i128, i128) {
    let bits = 8 * scalar.size() as u32;
    if scalar.is_signed() { (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) } else { (0, (1 << bits) - 1) }
}

/// An integer as JSON.
pub(crate) fn to_json(value: i128) -> Value {
    match (u64::try_from(value), i64::try_from(value)) {
        (Ok(value), _) => value.into(),
        (_, Ok(value)) => value.into(),
        // No scalar holds more.
        _ => value.to_string().into(),
    }
}

/// An integer from a number, or from text that is one (decimal, or hexadecimal behind `0x`).
pub(crate) fn from_json(scalar: Scalar, value: &Value) -> Result<i128, JsonFault> {
    let number = match value {
        Value::Number(number) => whole(number),
        Value::String(text) => parse(text),
        _ => None,
    };
    match number {
        Some(number) => in_range(scalar, number, range(scalar)),
        None => Err(JsonFault::kind(format!("a whole number ({scalar})"), value)),
    }
}

fn in_range(scalar: Scalar, number: i128, (min, max): (i128, i128)) -> Result<i128, JsonFault> {
    if (min..=max).contains(&number) {
        Ok(number)
    } else {
        Err(JsonFault::Range { number: number.to_string(), ty: scalar.name(), min, max })
    }
}

/// VPP's own tools write large integers with an exponent.
fn whole(number: &serde_json::Number) -> Option<i128> {
    if let Some(value) = number.as_u64() {
        return Some(value.into());
    }
    if let Some(value) = number.as_i64() {
        return Some(value.into());
    }
    let float = number.as_f64()?;
    (float.fract() == 0.0 && float.abs() < 1e30).then_some(float as i128)
}

fn parse(text: &str) -> Option<i128> {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) if digits.bytes().all(|digit| digit.is_ascii_hexdigit()) => {
            i128::from_str_radix(digits, 16).ok()
        }
        Some(_) => None,
        None => text.parse().ok(),
    }
}

/// What a number that nobody set is sent as. Defaults of VPP may exceed their type; then their low bits count.
pub(crate) fn default(scalar: Scalar, default: &DefaultValue) -> i128 {
    let value = match default {
        DefaultValue::Int(value) => *value,
        DefaultValue::Float(value) => *value as i128,
        DefaultValue::Bool(value) => i128::from(*value),
        DefaultValue::Text(text) => parse(text).unwrap_or(0),
    };
    wrap(scalar, value)
}

/// A floating-point number as JSON, which has no infinities and no NaN: these are text.
pub(crate) fn float_to_json(value: f64) -> Value {
    match serde_json::Number::from_f64(value) {
        Some(number) => Value::Number(number),
        None if value.is_nan() => "NaN".into(),
        None if value > 0.0 => "inf".into(),
        None => "-inf".into(),
    }
}

/// A floating-point number from a number, or from text that is one, `NaN`, `inf` and `-inf` included.
pub(crate) fn float_from_json(value: &Value) -> Result<f64, JsonFault> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
    .ok_or_else(|| JsonFault::kind("a number, \"NaN\", \"inf\" or \"-inf\"", value))
}

/// What a floating-point number that nobody set is sent as.
pub(crate) fn float_default(default: &DefaultValue) -> f64 {
    match default {
        DefaultValue::Int(value) => *value as f64,
        DefaultValue::Float(value) => *value,
        DefaultValue::Bool(value) => f64::from(*value),
        DefaultValue::Text(text) => text.parse().unwrap_or(0.0),
    }
}

impl EnumDef {
    /// The value of a member, as it stands on the wire.
    pub(crate) fn value_of(&self, name: &str) -> Option<i128> {
        let (_, value) = self.members.iter().find(|(member, _)| member == name)?;
        Some(wrap(self.repr, *value))
    }

    /// Members without bits say nothing in an array; what no member names is one number behind them.
    pub(crate) fn show(&self, value: i128) -> Value {
        if !self.is_flags {
            let member = self.members.iter().find(|(_, member)| wrap(self.repr, *member) == value);
            return member.map_or_else(|| to_json(value), |(name, _)| name.as_str().into());
        }
        let bits = self.bits(value);
        let mut named = 0;
        let mut array = Vec::new();
        for (name, member) in &self.members {
            let member = self.bits(*member);
            if member != 0 && bits & member == member {
                array.push(name.as_str().into());
                named |= member;
            }
        }
        if bits & !named != 0 {
            array.push(to_json(bits & !named));
        }
        Value::Array(array)
    }

    /// A name or a number; for flags also an array of them.
    pub(crate) fn parse(&self, name: &str, value: &Value) -> Result<i128, JsonFault> {
        match value {
            Value::Array(elements) if self.is_flags => {
                elements.iter().try_fold(0, |bits, element| Ok(bits | self.member(name, element)?))
            }
            _ => self.member(name, value),
        }
    }

    /// What an enum that nobody set is sent as.
    pub(crate) fn default(&self, value: &DefaultValue) -> i128 {
        match value {
            DefaultValue::Text(text) => self.value_of(text).unwrap_or_else(|| default(self.repr, value)),
            _ => default(self.repr, value),
        }
    }

    fn member(&self, name: &str, value: &Value) -> Result<i128, JsonFault> {
        let number = match value {
            Value::Number(number) => whole(number),
            Value::String(text) => match self.value_of(text).or_else(|| parse(text)) {
                Some(number) => Some(number),
                None => {
                    let members = self.members.iter().map(|(member, _)| member.as_str());
                    return Err(JsonFault::unknown_name(text, name, members));
                }
            },
            _ => None,
        };
        let expected = if self.is_flags { "names or bits of" } else { "a name or a number of" };
        let number = number.ok_or_else(|| JsonFault::kind(format!("{expected} {name}"), value))?;
        let (min, max) = range(self.repr);
        // Bits above the sign are the same bits.
        let max = if self.is_flags { max - min } else { max };
        in_range(self.repr, number, (min, max)).map(|number| wrap(self.repr, number))
    }

    fn bits(&self, value: i128) -> i128 {
        value & ((1 << (8 * self.repr.size())) - 1)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_ends_of_every_range_fit_and_nothing_beyond() {
        use Scalar::{I8, I16, I32, I64, U8, U16, U32, U64};
        for scalar in [U8, I8, U16, I16, U32, I32, U64, I64] {
            let (min, max) = range(scalar);
            for value in [min, 0, max] {
                let mut bytes = Vec::new();
                write(scalar, value, &mut bytes);
                assert_eq!(bytes.len(), scalar.size());
                assert_eq!(read(scalar, &bytes), value);
                assert_eq!(from_json(scalar, &to_json(value)).unwrap(), value);
                assert_eq!(from_json(scalar, &json!(value.to_string())).unwrap(), value);
            }
            for value in [min - 1, max + 1] {
                let error = from_json(scalar, &json!(value.to_string())).unwrap_err();
                assert!(matches!(error, JsonFault::Range { .. }), "{scalar} {value}: {error}");
                assert_ne!(wrap(scalar, value), value);
            }
        }
        assert_eq!(from_json(U16, &json!(256.0)).unwrap(), 256);
        assert_eq!(from_json(U16, &json!("0xfFfF")).unwrap(), 0xffff);
        for wrong in [json!(0.5), json!("0x"), json!("0x+1"), json!("ten"), json!(true), json!([1])] {
            assert!(from_json(U16, &wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn flags_keep_their_unknown_bits() {
        let flags = EnumDef {
            repr: Scalar::I32,
            is_flags: true,
            members: vec![("NONE".into(), 0), ("UP".into(), 1), ("LINK".into(), 2), ("TOP".into(), 1 << 31)],
        };
        for (value, shown) in [
            (0, json!([])),
            (3, json!(["UP", "LINK"])),
            (-0x8000_0000, json!(["TOP"])),
            (-1, json!(["UP", "LINK", "TOP", 0x7fff_fffc])),
            (0x40, json!([0x40])),
        ] {
            assert_eq!(flags.show(value), shown);
            assert_eq!(flags.parse("flags", &shown).unwrap(), value);
        }
        assert_eq!(flags.parse("flags", &json!("LINK")).unwrap(), 2);
        assert_eq!(flags.parse("flags", &json!("NONE")).unwrap(), 0);
        assert_eq!(flags.parse("flags", &json!(0x8000_0000u32)).unwrap(), -0x8000_0000);
        assert!(flags.parse("flags", &json!(0x1_0000_0000u64)).is_err());
        assert_eq!(
            flags.parse("if_flags", &json!(["Link"])).unwrap_err().to_string(),
            "\"Link\" is no member of if_flags; did you mean LINK?; there are NONE, UP, LINK, TOP"
        );
    }

    #[test]
    fn members_outside_the_range_of_their_enum_count_by_their_low_bits() {
        let definition =
            EnumDef { repr: Scalar::U8, is_flags: false, members: vec![("A".into(), -1), ("B".into(), 2)] };
        assert_eq!(definition.show(255), json!("A"));
        assert_eq!(definition.parse("e", &json!("A")).unwrap(), 255);
        assert_eq!(definition.show(7), json!(7));
        assert_eq!(definition.parse("e", &json!("0x07")).unwrap(), 7);
        assert!(definition.parse("e", &json!(["B"])).is_err());
    }
}
