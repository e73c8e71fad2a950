//! Kinds whose southbound comes and goes.

use super::{Access, Output, Planner};
use crate::transaction::Trigger;

impl Planner {
    pub(super) fn set_access(&mut self, kinds: Vec<(String, Access)>) {
        let number = self.open_transaction(Trigger::Observation);
        self.cause = number;
        let mut opened = Vec::new();
        for (name, access) in kinds {
            let kind = self.intern_kind(&name);
            let at = &mut self.kinds[kind as usize];
            if at.access == access {
                continue;
            }
            at.access = access;
            // What was known of it is not any more; an observation that failed has failed on another southbound.
            at.known = false;
            at.gated = true;
            at.failure = None;
            at.attempts = 0;
            let access = at.access.clone();
            if access == Access::Open && at.rules.is_some() {
                opened.push(kind);
            }
            let has_metadata =
                self.kinds[kind as usize].rules.as_ref().is_some_and(|rules| rules.has_metadata());
            for id in self.kinds[kind as usize].members.clone().iter() {
                match access {
                    // Numbers of a southbound that has gone name nothing any more, or something else on the next.
                    Access::Closed(_) if has_metadata && self.nodes[id as usize].metadata.is_some() => {
                        let key = self.nodes[id as usize].key.clone();
                        self.out.push(Output::Metadata(kind, key, None));
                    }
                    // What cannot be worked with there cannot have been made there.
                    Access::Unimplemented(_) if self.nodes[id as usize].applied.is_some() => self.gone(id),
                    // What failed was the southbound that has gone.
                    Access::Open => self.nodes[id as usize].trouble = None,
                    _ => {}
                }
                self.mark(id);
                self.touch(id);
            }
        }
        self.observe_kinds(opened, number);
    }
}
