//! Items of several kinds under one roof.

use std::fmt::Display;
use std::hash::Hash;
use std::sync::Arc;

use crate::{Descriptor, Failure, Key, Needs, Registered, Reverse};

type Metadata<M> = Box<dyn Fn(&Key) -> Option<M> + Send + Sync>;
type All<M> = Box<dyn Fn() -> Vec<(Key, M)> + Send + Sync>;

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
}

impl<M> Clone for Family<M> {
    fn clone(&self) -> Self {
        Self { members: self.members.clone() }
    }
}

impl<M> Default for Family<M> {
    fn default() -> Self {
        Self { members: Arc::new([]) }
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
        Self { members: self.members.iter().cloned().chain([Arc::new(member)]).collect() }
    }

    /// The item `name`, of whichever kind.
    pub fn needs(&self, name: impl Display) -> Needs {
        Needs::one_of(self.members.iter().map(|member| Needs::key(Key::new(member.kind, &name))))
    }

    /// The metadata of the item `name`.
    ///
    /// # Errors
    ///
    /// When it is not there.
    pub fn get(&self, name: impl Display) -> Result<M, Failure> {
        let found = self.members.iter().find_map(|member| (member.metadata)(&Key::new(member.kind, &name)));
        found.ok_or_else(|| Failure::new(format_args!("{} is not there", self.needs(&name))))
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
