//! What a field that nobody set is sent as: VPP's default, cut to the field's type, else zero.

use proc_macro2::{Literal, TokenStream};
use quote::quote;
use vpp_schema::{DefaultValue, FieldType, Scalar, TypeId, TypeKind, TypeRef};

use super::block::{Context, Kind, Part};
use super::scope::tokens;
use crate::error::{Fault, GenerateError};
use crate::pass::names;
use crate::special_cases::RuntimeType;

/// The longest array that the standard library has a `Default` for.
const LONGEST_DEFAULT: u32 = 32;

/// A default as code.
pub(super) struct Value {
    pub(super) code: TokenStream,
    /// Whether `derive(Default)` gives the same.
    pub(super) derivable: bool,
}

impl Value {
    fn derivable(code: TokenStream) -> Self {
        Self { code, derivable: true }
    }

    fn written(code: TokenStream) -> Self {
        Self { code, derivable: false }
    }
}

impl<'a> Context<'_, 'a, '_> {
    /// The default of a field.
    pub(super) fn default_of(&mut self, part: &Part<'a>, parts: &[Part<'a>]) -> Result<Value, GenerateError> {
        if let Kind::Union { discriminator, .. } = part.kind {
            return self.union_default(part, &parts[discriminator]);
        }
        if let Some(default) = &part.field.default {
            let code = self.literal(part.resolved, default).map_err(|()| {
                let (field, default) = (part.field.name.clone(), shown(default));
                self.plan.error(self.item, Fault::BadDefault { field, default })
            })?;
            if let Some(code) = code {
                return Ok(Value::written(code));
            }
        }
        Ok(self.zero(part.field.ty))
    }

    /// The union that a default of its discriminator selects.
    fn union_default(&mut self, part: &Part<'a>, discriminator: &Part<'a>) -> Result<Value, GenerateError> {
        let selected = match &discriminator.field.default {
            None => None,
            Some(default) => self.literal(discriminator.resolved, default).map_err(|()| {
                let (field, default) = (discriminator.field.name.clone(), shown(default));
                self.plan.error(self.item, Fault::BadDefault { field, default })
            })?,
        };
        let Some(selected) = selected else { return Ok(Value::derivable(quote!(Default::default()))) };
        let FieldType::One(TypeRef::Named(id)) = part.resolved else {
            return Ok(Value::derivable(quote!(Default::default())));
        };
        let is_runtime = self.plan.type_item(self.item, id).union.runtime.is_some();
        let selected = if is_runtime { quote!(#selected.0) } else { selected };
        let size = Literal::usize_unsuffixed(self.api.layout_of_type(id).min_len());
        let (union, decoder) = (&part.ty, self.scope.wire("Decoder"));
        self.scope.methods_of("Union");
        Ok(Value::written(quote!(#union::decode_member(#selected, &mut #decoder::new(&[0; #size])))))
    }

    /// The value of a type whose bytes are all zero (but for the defaults of the fields of structs).
    pub(super) fn zero(&mut self, ty: FieldType) -> Value {
        match ty {
            FieldType::FixedString(_) | FieldType::LongString => {
                let string = self.scope.prelude("String");
                Value::derivable(quote!(#string::new()))
            }
            FieldType::List(..) => {
                let vec = self.scope.prelude("Vec");
                Value::derivable(quote!(#vec::new()))
            }
            FieldType::One(element) => self.zero_element(element),
            FieldType::Array(element, count) => {
                let zero = self.zero_element(element);
                let (code, length) = (zero.code, Literal::u32_unsuffixed(count));
                let code = match self.is_copy(element) {
                    true => quote!([#code; #length]),
                    false => quote!(::std::array::from_fn(|_| #code)),
                };
                Value { code, derivable: zero.derivable && count <= LONGEST_DEFAULT }
            }
        }
    }

    fn zero_element(&mut self, element: TypeRef) -> Value {
        let id = match element {
            TypeRef::Scalar(Scalar::Bool) => return Value::derivable(quote!(false)),
            TypeRef::Scalar(Scalar::F64) => return Value::derivable(quote!(0.0)),
            TypeRef::Scalar(_) => return Value::derivable(quote!(0)),
            TypeRef::Named(id) => id,
        };
        let item = self.plan.type_item(self.item, id);
        match item.runtime {
            Some(RuntimeType::Std(module, name)) => {
                let name = self.scope.std(module, name);
                Value::written(quote!(#name::UNSPECIFIED))
            }
            Some(RuntimeType::Wire(_)) => Value::derivable(quote!(Default::default())),
            None => match self.api.ty(id).kind {
                TypeKind::Alias(target) => self.zero(target),
                _ => Value::derivable(quote!(Default::default())),
            },
        }
    }

    fn is_copy(&self, element: TypeRef) -> bool {
        let TypeRef::Named(id) = element else { return true };
        if self.plan.type_item(self.item, id).runtime.is_some() {
            return true;
        }
        match self.api.ty(id).kind {
            TypeKind::Enum(_) | TypeKind::Union(_) => true,
            TypeKind::Alias(FieldType::One(target) | FieldType::Array(target, _)) => self.is_copy(target),
            TypeKind::Alias(_) | TypeKind::Struct(_) => false,
        }
    }

    /// A default as a literal; `None` for zero.
    fn literal(&mut self, ty: FieldType, default: &DefaultValue) -> Result<Option<TokenStream>, ()> {
        match (ty, default) {
            (FieldType::One(TypeRef::Scalar(scalar)), default) => scalar_literal(scalar, default),
            (FieldType::One(TypeRef::Named(id)), DefaultValue::Int(value)) => self.enum_literal(id, *value),
            (FieldType::FixedString(_) | FieldType::LongString, DefaultValue::Text(text))
                if text.is_empty() =>
            {
                Ok(None)
            }
            (FieldType::FixedString(len), DefaultValue::Text(text)) if text.len() >= len as usize => Err(()),
            (FieldType::FixedString(_) | FieldType::LongString, DefaultValue::Text(text)) => {
                let text = Literal::string(text);
                let string = self.scope.prelude("String");
                Ok(Some(quote!(#string::from(#text))))
            }
            _ => Err(()),
        }
    }

    fn enum_literal(&mut self, id: TypeId, value: i128) -> Result<Option<TokenStream>, ()> {
        let item = self.plan.type_item(self.item, id);
        let Some(definition) = &item.enumeration else { return Err(()) };
        let value = cut(definition.repr, value);
        if value == 0 {
            return Ok(None);
        }
        let member = definition.members.iter().position(|(_, known)| cut(definition.repr, *known) == value);
        let names = names::member_names(&item.vpp_name, definition).map_err(|_| ())?;
        let ty = self.scope.item(self.plan, item, &item.name);
        Ok(Some(match member {
            Some(at) => {
                let member = tokens(&names[at]);
                quote!(#ty::#member)
            }
            None => {
                let value = integer(definition.repr, value);
                quote!(#ty(#value))
            }
        }))
    }
}

/// A default as the definition writes it.
fn shown(default: &DefaultValue) -> String {
    match default {
        DefaultValue::Int(value) => value.to_string(),
        DefaultValue::Float(value) => value.to_string(),
        DefaultValue::Bool(value) => value.to_string(),
        DefaultValue::Text(text) => format!("{text:?}"),
    }
}

fn scalar_literal(scalar: Scalar, default: &DefaultValue) -> Result<Option<TokenStream>, ()> {
    let code = match (scalar, default) {
        (Scalar::Bool, DefaultValue::Bool(value)) => value.then(|| quote!(true)),
        (Scalar::Bool, DefaultValue::Int(value)) => (cut(Scalar::U8, *value) != 0).then(|| quote!(true)),
        (Scalar::F64, DefaultValue::Float(value)) => (*value != 0.0).then(|| float(*value)),
        (Scalar::F64, DefaultValue::Int(value)) => (*value != 0).then(|| float(*value as f64)),
        (Scalar::F64 | Scalar::Bool, _) => return Err(()),
        (_, DefaultValue::Int(value)) => {
            let value = cut(scalar, *value);
            (value != 0).then(|| integer(scalar, value))
        }
        (_, DefaultValue::Bool(value)) => value.then(|| quote!(1)),
        (_, DefaultValue::Float(_) | DefaultValue::Text(_)) => return Err(()),
    };
    Ok(code)
}

fn float(value: f64) -> TokenStream {
    let literal = Literal::f64_unsuffixed(value.abs());
    if value < 0.0 { quote!(-#literal) } else { quote!(#literal) }
}

/// The low bits of a value, as its integer type holds them.
pub(super) fn cut(repr: Scalar, value: i128) -> i128 {
    match repr {
        Scalar::U8 | Scalar::Bool => i128::from(value as u8),
        Scalar::I8 => i128::from(value as i8),
        Scalar::U16 => i128::from(value as u16),
        Scalar::I16 => i128::from(value as i16),
        Scalar::U32 => i128::from(value as u32),
        Scalar::I32 => i128::from(value as i32),
        Scalar::U64 | Scalar::F64 => i128::from(value as u64),
        Scalar::I64 => i128::from(value as i64),
    }
}

/// An integer as a person writes it: all bits set is the type's `MAX`.
pub(super) fn integer(repr: Scalar, value: i128) -> TokenStream {
    if value > 255 && value == cut(repr, -1) {
        let ty = tokens(repr.name());
        return quote!(#ty::MAX);
    }
    let literal = Literal::u128_unsuffixed(value.unsigned_abs());
    if value < 0 { quote!(-#literal) } else { quote!(#literal) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_cut_to_their_type() {
        for (scalar, default, code) in [
            (Scalar::U16, DefaultValue::Int(4_294_967_295), Some("u16 :: MAX")),
            (Scalar::U8, DefaultValue::Int(255), Some("255")),
            (Scalar::U8, DefaultValue::Int(256), None),
            (Scalar::I32, DefaultValue::Int(-1), Some("- 1")),
            (Scalar::U32, DefaultValue::Int(-1), Some("u32 :: MAX")),
            (Scalar::Bool, DefaultValue::Int(4_294_967_295), Some("true")),
            (Scalar::Bool, DefaultValue::Bool(false), None),
            (Scalar::F64, DefaultValue::Float(1.0), Some("1.0")),
            (Scalar::U64, DefaultValue::Int(i128::from(u64::MAX)), Some("u64 :: MAX")),
        ] {
            let found = scalar_literal(scalar, &default).unwrap().map(|code| code.to_string());
            assert_eq!(found.as_deref(), code, "{scalar} {default:?}");
        }
        assert!(scalar_literal(Scalar::U8, &DefaultValue::Text("x".to_owned())).is_err());
    }
}
