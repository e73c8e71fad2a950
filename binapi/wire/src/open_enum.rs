//! Enums and flag sets that keep values they do not know.

use std::fmt;

/// An enum of VPP's API: a newtype over its wire integer. Values without a name are legal.
pub trait OpenEnum: Copy {
    /// The integer on the wire.
    type Repr: Copy + PartialEq + Into<i128> + 'static;

    /// VPP's names and their values, in the order of the definition.
    const MEMBERS: &'static [(&'static str, Self::Repr)];

    /// Whether values are sets of bits.
    const IS_FLAGS: bool;

    /// The integer on the wire.
    fn value(self) -> Self::Repr;

    /// The value of a wire integer.
    fn from_value(value: Self::Repr) -> Self;

    /// VPP's name of this very value, where it has one.
    #[must_use]
    fn vpp_name(self) -> Option<&'static str> {
        Self::MEMBERS.iter().find(|(_, value)| *value == self.value()).map(|(name, _)| *name)
    }
}

/// Writes the name of a value, or the value where it has none.
///
/// # Errors
///
/// Those of the formatter.
pub fn format_open_enum<E: OpenEnum>(value: E, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match value.vpp_name() {
        Some(name) => f.write_str(name),
        None => write!(f, "{}", value.value().into()),
    }
}

/// Writes the names of the bits of a value with `|` between; what has no name as a hexadecimal number.
///
/// # Errors
///
/// Those of the formatter.
pub fn format_flags<E: OpenEnum>(value: E, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if let Some(name) = value.vpp_name() {
        return f.write_str(name);
    }
    let mut rest: i128 = value.value().into();
    let mut first = true;
    for (name, bits) in E::MEMBERS {
        let bits: i128 = (*bits).into();
        if bits.count_ones() == 1 && rest & bits == bits {
            if !std::mem::take(&mut first) {
                f.write_str(" | ")?;
            }
            f.write_str(name)?;
            rest &= !bits;
        }
    }
    match (first, rest) {
        (false, 0) => Ok(()),
        (true, _) => write!(f, "{rest:#x}"),
        (false, _) => write!(f, " | {rest:#x}"),
    }
}

/// The value of a name or a number.
///
/// # Errors
///
/// When the text is neither, or the number does not fit.
pub fn parse_open_enum<E: OpenEnum>(text: &str) -> Result<E, ParseEnumError>
where
    E::Repr: TryFrom<i128>,
{
    let text = text.trim();
    if let Some((_, value)) = E::MEMBERS.iter().find(|(name, _)| *name == text) {
        return Ok(E::from_value(*value));
    }
    let number = match text.strip_prefix("0x") {
        Some(digits) => i128::from_str_radix(digits, 16),
        None => text.parse::<i128>(),
    };
    number
        .ok()
        .and_then(|number| E::Repr::try_from(number).ok())
        .map(E::from_value)
        .ok_or_else(|| ParseEnumError { text: text.to_owned() })
}

/// The union of names and numbers with `|` between.
///
/// # Errors
///
/// When one of them is neither a name nor a number that fits.
pub fn parse_flags<E: OpenEnum>(text: &str) -> Result<E, ParseEnumError>
where
    E::Repr: TryFrom<i128>,
{
    let mut bits: i128 = 0;
    for part in text.split('|') {
        bits |= parse_open_enum::<E>(part)?.value().into();
    }
    E::Repr::try_from(bits).map(E::from_value).map_err(|_| ParseEnumError { text: text.to_owned() })
}

/// A text that names no member of an enum.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is neither a member's name nor a number of its range")]
pub struct ParseEnumError {
    text: String,
}

/// What every generated enum has: wire encoding, names, text.
#[doc(hidden)]
#[macro_export]
macro_rules! open_enum_impls {
    ($name:ident($repr:ty), flags: $flags:literal, format: $format:ident, parse: $parse:ident, $members:expr) => {
        impl $crate::OpenEnum for $name {
            type Repr = $repr;
            const MEMBERS: &'static [(&'static str, $repr)] = $members;
            const IS_FLAGS: bool = $flags;

            fn value(self) -> $repr {
                self.0
            }

            fn from_value(value: $repr) -> Self {
                Self(value)
            }
        }

        impl $crate::Wire for $name {
            const MIN_LEN: usize = ::core::mem::size_of::<$repr>();

            #[inline]
            fn encode(&self, out: &mut $crate::Encoder<'_>) {
                out.write(&self.0);
            }

            #[inline]
            fn decode(input: &mut $crate::Decoder<'_>) -> Self {
                Self(input.read())
            }
        }

        impl $crate::FixedSize for $name {}

        impl ::core::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                $crate::$format(*self, f)
            }
        }

        impl ::core::fmt::Display for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                $crate::$format(*self, f)
            }
        }

        impl ::core::str::FromStr for $name {
            type Err = $crate::ParseEnumError;

            fn from_str(text: &str) -> ::core::result::Result<Self, Self::Err> {
                $crate::$parse(text)
            }
        }
    };
}

