//! Watching states: nothing is lost in silence, and nobody waits for a slow watcher.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::Notify;

use crate::{Key, Status};

/// What a watcher is told.
#[derive(Clone, Debug, PartialEq)]
pub enum Watched {
    /// The state of an item changed.
    Changed(Status),
    /// The watcher was too slow: this many changes are not told one by one. The latest state of each item to which
    /// they belong follows.
    Lagged(u64),
}

struct Queue {
    changes: VecDeque<Watched>,
    /// While the watcher is behind: the latest state of each item.
    latest: BTreeMap<Key, Status>,
    lagged: u64,
    behind: bool,
    closed: bool,
}

struct Channel {
    prefix: String,
    most: usize,
    queue: Mutex<Queue>,
    wake: Notify,
}

impl Channel {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Changes of states, from the time at which watching began.
pub struct Watch(Arc<Channel>);

impl Watch {
    /// The next change; `None` when the engine has ended. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Watched> {
        loop {
            let wake = self.0.wake.notified();
            {
                let mut queue = self.0.queue();
                if let Some(change) = queue.changes.pop_front() {
                    return Some(change);
                }
                if queue.behind {
                    queue.behind = false;
                    let latest = std::mem::take(&mut queue.latest);
                    queue.changes.extend(latest.into_values().map(Watched::Changed));
                    return Some(Watched::Lagged(std::mem::take(&mut queue.lagged)));
                }
                if queue.closed {
                    return None;
                }
            }
            wake.await;
        }
    }

    /// The next change that is already there.
    pub fn try_next(&mut self) -> Option<Watched> {
        let next = std::pin::pin!(self.next());
        match next.poll(&mut std::task::Context::from_waker(std::task::Waker::noop())) {
            std::task::Poll::Ready(change) => change,
            std::task::Poll::Pending => None,
        }
    }
}

#[derive(Default)]
pub(crate) struct Watchers(Vec<Weak<Channel>>);

impl Watchers {
    pub(crate) fn add(&mut self, prefix: &str, most: usize) -> Watch {
        let queue = Queue {
            changes: VecDeque::new(),
            latest: BTreeMap::new(),
            lagged: 0,
            behind: false,
            closed: false,
        };
        let channel = Arc::new(Channel {
            prefix: prefix.to_owned(),
            most: most.max(1),
            queue: Mutex::new(queue),
            wake: Notify::new(),
        });
        self.0.push(Arc::downgrade(&channel));
        Watch(channel)
    }

    pub(crate) fn any(&mut self) -> bool {
        self.0.retain(|watcher| watcher.strong_count() > 0);
        !self.0.is_empty()
    }

    pub(crate) fn tell(&self, status: &Status) {
        for channel in self.0.iter().filter_map(Weak::upgrade) {
            if !status.key.as_str().starts_with(&channel.prefix) {
                continue;
            }
            let mut queue = channel.queue();
            // Those that are told one by one still come first, so each item's last word is its latest.
            if queue.behind || queue.changes.len() >= channel.most {
                queue.behind = true;
                queue.lagged += 1;
                queue.latest.insert(status.key.clone(), status.clone());
            } else {
                queue.changes.push_back(Watched::Changed(status.clone()));
            }
            drop(queue);
            channel.wake.notify_one();
        }
    }
}

impl Drop for Watchers {
    fn drop(&mut self) {
        for channel in self.0.iter().filter_map(Weak::upgrade) {
            channel.queue().closed = true;
            channel.wake.notify_one();
        }
    }
}
