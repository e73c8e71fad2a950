//! Calls and dumps whose errors are failures of items.

use std::sync::atomic::{AtomicBool, Ordering};

use vpp_agent_engine::{Batch, Descriptor, Entry, Failure, Outcomes};
use vpp_conn::{CallError, Connection};
use vpp_wire::{Dump, Request};

use crate::failure;

/// What a descriptor does in one call: requests to one VPP, whose errors are [failures](failure) of the item.
///
/// A session whose first request worked has changed something. So when a later one is refused, the item is not as it was,
/// and the failure says that it has to be looked at.
#[derive(Debug)]
pub struct Session {
    connection: Connection,
    has_changed: AtomicBool,
}

impl Session {
    pub(crate) const fn new(connection: Connection) -> Self {
        Self { connection, has_changed: AtomicBool::new(false) }
    }

    /// The connection, for what has no verb here.
    #[must_use]
    pub const fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Sends a request and waits for its reply.
    ///
    /// # Errors
    ///
    /// When VPP refuses or cannot be asked: see [`failure`].
    pub async fn call<R: Request>(&self, request: &R) -> Result<R::Reply, Failure> {
        match self.connection.call(request).await {
            Ok(reply) => {
                self.has_changed.store(true, Ordering::Relaxed);
                Ok(reply)
            }
            Err(error) => Err(self.failure(&error)),
        }
    }

    /// All elements of dumps, of one after the other.
    ///
    /// # Errors
    ///
    /// When VPP cannot be asked: see [`failure`].
    pub async fn dump<D: Dump>(
        &self,
        requests: impl IntoIterator<Item = D, IntoIter: Send> + Send,
    ) -> Result<Vec<D::Details>, Failure> {
        let mut all = Vec::new();
        for request in requests {
            let elements = self.connection.dump(&request).collect().await;
            all.append(&mut elements.map_err(|error| self.failure(&error))?);
        }
        Ok(all)
    }

    /// Sends one request for each item of a batch, many at a time. An item without a request fails alone.
    pub async fn pipeline<K: Descriptor, R: Request>(
        &self,
        batch: &Batch<K>,
        request: impl Fn(&Entry<K>) -> Result<R, Failure> + Send,
    ) -> Outcomes {
        let outcomes = self.exchange(batch, move |_, entry| Some(request(entry)), |_| ()).await;
        // Each item had a request, or the reason why not.
        outcomes.into_iter().flatten().collect()
    }

    /// As [`pipeline`](Self::pipeline), for items whose metadata comes with the reply. Items that are there, as in an
    /// update, have theirs and are not asked for.
    pub async fn make<K: Descriptor, R: Request>(
        &self,
        batch: &Batch<K>,
        request: impl Fn(&Entry<K>) -> Result<R, Failure> + Send,
        metadata: impl Fn(R::Reply) -> K::Metadata + Send,
    ) -> Outcomes<K::Metadata> {
        let missing = move |_, entry: &Entry<K>| entry.metadata.is_none().then(|| request(entry));
        let made = self.exchange(batch, missing, metadata).await;
        made.into_iter()
            .zip(batch.iter())
            .map(|(made, entry)| made.unwrap_or_else(|| entry.metadata().cloned()))
            .collect()
    }

    /// The same, for some of the items; `None` for the others.
    pub(crate) async fn pipeline_at<K: Descriptor, R: Request>(
        &self,
        batch: &Batch<K>,
        request: impl Fn(usize, &Entry<K>) -> Option<Result<R, Failure>> + Send,
    ) -> Vec<Option<Result<(), Failure>>> {
        self.exchange(batch, request, |_| ()).await
    }

    async fn exchange<K: Descriptor, R: Request, M: Send>(
        &self,
        batch: &Batch<K>,
        request: impl Fn(usize, &Entry<K>) -> Option<Result<R, Failure>> + Send,
        metadata: impl Fn(R::Reply) -> M + Send,
    ) -> Vec<Option<Result<M, Failure>>> {
        let mut outcomes: Vec<Option<Result<M, Failure>>> = Vec::with_capacity(batch.len());
        let mut sent = Vec::with_capacity(batch.len());
        let mut requests = Vec::with_capacity(batch.len());
        for (at, entry) in batch.iter().enumerate() {
            outcomes.push(match request(at, entry) {
                Some(Ok(request)) => {
                    sent.push(at);
                    requests.push(request);
                    None
                }
                Some(Err(failure)) => Some(Err(failure)),
                None => None,
            });
        }
        let mut pipeline = self.connection.pipeline(requests);
        let mut last = None;
        while let Some((at, result)) = pipeline.next().await {
            let result = result.map_err(|error| failure(&error));
            last = result.as_ref().err().cloned();
            outcomes[sent[at]] = Some(result.map(&metadata));
        }
        // The connection has ended, or VPP does not have the message: the rest was not sent.
        let unsent =
            last.map_or_else(|| Failure::new("it was not sent"), |last| Failure { uncertain: false, ..last });
        for at in sent {
            outcomes[at].get_or_insert_with(|| Err(unsent.clone()));
        }
        outcomes
    }

    fn failure(&self, error: &CallError) -> Failure {
        let failure = failure(error);
        if self.has_changed.load(Ordering::Relaxed) { failure.uncertain() } else { failure }
    }
}
