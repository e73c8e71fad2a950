//! The adapter of one kind of item, as its author writes it.

use std::future::Future;
use std::time::Duration;

use crate::failure::{Failure, Invalid};
use crate::{AnyValue, Key, Needs, Value};

/// Whether a value can be changed where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// [`Descriptor::update`] does it.
    InPlace,
    /// The item is deleted and created again. What depends on it is withdrawn before and comes back after.
    Recreate,
}

/// One kind of item: what it is, what it needs, and how it is made.
///
/// The functions that are not `async` are pure: the same value gives the same answer. The engine calls them whenever
/// it likes, also while it replays a record, and where it likes: those that read documents run on threads without a runtime.
pub trait Descriptor: Send + Sync + Sized + 'static {
    /// What an item is made of.
    type Value: Value;
    /// What creating an item returns and others may want to know (`sw_if_index`); `()` for nothing.
    type Metadata: Clone + Send + Sync + 'static;

    /// First part of the keys and section of documents. No slash. One descriptor per kind.
    const KIND: &'static str;
    /// Kinds to be observed before this one: what it reads of their metadata is as they were found then. A kind without
    /// metadata need not say it: all kinds that have some are observed before it.
    const OBSERVE_AFTER: &'static [&'static str] = &[];
    /// How many items one call of `create`, `update` or `delete` may get.
    const BATCH: usize = 1;
    /// How many such calls may run at once. Where they take batches a few keep the southbound busy, and more only hold what
    /// they are about to send.
    const CONCURRENCY: usize = if Self::BATCH > 1 { 4 } else { usize::MAX };
    /// How long such a call may take.
    const DEADLINE: Duration = Duration::from_secs(10);

    /// The key of an item: [`Key::new`]`(Self::KIND, ..)`.
    fn key(value: &Self::Value) -> Key;

    /// Rejects what cannot be, before anything else is done with it.
    fn validate(&self, _value: &Self::Value) -> Result<(), Invalid> {
        Ok(())
    }

    /// Whether two values mean the same.
    fn equivalent(&self, a: &Self::Value, b: &Self::Value) -> bool {
        a == b
    }

    /// What has to be there first.
    fn needs(&self, _value: &Self::Value) -> Needs {
        Needs::none()
    }

    /// Items that come with this one: created after it, deleted before it, each with needs and state of its own.
    fn derived(&self, _value: &Self::Value) -> Vec<Derived> {
        Vec::new()
    }

    /// Whether this change is an update.
    fn change(&self, _from: &Self::Value, _to: &Self::Value) -> Change {
        Change::Recreate
    }

    /// All items of the kind that are there.
    fn observe(&self) -> impl Future<Output = Result<Vec<Observed<Self>>, Failure>> + Send;

    /// Those of these items that are there. By default all are observed, and the others are passed over.
    fn observe_keys(
        &self,
        _keys: &[Key],
    ) -> impl Future<Output = Result<Vec<Observed<Self>>, Failure>> + Send {
        self.observe()
    }

    /// Creates items. The outcomes are in the order of the batch.
    fn create(&self, batch: Batch<Self>) -> impl Future<Output = Outcomes<Self::Metadata>> + Send;

    /// Changes items where they are. Called only if [`Descriptor::change`] says so. By default as `create`, which gets
    /// items that are there then: right where making an item again replaces it, or where `create` makes what is missing.
    fn update(&self, batch: Batch<Self>) -> impl Future<Output = Outcomes<Self::Metadata>> + Send {
        self.create(batch)
    }

    /// Deletes items.
    fn delete(&self, batch: Batch<Self>) -> impl Future<Output = Outcomes> + Send;
}

/// One item of a batch.
pub struct Entry<D: Descriptor> {
    /// Its key.
    pub key: Key,
    pub(crate) value: AnyValue,
    pub(crate) previous: Option<AnyValue>,
    /// What creating it returned; `None` before it is created, and for items found without it.
    pub metadata: Option<D::Metadata>,
}

/// An entry reads as its value: `entry.mtu`.
impl<D: Descriptor> std::ops::Deref for Entry<D> {
    type Target = D::Value;

    fn deref(&self) -> &D::Value {
        self.value()
    }
}

impl<D: Descriptor> Entry<D> {
    /// The value: to be created, to be changed to, or of the item to be deleted.
    pub fn value(&self) -> &D::Value {
        self.value.get().expect("the engine keeps values of a kind in the type of its descriptor")
    }

    /// The metadata of an item that is there.
    ///
    /// # Errors
    ///
    /// When it is not known. The item has to be looked at then.
    pub fn metadata(&self) -> Result<&D::Metadata, Failure> {
        let unknown = || Failure::new(format_args!("{}: its metadata is not known", self.key)).uncertain();
        self.metadata.as_ref().ok_or_else(unknown)
    }

