//! What follows from the bytes: which types are hand-written ones, which values have a heap part, which get a view.

use vpp_schema::{Api, FieldType, TypeKind, TypeRef};

use super::plan::{Definition, Item, ItemId, Plan};
use crate::special_cases;

/// Decides for all items. Types come before what refers to them.
pub(crate) fn decide(plan: &mut Plan<'_>) {
    for index in 0..plan.items.len() {
        let item = plan.items[index].clone();
        let runtime = runtime_type(plan, &item);
        let heap = runtime.is_none() && has_heap(plan, &item);
        let item = &mut plan.items[index];
        item.runtime = runtime;
        item.heap = heap;
    }
    for index in 0..plan.items.len() {
        let item = &plan.items[index];
        if is_received(plan, item) && can_be_viewed(plan, item) {
            view(plan, ItemId(index));
        }
    }
}

fn runtime_type(plan: &Plan<'_>, item: &Item) -> Option<special_cases::RuntimeType> {
    let Definition::Type(id) = item.definition else { return None };
    let api = plan.api(item);
    // An enum of that name and size is something else.
    if matches!(api.ty(id).kind, TypeKind::Enum(_) | TypeKind::Union(_)) {
        return None;
    }
    special_cases::runtime_type(&item.vpp_name, api.layout_of_type(id).fixed_len()?)
}

fn has_heap(plan: &Plan<'_>, item: &Item) -> bool {
    let targets: Vec<FieldType> = match plan.type_def(item).map(|definition| &definition.kind) {
        Some(TypeKind::Alias(target)) => vec![*target],
        Some(TypeKind::Union(_)) if item.union.selected_by.is_none() => return false,
        Some(TypeKind::Union(members)) => members.iter().map(|member| member.ty).collect(),
        _ => plan.fields(item).iter().map(|field| field.ty).collect(),
    };
    targets.into_iter().any(|ty| field_has_heap(plan, item, ty))
}

/// Whether an owned value of a field has a heap part.
pub(crate) fn field_has_heap(plan: &Plan<'_>, item: &Item, ty: FieldType) -> bool {
    match ty {
        FieldType::FixedString(_) | FieldType::LongString | FieldType::List(..) => true,
        FieldType::One(element) | FieldType::Array(element, _) => match element {
            TypeRef::Scalar(_) => false,
            TypeRef::Named(id) => plan.type_item(item, id).heap,
        },
    }
}

/// Whether a client receives the message: as a reply, an element of a stream or an event.
fn is_received(plan: &Plan<'_>, item: &Item) -> bool {
    plan.role(item).is_some_and(|role| !role.received.is_empty())
}

/// Whether all accessors can be infallible: one part of variable size at most, and nothing behind it.
fn can_be_viewed(plan: &Plan<'_>, item: &Item) -> bool {
    let api = plan.api(item);
    let Some((last, before)) = plan.fields(item).split_last() else { return true };
    let fixed = before.iter().all(|field| api.layout_of(field.ty).fixed_len().is_some());
    fixed
        && match api.resolve(last.ty) {
            FieldType::List(element, _) => api.layout_of_ref(element).fixed_len().is_some(),
            FieldType::One(TypeRef::Named(id)) if api.layout_of_type(id).fixed_len().is_none() => {
                can_be_viewed(plan, plan.type_item(item, id))
            }
            FieldType::Array(..) => api.layout_of(last.ty).fixed_len().is_some(),
            FieldType::One(_) | FieldType::FixedString(_) | FieldType::LongString => true,
        }
}

/// Gives a view to an item and to the types within it that have a heap part.
fn view(plan: &mut Plan<'_>, id: ItemId) {
    if std::mem::replace(&mut plan.items[id.0].view, true) {
        return;
    }
    let item = plan.item(id).clone();
    let api = plan.api(&item);
    let nested: Vec<_> = plan
        .fields(&item)
        .iter()
        .filter_map(|field| viewed_type(plan, &item, api, field.ty))
        .map(|id| plan.type_id(&item, id))
        .collect();
    for id in nested {
        view(plan, id);
    }
}

/// The struct within a field that is read through a view of its own.
pub(crate) fn viewed_type(
    plan: &Plan<'_>,
    item: &Item,
    api: &Api,
    ty: FieldType,
) -> Option<vpp_schema::TypeId> {
    match api.resolve(ty) {
        FieldType::One(TypeRef::Named(id))
            if matches!(api.ty(id).kind, TypeKind::Struct(_)) && plan.type_item(item, id).heap =>
        {
            Some(id)
        }
        _ => None,
    }
}
