//! Plain YAML: the part of it in which long lists are written, read line by line.
//!
//! The events of a parser for all of YAML are most of what a long document costs. Here the same document takes a sixth of the
//! time, if it has nothing but block lists and tables, flow lists and tables that end in their line, plain scalars and quoted
//! ones without escapes, and comments, in printable ASCII. Whatever else there is, and whatever is wrong, is for the parser
//! to tell: this reader knows what it can read and nothing else.

use std::sync::Arc;

use super::parts::{self, Split};
use super::table::{Names, Table};
use super::yaml::resolved;
use super::{Lists, Node, Origin, Value};

/// How deep lists and tables may stand in each other.
const DEEPEST: usize = 32;
/// The longest name; YAML sets a limit to what it looks for a colon in.
const LONGEST_NAME: usize = 128;

/// The only document of a text, or `None`: the parser has to read it.
pub(super) fn document(file: &Arc<str>, text: &str) -> Option<Node> {
    read(file, text, None)
}

/// As `document`, with what is made of the values in the lists of its table.
pub(super) fn lists<T: Send, M: Fn(&Node) -> T + Sync>(
    file: &Arc<str>,
    text: &str,
    make: impl Fn(&str) -> M,
    split: Split,
) -> Option<Lists<T>> {
    let mut made = Vec::new();
    let mut list = |reader: &mut Reader<'_, '_>, entry: usize, name: &str, indent: usize| {
        made.resize_with(entry + 1, Vec::new);
        made[entry] = parts::items(reader, indent, &make(name), split)?;
        Some(())
    };
    let node = read(file, text, Some(&mut list))?;
    Some(Lists::of(node, made, make))
}

/// Reads a list in the document's table, which begins with the next line: the place of the list, its name and indent. It is
/// empty in the tree.
type List<'t> = &'t mut dyn FnMut(&mut Reader<'_, '_>, usize, &str, usize) -> Option<()>;

fn read(file: &Arc<str>, text: &str, list: Option<List<'_>>) -> Option<Node> {
    let printable = |chunk: &[u8]| chunk.iter().fold(true, |all, b| all & matches!(b, b' '..=b'~' | b'\n'));
    if !text.as_bytes().chunks(4096).all(printable) {
        return None;
    }
    let mut at = Cursor { line: None, rest: text, number: 0 };
    at.advance();
    let mut reader = Reader::new(file, at, list);
    let node = reader.block(at.line?.indent, 0)?;
    reader.at.line.is_none().then_some(node)
}

