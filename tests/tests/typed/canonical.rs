//! What the two codecs keep of a payload in different ways, brought to one form.

use vpp_schema::{Api, Field, FieldType, MessageId, Scalar, TypeKind, TypeRef};

/// A payload without what means nothing:
///
/// * the bytes of its `mprefix` that its family does not select. VPP's definitions do not say that the family of an
///   `mprefix` selects the member of its two unions, so the dynamic codec (and VPP's Python client) keeps all of them;
///   the typed codec knows it;
/// * which of the many not-a-numbers a floating-point number is. JSON has one.
pub(crate) fn canonical(api: &Api, message: MessageId, payload: &[u8]) -> Vec<u8> {
    let mut bytes = payload.to_vec();
    places(api, &api.message(message).fields, 0, payload.len(), &mut |name, at| match name {
        // af, u16 length, group, source.
        "mprefix" if bytes.get(at) == Some(&0) => {
            for union in [at + 3, at + 19] {
                if let Some(rest) = bytes.get_mut(union + 4..union + 16) {
                    rest.fill(0);
                }
            }
        }
        "f64" => {
            if let Some(number) = bytes.get_mut(at..).and_then(|rest| rest.first_chunk_mut())
                && f64::from_ne_bytes(*number).is_nan()
            {
                *number = f64::NAN.to_ne_bytes();
            }
        }
        _ => {}
    });
    bytes
}

/// Visits structs and base types by VPP's name, in a message that ends at `end`.
fn places(api: &Api, fields: &[Field], start: usize, end: usize, visit: &mut impl FnMut(&str, usize)) {
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
                TypeRef::Scalar(scalar) => visit(Scalar::name(scalar), at),
                TypeRef::Named(id) => {
                    visit(&api.ty(id).name, at);
                    if let TypeKind::Struct(inner) = &api.ty(id).kind {
                        places(api, inner, at, end, visit);
                    }
                }
            }
            at += api.layout_of_ref(element).min_len();
        }
    }
}
