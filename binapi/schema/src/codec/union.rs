//! Unions: members in the same place, of which at most a field before them says which one counts.

use serde_json::{Map, Value};
use vpp_wire::json::{from_hex, hex};

use super::decode::Decoder;
use super::encode::{Encoder, Rules};
use super::{CodecError, JsonFault, Selector};
use crate::model::{Field, FieldType, TypeKind, TypeRef};

impl<'a> Encoder<'a> {
    /// A union from its bytes (`"0x…"`) or from an object of members.
    pub(super) fn union(
        &mut self,
        members: &'a [Field],
        value: Option<&'a Value>,
        selector: Option<Selector<'a>>,
    ) -> Result<(), CodecError> {
        let size = self.union_len(members);
        match value {
            None => self.zeros(size),
            Some(Value::String(text)) => {
                let bytes = from_hex(text).map_err(|fault| self.fault(fault))?;
                if bytes.len() != size {
                    return Err(self.fault(JsonFault::Length { expected: size, found: bytes.len() }));
                }
                self.bytes(&bytes)
            }
            Some(Value::Object(given)) => {
                for name in given.keys() {
                    if !members.iter().any(|member| member.name == *name) {
                        self.path.enter(name);
                        return Err(self.fault(JsonFault::unknown_field(name, names(members))));
                    }
                }
                match selector {
                    Some(selector) => self.selected(members, given, selector, size),
                    None => self.overlaid(members, given, size),
                }
            }
            Some(value) => Err(self.fault(JsonFault::kind("an object or bytes as \"0x…\"", value))),
        }
    }

    /// The member that a discriminator selects. VPP's own form shows all members; then the discriminator tells which one
    /// counts, and the others are of no meaning.
    fn selected(
        &mut self,
        members: &'a [Field],
        given: &'a Map<String, Value>,
        selector: Selector<'a>,
        size: usize,
    ) -> Result<(), CodecError> {
        if given.len() != 1 && !selector.given {
            let known = names(members).map(str::to_owned).collect();
            return Err(self.fault(JsonFault::Members { found: given.len(), known }));
        }
        let member = members.iter().find(|member| {
            let case = member.case.as_deref();
            case.and_then(|case| self.api.case_value(selector.field.ty, case)) == Some(selector.value)
        });
        match member.and_then(|member| Some((member, given.get(&member.name)?))) {
            Some((member, value)) => {
                let start = self.out.len();
                self.member(member, value)?;
                self.pad(start, size)
            }
            None => Err(self.fault(JsonFault::NotSelected {
                discriminator: selector.field.name.clone(),
                value: selector.value,
            })),
        }
    }

    /// Members of which none is the one that counts: all that are given have to be the same bytes.
    fn overlaid(
        &mut self,
        members: &'a [Field],
        given: &'a Map<String, Value>,
        size: usize,
    ) -> Result<(), CodecError> {
        let start = self.out.len();
        let mut longest: Option<(&str, Vec<u8>)> = None;
        for member in members {
            let Some(value) = given.get(&member.name) else { continue };
            self.member(member, value)?;
            let bytes = self.out.split_off(start);
            longest = match longest {
                None => Some((&member.name, bytes)),
                Some((name, first)) => {
                    let common = first.len().min(bytes.len());
                    if first[..common] != bytes[..common] {
                        return Err(self.fault(JsonFault::MembersDiffer {
                            first: name.to_owned(),
                            second: member.name.clone(),
                        }));
                    }
                    let longer = bytes.len() > first.len();
                    Some(if longer { (&member.name, bytes) } else { (name, first) })
                }
            };
        }
        if let Some((_, bytes)) = longest {
            self.bytes(&bytes)?;
        }
        self.pad(start, size)
    }

    fn member(&mut self, member: &'a Field, value: &'a Value) -> Result<(), CodecError> {
        self.path.enter(&member.name);
        self.value(member.ty, Some(value), Rules::default())?;
        self.path.leave();
        Ok(())
    }

    /// The rest of the union behind a smaller member.
    fn pad(&mut self, start: usize, size: usize) -> Result<(), CodecError> {
        match (start + size).checked_sub(self.out.len()) {
            Some(rest) => self.zeros(rest),
            None => {
                let what = "a member is larger than its union";
                Err(self.fault(JsonFault::Definition { what }))
            }
        }
    }

    fn union_len(&self, members: &[Field]) -> usize {
        members.iter().map(|member| self.api.layout_of(member.ty).min_len()).max().unwrap_or(0)
    }

    /// The only member that is given of a union, its case, and the value of the discriminator that selects it.
    pub(super) fn member_selected(
        &self,
        discriminator: FieldType,
        union: FieldType,
        value: Option<&Value>,
    ) -> Option<(&'a str, &'a str, i128)> {
        let given = value?.as_object().filter(|given| given.len() == 1)?;
        let FieldType::One(TypeRef::Named(id)) = self.api.resolve(union) else { return None };
        let TypeKind::Union(members) = &self.api.ty(id).kind else { return None };
        let member = members.iter().find(|member| given.contains_key(&member.name))?;
        let case = member.case.as_deref()?;
        Some((&member.name, case, self.api.case_value(discriminator, case)?))
    }

    /// The bytes of one member, to see whether its JSON form holds them all.
    fn alone(mut self, member: &'a Field, value: &'a Value) -> Option<Vec<u8>> {
        self.value(member.ty, Some(value), Rules::default()).ok()?;
        Some(self.out)
    }
}

impl<'a> Decoder<'a> {
    pub(super) fn union(
        &mut self,
        members: &'a [Field],
        selector: Option<Selector<'a>>,
    ) -> Result<Value, CodecError> {
        let size = members.iter().map(|member| self.api.layout_of(member.ty).min_len()).max().unwrap_or(0);
        let start = self.at;
        let bytes = self.take(size)?;
        let behind = std::mem::replace(&mut self.end, self.at);
        let mut shown = Map::new();
        match selector {
            Some(selector) => {
                let member = members.iter().find(|member| {
                    let case = member.case.as_deref();
                    case.and_then(|case| self.api.case_value(selector.field.ty, case)) == Some(selector.value)
                });
                if let Some(member) = member {
                    let value = self.member(member, start)?;
                    shown.insert(member.name.clone(), value);
                }
            }
            None => {
                // A member whose form loses some of the bytes would contradict the others when it is read back.
                let mut complete = false;
                for member in members {
                    let value = self.member(member, start)?;
                    let again = Encoder::new(self.api, self.message).alone(member, &value);
                    if let Some(again) = again.filter(|again| bytes.starts_with(again)) {
                        complete |= bytes[again.len()..].iter().all(|byte| *byte == 0);
                        shown.insert(member.name.clone(), value);
                    }
                }
                if !complete {
                    shown.clear();
                }
            }
        }
        self.at = start + size;
        self.end = behind;
        Ok(if shown.is_empty() { hex(bytes).into() } else { Value::Object(shown) })
    }

    fn member(&mut self, member: &'a Field, start: usize) -> Result<Value, CodecError> {
        self.at = start;
        self.path.enter(&member.name);
        let value = self.value(member.ty, None)?;
        self.path.leave();
        Ok(value)
    }
}

fn names(members: &[Field]) -> impl Iterator<Item = &str> {
    members.iter().map(|member| member.name.as_str())
}
