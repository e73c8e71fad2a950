//! Integers and floating-point numbers.

use serde_json::{Number, Value};

use super::JsonFault;

/// A kind of integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Int {
    /// VPP's name: `u32`.
    pub name: &'static str,
    /// Bytes on the wire.
    pub size: usize,
    /// Whether it can be negative.
    pub signed: bool,
}

macro_rules! ints {
    ($($name:ident: $integer:ident, $signed:literal;)*) => {$(
        #[doc = concat!("VPP's `", stringify!($integer), "`.")]
        pub const $name: Self =
            Self { name: stringify!($integer), size: size_of::<$integer>(), signed: $signed };
    )*};
}

impl Int {
    ints! {
        U8: u8, false;
        I8: i8, true;
        U16: u16, false;
        I16: i16, true;
        U32: u32, false;
        I32: i32, true;
        U64: u64, false;
        I64: i64, true;
    }

    /// The least and the greatest value.
    #[must_use]
    pub const fn range(self) -> (i128, i128) {
        let bits = 8 * self.size as u32;
        if self.signed { (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) } else { (0, (1 << bits) - 1) }
    }

    /// The low bits of an integer, as a value of this kind.
    #[must_use]
    pub const fn wrap(self, value: i128) -> i128 {
        let spare = 128 - 8 * self.size as u32;
        let high = value << spare;
        if self.signed { high >> spare } else { ((high as u128) >> spare) as i128 }
    }

    /// An integer from a number, or from text that is one (decimal, or hexadecimal behind `0x`).
    ///
    /// # Errors
    ///
    /// When the value is none, or out of range.
    pub fn from_json(self, value: &Value) -> Result<i128, JsonFault> {
        let number = match value {
            Value::Number(number) => whole(number),
            Value::String(text) => parse_int(text),
            _ => None,
        };
        match number {
            Some(number) => self.within(number, self.range()),
            None => Err(JsonFault::kind(format!("a whole number ({})", self.name), value)),
        }
    }

    /// The number, if it is within bounds.
    pub(super) fn within(self, number: i128, (min, max): (i128, i128)) -> Result<i128, JsonFault> {
        if (min..=max).contains(&number) {
            Ok(number)
        } else {
            Err(JsonFault::Range { number: number.to_string(), ty: self.name, min, max })
        }
    }
}

/// An integer as JSON.
#[must_use]
pub fn int_to_json(value: i128) -> Value {
    match (u64::try_from(value), i64::try_from(value)) {
        (Ok(value), _) => value.into(),
        (_, Ok(value)) => value.into(),
        // No integer of a message holds more.
        _ => value.to_string().into(),
    }
}

/// The integer that a number is, if it is whole. VPP's own tools write large integers with an exponent.
#[must_use]
pub fn whole(number: &Number) -> Option<i128> {
    if let Some(value) = number.as_u64() {
        return Some(value.into());
    }
    if let Some(value) = number.as_i64() {
        return Some(value.into());
    }
    let float = number.as_f64()?;
    (float.fract() == 0.0 && float.abs() < 1e30).then_some(float as i128)
}

/// The integer that a text is: decimal, or hexadecimal behind `0x`.
#[must_use]
pub fn parse_int(text: &str) -> Option<i128> {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) if digits.bytes().all(|digit| digit.is_ascii_hexdigit()) => {
            i128::from_str_radix(digits, 16).ok()
        }
        Some(_) => None,
        None => text.parse().ok(),
    }
}

/// A floating-point number as JSON, which has no infinities and no NaN: these are text.
#[must_use]
pub fn float_to_json(value: f64) -> Value {
    match Number::from_f64(value) {
        Some(number) => Value::Number(number),
        None if value.is_nan() => "NaN".into(),
        None if value > 0.0 => "inf".into(),
        None => "-inf".into(),
    }
}

/// A floating-point number from a number, or from text that is one, `NaN`, `inf` and `-inf` included.
///
/// # Errors
///
/// When the value is none.
pub fn float_from_json(value: &Value) -> Result<f64, JsonFault> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
    .ok_or_else(|| JsonFault::kind("a number, \"NaN\", \"inf\" or \"-inf\"", value))
}