    /// The value before an update.
    pub fn previous(&self) -> Option<&D::Value> {
        self.previous.as_ref().and_then(AnyValue::get)
    }
}

type Report<M> = Box<dyn Fn(usize, Result<Option<M>, Failure>) + Send + Sync>;

/// Items on which one operation is to be done, at most [`Descriptor::BATCH`] of them.
///
/// No two of them depend on each other.
pub struct Batch<D: Descriptor> {
    pub(crate) entries: Vec<Entry<D>>,
    pub(crate) report: Report<D::Metadata>,
}

impl<D: Descriptor> Batch<D> {
    /// The items.
    pub fn iter(&self) -> std::slice::Iter<'_, Entry<D>> {
        self.entries.iter()
    }

    /// How many there are; never none.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Never.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The metadata of each, as it was before.
    pub fn metadata(&self) -> Outcomes<D::Metadata> {
        self.iter().map(|entry| entry.metadata().cloned()).collect()
    }

    /// Says how item `index` ended before the whole batch has: what depends on it need not wait for the rest, and a
    /// batch that hangs later does not take it along. `None`: a deletion.
    pub fn report(&self, index: usize, outcome: Result<Option<D::Metadata>, Failure>) {
        (self.report)(index, outcome);
    }

    /// Does the items one after the other.
    pub async fn each<T, F>(&self, mut one: impl FnMut(usize) -> F + Send) -> Outcomes<T>
    where
        F: Future<Output = Result<T, Failure>> + Send,
    {
        let mut outcomes = Vec::with_capacity(self.len());
        for index in 0..self.len() {
            outcomes.push(one(index).await);
        }
        Outcomes(outcomes)
    }
}

impl<D: Descriptor> std::ops::Index<usize> for Batch<D> {
    type Output = Entry<D>;
    fn index(&self, index: usize) -> &Entry<D> {
        &self.entries[index]
    }
}

/// How the items of a batch ended, in its order.
pub struct Outcomes<M = ()>(pub(crate) Vec<Result<M, Failure>>);

impl<M> IntoIterator for Outcomes<M> {
    type Item = Result<M, Failure>;
    type IntoIter = std::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<M> FromIterator<Result<M, Failure>> for Outcomes<M> {
    fn from_iter<I: IntoIterator<Item = Result<M, Failure>>>(from: I) -> Self {
        Self(from.into_iter().collect())
    }
}

/// An item that is there.
pub struct Observed<D: Descriptor> {
    /// Its value, as far as it can be read back; [`Descriptor::equivalent`] compares it with what is wanted.
    pub value: D::Value,
    /// Its metadata.
    pub metadata: D::Metadata,
    /// It belongs to the southbound (`local0`): never deleted, whatever the policy for foreign items says.
    pub given: bool,
}

impl<D: Descriptor> Observed<D> {
    /// An item that an agent may have made.
    pub const fn new(value: D::Value, metadata: D::Metadata) -> Self {
        Self { value, metadata, given: false }
    }

    /// What a southbound lists becomes observations: of each element an item with its metadata, or nothing where it is
    /// none of the kind.
    pub fn all<T>(
        elements: impl IntoIterator<Item = T>,
        mut item: impl FnMut(T) -> Option<(D::Value, D::Metadata)>,
    ) -> Vec<Self> {
        let observed = |element| item(element).map(|(value, metadata)| Self::new(value, metadata));
        elements.into_iter().filter_map(observed).collect()
    }

    /// As [`Observed::all`], for items without metadata.
    pub fn values<T>(
        elements: impl IntoIterator<Item = T>,
        mut value: impl FnMut(T) -> Option<D::Value>,
    ) -> Vec<Self>
    where
        D: Descriptor<Metadata = ()>,
    {
        Self::all(elements, |element| Some((value(element)?, ())))
    }

    /// An item that belongs to the southbound.
    pub const fn given(value: D::Value, metadata: D::Metadata) -> Self {
        Self { value, metadata, given: true }
    }
}

/// An item that comes with another one.
#[derive(Clone, Debug)]
pub struct Derived {
    pub(crate) key: Key,
    pub(crate) value: AnyValue,
    pub(crate) property: bool,
}

impl Derived {
    /// An item of a kind with a descriptor. It may have derived items itself.
    pub fn item<D: Descriptor>(value: D::Value) -> Self {
        Self { key: D::key(&value), value: AnyValue::new(value), property: false }
    }

    /// A fact that others may need; nothing is done for it.
    pub fn property<V: Value>(key: Key, value: V) -> Self {
        Self { key, value: AnyValue::new(value), property: true }
    }
}
