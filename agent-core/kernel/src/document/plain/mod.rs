//! Plain YAML: the part of it in which long lists are written, read line by line.
//!
//! The events of a parser for all of YAML are most of what a long document costs. Here the same document takes a sixth of the
//! time, if it has nothing but block lists and tables, flow lists and tables that end in their line, plain scalars in ASCII,
//! quoted ones without escapes, empty values, and comments. Whatever else there is, and whatever is wrong, is for the parser to
//! tell: this reader knows what it can read and nothing else.

mod parts;
mod reader;

use std::sync::Arc;

use super::{Lists, Node};
use parts::Split;
use reader::{Cursor, List, Reader};

/// The only document of a text, or `None`: the parser has to read it.
pub(super) fn document(file: &Arc<str>, text: &str) -> Option<Node> {
    read(file, text, None)
}

/// As `document`, with what is made of the values in the lists of its table.
pub(super) fn lists<T: Send, M: Fn(&Node) -> T + Sync>(
    file: &Arc<str>,
    text: &str,
    make: impl Fn(&str) -> M,
) -> Option<Lists<T>> {
    split_lists(file, text, make, Split::LONG)
}

fn split_lists<T: Send, M: Fn(&Node) -> T + Sync>(
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

fn read(file: &Arc<str>, text: &str, list: Option<List<'_>>) -> Option<Node> {
    if !is_plain(text) {
        return None;
    }
    let mut at = Cursor { line: None, rest: text, number: 0 };
    at.advance();
    if at.line?.is_start() {
        at.advance();
    }
    let mut reader = Reader::new(file, at, list);
    let node = reader.block(at.line?.indent, 0)?;
    reader.at.line.is_none().then_some(node)
}

/// Whether a text has nothing but characters that stand for themselves, and ends of lines.
fn is_plain(text: &str) -> bool {
    let is_ascii = |part: &[u8]| part.iter().fold(true, |all, b| all & matches!(b, b' '..=b'~' | b'\n'));
    text.as_bytes().chunks(4096).all(is_ascii) || {
        let ends_line = |at: usize| text.as_bytes().get(at + 1) == Some(&b'\n');
        text.char_indices().all(|(at, character)| match character {
            ' '..='~' | '\n' => true,
            '\r' => ends_line(at),
            // What may end a line, and marks of the order of bytes.
            '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => false,
            _ => character >= '\u{a0}',
        })
    }
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
            let made = split_lists(&"d".into(), text, make, split)
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
            "---\na: 1",
            "# é\n--- # ü\n\na: 'é' # –",
            "a:\r\n- b: 1\r\n\r\n  # c\r\n- 'd'\r\n",
            "a:\nb:\n- c:\n- c:\n  d: # e\nf:",
        ] {
            assert!(check(text).unwrap_or_else(|error| panic!("{error}")), "{text}");
        }
    }

    #[test]
    fn what_is_for_the_parser() {
        for text in [
            "",
            "a",
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
            "--- a: 1",
            "---",
            "---\n---\na: 1",
            " ---\na: 1",
            "a: 1\n---\nb: 1",
            "a: 1\r",
            "a: 'b\rc'",
            "a: 1 # \u{85}",
            "a: '\u{feff}'",
            "%YAML 1.2\n---\na: 1",
            "a: 1\n...",
            "a: é",
            "é: a",
            "- é",
            "a: [b é]",
            "a: [b, é]",
            "a: {b: c é}",
            "a: 'b'é",
            "a: 'b' é",
            "a: {b}",
            "a:\tb",
            "- - a",
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
        let value = "(|1|x|x y|fe80::1|10.0.0.0/8|'q: #é'|\"q\"|\\[\\]|\\{ a: 1, b: x \\}|\\[ 1,x, \\{a: \\[\\]\\} \\]|-1|\\.5|~|a: b|é)";
        let line = ("( |  |    |){1,2}", "(- |)(a|b|c|d-e|17):?", value, "( |)(# c|# é|#| |)(\r|)")
            .prop_map(|(indent, name, value, end)| format!("{indent}{name} {value}{end}\n"));
        let start = "(|---\n|--- # c\n|--- )";
        let soup =
            (start, prop::collection::vec(line, 0..6)).prop_map(|(start, lines)| start + &lines.concat());
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
        fn also_of_any_pieces(text in "(a|b|- |: |:|\n|\n  |\n- |\n    |\\{|\\}|\\[|\\]|,|, | |17|1\\.5|~|é|'x é'|\"q\"|# é|\r\n|---|#|-|\\.|/|%|@|&a|\\*a|\\||\\?){0,25}") {
            check(&text)?;
        }
    }
}
