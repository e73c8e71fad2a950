//! A value of any kind: shown as JSON, read from it.

use serde_json::{Map, Value};

use super::{Block, Int, JsonFault, Path, float_from_json, float_to_json, from_hex, hex, int_to_json};

/// A type with a JSON form.
pub trait Json {
    /// The value that stands where nothing is given.
    fn fresh() -> Self
    where
        Self: Sized;

    /// VPP's name of the type; what it is, where it has none.
    fn vpp_name(&self) -> &'static str;

    /// What the JSON form holds. One walk shows a value and reads it, so it takes it mutably; nothing is changed.
    fn show(&mut self) -> Shown<'_>;

    /// Takes the value that JSON says. A fault goes to the reader; the value is of no meaning then.
    fn read<'v>(&mut self, json: &'v Value, reader: &mut Reader<'v>);

    /// What the JSON form of an array of these holds.
    fn show_items(items: &mut [Self]) -> Shown<'_>
    where
        Self: Sized,
    {
        Shown::List(items.iter_mut().map(|item| item as &mut dyn Json).collect())
    }

    /// Reads an array of these, of a certain length where one is given.
    fn read_items<'v>(json: &'v Value, len: Option<usize>, reader: &mut Reader<'v>) -> Vec<Self>
    where
        Self: Sized,
    {
        let Value::Array(elements) = json else {
            reader.fail(JsonFault::kind("an array", json));
            return Vec::new();
        };
        reader.check_len(elements.len(), len);
        let mut items = Vec::with_capacity(elements.len());
        for (index, element) in elements.iter().enumerate() {
            if reader.has_failed() {
                break;
            }
            reader.path.enter_index(index);
            items.push(reader.member(element));
            reader.path.leave();
        }
        items
    }
}

/// What a JSON form holds, before it is text.
pub enum Shown<'a> {
    /// A number, a boolean, a short text, an array of flags.
    Leaf(Value),
    /// Text.
    Text(&'a str),
    /// Bytes as `"0x…"`.
    Bytes(&'a [u8]),
    /// An array.
    List(Vec<&'a mut dyn Json>),
    /// An object of fields.
    Object(&'a mut dyn Block),
    /// An object of one member.
    Member(&'static str, &'a mut dyn Json),
}

impl Shown<'_> {
    /// The form as a JSON value of its own.
    #[must_use]
    pub fn into_value(self) -> Value {
        match self {
            Self::Leaf(value) => value,
            Self::Text(text) => text.into(),
            Self::Bytes(bytes) => hex(bytes).into(),
            Self::List(items) => items.into_iter().map(|item| item.show().into_value()).collect(),
            Self::Object(block) => {
                let mut fields = Map::new();
                super::block::show(block, &mut fields);
                Value::Object(fields)
            }
            Self::Member(name, member) => {
                Value::Object(Map::from_iter([(name.to_owned(), member.show().into_value())]))
            }
        }
    }
}

/// The state of reading: where in the JSON, and the first fault.
#[derive(Debug, Default)]
pub struct Reader<'v> {
    pub(super) path: Path<'v>,
    fault: Option<(String, Box<JsonFault>)>,
}

impl<'v> Reader<'v> {
    /// Remembers a fault at the place that is read, if it is the first.
    pub fn fail(&mut self, fault: JsonFault) {
        if self.fault.is_none() {
            self.fault = Some((self.path.text(), Box::new(fault)));
        }
    }

    /// Whether there was a fault.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.fault.is_some()
    }

    /// The first fault and its path.
    #[must_use]
    pub fn into_fault(self) -> Option<(String, Box<JsonFault>)> {
        self.fault
    }

    /// A value of its own: an element of an array, a member of a union.
    pub fn member<T: Json>(&mut self, json: &'v Value) -> T {
        let mut value = T::fresh();
        value.read(json, self);
        value
    }

    /// A text of at most so many bytes.
    pub fn text(&mut self, json: &'v Value, max: usize) -> String {
        let Value::String(text) = json else {
            self.fail(JsonFault::kind("text", json));
            return String::new();
        };
        if text.len() > max {
            self.fail(JsonFault::StringTooLong { len: text.len(), max });
        } else if text.contains('\0') {
            self.fail(JsonFault::StringHasNul);
        }
        text.clone()
    }

    /// Takes what is right, and remembers what is not.
    pub(super) fn take<T>(&mut self, value: &mut T, result: Result<T, JsonFault>) {
        match result {
            Ok(read) => *value = read,
            Err(fault) => self.fail(fault),
        }
    }

    pub(super) fn check_len(&mut self, found: usize, expected: Option<usize>) {
        if let Some(expected) = expected.filter(|expected| *expected != found) {
            self.fail(JsonFault::Length { expected, found });
        }
    }
}

