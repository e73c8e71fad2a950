//! What selects the member of a union, as the definitions say it.

use std::collections::HashMap;

use vpp_schema::{Api, Field, FieldType, TypeId, TypeKind, TypeRef};

use super::plan::{Definition, ItemId, Plan};
use crate::error::{Fault, GenerateError};
use crate::special_cases;

/// A member of a union and the enumerator that selects it.
pub(crate) struct Arm<'a> {
    pub(crate) member: &'a Field,
    /// VPP's name of the enumerator.
    pub(crate) case: &'a str,
    /// Its value.
    pub(crate) value: i128,
}

/// The union that a field is, as such and not in an array.
pub(crate) fn union_of(api: &Api, field: &Field) -> Option<TypeId> {
    match api.resolve(field.ty) {
        FieldType::One(TypeRef::Named(id)) if matches!(api.ty(id).kind, TypeKind::Union(_)) => Some(id),
        _ => None,
    }
}

/// The field before a union that selects its member: its index, and its enum.
pub(crate) fn discriminator(api: &Api, fields: &[Field], index: usize) -> Option<(usize, TypeId)> {
    let field = &fields[index];
    let (union, at) = (union_of(api, field)?, field.discriminator?);
    let FieldType::One(TypeRef::Named(selector)) = api.resolve(fields[at].ty) else { return None };
    (!arms(api, union, selector).is_empty()).then_some((at, selector))
}

/// The members of a union that values of an enum select.
pub(crate) fn arms(api: &Api, union: TypeId, selector: TypeId) -> Vec<Arm<'_>> {
    let TypeKind::Union(members) = &api.ty(union).kind else { return Vec::new() };
    let TypeKind::Enum(definition) = &api.ty(selector).kind else { return Vec::new() };
    let mut arms: Vec<Arm<'_>> = Vec::new();
    for member in members {
        let enumerator = definition.members.iter().find(|(name, _)| Some(name) == member.case.as_ref());
        let Some((case, value)) = enumerator else { continue };
        // Of two members with one value only the first can be told.
        if arms.iter().all(|before| before.value != *value) {
            arms.push(Arm { member, case, value: *value });
        }
    }
    arms
}

/// The enums that select the members of unions of an API.
pub(crate) fn selectors(api: &Api) -> HashMap<TypeId, TypeId> {
    let structs = api.types.iter().filter_map(|definition| match &definition.kind {
        TypeKind::Struct(fields) => Some(&fields[..]),
        TypeKind::Union(_) | TypeKind::Enum(_) | TypeKind::Alias(_) => None,
    });
    let mut selectors = HashMap::new();
    for fields in structs.chain(api.messages.iter().map(|message| &message.fields[..])) {
        for (at, field) in fields.iter().enumerate() {
            if let (Some(union), Some((_, selector))) = (union_of(api, field), discriminator(api, fields, at))
            {
                selectors.insert(union, selector);
            }
        }
    }
    selectors
}

/// Finds how each union is used.
pub(crate) fn decide(plan: &mut Plan<'_>) -> Result<(), GenerateError> {
    for index in 0..plan.items.len() {
        let item = plan.items[index].clone();
        let api = plan.api(&item);
        let fields = plan.fields(&item);
        for (at, field) in fields.iter().enumerate() {
            match discriminator(api, fields, at) {
                Some((_, selector)) => {
                    let Some(union) = union_of(api, field) else { continue };
                    select(plan, plan.type_id(&item, union), plan.type_id(&item, selector), selector)?;
                }
                None => use_raw(plan, &item, field.ty),
            }
        }
        if let Definition::Type(id) = item.definition {
            match &api.ty(id).kind {
                TypeKind::Union(members) => {
                    for member in members {
                        use_raw(plan, &item, member.ty);
                    }
                }
                TypeKind::Alias(target) => use_raw(plan, &item, *target),
                TypeKind::Struct(_) | TypeKind::Enum(_) => {}
            }
        }
    }
    // A union that nothing holds is still there for whoever wants it.
    for item in &mut plan.items {
        item.union.raw |= item.union.selected_by.is_none();
    }
    Ok(())
}

fn select(plan: &mut Plan<'_>, union: ItemId, by: ItemId, selector: TypeId) -> Result<(), GenerateError> {
    let item = plan.item(union);
    if let Some(before) = item.union.selected_by.filter(|before| *before != by) {
        let (first, second) = (plan.item(before).vpp_name.clone(), plan.item(by).vpp_name.clone());
        return Err(plan.error(item, Fault::TwoDiscriminators { first, second }));
    }
    let Definition::Type(id) = item.definition else { return Ok(()) };
    let api = plan.api(item);
    let size = api.layout_of_type(id).min_len();
    let selector_size = plan.releases[plan.item(by).home].api.layout_of_type(selector).min_len();
    let runtime = special_cases::runtime_union(&item.vpp_name, size, selector_size);
    let item = &mut plan.items[union.0];
    item.union.selected_by = Some(by);
    item.union.runtime = runtime;
    Ok(())
}

fn use_raw(plan: &mut Plan<'_>, holder: &super::plan::Item, ty: FieldType) {
    let element = match ty {
        FieldType::One(element) | FieldType::Array(element, _) | FieldType::List(element, _) => element,
        FieldType::FixedString(_) | FieldType::LongString => return,
    };
    if let TypeRef::Named(id) = element {
        let id = plan.type_id(holder, id);
        plan.items[id.0].union.raw = true;
    }
}
