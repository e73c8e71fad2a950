//! What creating items returned, for other descriptors.

use std::hash::Hash;
use std::sync::{Arc, PoisonError, RwLock};

use foldhash::HashMap;
use tokio::sync::watch;

use crate::{Descriptor, Key};

type Follower<M> = Box<dyn Fn(&Key, Option<&M>, Option<&M>) + Send + Sync>;

struct Content<M> {
    by_key: HashMap<Key, M>,
    followers: Vec<Follower<M>>,
}

pub(crate) struct Index<M> {
    content: RwLock<Content<M>>,
    version: watch::Sender<u64>,
}

impl<M> Index<M> {
    pub(crate) fn new() -> Self {
        let content = Content { by_key: HashMap::default(), followers: Vec::new() };
        Self { content: RwLock::new(content), version: watch::Sender::new(0) }
    }

    pub(crate) fn set(&self, key: &Key, metadata: Option<M>) {
        let mut content = self.content.write().unwrap_or_else(PoisonError::into_inner);
        let content = &mut *content;
        let before = content.by_key.remove(key);
        for follower in &content.followers {
            follower(key, before.as_ref(), metadata.as_ref());
        }
        if let Some(metadata) = metadata {
            content.by_key.insert(key.clone(), metadata);
        }
        self.version.send_modify(|version| *version += 1);
    }
}

/// A registered kind: the metadata of its items.
pub struct Registered<D: Descriptor>(pub(crate) Arc<Index<D::Metadata>>);

impl<D: Descriptor> Clone for Registered<D> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<D: Descriptor> Registered<D> {
    /// The metadata of the item `name`, while the item is there.
    pub fn metadata(&self, name: impl std::fmt::Display) -> Option<D::Metadata> {
        self.of(&Key::new(D::KIND, name))
    }

    /// As [`Registered::metadata`], by key.
    pub fn of(&self, key: &Key) -> Option<D::Metadata> {
        self.0.content.read().unwrap_or_else(PoisonError::into_inner).by_key.get(key).cloned()
    }

    /// The metadata of all items that are there, in no order.
    pub fn all(&self) -> Vec<(Key, D::Metadata)> {
        let content = self.0.content.read().unwrap_or_else(PoisonError::into_inner);
        content.by_key.iter().map(|(key, metadata)| (key.clone(), metadata.clone())).collect()
    }

    /// An index the other way round: from something in the metadata to the key. It follows all changes.
    pub fn by<R: Hash + Eq + Send + Sync + 'static>(
        &self,
        part: impl Fn(&D::Metadata) -> R + Send + Sync + 'static,
    ) -> Reverse<R> {
        let keys = Arc::new(RwLock::new(HashMap::default()));
        let mut content = self.0.content.write().unwrap_or_else(PoisonError::into_inner);
        {
            let mut keys = keys.write().unwrap_or_else(PoisonError::into_inner);
            keys.extend(content.by_key.iter().map(|(key, metadata)| (part(metadata), key.clone())));
        }
        let follow = keys.clone();
        content.followers.push(Box::new(move |key, before, after| {
            let mut keys = follow.write().unwrap_or_else(PoisonError::into_inner);
            if let Some(before) = before.map(&part)
                && keys.get(&before) == Some(key)
            {
                keys.remove(&before);
            }
            if let Some(after) = after {
                keys.insert(part(after), key.clone());
            }
        }));
        Reverse(keys)
    }

    /// Wakes when metadata of some item changed since the last look; read again what you need then.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.version.subscribe()
    }
}

/// From something in the metadata to the key of the item.
#[derive(Clone)]
pub struct Reverse<R>(Arc<RwLock<HashMap<R, Key>>>);

impl<R: Hash + Eq> Reverse<R> {
    /// The item whose metadata has this.
    pub fn get(&self, part: &R) -> Option<Key> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(part).cloned()
    }
}
