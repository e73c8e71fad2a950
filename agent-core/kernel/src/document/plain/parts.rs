//! A long list of a plain document, read in parts by several threads.
//!
//! Its text is cut at lines that begin with the list's indent and a dash. Whether such a line begins an item of this list is
//! known only to who has read all before it. So a part counts if the part before it was read up to the cut, and what was
//! read behind the list's end is thrown away: what comes out is always what one thread reads.

use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::reader::{Cursor, Reader};
use crate::document::Node;

/// How a list is split.
#[derive(Clone, Copy)]
pub(super) struct Split {
    /// A part has at least so many bytes, and so has what one thread reads before others begin.
    pub(super) part: usize,
    /// How many threads may read at once. It is asked only where a list is long.
    pub(super) threads: fn() -> usize,
}

impl Split {
    /// Parts take half a millisecond, a thread less than a tenth of that to begin.
    pub(super) const LONG: Self = Self { part: 32 << 10, threads: processors };
}

/// More gain little: what is read is put together by one.
const MOST_THREADS: usize = 4;
/// A line to cut at is looked for in so many bytes. Where there is none, all the rest is one part.
const NEAR: usize = 64 << 10;

fn processors() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get).min(MOST_THREADS)
}

/// What is made of the items of a list in the document's table, part by part. It begins with the reader's next line.
pub(super) fn items<T: Send>(
    reader: &mut Reader<'_, '_>,
    indent: usize,
    make: &(impl Fn(&Node) -> T + Sync),
    split: Split,
) -> Option<Vec<Vec<T>>> {
    let (first, more) = read(reader, indent, make, split.part, 0)?;
    let mut made = vec![first];
    if more {
        match (split.threads)() {
            0 | 1 => made.push(read(reader, indent, make, usize::MAX, 0)?.0),
            threads => in_parts(reader, indent, make, split.part, threads, &mut made)?,
        }
    }
    Some(made)
}

/// Reads items, probably so many, until so much of the text is read, or the list ends; whether it may go on.
fn read<T>(
    reader: &mut Reader<'_, '_>,
    indent: usize,
    make: &impl Fn(&Node) -> T,
    most: usize,
    count: usize,
) -> Option<(Vec<T>, bool)> {
    let before = reader.at.rest.len();
    let mut made = Vec::with_capacity(count);
    while let Some(node) = reader.item(indent, 1)? {
        made.push(make(&node));
        if before - reader.at.rest.len() >= most {
            return Some((made, true));
        }
    }
    Some((made, false))
}

fn in_parts<T: Send>(
    reader: &mut Reader<'_, '_>,
    indent: usize,
    make: &(impl Fn(&Node) -> T + Sync),
    size: usize,
    threads: usize,
    made: &mut Vec<Vec<T>>,
) -> Option<()> {
    let file = &reader.file;
    let parts =
        Mutex::new(Parts { at: Some(reader.at), dash: format!("\n{:indent$}- ", ""), size, place: 0 });
    let parts = || parts.lock().unwrap_or_else(PoisonError::into_inner);
    let work = || {
        let mut done = Vec::new();
        loop {
            let next = parts().next();
            let Some((place, behind, lines, at)) = next else { return done };
            // Names of its own: threads that count references to the same ones wait for each other.
            let mut reader = Reader::new(&Arc::from(&**file), at, None);
            let read = catch_unwind(AssertUnwindSafe(|| read(&mut reader, indent, make, usize::MAX, lines)));
            let at = reader.at;
            if !matches!(read, Ok(Some(_))) || at.line.is_some() {
                parts().at = None;
            }
            done.push(Part { place, behind, at, made: read.map(|read| Some(read?.0)) });
        }
    };
    let mut done = thread::scope(|scope| {
        // Without the others it only takes longer.
        let other = |_| thread::Builder::new().name("documents".to_owned()).spawn_scoped(scope, work).ok();
        let others: Vec<_> = (1..threads).filter_map(other).collect();
        let mut done = work();
        for other in others {
            done.extend(other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        done
    });
    done.sort_unstable_by_key(|part| part.place);
    let text = reader.at.rest;
    for Part { behind, at, made: part, .. } in done {
        made.push(part.unwrap_or_else(|panic| resume_unwind(panic))?);
        let left = at.rest.len() + behind;
        reader.at = Cursor { rest: &text[text.len() - left..], ..at };
        if at.line.is_some() {
            break;
        }
    }
    Some(())
}

/// A part that was read.
struct Part<'a, T> {
    place: usize,
    /// Bytes behind its text.
    behind: usize,
    /// Where reading has stopped. A line is left if the list ends there.
    at: Cursor<'a>,
    /// `None`: this is not plain. What `make` panicked with counts only if all before it does.
    made: thread::Result<Option<Vec<T>>>,
}

/// What of a text is to be read still.
struct Parts<'a> {
    /// `None`: the list has ended.
    at: Option<Cursor<'a>>,
    /// What a cut stands in: the end of a line, and the begin of an item.
    dash: String,
    /// A part has at least so many bytes.
    size: usize,
    /// The place of the next part.
    place: usize,
}

