//! Numbers and names of numbers of a definition: their bytes, their defaults. What they are in JSON is `vpp_wire::json`'s.

use serde_json::Value;
use vpp_wire::json::{EnumNames, Int, JsonFault, parse_int};

use crate::model::{DefaultValue, EnumDef, Scalar};

/// What a scalar is as an integer. A boolean counts as an unsigned byte.
pub(crate) const fn int(scalar: Scalar) -> Int {
    Int { name: scalar.name(), size: scalar.size(), signed: scalar.is_signed() }
}

/// The integer in a scalar's bytes, big endian.
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
    int(scalar).wrap(value)
}

/// What a number that nobody set is sent as. Defaults of VPP may exceed their type; then their low bits count.
pub(crate) fn default(scalar: Scalar, default: &DefaultValue) -> i128 {
    let value = match default {
        DefaultValue::Int(value) => *value,
        DefaultValue::Float(value) => *value as i128,
        DefaultValue::Bool(value) => i128::from(*value),
        DefaultValue::Text(text) => parse_int(text).unwrap_or(0),
    };
    wrap(scalar, value)
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
        self.names("").value_of(name)
    }

    /// The JSON form of a value.
    pub(crate) fn show(&self, value: i128) -> Value {
        self.names("").show(value)
    }

    /// A name or a number; for flags also an array of them. `name` is that of the enum.
    pub(crate) fn parse(&self, name: &str, value: &Value) -> Result<i128, JsonFault> {
        self.names(name).parse(value)
    }

    /// What an enum that nobody set is sent as.
    pub(crate) fn default(&self, value: &DefaultValue) -> i128 {
        match value {
            DefaultValue::Text(text) => self.value_of(text).unwrap_or_else(|| default(self.repr, value)),
            _ => default(self.repr, value),
        }
    }

    fn names<'e>(&'e self, of: &'e str) -> EnumNames<'e, impl Iterator<Item = (&'e str, i128)> + Clone> {
        let members = self.members.iter().map(|(name, value)| (name.as_str(), *value));
        EnumNames { of, int: int(self.repr), is_flags: self.is_flags, members }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use vpp_wire::json::int_to_json;

    use super::*;

    #[test]
    fn the_ends_of_every_range_fit_and_nothing_beyond() {
        use Scalar::{I8, I16, I32, I64, U8, U16, U32, U64};
        for scalar in [U8, I8, U16, I16, U32, I32, U64, I64] {
            let (min, max) = int(scalar).range();
            for value in [min, 0, max] {
                let mut bytes = Vec::new();
                write(scalar, value, &mut bytes);
                assert_eq!(bytes.len(), scalar.size());
                assert_eq!(read(scalar, &bytes), value);
                assert_eq!(int(scalar).from_json(&int_to_json(value)).unwrap(), value);
                assert_eq!(int(scalar).from_json(&json!(value.to_string())).unwrap(), value);
            }
            for value in [min - 1, max + 1] {
                let error = int(scalar).from_json(&json!(value.to_string())).unwrap_err();
                assert!(matches!(error, JsonFault::Range { .. }), "{scalar} {value}: {error}");
                assert_ne!(wrap(scalar, value), value);
            }
        }
        assert_eq!(int(U16).from_json(&json!(256.0)).unwrap(), 256);
        assert_eq!(int(U16).from_json(&json!("0xfFfF")).unwrap(), 0xffff);
        for wrong in [json!(0.5), json!("0x"), json!("0x+1"), json!("ten"), json!(true), json!([1])] {
            assert!(int(U16).from_json(&wrong).is_err(), "{wrong}");
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
