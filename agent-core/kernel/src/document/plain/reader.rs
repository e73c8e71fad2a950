//! Lines of plain YAML into trees.

use std::sync::Arc;

use crate::document::scalar::resolved;
use crate::document::table::{Names, Table};
use crate::document::{Node, Origin, Value};

/// How deep lists and tables may stand in each other.
const DEEPEST: usize = 32;
/// The longest name; YAML sets a limit to what it looks for a colon in.
const LONGEST_NAME: usize = 128;

/// Reads a list in the document's table, which begins with the next line: the place of the list, its name and indent. It is
/// empty in the tree.
pub(super) type List<'t> = &'t mut dyn FnMut(&mut Reader<'_, '_>, usize, &str, usize) -> Option<()>;

/// A line with something in it.
#[derive(Clone, Copy)]
pub(super) struct Line<'a> {
    number: usize,
    /// Spaces before the text.
    pub(super) indent: usize,
    /// Without spaces around it.
    text: &'a str,
}

impl Line<'_> {
    /// It says that a document begins behind it.
    pub(super) fn is_start(&self) -> bool {
        self.indent == 0 && self.text.strip_prefix("---").is_some_and(ends)
    }
}

/// A place in a text.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'a> {
    /// The next line; `None` at the end.
    pub(super) line: Option<Line<'a>>,
    /// Behind the line.
    pub(super) rest: &'a str,
    /// Lines before the rest.
    pub(super) number: usize,
}

impl Cursor<'_> {
    /// Goes on to the next line that is not empty and no comment.
    pub(super) fn advance(&mut self) {
        self.line = None;
        while !self.rest.is_empty() {
            let (line, rest) = self.rest.split_once('\n').unwrap_or((self.rest, ""));
            self.rest = rest;
            self.number += 1;
            let text = line.trim_ascii_start();
            if !text.is_empty() && !text.starts_with('#') {
                let indent = line.len() - text.len();
                self.line = Some(Line { number: self.number, indent, text: text.trim_ascii_end() });
                return;
            }
        }
    }
}

pub(super) struct Reader<'a, 't> {
    pub(super) at: Cursor<'a>,
    pub(super) file: Arc<str>,
    names: Names,
    /// Without it lists are as other values.
    list: Option<List<'t>>,
    /// The entry of the document's table that is being read: its place and name.
    section: Option<(usize, Arc<str>)>,
}

impl<'a, 't> Reader<'a, 't> {
    pub(super) fn new(file: &Arc<str>, at: Cursor<'a>, list: Option<List<'t>>) -> Self {
        Self { at, file: Arc::clone(file), names: Names::default(), list, section: None }
    }

    fn origin(&self, line: usize) -> Origin {
        Origin::File { file: Arc::clone(&self.file), line }
    }

    fn node(&self, number: usize, value: Value) -> Node {
        Node { origin: self.origin(number), value }
    }

    /// A list or table that begins with the next line, which has this indent.
    pub(super) fn block(&mut self, indent: usize, depth: usize) -> Option<Node> {
        let line = self.at.line?;
        if depth > DEEPEST {
            return None;
        }
        match line.text.starts_with("- ") {
            true => self.list(indent, depth),
            false => {
                self.at.advance();
                self.table(line.text, line.number, indent, depth)
            }
        }
    }

    fn list(&mut self, indent: usize, depth: usize) -> Option<Node> {
        let number = self.at.line?.number;
        let mut items = Vec::new();
        if depth == 1
            && let Some((entry, name)) = self.section.clone()
            && let Some(list) = self.list.take()
        {
            list(self, entry, &name, indent)?;
            self.list = Some(list);
        } else {
            while let Some(node) = self.item(indent, depth)? {
                items.push(node);
            }
        }
        Some(self.node(number, Value::List(items)))
    }

    /// The next item of a list at this depth, or `Some(None)`: the list has ended.
    pub(super) fn item(&mut self, indent: usize, depth: usize) -> Option<Option<Node>> {
        let Some(line) = self.at.line.filter(|line| line.indent == indent) else { return Some(None) };
        let Some(text) = line.text.strip_prefix("- ") else { return Some(None) };
        self.at.advance();
        let item = text.trim_ascii_start();
        let column = indent + line.text.len() - item.len();
        match named(item) {
            Some(_) => self.table(item, line.number, column, depth + 1).map(Some),
            None => {
                // What goes on in the next line is no plain document.
                let value = self.whole(item, line.number, depth + 1)?;
                self.at.line.is_none_or(|next| next.indent <= indent).then_some(Some(value))
            }
        }
    }