impl<'a> Parts<'a> {
    /// The next part: its place, how many bytes are behind it, how many lines it has, and where it is read.
    fn next(&mut self) -> Option<(usize, usize, usize, Cursor<'a>)> {
        let Cursor { line, rest, number } = self.at?;
        let cut = near(rest, self.size).and_then(|(from, near)| Some(from + near.find(&self.dash)? + 1));
        let (text, behind) = rest.split_at(cut.unwrap_or(rest.len()));
        let lines = newlines(text);
        let next = Cursor { line: None, rest: behind, number: number + lines };
        self.at = (!behind.is_empty()).then_some(next);
        let mut at = Cursor { line, rest: text, number };
        if line.is_none() {
            at.advance();
        }
        let place = self.place;
        self.place += 1;
        Some((place, behind.len(), lines + 1, at))
    }
}

/// Where a cut is looked for, and the text there: from about `size` on.
fn near(text: &str, size: usize) -> Option<(usize, &str)> {
    let character = |at: usize| (at..text.len()).find(|at| text.is_char_boundary(*at));
    let from = character(size)?;
    Some((from, &text[from..character(from + NEAR).unwrap_or(text.len())]))
}

fn newlines(text: &str) -> usize {
    // Bytes that cannot overflow are counted many at a time.
    let count = |chunk: &[u8]| chunk.iter().map(|byte| u8::from(*byte == b'\n')).sum::<u8>();
    text.as_bytes().chunks(255).map(|chunk| usize::from(count(chunk))).sum()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;
    use crate::document::{Origin, plain};

    /// What is made of the lists of a text, in order; `None` where it is not plain; or what `make` panicked with.
    fn made<T: Clone + Send>(
        text: &str,
        split: Split,
        make: impl Fn(&Node) -> T + Sync,
    ) -> Result<Option<Vec<Vec<T>>>, Origin> {
        let lists = || plain::split_lists(&"d".into(), text, |_| &make, split);
        let lists =
            catch_unwind(AssertUnwindSafe(lists)).map_err(|panic| *panic.downcast().expect("a place"))?;
        Ok(lists.map(|lists| lists.made.iter().map(|parts| parts.concat()).collect()))
    }

    /// Sections, most of them lists of items of one line and of several, some with something that is not plain.
    fn sections() -> impl Strategy<Value = String> {
        let item = prop_oneof![
            30 => "- (1|x y|'- q'|\\[a, 1\\]|\\{ a: 1, b: x \\})",
            10 => "- a: 1\n  b: [x]",
            10 => "- a:\n      - b\n      - c: d",
            5 => "\n  # end",
            5 => "\n  # é–",
            5 => "- a: 'é'\r\n  b:\r",
            5 => "- a:\n  - b\n  c: q",
            1 => "(a: 1|-|x|- |   - a|- a: \\|\n      - b|- 'a\n  - b'|- !x)",
        ];
        let section = (0..4usize, prop::collection::vec(item, 0..12));
        prop::collection::vec(section, 1..5).prop_map(|sections| {
            let mut text = String::new();
            for (place, (indent, items)) in sections.into_iter().enumerate() {
                text += &format!("section-{place}:{}\n", if items.is_empty() { " []" } else { "" });
                for item in items {
                    text += &format!("{:indent$}{}\n", "", item.replace('\n', &format!("\n{:indent$}", "")));
                }
            }
            text
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 1000, ..Default::default() })]

        #[test]
        fn in_parts_it_is_as_by_one(text in sections(), part in 1..60usize, threads in 0..3usize, panics in "[abcx]") {
            let split = Split { part, threads: [|| 2, || 3, || 4][threads] };
            let alone = Split { part: usize::MAX, threads: || 1 };
            prop_assert_eq!(made(&text, split, Node::clone), made(&text, alone, Node::clone), "{}", &text);
            let make = |node: &Node| match format!("{:?}", node.value).contains(&panics) {
                true => resume_unwind(Box::new(node.origin.clone())),
                false => node.origin.clone(),
            };
            prop_assert_eq!(made(&text, split, make), made(&text, alone, make), "{}", &text);
        }
    }

    #[test]
    fn a_document_of_any_length() {
        let text = |lists: usize, items: usize| {
            let item = |n| format!("  - {{ name: n-{n}, at: 10.0.0.{n}, on: [a, b] }} # or not\n\n");
            let list = |n| format!("l-{n}:\n{}", (0..items).map(item).collect::<String>());
            (0..lists).map(list).collect::<String>()
        };
        let alone = Split { part: usize::MAX, threads: || 1 };
        let here = |_: &Node| thread::current().id();
        for (lists, items) in [(1, 10_000), (3, 2_500), (200, 50)] {
            let text = text(lists, items);
            let all = made(&text, Split::LONG, Node::clone);
            assert_eq!(all, made(&text, alone, Node::clone));
            assert_eq!(all.map(|all| all.map(|all| all.concat().len())), Ok(Some(lists * items)));
        }
        // Short lists are read where one asks for them, also in a long document.
        let threads = made(&text(200, 50), Split::LONG, here).expect("no panic").expect("plain").concat();
        assert_eq!(threads.into_iter().collect::<HashSet<_>>(), HashSet::from([thread::current().id()]));
    }

    #[test]
    fn newlines_are_counted() {
        for (count, text) in
            [(0, "ab".into()), (2, "\na\n".into()), (1000, "\n".repeat(1000)), (600, "a\n".repeat(600))]
        {
            assert_eq!(newlines(&text), count);
        }
    }
}
