//! JSON to bytes.

use serde_json::{Map, Value};
use vpp_wire::Wire;

use super::path::Path;
use super::text::{self, TextType};
use super::{CLIENT_INDEX, CONTEXT, CRC, CodecError, GivenHead, ID, JsonFault, NAME, Selector, number};
use crate::model::{Api, DefaultValue, Field, FieldType, MessageDef, Scalar, TypeId, TypeKind, TypeRef};

/// The most bytes of a payload. VPP keeps a message in its heap, so nothing of this size would get through anyway.
pub(crate) const MAX_LEN: usize = 64 << 20;

/// Writes a message from its JSON form.
pub(super) struct Encoder<'a> {
    pub(super) api: &'a Api,
    message: &'a MessageDef,
    pub(super) path: Path<'a>,
    pub(super) out: Vec<u8>,
}

/// What a field's definition says beside its type.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rules<'a> {
    default: Option<&'a DefaultValue>,
    limit: Option<u32>,
    pub(super) selector: Option<Selector<'a>>,
}

/// What a count or discriminator has to be, and why.
struct Derived<'a> {
    value: i128,
    field: &'a str,
    has: String,
}

impl<'a> Encoder<'a> {
    pub(super) fn new(api: &'a Api, message: &'a MessageDef) -> Self {
        Self { api, message, path: Path::default(), out: Vec::new() }
    }

    pub(super) fn message(mut self, fields: &'a Value) -> Result<(GivenHead, Vec<u8>), CodecError> {
        let Value::Object(given) = fields else {
            return Err(self.fault(JsonFault::kind("an object of fields", fields)));
        };
        let head = self.head(given)?;
        self.block(&self.message.fields, Some(given))?;
        Ok((head, self.out))
    }

    pub(super) fn fault(&self, fault: JsonFault) -> CodecError {
        CodecError::Encode {
            message: self.message.name.clone(),
            path: self.path.text(),
            fault: Box::new(fault),
        }
    }

    /// What may stand in the JSON of a message beside its fields.
    fn head(&mut self, given: &'a Map<String, Value>) -> Result<GivenHead, CodecError> {
        let mut head = GivenHead::default();
        for (name, value) in given {
            self.path.enter(name);
            match name.as_str() {
                _ if self.message.fields.iter().any(|field| field.name == *name) => {}
                NAME => self.check_name(value)?,
                CRC => self.check_crc(value)?,
                ID => head.id = Some(self.integer(Scalar::U16, value)? as u16),
                CLIENT_INDEX if self.message.header.client_index().is_some() => {
                    head.client_index = Some((self.integer(Scalar::U32, value)? as u32).to_be_bytes());
                }
                CONTEXT if self.message.header.context().is_some() => {
                    head.context = Some(self.integer(Scalar::U32, value)? as u32);
                }
                _ => {
                    let known = self.message.fields.iter().map(|field| field.name.as_str());
                    return Err(self.fault(JsonFault::unknown_field(name, known)));
                }
            }
            self.path.leave();
        }
        Ok(head)
    }

    fn check_name(&self, value: &Value) -> Result<(), CodecError> {
        match value.as_str() {
            Some(name) if name == self.message.name => Ok(()),
            Some(name) => Err(self.fault(JsonFault::OtherMessage { found: name.to_owned() })),
            None => Err(self.fault(JsonFault::kind("the name of the message", value))),
        }
    }