macro_rules! integers {
    ($($integer:ident: $int:ident),* $(,)?) => {$(
        impl Json for $integer {
            fn fresh() -> Self {
                0
            }

            fn vpp_name(&self) -> &'static str {
                stringify!($integer)
            }

            fn show(&mut self) -> Shown<'_> {
                Shown::Leaf(int_to_json((*self).into()))
            }

            fn read<'v>(&mut self, json: &'v Value, reader: &mut Reader<'v>) {
                // It is in range, so nothing is cut.
                reader.take(self, Int::$int.from_json(json).map(|number| number as $integer));
            }

        }
    )*};
}

integers! {
    i8: I8, u16: U16, i16: I16, u32: U32, i32: I32, u64: U64, i64: I64,
}

/// Arrays of bytes are `"0x…"`; arrays of numbers are read too.
impl Json for u8 {
    fn fresh() -> Self {
        0
    }

    fn vpp_name(&self) -> &'static str {
        "u8"
    }

    fn show(&mut self) -> Shown<'_> {
        Shown::Leaf((*self).into())
    }

    fn read<'v>(&mut self, json: &'v Value, reader: &mut Reader<'v>) {
        reader.take(self, Int::U8.from_json(json).map(|number| number as Self));
    }

    fn show_items(items: &mut [Self]) -> Shown<'_> {
        Shown::Bytes(items)
    }

    fn read_items<'v>(json: &'v Value, len: Option<usize>, reader: &mut Reader<'v>) -> Vec<Self> {
        let mut bytes = Vec::new();
        match json {
            Value::String(text) => {
                reader.take(&mut bytes, from_hex(text));
                if !reader.has_failed() {
                    reader.check_len(bytes.len(), len);
                }
            }
            Value::Array(elements) => {
                reader.check_len(elements.len(), len);
                bytes.resize(elements.len(), 0);
                for (index, (byte, element)) in bytes.iter_mut().zip(elements).enumerate() {
                    reader.path.enter_index(index);
                    byte.read(element, reader);
                    reader.path.leave();
                }
            }
            _ => reader.fail(JsonFault::kind("bytes as \"0x…\" or an array", json)),
        }
        bytes
    }
}

impl Json for bool {
    fn fresh() -> Self {
        false
    }

    fn vpp_name(&self) -> &'static str {
        "bool"
    }

    fn show(&mut self) -> Shown<'_> {
        Shown::Leaf((*self).into())
    }

    fn read<'v>(&mut self, json: &'v Value, reader: &mut Reader<'v>) {
        match (json, json.as_u64()) {
            (Value::Bool(flag), _) => *self = *flag,
            (_, Some(number @ 0..=1)) => *self = number == 1,
            _ => reader.fail(JsonFault::kind("true or false", json)),
        }
    }
}

impl Json for f64 {
    fn fresh() -> Self {
        0.0
    }

    fn vpp_name(&self) -> &'static str {
        "f64"
    }

    fn show(&mut self) -> Shown<'_> {
        Shown::Leaf(float_to_json(*self))
    }

    fn read<'v>(&mut self, json: &'v Value, reader: &mut Reader<'v>) {
        reader.take(self, float_from_json(json));
    }
}

/// Text of any length: the fields of blocks have their own limits.
impl Json for String {
    fn fresh() -> Self {
        Self::new()
    }

    fn vpp_name(&self) -> &'static str {
        "string"
    }

    fn show(&mut self) -> Shown<'_> {
        Shown::Text(self)
    }

    fn read<'v>(&mut self, json: &'v Value, reader: &mut Reader<'v>) {
        *self = reader.text(json, u32::MAX as usize);
    }
}

impl<T: Json> Json for Vec<T> {
    fn fresh() -> Self {
        Self::new()
    }

    fn vpp_name(&self) -> &'static str {
        "list"
    }

    fn show(&mut self) -> Shown<'_> {
        T::show_items(self)
    }

    fn read<'v>(&mut self, json: &'v Value, reader: &mut Reader<'v>) {
        *self = T::read_items(json, None, reader);
    }
}

impl<T: Json, const N: usize> Json for [T; N] {
    fn fresh() -> Self {
        std::array::from_fn(|_| T::fresh())
    }

    fn vpp_name(&self) -> &'static str {
        "array"
    }

    fn show(&mut self) -> Shown<'_> {
        T::show_items(self)
    }

    fn read<'v>(&mut self, json: &'v Value, reader: &mut Reader<'v>) {
        // Another length is a fault that the reader has already.
        if let Ok(items) = T::read_items(json, Some(N), reader).try_into() {
            *self = items;
        }
    }
}
