//! What is made of the values in a document's lists.

use super::{Entry, Node, Value};

/// A document, and what was made of the values in the lists of its table.
#[derive(Debug, Clone, PartialEq)]
pub struct Lists<T> {
    /// The document. The lists in its table may be empty here.
    pub node: Node,
    /// As [`Node::lists`], but what is made of a list is in the parts in which it was read, one after the other.
    pub made: Vec<Vec<Vec<T>>>,
}

impl Node {
    /// For each entry of a table what is made of the values of the list that it is; nothing of others. `make` is told the
    /// name of a list, and what it gives makes something of each value.
    pub fn lists<T, M: Fn(&Self) -> T>(&self, make: impl Fn(&str) -> M) -> Vec<Vec<T>> {
        self.entries().unwrap_or_default().iter().map(|entry| entry.made(&make)).collect()
    }
}

impl Entry {
    /// What is made of the values of the list that it is.
    fn made<T, M: Fn(&Node) -> T>(&self, make: impl Fn(&str) -> M) -> Vec<T> {
        match &self.node.value {
            Value::List(items) if !items.is_empty() => items.iter().map(make(&self.key)).collect(),
            _ => Vec::new(),
        }
    }
}

impl<T> Lists<T> {
    /// Of a document in which there may be lists of which nothing is made yet.
    pub(super) fn of<M: Fn(&Node) -> T>(
        node: Node,
        mut made: Vec<Vec<Vec<T>>>,
        make: impl Fn(&str) -> M,
    ) -> Self {
        let entries = node.entries().unwrap_or_default();
        made.resize_with(entries.len(), Vec::new);
        for (entry, made) in entries.iter().zip(&mut made) {
            let part = entry.made(&make);
            if !part.is_empty() {
                made.push(part);
            }
        }
        Self { node, made }
    }
}
