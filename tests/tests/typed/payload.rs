//! Payloads of any message, made by walking its definition.

use vpp_schema::{Api, Field, FieldType, MessageId, Scalar, TypeId, TypeKind, TypeRef};

/// Bytes to make choices from. When they are used up, every choice is zero.
pub(crate) struct Choices<'b>(pub(crate) &'b [u8]);

impl Choices<'_> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    fn below(&mut self, limit: usize) -> usize {
        if limit == 0 { 0 } else { usize::from(u16::from_be_bytes([self.byte(), self.byte()])) % limit }
    }
}

/// A payload that is this message: counts fit their lists, texts end in their fields, booleans are 0 or 1.
pub(crate) fn payload(api: &Api, message: MessageId, choices: &mut Choices<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    block(api, &api.message(message).fields, choices, &mut bytes);
    bytes
}

fn block(api: &Api, fields: &[Field], choices: &mut Choices<'_>, bytes: &mut Vec<u8>) {
    let mut counts = vec![0; fields.len()];
    for (at, field) in fields.iter().enumerate() {
        let is_count = fields.iter().any(|list| matches!(list.ty, FieldType::List(_, count) if count == at));
        if is_count {
            counts[at] = choices.below(4);
            let size = api.layout_of(field.ty).min_len();
            bytes.extend(&(counts[at] as u64).to_be_bytes()[8 - size..]);
            continue;
        }
        value(api, field.ty, &counts, choices, bytes);
    }
}

fn value(api: &Api, ty: FieldType, counts: &[usize], choices: &mut Choices<'_>, bytes: &mut Vec<u8>) {
    match ty {
        FieldType::One(of) => element(api, of, choices, bytes),
        FieldType::Array(of, count) => (0..count).for_each(|_| element(api, of, choices, bytes)),
        FieldType::List(of, count) => (0..counts[count]).for_each(|_| element(api, of, choices, bytes)),
        FieldType::FixedString(len) => {
            let text = text(choices, (len as usize).saturating_sub(1));
            let end = bytes.len() + len as usize;
            bytes.extend(text.as_bytes());
            bytes.resize(end, 0);
        }
        FieldType::LongString => {
            let text = text(choices, 300);
            bytes.extend((text.len() as u32).to_be_bytes());
            bytes.extend(text.as_bytes());
        }
    }
}

/// Letters, and letters of more bytes than one.
fn text(choices: &mut Choices<'_>, longest: usize) -> String {
    let len = choices.below(longest + 1);
    let mut text = String::new();
    while text.len() < len {
        let letter = match choices.byte() {
            byte @ 0..=239 => char::from(b'a' + byte % 26),
            _ => 'é',
        };
        if text.len() + letter.len_utf8() > longest {
            break;
        }
        text.push(letter);
    }
    text
}

fn element(api: &Api, ty: TypeRef, choices: &mut Choices<'_>, bytes: &mut Vec<u8>) {
    match ty {
        TypeRef::Scalar(Scalar::Bool) => bytes.push(choices.byte() & 1),
        TypeRef::Scalar(scalar) => any_bytes(scalar.size(), choices, bytes),
        TypeRef::Named(id) => named(api, id, choices, bytes),
    }
}

fn named(api: &Api, id: TypeId, choices: &mut Choices<'_>, bytes: &mut Vec<u8>) {
    match &api.ty(id).kind {
        TypeKind::Struct(fields) => block(api, fields, choices, bytes),
        TypeKind::Union(_) => any_bytes(api.layout_of_type(id).min_len(), choices, bytes),
        TypeKind::Alias(target) => value(api, *target, &[], choices, bytes),
        TypeKind::Enum(definition) => {
            let size = definition.repr.size();
            let chosen = choices.below(2 * definition.members.len());
            match definition.members.get(chosen) {
                Some((_, value)) => bytes.extend(&(*value as i64).to_be_bytes()[8 - size..]),
                None => any_bytes(size, choices, bytes),
            }
        }
    }
}

fn any_bytes(count: usize, choices: &mut Choices<'_>, bytes: &mut Vec<u8>) {
    bytes.extend(std::iter::repeat_with(|| choices.byte()).take(count));
}
