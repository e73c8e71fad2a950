//! Bytes to JSON.

use serde_json::{Map, Value};

use vpp_wire::json::{Path, float_to_json, hex, int_to_json};

use super::text::TextType;
use super::{ByteFault, CodecError, Selector, number};
use crate::model::{Api, Field, FieldType, MessageDef, Scalar, TypeId, TypeKind, TypeRef};

/// Reads the payload of a message to its JSON form.
pub(super) struct Decoder<'a> {
    pub(super) api: &'a Api,
    pub(super) message: &'a MessageDef,
    bytes: &'a [u8],
    pub(super) at: usize,
    /// Where the bytes end, or the union that is being read.
    pub(super) end: usize,
    pub(super) path: Path<'a>,
}

impl<'a> Decoder<'a> {
    pub(super) fn new(api: &'a Api, message: &'a MessageDef, bytes: &'a [u8]) -> Self {
        Self { api, message, bytes, at: 0, end: bytes.len(), path: Path::default() }
    }

    pub(super) fn message(mut self, shown: &mut Map<String, Value>) -> Result<(), CodecError> {
        self.block(&self.message.fields, shown)
    }

    fn fault(&self, fault: ByteFault) -> CodecError {
        CodecError::Decode {
            message: self.message.name.clone(),
            path: self.path.text(),
            offset: self.at,
            fault,
        }
    }

    fn room(&self) -> usize {
        self.end - self.at
    }

    pub(super) fn take(&mut self, len: usize) -> Result<&'a [u8], CodecError> {
        if len > self.room() {
            return Err(self.fault(ByteFault::Truncated { needed: len, room: self.room() }));
        }
        let bytes = &self.bytes[self.at..self.at + len];
        self.at += len;
        Ok(bytes)
    }

    fn block(&mut self, fields: &'a [Field], shown: &mut Map<String, Value>) -> Result<(), CodecError> {
        let mut starts = Vec::with_capacity(fields.len());
        for field in fields {
            starts.push(self.at);
            self.path.enter(&field.name);
            let value = match (field.ty, field.discriminator) {
                (FieldType::List(element, count), _) => {
                    let count = self.earlier(fields, &starts, count)?.1;
                    self.list(element, count)?
                }
                (ty, None) => self.value(ty, None)?,
                (ty, Some(index)) => {
                    let (field, value) = self.earlier(fields, &starts, index)?;
                    self.value(ty, Some(Selector { field, value, given: true }))?
                }
            };
            shown.insert(field.name.clone(), value);
            self.path.leave();
        }
        Ok(())
    }

    /// An integer field of the same block that was read before.
    fn earlier(
        &self,
        fields: &'a [Field],
        starts: &[usize],
        index: usize,
    ) -> Result<(&'a Field, i128), CodecError> {
        // The last start is that of the field being read.
        let before = &starts[..starts.len().saturating_sub(1)];
        fields
            .get(index)
            .zip(before.get(index))
            .and_then(|(field, start)| {
                let repr = self.api.integer_repr(field.ty)?;
                Some((field, number::read(repr, self.bytes.get(*start..start + repr.size())?)))
            })
            .ok_or_else(|| {
                let what = "the count or discriminator is no integer before this field";
                self.fault(ByteFault::Definition { what })
            })
    }

    pub(super) fn value(
        &mut self,
        ty: FieldType,
        selector: Option<Selector<'a>>,
    ) -> Result<Value, CodecError> {
        match ty {
            FieldType::One(TypeRef::Scalar(scalar)) => self.scalar(scalar),
            FieldType::One(TypeRef::Named(id)) => self.named(id, selector),
            FieldType::Array(element, count) => self.elements(element, count as usize, selector),
            FieldType::List(..) => {
                let what = "a list stands where no count can be";
                Err(self.fault(ByteFault::Definition { what }))
            }
            FieldType::FixedString(len) => Ok(vpp_wire::text(self.take(len as usize)?).into()),
            FieldType::LongString => {
                let len = number::read(Scalar::U32, self.take(4)?);
                let len = self.count(len, 1)?;
                Ok(vpp_wire::text(self.take(len)?).into())
            }
        }
    }

    fn named(&mut self, id: TypeId, selector: Option<Selector<'a>>) -> Result<Value, CodecError> {
        if let Some(ty) = TextType::of(self.api, id) {
            let start = self.at;
            if let Some(text) = ty.show(self.take(ty.len())?) {
                return Ok(text);
            }
            self.at = start;
        }
        match &self.api.ty(id).kind {
            TypeKind::Alias(target) => self.value(*target, selector),
            TypeKind::Union(members) => self.union(members, selector),
            TypeKind::Enum(definition) => {
                let number = number::read(definition.repr, self.take(definition.repr.size())?);
                Ok(definition.show(number))
            }
            TypeKind::Struct(fields) => {
                let mut shown = Map::with_capacity(fields.len());
                self.block(fields, &mut shown)?;
                Ok(Value::Object(shown))
            }
        }
    }

    fn scalar(&mut self, scalar: Scalar) -> Result<Value, CodecError> {
        let bytes = self.take(scalar.size())?;
        Ok(match scalar {
            Scalar::Bool => bytes.iter().any(|byte| *byte != 0).into(),
            // The wire's byte order of floating-point numbers is a matter of vpp-wire.
            Scalar::F64 => float_to_json(vpp_wire::decode(bytes).unwrap_or_default()),
            _ => int_to_json(number::read(scalar, bytes)),
        })
    }

    fn list(&mut self, element: TypeRef, count: i128) -> Result<Value, CodecError> {
        let count = self.count(count, self.api.layout_of_ref(element).min_len())?;
        self.elements(element, count, None)
    }

    /// A count of the wire, once it is clear that its elements can be there. A negative one counts nothing.
    fn count(&self, count: i128, size: usize) -> Result<usize, CodecError> {
        let count = u64::try_from(count).unwrap_or(0);
        let room = self.room();
        match usize::try_from(count).ok().filter(|count| count.saturating_mul(size.max(1)) <= room) {
            Some(count) => Ok(count),
            None => Err(self.fault(ByteFault::CountTooLarge { count, size, room })),
        }
    }

    fn elements(
        &mut self,
        element: TypeRef,
        count: usize,
        selector: Option<Selector<'a>>,
    ) -> Result<Value, CodecError> {
        if element == TypeRef::Scalar(Scalar::U8) {
            return Ok(hex(self.take(count)?).into());
        }
        let needed = count.saturating_mul(self.api.layout_of_ref(element).min_len().max(1));
        if needed > self.room() {
            return Err(self.fault(ByteFault::Truncated { needed, room: self.room() }));
        }
        let mut shown = Vec::with_capacity(count);
        for index in 0..count {
            self.path.enter_index(index);
            shown.push(self.value(FieldType::One(element), selector)?);
            self.path.leave();
        }
        Ok(Value::Array(shown))
    }
}
