//! What the two codecs keep of a payload in different ways, brought to one form.

use vpp_schema::{Api, Field, FieldType, MessageId, Scalar, TypeKind, TypeRef};

/// A payload with one not-a-number for all of them: JSON has one.
pub(crate) fn canonical(api: &Api, message: MessageId, payload: &[u8]) -> Vec<u8> {
    let mut bytes = payload.to_vec();
    places(api, &api.message(message).fields, 0, payload.len(), &mut |at| {
        if let Some(number) = bytes.get_mut(at..).and_then(|rest| rest.first_chunk_mut())
            && f64::from_ne_bytes(*number).is_nan()
        {
            *number = f64::NAN.to_ne_bytes();
        }
    });
    bytes
}

/// Visits floating-point numbers in a message that ends at `end`.
fn places(api: &Api, fields: &[Field], start: usize, end: usize, visit: &mut impl FnMut(usize)) {
    for (field, offset) in fields.iter().zip(api.offsets(fields, start)) {
        let Some(mut at) = offset else { continue };
        let (element, count) = match api.resolve(field.ty) {
            FieldType::One(element) => (element, 1),
            FieldType::Array(element, count) => (element, count),
            // A list is the last of its message.
            FieldType::List(element, _) => {
                let len = api.layout_of_ref(element).min_len().max(1);
                (element, (end.saturating_sub(at) / len) as u32)
            }
            FieldType::FixedString(_) | FieldType::LongString => continue,
        };
        for _ in 0..count {
            match element {
                TypeRef::Scalar(Scalar::F64) => visit(at),
                TypeRef::Scalar(_) => {}
                TypeRef::Named(id) => {
                    if let TypeKind::Struct(inner) = &api.ty(id).kind {
                        places(api, inner, at, end, visit);
                    }
                }
            }
            at += api.layout_of_ref(element).min_len();
        }
    }
}