    fn check_crc(&self, value: &Value) -> Result<(), CodecError> {
        let digits = value.as_str().map(|text| text.trim_start_matches("0x"));
        match digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()) {
            Some(crc) if crc == self.message.crc => Ok(()),
            Some(crc) => {
                Err(self
                    .fault(JsonFault::OtherCrc { found: format!("{crc:08x}"), expected: self.message.crc }))
            }
            None => Err(self.fault(JsonFault::kind("a CRC of 8 hexadecimal digits", value))),
        }
    }

    /// The fields of a message or struct; without an object, each is sent as its default.
    fn block(
        &mut self,
        fields: &'a [Field],
        given: Option<&'a Map<String, Value>>,
    ) -> Result<(), CodecError> {
        let mut starts = Vec::with_capacity(fields.len());
        for (index, field) in fields.iter().enumerate() {
            let value = given.and_then(|given| given.get(&field.name));
            starts.push(self.out.len());
            self.path.enter(&field.name);
            let rules = Rules {
                default: field.default.as_ref(),
                limit: field.limit,
                selector: self.selector(fields, field, &starts, given)?,
            };
            match self.derive(fields, index, given)? {
                None => self.value(field.ty, value, rules)?,
                Some(derived) => {
                    if let Some(value) = value {
                        self.value(field.ty, Some(value), rules)?;
                        self.check_derived(field, starts[index], &derived, value)?;
                    } else {
                        self.derived(field, &derived)?;
                    }
                }
            }
            self.path.leave();
        }
        Ok(())
    }

    /// What selects a union's member, read from the bytes that are already there.
    fn selector(
        &self,
        fields: &'a [Field],
        field: &Field,
        starts: &[usize],
        given: Option<&Map<String, Value>>,
    ) -> Result<Option<Selector<'a>>, CodecError> {
        let Some(index) = field.discriminator else { return Ok(None) };
        let what = "the discriminator is no integer before the union";
        let definition = || self.fault(JsonFault::Definition { what });
        let (field, start) = fields.get(index).zip(starts.get(index)).ok_or_else(definition)?;
        let value = self.integer_at(field, *start).ok_or_else(definition)?;
        let given = given.is_some_and(|given| given.contains_key(&field.name));
        Ok(Some(Selector { field, value, given }))
    }

    fn integer_at(&self, field: &Field, start: usize) -> Option<i128> {
        let repr = self.api.integer_repr(field.ty)?;
        Some(number::read(repr, self.out.get(start..start + repr.size())?))
    }

    /// What a field has to be because of later ones: the count of lists, the discriminator of unions.
    fn derive(
        &self,
        fields: &'a [Field],
        index: usize,
        given: Option<&Map<String, Value>>,
    ) -> Result<Option<Derived<'a>>, CodecError> {
        let mut found: Option<Derived<'a>> = None;
        for field in fields.iter().skip(index + 1) {
            let value = given.and_then(|given| given.get(&field.name));
            let next = match field.ty {
                FieldType::List(_, count) if count == index => {
                    let len = list_len(value);
                    Derived { value: len as i128, field: &field.name, has: format!("{len} elements") }
                }
                _ if field.discriminator == Some(index) => {
                    match self.member_selected(fields[index].ty, field.ty, value) {
                        Some((member, case, value)) => {
                            Derived { value, field: &field.name, has: format!("{member} ({case})") }
                        }
                        None => continue,
                    }
                }
                _ => continue,
            };
            match &found {
                Some(first) if first.value != next.value => {
                    return Err(self.fault(JsonFault::Contradiction {
                        given: format!("{}, which has {},", first.field, first.has),
                        field: next.field.to_owned(),
                        has: next.has,
                    }));
                }
                Some(_) => {}
                None => found = Some(next),
            }
        }
        Ok(found)
    }

    fn derived(&mut self, field: &Field, derived: &Derived<'a>) -> Result<(), CodecError> {
        let what = "a count is no integer";
        let repr = self.api.integer_repr(field.ty);
        let repr = repr.ok_or_else(|| self.fault(JsonFault::Definition { what }))?;
        if number::wrap(repr, derived.value) != derived.value {
            let len = usize::try_from(derived.value).unwrap_or(usize::MAX);
            return Err(self.fault(JsonFault::ListTooLong { len, ty: repr.name() }));
        }
        number::write(repr, derived.value, &mut self.out);
        Ok(())
    }

    fn check_derived(
        &self,
        field: &Field,
        start: usize,
        derived: &Derived<'a>,
        value: &Value,
    ) -> Result<(), CodecError> {
        if self.integer_at(field, start) == Some(derived.value) {
            return Ok(());
        }
        Err(self.fault(JsonFault::Contradiction {
            given: value.to_string(),
            field: derived.field.to_owned(),
            has: derived.has.clone(),
        }))
    }

    pub(super) fn value(
        &mut self,
        ty: FieldType,
        value: Option<&'a Value>,
        rules: Rules<'a>,
    ) -> Result<(), CodecError> {
        match ty {
            FieldType::One(TypeRef::Scalar(scalar)) => self.scalar(scalar, value, rules.default),
            FieldType::One(TypeRef::Named(id)) => self.named(id, value, rules),
            FieldType::Array(element, count) => self.array(element, count as usize, value, rules),
            FieldType::List(element, _) => match value {
                Some(value) => self.elements(element, None, value, rules),
                None => Ok(()),
            },
            FieldType::FixedString(len) => {
                let max = (len as usize).saturating_sub(1);
                let text = self.text(value, rules, max)?;
                let padding = (len as usize).saturating_sub(text.len());
                self.bytes(text.as_bytes())?;
                self.zeros(padding)
            }
            FieldType::LongString => {
                let text = self.text(value, rules, u32::MAX as usize)?;
                number::write(Scalar::U32, text.len() as i128, &mut self.out);
                self.bytes(text.as_bytes())
            }
        }
    }

    fn named(&mut self, id: TypeId, value: Option<&'a Value>, rules: Rules<'a>) -> Result<(), CodecError> {
        let definition = self.api.ty(id);
        if let Some(value) = value
            && let Some(text) = TextType::of(self.api, id).and_then(|ty| ty.parse(value))
        {
            let bytes = text.map_err(|fault| self.fault(fault))?;
            return self.bytes(&bytes);
        }
        match (&definition.kind, value) {
            (TypeKind::Alias(target), _) => self.value(*target, value, rules),
            (TypeKind::Union(members), _) => self.union(members, value, rules.selector),
            (TypeKind::Struct(fields), None) => self.block(fields, None),
            (TypeKind::Struct(fields), Some(Value::Object(given))) => {
                for name in given.keys() {
                    if !fields.iter().any(|field| field.name == *name) {
                        self.path.enter(name);
                        let known = fields.iter().map(|field| field.name.as_str());
                        return Err(self.fault(JsonFault::unknown_field(name, known)));
                    }
                }
                self.block(fields, Some(given))
            }
            (TypeKind::Struct(_), Some(value)) => {
                let expected = format!("an object ({})", definition.name);
                Err(self.fault(JsonFault::kind(expected, value)))
            }
            (TypeKind::Enum(kind), value) => {
                let number = match (value, rules.default) {
                    (Some(value), _) => {
                        kind.parse(&definition.name, value).map_err(|fault| self.fault(fault))?
                    }
                    (None, Some(default)) => kind.default(default),
                    (None, None) => 0,
                };
                number::write(kind.repr, number, &mut self.out);
                Ok(())
            }
        }
    }

    fn scalar(
        &mut self,
        scalar: Scalar,
        value: Option<&Value>,
        default: Option<&DefaultValue>,
    ) -> Result<(), CodecError> {
        match scalar {
            Scalar::F64 => {
                let float = match value {
                    Some(value) => number::float_from_json(value).map_err(|fault| self.fault(fault))?,
                    None => default.map_or(0.0, number::float_default),
                };
                self.float(float)
            }
            Scalar::Bool => {
                let flag = match value {
                    Some(Value::Bool(flag)) => *flag,
                    Some(value) => match value.as_u64() {
                        Some(number @ 0..=1) => number == 1,
                        _ => return Err(self.fault(JsonFault::kind("true or false", value))),
                    },
                    None => default.is_some_and(|default| number::default(Scalar::U8, default) != 0),
                };
                self.bytes(&[flag.into()])
            }
            _ => {
                let number = match value {
                    Some(value) => self.integer(scalar, value)?,
                    None => default.map_or(0, |default| number::default(scalar, default)),
                };
                number::write(scalar, number, &mut self.out);
                Ok(())
            }
        }
    }

    fn integer(&self, scalar: Scalar, value: &Value) -> Result<i128, CodecError> {
        number::from_json(scalar, value).map_err(|fault| self.fault(fault))
    }

    fn float(&mut self, value: f64) -> Result<(), CodecError> {
        // The wire's byte order of floating-point numbers is a matter of vpp-wire.
        let mut bytes = [0; f64::MIN_LEN];
        let written = vpp_wire::encode(&value, &mut bytes);
        written.map_err(|_| self.fault(JsonFault::Definition { what: "a number has no bytes" }))?;
        self.bytes(&bytes)
    }

    fn array(
        &mut self,
        element: TypeRef,
        count: usize,
        value: Option<&'a Value>,
        rules: Rules<'a>,
    ) -> Result<(), CodecError> {
        let size = self.api.layout_of_ref(element).min_len();
        self.check_room(count.saturating_mul(size.max(1)))?;
        if let Some(value) = value {
            return self.elements(element, Some(count), value, rules);
        }
        match self.api.layout_of_ref(element).fixed_len() {
            Some(size) if self.is_zero(element) => self.zeros(count * size),
            _ => (0..count).try_for_each(|_| self.value(FieldType::One(element), None, rules.of_element())),
        }
    }

    /// Whether an element that nobody set is all zeros.
    fn is_zero(&self, element: TypeRef) -> bool {
        match element {
            TypeRef::Scalar(_) => true,
            TypeRef::Named(id) => matches!(self.api.ty(id).kind, TypeKind::Enum(_)),
        }
    }

    fn elements(
        &mut self,
        element: TypeRef,
        count: Option<usize>,
        value: &'a Value,
        rules: Rules<'a>,
    ) -> Result<(), CodecError> {
        let check = |found: usize, this: &Self| match count {
            Some(expected) if expected != found => Err(this.fault(JsonFault::Length { expected, found })),
            _ => Ok(()),
        };
        match (element, value) {
            (TypeRef::Scalar(Scalar::U8), Value::String(text)) => {
                let bytes = text::from_hex(text).map_err(|fault| self.fault(fault))?;
                check(bytes.len(), self)?;
                self.bytes(&bytes)
            }
            (_, Value::Array(elements)) => {
                check(elements.len(), self)?;
                for (index, value) in elements.iter().enumerate() {
                    self.path.enter_index(index);
                    self.value(FieldType::One(element), Some(value), rules.of_element())?;
                    self.path.leave();
                }
                Ok(())
            }
            (TypeRef::Scalar(Scalar::U8), _) => {
                Err(self.fault(JsonFault::kind("bytes as \"0x…\" or an array", value)))
            }
            _ => Err(self.fault(JsonFault::kind("an array", value))),
        }
    }

    /// The text of a string field; `max` bytes at most.
    fn text(&self, value: Option<&'a Value>, rules: Rules<'a>, max: usize) -> Result<&'a str, CodecError> {
        let text = match (value, rules.default) {
            (Some(Value::String(text)), _) | (None, Some(DefaultValue::Text(text))) => text,
            (Some(value), _) => return Err(self.fault(JsonFault::kind("text", value))),
            (None, _) => return Ok(""),
        };
        let max = rules.limit.map_or(max, |limit| max.min((limit as usize).saturating_sub(1)));
        if text.len() > max {
            return Err(self.fault(JsonFault::StringTooLong { len: text.len(), max }));
        }
        if text.contains('\0') {
            return Err(self.fault(JsonFault::StringHasNul));
        }
        Ok(text)
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) -> Result<(), CodecError> {
        self.check_room(bytes.len())?;
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    pub(super) fn zeros(&mut self, len: usize) -> Result<(), CodecError> {
        self.check_room(len)?;
        self.out.resize(self.out.len() + len, 0);
        Ok(())
    }

    fn check_room(&self, len: usize) -> Result<(), CodecError> {
        if len > MAX_LEN - self.out.len().min(MAX_LEN) {
            return Err(self.fault(JsonFault::TooLarge { max: MAX_LEN }));
        }
        Ok(())
    }
}

impl Rules<'_> {
    /// Defaults and limits are of a field, not of its elements.
    fn of_element(self) -> Self {
        Self { selector: self.selector, ..Self::default() }
    }
}

/// The elements of a list as it is given; whether they are right shows when they are written.
fn list_len(value: Option<&Value>) -> usize {
    match value {
        Some(Value::Array(elements)) => elements.len(),
        Some(Value::String(text)) => text.len().saturating_sub(2) / 2,
        _ => 0,
    }
}
