//! Which modules a module needs: those whose items its own refer to.

use std::collections::{BTreeMap, BTreeSet};

use super::plan::{Item, Plan};

/// Finds what each module uses.
pub(crate) fn decide(plan: &mut Plan<'_>) {
    let mut uses: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for item in plan.items.iter().filter(|item| item.elsewhere.is_none()) {
        uses.entry(item.module.clone()).or_default().extend(used_modules(plan, item));
    }
    for (name, module) in &mut plan.modules {
        let mut used = uses.remove(name).unwrap_or_default();
        used.remove(name);
        module.uses = used.into_iter().collect();
    }
}

fn used_modules(plan: &Plan<'_>, item: &Item) -> BTreeSet<String> {
    let types = plan.parts(item).into_iter().filter_map(|ty| ty.named());
    let types = types.map(|id| plan.type_id(item, id)).chain(item.union.selected_by);
    let used = types.chain(plan.answers(item)).map(|id| plan.item(id));
    used.filter(|used| used.elsewhere.is_none()).map(|used| used.module.clone()).collect()
}