/// Wire encoding, names and text of a generated enum. The argument is the newtype over its wire integer and the table
/// of VPP's names.
#[macro_export]
macro_rules! open_enum {
    ($name:ident($repr:ty), $members:expr) => {
        $crate::open_enum_impls!($name($repr), flags: false, format: format_open_enum, parse: parse_open_enum, $members);
    };
}

/// Wire encoding, names, text and set operations of a generated flag set. The argument is the newtype over its wire
/// integer and the table of VPP's names.
#[macro_export]
macro_rules! flag_set {
    ($name:ident($repr:ty), $members:expr) => {
        $crate::open_enum_impls!($name($repr), flags: true, format: format_flags, parse: parse_flags, $members);

        #[allow(unreachable_pub, dead_code)] // the type may be private to where the macro is used
        impl $name {
            /// No flag.
            #[must_use]
            pub const fn empty() -> Self {
                Self(0)
            }

            /// Whether no flag is set.
            #[must_use]
            pub const fn is_empty(self) -> bool {
                self.0 == 0
            }

            /// Whether all flags of `other` are set.
            #[must_use]
            pub const fn contains(self, other: Self) -> bool {
                self.0 & other.0 == other.0
            }

            /// Whether any flag of `other` is set.
            #[must_use]
            pub const fn intersects(self, other: Self) -> bool {
                self.0 & other.0 != 0
            }
        }

        impl ::core::ops::BitOr for $name {
            type Output = Self;

            fn bitor(self, other: Self) -> Self {
                Self(self.0 | other.0)
            }
        }

        impl ::core::ops::BitOrAssign for $name {
            fn bitor_assign(&mut self, other: Self) {
                self.0 |= other.0;
            }
        }

        impl ::core::ops::BitAnd for $name {
            type Output = Self;

            fn bitand(self, other: Self) -> Self {
                Self(self.0 & other.0)
            }
        }

        impl ::core::ops::Sub for $name {
            type Output = Self;

            fn sub(self, other: Self) -> Self {
                Self(self.0 & !other.0)
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use crate::{OpenEnum, Wire};

    #[derive(Clone, Copy, PartialEq, Eq)]
    struct Flags(u8);
    flag_set!(Flags(u8), &[("NONE", 0), ("UP", 1), ("LINK", 2), ("BOTH", 3)]);

    #[derive(Clone, Copy, PartialEq, Eq)]
    struct Level(i32);
    open_enum!(Level(i32), &[("LOW", -1), ("HIGH", 1)]);

    #[test]
    fn unknown_bits_and_values_are_shown_kept_and_read_back() {
        for (flags, shown) in [
            (Flags(0), "NONE"),
            (Flags(2), "LINK"),
            (Flags(3), "BOTH"),
            (Flags(0x82), "LINK | 0x80"),
            (Flags(0x80), "0x80"),
            (Flags(0x83), "UP | LINK | 0x80"),
        ] {
            assert_eq!(flags.to_string(), shown);
            assert!(shown.parse::<Flags>().unwrap() == flags);
        }
        assert_eq!(Level(-1).to_string(), "LOW");
        assert_eq!(Level(-7).to_string(), "-7");
        assert!("-7".parse::<Level>().unwrap() == Level(-7));
        assert!("MEDIUM".parse::<Level>().is_err());
        assert!("0x100".parse::<Flags>().is_err());
        assert_eq!(crate::encode_to_vec(&Level(-2)).unwrap(), [0xff, 0xff, 0xff, 0xfe]);
        assert_eq!(Level::MIN_LEN, 4);
        const { assert!(Flags::IS_FLAGS) };
    }

    #[test]
    fn sets() {
        let both = Flags(1) | Flags(2);
        assert!(both.contains(Flags(1)) && both.intersects(Flags(2)) && (both - both).is_empty());
        assert!((both & Flags(1)) == Flags(1));
    }
}
