//! Structs and messages: fields by VPP's names.

use serde_json::{Map, Value};

use super::message::{self, CRC, NAME};
use super::{Case, GivenHead, Int, Json, JsonFault, Reader, Selected, Shown, from_hex};
use crate::{Decoder, MessageInfo, OpenEnum};

/// A struct or message: what generated code says of its fields.
pub trait Block {
    /// Names the type and then every field in the order of the definition, counts and discriminators included: a line
    /// each, which shows the field or reads it.
    fn fields(&mut self, fields: &mut Fields<'_, '_>);
}

/// What a block is called, and the names of its fields.
#[derive(Default)]
struct Names {
    message: Option<&'static MessageInfo>,
    of: &'static str,
    fields: Vec<&'static str>,
}

impl Names {
    fn of(block: &mut dyn Block) -> Self {
        let mut names = Self::default();
        block.fields(&mut Fields(Way::Name(&mut names)));
        names
    }
}

/// Takes the fields of a [`Block`].
pub(super) trait FieldSink {
    fn shown(&mut self, name: &'static str, value: Shown<'_>);
}

impl FieldSink for Map<String, Value> {
    fn shown(&mut self, name: &'static str, value: Shown<'_>) {
        self.insert(name.to_owned(), value.into_value());
    }
}

/// All of a block's JSON form.
pub(super) fn show(block: &mut dyn Block, out: &mut dyn FieldSink) {
    block.fields(&mut Fields(Way::Show(out)));
}

impl<T: Block + Clone + Default> Json for T {
    fn fresh() -> Self {
        Self::default()
    }

    fn vpp_name(&self) -> &'static str {
        Names::of(&mut self.clone()).of
    }

    fn show(&mut self) -> Shown<'_> {
        Shown::Object(self)
    }

    fn read<'v>(&mut self, json: &'v Value, reader: &mut Reader<'v>) {
        read(self, json, reader);
    }
}

/// Reads a block; the words of the header, where it is a message's.
pub(super) fn read<'v>(block: &mut dyn Block, json: &'v Value, reader: &mut Reader<'v>) -> GivenHead {
    let names = Names::of(block);
    let Value::Object(given) = json else {
        let expected = match names.message {
            Some(_) => "an object of fields".to_owned(),
            None => format!("an object ({})", names.of),
        };
        reader.fail(JsonFault::kind(expected, json));
        return GivenHead::default();
    };
    let mut head = GivenHead::default();
    let known = || names.fields.iter().copied();
    match names.message {
        Some(info) => {
            let found = message::given_head(given, message::facts(info), known(), &mut reader.path);
            reader.take(&mut head, found);
        }
        None => {
            if let Some(name) = given.keys().find(|name| known().all(|known| known != **name)) {
                reader.path.enter(name);
                reader.fail(JsonFault::unknown_field(name, known()));
            }
        }
    }
    block.fields(&mut Fields(Way::Read(FieldReader { given, reader })));
    head
}

/// The walk over the fields of a [`Block`], which shows or reads them.
pub struct Fields<'a, 'v>(Way<'a, 'v>);

