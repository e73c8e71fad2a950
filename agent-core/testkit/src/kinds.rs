//! The made-up kinds.

use vpp_agent_engine::{
    Action, Batch, Change, Derived, Descriptor, Failure, Invalid, Key, Needs, Observed, Outcomes,
};

use crate::{Item, Southbound};

/// The kinds' names.
pub const KINDS: [&str; 4] = ["A", "B", "C", "Dd"];

fn derived(item: &Item) -> Vec<Derived> {
    let derive = |item: &Item| {
        let item = item.clone();
        match item.kind.as_str() {
            "A" => Derived::item::<A>(item),
            "B" => Derived::item::<B>(item),
            "C" => Derived::item::<C>(item),
            "Dd" => Derived::item::<Dd>(item),
            _ => Derived::property(Key::new(&item.kind, &item.name), item),
        }
    };
    item.derived.iter().map(derive).collect()
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident after [$($after:literal),*];)*) => {$(
        $(#[$doc])*
        pub struct $name(pub(crate) Southbound);

        impl Descriptor for $name {
            type Value = Item;
            type Metadata = u32;
            const KIND: &'static str = stringify!($name);
            const OBSERVE_AFTER: &'static [&'static str] = &[$($after),*];

            fn key(item: &Item) -> Key {
                Key::new(Self::KIND, &item.name)
            }
            fn validate(&self, item: &Item) -> Result<(), Invalid> {
                item.check()
            }
            fn equivalent(&self, a: &Item, b: &Item) -> bool {
                a.same(b)
            }
            fn needs(&self, item: &Item) -> Needs {
                Needs::all(item.needs.iter().map(crate::Need::to_needs))
            }
            fn derived(&self, item: &Item) -> Vec<Derived> {
                derived(item)
            }
            fn change(&self, from: &Item, to: &Item) -> Change {
                if from.mould == to.mould { Change::InPlace } else { Change::Recreate }
            }
            async fn observe(&self) -> Result<Vec<Observed<Self>>, Failure> {
                let items = self.0.observe(Self::KIND).await?;
                Ok(items.into_iter().map(|(value, metadata, given)| Observed { value, metadata, given }).collect())
            }
            async fn observe_keys(&self, keys: &[Key]) -> Result<Vec<Observed<Self>>, Failure> {
                let items = self.0.look(keys).await?;
                Ok(items.into_iter().map(|(value, metadata, given)| Observed { value, metadata, given }).collect())
            }
            async fn create(&self, batch: Batch<Self>) -> Outcomes<u32> {
                batch.each(|at| self.0.operate(Action::Create, batch[at].value().clone())).await
            }
            async fn update(&self, batch: Batch<Self>) -> Outcomes<u32> {
                batch.each(|at| self.0.operate(Action::Update, batch[at].value().clone())).await
            }
            async fn delete(&self, batch: Batch<Self>) -> Outcomes {
                let delete = |at: usize| {
                    let item = batch[at].value().clone();
                    async move { self.0.operate(Action::Delete, item).await.map(|_| ()) }
                };
                batch.each(delete).await
            }
        }
    )*};
}

kinds! {
    /// Items of kind `A`.
    A after [];
    /// Items of kind `B`, observed after `A`.
    B after ["A"];
    /// Items of kind `C`, observed after `B`.
    C after ["B"];
    /// Items of kind `Dd`: those that others derive, most often.
    Dd after [];
}
