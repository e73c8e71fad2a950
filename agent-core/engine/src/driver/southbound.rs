//! The I/O half of a descriptor, without its type.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;

use super::Completion;
use crate::descriptor::{Batch, Descriptor, Entry, Observed, Outcomes};
use crate::metadata::Index;
use crate::planner::{Operation, Outcome, Seen};
use crate::value::AnyMetadata;
use crate::{Action, AnyValue, Failure, Key};

pub(crate) type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

pub(crate) struct Limits {
    pub(crate) batch: usize,
    pub(crate) calls: usize,
    pub(crate) deadline: Duration,
}

pub(crate) trait Southbound: Send + Sync {
    fn kind(&self) -> &'static str;
    fn limits(&self) -> Limits;
    fn observe(&self) -> Boxed<Result<Vec<Seen>, Failure>>;
    /// Does the operations and tells each one's end.
    fn operate(
        &self,
        action: Action,
        operations: Vec<Operation>,
        done: UnboundedSender<Completion>,
    ) -> Boxed<()>;
    fn set_metadata(&self, key: &Key, metadata: Option<AnyMetadata>);
}

pub(crate) struct Adapter<D: Descriptor> {
    pub(crate) descriptor: Arc<D>,
    pub(crate) index: Arc<Index<D::Metadata>>,
}

pub(crate) fn seen<D: Descriptor>(observed: Observed<D>) -> Seen {
    Seen {
        key: D::key(&observed.value),
        value: AnyValue::new(observed.value),
        metadata: erased(observed.metadata),
        given: observed.given,
    }
}

fn erased<M: Send + Sync + 'static>(metadata: M) -> Option<AnyMetadata> {
    // `()` needs no allocation per item.
    (std::any::TypeId::of::<M>() != std::any::TypeId::of::<()>()).then(|| Arc::new(metadata) as AnyMetadata)
}

impl<D: Descriptor> Southbound for Adapter<D> {
    fn kind(&self) -> &'static str {
        D::KIND
    }

    fn limits(&self) -> Limits {
        Limits { batch: D::BATCH.max(1), calls: D::CONCURRENCY.max(1), deadline: D::DEADLINE }
    }

    fn observe(&self) -> Boxed<Result<Vec<Seen>, Failure>> {
        let descriptor = self.descriptor.clone();
        Box::pin(async move { Ok(descriptor.observe().await?.into_iter().map(seen).collect()) })
    }

    fn operate(
        &self,
        action: Action,
        operations: Vec<Operation>,
        done: UnboundedSender<Completion>,
    ) -> Boxed<()> {
        let descriptor = self.descriptor.clone();
        Box::pin(async move {
            let ids: Vec<u64> = operations.iter().map(|operation| operation.id).collect();
            if action == Action::Verify {
                let keys: Vec<Key> = operations.into_iter().map(|operation| operation.key).collect();
                return verify(&*descriptor, ids, keys, done).await;
            }
            let entries = operations.into_iter().filter_map(|operation| {
                Some(Entry {
                    key: operation.key,
                    value: operation.value?,
                    previous: operation.previous,
                    metadata: operation
                        .metadata
                        .as_ref()
                        .and_then(|metadata| metadata.downcast_ref::<D::Metadata>().cloned()),
                })
            });
            let entries: Vec<Entry<D>> = entries.collect();
            let (early, numbers) = (done.clone(), ids.clone());
            let report = Box::new(move |index: usize, outcome: Result<Option<D::Metadata>, Failure>| {
                if let Some(&id) = numbers.get(index) {
                    let outcome = match outcome {
                        Ok(metadata) => Outcome::Done(metadata.and_then(erased)),
                        Err(failure) => Outcome::Failed(failure),
                    };
                    // The driver is gone: nobody wants to know.
                    let _ = early.send(Completion::Finished(id, outcome));
                }
            });
            let batch = Batch { entries, report };
            match action {
                Action::Create => tell(&ids, descriptor.create(batch).await, &done),
                Action::Update => tell(&ids, descriptor.update(batch).await, &done),
                _ => tell(&ids, descriptor.delete(batch).await, &done),
            }
        })
    }

    fn set_metadata(&self, key: &Key, metadata: Option<AnyMetadata>) {
        let metadata = metadata.and_then(|metadata| metadata.downcast_ref::<D::Metadata>().cloned());
        self.index.set(key, metadata);
    }
}

fn tell<M: Send + Sync + 'static>(ids: &[u64], outcomes: Outcomes<M>, done: &UnboundedSender<Completion>) {
    let mut outcomes = outcomes.0.into_iter();
    for &id in ids {
        let outcome = match outcomes.next() {
            Some(Ok(metadata)) => Outcome::Done(erased(metadata)),
            Some(Err(failure)) => Outcome::Failed(failure),
            None => Outcome::Failed(Failure::new("the descriptor gave no outcome for this item").uncertain()),
        };
        // Ends that were reported before are known by the planner: it takes the first.
        let _ = done.send(Completion::Finished(id, outcome));
    }
}

async fn verify<D: Descriptor>(
    descriptor: &D,
    ids: Vec<u64>,
    keys: Vec<Key>,
    done: UnboundedSender<Completion>,
) {
    match descriptor.observe_keys(&keys).await {
        Ok(observed) => {
            let found = observed.into_iter().map(seen).map(|seen| (seen.key.clone(), seen));
            let mut found: std::collections::HashMap<Key, Seen> = found.collect();
            for (id, key) in ids.into_iter().zip(keys) {
                let _ = done.send(Completion::Finished(id, Outcome::Found(found.remove(&key))));
            }
        }
        Err(failure) => {
            for id in ids {
                let _ = done.send(Completion::Finished(id, Outcome::Failed(failure.clone())));
            }
        }
    }
}
