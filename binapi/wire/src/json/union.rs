//! Unions: by the member that something selects, or by all of them.

use serde_json::{Map, Value};

use super::{Json, JsonFault, Reader, Shown, from_hex, hex};
use crate::{Union, Wire};

/// A union behind a discriminator: what generated code says of its members.
pub trait Selected: Union {
    /// The names of all members.
    const MEMBERS: &'static [&'static str];

    /// The members that a value selects.
    const CASES: &'static [Case];

    /// The member held, or the bytes of a value that selects none.
    fn show_member(&mut self) -> Shown<'_>;

    /// The member of a case of [`Selected::CASES`].
    fn read_member<'v>(case: usize, json: &'v Value, reader: &mut Reader<'v>) -> Self;
}

/// A member of a union and what selects it.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// VPP's name of the member.
    pub member: &'static str,
    /// VPP's name of the enumerator.
    pub case: &'static str,
    /// Its value.
    pub value: i128,
}

/// A member of a union that nothing says the member of.
#[derive(Clone, Copy, Debug)]
pub struct RawMember {
    name: &'static str,
    /// The form of the union's first bytes as this member.
    show: fn(&[u8]) -> Option<Value>,
    /// The bytes of a value.
    read: for<'v> fn(&'v Value, &mut Reader<'v>) -> Option<Vec<u8>>,
}

impl RawMember {
    /// A member of a type of fixed size.
    #[must_use]
    pub const fn of<T: Wire + Json>(name: &'static str) -> Self {
        Self {
            name,
            show: |bytes| Some(crate::decode::<T>(bytes.get(..T::MIN_LEN)?).ok()?.show().into_value()),
            read: |json, reader| {
                let value: T = reader.member(json);
                if reader.has_failed() {
                    return None;
                }
                crate::encode_to_vec(&value).ok()
            },
        }
    }

    /// A text of `LEN` bytes.
    #[must_use]
    pub const fn text<const LEN: usize>(name: &'static str) -> Self {
        Self {
            name,
            show: |bytes| Some(crate::text(bytes.get(..LEN)?).into()),
            read: |json, reader| {
                let mut bytes = reader.text(json, LEN.saturating_sub(1)).into_bytes();
                bytes.resize(LEN, 0);
                (!reader.has_failed()).then_some(bytes)
            },
        }
    }
}

/// All members that hold the bytes they stand on. One whose form loses some of them would contradict the others when it
/// is read back, and is left out; `"0x…"` if no other holds all.
#[must_use]
pub fn show_raw<'s>(bytes: &[u8], members: &[RawMember]) -> Shown<'s> {
    let mut complete = false;
    let mut shown = Map::new();
    for member in members {
        let Some(value) = (member.show)(bytes) else { continue };
        if let Some(again) =
            (member.read)(&value, &mut Reader::default()).filter(|again| bytes.starts_with(again))
        {
            complete |= bytes[again.len()..].iter().all(|byte| *byte == 0);
            shown.insert(member.name.to_owned(), value);
        }
    }
    Shown::Leaf(if complete { Value::Object(shown) } else { hex(bytes).into() })
}

/// The bytes of a union from `"0x…"`, or from an object of members, which have to have the same bytes.
pub fn read_raw<'v>(bytes: &mut [u8], json: &'v Value, reader: &mut Reader<'v>, members: &[RawMember]) {
    let given = match json {
        Value::String(text) => {
            return match from_hex(text) {
                Ok(read) if read.len() == bytes.len() => bytes.copy_from_slice(&read),
                Ok(read) => reader.fail(JsonFault::Length { expected: bytes.len(), found: read.len() }),
                Err(fault) => reader.fail(fault),
            };
        }
        Value::Object(given) => given,
        _ => return reader.fail(JsonFault::kind("an object or bytes as \"0x…\"", json)),
    };
    let names = || members.iter().map(|member| member.name);
    if let Some(name) = given.keys().find(|name| names().all(|known| known != **name)) {
        reader.path.enter(name);
        return reader.fail(JsonFault::unknown_field(name, names()));
    }
    let mut longest: Option<(&str, Vec<u8>)> = None;
    for member in members {
        let Some(json) = given.get(member.name) else { continue };
        reader.path.enter(member.name);
        let Some(read) = (member.read)(json, reader) else { return };
        reader.path.leave();
        longest = match longest {
            None => Some((member.name, read)),
            Some((first, before)) => {
                let common = before.len().min(read.len());
                if before[..common] != read[..common] {
                    let (first, second) = (first.to_owned(), member.name.to_owned());
                    return reader.fail(JsonFault::MembersDiffer { first, second });
                }
                Some(if read.len() > before.len() { (member.name, read) } else { (first, before) })
            }
        };
    }
    bytes.fill(0);
    if let Some((_, read)) = longest {
        let len = read.len().min(bytes.len());
        bytes[..len].copy_from_slice(&read[..len]);
    }
}

/// The JSON form of a generated union that nothing says the member of: VPP's name of it, and its members.
#[macro_export]
macro_rules! json_union {
    ($name:ident, $vpp_name:literal, $($member:expr),* $(,)?) => {
        impl $name {
            const JSON_MEMBERS: &'static [$crate::json::RawMember] = &[$($member),*];
        }

        impl $crate::json::Json for $name {
            fn fresh() -> Self {
                Self::default()
            }

            fn vpp_name(&self) -> &'static str {
                $vpp_name
            }

            fn show(&mut self) -> $crate::json::Shown<'_> {
                $crate::json::show_raw(&self.0, Self::JSON_MEMBERS)
            }

            fn read<'v>(
                &mut self,
                json: &'v $crate::json::Value,
                reader: &mut $crate::json::Reader<'v>,
            ) {
                $crate::json::read_raw(&mut self.0, json, reader, Self::JSON_MEMBERS);
            }
        }
    };
}