/// A line with something in it.
#[derive(Clone, Copy)]
pub(super) struct Line<'a> {
    number: usize,
    /// Spaces before the text.
    indent: usize,
    /// Without spaces around it.
    text: &'a str,
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
    fn block(&mut self, indent: usize, depth: usize) -> Option<Node> {
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
                (true, _) => return None,
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
        let next = *text.as_bytes().first()?;
        text = &text[1..];
        match next {
            b',' => text = text.trim_ascii_start(),
            _ => return (next == end).then_some(text),
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::yaml::parsed;
    use super::*;

    fn plainly(text: &str) -> Option<Node> {
        document(&"d".into(), text)
    }

    /// What is read here the parser reads, too, and as the same, lines and all.
    fn check(text: &str) -> Result<bool, TestCaseError> {
        // What is made while it is read is what is made of the tree, in whatever parts it is read.
        let make = |name: &str| {
            let name = name.to_owned();
            move |node: &Node| (name.clone(), node.clone())
        };
        let node = plainly(text);
        for split in [Split::LONG, parts_of(1, 3), parts_of(30, 2), parts_of(30, 1)] {
            let made = lists(&"d".into(), text, make, split)
                .map(|lists| lists.made.iter().map(|parts| parts.concat()).collect());
            prop_assert_eq!(made, node.as_ref().map(|node| node.lists(make)), "{}", text);
        }
        let Some(node) = node else { return Ok(false) };
        prop_assert_eq!(parsed(&"d".into(), text), Ok(vec![node]), "{}", text);
        Ok(true)
    }

    fn parts_of(part: usize, threads: usize) -> Split {
        Split { part, threads: [|| 1, || 1, || 2, || 3][threads] }
    }

    #[test]
    fn what_long_documents_are_made_of() {
        for text in [
            "routes:\n- { prefix: 10.0.0.0/8, via: fe80::1, interface: loop-a }\n- {prefix: ::/0}",
            "# all\n\na:\n  - b: 1 # one\n    c: GigabitEthernet0/8/0\n\n  - b: 'x: y'\n    c: \"\"\n  # end\nd: -1",
            "a:\n- b:\n  - 1\n  c: [1, [], {}, {d: e f}]\n-   b: 2\n    c: http://x:80/\n",
            "- 1.5\n- true\n- .5\n- 02:fe:00:00:00:01\n- plain text - of words",
            "a:\n    b:\n     c: { x: [ 'y', \"z\" ] } # end",
        ] {
            assert!(check(text).unwrap_or_else(|error| panic!("{error}")), "{text}");
        }
    }

    #[test]
    fn what_is_for_the_parser() {
        for text in [
            "",
            "a",
            "a:",
            "a:\n- b\n c: d",
            "a: b\n  c",
            "a: 'x\n  y'",
            "a: |\n  b",
            "a: &x b",
            "a: \"\\n\"",
            "a: 'it''s'",
            "a: b: c",
            "a: [1,\n 2]",
            "a: 1\na: 2",
            "{a: 1",
            "a: [1, ]",
            "a: b#\n",
            "--- \na: 1",
            "a: 1\n...",
            "a: é",
            "a: {b}",
            "a:\tb",
            "- - a",
            "a: 1\r\n",
            "a: [b: c]",
            "a: {b: 1}# x",
            "<<: {a: 1}",
            "a: !!str 1",
            "? a\n: b",
            "a: -",
            "-",
            "a:b",
        ] {
            assert_eq!(plainly(text), None, "{text}");
        }
    }

    /// Lines of lists and tables, most of them where they belong.
    fn lines() -> impl Strategy<Value = String> {
        let value = "(|1|x|x y|fe80::1|10.0.0.0/8|'q: #'|\"q\"|\\[\\]|\\{ a: 1, b: x \\}|\\[ 1,x, \\{a: \\[\\]\\} \\]|-1|\\.5|~|a: b|é)";
        let line = ("( |  |    |){1,2}", "(- |)(a|b|c|d-e|17):?", value, "( |)(# c|#| |)")
            .prop_map(|(indent, name, value, end)| format!("{indent}{name} {value}{end}\n"));
        let soup = prop::collection::vec(line, 0..6).prop_map(|lines| lines.concat());
        prop_oneof![soup, grown()]
    }

    /// A document that is right, or nearly.
    fn grown() -> impl Strategy<Value = String> {
        let entry = ("[a-h]", "(1|x|'q'|x y:z|\\{ a: \\[1, 2\\] \\}|\\[\\]|)", 0..3usize, prop::bool::ANY);
        prop::collection::vec(entry, 1..9).prop_map(|entries| {
            let (mut text, mut depth) = (String::new(), 0);
            for (name, value, out, dash) in entries {
                let dash = if dash { "- " } else { "" };
                text += &format!("{}{dash}{name}: {value}\n", "  ".repeat(depth));
                depth = if value.is_empty() { depth + 1 } else { depth.saturating_sub(out) };
            }
            text
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 500, ..Default::default() })]

        #[test]
        fn it_is_as_the_parser_says(text in lines()) {
            check(&text)?;
        }

        #[test]
        fn also_of_any_pieces(text in "(a|b|- |: |:|\n|\n  |\n- |\n    |\\{|\\}|\\[|\\]|,|, | |17|1\\.5|~|'x y'|\"q\"|# c|#|-|\\.|/|%|@|&a|\\*a|\\||\\?){0,25}") {
            check(&text)?;
        }
    }
}
