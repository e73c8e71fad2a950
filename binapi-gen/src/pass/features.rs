//! Which modules a module needs: those whose items its own refer to.

use std::collections::{BTreeMap, BTreeSet};

use vpp_schema::{Answer, FieldType, TypeKind, TypeRef};

use super::plan::{Item, Plan};
use super::services::Received;

/// Finds what each module uses.
pub(crate) fn decide(plan: &mut Plan<'_>) {
    let mut uses: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for item in &plan.items {
        uses.entry(item.module.clone()).or_default().extend(used_modules(plan, item));
    }
    for (name, module) in &mut plan.modules {
        let mut used = uses.remove(name).unwrap_or_default();
        used.remove(name);
        module.uses = used.into_iter().collect();
    }
}

fn used_modules(plan: &Plan<'_>, item: &Item) -> BTreeSet<String> {
    let types: Vec<FieldType> = match plan.type_def(item).map(|definition| &definition.kind) {
        Some(TypeKind::Alias(target)) => vec![*target],
        Some(TypeKind::Union(members)) => members.iter().map(|member| member.ty).collect(),
        _ => plan.fields(item).iter().map(|field| field.ty).collect(),
    };
    let mut used: BTreeSet<String> = types
        .into_iter()
        .filter_map(|ty| match ty {
            FieldType::One(TypeRef::Named(id))
            | FieldType::Array(TypeRef::Named(id), _)
            | FieldType::List(TypeRef::Named(id), _) => Some(plan.type_item(item, id).module.clone()),
            _ => None,
        })
        .collect();
    if let Some(selector) = item.union.selected_by {
        used.insert(plan.item(selector).module.clone());
    }
    let Some(role) = plan.role(item) else { return used };
    let mut answers = Vec::new();
    match role.answer {
        Some(Answer::Reply(reply)) => answers.push(reply),
        Some(Answer::Details(details)) => answers.push(details),
        Some(Answer::Stream { details, reply }) => answers.extend([details, reply]),
        Some(Answer::Nothing) | None => {}
    }
    answers.extend(role.received.iter().filter_map(|received| match received {
        Received::Event(request) => Some(*request),
        Received::Reply(_) | Received::Element(_) | Received::End(_) => None,
    }));
    used.extend(answers.into_iter().map(|id| plan.message_item(item, id).module.clone()));
    used
}
