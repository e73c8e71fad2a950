//! YAML 1.2: events of the parser into trees, scalars as the core schema has them.
//!
//! A document whose names repeat, whose aliases grow beyond what anybody writes, or that uses tags of its own, is refused.

use std::collections::HashMap;
use std::sync::Arc;

use granit_parser::{Event, Marker, Options, Parser, ScalarStyle, Tag};

use super::lines::Lines;
use super::scalar::resolved;
use super::table::{Names, Table};
use super::{ConfigError, Entry, Node, Value};

/// How deep lists and tables may stand in each other.
const DEEPEST: usize = 128;
/// How many values anchors and aliases may copy, all together, beyond one for each byte of the text: an alias of aliases
/// grows fast.
const MOST_COPIES: usize = 1_000_000;
/// Bytes of text that count as another value.
const TEXT: usize = 64;

pub(super) fn documents(file: &Arc<str>, text: &str) -> Result<Vec<Node>, ConfigError> {
    match super::plain::document(file, text) {
        Some(document) => Ok(vec![document]),
        None => parsed(file, text),
    }
}

/// What the parser makes of a text.
pub(super) fn parsed(file: &Arc<str>, text: &str) -> Result<Vec<Node>, ConfigError> {
    let mut reader = Reader {
        // Lines are told by the parser.
        lines: Lines::new(file, ""),
        names: Names::default(),
        open: Vec::new(),
        anchors: HashMap::new(),
        copies_left: MOST_COPIES + text.len(),
        documents: Vec::new(),
    };
    let mut options = Options::default();
    options.flow_nesting_limit = DEEPEST;
    options.block_nesting_limit = DEEPEST;
    let mut parser = Parser::new_from_str_with_options(text, options);
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|error| {
            ConfigError::new(reader.lines.line(error.marker().line().max(1)), "", error.info())
        })?;
        reader.take(event, span.start)?;
    }
    if reader.documents.is_empty() {
        reader.documents.push(Node { origin: reader.lines.line(1), value: Value::Null });
    }
    Ok(reader.documents)
}

struct Reader {
    lines: Lines,
    names: Names,
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    copies_left: usize,
    documents: Vec<Node>,
}

/// A list or table that has not ended.
struct Open {
    line: usize,
    anchor: usize,
    part: Part,
}

enum Part {
    List(Vec<Node>),
    Table {
        table: Table,
        /// The name whose value comes next.
        name: Option<Name>,
        /// What `<<` names.
        merged: Vec<Node>,
    },
}

/// The name of an entry.
struct Name {
    text: Arc<str>,
    line: usize,
    /// It takes in the entries of other tables.
    merges: bool,
}

/// The name, when it is without quotes, under which the entries of other tables are taken in.
const MERGE: &str = "<<";

impl Reader {
    fn fail(&self, line: usize, reason: impl std::fmt::Display) -> ConfigError {
        ConfigError::new(self.lines.line(line), "", reason)
    }