    /// A table whose names are in this column, the first of them in this text.
    fn table(&mut self, first: &'a str, number: usize, column: usize, depth: usize) -> Option<Node> {
        let mut table = Table::default();
        let (mut text, mut at) = (first, number);
        loop {
            let (name, behind) = named(text)?;
            let name = self.names.get(name);
            if depth == 0 {
                self.section = Some((table.len(), name.clone()));
            }
            let value = match (ends(behind), self.at.line) {
                (false, next) => {
                    let value = self.whole(behind.trim_ascii_start(), at, depth + 1)?;
                    next.is_none_or(|next| next.indent <= column).then_some(value)?
                }
                (true, Some(next)) if next.indent > column => self.block(next.indent, depth + 1)?,
                // The dash may stand below the name.
                (true, Some(next)) if next.indent == column && next.text.starts_with("- ") => {
                    self.list(column, depth + 1)?
                }
                (true, _) => self.node(at, Value::Null),
            };
            // A name that repeats is told by the parser.
            table.add(name, self.origin(at), value).ok()?;
            match self.at.line {
                Some(next) if next.indent == column && !next.text.starts_with("- ") => {
                    self.at.advance();
                    (text, at) = (next.text, next.number);
                }
                _ => return Some(self.node(number, table.value())),
            }
        }
    }

    /// A value that is all there is in the rest of a line.
    fn whole(&mut self, text: &'a str, number: usize, depth: usize) -> Option<Node> {
        let (value, behind) = self.value(text, number, depth)?;
        ends(behind).then(|| self.node(number, value))
    }

    /// A value within a line, and what is behind it.
    fn value(&mut self, text: &'a str, number: usize, depth: usize) -> Option<(Value, &'a str)> {
        if depth > DEEPEST {
            return None;
        }
        match text.as_bytes().first()? {
            b'[' => {
                let mut items = Vec::new();
                let behind = members(&text[1..], b']', |text| {
                    let (value, behind) = self.value(text, number, depth + 1)?;
                    items.push(self.node(number, value));
                    Some(behind)
                })?;
                Some((Value::List(items), behind))
            }
            b'{' => {
                let mut table = Table::default();
                let behind = members(&text[1..], b'}', |text| {
                    let (name, behind) = named(text)?;
                    let (value, behind) = self.value(behind.trim_ascii_start(), number, depth + 1)?;
                    let node = self.node(number, value);
                    table.add(self.names.get(name), self.origin(number), node).ok()?;
                    Some(behind)
                })?;
                Some((table.value(), behind))
            }
            b'\'' => {
                text[1..].split_once('\'').map(|(text, behind)| (Value::String(text.to_owned()), behind))
            }
            b'"' => {
                let (text, behind) = text[1..].split_once('"')?;
                (!text.contains('\\')).then(|| (Value::String(text.to_owned()), behind))
            }
            _ => {
                let (scalar, behind) = plain(text)?;
                Some((resolved(scalar), behind))
            }
        }
    }
}

/// The members of a flow list or table up to its end, and what is behind that. Behind a comma there is one more.
fn members<'a>(
    mut text: &'a str,
    end: u8,
    mut member: impl FnMut(&'a str) -> Option<&'a str>,
) -> Option<&'a str> {
    text = text.trim_ascii_start();
    if text.as_bytes().first() == Some(&end) {
        return Some(&text[1..]);
    }
    loop {
        text = member(text)?.trim_ascii_start();
        match *text.as_bytes().first()? {
            b',' => text = text[1..].trim_ascii_start(),
            next => return (next == end).then(|| &text[1..]),
        }
    }
}

/// Whether there is nothing more in a line but a comment.
fn ends(behind: &str) -> bool {
    let text = behind.trim_ascii_start();
    text.is_empty() || text.len() < behind.len() && text.starts_with('#')
}

/// The name with which an entry begins, and what is behind its colon.
fn named(text: &str) -> Option<(&str, &str)> {
    let bytes = text.as_bytes();
    let length = bytes.iter().position(|b| !b.is_ascii_alphanumeric() && !matches!(b, b'_' | b'-'))?;
    let is_name = bytes[length] == b':'
        && (1..=LONGEST_NAME).contains(&length)
        && bytes[0] != b'-'
        && bytes.get(length + 1).is_none_or(|next| *next == b' ');
    is_name.then(|| (&text[..length], &text[length + 1..]))
}

/// The plain scalar with which a text begins, and what is behind it.
///
/// Of the characters that mean something somewhere it has only those that mean nothing here: a colon before another
/// character; a dash, dot or plus before a digit or behind another character.
fn plain(text: &str) -> Option<(&str, &str)> {
    let bytes = text.as_bytes();
    let is_word = |at: usize| {
        bytes.get(at).is_some_and(|b| {
            b.is_ascii_alphanumeric() || matches!(b, b'_' | b'/' | b'.' | b'-' | b'+' | b'@' | b'=' | b'%')
        })
    };
    let is_colon = |at: usize| bytes.get(at) == Some(&b':');
    match bytes.first()? {
        b if b.is_ascii_alphanumeric() || matches!(b, b'_' | b'/') => {}
        b'-' | b'+' | b'.' if bytes.get(1).is_some_and(u8::is_ascii_digit) => {}
        b':' if is_word(1) || is_colon(1) => {}
        _ => return None,
    }
    let mut end = 0;
    while let Some(byte) = bytes.get(end) {
        match byte {
            b' ' if is_word(end + 1) => {}
            b':' if is_word(end + 1) || is_colon(end + 1) => {}
            b':' => return None,
            _ if is_word(end) => {}
            _ => break,
        }
        end += 1;
    }
    Some(text.split_at(end))
}