enum Way<'a, 'v> {
    Name(&'a mut Names),
    Show(&'a mut dyn FieldSink),
    Read(FieldReader<'a, 'v>),
}

impl Fields<'_, '_> {
    /// The message whose fields these are: `_msgname` and `_crc` stand before them.
    pub fn message(&mut self, info: &'static MessageInfo) {
        match &mut self.0 {
            Way::Name(names) => (names.message, names.of) = (Some(info), info.name),
            Way::Show(out) => {
                out.shown(NAME, Shown::Text(info.name));
                out.shown(CRC, Shown::Leaf(format!("{:08x}", info.crc).into()));
            }
            Way::Read(_) => {}
        }
    }

    /// The struct whose fields these are, by VPP's name.
    pub fn structure(&mut self, name: &'static str) {
        if let Way::Name(names) = &mut self.0 {
            names.of = name;
        }
    }

    /// A field with a value.
    pub fn field(&mut self, name: &'static str, value: &mut dyn Json) {
        match &mut self.0 {
            Way::Name(names) => names.fields.push(name),
            Way::Show(out) => out.shown(name, value.show()),
            Way::Read(input) => input.at(name, |json, reader| value.read(json, reader)),
        }
    }

    /// A text of at most `max` bytes.
    pub fn text(&mut self, name: &'static str, value: &mut String, max: usize) {
        match &mut self.0 {
            Way::Name(names) => names.fields.push(name),
            Way::Show(out) => out.shown(name, Shown::Text(value)),
            Way::Read(input) => input.at(name, |json, reader| *value = reader.text(json, max)),
        }
    }

    /// The count of the list `list`, of `len` elements: it follows from the list, so it has to agree if it is given.
    pub fn count(&mut self, name: &'static str, int: Int, list: &'static str, len: usize) {
        match &mut self.0 {
            Way::Name(names) => names.fields.push(name),
            Way::Show(out) => out.shown(name, Shown::Leaf(len.into())),
            Way::Read(input) => input.count(name, int, list),
        }
    }

    /// What selects the members of unions: it follows from the one member that is given, so it has to agree if it is
    /// given itself. `held` is the value that the unions held select.
    pub fn discriminator<D>(
        &mut self,
        name: &'static str,
        mut held: D,
        unions: &[(&'static str, &'static [Case])],
    ) -> D
    where
        D: Json + OpenEnum,
        D::Repr: TryFrom<i128>,
    {
        match &mut self.0 {
            Way::Name(names) => names.fields.push(name),
            Way::Show(out) => out.shown(name, held.show()),
            Way::Read(input) => held = input.discriminator(name, held, unions),
        }
        held
    }

    /// A union whose member `by` selects, the value of the field `discriminator`.
    pub fn union<U: Selected>(
        &mut self,
        name: &'static str,
        value: &mut U,
        discriminator: &'static str,
        by: U::Discriminator,
    ) where
        U::Discriminator: Selector,
    {
        match &mut self.0 {
            Way::Name(names) => names.fields.push(name),
            Way::Show(out) => out.shown(name, value.show_member()),
            Way::Read(input) => input.union(name, value, discriminator, by),
        }
    }
}

/// Gives the fields of a [`Block`]. After a fault it gives nothing any more.
struct FieldReader<'a, 'v> {
    given: &'v Map<String, Value>,
    reader: &'a mut Reader<'v>,
}

impl<'v> FieldReader<'_, 'v> {
    /// Goes to a field, if it is given.
    fn at(&mut self, name: &'static str, read: impl FnOnce(&'v Value, &mut Reader<'v>)) {
        if let Some(json) = self.given.get(name).filter(|_| !self.reader.has_failed()) {
            self.reader.path.enter(name);
            read(json, self.reader);
            self.reader.path.leave();
        }
    }

    fn fail(&mut self, name: &'static str, fault: JsonFault) {
        self.reader.path.enter(name);
        self.reader.fail(fault);
        self.reader.path.leave();
    }

    fn count(&mut self, name: &'static str, int: Int, list: &'static str) {
        if self.reader.has_failed() {
            return;
        }
        let len = items(self.given.get(list));
        let Some(json) = self.given.get(name) else {
            if int.wrap(len as i128) != len as i128 {
                self.fail(name, JsonFault::ListTooLong { len, ty: int.name });
            }
            return;
        };
        match int.from_json(json) {
            Ok(count) if count == len as i128 => {}
            Ok(_) => self.fail(name, contradiction(json, list, format!("{len} elements"))),
            Err(fault) => self.fail(name, fault),
        }
    }

    fn discriminator<D>(
        &mut self,
        name: &'static str,
        unset: D,
        unions: &[(&'static str, &'static [Case])],
    ) -> D
    where
        D: Json + OpenEnum,
        D::Repr: TryFrom<i128>,
    {
        let mut value = unset;
        self.at(name, |json, reader| value.read(json, reader));
        let mut derived: Option<(&'static str, &'static Case)> = None;
        for (union, cases) in unions {
            let Some(case) = only_member(self.given.get(*union), cases) else { continue };
            match derived {
                Some((first, before)) if before.value != case.value => {
                    let given = format!("{first}, which has {} ({}),", before.member, before.case);
                    let has = format!("{} ({})", case.member, case.case);
                    let field = (*union).to_owned();
                    self.fail(name, JsonFault::Contradiction { given, field, has });
                }
                Some(_) => {}
                None => derived = Some((union, case)),
            }
        }
        let Some((union, case)) = derived else { return value };
        match self.given.get(name) {
            Some(json) if value.value().into() != case.value => {
                self.fail(name, contradiction(json, union, format!("{} ({})", case.member, case.case)));
            }
            _ => {
                if let Ok(selected) = D::Repr::try_from(case.value) {
                    value = D::from_value(selected);
                }
            }
        }
        value
    }

    fn union<U: Selected>(
        &mut self,
        name: &'static str,
        value: &mut U,
        discriminator: &'static str,
        by: U::Discriminator,
    ) where
        U::Discriminator: Selector,
    {
        let is_given = self.given.contains_key(discriminator);
        if !self.given.contains_key(name) {
            if is_given || value.discriminator() != by {
                *value = U::decode_member(by, &mut Decoder::new(&vec![0; U::LEN]));
            }
            return;
        }
        self.at(name, |json, reader| match json {
            Value::String(text) => match from_hex(text) {
                Ok(bytes) if bytes.len() == U::LEN => {
                    *value = U::decode_member(by, &mut Decoder::new(&bytes));
                }
                Ok(bytes) => reader.fail(JsonFault::Length { expected: U::LEN, found: bytes.len() }),
                Err(fault) => reader.fail(fault),
            },
            Value::Object(given) => {
                let names = || U::MEMBERS.iter().copied();
                if let Some(name) = given.keys().find(|name| names().all(|known| known != **name)) {
                    reader.path.enter(name);
                    return reader.fail(JsonFault::unknown_field(name, names()));
                }
                if given.len() != 1 && !is_given {
                    let known = names().map(str::to_owned).collect();
                    return reader.fail(JsonFault::Members { found: given.len(), known });
                }
                let number = by.number();
                let case = U::CASES.iter().position(|case| case.value == number);
                let member = case.and_then(|at| Some((at, given.get(U::CASES[at].member)?)));
                let Some((at, json)) = member else {
                    let discriminator = discriminator.to_owned();
                    return reader.fail(JsonFault::NotSelected { discriminator, value: number });
                };
                reader.path.enter(U::CASES[at].member);
                *value = U::read_member(at, json, reader);
                reader.path.leave();
            }
            _ => reader.fail(JsonFault::kind("an object or bytes as \"0x…\"", json)),
        });
    }
}

/// What selects a member: an enum, or the number of one.
pub trait Selector: Copy {
    /// The number.
    fn number(self) -> i128;
}

impl Selector for u8 {
    fn number(self) -> i128 {
        self.into()
    }
}

impl<E: OpenEnum> Selector for E {
    fn number(self) -> i128 {
        self.value().into()
    }
}

fn contradiction(given: &Value, field: &str, has: String) -> JsonFault {
    JsonFault::Contradiction { given: given.to_string(), field: field.to_owned(), has }
}

/// The elements of a list as it is given; whether they are right shows when they are read.
fn items(list: Option<&Value>) -> usize {
    match list {
        Some(Value::Array(elements)) => elements.len(),
        Some(Value::String(text)) => text.len().saturating_sub(2) / 2,
        _ => 0,
    }
}

/// The case of the only member that is given of a union.
fn only_member<'c>(union: Option<&Value>, cases: &'c [Case]) -> Option<&'c Case> {
    let given = union?.as_object().filter(|given| given.len() == 1)?;
    cases.iter().find(|case| given.contains_key(case.member))
}