    fn take(&mut self, event: Event<'_>, at: Marker) -> Result<(), ConfigError> {
        let line = at.line().max(1);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                if self.take_name(&text, style == ScalarStyle::Plain, line) {
                    if anchor != 0 {
                        let value = Value::String(text.into_owned());
                        self.anchors.insert(anchor, Node { origin: self.lines.line(line), value });
                    }
                    return Ok(());
                }
                let value = self.scalar(&text, style, tag.as_deref(), line)?;
                self.close(Node { origin: self.lines.line(line), value }, anchor)
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.begin(line, anchor, tag.as_deref(), "seq", Part::List(Vec::new()))
            }
            Event::MappingStart(_, anchor, tag) => {
                let part = Part::Table { table: Table::default(), name: None, merged: Vec::new() };
                self.begin(line, anchor, tag.as_deref(), "map", part)
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Alias(anchor) => {
                let Some(node) = self.anchors.get(&anchor) else {
                    return Err(self.fail(line, "this alias stands inside what it names"));
                };
                let node = copy(node, &mut self.copies_left).ok_or_else(|| self.fail(line, TOO_MUCH))?;
                if self.wants_name() {
                    let Value::String(text) = &node.value else {
                        return Err(self.fail(line, "a name has to be a text"));
                    };
                    self.take_name(text, false, line);
                    return Ok(());
                }
                self.close(node, 0)
            }
            Event::UnresolvedAlias(name) => Err(self.fail(line, format!("no anchor is called `{name}`"))),
            Event::DocumentStart(..) => {
                self.anchors.clear();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Whether the name of an entry comes next.
    fn wants_name(&self) -> bool {
        matches!(self.open.last(), Some(Open { part: Part::Table { name: None, .. }, .. }))
    }

    /// Takes a text for the name of an entry, if one comes next.
    fn take_name(&mut self, text: &str, is_plain: bool, line: usize) -> bool {
        match self.open.last_mut() {
            Some(Open { part: Part::Table { name: name @ None, .. }, .. }) => {
                *name = Some(Name { text: self.names.get(text), line, merges: is_plain && text == MERGE });
                true
            }
            _ => false,
        }
    }

    fn begin(
        &mut self,
        line: usize,
        anchor: usize,
        tag: Option<&Tag>,
        is: &str,
        part: Part,
    ) -> Result<(), ConfigError> {
        if self.wants_name() {
            return Err(self.fail(line, "a name has to be a text"));
        }
        if let Some(tag) = tag.filter(|tag| tag.core_suffix() != Some(is)) {
            return Err(self.fail(line, format!("tag `{}` is not known", tag.original())));
        }
        self.open.push(Open { line, anchor, part });
        Ok(())
    }

    fn end(&mut self) -> Result<(), ConfigError> {
        let Some(Open { line, anchor, part }) = self.open.pop() else { return Ok(()) };
        let value = match part {
            Part::List(items) => Value::List(items),
            Part::Table { mut table, merged, .. } => {
                for node in merged {
                    let Value::Table(entries) = node.value else {
                        return Err(ConfigError::new(
                            node.origin,
                            MERGE,
                            "this should be a table, or a list of tables",
                        ));
                    };
                    // What the table itself says goes before, and of several the first.
                    for Entry { key, origin, node } in entries {
                        if table.find(&key).is_none() {
                            table.add(key, origin, node)?;
                        }
                    }
                }
                table.value()
            }
        };
        self.close(Node { origin: self.lines.line(line), value }, anchor)
    }

    /// A value is complete: it goes where it belongs.
    fn close(&mut self, node: Node, anchor: usize) -> Result<(), ConfigError> {
        if anchor != 0 {
            let copy = copy(&node, &mut self.copies_left);
            let copy = copy.ok_or_else(|| ConfigError::new(node.origin.clone(), "", TOO_MUCH))?;
            self.anchors.insert(anchor, copy);
        }
        match self.open.last_mut().map(|open| &mut open.part) {
            None => self.documents.push(node),
            Some(Part::List(items)) => items.push(node),
            Some(Part::Table { table, name, merged }) => {
                // Names and values come in turn.
                let Some(Name { text, line, merges }) = name.take() else { return Ok(()) };
                match node.value {
                    Value::List(items) if merges => merged.extend(items),
                    _ if merges => merged.push(node),
                    _ => {
                        return table
                            .add(text, self.lines.line(line), node)
                            .map_err(|error| self.within(error));
                    }
                }
            }
        }
        Ok(())
    }

    /// An error about a name in the innermost table that is open, with the path to it.
    fn within(&self, error: ConfigError) -> ConfigError {
        self.open.iter().rev().fold(error, |error, open| match &open.part {
            Part::List(items) => error.within(format_args!("[{}]", items.len())),
            Part::Table { name: Some(name), .. } => error.within(&name.text),
            Part::Table { .. } => error,
        })
    }

    fn scalar(
        &self,
        text: &str,
        style: ScalarStyle,
        tag: Option<&Tag>,
        line: usize,
    ) -> Result<Value, ConfigError> {
        let plain = style == ScalarStyle::Plain;
        let Some(tag) = tag else {
            return Ok(if plain { resolved(text) } else { Value::String(text.to_owned()) });
        };
        let value = match tag.core_suffix() {
            Some("str") => Value::String(text.to_owned()),
            Some(core) => match (core, resolved(text)) {
                ("float", Value::Signed(value)) => Value::Float(value as f64),
                ("float", Value::Unsigned(value)) => Value::Float(value as f64),
                ("null", value @ Value::Null)
                | ("bool", value @ Value::Bool(_))
                | ("int", value @ (Value::Signed(_) | Value::Unsigned(_)))
                | ("float", value @ Value::Float(_)) => value,
                _ => return Err(self.fail(line, format!("this is not what tag `{}` says", tag.original()))),
            },
            // `! x`: not to be resolved.
            None if tag.original() == "!" => Value::String(text.to_owned()),
            None => return Err(self.fail(line, format!("tag `{}` is not known", tag.original()))),
        };
        Ok(value)
    }
}

const TOO_MUCH: &str = "anchors and aliases stand for more than a million values";

/// A copy, if so much may be copied still.
fn copy(node: &Node, left: &mut usize) -> Option<Node> {
    *left = left.checked_sub(size(node))?;
    Some(node.clone())
}

fn size(node: &Node) -> usize {
    1 + match &node.value {
        Value::String(text) => text.len() / TEXT,
        Value::List(items) => items.iter().map(size).sum(),
        Value::Table(entries) => entries.iter().map(|entry| size(&entry.node)).sum(),
        _ => 0,
    }
}
