//! The value of a field that says nothing.

use crate::codec::number;
use crate::model::{Api, DefaultValue, Field, FieldType, Scalar, TypeKind, TypeRef};
use vpp_wire::Wire as _;

/// The most bytes that a field which nobody wrote may take.
const MAX_LEN: usize = 1 << 16;

/// Why there is no value that says nothing.
pub(super) type Why = &'static str;

/// What a field is that says nothing.
pub(super) struct Neutral {
    pub(super) bytes: Vec<u8>,
    /// Whether it holds an index that nobody wrote: all ones, for none.
    pub(super) has_index: bool,
    /// Whether it holds an enum that has no member for it.
    pub(super) has_unnamed: bool,
    /// Whether the definition declares all of it.
    pub(super) is_declared: bool,
}

pub(super) fn neutral(api: &Api, field: &Field) -> Result<Neutral, Why> {
    let mut found = Neutral { bytes: Vec::new(), has_index: false, has_unnamed: false, is_declared: true };
    found.field(api, field)?;
    Ok(found)
}

impl Neutral {
    fn field(&mut self, api: &Api, field: &Field) -> Result<(), Why> {
        self.value(api, field.ty, field.default.as_ref(), is_index(api, field))
    }

    fn value(
        &mut self,
        api: &Api,
        ty: FieldType,
        default: Option<&DefaultValue>,
        is_index: bool,
    ) -> Result<(), Why> {
        if api.layout_of(ty).min_len() > MAX_LEN - self.bytes.len().min(MAX_LEN) {
            return Err("it takes more bytes than a field may that nobody wrote");
        }
        match api.resolve(ty) {
            FieldType::One(TypeRef::Scalar(scalar)) => self.scalar(scalar, default, is_index),
            FieldType::One(TypeRef::Named(id)) => match &api.ty(id).kind {
                TypeKind::Struct(fields) => {
                    for field in fields {
                        self.field(api, field)?;
                    }
                }
                TypeKind::Union(_) => {
                    self.is_declared = false;
                    let len = api.layout_of_type(id).min_len();
                    self.bytes.resize(self.bytes.len() + len, 0);
                }
                TypeKind::Enum(definition) => {
                    self.is_declared &= default.is_some();
                    let value = default.map_or(0, |default| definition.default(default));
                    let is_named = definition.members.iter().any(|(_, member)| *member == value);
                    self.has_unnamed |= default.is_none() && !is_named && !definition.is_flags;
                    number::write(definition.repr, value, &mut self.bytes);
                }
                // Resolved above.
                TypeKind::Alias(_) => return Err("its type is an alias of itself"),
            },
            FieldType::Array(element, count) => {
                self.is_declared &= default.is_some();
                for _ in 0..count {
                    self.value(api, FieldType::One(element), None, false)?;
                }
            }
            FieldType::List(..) => {}
            FieldType::FixedString(len) => {
                self.is_declared &= default.is_some();
                let start = self.bytes.len();
                self.text(default, (len as usize).saturating_sub(1));
                self.bytes.resize(start + len as usize, 0);
            }
            FieldType::LongString => {
                let start = self.bytes.len();
                self.bytes.extend([0; 4]);
                self.text(default, MAX_LEN);
                let len = (self.bytes.len() - start - 4) as u32;
                self.bytes[start..start + 4].copy_from_slice(&len.to_be_bytes());
            }
        }
        Ok(())
    }

    fn text(&mut self, default: Option<&DefaultValue>, max: usize) {
        if let Some(DefaultValue::Text(text)) = default {
            self.bytes.extend(text.bytes().take(max));
        }
    }

    fn scalar(&mut self, scalar: Scalar, default: Option<&DefaultValue>, is_index: bool) {
        self.is_declared &= default.is_some();
        match (scalar, default) {
            (Scalar::F64, default) => {
                let value = default.map_or(0.0, number::float_default);
                let mut bytes = [0; f64::MIN_LEN];
                // Eight bytes take a number.
                let _ = vpp_wire::encode(&value, &mut bytes);
                self.bytes.extend(bytes);
            }
            (Scalar::Bool, default) => {
                let value = default.is_some_and(|default| number::default(Scalar::U8, default) != 0);
                self.bytes.push(value.into());
            }
            (_, Some(default)) => number::write(scalar, number::default(scalar, default), &mut self.bytes),
            (_, None) if is_index => {
                self.has_index = true;
                self.bytes.resize(self.bytes.len() + scalar.size(), 0xff);
            }
            (_, None) => number::write(scalar, 0, &mut self.bytes),
        }
    }
}

/// Whether a field is the index of an object: an `interface_index`, or an unsigned number that is called so.
fn is_index(api: &Api, field: &Field) -> bool {
    let FieldType::One(of) = field.ty else { return false };
    let FieldType::One(TypeRef::Scalar(scalar)) = api.resolve(field.ty) else { return false };
    let is_interface = matches!(of, TypeRef::Named(id) if api.ty(id).name == "interface_index");
    let is_number = matches!(scalar, Scalar::U16 | Scalar::U32 | Scalar::U64);
    is_number && (is_interface || field.name == "index" || field.name.ends_with("_index"))
}
