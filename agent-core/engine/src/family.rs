//! Items of several kinds under one roof.

use std::fmt::Display;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use foldhash::HashMap;

use crate::{Descriptor, Failure, Key, Needs, Registered, Reverse};

type Metadata<M> = Box<dyn Fn(&Key) -> Option<M> + Send + Sync>;
type All<M> = Box<dyn Fn() -> Vec<(Key, M)> + Send + Sync>;

/// So many names are remembered with what they may be.
const MOST_NAMES: usize = 1024;

/// What a name may be, one key for each kind.
#[derive(Clone)]
struct Named {
    keys: Arc<[Key]>,
    needs: Needs,
}

struct Member<M> {
    kind: &'static str,
    metadata: Metadata<M>,
    all: All<M>,
    keys: Reverse<M>,
}

/// Kinds whose items have names of one space and metadata of one type, so that others name an item without saying which kind
/// it is: an address is on an interface, be it a loopback or a tap. A clone is the same.
///
/// ```
/// # use vpp_agent_engine::{Descriptor, Engine, Family, Needs};
/// # fn example<L: Descriptor<Metadata = u32>, T: Descriptor<Metadata = u32>>(engine: &Engine, loopbacks: L, taps: T) {
/// let interfaces = Family::new().with(&engine.register(loopbacks)).with(&engine.register(taps));
/// let needs: Needs = interfaces.needs("lan"); // loopback/lan or tap/lan
/// let sw_if_index = interfaces.get("lan");
/// # let _ = (needs, sw_if_index);
/// # }
/// ```
pub struct Family<M> {
    members: Arc<[Arc<Member<M>>]>,
    /// Many items name the same few.
    names: Arc<Mutex<HashMap<String, Named>>>,
}

impl<M> Clone for Family<M> {
    fn clone(&self) -> Self {
        Self { members: self.members.clone(), names: self.names.clone() }
    }
}

impl<M> Default for Family<M> {
    fn default() -> Self {
        Self { members: Arc::new([]), names: Arc::default() }
    }
}

impl<M: Clone + Eq + Hash + Send + Sync + 'static> Family<M> {
    /// Of no kinds yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// And of this one.
    #[must_use]
    pub fn with<D: Descriptor<Metadata = M>>(self, kind: &Registered<D>) -> Self {
        let (of, all) = (kind.clone(), kind.clone());
        let member = Member {
            kind: D::KIND,
            metadata: Box::new(move |key| of.of(key)),
            all: Box::new(move || all.all()),
            keys: kind.by(Clone::clone),
        };
        Self { members: self.members.iter().cloned().chain([Arc::new(member)]).collect(), ..Self::default() }
    }

    /// The item `name`, of whichever kind.
    pub fn needs(&self, name: impl Display) -> Needs {
        self.named(name).needs
    }

    fn named(&self, name: impl Display) -> Named {
        let name = name.to_string();
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(named) = names.get(&name) {
            return named.clone();
        }
        let keys: Arc<[Key]> = self.members.iter().map(|member| Key::new(member.kind, &name)).collect();
        let needs = Needs::one_of(keys.iter().cloned().map(Needs::key));
        let named = Named { keys, needs };
        if names.len() >= MOST_NAMES {
            names.clear();
        }
        names.insert(name, named.clone());
        named
    }

    /// The metadata of the item `name`.
    ///
    /// # Errors
    ///
    /// When it is not there.
    pub fn get(&self, name: impl Display) -> Result<M, Failure> {
        let Named { keys, needs } = self.named(name);
        let found = self.members.iter().zip(&*keys).find_map(|(member, key)| (member.metadata)(key));
        found.ok_or_else(|| Failure::new(format_args!("{needs} is not there")))
    }

    /// The item with this metadata.
    pub fn key(&self, metadata: &M) -> Option<Key> {
        self.members.iter().find_map(|member| member.keys.get(metadata))
    }

    /// The name of the item with this metadata.
    pub fn name(&self, metadata: &M) -> Option<String> {
        Some(self.key(metadata)?.name().to_owned())
    }

    /// All items that are there.
    pub fn all(&self) -> Vec<(Key, M)> {
        self.members.iter().flat_map(|member| (member.all)()).collect()
    }
}
