//! What outlives the process: what the sources want that cannot say it again.

use std::sync::Arc;

use super::ids::Id;
use super::node::Origin;
use super::{Output, Planner};
use crate::journal::{Fact, NUMBERS, Remembered};
use crate::transaction::Trigger;
use crate::{AnyValue, Retry};

impl Planner {
    /// What earlier runs made is known from what others made, and what kept sources wanted is wanted again.
    pub(super) fn remember(&mut self, of: Remembered) {
        (self.number, self.reserved) = (of.numbered, of.reserved());
        for name in &of.sources {
            self.intern_source(name);
        }
        for name in &of.kept {
            let source = self.intern_source(name);
            let source = &mut self.sources[source as usize];
            (source.kept, source.kept_whole, source.complete) = (true, true, true);
        }
        for (key, name) in of.owned {
            let source = self.intern_source(&name);
            let id = self.intern(&key);
            self.nodes[id as usize].owner = Some(source);
            self.nodes[id as usize].stale = true;
        }
        if of.wanted.is_empty() {
            return;
        }
        // Nothing follows yet, since no kind is known: the transaction gives the items their revision.
        let number = self.open_transaction(Trigger::Journal);
        self.cause = number;
        self.author = number;
        for wanted in of.wanted {
            let source = self.intern_source(&wanted.source);
            self.sources[source as usize].kept = true;
            let id = self.intern(&wanted.key);
            let value = self.typed(id, AnyValue::new(wanted.value));
            self.nodes[id as usize].retry = wanted.retry.map(Arc::new);
            self.set_want(id, Origin::Source(source), Some(value));
        }
    }

    /// A source changes something: no later run gives the number of this transaction, or one that follows it, again.
    pub(super) fn reserve_numbers(&mut self, number: u64) {
        // Others have numbers too, and are told before a fact is recorded: it is done again long before all are given.
        if number + NUMBERS / 2 >= self.reserved {
            self.reserved = number + NUMBERS;
            self.out.push(Output::Record(number, Fact::Numbered { below: self.reserved }));
        }
    }

    /// From now on it is recorded what the source wants.
    pub(super) fn keep(&mut self, name: &str) {
        let source = self.intern_source(name);
        if std::mem::replace(&mut self.sources[source as usize].kept, true) {
            return;
        }
        for id in self.sources[source as usize].keys.clone().iter() {
            let retry = self.nodes[id as usize].retry.as_deref().copied();
            if let Some(value) = self.want_of(id, source)
                && let Ok(fact) = self.wanted_fact(id, source, value, retry)
            {
                self.record(id, fact);
            }
        }
        // Of what was made for it while it was not kept, it is not known whether it is still wanted. Then the record
        // is whole only when the source has said so.
        let stale = self.nodes.iter().any(|node| node.stale && node.owner == Some(source));
        if self.sources[source as usize].complete || !stale {
            self.keep_whole(source);
        }
    }

    /// What is recorded of the source is all that it wants.
    pub(super) fn keep_whole(&mut self, source: u16) {
        let source = &mut self.sources[source as usize];
        if source.kept && !source.kept_whole {
            source.kept_whole = true;
            let fact = Fact::Kept { source: source.name.clone() };
            self.out.push(Output::Record(self.cause, fact));
        }
    }

    /// The fact goes on the account of the transaction that changes the item.
    pub(super) fn record(&mut self, id: Id, fact: Fact) {
        self.out.push(Output::Record(self.account(id), fact));
    }

    pub(super) fn want_of(&self, id: Id, source: u16) -> Option<&AnyValue> {
        let wants = &self.nodes[id as usize].wants;
        wants.iter().find(|want| want.origin == Origin::Source(source)).map(|want| &want.value)
    }

    fn wanted_fact(
        &self,
        id: Id,
        source: u16,
        value: &AnyValue,
        retry: Option<Retry>,
    ) -> Result<Fact, serde_json::Error> {
        Ok(Fact::Wanted {
            source: self.sources[source as usize].name.clone(),
            key: self.nodes[id as usize].key.clone(),
            value: value.to_text()?,
            retry,
        })
    }

    /// What has to be recorded of a change that is about to be made.
    pub(super) fn note_change(
        &mut self,
        id: Id,
        source: u16,
        value: Option<&AnyValue>,
        retry: Option<Retry>,
        number: u64,
        facts: &mut Vec<Fact>,
    ) {
        let node = &self.nodes[id as usize];
        let Some(value) = value else {
            if self.want_of(id, source).is_some() {
                let source = self.sources[source as usize].name.clone();
                facts.push(Fact::Unwanted { source, key: node.key.clone() });
            }
            return;
        };
        if self.want_of(id, source) == Some(value) && node.retry.as_deref().copied() == retry {
            return;
        }
        match self.wanted_fact(id, source, value, retry) {
            Ok(fact) => facts.push(fact),
            Err(error) => {
                let error = format!("{}: cannot be kept, as its value cannot be written: {error}", node.key);
                if let Some(transaction) = self.transactions.get_mut(&number) {
                    transaction.errors.push(error);
                }
            }
        }
    }
}
